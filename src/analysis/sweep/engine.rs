//! Goes through tensors on all cores, each once, and hands what comes of them over in order.
//!
//! What is large is cut into parts that any thread may take and that are joined in their order; what is small and follows
//! one another is one unit. Neither depends on the number of threads, so that no digit of a sum does. What a tensor comes
//! to is the business of a [`Fold`]: figures, or a comparison.

use std::ops::{ControlFlow, Range};

use super::cut::{TOGETHER, UNIT};
use crate::analysis::parts::{Own, Reading, Record, Share, Turn};
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

/// One thing to do: a run of small items, or a part of a large one.
#[derive(Debug)]
struct Unit {
    items: Range<usize>,
    /// How many items that count come before.
    before: usize,
    /// The elements of the one item, and whether they are its last.
    part: Option<(Range<u64>, bool)>,
    /// About how many bytes are read.
    bytes: u64,
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

    /// A large item, in these parts of elements of so many bytes.
    pub(in crate::analysis) fn large(&mut self, item: usize, size: u64, parts: impl Iterator<Item = Range<u64>>) {
        self.close(item);
        let (before, next) = (self.counted, item.saturating_add(1));
        let bytes = |part: &Range<u64>| part.end.saturating_sub(part.start).saturating_mul(size);
        let unit =
            |part: Range<u64>| Unit { items: item..next, before, bytes: bytes(&part), part: Some((part, false)) };
        self.all.extend(parts.map(unit));
        if let Some((_, is_last)) = self.all.last_mut().and_then(|unit| unit.part.as_mut()) {
            *is_last = true;
        }
        self.counted += 1;
        self.first = next;
    }

    /// The run that is being gathered ends before this item: the last call for what is small.
    pub(in crate::analysis) fn close(&mut self, end: usize) {
        if self.count > 0 {
            self.all.push(Unit { items: self.first..end, before: self.counted, part: None, bytes: self.bytes });
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

/// Goes through all units on so many threads, or through those of a share, or is told what they came to.
///
/// `make` is given rows that follow one another, with the number of items that count before them, on any thread; what it
/// makes of them goes with them to `take`, in order and on the caller's thread. If that breaks off, nothing more is
/// handed to it.
pub(in crate::analysis) fn sweep<F: Fold, T: Send>(
    fold: &F,
    units: &Units,
    (threads, share, what): (usize, Option<&Share>, &str),
    make: impl Fn(usize, &F::Rows) -> T + Sync,
    mut take: impl FnMut(T, F::Rows) -> ControlFlow<()>,
) {
    let weight = |n: usize| units.all.get(n).map_or(0, |unit| unit.bytes);
    match Turn::of(share, what, units.all.len(), weight) {
        Turn::All => {
            let mut total = F::Total::default();
            run(fold, units, 0..units.all.len(), threads, make, |unit, done, make| match done {
                Done::Rows(made, rows) => take(made, rows),
                Done::Part(part) => {
                    fold.join(&mut total, part);
                    if unit.is_inner() {
                        return ControlFlow::Continue(());
                    }
                    let rows = fold.last(unit.items.start, std::mem::take(&mut total));
                    rows.map_or(ControlFlow::Continue(()), |rows| take(make(unit.before, &rows), rows))
                }
            });
        }
        Turn::Own(own) => of_share(fold, units, own, threads, make, take),
        Turn::Told(told) => {
            let mut worker = fold.worker();
            let mut total = F::Total::default();
            for (range, bytes) in told {
                let mut from = Reading::of(bytes);
                let told = replay(fold, units, range.clone(), &mut from, (&mut worker, &mut total), &make, &mut take);
                match told {
                    Some(ControlFlow::Continue(())) if from.is_over() => {}
                    Some(ControlFlow::Break(())) => return,
                    _ => {
                        Share::misfit(share, &range);
                        return;
                    }
                }
            }
        }
    }
}

impl Unit {
    /// Whether it is a part, and others of the same item follow.
    fn is_inner(&self) -> bool {
        self.part.as_ref().is_some_and(|(_, is_last)| !is_last)
    }
}

/// Goes through some units, and hands each that came to something over, in order.
fn run<F: Fold, T: Send, M: Fn(usize, &F::Rows) -> T + Sync>(
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

/// What a record says of units that follow one another.
const SEVERAL: u64 = 0;
/// Parts of one item came to this.
const RUN: u64 = 1;
/// Parts of one item are to be read again.
const AGAIN: u64 = 2;
/// One large item came to this.
const WHOLE: u64 = 3;

/// Goes through the units of a share, and notes what they came to. Items that are whole in it are handed over too.
fn of_share<F: Fold, T: Send>(
    fold: &F,
    units: &Units,
    own: Own<'_>,
    threads: usize,
    make: impl Fn(usize, &F::Rows) -> T + Sync,
    mut take: impl FnMut(T, F::Rows) -> ControlFlow<()>,
) {
    let range = own.units.clone();
    let mut record = Record::default();
    let (mut total, mut trace) = (F::Total::default(), F::Trace::default());
    // Whether the first part of the item was in the share.
    let first = range.start.checked_sub(1).and_then(|before| units.all.get(before));
    let mut begins = first.is_none_or(|before| !before.is_inner());
    let mut left = range.len();
    // Whoever looks at them may have seen enough; the record is to be whole.
    let mut go_on = true;
    run(fold, units, range, threads, make, |unit, done, make| {
        left = left.saturating_sub(1);
        let mut tell = |made: T, rows: F::Rows| go_on = go_on && take(made, rows).is_continue();
        match done {
            Done::Rows(made, rows) => {
                record.number(SEVERAL);
                let mut inner = Record::default();
                fold.put_rows(&rows, &mut inner);
                record.inner(&inner);
                tell(made, rows);
            }
            Done::Part(part) => {
                fold.trace(&mut trace, &part);
                fold.join(&mut total, part);
                if unit.is_inner() && left > 0 {
                    return ControlFlow::Continue(());
                }
                let (total, trace) = (std::mem::take(&mut total), std::mem::take(&mut trace));
                let mut inner = Record::default();
                let mut tag =
                    if fold.put_run(unit.items.start, &total, &trace, begins, &mut inner) { RUN } else { AGAIN };
                if begins
                    && !unit.is_inner()
                    && let Some(rows) = fold.last(unit.items.start, total)
                {
                    if fold.is_settled(&rows) {
                        (tag, inner) = (WHOLE, Record::default());
                        fold.put_rows(&rows, &mut inner);
                    }
                    tell(make(unit.before, &rows), rows);
                }
                record.number(tag);
                if tag != AGAIN {
                    record.inner(&inner);
                }
                begins = true;
            }
        }
        ControlFlow::Continue(())
    });
    own.note(record);
}

/// Hands over what units came to elsewhere; nothing if that cannot be.
fn replay<F: Fold, T>(
    fold: &F,
    units: &Units,
    range: Range<usize>,
    from: &mut Reading<'_>,
    (worker, total): (&mut F::Worker, &mut F::Total),
    make: &impl Fn(usize, &F::Rows) -> T,
    take: &mut impl FnMut(T, F::Rows) -> ControlFlow<()>,
) -> Option<ControlFlow<()>> {
    let mut rest = units.all.get(range)?;
    while let Some(first) = rest.first() {
        let tag = from.number()?;
        let len = if first.part.is_some() {
            let inner = rest.iter().take_while(|unit| unit.is_inner()).count();
            inner.saturating_add(1).min(rest.len())
        } else {
            1
        };
        let (some, behind) = rest.split_at_checked(len)?;
        rest = behind;
        let is_last = some.last().is_some_and(|unit| !unit.is_inner());
        let rows = match (tag, &first.part) {
            (SEVERAL, None) | (WHOLE, Some(_)) => {
                let mut inner = from.inner()?;
                let rows = fold.get_rows(worker, first.items.clone(), &mut inner)?;
                Some(rows).filter(|_| inner.is_over())
            }
            (RUN, Some(_)) => {
                let mut inner = from.inner()?;
                fold.get_run(first.items.start, total, &mut inner)?;
                if !inner.is_over() {
                    return None;
                }
                if is_last { Some(fold.last(first.items.start, std::mem::take(total))?) } else { None }
            }
            (AGAIN, Some(_)) => {
                for (elements, _) in some.iter().filter_map(|unit| unit.part.as_ref()) {
                    let part = fold.part(worker, first.items.start, elements.clone())?;
                    fold.join(total, part);
                }
                if is_last { Some(fold.last(first.items.start, std::mem::take(total))?) } else { None }
            }
            _ => return None,
        };
        let Some(rows) = rows else {
            if is_last {
                return None;
            }
            continue;
        };
        if take(make(first.before, &rows), rows).is_break() {
            return Some(ControlFlow::Break(()));
        }
    }
    Some(ControlFlow::Continue(()))
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

        type Trace = Vec<u64>;

        fn trace(&self, trace: &mut Vec<u64>, part: &u64) {
            trace.push(*part);
        }

        fn put_rows(&self, rows: &Vec<u64>, into: &mut Record) {
            into.count(rows.len());
            into.numbers(rows);
        }

        // Of the item 4 nothing can be settled.
        fn is_settled(&self, rows: &Vec<u64>) -> bool {
            rows.first() != Some(&4)
        }

        fn get_rows(&self, (): &mut (), _: Range<usize>, from: &mut Reading<'_>) -> Option<Vec<u64>> {
            (0..from.count()?).map(|_| from.number()).collect()
        }

        fn put_run(&self, _: usize, _: &u64, trace: &Vec<u64>, _: bool, into: &mut Record) -> bool {
            self.put_rows(trace, into);
            // A part that begins with 1 is to be read again.
            trace.first() != Some(&1)
        }

        fn get_run(&self, _: usize, total: &mut u64, from: &mut Reading<'_>) -> Option<()> {
            for part in self.get_rows(&mut (), 0..0, from)? {
                self.join(total, part);
            }
            Some(())
        }
    }

    fn units() -> Units {
        let mut units = Units::default();
        units.small(0, 1);
        units.small(1, UNIT);
        units.small(2, 0);
        units.large(3, 1 << 20, [0..2, 2..3, 3..5].into_iter());
        units.large(4, 1 << 20, std::iter::once(0..2));
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
            sweep(&Sums, &units(), (threads, None, "sums"), |first, _| first, take);
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
        sweep(&Sums, &units(), (3, None, "sums"), |_, _| (), take);
        assert_eq!(told, 2);
    }

    #[test]
    fn several_processes_come_to_what_one_comes_to() {
        let all = |share: Option<&Share>| {
            let (mut told, mut before) = (Vec::new(), Vec::new());
            let take = |first: usize, rows: Vec<u64>| {
                before.push(first);
                told.push(rows);
                ControlFlow::Continue(())
            };
            sweep(&Sums, &units(), (2, share, "sums"), |first, _| first, take);
            (told, before)
        };
        for of in 1..=9 {
            let mut seen = 0;
            let mut parts: Vec<_> = (1..=of)
                .map(|number| {
                    let share = Share::part(number, of).unwrap();
                    seen += all(Some(&share)).0.len();
                    share.report().unwrap()
                })
                .collect();
            assert!(seen >= 4, "what is whole in a share is told there");
            parts.reverse();
            let merged = Share::merged(parts.clone()).unwrap();
            assert_eq!(all(Some(&merged)), all(None), "{of}");
            assert_eq!(merged.finish(), Ok(()));
            // What was noted is cut off, or is of other units.
            for part in 0..parts.len() {
                let mut broken = parts.clone();
                if broken[part].calls[0].record.pop().is_some() {
                    let merged = Share::merged(broken).unwrap();
                    all(Some(&merged));
                    assert!(merged.finish().is_err());
                }
                let mut broken = parts.clone();
                broken[part].calls[0].units += 1;
                let merged = Share::merged(broken).unwrap();
                all(Some(&merged));
                assert!(merged.finish().is_err());
            }
        }
    }
}
