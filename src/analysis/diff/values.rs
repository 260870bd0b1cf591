//! Comparing the values of one pair: a part of its elements, all parts together, and what comes of them.
//!
//! What is read is also checked: a change in a damaged tensor is no change but damage.

use std::ops::Range;

use super::delta::{Bins, Partial, Rules};
use super::tallies::Verdict;
use super::work::Wish;
use super::{Figures, PairedBy, Same, Side, Status, Values, strings};
use crate::analysis::sweep::nearby::WINDOW;
use crate::base::error::{Error, ErrorKind, Part};
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Elements, Parts, Place, Tensor};
use crate::read::storage::Window;
use crate::read::tensor::DType;
use crate::read::wire::Crc32c;

/// What came of some elements of a pair.
pub(super) enum Found {
    /// The elements were compared; the checksums of the parts of both sides, as far as they are known.
    Compared(Box<Partial>, [Option<Sum>; 2]),
    /// The bytes are equal, or not; nothing else was looked at.
    Bytes(bool),
    Trouble(Vec<(Side, Error)>),
}

/// Number of bytes, and their checksum.
pub(super) type Sum = (u64, Crc32c);

/// What all parts of a pair so far came to.
#[derive(Default)]
pub(super) struct PairTotal {
    pub(super) partial: Partial,
    pub(super) sums: [Option<Sum>; 2],
    pub(super) trouble: Vec<(Side, Error)>,
    pub(super) bytes_differ: bool,
    started: bool,
}

/// Memory of a thread.
#[derive(Debug, Default)]
pub(super) struct Buffers(Window, Window);

impl PairTotal {
    /// Takes in what was found behind this.
    pub(super) fn add(&mut self, found: Found) {
        match found {
            Found::Bytes(equal) => self.bytes_differ |= !equal,
            // A broken file breaks every part alike: the first says it.
            Found::Trouble(trouble) => {
                let fresh: Vec<_> =
                    trouble.into_iter().filter(|(side, _)| self.trouble.iter().all(|(told, _)| told != side)).collect();
                self.trouble.extend(fresh);
            }
            Found::Compared(partial, sums) => {
                self.partial.merge(&partial);
                for (sofar, sum) in self.sums.iter_mut().zip(sums) {
                    *sofar = match (*sofar, sum) {
                        (Some((len, crc)), Some((more, part))) => Some((len + more, crc.then(part, more))),
                        (_, sum) if !self.started => sum,
                        _ => None,
                    };
                }
                self.started = true;
            }
        }
    }

    /// What became of the pair, once all of it was read; nothing if its bytes differ although its checksums agree: then
    /// it must be read again, with checksums, to say which side is not what it was.
    pub(super) fn conclude(
        self,
        a: (&Checkpoint, &Tensor),
        b: (&Checkpoint, &Tensor),
        how: PairedBy,
        wish: Wish,
    ) -> Option<Verdict> {
        let Self { partial, sums, mut trouble, bytes_differ, .. } = self;
        if bytes_differ && trouble.is_empty() {
            return None;
        }
        for (side, (checkpoint, tensor), sum) in [(Side::A, a, sums[0]), (Side::B, b, sums[1])] {
            trouble.extend(damage(checkpoint, tensor, sum).map(|error| (side, error)));
        }
        if !trouble.is_empty() {
            return Some(Verdict { trouble, ..Verdict::new(Status::Unreadable, how, wish.expected) });
        }
        Some(verdict(b.1, &partial, how, wish))
    }
}

/// What became of a pair that was read, and is what was saved.
pub(super) fn verdict(tensor: &Tensor, partial: &Partial, how: PairedBy, wish: Wish) -> Verdict {
    let verdict = |status| Verdict::new(status, how, wish.expected);
    if partial.changed == 0 && partial.bits_only == 0 {
        let status = if how == PairedBy::Bytes { Status::Renamed } else { Status::Identical };
        return Verdict { same: Some(Same::Values), ..verdict(status) };
    }
    let excused = wish.tolerance.is_some() && partial.beyond == 0;
    let status = if excused { Status::WithinTolerance } else { Status::Changed };
    Verdict { values: Some(Box::new(values(tensor, partial))), ..verdict(status) }
}

/// Where a tensor lies if its bytes have one checksum.
pub(super) fn stored(tensor: &Tensor) -> Option<(&Place, Crc32c)> {
    match &tensor.parts {
        Parts::Whole(place) => Some((place, place.crc32c?)),
        Parts::Slices(_) => None,
    }
}

/// Why the bytes that were read are not those that were saved.
fn damage(checkpoint: &Checkpoint, tensor: &Tensor, sum: Option<Sum>) -> Option<Error> {
    let ((place, want), (len, got)) = (stored(tensor)?, sum?);
    let whole = tensor.bytes() == Some(len);
    if !whole || got == want {
        return None;
    }
    let file = checkpoint.file(place.shard);
    let error = Error::new(ErrorKind::ChecksumMismatch { what: "tensor", got: got.0, want: want.0 });
    let offset = place.range.and_then(|(offset, _)| u64::try_from(offset).ok()).unwrap_or(0);
    Some(error.at_part(Part::TensorData).at_offset(offset).in_file(&file).for_key(&tensor.name))
}

/// Compares the elements `run` of two tensors.
pub(super) fn compare(
    a: (&Checkpoint, &Tensor),
    b: (&Checkpoint, &Tensor),
    exact: bool,
    run: Range<u64>,
    rules: Rules,
    buffers: &mut Buffers,
) -> Found {
    let bins = Bins::new(&a.1.dims().unwrap_or_default());
    if !a.1.is_numeric() {
        return match strings::compare(a, b, &bins) {
            Ok(partial) => Found::Compared(Box::new(partial), [None, None]),
            Err(trouble) => Found::Trouble(trouble),
        };
    }
    let (mut hold_a, mut hold_b) = (ElementBuffers::default(), ElementBuffers::default());
    let (mut x, mut y) = match (a.0.elements(a.1, &mut hold_a), b.0.elements(b.1, &mut hold_b)) {
        (Ok(x), Ok(y)) if exact => (x.without_sums(), y.without_sums()),
        (Ok(x), Ok(y)) => (x, y),
        (x, y) => {
            let x = x.err().map(|error| (Side::A, error));
            return Found::Trouble(x.into_iter().chain(y.err().map(|error| (Side::B, error))).collect());
        }
    };
    let mut partial = Partial::default();
    let step = (WINDOW / a.1.dtype.element_size().unwrap_or(1).max(1)).max(1);
    let mut at = run.start;
    while at < run.end {
        let end = at.saturating_add(step).min(run.end);
        let read = [
            (Side::A, x.read(at..end, &mut buffers.0).map_err(|error| error.for_key(&a.1.name))),
            (Side::B, y.read(at..end, &mut buffers.1).map_err(|error| error.for_key(&b.1.name))),
        ];
        let trouble: Vec<_> = read.into_iter().filter_map(|(side, read)| Some((side, read.err()?))).collect();
        if !trouble.is_empty() {
            return Found::Trouble(trouble);
        }
        if !exact {
            partial.add(a.1.dtype, &buffers.0, &buffers.1, at, &bins, rules);
        } else if *buffers.0 != *buffers.1 {
            return Found::Bytes(false);
        }
        at = end;
    }
    if exact {
        return Found::Bytes(true);
    }
    let finish = [(Side::A, finish(&mut x, a.1)), (Side::B, finish(&mut y, b.1))];
    let trouble: Vec<_> = finish.into_iter().filter_map(|(side, end)| Some((side, end.err()?))).collect();
    if !trouble.is_empty() {
        return Found::Trouble(trouble);
    }
    let sum = |elements: &Elements<'_>| elements.sum().map(|(_, len, crc)| (len, crc));
    Found::Compared(Box::new(partial), [sum(&x), sum(&y)])
}

/// Checks slices and V1 values, which were read to their end.
fn finish(elements: &mut Elements<'_>, tensor: &Tensor) -> Result<(), Error> {
    if elements.is_seekable() {
        return Ok(());
    }
    elements.finish().map(|_| ()).map_err(|error| error.for_key(&tensor.name))
}

/// The figures of a pair that changed.
#[expect(clippy::cast_precision_loss, reason = "counts as parts of means")]
pub(super) fn values(tensor: &Tensor, partial: &Partial) -> Values {
    let elements = tensor.elements().unwrap_or(0);
    let dims = tensor.dims().unwrap_or_default();
    let dtype = tensor.dtype;
    let has_size = tensor.is_numeric() && dtype != DType::Bool;
    let largest = partial.largest;
    let sums = &partial.sums;
    let counted = elements.saturating_sub(partial.nan);
    // Where each element is NaN on a side, no difference has a size, and 0 would be a wrong one.
    let figures = (has_size && (counted > 0 || partial.changed == 0)).then(|| {
        // Squares of numbers below 1e-162 vanish: then there is no ratio rather than a wrong one.
        let vanished = sums.abs > 0.0 && (sums.sq == 0.0 || (sums.bb == 0.0 && partial.max_rel.is_finite()));
        let ratio = |part: f64, whole: f64| if part == 0.0 { 0.0 } else { part / whole };
        let cosine = sums.dot / (sums.aa.sqrt() * sums.bb.sqrt());
        Figures {
            max_abs: largest.map_or(0.0, |largest| largest.size),
            max_abs_integer: dtype.is_integer().then(|| largest.map_or(0, |largest| whole(&largest))),
            mean_abs: if counted == 0 { 0.0 } else { sums.abs / counted as f64 },
            max_rel: partial.max_rel,
            rel_l2: (!vanished).then(|| ratio(sums.sq.sqrt(), sums.bb.sqrt())),
            cosine: cosine.is_finite().then(|| cosine.clamp(-1.0, 1.0)),
            max_ulps: (!dtype.is_integer()).then_some(partial.ulps),
        }
    });
    let at = largest.map(|largest| largest.at).or(partial.first);
    let bins = Bins::new(&dims);
    Values {
        elements,
        changed: partial.changed,
        bits_only: partial.bits_only,
        beyond: partial.beyond,
        nan: partial.nan,
        figures,
        at: at.map(|at| coordinates(at, &dims)),
        largest: largest.map(|largest| (largest.a, largest.b)),
        spark: bins.means(&partial.bins),
        spectral: None,
    }
}

/// The largest difference of integers, exactly.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "differences of 32-bit integers are exact")]
fn whole(largest: &super::delta::Largest) -> u64 {
    largest.exact.unwrap_or(largest.size as u64)
}

/// The index in every dimension of a flat index in C order.
fn coordinates(mut at: u64, dims: &[u64]) -> Vec<u64> {
    let mut out: Vec<u64> = Vec::with_capacity(dims.len());
    for dim in dims.iter().rev() {
        let dim = (*dim).max(1);
        out.push(at % dim);
        at /= dim;
    }
    out.reverse();
    out
}
