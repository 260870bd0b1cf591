//! NaN and infinity, opt-in: how many, and where the first one is.

use super::{Progress, Validation};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::select::Selection;
use crate::analysis::stats::{StatsOptions, TensorStats, coordinates, stats, tensor_at};
use crate::checkpoint::Checkpoint;
use crate::escape::escaped;
use crate::tensor::DType;

/// Looks at every floating-point tensor of the selection.
pub(super) fn check(
    checkpoint: &Checkpoint,
    selection: &Selection,
    threads: usize,
    progress: &Progress,
    result: &mut Validation,
) {
    let mut cursor = checkpoint.tensors().cursor();
    let can_be = |at: &usize| cursor.reach(*at).is_some_and(|tensor| has_non_finite(tensor.dtype));
    let selection: Selection = selection.iter().filter(can_be).collect();
    let options = StatsOptions { threads, distribution: false, channels: false };
    // What cannot be read has its finding already; what was read of it before, and the values of tensors with a wrong
    // checksum, are told too.
    for TensorStats { at, figures, .. } in stats(checkpoint, &selection, &options, progress).tensors {
        let (Some(tensor), Some(first)) = (tensor_at(checkpoint, at), figures.first_non_finite()) else { continue };
        let elements = tensor.elements().unwrap_or(0);
        let place = coordinates(first, tensor.shape.dims().unwrap_or_default());
        let place: Vec<String> = place.iter().map(u64::to_string).collect();
        let message = format!(
            "{}: {} NaN and {} infinite of {elements} elements, the first at [{}]",
            escaped(&tensor.name),
            figures.nan().count,
            figures.positive_infinity().count.saturating_add(figures.negative_infinity().count),
            place.join(", ")
        );
        result.push(Finding::new(Code::NonFinite, message).for_tensor(&tensor.name));
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
