//! What the command says, and what it exits with.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::model::{Array, Model, Random, Tensors, write_bundle, write_safetensors};
use crate::validating::{ckpt, ckpt_says};

/// A model in both layouts, in a directory of its own.
fn two(change: impl Fn(&mut Tensors, &mut Tensors)) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let model = Model::new(3, 8, &mut Random(5));
    let (mut ours, mut theirs) = (model.tensors.clone(), model.converted());
    change(&mut ours, &mut theirs);
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("model.ckpt-1"), dir.path().join("model.safetensors"));
    write_bundle(&ours, &a);
    write_safetensors(&theirs, false, &b);
    (dir, a, b)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(status: i32, args: &[&str]) -> Value {
    serde_json::from_str(&ckpt_says(status, args)).unwrap()
}

#[test]
fn a_conversion_is_proved_without_a_name_in_common() {
    let (_dir, a, b) = two(|_, _| {});
    let out = ckpt_says(0, &["diff", text(&a), text(&b), "--match", "values"]);
    assert!(
        out.ends_with(
            "the same model: 46 of 46 weights, 20 transposed, 43 proved bit for bit, 3 constants that prove nothing\n"
        ),
        "{out}"
    );
    let found = json(0, &["diff", text(&a), text(&b), "--match", "values", "--all", "--format", "json"]);
    assert_eq!(found["equal"], true);
    let changes = found["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 46);
    let of = |name: &str| changes.iter().find(|change| change["name"] == name).unwrap();
    assert_eq!(of("conv.weight")["how"], serde_json::json!({"kind": "transposed", "axes": [3, 2, 0, 1]}));
    assert_eq!(of("conv.weight")["a_name"], "conv/kernel");
    assert_eq!(of("embed.tok.weight")["how"]["kind"], "same");
    assert_eq!(found["matched"]["a"]["found"], 46);
}

// Models of nothing but constants are alike in everything that can be compared, and so is any other model of their shapes.
#[test]
fn constants_alone_are_no_proof() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, scale: f32| {
        let prefix = dir.path().join(name);
        let mut builder = ckpt_synth::BundleBuilder::new();
        for (name, value) in [("beta", 0.0), ("gamma", 1.0)] {
            builder = builder.floats(format!("{name}/kernel"), &[4, 4], &[value * scale; 16]);
        }
        builder.finish().write(&prefix).unwrap();
        prefix
    };
    let (a, b) = (write("a", 1.0), write("b", 1.0));
    let out = ckpt_says(1, &["diff", text(&a), text(&b), "--match", "values"]);
    let last = out.trim_end().lines().last().unwrap();
    assert_eq!(last, "nothing proved: 2 of 2 weights found, 2 constants that prove nothing");
    let found = json(1, &["diff", text(&a), text(&b), "--match", "values", "--format", "json"]);
    assert_eq!((&found["equal"], &found["matched"]["constants"]), (&false.into(), &2.into()));
    // Names prove nothing either, but say which values to compare: by names they are equal.
    ckpt_says(0, &["diff", text(&a), text(&b)]);
}

#[test]
fn the_map_of_names_is_what_other_commands_take() {
    let (dir, a, b) = two(|_, _| {});
    let map = ckpt_says(0, &["diff", text(&a), text(&b), "--match", "values", "--emit", "map"]);
    let names: Value = serde_json::from_str(&map).unwrap();
    assert_eq!(names["enc/layer_1/attention/query/kernel"], "enc.layers.1.attn.q_proj.weight");
    assert_eq!(names.as_object().unwrap().len(), 46);
    let file = dir.path().join("map.json");
    std::fs::write(&file, &map).unwrap();
    // By names now: what is not transposed is the same, and the kernels have other shapes.
    let found = json(1, &["diff", text(&a), text(&b), "--map-file", text(&file), "--format", "json"]);
    assert_eq!((&found["summary"]["added"], &found["summary"]["removed"]), (&Value::from(0), &Value::from(0)));
    let out = dir.path().join("renamed");
    ckpt_says(0, &["convert", text(&a), "-o", text(&out), "--map-file", text(&file)]);
    let list = ckpt_says(0, &["list", text(&out)]);
    assert!(list.contains("enc.layers.1.attn.q_proj.weight") && !list.contains("enc/layer_1"), "{list}");
    let plain = json(0, &["diff", text(&a), text(&out), "--match", "values", "--format", "json"]);
    assert_eq!(plain["matched"]["transposed"], 0);
    let report =
        json(0, &["validate", text(&a), "--against", text(&out), "--map-file", text(&file), "--format", "json"]);
    assert_eq!(report["restore"]["ok"], true);
    std::fs::write(&file, "[1]").unwrap();
    let bad = ckpt(&["diff", text(&a), text(&b), "--map-file", text(&file)]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("not a map of names"));
}

#[test]
fn what_is_wrong_is_told_in_every_format() {
    let (_dir, a, b) = two(|_, theirs| {
        let (q, k) = ("enc.layers.1.attn.q_proj.weight", "enc.layers.1.attn.k_proj.weight");
        let (query, key) = (theirs[q].clone(), theirs[k].clone());
        theirs.insert(q.to_owned(), key);
        theirs.insert(k.to_owned(), query);
        theirs.get_mut("head.weight").unwrap().values[3] += 1.0;
        theirs.remove("head.bias");
    });
    let args =
        |format: &'static str| ["diff", text(&a), text(&b), "--match", "values", "--format", format].map(str::to_owned);
    let says = |format: &'static str| {
        let args = args(format);
        ckpt_says(1, &args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let plain = says("text");
    assert!(plain.contains("suspect: enc/layer_1/attention/query/kernel is paired with"), "{plain}");
    assert!(plain.contains("one element differs"), "{plain}");
    let last = plain.lines().last().unwrap();
    assert!(last.starts_with("NOT the same: 1 differs, 1 only in A, 2 suspect"), "{last}");
    let found: Value = serde_json::from_str(&says("json")).unwrap();
    assert_eq!(found["equal"], false);
    assert_eq!(found["matched"]["suspects"], 2);
    let changes = found["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 4);
    assert_eq!(changes.iter().filter(|change| change["suspect"].is_string()).count(), 2);
    assert_eq!(says("jsonl").lines().count(), 4);
    assert!(says("csv").contains("suspect"));
    assert!(says("markdown").contains("NOT the same"));
    assert!(says("github").contains("NOT the same"));
}

#[test]
fn contents_that_say_nothing_prove_nothing() {
    // Names that have nothing to do with each other, and zeros wherever names would have to decide.
    let zeros = || Array::new(&[6], vec![0.0; 6]);
    let kernel = || Array::new(&[2, 3], vec![0.11, 0.25, -1.7, 0.31, 0.9, 1.23]);
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let of = |names: &[&str]| -> Tensors {
        let first = std::iter::once((names[0].to_owned(), kernel()));
        first.chain(names[1..].iter().map(|name| ((*name).to_owned(), zeros()))).collect()
    };
    write_bundle(&of(&["x/kernel", "m1", "m2"]), &a);
    write_bundle(&of(&["kk", "n1", "n2"]), &b);
    let found = json(1, &["diff", text(&a), text(&b), "--match", "values", "--format", "json"]);
    assert_eq!((&found["equal"], &found["matched"]["a"]["ambiguous"]), (&Value::from(false), &Value::from(2)));
    let ambiguous = found["changes"].as_array().unwrap().iter().find(|change| change["name"] == "n1").unwrap();
    assert_eq!(ambiguous["ambiguous"], serde_json::json!(["m1", "m2"]));
    assert!(found["matched"]["verdict"].as_str().unwrap().starts_with("not fully proved"), "{found}");
    // One of them is the only one of its shape.
    write_bundle(&of(&["x/kernel", "m1"]), &a);
    write_bundle(&of(&["kk", "n1"]), &b);
    let found = json(0, &["diff", text(&a), text(&b), "--match", "values", "--format", "json"]);
    assert_eq!(found["matched"]["constants"], 1);
}

#[test]
fn options_of_pairs_by_names_are_refused() {
    let (_dir, a, b) = two(|_, _| {});
    for option in [&["--exact"][..], &["--structure"], &["--atol", "1"], &["--expect-same", "x"], &["--map", "s/a/b/"]]
    {
        let args = [&["diff", text(&a), text(&b), "--match", "values"][..], option].concat();
        assert_eq!(ckpt(&args).status.code(), Some(2), "{option:?}");
    }
}
