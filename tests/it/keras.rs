//! Files of Keras: names, layers and counts as both Kerases say them, damage to what they list, code in configurations.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ckpt::analysis::{KerasModel, Names, Objects, Roles};
use serde_json::{Value, json};

use crate::support::{open, testdata};
use crate::validating::{ckpt, ckpt_says};

const CASES: [&str; 2] = ["keras/keras3", "keras/tf_keras"];

fn expected(case: &str) -> Value {
    serde_json::from_slice(&fs::read(testdata().join(case).join("expected.json")).unwrap()).unwrap()
}

fn documents(case: &str) -> Vec<Value> {
    let json = expected(case);
    let more = json["checkpoints"].as_array().unwrap().clone();
    std::iter::once(json).chain(more).collect()
}

/// The names that the library gives.
fn names(path: &Path) -> BTreeMap<String, Option<String>> {
    let checkpoint = open(path).unwrap();
    let names = Names::of(&checkpoint, &Roles::of(&checkpoint), &Objects::of(&checkpoint));
    let named = checkpoint.tensors().iter().enumerate().map(|(at, tensor)| {
        let own = names.get(at).and_then(|name| name.full_name.as_deref()).map(str::to_owned);
        (String::from_utf8(tensor.name).unwrap(), own)
    });
    named.collect()
}

#[test]
fn variables_are_called_as_keras_calls_them() {
    let mut compared = 0;
    for case in CASES {
        for document in documents(case) {
            let prefix = document["prefix"].as_str().unwrap();
            let got = names(&testdata().join(case).join(prefix));
            for (path, want) in document["names"].as_object().unwrap() {
                let is_listed = prefix.strip_suffix(".h5").is_some_and(|stem| !stem.ends_with(".weights"));
                // What no file says: variables of classes that only the program knows, of optimizers by their number, of
                // metrics; and everything in the one form that has no names at all.
                let of_own_class = want.as_str().unwrap().contains("scale_factor");
                let unknown = path == "layers/scale/vars/0"
                    || of_own_class
                    || path == "vars/0"
                    || path.starts_with("optimizer/") && path != "optimizer/vars/0" && !prefix.contains(".keras")
                    || path.starts_with("metrics/")
                    || (case, prefix) == ("keras/tf_keras", "model.weights.h5");
                if unknown && !is_listed {
                    continue;
                }
                let short = |name: &str| name.trim_end_matches(":0").rsplit("adam/").next().unwrap().to_owned();
                let want = short(want.as_str().unwrap());
                let got = short(got[path].as_deref().unwrap_or_default());
                assert!(
                    got == want || got == format!("optimizer/{want}"),
                    "{case}/{prefix} {path}: {got}, want {want}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 400, "{compared} names were compared");
}

#[test]
fn layers_and_parameters_are_those_of_the_model() {
    for (case, files) in [
        ("keras/keras3", &["model.keras", "packed.keras", "whole.h5"][..]),
        ("keras/tf_keras", &["model.keras", "whole.h5"]),
    ] {
        let want = expected(case);
        for file in files {
            let checkpoint = open(&testdata().join(case).join(file)).unwrap();
            let model = KerasModel::of(&checkpoint).unwrap();
            let layers: Vec<&str> = model.top().map(|layer| layer.name.as_str()).collect();
            assert_eq!(json!(layers), want["layers"], "{case}/{file}");
            let counts = json!({"trainable": model.trainable, "untrained": model.untrained});
            assert_eq!(counts, want["counts"], "{case}/{file}");
            let of_layers: u64 = model.top().map(|layer| layer.parameters).sum();
            assert_eq!(of_layers, model.trainable + model.untrained, "{case}/{file}");
            // As it was given to compile: a class or its name.
            let optimizer = model.optimizer.as_deref().map(str::to_lowercase);
            assert_eq!(optimizer.as_deref(), Some("adam"), "{case}/{file}");
            assert_eq!((model.loss.as_deref(), &model.metrics[..]), (Some("mse"), &["mae".to_owned()][..]));
            let frozen: Vec<&str> =
                model.top().filter(|layer| layer.trainable == Some(false)).map(|layer| layer.name.as_str()).collect();
            assert_eq!(frozen, ["frozen"], "{case}/{file}");
        }
    }
}

#[test]
fn all_forms_of_one_model_have_the_same_values() {
    let dir = testdata().join("keras/keras3");
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    for other in ["packed.keras", "model.weights.h5", "set", "set/model.weights.json"] {
        let said = ckpt_says(0, &["diff", &path("model.keras"), &path(other)]);
        assert!(said.contains("93 identical by value"), "{other}: {said}");
    }
    let said = ckpt_says(0, &["validate", &path("model.keras")]);
    assert!(said.contains("intact · 93 of 93"), "{said}");
    for no_sums in ["whole.h5", "set"] {
        let said = ckpt_says(0, &["validate", &path(no_sums)]);
        assert!(said.contains("whole · 93 of 93") && said.contains("no checksums"), "{said}");
    }
}

#[test]
fn a_flipped_bit_in_an_archive_is_found_by_its_checksum() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(testdata().join("keras/keras3/model.keras")).unwrap();
    let start = (0..whole.len()).find(|at| whole[*at..].starts_with(b"\x89HDF")).unwrap();
    let path = dir.path().join("model.keras");
    for at in (start + 2048..whole.len() - 1024).step_by(7919) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let output = ckpt(&["validate", path.to_str().unwrap()]);
        assert_ne!(output.status.code(), Some(0), "at {at}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

// One checksum is that of all tensors: one fault is one finding, and says whom it affects.
#[test]
fn one_wrong_checksum_of_many_tensors_is_one_finding() {
    let mut bytes = fs::read(testdata().join("keras/keras3/model.keras")).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0x10;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.keras");
    fs::write(&path, bytes).unwrap();
    let output = ckpt(&["validate", path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["explains"]["tensors"], report["checked"]["tensors"]);
    assert!(findings[0]["message"].as_str().unwrap().contains("CRC-32"));
}

#[test]
fn lists_are_compared_with_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("weights.h5");
    let mut bytes = fs::read(testdata().join("keras/tf_keras/legacy.h5")).unwrap();
    // A name in the heap of a group, not one of those in a list of weight_names.
    let names = b"kernel:0\0\0\0\0\0\0\0\0bias:0\0\0";
    let at = (0..bytes.len()).find(|at| bytes[*at..].starts_with(names)).expect("a layer with kernel and bias");
    bytes[at + 21] = b'9';
    fs::write(&path, &bytes).unwrap();
    let output = ckpt(&["validate", path.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("weight_names has it, and the file has no such data set"), "{said}");
    assert!(said.contains("bias:9") && said.contains("Keras does not load it"), "{said}");
    // Behind a list of layers that is split, nothing is lost.
    let model = KerasModel::of(&open(&testdata().join("keras/tf_keras/split.h5")).unwrap()).unwrap();
    assert_eq!((model.top().count(), model.trainable), (20, 20 * 6));
}

#[test]
fn a_set_without_one_of_its_files_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(testdata().join("keras/keras3/set")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    fs::remove_file(dir.path().join("model_00001.weights.h5")).unwrap();
    let output = ckpt(&["list", dir.path().to_str().unwrap()]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(out.contains("layers/embedding/vars/0") && err.contains("model_00001.weights.h5"), "{out}{err}");
    let list = dir.path().join("model.weights.json");
    let outside = json!({"weight_map": {"/layers/dense/vars": "../elsewhere.h5", "/layers/embedding/vars": "model_00000.weights.h5"}});
    fs::write(&list, outside.to_string()).unwrap();
    let output = ckpt(&["list", list.to_str().unwrap()]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("elsewhere.h5, which is no file beside it"), "{err}");
    // What a file lacks that is there is told whatever else is wrong; what is in a lost file is not told twice.
    let both = json!({"weight_map": {"/layers/nowhere/vars": "model_00000.weights.h5", "/layers/lost/vars": "model_00001.weights.h5",
        "/layers/embedding/vars": "model_00000.weights.h5"}});
    fs::write(&list, both.to_string()).unwrap();
    let err = ckpt(&["list", list.to_str().unwrap()]).stderr;
    let err = String::from_utf8_lossy(&err);
    assert!(err.contains("layers/nowhere/vars: list of weights: the list has this group"), "{err}");
    assert!(err.contains("model_00001.weights.h5") && !err.contains("layers/lost"), "{err}");
}

#[test]
fn code_is_found_in_archives_and_in_attributes() {
    let path = |name: &str| testdata().join(name).to_str().unwrap().to_owned();
    for file in
        ["keras/keras3/code.keras", "keras/keras3/code.h5", "keras/tf_keras/model.keras", "keras/tf_keras/whole.h5"]
    {
        let said = ckpt_says(1, &["ops", &path(file)]);
        assert!(said.contains("keras-lambda") && said.contains("double holds"), "{file}: {said}");
        assert!(!said.contains("Adam"), "an optimizer of Keras is not foreign: {said}");
    }
    // A layer of the program's own, in a member that is deflated.
    let said = ckpt_says(0, &["ops", &path("keras/keras3/packed.keras")]);
    assert!(said.contains("keras-foreign-object") && said.contains("cases>Scale"), "{said}");
    // Weights alone have nothing to look at, and nothing is not called clean.
    for file in ["keras/tf_keras/legacy.h5", "keras/keras3/model.weights.h5", "hdf5/types/oldest.h5"] {
        let output = ckpt(&["ops", &path(file)]);
        assert_eq!(output.status.code(), Some(2), "{file}");
    }
}

#[test]
fn the_layers_are_shown_in_the_order_of_the_model() {
    let path = testdata().join("keras/tf_keras/model.keras");
    let said = ckpt_says(0, &["graph", path.to_str().unwrap()]);
    let at = |what: &str| said.find(what).unwrap_or_else(|| panic!("{what} is not in {said}"));
    assert!(at("words  Embedding") < at("inner  Sequential") && at("norm  BatchNormalization") < at("out  Dense"));
    assert!(said.contains("query/kernel  float32 2×1×2"), "{said}");
    let said = ckpt_says(0, &["graph", path.to_str().unwrap(), "--format", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["from"], &said["nodes"][0]["class"]), (&json!("keras"), &json!("Functional")));
    let mut layers: Vec<Value> =
        said["nodes"][0]["children"].as_array().unwrap().iter().map(|child| child["name"].clone()).collect();
    assert_eq!(layers.pop(), Some(json!("optimizer")));
    assert_eq!(Value::Array(layers), expected("keras/tf_keras")["layers"]);
    let said = ckpt_says(0, &["list", "--names", path.to_str().unwrap()]);
    let at = |what: &str| said.find(what).unwrap_or_else(|| panic!("{what} is not in {said}"));
    assert!(at("words/embeddings") < at("first/kernel") && at("out/kernel") < at("optimizer"));
}
