//! `stats --format json` as structs, to which what is written by hand is held.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use super::checkpoints;
use crate::analysis::Selection;
use crate::analysis::stats::{self, Number, SHARES, Spots, StatsOptions, TensorStats, coordinates};
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Choice, Tensor};
use crate::report::kit::json::{DTypeName, Dims, Float, Utf8OrBase64};
use crate::report::kit::row_format::RowFormat;
use crate::report::stats::json::{DeadChannels, StatsFoot, StatsHead, thousandths};
use crate::report::stats::json::{StatsJson, StatsJsonl};
use crate::report::stats::spectral::Spectral;

/// Statistics of tensors.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(super) struct Stats<'a> {
    #[serde(flatten)]
    head: StatsHead<'a>,
    /// numeric tensors in the order asked for, at most as many as `--top` says
    tensors: Vec<StatsTensor<'a>>,
    /// over all selected numeric tensors, whatever `--top` says
    totals: Totals,
    #[serde(flatten)]
    foot: StatsFoot,
}

/// Figures of a tensor.
#[derive(Debug, Serialize, JsonSchema)]
struct StatsTensor<'a> {
    /// as in `list`
    name: Utf8OrBase64<'a>,
    /// as in `list`
    dtype: DTypeName,
    /// as in `list`
    shape: Dims<'a>,
    /// how many
    elements: Option<u64>,
    /// why it cannot be read, or that its bytes are not the ones that were saved; absent if all is well, otherwise all figures are absent
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    error: Option<String>,
    #[serde(flatten)]
    figures: Option<Figures<'a>>,
}

/// What is known of elements.
#[derive(Debug, Serialize, JsonSchema)]
struct Figures<'a> {
    #[serde(flatten)]
    moments: Moments,
    /// how many
    nan: u64,
    /// the index of the first one in every dimension; absent if there is none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    first_nan: Option<Vec<u64>>,
    /// how many
    positive_infinity: u64,
    /// the index of the first one in every dimension; absent if there is none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    first_positive_infinity: Option<Vec<u64>>,
    /// how many
    negative_infinity: u64,
    /// the index of the first one in every dimension; absent if there is none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    first_negative_infinity: Option<Vec<u64>>,
    #[serde(flatten)]
    finite: Option<FiniteExtremes>,
    /// more than one element, and all are equal; the value is `min`
    constant: bool,
    /// there are elements, and all are 0
    all_zero: bool,
    #[serde(flatten)]
    distribution: Option<Distribution>,
    /// with `--per-channel`, from two dimensions on
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    dead: Option<DeadChannels<'a>>,
    /// with `--spectral`, from two dimensions on
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    spectral: Option<Spectral>,
    /// whether its bytes are the ones that were saved
    checksum: Compared,
}

/// Whether bytes were compared with their checksum; where they differ, there is an error instead.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Compared {
    Ok,
    NotChecked,
}

/// Extremes, mean, deviation, norm and zeros.
#[derive(Debug, Serialize, JsonSchema)]
struct Moments {
    /// of everything but NaN; null if there is nothing
    min: Option<Number>,
    /// of everything but NaN; null if there is nothing
    max: Option<Number>,
    /// of the finite elements
    mean: Option<Float>,
    /// of the finite elements, which are the whole population
    std: Option<Float>,
    /// of the finite elements: the root of the sum of their squares
    l2: Option<Float>,
    /// elements equal to 0, of either sign
    zeros: u64,
}

/// The extremes of the finite elements.
#[derive(Debug, Serialize, JsonSchema)]
struct FiniteExtremes {
    /// of the finite elements; absent without infinities
    finite_min: Option<Number>,
    /// of the finite elements; absent without infinities
    finite_max: Option<Number>,
}

/// What `--hist` adds.
#[derive(Debug, Serialize, JsonSchema)]
struct Distribution {
    /// with `--hist`: share (`0.01`, `0.05`, `0.25`, `0.5`, `0.75`, `0.95`, `0.99`) to the least element that so many finite elements are not above
    quantiles: BTreeMap<String, Float>,
    /// with `--hist`: exact (types with no more than 11 significant bits), or off by at most one part in 2048
    quantiles_exact: bool,
    /// with `--hist`
    histogram: Histogram,
}

/// How many elements lie where.
#[derive(Debug, Serialize, JsonSchema)]
struct Histogram {
    /// the least of the finite elements
    from: Option<Number>,
    /// the greatest of them
    to: Option<Number>,
    /// elements in 32 equal steps between them, as exact as the quantiles
    counts: Vec<u64>,
}

/// What all tensors come to.
#[derive(Debug, Serialize, JsonSchema)]
struct Totals {
    /// how many
    tensors: usize,
    bytes: u64,
    elements: u64,
    #[serde(flatten)]
    moments: Moments,
    nan: u64,
    positive_infinity: u64,
    negative_infinity: u64,
    /// tensors
    constant: usize,
    /// tensors of more than one element
    all_zero: usize,
    /// tensors
    unreadable: usize,
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Int(value) => serializer.serialize_i64(value),
            Self::UInt(value) => serializer.serialize_u64(value),
            Self::Float(value) => Float(value).serialize(serializer),
        }
    }
}

impl From<&stats::Figures> for Moments {
    fn from(figures: &stats::Figures) -> Self {
        let mean = figures.mean();
        Self {
            min: figures.least(),
            max: figures.greatest(),
            mean: mean.map(Float),
            std: figures.deviation().map(Float),
            l2: mean.map(|_| Float(figures.norm())),
            zeros: figures.zeros,
        }
    }
}

impl<'a> StatsTensor<'a> {
    fn of(tensor: &'a Tensor, row: &'a TensorStats) -> Self {
        let well = row.error.is_none();
        Self {
            name: Utf8OrBase64(&tensor.name),
            dtype: DTypeName(tensor.dtype),
            shape: Dims(&tensor.shape),
            elements: if well { Some(row.figures.elements) } else { tensor.elements() },
            error: row.error.as_ref().map(ToString::to_string),
            figures: well.then(|| Figures::of(tensor, row)),
        }
    }
}

impl<'a> Figures<'a> {
    fn of(tensor: &'a Tensor, row: &'a TensorStats) -> Self {
        let figures = &row.figures;
        let dims = tensor.shape.dims().unwrap_or_default();
        let first = |spots: Spots| spots.first.map(|first| coordinates(first, dims));
        let (nan, positive, negative) = (figures.nan(), figures.positive_infinity(), figures.negative_infinity());
        let extremes = || FiniteExtremes { finite_min: figures.finite_least(), finite_max: figures.finite_greatest() };
        let distribution = |distribution: &stats::Distribution| Distribution {
            quantiles: SHARES.iter().zip(&distribution.quantiles).map(|(n, q)| (thousandths(*n), Float(*q))).collect(),
            quantiles_exact: distribution.exact,
            histogram: Histogram {
                from: figures.finite_least(),
                to: figures.finite_greatest(),
                counts: distribution.bars.to_vec(),
            },
        };
        Self {
            moments: figures.into(),
            nan: nan.count,
            first_nan: first(nan),
            positive_infinity: positive.count,
            first_positive_infinity: first(positive),
            negative_infinity: negative.count,
            first_negative_infinity: first(negative),
            finite: (positive.count + negative.count > 0).then(extremes),
            constant: figures.constant().is_some(),
            all_zero: figures.is_all_zero(),
            distribution: row.distribution.as_deref().map(distribution),
            dead: row.channels.as_deref().map(DeadChannels::from),
            spectral: row.spectral.as_deref().map(Spectral::from),
            checksum: if row.verified { Compared::Ok } else { Compared::NotChecked },
        }
    }
}

impl From<&stats::Totals> for Totals {
    fn from(totals: &stats::Totals) -> Self {
        let whole = &totals.whole;
        Self {
            tensors: totals.tensors,
            bytes: totals.bytes,
            elements: whole.elements,
            moments: whole.into(),
            nan: whole.nan().count,
            positive_infinity: whole.positive_infinity().count,
            negative_infinity: whole.negative_infinity().count,
            constant: totals.constant,
            all_zero: totals.all_zero,
            unreadable: totals.unreadable,
        }
    }
}

/// Floats as Rust prints them: where a value lies halfway between two texts, as many float32 do, the formatter of the
/// JSON crate has the other one.
struct RustDigits;

impl Formatter for RustDigits {
    fn write_f64<W: io::Write + ?Sized>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        write!(out, "{value:?}")
    }
}

fn json(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, RustDigits)).unwrap();
    String::from_utf8(out).unwrap()
}

/// Compares every row and the totals with the structs that they stand for; how many rows there are.
fn hold(prefix: &Path) -> usize {
    let checkpoint = Checkpoint::open(prefix, Choice::default(), &Limits::default()).unwrap();
    let all = Selection::first(checkpoint.tensors().len());
    for more in [false, true] {
        let options = StatsOptions { threads: 1, distribution: more, channels: more, along: false, spectral: more };
        let found = stats::stats(&checkpoint, &all, &options, &Progress::default());
        let mut written = Vec::new();
        StatsJsonl(&checkpoint).rows(0, &found.tensors, &mut written).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written.lines().count(), found.tensors.len());
        for (row, line) in found.tensors.iter().zip(written.lines()) {
            let tensor = checkpoint.tensors().get(row.at).unwrap();
            assert_eq!(line, json(&StatsTensor::of(&tensor, row)), "{}", prefix.display());
        }
        let mut foot = Vec::new();
        StatsJson(&checkpoint).foot(&found.totals, 0, &mut foot).unwrap();
        let foot = String::from_utf8(foot).unwrap();
        let totals = json(&Totals::from(&found.totals));
        assert!(foot.starts_with(&format!("],\n\"totals\":{totals},\n")), "{foot}\n{totals}");
        if more {
            return found.tensors.len();
        }
    }
    0
}

#[test]
fn figures_by_hand_are_what_the_struct_would_be() {
    let mut rows = 0;
    for prefix in checkpoints() {
        rows += hold(&prefix);
    }
    assert!(rows > 300, "only {rows} rows");
}

/// Names that JSON escapes and that UTF-8 has not; what is not finite, huge, tiny, halfway, or not there.
#[test]
fn figures_of_strange_tensors_are_what_the_struct_would_be() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("model.ckpt");
    let bundle = ckpt_synth::BundleBuilder::new()
        .shards(2)
        .floats(b"\xff\x00", &[2], &[f32::NAN, f32::NEG_INFINITY])
        .floats(b"a\"\\\n\x7f", &[2, 2], &[f32::INFINITY, 0.0, -0.0, 1.0])
        .floats("größe", &[3], &[f32::MAX, f32::MIN_POSITIVE, 1e-45])
        .floats("nothing", &[0, 4], &[])
        .floats("halfway", &[2], &[33_554_433.0, 9_007_199_791_611_905.0])
        .tensor("long", 9, &[2], [i64::MIN.to_le_bytes(), i64::MAX.to_le_bytes()].concat())
        .tensor("unsigned", 23, &[1], u64::MAX.to_le_bytes())
        .in_shard(1)
        .floats("lost", &[2], &[1.0, 2.0]);
    bundle.finish().write(&prefix).unwrap();
    assert_eq!(hold(&prefix), 8);
    std::fs::remove_file(dir.path().join("model.ckpt.data-00001-of-00002")).unwrap();
    assert_eq!(hold(&prefix), 8);
}
