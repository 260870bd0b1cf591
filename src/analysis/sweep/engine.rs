//! Goes through tensors on all cores, each once, and hands what comes of them over in order.
//!
//! What is to be done is cut into `units`, none of which depends on the number of threads, so that no digit of a sum does.
//! What a tensor comes to is the business of a `Fold`: figures, or a comparison. Of several processes each goes through
//! its own units (`shared`), and the one that makes the report is told what all came to.

use std::ops::ControlFlow;

use super::fold::{Done, Fold, run};
use super::shared::{of_share, replay};
use super::units::Units;
use crate::analysis::parts::{Reading, Share, Turn};

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

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::analysis::parts::Record;
    use crate::analysis::sweep::cut::UNIT;

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
