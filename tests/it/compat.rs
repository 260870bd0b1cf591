//! `ckpt compat` against what TensorFlow's own programs printed, byte for byte: `testdata/compat/recorded.json`.

use std::path::Path;
use std::process::{Command, Output};

use regex::Regex;
use serde_json::Value;

use crate::support::testdata;

fn recorded(program: &str) -> Vec<(Vec<String>, String, i64)> {
    let text = std::fs::read_to_string(testdata().join("compat/recorded.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let run = |run: &Value| {
        let arguments = run["arguments"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned());
        (arguments.collect(), run["stdout"].as_str().unwrap().to_owned(), run["status"].as_i64().unwrap())
    };
    all[program].as_array().unwrap().iter().map(run).collect()
}

fn ckpt(program: &str, arguments: &[String]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    let command = command.args(["compat", program]).args(arguments);
    let done = command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    (done, text)
}

fn sorted_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// The elements of sets and dictionaries in order: in Python it is another one in each run.
fn with_sorted_sets(text: &str) -> String {
    let set = Regex::new(r"(contains the following ops: \{)([^}]*)(\})").unwrap();
    let sorted = |found: &regex::Captures<'_>| {
        let mut names: Vec<&str> = found[2].split(", ").collect();
        names.sort_unstable();
        format!("{}{}{}", &found[1], names.join(", "), &found[3])
    };
    let text = set.replace_all(text, sorted).into_owned();
    let lines = text.lines().map(|line| {
        let Some(dictionary) = line.trim_start().strip_prefix("Value: {") else { return line.to_owned() };
        let mut characters: Vec<char> = dictionary.chars().collect();
        characters.sort_unstable();
        characters.into_iter().collect()
    });
    lines.collect::<Vec<String>>().join("\n")
}

#[test]
fn inspect_checkpoint_prints_what_it_printed() {
    let runs = recorded("inspect_checkpoint");
    let mut same = 0;
    for (arguments, expected, _) in &runs {
        let (done, found) = ckpt("inspect_checkpoint", arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        let status = done.status.code().unwrap();
        // A path that it does not understand is an error on its standard output, and the end is still 0.
        // An index by itself is read, and has no tensors there.
        if arguments.iter().any(|a| Path::new(a).extension().is_some_and(|extension| extension == "index")) {
            assert_eq!((status, expected.as_str()), (0, "\n# Total number of params: 0\n"));
            continue;
        }
        let is_error = ["Unsuccessful", "Unable to open"].iter().any(|text| expected.starts_with(text));
        if is_error {
            let understood = arguments.iter().any(|a| a.ends_with("sharded_adam"));
            assert!(
                if understood { status == 0 } else { status == 2 && found.is_empty() },
                "{arguments:?}: {status} {said}"
            );
            continue;
        }
        // Of a V1 checkpoint it cannot print everything, and lists it in the order of a hash table.
        if let Some(before) = ["Data type not", "Sliced checkpoints are not"].iter().find_map(|text| {
            let (before, error) = expected.trim_end().rsplit_once('\n')?;
            error.starts_with(text).then_some(before)
        }) {
            assert!(status == 0 && found.starts_with(before), "{arguments:?}\n{found}\n{before}");
            continue;
        }
        let (found, expected) = match arguments.as_slice() {
            [one] if one.contains("saver_v1") => (sorted_lines(&found), sorted_lines(expected)),
            _ => (found, expected.clone()),
        };
        assert!(found == expected, "{arguments:?}\nfound\n{found}\nexpected\n{expected}\n{said}");
        let wanted = if arguments.is_empty() { 2 } else { i32::from(expected.ends_with("not found in checkpoint\n")) };
        assert_eq!(status, wanted, "{arguments:?}");
        same += 1;
    }
    assert!(same >= 20, "{same} of {}", runs.len());
}

#[test]
fn saved_model_cli_prints_what_it_printed() {
    let runs = recorded("saved_model_cli");
    for (arguments, expected, old) in &runs {
        let (done, found) = ckpt("saved_model_cli", arguments);
        let (found, expected) = (with_sorted_sets(&found), with_sorted_sets(expected));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(found == expected, "{arguments:?}\nfound\n{found}\nexpected\n{expected}\n{said}");
        let status = done.status.code().unwrap();
        assert_eq!(status == 0, *old == 0, "{arguments:?}: {status} {said}");
    }
    assert!(runs.len() >= 20);
}

/// More of them, not committed: `CKPT_COMPAT` names a file of the same form, with paths from the root of the repository or
/// absolute ones. All that differ are listed.
#[test]
fn more_runs_print_what_they_printed() {
    let Some(file) = std::env::var_os("CKPT_COMPAT") else { return };
    let all: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let (mut same, mut other) = (0, Vec::new());
    for program in ["inspect_checkpoint", "saved_model_cli"] {
        for run in all[program].as_array().unwrap() {
            let arguments: Vec<String> =
                run["arguments"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect();
            let (_, found) = ckpt(program, &arguments);
            let expected = run["stdout"].as_str().unwrap();
            if with_sorted_sets(&found) == with_sorted_sets(expected) {
                same += 1;
            } else {
                other.push(format!("{program} {}", arguments.join(" ")));
            }
        }
    }
    assert!(other.is_empty(), "{same} are the same, {} are not:\n{}", other.len(), other.join("\n"));
}
