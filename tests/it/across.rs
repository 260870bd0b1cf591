//! `diff` across formats: the same variables under the names that each format gives them. Every variable of a fixture has
//! a value of its own, the same in all forms, so that a pair is right if and only if its tensors are equal.

use std::fs;
use std::path::{Path, PathBuf};

use ckpt::analysis::diff::{Diff, DiffOptions, PairedBy, Status, diff};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY};

use crate::support::{open, testdata};
use crate::validating::ckpt_says;

/// Every form of a model, as it is written in its directory.
const FORMS: [&str; 8] =
    ["model.keras", "model.weights.h5", "whole.h5", "ckpt", "root", "export", "saver", "names.safetensors"];

fn forms(model: &Path) -> impl Iterator<Item = (&'static str, Checkpoint)> {
    FORMS.iter().filter_map(move |form| Some((*form, open(&model.join(form)).ok()?)))
}

fn models() -> Vec<PathBuf> {
    let dir = testdata().join("keras/across");
    let mut models: Vec<PathBuf> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    models.sort();
    models
}

fn all(a: &Checkpoint, b: &Checkpoint) -> (Vec<(Status, PairedBy, String)>, Vec<String>) {
    let options = DiffOptions { keep_identical: true, threads: 1, ..DiffOptions::default() };
    let Diff { changes, notes, .. } = diff(a, b, &options, &Progress::default()).unwrap();
    let is_graph = |name: &[u8]| name == OBJECT_GRAPH_KEY;
    let told = changes.iter().filter(|change| !is_graph(change.name()));
    let told = told.map(|change| (change.status, change.paired, String::from_utf8_lossy(change.name()).into_owned()));
    (told.collect(), notes)
}

#[test]
fn no_pair_is_wrong() {
    let mut pairs = 0;
    for model in models() {
        for (a_form, a) in forms(&model) {
            for (b_form, b) in forms(&model).filter(|(form, _)| *form != a_form) {
                for (status, how, name) in all(&a, &b).0 {
                    let is_right = matches!(status, Status::Identical | Status::Added | Status::Removed);
                    assert!(is_right, "{model:?} {a_form} {b_form}: {name} {status:?} paired by {how:?}");
                    pairs += usize::from(status == Status::Identical);
                }
            }
        }
    }
    assert!(pairs > 5000, "{pairs} pairs were compared");
}

/// Whether what is left is what only one of the two has, or what nobody can know.
fn may_be_left(model: &str, name: &str, (a_form, b_form): (&str, &str)) -> bool {
    let has = |form: &str| a_form == form || b_form == form;
    let is_of_keras = |form: &str| matches!(form, "model.keras" | "model.weights.h5" | "whole.h5");
    // Counts, copies and metrics that one form alone has; the learning rate is in no file of Keras 2.
    name.contains("save_counter")
        || name.starts_with("_all_variables/")
        || name.starts_with("metrics/")
        || name.contains("keras_api/metrics/")
        || name.contains("learning_rate")
        || has("export")
        // The states of generators and of metrics are in the names alone.
        || name.contains("seed_generator")
        || ["loss/", "total", "count"].iter().any(|part| name.contains(part))
        // Weights alone of Keras 2 have no names; those of Keras 3 do not say in which order they are trained.
        || (has("model.weights.h5") && (model.starts_with("tf_keras") || name.starts_with("optimizer/vars/") || a_slot(name)))
        // Of a class no file says in which order its layers are, and object graphs have names without the layers.
        || (model.ends_with("subclassed") && (is_of_keras(a_form) || is_of_keras(b_form) || has("ckpt") || has("root")))
}

fn a_slot(name: &str) -> bool {
    ["momentum", "velocity", "/m/", "/v/"].iter().any(|part| name.contains(part)) || name.contains("learning_rate")
}

#[test]
fn all_variables_find_their_partners() {
    for model in models() {
        let name_of_model = model.file_name().unwrap().to_str().unwrap().to_owned();
        for (a_form, a) in forms(&model) {
            for (b_form, b) in forms(&model).filter(|(form, _)| *form != a_form) {
                for (status, _, name) in all(&a, &b).0 {
                    let is_left = matches!(status, Status::Added | Status::Removed);
                    assert!(
                        !is_left || may_be_left(&name_of_model, &name, (a_form, b_form)),
                        "{name_of_model} {a_form} {b_form}: {name} {status:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn it_is_said_how_pairs_were_found_and_what_is_left() {
    let dir = testdata().join("keras/across");
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let said = ckpt_says(0, &["diff", &path("keras3_sequential/whole.h5"), &path("keras3_sequential/ckpt")]);
    assert!(said.contains("28 pairs paired by names of layers and variables"), "{said}");
    assert!(said.contains("same: 28 identical by value · 1 not compared"), "{said}");
    assert!(said.contains("not compared: _CHECKPOINTABLE_OBJECT_GRAPH of B: the object graph, only in"), "{said}");
    let (a, b) = ("tf_keras_sequential/model.weights.h5", "tf_keras_sequential/ckpt");
    let (_, notes) = all(&open(&dir.join(a)).unwrap(), &open(&dir.join(b)).unwrap());
    let why = "tensors of A are not paired: the file does not say which variables they are";
    assert!(notes.iter().any(|note| note.ends_with(why)), "{notes:?}");
    // By names alone nothing but what is called alike.
    let said =
        ckpt_says(1, &["diff", "--pair", "name", &path("keras3_sequential/whole.h5"), &path("keras3_sequential/ckpt")]);
    assert!(!said.contains("paired by names of layers"), "{said}");
}

#[test]
fn the_same_path_is_not_the_same_variable_in_every_keras() {
    let dir = testdata().join("keras/across");
    let (a, b) = ("tf_keras_sequential/model.keras", "keras3_sequential/model.keras");
    let (told, notes) = all(&open(&dir.join(a)).unwrap(), &open(&dir.join(b)).unwrap());
    assert!(notes.iter().any(|note| note.contains("are other variables in B than in A")), "{notes:?}");
    let changed: Vec<_> = told.iter().filter(|(status, ..)| *status != Status::Identical).collect();
    let of_weights = changed.iter().filter(|(_, _, name)| name.starts_with("layers/")).count();
    assert_eq!(of_weights, 0, "{changed:?}");
    // The learning rate is the second variable of the one and in no file of the other: everything behind it has moved.
    assert!(told.iter().all(|(status, ..)| *status != Status::Shape && *status != Status::DType), "{told:?}");
}

/// A safetensors file of zeros with these names and lengths.
fn safetensors(path: &Path, tensors: &[(&str, usize)]) {
    let (mut rows, mut at) = (Vec::new(), 0);
    for (name, count) in tensors {
        rows.push(format!(r#""{name}":{{"dtype":"F32","shape":[{count}],"data_offsets":[{at},{}]}}"#, at + count * 4));
        at += count * 4;
    }
    let header = format!("{{{}}}", rows.join(","));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + at, 0);
    fs::write(path, bytes).unwrap();
}

#[test]
fn layers_that_are_numbered_otherwise_are_not_taken_for_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.safetensors");
    // The fixture has dense, dense_1 and named, below the name of its model.
    let names = ["sequential/dense_1/bias", "sequential/dense_2/bias", "sequential/named/bias"];
    safetensors(&path, &names.map(|name| (name, 2)));
    let model = open(&testdata().join("keras/across/keras3_sequential/model.keras")).unwrap();
    let (told, notes) = all(&model, &open(&path).unwrap());
    let paired: Vec<&String> = told.iter().filter(|row| row.1 == PairedBy::Layer).map(|row| &row.2).collect();
    assert_eq!(paired, ["sequential/named/bias"], "{told:?}");
    assert!(notes.iter().any(|note| note.contains("number these layers differently")), "{notes:?}");
    // Where one has all numbers of the other, the numbers are taken at their word.
    safetensors(&path, &[("sequential/dense/bias", 2), ("sequential/dense_1/bias", 1)]);
    let (told, notes) = all(&model, &open(&path).unwrap());
    let paired = told.iter().filter(|row| row.1 == PairedBy::Layer).count();
    assert_eq!((paired, notes.len()), (2, 0), "{told:?} {notes:?}");
}

#[test]
fn the_same_number_in_two_optimizers_is_not_the_same_slot() {
    let dir = testdata().join("keras/across");
    for (a, b) in
        [("tf_keras_sequential/ckpt", "keras3_sequential/ckpt"), ("keras3_functional/ckpt", "tf_keras_functional/root")]
    {
        let (told, notes) = all(&open(&dir.join(a)).unwrap(), &open(&dir.join(b)).unwrap());
        let slots = told.iter().filter(|(_, _, name)| name.contains("/_variables/"));
        let wrong: Vec<_> = slots.filter(|row| matches!(row.0, Status::Shape | Status::DType)).collect();
        assert!(wrong.is_empty(), "{a} {b}: {wrong:?} {notes:?}");
    }
}

// A class of the program's own has names in one file and numbers in the other; the order of the model tells.
#[test]
fn variables_of_an_unknown_class_are_paired_by_their_place_in_the_model() {
    let dir = testdata().join("keras/counted");
    let (a, b) = (open(&dir.join("own.h5")).unwrap(), open(&dir.join("own.keras")).unwrap());
    let (told, _) = all(&a, &b);
    assert_eq!(told.len(), 4, "{told:?}");
    for (status, how, name) in told {
        assert_eq!((status, how), (Status::Identical, PairedBy::Layer), "{name}");
    }
}
