//! Commands that write, where they cannot: a disk that is full, a directory in which nothing can be made, a directory
//! or a file in the way, a standard output that takes nothing. Each ends with status 2 and one error that says where;
//! what stood there stands there still, byte for byte, and nothing that is half written stays.
//!
//! Kills at every moment are in `convert_replace` and `recovering`; `run -o` writes as `print --image` does.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::testdata;

/// A command that writes: what stands before the path, the name in the directory, what stands behind.
type Writer = (&'static [&'static str], &'static str, &'static [&'static str]);

/// INPUT is the checkpoint.
const WRITERS: [Writer; 9] = [
    (&["report", "INPUT", "-o"], "page.html", &["--force"]),
    (&["print", "INPUT", "dense/kernel", "--force", "--image"], "kernel.png", &[]),
    (&["convert", "INPUT", "--force", "-o"], "model", &["--state-file", "--shards", "2"]),
    (&["convert", "INPUT", "--force", "-o"], "arrays.npz", &[]),
    (&["convert", "INPUT", "global_step", "--force", "-o"], "step.npy", &[]),
    (&["convert", "INPUT", "--force", "-o"], "one.safetensors", &[]),
    (&["convert", "INPUT", "--force", "-o"], "set.safetensors", &["--shard-size", "500"]),
    (&["recover", "INPUT", "--force", "-o"], "mended", &["--state-file"]),
    (&["man"], "", &[]),
];

fn arguments(writer: &Writer, input: &Path, dir: &Path) -> Vec<OsString> {
    let (before, name, behind) = writer;
    let word = |word: &&str| if *word == "INPUT" { input.into() } else { OsString::from(word) };
    let path = if name.is_empty() { dir.to_path_buf() } else { dir.join(name) };
    before.iter().map(word).chain([path.into_os_string()]).chain(behind.iter().map(word)).collect()
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn ckpt(arguments: &[OsString]) -> (Option<i32>, String) {
    said(&Command::new(env!("CARGO_BIN_EXE_ckpt")).args(arguments).stdin(Stdio::null()).output().unwrap())
}

/// As on a disk with room for so many blocks in a file.
fn with_blocks(blocks: u32, arguments: &[OsString]) -> (Option<i32>, String) {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    said(&shell.args(["-c", &script, env!("CARGO_BIN_EXE_ckpt")]).args(arguments).output().unwrap())
}

/// Everything below a directory, hidden or not; folders have no bytes.
fn all(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all(&path));
            found.insert(path, None);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, Some(bytes));
        }
    }
    found
}

/// One error that names the place.
fn one_error(what: &[OsString], (status, errors): &(Option<i32>, String), place: &Path) {
    assert_eq!(*status, Some(2), "{what:?}: {errors}");
    assert_eq!(errors.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{what:?}: {errors}");
    let flat = errors.replace("\n  ", "").replace('\n', "");
    assert!(flat.contains(place.to_str().unwrap()), "{what:?} does not name {}: {errors}", place.display());
}

/// Two checkpoints, of which one is written over the other.
fn inputs() -> (PathBuf, PathBuf) {
    let at = |name: &str| testdata().join("saver_v2/sharded_adam").join(name);
    (at("model.ckpt-0"), at("model.ckpt-200"))
}

#[test]
fn a_disk_that_is_full_leaves_what_stood_there_and_nothing_else() {
    let (old, new) = inputs();
    for writer in &WRITERS {
        let dir = tempfile::tempdir().unwrap();
        let first = arguments(writer, &old, dir.path());
        let empty = with_blocks(0, &first);
        one_error(&first, &empty, dir.path());
        assert!(empty.1.contains("cannot write: File too large"), "{first:?}: {}", empty.1);
        assert!(all(dir.path()).is_empty(), "{first:?}: {:?}", all(dir.path()).keys());
        let done = ckpt(&first);
        assert!(matches!(done.0, Some(0 | 1)), "{first:?}: {}", done.1);
        let stood = all(dir.path());
        assert!(!stood.is_empty());
        let over = arguments(writer, &new, dir.path());
        for blocks in [0, 1, 2, 8, 40] {
            let (status, errors) = with_blocks(blocks, &over);
            if status == Some(2) {
                one_error(&over, &(status, errors), dir.path());
                assert!(all(dir.path()) == stood, "{over:?} with {blocks} blocks");
            } else {
                // There was room for each file: then all of it stands there, under the same names.
                assert!(matches!(status, Some(0 | 1)) && blocks > 0, "{over:?} with {blocks} blocks: {errors}");
                assert!(all(dir.path()).keys().eq(stood.keys()), "{over:?}: {:?}", all(dir.path()).keys());
                break;
            }
        }
    }
}

#[test]
fn what_is_in_the_way_stays() {
    let (old, _) = inputs();
    for writer in &WRITERS {
        let (_, name, _) = writer;
        let dir = tempfile::tempdir().unwrap();
        // A folder under each name that the command gives to a file.
        let done = ckpt(&arguments(writer, &old, dir.path()));
        assert!(matches!(done.0, Some(0 | 1)), "{name}: {}", done.1);
        let names: Vec<PathBuf> = all(dir.path()).into_keys().collect();
        for at in names.iter().take(5) {
            let stood = fs::read(at).unwrap();
            fs::remove_file(at).unwrap();
            fs::create_dir(at).unwrap();
            fs::write(at.join("precious"), "precious").unwrap();
            let before = all(dir.path());
            let again = arguments(writer, &old, dir.path());
            let answer = ckpt(&again);
            one_error(&again, &answer, at);
            assert!(answer.1.contains("a directory"), "{}", answer.1);
            assert!(all(dir.path()) == before, "{again:?}: {:?}", all(dir.path()).keys());
            fs::remove_dir_all(at).unwrap();
            fs::write(at, stood).unwrap();
        }
        // A file where the directory should be.
        let file = dir.path().join("file");
        fs::write(&file, "a file").unwrap();
        let before = all(dir.path());
        for below in [file.clone(), file.join("deeper")] {
            let arguments = arguments(writer, &old, &below);
            let answer = ckpt(&arguments);
            one_error(&arguments, &answer, &file);
            assert!(answer.1.to_lowercase().contains("not a directory") || name.is_empty(), "{}", answer.1);
        }
        assert!(all(dir.path()) == before);
        // Not even root makes files there.
        let nowhere = Path::new("/proc/self");
        if nowhere.exists() {
            let arguments = arguments(writer, &old, nowhere);
            one_error(&arguments, &ckpt(&arguments), nowhere);
        }
    }
}

/// What is printed and fits nowhere, by all commands and in all formats that there are.
#[test]
fn a_standard_output_that_is_full_is_an_error() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let (old, new) = inputs();
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        "--help",
        "--version",
        "help paths",
        "convert --help",
        "completions bash",
        "explain not-a-table",
        "list OLD --format csv",
        "inspect OLD --format json",
        "print OLD dense/kernel --format npy",
        "print OLD dense/kernel --format raw",
        "print OLD dense/kernel --sixel",
        "stats OLD --format markdown",
        "stats OLD --part 1/2 --format part",
        "validate OLD --part 2/2 --format part",
        "validate OLD --format sarif",
        "validate OLD --format junit",
        "validate OLD --against NEW --emit spec",
        "validate OLD --against NEW --emit assignment-map",
        "diff OLD NEW --format json",
        "diff OLD NEW --match values --emit map",
        "graph KERAS",
        "convert OLD --dry-run -o DIR/none",
        "recover OLD --dry-run -o DIR/none",
    ];
    let keras = testdata().join("object_graph/keras3/ckpt-1");
    for line in lines {
        let words: Vec<OsString> = line
            .split(' ')
            .map(|word| match word {
                "OLD" => old.clone().into_os_string(),
                "NEW" => new.clone().into_os_string(),
                "KERAS" => keras.clone().into_os_string(),
                "DIR/none" => dir.path().join("none").into_os_string(),
                _ => word.into(),
            })
            .collect();
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_ckpt")).args(&words).stdout(full).output().unwrap();
        let (status, errors) = said(&output);
        assert_eq!(status, Some(2), "{line}: {errors}");
        assert!(errors.starts_with("error: cannot write to standard output: "), "{line}: {errors}");
        assert_eq!(errors.matches("error: ").count(), 1, "{line}: {errors}");
    }
    assert!(all(dir.path()).is_empty());
}
