//! Statistics of tensors: extremes, mean, deviation, norm, zeros, what is not finite; on demand quantiles, a histogram
//! and dead channels.
//!
//! One pass over the bytes, which also checks them: a tensor whose bytes are not those that were saved has an error
//! beside its figures. Extremes are those of everything but NaN; mean, deviation, norm, quantiles and histogram are
//! those of the finite elements. Complex numbers count by their magnitude.
//!
//! [`each`] hands tensors out as they are done, in order, and keeps none: a checkpoint may have any number of them.

mod block;
mod channels;
mod distribution;
mod figures;
mod moments;
mod order;
mod plan;
mod together;
mod work;

pub use channels::{Channels, Dead, LONGEST, NAMED};
pub use distribution::{BARS, Distribution, SHARES};
pub use figures::{Figures, Number, Spots};
pub use order::{First, SortKey, StatsOrder, StatsSort};
pub use work::each;

use std::ops::ControlFlow;

use super::select::Selection;
use super::validate::Progress;
use crate::checkpoint::{Checkpoint, Tensor};
use crate::error::Error;

/// What to find out and how.
#[derive(Clone, Copy, Debug)]
pub struct StatsOptions {
    /// Worker threads. The answers do not depend on them.
    pub threads: usize,
    /// Whether to find quantiles and a histogram.
    pub distribution: bool,
    /// Whether to look for dead channels.
    pub channels: bool,
}

/// What was found out about one tensor.
#[derive(Debug)]
pub struct TensorStats {
    /// Its position in [`Checkpoint::tensors`].
    pub at: usize,
    /// Its figures; if there is an error, those of the bytes that could be read, which may not be those that were
    /// saved.
    pub figures: Figures,
    /// Whether its bytes are those that were saved.
    pub verified: bool,
    /// Why they are not, or could not be read.
    pub error: Option<Error>,
    /// With [`StatsOptions::distribution`], if there is a finite element.
    pub distribution: Option<Box<Distribution>>,
    /// With [`StatsOptions::channels`], of tensors of two dimensions and more.
    pub channels: Option<Box<Channels>>,
}

/// Tensors that have no numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub tensors: usize,
    /// Their elements, as far as they can be counted.
    pub elements: u64,
    /// Their stored bytes, as far as the index says them.
    pub bytes: u64,
}

/// What tensors come to together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Numeric tensors.
    pub tensors: usize,
    /// Their stored bytes.
    pub bytes: u64,
    /// Strings, variants and unknown types, of which there is nothing to compute.
    pub skipped: Skipped,
    /// Everything that could be read, merged.
    pub whole: Figures,
    /// Tensors whose elements all have one value.
    pub constant: usize,
    /// Those of them whose elements are zero.
    pub all_zero: usize,
    /// Tensors with NaN or infinity.
    pub non_finite: usize,
    /// Tensors that could not be read, or whose bytes are not those that were saved.
    pub unreadable: usize,
}

/// Statistics of a selection.
#[derive(Debug)]
pub struct Stats {
    /// One for each numeric tensor, in the order of the selection.
    pub tensors: Vec<TensorStats>,
    /// What they come to.
    pub totals: Totals,
}

/// The tensor at a position.
pub(crate) fn tensor_at(checkpoint: &Checkpoint, at: usize) -> Option<Tensor> {
    checkpoint.tensors().get(at)
}

/// Statistics of the selected tensors of a checkpoint, all of them kept.
pub fn stats(checkpoint: &Checkpoint, selection: &Selection, options: &StatsOptions, progress: &Progress) -> Stats {
    let mut tensors = Vec::new();
    let keep = |(), rows| {
        tensors.extend::<Vec<TensorStats>>(rows);
        ControlFlow::Continue(())
    };
    let totals = each(checkpoint, selection, options, progress, |_, _| (), keep);
    Stats { tensors, totals }
}

impl Stats {
    /// Tensors that could not be read, or whose bytes are not those that were saved.
    pub fn unreadable(&self) -> impl Iterator<Item = (&TensorStats, &Error)> {
        self.tensors.iter().filter_map(|tensor| Some((tensor, tensor.error.as_ref()?)))
    }
}

impl TensorStats {
    /// Of a tensor of which nothing is known yet.
    fn new(at: usize) -> Self {
        let figures = Figures::default();
        Self { at, figures, verified: false, error: None, distribution: None, channels: None }
    }
}

impl Totals {
    /// Takes tensors in. Their order counts: it decides about the last digits of what is summed.
    fn add(&mut self, rows: &[TensorStats]) {
        for TensorStats { figures, error, .. } in rows {
            if error.is_some() {
                self.unreadable += 1;
                continue;
            }
            self.whole.merge(figures);
            let is_constant = figures.constant().is_some();
            self.constant += usize::from(is_constant);
            self.all_zero += usize::from(is_constant && figures.is_all_zero());
            self.non_finite += usize::from(figures.finite() < figures.elements);
        }
    }
}

/// The index in every dimension of an element, from its number in C order.
pub fn coordinates(mut at: u64, dims: &[i64]) -> Vec<u64> {
    let mut indexes: Vec<u64> = Vec::with_capacity(dims.len());
    for dim in dims.iter().rev() {
        let dim = dim.unsigned_abs().max(1);
        indexes.push(at % dim);
        at /= dim;
    }
    indexes.reverse();
    indexes
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_of_elements_have_coordinates() {
        assert_eq!(super::coordinates(7, &[2, 3, 2]), [1, 0, 1]);
        assert!(super::coordinates(0, &[]).is_empty());
    }
}
