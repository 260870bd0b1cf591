//! Steps under names of a program's own, and tables by their width and in SavedModels: `testdata/cases`.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::testdata;
use crate::validating::{ckpt, ckpt_says};

fn case(path: &str) -> PathBuf {
    testdata().join("cases").join(path)
}

/// What `inspect` says of steps: the line below the path, and the document.
fn inspected(path: &str) -> (String, Value) {
    let path = case(&format!("own-step/{path}"));
    let path = path.to_str().unwrap();
    let text = ckpt_says(0, &["inspect", path]);
    let document = serde_json::from_str(&ckpt_says(0, &["inspect", path, "--format", "json"])).unwrap();
    (text.lines().nth(1).unwrap_or_default().to_owned(), document)
}

#[test]
fn the_step_under_a_name_of_the_programs_own() {
    for (path, words, step, tensor, likely) in [
        ("it/ckpt-4", "save 4 · probably step 10000, by it", Some(10000), Some("it"), true),
        ("n-iter/ckpt-7700", "step 7700", Some(7700), Some("n_iter"), false),
        ("default-name/model.ckpt-900", "step 900", Some(900), Some("Variable"), false),
        ("two-scopes/model.ckpt-6", "step 6", Some(6), Some("b/global_step"), false),
        ("epoch/model.ckpt-10", "epoch 10", None, None, false),
        ("epoch-and-batch/ckpt-2", "save 2", None, None, false),
        ("vocabulary/ckpt-1", "save 1", None, None, false),
    ] {
        let (line, document) = inspected(path);
        assert!(line.contains(words), "{path}: {line}");
        assert_eq!(document["step"].as_u64(), step, "{path}");
        assert_eq!(document["step_tensor"].as_str(), tensor, "{path}");
        assert_eq!(document["step_likely"].as_bool(), Some(likely), "{path}");
        assert_eq!(line.contains("step"), step.is_some(), "{path}: {line}");
    }
    assert_eq!(inspected("epoch/model.ckpt-10").1["epoch"], 10);
}

// `get_variable` makes whole numbers trainable too, and no optimizer moves them.
#[test]
fn a_number_among_the_trainable_variables_is_a_counter() {
    let path = case("own-step/two-scopes/model.ckpt-6");
    let text = ckpt_says(0, &["list", path.to_str().unwrap()]);
    let counters = text.lines().filter(|line| line.contains("global_step"));
    assert_eq!(counters.map(|line| line.ends_with("counter")).collect::<Vec<_>>(), [true, true], "{text}");
}

// TensorFlow takes any number of rows, and no other width; tables of a loaded SavedModel save themselves by functions.
#[test]
fn tables_as_tensorflow_restores_them() {
    let dir = "tables-and-saved-models";
    let said: Value = serde_json::from_slice(&fs::read(case(&format!("{dir}/expected.json"))).unwrap()).unwrap();
    for (name, stored, model) in [
        ("width 4", "four/ckpt", "model-4/ckpt"),
        ("width 5", "four/ckpt", "model-5/ckpt"),
        ("saved model", "later/ckpt", "saved"),
    ] {
        let of = |path: &str| case(&format!("{dir}/{path}")).to_str().unwrap().to_owned();
        let output = ckpt(&["validate", &of(stored), "--against", &of(model)]);
        let text = String::from_utf8_lossy(&output.stdout);
        match said[name].as_str().unwrap().split_once(": ") {
            None => {
                assert!(text.contains("restores completely"), "{name}: {text}");
                assert_eq!(output.status.code(), Some(0), "{name}");
            }
            Some((class, message)) => {
                assert!(text.contains(class) && text.contains(message), "{name}: {text}");
                assert_eq!(output.status.code(), Some(1), "{name}");
            }
        }
    }
}
