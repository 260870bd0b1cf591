//! Singular values of matrices: the largest, the stable rank, and how many are more than a random matrix would have.
//!
//! Kernels of more than two dimensions are folded: all axes but the last are rows, since Keras' dense and convolution
//! kernels have their outputs last.
//!
//! The singular values of a matrix of independent elements with standard deviation `s` end at an edge, `s·(√m + √n)`
//! (Marchenko and Pastur, 1967). What training adds stands above it. `s` is that of the matrix itself, so what was
//! learned raises the edge a little: the count is rather too small than too large. The largest of a random matrix of finite size
//! varies around the edge as the Tracy-Widom law says (Johnstone, 2001, also for elements that are not normal: Pillai
//! and Yin, 2014), so the edge is moved out by [`MARGIN`] of its widths.

//!
//! Of a change, `change` finds besides how many singular values are above what rounding does to its elements (`low_rank`).

mod above;
mod change;
mod lanczos;
mod low_rank;
mod matrix;

use self::above::count_above;
pub use self::change::{ChangeSpectrum, MOST_RANK, NARROWEST_CHANGE, Rank};
pub(in crate::analysis) use self::change::{Difference, is_whole};
use self::lanczos::largest;
use self::matrix::Tall;
use super::figures::Figures;
use super::moments::times_power_of_two;
use crate::read::tensor::{DType, Wide};

/// Elements of the largest matrix that is looked at: 128 MiB a thread, as they are kept as float32, and as much again while
/// one that is wider than high is turned.
pub const LARGEST: u64 = 1 << 25;

/// The longest smaller side of a matrix whose singular values above the edge are counted: the work grows with its cube,
/// and the square of it are float64: 128 MiB.
pub const WIDEST: u64 = 4096;

/// The shortest side of a matrix that has an edge: below, one random matrix in twenty is beyond it.
pub const NARROWEST: u64 = 4;

/// How far beyond the edge a singular value must be to count, in the widths of the Tracy-Widom law of order 1: one random
/// matrix in 4,000 has one there.
pub const MARGIN: f64 = 4.0;

/// Elements that are as much alike as this have no edge: their spread is little more than what rounding left.
const ALIKE: f64 = 1e-6;

/// What is known of the singular values of a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spectrum {
    /// Rows of the matrix: the product of all dimensions but the last.
    pub rows: u64,
    /// Columns of the matrix: the last dimension.
    pub columns: u64,
    /// The largest singular value, the norm of the matrix as a map; off by less than 1 in 100, nearly always by less than 1
    /// in 1,000.
    pub sigma_max: Option<f64>,
    /// Sum of the squares of all singular values in terms of the largest one's: 1 for a matrix of rank one, the smaller side
    /// for one that turns only.
    pub stable_rank: Option<f64>,
    /// Above this no singular value of a random matrix of these sides and this variance is.
    pub edge: Option<f64>,
    /// How many singular values are above the edge.
    pub above_edge: Option<u64>,
    /// Why one of them is not known.
    pub missing: Option<Missing>,
}

/// Why something of a spectrum is not known; the first reason in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// All of it: a matrix without elements.
    Empty,
    /// All of it: a matrix of complex numbers, whose magnitudes have other singular values.
    Complex,
    /// All of it: more than [`LARGEST`] elements.
    TooLarge,
    /// All of it: elements are NaN or infinite.
    NotFinite,
    /// All of it: the iteration did not come near enough.
    NotConverged,
    /// All of it: the largest singular value is beyond what a float64 can be.
    Overflow,
    /// Stable rank and edge: all elements are zero.
    Zero,
    /// The edge: all elements are the same.
    Constant,
    /// The edge: a side is shorter than [`NARROWEST`].
    TooNarrow,
    /// The edge: elements differ by less than a millionth of the largest.
    Alike,
    /// The count: the smaller side is longer than [`WIDEST`].
    TooWide,
    /// The count: rounding would decide it.
    Unclear,
}

impl Missing {
    /// All reasons.
    pub const ALL: [Self; 12] = [
        Self::Empty,
        Self::Complex,
        Self::TooLarge,
        Self::NotFinite,
        Self::NotConverged,
        Self::Overflow,
        Self::Zero,
        Self::Constant,
        Self::TooNarrow,
        Self::Alike,
        Self::TooWide,
        Self::Unclear,
    ];

    /// As documents have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Complex => "complex",
            Self::TooLarge => "too_large",
            Self::NotFinite => "not_finite",
            Self::NotConverged => "not_converged",
            Self::Overflow => "overflow",
            Self::Zero => "zero",
            Self::Constant => "constant",
            Self::TooNarrow => "too_narrow",
            Self::Alike => "alike",
            Self::TooWide => "too_wide",
            Self::Unclear => "unclear",
        }
    }
}

/// A matrix while its elements come in.
#[derive(Clone, Debug)]
pub(super) struct Held {
    rows: u64,
    columns: u64,
    /// Why nothing is kept.
    left_out: Option<Missing>,
    /// The elements in C order, times 2 to the power of `-exponent`.
    values: Vec<f32>,
    exponent: i32,
    /// Whether one of them is not zero, which has no exponent of its own.
    met: bool,
}

/// Whether all of a tensor must be in memory at once.
pub(super) fn is_held(dtype: DType, dims: &[u64]) -> bool {
    Held::new(dtype, dims).is_some_and(|held| held.left_out.is_none())
}

impl Held {
    /// Of a tensor with these dimensions; `None` if it is no matrix.
    pub(super) fn new(dtype: DType, dims: &[u64]) -> Option<Self> {
        let (&columns, outer) = dims.split_last()?;
        if outer.is_empty() {
            return None;
        }
        let rows = if outer.contains(&0) { 0 } else { outer.iter().fold(1u64, |n, dim| n.saturating_mul(*dim)) };
        let left_out = match rows.saturating_mul(columns) {
            0 => Some(Missing::Empty),
            _ if matches!(dtype, DType::Complex64 | DType::Complex128) => Some(Missing::Complex),
            elements if elements > LARGEST => Some(Missing::TooLarge),
            _ => None,
        };
        Some(Self { rows, columns, left_out, values: Vec::new(), exponent: 0, met: false })
    }

    pub(super) fn add(&mut self, block: Wide<'_>) {
        if self.left_out.is_some() {
            return;
        }
        match block {
            Wide::Single(values) => self.values.extend_from_slice(values),
            Wide::Double(values) => self.add_all(values, |value| value),
            #[expect(clippy::cast_precision_loss, reason = "they become float32")]
            Wide::Int(values) => self.add_all(values, |value| value as f64),
            #[expect(clippy::cast_precision_loss, reason = "they become float32")]
            Wide::UInt(values) => self.add_all(values, |value| value as f64),
        }
    }

    fn add_all<T: Copy>(&mut self, values: &[T], wide: impl Fn(T) -> f64) {
        /// Float32 goes to 2¹²⁷, and products of two are float64.
        const ROOM: i32 = 60;
        let sizes = values.iter().map(|value| wide(*value).abs()).filter(|size| size.is_finite());
        let most = sizes.fold(0.0, f64::max);
        if most > 0.0 {
            let exponent = exponent_of(most);
            // Small ones beside large ones may become zero: they change no figure.
            if !self.met && exponent.abs() > ROOM || exponent > self.exponent.saturating_add(ROOM) {
                self.rescale(exponent);
            }
            self.met = true;
        }
        let exponent = self.exponent;
        #[expect(clippy::cast_possible_truncation, reason = "rounded, which is said in matrix.rs")]
        let narrow = |value: &T| match exponent {
            0 => wide(*value) as f32,
            exponent => times_power_of_two(wide(*value), -exponent) as f32,
        };
        self.values.extend(values.iter().map(narrow));
    }

    fn rescale(&mut self, exponent: i32) {
        let by = self.exponent.saturating_sub(exponent);
        #[expect(clippy::cast_possible_truncation, reason = "rounded, which is said in matrix.rs")]
        self.values.iter_mut().for_each(|value| *value = times_power_of_two(f64::from(*value), by) as f32);
        self.exponent = exponent;
    }

    /// Takes in the part of the tensor that begins where this one ends.
    pub(super) fn merge(&mut self, mut other: Self) {
        if self.exponent != other.exponent {
            let exponent = match (self.met, other.met) {
                (false, _) => other.exponent,
                (_, false) => self.exponent,
                _ => self.exponent.max(other.exponent),
            };
            self.rescale(exponent);
            other.rescale(exponent);
        }
        self.met |= other.met;
        if self.values.is_empty() {
            self.values = other.values;
        } else {
            self.values.append(&mut other.values);
        }
    }

    /// All of the tensor has been seen, and its figures are known. `None` if it has not.
    pub(super) fn finish(self, figures: &Figures) -> Option<Spectrum> {
        self.finish_keeping(figures, &mut None)
    }

    /// The same; the matrix stays in memory if its largest singular value is known.
    fn finish_keeping(self, figures: &Figures, keep: &mut Option<Tall>) -> Option<Spectrum> {
        let Self { rows, columns, .. } = self;
        let nothing = Spectrum {
            rows,
            columns,
            sigma_max: None,
            stable_rank: None,
            edge: None,
            above_edge: None,
            missing: self.left_out,
        };
        let missing = |missing| Some(Spectrum { missing: Some(missing), ..nothing });
        if self.left_out.is_some() {
            return Some(nothing);
        }
        if figures.finite() < figures.elements {
            return missing(Missing::NotFinite);
        }
        if figures.is_all_zero() {
            return missing(Missing::Zero).map(|zero| Spectrum { sigma_max: Some(0.0), ..zero });
        }
        let exponent = self.exponent;
        let inner = |value: f64| times_power_of_two(value, -exponent);
        let outer = |value: f64| times_power_of_two(value, exponent);
        let matrix = keep.insert(Tall::new(usize::try_from(rows).ok()?, usize::try_from(columns).ok()?, self.values)?);
        let found = largest(matrix.columns, |v, into| matrix.normal(v, into));
        if !found.converged {
            return missing(Missing::NotConverged);
        }
        let sigma = found.value.sqrt();
        let sigma_max = outer(sigma);
        if !sigma_max.is_finite() {
            return missing(Missing::Overflow);
        }
        // The iteration never ends above the largest value, so this may be a little too large, but not beyond its bounds.
        #[expect(clippy::cast_precision_loss, reason = "a side of a matrix in memory")]
        let side = matrix.columns as f64;
        let stable_rank = (inner(figures.norm()) / sigma).powi(2).clamp(1.0, side);
        let known = Spectrum { sigma_max: Some(sigma_max), stable_rank: Some(stable_rank), ..nothing };
        let missing = |missing, edge| Some(Spectrum { missing: Some(missing), edge, ..known });
        let deviation = figures.deviation().map(inner)?;
        if figures.constant().is_some() {
            return missing(Missing::Constant, None);
        }
        if rows.min(columns) < NARROWEST {
            return missing(Missing::TooNarrow, None);
        }
        if deviation < ALIKE * figures.largest().map(inner)? {
            return missing(Missing::Alike, None);
        }
        let bound = edge(matrix.rows, matrix.columns) * deviation * deviation;
        let edge = Some(outer(bound.sqrt()));
        let above = if found.value + found.error <= bound {
            Some(0)
        } else if rows.min(columns) > WIDEST {
            return missing(Missing::TooWide, edge);
        } else {
            count_above(matrix, bound)
        };
        match above {
            None => missing(Missing::Unclear, edge),
            above_edge => Some(Spectrum { edge, above_edge, ..known }),
        }
    }
}

/// The square of the largest singular value that a random matrix of these sides with elements of variance 1 may have.
#[expect(clippy::cast_precision_loss, reason = "sides of a matrix in memory")]
fn edge(rows: usize, columns: usize) -> f64 {
    // Johnstone's centre and width, for rows of the longer side.
    let (a, b) = ((rows as f64 - 1.0).sqrt(), (columns as f64).sqrt());
    let width = (a + b) * (1.0 / a + 1.0 / b).cbrt();
    (a + b) * (a + b) + MARGIN * width
}

/// The power of two that is next below a positive number.
fn exponent_of(value: f64) -> i32 {
    let biased = (value.to_bits() >> 52) & 0x7ff;
    // Subnormal numbers are as small as it gets.
    i32::try_from(biased).unwrap_or(0).saturating_sub(1023)
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
mod tests;
