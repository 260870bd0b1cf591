//! Loading files of Keras against Keras' own: every pair of `testdata/keras_restore`, and of the directory that
//! `CKPT_KERAS_PAIRS` names.
//!
//! `testdata/keras_restore/make.py` loaded each of them for real, with Keras 3 or with `tf_keras`, and wrote down what
//! happened and where each value went.
#![expect(clippy::print_stdout, reason = "says how many pairs were compared")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ckpt::analysis::{KerasProgram, Model, Restore, RestoreOptions, restore};
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use serde_json::Value;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keras_restore")
}

fn predict(file: &Path, model: &Path, options: &RestoreOptions) -> Restore {
    let checkpoint = Checkpoint::open(file, Choice::default(), &Limits::default()).unwrap();
    let models = Model::open(model, false, &Limits::default()).unwrap();
    restore(&checkpoint, &models[0], options)
}

fn options(record: &Value) -> RestoreOptions {
    RestoreOptions {
        by_name: record["by_name"] == true,
        skip_mismatch: record["skip_mismatch"] == true,
        keras: Some(if record["keras"] == 2 { KerasProgram::Keras2 } else { KerasProgram::Keras3 }),
        ..RestoreOptions::default()
    }
}

/// A message up to what only the running program has.
fn comparable(message: &str) -> String {
    message.replace("/ ", "/").lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Whether a message is another, but for what one of them has `…` for.
fn same(own: &str, theirs: &str) -> bool {
    let mut rest = theirs;
    let mut parts = own.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(stripped) = rest.strip_prefix(first) else { return false };
    rest = stripped;
    let parts: Vec<&str> = parts.collect();
    for (n, part) in parts.iter().enumerate() {
        let found =
            if n + 1 == parts.len() { rest.ends_with(part).then(|| rest.len() - part.len()) } else { rest.find(part) };
        let Some(at) = found else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

/// What the prediction gets wrong of a record.
fn wrong(told: &Restore, record: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(why) = &told.undetermined {
        // Of classes of the program and of weights alone not everything can be known.
        let is_hard = record["custom"] == true || told.model.contains("by its weights");
        return if is_hard { Vec::new() } else { vec![format!("undetermined: {why}")] };
    }
    let outcome = if told.raises.is_empty() { "loads" } else { "raises" };
    if record["outcome"] != outcome {
        return vec![format!("told {outcome} {:?}, is {} {}", told.raises, record["outcome"], record["message"])];
    }
    if !told.raises.is_empty() {
        let theirs = comparable(record["message"].as_str().unwrap());
        let is_same = |raise: &&ckpt::analysis::Raise| {
            record["error"] == raise.class && same(&comparable(&raise.message), &theirs)
        };
        let is_open = told.notes.iter().any(|note| note.starts_with("another error may come first"));
        if !is_open && !told.raises.iter().any(|raise| is_same(&raise)) {
            let raise = &told.raises[0];
            let own = comparable(&raise.message);
            wrong.push(format!("message\n   told {} {own}\n   is   {} {theirs}", raise.class, record["error"]));
        }
        return wrong;
    }
    let Some(landed) = record["landed"].as_object() else { return wrong };
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    taken.extend(told.matched.iter().map(|found| (text(&found.name), text(&found.stored))));
    let silent = told.mismatched.iter().filter(|mismatch| mismatch.silent);
    taken.extend(silent.map(|mismatch| (text(&mismatch.name), text(&mismatch.stored))));
    let mut own: Vec<&str> = taken.values().map(String::as_str).collect();
    let mut theirs: Vec<&str> = landed.values().filter_map(Value::as_str).collect();
    own.sort_unstable();
    theirs.sort_unstable();
    if own != theirs {
        wrong.push(format!("told {own:?}, is {theirs:?}"));
    }
    // Names may not be known: Keras 2 does not write those of layers into its weights.
    let named = !(record["keras"] == 2 && (record["custom"] == true || told.model.contains("by its weights")));
    for (name, set) in taken.iter().filter(|_| named) {
        if landed.get(name).is_some_and(|landed| landed.as_str() != Some(set)) {
            wrong.push(format!("{name}: told {set}, is {}", landed[name]));
        }
    }
    if record["ok"].as_bool().is_some_and(|ok| ok != told.ok) {
        wrong.push(format!("called ok {}, which a person would not: {:?}", told.ok, told.mismatched));
    }
    if told.ok && record["meant"] == false {
        wrong.push("called ok, and not all of it is what was meant".to_owned());
    }
    wrong
}

/// Compares all pairs below a directory; how many there were, and what is wrong.
fn compare(dir: &Path) -> (usize, usize, Vec<String>) {
    let (mut pairs, mut unknown, mut all) = (0, 0, Vec::new());
    let mut cases: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    for case in cases {
        let Ok(text) = std::fs::read_to_string(case.join("pairs.json")) else { continue };
        let records: Value = serde_json::from_str(&text).unwrap();
        for record in records.as_array().unwrap() {
            for model in record["models"].as_array().unwrap() {
                pairs += 1;
                let model = model.as_str().unwrap();
                let told = predict(&case.join(record["file"].as_str().unwrap()), &case.join(model), &options(record));
                unknown += usize::from(told.undetermined.is_some());
                let found = wrong(&told, record);
                if !found.is_empty() {
                    let short = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
                    all.push(format!(
                        "{} {} into {model} ({}, keras {}, by_name {}, skip {})\n  {}",
                        case.file_name().unwrap().to_string_lossy(),
                        short("file"),
                        short("case"),
                        record["keras"],
                        record["by_name"],
                        record["skip_mismatch"],
                        found.join("\n  ")
                    ));
                }
            }
        }
    }
    (pairs, unknown, all)
}

#[test]
fn pairs_load_as_keras_loads_them() {
    let dir = std::env::var_os("CKPT_KERAS_PAIRS").map_or_else(testdata, PathBuf::from);
    let (pairs, unknown, wrong) = compare(&dir);
    println!("{pairs} pairs, {unknown} could not be told, {} wrong", wrong.len());
    assert!(pairs >= 20, "{pairs} pairs");
    assert!(wrong.is_empty(), "{} of {pairs} pairs:\n{}", wrong.len(), wrong.join("\n"));
}

/// Files that lie elsewhere in the fixtures, by a path below `testdata`.
fn told(file: &str, model: &str, options: &RestoreOptions) -> Restore {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    predict(&dir.join(file), &dir.join(model), options)
}

/// A file against itself is `load_model`: what the model was compiled with counts too.
#[test]
fn whole_models_are_loaded() {
    let whole = told("keras/keras3/whole.h5", "keras/keras3/whole.h5", &RestoreOptions::default());
    assert_eq!(whole.call, "keras.models.load_model");
    assert!(whole.raises[0].message.contains("'keras.metrics.mse'"), "{:?}", whole.raises);
    assert!(whole.hints[0].code[0].contains("compile=False"), "{:?}", whole.hints);
    // A class of the program makes its variables itself.
    let custom = told("keras/keras3/model.keras", "keras/keras3/model.keras", &RestoreOptions::default());
    assert!(
        custom.undetermined.as_ref().is_some_and(|why| why.contains("custom_objects")),
        "{:?}",
        custom.undetermined
    );
}

/// One side is TensorFlow's.
#[test]
fn checkpoints_and_files_of_keras_do_not_mix() {
    let refused = told("saver_v2/plain", "keras/keras3/model.keras", &RestoreOptions::default());
    assert!(refused.raises[0].message.starts_with("File format not supported: filepath="), "{:?}", refused.raises);
    let opened = told("keras/keras3/model.keras", "object_graph/keras3", &RestoreOptions::default());
    assert_eq!((opened.raises[0].class, opened.keras), ("DataLossError", None));
}

/// An option that would end the error is not proposed where it puts weights in the wrong place.
#[test]
fn advice_is_tried() {
    let file = "keras_restore/named_3/stack.weights.h5";
    let shorter = told(file, "keras_restore/named_3/shorter.config.json", &RestoreOptions::default());
    assert!(!shorter.ok && shorter.hints.iter().all(|hint| hint.options.is_empty()), "{:?}", shorter.hints);
    assert!(shorter.hints.iter().any(|hint| hint.text.contains("in the wrong place")), "{:?}", shorter.hints);
    let head = told(file, "keras_restore/named_3/new_head.config.json", &RestoreOptions::default());
    let hint = head.hints.iter().find(|hint| hint.repairs()).unwrap();
    assert_eq!((hint.option_words(), hint.restores), (vec!["--skip-mismatch".to_owned()], Some(6)));
}

// What `save_weights` of `tf_keras` writes has no names, and counts layers by their class: a program that made its layers
// in another order than it calls them has numbers in another order.
#[test]
fn layers_with_numbers_out_of_order_take_what_is_theirs() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keras/counted");
    let said: Value = serde_json::from_slice(&std::fs::read(dir.join("expected.json")).unwrap()).unwrap();
    assert_eq!(said["nameless"], true);
    let options = RestoreOptions { keras: Some(KerasProgram::Keras2), ..RestoreOptions::default() };
    let found = predict(&dir.join("nameless.weights.h5"), &dir.join("model.keras"), &options);
    assert!(found.mismatched.is_empty() && found.raises.is_empty(), "{found:?}");
    assert_eq!(found.matched.len(), 4, "{found:?}");
}
