//! Renamed tensors: removed there, added here, with the same bytes.
//!
//! Only bytes that say something are proof: scalars, zeros and constants are the same in any two models. Where several
//! tensors have the same bytes, nobody can tell which is which, and that is said.

use std::collections::BTreeMap;

use super::Depth;
use super::judge::Judge;
use super::pair::Leftovers;
use crate::analysis::derived::is_zero;
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Parts, Tensor};
use crate::read::storage::Window;
use crate::read::tensor::DType;

/// Elements that are looked at a time to see whether a tensor is constant.
const RUN: u64 = 1 << 14;

/// What two tensors with the same bytes have in common.
type Print = (DType, Option<Vec<i64>>, i64, u32);

impl Judge<'_, '_> {
    /// Records the renamed ones, and returns the others.
    pub(super) fn renamed(&mut self, left: Leftovers) -> Leftovers {
        let (a, b) = (self.diff.a, self.diff.b);
        if left.a.is_empty() || left.b.is_empty() || a.is_big_endian() != b.is_big_endian() {
            return left;
        }
        let theirs = prints(b, &left.b);
        let ours = prints(a, &left.a);
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for (print, ours) in &ours {
            let Some(theirs) = theirs.get(print) else { continue };
            if ours.iter().chain(theirs).next().is_none() || self.is_trivial(ours, theirs) {
                continue;
            }
            if let ([ours], [theirs]) = (ours.as_slice(), theirs.as_slice()) {
                gone.push(*ours);
                come.push(*theirs);
                self.same_bytes(*ours, *theirs);
            } else {
                self.ambiguous(ours, theirs);
            }
        }
        gone.sort_unstable();
        come.sort_unstable();
        let without = |all: Vec<usize>, some: &[usize]| {
            all.into_iter().filter(|at| some.binary_search(at).is_err()).collect::<Vec<_>>()
        };
        Leftovers { a: without(left.a, &gone), b: without(left.b, &come) }
    }

    /// Whether the bytes of these tensors, which all have the same, prove nothing. One side that can be read is enough
    /// to tell: what is a rename from A to B is one from B to A.
    fn is_trivial(&self, ours: &[usize], theirs: &[usize]) -> bool {
        let Some(tensor_a) = ours.first().and_then(|at| self.diff.a.tensor_at(*at)) else { return true };
        if tensor_a.elements().is_none_or(|n| n <= 1) || is_zero(&tensor_a) {
            return true;
        }
        if !tensor_a.is_numeric() || self.options.depth == Depth::Index {
            return false;
        }
        // What cannot be read is reported by whoever needs it; here it is just no proof.
        let varies = |side, tensor: &Tensor| is_constant(side, tensor) == Some(false);
        let tensor_b = theirs.first().and_then(|at| self.diff.b.tensor_at(*at));
        !varies(self.diff.a, &tensor_a) && !tensor_b.is_some_and(|tensor| varies(self.diff.b, &tensor))
    }
}

/// Tensors by their bytes, as far as the index tells.
fn prints(checkpoint: &Checkpoint, all: &[usize]) -> BTreeMap<Print, Vec<usize>> {
    let mut prints: BTreeMap<Print, Vec<usize>> = BTreeMap::new();
    for at in all {
        let Some(tensor) = checkpoint.tensor_at(*at) else { continue };
        if let Parts::Whole(place) = &tensor.parts
            && let (Some((_, size)), Some(crc)) = (place.range, place.crc32c)
        {
            let shape = tensor.shape.dims().map(<[i64]>::to_vec);
            prints.entry((tensor.dtype, shape, size, crc.0)).or_default().push(*at);
        }
    }
    prints
}

/// Whether all elements have the same bytes. Reads until one has not.
fn is_constant(checkpoint: &Checkpoint, tensor: &Tensor) -> Option<bool> {
    let mut hold = ElementBuffers::default();
    let mut elements = checkpoint.elements(tensor, &mut hold).ok()?.without_sums();
    let size = usize::try_from(tensor.dtype.element_size()?).ok()?;
    let (mut at, mut bytes, mut first) = (0, Window::default(), None);
    while at < elements.count() {
        let end = at.saturating_add(RUN).min(elements.count());
        elements.read(at..end, &mut bytes).ok()?;
        let first = first.get_or_insert_with(|| bytes.get(..size).map(<[u8]>::to_vec));
        if bytes.chunks_exact(size).any(|element| Some(element) != first.as_deref()) {
            return Some(false);
        }
        at = end;
    }
    Some(true)
}
