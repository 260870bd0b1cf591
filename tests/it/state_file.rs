//! The `checkpoint` state file: every spelling in `testdata/state` gives what `tf.train.get_checkpoint_state` gave.

use std::path::Path;

use ckpt::read::finder::state::Outcome;
use serde_json::{Value, json};

/// As `make.py` writes a number: JSON has no name for these three.
fn number(value: f64) -> Value {
    match value {
        v if v.is_nan() => json!("NaN"),
        v if v.is_infinite() => json!(if v > 0.0 { "Infinity" } else { "-Infinity" }),
        v => json!(v),
    }
}

#[test]
fn every_spelling_means_what_it_means_to_tensorflow() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/state");
    let expected = std::fs::read(dir.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut wrong = Vec::new();
    for (name, want) in expected["states"].as_object().unwrap() {
        let text = std::fs::read(dir.join(format!("{name}.txt"))).unwrap();
        let (got, want) = match Outcome::of(&text) {
            Outcome::Ignored(_) => (json!("ignored"), want),
            Outcome::NoPath(_) => (json!("ValueError"), &want["error"]),
            Outcome::NotUtf8(_) => (json!("UnicodeDecodeError"), &want["error"]),
            Outcome::Loaded(state) => {
                let timestamps = state.all_model_checkpoint_timestamps.into_iter().map(number);
                let state = json!({
                    "model_checkpoint_path": state.model_checkpoint_path,
                    "all_model_checkpoint_paths": state.all_model_checkpoint_paths,
                    "all_model_checkpoint_timestamps": timestamps.collect::<Vec<_>>(),
                    "last_preserved_timestamp": number(state.last_preserved_timestamp),
                });
                (state, want)
            }
        };
        if got != *want {
            wrong.push(format!("{name}: got {got}, TensorFlow says {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
