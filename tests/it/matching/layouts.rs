//! A model of Keras in the layouts of other frameworks, as scripts made them with NumPy: every pair, with its axes.

use std::path::Path;

use serde_json::Value;

use crate::validating::{ckpt, ckpt_says};

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/matching/layouts");

fn matched(status: i32, a: &str, b: &str) -> Value {
    let of = |name: &str| if Path::new(name).is_absolute() { name.to_owned() } else { format!("{DIR}/{name}") };
    let args = ["diff", &of(a), &of(b), "--match", "values", "--all", "--format", "json"];
    serde_json::from_str(&ckpt_says(status, &args)).unwrap()
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(format!("{DIR}/expected.json")).unwrap()).unwrap()
}

#[test]
fn every_tensor_of_another_layout_is_found_with_its_axes() {
    let expected = expected();
    // Named by layers, so that names say what is which.
    let found = matched(0, "keras2.h5", "torch.safetensors");
    let changes = found["changes"].as_array().unwrap();
    assert_eq!(changes.len(), expected["torch"].as_object().unwrap().len());
    for change in changes {
        let name = change["name"].as_str().unwrap();
        let want = &expected["torch"][name];
        let (a_name, of) = (change["a_name"].as_str().unwrap(), want["of"].as_str().unwrap());
        assert!(a_name.trim_end_matches(":0").ends_with(of), "{a_name} is not {of}");
        let axes = &change["how"]["axes"];
        assert_eq!(axes, &want["axes"], "{name}: {change}");
    }
}

#[test]
fn the_same_from_checkpoints_of_objects_from_their_index_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let index = dir.path().join("ckpt.index");
    std::fs::copy(format!("{DIR}/ckpt.index"), &index).unwrap();
    let index = index.to_str().unwrap();
    for (other, transposed, parts, cast) in [
        ("keras2.h5", 0, 0, 0),
        ("keras3.weights.h5", 0, 0, 0),
        ("torch.safetensors", 12, 0, 0),
        ("fused.npz", 12, 6, 0),
        ("half.safetensors", 12, 0, 27),
    ] {
        for (a, b) in [("ckpt", other), (other, "ckpt"), (index, other), (other, index)] {
            let is_index = a == index || b == index;
            // Of rounded values no checksum of the others can be made.
            if is_index && cast > 0 {
                let found = matched(2, a, b);
                assert_eq!((&found["equal"], &found["complete"]), (&Value::from(false), &Value::from(false)));
                continue;
            }
            let found = matched(0, a, b);
            let totals = &found["matched"];
            let got = ["transposed", "parts", "cast"].map(|what| totals[what].as_u64().unwrap());
            assert_eq!(got, [transposed, parts, cast], "{a} {b}: {totals}");
            assert_eq!(totals["by_checksum"].as_u64().unwrap() > 0, is_index, "{a} {b}");
            assert_eq!(totals["tries"].as_u64().unwrap() > 0, is_index, "{a} {b}");
        }
    }
}

#[test]
fn what_went_wrong_is_told_and_rare_layouts_are_not() {
    let found = matched(1, "keras2.h5", "faults.npz");
    let changes = found["changes"].as_array().unwrap();
    let of = |name: &str| changes.iter().find(|change| change["name"] == name).unwrap();
    let suspects: Vec<&str> = changes
        .iter()
        .filter(|change| change["suspect"].is_string())
        .map(|change| change["name"].as_str().unwrap())
        .collect();
    assert_eq!(suspects, ["attn/key/weight", "attn/query/weight"]);
    assert_eq!(
        (&of("up/weight")["status"], &of("up/weight")["how"]["flipped"]),
        (&"identical".into(), &vec![2, 3].into())
    );
    for name in ["lstm/bias", "lstm/weight_hh", "lstm/weight_ih"] {
        assert_eq!(of(name)["how"]["order"], serde_json::json!([0, 2, 1, 3]), "{name}");
    }
    let square = &of("square/weight")["how"];
    assert_eq!((&square["reshape"], &square["axes"]), (&vec![2, 2, 4].into(), &vec![0, 2, 1].into()));
    assert_eq!(of("head/weight")["changed_elements"], 3);
    assert_eq!(found["matched"]["changed"], 1);
}

#[test]
fn what_a_cast_does_is_said_of_every_pair() {
    let found = matched(0, "ckpt", "half.safetensors");
    let changes = found["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["how"]["kind"] == "cast" && change["how"]["overflows"] == 0));
    let text =
        ckpt(&["diff", &format!("{DIR}/ckpt"), &format!("{DIR}/half.safetensors"), "--match", "values", "--all"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("transposed (3, 2, 0, 1), rounded from float32 to float16"), "{text}");
}
