//! `spectral` of a tensor in `stats --format json`, as structs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::stats::{Missing, Spectrum};
use crate::report::kit::json::Float;

/// Singular values of a tensor as a matrix.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Spectral {
    /// all dimensions but the last, multiplied
    rows: u64,
    /// the last dimension
    columns: u64,
    /// the largest singular value, within 1 %
    sigma_max: Option<Float>,
    /// the sum of the squares of all singular values in terms of the largest one's
    stable_rank: Option<Float>,
    /// above which a random matrix of these sides and this variance has no singular value
    edge: Option<Float>,
    /// singular values above it; 0 as if random
    above_edge: Option<u64>,
    /// why something of these is null; absent if nothing is
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    missing: Option<MissingWord>,
}

/// Why something is not known of singular values.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum MissingWord {
    Empty,
    Complex,
    TooLarge,
    NotFinite,
    NotConverged,
    Overflow,
    Zero,
    Constant,
    TooNarrow,
    Alike,
    TooWide,
    Unclear,
}

impl From<Missing> for MissingWord {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Empty => Self::Empty,
            Missing::Complex => Self::Complex,
            Missing::TooLarge => Self::TooLarge,
            Missing::NotFinite => Self::NotFinite,
            Missing::NotConverged => Self::NotConverged,
            Missing::Overflow => Self::Overflow,
            Missing::Zero => Self::Zero,
            Missing::Constant => Self::Constant,
            Missing::TooNarrow => Self::TooNarrow,
            Missing::Alike => Self::Alike,
            Missing::TooWide => Self::TooWide,
            Missing::Unclear => Self::Unclear,
        }
    }
}

impl From<&Spectrum> for Spectral {
    fn from(spectrum: &Spectrum) -> Self {
        Self {
            rows: spectrum.rows,
            columns: spectrum.columns,
            sigma_max: spectrum.sigma_max.map(Float),
            stable_rank: spectrum.stable_rank.map(Float),
            edge: spectrum.edge.map(Float),
            above_edge: spectrum.above_edge,
            missing: spectrum.missing.map(MissingWord::from),
        }
    }
}
