//! What a machine refuses: files beyond a few, threads, long paths, places to write in; and names that are no text. Every
//! command answers as it does elsewhere, or with one error that says what was refused.

#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ckpt_synth::{BundleBuilder, dtype};
use tempfile::TempDir;

use crate::support::testdata;

/// Shards of the checkpoint that is asked about: more than files may be open.
const SHARDS: usize = 24;

/// A directory with a checkpoint of many shards, and another one of the same names.
fn many() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, seed: u8| {
        let prefix = dir.path().join(name);
        let builder = (0..SHARDS).fold(BundleBuilder::new(), |builder, n| {
            let bytes: Vec<u8> =
                (0..4000u16).flat_map(|at| [at.to_le_bytes()[0].wrapping_mul(seed), 1, 60, 63]).collect();
            builder.tensor_in(n, format!("layer_{n:02}/kernel"), dtype::FLOAT, &[40, 100], bytes)
        });
        builder.finish().write(&prefix).unwrap();
        prefix
    };
    let (a, b) = (write("m-1", 3), write("m-2", 5));
    (dir, a, b)
}

/// What every command is asked, as arguments.
fn questions(dir: &Path, a: &Path, b: &Path) -> Vec<Vec<OsString>> {
    let of = |words: &[&dyn AsRef<OsStr>]| words.iter().map(|word| word.as_ref().to_owned()).collect::<Vec<_>>();
    vec![
        of(&[&"list", &a]),
        of(&[&"list", &a, &"--index-only"]),
        of(&[&"inspect", &a]),
        of(&[&"print", &a, &"layer_07/kernel[:2, :3]"]),
        of(&[&"stats", &a, &"--hist"]),
        of(&[&"validate", &a, &"--finite"]),
        of(&[&"validate", &dir]),
        of(&[&"diff", &a, &b]),
        of(&[&"diff", &a, &b, &"--match", &"values"]),
        of(&[&"graph", &testdata().join("object_graph/keras3/ckpt-1")]),
        of(&[&"ops", &testdata().join("saved_model/tf2/model")]),
        of(&[&"log", &dir, &"--training"]),
        of(&[&"latest", &testdata().join("model_dir/run")]),
        of(&[&"tree", &dir]),
        of(&[&"explain", &"--path", &a, &"Key layer/kernel not found in checkpoint"]),
        of(&[&"convert", &a, &"--dry-run", &"-o", &dir.join("copy.safetensors")]),
        of(&[&"recover", &a, &"--dry-run", &"-o", &dir.join("mended")]),
    ]
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn ckpt(arguments: &[OsString]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.args(arguments).stdin(Stdio::null());
    command
}

#[test]
fn few_files_may_be_open() {
    let (dir, a, b) = many();
    for question in questions(dir.path(), &a, &b) {
        let before = said(&ckpt(&question).output().unwrap());
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 16; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_ckpt")]).args(&question);
        assert_eq!(said(&limited.stdin(Stdio::null()).output().unwrap()), before, "{question:?}");
    }
    // Threads that take each other's places, over and over.
    let split = dir.path().join("split");
    let many = testdata().join("bundle_v2/many_blocks/many");
    let convert =
        ["convert".into(), many.into_os_string(), "-o".into(), split.clone().into(), "--shards".into(), "520".into()];
    assert!(ckpt(&convert).output().unwrap().status.success());
    for _ in 0..10 {
        let script = "ulimit -n 24; exec \"$0\" validate \"$1\" --threads 4";
        let limited = Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_ckpt")]).arg(&split).output().unwrap();
        let (status, out, errors) = said(&limited);
        assert!(status == Some(0) && out.contains("520 of 520 tensors verified"), "{out}{errors}");
    }
}

// A stack that no machine has room for: no thread can be made, as where their number is limited.
#[test]
fn no_thread_can_be_made() {
    let (dir, a, b) = many();
    for mut question in questions(dir.path(), &a, &b) {
        question.extend(["--threads".into(), "4".into()]);
        let before = said(&ckpt(&question).output().unwrap());
        let alone = said(&ckpt(&question).env("RUST_MIN_STACK", (1u64 << 48).to_string()).output().unwrap());
        assert_eq!(alone, before, "{question:?}");
    }
    // Rows by the hundred thousand are formatted by threads as well.
    let prefix = dir.path().join("rows");
    let names = (0..20_000).map(|n| format!("scope_{}/tensor_{n:05}", n % 7));
    let builder = names.fold(BundleBuilder::new(), |b, name| b.tensor(name, dtype::INT32, &[], 7i32.to_le_bytes()));
    builder.finish().write(&prefix).unwrap();
    for format in ["text", "json"] {
        let question = ["list".into(), prefix.clone().into_os_string(), "--format".into(), format.into()];
        let before = said(&ckpt(&question).output().unwrap());
        assert!(before.1.lines().count() > 1000 || before.1.len() > 100_000);
        let alone = said(&ckpt(&question).env("RUST_MIN_STACK", (1u64 << 48).to_string()).output().unwrap());
        assert_eq!(alone, before, "{format}");
    }
    let out = dir.path().join("copy");
    let convert = ["convert".into(), a.into_os_string(), "-o".into(), out.into_os_string()];
    let (status, _, errors) = said(&ckpt(&convert).env("RUST_MIN_STACK", (1u64 << 48).to_string()).output().unwrap());
    assert_eq!((status, errors.as_str()), (Some(0), ""));
}

#[test]
fn standard_streams_that_are_closed() {
    let (dir, a, b) = many();
    for question in questions(dir.path(), &a, &b) {
        let before = said(&ckpt(&question).output().unwrap());
        let mut closed = Command::new("sh");
        closed.args(["-c", "exec \"$@\" <&-", "sh", env!("CARGO_BIN_EXE_ckpt")]).args(&question);
        assert_eq!(said(&closed.output().unwrap()), before, "{question:?}");
        // Nobody reads it, and nothing else happens: no file of the checkpoint gets the text.
        let mut closed = Command::new("sh");
        closed.args(["-c", "exec \"$@\" >&- 2>&-", "sh", env!("CARGO_BIN_EXE_ckpt")]).args(&question);
        assert_eq!(closed.status().unwrap().code(), before.0, "{question:?}");
        assert_eq!(said(&ckpt(&question).output().unwrap()), before, "{question:?}");
    }
}

#[test]
fn paths_of_any_length_and_bytes() {
    let (_dir, a, b) = many();
    let root = tempfile::tempdir().unwrap();
    // As deep as paths go, and names that are no UTF-8.
    let mut deep = root.path().join(OsString::from_vec(b"n\xffm \x1b[31m".to_vec()));
    while deep.as_os_str().len() < 3800 {
        deep.push("d".repeat(200));
    }
    fs::create_dir_all(&deep).unwrap();
    let place = |prefix: &Path| {
        let name = prefix.file_name().unwrap();
        for entry in fs::read_dir(prefix.parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().as_bytes().starts_with(name.as_bytes()) {
                fs::copy(&path, deep.join(path.file_name().unwrap())).unwrap();
            }
        }
        deep.join(name)
    };
    let (a, b) = (place(&a), place(&b));
    for question in questions(&deep, &a, &b) {
        let (status, out, errors) = said(&ckpt(&question).output().unwrap());
        assert!(matches!(status, Some(0 | 1)), "{question:?}: {status:?} {errors}");
        assert!(!out.contains('\x1b') && !errors.contains('\x1b'), "{question:?}");
    }
    // Longer than the system takes.
    let long = PathBuf::from(format!("/{}", "d/".repeat(3000))).join("model.ckpt");
    for question in questions(&long, &long, &long) {
        let (status, out, errors) = said(&ckpt(&question).output().unwrap());
        if question.iter().any(|word| word.as_bytes().starts_with(b"/d/d/")) {
            assert!(matches!(status, Some(1 | 2)), "{question:?}: {status:?} {out} {errors}");
            assert!(!errors.contains("panicked"), "{errors}");
        }
    }
}

#[test]
fn places_that_cannot_be_written_in() {
    let (_dir, a, _) = many();
    // Not even root makes files there.
    let nowhere = Path::new("/proc/self");
    if !nowhere.exists() {
        return;
    }
    for (command, name) in
        [("convert", "copy"), ("convert", "copy.safetensors"), ("recover", "mended"), ("report", "page.html")]
    {
        let question = [command.into(), a.clone().into_os_string(), "-o".into(), nowhere.join(name).into_os_string()];
        let (status, out, errors) = said(&ckpt(&question).output().unwrap());
        assert_eq!(status, Some(2), "{question:?}: {out} {errors}");
        assert_eq!(errors.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{errors}");
        assert!(errors.contains("/proc/self"), "{errors}");
    }
}
