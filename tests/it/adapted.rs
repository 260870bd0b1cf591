//! Models of Keras that were changed after they were made, or whose layers store other variables than they train: names,
//! counts, pairs across formats, and whether weights load, as Keras says.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ckpt::analysis::{KerasModel, Names, Objects, Roles};
use serde_json::{Value, json};

use crate::support::{open, testdata};
use crate::validating::ckpt_says;

const MODELS: [&str; 5] = ["quantized", "lora", "attention", "scaled", "factored"];

/// The forms with a configuration in which Keras can save a model.
fn forms(model: &str) -> &'static [&'static str] {
    if model == "factored" { &["model.keras"] } else { &["model.keras", "whole.h5"] }
}

fn case() -> PathBuf {
    testdata().join("keras/adapted")
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(case().join("expected.json")).unwrap()).unwrap()
}

fn path(model: &str, form: &str) -> String {
    case().join(model).join(form).to_str().unwrap().to_owned()
}

/// The names that the library gives.
fn names(path: &str) -> BTreeMap<String, String> {
    let checkpoint = open(&case().join(path)).unwrap();
    let names = Names::of(&checkpoint, &Roles::of(&checkpoint), &Objects::of(&checkpoint));
    let named = checkpoint.tensors().iter().enumerate().filter_map(|(at, tensor)| {
        let own = names.get(at)?.full_name.as_deref()?.to_owned();
        Some((String::from_utf8(tensor.name).unwrap(), own))
    });
    named.collect()
}

#[test]
fn variables_are_called_as_keras_calls_them() {
    let json = expected();
    let more = json["checkpoints"].as_array().unwrap();
    let mut compared = 0;
    for document in std::iter::once(&json).chain(more) {
        let prefix = document["prefix"].as_str().unwrap();
        let got = names(prefix);
        for (path, want) in document["names"].as_object().unwrap() {
            let want = want.as_str().unwrap();
            // Zeros, which several have; what is in the file twice; and what weights alone do not say.
            let is_learned = path.contains("lora_") || want.contains("lora_");
            let is_copy = path == "layers/spectral_normalization/vars/0";
            // Keras calls the factors of Adafactor all the same: they have names of their own here.
            let is_factor =
                prefix.starts_with("factored") && want.matches('/').count() < 2 && !want.contains("velocity");
            let is_outer = prefix.starts_with("scaled") && path.starts_with("optimizer/vars/");
            let is_alone = prefix.ends_with(".weights.h5")
                && (path.starts_with("optimizer/")
                    || prefix.starts_with("quantized")
                    || path.contains("/attention/")
                    || path.contains("n/layer/"));
            if is_learned || is_copy || is_factor || is_outer || is_alone {
                continue;
            }
            let got = got.get(path).map(String::as_str).unwrap_or_default();
            assert!(want == got || want.ends_with(&format!("/{got}")), "{prefix} {path}: {got}, want {want}");
            compared += 1;
        }
    }
    assert!(compared > 150, "{compared} names were compared");
    // An array of whole numbers is no kernel beside a bias: which of three `dense` has, weights alone do not say.
    assert_eq!(names("quantized/model.weights.h5")["layers/dense_1/vars/1"], "layers/dense_1/1");
    let scaled = names("scaled/model.keras");
    assert_eq!(scaled["optimizer/vars/2"], "loss_scale_optimizer/step_counter");
    assert_eq!(scaled["optimizer/vars/3"], "loss_scale_optimizer/dynamic_scale");
}

#[test]
fn what_is_trained_is_counted_once() {
    let want = expected();
    for model in MODELS {
        for form in forms(model) {
            let checkpoint = open(&case().join(model).join(form)).unwrap();
            let found = KerasModel::of(&checkpoint).unwrap();
            let learned = if (model, *form) == ("lora", "whole.h5") { 7 } else { 0 };
            let counts = json!({"trainable": found.trainable - learned, "untrained": found.untrained});
            assert_eq!(counts, want["counts"][model], "{model}/{form}");
        }
    }
}

#[test]
fn every_form_of_a_model_is_the_same() {
    let alike = [
        ("quantized", &["model.keras", "whole.h5"][..]),
        ("attention", &["whole.h5", "ckpt"]),
        ("factored", &["model.keras", "ckpt"]),
    ];
    for (model, forms) in alike {
        for a in forms {
            for b in forms.iter().filter(|b| *b != a) {
                let said = ckpt_says(0, &["diff", &path(model, a), &path(model, b)]);
                assert!(said.contains("same: "), "{model} {a} {b}: {said}");
            }
        }
    }
    // The names of what a layer makes when it is quantized lack the model's. Where nothing is left of what it made before,
    // no name says which model it is in.
    for form in ["model.keras", "whole.h5"] {
        let said = ckpt_says(1, &["diff", &path("quantized", form), &path("quantized", "ckpt")]);
        assert!(said.contains("differ: 2 added · 2 removed · 7 identical by value"), "{form}: {said}");
    }
    // What Keras exports holds every variable twice: that is no difference.
    let only = ["--only", "role:weight", "--ignore", "layers/spectral_normalization/vars/0"];
    for form in ["model.keras", "whole.h5", "ckpt"] {
        let (a, b) = (path("attention", form), path("attention", "export"));
        let said = ckpt_says(0, &["diff", &a, &b, only[0], only[1], only[2], only[3]]);
        assert!(said.contains("same: ") && said.contains("a copy of the variable of the same name"), "{form}: {said}");
    }
    // What is left of the others is told by its name: the variables of LoRA, and what is in a file twice.
    let said = ckpt_says(1, &["diff", &path("lora", "model.keras"), &path("lora", "ckpt"), "--only", "role:weight"]);
    assert!(said.contains("2 added · 4 identical by value"), "{said}");
    let said = ckpt_says(1, &["diff", &path("scaled", "model.keras"), &path("scaled", "ckpt")]);
    assert!(said.contains("10 removed · 20 identical by value"), "{said}");
    assert!(!said.contains(" added"), "{said}");
    // The names of weights alone lack the model's; those of two optimizers do not begin with it.
    let (a, b) = (path("scaled", "model.weights.h5"), path("scaled", "ckpt"));
    let said = ckpt_says(0, &["diff", &a, &b, "--only", "role:weight"]);
    assert!(said.contains("6 identical by value"), "{said}");
}

#[test]
fn what_nothing_trains_is_a_weight_of_an_export_too() {
    let checkpoint = open(&case().join("attention/export")).unwrap();
    let roles = Roles::of(&checkpoint);
    for (at, tensor) in checkpoint.tensors().iter().enumerate() {
        let name = String::from_utf8(tensor.name).unwrap();
        let is_of_model = name.starts_with("variables/") || name.starts_with("_all_variables/");
        assert!(!is_of_model || roles.role(at).name() == "weight", "{name}: {}", roles.role(at).name());
    }
    let frozen = open(&testdata().join("keras/across/tf_keras_sequential/export")).unwrap();
    let roles = Roles::of(&frozen);
    let at = frozen.tensors().find(b"layer_with_weights-1/moving_mean/.ATTRIBUTES/VARIABLE_VALUE").unwrap();
    assert_eq!(roles.role(at).name(), "weight");
}

#[test]
fn weights_of_grouped_attention_load() {
    let weights = path("attention", "model.weights.h5");
    let said = ckpt_says(0, &["validate", &weights, "--against", &path("attention", "model.keras")]);
    assert!(said.contains("loads completely"), "{said}");
}

#[test]
fn variables_of_one_name_are_written_under_several() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("named.safetensors");
    let out = out.to_str().unwrap();
    let said = ckpt_says(0, &["convert", &path("factored", "ckpt"), "-o", out, "--names"]);
    assert!(said.contains("12 are called after their variable"), "{said}");
    let listed = ckpt_says(0, &["list", out]);
    for name in ["sequential/dense/kernel/r", "sequential/dense/kernel/c", "sequential/dense_1/bias/r"] {
        assert!(listed.contains(name), "{name}: {listed}");
    }
}
