//! Directories: what TensorFlow wrote into them, what a user may have put there, and what an attacker would.
#![expect(clippy::print_stdout, reason = "says what was skipped")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::validating::{ckpt, ckpt_says, copy, edit};
use ckpt::analysis::{Serving, Timeline, TimelineOptions};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::events::{EventFile, Events};
use ckpt_synth::BundleBuilder;
use serde_json::Value;

fn fixture(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(case)
}

fn timeline(dir: &Path, finite: bool) -> Timeline {
    let options = TimelineOptions { finite, values: false, training: None, last: None, threads: 2 };
    Timeline::of(dir, options, &Limits::default(), &Progress::default()).unwrap()
}

fn json(status: i32, args: &[&str]) -> Value {
    serde_json::from_str(&ckpt_says(status, &[args, &["--format", "json"]].concat())).unwrap()
}

#[test]
fn event_files_say_what_tensorflow_s_own_reader_says() {
    let mut compared = 0;
    for case in ["run", "keras3"] {
        let dir = fixture("model_dir").join(case);
        let expected: Value = serde_json::from_slice(&fs::read(dir.join("expected.json")).unwrap()).unwrap();
        for want in expected["events"].as_array().unwrap() {
            let path = dir.join(want["file"].as_str().unwrap());
            let events = Events::read(&path).unwrap();
            assert!(events.is_whole());
            assert_eq!(want["events"], events.events, "{}", path.display());
            assert_eq!(want["last_step"], events.last_step.unwrap());
            assert_eq!(want["last_wall_time"], events.last_step_time.unwrap());
            assert_eq!(want["first_wall_time"], events.times.unwrap().0);
            assert_eq!(want["bytes"], fs::metadata(&path).unwrap().len());
            compared += 1;
        }
    }
    assert_eq!(compared, 3);
}

#[test]
fn a_run_that_went_wrong_is_told() {
    let told = timeline(&fixture("model_dir/run"), true);
    let steps: Vec<_> = told.rows.iter().map(|row| (row.step.unwrap(), row.complete, row.latest)).collect();
    assert_eq!(steps, [(0, true, false), (100, true, false), (200, false, false), (300, true, true)]);
    assert_eq!(told.ever.still, ["embedding"]);
    assert_eq!(told.ever.moved, ["dense"]);
    assert_eq!(told.first_non_finite(), Some(3));
    let moved = &told.rows[2].moved.as_ref().unwrap().1;
    assert_eq!((moved.weights, moved.slots, moved.unknown), ((2, 3), (4, 4), 0), "without the data of step 200");
    let finite = told.rows[2].finite.as_ref().unwrap();
    assert_eq!((finite.read, finite.unread), (0, 9), "nine float tensors, none of which could be looked at");
}

#[test]
fn the_checkpoint_to_resume_from() {
    let dir = copy("model_dir/run");
    let path = dir.path().to_str().unwrap();
    let latest = |args: &[&str]| {
        let output = ckpt(&[&["latest", path], args].concat());
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let at = |step: u64| format!("{path}/model.ckpt-{step}\n");
    assert_eq!(latest(&[]), (0, at(300)));
    assert_eq!(latest(&["--valid"]), (0, at(300)), "NaN are what was saved");
    assert_eq!(latest(&["--valid", "--finite"]), (0, at(100)), "300 has NaN, 200 lacks its data");
    edit(&dir.path().join("model.ckpt-300.data-00000-of-00001"), |bytes| bytes[20] ^= 1);
    assert_eq!(latest(&["--valid"]), (0, at(100)));
    for step in [0, 100] {
        fs::remove_file(dir.path().join(format!("model.ckpt-{step}.data-00000-of-00001"))).unwrap();
    }
    assert_eq!(latest(&["--valid"]), (1, String::new()));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(ckpt(&["latest", empty.path().to_str().unwrap()]).status.code(), Some(1));
    assert_eq!(ckpt(&["latest", "testdata/nonsuch"]).status.code(), Some(2));
}

/// Every way to look at a directory, each of which must end, and not by a panic.
fn look_at_everything(dir: &Path) {
    let path = dir.to_str().unwrap();
    for args in [
        &["log", path][..],
        &["log", path, "--finite"],
        &["log", path, "--format", "json"],
        &["latest", path],
        &["latest", path, "--valid"],
        &["inspect", path],
        &["validate", path, "--serving", "--quick"],
        &["graph", path],
        &["list", path, "--names"],
    ] {
        let output = ckpt(args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(matches!(output.status.code(), Some(0..=2)), "{args:?}: {:?}\n{err}", output.status);
        let harmless = |text: &str| !text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}');
        assert!(harmless(&err), "{args:?}: {err:?}");
        // What goes to a program has the names as they are.
        assert!(harmless(&out) || args[0] == "latest" || args.contains(&"json"), "{args:?}: {out:?}");
    }
}

#[test]
fn thousands_of_entries() {
    let dir = tempfile::tempdir().unwrap();
    let bundle = BundleBuilder::new().floats("layer/w", &[1], &[1.0]).finish();
    for step in 0..500 {
        bundle.write(&dir.path().join(format!("model.ckpt-{step}"))).unwrap();
        fs::write(dir.path().join(format!("events.out.tfevents.{step}.host")), "").unwrap();
    }
    look_at_everything(dir.path());
    let told = timeline(dir.path(), false);
    assert_eq!((told.rows.len(), told.events.len()), (500, 500));
    assert!(told.rows.iter().skip(1).all(|row| row.moved.as_ref().unwrap().1.same == 1));
    let told = json(0, &["log", dir.path().to_str().unwrap(), "--last", "3"]);
    assert_eq!((told["checkpoints"].as_array().unwrap().len(), &told["left_out"]), (3, &Value::from(497)));
}

#[test]
fn names_with_escapes() {
    let dir = tempfile::tempdir().unwrap();
    let bundle = BundleBuilder::new().floats("a\u{1b}[2Jb/w", &[1], &[1.0]).finish();
    for name in ["m\u{1b}]0;x\u{7}-1", "m\u{202e}\u{9b}31m-2"] {
        bundle.write(&dir.path().join(name)).unwrap();
        fs::write(dir.path().join(format!("{name}.tfevents.1.x")), [1; 40]).unwrap();
    }
    fs::write(dir.path().join("checkpoint"), "model_checkpoint_path: \"\\033[2Jgone-9\"\n").unwrap();
    look_at_everything(dir.path());
    let base = tempfile::tempdir().unwrap();
    fs::create_dir_all(base.path().join(" 7\u{b}/variables")).unwrap();
    bundle.write(&base.path().join("1/variables/variables")).unwrap();
    look_at_everything(base.path());
}

#[cfg(unix)]
#[test]
fn pipes_links_and_files_that_cannot_be_read() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = copy("model_dir/run");
    for name in ["pipe.index", "events.out.tfevents.5.host", "model.ckpt-200.data-00000-of-00001", "9"] {
        let made = std::process::Command::new("mkfifo").arg(dir.path().join(name)).status().unwrap();
        assert!(made.success());
    }
    symlink(dir.path(), dir.path().join("loop")).unwrap();
    symlink("itself.index", dir.path().join("itself.index")).unwrap();
    symlink("nowhere", dir.path().join("events.out.tfevents.6.host")).unwrap();
    for name in ["model.ckpt-0.index", "model.ckpt-100.data-00000-of-00001", "events.out.tfevents.1700000000.host"] {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o0)).unwrap();
    }
    look_at_everything(dir.path());
    let told = timeline(dir.path(), false);
    assert_eq!(told.rows.iter().filter(|row| row.step.is_some()).count(), 4);
    // A directory of versions that leads back to itself.
    let base = tempfile::tempdir().unwrap();
    symlink(base.path(), base.path().join("3")).unwrap();
    fs::create_dir_all(base.path().join("2/variables")).unwrap();
    BundleBuilder::new().floats("w", &[1], &[1.0]).finish().write(&base.path().join("2/variables/variables")).unwrap();
    look_at_everything(base.path());
}

#[test]
fn damaged_event_files_beside_sound_checkpoints() {
    let dir = copy("model_dir/run");
    let path = dir.path().join("events.out.tfevents.1700000100.host.again");
    edit(&path, |bytes| {
        let at = bytes.len() - 10;
        bytes[at] ^= 1;
    });
    let told = json(0, &["log", dir.path().to_str().unwrap()]);
    let events = told["events"].as_array().unwrap();
    let file = events.iter().find(|file| file["path"].as_str().unwrap().contains("host.again")).unwrap();
    assert_eq!((&file["events"], &file["damaged"]), (&Value::from(2), &Value::from(1)));
    assert!(file["damage"][0].as_str().unwrap().contains("offset"), "{file}");
    fs::write(&path, "no events at all, but words").unwrap();
    let told = json(2, &["log", dir.path().to_str().unwrap()]);
    assert!(told["events"].to_string().contains("record length checksum mismatch"), "{}", told["events"]);
}

// In front of a checkpoint, gigabytes of events must not be read.
#[test]
fn the_newest_event_files_are_read_within_the_budget() {
    let dir = copy("model_dir/run");
    let files = EventFile::of_directory(dir.path(), 1000);
    let read: Vec<bool> = files.iter().map(|file| file.content.is_some()).collect();
    assert_eq!(read, [false, true], "50 kB of the older one are too much, the newer one has 164 bytes");
}

#[test]
fn real_directories_tell_their_story() {
    let Some(wild) = std::env::var_os("CKPT_WILD").map(PathBuf::from) else {
        println!("skipped: CKPT_WILD does not name a directory");
        return;
    };
    let told = timeline(&wild.join("estimator_model_dir"), true);
    assert_eq!(told.rows.len(), 2);
    assert!(told.rows.iter().all(|row| row.complete) && told.first_non_finite().is_none());
    let moved = &told.rows[1].moved.as_ref().unwrap().1;
    assert_eq!((moved.weights, moved.slots), ((6, 6), (12, 12)));
    assert_eq!(told.events.len(), 6);
    for file in &told.events {
        let events = file.content.as_ref().unwrap().as_ref().unwrap();
        assert!(events.is_whole(), "{}", file.path.display());
    }
    assert!(told.events.iter().all(|f| f.content.as_ref().unwrap().as_ref().unwrap().last_step == Some(20_000)));
    let mut loads = 0;
    for entry in fs::read_dir(wild.join("serving_testdata")).unwrap() {
        let base = entry.unwrap().path();
        let serving = Serving::of(&base, &Limits::default()).unwrap();
        assert!(!serving.versions.is_empty(), "{}", base.display());
        let name = base.file_name().unwrap().to_str().unwrap().to_owned();
        // A Session Bundle; assets and a graph that were not fetched.
        let broken = ["bad_half", "saved_model_config", "tf_text"].iter().any(|part| name.contains(part));
        for version in &serving.versions {
            assert_eq!(version.loads, !broken, "{name}: {:?}", version.findings);
            loads += usize::from(version.loads);
        }
    }
    assert!(loads >= 9, "{loads}");
}

// Names without a number have no step, and none of them is the highest.
#[test]
fn where_nothing_has_a_step_the_last_name_is_said_to_be_taken() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["actor", "critic"] {
        BundleBuilder::new().floats("w", &[1], &[1.0]).finish().write(&dir.path().join(name)).unwrap();
    }
    let path = dir.path().to_str().unwrap();
    let output = ckpt(&["latest", path]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the last by name was taken, as none has a step"), "{said}");
    assert!(ckpt_says(0, &["log", path]).contains("critic, the last by name"), "{path}");
    // A prefix is no directory, and is there all the same.
    let output = ckpt(&["latest", &format!("{path}/actor")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("is a single checkpoint") && !said.contains("No such file"), "{said}");
    // A directory that is called as an index is not offered as the path that was given.
    fs::create_dir(dir.path().join("actor-2.index")).unwrap();
    let output = ckpt(&["inspect", &format!("{path}/actor-2")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("actor-2 or") && !said.contains("actor-2?"), "{said}");
}

#[test]
fn parts_of_a_model_without_the_rest_are_told_by_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..64u8).map(|n| n.wrapping_mul(97) | 0x81).collect();
    for (name, words) in [
        ("fingerprint.pb", "part of a SavedModel"),
        ("group1-shard1of2.bin", "TensorFlow.js"),
        ("other.bin", "give the prefix of a checkpoint"),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, &bytes).unwrap();
        let output = ckpt(&["inspect", path.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(words), "{name}: {said}");
    }
}
