//! Conversions that other programs made: TF-Slim to the layers of Keras' applications, a SavedModel to legacy HDF5.

use std::path::Path;

use serde_json::Value;

use crate::validating::ckpt_says;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/matching");

fn matched(status: i32, a: &str, b: &str) -> Value {
    let of = |name: &str| if Path::new(name).is_absolute() { name.to_owned() } else { format!("{DIR}/{name}") };
    let args = ["diff", &of(a), &of(b), "--match", "values", "--all", "--format", "json"];
    serde_json::from_str(&ckpt_says(status, &args)).unwrap()
}

/// A copy of an index, without its data.
fn index_of(prefix: &str, dir: &Path) -> String {
    let to = dir.join("alone");
    std::fs::copy(format!("{DIR}/{prefix}.index"), to.with_extension("index")).unwrap();
    to.to_str().unwrap().to_owned()
}

#[test]
fn weights_that_were_copied_by_hand_are_proved() {
    let conversions = [
        ("slim/model.ckpt-4", "slim/keras2.h5", 37),
        ("slim/model.ckpt-4", "slim/keras3.weights.h5", 37),
        ("from_saved_model/export/variables/variables", "from_saved_model/loaded.h5", 27),
    ];
    for (a, b, weights) in conversions {
        let found = matched(0, a, b);
        let totals = &found["matched"];
        let got = ["proved", "transposed", "suspects", "changed"].map(|what| totals[what].as_u64().unwrap());
        assert_eq!(got, [weights, 0, 0, 0], "{a} {b}: {totals}");
        // From the index alone every checksum is found, too.
        let dir = tempfile::tempdir().unwrap();
        let found = matched(0, &index_of(a, dir.path()), b);
        assert_eq!(found["matched"]["by_checksum"], weights, "{a} {b}: {}", found["matched"]);
    }
}

#[test]
fn another_step_is_paired_by_the_names_of_both_frameworks() {
    let found = matched(1, "slim/model.ckpt-2", "slim/keras2.h5");
    let changes = found["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 37);
    for change in changes {
        let (a, b) = (change["a_name"].as_str().unwrap_or_default(), change["name"].as_str().unwrap());
        assert_eq!(change["status"], "changed", "{change}");
        // Conv2d_2_depthwise/BatchNorm/gamma is conv_dw_2_bn/gamma.
        for [ours, theirs] in
            [["depthwise/", "_dw_"], ["pointwise/", "_pw_"], ["BatchNorm", "_bn/"], ["Logits", "preds"]]
        {
            assert_eq!(a.contains(ours), b.contains(theirs), "{a} is paired with {b}");
        }
        if let Some(number) =
            a.strip_prefix("MobilenetTiny/Conv2d_").and_then(|rest| rest.get(..1)).filter(|n| *n != "0")
        {
            let [depthwise, pointwise] = ["dw", "pw"].map(|kind| format!("conv_{kind}_{number}"));
            assert!(b.contains(&depthwise) || b.contains(&pointwise), "{a} is paired with {b}");
        }
    }
}
