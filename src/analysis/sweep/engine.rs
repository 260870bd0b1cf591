//! Goes through tensors on all cores, each once, and hands what comes of them over in order.
//!
//! What is large is cut into parts that any thread may take and that are joined in their order; what is small and follows
//! one another is one unit. Neither depends on the number of threads, so that no digit of a sum does. What a tensor comes
//! to is the business of a [`Fold`]: figures, or a comparison.

use std::ops::{ControlFlow, Range};

use super::cut::{TOGETHER, UNIT};
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
}

/// One thing to do: a run of small items, or a part of a large one.
#[derive(Debug)]
struct Unit {
    items: Range<usize>,
    /// How many items that count come before.
    before: usize,
    /// The elements of the one item, and whether they are its last.
    part: Option<(Range<u64>, bool)>,
}

/// What is to be done, in the order in which it is told.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Units {
    all: Vec<Unit>,
    /// The items that count, in all units and in the run that is being gathered.
    counted: usize,
    /// That run: from where on, how many that count, their bytes.
    first: usize,
    count: usize,
    bytes: u64,
}

impl Units {
    /// A small item behind those before.
    pub(in crate::analysis) fn small(&mut self, item: usize, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= UNIT || self.count >= TOGETHER {
            self.close(item.saturating_add(1));
        }
    }

    /// A large item, in these parts.
    pub(in crate::analysis) fn large(&mut self, item: usize, parts: impl Iterator<Item = Range<u64>>) {
        self.close(item);
        let (before, next) = (self.counted, item.saturating_add(1));
        self.all.extend(parts.map(|part| Unit { items: item..next, before, part: Some((part, false)) }));
        if let Some((_, is_last)) = self.all.last_mut().and_then(|unit| unit.part.as_mut()) {
            *is_last = true;
        }
        self.counted += 1;
        self.first = next;
    }

    /// The run that is being gathered ends before this item: the last call for what is small.
    pub(in crate::analysis) fn close(&mut self, end: usize) {
        if self.count > 0 {
            self.all.push(Unit { items: self.first..end, before: self.counted, part: None });
            self.counted += self.count;
        }
        (self.first, self.count, self.bytes) = (end, 0, 0);
    }
}

/// What came of a unit.
enum Done<T, R, P> {
    Rows(T, R),
    Part(P),
}

/// Goes through all units on so many threads.
///
/// `make` is given rows that follow one another, with the number of items that count before them, on any thread; what it
/// makes of them goes with them to `take`, in order and on the caller's thread. If that breaks off, nothing more is
/// handed to it.
pub(in crate::analysis) fn sweep<F: Fold, T: Send>(
    fold: &F,
    units: &Units,
    threads: usize,
    make: impl Fn(usize, &F::Rows) -> T + Sync,
    mut take: impl FnMut(T, F::Rows) -> ControlFlow<()>,
) {
    let mut total = F::Total::default();
    let work = |worker: &mut F::Worker, n: usize| {
        let unit = units.all.get(n)?;
        if let Some((elements, _)) = &unit.part {
            return fold.part(worker, unit.items.start, elements.clone()).map(Done::Part);
        }
        let rows = fold.several(worker, unit.items.clone());
        Some(Done::Rows(make(unit.before, &rows), rows))
    };
    let take = |n: usize, done: Option<Done<T, F::Rows, F::Part>>| {
        let go_on = ControlFlow::Continue(());
        let (Some(unit), Some(done)) = (units.all.get(n), done) else { return go_on };
        match done {
            Done::Rows(made, rows) => take(made, rows),
            Done::Part(part) => {
                fold.join(&mut total, part);
                if unit.part.as_ref().is_none_or(|(_, is_last)| !is_last) {
                    return go_on;
                }
                let rows = fold.last(unit.items.start, std::mem::take(&mut total));
                rows.map_or(go_on, |rows| take(make(unit.before, &rows), rows))
            }
        }
    };
    in_order_until(units.all.len(), threads.max(1), || fold.worker(), work, take);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of numbers from 1 on; items from 100 on are large.
    struct Sums;

    impl Fold for Sums {
        type Worker = ();
        type Rows = Vec<u64>;
        type Part = u64;
        type Total = u64;

        fn worker(&self) {}

        fn several(&self, (): &mut (), items: Range<usize>) -> Vec<u64> {
            items.map(|item| item as u64).collect()
        }

        fn part(&self, (): &mut (), _: usize, elements: Range<u64>) -> Option<u64> {
            Some(elements.sum())
        }

        fn join(&self, total: &mut u64, part: u64) {
            *total = *total * 10 + part;
        }

        fn last(&self, item: usize, total: u64) -> Option<Vec<u64>> {
            Some(vec![item as u64, total])
        }
    }

    fn units() -> Units {
        let mut units = Units::default();
        units.small(0, 1);
        units.small(1, UNIT);
        units.small(2, 0);
        units.large(3, [0..2, 2..3, 3..5].into_iter());
        units.large(4, std::iter::once(0..2));
        units.small(5, 1);
        units.close(7);
        units
    }

    #[test]
    fn everything_comes_once_and_in_order_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let (mut told, mut before) = (Vec::new(), Vec::new());
            let take = |first, rows: Vec<u64>| {
                before.push(first);
                told.push(rows);
                ControlFlow::Continue(())
            };
            sweep(&Sums, &units(), threads, |first, _| first, take);
            assert_eq!(told, [vec![0, 1], vec![2], vec![3, 127], vec![4, 1], vec![5, 6]], "{threads}");
            assert_eq!(before, [0, 2, 3, 4, 5], "{threads}");
        }
    }

    #[test]
    fn who_breaks_off_hears_no_more() {
        let mut told = 0;
        let take = |(), _| {
            told += 1;
            if told == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        sweep(&Sums, &units(), 3, |_, _| (), take);
        assert_eq!(told, 2);
    }
}
