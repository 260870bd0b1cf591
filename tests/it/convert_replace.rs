//! `ckpt convert --force` takes the place of what lies there: at every moment, real kills included, what is found under
//! the name is the old checkpoint or the new one, whole; and what a killed run left is told, and taken away.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::support::open;

fn ckpt(args: &[&str], paths: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ckpt")).args(args).args(paths).output().unwrap()
}

/// A checkpoint of two shards whose tensors all have this value.
fn write(prefix: &Path, value: f32) {
    let mut builder = ckpt_synth::BundleBuilder::new();
    for n in 0..8u16 {
        builder = builder.floats(format!("layer_{n}/kernel"), &[8, 8], &[value; 64]);
    }
    let one = prefix.with_extension("one");
    builder.finish().write(&one).unwrap();
    let done = ckpt(&["convert", "--shards", "2", "-o"], &[prefix, &one]);
    assert!(done.status.success(), "{done:?}");
}

/// The value of all tensors, each compared with its checksum.
fn value(path: &Path) -> f32 {
    let checkpoint = open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(checkpoint.tensors().len(), 8);
    let mut found = BTreeMap::new();
    for tensor in checkpoint.tensors() {
        let mut take = |bytes: &[u8]| {
            for value in bytes.chunks_exact(4) {
                *found.entry(u32::from_le_bytes(value.try_into().unwrap())).or_insert(0) += 1;
            }
            Ok(())
        };
        checkpoint.read_all(&tensor, &mut take).unwrap();
    }
    assert_eq!(found.len(), 1, "old and new values are mixed");
    f32::from_bits(*found.keys().next().unwrap())
}

fn listed(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Kills a run as soon as a file of this name is there; whether it was.
fn killed_at(name: &Path, args: &[&str], paths: &[&Path]) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    let mut child = command.args(args).args(paths).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let mut seen = false;
    while !seen && child.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(60) {
        seen = name.symlink_metadata().is_ok();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    seen
}

#[cfg(unix)]
#[test]
fn a_kill_while_files_are_replaced_leaves_the_old_or_the_new() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("in/old"), dir.path().join("in/new"));
    fs::create_dir(dir.path().join("in")).unwrap();
    write(&old, 1.0);
    write(&new, 2.0);
    let mut seen = 0;
    for (round, out) in ["out/m", "out/s.safetensors"].iter().cycle().take(24).enumerate() {
        let out = dir.path().join(out);
        let size: &[&str] = if round % 2 == 0 { &[] } else { &["--shard-size", "1K"] };
        let into = |input: &Path| {
            let args: Vec<&str> = ["convert", "--force"].iter().chain(size).chain(&["-o"]).copied().collect();
            ckpt(&args, &[&out, input])
        };
        assert!(into(&old).status.success());
        let find = if round % 2 == 0 { out.clone() } else { PathBuf::from(format!("{}.index.json", out.display())) };
        let kept = listed(&dir.path().join("out"));
        let at = match round % 6 {
            0 => "out/m.data-00000-of-00003",
            1 => "out/s-00001-of-00003.safetensors",
            2 => "out/.m.ckpt-new/kept",
            3 => "out/.s.safetensors.ckpt-new/bridge",
            4 => "out/m.data-00002-of-00003",
            _ => "out/s-00002-of-00003.safetensors",
        };
        let args: Vec<&str> = ["convert", "--force"].iter().chain(size).chain(&["-o"]).copied().collect();
        seen += usize::from(killed_at(&dir.path().join(at), &args, &[&out, &new]));
        let found = value(&find).to_bits();
        assert!([1.0f32.to_bits(), 2.0f32.to_bits()].contains(&found));
        assert!(into(&new).status.success());
        assert_eq!(value(&find).to_bits(), 2.0f32.to_bits());
        assert_eq!(listed(&dir.path().join("out")), kept, "what the killed run left is gone");
        fs::remove_dir_all(dir.path().join("out")).unwrap();
    }
    assert!(seen > 4, "{seen} of 24 were killed while they replaced files");
}

/// Between sets of other numbers of files nothing needs a bridge, and nothing of the old one stays.
#[test]
fn sets_of_other_numbers_of_files_replace_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    write(&old, 1.0);
    write(&new, 2.0);
    let out = dir.path().join("out/m");
    for (shards, input, expected) in [("1", &old, 1.0f32), ("3", &new, 2.0), ("3", &old, 1.0), ("2", &new, 2.0)] {
        let done = ckpt(&["convert", "--force", "--shards", shards, "--state-file", "-o"], &[&out, input]);
        assert!(done.status.success(), "{done:?}");
        assert_eq!(value(&out).to_bits(), expected.to_bits());
        assert_eq!(listed(&dir.path().join("out")).len(), shards.parse::<usize>().unwrap() + 2);
    }
    let out = dir.path().join("out/s.safetensors");
    for size in ["1K", "1G", "1K", "1K"] {
        let done = ckpt(&["convert", "--force", "--shard-size", size, "-o"], &[&out, &new]);
        assert!(done.status.success(), "{done:?}");
        let files = listed(&dir.path().join("out")).into_iter().filter(|name| name.starts_with('s')).count();
        assert_eq!(files, if size == "1G" { 1 } else { 3 });
    }
}

/// Where a file system has no links, old files are moved away; a run that is ended then leaves neither in its place.
#[test]
fn what_was_moved_away_is_told_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    write(&prefix, 1.0);
    for name in listed(dir.path()).into_iter().filter(|name| name.starts_with("m.one.")) {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    let aside = dir.path().join(".m.ckpt-new/replaced");
    fs::create_dir_all(&aside).unwrap();
    let names: Vec<String> = listed(dir.path()).into_iter().filter(|name| name.starts_with("m.")).collect();
    for (n, name) in names.iter().rev().enumerate() {
        fs::rename(dir.path().join(name), aside.join(name)).unwrap();
        for command in ["list", "inspect", "validate"] {
            let done = ckpt(&[command], &[&prefix]);
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            assert_eq!(done.status.code(), Some(2), "{n} {said}");
            assert!(said.contains("mv -n") && said.contains(".m.ckpt-new/replaced"), "{n} {command}: {said}");
        }
    }
    // The command that it names.
    let said = String::from_utf8(ckpt(&["list"], &[&prefix]).stderr).unwrap();
    let command = said.split("mv -n").nth(1).unwrap().split(" puts").next().unwrap();
    assert!(Command::new("sh").args(["-c", &format!("mv -n {command}")]).status().unwrap().success());
    assert_eq!(value(&prefix).to_bits(), 1.0f32.to_bits());
    // And what the next run does.
    for name in &names {
        fs::rename(dir.path().join(name), aside.join(name)).unwrap();
    }
    let other = dir.path().join("in/other");
    fs::create_dir(dir.path().join("in")).unwrap();
    write(&other, 2.0);
    let mended = ckpt(&["convert", "-o"], &[&prefix, &other]);
    assert_eq!(mended.status.code(), Some(2), "what came back is not replaced: {mended:?}");
    assert_eq!(value(&prefix).to_bits(), 1.0f32.to_bits());
    fs::remove_dir_all(dir.path().join("in")).unwrap();
    assert_eq!(listed(dir.path()), names, "nothing of the killed run is left");
}

#[test]
fn what_a_killed_run_left_is_told_by_validate() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    write(&prefix, 1.0);
    let left = dir.path().join(".m.ckpt-new");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("m.data-00000-of-00001"), b"half").unwrap();
    let told = |path: &Path| String::from_utf8(ckpt(&["validate"], &[path]).stdout).unwrap();
    for path in [prefix.as_path(), dir.path()] {
        let said = told(path);
        assert!(said.contains("interrupted-save") && said.contains("was ended, and left .m.ckpt-new"), "{said}");
    }
    let lock = fs::File::create(dir.path().join(".m.ckpt-lock")).unwrap();
    lock.lock().unwrap();
    let said = told(&prefix);
    assert!(said.contains("is at work"), "{said}");
}
