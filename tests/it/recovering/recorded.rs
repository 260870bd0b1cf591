//! What TensorFlow restored, recorded when the fixtures were made: the same files must come of the same broken sets.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::support::testdata;

#[test]
fn what_tensorflow_restored_is_what_is_recovered() {
    let dir = testdata().join("recover");
    let expected: Value = serde_json::from_slice(&fs::read(dir.join("expected.json")).unwrap()).unwrap();
    let cases = expected.as_object().unwrap();
    let mut as_written = 0;
    for (name, case) in cases {
        let out = tempfile::tempdir().unwrap();
        let args = case["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
        command.arg("recover").args(args).arg("-o").arg(out.path().join("out")).args(["--format", "json"]);
        let done = command.current_dir(&dir).output().unwrap();
        let status = i32::try_from(case["status"].as_i64().unwrap()).unwrap();
        assert_eq!(done.status.code(), Some(status), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        let said: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(said["lost"], case["lost"], "{name}");
        let sums = case["files"].as_object().unwrap();
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), sums.len(), "{name}");
        for (suffix, sum) in sums {
            let file = fs::read(out.path().join(format!("out{suffix}"))).unwrap();
            assert_eq!(format!("{:x}", Sha256::digest(file)), sum.as_str().unwrap(), "{name} {suffix}");
        }
        as_written += usize::from(case["as_tensorflow_wrote_it"] == true);
    }
    assert!(cases.len() >= 12 && as_written >= 10, "{} {as_written}", cases.len());
}

/// Every command of the page, run as it stands there but for where it writes.
#[test]
fn the_recipes_of_the_page_work() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recover.md")).unwrap();
    let mut run = 0;
    for line in page.lines().filter_map(|line| line.strip_prefix("ckpt recover ")) {
        let dir = tempfile::tempdir().unwrap();
        let line = line.replace(" out/", &format!(" {}/", dir.path().display()));
        let script = format!("\"$0\" recover {line}");
        let mut shell = Command::new("sh");
        let done = shell.args(["-c", &script, env!("CARGO_BIN_EXE_ckpt")]).current_dir(env!("CARGO_MANIFEST_DIR"));
        let done = done.output().unwrap();
        assert!(done.status.success(), "{line}\n{}", String::from_utf8_lossy(&done.stderr));
        run += 1;
    }
    assert!(run >= 9, "{run}");
}
