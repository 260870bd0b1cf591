//! Files that are no checkpoints: each told for what it is, under every name, with what to do that works.

use std::fs;
use std::process::Command;

use crate::validating::{Alone, ckpt, ckpt_says, copy, lines, run};

fn case() -> Alone {
    copy("cases/not-checkpoints")
}

/// What `ckpt` says, on both streams.
fn said(args: &[&str]) -> String {
    let output = ckpt(args);
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// The same file under every name that something opens.
fn under_every_name(bytes: &[u8]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let names = ["m.index", "saved_model.pb", "g.pb", "m.meta", "checkpoint", "m.bin"];
    let told = |name: &str| {
        let own = dir.path().join(name.replace('.', "-"));
        fs::create_dir(&own).unwrap();
        let path = own.join(name);
        fs::write(&path, bytes).unwrap();
        said(&["inspect", path.to_str().unwrap()])
    };
    names.iter().map(|name| told(name)).collect()
}

#[test]
fn graphs_and_where_their_weights_are() {
    let dir = case();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let screen = ckpt_says(0, &["inspect", &path("frozen.pb")]);
    assert!(screen.contains("a frozen graph, whose weights are inside"), "{screen}");
    let error = said(&["list", &path("frozen.pb")]);
    assert!(
        error.contains("a frozen graph: its weights are inside, in 2 constants of") && error.contains("it is whole")
    );
    let json = ckpt_says(0, &["inspect", &path("frozen.pb"), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["meta_graphs"][0]["constants"]["nodes"], 2);
    // The same as a SavedModel: no variables, but not nothing.
    let screen = ckpt_says(0, &["inspect", &path("frozen_model")]);
    assert!(screen.contains("no variables") && screen.contains("a frozen graph, whose weights are inside"), "{screen}");
    assert!(run(&dir.path().join("frozen_model")).is_ok());
    for name in ["without_ops.meta", "without_info.pb"] {
        let screen = ckpt_says(0, &["inspect", &path(name)]);
        assert!(screen.contains("graph with its saver (MetaGraphDef)"), "{screen}");
        let error = said(&["list", &path(name)]);
        assert!(error.contains("a MetaGraphDef") && error.contains("it is whole"), "{error}");
    }
    // What was cut is not called whole.
    let whole = fs::read(path("frozen.pb")).unwrap();
    for end in [whole.len() / 2, whole.len() - 1] {
        fs::write(dir.path().join("cut.pb"), &whole[..end]).unwrap();
        let error = said(&["list", &path("cut.pb")]);
        assert!(error.contains("cut off or damaged") && !error.contains("it is whole"), "{error}");
    }
}

#[test]
fn a_graph_under_the_name_of_a_model_hides_no_checkpoint() {
    let dir = case();
    let beside = dir.path().join("beside");
    for name in ["saved_model.pbtxt", "saved_model.pb"] {
        let (screen, note) =
            (ckpt_says(0, &["inspect", beside.to_str().unwrap()]), format!("{name} is no SavedModel but "));
        assert!(screen.contains("name-based checkpoint") && screen.contains(&note), "{screen}");
        let found = run(&beside);
        assert!(found.is_ok() && lines(&found).contains(&note), "{}", lines(&found));
        fs::remove_file(beside.join("saved_model.pbtxt")).ok();
        fs::copy(dir.path().join("frozen.pb"), beside.join("saved_model.pb")).unwrap();
    }
}

#[test]
fn one_file_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("saved_model.pbtxt"), "item {\n  id: 1\n  name: 'cat'\n}\n").unwrap();
    let screen = said(&["inspect", dir.path().to_str().unwrap()]);
    assert_eq!(screen.matches("a label map").count(), 1, "{screen}");
    assert!(!screen.contains("field 'item'"), "{screen}");
    fs::write(dir.path().join("saved_model.pb"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n").unwrap();
    let screen = said(&["inspect", dir.path().to_str().unwrap()]);
    assert!(screen.contains("Git LFS pointer") && !screen.contains("expected ':'"), "{screen}");
}

#[test]
fn what_is_compressed_is_unpacked_by_the_command_that_is_given() {
    let dir = case();
    let prefix = dir.path().join("compressed/model.ckpt");
    let error = said(&["inspect", prefix.to_str().unwrap()]);
    assert!(error.contains("a table of TensorFlow (the index of a checkpoint), gzip-compressed"), "{error}");
    let command = error.split("gunzip it under its own name: ").nth(1).unwrap().trim();
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
    assert!(run(&prefix).is_ok());
    assert!(prefix.with_extension("ckpt.index.gz").is_file(), "the packed one is kept");
    let error = said(&["inspect", prefix.with_extension("ckpt.index.gz").to_str().unwrap()]);
    assert!(error.contains("gzip-compressed") && error.contains("gzip -dc < "), "{error}");
}

#[test]
fn answers_of_servers_are_told_under_every_name() {
    let xml = |code: &str, message: &str| {
        format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>")
    };
    for (text, words) in [
        (xml("NoSuchKey", "The specified key does not exist."), "NoSuchKey"),
        (xml("AccessDenied", "Access denied."), "AccessDenied"),
        (xml("ExpiredToken", "The provided token has expired."), "ExpiredToken"),
        (xml("BlobNotFound", "The specified blob does not exist.\nRequestId:1"), "BlobNotFound"),
        (r#"{"error": {"code": 403, "message": "caller does not have access"}}"#.to_owned(), "403"),
    ] {
        for told in under_every_name(text.as_bytes()) {
            assert!(told.contains(words) && told.contains("in place of the file"), "{words}: {told}");
        }
    }
    // In the place of a shard, too.
    let dir = case();
    let data = dir.path().join("beside/model.ckpt.data-00000-of-00001");
    fs::write(&data, xml("NoSuchKey", "The specified key does not exist.")).unwrap();
    let found = run(&dir.path().join("beside/model.ckpt"));
    assert!(lines(&found).contains("NoSuchKey"), "{}", lines(&found));
}

#[test]
fn other_files_of_training_are_told() {
    let dir = case();
    let told = |name: &str, bytes: Option<&[u8]>| {
        let path = dir.path().join(name);
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).unwrap();
        }
        said(&["inspect", path.to_str().unwrap()])
    };
    assert!(told("events.out.tfevents.1", None).contains("an event file of TensorBoard"));
    assert!(told("examples.tfrecord", None).contains("a TFRecord file"));
    let old = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    assert!(told("model.pth", Some(old)).contains("a PyTorch checkpoint (a pickle"));
    let deep = "node {\n  name: \"a\"\n".repeat(150);
    let screen = told("deep.pbtxt", Some(deep.as_bytes()));
    assert!(screen.contains("nested more than 100 deep at line") && screen.contains("missing }"), "{screen}");
    assert!(!screen.contains("too large"), "{screen}");
    // A directory of nothing else says what it holds.
    let alone = tempfile::tempdir().unwrap();
    fs::write(alone.path().join("m.tflite"), b"\x1c\0\0\0TFL3\0\0\0\0").unwrap();
    let error = said(&["inspect", alone.path().to_str().unwrap()]);
    assert!(error.contains("m.tflite (a TensorFlow Lite model"), "{error}");
}
