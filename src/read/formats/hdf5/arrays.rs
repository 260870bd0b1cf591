//! Arrays of chunks: of fixed length, and such that grow.
//!
//! Specification, III.F (fixed) and III.H (extensible). Both are a header, blocks with checksums, and elements that are
//! the place of a chunk each. Every element that is handed out was read from the file, so there are no more than fit it.

use super::checksum::check;
use super::fields::Fields;
use super::file::File;
use crate::base::error::{Error, Result};

/// A chunk's address, stored bytes and mask.
pub(super) type Place = (u64, u64, u32);

/// How elements are laid out.
pub(super) struct Elements<'f> {
    pub(super) file: &'f File,
    /// Bytes of the size of a filtered chunk; `None` where chunks have no filters.
    pub(super) size: Option<u8>,
    /// Bytes of a chunk that has none.
    pub(super) whole: u64,
}

impl Elements<'_> {
    fn len(&self) -> u64 {
        u64::from(self.file.superblock.offset_size) + self.size.map_or(0, |size| u64::from(size) + 4)
    }

    fn one(&self, fields: &mut Fields<'_>) -> Result<Option<Place>> {
        let address = fields.address()?;
        let (len, mask) = match self.size {
            Some(size) => (fields.number(size)?, fields.u32()?),
            None => (self.whole, 0),
        };
        Ok(address.map(|address| (address, len, mask)))
    }

    /// Hands out so many elements, the first of which has the number `first`.
    fn each(&self, fields: &mut Fields<'_>, first: u64, count: u64, out: &mut dyn FnMut(u64, Place)) -> Result<()> {
        for n in 0..count {
            if let Some(place) = self.one(fields)? {
                out(first.saturating_add(n), place);
            }
        }
        Ok(())
    }

    fn bad(&self, why: &'static str, address: u64) -> Error {
        Error::malformed("HDF5 array of chunks", why).at_offset(self.file.offset(address))
    }

    /// The head of a structure: signature, version and kind of elements.
    fn head(&self, fields: &mut Fields<'_>, signature: [u8; 4], address: u64) -> Result<()> {
        fields.signature("HDF5 array of chunks", signature)?;
        let (version, kind) = (fields.u8()?, fields.u8()?);
        if version != 0 || kind != u8::from(self.size.is_some()) {
            return Err(self.bad("a version or a kind of elements that do not belong here", address));
        }
        Ok(())
    }

    /// Pages of elements, each with a checksum, of which the bits of `made` say whether they were written.
    fn pages(&self, pages: &Pages<'_>, out: &mut dyn FnMut(u64, Place)) -> Result<()> {
        let page_len = pages.each.saturating_mul(self.len()).saturating_add(4);
        let count = pages.count.div_ceil(pages.each.max(1));
        for n in 0..count {
            let bit = pages.bit.saturating_add(n);
            let bits = usize::try_from(bit / 8).ok().and_then(|at| pages.made.get(at));
            let Some(bits) = bits else { return Err(self.bad("pages without a bit", pages.at)) };
            if bits >> (7 - bit % 8) & 1 == 0 {
                continue;
            }
            let at = pages.at.saturating_add(n.saturating_mul(page_len));
            let first = n.saturating_mul(pages.each);
            let elements = pages.each.min(pages.count.saturating_sub(first));
            let bytes = self.file.bytes(at, elements.saturating_mul(self.len()).saturating_add(4))?;
            check("HDF5 array of chunks", &bytes, self.file.offset(at))?;
            self.each(&mut self.file.fields(&bytes, at), pages.first.saturating_add(first), elements, out)?;
        }
        Ok(())
    }
}

/// Pages that lie one behind the other.
struct Pages<'b> {
    at: u64,
    /// Elements of a page, and of all.
    each: u64,
    count: u64,
    /// Number of the first element.
    first: u64,
    /// A bit a page, the highest first; which of them is that of the first page.
    made: &'b [u8],
    bit: u64,
}

/// The elements of an array of fixed length.
pub(super) fn fixed(elements: &Elements<'_>, address: u64, out: &mut dyn FnMut(u64, Place)) -> Result<()> {
    let file = elements.file;
    let (offsets, lengths) = (u64::from(file.superblock.offset_size), u64::from(file.superblock.length_size));
    let bytes = file.bytes(address, 12 + offsets + lengths)?;
    let mut fields = file.fields(&bytes, address);
    elements.head(&mut fields, *b"FAHD", address)?;
    check("HDF5 array of chunks", &bytes, file.offset(address))?;
    let (size, page_bits) = (fields.u8()?, fields.u8()?);
    let count = fields.length()?;
    if u64::from(size) != elements.len() || page_bits > 62 {
        return Err(elements.bad("elements or pages of a size that does not belong here", address));
    }
    let Some(block) = fields.address()? else { return Ok(()) };
    let prefix = 6 + offsets;
    let each = 1u64 << page_bits;
    if count <= each {
        let len = count.saturating_mul(elements.len()).saturating_add(prefix).saturating_add(4);
        let bytes = file.bytes(block, len)?;
        let mut fields = file.fields(&bytes, block);
        elements.head(&mut fields, *b"FADB", block)?;
        check("HDF5 array of chunks", &bytes, file.offset(block))?;
        fields.place()?;
        return elements.each(&mut fields, 0, count, out);
    }
    let bits = count.div_ceil(each).div_ceil(8);
    let len = prefix.saturating_add(bits).saturating_add(4);
    let bytes = file.bytes(block, len)?;
    let mut fields = file.fields(&bytes, block);
    elements.head(&mut fields, *b"FADB", block)?;
    check("HDF5 array of chunks", &bytes, file.offset(block))?;
    fields.place()?;
    let made = fields.take(usize::try_from(bits).unwrap_or(usize::MAX))?;
    elements.pages(&Pages { at: block.saturating_add(len), each, count, first: 0, made, bit: 0 }, out)
}

/// The sizes of an extensible array.
struct Extensible {
    address: u64,
    /// Bytes of the offset of a block in the array.
    offset_size: u64,
    /// Elements of a page.
    page: u64,
    /// Elements of the smallest block.
    least: u64,
}

impl Extensible {
    /// A block of elements, the first of which has the number `first`.
    fn block(
        &self,
        elements: &Elements<'_>,
        at: u64,
        (first, count): (u64, u64),
        (made, bit): (&[u8], u64),
        out: &mut dyn FnMut(u64, Place),
    ) -> Result<()> {
        let file = elements.file;
        let prefix = 6 + u64::from(file.superblock.offset_size) + self.offset_size;
        let is_paged = count > self.page;
        let len = if is_paged { 0 } else { count.saturating_mul(elements.len()) };
        let bytes = file.bytes(at, len.saturating_add(prefix).saturating_add(4))?;
        let mut fields = file.fields(&bytes, at);
        elements.head(&mut fields, *b"EADB", at)?;
        check("HDF5 array of chunks", &bytes, file.offset(at))?;
        if fields.place()? != self.address {
            return Err(elements.bad("a block of another array", at));
        }
        fields.skip(usize::try_from(self.offset_size).unwrap_or(0))?;
        if is_paged {
            let at = at.saturating_add(prefix).saturating_add(4);
            return elements.pages(&Pages { at, each: self.page, count, first, made, bit }, out);
        }
        elements.each(&mut fields, first, count, out)
    }

    /// How many blocks a super block has, and of how many elements.
    fn shape(&self, level: u32) -> (u64, u64) {
        let shift = |by: u32| 1u64.checked_shl(by).unwrap_or(u64::MAX);
        (shift(level / 2), self.least.saturating_mul(shift(level.div_ceil(2))))
    }
}

/// The elements of an array that grows.
pub(super) fn extensible(elements: &Elements<'_>, address: u64, out: &mut dyn FnMut(u64, Place)) -> Result<()> {
    let file = elements.file;
    let (offsets, lengths) = (u64::from(file.superblock.offset_size), u64::from(file.superblock.length_size));
    let bytes = file.bytes(address, 16 + offsets + 6 * lengths)?;
    let mut fields = file.fields(&bytes, address);
    elements.head(&mut fields, *b"EAHD", address)?;
    check("HDF5 array of chunks", &bytes, file.offset(address))?;
    let (size, bits, in_index) = (fields.u8()?, fields.u8()?, u64::from(fields.u8()?));
    let (least, pointers, page_bits) = (u64::from(fields.u8()?), u64::from(fields.u8()?), fields.u8()?);
    for _ in 0..4 {
        fields.length()?;
    }
    // One past the last element that was ever set.
    let used = fields.length()?;
    fields.length()?;
    let is_right = u64::from(size) == elements.len()
        && bits <= 64
        && page_bits <= 62
        && least.is_power_of_two()
        && pointers.is_power_of_two();
    if !is_right {
        return Err(elements.bad("its header contradicts itself", address));
    }
    let Some(index) = fields.address()? else { return Ok(()) };
    let array = Extensible { address, offset_size: u64::from(bits).div_ceil(8), page: 1 << page_bits, least };
    let direct = 2 * (pointers - 1);
    let (first_level, levels) = (2 * pointers.ilog2(), 1 + u32::from(bits).saturating_sub(least.ilog2()));
    let supers = u64::from(levels.saturating_sub(first_level));
    let addresses = direct.saturating_add(supers).saturating_mul(offsets);
    let len = (10 + offsets).saturating_add(in_index.saturating_mul(elements.len())).saturating_add(addresses);
    let bytes = file.bytes(index, len)?;
    let mut fields = file.fields(&bytes, index);
    elements.head(&mut fields, *b"EAIB", index)?;
    check("HDF5 array of chunks", &bytes, file.offset(index))?;
    fields.place()?;
    elements.each(&mut fields, 0, in_index, out)?;
    let mut first = in_index;
    for level in 0..levels {
        let (blocks, count) = array.shape(level);
        let below = if level < first_level { None } else { fields.address()? };
        let Some(at) = below.filter(|_| first < used) else {
            if level >= first_level {
                first = first.saturating_add(blocks.saturating_mul(count));
                continue;
            }
            // Blocks of the first levels stand in the index itself, and are never paged so early.
            for _ in 0..blocks {
                if let Some(at) = fields.address()? {
                    array.block(elements, at, (first, count), (&[], 0), out)?;
                }
                first = first.saturating_add(count);
            }
            continue;
        };
        // A bit for every page, one behind the other; each block has room for whole bytes of them.
        let pages = if count > array.page { count.div_ceil(array.page) } else { 0 };
        let bits = blocks.saturating_mul(pages.div_ceil(8));
        let prefix = 6 + offsets + array.offset_size;
        let len = blocks.saturating_mul(offsets).saturating_add(bits).saturating_add(prefix).saturating_add(4);
        let bytes = file.bytes(at, len)?;
        let mut below = file.fields(&bytes, at);
        elements.head(&mut below, *b"EASB", at)?;
        check("HDF5 array of chunks", &bytes, file.offset(at))?;
        below.skip(usize::try_from(offsets + array.offset_size).unwrap_or(0))?;
        let made = below.take(usize::try_from(bits).unwrap_or(usize::MAX))?;
        for block in 0..blocks {
            if let Some(at) = below.address()? {
                array.block(elements, at, (first, count), (made, block.saturating_mul(pages)), out)?;
            }
            first = first.saturating_add(count);
        }
    }
    Ok(())
}
