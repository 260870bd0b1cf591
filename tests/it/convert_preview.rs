//! A recipe as a checkpoint, before it is written: what `diff` and `stats` see of it is what they then see of the result.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ckpt::analysis::convert::{Combine, ConvertOptions, Recipe, Target, write_recipe};
use ckpt::analysis::{Renames, Selector};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::tensor::DType;
use serde_json::Value;

use super::support::{open, testdata, tries};

type Values = BTreeMap<Vec<u8>, (DType, String, Option<Vec<u8>>)>;

/// All tensors with their bytes; none of those that cannot be read.
fn values(checkpoint: &Checkpoint) -> Values {
    let all = checkpoint.tensors().iter().map(|tensor| {
        let mut bytes = Vec::new();
        let read = checkpoint.read_all(&tensor, &mut |part| {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
            Ok(())
        });
        // How numbers come in runs is nobody's business, but strings come one at a time.
        let bytes = if tensor.is_numeric() { whole(checkpoint, &tensor.name) } else { read.is_ok().then_some(bytes) };
        (tensor.name.clone(), (tensor.dtype, tensor.shape.to_string(), bytes))
    });
    all.collect()
}

fn whole(checkpoint: &Checkpoint, name: &[u8]) -> Option<Vec<u8>> {
    let tensor = checkpoint.tensor(name)?;
    let mut bytes = Vec::new();
    let read = checkpoint.read_all(&tensor, &mut |part| {
        bytes.extend_from_slice(part);
        Ok(())
    });
    // Any byte but 0 is true, and 1 is written.
    let truth = |byte: &mut u8| *byte = u8::from(*byte != 0);
    if tensor.dtype == DType::Bool {
        bytes.iter_mut().for_each(truth);
    }
    read.is_ok().then_some(bytes)
}

/// Every checkpoint of the fixtures that is one file or one set.
fn inputs() -> Vec<PathBuf> {
    let (mut left, mut found) = (vec![testdata()], Vec::new());
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let name = path.to_str().unwrap().to_owned();
            let is_input = [".index", ".npz", ".npy", ".safetensors", ".h5", ".keras", ".ckpt"];
            if is_input.iter().any(|end| name.ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Options and a name for the output, by turns.
fn cases() -> Vec<(ConvertOptions, &'static str)> {
    let plain = ConvertOptions::default;
    let half = |dtype| ConvertOptions { casts: vec![(dtype, Selector::default())], ..plain() };
    let map = Renames::parse(&["s|^|net/|".to_owned()]).unwrap();
    vec![
        (plain(), "out"),
        (half(DType::Float16), "out"),
        (plain(), "out.npz"),
        (ConvertOptions { renames: map, shards: Some(2), ..plain() }, "out"),
        (half(DType::BFloat16), "out.safetensors"),
        (ConvertOptions { weights_only: true, casts: half(DType::Float64).casts, ..plain() }, "out"),
    ]
}

fn check(inputs: Vec<Checkpoint>, options: &ConvertOptions, name: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let target = Target::new(&dir.path().join(name), None).unwrap();
    let Ok(recipe) = Recipe::new(&inputs, options, &target) else { return false };
    if recipe.outputs.is_empty() || write_recipe(&inputs, &recipe, &target, &limits, &Progress::default()).is_err() {
        return false;
    }
    let path = inputs[0].origin().path.clone();
    let written = open(&target.path).unwrap();
    let preview = recipe.preview(inputs, &target, &limits);
    assert_eq!(preview.format(), written.format());
    assert!(values(&preview) == values(&written), "{} as {name}, {options:?}", path.display());
    true
}

#[test]
fn a_recipe_has_the_values_that_are_then_written() {
    let cases = cases();
    let (mut same, mut refused) = (0, 0);
    for (n, path) in inputs().into_iter().enumerate().step_by(tries(2, 1)) {
        let Ok(input) = open(&path) else { continue };
        let (options, name) = &cases[(n + n / cases.len()) % cases.len()];
        *(if check(vec![input], options, name) { &mut same } else { &mut refused }) += 1;
    }
    assert!(same > tries(150, 300) && refused < same / 4, "{same} {refused}");
}

#[test]
fn a_mean_and_a_union_too() {
    let run = |n: usize| open(&testdata().join(format!("convert/run-{n}"))).unwrap();
    let mean = ConvertOptions { combine: Combine::Mean, ..ConvertOptions::default() };
    assert!(check((0..5).map(run).collect(), &mean, "out"));
    assert!(check((0..5).map(run).collect(), &mean, "out.npz"));
    let v1 = || open(&testdata().join("saver_v1/sharded/model.ckpt-1")).ok();
    if let (Some(a), Some(b)) = (v1(), v1()) {
        assert!(check(vec![a, b], &mean, "out"));
    }
    let merge = ConvertOptions { combine: Combine::Merge, ..ConvertOptions::default() };
    let both = ["arrays", "run-0"].map(|name| open(&testdata().join("convert").join(name)).unwrap());
    assert!(check(both.into(), &merge, "out"));
}

fn ckpt(args: &[&str], paths: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ckpt")).args(args).args(paths).output().unwrap()
}

#[test]
fn diff_and_stats_say_of_it_what_they_say_of_the_result() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (testdata().join("convert/objects-1"), dir.path().join("out"));
    let path = out.to_str().unwrap();
    // Of a tensor that is made no bytes lie anywhere, and none are counted as read.
    let json = |done: Output| -> Value {
        let mut all: Value = serde_json::from_slice(&done.stdout).unwrap();
        all["summary"]["bytes_read"] = Value::Null;
        all
    };
    let plan = ["convert", "-o", path, "--cast", "float16=model/dense/**", "--map", "s|^table/|words/|"];
    let dry = |more: &[&str]| {
        let args: Vec<&str> = plan.iter().chain(&["--dry-run", "--format", "json"]).chain(more).copied().collect();
        ckpt(&args, &[&input])
    };
    let planned = dry(&["--diff-with", input.to_str().unwrap()]);
    assert_eq!(planned.status.code(), Some(1), "what diff says");
    let said = String::from_utf8_lossy(&planned.stderr).into_owned();
    assert!(said.contains("B is what would be written"), "{said}");
    let figures = dry(&["--stats"]);
    assert_eq!(figures.status.code(), Some(0));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is written");
    assert!(ckpt(&plan, &[&input]).status.success());
    let done = ckpt(&["diff", "--format", "json"], &[&input, &out]);
    assert_eq!(json(planned), json(done));
    let rows = |all: Value| -> Vec<Value> {
        let mut rows = all["tensors"].as_array().unwrap().clone();
        // A tensor that is made has no checksum of its own.
        for row in &mut rows {
            row.as_object_mut().unwrap().remove("checksum");
        }
        rows
    };
    assert_eq!(rows(json(figures)), rows(json(ckpt(&["stats", "--format", "json"], &[&out]))));
    // With what was written there is nothing to tell.
    let same = dry(&["--diff-with", path]);
    assert_eq!(same.status.code(), Some(0));
    assert_eq!(json(same)["equal"], true);
}

/// What cannot be read is told as diff tells it, and what must not be written is an error as it is without the option.
#[test]
fn damage_is_told_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("m"), dir.path().join("out"));
    let source = testdata().join("convert/arrays");
    for end in [".index", ".data-00000-of-00001"] {
        let at = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        fs::copy(at(&source), at(&input)).unwrap();
    }
    let data = dir.path().join("m.data-00000-of-00001");
    let mut bytes = fs::read(&data).unwrap();
    for byte in &mut bytes {
        *byte ^= 1;
    }
    fs::write(&data, bytes).unwrap();
    let (out, source) = (out.to_str().unwrap(), source.to_str().unwrap());
    let args = ["convert", "-o", out, "--cast", "float16", "--dry-run", "--stats"];
    let done = ckpt(&args, &[&input]);
    assert_eq!(done.status.code(), Some(2), "{done:?}");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains("checksum"), "{said}");
    let both = ckpt(&["convert", "-o", out, "--dry-run", "--stats", "--diff-with", source], &[&input]);
    assert_eq!(both.status.code(), Some(2));
    let alone = ckpt(&["convert", "-o", out, "--diff-with", source], &[&input]);
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--dry-run"));
}
