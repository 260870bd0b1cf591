//! What lies around a checkpoint: the state file, leftovers, the step in its name, the SavedModel it belongs to.

use std::fs;
use std::path::Path;

use ckpt::analysis::Code;
use ckpt_synth::{BundleBuilder, Msg, dtype};

use super::index::model;
use crate::validating::{codes, copy, edit, errors, lines, only, run};

/// A directory of two sound checkpoints, `ckpt-1` and `ckpt-2`, with this state file.
fn directory(state: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["ckpt-1", "ckpt-2"] {
        BundleBuilder::new().floats("w", &[1], &[1.0]).finish().write(&dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("checkpoint"), state).unwrap();
    dir
}

fn names(latest: &str, all: &[&str]) -> String {
    let line = |path: &&str| format!("all_model_checkpoint_paths: \"{path}\"");
    let all: Vec<String> = all.iter().map(line).collect();
    format!("model_checkpoint_path: \"{latest}\"\n{}\n", all.join("\n"))
}

#[test]
fn the_state_file() {
    let check = |state: &str| run(directory(state).path());
    let found = check(&names("ckpt-2", &["ckpt-1", "ckpt-2"]));
    assert!(found.findings.is_empty(), "{}", lines(&found));
    assert_eq!((found.checked.checkpoints, found.checked.tensors, found.checked.verified), (2, 2, 2));
    only(
        &check(&names("ckpt-9", &["ckpt-9"])),
        Code::StateFileStale,
        &["names ckpt-9 as the latest checkpoint, which does not exist"],
    );
    only(&check(&names("ckpt-2", &["ckpt-0", "ckpt-2"])), Code::StateFileStale, &["ckpt-0 as a checkpoint"]);
    only(
        &check(&names("/data/run/ckpt-2", &["/data/run/ckpt-2"])),
        Code::StateFileMoved,
        &["/data/run/ckpt-2", "a checkpoint of that name lies here", "the directory was moved"],
    );
    only(
        &check("model_checkpoint_path: \"ckpt-2"),
        Code::StateFileUnreadable,
        &["TensorFlow cannot read the state file"],
    );
    only(&check("all_model_checkpoint_paths: \"ckpt-2\""), Code::StateFileUnreadable, &["names no checkpoint"]);
    for state in [&names("ckpt-9", &["ckpt-9"]), ""] {
        assert!(check(state).is_ok(), "nothing is lost");
    }
}

#[test]
fn leftovers_of_interrupted_saves() {
    // As TensorFlow's writers name them: format notes, 2.1.
    let leftovers = [
        ("ckpt-2.index.tempstate1234567890", false),
        ("ckpt-2.data-00000-of-00001.tempstate1234567890", false),
        ("ckpt-2_temp", true),
        ("ckpt-2_temp_0123456789abcdef0123456789abcdef", true),
        ("ckpt-2.part-00000-of-00002.data-00000-of-00001", false),
    ];
    for (name, is_directory) in leftovers {
        let dir = directory(&names("ckpt-2", &[]));
        let path = dir.path().join(name);
        if is_directory {
            fs::create_dir(&path).unwrap();
            fs::write(path.join("part-00000-of-00001.data-00000-of-00001"), b"half").unwrap();
        } else {
            fs::write(&path, b"half").unwrap();
        }
        // Both for the directory and for the checkpoint itself.
        for from in [dir.path().to_path_buf(), dir.path().join("ckpt-2")] {
            let found = run(&from);
            let finding = only(&found, Code::InterruptedSave, &[name, "keep it"]);
            assert_eq!(finding.file.as_deref(), Some(path.as_path()));
            assert!(found.is_ok(), "{}", lines(&found));
        }
        let other = run(&dir.path().join("ckpt-1"));
        assert!(other.findings.is_empty(), "{}", lines(&other));
    }
}

#[test]
fn the_step_in_the_name() {
    let check = |name: &str, step: i64| {
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join(name);
        BundleBuilder::new()
            .tensor("global_step", dtype::INT64, &[], step.to_le_bytes())
            .finish()
            .write(&prefix)
            .unwrap();
        run(&prefix)
    };
    assert!(check("model.ckpt-7", 7).findings.is_empty());
    assert!(check("model.ckpt", 7).findings.is_empty());
    let found = check("model.ckpt-8", 7);
    only(&found, Code::StepDisagrees, &["the name says step 8, the tensor global_step says 7"]);
    assert!(found.is_ok());
}

#[test]
fn variables_of_another_model() {
    let dir = copy("saved_model/tf2/model");
    let intact = run(dir.path());
    assert!(intact.findings.is_empty(), "{}", lines(&intact));
    let other = copy("saved_model/keras3_export/model");
    for file in ["variables.index", "variables.data-00000-of-00001"] {
        fs::copy(other.path().join("variables").join(file), dir.path().join("variables").join(file)).unwrap();
    }
    let found = run(dir.path());
    let finding =
        only(&found, Code::FingerprintMismatch, &["variables.index is not the one that the model was saved with"]);
    assert!(finding.expected.is_some() && finding.expected != finding.found);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
}

#[test]
fn assets() {
    let dir = copy("saved_model/tf2/model");
    fs::remove_file(dir.path().join("assets/vocab.txt")).unwrap();
    only(&run(dir.path()), Code::MissingAsset, &["asset vocab.txt is missing", "copy the whole directory"]);

    for name in ["../../etc/passwd", "/etc/passwd", "..\\secret", "a/../../b"] {
        let dir = tempfile::tempdir().unwrap();
        model(dir.path(), Msg::new().msg(6, Msg::new().string(2, name)));
        let found = run(dir.path());
        only(&found, Code::UnsafeAssetPath, &["leads out of the assets directory"]);
        assert_eq!(codes(&found), ["unsafe-asset-path"], "{}", lines(&found));
    }
}

#[test]
fn a_graph_that_cannot_be_read() {
    let dir = copy("saved_model/tf2/model");
    fs::write(dir.path().join("saved_model.pb"), [0xff; 100]).unwrap();
    let found = run(dir.path());
    let finding = only(&found, Code::BadSavedModel, &["saved_model.pb"]);
    assert!(finding.file.as_ref().is_some_and(|file| file.ends_with("saved_model.pb")));
    // An empty file is a valid message of protobuf, and no model.
    fs::write(dir.path().join("saved_model.pb"), []).unwrap();
    only(&run(dir.path()), Code::BadSavedModel, &["there is no graph in this file"]);
    // The variables are good.
    assert_eq!(found.checked.verified, found.checked.tensors);

    let dir = copy("saver_v2/plain");
    edit(&dir.path().join("model.ckpt-7.meta"), |bytes| bytes.truncate(9000));
    only(&run(&dir.path().join("model.ckpt-7")), Code::BadSavedModel, &["model.ckpt-7.meta"]);
}

#[test]
fn every_version_of_a_serving_directory() {
    let dir = copy("serving/base/served");
    let found = run(dir.path());
    assert_eq!(found.checked.checkpoints, 2, "{:?}", found.targets);
    let bad = |path: &Path| edit(path, |bytes| bytes[10] ^= 1);
    bad(&dir.path().join("1/variables/variables.data-00000-of-00001"));
    let found = run(dir.path());
    assert!(errors(&found).iter().all(|f| f.file.as_ref().is_some_and(|file| file.to_string_lossy().contains("/1/"))));
    assert!(!found.is_ok());
}
