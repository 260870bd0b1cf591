//! Numbers on all cores: runs of elements are read, checked, and made into what shall be written by several threads, and
//! handed on in their order by one. What is not one run of bytes is left to that one.

use std::ops::{ControlFlow, Range};
use std::sync::{Mutex, PoisonError};

use super::cast::{Caster, Summer};
use super::outputs::gone;
use crate::analysis::element_sums::add;
use crate::analysis::sweep::cut;
use crate::base::error::{Error, Result};
use crate::base::parallel::in_order_until;
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Elements, Parts, Tensor};
use crate::read::storage::Window;
use crate::read::tensor::{Checked, DType};
use crate::read::wire::Crc32c;

/// Bytes of the result that one thread makes at a time. A few of them a thread wait for their turn.
const UNIT: u64 = 1 << 20;

/// Elements that are read and made at a time.
const STEP: u64 = 64 << 10;

/// Elements that are summed at a time: sums in float64 and one input stay in the second-level cache.
const MEAN_STEP: u64 = 16 << 10;

/// More threads than this only wait for the one that writes.
const MOST_THREADS: usize = 8;

/// Where the values of a part come from, and what is made of them.
pub(super) struct Wanted<'c> {
    /// One tensor, or those of which it is the mean.
    pub(super) from: Vec<(&'c Checkpoint, Tensor)>,
    /// The dtype that is wanted.
    pub(super) dtype: DType,
    /// Whether it is a mean, in float64.
    pub(super) is_mean: bool,
}

/// What is handed on.
pub(super) enum Made<'m> {
    /// This part is to be read by who takes it.
    Alone(usize),
    /// Bytes of this part; those before them have been handed on.
    Bytes(usize, &'m [u8]),
    /// This part has been handed on whole.
    Whole(usize, Whole),
}

/// What is known of a part once it is whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole {
    /// The checksum of what was made.
    pub(super) sum: Crc32c,
    /// Finite values that became infinite.
    pub(super) overflows: u64,
    /// Whether all that was read has a checksum, and was compared with it.
    pub(super) is_checked: bool,
}

/// What one thread takes at a time.
enum Unit {
    Alone(usize),
    Together(Range<usize>),
    Run(usize, Range<u64>),
}

/// A run of a part that was made.
#[derive(Default)]
struct Piece {
    bytes: u64,
    overflows: u64,
    sum: Crc32c,
    /// Of each tensor that was read, if it can be joined with that of what comes next.
    read: Vec<Option<(u64, Crc32c)>>,
}

/// Makes the parts `0..count` of what `wanted` says of them, and hands them on in order, on the caller's thread. A part
/// of which it says nothing is handed on as it is.
///
/// It is asked for parts that follow one another, with what `looking` made for the thread that asks.
pub(super) fn each<'c, L>(
    count: usize,
    threads: usize,
    looking: impl Fn() -> L + Sync,
    wanted: impl Fn(&mut L, usize) -> Result<Option<Wanted<'c>>> + Sync,
    mut take: impl FnMut(Made<'_>) -> Result<()>,
) -> Result<()> {
    let units = plan(count, &mut looking(), &wanted)?;
    let start = || (Maker::default(), looking());
    let mut look = looking();
    let spare: Mutex<Vec<Vec<u8>>> = Mutex::default();
    let work = |(maker, look): &mut (Maker, L), n: usize| {
        let mut out = spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        out.clear();
        let made = match units.get(n) {
            None | Some(Unit::Alone(_)) => Ok(Vec::new()),
            Some(Unit::Run(part, run)) => {
                there(wanted(look, *part)).and_then(|of| maker.part(&of, run.clone(), &mut out)).map(|one| vec![one])
            }
            Some(Unit::Together(parts)) => {
                let one = |n| there(wanted(look, n)).and_then(|of| maker.part(&of, 0..of.elements(), &mut out));
                parts.clone().map(one).collect()
            }
        };
        (out, made)
    };
    let (mut result, mut large) = (Ok(()), Piece::default());
    in_order_until(units.len(), threads.min(MOST_THREADS), start, work, |n, (out, made)| {
        let Some(unit) = units.get(n) else { return ControlFlow::Continue(()) };
        let mut again = |n| wanted(&mut look, n);
        result = made.and_then(|pieces| unit.hand_on(pieces, &out, &mut large, &mut again, &mut take));
        spare.lock().unwrap_or_else(PoisonError::into_inner).push(out);
        if result.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    result
}

impl Unit {
    /// Hands on what was made of it; `large` is what has been made of the part before this run.
    fn hand_on<'c>(
        &self,
        mut pieces: Vec<Piece>,
        out: &[u8],
        large: &mut Piece,
        wanted: &mut impl FnMut(usize) -> Result<Option<Wanted<'c>>>,
        take: &mut impl FnMut(Made<'_>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Alone(part) => take(Made::Alone(*part)),
            Self::Run(part, run) => {
                large.append(pieces.pop().unwrap_or_default());
                take(Made::Bytes(*part, out))?;
                let wanted = wanted(*part)?;
                let Some(wanted) = wanted.filter(|wanted| wanted.elements() == run.end) else { return Ok(()) };
                take(Made::Whole(*part, std::mem::take(large).finish(&wanted)?))
            }
            Self::Together(parts) => {
                let mut rest = out;
                for (part, piece) in parts.clone().zip(pieces) {
                    let len = usize::try_from(piece.bytes).unwrap_or(usize::MAX).min(rest.len());
                    let (bytes, behind) = rest.split_at(len);
                    rest = behind;
                    take(Made::Bytes(part, bytes))?;
                    take(Made::Whole(part, piece.finish(&there(wanted(part))?)?))?;
                }
                Ok(())
            }
        }
    }
}

/// Large parts cut into runs, small ones together.
fn plan<'c, L>(
    count: usize,
    look: &mut L,
    wanted: &impl Fn(&mut L, usize) -> Result<Option<Wanted<'c>>>,
) -> Result<Vec<Unit>> {
    let mut units = Vec::new();
    let (mut first, mut bytes) = (0, 0u64);
    let close = |units: &mut Vec<Unit>, parts: Range<usize>| {
        if !parts.is_empty() {
            units.push(Unit::Together(parts));
        }
    };
    for n in 0..count {
        let here = wanted(look, n)?;
        for (checkpoint, tensor) in here.iter().flat_map(|here| &here.from) {
            checkpoint.expect(std::iter::once_with(|| Tensor::clone(tensor)));
        }
        let here = here.filter(Wanted::is_seekable);
        let size = here.as_ref().map(Wanted::bytes);
        let fits = size.is_some_and(|size| bytes.saturating_add(size) <= UNIT) && n - first < cut::TOGETHER;
        if fits {
            bytes = bytes.saturating_add(size.unwrap_or(0));
            continue;
        }
        close(&mut units, first..n);
        (first, bytes) = (n, 0);
        match here {
            Some(here) if here.bytes() <= UNIT => bytes = here.bytes(),
            other => {
                match other {
                    None => units.push(Unit::Alone(n)),
                    Some(here) => {
                        // As many runs as there are bytes, not as a shape says.
                        here.readers(&mut here.holds())?;
                        let step = (UNIT / here.dtype.element_size().unwrap_or(1).max(1)).max(1);
                        units.extend(cut::parts(here.elements(), step).map(|run| Unit::Run(n, run)));
                    }
                }
                first = n.saturating_add(1);
            }
        }
    }
    close(&mut units, first..count);
    Ok(units)
}

fn there(wanted: Result<Option<Wanted<'_>>>) -> Result<Wanted<'_>> {
    wanted?.ok_or_else(gone)
}

impl Wanted<'_> {
    pub(super) fn elements(&self) -> u64 {
        self.from.first().and_then(|(_, tensor)| tensor.elements()).unwrap_or(0)
    }

    fn bytes(&self) -> u64 {
        self.elements().saturating_mul(self.dtype.element_size().unwrap_or(1))
    }

    /// Whether several threads can read parts of it.
    fn is_seekable(&self) -> bool {
        let is_run = |tensor: &Tensor| matches!(&tensor.parts, Parts::Whole(place) if place.range.is_some());
        self.from.iter().all(|(_, tensor)| is_run(tensor))
    }
}

/// The memory in which a thread makes its parts.
#[derive(Default)]
pub(super) struct Maker {
    window: Window,
    sums: Vec<f64>,
}

impl Maker {
    /// A run of a part, or all of it, appended to `out`.
    fn part(&mut self, wanted: &Wanted<'_>, run: Range<u64>, out: &mut Vec<u8>) -> Result<Piece> {
        let mut holds = wanted.holds();
        let mut readers = wanted.readers(&mut holds)?;
        let mut piece = Piece::default();
        self.make(wanted, &mut readers, run, |bytes, overflows| {
            piece.bytes = piece.bytes.saturating_add(bytes.len() as u64);
            piece.overflows = piece.overflows.saturating_add(overflows);
            piece.sum = add(piece.sum, wanted.dtype, bytes);
            out.extend_from_slice(bytes);
            Ok(())
        })?;
        piece.read = readers.iter().map(|reader| reader.sum().map(|(_, len, crc)| (len, crc))).collect();
        Ok(piece)
    }

    /// Hands the bytes of a run of elements to `take`, with how many of them have become infinite.
    pub(super) fn make(
        &mut self,
        wanted: &Wanted<'_>,
        readers: &mut [Elements<'_>],
        run: Range<u64>,
        mut take: impl FnMut(&[u8], u64) -> Result<()>,
    ) -> Result<()> {
        let Some((_, first)) = wanted.from.first() else { return Ok(()) };
        let named = |error: Error| error.for_key(&first.name);
        let from = if wanted.is_mean { DType::Float64 } else { first.dtype };
        let mut caster = (wanted.is_mean || from != wanted.dtype).then(|| Caster::new(from, wanted.dtype));
        let mut summers: Vec<Summer> = wanted.from.iter().map(|(_, tensor)| Summer::new(tensor.dtype)).collect();
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 checkpoints")]
        let of = wanted.from.len() as f64;
        let mut made = Vec::new();
        let step = if wanted.is_mean { MEAN_STEP } else { STEP };
        for step in cut::parts(run.end.saturating_sub(run.start), step) {
            let step = run.start.saturating_add(step.start)..run.start.saturating_add(step.end);
            made.clear();
            if wanted.is_mean {
                self.sums.clear();
                self.sums.resize(usize::try_from(step.end.saturating_sub(step.start)).unwrap_or(0), 0.0);
                for (reader, summer) in readers.iter_mut().zip(&mut summers) {
                    reader.read(step.clone(), &mut self.window).map_err(named)?;
                    summer.add_to(&mut self.sums, &self.window);
                }
                for value in &mut self.sums {
                    *value /= of;
                }
            } else if let Some(reader) = readers.first_mut() {
                reader.read(step.clone(), &mut self.window).map_err(named)?;
            }
            match &mut caster {
                None => take(&self.window, 0)?,
                Some(caster) => {
                    if wanted.is_mean {
                        caster.cast_wide(&self.sums, &mut made);
                    } else {
                        caster.cast(&self.window, &mut made);
                    }
                    take(&made, std::mem::take(&mut caster.overflows))?;
                }
            }
        }
        Ok(())
    }
}

impl<'c> Wanted<'c> {
    /// Memory for what reads each tensor.
    pub(super) fn holds(&self) -> Vec<ElementBuffers> {
        self.from.iter().map(|_| ElementBuffers::default()).collect()
    }

    /// What reads each tensor.
    pub(super) fn readers<'h>(&self, holds: &'h mut [ElementBuffers]) -> Result<Vec<Elements<'h>>>
    where
        'c: 'h,
    {
        let both = self.from.iter().zip(holds);
        both.map(|((checkpoint, tensor), hold)| (*checkpoint).elements(tensor, hold)).collect()
    }

    /// Compares what was read, if it was all of it, with the checksums that it was saved with.
    ///
    /// # Errors
    /// If it is not what was saved.
    pub(super) fn finish(&self, readers: &mut [Elements<'_>]) -> Result<Checked> {
        let mut is_checked = true;
        for ((checkpoint, tensor), reader) in self.from.iter().zip(readers) {
            let all = tensor.bytes().unwrap_or(0);
            let checked = match reader.sum() {
                Some((0, len, crc)) if len == all => checkpoint.compare_sum(tensor, crc)?,
                Some(_) => return Ok(Checked::Not),
                None => reader.finish().map_err(|error| error.for_key(&tensor.name))?,
            };
            is_checked &= checked != Checked::Not || checkpoint.verify_own(tensor)? != Checked::Not;
        }
        Ok(if is_checked { Checked::Verified } else { Checked::Not })
    }
}

impl Piece {
    /// What comes behind it.
    fn append(&mut self, next: Self) {
        if self.bytes == 0 {
            *self = next;
            return;
        }
        self.sum = self.sum.then(next.sum, next.bytes);
        self.bytes = self.bytes.saturating_add(next.bytes);
        self.overflows = self.overflows.saturating_add(next.overflows);
        for (read, next) in self.read.iter_mut().zip(next.read) {
            *read = read.zip(next).map(|((len, crc), (more, next))| (len.saturating_add(more), crc.then(next, more)));
        }
    }

    /// Compares what was read with the checksums that it was saved with.
    fn finish(self, wanted: &Wanted<'_>) -> Result<Whole> {
        let mut is_checked = true;
        for ((checkpoint, tensor), read) in wanted.from.iter().zip(self.read) {
            let compared = read.map_or(Ok(Checked::Not), |(_, crc)| checkpoint.compare_sum(tensor, crc))?;
            is_checked &= compared != Checked::Not || checkpoint.verify_own(tensor)? != Checked::Not;
        }
        Ok(Whole { sum: self.sum, overflows: self.overflows, is_checked })
    }
}
