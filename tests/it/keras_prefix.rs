//! `load_weights("PREFIX")` of `tf_keras` against its own: every pair of `testdata/keras_prefix`, loaded for real by its
//! `make.py`; and that Keras 3 refuses it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::testdata;
use crate::validating::ckpt_says;

fn path(name: &str) -> String {
    let path: PathBuf = testdata().join("keras_prefix/pairs").join(name);
    path.to_str().unwrap().to_owned()
}

fn restore(status: i32, checkpoint: &str, model: &str, options: &[&str]) -> Value {
    let (checkpoint, model) = (path(checkpoint), path(&format!("{model}.json")));
    let args = ["validate", &checkpoint, "--against", &model, "--format", "json"];
    let said: Value = serde_json::from_str(&ckpt_says(status, &[&args, options].concat())).unwrap();
    said["restore"].clone()
}

#[test]
fn what_tf_keras_takes_from_a_prefix_is_predicted() {
    let expected: Value = serde_json::from_slice(&fs::read(path("expected.json")).unwrap()).unwrap();
    let pairs = expected["pairs"].as_array().unwrap();
    assert!(pairs.len() >= 99, "{}", pairs.len());
    for pair in pairs {
        let text = |key: &str| pair[key].as_str().unwrap_or_default();
        let whole = pair["taken"].as_array().is_some_and(|taken| pair["variables"] == taken.len());
        let found = restore(i32::from(!whole), text("checkpoint"), text("model"), &["--keras", "2"]);
        let about = format!("{} into {}: {found}", text("checkpoint"), text("model"));
        assert_eq!(found["ok"], whole, "{about}");
        let Some(taken) = pair["taken"].as_array() else {
            assert_eq!(found["keras"]["outcome"], "raises", "{about}");
            assert_eq!(found["keras"]["error"], pair["raises"], "{about}");
            // Which of several variables is the first that does not fit depends on the order of a set.
            let said = found.to_string();
            assert!(said.contains(&serde_json::to_string(text("message")).unwrap()), "{} {about}", text("message"));
            continue;
        };
        assert_eq!(found["keras"]["outcome"], "loads", "{about}");
        let taken: BTreeSet<&str> = taken.iter().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(found["matched"].as_u64(), Some(taken.len() as u64), "{about}");
    }
}

#[test]
fn options_that_go_by_names_and_keras_3_refuse_a_prefix() {
    let error = |options: &[&str]| restore(1, "dense-plain", "dense-plain", options)["keras"]["error"].clone();
    assert_eq!(error(&["--keras", "2", "--by-name"]), "NotImplementedError");
    assert_eq!(error(&["--keras", "2", "--skip-mismatch"]), "ValueError");
    assert_eq!(error(&["--keras", "3"]), "ValueError");
}
