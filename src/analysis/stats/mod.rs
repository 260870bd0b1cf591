//! Statistics of tensors: extremes, mean, deviation, norm, zeros, what is not finite; on demand quantiles, a histogram
//! and dead channels.
//!
//! One pass over the bytes, which also checks them: a tensor whose bytes are not those that were saved has an error
//! beside its figures. Extremes are those of everything but NaN; mean, deviation, norm, quantiles and histogram are
//! those of the finite elements. Complex numbers count by their magnitude.

mod block;
mod channels;
mod distribution;
mod figures;
mod moments;
mod work;

pub use channels::{Channels, Dead, LONGEST, NAMED};
pub use distribution::{BARS, Distribution, SHARES};
pub use figures::{Figures, Number, Spots};

use std::cmp::Ordering;

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

/// Statistics of a selection.
#[derive(Debug)]
pub struct Stats {
    /// One for each numeric tensor, in the order of the checkpoint: by name.
    pub tensors: Vec<TensorStats>,
    /// Strings, variants and unknown types, of which there is nothing to compute.
    pub skipped: Skipped,
    /// Everything that could be read, merged.
    pub whole: Figures,
    /// Stored bytes of the numeric tensors.
    pub bytes: u64,
}

/// What tensors are sorted by. Figures come with the largest first, and those without one last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatsSort {
    /// Name, as bytes.
    #[default]
    Name,
    /// Number of elements.
    Elements,
    /// Largest absolute value of a finite element.
    MaxAbs,
    /// Absolute value of the mean.
    Mean,
    /// Standard deviation.
    Deviation,
    /// L2 norm.
    Norm,
    /// Share of zeros.
    Zeros,
    /// Elements that are not finite.
    NonFinite,
}

/// The tensor at a position.
pub(crate) fn tensor_at(checkpoint: &Checkpoint, at: usize) -> Option<Tensor> {
    checkpoint.tensors().get(at)
}

/// Statistics of the selected tensors of a checkpoint.
pub fn stats(checkpoint: &Checkpoint, selection: &Selection, options: &StatsOptions, progress: &Progress) -> Stats {
    let mut skipped = Skipped::default();
    let mut bytes = 0u64;
    let mut numeric = Vec::new();
    let mut cursor = checkpoint.tensors().cursor();
    for at in selection.iter() {
        let Some(tensor) = cursor.reach(at) else { continue };
        let stored = tensor.bytes().unwrap_or(0);
        if tensor.is_numeric() {
            bytes = bytes.saturating_add(stored);
            numeric.push(at);
        } else {
            skipped.tensors += 1;
            skipped.elements = skipped.elements.saturating_add(tensor.elements().unwrap_or(0));
            skipped.bytes = skipped.bytes.saturating_add(stored);
        }
    }
    let tensors = work::all(checkpoint, &numeric, options, progress);
    let mut whole = Figures::default();
    for tensor in tensors.iter().filter(|tensor| tensor.error.is_none()) {
        whole.merge(&tensor.figures);
    }
    Stats { tensors, skipped, whole, bytes }
}

impl Stats {
    /// Tensors that could not be read, or whose bytes are not those that were saved.
    pub fn unreadable(&self) -> impl Iterator<Item = (&TensorStats, &Error)> {
        self.tensors.iter().filter_map(|tensor| Some((tensor, tensor.error.as_ref()?)))
    }

    /// How many tensors could be read and hold for a condition.
    pub fn count(&self, holds: impl Fn(&Figures) -> bool) -> usize {
        self.tensors.iter().filter(|tensor| tensor.error.is_none() && holds(&tensor.figures)).count()
    }

    /// Puts the tensors in another order. They come in the order of their names.
    pub fn sort(&mut self, by: StatsSort, reverse: bool) {
        if by != StatsSort::Name {
            self.tensors.sort_by(|a, b| match (key(a, by), key(b, by)) {
                (Some(a), Some(b)) => b.total_cmp(&a),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            });
        }
        if reverse {
            self.tensors.reverse();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an order of counts")]
fn key(tensor: &TensorStats, by: StatsSort) -> Option<f64> {
    let figures = &tensor.figures;
    if tensor.error.is_some() {
        return None;
    }
    match by {
        StatsSort::Name => None,
        StatsSort::Elements => Some(figures.elements as f64),
        StatsSort::MaxAbs => figures.largest(),
        StatsSort::Mean => figures.mean().map(f64::abs),
        StatsSort::Deviation => figures.deviation(),
        StatsSort::Norm => figures.mean().map(|_| figures.norm()),
        StatsSort::Zeros => (figures.elements > 0).then(|| figures.zeros as f64 / figures.elements as f64),
        StatsSort::NonFinite => Some(figures.elements.saturating_sub(figures.finite()) as f64),
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
