//! The command line as a user sees it: every command that the documents show, and every text that a command prints.
//!
//! `TRYCMD=overwrite cargo test --test it cmd` writes the expected output anew; read the difference before it is committed.

use std::process::Command;

use regex::Regex;

/// What the environment of whoever runs the tests would otherwise change.
const ENVIRONMENT: [(&str, &str); 4] =
    [("COLUMNS", "100"), ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "0"), ("LC_ALL", "C.UTF-8")];

#[test]
fn commands_print_what_is_recorded() {
    let cases = trycmd::TestCases::new();
    for (name, value) in ENVIRONMENT {
        cases.env(name, value);
    }
    cases.case("tests/cmd/*.trycmd").case("README.md");
}

/// The screens in the README that show times of files, which differ from clone to clone.
#[test]
fn the_pictures_in_the_readme_are_real() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let time = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    let over = Regex::new(r" · over [^·\n]*[^·\n ]").unwrap();
    let timeless = |text: &str| over.replace_all(&time.replace_all(text, "(time)"), "").into_owned();
    let pictures: Vec<&str> =
        readme.split("```text\n$ ckpt ").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert_eq!(pictures.len(), 2);
    for picture in pictures {
        let (arguments, screen) = picture.split_once('\n').unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_ckpt")).args(arguments.split(' ')).envs(ENVIRONMENT).output().unwrap();
        assert!(output.status.code().is_some_and(|code| code < 2) && output.stderr.is_empty());
        assert_eq!(timeless(screen), timeless(&String::from_utf8(output.stdout).unwrap()));
    }
}

/// Every field that a document has is described; what is keyed by names of the user is left out.
#[test]
fn every_json_field_is_documented() {
    let page = std::fs::read_to_string("docs/json.md").unwrap();
    let commands = [
        "list testdata/saver_v2/sharded_adam",
        "list testdata/saver_v1/slices",
        "print testdata/saver_v2/sharded_adam embedding[0] comment",
        "inspect testdata/saver_v2/sharded_adam",
        "inspect testdata/model_dir/moved",
        "inspect testdata/serving/base/served",
        "inspect testdata/saved_model/tf1/model",
        "diff testdata/diff/pairs/special-a testdata/diff/pairs/special-b --all --expect-same step --expect-changed empty",
        "diff testdata/diff/pairs/objects-a testdata/diff/pairs/objects-b --all",
        "diff testdata/saver_v2/sharded_adam/model.ckpt-0 testdata/saver_v2/sharded_adam/model.ckpt-200 --index-only",
        "list testdata/object_graph/keras3 --names",
        "graph testdata/object_graph/tf_keras",
        "log testdata/model_dir/run --finite --values",
        "log testdata/model_dir/stale",
        "latest testdata/model_dir/run",
        "validate testdata/model_dir/stale",
        "validate tests/cmd/foreign/pointer.index",
        "stats testdata/dtypes/all --hist --per-channel",
        "validate testdata/restore/names/v0 --against testdata/restore/names/v2.meta",
        "validate testdata/restore/objects/v0 --against testdata/restore/objects/v3",
        "inspect testdata/ops/clean/model",
        "inspect testdata/ops/tf1/alone.meta",
        "ops testdata/ops/tf2/at_load",
        "ops testdata/ops/keras/nested.h5",
        "explain missing-shard",
        "explain Key embeding not found in checkpoint --path testdata/saver_v2/sharded_adam",
    ];
    for command in commands {
        let mut process = Command::new(env!("CARGO_BIN_EXE_ckpt"));
        let output = process.args(command.split(' ')).args(["--format", "json"]).envs(ENVIRONMENT).output().unwrap();
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut values = vec![("", &document)];
        while let Some((parent, value)) = values.pop() {
            values.extend(value.as_array().into_iter().flatten().map(|inner| (parent, inner)));
            for (key, inner) in value.as_object().into_iter().flatten() {
                let of_the_user =
                    ["dtypes", "signatures", "inputs", "outputs", "collections", "callables", "named", "ops"]
                        .contains(&parent);
                assert!(of_the_user || page.contains(&format!("`{key}`")), "{command}: `{key}` is not in docs/json.md");
                // What a user named stands for itself only: below it the fields are ours again.
                values.push((if of_the_user { "" } else { key }, inner));
            }
        }
    }
}
