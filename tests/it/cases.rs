//! What people bring: small inputs rebuilt after public reports (`testdata/cases`), and what must be said of each.
//! As a kind of fault is understood, its case gets its answer here; other examples of the kind stand in the other tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ckpt::analysis::{Code, Severity};
use tempfile::TempDir;

use crate::validating::{copy, errors, lines, only, run, tensors};

/// A case in a directory of its own.
fn case(name: &str) -> (TempDir, PathBuf) {
    let dir = copy(&format!("cases/{name}"));
    let path = dir.path().to_path_buf();
    (dir, path)
}

fn touch(path: &Path, ago: u64) {
    let time = SystemTime::now() - Duration::from_secs(ago);
    fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

// Every rank saved into one directory: the index of one, the data of another. Biases and the step are alike.
#[test]
fn two_writers_under_one_name() {
    let (_dir, path) = case("32-two-writers");
    let found = run(&path.join("shared"));
    only(&found, Code::MispairedData, &["can differ between two saves", "different saves"]);
    assert_eq!(tensors(&found, Code::MispairedData), ["b", "w"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    assert!(!lines(&found).contains("can be used"), "{}", lines(&found));
}

#[test]
fn an_object_based_pair_of_two_saves() {
    let (_dir, path) = case("40-mispaired-tf2");
    let found = run(&path.join("run/ckpt-1"));
    let words =
        ["all 9 tensors that differ have the checksums in ckpt-2.index", "the index of this data is ckpt-2.index"];
    only(&found, Code::MispairedData, &words);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    assert_eq!((found.checked.tensors, found.checked.verified), (11, 2));
}

// The rename was refused (a virus scanner, another writer): the newest save lies in `weights_temp`.
#[test]
fn a_whole_save_that_was_not_renamed() {
    let (_dir, path) = case("31-rename-denied");
    let a = path.join("a");
    touch(&a.join("weights.index"), 1000);
    let found = run(&a);
    let words = ["weights_temp holds a save that is intact (2 tensors)", "newer than", "do not delete it", "mv "];
    let finding = only(&found, Code::InterruptedSave, &words);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(!lines(&found).contains("delete it when"), "{}", lines(&found));
    // What it says to do works.
    let commands = finding.help.as_ref().unwrap().split("then: ").nth(1).unwrap();
    assert!(std::process::Command::new("sh").args(["-c", commands]).status().unwrap().success());
    assert!(run(&a).findings.is_empty() || run(&a).is_ok());
}

#[test]
fn the_missing_shard_lies_in_a_leftover() {
    let (_dir, path) = case("15-prefix-named-checkpoint");
    let found = run(&path.join("half"));
    let words = ["its data is there as checkpoint_temp/part-00000-of-00001.data-00000-of-00001", "rename it: mv "];
    let finding = only(&found, Code::MissingShard, &words);
    assert_eq!(found.findings.len(), 1, "{}", lines(&found));
    let command = finding.help.as_ref().unwrap().strip_prefix("rename it: ").unwrap();
    assert!(std::process::Command::new("sh").args(["-c", command]).status().unwrap().success());
    assert!(run(&path.join("half")).is_ok());
}

#[test]
fn a_shard_under_another_name_is_found_by_its_checksums() {
    for (dir, name) in
        [("browser", "model.ckpt (1).data-00000-of-00001"), ("txt", "model.ckpt.data-00000-of-00001.txt")]
    {
        let (_dir, path) = case("28-data-only-and-renamed");
        let path = path.join(dir);
        let found = run(&path);
        let finding = only(&found, Code::MissingShard, &[name, "checksum", "rename it: mv "]);
        let command = finding.help.as_ref().unwrap().strip_prefix("rename it: ").unwrap();
        assert!(std::process::Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
        assert!(run(&path).findings.is_empty(), "{}", lines(&run(&path)));
    }
}
