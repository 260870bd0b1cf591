//! Who reads what: tensors cut into parts that do not depend on the number of threads, read and summed once.
//!
//! A large tensor is cut into parts of 8 MiB, which any thread may take; many small ones make one unit of work. What
//! parts come to is merged in their order, so that every digit is the same with one thread and with many. The checksum
//! is taken of the same bytes on the way.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::block::{BLOCK, figures};
use super::channels::Marks;
use super::distribution::{Buckets, Counter};
use super::{Figures, StatsOptions, TensorStats, tensor_at};
use crate::analysis::validate::Progress;
use crate::checkpoint::{Checkpoint, Elements, Hold, Parts, Tensor};
use crate::error::Result;
use crate::parallel::in_order;
use crate::tensor::{Checked, DType, Widener};
use crate::wire::Crc32c;

/// Bytes of a part. Smaller ones spend their time joining checksums (8 µs each).
const UNIT: u64 = 8 << 20;

/// Bytes read at a time: smaller costs system calls, larger falls out of the second-level cache.
const WINDOW: u64 = 256 << 10;

/// Most tensors in one unit of work.
const TOGETHER: usize = 512;

/// One thing to do: a run of small tensors, or a part of a large one.
struct Unit {
    /// Positions in the tensors to be read.
    tensors: Range<usize>,
    /// The elements of the one tensor, and whether they are its last.
    part: Option<(Range<u64>, bool)>,
}

/// What a thread keeps from one unit to the next.
#[derive(Default)]
struct Worker {
    widener: Option<(DType, Widener)>,
    window: Vec<u8>,
    counter: Counter,
}

/// What elements that follow one another came to.
#[derive(Default)]
struct Part {
    figures: Figures,
    buckets: Buckets,
    marks: Option<Marks>,
    sum: Option<Crc32c>,
    checked: Option<Result<Checked>>,
}

/// What came of a unit.
enum Done {
    Tensors(Vec<TensorStats>),
    Part(Box<Part>, u64),
}

/// Statistics of the tensors at these positions, in the order of the checkpoint.
pub(super) fn all(
    checkpoint: &Checkpoint,
    positions: &[usize],
    options: &StatsOptions,
    progress: &Progress,
) -> Vec<TensorStats> {
    // As they lie in their files: a disk reads on faster than it jumps.
    let mut at = positions.to_vec();
    at.sort_by_cached_key(|at| tensor_at(checkpoint, *at).map(|tensor| place(&tensor)));
    let units = plan(checkpoint, &at, progress);
    let mut rows: Vec<TensorStats> = Vec::with_capacity(positions.len());
    let work = |worker: &mut Worker, n: usize| {
        let unit = units.get(n)?;
        let tensors = at.get(unit.tensors.clone()).unwrap_or_default();
        let Some((range, _)) = &unit.part else {
            let whole = |at: &usize| worker.whole(checkpoint, *at, options, progress);
            return Some(Done::Tensors(tensors.iter().filter_map(whole).collect()));
        };
        let tensor = tensor_at(checkpoint, *tensors.first()?)?;
        let part = worker.open_part(checkpoint, &tensor, range.clone(), options, progress);
        Some(Done::Part(Box::new(part), bytes(&tensor, range)))
    };
    let mut large = Part::default();
    in_order(units.len(), options.threads, Worker::default, work, |n, done| {
        let (Some(unit), Some(done)) = (units.get(n), done) else { return };
        match done {
            Done::Tensors(stats) => rows.extend(stats),
            Done::Part(part, len) => {
                large.append(*part, len);
                if unit.part.as_ref().is_some_and(|(_, last)| *last) {
                    let whole = std::mem::take(&mut large);
                    if let Some(at) = at.get(unit.tensors.start)
                        && let Some(tensor) = tensor_at(checkpoint, *at)
                    {
                        rows.push(whole.finish(checkpoint, *at, &tensor, options));
                    }
                }
            }
        }
    });
    rows.sort_unstable_by_key(|row| row.at);
    rows
}

/// Where a tensor begins.
fn place(tensor: &Tensor) -> (i32, i64) {
    match &tensor.parts {
        Parts::Whole(place) => (place.shard, place.range.map_or(0, |(start, _)| start)),
        Parts::Slices(_) => (i32::MAX, 0),
    }
}

fn bytes(tensor: &Tensor, elements: &Range<u64>) -> u64 {
    let size = tensor.dtype.element_size().unwrap_or(1);
    elements.end.saturating_sub(elements.start).saturating_mul(size)
}

/// Elements of a part; a multiple of a block.
fn part_length(dtype: DType) -> u64 {
    UNIT / dtype.element_size().unwrap_or(1).max(1)
}

/// The parts of a tensor with so many elements.
fn parts(dtype: DType, elements: u64) -> impl Iterator<Item = (Range<u64>, bool)> {
    let step = part_length(dtype);
    let starts = std::iter::successors(Some(0u64), move |start| start.checked_add(step));
    starts.take_while(move |start| *start < elements).map(move |start| {
        let end = start.saturating_add(step).min(elements);
        (start..end, end == elements)
    })
}

fn plan(checkpoint: &Checkpoint, at: &[usize], progress: &Progress) -> Vec<Unit> {
    let mut units = Vec::new();
    let (mut first, mut gathered, mut total) = (0usize, 0u64, 0u64);
    let gather = |units: &mut Vec<Unit>, tensors: Range<usize>| {
        if !tensors.is_empty() {
            units.push(Unit { tensors, part: None });
        }
    };
    for (n, at) in at.iter().enumerate() {
        let Some(tensor) = tensor_at(checkpoint, *at) else { continue };
        let elements = tensor.elements().unwrap_or(0);
        let size = bytes(&tensor, &(0..elements));
        total = total.saturating_add(tensor.bytes().unwrap_or(0));
        if elements > part_length(tensor.dtype) && can_be_cut(checkpoint, &tensor) {
            gather(&mut units, first..n);
            let cut = parts(tensor.dtype, elements).map(|part| Unit { tensors: n..n + 1, part: Some(part) });
            units.extend(cut);
            (first, gathered) = (n + 1, 0);
            continue;
        }
        gathered = gathered.saturating_add(size);
        if gathered >= UNIT || n + 1 - first >= TOGETHER {
            gather(&mut units, first..n + 1);
            (first, gathered) = (n + 1, 0);
        }
    }
    gather(&mut units, first..at.len());
    progress.total.fetch_add(total, Ordering::Relaxed);
    units
}

/// Whether any part of a tensor can be read by itself; also that its bytes are there, so that nothing is planned by
/// a number from the index alone.
fn can_be_cut(checkpoint: &Checkpoint, tensor: &Tensor) -> bool {
    matches!(&tensor.parts, Parts::Whole(place) if place.range.is_some())
        && checkpoint.elements(tensor, &mut Hold::default()).is_ok_and(|elements| elements.is_seekable())
}

impl Worker {
    /// All of a tensor.
    fn whole(
        &mut self,
        checkpoint: &Checkpoint,
        at: usize,
        options: &StatsOptions,
        progress: &Progress,
    ) -> Option<TensorStats> {
        let tensor = tensor_at(checkpoint, at)?;
        let mut hold = Hold::default();
        let part = match checkpoint.elements(&tensor, &mut hold) {
            Err(error) => Part { checked: Some(Err(error)), ..Part::default() },
            Ok(mut elements) => {
                let mut whole = Part::default();
                for (range, _) in parts(tensor.dtype, elements.count()) {
                    let part = self.part(&tensor, &mut elements, range, options, progress);
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
        Some(part.finish(checkpoint, at, &tensor, options))
    }

    fn open_part(
        &mut self,
        checkpoint: &Checkpoint,
        tensor: &Tensor,
        range: Range<u64>,
        options: &StatsOptions,
        progress: &Progress,
    ) -> Part {
        match checkpoint.elements(tensor, &mut Hold::default()) {
            Err(error) => Part { checked: Some(Err(error)), ..Part::default() },
            Ok(mut elements) => {
                let mut part = self.part(tensor, &mut elements, range, options, progress);
                part.sum = elements.sum().map(|(_, _, crc)| crc);
                part
            }
        }
    }

    /// Elements that follow one another.
    fn part(
        &mut self,
        tensor: &Tensor,
        elements: &mut Elements<'_>,
        range: Range<u64>,
        options: &StatsOptions,
        progress: &Progress,
    ) -> Part {
        let mut part = Part::default();
        if options.channels {
            part.marks = tensor.dims().ok().and_then(|dims| Marks::new(&dims, range.start));
        }
        if self.widener.as_ref().is_none_or(|(dtype, _)| *dtype != tensor.dtype) {
            self.widener = Widener::new(tensor.dtype).map(|widener| (tensor.dtype, widener));
        }
        let Some((_, widener)) = &mut self.widener else { return part };
        let size = widener.element_size().max(1);
        let step = WINDOW / size as u64;
        let mut at = range.start;
        while at < range.end {
            let end = at.saturating_add(step).min(range.end);
            if let Err(error) = elements.read(at..end, &mut self.window) {
                part.checked = Some(Err(error.for_key(&tensor.name)));
                break;
            }
            for (block, first) in self.window.chunks(BLOCK * size).zip((at..).step_by(BLOCK)) {
                let block = widener.widen(block);
                part.figures.merge(&figures(block, first));
                if options.distribution {
                    self.counter.add(block);
                }
                if let Some(marks) = &mut part.marks {
                    marks.add(block);
                }
            }
            progress.done.fetch_add(self.window.len() as u64, Ordering::Relaxed);
            at = end;
        }
        if options.distribution {
            part.buckets = self.counter.take();
        }
        part
    }
}

impl Part {
    /// Takes the next part in, which has `len` bytes.
    fn append(&mut self, next: Self, len: u64) {
        self.figures.merge(&next.figures);
        self.buckets.merge(&next.buckets);
        match (&mut self.marks, next.marks) {
            (Some(marks), Some(next)) => marks.merge(&next),
            (marks, next) => *marks = marks.take().or(next),
        }
        self.sum = match (self.sum, next.sum) {
            (Some(sum), Some(next)) => Some(sum.then(next, len)),
            (sum, next) => sum.or(next),
        };
        self.checked = self.checked.take().or(next.checked);
    }

    /// All of the tensor has been read, or as much as can be.
    fn finish(self, checkpoint: &Checkpoint, at: usize, tensor: &Tensor, options: &StatsOptions) -> TensorStats {
        let checked = match (self.checked, self.sum) {
            (Some(checked), _) => checked,
            (None, Some(sum)) => checkpoint.compare_sum(tensor, sum),
            (None, None) => Ok(Checked::Not),
        };
        let figures = if is_integer(tensor.dtype) { self.figures.into_integers() } else { self.figures };
        let extremes = figures.finite_least().zip(figures.finite_greatest());
        let distribution = extremes.filter(|_| options.distribution);
        let distribution = distribution
            .and_then(|(least, greatest)| self.buckets.distribution(tensor.dtype, least.value(), greatest.value()));
        let channels = self.marks.map(|marks| Box::new(marks.finish()));
        let (verified, error) = match checked {
            Ok(checked) => (checked == Checked::Verified, None),
            Err(error) => (false, Some(error.for_key(&tensor.name))),
        };
        TensorStats { at, figures, verified, error, distribution: distribution.map(Box::new), channels }
    }
}

/// Whether elements are whole numbers, which are shown as such.
fn is_integer(dtype: DType) -> bool {
    use DType::{
        Bool, Int2, Int4, Int8, Int16, Int32, QInt8, QInt16, QInt32, QUInt8, QUInt16, UInt2, UInt4, UInt8, UInt16,
        UInt32,
    };
    matches!(
        dtype,
        Bool | Int2
            | Int4
            | Int8
            | Int16
            | Int32
            | QInt8
            | QInt16
            | QInt32
            | QUInt8
            | QUInt16
            | UInt2
            | UInt4
            | UInt8
            | UInt16
            | UInt32
    )
}
