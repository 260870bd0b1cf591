//! What is made of tensors that are gone through, and going through some of them on all cores, in order.

use std::ops::{ControlFlow, Range};

use super::units::{Unit, Units};
use crate::analysis::parts::{Reading, Record};
use crate::base::parallel::in_order_until;

/// What is made of tensors, or of pairs of them: of items, which have numbers from 0 on.
pub(in crate::analysis) trait Fold: Sync {
    /// What a thread keeps from one unit to the next.
    type Worker;
    /// What whole items come to.
    type Rows: Send;
    /// What a part of an item comes to.
    type Part: Send;
    /// What parts come to that follow one another from the beginning of an item.
    type Total: Default;

    fn worker(&self) -> Self::Worker;

    /// Small items that follow one another.
    fn several(&self, worker: &mut Self::Worker, items: Range<usize>) -> Self::Rows;

    /// These elements of a large item.
    fn part(&self, worker: &mut Self::Worker, item: usize, elements: Range<u64>) -> Option<Self::Part>;

    /// Takes in the part behind those before.
    fn join(&self, total: &mut Self::Total, part: Self::Part);

    /// All parts of an item have been taken in.
    fn last(&self, item: usize, total: Self::Total) -> Option<Self::Rows>;

    /// What the parts since a beginning were, one by one, as far as taking them in loses it.
    type Trace: Default;

    /// A part that is about to be taken in.
    fn trace(&self, trace: &mut Self::Trace, part: &Self::Part);

    /// Writes down what whole items came to, so that another process can make the same of them.
    fn put_rows(&self, rows: &Self::Rows, into: &mut Record);

    /// Whether what is written down of them is all that is to be known, and nothing need be read again.
    fn is_settled(&self, rows: &Self::Rows) -> bool;

    /// What items came to elsewhere. What is not settled is read again.
    fn get_rows(&self, worker: &mut Self::Worker, items: Range<usize>, from: &mut Reading<'_>) -> Option<Self::Rows>;

    /// Writes down what parts came to that follow one another, from the beginning of their item or from a later one;
    /// or not, if they must be read again.
    fn put_run(&self, item: usize, total: &Self::Total, trace: &Self::Trace, begins: bool, into: &mut Record) -> bool;

    /// Takes in what parts came to elsewhere.
    fn get_run(&self, item: usize, total: &mut Self::Total, from: &mut Reading<'_>) -> Option<()>;
}

/// What came of a unit.
pub(super) enum Done<T, R, P> {
    Rows(T, R),
    Part(P),
}

/// Goes through some units, and hands each that came to something over, in order.
pub(super) fn run<F: Fold, T: Send, M: Fn(usize, &F::Rows) -> T + Sync>(
    fold: &F,
    units: &Units,
    range: Range<usize>,
    threads: usize,
    make: M,
    mut take: impl FnMut(&Unit, Done<T, F::Rows, F::Part>, &M) -> ControlFlow<()>,
) {
    let unit = |n: usize| units.all.get(n.saturating_add(range.start));
    let work = |worker: &mut F::Worker, n: usize| {
        let unit = unit(n)?;
        if let Some((elements, _)) = &unit.part {
            return fold.part(worker, unit.items.start, elements.clone()).map(Done::Part);
        }
        let rows = fold.several(worker, unit.items.clone());
        Some(Done::Rows(make(unit.before, &rows), rows))
    };
    let take = |n: usize, done: Option<Done<T, F::Rows, F::Part>>| {
        let (Some(unit), Some(done)) = (unit(n), done) else { return ControlFlow::Continue(()) };
        take(unit, done, &make)
    };
    in_order_until(range.len(), threads.max(1), || fold.worker(), work, take);
}
