//! Singular values against those that NumPy found, and the same for any number of threads.

use crate::support::{open, testdata};
use crate::validating::ckpt_says;
use ckpt::analysis::stats::{LARGEST, Missing, Spectrum, StatsOptions, TensorStats};
use ckpt::analysis::{Selector, stats};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt_synth::{BundleBuilder, dtype};
use serde_json::Value;

fn rows(checkpoint: &Checkpoint, threads: usize) -> Vec<TensorStats> {
    let options = StatsOptions { threads, spectral: true, ..StatsOptions::default() };
    let selection = Selector::default().select(checkpoint);
    stats(checkpoint, &selection, &options, &Progress::default()).tensors
}

fn spectrum(row: &TensorStats) -> Spectrum {
    **row.spectral.as_ref().unwrap()
}

#[test]
fn singular_values_are_those_of_numpy() {
    let expected = std::fs::read(testdata().join("stats/spectral/expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let expected = expected["matrices"].as_object().unwrap();
    let checkpoint = open(&testdata().join("stats/spectral/matrices.npz")).unwrap();
    let (mut matrices, mut counted) = (0, 0);
    for row in rows(&checkpoint, 1) {
        let tensor = checkpoint.tensor_at(row.at).unwrap();
        let name = String::from_utf8(tensor.name.clone()).unwrap();
        let Some(want) = expected.get(&name) else {
            assert_eq!((name.as_str(), row.spectral), ("odd/vector", None));
            continue;
        };
        matrices += 1;
        let got = spectrum(&row);
        assert_eq!(want["shape"], serde_json::json!([got.rows, got.columns]), "{name}");
        let pairs = [("sigma_max", got.sigma_max), ("stable_rank", got.stable_rank), ("edge", got.edge)];
        for (key, got) in pairs {
            let want: Option<f64> = want[key].as_str().map(|text| text.parse().unwrap());
            match (got, want) {
                (None, None) => {}
                (Some(got), Some(want)) => {
                    assert!((got - want).abs() <= 0.002 * want, "{name}: {key} {got} instead of {want}");
                }
                _ => panic!("{name}: {key} {got:?} instead of {want:?}"),
            }
        }
        assert_eq!(got.above_edge, want["above_edge"].as_u64(), "{name}");
        counted += usize::from(got.above_edge.is_some());
        let missing = match name.as_str() {
            "odd/zeros" => Some(Missing::Zero),
            "odd/constant" => Some(Missing::Constant),
            "odd/empty" => Some(Missing::Empty),
            "odd/nan" => Some(Missing::NotFinite),
            "odd/complex" => Some(Missing::Complex),
            "odd/column" | "odd/row" | "odd/one" => Some(Missing::TooNarrow),
            _ => None,
        };
        assert_eq!(got.missing, missing, "{name}");
    }
    assert_eq!((matrices, counted), (expected.len(), 16));
}

#[test]
fn the_largest_singular_value_comes_first() {
    let file = testdata().join("stats/spectral/matrices.npz");
    let file = file.to_str().unwrap();
    // The order alone asks for the figures.
    let csv = ckpt_says(0, &["stats", file, "rank_one", "spike", "odd/**", "--sort", "spectral", "--format", "csv"]);
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    // Shapes have commas: counted from the end.
    let column = header.len() - header.iter().position(|name| *name == "sigma_max").unwrap();
    let found: Vec<Option<f64>> = rows.map(|row| row[row.len() - column].parse().ok()).collect();
    let known = found.iter().flatten().count();
    assert!(known >= 7 && found[..known].iter().all(Option::is_some) && found.len() > known, "{found:?}");
    assert!(found[..known].windows(2).all(|pair| pair[0] >= pair[1]), "{found:?}");
}

/// Larger than the parts in which other tensors are read, and small ones beside it that are read together.
fn of_many_sizes(prefix: &std::path::Path) -> Checkpoint {
    let mut bundle = BundleBuilder::new().shards(1);
    for (n, (rows, columns)) in [(40u32, 60u32), (2_500_000, 1), (3, 5), (70, 2), (300, 300)].into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "24 bits")]
        let value = |n: u32| (n.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0;
        let values: Vec<f32> = (0..rows * columns).map(value).collect();
        bundle = bundle.floats(format!("m{n}"), &[i64::from(rows), i64::from(columns)], &values);
    }
    bundle.finish().write(prefix).unwrap();
    open(prefix).unwrap()
}

#[test]
fn any_number_of_threads_finds_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let checkpoint = of_many_sizes(&dir.path().join("model.ckpt"));
    let found = |threads| {
        let text = |row: &TensorStats| format!("{:?} {:?}", row.figures, row.spectral);
        rows(&checkpoint, threads).iter().map(text).collect::<Vec<_>>()
    };
    let one = found(1);
    assert_eq!(one.len(), 5);
    for threads in [2, 3, 8] {
        assert_eq!(found(threads), one);
    }
    // Figures beside them are those that are found without.
    let plain = stats(
        &checkpoint,
        &Selector::default().select(&checkpoint),
        &StatsOptions { threads: 2, ..StatsOptions::default() },
        &Progress::default(),
    );
    for (row, plain) in rows(&checkpoint, 2).iter().zip(&plain.tensors) {
        assert_eq!(row.figures, plain.figures);
        assert!(plain.spectral.is_none());
    }
    let column = spectrum(&rows(&checkpoint, 2)[1]);
    assert_eq!((column.rows, column.columns, column.missing), (2_500_000, 1, Some(Missing::TooNarrow)));
    assert!((column.stable_rank.unwrap() - 1.0).abs() < 1e-6);
}

#[test]
fn a_matrix_that_is_not_there_or_too_large_is_no_matrix_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("model.ckpt");
    let side = 1i64 << 13;
    let bundle = BundleBuilder::new()
        .floats("lost", &[2, 2], &[1.0, 2.0, 3.0, 4.0])
        // Bytes, so that it is as many elements as a matrix may not have, and a small file.
        .tensor("large", dtype::INT8, &[side, side], vec![1u8; 1 << 26]);
    bundle.finish().write(&prefix).unwrap();
    assert!((side * side).unsigned_abs() > LARGEST);
    let checkpoint = open(&prefix).unwrap();
    let found = rows(&checkpoint, 2);
    let large = spectrum(&found[0]);
    assert_eq!((large.missing, large.sigma_max), (Some(Missing::TooLarge), None));
    assert_eq!(found[0].figures.elements, 1 << 26);
    assert!(spectrum(&found[1]).sigma_max.is_some());

    let data = dir.path().join("model.ckpt.data-00000-of-00001");
    std::fs::write(&data, b"short").unwrap();
    for row in rows(&open(&prefix).unwrap(), 2) {
        assert!(row.error.is_some() && row.spectral.is_none());
    }
}
