//! The units of one process among several: what they came to is noted, and made of the notes again elsewhere.

use std::ops::{ControlFlow, Range};

use super::fold::{Done, Fold, run};
use super::units::Units;
use crate::analysis::parts::{Own, Reading, Record};

/// What a record says of units that follow one another.
const SEVERAL: u64 = 0;
/// Parts of one item came to this.
const RUN: u64 = 1;
/// Parts of one item are to be read again.
const AGAIN: u64 = 2;
/// One large item came to this.
const WHOLE: u64 = 3;

/// Goes through the units of a share, and notes what they came to. Items that are whole in it are handed over too.
pub(super) fn of_share<F: Fold, T: Send>(
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
pub(super) fn replay<F: Fold, T>(
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
