//! Who reads what: tensors cut into units of work that do not depend on the number of threads.
//!
//! A large tensor is cut into parts of 8 MiB, which any thread may take; small ones that follow one another by name
//! make one unit. A writer stores tensors by name, so that in each shard they follow one another too.

use std::ops::Range;

use super::Totals;
use crate::analysis::naming::select::Selection;
use crate::analysis::sweep::cut::{self, TOGETHER, UNIT};
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Parts, Tensor};
use crate::read::tensor::DType;

/// One thing to do: a run of small tensors, or a part of a large one.
#[derive(Debug)]
pub(super) struct Unit {
    /// Positions in the selection; those of tensors without numbers are among them.
    pub(super) tensors: Range<usize>,
    /// How many numeric tensors come before.
    pub(super) before: usize,
    /// The elements of the one tensor, and whether they are its last.
    pub(super) part: Option<(Range<u64>, bool)>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) units: Vec<Unit>,
    /// What is known before anything has been read.
    pub(super) totals: Totals,
    /// The run of small tensors that is being gathered: from where on, how many numeric ones, their bytes.
    first: usize,
    count: usize,
    bytes: u64,
}

impl Plan {
    /// The units of a selection, in its order.
    pub(super) fn new(checkpoint: &Checkpoint, selection: &Selection) -> Self {
        let mut plan = Self::default();
        let mut cursor = checkpoint.tensors().cursor();
        for n in 0..selection.len() {
            if let Some(tensor) = selection.get(n).and_then(|at| cursor.reach(at)) {
                plan.add(checkpoint, n, tensor);
            }
        }
        plan.close(selection.len());
        plan
    }

    fn add(&mut self, checkpoint: &Checkpoint, n: usize, tensor: &Tensor) {
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
        if elements > part_length(tensor.dtype) && can_be_cut(checkpoint, tensor) {
            self.totals.tensors -= 1;
            self.close(n);
            let before = self.totals.tensors;
            let cut = parts(tensor.dtype, elements);
            self.units.extend(cut.map(|part| Unit { tensors: n..n + 1, before, part: Some(part) }));
            self.totals.tensors += 1;
            self.first = n + 1;
            return;
        }
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes(tensor, &(0..elements)));
        if self.bytes >= UNIT || self.count >= TOGETHER {
            self.close(n + 1);
        }
    }

    /// The run that is being gathered ends before this position.
    fn close(&mut self, end: usize) {
        if self.count > 0 {
            let before = self.totals.tensors.saturating_sub(self.count);
            self.units.push(Unit { tensors: self.first..end, before, part: None });
        }
        (self.first, self.count, self.bytes) = (end, 0, 0);
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

/// The parts of a tensor with so many elements, and which is the last.
pub(super) fn parts(dtype: DType, elements: u64) -> impl Iterator<Item = (Range<u64>, bool)> {
    cut::parts(elements, part_length(dtype)).map(move |part| {
        let is_last = part.end == elements;
        (part, is_last)
    })
}

/// Whether any part of a tensor can be read by itself; also that its bytes are there, so that nothing is planned by
/// a number from the index alone.
fn can_be_cut(checkpoint: &Checkpoint, tensor: &Tensor) -> bool {
    matches!(&tensor.parts, Parts::Whole(place) if place.range.is_some())
        && checkpoint.elements(tensor, &mut ElementBuffers::default()).is_ok_and(|elements| elements.is_seekable())
}
