//! Who reads what: pairs in units of work that do not depend on the number of threads.
//!
//! A large pair is cut into parts of fixed size, so that it keeps all threads busy and its sums are the same whoever
//! takes them; small ones that follow one another make one unit.

use std::ops::Range;

use super::spectral::is_held;
use super::values::stored;
use super::work::{Todo, Work};
use crate::analysis::sweep::cut::{UNIT, part_length, parts};
use crate::analysis::sweep::units::Units;
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Tensor};

/// The units of a list of so many pairs, in its order; if it `is_whole`, matrices whose singular values are looked at are
/// not cut.
pub(super) fn units(
    a: &Checkpoint,
    b: &Checkpoint,
    len: usize,
    is_whole: bool,
    get: impl Fn(usize) -> Option<Work>,
) -> Units {
    let mut units = Units::default();
    for n in 0..len {
        let Some(work) = get(n) else { continue };
        let weight = if matches!(work.todo, Todo::Tell(_)) { 0 } else { work.bytes() };
        // What has more bytes than a unit has a weight of at least twice as many.
        let parts = if weight > UNIT && !(is_whole && is_held(b, &work)) { parts_of(a, b, &work) } else { Vec::new() };
        if parts.len() > 1 {
            let size = work.b().and_then(|at| b.tensor_at(at)).and_then(|tensor| tensor.dtype.element_size());
            units.large(n, size.unwrap_or(1), parts.into_iter());
        } else {
            units.small(n, weight);
        }
    }
    units.close(len);
    units
}

/// The parts that a pair can be read in, by any thread each; one if there is no more.
pub(super) fn parts_of(a: &Checkpoint, b: &Checkpoint, work: &Work) -> Vec<Range<u64>> {
    let pair = || Some((a.tensor_at(work.a()?)?, b.tensor_at(work.b()?)?));
    let Some((x, y)) = pair() else { return Vec::new() };
    let count = x.elements().unwrap_or(0);
    // Slices and V1 values come in order only.
    let any_order = stored(&x).is_some() && stored(&y).is_some();
    match x.dtype.element_size().map(part_length) {
        // Many parts only of what is really there, not of what an entry claims.
        Some(step) if any_order && count > step && opens(a, &x) && opens(b, &y) => parts(count, step).collect(),
        _ => std::iter::once(0..count).collect(),
    }
}

fn opens(checkpoint: &Checkpoint, tensor: &Tensor) -> bool {
    checkpoint.elements(tensor, &mut ElementBuffers::default()).is_ok()
}
