//! Reading the pairs that indexes do not settle, on all cores, and telling of all of them in order.
//!
//! Small neighbours are read together where both sides have them side by side, and compared in the buffers; anything
//! that is wrong there, and everything else, is read by itself, which says why. What is told goes out as it is found,
//! and nothing is kept of a pair.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::Ordering;

use super::delta::{Bins, Partial, Rules};
use super::recorded::{Told, get_partial, get_sum, get_verdict, put_partial, put_sum, put_verdict};
use super::spectral::with_spectrum;
use super::tallies::{Tallies, Verdict, change, is_silent};
use super::units::{parts_of, units};
use super::values::{Buffers, Found, PairTotal, compare, verdict};
use super::work::{Todo, Wish, Wishes, Work};
use super::{Change, DiffOptions};
use crate::analysis::parts::{Reading, Record, Share};
use crate::analysis::sweep::engine::sweep;
use crate::analysis::sweep::fold::Fold;
use crate::analysis::sweep::nearby::{self, Near, WINDOW, groups};
use crate::base::parallel::in_order;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Cursor, Tensor};
use crate::read::tensor::DType;

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
    pub(super) share: Option<&'j Share>,
    pub(super) progress: &'j Progress,
}

/// What is told of entries of the list, and the tallies of all of them, told or not.
#[derive(Default)]
pub(super) struct Rows {
    changes: Vec<Change>,
    tallies: Tallies,
    /// Where a share is read, what became of each.
    record: Record,
    is_settled: bool,
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
        let units = units(self.a, self.b, len, self.options.spectral, |n| self.work(n).map(|(_, work)| work));
        if self.share.is_none() {
            let read = || {
                (0..len)
                    .filter_map(|n| self.work(n))
                    .map(|(_, work)| work)
                    .filter(|work| !matches!(work.todo, Todo::Tell(_)))
            };
            self.a.expect(read().filter_map(|work| self.a.tensor_at(work.a()?)));
            self.b.expect(read().filter_map(|work| self.b.tensor_at(work.b()?)));
        }
        let make = |_, rows: &Rows| make(&rows.changes);
        let how = (self.options.threads, self.share, "changes");
        sweep(&self, &units, how, make, |made, rows| take(made, rows.changes, rows.tallies));
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

    /// The dtype of both sides of a pair that is read.
    fn dtype(self, work: &Work) -> DType {
        work.b().and_then(|at| self.b.tensor_at(at)).map_or(DType::Invalid, |tensor| tensor.dtype)
    }

    fn rules(self, wish: Wish) -> Rules {
        Rules { tolerance: wish.tolerance, nan_differs: self.options.nan_differs }
    }
}

impl<'j> Fold for Job<'j> {
    type Worker = Worker<'j>;
    type Rows = Rows;
    type Part = Found;
    type Total = PairTotal;

    fn worker(&self) -> Worker<'j> {
        Worker::new(*self)
    }

    fn several(&self, worker: &mut Worker<'j>, entries: Range<usize>) -> Rows {
        worker.several(entries)
    }

    fn part(&self, worker: &mut Worker<'j>, entry: usize, elements: Range<u64>) -> Option<Found> {
        let (_, work) = self.work(entry)?;
        worker.part(&work, work.todo == Todo::Bytes, elements)
    }

    fn join(&self, total: &mut PairTotal, part: Found) {
        total.add(part);
    }

    fn last(&self, entry: usize, total: PairTotal) -> Option<Rows> {
        let (at, work) = self.work(entry)?;
        let (x, y) = (self.a.tensor_at(work.a()?)?, self.b.tensor_at(work.b()?)?);
        let (a, b) = ((self.a, &x), (self.b, &y));
        let wish = self.wishes.of(&work);
        let verdict = total.conclude(a, b, work.how, wish).or_else(|| {
            let again = self.count_again(&x, &y);
            let verdict = self.by_parts(&work).conclude(a, b, work.how, wish)?;
            Some(Verdict { again, ..verdict })
        })?;
        let verdict = with_spectrum(verdict, (self.a, &x), (self.b, &y), self.options);
        let mut rows = Rows { is_settled: true, ..Rows::default() };
        rows.add(*self, at, &work, (Some(&x), Some(&y)), verdict);
        Some(rows)
    }

    type Trace = Vec<Partial>;

    fn trace(&self, trace: &mut Vec<Partial>, part: &Found) {
        if let Found::Compared(partial, _) = part {
            trace.push(Partial::clone(partial));
        }
    }

    fn put_rows(&self, rows: &Rows, into: &mut Record) {
        into.append(&rows.record);
    }

    fn is_settled(&self, rows: &Rows) -> bool {
        rows.is_settled
    }

    fn get_rows(&self, worker: &mut Worker<'j>, entries: Range<usize>, from: &mut Reading<'_>) -> Option<Rows> {
        let mut rows = Rows::default();
        for n in entries {
            let Some((at, work)) = self.work(n) else { continue };
            let verdict = match work.todo {
                Todo::Tell(status) => Some(Verdict::by_index(status, work.how, 0)),
                todo => match get_verdict(work.how, self.wishes.of(&work).expected, self.dtype(&work), from)? {
                    Told::Nothing => None,
                    Told::Again => worker.alone(&work, todo == Todo::Bytes),
                    Told::Settled(verdict) => Some(verdict),
                },
            };
            if let Some(verdict) = verdict {
                let [a, b] = &mut worker.cursors;
                let pair = (work.a().and_then(|at| a.reach(at)), work.b().and_then(|at| b.reach(at)));
                rows.add(*self, at, &work, pair, verdict);
            }
        }
        Some(rows)
    }

    fn put_run(&self, entry: usize, total: &PairTotal, trace: &Vec<Partial>, begins: bool, into: &mut Record) -> bool {
        let Some((_, work)) = self.work(entry) else { return false };
        let dtype = self.dtype(&work);
        // What was taken in from the beginning is what everybody has at that point.
        let joined = std::slice::from_ref(&total.partial);
        let partials = if begins && !trace.is_empty() { joined } else { trace.as_slice() };
        into.flag(total.bytes_differ);
        into.count(partials.len());
        for partial in partials {
            put_partial(partial, dtype, into);
        }
        for sum in total.sums {
            put_sum(sum, into);
        }
        total.trouble.is_empty()
    }

    fn get_run(&self, entry: usize, total: &mut PairTotal, from: &mut Reading<'_>) -> Option<()> {
        let (_, work) = self.work(entry)?;
        let dtype = self.dtype(&work);
        total.bytes_differ |= from.flag()?;
        let partials = (0..from.count()?).map(|_| get_partial(dtype, from)).collect::<Option<Vec<_>>>()?;
        let sums = [get_sum(from)?, get_sum(from)?];
        let mut partials = partials.into_iter();
        if let Some(first) = partials.next() {
            // The sums are those of all of them, and what follows has none of its own.
            total.add(Found::Compared(Box::new(first), sums));
            for partial in partials {
                total.partial.merge(&partial);
            }
        }
        Some(())
    }
}

impl Rows {
    /// Takes in what became of an entry.
    fn add(
        &mut self,
        job: Job<'_>,
        at: usize,
        work: &Work,
        (a, b): (Option<&Tensor>, Option<&Tensor>),
        verdict: Verdict,
    ) {
        if !matches!(work.todo, Todo::Tell(_)) {
            if job.share.is_some_and(Share::is_part) {
                put_verdict(Some(&verdict), job.dtype(work), &mut self.record);
            }
            self.is_settled &= verdict.trouble.is_empty();
            self.tallies.enter(a, b, &verdict);
        }
        if !is_silent(verdict.status, job.options) {
            self.changes.push(change(at, (job.a, a), (job.b, b), verdict));
        }
    }
}

impl<'j> Worker<'j> {
    fn new(job: Job<'j>) -> Self {
        let cursors = [job.a.tensors().cursor(), job.b.tensors().cursor()];
        let ranges = [nearby::Range::default(), nearby::Range::default()];
        Self { job, cursors, buffers: Buffers::default(), near: Vec::new(), ranges }
    }

    /// What is told of these entries of the list, in order.
    fn several(&mut self, entries: Range<usize>) -> Rows {
        let first = entries.start;
        let mut verdicts: Vec<Option<Verdict>> = Vec::with_capacity(entries.len());
        self.near.clear();
        for n in entries.clone() {
            let work = self.job.work(n).map(|(_, work)| work);
            let verdict = work.and_then(|work| match work.todo {
                Todo::Tell(status) => Some(Verdict::by_index(status, work.how, 0)),
                _ if self.is_near(&work, verdicts.len()) => None,
                _ => self.alone(&work, work.todo == Todo::Bytes),
            });
            verdicts.push(verdict);
        }
        nearby::sort(&mut self.near);
        let near = std::mem::take(&mut self.near);
        for group in groups(&near) {
            self.group(group, first, &mut verdicts);
        }
        self.near = near;
        let mut rows = Rows::default();
        for (n, verdict) in entries.zip(verdicts) {
            let Some((at, work)) = self.job.work(n) else { continue };
            let Some(verdict) = verdict else {
                if self.job.share.is_some_and(Share::is_part) {
                    put_verdict(None, DType::Invalid, &mut rows.record);
                }
                continue;
            };
            let [a, b] = &mut self.cursors;
            let pair = (work.a().and_then(|at| a.reach(at)), work.b().and_then(|at| b.reach(at)));
            let verdict = match pair {
                (Some(x), Some(y)) => with_spectrum(verdict, (self.job.a, x), (self.job.b, y), self.job.options),
                _ => verdict,
            };
            rows.add(self.job, at, &work, pair, verdict);
        }
        rows
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
    fn group(&mut self, group: &[Near<2>], first: usize, verdicts: &mut [Option<Verdict>]) {
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
                None => self.alone(&work, exact),
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
    fn alone(&mut self, work: &Work, exact: bool) -> Option<Verdict> {
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
        let verdict = read(false)?;
        Some(Verdict { again: self.job.count_again(&x, &y), ..verdict })
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
