//! What is found out about one tensor, and what tensors come to together.

use super::along::Along;
use super::channels::Channels;
use super::distribution::Distribution;
use super::figures::Figures;
use super::spectral::Spectrum;
use crate::base::error::Error;

/// What to find out and how.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct StatsOptions {
    /// Worker threads. The answers do not depend on them.
    pub threads: usize,
    /// Whether to find quantiles and a histogram.
    pub distribution: bool,
    /// Whether to look for dead channels.
    pub channels: bool,
    /// Whether to tell how large elements are along the first axis. Several processes that make one report do not.
    pub along: bool,
    /// Whether to look at the singular values of matrices. Those of up to [`LARGEST`](super::LARGEST) elements are then in
    /// memory, one a thread.
    pub spectral: bool,
}

/// What was found out about one tensor.
#[derive(Debug)]
pub struct TensorStats {
    /// Its position in [`Checkpoint::tensors`](crate::read::checkpoint::Checkpoint::tensors).
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
    /// With [`StatsOptions::along`], of tensors whose first axis is longer than 1.
    pub along: Option<Box<Along>>,
    /// With [`StatsOptions::spectral`], of tensors of two dimensions and more.
    pub spectral: Option<Box<Spectrum>>,
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

impl Stats {
    /// Tensors that could not be read, or whose bytes are not those that were saved.
    pub fn unreadable(&self) -> impl Iterator<Item = (&TensorStats, &Error)> {
        self.tensors.iter().filter_map(|tensor| Some((tensor, tensor.error.as_ref()?)))
    }
}

impl TensorStats {
    /// Of a tensor of which nothing is known yet.
    pub(super) fn new(at: usize) -> Self {
        let figures = Figures::default();
        Self {
            at,
            figures,
            verified: false,
            error: None,
            distribution: None,
            channels: None,
            along: None,
            spectral: None,
        }
    }
}

impl Totals {
    /// Takes tensors in. Their order counts: it decides about the last digits of what is summed.
    pub(super) fn add(&mut self, rows: &[TensorStats]) {
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
