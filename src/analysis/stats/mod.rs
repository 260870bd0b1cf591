//! Statistics of tensors: extremes, mean, deviation, norm, zeros, what is not finite; on demand quantiles, a histogram
//! and dead channels, singular values of matrices, and how large elements are along the first axis.
//!
//! One pass over the bytes, which also checks them: a tensor whose bytes are not those that were saved has an error
//! beside its figures. Extremes are those of everything but NaN; mean, deviation, norm, quantiles and histogram are
//! those of the finite elements. Complex numbers count by their magnitude.
//!
//! [`each`] hands tensors out as they are done, in order, and keeps none: a checkpoint may have any number of them.

mod along;
mod block;
mod channels;
mod counter;
mod distribution;
mod figures;
mod moments;
mod order;
mod plan;
mod recorded;
mod spectral;
mod tensor_stats;
mod together;
mod work;

pub use along::{Along, PARTS};
pub use channels::{Channels, Dead, LONGEST, NAMED};
pub use distribution::{BARS, Distribution, SHARES};
pub use figures::{Figures, Number, Spots};
pub use order::{First, SortKey, StatsOrder, StatsSort};
pub(in crate::analysis) use recorded::{get_spectrum, put_spectrum};
pub use spectral::{
    ChangeSpectrum, LARGEST, MARGIN, MOST_RANK, Missing, NARROWEST, NARROWEST_CHANGE, Rank, Spectrum, WIDEST,
};
pub(in crate::analysis) use spectral::{Difference, is_whole};
pub use tensor_stats::{Skipped, Stats, StatsOptions, TensorStats, Totals};
pub use work::each;

use std::ops::ControlFlow;

use crate::analysis::naming::selection::Selection;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Tensor};

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
    let totals = each(checkpoint, selection, (options, None), progress, |_, _| (), keep);
    Stats { tensors, totals }
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
