//! Why a restore fails, and what repairs it: every pair of `testdata/restore_causes`.
//!
//! `make.py` there followed the advice in TensorFlow, options and lines of Python as they are printed, and refused any
//! value that is not the right one; so the advice must stay the one that was followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use ckpt::analysis::{Renames, RestoreOptions, Selector};
use serde_json::Value;

use crate::restore::{predict, wrong};
use crate::support::testdata;
use crate::validating::{ckpt, copy};

/// What must be said of each case, in words that hold for its kind, and what must not.
const SAID: &[(&str, &[&str], &[&str])] = &[
    ("new_head", &["2 tensors of the model are new: head3/bias, head3/kernel", "dense_5", "the other 2 fit"], &[]),
    ("new_head_with_slots", &["4 tensors of the model are new", "the other 4 fit"], &["optimizer"]),
    ("adapters", &["20 tensors of the model are new", "the other 20 fit"], &[]),
    ("classes", &["number of classes", "leave them out and train them anew: the other 2 fit"], &[]),
    ("partitioned_vocabulary", &["vocabulary has another size", "the other 1 fits"], &[]),
    ("scope_added", &["names were changed", "finds 4 of the 4 missing"], &[]),
    ("scope_removed", &["names were changed", "finds 4 of the 4 missing"], &[]),
    ("scope_and_head", &["finds 4 of the 6 missing", "2 tensors of the model are new: task/"], &[]),
    ("infix", &["finds 12 of the 12 missing"], &[]),
    ("suffix_output", &["finds 4 of the 4 missing"], &[]),
    ("dots", &["finds 4 of the 4 missing"], &[]),
    ("dots_and_scope", &["finds 4 of the 4 missing"], &[]),
    ("suffix_and_infix", &["finds 6 of the 6 missing"], &[]),
    ("numbered_layers", &["names were changed", "finds 4 of the 4 missing"], &["likely"]),
    ("numbered_dots", &["names were changed", "finds 6 of the 6 missing"], &["likely"]),
    ("numbered_padded", &["names were changed", "finds 2 of the 2 missing"], &["likely"]),
    (
        "numbered_from_one",
        &["finds 3 of the 3 missing", "likely and not certain", "counted from 1 and not from 0"],
        &[],
    ),
    ("renamed_throughout", &["finds 8 of the 8 missing", "likely and not certain", "how alike their names are"], &[]),
    ("renamed_beyond_telling", &["named differently throughout"], &["names were changed"]),
    ("cells_before_1_0", &["TensorFlow 1.0 and 1.2 renamed", "finds 4 of the 4 missing"], &[]),
    ("cells_before_1_2", &["TensorFlow 1.0 and 1.2 renamed", "finds 8 of the 8 missing"], &[]),
    (
        "shifted_certain",
        &["counted otherwise", "dense_1 is dense, dense_2 is dense_1", "only these have such"],
        &["likely"],
    ),
    (
        "shifted_alike",
        &["counted otherwise", "likely and not certain", "4 tensors would get the values of another"],
        &[],
    ),
    ("shifted_up", &["counted otherwise", "net/conv is net/conv_4"], &["likely"]),
    ("layer_inserted", &["counted otherwise", "dense_2 is dense_3", "2 tensors of the model"], &[]),
    ("variables_without_names", &["counted otherwise"], &[]),
    ("averages_wanted", &["all 4 missing are moving averages", "saved without averages"], &["two different models"]),
    ("averages_only", &["has the moving averages of 4 of the 4 missing, not the weights"], &["two different models"]),
    ("quantized", &["4 of the 4 missing are ranges for quantization"], &[]),
    ("half", &["float16 throughout where the model wants float32"], &["leave them out"]),
    ("parts_as_variables", &["are parts of variables that the checkpoint has whole"], &[]),
    ("labels", &["a list of strings of another length (4 stored, 3 in the model)"], &["number of classes"]),
    ("suffix_number", &["names were changed", "finds 4 of the 4 missing"], &["counted"]),
    ("layer_added_alike", &["2 tensors of the model are new: dense_2/", "By its name dense_2 is the new one"], &[]),
    ("layers_swapped", &["finds 4 of the 4"], &["leave them out"]),
    ("averages_beside", &["all 4 missing are moving averages", "leave them out: the other 4 fit"], &["are new"]),
    ("optimizer_wanted", &["all that is missing is state of the optimizer"], &["are new"]),
    ("transposed", &["all of them are transposed"], &["leave them out", "with a new size"]),
    ("step_only", &["no weight of the checkpoint has a place", "two different models"], &["leave"]),
    ("different", &["two different models"], &["leave"]),
    ("objects_attribute", &["model/enc is model/encoder", "returns normally"], &["certain"]),
    ("objects_deep_attribute", &["model/blocks/0/att is model/blocks/0/attention"], &[]),
    ("objects_level_removed", &["what the checkpoint calls model/core is model in the program"], &["two different"]),
    ("objects_level_added", &["what the checkpoint calls model is model/core in the program"], &["two different"]),
    ("objects_root", &["root's attribute is `model` in the checkpoint and `net` in the model"], &[]),
    ("objects_new_head", &["2 tensors of the model are new: model/head/"], &[]),
    ("objects_head_size", &["restore what fits (2 tensors); model/head/"], &[]),
    ("objects_list_inserted", &["counted otherwise", "blocks/1 is model/blocks/2"], &["likely"]),
    ("objects_list_alike", &["counted otherwise", "likely and not certain"], &[]),
    ("objects_dict", &["model/towers/en/US is model/towers/en-GB"], &[]),
    ("objects_nested_head", &["restore what fits (6 tensors); model/heads/1/"], &[]),
    ("keras_attribute", &[], &["attributes"]),
    ("tf_keras_attribute", &["model/enc is model/encoder"], &[]),
    ("tf_keras_layer_inserted", &["counted otherwise", "layer_with_weights-1"], &["build it with"]),
    ("tf_keras_old_optimizer", &["an optimizer of Keras before 2.11", "legacy"], &[]),
    ("tf_keras_new_optimizer", &["an optimizer of a newer Keras"], &[]),
    ("tf_keras_classes", &["restore what fits", "without the optimizer"], &[]),
    ("keras_adam_to_sgd", &["state of the optimizer", "another one"], &["build it with"]),
    ("keras_sgd_to_adam", &["all that is missing is state of the optimizer"], &[]),
    ("keras_classes", &["restore what fits", "without the optimizer"], &[]),
    ("keras_layer_inserted", &["counted otherwise"], &["build it with"]),
];

fn told(dir: &Path, options: &[String]) -> Value {
    let (checkpoint, model) = names(dir);
    let out = Command::new(env!("CARGO_BIN_EXE_ckpt"))
        .current_dir(dir)
        .args(["validate", checkpoint, "--against", model, "--format", "json"])
        .args(options)
        .output()
        .unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    let all: Value = serde_json::from_slice(&out.stdout).unwrap();
    all["restore"].clone()
}

fn names(dir: &Path) -> (&'static str, &'static str) {
    if dir.join("stored.index").is_file() { ("stored", "model.meta") } else { ("stored-1", "model-1") }
}

fn cases() -> BTreeMap<String, Value> {
    let dir = testdata().join("restore_causes");
    let read = |name: &str| serde_json::from_slice(&fs::read(dir.join(name).join("expected.json")).unwrap()).unwrap();
    let dirs = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap());
    let dirs = dirs.filter(|entry| entry.path().is_dir());
    dirs.map(|entry| entry.file_name().into_string().unwrap()).map(|name| (name.clone(), read(&name))).collect()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn predictions_are_what_tensorflow_did() {
    for (case, record) in cases() {
        let dir = testdata().join("restore_causes").join(&case);
        let (checkpoint, model) = names(&dir);
        let told = predict(&dir.join(checkpoint), &dir.join(model), &RestoreOptions::default());
        assert_eq!(wrong(&told, &record), Vec::<String>::new(), "{case}");
    }
}

#[test]
fn every_cause_is_told_and_no_other() {
    let cases = cases();
    let known: BTreeSet<&str> = SAID.iter().map(|(case, ..)| *case).collect();
    assert_eq!(cases.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    for (case, said, not_said) in SAID {
        let told = told(&testdata().join("restore_causes").join(case), &[]);
        let hints = words(&told["hints"]).join("\n");
        for word in *said {
            assert!(hints.contains(word), "{case}: {word:?} is not said:\n{hints}");
        }
        for word in *not_said {
            assert!(!hints.contains(word), "{case}: {word:?} is said:\n{hints}");
        }
    }
}

#[test]
fn advice_is_the_one_that_tensorflow_followed() {
    for (case, record) in cases() {
        let dir = testdata().join("restore_causes").join(&case);
        let told = told(&dir, &[]);
        let given = told["repairs"].as_array().unwrap().iter().filter(|repair| !words(&repair["code"]).is_empty());
        let given: Vec<&Value> = given.collect();
        let followed = record["repairs"].as_array().unwrap();
        assert_eq!(given.len(), followed.len(), "{case}: {told:#}");
        for (repair, followed) in given.iter().zip(followed) {
            for field in ["options", "code", "restores"] {
                assert_eq!(repair[field], followed[field], "{case}");
            }
            // What is said to be restored is what was.
            if followed["options"].as_array().unwrap().is_empty() {
                let restored = followed["restored"].as_array().unwrap().len() as u64;
                assert!(followed["restores"].as_u64().unwrap() >= restored, "{case}");
            }
        }
        // The last repair that has options leaves nothing open.
        let Some(last) =
            told["repairs"].as_array().unwrap().iter().rfind(|repair| !words(&repair["options"]).is_empty())
        else {
            continue;
        };
        let options = words(&last["options"]);
        let repaired = self::told(&dir, &options);
        assert_eq!(repaired["ok"], true, "{case}: {options:?} {repaired:#}");
        assert_eq!(repaired["missing"].as_array().unwrap().len(), 0, "{case}");
    }
}

// The map names tensors as the file has them, whatever `--map` calls them on the way.
#[test]
fn an_assignment_map_has_the_names_of_the_file() {
    let dir = testdata().join("restore_causes/scope_added");
    let out = Command::new(env!("CARGO_BIN_EXE_ckpt"))
        .current_dir(&dir)
        .args(["validate", "stored", "--against", "model.meta", "--map", "s|^|net/|", "--emit", "assignment-map"])
        .output()
        .unwrap();
    let map: BTreeMap<String, String> = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(map["a/kernel"], "net/a/kernel");
    assert_eq!(map.len(), 4);
    let renames = Renames::parse(&["s|^|net/|".to_owned()]).unwrap();
    let told = predict(&dir.join("stored"), &dir.join("model.meta"), &RestoreOptions { renames, ..Default::default() });
    assert!(told.ok && told.matched.iter().all(|found| found.name == [b"net/", found.stored.as_slice()].concat()));
}

// Advice goes on from the options that are given already.
#[test]
fn advice_builds_on_options_that_are_given() {
    let dir = testdata().join("restore_causes/scope_and_head");
    let ignore = Selector::parse(&["task"], false).unwrap();
    let told = predict(&dir.join("stored"), &dir.join("model.meta"), &RestoreOptions { ignore, ..Default::default() });
    let hint = told.hints.iter().find(|hint| !hint.options.is_empty()).unwrap();
    assert_eq!(hint.options, [("--map", "s|^bert/|model/enc/|".to_owned())]);
    assert_eq!(hint.restores, Some(4));
}

/// The outcome of a restore, with the exit status.
fn outcome(checkpoint: &Path, model: &Path) -> (Option<i32>, Value) {
    let out =
        ckpt(&["validate", checkpoint.to_str().unwrap(), "--against", model.to_str().unwrap(), "--format", "json"]);
    let all: Value = serde_json::from_slice(&out.stdout).unwrap();
    (out.status.code(), all["restore"].clone())
}

// A model's variables are the model's, whichever way they are named; and what is not there is not restored. The classes
// and messages are those of TensorFlow 2.21 on the same files.
#[test]
fn a_saved_model_and_its_own_variables_agree() {
    let cut = |path: &Path| fs::File::options().write(true).open(path).unwrap().set_len(20).unwrap();
    let damages = [
        ("none", "", ""),
        ("no shard", "NotFoundError", "No such file or directory"),
        ("cut", "IndexError", "Read less bytes than requested"),
    ];
    for (what, error, message) in damages {
        let dir = copy("saved_model/tf2");
        let model = dir.path().join("model");
        let shard = model.join("variables/variables.data-00000-of-00001");
        match what {
            "no shard" => fs::remove_file(&shard).unwrap(),
            "cut" => cut(&shard),
            _ => {}
        }
        let (status, told) = outcome(&model, &model);
        assert_eq!(status, Some(i32::from(!error.is_empty())), "{what}: {told:#}");
        assert_eq!(told["tensorflow"]["error"].as_str().unwrap_or_default(), error, "{what}");
        assert!(told["tensorflow"]["message"].as_str().unwrap_or_default().contains(message), "{what}");
        for other in ["variables", "variables/variables", "saved_model.pb"] {
            let (other_status, mut same) = outcome(&model.join(other), &model);
            same["notes"] = told["notes"].clone();
            assert_eq!((other_status, &same), (status, &told), "{what}: {other}");
        }
    }
    let dir = copy("saved_model/tf2");
    let model = dir.path().join("model");
    fs::remove_file(model.join("variables/variables.index")).unwrap();
    let (status, told) = outcome(&model, &model);
    assert_eq!((status, told["tensorflow"]["error"].as_str()), (Some(1), Some("FileNotFoundError")), "{told:#}");
    assert_eq!(told["serving"]["outcome"], "restores");
}

#[test]
fn a_shard_that_ends_too_early_is_not_restored() {
    let dir = copy("restore/names");
    let (prefix, shard) = (dir.path().join("v0"), dir.path().join("v0.data-00000-of-00001"));
    let len = fs::metadata(&shard).unwrap().len();
    fs::File::options().write(true).open(&shard).unwrap().set_len(len - 1).unwrap();
    let (status, told) = outcome(&prefix, &dir.path().join("v0.meta"));
    assert_eq!((status, told["tensorflow"]["error"].as_str()), (Some(1), Some("OutOfRangeError")), "{told:#}");
}

// Only where a shape differs so that it could be an unknown dimension, and only where the model is a checkpoint.
#[test]
fn unknown_dimensions_are_named_where_they_matter() {
    let dir = testdata().join("restore_causes");
    let notes = |checkpoint: &str, model: &str| outcome(&dir.join(checkpoint), &dir.join(model)).1["notes"].to_string();
    assert!(notes("objects_head_size/stored-1", "objects_head_size/model-1").contains("[None,3]"));
    assert!(notes("classes/stored", "keras_classes/stored-1").find("[None,3]").is_none());
    assert!(!notes("classes/stored", "classes/model.meta").contains("[None,3]"));
    assert!(!notes("objects_new_head/stored-1", "objects_new_head/model-1").contains("[None,3]"));
}
