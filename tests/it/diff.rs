//! `ckpt diff` against NumPy over TensorFlow's own reading, its laws, and what it says of damage.
#![expect(clippy::float_cmp, reason = "extremes are exact")]
#![expect(clippy::many_single_char_names, reason = "a and b are the two sides")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::validating::{ckpt, ckpt_says, data_of, edit};
use ckpt::analysis::diff::{Bound, Change, Depth, Diff, DiffOptions, Expected, Expecting, Status, ToleranceRule, diff};
use ckpt::analysis::{Renames, Selector};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::report::{DiffRows, Format, Look, write_diff};
use ckpt_synth::{BundleBuilder, Extent, V1Builder, Values, slice_key};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use tempfile::TempDir;

fn open(path: &Path) -> Checkpoint {
    Checkpoint::open(path, Choice::default(), &Limits::default()).unwrap()
}

/// Two bundles in one directory.
fn two(a: BundleBuilder, b: BundleBuilder) -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (x, y) = (dir.path().join("a"), dir.path().join("b"));
    a.finish().write(&x).unwrap();
    b.finish().write(&y).unwrap();
    (dir, x, y)
}

/// Every change with its status, by name.
fn statuses(diff: &Diff<'_>) -> Vec<(String, &'static str)> {
    diff.changes.iter().map(|c| (String::from_utf8_lossy(c.name()).into_owned(), c.status.name())).collect()
}

fn run<'c>(a: &'c Checkpoint, b: &'c Checkpoint, options: &DiffOptions) -> Diff<'c> {
    diff(a, b, options, &Progress::default()).unwrap()
}

fn selector(text: &str) -> Selector {
    Selector::parse(&[text], false).unwrap()
}

fn json_of(diff: &Diff<'_>) -> Value {
    let rows = DiffRows { rows: diff.rows(false), hidden: 0, long: false, spectral: false };
    let mut out = Vec::new();
    write_diff(diff, &rows, Format::Json, Look::default(), &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// Sums may differ in their last digits, everything else not at all.
fn agree(key: &str, got: &Value, want: &Value) -> bool {
    match (got.as_f64(), want.as_f64()) {
        (Some(got), Some(want)) if matches!(key, "mean_abs" | "rel_l2" | "cosine") => {
            (got - want).abs() <= 1e-6 * want.abs()
        }
        // A quotient of two exact numbers, rounded once.
        (Some(got), Some(want)) if key == "max_rel" => (got - want).abs() <= 1e-15 * want.abs(),
        (Some(got), Some(want)) => got == want,
        _ => got == want,
    }
}

#[test]
fn figures_are_those_of_numpy() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/diff/pairs");
    let figures: Value = serde_json::from_slice(&fs::read(dir.join("figures.json")).unwrap()).unwrap();
    let mut compared = 0;
    for pair in figures["pairs"].as_array().unwrap() {
        let path = |side: &str| dir.join(pair[side].as_str().unwrap());
        let (a, b) = (open(&path("a")), open(&path("b")));
        for threads in [1, 3] {
            let options = DiffOptions { keep_identical: true, threads, ..DiffOptions::default() };
            let document = json_of(&run(&a, &b, &options));
            let changes = document["changes"].as_array().unwrap();
            let found = |name: &Value| changes.iter().find(|change| change["name"] == *name);
            let graphs = changes.iter().filter(|change| change["name"] == "_CHECKPOINTABLE_OBJECT_GRAPH").count();
            assert_eq!(changes.len() - graphs, pair["tensors"].as_array().unwrap().len());
            for want in pair["tensors"].as_array().unwrap() {
                let got = found(&want["name"]).unwrap_or_else(|| panic!("{} is not there", want["name"]));
                assert_eq!(got["status"], want["status"], "{got}");
                assert_eq!(got.get("a_name"), want.get("a_name"), "{got}");
                for (key, want) in want.as_object().unwrap().iter().filter(|_| want["status"] == "changed") {
                    assert!(agree(key, &got[key], want), "{key} of {}: {} for {want}", got["name"], got[key]);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 2000, "only {compared} figures");
}

/// A tensor of a law: dtype, shape, and bytes.
type Made = (i32, Vec<i64>, Vec<u8>);

fn made() -> impl Strategy<Value = Made> {
    let dtypes = proptest::sample::select(&[1, 2, 3, 4, 6, 8, 9, 10, 14, 17, 18, 19, 23, 25, 29, 33][..]);
    // Few bytes, so that elements are often equal; all of them, so that NaN and infinity occur.
    let byte = prop_oneof![Just(0u8), Just(0x80), Just(0x7f), Just(0xff), Just(0x3f), any::<u8>()];
    (dtypes, vec(0i64..5, 0..3)).prop_flat_map(move |(dtype, shape)| {
        let count = usize::try_from(shape.iter().product::<i64>()).unwrap();
        let size = ckpt_synth::dtype::size(dtype).unwrap();
        (Just(dtype), Just(shape), vec(byte.clone(), count * size..=count * size))
    })
}

fn bundle(tensors: &std::collections::BTreeMap<String, Made>) -> BundleBuilder {
    tensors
        .iter()
        .fold(BundleBuilder::new(), |builder, (name, (dtype, shape, bytes))| builder.tensor(name, *dtype, shape, bytes))
}

#[test]
fn nothing_differs_from_itself_and_both_directions_agree() {
    let names = || btree_map("[abc](/[de])?", made(), 0..5);
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let law = |(first, mut second): (std::collections::BTreeMap<String, Made>, _)| {
        // Some tensors keep their dtype and shape, and some their bytes.
        for (n, (name, (dtype, shape, bytes))) in first.iter().enumerate() {
            let second: &mut std::collections::BTreeMap<String, Made> = &mut second;
            if let Some(other) = second.get_mut(name).filter(|_| n % 3 != 0) {
                let mut changed = bytes.clone();
                for (byte, other) in changed.iter_mut().zip(&other.2).step_by(3) {
                    *byte = *other;
                }
                *other = (*dtype, shape.clone(), changed);
            }
        }
        let (_dir, x, y) = two(bundle(&first), bundle(&second));
        let (a, b) = (open(&x), open(&y));
        let options = DiffOptions { threads: 2, ..DiffOptions::default() };
        for depth in [Depth::Structure, Depth::Index, Depth::Values, Depth::Exact] {
            let itself = run(&a, &a, &DiffOptions { depth, threads: 2, ..DiffOptions::default() });
            prop_assert!(itself.is_equal() && itself.changes.is_empty() && !itself.is_trouble());
        }
        let (there, back) = (run(&a, &b, &options), run(&b, &a, &options));
        prop_assert_eq!(json_of(&there), json_of(&run(&a, &b, &DiffOptions { threads: 1, ..DiffOptions::default() })));
        let mirrored = |status| match status {
            Status::Added => Status::Removed,
            Status::Removed => Status::Added,
            other => other,
        };
        prop_assert_eq!(there.is_equal(), back.is_equal());
        for status in Status::ALL {
            prop_assert_eq!(there.tally.of(status), back.tally.of(mirrored(status)), "{:?}", status);
        }
        for change in there.changes.iter().filter(|change| change.status == Status::Changed) {
            let other = back.changes.iter().find(|other| other.name() == change.name()).unwrap();
            let (one, two) = (change.values.as_ref().unwrap(), other.values.as_ref().unwrap());
            prop_assert_eq!(
                (one.changed, one.bits_only, one.nan, &one.at),
                (two.changed, two.bits_only, two.nan, &two.at)
            );
            let symmetric = |f: ckpt::analysis::diff::Figures| (f.max_abs.to_bits(), f.max_ulps, f.max_abs_integer);
            prop_assert_eq!(one.figures.map(symmetric), two.figures.map(symmetric));
        }
        Ok(())
    };
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(&(names(), names()), law) {
        panic!("{error}");
    }
}

#[test]
fn large_tensors_are_cut_and_joined() {
    // Beyond one unit of 8 MiB, one change near the end of each unit and one in a block of its own.
    let count = 5usize << 20;
    let a: Vec<f32> = (0..1000u16).map(f32::from).cycle().take(count).collect();
    let mut b = a.clone();
    let places = [5, (2 << 20) - 1, 2 << 20, count - 1];
    for (at, step) in places.into_iter().zip([1.0, 2.0, 3.0, 4.0]) {
        b[at] += step;
    }
    let shape = [5, 1 << 20];
    let (_dir, x, y) = two(
        BundleBuilder::new().floats("w", &shape, &a).floats("same", &shape, &a),
        BundleBuilder::new().floats("w", &shape, &b).floats("same", &shape, &a),
    );
    let (one, two) = (open(&x), open(&y));
    let mut documents = Vec::new();
    for threads in [1, 2, 5] {
        let found = run(&one, &two, &DiffOptions { depth: Depth::Exact, threads, ..DiffOptions::default() });
        let values = found.changes[0].values.as_ref().unwrap();
        assert_eq!((values.changed, values.at.as_deref()), (4, Some(&[4, (1 << 20) - 1][..])));
        let figures = values.figures.unwrap();
        assert_eq!(figures.max_abs, 4.0);
        let norm = b.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        assert!((figures.rel_l2.unwrap() - 30f64.sqrt() / norm).abs() < 1e-12);
        assert_eq!(found.tally.of(Status::Identical), 1);
        documents.push(json_of(&found));
    }
    assert!(documents.windows(2).all(|pair| pair[0] == pair[1]), "depends on threads");
}

#[test]
fn a_damaged_side_is_named() {
    let bundle = || BundleBuilder::new().floats("a", &[3], &[1.0, 2.0, 3.0]).floats("b", &[2], &[4.0, 5.0]);
    let other = bundle().entry_patch("nothing", |_| {});
    let (_dir, x, y) = two(bundle(), other);
    // `a` of B is damaged behind the back of its checksum.
    edit(&data_of(&y), |bytes| bytes[1] ^= 1);
    let (a, b) = (open(&x), open(&y));
    let trusting = run(&a, &b, &DiffOptions::default());
    assert!(trusting.is_equal() && trusting.by_checksum == 2, "the indexes say the same");
    let exact = run(&a, &b, &DiffOptions { depth: Depth::Exact, ..DiffOptions::default() });
    assert_eq!(statuses(&exact), [("a".to_owned(), "unreadable")]);
    let sides: Vec<_> = exact.changes[0].trouble.iter().map(|(side, _)| side.name()).collect();
    assert_eq!(sides, ["B"]);
    assert_eq!(exact.tally.of(Status::Identical), 1);
    assert!(exact.is_trouble() && !exact.is_equal());

    // A tensor that differs is checked as it is read, on both sides.
    let third = BundleBuilder::new().floats("a", &[3], &[1.0, 2.0, 4.0]).floats("b", &[2], &[4.0, 5.0]);
    let (_dir, x, z) = two(bundle(), third);
    edit(&data_of(&x), |bytes| bytes[1] ^= 1);
    let (a, c) = (open(&x), open(&z));
    let found = run(&a, &c, &DiffOptions::default());
    assert_eq!(statuses(&found), [("a".to_owned(), "unreadable")]);
    assert_eq!(found.changes[0].trouble[0].0.name(), "A");
    assert!(found.changes[0].trouble[0].1.to_string().contains("checksum mismatch"));
}

#[test]
fn what_can_be_compared_is_compared() {
    let bundle = |third: f32| {
        BundleBuilder::new()
            .shards(2)
            .in_shard(0)
            .floats("a", &[1], &[1.0])
            .floats("c", &[1], &[third])
            .in_shard(1)
            .floats("b", &[1], &[third])
    };
    let (dir, x, y) = two(bundle(2.0), bundle(3.0));
    fs::remove_file(dir.path().join("b.data-00001-of-00002")).unwrap();
    let (a, b) = (open(&x), open(&y));
    let found = run(&a, &b, &DiffOptions::default());
    assert_eq!(statuses(&found), [("b".to_owned(), "unreadable"), ("c".to_owned(), "changed")]);
    assert_eq!(found.changes[0].trouble.len(), 1);
    let output = ckpt(&["diff", x.to_str().unwrap(), y.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("unreadable in B") && text.contains("1 identical by checksum"), "{text}");
    // A scalar's checksum tells its value without any data.
    let index = run(&a, &b, &DiffOptions { depth: Depth::Index, ..DiffOptions::default() });
    assert_eq!(index.changes[0].derived, Some(("2.0".to_owned(), "3.0".to_owned())));
}

#[test]
fn a_tensor_that_a_damaged_index_may_have_had_is_not_called_added() {
    let dir = tempfile::tempdir().unwrap();
    let many = |n: u16| {
        (0..n).fold(BundleBuilder::new(), |builder, n| builder.floats(format!("t{n:03}"), &[1], &[f32::from(n)]))
    };
    let (x, y) = (dir.path().join("a"), dir.path().join("b"));
    many(300).table(|table| table.block_size(512).corrupt_checksum(2)).finish().write(&x).unwrap();
    many(300).finish().write(&y).unwrap();
    let (a, b) = (open(&x), open(&y));
    assert!(!a.damage().is_empty());
    let found = run(&a, &b, &DiffOptions::default());
    assert!(found.tally.of(Status::Unreadable) > 0 && found.tally.of(Status::Added) == 0);
    assert!(found.changes.iter().all(|change| change.trouble[0].0.name() == "A"));
    assert!(found.is_trouble());
}

#[test]
fn renames_need_proof() {
    let weights = [1.0, 2.0, 3.0];
    let a = BundleBuilder::new()
        .floats("old/w", &[3], &weights)
        .floats("old/zeros", &[3], &[0.0; 3])
        .floats("old/ones", &[3], &[1.0; 3])
        .floats("old/scalar", &[], &[7.0])
        .floats("old/x", &[2], &[5.0, 6.0])
        .floats("old/y", &[2], &[5.0, 6.0]);
    let b = BundleBuilder::new()
        .floats("new/w", &[3], &weights)
        .floats("new/zeros", &[3], &[0.0; 3])
        .floats("new/ones", &[3], &[1.0; 3])
        .floats("new/scalar", &[], &[7.0])
        .floats("new/x", &[2], &[5.0, 6.0])
        .floats("new/y", &[2], &[5.0, 6.0]);
    let (_dir, x, y) = two(a, b);
    let (a, b) = (open(&x), open(&y));
    for depth in [Depth::Values, Depth::Exact] {
        let found = run(&a, &b, &DiffOptions { depth, ..DiffOptions::default() });
        let renamed: Vec<&Change> = found.changes.iter().filter(|c| c.status == Status::Renamed).collect();
        assert_eq!(renamed.len(), 1);
        assert_eq!((renamed[0].name(), renamed[0].a_name()), (&b"new/w"[..], Some(&b"old/w"[..])));
        assert_eq!((found.tally.of(Status::Added), found.tally.of(Status::Removed)), (5, 5));
        assert_eq!(found.ambiguous.len(), 1, "x and y have the same bytes");
    }
    // With the user's word for it there is nothing left to prove.
    let map = Renames::parse(&["s/^old/new/".to_owned()]).unwrap();
    let found = run(&a, &b, &DiffOptions { map, ..DiffOptions::default() });
    assert!(found.is_equal() && found.paired[0] == 6);
    let map = Renames::parse(&["s/x$/y/".to_owned()]).unwrap();
    let error = diff(&a, &b, &DiffOptions { map, ..DiffOptions::default() }, &Progress::default()).unwrap_err();
    assert!(error.to_string().contains("old/x and old/y"), "{error}");
}

#[test]
fn tolerances_are_those_of_isclose() {
    let (_dir, x, y) = two(
        BundleBuilder::new().floats("net/w", &[3], &[1.0, 2.0, 100.0]).floats("slow", &[2], &[0.0, 1.0]),
        BundleBuilder::new().floats("net/w", &[3], &[1.0, 2.0, 101.0]).floats("slow", &[2], &[-0.0, 1.0]),
    );
    let (a, b) = (open(&x), open(&y));
    let with = |rules: Vec<(&str, Bound)>| {
        let rule = |(text, bound): (&str, Bound)| {
            let terms: Vec<&str> = Some(text).filter(|text| !text.is_empty()).into_iter().collect();
            ToleranceRule { selector: Selector::parse(&terms, false).unwrap(), bound }
        };
        let tolerances = rules.into_iter().map(rule).collect();
        let found = run(&a, &b, &DiffOptions { tolerances, ..DiffOptions::default() });
        found.changes.iter().map(|change| change.status.name()).collect::<Vec<_>>()
    };
    assert_eq!(with(vec![]), ["changed", "changed"]);
    assert_eq!(with(vec![("", Bound::Absolute(1.0))]), ["within_tolerance", "within_tolerance"]);
    assert_eq!(with(vec![("", Bound::Absolute(0.99))]), ["changed", "within_tolerance"]);
    // 1 <= r * 101, relative to B.
    assert_eq!(with(vec![("net", Bound::Relative(0.009_901))]), ["within_tolerance", "changed"]);
    assert_eq!(with(vec![("net", Bound::Relative(0.009_900))]), ["changed", "changed"]);
    assert_eq!(with(vec![("net", Bound::Ulps(131_072))]), ["within_tolerance", "changed"]);
    assert_eq!(with(vec![("net", Bound::Ulps(131_071))]), ["changed", "changed"]);
    // The last rule of a kind holds.
    assert_eq!(with(vec![("", Bound::Absolute(5.0)), ("net", Bound::Absolute(0.0))]), ["changed", "within_tolerance"]);
}

#[test]
fn nan_is_itself_unless_the_user_says_otherwise() {
    let bundle = || BundleBuilder::new().floats("w", &[3], &[1.0, f32::NAN, 2.0]).floats("v", &[1], &[1.0]);
    let (_dir, x, y) = two(bundle(), bundle());
    let (a, b) = (open(&x), open(&y));
    assert!(run(&a, &b, &DiffOptions::default()).is_equal());
    for depth in [Depth::Values, Depth::Exact] {
        let found = run(&a, &b, &DiffOptions { nan_differs: true, depth, ..DiffOptions::default() });
        assert_eq!(statuses(&found), [("w".to_owned(), "changed")]);
        let values = found.changes[0].values.as_ref().unwrap();
        assert_eq!((values.changed, values.nan, values.at.as_deref()), (1, 1, Some(&[1][..])));
    }
}

#[test]
fn stored_elsewhere_is_not_different() {
    let values = [1.0f32, 2.0, 3.0, 4.0];
    let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let slices = [Extent::range(0, 1), Extent::range(1, 3)];
    let mut whole = ckpt_synth::Entry::new(ckpt_synth::dtype::FLOAT, &[4]);
    whole.slices = slices.iter().map(|slice| vec![*slice]).collect();
    let a = BundleBuilder::new()
        .shards(2)
        .floats("w", &[4], &values)
        .in_shard(1)
        .floats("v", &[2], &[8.0, 9.0])
        .tensor_in(0, "big", ckpt_synth::dtype::FLOAT, &[1], bytes(&[5.0]));
    let b = BundleBuilder::new()
        .floats("v", &[2], &[8.0, 9.0])
        .floats("big", &[1], &[5.0])
        .tensor(slice_key("w", &[slices[0]]), ckpt_synth::dtype::FLOAT, &[1], bytes(&values[..1]))
        .tensor(slice_key("w", &[slices[1]]), ckpt_synth::dtype::FLOAT, &[3], bytes(&values[1..]))
        .entry("w", whole);
    let (_dir, x, y) = two(a, b);
    let (one, two) = (open(&x), open(&y));
    let found = run(&one, &two, &DiffOptions::default());
    assert!(found.is_equal(), "{:?}", statuses(&found));
    assert_eq!((found.repartitioned, found.moved), (1, 1));
    let index = run(&one, &two, &DiffOptions { depth: Depth::Index, ..DiffOptions::default() });
    assert_eq!(statuses(&index), [("w".to_owned(), "not_compared")]);
    assert!(index.is_trouble(), "nobody may take this for the same");
    let long = ckpt_says(0, &["diff", x.to_str().unwrap(), y.to_str().unwrap(), "--long"]);
    assert!(long.contains("stored in other slices") && long.contains("in another shard"), "{long}");
}

#[test]
fn what_an_entry_claims_is_not_believed() {
    let claims = |seed: u32| {
        let huge = move |entry: &mut ckpt_synth::Entry| {
            (entry.shape, entry.size, entry.crc) = (vec![1 << 50, 1 << 8], 1 << 60, seed);
        };
        BundleBuilder::new()
            .floats("good", &[2], &[1.0, 2.0])
            .floats("huge", &[1], &[3.0])
            .entry_patch("huge", huge)
            .floats("wrong_size", &[4], &[1.0; 4])
            .entry_patch("wrong_size", move |entry| (entry.size, entry.crc) = (8, seed))
            .strings("lost", &[1 << 40], &["a"])
            .entry_patch("lost", move |entry| entry.crc = seed)
    };
    let (_dir, x, y) = two(claims(1), claims(2));
    let (a, b) = (open(&x), open(&y));
    for depth in [Depth::Values, Depth::Exact] {
        let found = run(&a, &b, &DiffOptions { depth, threads: 2, ..DiffOptions::default() });
        assert_eq!(
            statuses(&found),
            ["huge", "lost", "wrong_size"].map(|name| (name.to_owned(), "unreadable")),
            "{:?}",
            found.changes
        );
        assert_eq!(found.tally.of(Status::Identical), 1);
        // And of itself nothing differs, even if nothing can be read.
        let itself = run(&a, &a, &DiffOptions { depth, ..DiffOptions::default() });
        assert_eq!(itself.tally.differences(), 0);
    }
}

#[test]
fn formats_meet() {
    let dir = tempfile::tempdir().unwrap();
    let (x, y, z) = (dir.path().join("v2"), dir.path().join("v1"), dir.path().join("big"));
    BundleBuilder::new().floats("w", &[2], &[1.5, -2.0]).strings("s", &[2], &["a", "b"]).finish().write(&x).unwrap();
    let floats = Values::Float(vec![1.5, -2.5]);
    V1Builder::new().tensor("w", 1, &[2], floats).finish().write(&y).unwrap();
    let big: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| v.to_be_bytes()).collect();
    BundleBuilder::new()
        .big_endian()
        .tensor("w", 1, &[2], big)
        .strings("s", &[2], &["a", "b"])
        .finish()
        .write(&z)
        .unwrap();
    let (v2, v1, big) = (open(&x), open(&y), open(&z));
    let found = run(&v1, &v2, &DiffOptions::default());
    assert_eq!(statuses(&found), [("s".to_owned(), "added"), ("w".to_owned(), "changed")]);
    assert_eq!(found.changes[1].values.as_ref().unwrap().changed, 1);
    let found = run(&v2, &big, &DiffOptions::default());
    assert!(found.is_equal() && found.by_checksum == 0 && found.tally.of(Status::Identical) == 2);
}

#[test]
fn expectations_are_kept_or_named() {
    let (_dir, x, y) = two(
        BundleBuilder::new().floats("emb/t", &[2], &[1.0, 2.0]).floats("w", &[1], &[1.0]),
        BundleBuilder::new().floats("emb/t", &[2], &[1.0, 3.0]).floats("w", &[1], &[1.0]),
    );
    let (a, b) = (open(&x), open(&y));
    let expect = |expected, text: &str| {
        let of = Expecting { expected, text: text.to_owned(), selector: selector(text), by: None };
        let expectations = vec![of];
        let found = run(&a, &b, &DiffOptions { expectations, ..DiffOptions::default() });
        let expectation = &found.expectations[0];
        (expectation.holds(), expectation.matched, expectation.broken)
    };
    assert_eq!(expect(Expected::Same, "w"), (true, 1, 0));
    assert_eq!(expect(Expected::Same, "emb/**"), (false, 1, 1));
    assert_eq!(expect(Expected::Changed, "emb/**"), (true, 1, 0));
    assert_eq!(expect(Expected::Changed, "**"), (false, 2, 1));
    assert_eq!(expect(Expected::Same, "nothing"), (false, 0, 0));
    let (x, y) = (x.to_str().unwrap(), y.to_str().unwrap());
    let text = ckpt_says(1, &["diff", x, x, "--expect-changed", "w"]);
    assert!(text.contains("expectation broken: --expect-changed 'w': 1 of 1 tensor: w (identical)"), "{text}");
    let text = ckpt_says(1, &["diff", x, x, "--expect-same", "nothing"]);
    assert!(text.contains("no tensor matches"), "{text}");
    ckpt_says(0, &["diff", x, y, "w", "--expect-same", "w"]);
}

#[test]
fn exit_statuses_and_silence() {
    let (_dir, x, y) =
        two(BundleBuilder::new().floats("w", &[2], &[1.0, 2.0]), BundleBuilder::new().floats("w", &[2], &[1.0, 3.0]));
    let (x, y) = (x.to_str().unwrap(), y.to_str().unwrap());
    for (status, args) in [
        (0, &["diff", x, x][..]),
        (1, &["diff", x, y]),
        (1, &["diff", x, y, "--index-only"]),
        (0, &["diff", x, y, "--structure"]),
        (0, &["diff", x, y, "--atol", "1"]),
        // What compared nothing says nothing is the same.
        (1, &["diff", x, y, "--ignore", "w"]),
        (1, &["diff", x, x, "--ignore", "**"]),
        (1, &["diff", x, x, "no-such-tensor"]),
        (2, &["diff", x, "no-such-file"]),
        (2, &["diff", "no-such-file", x]),
        (2, &["diff", x, y, "--atol", "nan"]),
        (2, &["diff", x, y, "--map", "nonsense"]),
    ] {
        assert_eq!(ckpt(args).status.code(), Some(status), "{args:?}");
    }
    let text = ckpt_says(1, &["diff", x, x, "--ignore", "**", "--format", "json"]);
    assert!(text.contains("\"equal\":false"), "{text}");
    let says = |args: &[&str]| String::from_utf8(ckpt(args).stderr).unwrap();
    for args in [["diff", x, y, "--quiet"], ["diff", x, "no-such-file", "--quiet"]] {
        let output = ckpt(&args);
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{args:?}");
        assert!(matches!(output.status.code(), Some(1 | 2)));
    }
    assert!(says(&["diff", x, "no-such-file"]).starts_with("error: B: "));
    assert!(says(&["diff", "no-such-file", x]).starts_with("error: A: "));
}

#[test]
fn a_tensor_that_a_missing_v1_file_may_have_is_not_called_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model");
    let one = |name: &str, builder: V1Builder| builder.tensor(name, 1, &[1], Values::Float(vec![1.0]));
    one("b", one("a", V1Builder::new()).in_shard(1)).finish().write(&path).unwrap();
    let whole = dir.path().join("whole");
    fs::create_dir(&whole).unwrap();
    for n in 0..2 {
        let name = format!("model-0000{n}-of-00002");
        fs::copy(dir.path().join(&name), whole.join(&name)).unwrap();
    }
    fs::remove_file(dir.path().join("model-00001-of-00002")).unwrap();
    let (a, b) = (open(&whole.join("model")), open(&path));
    let found = run(&a, &b, &DiffOptions::default());
    assert_eq!(statuses(&found), [("b".to_owned(), "unreadable")]);
    assert!(found.is_trouble());
    let error = found.changes[0].trouble[0].1.to_string();
    assert!(error.starts_with("V1 checkpoint: ") && !error.contains(".index"), "{error}");
    let listed = ckpt(&["list", path.to_str().unwrap(), "--format", "json", "--quiet"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&listed["complete"], listed["tensors"].as_array().unwrap().len()), (&Value::Bool(false), 1));
    assert_eq!(ckpt(&["list", path.to_str().unwrap()]).status.code(), Some(2));
}

#[test]
fn a_shard_that_is_cut_or_missing_is_told_although_nothing_of_it_is_read() {
    let bundle = || BundleBuilder::new().floats("w", &[2], &[1.0, 2.0]);
    let (_dir, x, y) = two(bundle(), bundle());
    let says = || {
        let output = ckpt(&["diff", x.to_str().unwrap(), y.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(says(), "");
    edit(&data_of(&y), |bytes| bytes.truncate(5));
    let cut = "b.data-00000-of-00001 has 5 bytes, its index places tensors up to 8; what is identical";
    assert!(says().starts_with(&format!("note: B: {cut}")), "{}", says());
    fs::remove_file(data_of(&y)).unwrap();
    assert!(says().starts_with("note: B: b.data-00000-of-00001 is missing"), "{}", says());
}

#[test]
fn every_format_has_every_change() {
    let (_dir, x, y) = two(
        BundleBuilder::new().floats("a|b", &[2], &[1.0, f32::NAN]).floats("gone", &[1], &[1.0]),
        BundleBuilder::new().floats("a|b", &[2], &[2.0, 1.0]).floats("\u{1b}[31mnew", &[2], &[1.0, 4.0]),
    );
    let (x, y) = (x.to_str().unwrap(), y.to_str().unwrap());
    let format = |name| ckpt_says(1, &["diff", x, y, "--format", name]);
    let document: Value = serde_json::from_str(&format("json")).unwrap();
    assert_eq!(document["changes"].as_array().unwrap().len(), 3);
    let lines: Vec<Value> = format("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::from(lines), document["changes"]);
    let text = format("csv");
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(csv.records().filter(|record| record.as_ref().unwrap().len() == 20).count(), 3);
    assert_eq!(format("markdown").lines().filter(|line| line.starts_with("| `")).count(), 3);
    for name in ["text", "csv", "markdown"] {
        assert!(!format(name).contains('\u{1b}'), "{name} sends escapes to a terminal");
    }
}
