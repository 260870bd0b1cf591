//! Statistics against NumPy over TensorFlow's own reading, and laws that hold for any numbers.

use std::path::Path;

use crate::support::{base64, open, show, testdata};
use ckpt::analysis::stats::{Figures, Number, SHARES, StatsOptions, TensorStats, coordinates};
use ckpt::analysis::{Selection, Selector, Stats, stats};
use ckpt::base::error::ErrorKind;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt_synth::{BundleBuilder, Entry, Extent, dtype, slice_key};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

const ALL: StatsOptions = StatsOptions { threads: 1, distribution: true, channels: true, along: false, spectral: true };

fn all(checkpoint: &Checkpoint, options: &StatsOptions) -> Stats {
    let selection = Selector::default().select(checkpoint);
    stats(checkpoint, &selection, options, &Progress::default())
}

/// Everything that a tensor's statistics say, bit by bit.
fn bits(row: &TensorStats) -> String {
    let figures = &row.figures;
    let float = |value: Option<f64>| value.map(f64::to_bits);
    format!(
        "{figures:?} {:?} {:?} {:x} {:?} {:?} {:?} {} {:?}",
        float(figures.mean()),
        float(figures.deviation()),
        figures.norm().to_bits(),
        row.distribution,
        row.channels,
        row.spectral,
        row.verified,
        row.error.as_ref().map(ToString::to_string)
    )
}

fn value(json: &Value) -> Option<f64> {
    match json {
        Value::Null => None,
        Value::String(text) => Some(text.parse().unwrap()),
        // Of integers, for comparing what is near.
        number => number.as_f64(),
    }
}

/// An exact number: of integers all digits count.
fn same(number: Option<Number>, json: &Value) -> bool {
    match number {
        Some(Number::Int(value)) => json.as_i64() == Some(value),
        Some(Number::UInt(value)) => json.as_u64() == Some(value),
        Some(Number::Float(got)) => value(json).is_some_and(|want| got.total_cmp(&(want + 0.0)).is_eq()),
        None => json.is_null(),
    }
}

/// To a millionth of the larger; `scale` is what a difference may get lost beside.
fn close(got: Option<f64>, json: &Value, scale: f64) -> bool {
    match (got, value(json)) {
        (Some(got), Some(want)) => (got - want).abs() <= want.abs() * 1e-6 + scale * 1e-15,
        (got, want) => got.is_none() && want.is_none(),
    }
}

fn compare(row: &TensorStats, shape: &[i64], short: bool, json: &Value, what: &str) {
    let figures = &row.figures;
    assert_eq!(json["elements"], figures.elements, "{what}");
    assert_eq!(json["zeros"], figures.zeros, "{what}");
    let kinds = [
        ("nan", figures.nan()),
        ("positive_infinity", figures.positive_infinity()),
        ("negative_infinity", figures.negative_infinity()),
    ];
    for (name, spots) in kinds {
        assert_eq!(json[name], spots.count, "{what} {name}");
        let first = spots.first.map(|at| coordinates(at, shape));
        assert_eq!(json[format!("first_{name}")], serde_json::to_value(first).unwrap(), "{what} {name}");
    }
    assert!(same(figures.least(), &json["min"]), "{what}: min {:?}, want {}", figures.least(), json["min"]);
    assert!(same(figures.greatest(), &json["max"]), "{what}: max {:?}, want {}", figures.greatest(), json["max"]);
    let scale = figures.largest().unwrap_or(0.0);
    let norm = figures.mean().map(|_| figures.norm());
    for (name, got) in [("mean", figures.mean()), ("std", figures.deviation()), ("l2", norm)] {
        assert!(close(got, &json[name], scale), "{what}: {name} {got:?}, want {}", json[name]);
    }
    let distribution = row.distribution.as_ref();
    assert_eq!(distribution.is_none(), json["quantiles"].is_null(), "{what}");
    if let Some(distribution) = distribution {
        assert_eq!(distribution.exact, short, "{what}");
        for (n, got) in distribution.quantiles.iter().enumerate() {
            let want = value(&json["quantiles"][n]).unwrap();
            let off = if short { 0.0 } else { want.abs() / 2048.0 };
            // Below the normal numbers of a float64 a bucket has no exponent to be relative to.
            assert!((got - want).abs() <= off.max(if short { 0.0 } else { f64::MIN_POSITIVE }), "{what}: {got} {want}");
        }
        assert_eq!(distribution.bars.iter().sum::<u64>(), figures.finite(), "{what}");
    }
    let dead = row.channels.as_ref().map(|channels| (channels.rows.count.unwrap(), channels.columns.count.unwrap()));
    let want = json["dead"].as_array().map(|dead| (dead[0].as_u64().unwrap(), dead[1].as_u64().unwrap()));
    assert_eq!(dead, want, "{what}");
}

#[test]
fn figures_are_numpys_over_what_tensorflow_reads() {
    let text = std::fs::read_to_string(testdata().join("stats/expected.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let (mut compared, mut dtypes) = (0, std::collections::BTreeSet::new());
    for document in json["statistics"].as_array().unwrap() {
        let prefix = document["prefix"].as_str().unwrap();
        let checkpoint = open(&testdata().join(prefix)).unwrap_or_else(|error| panic!("{prefix}: {error}"));
        let one = all(&checkpoint, &ALL);
        let many = all(&checkpoint, &StatsOptions { threads: 3, ..ALL });
        assert_eq!(
            one.tensors.iter().map(bits).collect::<Vec<_>>(),
            many.tensors.iter().map(bits).collect::<Vec<_>>(),
            "{prefix}"
        );
        for want in document["tensors"].as_array().unwrap() {
            let name = match &want["name"] {
                Value::String(name) => name.clone().into_bytes(),
                other => base64(&other["base64"]),
            };
            let what = format!("{prefix} {}", show(&name));
            let has = |row: &&TensorStats| {
                let tensor = &checkpoint.tensors().get(row.at).unwrap();
                tensor.name.as_slice() == name
            };
            let row = one.tensors.iter().find(has).unwrap_or_else(|| panic!("{what} is missing"));
            assert!(row.error.is_none() && row.verified, "{what}: {:?}", row.error);
            let tensor = checkpoint.tensors().get(row.at).unwrap().clone();
            assert_eq!(want["dtype"], tensor.dtype.to_string());
            let size = tensor.dtype.element_size().unwrap();
            let short = size == 1 || ["float16", "bfloat16"].contains(&tensor.dtype.to_string().as_str());
            compare(row, tensor.shape.dims().unwrap(), short, want, &what);
            dtypes.insert(tensor.dtype.to_string());
            compared += 1;
        }
    }
    assert!(compared > 250, "only {compared} tensors");
    assert_eq!(dtypes.len(), 30, "{dtypes:?}");
}

fn le(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Enough for two parts of a tensor and a piece.
const LARGE: usize = (8 << 20) / 4 * 2 + 5000;

fn large() -> Vec<f32> {
    let mut values: Vec<f32> = ckpt_synth::big::values(3, LARGE);
    // The last of a block, the first of the next, the first of a part, the last of all.
    values[4095] = f32::NAN;
    values[4096] = f32::INFINITY;
    values[(8 << 20) / 4] = f32::NEG_INFINITY;
    values[LARGE - 1] = f32::NAN;
    values
}

fn written(dir: &Path, builder: BundleBuilder) -> Checkpoint {
    let prefix = dir.join("model");
    builder.finish().write(&prefix).unwrap();
    open(&prefix).unwrap()
}

#[test]
fn a_large_tensor_is_the_same_with_any_number_of_threads_and_in_slices() {
    let dir = tempfile::tempdir().unwrap();
    let values = large();
    let count = i64::try_from(LARGE).unwrap();
    let cut = LARGE / 3;
    let extents = [(0, cut), (cut, LARGE - cut)].map(|(start, len)| (i64::try_from(start).unwrap(), len));
    let mut whole = Entry::new(dtype::FLOAT, &[count]);
    let mut builder = BundleBuilder::new().tensor("a", dtype::FLOAT, &[count], le(&values));
    for (start, len) in extents {
        let slice = vec![Extent::range(start, i64::try_from(len).unwrap())];
        let from = usize::try_from(start).unwrap();
        let key = slice_key("b", &slice);
        builder = builder.tensor(key, dtype::FLOAT, &[i64::try_from(len).unwrap()], le(&values[from..from + len]));
        whole.slices.push(slice);
    }
    let checkpoint = written(dir.path(), builder.entry("b", whole));
    let first = all(&checkpoint, &ALL);
    let [a, b] = first.tensors.as_slice() else { panic!("{first:?}") };
    assert!(a.error.is_none() && b.error.is_none() && a.verified && b.verified, "{a:?} {b:?}");
    assert_eq!(bits(a), bits(b), "slices are read in the same parts");
    for threads in [2, 3, 8] {
        let again = all(&checkpoint, &StatsOptions { threads, ..ALL });
        let pairs = first.tensors.iter().zip(&again.tensors);
        pairs.for_each(|(a, b)| assert_eq!(bits(a), bits(b), "{threads} threads"));
    }
    let figures = &a.figures;
    assert_eq!((figures.nan().count, figures.nan().first), (2, Some(4095)));
    assert_eq!(figures.positive_infinity().first, Some(4096));
    assert_eq!(figures.negative_infinity().first, Some((8 << 20) / 4));
    let finite: Vec<f64> = values.iter().filter(|v| v.is_finite()).map(|v| f64::from(*v)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a few millions")]
    let n = finite.len() as f64;
    let mean = finite.iter().sum::<f64>() / n;
    let squares: f64 = finite.iter().map(|v| (v - mean) * (v - mean)).sum();
    assert!((figures.mean().unwrap() - mean).abs() < 1e-12);
    assert!((figures.deviation().unwrap() / (squares / n).sqrt() - 1.0).abs() < 1e-10);
}

#[test]
fn what_is_not_what_was_saved_is_unreadable_and_the_rest_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let values = large();
    let count = i64::try_from(LARGE).unwrap();
    let builder = BundleBuilder::new()
        .tensor("good", dtype::FLOAT, &[2], le(&[1.0, 2.0]))
        .tensor("large", dtype::FLOAT, &[count], le(&values))
        .tensor("small", dtype::FLOAT, &[2], le(&[3.0, 4.0]))
        .strings("text", &[1], &[b"words".to_vec()]);
    builder.finish().write(&dir.path().join("model")).unwrap();
    let shard = dir.path().join("model.data-00000-of-00001");
    let mut bytes = std::fs::read(&shard).unwrap();
    // In the second part of the large tensor, and in the small one behind it.
    bytes[8 + (9 << 20)] ^= 1;
    let behind = 8 + LARGE * 4;
    bytes[behind + 1] ^= 1;
    std::fs::write(&shard, &bytes).unwrap();
    let checkpoint = open(&dir.path().join("model")).unwrap();
    let found = all(&checkpoint, &StatsOptions { threads: 2, ..ALL });
    let kinds: Vec<Option<bool>> = found
        .tensors
        .iter()
        .map(|row| row.error.as_ref().map(|e| matches!(e.kind(), ErrorKind::ChecksumMismatch { .. })))
        .collect();
    assert_eq!(kinds, [None, Some(true), Some(true)]);
    assert_eq!((found.totals.skipped.tensors, found.totals.skipped.elements), (1, 1));
    assert_eq!((found.totals.whole.elements, found.totals.whole.mean()), (2, Some(1.5)));
    // A shard that ends early loses what lies behind its end, and only that.
    std::fs::write(&shard, &bytes[..100]).unwrap();
    let checkpoint = open(&dir.path().join("model")).unwrap();
    let found = all(&checkpoint, &ALL);
    let lost = found.unreadable().map(|(_, error)| matches!(error.kind(), ErrorKind::Truncated { .. }));
    assert_eq!(lost.collect::<Vec<_>>(), [true, true]);
}

#[test]
fn a_damaged_slice_names_its_tensor() {
    let dir = tempfile::tempdir().unwrap();
    let mut whole = Entry::new(dtype::FLOAT, &[4]);
    let mut builder = BundleBuilder::new();
    for start in [0, 2] {
        let slice = vec![Extent::range(start, 2)];
        builder = builder.tensor(slice_key("b", &slice), dtype::FLOAT, &[2], le(&[1.0, 2.0]));
        whole.slices.push(slice);
    }
    let prefix = dir.path().join("model");
    builder.entry("b", whole).finish().write(&prefix).unwrap();
    let shard = dir.path().join("model.data-00000-of-00001");
    let mut bytes = std::fs::read(&shard).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&shard, &bytes).unwrap();
    let checkpoint = open(&prefix).unwrap();
    let found = all(&checkpoint, &ALL);
    let errors: Vec<String> = found.unreadable().map(|(_, error)| error.to_string()).collect();
    assert!(matches!(errors.as_slice(), [one] if one.starts_with("b: tensor checksum mismatch")), "{errors:?}");
}

#[test]
fn what_has_no_elements_has_no_figures() {
    let dir = tempfile::tempdir().unwrap();
    let builder = BundleBuilder::new().tensor("none", dtype::FLOAT, &[0, 3], Vec::new());
    let checkpoint = written(dir.path(), builder);
    let found = all(&checkpoint, &ALL);
    let row = &found.tensors[0];
    assert!(row.error.is_none() && row.verified && row.distribution.is_none() && row.channels.is_none());
    assert_eq!(row.figures, Figures::default());
    assert_eq!((row.figures.least(), row.figures.mean(), row.figures.constant()), (None, None, None));
    assert!(!row.figures.is_all_zero());
    let nothing = stats(&checkpoint, &Selection::first(0), &ALL, &Progress::default());
    assert!(nothing.tensors.is_empty());
}

/// Runs a law on the same inputs every time.
fn law<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, test) {
        panic!("{error}");
    }
}

#[test]
fn statistics_of_parts_merge_to_the_whole_in_any_order() {
    let value = prop_oneof![
        4 => -10f32..10.0,
        1 => any::<f32>(),
        1 => proptest::sample::select(vec![0.0, -0.0, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE / 2.0, f32::MAX]),
    ];
    let strategy = (proptest::collection::vec(value, 1..300), 1usize..9, any::<bool>());
    law(200, &strategy, |(values, pieces, backwards)| {
        let dir = tempfile::tempdir().unwrap();
        let step = values.len().div_ceil(pieces);
        let mut builder = BundleBuilder::new();
        for (n, part) in values.chunks(step).enumerate() {
            builder = builder.tensor(format!("p{n}"), dtype::FLOAT, &[i64::try_from(part.len()).unwrap()], le(part));
        }
        builder = builder.tensor("whole", dtype::FLOAT, &[i64::try_from(values.len()).unwrap()], le(&values));
        let found = all(&written(dir.path(), builder), &ALL);
        let (whole, parts) = found.tensors.split_last().unwrap();
        let whole = &whole.figures;
        let mut merged = Figures::default();
        let mut parts: Vec<&TensorStats> = parts.iter().collect();
        if backwards {
            parts.reverse();
        }
        for part in parts {
            merged.merge(&part.figures);
        }
        prop_assert_eq!(
            (merged.elements, merged.zeros, merged.nan().count, merged.finite()),
            (whole.elements, whole.zeros, whole.nan().count, whole.finite())
        );
        prop_assert_eq!((merged.least(), merged.greatest()), (whole.least(), whole.greatest()));
        let near = |a: Option<f64>, b: Option<f64>, scale: f64| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= scale * 1e-12,
            (a, b) => a == b,
        };
        let scale = whole.largest().unwrap_or(0.0);
        prop_assert!(near(merged.mean(), whole.mean(), scale), "{merged:?} {whole:?}");
        prop_assert!(near(merged.deviation(), whole.deviation(), scale), "{merged:?} {whole:?}");
        prop_assert!(near(Some(merged.norm()), Some(whole.norm()), whole.norm()), "{merged:?} {whole:?}");
        Ok(())
    });
}

#[test]
fn quantiles_follow_the_ranks() {
    assert!(SHARES.windows(2).all(|pair| pair[0] < pair[1]));
    let strategy = proptest::collection::vec(-1e4f32..1e4, 1..400);
    law(100, &strategy, |values| {
        let dir = tempfile::tempdir().unwrap();
        let count = i64::try_from(values.len()).unwrap();
        let checkpoint = written(dir.path(), BundleBuilder::new().tensor("w", dtype::FLOAT, &[count], le(&values)));
        let found = all(&checkpoint, &ALL);
        let distribution = found.tensors[0].distribution.as_ref().unwrap();
        let mut sorted: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        sorted.sort_by(f64::total_cmp);
        for (share, got) in SHARES.iter().zip(distribution.quantiles) {
            let rank = (values.len() * usize::try_from(*share).unwrap()).div_ceil(1000).max(1);
            let want = sorted[rank - 1];
            prop_assert!((got - want).abs() <= want.abs() / 2048.0, "{share}: {got}, want {want}");
        }
        Ok(())
    });
}
