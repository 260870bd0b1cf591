//! NaN and infinity, opt-in: how many, and where the first one is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Progress, Validation};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::select::Selection;
use crate::checkpoint::{Checkpoint, Tensor};
use crate::escape::escaped;
use crate::tensor::{DType, Element};

/// What is not finite in a tensor.
#[derive(Default)]
pub(in crate::analysis) struct Count {
    /// How many NaN.
    pub(in crate::analysis) nan: u64,
    /// How many infinities.
    pub(in crate::analysis) infinite: u64,
    /// The first of either, in C order.
    first: Option<u64>,
}

/// What a search for them came to.
#[derive(Default)]
pub(in crate::analysis) struct Search {
    /// Tensors with some, by position. A million finite ones need no remembering.
    pub(in crate::analysis) found: Vec<(usize, Count)>,
    /// Tensors that were read.
    pub(in crate::analysis) read: usize,
    /// Tensors that could not be read.
    pub(in crate::analysis) unread: usize,
}

/// Looks at every floating-point tensor of the selection.
pub(super) fn check(
    checkpoint: &Checkpoint,
    selection: &Selection,
    threads: usize,
    progress: &Progress,
    result: &mut Validation,
) {
    // What cannot be read has its finding already.
    for (at, count) in search(checkpoint, selection, threads, progress).found {
        let (Some(tensor), Some(first)) = (checkpoint.tensors().get(at), count.first) else { continue };
        let elements = tensor.elements().unwrap_or(0);
        let place = coordinates(first, tensor.shape.dims().unwrap_or_default());
        let message = format!(
            "{}: {} NaN and {} infinite of {elements} elements, the first at [{place}]",
            escaped(&tensor.name),
            count.nan,
            count.infinite
        );
        result.push(Finding::new(Code::NonFinite, message).for_tensor(&tensor.name));
    }
}

/// Reads those tensors of the selection that can hold NaN or infinity.
pub(in crate::analysis) fn search(
    checkpoint: &Checkpoint,
    selection: &Selection,
    threads: usize,
    progress: &Progress,
) -> Search {
    let mut bytes = 0u64;
    let mut cursor = checkpoint.tensors().cursor();
    let can_be = |at: &usize| {
        let found = cursor.reach(*at).filter(|tensor| has_non_finite(tensor.dtype));
        bytes = bytes.saturating_add(found.and_then(Tensor::bytes).unwrap_or(0));
        found.is_some()
    };
    let tensors: Selection = selection.iter().filter(can_be).collect();
    progress.total.fetch_add(bytes, Ordering::Relaxed);
    let next = AtomicUsize::new(0);
    let search: Mutex<Search> = Mutex::default();
    let work = || {
        let mut cursor = checkpoint.tensors().cursor();
        while let Some(at) = tensors.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(tensor) = cursor.reach(at) else { continue };
            let count = count(checkpoint, tensor, progress);
            let mut search = search.lock().unwrap_or_else(PoisonError::into_inner);
            *(if count.is_some() { &mut search.read } else { &mut search.unread }) += 1;
            search.found.extend(count.filter(|count| count.first.is_some()).map(|count| (at, count)));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(tensors.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut search = search.into_inner().unwrap_or_else(PoisonError::into_inner);
    search.found.sort_by_key(|(at, _)| *at);
    search
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

fn count(checkpoint: &Checkpoint, tensor: &Tensor, progress: &Progress) -> Option<Count> {
    let mut count = Count::default();
    let mut at = 0u64;
    let read = checkpoint.read_all(tensor, &mut |bytes| {
        progress.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        match tensor.dtype {
            // Nearly everything: an exponent of all ones is what is not finite.
            DType::Float32 => {
                for chunk in bytes.as_chunks::<4>().0 {
                    let bits = u32::from_le_bytes(*chunk);
                    if bits & 0x7f80_0000 == 0x7f80_0000 {
                        count.add(at, bits & 0x007f_ffff != 0);
                    }
                    at += 1;
                }
            }
            dtype => {
                for element in Element::decode_all(dtype, bytes).into_iter().flatten() {
                    let values = match element {
                        Element::Float(value) => [value.value(), 0.0],
                        Element::Complex(re, im) => [re.value(), im.value()],
                        _ => [0.0, 0.0],
                    };
                    if values.iter().any(|value| !value.is_finite()) {
                        count.add(at, values.iter().any(|value| value.is_nan()));
                    }
                    at += 1;
                }
            }
        }
        Ok(())
    });
    // Values of damaged tensors are told too: their checksum has its own finding.
    match read {
        Err(_) if count.first.is_none() => None,
        _ => Some(count),
    }
}

impl Count {
    fn add(&mut self, at: u64, is_nan: bool) {
        self.first.get_or_insert(at);
        if is_nan {
            self.nan += 1;
        } else {
            self.infinite += 1;
        }
    }
}

/// The index in every dimension of a flat index in C order.
fn coordinates(mut at: u64, dims: &[i64]) -> String {
    let mut out: Vec<String> = Vec::with_capacity(dims.len());
    for dim in dims.iter().rev() {
        let dim = dim.unsigned_abs().max(1);
        out.push((at % dim).to_string());
        at /= dim;
    }
    out.reverse();
    out.join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn flat_indexes_have_coordinates() {
        assert_eq!(super::coordinates(7, &[2, 3, 2]), "1, 0, 1");
        assert_eq!(super::coordinates(0, &[]), "");
    }
}
