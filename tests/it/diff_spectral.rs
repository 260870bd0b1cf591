//! `diff --spectral` against singular values that NumPy found of the same changes.

use std::collections::BTreeMap;

use crate::support::{open, testdata};
use crate::validating::ckpt_says;
use ckpt::analysis::diff::{Diff, DiffOptions, diff};
use ckpt::analysis::stats::{ChangeSpectrum, Missing, Rank};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt_synth::{BundleBuilder, dtype};
use serde_json::Value;

fn compared<'c>(a: &'c Checkpoint, b: &'c Checkpoint, threads: usize) -> Diff<'c> {
    let options = DiffOptions { threads, spectral: true, ..DiffOptions::default() };
    diff(a, b, &options, &Progress::default()).unwrap()
}

fn spectra(found: &Diff<'_>) -> BTreeMap<String, Option<ChangeSpectrum>> {
    let of = |values: &ckpt::analysis::diff::Values| values.spectral.as_deref().copied();
    let name = |change: &ckpt::analysis::diff::Change| String::from_utf8(change.name().to_vec()).unwrap();
    found.changes.iter().map(|change| (name(change), change.values.as_deref().and_then(of))).collect()
}

#[test]
fn singular_values_of_changes_are_those_of_numpy() {
    let dir = testdata().join("diff/low_rank");
    let expected: Value = serde_json::from_slice(&std::fs::read(dir.join("expected.json")).unwrap()).unwrap();
    let expected = expected["matrices"].as_object().unwrap();
    let (a, b) = (open(&dir.join("a.npz")), open(&dir.join("b.npz")));
    let (a, b) = (a.unwrap(), b.unwrap());
    let found = spectra(&compared(&a, &b, 1));
    let near = |name: &str, key: &str, got: f64, by: f64| {
        let want = expected[name][key].as_f64().unwrap();
        assert!((got - want).abs() <= by * want, "{name}: {key} {got} instead of {want}");
    };
    let (mut exact, mut more) = (0, 0);
    for (name, got) in &found {
        let Some(want) = expected.get(name) else {
            assert_eq!(*got, None, "{name}");
            continue;
        };
        let got = got.unwrap();
        if name == "odd/nan" {
            assert_eq!((got.spectrum.missing, got.rank), (Some(Missing::NotFinite), None));
            continue;
        }
        near(name, "sigma_max", got.spectrum.sigma_max.unwrap(), 0.002);
        near(name, "stable_rank", got.spectrum.stable_rank.unwrap(), 0.004);
        let Some(above) = want["above"].as_u64() else {
            assert_eq!((got.rank, got.rounding_edge), (None, None), "{name}");
            continue;
        };
        near(name, "rounding_edge", got.rounding_edge.unwrap(), 1e-6);
        let limit = want["limit"].as_u64().unwrap();
        match got.rank.unwrap() {
            Rank::Exactly { rank, least } => {
                assert_eq!(rank, above, "{name}");
                if rank > 0 {
                    near(name, "least", least, 1e-6);
                }
                exact += 1;
            }
            Rank::MoreThan(rank) => {
                assert!(rank == limit && above > limit, "{name}");
                more += 1;
            }
            Rank::Unclear => panic!("{name}"),
        }
        assert_eq!(got.low_rank().is_some(), name.starts_with("lora/"), "{name}");
    }
    // Ten low-rank changes and one that is rounding alone, and four of full rank.
    assert_eq!((exact, more, found.len()), (11, 4, 20));
}

#[test]
fn the_verdict_says_what_all_changed_matrices_have() {
    let dir = testdata().join("diff/low_rank");
    let [a, b] = ["a.npz", "b.npz"].map(|file| dir.join(file).to_str().unwrap().to_owned());
    let says = |more: &[&str]| {
        let mut arguments = vec!["diff", &a, &b, "--spectral"];
        arguments.extend(more);
        ckpt_says(1, &arguments)
    };
    let text = says(&["lora/value"]);
    assert!(text.contains("rank 8 above rounding 3.54e-8"), "{text}");
    assert!(text.contains("the one matrix that changed did by rank 8"), "{text}");
    let text = says(&["lora/**"]).replace("\n  ", " ");
    assert!(text.contains("all 10 matrices that changed did by rank 2 to 8"), "{text}");
    assert!(text.contains("as a low-rank fine-tune (LoRA) merged in"), "{text}");
    let text = says(&["lora/query", "full/noise"]).replace("\n  ", " ");
    assert!(text.contains("1 of 2 changed matrices by rank 4") && !text.contains("LoRA"), "{text}");
    let text = says(&["full/**"]);
    assert!(text.contains("rank over 12") && text.contains("none of 4 changed matrices by a low rank"), "{text}");
    let document: Value = serde_json::from_str(&says(&["lora/**", "full/noise", "--format", "json"])).unwrap();
    let want = serde_json::json!({"matrices": 11, "low": 10, "least_rank": 2, "greatest_rank": 8});
    assert_eq!(document["low_ranks"], want);
    let noise = &document["changes"][0]["spectral"];
    assert_eq!(
        (&noise["rank"], &noise["rank_more_than"], &noise["low_rank"]),
        (&Value::Null, &12.into(), &false.into())
    );
    let markdown = says(&["lora/query", "--format", "markdown"]);
    assert!(markdown.contains("rank 4 above rounding") && markdown.contains("LoRA"), "{markdown}");
    // Without the option nothing is said of it.
    let plain: Value = serde_json::from_str(&ckpt_says(1, &["diff", &a, &b, "lora/**", "--format", "json"])).unwrap();
    assert!(plain.get("low_ranks").is_none() && plain["changes"][0].get("spectral").is_none());
}

/// One that is larger than the parts in which others are read, and smaller ones that are read together.
#[test]
fn any_number_of_threads_finds_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, seed: u32| {
        let prefix = dir.path().join(name);
        #[expect(clippy::cast_precision_loss, reason = "24 bits")]
        let value = |n: u32| ((n ^ seed).wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0;
        let mut bundle = BundleBuilder::new().shards(1);
        for (name, rows, columns) in [("a", 20u32, 24u32), ("c", 30, 18)] {
            let values: Vec<f32> = (0..rows * columns).map(value).collect();
            bundle = bundle.floats(name, &[rows.into(), columns.into()], &values);
        }
        let wide: Vec<u8> = (0..1_050_000).flat_map(|n| f64::from(value(n)).to_le_bytes()).collect();
        bundle = bundle.tensor("b", dtype::DOUBLE, &[525_000, 2], wide);
        bundle.finish().write(&prefix).unwrap();
        open(&prefix).unwrap()
    };
    let (a, b) = (write("a.ckpt", 1), write("b.ckpt", 3));
    let one = spectra(&compared(&a, &b, 1));
    assert_eq!(one["b"].unwrap().spectrum.missing, Some(Missing::TooNarrow));
    assert!(one["a"].unwrap().rank.is_some() && one.len() == 3);
    assert_eq!(spectra(&compared(&a, &b, 3)), one);
}

// What JSON says of each change, CSV has in columns; without the flag it has none of them.
#[test]
fn csv_has_what_json_has() {
    let sides = ["testdata/diff/low_rank/a.npz", "testdata/diff/low_rank/b.npz"];
    let told = |more: &[&str]| ckpt_says(1, &[&["diff"], &sides[..], more].concat());
    let json: Value = serde_json::from_str(&told(&["--spectral", "--format", "json"])).unwrap();
    let text = told(&["--spectral", "--format", "csv"]);
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let header = csv.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let changes = json["changes"].as_array().unwrap();
    assert_eq!(rows.len(), changes.len());
    let mut ranks = 0;
    for (row, change) in rows.iter().zip(changes) {
        for key in
            ["sigma_max", "stable_rank", "edge", "above_edge", "rounding_edge", "rank", "rank_more_than", "low_rank"]
        {
            let at = header.iter().position(|column| column == key).unwrap();
            let (cell, value) = (&row[at], &change["spectral"][key]);
            let is_same = match value {
                Value::Null => cell.is_empty(),
                // The parser of JSON may be off by the last bit.
                Value::Number(number) => {
                    let (a, b) = (cell.parse::<f64>().unwrap(), number.as_f64().unwrap());
                    (a - b).abs() <= 1e-12 * a.abs()
                }
                Value::Bool(is_so) => cell.parse() == Ok(*is_so),
                other => panic!("{other}"),
            };
            assert!(is_same, "{} {key}: {cell} and {value}", &row[0]);
            ranks += usize::from(key == "rank" && !cell.is_empty());
        }
        let at = header.iter().position(|column| column == "spectral_missing").unwrap();
        assert_eq!(&row[at], change["spectral"]["missing"].as_str().unwrap_or_default(), "{}", &row[0]);
    }
    assert!(ranks >= 10, "{ranks}");
    assert!(!told(&["--format", "csv"]).contains("sigma_max"));
}
