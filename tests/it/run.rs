//! `ckpt run`: what is said before anything runs, and, where a TensorFlow is installed, what comes out.
//!
//! An engine is looked for as the command does it; `CKPT_TENSORFLOW` names one. That outputs are those of
//! `saved_model_cli run` is compared in `python/tests/test_run.py`.
#![cfg(feature = "run")]
#![expect(clippy::print_stdout, reason = "says what was skipped")]

use std::fs;

use serde_json::{Value, json};

use crate::validating::ckpt;

const TF2: &str = "testdata/saved_model/tf2/model";
const GIVEN: [&str; 4] = ["--input", "x=[[1, 2, 3]]", "--input", "word=[\"a\"]"];

/// Status, standard output and standard error of `ckpt run`.
fn run(args: &[&str]) -> (i32, String, String) {
    let output = ckpt(&[&["run"], args].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Whether there is an engine; says so if not.
fn has_engine(test: &str) -> bool {
    let (_, out, _) = run(&[TF2, "--dry-run", "--format", "json"]);
    let plan: Value = serde_json::from_str(&out).unwrap();
    let there = !plan["engine"].is_null();
    if !there {
        println!("{test}: skipped, there is no TensorFlow; CKPT_TENSORFLOW names one");
    }
    there
}

/// The one line of an error, of a command that must end with 2 and print nothing.
fn error(args: &[&str]) -> String {
    let (status, out, err) = run(args);
    assert_eq!((status, out.as_str()), (2, ""), "{args:?}: {err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    err
}

#[test]
fn what_does_not_fit_is_told_before_anything_runs() {
    let with = |more: &[&str]| error(&[&[TF2, "--engine", "none"], more].concat());
    for (args, says) in [
        (&[][..], "no value for inputs word (string (?,)), x (float32 (?, 3))"),
        (&["-i", "x=[[1,2,3]]"], "no value for input word (string (?,))"),
        (&["-i", "X=[[1,2,3]]"], "there is no input 'X'; did you mean x?"),
        (&["-i", "x=[1,2,3]"], "has the shape (3,), and (?, 3) is wanted; for a batch of one"),
        (&["-i", "x=[[1,2]]"], "has the shape (1, 2), and (?, 3) is wanted"),
        (&["-i", "x=[[1,2,\"a\"]]"], "strings and numbers"),
        (&["-i", "x=[[\"1\",\"2\",\"3\"]]"], "it has strings, and float32 is wanted"),
        (&["-i", "word=[1]"], "quote what is a string"),
        (&["-i", "word=a"], "there is no file 'a'"),
        (&["-i", "x=[[1,2,3]]", "-i", "x=[[1,2,3]]"], "input x is given twice"),
        (&["-i", "x=[[1,2,1e39]]"], "1e39 is no float32"),
        (&["--signature", "serving"], "there is no signature 'serving'"),
        (&["--tags", "serv"], "there is no graph tagged 'serv'"),
        (&["--output-name", "Y"], "there is no output 'Y' (testdata"),
        (&["--feed", "x:0=1"], "--feed without --fetch"),
        (&["--fetch", "StatefulPartitionedCal:0"], "did you mean StatefulPartitionedCall"),
        (&["--atol", "1"], "--atol and --rtol are for --compare and --against"),
        (&["-i", "word=[\"a\"]", "-i", "x=[[1,2,3]]"], "--engine none: there is nothing at this path"),
    ] {
        let err = with(args);
        assert!(err.contains(says), "{args:?}: {err}");
    }
    // What is no SavedModel says what could be fed and fetched.
    let frozen = error(&["testdata/ops/tf1/frozen.pb", "--engine", "none"]);
    assert!(frozen.contains("--feed and --fetch; its placeholders are"), "{frozen}");
    let checkpoint = error(&["testdata/saver_v2/plain/model.ckpt-7", "--engine", "none"]);
    assert!(checkpoint.contains("no signature to call") || checkpoint.contains("no graph here"), "{checkpoint}");
}

#[test]
fn arrays_of_another_dtype_are_taken_if_nothing_changes_or_rounding_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let npy = |name: &str, values: [f64; 3]| {
        let header = format!("{:<117}\n", "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3), }");
        let bytes = values.map(f64::to_le_bytes).concat();
        let path = dir.path().join(name);
        fs::write(&path, [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), &bytes].concat()).unwrap();
        format!("x={}", path.display())
    };
    let plan = |value: &str, more: &[&str]| run(&[&[TF2, "--engine", "none", "--dry-run", "-i", value], more].concat());
    let (status, out, err) = plan(&npy("exact.npy", [1.0, 2.0, 0.5]), &[]);
    assert_eq!(status, 0, "{err}");
    assert!(err.contains("made float32 of float64; every value is what it was"), "{err}");
    assert!(out.contains("x float32 (?, 3): float32 1×3 from "), "{out}");
    let inexact = npy("inexact.npy", [0.1, 2.0, 0.5]);
    let (status, _, err) = plan(&inexact, &[]);
    assert_eq!(status, 2);
    assert!(err.contains("it is float64, and float32 is wanted, which 0.1 would be rounded to; --cast"), "{err}");
    let (status, _, err) = plan(&inexact, &["--cast"]);
    assert!(status == 0 && err.contains("some values are rounded"), "{err}");
}

#[test]
fn models_that_can_do_harm_are_refused_unless_that_is_allowed() {
    let model = "testdata/ops/tf2/write";
    let given = ["--input", "x=[1]", "--engine", "none"];
    let with = |more: &[&str]| run(&[&[model], &given[..], more].concat());
    let (status, out, _) = with(&["--dry-run"]);
    assert!(status == 1 && out.contains("op-writes-file ✗ WriteFile"), "{out}");
    let (status, out, _) = with(&["--dry-run", "--allow", "op-writes-file"]);
    assert!(status == 0 && out.contains("nothing was run: this is what would be"), "{out}");
    let (status, out, _) = with(&[]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("op-writes-file ✗") && out.contains("--allow op-writes-file runs it all the same"), "{out}");
    let (status, out, _) = with(&["--format", "json"]);
    let refused: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &refused["refused"], &refused["ran"]), (1, &json!(true), &json!(false)));
    // Another code allows nothing of it, and what is allowed still needs what the model needs.
    assert_eq!(with(&["--allow", "op-reads-file"]).0, 1);
    let (status, out, err) = with(&["--allow", "op-writes-file"]);
    assert!(status == 2 && out.is_empty() && err.contains("restores variables, and there is no variables"), "{err}");
}

#[test]
fn what_is_no_engine_is_one_error() {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("libtensorflow.so.2");
    fs::write(&library, b"not a library").unwrap();
    let err = error(&[&[TF2, "--engine", library.to_str().unwrap()], &GIVEN[..]].concat());
    assert!(err.contains("libtensorflow.so.2 cannot be loaded"), "{err}");
    let err = error(&[&[TF2, "--engine", dir.path().parent().unwrap().to_str().unwrap()], &GIVEN[..]].concat());
    assert!(err.contains("no TensorFlow that can be loaded is there"), "{err}");
}

#[test]
fn a_model_answers_and_its_answer_is_compared() {
    if !has_engine("a_model_answers_and_its_answer_is_compared") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.npz");
    let out = out.to_str().unwrap();
    let with = |more: &[&str]| run(&[&[TF2], &GIVEN[..], more].concat());
    let (status, text, err) = with(&["-o", out]);
    assert_eq!(status, 0, "{err}");
    assert!(text.starts_with("id  int64 1\n[-1]\n\ny  float32 1×3\n[[2.5 3.  3.5]]\n\n"), "{text}");
    assert!(text.contains(&format!("{TF2} answers by serving_default: in ")), "{text}");
    let (status, text, _) = with(&["--format", "json", "--repeat", "3"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    let recorded: Value = serde_json::from_slice(&fs::read("tests/golden/run.json").unwrap()).unwrap();
    assert_eq!((status, &document["outputs"]), (0, &recorded["outputs"]));
    assert_eq!(document["inputs"], recorded["inputs"]);
    assert_eq!(document["seconds"]["runs"].as_array().unwrap().len(), 3);
    assert_eq!(with(&["-o", out]).0, 2, "it is there already");
    assert_eq!(with(&["-o", out, "--force"]).0, 0);
    let (status, text, _) = with(&["--compare", out]);
    assert!(status == 0 && text.contains("same: 2 identical"), "{text}");
    let (status, text, _) = run(&[TF2, "-i", "x=[[1, 2, 4]]", "-i", "word=[\"a\"]", "--compare", out]);
    assert!(status == 1 && text.contains("differ: 1 changed"), "{text}");
    let (status, ..) = run(&[TF2, "-i", "x=[[1, 2, 4]]", "-i", "word=[\"a\"]", "--compare", out, "--atol", "1"]);
    assert_eq!(status, 0);
    let (status, text, _) = with(&["--against", TF2]);
    assert!(status == 0 && text.contains("same: 2 identical"), "{text}");
    // Outputs go in again: any file that is read is a source of values.
    let (status, text, err) = run(&[TF2, "-i", &format!("x={out}:y"), "-i", "word=[\"a\"]", "--output-name", "y"]);
    assert!(status == 0 && text.starts_with("y  float32 1×3\n"), "{text}{err}");
}

#[test]
fn a_graph_of_tensorflow_1_has_its_variables() {
    if !has_engine("a_graph_of_tensorflow_1_has_its_variables") {
        return;
    }
    let model = "testdata/saved_model/tf1/model";
    let (status, text, err) = run(&[model, "--tags", "serve", "-i", "x=[[0,0,0,0,0,0]]", "--format", "json"]);
    assert_eq!(status, 0, "{err}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["outputs"][0]["values"], json!([[0.5, -0.5]]));
}

#[test]
fn an_engine_that_is_stopped_or_refuses_is_one_error() {
    if !has_engine("an_engine_that_is_stopped_or_refuses_is_one_error") {
        return;
    }
    let with = |more: &[&str]| error(&[&[TF2], &GIVEN[..], more].concat());
    let late = with(&["--timeout", "0.01"]);
    assert!(late.contains("had no answer after 0.01 s, and was stopped; --timeout gives it more"), "{late}");
    let small = with(&["--memory", "20M"]);
    assert!(small.contains("memory limited to 20"), "{small}");
}
