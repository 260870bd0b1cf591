//! `ckpt.toml` followed by the command: found upwards, above it the options, and what it allows is told everywhere.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ckpt_synth::BundleBuilder;
use serde_json::Value;
use tempfile::TempDir;

use crate::validating::{data_of, edit};

/// A project: `models/base-1`, and `models/new-2`, in which one tensor changed and another one has a flipped bit.
fn project(policy: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("models/deep")).unwrap();
    let save = |name: &str, head: f32| {
        let bundle = BundleBuilder::new().floats("body/w", &[2], &[1.0, 2.0]).floats("head/w", &[2], &[head, 2.0]);
        let prefix = dir.path().join("models").join(name);
        bundle.floats("tail", &[3], &[1.0, 2.0, 3.0]).finish().write(&prefix).unwrap();
        prefix
    };
    save("base-1", 5.0);
    let new = save("new-2", 6.0);
    edit(&data_of(&new), |bytes| bytes[17] ^= 4);
    fs::write(dir.path().join("ckpt.toml"), policy).unwrap();
    dir
}

fn run(dir: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.current_dir(dir).args(line.split(' ')).output().unwrap()
}

/// Standard output of a command that ends with this status.
fn says(dir: &Path, status: i32, line: &str) -> String {
    let output = run(dir, line);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{line}\n{out}\n{err}");
    out.into_owned()
}

fn json(dir: &Path, status: i32, line: &str) -> Value {
    serde_json::from_str(&says(dir, status, &format!("{line} --format json"))).unwrap()
}

fn codes(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|finding| finding["code"].as_str().unwrap()).collect()
}

const ALLOWED: &str =
    "[[rule]]\nallow = 'single-bit-flip'\ntensors = 'tail'\npaths = 'models/new-*'\nreason = 'known'\n";

#[test]
fn it_is_found_upwards_and_options_stand_above_it() {
    let dir = project(ALLOWED);
    for (below, path) in [("", "models/new-2"), ("models", "new-2"), ("models/deep", "../new-2")] {
        let here = dir.path().join(below);
        let told = says(&here, 0, &format!("validate {path}"));
        let up = ["", "../", "../../"][below.split('/').filter(|part| !part.is_empty()).count()];
        assert!(told.contains(&format!("1 finding allowed by {up}ckpt.toml")), "{told}");
        assert!(told.contains("NOT intact, which is allowed"), "nothing is intact that is not: {told}");
        says(&here, 1, &format!("validate {path} --no-config"));
        says(&here, 1, &format!("validate {path} --deny single-bit-flip"));
    }
    // The nearest one is followed, and the one that is named above it.
    fs::write(dir.path().join("models/ckpt.toml"), "").unwrap();
    says(&dir.path().join("models"), 1, "validate new-2");
    says(&dir.path().join("models"), 0, "validate new-2 --config ../ckpt.toml");
    says(dir.path(), 0, "validate models/new-2");
    // An empty one says nothing.
    assert!(says(&dir.path().join("models"), 0, "validate base-1").starts_with("base-1: intact"));
    let missing = run(dir.path(), "validate models/base-1 --config no-such.toml");
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(2), 0));
}

#[test]
fn what_is_allowed_is_told_in_every_format() {
    let dir = project(ALLOWED);
    let value = json(dir.path(), 0, "validate models/new-2");
    assert_eq!(
        (&value["ok"], codes(&value["findings"]), codes(&value["allowed"])),
        (&true.into(), vec![], vec!["single-bit-flip"])
    );
    let rule = &value["allowed"][0]["rule"];
    assert_eq!(
        (&rule["level"], &rule["was"], &rule["file"], &rule["line"]),
        (&"allow".into(), &"error".into(), &"ckpt.toml".into(), &1.into())
    );
    assert_eq!((&rule["reason"], &rule["until"]), (&"known".into(), &Value::Null));
    assert_eq!(value["policy"]["file"], "ckpt.toml");
    let sarif = json_of(&says(dir.path(), 0, "validate models/new-2 --format sarif"));
    let suppression = &sarif["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!(
        (&suppression["kind"], &suppression["justification"]),
        (&"external".into(), &"ckpt.toml:1: known".into())
    );
    let junit = says(dir.path(), 0, "validate models/new-2 --format junit");
    assert!(junit.contains("<skipped message=\"allowed by ckpt.toml:1: known\""), "{junit}");
    assert!(!junit.contains("intact"), "{junit}");
    let github = says(dir.path(), 0, "validate models/new-2 --format github");
    assert_eq!(github, "ckpt: ok, 2 of 3 tensors verified, 1 finding allowed by ckpt.toml\n");
    // Another tensor, another checkpoint: not allowed.
    edit(&data_of(&dir.path().join("models/base-1")), |bytes| bytes[17] ^= 4);
    assert_eq!(codes(&json(dir.path(), 1, "validate models/base-1")["findings"]), ["single-bit-flip"]);
    edit(&data_of(&dir.path().join("models/new-2")), |bytes| bytes[1] ^= 4);
    assert_eq!(json(dir.path(), 1, "validate models/new-2")["findings"].as_array().unwrap().len(), 1);
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn selectors_of_rules_may_ask_for_more_than_names() {
    for (tensors, status) in [
        ("'size:12'", 0),
        ("'size:>12'", 1),
        ("['dtype:float32', '!body/**']", 0),
        ("'dtype:int8'", 1),
        ("'role:weight'", 0),
    ] {
        let dir = project(&format!("[[rule]]\nallow = 'single-bit-flip'\ntensors = {tensors}\nreason = 'r'"));
        says(dir.path(), status, "validate models/new-2");
    }
}

#[test]
fn ops_follow_it_too_and_what_could_not_be_seen_is_never_allowed() {
    let model = format!("{}/testdata/ops/tf2/at_load", env!("CARGO_MANIFEST_DIR"));
    let dir = project("[[rule]]\nallow = 'op-writes-file'\nreason = 'its log'\nuntil = 9999-12-31");
    let value = json(dir.path(), 0, &format!("ops {model}"));
    assert_eq!((codes(&value["findings"]), codes(&value["allowed"])), (vec![], vec!["op-writes-file"]));
    let told = says(dir.path(), 0, &format!("ops {model}"));
    assert!(told.contains("allowed: 1 × op-writes-file by ckpt.toml:1 until 9999-12-31: its log"), "{told}");
    assert!(told.contains("nothing found but what is allowed; 1 finding allowed by ckpt.toml"), "{told}");
    let dir = project("[[rule]]\nallow = 'op-writes-file'\nreason = 'its log'\nuntil = 2001-01-01");
    let value = json(dir.path(), 1, &format!("ops {model}"));
    assert_eq!(codes(&value["findings"]), ["op-writes-file", "policy-expired"]);
    assert_eq!(value["findings"][1]["file"], "ckpt.toml");
}

#[test]
fn expectations_are_held_against_each_checkpoint() {
    let expect = |lines: &str| project(&format!("[[expect]]\npaths = 'models/*-1'\n{lines}"));
    for (lines, code) in [
        ("present = ['body/w', 'tail']", None),
        ("present = ['body', 'tial']", Some("expect-present")),
        ("present = 'role:slot'", Some("expect-present")),
        ("absent = ['nothing', 'role:slot']", None),
        ("absent = '**/w'", Some("expect-absent")),
        ("max-bytes = 28", None),
        ("max-bytes = '27 B'", Some("expect-budget")),
        ("max-parameters = 7", None),
        ("max-parameters = 6", Some("expect-budget")),
        ("max-parameters = 3\ntensors = 'tail'", None),
        ("max-parameters = 2\ntensors = 'tail'", Some("expect-budget")),
        ("max-parameters = 2\ntensors = 'tial'", Some("expect-present")),
        ("dtypes = ['float32', 'int64']", None),
        ("dtypes = 'int64'", Some("expect-dtype")),
        ("dtypes = 'bfloat16'\ntensors = '**/w'", Some("expect-dtype")),
    ] {
        let dir = expect(lines);
        let value = json(dir.path(), i32::from(code.is_some()), "validate models/base-1");
        assert_eq!(codes(&value["findings"]), code.into_iter().collect::<Vec<_>>(), "{lines}");
        let broken = u64::from(code.is_some());
        assert_eq!(value["policy"]["broken"], broken, "{lines}");
        // It is about others.
        let other = json(dir.path(), 1, "validate models/new-2");
        assert_eq!((codes(&other["findings"]), &other["policy"]["expectations"]), (vec!["single-bit-flip"], &0.into()));
        // The index alone is enough.
        says(dir.path(), i32::from(code.is_some()), "validate models/base-1 --quick");
    }
    // Files may be whole and yet not what is expected, and the other way round.
    let dir = expect("absent = 'tail'");
    let told = says(dir.path(), 1, "validate models/base-1");
    assert!(told.contains("models/base-1: intact · NOT as ckpt.toml expects (1 of 1)"), "{told}");
    let dir = project("[expect]\npresent = 'tail'");
    let told = says(dir.path(), 1, "validate models/new-2");
    assert!(told.contains("models/new-2: NOT intact · as ckpt.toml expects (1)"), "{told}");
}

#[test]
fn frozen_and_changed_tensors_are_compared_with_the_base() {
    let with = |lines: &str| project(&format!("[expect]\npaths = 'models/new-2'\n{lines}"));
    for (lines, code) in [
        ("base = 'models/base-1'\nfrozen = 'body/**'\nchanged = 'head/**'", None),
        ("base = 'models/base-1'\nfrozen = ['**', '!head/w']", None),
        ("base = 'models/base-1'\nfrozen = 'head/**'", Some("expect-frozen")),
        ("base = 'models/base-1'\nchanged = ['head/**', 'body/**']", Some("expect-changed")),
        ("base = 'models/base-1'\nfrozen = 'no/such'", Some("expect-frozen")),
        ("base = 'models/no-such'\nfrozen = 'body/**'", Some("expect-undecided")),
    ] {
        let dir = with(lines);
        let value = json(dir.path(), 1, "validate models/new-2");
        let own: Vec<&str> = codes(&value["findings"]).into_iter().filter(|code| *code != "single-bit-flip").collect();
        assert_eq!(own, code.into_iter().collect::<Vec<_>>(), "{lines}");
    }
    // Without a base in the file, the one of the command, or none and a word about it.
    let dir = with("frozen = 'body/**'");
    let none = run(dir.path(), "validate models/new-2");
    assert!(String::from_utf8_lossy(&none.stderr).contains("not looked at without --base"), "{none:?}");
    assert_eq!(json(dir.path(), 1, "validate models/new-2 --base models/base-1")["policy"]["expectations"], 1);
    // A comparison expects the same, of its second side.
    let value = json(dir.path(), 1, "diff models/base-1 models/new-2 --index-only");
    let [only] = value["expectations"].as_array().unwrap().as_slice() else { panic!("{value}") };
    assert_eq!((&only["by"], &only["expected"], &only["holds"]), (&"ckpt.toml:3".into(), &"same".into(), &true.into()));
    let value = json(dir.path(), 1, "diff models/new-2 models/base-1 --index-only");
    assert_eq!(value["expectations"].as_array().map(Vec::len), Some(0));
}

#[test]
fn the_configuration_is_shown_without_a_path() {
    let dir = project("[[rule]]\ndeny = 'non-finite'\nuntil = 2001-01-01\n[expect]\nabsent = '**/Adam*'\n");
    for command in ["validate", "ops", "diff"] {
        let told = says(dir.path(), 0, &format!("{command} --show-config"));
        assert!(told.contains("EXPIRED, held until 2001-01-01") && told.contains("5  absent  '**/Adam*'"), "{told}");
        let value = json(dir.path(), 0, &format!("{command} --show-config"));
        assert_eq!((&value["kind"], &value["rules"][0]["expired"]), (&"config".into(), &true.into()));
    }
    let told = says(&std::env::temp_dir(), 0, "validate --show-config");
    assert!(told.starts_with("no ckpt.toml"), "{told}");
    fs::write(dir.path().join("ckpt.toml"), "[[rule]]\ndeny = 'x'").unwrap();
    assert_eq!(run(dir.path(), "validate --show-config").status.code(), Some(2));
    // Commands that do not follow it do not read it.
    says(dir.path(), 0, "list models/base-1");
    says(dir.path(), 0, "validate models/base-1 --no-config");
}

/// What the page shows is followed as it stands there.
#[test]
fn the_examples_of_the_page_are_policies() {
    let page = fs::read_to_string("docs/policy.md").unwrap();
    let examples: Vec<&str> = page.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert_eq!(examples.len(), 2);
    for (example, rules, expectations) in [(examples[0], 2, 7), (examples[1], 0, 4)] {
        let dir = project(example);
        let value = json(dir.path(), 0, "validate --show-config");
        let count = |what: &str| value[what].as_array().unwrap().len();
        assert_eq!((count("rules"), count("expectations")), (rules, expectations));
    }
    // Every key that the program knows stands on the page, and every code.
    for word in ["deny", "warn", "allow", "tensors", "paths", "reason", "until", "present", "absent", "max-bytes"] {
        assert!(page.contains(&format!("| `{word}` |")), "{word}");
    }
    for word in ["max-parameters", "dtypes", "frozen", "changed", "base"] {
        assert!(page.contains(&format!("| `{word}` |")), "{word}");
    }
    for code in ckpt::analysis::Code::ALL.iter().filter(|code| code.is_of_policy() && code.name() != "expect-undecided")
    {
        assert!(page.contains(code.name()), "{}", code.name());
    }
}
