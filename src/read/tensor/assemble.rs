//! Reading a region of a tensor that is stored in pieces, in C order.
//!
//! A whole tensor is one piece; a partitioned one has a piece a slice, in any order and any file. The region is cut
//! along the pieces' boundaries, outermost dimension first, until each part lies in one piece: so every piece is
//! asked for its elements in increasing order, and a reader that can only go forward (varints, strings, a running
//! checksum) serves as well as one that can seek.

use crate::base::error::{Error, ErrorKind, Result};

/// Where elements go: consecutive fixed-size elements, or one string at a time.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// Elements of one stored piece, numbered in its own C order.
pub trait ElementReader {
    /// Hands `count` elements from number `first` on to the sink, little-endian. Calls come in increasing order.
    ///
    /// # Errors
    /// If the bytes cannot be read, or the sink fails.
    fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()>;

    /// Says whether what was read has been checked.
    ///
    /// # Errors
    /// [`ErrorKind::ChecksumMismatch`] if everything was read and is not what was saved.
    fn finish(&mut self) -> Result<Checked>;
}

/// Whether bytes were compared with a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Every byte was read and the checksum agrees.
    Verified,
    /// Only a part was read, or the format stores no checksum of it.
    Not,
}

/// The indexes `start`, `start + step`, … of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// First index.
    pub start: u64,
    /// Distance of neighbours, at least 1.
    pub step: u64,
    /// Number of indexes.
    pub count: u64,
}

/// A stored piece: the box it fills in the whole tensor, and its elements.
pub struct Piece<'r> {
    /// Start and length of the box in every dimension.
    pub extents: Vec<(u64, u64)>,
    /// The elements.
    pub reader: Box<dyn ElementReader + 'r>,
}

impl Axis {
    /// All indexes of a dimension.
    pub fn all(dim: u64) -> Self {
        Self { start: 0, step: 1, count: dim }
    }

    /// The part of this axis that lies in `lo..hi`.
    fn within(self, lo: u64, hi: u64) -> Self {
        let skip = lo.saturating_sub(self.start).div_ceil(self.step).min(self.count);
        let start = self.start.saturating_add(skip.saturating_mul(self.step));
        let count = hi.saturating_sub(start).div_ceil(self.step).min(self.count.saturating_sub(skip));
        Self { start, count, ..self }
    }

    /// One past the last index.
    fn end(self) -> u64 {
        match self.count.checked_sub(1) {
            Some(last) => self.start.saturating_add(last.saturating_mul(self.step)).saturating_add(1),
            None => self.start,
        }
    }
}

/// Hands the elements of the region `axes` to `sink`, in C order.
///
/// # Errors
/// [`ErrorKind::Slices`] where no piece, or more than one, holds an element; else what a reader or the sink returns.
pub fn read_region(axes: &[Axis], pieces: &mut [Piece<'_>], sink: &mut Sink<'_>) -> Result<()> {
    if axes.iter().any(|axis| axis.count == 0) {
        return Ok(());
    }
    let active: Vec<usize> = (0..pieces.len()).collect();
    read_part(0, &mut axes.to_vec(), &active, pieces, sink)
}

fn read_part(
    dim: usize,
    axes: &mut Vec<Axis>,
    active: &[usize],
    pieces: &mut [Piece<'_>],
    sink: &mut Sink<'_>,
) -> Result<()> {
    let at = |axes: &[Axis]| axes.iter().map(|a| a.start.to_string()).collect::<Vec<_>>().join(", ");
    if let [only] = active
        && let Some(piece) = pieces.get_mut(*only)
        && piece.covers(axes)
    {
        return piece.read_box(axes, sink);
    }
    let Some(&axis) = axes.get(dim) else {
        let why = if active.is_empty() { "no slice holds" } else { "more than one slice holds" };
        return Err(ErrorKind::Slices(format!("{why} element [{}]", at(axes))).into());
    };
    let extent = |n: &usize| pieces.get(*n).and_then(|p| p.extents.get(dim)).copied().unwrap_or((0, 0));
    let mut cuts: Vec<u64> = active
        .iter()
        .map(extent)
        .flat_map(|(start, len)| [start, start.saturating_add(len)])
        .filter(|cut| (axis.start.saturating_add(1)..axis.end()).contains(cut))
        .chain([axis.start, axis.end()])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let bands: Vec<(u64, u64)> = cuts.iter().copied().zip(cuts.iter().copied().skip(1)).collect();
    // From band to band pieces are taken up and dropped: every one of them once, however many there are.
    let mut waiting: Vec<(u64, u64, usize)> =
        active.iter().map(|n| (extent(n), *n)).map(|((start, len), n)| (start, start.saturating_add(len), n)).collect();
    waiting.sort_unstable_by(|a, b| b.cmp(a));
    let mut open: Vec<(u64, usize)> = Vec::new();
    for (lo, hi) in bands {
        while let Some((_, end, n)) = waiting.pop_if(|(start, ..)| *start <= lo) {
            open.push((end, n));
        }
        open.retain(|(end, _)| *end > lo);
        let band = axis.within(lo, hi);
        if band.count == 0 {
            continue;
        }
        let inside: Vec<usize> = open.iter().map(|(_, n)| *n).collect();
        set(axes, dim, band);
        if inside.len() == 1 {
            read_part(dim.saturating_add(1), axes, &inside, pieces, sink)?;
            continue;
        }
        if inside.is_empty() {
            return Err(ErrorKind::Slices(format!("no slice holds element [{}]", at(axes))).into());
        }
        for n in 0..band.count {
            let start = band.start.saturating_add(n.saturating_mul(band.step));
            set(axes, dim, Axis { start, step: 1, count: 1 });
            read_part(dim.saturating_add(1), axes, &inside, pieces, sink)?;
        }
    }
    set(axes, dim, axis);
    Ok(())
}

fn set(axes: &mut [Axis], dim: usize, axis: Axis) {
    if let Some(slot) = axes.get_mut(dim) {
        *slot = axis;
    }
}

impl Piece<'_> {
    fn covers(&self, axes: &[Axis]) -> bool {
        self.extents.len() == axes.len()
            && self
                .extents
                .iter()
                .zip(axes)
                .all(|(&(start, len), axis)| start <= axis.start && axis.end() <= start.saturating_add(len))
    }

    /// Reads a box that lies in this piece, in the longest runs that are consecutive in it.
    fn read_box(&mut self, axes: &[Axis], sink: &mut Sink<'_>) -> Result<()> {
        let overflow = || Error::malformed("tensor slice", "more elements than fit 64 bits");
        // From the innermost dimension outwards: elements per step, and the run that stays consecutive.
        let mut stride = 1u64;
        let mut run = 1u64;
        let mut consecutive = true;
        let mut outer: Vec<(u64, u64)> = Vec::new(); // (count, elements a step), innermost first
        let mut first = 0u64;
        for (axis, &(start, len)) in axes.iter().zip(&self.extents).rev() {
            let offset = axis.start.saturating_sub(start).checked_mul(stride).ok_or_else(overflow)?;
            first = first.checked_add(offset).ok_or_else(overflow)?;
            let whole = axis.step == 1 && axis.count == len;
            if consecutive && axis.step == 1 {
                run = run.checked_mul(axis.count).ok_or_else(overflow)?;
            } else if axis.count > 1 {
                outer.push((axis.count, stride.checked_mul(axis.step).ok_or_else(overflow)?));
            }
            consecutive = consecutive && whole;
            stride = stride.checked_mul(len).ok_or_else(overflow)?;
        }
        let mut counters = vec![0u64; outer.len()];
        loop {
            self.reader.read(first, run, sink)?;
            let mut carry = true;
            for (counter, &(count, step)) in counters.iter_mut().zip(&outer) {
                *counter = counter.saturating_add(1);
                if *counter < count {
                    first = first.saturating_add(step);
                    carry = false;
                    break;
                }
                first = first.saturating_sub(step.saturating_mul(count.saturating_sub(1)));
                *counter = 0;
            }
            if carry {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves the elements of a box of a tensor whose every element is its own number, one byte each.
    struct Numbers {
        bytes: Vec<u8>,
        next: u64,
    }

    impl ElementReader for Numbers {
        fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
            assert!(first >= self.next, "only forward");
            self.next = first + count;
            let (first, count) = (usize::try_from(first).unwrap(), usize::try_from(count).unwrap());
            sink(&self.bytes[first..first + count])
        }

        fn finish(&mut self) -> Result<Checked> {
            Ok(Checked::Not)
        }
    }

    fn piece(dims: [u64; 2], extents: [(u64, u64); 2]) -> Piece<'static> {
        let [(r, rows), (c, columns)] = extents;
        let number = move |i, j| u8::try_from(i * dims[1] + j).unwrap();
        let bytes = (r..r + rows).flat_map(|i| (c..c + columns).map(move |j| number(i, j))).collect();
        Piece { extents: extents.to_vec(), reader: Box::new(Numbers { bytes, next: 0 }) }
    }

    fn read(axes: &[Axis], pieces: &mut [Piece<'_>]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        read_region(axes, pieces, &mut |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(out)
    }

    fn grid() -> Vec<Piece<'static>> {
        let cells = [[(2, 2), (1, 4)], [(0, 2), (0, 1)], [(2, 2), (0, 1)], [(0, 2), (1, 4)]];
        cells.into_iter().map(|extents| piece([4, 5], extents)).collect()
    }

    #[test]
    fn a_grid_of_pieces_in_any_order_reads_as_one_tensor() {
        let all = [Axis::all(4), Axis::all(5)];
        assert_eq!(read(&all, &mut grid()).unwrap(), (0..20).collect::<Vec<u8>>());
    }

    #[test]
    fn a_stepped_region_across_pieces() {
        let axes = [Axis { start: 1, step: 2, count: 2 }, Axis { start: 0, step: 2, count: 3 }];
        assert_eq!(read(&axes, &mut grid()).unwrap(), [5, 7, 9, 15, 17, 19]);
        let column = [Axis::all(4), Axis { start: 3, step: 1, count: 1 }];
        assert_eq!(read(&column, &mut grid()).unwrap(), [3, 8, 13, 18]);
    }

    #[test]
    fn whole_rows_are_one_run() {
        struct Count(u64);
        impl ElementReader for Count {
            fn read(&mut self, _: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
                self.0 += 1;
                assert!(self.0 == 1 && count == 30, "one run for consecutive rows");
                sink(&[])
            }
            fn finish(&mut self) -> Result<Checked> {
                Ok(Checked::Not)
            }
        }
        let axes = [Axis { start: 5, step: 1, count: 3 }, Axis::all(10)];
        let extents = vec![(0, 100), (0, 10)];
        read(&axes, &mut [Piece { extents, reader: Box::new(Count(0)) }]).unwrap();
    }

    #[test]
    fn gaps_and_overlaps_are_errors_that_name_the_element() {
        let all = [Axis::all(4), Axis::all(5)];
        let mut gap = grid();
        gap.remove(0);
        let error = read(&all, &mut gap).unwrap_err();
        assert_eq!(error.to_string(), "slices do not cover the tensor: no slice holds element [2, 1]");
        let mut overlap = grid();
        overlap.push(piece([4, 5], [(3, 1), (4, 1)]));
        let error = read(&all, &mut overlap).unwrap_err();
        assert_eq!(error.to_string(), "slices do not cover the tensor: more than one slice holds element [3, 4]");
    }

    #[test]
    fn a_scalar_is_one_element() {
        let mut pieces = [Piece { extents: vec![], reader: Box::new(Numbers { bytes: vec![7], next: 0 }) }];
        assert_eq!(read(&[], &mut pieces).unwrap(), [7]);
    }
}
