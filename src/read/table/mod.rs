//! TensorFlow's immutable table, the container of `.index` files and V1 checkpoints. Knows no protobuf.
//!
//! It is the `LevelDB` table format (`tsl/lib/io/{format,table,block}.cc`):
//!
//! ```text
//! data block 0 │ … │ data block n−1 │ metaindex block │ index block │ footer (48 bytes)
//!
//! block   = contents │ type u8 (0 none, 1 Snappy) │ masked CRC-32C of contents and type, fixed32
//! contents= entries │ restart offsets, fixed32 each │ number of restarts, fixed32
//! entry   = shared varint │ non_shared varint │ value_len varint │ key[shared..] │ value
//! footer  = metaindex handle │ index handle │ zeros up to byte 40 │ magic
//! ```
//!
//! The index block has one entry a data block: a separator (not a key of the table!) and the block's handle.
//! `TensorFlow` skips data blocks that it cannot read without a word; here each of them is reported, and the others
//! are still read.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]

mod block;
#[expect(clippy::arithmetic_side_effects, reason = "what is written has lengths of this program, none from a file")]
mod builder;
mod footer;
mod scan;

pub use block::{Block, Disorder, Entries, Entry};
pub use builder::TableBuilder;
pub use footer::{BlockHandle, FOOTER_LEN, Footer, MAGIC};
pub use scan::Scan;

use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::limits::{Limits, Reports};
use crate::read::storage::{Source, Window};
use crate::read::wire::Cursor;

/// An open table: its footer and the handles of its data blocks.
#[derive(Debug)]
pub struct Table {
    source: Source,
    footer: Footer,
    blocks: Vec<BlockHandle>,
    /// The key of each data block in the index: not below its last key, and below the next block's first.
    separators: Vec<Box<[u8]>>,
    damage: Vec<Error>,
    limits: Limits,
}

/// Reused memory for reading one block after the other.
#[derive(Debug, Default)]
pub struct BlockBuffer {
    stored: Window,
    plain: Vec<u8>,
    /// A stored block of which a bit was flipped back.
    mended: Vec<u8>,
}

impl Table {
    /// Reads the footer and the index block.
    ///
    /// A damaged index block is not the end: whatever handles can still be read from it are used, each data block
    /// proves itself by its own checksum, and [`Table::damage`] says what happened. It also says which bytes before the
    /// footer belong to no block: in a table that TensorFlow wrote there are none, so entries may lie in them.
    ///
    /// # Errors
    /// If the file is no table, or the footer leads out of it.
    pub fn open(source: Source, limits: &Limits) -> Result<Self> {
        let read = Footer::read(&source);
        let (blocks, separators, damage) = (Vec::new(), Vec::new(), Vec::new());
        let here = |e: Error, source: &Source| e.at_part(Part::Footer).in_file(source.path());
        let (footer, unread) = match read {
            Ok(footer) => (footer, None),
            Err(error) if error.is_unread() => return Err(here(error, &source)),
            // No place is known yet; a footer of which one bit is flipped may still tell it.
            Err(error) => (Footer { metaindex: BlockHandle::NOWHERE, index: BlockHandle::NOWHERE }, Some(error)),
        };
        let mut table = Self { source, footer, blocks, separators, damage, limits: limits.clone() };
        let mut buffer = BlockBuffer::default();
        // What could not be read has no flipped bit.
        let is_damaged = |error: Error| !error.is_unread();
        if unread.is_some() || table.mended(footer.index, &mut buffer).is_err_and(is_damaged) {
            match table.mended_footer() {
                Some((mended, flipped)) => {
                    table.footer = mended;
                    table.damage.push(here(flipped, &table.source));
                }
                None => {
                    if let Some(error) = unread {
                        return Err(here(error, &table.source));
                    }
                }
            }
        }
        if let Some((mended, flipped)) = table.mended_metaindex(&mut buffer) {
            table.footer = mended;
            table.damage.push(here(flipped, &table.source));
        }
        let footer = table.footer;
        let (handles, damage) = match table.mended(footer.index, &mut buffer) {
            Ok((block, flipped)) => {
                let (handles, damage) = handles(&block);
                (handles, damage.or(flipped))
            }
            Err(error) => match table.read_unchecked(footer.index, &mut buffer) {
                Ok(block) => (handles(&block).0, Some(error)),
                Err(_) => (Vec::new(), Some(error)),
            },
        };
        (table.separators, table.blocks) = handles.into_iter().unzip();
        if let Some(error) = damage.map(|e| e.at_part(Part::IndexBlock).in_file(table.source.path())) {
            if table.blocks.is_empty() {
                return Err(error);
            }
            table.damage.push(error);
        }
        let gaps = table.gaps();
        table.damage.extend(gaps);
        Ok(table)
    }

    /// The footer without its one flipped bit: the only one whose index block lies right before it, as writers put it, and
    /// has the right checksum.
    fn mended_footer(&self) -> Option<(Footer, Error)> {
        let end = self.source.len().checked_sub(FOOTER_LEN)?;
        let mut right = Footer::mended(&self.source).ok()?.into_iter().filter(|(footer, ..)| {
            let is_last = footer.index.end_with_trailer(self.source.len()).is_ok_and(|at| at == end);
            is_last && self.read_handle(footer.index, &mut BlockBuffer::default()).is_ok()
        });
        let (footer, byte, bit) = right.next()?;
        let error = Error::new(ErrorKind::FlippedBit { byte, bit }).at_offset(byte);
        Some((footer, error.with_help("TensorFlow refuses the whole checkpoint; fetch this file again")))
    }

    /// The footer without its one flipped bit, where that is in the handle of the metaindex, which nobody reads: the block
    /// before the index block would seem to be in no table.
    fn mended_metaindex(&self, buffer: &mut BlockBuffer) -> Option<(Footer, Error)> {
        let Footer { metaindex, index } = self.footer;
        let is_sound = |error: Error| error.is_unread();
        if self.read_handle(metaindex, buffer).map_or_else(is_sound, |_| true)
            || self.read_handle(index, buffer).is_err()
        {
            return None;
        }
        let mut right = Footer::mended(&self.source).ok()?.into_iter().filter(|(footer, ..)| {
            let is_before = footer.metaindex.end_with_trailer(self.source.len()).is_ok_and(|at| at == index.offset);
            footer.index == index
                && is_before
                && self.read_handle(footer.metaindex, &mut BlockBuffer::default()).is_ok()
        });
        let (footer, byte, bit) = right.next()?;
        let error = Error::new(ErrorKind::FlippedBit { byte, bit }).at_offset(byte);
        Some((footer, error.with_help("TensorFlow does not read what it leads to; the file was changed all the same")))
    }

    /// What lies before the footer and in no block.
    fn gaps(&self) -> Vec<Error> {
        let end = self.source.len().saturating_sub(FOOTER_LEN);
        let known = self.blocks.iter().chain([&self.footer.metaindex, &self.footer.index]);
        let mut ranges: Vec<(u64, u64)> =
            known.filter_map(|h| Some((h.offset, h.end_with_trailer(self.source.len()).ok()?))).collect();
        ranges.push((end, end));
        ranges.sort_unstable();
        let mut gaps = Reports::new("gaps between blocks", &self.limits);
        let mut covered = 0;
        for (start, end) in ranges {
            if start > covered {
                gaps.add(|| {
                    let why =
                        format!("bytes {covered} to {start} belong to no block that is known; entries may be lost");
                    let error = Error::malformed("table", why).at_part(Part::IndexBlock).at_offset(covered);
                    error.in_file(self.source.path())
                });
            }
            covered = covered.max(end);
        }
        gaps.into_errors()
    }

    /// The file.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The footer.
    pub fn footer(&self) -> &Footer {
        &self.footer
    }

    /// The data blocks, in the order of their keys.
    pub fn blocks(&self) -> &[BlockHandle] {
        &self.blocks
    }

    /// What is wrong with the index block, if the table could be opened all the same, and what lies in no block.
    pub fn damage(&self) -> &[Error] {
        &self.damage
    }

    /// Takes what [`Table::damage`] says.
    pub fn take_damage(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.damage)
    }

    /// Reads the `n`-th data block and checks its checksum.
    ///
    /// # Errors
    /// If its handle leads out of the file, its checksum is wrong, or it cannot be decompressed.
    pub fn read_block<'a>(&'a self, n: usize, buffer: &'a mut BlockBuffer) -> Result<Block<'a>> {
        let here = |e: Error| e.at_part(Part::DataBlock(n)).in_file(self.source.path());
        let Some(handle) = self.blocks.get(n) else {
            return Err(here(Error::malformed("table", "no such data block")));
        };
        self.read_handle(*handle, buffer).map_err(here)
    }

    /// The data block in which `key` is, if it is in the table.
    pub fn block_of(&self, key: &[u8]) -> Option<usize> {
        let n = self.separators.partition_point(|separator| separator.as_ref() < key);
        (n < self.blocks.len()).then_some(n)
    }

    /// The value under `key` and its offset, found as `LevelDB` finds it: through the index block, then within one
    /// data block. The value is a slice of the file where that is in memory or mapped, else of `buffer`.
    ///
    /// # Errors
    /// If the block that should hold the key cannot be read.
    pub fn get<'a>(&'a self, key: &[u8], buffer: &'a mut BlockBuffer) -> Result<Option<(&'a [u8], u64)>> {
        let Some(n) = self.block_of(key) else { return Ok(None) };
        let here = |e: Error| e.at_part(Part::DataBlock(n)).in_file(self.source.path());
        let mut entries = self.read_block(n, buffer)?.entries();
        while let Some(entry) = entries.next_entry().map_err(here)? {
            if entry.key == key {
                return Ok(Some((entry.value, entry.value_offset)));
            }
        }
        Ok(None)
    }

    /// As [`Table::read_block`]; of a block whose checksum says that one bit is flipped, the contents as they were, with
    /// the error that says which. TensorFlow refuses such a block.
    ///
    /// # Errors
    /// As [`Table::read_block`].
    pub fn read_mended<'a>(&'a self, n: usize, buffer: &'a mut BlockBuffer) -> Result<(Block<'a>, Option<Error>)> {
        let here = |e: Error| e.at_part(Part::DataBlock(n)).in_file(self.source.path());
        let Some(handle) = self.blocks.get(n) else {
            return Err(here(Error::malformed("table", "no such data block")));
        };
        self.mended(*handle, buffer).map(|(block, error)| (block, error.map(here))).map_err(here)
    }

    fn mended<'a>(&'a self, handle: BlockHandle, buffer: &'a mut BlockBuffer) -> Result<(Block<'a>, Option<Error>)> {
        let end = handle.end_with_trailer(self.source.len())?;
        let BlockBuffer { stored, plain, mended } = buffer;
        let bytes = self.source.slice(handle.offset..end, stored)?;
        let Some(flip) = block::flipped_bit(bytes) else {
            return Ok((Block::decode(bytes, handle.offset, true, plain, &self.limits)?, None));
        };
        *mended = bytes.to_vec();
        if let Some(byte) = usize::try_from(flip.byte).ok().and_then(|at| mended.get_mut(at)) {
            *byte ^= 1u8 << (flip.bit & 7);
        }
        let block = Block::decode(mended, handle.offset, true, plain, &self.limits)?;
        let byte = handle.offset.saturating_add(flip.byte);
        let error = Error::new(ErrorKind::FlippedBit { byte, bit: flip.bit }).at_offset(byte);
        Ok((block, Some(error.with_help("TensorFlow refuses the whole checkpoint; fetch this file again"))))
    }

    fn read_handle<'a>(&'a self, handle: BlockHandle, buffer: &'a mut BlockBuffer) -> Result<Block<'a>> {
        self.read_stored(handle, buffer, true)
    }

    fn read_unchecked<'a>(&'a self, handle: BlockHandle, buffer: &'a mut BlockBuffer) -> Result<Block<'a>> {
        self.read_stored(handle, buffer, false)
    }

    fn read_stored<'a>(&'a self, handle: BlockHandle, buffer: &'a mut BlockBuffer, check: bool) -> Result<Block<'a>> {
        let end = handle.end_with_trailer(self.source.len())?;
        let BlockBuffer { stored, plain, .. } = buffer;
        let bytes = self.source.slice(handle.offset..end, stored)?;
        Block::decode(bytes, handle.offset, check, plain, &self.limits)
    }
}

/// A separator and the handle of the block before it.
type IndexEntry = (Box<[u8]>, BlockHandle);

/// The handles in an index block with their keys, as far as they can be read.
fn handles(block: &Block<'_>) -> (Vec<IndexEntry>, Option<Error>) {
    let mut handles = Vec::new();
    let mut entries = block.entries();
    loop {
        let result = match entries.next_entry() {
            Ok(Some(entry)) => {
                let handle = BlockHandle::read(&mut Cursor::new(entry.value, entry.value_offset));
                handle.map(|handle| (Box::from(entry.key), handle))
            }
            Ok(None) => return (handles, None),
            Err(error) => Err(error),
        };
        match result {
            Ok(handle) => handles.push(handle),
            Err(error) => return (handles, Some(error)),
        }
    }
}
