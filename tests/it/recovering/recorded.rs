//! What TensorFlow restored, recorded when the fixtures were made: the same files must come of the same broken sets.

use std::fs;
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
