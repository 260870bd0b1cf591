//! What people bring: small inputs rebuilt after public reports (`testdata/cases`), and what must be said of each.
//! As a kind of fault is understood, its case gets its answer here; other examples of the kind stand in the other tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ckpt::analysis::{Code, Severity, ValidateOptions, Validation};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::testdata;
use crate::validating::{Alone, ckpt, ckpt_says, copy, errors, lines, only, options, run, tensors, try_run};

/// A case in a directory of its own.
fn case(name: &str) -> (Alone, PathBuf) {
    let dir = copy(&format!("cases/{name}"));
    let path = dir.path().to_path_buf();
    (dir, path)
}

fn gate(path: &Path) -> Validation {
    try_run(path, &ValidateOptions { serving: true, ..options() }).unwrap()
}

fn touch(path: &Path, ago: u64) {
    let time = SystemTime::now() - Duration::from_secs(ago);
    fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

// Every rank saved into one directory: the index of one, the data of another. Biases and the step are alike.
#[test]
fn two_writers_under_one_name() {
    let (_dir, path) = case("32-two-writers");
    let found = run(&path.join("shared"));
    only(&found, Code::MispairedData, &["can differ between two saves", "different saves"]);
    assert_eq!(tensors(&found, Code::MispairedData), ["b", "w"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    assert!(!lines(&found).contains("can be used"), "{}", lines(&found));
}

#[test]
fn an_object_based_pair_of_two_saves() {
    let (_dir, path) = case("40-mispaired-tf2");
    let found = run(&path.join("run/ckpt-1"));
    let words =
        ["all 9 tensors that differ have the checksums in ckpt-2.index", "the index of this data is ckpt-2.index"];
    only(&found, Code::MispairedData, &words);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    assert_eq!((found.checked.tensors, found.checked.verified), (11, 2));
}

// The rename was refused (a virus scanner, another writer): the newest save lies in `weights_temp`.
#[test]
fn a_whole_save_that_was_not_renamed() {
    let (_dir, path) = case("31-rename-denied");
    let a = path.join("a");
    touch(&a.join("weights.index"), 1000);
    let found = run(&a);
    let words =
        ["weights_temp holds a save that is intact (2 tensors)", "newer than", "do not delete it", "ckpt recover "];
    let finding = only(&found, Code::InterruptedSave, &words);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(!lines(&found).contains("delete it when"), "{}", lines(&found));
    // What it says to do works.
    let command = finding.help.as_ref().unwrap().split("ckpt recover ").nth(1).unwrap();
    let script = format!("\"$0\" recover {command}");
    let mut shell = std::process::Command::new("sh");
    assert!(shell.args(["-c", &script, env!("CARGO_BIN_EXE_ckpt")]).output().unwrap().status.success());
    assert!(run(&a.join("recovered/weights")).is_ok());
}

#[test]
fn the_missing_shard_lies_in_a_leftover() {
    let (_dir, path) = case("15-prefix-named-checkpoint");
    let found = run(&path.join("half"));
    let words = ["its data is there as checkpoint_temp/part-00000-of-00001.data-00000-of-00001", "rename it: mv "];
    let finding = only(&found, Code::MissingShard, &words);
    assert_eq!(found.findings.len(), 1, "{}", lines(&found));
    let command = finding.help.as_ref().unwrap().strip_prefix("rename it: ").unwrap();
    let (command, mended) = command.split_once("; a mended copy: ").unwrap();
    assert!(mended.starts_with("ckpt recover "), "{mended}");
    assert!(std::process::Command::new("sh").args(["-c", command]).status().unwrap().success());
    assert!(run(&path.join("half")).is_ok());
}

#[test]
fn a_shard_under_another_name_is_found_by_its_checksums() {
    for (dir, name) in
        [("browser", "model.ckpt (1).data-00000-of-00001"), ("txt", "model.ckpt.data-00000-of-00001.txt")]
    {
        let (_dir, path) = case("28-data-only-and-renamed");
        let path = path.join(dir);
        let found = run(&path);
        let finding = only(&found, Code::MissingShard, &[name, "checksum", "rename it: mv "]);
        let command = finding.help.as_ref().unwrap().strip_prefix("rename it: ").unwrap();
        let (command, mended) = command.split_once("; a mended copy: ").unwrap();
        assert!(mended.starts_with("ckpt recover "), "{mended}");
        assert!(std::process::Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
        assert!(run(&path).findings.is_empty(), "{}", lines(&run(&path)));
    }
}

// `--serving` judges the path that a server would be given, not what can be opened there (K2, K11).
#[test]
fn a_model_in_the_base_path_is_no_version() {
    let (_dir, path) = case("12-version-names");
    let found = gate(&path.join("spellcheck"));
    only(&found, Code::NoVersion, &["the model lies in the base path itself", "spellcheck/1"]);
}

#[test]
fn a_version_without_its_index_loads_and_fails_later() {
    let (_dir, path) = case("10-serving-late-index");
    let found = gate(&path.join("m"));
    let words = ["version 2: ", "variables.index", "loads it all the same", "every request"];
    only(&found, Code::MissingVariables, &words);
    let screen = ckpt_says(2, &["inspect", path.join("m").to_str().unwrap()]);
    assert!(screen.contains("! yes, but"), "{screen}");
    only(&gate(&path), Code::NoVersion, &["one level deeper"]);
}

// A file that does not decode is told for what it is (K3).
#[test]
fn a_frozen_graph_is_no_damaged_saved_model() {
    let (_dir, path) = case("23-frozen-as-savedmodel");
    let found = gate(&path.join("squeezenet"));
    let finding = only(&found, Code::BadSavedModel, &["version 1: ", "a GraphDef", "it is whole"]);
    assert!(!finding.help.as_deref().unwrap_or_default().contains("fetch"), "{}", lines(&found));
}

#[test]
fn compressed_objects_are_told_before_anything_is_blamed() {
    let (_dir, path) = case("09-gzip-index");
    for name in ["foo", "bar"] {
        let found = gate(&path.join(name));
        only(&found, Code::NotATable, &["gzip-compressed", "gunzip"]);
        assert!(found.findings.iter().all(|f| f.code != Code::FingerprintMismatch), "{}", lines(&found));
        assert!(!lines(&found).contains("damaged"), "{}", lines(&found));
    }
}

// Paths of other machines and other systems (K15).
#[test]
fn paths_that_this_system_does_not_read_as_they_are() {
    let said = |path: &str| {
        let output = ckpt(&["inspect", path]);
        assert_eq!(output.status.code(), Some(2), "{path}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("hdfs://n/run/ckpt-1").contains("hdfs dfs -get 'hdfs://n/run/ckpt-1*' ."));
    assert!(!said("hdfs://n/m.index?sig=SECRET").contains("SECRET"));
    let (_dir, path) = case("40-mispaired-tf2");
    if cfg!(unix) {
        let windows = path.join("run/ckpt-2").to_str().unwrap().replace('/', "\\");
        let screen = ckpt_says(0, &["inspect", &windows]);
        assert!(screen.contains("was read as"), "{screen}");
    }
    let quoted = format!("'{}'", path.join("run/ckpt-2").display());
    ckpt_says(0, &["list", &quoted]);
}

/// Takes the data of checkpoints away.
fn without_data(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().contains(".data-") {
            fs::remove_file(path).unwrap();
        }
    }
}

// Indexes alone: one cause, whatever their number (K20).
#[test]
fn checkpoints_that_were_copied_without_their_data_are_one_finding() {
    let dir = copy("model_dir/manager");
    without_data(dir.path());
    let validation = run(dir.path());
    let parts = ["of 2 checkpoints nothing but the index is here: ckpt-2, ckpt-3", "none of the 2 data files"];
    let finding = only(&validation, Code::MissingShard, &parts);
    assert!(!finding.explains.is_empty() && finding.help.as_ref().unwrap().contains("fetch the data too"));
    assert_eq!(errors(&validation).len(), 1, "{}", lines(&validation));

    // Of one of them the data is there: the other one lost its own.
    let dir = copy("model_dir/manager");
    fs::remove_file(dir.path().join("ckpt-2.data-00000-of-00001")).unwrap();
    let validation = run(dir.path());
    only(&validation, Code::MissingShard, &["ckpt-2.data-00000-of-00001 is missing"]);
}

fn explain(message: &str, path: &Path) -> String {
    ckpt_says(0, &["explain", message, "--path", path.to_str().unwrap()])
}

// Names by their form, paths that are no prefix, and what the files say (K4, K5, K13).
#[test]
fn explanations_look_at_names_and_paths() {
    let (_dir, path) = case("01-ema-missing");
    let said = explain("Key head/conv_1/beta/ExponentialMovingAverage not found in checkpoint", &path.join("train"));
    assert!(said.contains("moving average") && !said.contains("optimizer"), "{said}");
    assert!(said.contains("head/conv_1/beta"), "{said}");
    let (_dir, path) = case("03-index-as-prefix");
    let given = path.join("training/model.ckpt-649.index");
    let said = explain("NotFoundError: Key dense/kernel not found in checkpoint", &given);
    assert!(
        said.split_whitespace().collect::<Vec<_>>().join(" ").contains("was given where TensorFlow wants"),
        "{said}"
    );
    assert!(!said.contains("another model"), "{said}");
    let (_dir, path) = case("41-name-based-into-objects");
    let said = explain("_CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint file", &path.join("v1"));
    assert!(said.contains("name-based") && !said.contains("MODEL asks"), "{said}");
    assert!(!said.contains("PREFIX"), "{said}");
}

/// The roles of a checkpoint's tensors, by name.
fn roles(path: &Path) -> BTreeMap<String, String> {
    let text = ckpt_says(0, &["list", path.to_str().unwrap(), "--format", "json"]);
    let list: Value = serde_json::from_str(&text).unwrap();
    let tensors = list["tensors"].as_array().unwrap().iter();
    tensors
        .map(|tensor| (tensor["name"].as_str().unwrap().to_owned(), tensor["role"].as_str().unwrap().to_owned()))
        .collect()
}

// Slots by their variable, under any scope and any optimizer's name (K10).
#[test]
fn roles_of_the_cases() {
    let (_dir, path) = case("07-t5-bf16-adafactor");
    for (name, role) in roles(&path.join("t5")) {
        assert_eq!(role == "slot", name.contains("_slot_"), "{name}: {role}");
    }
    let (_dir, path) = case("30-mangled-partition-slots");
    for (name, role) in roles(&path.join("train")) {
        assert_eq!(role == "slot", name.contains("Adagrad"), "{name}: {role}");
    }
    let (_dir, path) = case("19-hash-table");
    let found = roles(&path.join("data/model.ckpt-100"));
    let tables: Vec<&String> = found.iter().filter(|(_, role)| *role == "table").map(|(name, _)| name).collect();
    assert_eq!(tables.len(), 2, "{found:?}");
}

#[test]
fn roles_by_structure() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    let rows: &[(&str, &[i64], &str)] = &[
        // Under the scope of the optimizer, under a doubled one, under scopes that the variable lacks.
        ("atrain/pi/w/Adam", &[3], "slot"),
        ("pi/w", &[3], "weight"),
        ("main/fc/w", &[4], "weight"),
        ("main/main/fc/w/Momentum", &[4], "slot"),
        ("optimize/out/w", &[5], "weight"),
        ("optimize/OptimizeLoss/out/w/Momentum", &[5], "slot"),
        // An optimizer that was given a name.
        ("net/k", &[6], "weight"),
        ("net/k/train_op", &[6], "slot"),
        ("net/k/train_op_1", &[6], "slot"),
        ("net/k/train_op_2", &[7], "weight"),
        // A variable below another that is no slot of it.
        ("net/k/inner", &[6], "weight"),
        // Contrib's parts, without the variable that they are of.
        ("biases/d/biases/part_0/RMSProp", &[2], "slot"),
        ("bert/k", &[2, 2], "weight"),
        ("bert/k/AdamWeightDecay", &[2, 2], "slot"),
        ("bert/k/adam_m", &[2, 2], "slot"),
        ("enc/k", &[8], "weight"),
        ("enc/k_slot_vr", &[2], "slot"),
        ("bn/moving_mean/biased", &[3], "average"),
        ("bn/moving_mean/local_step", &[], "counter"),
        ("Global_Step", &[], "counter"),
        ("conv/act_quant/min", &[], "other"),
        ("keras_api/metrics/0/total", &[], "other"),
        ("t-keys", &[4], "table"),
        ("t-values", &[4], "table"),
        ("lonely-keys", &[4], "weight"),
    ];
    let mut builder = ckpt_synth::BundleBuilder::new();
    let mut sorted: Vec<_> = rows.to_vec();
    sorted.sort_unstable();
    for (name, shape, _) in &sorted {
        let count = usize::try_from(shape.iter().product::<i64>()).unwrap();
        builder = builder.floats(*name, shape, &vec![1.0; count]);
    }
    builder.finish().write(&prefix).unwrap();
    let found = roles(&prefix);
    for (name, _, role) in rows {
        assert_eq!(found.get(*name).map(String::as_str), Some(*role), "{name}");
    }
}

fn against(path: &Path, model: &Path, options: &[&str], status: i32) -> String {
    let args = [&["validate", path.to_str().unwrap(), "--against", model.to_str().unwrap()], options].concat();
    ckpt_says(status, &args)
}

// One cause for all that is missing or differs, with what repairs it; what it says to give works (K8, K9, tables).
#[test]
fn a_restore_that_fails_has_its_cause() {
    let (_dir, path) = case("27-rnn-renamed");
    let (checkpoint, model) = (path.join("reddit"), path.join("new.meta"));
    let said = against(&checkpoint, &model, &[], 1);
    assert!(said.contains("names were changed") && said.contains("finds 8 of the 8 missing"), "{said}");
    let maps: Vec<&str> = said.split("--map '").skip(1).map(|rest| rest.split('\'').next().unwrap()).collect();
    assert_eq!(maps.len(), 3, "{said}");
    let options: Vec<&str> = maps.iter().flat_map(|map| ["--map", map]).collect();
    assert!(against(&checkpoint, &model, &options, 0).contains("restores completely"));

    let (_dir, path) = case("07-t5-bf16-adafactor");
    let said = against(&path.join("t5"), &path.join("float32.meta"), &[], 1);
    assert!(said.contains("the checkpoint is bfloat16 throughout where the model wants float32"), "{said}");

    let (_dir, path) = case("44-warm-start-vocab");
    let (checkpoint, model) = (path.join("t5"), path.join("task.meta"));
    let said = against(&checkpoint, &model, &[], 1);
    assert!(said.contains("The vocabulary has another size") && said.contains("the other 2 fit"), "{said}");
    let options = ["--ignore", "decoder/logits/kernel", "--ignore", "shared/embedding"];
    assert!(said.contains("--ignore 'decoder/logits/kernel' --ignore 'shared/embedding'"), "{said}");
    against(&checkpoint, &model, &options, 0);

    let (_dir, path) = case("01-ema-missing");
    let said = against(&path.join("train"), &path.join("eval.meta"), &[], 1);
    assert!(said.contains("all 6 missing are moving averages of weights that the checkpoint has"), "{said}");
    assert!(!said.contains("two different models"), "{said}");

    // TensorFlow restores a table of any size.
    let (_dir, path) = case("19-hash-table");
    let said = against(&path.join("data/model.ckpt-100"), &path.join("data/model.ckpt-20"), &[], 0);
    assert!(said.contains("restores completely"), "{said}");
}

#[test]
fn other_names_and_kinds_have_their_cause() {
    let dir = tempfile::tempdir().unwrap();
    let pair = |name: &str, stored: &[(&str, usize)], wanted: &[(&str, usize)]| {
        let write = |which: &str, rows: &[(&str, usize)]| {
            let prefix = dir.path().join(format!("{name}-{which}"));
            let mut rows = rows.to_vec();
            rows.sort_unstable();
            let builder = rows.iter().fold(ckpt_synth::BundleBuilder::new(), |builder, (name, n)| {
                builder.floats(*name, &[i64::try_from(*n).unwrap()], &vec![1.5; *n])
            });
            builder.finish().write(&prefix).unwrap();
            prefix
        };
        let (a, b) = (write("stored", stored), write("wanted", wanted));
        let output = ckpt(&["validate", a.to_str().unwrap(), "--against", b.to_str().unwrap()]);
        // Wherever lines end.
        String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // A suffix throughout.
    let said = pair("suffix", &[("a/w:0", 3), ("a/b:0", 2), ("c/w:0", 4)], &[("a/w", 3), ("a/b", 2), ("c/w", 4)]);
    assert!(said.contains("finds 3 of the 3 missing"), "{said}");
    // Two changes at once, in the middle and at the end.
    let said = pair(
        "lstm",
        &[("m/BasicLSTMCell/weights", 8), ("m/BasicLSTMCell/biases", 4), ("n/BasicLSTMCell/weights", 6)],
        &[("m/basic_lstm_cell/kernel", 8), ("m/basic_lstm_cell/bias", 4), ("n/basic_lstm_cell/kernel", 6)],
    );
    assert!(
        said.contains("--map 's|/BasicLSTMCell/|/basic_lstm_cell/|'") && said.contains("finds 3 of the 3"),
        "{said}"
    );
    // The reverse of averages, and ranges of quantization.
    let said = pair("averages", &[("a/w/ExponentialMovingAverage", 3), ("k", 1)], &[("a/w", 3), ("k", 1)]);
    assert!(said.contains("the checkpoint has the moving averages of 1 of the 1 missing"), "{said}");
    let said = pair("ranges", &[("a/w", 3)], &[("a/w", 3), ("a/act_quant/min", 1), ("a/act_quant/max", 1)]);
    assert!(said.contains("2 of the 2 missing are ranges for quantization"), "{said}");
    let said = pair("parts", &[("a/w", 6), ("k", 1)], &[("a/w/part_0", 3), ("a/w/part_1", 3), ("k", 1)]);
    assert!(said.contains("are parts of variables that the checkpoint has whole"), "{said}");
    // And where nothing else explains it.
    let said = pair("different", &[("x/one", 3), ("x/two", 5)], &[("y/three", 7), ("z/four", 9)]);
    assert!(said.contains("two different models"), "{said}");
}

// One tensor of another dtype: what converts it, and its slots not with it, makes the checkpoint fit.
#[test]
fn one_tensor_of_another_dtype_is_converted_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = testdata().join("saver_v2/plain/model.ckpt-7");
    let mut listed: Value =
        serde_json::from_str(&ckpt_says(0, &["list", path.to_str().unwrap(), "--format", "json"])).unwrap();
    let tensors = listed["tensors"].as_array_mut().unwrap();
    let kernel = tensors.iter_mut().find(|tensor| tensor["name"] == "layer/kernel").unwrap();
    kernel["dtype"] = "bfloat16".into();
    let spec = dir.path().join("spec.json");
    fs::write(&spec, listed.to_string()).unwrap();
    let said = against(&path, &spec, &[], 1).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("layer/kernel alone differs, by its dtype: float32 in the checkpoint, bfloat16"), "{said}");
    let cast = said.split_once("-o NEW --cast ").unwrap().1.split_whitespace().next().unwrap().trim_matches('\'');
    let new = dir.path().join("new");
    ckpt_says(0, &["convert", path.to_str().unwrap(), "-o", new.to_str().unwrap(), "--cast", cast]);
    assert!(against(&new, &spec, &[], 0).contains("restores completely"));
}

// Types that must be imported first (K19): what TensorFlow says is recorded beside the model.
#[test]
fn a_type_of_another_package_must_be_imported() {
    let dir = testdata().join("saved_model/imported_type");
    let expected: Value = serde_json::from_str(&fs::read_to_string(dir.join("expected.json")).unwrap()).unwrap();
    let raised = expected["model"].as_str().unwrap();
    let found = run(&dir.join("model"));
    let name = "some_package.Pair";
    assert!(raised.contains(name), "{raised}");
    only(&found, Code::UnregisteredType, &[name, "import some_package"]);
    assert!(found.is_ok());
    assert!(ckpt_says(0, &["inspect", dir.join("model").to_str().unwrap()]).contains(name));
    assert!(ckpt_says(0, &["explain", raised]).contains("must be imported"));
    assert_eq!(expected["extension"], "loads");
    for sound in [dir.join("extension"), testdata().join("saved_model/tf2/model")] {
        assert!(run(&sound).findings.iter().all(|finding| finding.code != Code::UnregisteredType));
    }
    // A part of a SavedModel leads to it.
    let screen = ckpt_says(0, &["inspect", dir.join("model/fingerprint.pb").to_str().unwrap()]);
    assert!(screen.contains("is a part of a SavedModel"), "{screen}");
}

// Only the index is left: a number is shown where its checksum leaves one value, and the status still says what is missing.
#[test]
fn a_number_is_printed_by_its_checksum() {
    let dir = copy("model_dir/estimator");
    fs::remove_file(dir.path().join("model.ckpt-10.data-00000-of-00001")).unwrap();
    let prefix = dir.path().join("model.ckpt-10");
    let out = ckpt(&["print", prefix.to_str().unwrap(), "global_step"]);
    let (text, error) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.status.code(), Some(2), "{error}");
    assert!(text.contains("not read: by its checksum in the index, if it is below 2^32\n10\n"), "{text}");
    assert!(error.contains("global_step: cannot read"), "{error}");
    // What a script reads says nothing that was not read.
    let json = ckpt(&["print", prefix.to_str().unwrap(), "global_step", "--format", "json"]);
    assert_eq!(json.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&json.stdout).contains("\"values\":null"));
}

// The header of an HDF5 file says where it ends: of one that ends before, that is told before anything else.
#[test]
fn a_keras_file_that_is_cut_off() {
    for (name, cut) in [("empty/model.h5", true), ("model.h5", false), ("model.weights.h5", false)] {
        let path = testdata().join("cases/14-keras3-files").join(name);
        let out = ckpt(&["list", path.to_str().unwrap()]);
        let error = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(if cut { 2 } else { 0 }), "{error}");
        assert_eq!(error.contains("cut off"), cut, "{name}: {error}");
    }
}

// A `.meta` that TensorFlow cannot import, though its checkpoint is whole: told wherever the file is looked at.
#[test]
fn a_collection_that_names_no_node() {
    let dir = testdata().join("cases/missing-node");
    let expected: Value = serde_json::from_slice(&fs::read(dir.join("expected.json")).unwrap()).unwrap();
    for name in ["operation", "tensor", "output", "whole"] {
        let (prefix, meta) = (dir.join(name), dir.join(format!("{name}.meta")));
        let found = run(&prefix);
        let other = dir.join("whole");
        let screen = ckpt_says(0, &["inspect", meta.to_str().unwrap()]);
        let restore = ckpt_says(0, &["validate", other.to_str().unwrap(), "--against", meta.to_str().unwrap()]);
        let Some(raised) = expected[name].as_str() else {
            assert!(found.findings.is_empty(), "{}", lines(&found));
            assert!(!screen.contains("KeyError") && !restore.contains("KeyError"), "{screen}{restore}");
            continue;
        };
        // The first sentence of the message is TensorFlow's own.
        let said = raised.split(". ").next().unwrap().trim_end_matches('.');
        only(&found, Code::MissingNode, &[said, "builds the graph itself restores"]);
        assert!(found.is_ok());
        assert!(screen.contains(said) && restore.contains(said), "{said}\n{screen}{restore}");
        assert_eq!(name == "output", screen.contains("its operation has 1 output"), "{screen}");
        // Its own checkpoint has the finding already.
        let own = ckpt_says(0, &["validate", prefix.to_str().unwrap(), "--against", meta.to_str().unwrap()]);
        assert_eq!(own.matches("KeyError").count(), 1, "{own}");
    }
}

/// A served model of TensorFlow's, copied under each of these names.
fn served(names: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        let model = copy("saved_model/tf2/model");
        let to = dir.path().join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(model.path(), to).unwrap();
    }
    dir
}

/// The commands behind some words, as a shell takes them from the screen: on that line or the next, and on further ones
/// while a line ends in a backslash.
fn commands(text: &str, behind: &str) -> String {
    let rest = text.split_once(behind).unwrap().1.trim_start();
    let mut found = String::new();
    for line in rest.lines() {
        found += line;
        if !line.ends_with('\\') {
            break;
        }
        found.push('\n');
    }
    found
}

// The verdict of the gate is about serving, and says of intact files that they are intact (K2).
#[test]
fn the_gate_s_verdict_is_about_serving() {
    let says = |path: &Path| {
        let output = ckpt(&["validate", path.to_str().unwrap(), "--serving"]);
        (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
    };
    let verdict = |path: &Path| {
        let (text, status) = says(path);
        let last = text.lines().last().unwrap().to_owned();
        (last.strip_prefix(&format!("{}: ", path.display())).map(str::to_owned).unwrap_or(last), status)
    };
    let dir = served(&["bare", "good/1", "good/3", "deep/model/1", "vee/v2", "vee/v10", "dots/0.1"]);
    let root = dir.path();
    for (name, begins, status) in [
        ("bare", "can NOT be served · files intact · ", 1),
        ("good", "version 3 can be served · files intact · ", 0),
        ("good/1", "can NOT be served · files intact · ", 1),
        ("good/3/variables", "can NOT be served · files intact · ", 1),
        ("deep", "can NOT be served · 1 error", 1),
        ("vee", "can NOT be served · 1 error", 1),
        ("dots", "can NOT be served · 1 error", 1),
    ] {
        let (line, code) = verdict(&root.join(name));
        assert!(line.starts_with(begins) && code == status, "{name}: {line}");
        assert!(!line.contains("NOT intact"), "{line}");
    }
    // A checkpoint is no model, and as intact as it was.
    let estimator = copy("model_dir/estimator");
    let (line, _) = verdict(&estimator.path().join("model.ckpt-10"));
    assert!(line.starts_with("can NOT be served · files intact"), "{line}");

    // What it says to do works.
    for (name, wanted) in [("vee", "version 10 can be served"), ("dots", "version 1 can be served")] {
        let (text, _) = says(&root.join(name));
        let commands = commands(&text, "rename it:");
        assert!(std::process::Command::new("sh").args(["-c", &commands]).status().unwrap().success(), "{commands}");
        assert!(verdict(&root.join(name)).0.starts_with(wanted), "{}", says(&root.join(name)).0);
    }
    let (text, _) = says(&root.join("bare"));
    let commands = commands(&text, "named by its version:");
    assert!(std::process::Command::new("sh").args(["-c", &commands]).status().unwrap().success(), "{commands}");
    assert_eq!(verdict(&root.join("bare")).1, 0);

    // Errors of a version that is not taken, and variables that are lost.
    fs::create_dir(root.join("good/2")).unwrap();
    assert!(
        verdict(&root.join("good")).0.starts_with("version 3 can be served; other versions can NOT · files intact")
    );
    fs::remove_file(root.join("good/3/variables/variables.index")).unwrap();
    assert!(
        verdict(&root.join("good")).0.starts_with("version 3 would be loaded, and NOT serve what it should; other")
    );
    let json = ckpt(&["validate", root.join("good").to_str().unwrap(), "--serving", "--format", "json"]).stdout;
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&json["serving"]["served"], &json["serving"]["version"]), (&"wrongly".into(), &"3".into()));
}

// The table in testdata/cases/README.md.
#[test]
fn every_kind_of_fault_has_its_tests() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let table = fs::read_to_string(testdata().join("cases/README.md")).unwrap();
    let named: Vec<(&str, &str)> =
        table.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::")).collect();
    for (file, test) in &named {
        let text = fs::read_to_string(tests.join(format!("{file}.rs"))).unwrap_or_default();
        assert!(text.contains(&format!("#[test]\nfn {test}()")), "{file}::{test} is named and not there");
    }
    assert!(named.len() > 50, "only {} tests", named.len());
}
