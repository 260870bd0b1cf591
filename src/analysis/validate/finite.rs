//! NaN and infinity, opt-in: how many, and where the first one is.

use std::ops::ControlFlow;

use super::Validation;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::naming::selection::Selection;
use crate::analysis::parts::Share;
use crate::analysis::stats::{StatsOptions, TensorStats, coordinates, each, tensor_at};
use crate::base::escape::escaped;
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;
use crate::read::tensor::DType;

/// What is not finite in a tensor.
pub(in crate::analysis) struct NonFinite {
    /// The position of the tensor.
    pub(in crate::analysis) at: usize,
    /// How many NaN.
    pub(in crate::analysis) nan: u64,
    /// How many infinities.
    pub(in crate::analysis) infinite: u64,
    /// The first of either, in C order.
    first: u64,
}

/// What a search for them came to.
#[derive(Default)]
pub(in crate::analysis) struct Search {
    /// Tensors with some, in order.
    pub(in crate::analysis) found: Vec<NonFinite>,
    /// Tensors that were read as a whole.
    pub(in crate::analysis) read: usize,
    /// Tensors that could not be.
    pub(in crate::analysis) unread: usize,
}

/// Looks at every floating-point tensor of the selection.
pub(super) fn check(
    checkpoint: &Checkpoint,
    selection: &Selection,
    (threads, share): (usize, Option<&Share>),
    progress: &Progress,
    result: &mut Validation,
) {
    // What cannot be read has its finding already.
    for NonFinite { at, nan, infinite, first } in search(checkpoint, selection, (threads, share), progress).found {
        let Some(tensor) = tensor_at(checkpoint, at) else { continue };
        let elements = tensor.elements().unwrap_or(0);
        let place = coordinates(first, tensor.shape.dims().unwrap_or_default());
        let place: Vec<String> = place.iter().map(u64::to_string).collect();
        let message = format!(
            "{}: {nan} NaN and {infinite} infinite of {elements} elements, the first at [{}]",
            escaped(&tensor.name),
            place.join(", ")
        );
        result.push(Finding::new(Code::NonFinite, message).for_tensor(&tensor.name));
    }
}

/// Reads those tensors of the selection that can hold NaN or infinity.
pub(in crate::analysis) fn search(
    checkpoint: &Checkpoint,
    selection: &Selection,
    (threads, share): (usize, Option<&Share>),
    progress: &Progress,
) -> Search {
    let mut cursor = checkpoint.tensors().cursor();
    let can_be = |at: &usize| cursor.reach(*at).is_some_and(|tensor| has_non_finite(tensor.dtype));
    let selection: Selection = selection.iter().filter(can_be).collect();
    let options = StatsOptions { threads, distribution: false, channels: false, along: false, spectral: false };
    let mut search = Search::default();
    let take = |(), rows: Vec<TensorStats>| {
        for row in &rows {
            search.add(row);
        }
        ControlFlow::Continue(())
    };
    each(checkpoint, &selection, (&options, share), progress, |_, _| (), take);
    search
}

impl Search {
    /// Takes a tensor in. What was read of one before it broke off, and the values of one with a wrong checksum, are
    /// told too.
    fn add(&mut self, row: &TensorStats) {
        let TensorStats { at, figures, error, .. } = row;
        *(if error.is_none() { &mut self.read } else { &mut self.unread }) += 1;
        let infinite = figures.positive_infinity().count.saturating_add(figures.negative_infinity().count);
        let found =
            figures.first_non_finite().map(|first| NonFinite { at: *at, nan: figures.nan().count, infinite, first });
        self.found.extend(found);
    }
}

fn has_non_finite(dtype: DType) -> bool {
    use DType::{
        BFloat16, Complex64, Complex128, Float8E4M3B11FNUZ, Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ,
        Float16, Float32, Float64,
    };
    matches!(
        dtype,
        Float16
            | Float32
            | Float64
            | BFloat16
            | Complex64
            | Complex128
            | Float8E5M2
            | Float8E4M3FN
            | Float8E4M3FNUZ
            | Float8E4M3B11FNUZ
            | Float8E5M2FNUZ
    )
}
