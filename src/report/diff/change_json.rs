//! One change of a `diff` as JSON.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::match_json::How;
use super::spectral::Spectral;
use super::which_side::WhichSide;
use crate::analysis::diff::{self, Facts, PairedBy, Same, Side, Status};
use crate::base::error::Error;
use crate::read::tensor::{Element, write_json};
use crate::report::kit::json::{DTypeName, Dims, Float, Utf8OrBase64, Word};

/// One change.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Change<'a> {
    /// the key in B; of a removed tensor in A
    name: Utf8OrBase64<'a>,
    /// `changed`, `within_tolerance`, `added` (only in B), `removed` (only in A), `shape`, `dtype`, `renamed` (the same bytes under another name), `unreadable`, `not_compared` (with `--index-only`, where the indexes do not tell; with `--structure`, all pairs of one dtype and shape), `ambiguous` (with `--match values`: several on the other side have the contents), `identical`
    status: Word<Status>,
    /// null where there is none
    a: Option<ChangeSide<'a>>,
    /// null where there is none
    b: Option<ChangeSide<'a>>,
    #[serde(flatten)]
    values: Option<Values<'a>>,
    /// with `--spectral`, where values of a matrix of floats differ: singular values of the change
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    spectral: Option<Spectral>,
    /// with `--index-only` for scalars: the values that the checksums tell, as text
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    derived: Option<Derived<'a>>,
    /// of identical and renamed ones, how that is known
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    by: Option<Word<Same>>,
    /// the key in A, where it is another one
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    a_name: Option<Utf8OrBase64<'a>>,
    /// with `a_name`: how the two were found: `map`, `object_graph`, `full_name`, `layer_name`, `bytes`, `likeness` (with `--match values`: several have the contents, or the values differ, and its name decided)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    paired_by: Option<Word<PairedBy>>,
    /// true where it is stored in other slices
    #[serde(skip_serializing_if = "is_false")]
    repartitioned: bool,
    /// true where it is stored in another shard
    #[serde(skip_serializing_if = "is_false")]
    moved: bool,
    /// with `--match values`: how the one is made of the other
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    how: Option<How<'a>>,
    /// with `--match values`: why a pair is not to be trusted although its contents agree
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    suspect: Option<&'a str>,
    /// with `--match values`: how the values of a pair differ
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    differs: Option<&'a str>,
    /// with `--match values`: names on the other side that have the same contents, of which nobody can tell which it is
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ambiguous: Vec<Utf8OrBase64<'a>>,
    /// of unreadable ones
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ReadError>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A tensor of one side.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ChangeSide<'a> {
    dtype: DTypeName,
    shape: Dims<'a>,
}

/// Where values were read and differ.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Values<'a> {
    /// of each side
    elements: u64,
    /// with other values; NaN is equal to NaN
    changed_elements: u64,
    /// largest |a − b|; of integers exact; null where each element is NaN on a side
    max_abs: Option<Figure>,
    /// largest |a − b| / |b|, infinite where b is 0; of complex numbers by magnitude
    max_rel: Option<Float>,
    /// mean |a − b| of all elements
    mean_abs: Option<Float>,
    /// ‖a − b‖ / ‖b‖; null where values are so small that their squares vanish
    rel_l2: Option<Float>,
    /// of the angle between a and b; null if one is zero or not finite
    cosine: Option<Float>,
    /// largest number of steps from one representable value to the next, of floats; of complex numbers by parts
    max_ulps: Option<u64>,
    /// coordinates of the largest difference; without sizes, of the first change
    at: Option<&'a [u64]>,
    /// the element there, as in `print`; absent without sizes
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    a_value: Option<ElementValue>,
    /// the element there, as in `print`; absent without sizes
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    b_value: Option<ElementValue>,
    /// changed elements that are NaN on a side
    nan_elements: u64,
    /// with other bits and equal values: 0.0 and -0.0, two NaN. If nothing else differs, the tensor is `changed` with `changed_elements` 0
    bits_only: u64,
    /// changed elements that no tolerance excuses
    beyond_tolerance: u64,
    /// mean difference, or share of changed elements, in up to eight parts along the first dimension (of short ones, along all elements)
    along: Vec<Float>,
}

/// A figure that is exact where it can be.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) enum Figure {
    Integer(u64),
    Float(f64),
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Integer(value) => serializer.serialize_u64(value),
            Self::Float(value) => Float(value).serialize(serializer),
        }
    }
}

/// An element as `print` writes it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::report) struct ElementValue(Value);

impl ElementValue {
    fn of(element: Element) -> Self {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write_json(element, &mut text);
        Self(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// What checksums tell of a scalar.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Derived<'a> {
    a: &'a str,
    b: &'a str,
}

/// Why a side could not be read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ReadError {
    side: WhichSide,
    message: String,
}

impl<'a> From<&'a diff::Change> for Change<'a> {
    fn from(change: &'a diff::Change) -> Self {
        let a_name = change.a_name();
        let matched = change.matched.as_deref();
        Self {
            name: Utf8OrBase64(change.name()),
            status: Word(change.status),
            a: change.a.as_ref().map(ChangeSide::from),
            b: change.b.as_ref().map(ChangeSide::from),
            values: change.values.as_deref().map(Values::from),
            spectral: change.values.as_deref().and_then(|values| values.spectral.as_deref()).map(Spectral::from),
            derived: change.derived.as_ref().map(|(a, b)| Derived { a, b }),
            by: change.same.map(Word),
            a_name: a_name.map(Utf8OrBase64),
            paired_by: a_name.map(|_| Word(change.paired)),
            repartitioned: change.repartitioned,
            moved: change.moved,
            how: matched.and_then(|matched| matched.how.as_ref()).map(How::from),
            suspect: change.suspect(),
            differs: matched.and_then(|matched| matched.differs.as_deref()),
            ambiguous: matched
                .map(|matched| matched.several.iter().map(|name| Utf8OrBase64(name)).collect())
                .unwrap_or_default(),
            errors: change.trouble.iter().map(ReadError::from).collect(),
        }
    }
}

impl<'a> From<&'a Facts> for ChangeSide<'a> {
    fn from(facts: &'a Facts) -> Self {
        Self { dtype: DTypeName(facts.dtype), shape: Dims(&facts.shape) }
    }
}

impl<'a> From<&'a diff::Values> for Values<'a> {
    fn from(values: &'a diff::Values) -> Self {
        let figures = values.figures.as_ref();
        let max_abs =
            |figures: &diff::Figures| figures.max_abs_integer.map_or(Figure::Float(figures.max_abs), Figure::Integer);
        Self {
            elements: values.elements,
            changed_elements: values.changed,
            max_abs: figures.map(max_abs),
            max_rel: figures.map(|figures| Float(figures.max_rel)),
            mean_abs: figures.map(|figures| Float(figures.mean_abs)),
            rel_l2: figures.and_then(|figures| figures.rel_l2).map(Float),
            cosine: figures.and_then(|figures| figures.cosine).map(Float),
            max_ulps: figures.and_then(|figures| figures.max_ulps),
            at: values.at.as_deref(),
            a_value: values.largest.map(|(a, _)| ElementValue::of(a)),
            b_value: values.largest.map(|(_, b)| ElementValue::of(b)),
            nan_elements: values.nan,
            bits_only: values.bits_only,
            beyond_tolerance: values.beyond,
            along: values.spark.iter().copied().map(Float).collect(),
        }
    }
}

impl From<&(Side, Error)> for ReadError {
    fn from((side, error): &(Side, Error)) -> Self {
        Self { side: (*side).into(), message: error.to_string() }
    }
}
