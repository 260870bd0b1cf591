//! The elements of one tensor as runs in C order, pulled rather than pushed: for readers that walk two tensors side by
//! side, or share one among several threads.

use std::ops::Range;
use std::sync::Arc;

use super::{Checkpoint, ElementBuffers, Parts, Place, Tensor};
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::read::bundle::Span;
use crate::read::sniff;
use crate::read::storage::{Source, Window};
use crate::read::tensor::{Axis, Checked, DType, Piece, read_region, swap_to_little};
use crate::read::wire::Crc32c;

/// The elements of a tensor whose dtype has a fixed size.
pub struct Elements<'h> {
    dims: Vec<u64>,
    /// Bytes an element.
    size: u64,
    from: From<'h>,
}

enum From<'h> {
    /// One run of bytes in a shard.
    Shard(Run),
    /// Slices, or values of a V1 checkpoint.
    Pieces(Vec<Piece<'h>>),
}

struct Run {
    source: Arc<Source>,
    start: u64,
    dtype: DType,
    swap: bool,
    /// Whether checksums are wanted.
    sums: bool,
    /// Checksum of the bytes up to `until`, if they have been read from `since` on without a gap.
    crc: Crc32c,
    since: u64,
    until: u64,
}

impl Checkpoint {
    /// The elements of `tensor`, to be read in runs. Nothing is read yet.
    ///
    /// # Errors
    /// If the dtype has no fixed size, or the entry or its shard are not as they must be.
    pub fn elements<'h>(&'h self, tensor: &Tensor, hold: &'h mut ElementBuffers) -> Result<Elements<'h>> {
        self.open_elements(tensor, hold).map_err(|e| sniff::explain_shard(e).for_key(&tensor.name))
    }

    /// Says whether `got`, the checksum of all bytes of a tensor that is one run in a shard, is that which was saved.
    ///
    /// # Errors
    /// If it is not.
    pub fn compare_sum(&self, tensor: &Tensor, got: Crc32c) -> Result<Checked> {
        let Parts::Whole(Place { shard, range: Some((start, _)), crc32c: Some(want) }) = &tensor.parts else {
            return Ok(Checked::Not);
        };
        if got == *want {
            return Ok(Checked::Verified);
        }
        let kind = ErrorKind::ChecksumMismatch { what: "tensor", got: got.0, want: want.0 };
        let file = self.container.file(*shard);
        let error = Error::new(kind).at_part(Part::TensorData).at_offset(start.unsigned_abs()).in_file(&file);
        let help = "these bytes are not the ones that were saved; ckpt validate shows what else is damaged";
        Err(error.with_help(help).for_key(&tensor.name))
    }

    /// Where the bytes of `tensor` lie, if its numbers are one run of little-endian bytes as its entry must have them:
    /// for readers of many small tensors, which read what lies together in one go. What this says nothing of, and what
    /// turns out to be wrong, is for [`Checkpoint::elements`], which says why.
    pub fn span(&self, tensor: &Tensor) -> Option<Span> {
        let Parts::Whole(Place { shard, range: Some((start, size)), crc32c: Some(crc) }) = tensor.parts else {
            return None;
        };
        let (start, len) = (u64::try_from(start).ok()?, u64::try_from(size).ok()?);
        start.checked_add(len)?;
        let is_right = tensor.elements()?.checked_mul(tensor.dtype.element_size()?)? == len;
        (is_right && !self.is_big_endian()).then_some(Span { shard, start, len, crc })
    }

    /// The bytes at a place as the file stores them, lengths of strings included, where a checksum of just these bytes
    /// is known and they mean the same in every file of the format.
    pub(crate) fn stored(&self, place: &Place) -> Option<(Arc<Source>, Range<u64>, Crc32c)> {
        let Place { shard, range: Some((start, size)), crc32c: Some(crc) } = *place else { return None };
        let source = self.container.source(shard).ok().filter(|_| !self.is_big_endian())?;
        let (start, len) = (u64::try_from(start).ok()?, u64::try_from(size).ok()?);
        let end = start.checked_add(len).filter(|end| *end <= source.len())?;
        Some((source, start..end, crc))
    }

    /// Fills `into` with these bytes of a shard, instead of what it held.
    ///
    /// # Errors
    /// If the shard is not there or does not have them.
    pub fn read_shard(&self, shard: i32, bytes: Range<u64>, into: &mut Window) -> Result<()> {
        let source = self.container.source(shard)?;
        let needed = bytes.end.saturating_sub(bytes.start);
        if bytes.end > source.len() {
            let error = Error::new(ErrorKind::Truncated { needed: bytes.end, available: source.len() });
            return Err(error.at_part(Part::TensorData).at_offset(bytes.start).in_file(source.path()));
        }
        let room = into.room(usize::try_from(needed).unwrap_or(usize::MAX), bytes.start);
        source.read_exact_at(room, bytes.start).map_err(|e| e.at_part(Part::TensorData))
    }

    fn open_elements<'h>(&'h self, tensor: &Tensor, hold: &'h mut ElementBuffers) -> Result<Elements<'h>> {
        let dims = tensor.dims()?;
        let Some(size) = tensor.dtype.element_size() else {
            return Err(ErrorKind::UnsupportedDType(tensor.dtype.to_string()).into());
        };
        let axes: Vec<Axis> = dims.iter().copied().map(Axis::all).collect();
        let from = match &tensor.parts {
            Parts::Whole(place) if place.range.is_some() => {
                let (source, range) = self.container.locate(tensor.dtype, &tensor.shape, place)?;
                let (start, dtype, swap) = (range.start, tensor.dtype, self.is_big_endian());
                From::Shard(Run { source, start, dtype, swap, sums: true, crc: Crc32c::default(), since: 0, until: 0 })
            }
            _ => From::Pieces(self.pieces(tensor, &dims, &axes, hold)?),
        };
        Ok(Elements { dims, size, from })
    }
}

impl Elements<'_> {
    /// The same without [`sums`](Self::sum), for who only wants to know whether bytes are equal.
    #[must_use]
    pub fn without_sums(mut self) -> Self {
        if let From::Shard(run) = &mut self.from {
            run.sums = false;
        }
        self
    }

    /// Number of elements.
    pub fn count(&self) -> u64 {
        self.dims.iter().fold(1, |count, dim| count.saturating_mul(*dim))
    }

    /// Whether any run may be read at any time, so that several threads can share the tensor, each with `Elements` of
    /// its own. Otherwise runs must be asked for in increasing order.
    pub fn is_seekable(&self) -> bool {
        matches!(self.from, From::Shard(_))
    }

    /// Puts the elements with the numbers `run`, counted in C order, little-endian, into `into`, instead of what it
    /// held.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read(&mut self, run: Range<u64>, into: &mut Window) -> Result<()> {
        let count = self.count();
        if run.start > run.end || run.end > count {
            return Err(Error::malformed("tensor", "elements beyond its end were asked for"));
        }
        let bytes = |elements: u64| elements.saturating_mul(self.size);
        match &mut self.from {
            From::Shard(shard) => shard.read(bytes(run.start), bytes(run.end), into),
            From::Pieces(pieces) => {
                into.clear();
                boxes(&self.dims, run, &mut |axes| {
                    read_region(axes, pieces, &mut |part| {
                        into.extend_from_slice(part);
                        Ok(())
                    })
                })
            }
        }
    }

    /// The checksum of what has been read, with its first byte and their number, if it was one run of bytes of a
    /// shard. Parts of one tensor combine to its checksum.
    pub fn sum(&self) -> Option<(u64, u64, Crc32c)> {
        match &self.from {
            From::Shard(run) if run.sums => Some((run.since, run.until.saturating_sub(run.since), run.crc)),
            From::Shard(_) | From::Pieces(_) => None,
        }
    }

    /// Says whether what was read from slices or V1 values, all of it, is what was saved. A run of bytes in a shard is
    /// checked by whoever has all its [`sums`](Self::sum), with [`Checkpoint::compare_sum`].
    ///
    /// # Errors
    /// If it is not.
    pub fn finish(&mut self) -> Result<Checked> {
        let mut checked = Checked::Verified;
        match &mut self.from {
            From::Shard(_) => checked = Checked::Not,
            From::Pieces(pieces) => {
                for piece in pieces {
                    if piece.reader.finish()? == Checked::Not {
                        checked = Checked::Not;
                    }
                }
            }
        }
        Ok(checked)
    }
}

impl Run {
    fn read(&mut self, start: u64, end: u64, into: &mut Window) -> Result<()> {
        let offset = self.start.saturating_add(start);
        let room = into.room(usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX), offset);
        self.source.read_exact_at(room, offset).map_err(|e| e.at_part(Part::TensorData))?;
        if start != self.until {
            (self.since, self.crc) = (start, Crc32c::default());
        }
        if self.sums {
            self.crc = self.crc.extend(into);
        }
        self.until = end;
        if self.swap {
            swap_to_little(self.dtype, into);
        }
        Ok(())
    }
}

/// Cuts a run of elements into boxes, in order: at most two for every dimension, and one between them.
fn boxes(dims: &[u64], run: Range<u64>, each: &mut dyn FnMut(&[Axis]) -> Result<()>) -> Result<()> {
    if run.is_empty() {
        return Ok(());
    }
    let mut fixed: Vec<Axis> = Vec::with_capacity(dims.len());
    cut(dims, run, &mut fixed, each)
}

fn cut(
    dims: &[u64],
    run: Range<u64>,
    fixed: &mut Vec<Axis>,
    each: &mut dyn FnMut(&[Axis]) -> Result<()>,
) -> Result<()> {
    let Some((_, inner)) = dims.split_first() else { return each(fixed) };
    // Elements of one index of this dimension; not 0, or the run would be empty.
    let row = inner.iter().fold(1u64, |n, dim| n.saturating_mul(*dim)).max(1);
    let only = |index: u64| Axis { start: index, step: 1, count: 1 };
    let (mut first, last) = (run.start / row, run.end / row);
    let head = run.start % row;
    if head > 0 || first == last {
        // The run begins within a row, and may end in it.
        let base = first.saturating_mul(row);
        let end = run.end.min(base.saturating_add(row)).saturating_sub(base);
        fixed.push(only(first));
        cut(inner, head..end, fixed, each)?;
        fixed.pop();
        first = first.saturating_add(1);
    }
    if first < last {
        let depth = fixed.len();
        fixed.push(Axis { start: first, step: 1, count: last.saturating_sub(first) });
        fixed.extend(inner.iter().copied().map(Axis::all));
        each(fixed)?;
        fixed.truncate(depth);
    }
    let tail = run.end % row;
    if first <= last && tail > 0 {
        fixed.push(only(last));
        cut(inner, 0..tail, fixed, each)?;
        fixed.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flat numbers that the boxes of a run name, in order.
    fn named(dims: &[u64], run: Range<u64>) -> Vec<u64> {
        let mut all = Vec::new();
        boxes(dims, run, &mut |axes| {
            let mut flat = vec![0u64];
            for (axis, dim) in axes.iter().zip(dims) {
                let indexes = |at: &u64| (0..axis.count).map(move |n| at * dim + axis.start + n).collect::<Vec<_>>();
                flat = flat.iter().flat_map(indexes).collect();
            }
            all.extend(flat);
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn every_run_is_cut_into_boxes_in_order() {
        for dims in [&[][..], &[1], &[5], &[3, 4], &[2, 1, 3], &[3, 2, 2, 2], &[1, 1, 7], &[0, 3]] {
            let count = dims.iter().product();
            for start in 0..=count {
                for end in start..=count {
                    assert_eq!(named(dims, start..end), (start..end).collect::<Vec<_>>(), "{dims:?} {start}..{end}");
                }
            }
        }
    }
}
