//! The gate before a push to TensorFlow Serving, the model around a prefix, and what only V1 checkpoints have wrong.

use std::fs;
use std::path::Path;

use ckpt::analysis::{Code, Severity, ValidateOptions, Validation};
use ckpt_synth::v1::{V1Builder, Values};
use ckpt_synth::{Msg, dtype};

use crate::validating::{Alone, ckpt_says, codes, copy, edit, errors, lines, only, options, run, try_run};

/// What the gate says of a directory.
fn gate(path: &Path) -> Validation {
    let options = ValidateOptions { serving: true, ..options() };
    try_run(path, &options).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Versions 1 and 17 of a sound model, a text file and an unfinished export under a name that is no number.
fn base() -> Alone {
    copy("serving/base/served")
}

/// One version, `1`, in text form, with its graph changed.
fn edited(change: impl FnOnce(String) -> String) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let model = copy("saved_model/pbtxt/model");
    fs::rename(model.path(), dir.path().join("1")).unwrap();
    fs::create_dir(model.path()).unwrap();
    let file = dir.path().join("1/saved_model.pbtxt");
    let text = fs::read_to_string(&file).unwrap();
    let changed = change(text.clone());
    fs::write(&file, changed).unwrap();
    dir
}

#[test]
fn sound_versions_pass_the_gate() {
    let found = gate(base().path());
    assert!(found.findings.is_empty() && found.is_ok(), "{}", lines(&found));
    assert_eq!(found.checked.checkpoints, 2);
    assert!(gate(edited(|text| text).path()).findings.is_empty());
    for model in ["tf1", "tf2", "no_variables", "no_variables_tf1", "keras3_export"] {
        let model_dir = copy(&format!("saved_model/{model}/model"));
        let dir = tempfile::tempdir().unwrap();
        fs::rename(model_dir.path(), dir.path().join("3")).unwrap();
        fs::create_dir(model_dir.path()).unwrap();
        let found = gate(dir.path());
        assert!(errors(&found).is_empty(), "{model}\n{}", lines(&found));
    }
}

// A server finds no version in a model, whatever can be opened there.
#[test]
fn a_path_that_is_a_model_itself() {
    let dir = base();
    let found = gate(&dir.path().join("17"));
    only(&found, Code::NoVersion, &["this is version 17 itself", "give the directory above it"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    let dir = copy("saved_model/tf2/model");
    let found = gate(dir.path());
    let finding = only(&found, Code::NoVersion, &["the model lies in the base path itself", "mkdir "]);
    let commands = finding.help.as_ref().unwrap().split("version: ").nth(1).unwrap();
    assert!(std::process::Command::new("sh").args(["-c", commands]).status().unwrap().success(), "{commands}");
    assert!(errors(&gate(dir.path())).is_empty(), "{}", lines(&gate(dir.path())));
}

#[test]
fn names_that_are_no_numbers_and_directories_above() {
    let dir = base();
    for (from, to) in [("1", "0.1"), ("17", "v2")] {
        fs::rename(dir.path().join(from), dir.path().join(to)).unwrap();
    }
    only(&gate(dir.path()), Code::NoVersion, &["0.1, v2 would be, but for the name", "rename it: mv "]);
    let above = tempfile::tempdir().unwrap();
    fs::rename(base().path(), above.path().join("served")).unwrap();
    only(&gate(above.path()), Code::NoVersion, &["one level deeper; give ", "served"]);
    let far = tempfile::tempdir().unwrap();
    fs::create_dir_all(far.path().join("models/prod")).unwrap();
    fs::rename(base().path(), far.path().join("models/prod/net")).unwrap();
    only(&gate(far.path()), Code::NoVersion, &["3 levels deeper; give ", "models/prod/net"]);
    let error = try_run(&far.path().join("nothing"), &ValidateOptions { serving: true, ..options() }).unwrap_err();
    assert!(error.help().unwrap().contains("the versions of a model"), "{error}");
}

#[test]
fn entries_that_serving_takes_for_versions() {
    let dir = base();
    fs::write(dir.path().join("20240131"), "notes").unwrap();
    let found = gate(dir.path());
    only(&found, Code::StrayVersion, &["20240131 is a file", "takes it for version 20240131"]);
    assert_eq!(codes(&found), ["stray-version"]);
    assert_eq!(codes(&run(dir.path())), ["stray-version"], "without the gate too: it is what would be loaded");

    let dir = base();
    fs::create_dir(dir.path().join("18")).unwrap();
    only(&gate(dir.path()), Code::StrayVersion, &["18 is no SavedModel"]);
    fs::write(dir.path().join("18/export.meta"), "").unwrap();
    only(&gate(dir.path()), Code::StrayVersion, &["Session Bundle"]);

    let dir = base();
    fs::write(dir.path().join("17/export.meta"), "").unwrap();
    only(&gate(dir.path()), Code::StrayVersion, &["export.meta lies beside the SavedModel"]);

    let dir = base();
    fs::rename(dir.path().join("1"), dir.path().join("017")).unwrap();
    only(&gate(dir.path()), Code::DuplicateVersion, &["017 is version 17 too", "takes 17"]);
}

#[test]
fn a_directory_without_versions() {
    let dir = base();
    for name in ["1", "17"] {
        fs::rename(dir.path().join(name), dir.path().join(format!("v{name}"))).unwrap();
    }
    only(&gate(dir.path()), Code::NoVersion, &["finds no version here"]);
    only(&gate(copy("model_dir/estimator").path()), Code::NoVersion, &[]);
    assert!(try_run(dir.path(), &options()).is_err(), "without the gate this is no directory of checkpoints");
}

#[test]
fn a_path_that_is_no_directory() {
    let dir = copy("saver_v2/plain");
    let found = gate(&dir.path().join("model.ckpt-7"));
    only(&found, Code::NoVersion, &["TensorFlow Serving loads SavedModels, and this is a checkpoint without one"]);
    assert!(found.findings.iter().all(|f| !f.help.as_deref().unwrap_or_default().contains("deeper")));
    // Variables with their model around them are one.
    let dir = base();
    for name in ["saved_model.pb", "variables/variables.index", "variables/variables"] {
        assert_eq!(codes(&gate(&dir.path().join("17").join(name))), [""; 0], "{name}");
    }
}

#[test]
fn copies_that_are_not_complete() {
    let dir = base();
    fs::remove_file(dir.path().join("17/variables/variables.data-00000-of-00001")).unwrap();
    assert_eq!(codes(&gate(dir.path())), ["missing-shard"]);

    let dir = base();
    fs::remove_dir_all(dir.path().join("17/variables")).unwrap();
    let found = gate(dir.path());
    only(&found, Code::MissingVariables, &["the graph restores variables"]);
    // What the fingerprint would say of it is no news then. Without the gate it is told as well.
    assert_eq!(codes(&found), ["missing-variables"]);
    assert_eq!(codes(&run(&dir.path().join("17"))), ["missing-variables"]);

    // The shards alone: there was an error instead of a finding.
    let dir = base();
    fs::remove_file(dir.path().join("17/variables/variables.index")).unwrap();
    let model = dir.path().join("17");
    for found in [gate(dir.path()), run(&model), run(&model.join("saved_model.pb"))] {
        only(&found, Code::MissingVariables, &["the shards of the variables are there, but variables.index"]);
        assert_eq!(codes(&found), ["missing-variables"]);
    }

    let dir = base();
    fs::remove_file(dir.path().join("17/saved_model.pb")).unwrap();
    assert_eq!(codes(&gate(dir.path())), ["bad-saved-model"]);

    let dir = base();
    fs::remove_file(dir.path().join("17/assets/vocab.txt")).unwrap();
    assert_eq!(codes(&gate(dir.path())), ["missing-asset"]);

    let dir = base();
    let other = copy("saved_model/tf2/model");
    for name in ["variables.index", "variables.data-00000-of-00001"] {
        fs::copy(other.path().join("variables").join(name), dir.path().join("17/variables").join(name)).unwrap();
    }
    assert_eq!(codes(&gate(dir.path())), ["fingerprint-mismatch"]);
}

#[test]
fn tags_and_signatures() {
    let dir = edited(|text| text.replace("tags: \"serve\"", "tags: \"serve\" tags: \"gpu\""));
    only(&gate(dir.path()), Code::NoServeTag, &["no graph is tagged exactly {serve}; there is {serve, gpu}"]);
    assert!(run(dir.path()).findings.is_empty(), "only the gate asks");

    let dir = edited(|text| text.replace("key: \"serving_default\"", "key: \"predict\""));
    only(&gate(dir.path()), Code::NoDefaultSignature, &["there is predict"]);

    let dir = edited(|text| text.replace("tensorflow/serving/predict", "tensorflow/serving/classify"));
    let found = gate(dir.path());
    assert!(found.is_ok() && codes(&found) == ["signature-convention"], "{}", lines(&found));
    assert!(found.findings.iter().any(|f| f.code == Code::SignatureConvention && f.message.contains("`classes`")));
}

// The prefix inside a SavedModel used to be checked as if nothing were around it.
#[test]
fn a_prefix_inside_a_saved_model_is_checked_with_the_model() {
    let dir = copy("saved_model/tf2/model");
    let prefix = dir.path().join("variables/variables");
    assert!(run(&prefix).findings.is_empty());
    fs::remove_file(dir.path().join("assets/vocab.txt")).unwrap();
    edit(&dir.path().join("fingerprint.pb"), |bytes| {
        // Another hash of the checkpoint: field 5, a varint.
        let at = bytes.iter().position(|byte| *byte == 0x28).unwrap();
        bytes[at + 1] ^= 1;
    });
    assert_eq!(codes(&run(&prefix)), ["fingerprint-mismatch", "missing-asset"]);
}

fn v1(builder: V1Builder) -> (tempfile::TempDir, Validation) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.ckpt");
    builder.finish().write(&path).unwrap();
    let found = run(&path);
    (dir, found)
}

#[test]
fn what_only_a_v1_checkpoint_has_wrong() {
    let one = |name: &str| V1Builder::new().tensor(name, dtype::FLOAT, &[], Values::Float(vec![1.0]));
    assert!(v1(one("a")).1.findings.is_empty());

    let (_dir, found) = v1(V1Builder::new()
        .unsorted()
        .tensor("b", dtype::FLOAT, &[], Values::Float(vec![1.0]))
        .tensor("a", dtype::FLOAT, &[], Values::Float(vec![2.0])));
    only(&found, Code::KeysOutOfOrder, &[]);

    let (_dir, found) = v1(V1Builder::new().tensor("a", dtype::BFLOAT16, &[], Values::Half(vec![0x3f80])));
    let doubt = found.findings.iter().find(|finding| finding.code == Code::BadDType).unwrap();
    assert_eq!(doubt.severity, Severity::Warning, "{}", lines(&found));
    assert!(doubt.message.contains("no place for bfloat16"));

    let scalar = Msg::new();
    let data = Msg::new().string(1, "other").msg(2, scalar.clone()).msg(3, Values::Float(vec![1.0]).proto());
    let meta = Msg::new().string(1, "x").msg(2, scalar.clone()).int_unless_zero(3, 1).msg(4, scalar);
    let meta = Msg::new().msg(1, Msg::new().msg(1, meta)).build();
    let key = ckpt_synth::ordered_code::slice_key("x", &[]);
    let builder = V1Builder::new().meta(meta).raw_entry(key, Msg::new().msg(2, data).build());
    let (_dir, found) = v1(builder);
    assert!(found.is_ok(), "{}", lines(&found));
    let doubt = found.findings.iter().find(|finding| finding.code == Code::SliceDisagrees).unwrap();
    assert_eq!(doubt.tensor.as_deref(), Some(&b"other"[..]));
}

// What is in a directory that a server takes for a version decides what to do with it.
#[test]
fn versions_that_are_no_models_are_told_by_what_is_in_them() {
    let dir = copy("saved_model/tf2/model");
    let base = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("7")).unwrap();
    fs::rename(dir.path(), base.path().join("7/export")).unwrap();
    fs::create_dir(dir.path()).unwrap();
    let found = gate(base.path());
    let finding = only(&found, Code::StrayVersion, &["one level deeper; move it up: mv "]);
    let commands = finding.help.as_ref().unwrap().split("move it up: ").nth(1).unwrap();
    assert!(std::process::Command::new("sh").args(["-c", commands]).status().unwrap().success(), "{commands}");
    assert!(errors(&gate(base.path())).is_empty(), "{}", lines(&gate(base.path())));

    let base = tempfile::tempdir().unwrap();
    let dir = copy("object_graph/keras3");
    fs::rename(dir.path(), base.path().join("1")).unwrap();
    fs::create_dir(dir.path()).unwrap();
    only(&gate(base.path()), Code::StrayVersion, &["checkpoints lie in it", "export a SavedModel"]);
    let screen = ckpt_says(1, &["validate", "--serving", base.path().to_str().unwrap()]);
    assert!(screen.contains("can NOT be served") && !screen.contains("files intact"), "{screen}");
}

#[test]
fn a_file_without_a_graph_is_one_finding() {
    let dir = copy("saved_model/tf2/model");
    let base = tempfile::tempdir().unwrap();
    fs::rename(dir.path(), base.path().join("7")).unwrap();
    fs::create_dir(dir.path()).unwrap();
    fs::write(base.path().join("7/saved_model.pb"), b"").unwrap();
    let found = gate(base.path());
    only(&found, Code::BadSavedModel, &["version 7: ", "no graph in this file"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
}

// A binary file that was taken for text is not cut: fetching it again the same way gives the same.
#[test]
fn graphs_that_were_taken_for_text_are_told_so() {
    let dir = copy("saved_model/tf2/model");
    let file = dir.path().join("saved_model.pb");
    let bytes = fs::read(&file).unwrap();
    let latin: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let feeds = bytes.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] });
    for (changed, words) in [
        (String::from_utf8_lossy(&bytes).into_owned().into_bytes(), "read as text and written again"),
        (latin.into_bytes(), "Latin-1"),
        (feeds.collect(), "carriage return"),
        (br#"{"message": "Not Found", "status": "404"}"#.to_vec(), "JSON text"),
    ] {
        fs::write(&file, changed).unwrap();
        only(&run(dir.path()), Code::BadSavedModel, &["not a SavedModel", words]);
    }
}
