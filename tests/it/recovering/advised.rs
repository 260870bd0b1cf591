//! `validate` names the command that mends what it found, where there is one; and the command works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::super::support::{open, testdata};

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ckpt")).args(args).current_dir(dir).output().unwrap()
}

/// Everything that `validate` says of a path in a copy of a directory, on one line each.
fn said(dir: &Path, path: &str) -> String {
    let done = run(dir, &["validate", path, "--format", "json"]);
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// The commands in what was said, each once.
fn commands(said: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for rest in said.split("ckpt recover ").skip(1) {
        let end = rest.find(['"', ';', '\n']).unwrap_or(rest.len());
        let command = rest[..end].trim().replace("\\\\", "\\");
        if !found.contains(&command) {
            found.push(command);
        }
    }
    found
}

#[test]
fn files_that_were_being_written_are_no_v1_checkpoint() {
    let said = said(&testdata().join("recover/tempstate"), ".");
    assert!(said.contains("without its .index") && said.contains("ckpt recover") && !said.contains("V1"), "{said}");
}

#[test]
fn the_commands_that_validate_names_work() {
    // What is broken, and whether there is something that mends it.
    let cases: &[(&str, &str, bool)] = &[
        ("recover/bits", "net-3", true),
        ("recover/two_bits", "net-3", false),
        ("recover/copies/a", "net-3", false),
        ("recover/renamed", "net-3", true),
        ("recover/tempstate", ".", true),
        ("recover/tempstate", "net-3", true),
        ("recover/packed", "net-3", true),
        ("recover/not_renamed", ".", true),
        ("recover/sibling", "net-3", true),
        ("recover/lost_meta", "model.ckpt", true),
        ("recover/lost_model", ".", true),
        ("recover/workers/0", ".", false),
        ("cases/15-prefix-named-checkpoint/half", "checkpoint", true),
        ("cases/28-data-only-and-renamed/browser", "model.ckpt", true),
        ("cases/28-data-only-and-renamed/txt", "model.ckpt", true),
        ("cases/28-data-only-and-renamed/only_data", "model.ckpt.data-00000-of-00001", false),
        ("cases/31-rename-denied/a", ".", true),
        ("cases/32-two-writers/shared", "model.ckpt-100", false),
        ("cases/40-mispaired-tf2/run", ".", false),
        ("cases/10-serving-late-index/m", ".", true),
        ("cases/31-rename-denied/a", "weights_temp", false),
        ("saver_v2/sharded_adam", ".", false),
    ];
    for (dir, path, mends) in cases {
        let scratch = tempfile::tempdir().unwrap();
        let at = scratch.path().join("a model's run");
        copy(&testdata().join(dir), &at);
        let said = said(&at, path);
        let commands = commands(&said);
        assert_eq!(!commands.is_empty(), *mends, "{dir} {path}: {said}");
        for command in commands {
            let script = format!("\"$0\" recover {command}");
            let mut shell = Command::new("sh");
            let done = shell.args(["-c", &script, env!("CARGO_BIN_EXE_ckpt")]).current_dir(&at).output().unwrap();
            let told = format!("{dir} {path}: {command}\n{}", String::from_utf8_lossy(&done.stderr));
            assert_eq!(done.status.code(), Some(0), "{told}");
            let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
            let out = stdout.split("wrote ").nth(1).and_then(|rest| rest.split(": ").next()).unwrap();
            let out: PathBuf = at.join(out);
            assert!(open(&out).is_ok_and(|checkpoint| checkpoint.damage().is_empty()), "{told}");
            assert!(run(&at, &["validate", out.to_str().unwrap()]).status.success(), "{told}");
            // The next one goes elsewhere.
            let again = self::said(&at, path);
            assert!(!self::commands(&again).contains(&command), "{told}");
            fs::remove_dir_all(out.parent().unwrap()).unwrap();
        }
    }
}
