//! Who reads what: tensors cut into units of work that do not depend on the number of threads.
//!
//! A large tensor is cut into parts of 8 MiB, which any thread may take; small ones that follow one another by name
//! make one unit. A writer stores tensors by name, so that in each shard they follow one another too.

use std::ops::Range;

use super::spectral::is_held;
use super::{StatsOptions, Totals};
use crate::analysis::naming::selection::Selection;
use crate::analysis::sweep::cut;
use crate::analysis::sweep::units::Units;
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Parts, Tensor};
use crate::read::tensor::DType;

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The numeric tensors, by their positions in the selection; others are among them.
    pub(super) units: Units,
    /// What is known before anything has been read.
    pub(super) totals: Totals,
}

impl Plan {
    /// The units of a selection, in its order. A matrix whose singular values are looked at is one unit, whatever its size.
    pub(super) fn new(checkpoint: &Checkpoint, selection: &Selection, options: &StatsOptions) -> Self {
        let mut plan = Self::default();
        let mut cursor = checkpoint.tensors().cursor();
        for n in 0..selection.len() {
            if let Some(tensor) = selection.get(n).and_then(|at| cursor.reach(at)) {
                plan.add(checkpoint, n, tensor, options);
            }
        }
        plan.units.close(selection.len());
        plan
    }

    fn add(&mut self, checkpoint: &Checkpoint, n: usize, tensor: &Tensor, options: &StatsOptions) {
        let stored = tensor.bytes().unwrap_or(0);
        let elements = tensor.elements().unwrap_or(0);
        if !tensor.is_numeric() {
            let skipped = &mut self.totals.skipped;
            skipped.tensors += 1;
            skipped.elements = skipped.elements.saturating_add(elements);
            skipped.bytes = skipped.bytes.saturating_add(stored);
            return;
        }
        self.totals.tensors += 1;
        self.totals.bytes = self.totals.bytes.saturating_add(stored);
        let is_held = || options.spectral && tensor.dims().is_ok_and(|dims| is_held(tensor.dtype, &dims));
        if elements > part_length(tensor.dtype) && !is_held() && can_be_cut(checkpoint, tensor) {
            let size = tensor.dtype.element_size().unwrap_or(1);
            self.units.large(n, size, parts(tensor.dtype, elements));
        } else {
            self.units.small(n, bytes(tensor, &(0..elements)));
        }
    }
}

/// Bytes of elements of a tensor.
pub(super) fn bytes(tensor: &Tensor, elements: &Range<u64>) -> u64 {
    let size = tensor.dtype.element_size().unwrap_or(1);
    elements.end.saturating_sub(elements.start).saturating_mul(size)
}

/// Elements of a part; a multiple of a block.
fn part_length(dtype: DType) -> u64 {
    cut::part_length(dtype.element_size().unwrap_or(1))
}

/// The parts of a tensor with so many elements.
pub(super) fn parts(dtype: DType, elements: u64) -> impl Iterator<Item = Range<u64>> {
    cut::parts(elements, part_length(dtype))
}

/// Whether any part of a tensor can be read by itself; also that its bytes are there, so that nothing is planned by
/// a number from the index alone.
fn can_be_cut(checkpoint: &Checkpoint, tensor: &Tensor) -> bool {
    matches!(&tensor.parts, Parts::Whole(place) if place.range.is_some())
        && checkpoint.elements(tensor, &mut ElementBuffers::default()).is_ok_and(|elements| elements.is_seekable())
}
