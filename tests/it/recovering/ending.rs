//! Whatever ends a run, under the name of its output stands all or what stood there before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::support::open;
use super::values;

fn ckpt(args: &[&str], paths: [&Path; 2]) -> Command {
    let [input, output] = paths;
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.arg(args[0]).arg(input).arg("-o").arg(output).args(&args[1..]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Some megabytes in many tensors, and the same with one bit flipped in each of a few.
fn inputs(dir: &Path) -> (PathBuf, PathBuf) {
    let (sound, broken) = (dir.join("sound"), dir.join("broken"));
    let mut builder = ckpt_synth::BundleBuilder::new();
    for n in 0..300u16 {
        builder = builder.floats(format!("layer_{n:04}/kernel"), &[64, 64], &[f32::from(n) + 0.5; 64 * 64]);
    }
    builder.finish().write(&sound).unwrap();
    for suffix in [".index", ".data-00000-of-00001"] {
        let mut bytes = fs::read(format!("{}{suffix}", sound.display())).unwrap();
        if suffix != ".index" {
            for at in (1000..bytes.len()).step_by(500_000) {
                bytes[at] ^= 4;
            }
        }
        fs::write(format!("{}{suffix}", broken.display()), bytes).unwrap();
    }
    (sound, broken)
}

fn is_there(prefix: &Path) -> bool {
    Path::new(&format!("{}.index", prefix.display())).exists()
}

#[test]
fn a_recovery_that_is_killed_leaves_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (sound, broken) = inputs(dir.path());
    let all = values(&open(&sound).unwrap());
    let out = dir.path().join("out/copy");
    let (mut nothing, mut whole) = (0, 0);
    for round in 0..50u64 {
        let mut child = ckpt(&["recover"], [&broken, &out]).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(round * round * 160));
        child.kill().unwrap();
        child.wait().unwrap();
        if is_there(&out) {
            assert!(values(&open(&out).unwrap()) == all, "round {round}");
            whole += 1;
            fs::remove_dir_all(dir.path().join("out")).unwrap();
        } else {
            nothing += 1;
        }
    }
    assert!(nothing > 0, "{nothing} {whole}");
    assert!(ckpt(&["recover", "--force"], [&broken, &out]).status().unwrap().success());
    assert!(values(&open(&out).unwrap()) == all);
    let left = fs::read_dir(dir.path().join("out")).unwrap().count();
    assert_eq!(left, 2, "what killed runs left is taken away");
}

/// With `--force`, over something that stands there, in both commands: it is never lost.
#[test]
fn what_stood_there_is_never_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (sound, broken) = inputs(dir.path());
    let new = values(&open(&sound).unwrap());
    let old_at = dir.path().join("old");
    ckpt_synth::BundleBuilder::new().floats("old", &[3], &[1.0, 2.0, 3.0]).finish().write(&old_at).unwrap();
    let old = values(&open(&old_at).unwrap());
    let out = dir.path().join("out/copy");
    let (mut kept, mut replaced, mut aside) = (0, 0, 0);
    for round in 0..60u64 {
        let _ = fs::remove_dir_all(dir.path().join("out"));
        assert!(ckpt(&["convert", "--shards", "3"], [&old_at, &out]).status().unwrap().success());
        let run = if round % 2 == 0 {
            ckpt(&["recover", "--force"], [&broken, &out]).spawn()
        } else {
            ckpt(&["convert", "--force"], [&sound, &out]).spawn()
        };
        let mut child = run.unwrap();
        std::thread::sleep(Duration::from_micros(round * round * 110));
        child.kill().unwrap();
        child.wait().unwrap();
        if !is_there(&out) {
            // Killed while files were exchanged: the next run brings the old ones back, and refuses to replace them.
            aside += 1;
            assert_eq!(ckpt(&["convert"], [&sound, &out]).status().unwrap().code(), Some(2), "round {round}");
        }
        let found = values(&open(&out).unwrap());
        assert!(found == old || found == new, "round {round}");
        if found == old { kept += 1 } else { replaced += 1 }
    }
    assert!(kept > 0, "{kept} {replaced} {aside}");
}

#[test]
fn two_runs_into_one_place_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let (sound, broken) = inputs(dir.path());
    let mut other = ckpt_synth::BundleBuilder::new();
    for n in 0..300u16 {
        other = other.floats(format!("other_{n:04}"), &[64, 64], &[f32::from(n); 64 * 64]);
    }
    let other_at = dir.path().join("other");
    other.finish().write(&other_at).unwrap();
    let (a, b) = (values(&open(&sound).unwrap()), values(&open(&other_at).unwrap()));
    let out = dir.path().join("out/copy");
    for round in 0..8u64 {
        let first = ckpt(&["recover", "--force"], [&broken, &out]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 7));
        let second = ckpt(&["convert", "--force"], [&other_at, &out]).spawn().unwrap();
        let codes: Vec<Option<i32>> =
            [first, second].into_iter().map(|mut child| child.wait().unwrap().code()).collect();
        assert!(codes.contains(&Some(0)) && codes.iter().all(|code| matches!(code, Some(0 | 2))), "{codes:?}");
        let found = values(&open(&out).unwrap());
        assert!(found == a || found == b, "round {round}");
        assert_eq!(fs::read_dir(dir.path().join("out")).unwrap().count(), 2, "round {round}");
    }
}

/// As on a disk that is full sooner or later.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (sound, broken) = inputs(dir.path());
    let old_at = dir.path().join("old");
    ckpt_synth::BundleBuilder::new().floats("old", &[3], &[1.0, 2.0, 3.0]).finish().write(&old_at).unwrap();
    let old = values(&open(&old_at).unwrap());
    let out = dir.path().join("out/copy");
    assert!(ckpt(&["convert"], [&old_at, &out]).status().unwrap().success());
    for blocks in [0, 1, 3, 100, 1000, 4000] {
        for (command, input) in [("recover", &broken), ("convert", &sound)] {
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {command} \"$1\" -o \"$2\" --force");
            let mut shell = Command::new("sh");
            let done = shell.args(["-c", &script, env!("CARGO_BIN_EXE_ckpt")]).arg(input).arg(&out).output().unwrap();
            assert_eq!(done.status.code(), Some(2), "{command} {blocks} {}", String::from_utf8_lossy(&done.stderr));
            assert!(values(&open(&out).unwrap()) == old, "{command} {blocks}");
            assert_eq!(fs::read_dir(dir.path().join("out")).unwrap().count(), 2, "{command} {blocks}");
        }
    }
}
