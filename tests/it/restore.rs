//! Restores against TensorFlow's own: every pair of `testdata/restore`, and of the directory that `CKPT_PAIRS` names.
//!
//! `testdata/restore/make.py` restored each of them for real and wrote down what happened.
#![expect(clippy::print_stdout, reason = "says how many pairs were compared")]

use std::path::{Path, PathBuf};

use ckpt::analysis::{
    Hint, Listing, Model, Renames, Restore, RestoreOptions, Roles, Selector, Sort, expectation, restore,
};
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::report::{Format, ListText, Look, write_list};
use ckpt_synth::{BundleBuilder, dtype};
use serde_json::Value;

use crate::validating::written as write_bundle;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// Every pairs.json below `dir`.
fn groups(dir: &Path) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let dir = entry.unwrap().path();
        if let Ok(text) = std::fs::read_to_string(dir.join("pairs.json")) {
            found.push((dir, serde_json::from_str(&text).unwrap()));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

pub(crate) fn predict(checkpoint: &Path, model: &Path, options: &RestoreOptions) -> Restore {
    let checkpoint = Checkpoint::open(checkpoint, Choice::default(), &Limits::default()).unwrap();
    let models = Model::open(model, options.quick, &Limits::default()).unwrap();
    restore(&checkpoint, &models[0], options)
}

/// What the prediction gets wrong of a record.
pub(crate) fn wrong(told: &Restore, record: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let outcome = if told.raises.is_empty() { "restores" } else { "raises" };
    if record["outcome"] != outcome {
        wrong.push(format!("told {outcome} {:?}, is {} {}", told.raises, record["outcome"], record["message"]));
        return wrong;
    }
    if !told.raises.is_empty() {
        let message = record["message"].as_str().unwrap();
        // Names of Keras variables are counted up in a process; the model's file has those of another. Objects are told
        // by their paths, where TensorFlow prints what Python calls them.
        let core = |text: &str| {
            text.split(" and name ")
                .next()
                .and_then(|text| text.split("objects: [").next())
                .unwrap_or_default()
                .trim_end()
                .to_owned()
        };
        let lines = |text: &str| text.lines().map(core).filter(|line| !line.is_empty()).collect::<Vec<_>>();
        let said = |text: &str| lines(text).iter().all(|line| message.contains(line));
        if !told.raises.iter().any(|raise| raise.class == record["error"] && said(&raise.message)) {
            wrong.push(format!("told {:?}, is {} {message}", told.raises, record["error"]));
        }
        assert!(!told.ok, "it raises, and is said to be ok");
        return wrong;
    }
    for (name, holds) in [
        ("assert_consumed", told.assertions.as_ref().map(|a| a.consumed.is_ok())),
        ("assert_existing_objects_matched", told.assertions.as_ref().map(|a| a.existing_objects_matched.is_ok())),
        ("assert_nontrivial_match", told.assertions.as_ref().map(|a| a.nontrivial_match.is_ok())),
    ] {
        if let Some(expected) = record.get(name).and_then(Value::as_bool)
            && holds != Some(expected)
        {
            wrong.push(format!("{name}: told {holds:?}, is {expected}"));
        }
    }
    if let Some(shapes) = record.get("wrong_shape") {
        // The record has variables, which are parts where a variable is partitioned.
        let silent: Vec<&[u8]> = told.mismatched.iter().filter(|m| m.silent).map(|m| m.name.as_slice()).collect();
        let of_record = shapes.as_array().unwrap();
        if silent.is_empty() != of_record.is_empty() || told.mismatched.iter().any(|m| !m.silent) {
            wrong.push(format!("silent: told {silent:?}, is {shapes}"));
        }
        for name in &silent {
            if !of_record.iter().any(|var| var.as_str().unwrap().as_bytes().starts_with(name)) {
                wrong.push(format!("silent: told {}, is {shapes}", String::from_utf8_lossy(name)));
            }
        }
    }
    // Every variable that kept its value was told to be missing or without one.
    if let Some(kept) = record.get("unrestored").and_then(Value::as_u64) {
        let told_kept =
            told.missing.iter().filter(|m| !m.name.starts_with(b"save_counter/")).count() + told.unrestored.len();
        if kept != told_kept as u64 {
            wrong.push(format!("told {told_kept} variables without a value, is {kept}"));
        }
        if told.ok && kept > 0 {
            wrong.push("said to be ok, and variables kept their values".to_owned());
        }
    }
    wrong
}

fn compare(dir: &Path) -> (usize, usize, Vec<String>) {
    let (mut names, mut objects, mut all) = (0, 0, Vec::new());
    for (group, recorded) in groups(dir) {
        for record in recorded["pairs"].as_array().unwrap() {
            let (checkpoint, model) = (record["checkpoint"].as_str().unwrap(), record["model"].as_str().unwrap());
            let told = predict(&group.join(checkpoint), &group.join(model), &RestoreOptions::default());
            if told.assertions.is_some() || told.call.contains("Checkpoint") || told.call.contains("saved_model") {
                objects += 1;
            } else {
                names += 1;
            }
            let group = group.file_name().unwrap().to_string_lossy();
            all.extend(
                wrong(&told, record).into_iter().map(|why| format!("{group}: {checkpoint} into {model}: {why}")),
            );
        }
    }
    (names, objects, all)
}

#[test]
fn every_prediction_is_what_tensorflow_did() {
    let (names, objects, wrong) = compare(&testdata().join("restore"));
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), names + objects, wrong.join("\n"));
    assert!(names >= 30 && objects >= 60, "{names} name-based, {objects} object-based");
}

#[test]
fn predictions_for_generated_pairs() {
    let Some(dir) = std::env::var_os("CKPT_PAIRS") else {
        println!("skipped: CKPT_PAIRS names no directory that testdata/restore/make.py --out has filled");
        return;
    };
    let (names, objects, wrong) = compare(Path::new(&dir));
    println!("{names} name-based and {objects} object-based pairs");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), names + objects, wrong.join("\n"));
}

fn fits(checkpoint: &str, model: &str, options: &RestoreOptions) -> Restore {
    let dir = testdata().join("restore");
    predict(&dir.join(checkpoint), &dir.join(model), options)
}

/// The substitutions that a hint proposes.
fn maps(hint: &Hint) -> Vec<String> {
    hint.options.iter().filter(|(option, _)| *option == "--map").map(|(_, rule)| rule.clone()).collect()
}

#[test]
fn a_map_repairs_what_it_is_said_to_repair() {
    let told = fits("names/v0", "names/v4.meta", &RestoreOptions::default());
    let hint = told.hints.iter().find(|hint| !hint.options.is_empty()).expect("a map is proposed");
    let renames = Renames::parse(&maps(hint)).unwrap();
    let repaired = fits("names/v0", "names/v4.meta", &RestoreOptions { renames, ..RestoreOptions::default() });
    assert!(!told.ok && repaired.ok, "{repaired:?}");
}

// Names that changed throughout: the rules that are proposed make the checkpoint fit, and it is not called another model.
#[test]
fn names_of_another_kind_are_led_back_by_maps() {
    let cells = |names: [&str; 2]| {
        let name = |cell: usize, name: &str| name.replace('#', &cell.to_string());
        (0..2).flat_map(|cell| names.map(|text| name(cell, text))).collect::<Vec<_>>()
    };
    let pairs = [
        ((1..9).map(|n| format!("l/w{n}:0")).collect(), (1..9).map(|n| format!("l/w{n}")).collect()),
        ((1..9).map(|n| format!("l/w{n}")).collect(), (1..9).map(|n| format!("l/w{n}:0")).collect()),
        (
            cells([
                "RNN/MultiRNNCell/Cell#/BasicLSTMCell/Linear/Matrix",
                "RNN/MultiRNNCell/Cell#/BasicLSTMCell/Linear/Bias",
            ]),
            cells([
                "rnn/multi_rnn_cell/cell_#/basic_lstm_cell/kernel",
                "rnn/multi_rnn_cell/cell_#/basic_lstm_cell/bias",
            ]),
        ),
        (
            cells(["net/rnn/gru_cell_#/gates/weights", "net/rnn/gru_cell_N/gates/biases"]),
            cells(["net/rnn/gru_cell_#/gates/kernel", "net/rnn/gru_cell_N/gates/bias"]),
        ),
    ];
    for (stored, wanted) in pairs {
        let written = |names: &Vec<String>| {
            let mut builder = BundleBuilder::new();
            for (at, name) in names.iter().enumerate() {
                let len = at / 2 + 1 + 4 * (at % 2);
                builder = builder.tensor(name, dtype::FLOAT, &[i64::try_from(len).unwrap()], vec![0; 4 * len]);
            }
            write_bundle(builder)
        };
        let ((_a, checkpoint), (_b, model)) = (written(&stored), written(&wanted));
        let told = predict(&checkpoint, &model, &RestoreOptions::default());
        let hint = told.hints.iter().find(|hint| hint.text.starts_with("names were changed")).expect("a cause");
        assert!(told.hints.iter().all(|hint| !hint.text.contains("two different models")), "{:?}", told.hints);
        let renames = Renames::parse(&maps(hint)).unwrap();
        let repaired = predict(&checkpoint, &model, &RestoreOptions { renames, ..RestoreOptions::default() });
        assert!(!told.ok && repaired.ok, "{hint}\n{repaired:?}");
    }
}

#[test]
fn what_is_ignored_counts_for_nothing() {
    let ignore =
        |name: &str| RestoreOptions { ignore: Selector::parse(&[name], false).unwrap(), ..RestoreOptions::default() };
    // A resource variable of another shape, a tensor that is missing, and an object.
    assert!(fits("names/v0", "names/v2.meta", &ignore("model/bias")).ok);
    assert!(!fits("names/v0", "names/v2.meta", &ignore("model/kernel")).ok);
    assert!(fits("names/v0", "names/v5.meta", &ignore("extra")).ok);
    let partial = fits("objects/v0", "objects/v3", &ignore("net"));
    assert!(partial.missing.is_empty() && partial.ok, "{partial:?}");
    let only = RestoreOptions { only: Selector::parse(&["model"], false).unwrap(), ..RestoreOptions::default() };
    assert!(fits("names/v0", "names/v5.meta", &only).missing.is_empty());
}

#[test]
fn a_spec_says_what_the_model_says() {
    let dir = testdata().join("restore");
    let spec_dir = tempfile::tempdir().unwrap();
    for (group, models) in [("names", 0..9), ("hidden_units", 0..2)] {
        for model in models {
            let meta = dir.join(group).join(format!("v{model}.meta"));
            let wanted = expectation(&Model::open(&meta, false, &Limits::default()).unwrap()[0], &Limits::default());
            let roles = Roles::of(&wanted);
            let all = Selector::default().select(&wanted);
            let mut json = Vec::new();
            let listing = Listing::new(&wanted, &roles, all, Sort::Name, false, None);
            let rows = ListText::Rows { long: false };
            write_list(&listing, Format::Json, rows, Look::default(), &mut json).unwrap();
            let spec = spec_dir.path().join("spec.json");
            std::fs::write(&spec, json).unwrap();
            for checkpoint in 0..2 {
                let checkpoint = dir.join(group).join(format!("v{checkpoint}"));
                let (a, b) = (
                    predict(&checkpoint, &meta, &RestoreOptions::default()),
                    predict(&checkpoint, &spec, &RestoreOptions::default()),
                );
                let lists = |told: &Restore| {
                    let missing: Vec<_> = told.missing.iter().map(|missing| missing.name.clone()).collect();
                    let mismatched: Vec<_> = told.mismatched.iter().map(|mismatch| mismatch.name.clone()).collect();
                    (told.matched.len(), missing, mismatched)
                };
                // A spec has no reshape=True and no resource variables; what fits and what does not is the same.
                if model != 8 {
                    assert_eq!(lists(&a), lists(&b), "{} into {}", checkpoint.display(), meta.display());
                }
            }
        }
    }
}

#[test]
fn with_quick_nothing_is_claimed_that_needs_the_object_graph() {
    let quick = RestoreOptions { quick: true, ..RestoreOptions::default() };
    let dir = testdata().join("restore");
    for (group, recorded) in groups(&dir) {
        for record in recorded["pairs"].as_array().unwrap() {
            let (checkpoint, model) = (record["checkpoint"].as_str().unwrap(), record["model"].as_str().unwrap());
            let told = predict(&group.join(checkpoint), &group.join(model), &quick);
            let full = predict(&group.join(checkpoint), &group.join(model), &RestoreOptions::default());
            let name = format!("{}: {checkpoint} into {model}", group.display());
            assert!(!told.ok || full.ok, "{name}: ok without the graph, and not with it");
            assert!(told.ok || !full.ok || told.undetermined.is_some(), "{name}: not ok without the graph: {told:?}");
        }
    }
}

/// A damaged model is an answer or an error, never a panic.
#[test]
fn damaged_models_are_read_or_refused() {
    let dir = testdata().join("restore");
    let place = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::open(&dir.join("names/v0"), Choice::default(), &Limits::default()).unwrap();
    let mut restored = 0;
    for (file, to) in [("names/v6.meta", "model.meta"), ("objects/m0/saved_model.pb", "saved_model.pb")] {
        let whole = std::fs::read(dir.join(file)).unwrap();
        let path = place.path().join(to);
        for at in (0..whole.len()).step_by(37) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x15;
            for bytes in [bytes.as_slice(), &whole[..at]] {
                std::fs::write(&path, bytes).unwrap();
                for model in Model::open(&path, false, &Limits::default()).unwrap_or_default() {
                    let _ = restore(&checkpoint, &model, &RestoreOptions::default());
                    restored += 1;
                }
            }
        }
    }
    assert!(restored > 100, "only {restored} damaged models could be read");
}

// Slots of one optimizer are no slots of another, however alike their shapes are.
#[test]
fn slots_are_not_led_to_those_of_another_optimizer() {
    let save = |slots: &[&str]| {
        let mut builder = BundleBuilder::new();
        for n in 0..4u64 {
            let own = format!("net/layer_{n}/kernel");
            let all = std::iter::once(own.clone()).chain(slots.iter().map(|slot| format!("{own}/{slot}")));
            builder = all.fold(builder, |builder, name| builder.tensor(name, dtype::FLOAT, &[9], [1; 36]));
        }
        write_bundle(builder)
    };
    let [(_a, momentum), (_b, adam)] = [&["Momentum"][..], &["Adam", "Adam_1"]].map(save);
    let told = predict(&momentum, &adam, &RestoreOptions::default());
    let maps = |told: &Restore| {
        let options = told.hints.iter().flat_map(|hint| &hint.options);
        options.filter(|(name, _)| *name == "--map").map(|(_, rule)| rule.clone()).collect::<Vec<_>>()
    };
    assert!(maps(&told).is_empty(), "{:?}", told.hints);
    assert!(told.hints.iter().any(|hint| hint.text.contains("state of the optimizer")), "{:?}", told.hints);
}
