//! Reading the pairs that indexes do not settle, on all cores, and telling of all of them in order.
//!
//! Small neighbours are read together where both sides have them side by side, and compared in the buffers; anything
//! that is wrong there, and everything else, is read by itself, which says why. What is told goes out as it is found,
//! and nothing is kept of a pair.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::Ordering;

use super::delta::{Bins, Partial, Rules};
use super::tallies::{Tallies, Verdict, change, is_silent};
use super::units::{parts_of, units};
use super::values::{Buffers, Found, PairTotal, compare, verdict};
use super::work::{Todo, Wish, Wishes, Work};
use super::{Change, DiffOptions};
use crate::analysis::sweep::engine::{Fold, sweep};
use crate::analysis::sweep::nearby::{self, Near, WINDOW, groups};
use crate::base::parallel::in_order;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Cursor, Tensor};

/// What all threads know.
#[derive(Clone, Copy)]
pub(super) struct Job<'j> {
    pub(super) a: &'j Checkpoint,
    pub(super) b: &'j Checkpoint,
    pub(super) work: &'j [Work],
    /// Which of them in which order, if not all of them.
    pub(super) order: Option<&'j [usize]>,
    pub(super) wishes: &'j Wishes,
    pub(super) options: &'j DiffOptions,
    pub(super) progress: &'j Progress,
}

/// What a thread keeps from one unit to the next.
pub(super) struct Worker<'j> {
    job: Job<'j>,
    cursors: [Cursor<'j>; 2],
    buffers: Buffers,
    /// The pairs of a unit that lie near each other on both sides, and the bytes around them.
    near: Vec<Near<2>>,
    ranges: [nearby::Range; 2],
}

impl Job<'_> {
    /// Goes through the list. `make` is given changes that follow one another, on any thread; what it makes of them
    /// goes with them and their tallies to `take`, in order. If that breaks off, nothing more is handed to it.
    pub(super) fn run<T: Send>(
        self,
        make: impl Fn(&[Change]) -> T + Sync,
        mut take: impl FnMut(T, Vec<Change>, Tallies) -> ControlFlow<()>,
    ) {
        let len = self.order.map_or(self.work.len(), <[usize]>::len);
        let units = units(self.a, self.b, len, |n| self.work(n).map(|(_, work)| work));
        let read = || {
            (0..len)
                .filter_map(|n| self.work(n))
                .map(|(_, work)| work)
                .filter(|work| !matches!(work.todo, Todo::Tell(_)))
        };
        self.a.expect(read().filter_map(|work| self.a.tensor_at(work.a()?)));
        self.b.expect(read().filter_map(|work| self.b.tensor_at(work.b()?)));
        let make = |_, (changes, _): &(Vec<Change>, Tallies)| make(changes);
        sweep(&self, &units, self.options.threads, make, |made, (changes, tallies)| take(made, changes, tallies));
    }

    /// The number of an entry of the list, and the entry.
    fn work(self, n: usize) -> Option<(usize, Work)> {
        let at = self.order.map_or(Some(n), |order| order.get(n).copied())?;
        Some((at, *self.work.get(at)?))
    }

    /// Reads a pair, values and checksums, in parts on all cores.
    fn by_parts(self, work: &Work) -> PairTotal {
        let parts = parts_of(self.a, self.b, work);
        let mut sofar = PairTotal::default();
        in_order(
            parts.len(),
            self.options.threads.max(1),
            || Worker::new(self),
            |worker, n| worker.part(work, false, parts.get(n)?.clone()),
            |_, found| found.into_iter().for_each(|found| sofar.add(found)),
        );
        sofar
    }

    /// Bytes of both sides that are read a second time.
    fn count_again(self, x: &Tensor, y: &Tensor) -> u64 {
        let bytes = x.bytes().unwrap_or(0).saturating_add(y.bytes().unwrap_or(0));
        self.progress.total.fetch_add(bytes, Ordering::Relaxed);
        bytes
    }

    fn rules(self, wish: Wish) -> Rules {
        Rules { tolerance: wish.tolerance, nan_differs: self.options.nan_differs }
    }
}

impl<'j> Fold for Job<'j> {
    type Worker = Worker<'j>;
    /// Changes, and the tallies of all pairs, told or not.
    type Rows = (Vec<Change>, Tallies);
    type Part = Found;
    type Total = PairTotal;

    fn worker(&self) -> Worker<'j> {
        Worker::new(*self)
    }

    fn several(&self, worker: &mut Worker<'j>, entries: Range<usize>) -> (Vec<Change>, Tallies) {
        let mut tallies = Tallies::default();
        let changes = worker.several(entries, &mut tallies);
        (changes, tallies)
    }

    fn part(&self, worker: &mut Worker<'j>, entry: usize, elements: Range<u64>) -> Option<Found> {
        let (_, work) = self.work(entry)?;
        worker.part(&work, work.todo == Todo::Bytes, elements)
    }

    fn join(&self, total: &mut PairTotal, part: Found) {
        total.add(part);
    }

    fn last(&self, entry: usize, total: PairTotal) -> Option<(Vec<Change>, Tallies)> {
        let (at, work) = self.work(entry)?;
        let (x, y) = (self.a.tensor_at(work.a()?)?, self.b.tensor_at(work.b()?)?);
        let (a, b) = ((self.a, &x), (self.b, &y));
        let wish = self.wishes.of(&work);
        let mut tallies = Tallies::default();
        let verdict = total.conclude(a, b, work.how, wish).or_else(|| {
            tallies.again = self.count_again(&x, &y);
            self.by_parts(&work).conclude(a, b, work.how, wish)
        })?;
        tallies.enter(Some(&x), Some(&y), &verdict);
        let told = !is_silent(verdict.status, self.options);
        let changes = told.then(|| change(at, (self.a, Some(&x)), (self.b, Some(&y)), verdict));
        Some((changes.into_iter().collect(), tallies))
    }
}

impl<'j> Worker<'j> {
    fn new(job: Job<'j>) -> Self {
        let cursors = [job.a.tensors().cursor(), job.b.tensors().cursor()];
        let ranges = [nearby::Range::default(), nearby::Range::default()];
        Self { job, cursors, buffers: Buffers::default(), near: Vec::new(), ranges }
    }

    /// What is told of these entries of the list, in order.
    fn several(&mut self, entries: Range<usize>, tallies: &mut Tallies) -> Vec<Change> {
        let first = entries.start;
        let mut verdicts: Vec<Option<Verdict>> = Vec::with_capacity(entries.len());
        self.near.clear();
        for n in entries.clone() {
            let work = self.job.work(n).map(|(_, work)| work);
            let verdict = work.and_then(|work| match work.todo {
                Todo::Tell(status) => Some(Verdict::by_index(status, work.how, 0)),
                _ if self.is_near(&work, verdicts.len()) => None,
                _ => self.alone(&work, work.todo == Todo::Bytes, tallies),
            });
            verdicts.push(verdict);
        }
        nearby::sort(&mut self.near);
        let near = std::mem::take(&mut self.near);
        for group in groups(&near) {
            self.group(group, first, &mut verdicts, tallies);
        }
        self.near = near;
        let mut changes = Vec::new();
        for (n, verdict) in entries.zip(verdicts) {
            let (Some((at, work)), Some(verdict)) = (self.job.work(n), verdict) else { continue };
            let [a, b] = &mut self.cursors;
            let a = work.a().and_then(|at| a.reach(at));
            let b = work.b().and_then(|at| b.reach(at));
            if !matches!(work.todo, Todo::Tell(_)) {
                tallies.enter(a, b, &verdict);
            }
            if !is_silent(verdict.status, self.job.options) {
                changes.push(change(at, (self.job.a, a), (self.job.b, b), verdict));
            }
        }
        changes
    }

    /// Puts a pair aside that may be read with others. `row` is its number among the verdicts.
    fn is_near(&mut self, work: &Work, row: usize) -> bool {
        let [a, b] = &mut self.cursors;
        let pair = (work.a().and_then(|at| a.reach(at)), work.b().and_then(|at| b.reach(at)));
        let (Some(x), Some(y), Ok(row)) = (pair.0, pair.1, u32::try_from(row)) else { return false };
        let spans = (self.job.a.span(x), self.job.b.span(y));
        let (true, (Some(a), Some(b))) = (x.is_numeric() && y.is_numeric(), spans) else { return false };
        let is_small = a.len <= WINDOW && b.len <= WINDOW;
        if is_small {
            self.near.push(Near { row, dtype: y.dtype, spans: [a, b] });
        }
        is_small
    }

    /// Pairs that lie together on both sides.
    fn group(&mut self, group: &[Near<2>], first: usize, verdicts: &mut [Option<Verdict>], tallies: &mut Tallies) {
        for (side, (range, checkpoint)) in self.ranges.iter_mut().zip([self.job.a, self.job.b]).enumerate() {
            range.read(checkpoint, group, side);
        }
        for near in group {
            let row = near.row as usize;
            let Some((_, work)) = self.job.work(first.saturating_add(row)) else { continue };
            let exact = work.todo == Todo::Bytes;
            let verdict = match self.in_range(near, &work, exact) {
                Some(verdict) => {
                    let [a, b] = near.spans;
                    self.job.progress.done.fetch_add(a.len.saturating_add(b.len), Ordering::Relaxed);
                    Some(verdict)
                }
                None => self.alone(&work, exact, tallies),
            };
            if let Some(place) = verdicts.get_mut(row) {
                *place = verdict;
            }
        }
    }

    /// What became of a pair whose bytes were read with those of others, if all is right with them.
    fn in_range(&mut self, near: &Near<2>, work: &Work, exact: bool) -> Option<Verdict> {
        let ([x, y], wish) = (&self.ranges, self.job.wishes.of(work));
        let [a, b] = near.spans;
        if exact {
            let is_same = x.bytes(a)? == y.bytes(b)?;
            let [_, cursor] = &mut self.cursors;
            let tensor = cursor.reach(work.b()?)?;
            return is_same.then(|| verdict(tensor, &Partial::default(), work.how, wish));
        }
        let (x, y) = (x.verified(a)?, y.verified(b)?);
        if x.len() != y.len() {
            return None;
        }
        let [_, cursor] = &mut self.cursors;
        let tensor = cursor.reach(work.b()?)?;
        let bins = Bins::new(&tensor.dims().unwrap_or_default());
        let mut partial = Partial::default();
        partial.add(near.dtype, x, y, 0, &bins, self.job.rules(wish));
        Some(verdict(tensor, &partial, work.how, wish))
    }

    /// A pair by itself.
    fn alone(&mut self, work: &Work, exact: bool, tallies: &mut Tallies) -> Option<Verdict> {
        let (x, y) = (self.job.a.tensor_at(work.a()?)?, self.job.b.tensor_at(work.b()?)?);
        let wish = self.job.wishes.of(work);
        let mut read = |exact| {
            let mut sofar = PairTotal::default();
            sofar.add(self.compare(&x, &y, exact, 0..x.elements().unwrap_or(0), wish));
            sofar.conclude((self.job.a, &x), (self.job.b, &y), work.how, wish)
        };
        if let Some(verdict) = read(exact) {
            return Some(verdict);
        }
        let verdict = read(false);
        tallies.again = tallies.again.saturating_add(self.job.count_again(&x, &y));
        verdict
    }

    /// Some elements of a pair.
    fn part(&mut self, work: &Work, exact: bool, run: Range<u64>) -> Option<Found> {
        let (x, y) = (self.job.a.tensor_at(work.a()?)?, self.job.b.tensor_at(work.b()?)?);
        Some(self.compare(&x, &y, exact, run, self.job.wishes.of(work)))
    }

    fn compare(&mut self, x: &Tensor, y: &Tensor, exact: bool, run: Range<u64>, wish: Wish) -> Found {
        let size = x.dtype.element_size();
        let bytes = size.map(|size| run.end.saturating_sub(run.start).saturating_mul(size)).or(y.bytes());
        let rules = self.job.rules(wish);
        let found = compare((self.job.a, x), (self.job.b, y), exact, run, rules, &mut self.buffers);
        self.job.progress.done.fetch_add(bytes.unwrap_or(0).saturating_mul(2), Ordering::Relaxed);
        found
    }
}
