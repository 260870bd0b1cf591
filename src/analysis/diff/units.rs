//! Who reads what: pairs in units of work that do not depend on the number of threads.
//!
//! A large pair is cut into parts of fixed size, so that it keeps all threads busy and its sums are the same whoever
//! takes them; small ones that follow one another make one unit.

use std::ops::Range;

use super::values::stored;
use super::work::{Todo, Work};
use crate::analysis::sweep::cut::{TOGETHER, UNIT, part_length, parts};
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Tensor};

/// One thing to do: a run of small pairs, or a part of a large one.
#[derive(Debug)]
pub(super) struct Unit {
    /// Positions in the list.
    pub(super) work: Range<usize>,
    /// The elements of the one pair, and whether they are its last.
    pub(super) part: Option<(Range<u64>, bool)>,
}

/// The units of a list of so many pairs, in its order.
pub(super) fn units(a: &Checkpoint, b: &Checkpoint, len: usize, get: impl Fn(usize) -> Option<Work>) -> Vec<Unit> {
    let mut units = Vec::new();
    let (mut first, mut bytes) = (0, 0u64);
    for n in 0..len {
        let Some(work) = get(n) else { continue };
        let weight = if matches!(work.todo, Todo::Tell(_)) { 0 } else { work.bytes() };
        // What has more bytes than a unit has a weight of at least twice as many.
        let parts = if weight > UNIT { parts_of(a, b, &work) } else { Vec::new() };
        if parts.len() > 1 {
            if first < n {
                units.push(Unit { work: first..n, part: None });
            }
            let next = n.saturating_add(1);
            let last = parts.len().saturating_sub(1);
            units.extend(
                parts.into_iter().enumerate().map(|(at, run)| Unit { work: n..next, part: Some((run, at == last)) }),
            );
            (first, bytes) = (next, 0);
            continue;
        }
        bytes = bytes.saturating_add(weight);
        if bytes >= UNIT || n.saturating_sub(first) >= TOGETHER - 1 {
            units.push(Unit { work: first..n.saturating_add(1), part: None });
            (first, bytes) = (n.saturating_add(1), 0);
        }
    }
    if first < len {
        units.push(Unit { work: first..len, part: None });
    }
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
