//! Reading and summing: what is planned, by several threads, each tensor once.
//!
//! What parts come to is merged in their order, so that every digit is the same with one thread and with many. The
//! checksum is taken of the same bytes on the way.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::Ordering;

use super::along::Sums;
use super::block::{BLOCK, figures};
use super::channels::Marks;
use super::counter::{Buckets, Counter};
use super::plan::{Plan, bytes, parts};
use super::recorded;
use super::spectral::Held;
use super::{Figures, StatsOptions, TensorStats, Totals};
use crate::analysis::naming::selection::Selection;
use crate::analysis::parts::{Reading, Record, Share};
use crate::analysis::sweep::engine::sweep;
use crate::analysis::sweep::fold::Fold;
use crate::analysis::sweep::nearby::{self, Near, WINDOW};
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Cursor, ElementBuffers, Elements, Tensor};
use crate::read::storage::Window;
use crate::read::tensor::{Checked, DType, Widener};
use crate::read::wire::Crc32c;

/// What all threads know.
#[derive(Clone, Copy)]
pub(super) struct Job<'j> {
    pub(super) checkpoint: &'j Checkpoint,
    pub(super) selection: &'j Selection,
    pub(super) options: &'j StatsOptions,
    pub(super) progress: &'j Progress,
}

/// What a thread keeps from one unit to the next.
pub(super) struct Worker<'j> {
    pub(super) job: Job<'j>,
    pub(super) cursor: Cursor<'j>,
    pub(super) adder: Adder,
    window: Window,
    /// The tensors of a unit that lie near each other.
    pub(super) near: Vec<Near<1>>,
    /// The bytes around them.
    pub(super) range: nearby::Range,
}

/// Takes elements in.
#[derive(Default)]
pub(super) struct Adder {
    wideners: Vec<(DType, Widener)>,
    counter: Counter,
}

/// What elements that follow one another came to.
#[derive(Default)]
pub(super) struct Part {
    figures: Figures,
    buckets: Buckets,
    marks: Option<Marks>,
    along: Option<Sums>,
    held: Option<Box<Held>>,
    sum: Option<Crc32c>,
    checked: Option<Result<Checked>>,
    /// Bytes that were taken in behind it.
    len: u64,
}

/// Finds out about the selected tensors, in the order of the selection, and keeps none of them.
///
/// `make` is given some that follow one another, with the number of the first among all numeric ones, on any thread;
/// what it makes of them goes with them to `take`, in order and on the caller's thread. If `take` breaks off, nothing
/// more is handed to it, and the totals lack the rest. Of a share only what is whole in it is handed out.
pub fn each<T: Send>(
    checkpoint: &Checkpoint,
    selection: &Selection,
    (options, share): (&StatsOptions, Option<&Share>),
    progress: &Progress,
    make: impl Fn(usize, &[TensorStats]) -> T + Sync,
    mut take: impl FnMut(T, Vec<TensorStats>) -> ControlFlow<()>,
) -> Totals {
    let job = Job { checkpoint, selection, options, progress };
    let Plan { units, mut totals } = Plan::new(checkpoint, selection, options);
    progress.total.fetch_add(totals.bytes, Ordering::Relaxed);
    if share.is_none() {
        checkpoint.expect(selection.iter().filter_map(|at| checkpoint.tensor_at(at)));
    }
    let make = |first: usize, rows: &Vec<TensorStats>| make(first, rows);
    sweep(&job, &units, (options.threads, share, "figures"), make, |made, rows| {
        totals.add(&rows);
        take(made, rows)
    });
    totals
}

impl<'j> Fold for Job<'j> {
    type Worker = Worker<'j>;
    type Rows = Vec<TensorStats>;
    type Part = (Box<Part>, u64);
    type Total = Part;

    fn worker(&self) -> Worker<'j> {
        Worker::new(*self)
    }

    fn several(&self, worker: &mut Worker<'j>, tensors: Range<usize>) -> Vec<TensorStats> {
        worker.several(tensors)
    }

    fn part(&self, worker: &mut Worker<'j>, n: usize, elements: Range<u64>) -> Option<(Box<Part>, u64)> {
        let tensor = worker.cursor.reach(self.selection.get(n)?)?.clone();
        Some((Box::new(worker.open_part(&tensor, elements.clone())), bytes(&tensor, &elements)))
    }

    fn join(&self, total: &mut Part, (part, len): (Box<Part>, u64)) {
        total.append(*part, len);
    }

    fn last(&self, n: usize, total: Part) -> Option<Vec<TensorStats>> {
        let at = self.selection.get(n)?;
        let tensor = self.checkpoint.tensors().get(at)?;
        Some(vec![total.finish(*self, at, &tensor)])
    }

    type Trace = Vec<Figures>;

    fn trace(&self, trace: &mut Vec<Figures>, (part, _): &(Box<Part>, u64)) {
        trace.push(part.figures.clone());
    }

    fn put_rows(&self, rows: &Vec<TensorStats>, into: &mut Record) {
        for row in rows {
            recorded::put_row(row, into);
        }
    }

    fn is_settled(&self, rows: &Vec<TensorStats>) -> bool {
        rows.iter().all(|row| row.error.is_none())
    }

    fn get_rows(
        &self,
        worker: &mut Worker<'j>,
        items: Range<usize>,
        from: &mut Reading<'_>,
    ) -> Option<Vec<TensorStats>> {
        let mut rows = Vec::with_capacity(items.len());
        for n in items {
            let Some(at) = self.selection.get(n) else { continue };
            let Some(tensor) = worker.cursor.reach(at).filter(|tensor| tensor.is_numeric()).cloned() else { continue };
            match recorded::get_row(at, from)? {
                Some(row) => rows.push(row),
                None => rows.push(worker.whole(at, &tensor)),
            }
        }
        Some(rows)
    }

    fn put_run(&self, _: usize, total: &Part, trace: &Vec<Figures>, begins: bool, into: &mut Record) -> bool {
        // What was taken in from the beginning is what everybody has at that point.
        let joined = std::slice::from_ref(&total.figures);
        let figures = if begins { joined } else { trace.as_slice() };
        into.count(figures.len());
        for figures in figures {
            recorded::put_figures(figures, into);
        }
        recorded::put_buckets(&total.buckets, into);
        into.flag(total.marks.is_some());
        if let Some(marks) = &total.marks {
            recorded::put_marks(marks, into);
        }
        into.flag(total.sum.is_some());
        if let Some(sum) = total.sum {
            into.crc(sum);
        }
        into.number(total.len);
        total.checked.is_none()
    }

    fn get_run(&self, _: usize, total: &mut Part, from: &mut Reading<'_>) -> Option<()> {
        for _ in 0..from.count()? {
            total.figures.merge(&recorded::get_figures(from)?);
        }
        let buckets = recorded::get_buckets(from)?;
        let marks = if from.flag()? { Some(recorded::get_marks(from)?) } else { None };
        let sum = if from.flag()? { Some(from.crc()?) } else { None };
        let len = from.number()?;
        total.append(Part { buckets, marks, sum, ..Part::default() }, len);
        Some(())
    }
}

impl<'j> Worker<'j> {
    fn new(job: Job<'j>) -> Self {
        let cursor = job.checkpoint.tensors().cursor();
        Self {
            job,
            cursor,
            adder: Adder::default(),
            window: Window::default(),
            near: Vec::new(),
            range: nearby::Range::default(),
        }
    }

    /// All of a tensor, by itself.
    pub(super) fn whole(&mut self, at: usize, tensor: &Tensor) -> TensorStats {
        let mut hold = ElementBuffers::default();
        let part = match self.job.checkpoint.elements(tensor, &mut hold) {
            Err(error) => Part { checked: Some(Err(error)), ..Part::default() },
            Ok(mut elements) => {
                let mut whole = Part::default();
                for range in parts(tensor.dtype, elements.count()) {
                    let part = self.part(tensor, &mut elements, range);
                    let failed = matches!(part.checked, Some(Err(_)));
                    whole.append(part, 0);
                    if failed {
                        break;
                    }
                }
                // The one run of bytes that a tensor is has been summed from its beginning.
                whole.sum = elements.sum().map(|(_, _, crc)| crc);
                if whole.checked.is_none() && whole.sum.is_none() {
                    whole.checked = Some(elements.finish());
                }
                whole
            }
        };
        part.finish(self.job, at, tensor)
    }

    fn open_part(&mut self, tensor: &Tensor, range: Range<u64>) -> Part {
        match self.job.checkpoint.elements(tensor, &mut ElementBuffers::default()) {
            Err(error) => Part { checked: Some(Err(error)), ..Part::default() },
            Ok(mut elements) => {
                let mut part = self.part(tensor, &mut elements, range);
                part.sum = elements.sum().map(|(_, _, crc)| crc);
                part
            }
        }
    }

    /// Elements that follow one another.
    fn part(&mut self, tensor: &Tensor, elements: &mut Elements<'_>, range: Range<u64>) -> Part {
        let mut part = Part::new(self.job.options, tensor, range.start);
        let size = tensor.dtype.element_size().unwrap_or(1).max(1);
        let step = WINDOW / size;
        let mut at = range.start;
        while at < range.end {
            let end = at.saturating_add(step).min(range.end);
            if let Err(error) = elements.read(at..end, &mut self.window) {
                part.checked = Some(Err(error.for_key(&tensor.name)));
                break;
            }
            self.adder.add(&mut part, tensor.dtype, &self.window, at, self.job.options);
            self.job.progress.done.fetch_add(self.window.len() as u64, Ordering::Relaxed);
            at = end;
        }
        self.adder.finish(&mut part, self.job.options);
        part
    }
}

impl Adder {
    /// Takes the elements in these bytes in, which are little-endian; the first of them has the number `at`, which
    /// must be that of the first element of a block.
    pub(super) fn add(&mut self, part: &mut Part, dtype: DType, bytes: &[u8], at: u64, options: &StatsOptions) {
        let known = self.wideners.iter().position(|(known, _)| *known == dtype);
        let known = known.unwrap_or_else(|| {
            self.wideners.extend(Widener::new(dtype).map(|widener| (dtype, widener)));
            self.wideners.len().saturating_sub(1)
        });
        let Some((_, widener)) = self.wideners.get_mut(known).filter(|(known, _)| *known == dtype) else { return };
        let size = widener.element_size().max(1);
        for (block, first) in bytes.chunks(BLOCK * size).zip((at..).step_by(BLOCK)) {
            let block = widener.widen(block);
            part.figures.merge(&figures(block, first));
            if options.distribution {
                self.counter.add(block);
            }
            if let Some(marks) = &mut part.marks {
                marks.add(block);
            }
            if let Some(along) = &mut part.along {
                along.add(block);
            }
            if let Some(held) = &mut part.held {
                held.add(block);
            }
        }
    }

    /// No more comes of a part.
    pub(super) fn finish(&mut self, part: &mut Part, options: &StatsOptions) {
        if options.distribution {
            part.buckets = self.counter.take();
        }
    }
}

impl Part {
    /// Nothing yet, from element `at` of a tensor on.
    pub(super) fn new(options: &StatsOptions, tensor: &Tensor, at: u64) -> Self {
        let dims = (options.channels || options.along || options.spectral).then(|| tensor.dims().ok()).flatten();
        let dims = dims.as_deref();
        let marks = dims.filter(|_| options.channels).and_then(|dims| Marks::new(dims, at));
        let along = dims.filter(|_| options.along).and_then(|dims| Sums::new(dims, at));
        let held = dims.filter(|_| options.spectral).and_then(|dims| Held::new(tensor.dtype, dims)).map(Box::new);
        Self { marks, along, held, ..Self::default() }
    }

    /// Takes the next part in, which has `len` bytes.
    fn append(&mut self, next: Self, len: u64) {
        self.figures.merge(&next.figures);
        self.buckets.merge(&next.buckets);
        match (&mut self.marks, next.marks) {
            (Some(marks), Some(next)) => marks.merge(&next),
            (marks, next) => *marks = marks.take().or(next),
        }
        match (&mut self.along, next.along) {
            (Some(along), Some(next)) => along.merge(&next),
            (along, next) => *along = along.take().or(next),
        }
        match (&mut self.held, next.held) {
            (Some(held), Some(next)) => held.merge(*next),
            (held, next) => *held = held.take().or(next),
        }
        self.sum = match (self.sum, next.sum) {
            (Some(sum), Some(next)) => Some(sum.then(next, len)),
            (sum, next) => sum.or(next),
        };
        self.checked = self.checked.take().or(next.checked);
        self.len = self.len.saturating_add(len);
    }

    /// All of the tensor has been read, or as much as can be.
    fn finish(mut self, job: Job<'_>, at: usize, tensor: &Tensor) -> TensorStats {
        let checked = match (self.checked.take(), self.sum) {
            (Some(checked), _) => checked,
            (None, Some(sum)) => job.checkpoint.compare_sum(tensor, sum),
            (None, None) => Ok(Checked::Not),
        };
        let (verified, error) = match checked {
            Ok(checked) => (checked == Checked::Verified, None),
            Err(error) => (false, Some(error.for_key(&tensor.name))),
        };
        if error.is_some() {
            self.held = None;
        } else if job.options.spectral && self.held.is_none() {
            // Nothing was read of what is empty, or it was read elsewhere, which is never a matrix that is held.
            let dims = tensor.dims().ok();
            self.held = dims.and_then(|dims| Held::new(tensor.dtype, &dims)).map(Box::new);
        }
        TensorStats { verified, error, ..self.into_stats(at, tensor.dtype, job.options) }
    }

    /// What was read is the whole tensor, and it is what was saved.
    pub(super) fn into_stats(self, at: usize, dtype: DType, options: &StatsOptions) -> TensorStats {
        let figures = if is_shown_whole(dtype) { self.figures.into_integers() } else { self.figures };
        let extremes = figures.finite_least().zip(figures.finite_greatest());
        let distribution = extremes.filter(|_| options.distribution);
        let distribution = distribution
            .and_then(|(least, greatest)| self.buckets.distribution(dtype, least.value(), greatest.value()))
            .map(Box::new);
        let channels = self.marks.map(|marks| Box::new(marks.finish()));
        let along = self.along.map(|along| Box::new(along.finish()));
        let spectral = self.held.and_then(|held| held.finish(&figures)).map(Box::new);
        TensorStats { at, figures, verified: true, error: None, distribution, channels, along, spectral }
    }
}

/// Whether figures are shown as whole numbers: those of 64 bits may not be, as sums of them are floats.
fn is_shown_whole(dtype: DType) -> bool {
    dtype == DType::Bool || dtype.is_integer() && !matches!(dtype, DType::Int64 | DType::UInt64)
}
