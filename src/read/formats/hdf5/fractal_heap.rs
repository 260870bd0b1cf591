//! Fractal heaps: where newer files keep links and attributes of objects that have many.
//!
//! Specification, III.G: blocks whose sizes double from row to row, addressed as one run of bytes; what is too large for
//! a block lies by itself, listed in a B-tree; what is tiny lies in its own name.

use super::checksum::check;
use super::fields::Fields;
use super::file::File;
use super::tree2::{self, bytes_for};
use crate::base::error::{Error, Result};

/// Deepest nesting of blocks of blocks.
const DEPTH: u8 = 16;

/// What the header of a heap says.
#[derive(Debug)]
pub(super) struct FractalHeap {
    address: u64,
    id_len: usize,
    /// Address of the tree of huge objects.
    huge: Option<u64>,
    width: u64,
    start: u64,
    most_direct: u64,
    offset_bits: u16,
    length_size: u8,
    root: Option<u64>,
    /// Rows of the root block; 0 if the root is a block of objects itself.
    rows: u16,
}

impl FractalHeap {
    pub(super) fn read(file: &File, address: u64) -> Result<Self> {
        let (offsets, lengths) = (u64::from(file.superblock.offset_size), u64::from(file.superblock.length_size));
        let len = 26 + 3 * offsets + 12 * lengths;
        let bytes = file.bytes(address, len)?;
        let mut fields = file.fields(&bytes, address);
        fields.signature("HDF5 fractal heap", *b"FRHP")?;
        let version = fields.u8()?;
        let id_len = usize::from(fields.u16()?);
        let filters = fields.u16()?;
        fields.skip(1)?;
        let most_managed = u64::from(fields.u32()?);
        fields.length()?;
        let huge = fields.address()?;
        fields.length()?;
        fields.address()?;
        for _ in 0..8 {
            fields.length()?;
        }
        let width = u64::from(fields.u16()?);
        let (start, most_direct) = (fields.length()?, fields.length()?);
        let offset_bits = fields.u16()?;
        fields.skip(2)?;
        let root = fields.address()?;
        let rows = fields.u16()?;
        let at = file.offset(address);
        if filters != 0 {
            return Err(Error::malformed("HDF5 fractal heap", "compressed heaps are not read").at_offset(at));
        }
        check("HDF5 fractal heap", &bytes, at)?;
        let is_right = version == 0
            && (1..=64).contains(&offset_bits)
            && width > 0
            && start.is_power_of_two()
            && most_direct.is_power_of_two()
            && start <= most_direct
            && id_len > 1;
        if !is_right {
            return Err(Error::malformed("HDF5 fractal heap", "its header contradicts itself").at_offset(at));
        }
        let by_block = u8::try_from(most_direct.ilog2().div_ceil(8)).unwrap_or(8);
        let length_size = by_block.min(bytes_for(most_managed));
        Ok(Self { address, id_len, huge, width, start, most_direct, offset_bits, length_size, root, rows })
    }

    /// The bytes of an object.
    pub(super) fn object(&self, file: &File, id: &[u8]) -> Result<Vec<u8>> {
        let bad = |why: &'static str| Error::malformed("HDF5 fractal heap", why).at_offset(file.offset(self.address));
        let (first, rest) = id.split_first().ok_or_else(|| bad("an object without a name"))?;
        match first >> 4 & 3 {
            0 => {
                let mut fields = Fields::new(rest, file.offset(self.address), 8, 8);
                let offset = fields.number(u8::try_from(self.offset_bits.div_ceil(8)).unwrap_or(8))?;
                let len = fields.number(self.length_size)?;
                self.managed(file, offset, len)
            }
            1 => self.huge_object(file, rest),
            2 => {
                let (len, from) = if self.id_len <= 18 {
                    (usize::from(first & 0xf) + 1, rest)
                } else {
                    let (second, rest) = rest.split_first().ok_or_else(|| bad("an object without a length"))?;
                    ((usize::from(first & 0xf) << 8 | usize::from(*second)) + 1, rest)
                };
                from.get(..len).map(<[u8]>::to_vec).ok_or_else(|| bad("a tiny object longer than its name"))
            }
            _ => Err(bad("an object of an unknown kind")),
        }
    }

    fn row_size(&self, row: u64) -> u64 {
        let doubled = u32::try_from(row.saturating_sub(1)).unwrap_or(u32::MAX);
        self.start.checked_shl(doubled).filter(|size| size >> doubled.min(63) == self.start).unwrap_or(u64::MAX)
    }

    /// Rows whose blocks hold objects; blocks of further rows hold blocks.
    fn direct_rows(&self) -> u64 {
        u64::from(self.most_direct.ilog2().saturating_sub(self.start.ilog2())) + 2
    }

    /// An object in a block: the block is found by the offset, from the root down.
    fn managed(&self, file: &File, offset: u64, len: u64) -> Result<Vec<u8>> {
        let bad = |why: &'static str| Error::malformed("HDF5 fractal heap", why).at_offset(file.offset(self.address));
        let mut block = self.root.ok_or_else(|| bad("an object of an empty heap"))?;
        let mut within = offset;
        let mut rows = u64::from(self.rows);
        if rows > 0 {
            for step in 0.. {
                if step == DEPTH {
                    return Err(bad("blocks within blocks without end"));
                }
                let (row, column, rest) = self.find(within).ok_or_else(|| bad("an object beyond its end"))?;
                if row >= rows {
                    return Err(bad("an object beyond the rows of a block"));
                }
                block = self.child(file, block, rows, row, column)?.ok_or_else(|| bad("an object in no block"))?;
                within = rest;
                if row < self.direct_rows() {
                    break;
                }
                // As many rows as make a block of that size.
                let first = self.start.saturating_mul(self.width).max(1);
                rows = u64::from((self.row_size(row).max(1).ilog2()).saturating_sub(first.ilog2())) + 1;
            }
        }
        let signature = file.bytes(block, 4)?;
        file.fields(&signature, block).signature("HDF5 fractal heap", *b"FHDB")?;
        if within.checked_add(len).is_none_or(|end| end > self.most_direct) {
            return Err(bad("an object longer than a block"));
        }
        file.bytes(block.saturating_add(within), len)
    }

    /// Row, column and what is left of an offset, in a block of blocks.
    fn find(&self, offset: u64) -> Option<(u64, u64, u64)> {
        let (mut row, mut before) = (0u64, 0u64);
        loop {
            let size = self.row_size(row);
            let len = size.checked_mul(self.width)?;
            let next = before.checked_add(len)?;
            if offset < next {
                let within = offset.saturating_sub(before);
                return Some((row, within / size.max(1), within % size.max(1)));
            }
            before = next;
            row = row.saturating_add(1);
            if row > 64 {
                return None;
            }
        }
    }

    /// The address of a block in a block of blocks.
    fn child(&self, file: &File, block: u64, rows: u64, row: u64, column: u64) -> Result<Option<u64>> {
        let offsets = u64::from(file.superblock.offset_size);
        let prefix = 5 + offsets + u64::from(self.offset_bits.div_ceil(8));
        let entries = rows.saturating_mul(self.width);
        let len = entries.saturating_mul(offsets).saturating_add(prefix).saturating_add(4);
        let bytes = file.bytes(block, len)?;
        let mut fields = file.fields(&bytes, block);
        fields.signature("HDF5 fractal heap", *b"FHIB")?;
        check("HDF5 fractal heap", &bytes, file.offset(block))?;
        let nth = row.saturating_mul(self.width).saturating_add(column);
        let skip = prefix.saturating_sub(4).saturating_add(nth.saturating_mul(offsets));
        fields.skip(usize::try_from(skip).unwrap_or(usize::MAX))?;
        fields.address()
    }

    /// An object that lies by itself: its place is in its name, or the name is a number in a tree.
    fn huge_object(&self, file: &File, id: &[u8]) -> Result<Vec<u8>> {
        let bad = |why: &'static str| Error::malformed("HDF5 fractal heap", why).at_offset(file.offset(self.address));
        let (offsets, lengths) = (file.superblock.offset_size, file.superblock.length_size);
        if self.id_len > usize::from(offsets) + usize::from(lengths) {
            let mut fields = file.fields(id, self.address);
            let (address, len) = (fields.place()?, fields.length()?);
            return file.bytes(address, len);
        }
        let size = u8::try_from(self.id_len.saturating_sub(1).min(8)).unwrap_or(8);
        let want = Fields::new(id, 0, 8, 8).number(size)?;
        let tree = self.huge.ok_or_else(|| bad("a huge object of a heap that has none"))?;
        let mut found = None;
        tree2::walk(file, tree, 1, &mut |fields| {
            let (address, len, number) = (fields.place()?, fields.length()?, fields.length()?);
            if number == want {
                found = Some((address, len));
            }
            Ok(())
        })?;
        let (address, len) = found.ok_or_else(|| bad("a huge object that is not listed"))?;
        file.bytes(address, len)
    }
}
