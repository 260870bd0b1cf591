//! Which chunks a data set has, and where: the same answer from every kind of index.

use super::file::File;
use super::layout::Index;
use super::tree1::{self, Leaves};
use super::{arrays, tree2};
use crate::base::error::{Error, ErrorKind, Result};

/// One stored chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Its number in the grid of chunks, in C order.
    pub(super) number: u64,
    pub(super) address: u64,
    /// Stored bytes.
    pub(super) len: u64,
    /// Filters that it did not go through, a bit each.
    pub(super) mask: u32,
}

/// The grid that chunks make of a data set.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Shape of the data set, and what its dimensions may grow to.
    pub(super) dims: Vec<u64>,
    pub(super) most: Vec<u64>,
    /// Shape of a chunk.
    pub(super) chunk: Vec<u64>,
    /// Bytes of a chunk before filters.
    pub(super) bytes: u64,
}

impl Grid {
    /// Number of chunks in each dimension.
    pub(super) fn counts(&self) -> Vec<u64> {
        self.dims.iter().zip(&self.chunk).map(|(dim, chunk)| dim.div_ceil((*chunk).max(1))).collect()
    }

    /// The same for a data set that has grown as far as it may. A dimension without a bound has no number there.
    pub(super) fn most_counts(&self) -> Vec<u64> {
        self.most.iter().zip(&self.chunk).map(|(dim, chunk)| dim.div_ceil((*chunk).max(1))).collect()
    }

    /// The number of a chunk by its place in the grid; `None` outside of it.
    pub(super) fn number(&self, place: &[u64]) -> Option<u64> {
        let counts = self.counts();
        if place.len() != counts.len() {
            return None;
        }
        place.iter().zip(&counts).try_fold(0u64, |number, (at, count)| {
            (at < count).then(|| number.checked_mul(*count)?.checked_add(*at)).flatten()
        })
    }
}

/// All stored chunks, by number. `version` is that of the layout.
pub(super) fn read(
    file: &File,
    grid: &Grid,
    index: Index,
    address: Option<u64>,
    filtered: bool,
    version: u8,
) -> Result<Vec<Chunk>> {
    let Some(address) = address else { return Ok(Vec::new()) };
    let mut chunks = Vec::new();
    let rank = grid.dims.len();
    let bad = |why: &'static str| Error::malformed("HDF5 chunks", why).at_offset(file.offset(address));
    match index {
        Index::Single { filtered } => {
            let (len, mask) = filtered.unwrap_or((grid.bytes, 0));
            chunks.push(Chunk { number: 0, address, len, mask });
        }
        Index::Implicit => {
            // All of them are there, and none has filters: the file has room for so many.
            let counts = grid.most_counts();
            let count = counts.iter().try_fold(1u64, |n, count| n.checked_mul(*count));
            let whole = count.and_then(|count| count.checked_mul(grid.bytes));
            if grid.bytes == 0 || whole.is_none_or(|len| !file.holds(address, len)) {
                return Err(bad("the file has no room for them"));
            }
            for n in 0..count.unwrap_or(0) {
                let at = address.saturating_add(n.saturating_mul(grid.bytes));
                push(grid, &place(n, &counts), (at, grid.bytes, 0), &mut chunks);
            }
        }
        Index::Tree1 => tree1::walk(file, address, Leaves::Chunks(rank.saturating_add(1)), &mut |key, child| {
            let (len, mask) = (u64::from(key.u32()?), key.u32()?);
            let mut place = Vec::with_capacity(rank);
            for chunk in &grid.chunk {
                let at = key.u64()?;
                if at.checked_rem(*chunk) != Some(0) {
                    return Err(bad("a chunk that is not in its grid"));
                }
                place.push(at.checked_div(*chunk).unwrap_or(0));
            }
            push(grid, &place, (child, len, mask), &mut chunks);
            Ok(())
        })?,
        Index::Tree2 => {
            let size = size_bytes(file, grid, version);
            tree2::walk(file, address, if filtered { 11 } else { 10 }, &mut |record| {
                let address = record.address()?;
                let (len, mask) = if filtered { (record.number(size)?, record.u32()?) } else { (grid.bytes, 0) };
                let place = (0..rank).map(|_| record.u64()).collect::<Result<Vec<u64>>>()?;
                if let Some(address) = address {
                    push(grid, &place, (address, len, mask), &mut chunks);
                }
                Ok(())
            })?;
        }
        Index::FixedArray | Index::ExtensibleArray => {
            let size = filtered.then(|| size_bytes(file, grid, version));
            let elements = arrays::Elements { file, size, whole: grid.bytes };
            if index == Index::FixedArray {
                let counts = grid.most_counts();
                arrays::fixed(&elements, address, &mut |n, chunk| {
                    push(grid, &place(n, &counts), chunk, &mut chunks);
                })?;
            } else {
                // The dimension without a bound comes first, since the array grows with it.
                let mut counts = grid.most_counts();
                let endless = grid.most.iter().position(|most| *most == u64::MAX).unwrap_or(0);
                let first = if counts.is_empty() { 0 } else { counts.remove(endless) };
                counts.insert(0, first);
                arrays::extensible(&elements, address, &mut |n, chunk| {
                    let mut at = place(n, &counts);
                    if !at.is_empty() {
                        let first = at.remove(0);
                        at.insert(endless.min(at.len()), first);
                    }
                    push(grid, &at, chunk, &mut chunks);
                })?;
            }
        }
    }
    chunks.sort_by_key(|chunk| chunk.number);
    for pair in chunks.windows(2) {
        if let [a, b] = pair
            && a.number == b.number
        {
            return Err(bad("two chunks in one place"));
        }
    }
    for chunk in &chunks {
        if !file.holds(chunk.address, chunk.len) {
            let available = file.len().saturating_sub(chunk.address);
            let error = Error::new(ErrorKind::Truncated { needed: chunk.len, available });
            return Err(error.at_offset(file.offset(chunk.address)));
        }
    }
    Ok(chunks)
}

/// Adds a chunk: address, stored bytes and mask. One beyond the end of the data set is left from before it shrank.
fn push(grid: &Grid, place: &[u64], (address, len, mask): (u64, u64, u32), chunks: &mut Vec<Chunk>) {
    if let Some(number) = grid.number(place) {
        chunks.push(Chunk { number, address, len, mask });
    }
}

/// The place of a number in a grid of so many chunks, in C order.
fn place(mut number: u64, counts: &[u64]) -> Vec<u64> {
    let mut place: Vec<u64> = Vec::with_capacity(counts.len());
    for (dim, count) in counts.iter().enumerate().rev() {
        // The first dimension takes what is left, since it may be without a bound.
        let at = if dim == 0 { number } else { number.checked_rem(*count).unwrap_or(0) };
        number = number.checked_div(*count).unwrap_or(0);
        place.push(at);
    }
    place.reverse();
    place
}

/// Bytes of the size of a filtered chunk: one more than its size needs, since filters may make it larger.
fn size_bytes(file: &File, grid: &Grid, version: u8) -> u8 {
    if version >= 5 {
        return file.superblock.length_size;
    }
    u8::try_from((grid.bytes.max(1).ilog2() + 8) / 8 + 1).unwrap_or(8).min(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_numbers_are_inverse() {
        let grid = Grid { dims: vec![5, 7, 2], most: vec![5, 7, 2], chunk: vec![2, 3, 2], bytes: 48 };
        assert_eq!(grid.counts(), [3, 3, 1]);
        for n in 0..9 {
            assert_eq!(grid.number(&place(n, &[3, 3, 1])), Some(n));
        }
        assert_eq!(grid.number(&[3, 0, 0]), None);
        assert_eq!(place(9, &[3, 3, 1]), [3, 0, 0]);
    }
}
