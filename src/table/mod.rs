//! Layer 2: TensorFlow's immutable table, the container of `.index` files and V1 checkpoints. Knows no protobuf.
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
mod footer;

pub use block::{Block, Entries, Entry};
pub use footer::{BlockHandle, FOOTER_LEN, Footer, MAGIC};

use crate::error::{Error, ErrorKind, Part, Result};
use crate::limits::Limits;
use crate::storage::Source;
use crate::wire::Cursor;

/// An open table: its footer and the handles of its data blocks.
#[derive(Debug)]
pub struct Table {
    source: Source,
    footer: Footer,
    blocks: Vec<BlockHandle>,
    index_damage: Option<Error>,
    limits: Limits,
}

/// Reused memory for reading one block after the other.
#[derive(Debug, Default)]
pub struct BlockBuffer {
    stored: Vec<u8>,
    plain: Vec<u8>,
}

impl Table {
    /// Reads the footer and the index block.
    ///
    /// A damaged index block is not the end: whatever handles can still be read from it are used, each data block
    /// proves itself by its own checksum, and [`Table::index_damage`] says what happened.
    ///
    /// # Errors
    /// If the file is no table, or the footer leads out of it.
    pub fn open(source: Source, limits: &Limits) -> Result<Self> {
        let footer = Footer::read(&source).map_err(|e| e.at_part(Part::Footer).in_file(source.path()))?;
        let mut table = Self { source, footer, blocks: Vec::new(), index_damage: None, limits: limits.clone() };
        let mut buffer = BlockBuffer::default();
        let damage = match table.read_handle(footer.index, &mut buffer) {
            Ok(block) => {
                let (blocks, damage) = handles(&block);
                table.blocks = blocks;
                damage
            }
            Err(error) => {
                if let Ok(block) = table.read_unchecked(footer.index, &mut buffer) {
                    table.blocks = handles(&block).0;
                }
                Some(error)
            }
        };
        table.index_damage = damage.map(|e| e.at_part(Part::IndexBlock).in_file(table.source.path()));
        if table.blocks.is_empty()
            && let Some(error) = table.index_damage
        {
            return Err(error);
        }
        Ok(table)
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

    /// What is wrong with the index block, if the table could be opened all the same.
    pub fn index_damage(&self) -> Option<&Error> {
        self.index_damage.as_ref()
    }

    /// Takes what is wrong with the index block.
    pub fn into_index_damage(self) -> Option<Error> {
        self.index_damage
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

    /// Hands every entry of the table to `visit`, in stored order. A block that cannot be read costs its own entries
    /// and is handed to `damage`; the scan goes on behind it.
    ///
    /// # Errors
    /// Whatever `visit` returns; it ends the scan.
    pub fn scan(
        &self,
        mut visit: impl FnMut(&Entry<'_, '_>) -> Result<()>,
        mut damage: impl FnMut(Error),
    ) -> Result<()> {
        let mut buffer = BlockBuffer::default();
        let mut previous: Option<Vec<u8>> = None;
        for n in 0..self.blocks.len() {
            let here = |e: Error| e.at_part(Part::DataBlock(n)).in_file(self.source.path());
            let block = match self.read_block(n, &mut buffer) {
                Ok(block) => block,
                Err(error) => {
                    damage(error);
                    continue;
                }
            };
            let mut entries = block.entries();
            let mut first = true;
            loop {
                match entries.next_entry() {
                    Ok(Some(entry)) => {
                        // Within a block the order follows from comparing neighbours; across blocks, from the last.
                        if first && let Some(previous) = previous.take().filter(|p| p.as_slice() >= entry.key) {
                            let kind = ErrorKind::KeysOutOfOrder { previous, next: entry.key.to_vec() };
                            damage(here(Error::new(kind).at_offset(entry.offset)));
                        }
                        first = false;
                        visit(&entry)?;
                    }
                    Ok(None) => break,
                    Err(error) => {
                        damage(here(error));
                        break;
                    }
                }
                if let Some(error) = entries.take_disorder() {
                    damage(here(error));
                }
            }
            if !first {
                previous = Some(entries.key().to_vec());
            }
        }
        Ok(())
    }

    /// The value under `key` and its offset, found as `LevelDB` finds it: through the index block, then within one
    /// data block. The value is a slice of the file where that is in memory or mapped, else of `buffer`.
    ///
    /// # Errors
    /// If the block that should hold the key cannot be read.
    pub fn get<'a>(&'a self, key: &[u8], buffer: &'a mut BlockBuffer) -> Result<Option<(&'a [u8], u64)>> {
        let here = |e: Error| e.in_file(self.source.path());
        let mut found = None;
        {
            let mut index_buffer = BlockBuffer::default();
            let index = self.read_handle(self.footer.index, &mut index_buffer);
            let mut separators = index.map_err(|e| here(e.at_part(Part::IndexBlock)))?.entries();
            let mut n = 0usize;
            while let Some(entry) = separators.next_entry().map_err(here)? {
                if entry.key >= key {
                    found = Some(n);
                    break;
                }
                n = n.saturating_add(1);
            }
        }
        let Some(n) = found else { return Ok(None) };
        let mut entries = self.read_block(n, buffer)?.entries();
        while let Some(entry) = entries.next_entry().map_err(|e| here(e.at_part(Part::DataBlock(n))))? {
            if entry.key == key {
                return Ok(Some((entry.value, entry.value_offset)));
            }
        }
        Ok(None)
    }

    fn read_handle<'a>(&'a self, handle: BlockHandle, buffer: &'a mut BlockBuffer) -> Result<Block<'a>> {
        self.read_stored(handle, buffer, true)
    }

    fn read_unchecked<'a>(&'a self, handle: BlockHandle, buffer: &'a mut BlockBuffer) -> Result<Block<'a>> {
        self.read_stored(handle, buffer, false)
    }

    fn read_stored<'a>(&'a self, handle: BlockHandle, buffer: &'a mut BlockBuffer, check: bool) -> Result<Block<'a>> {
        let end = handle.end_with_trailer(self.source.len())?;
        let BlockBuffer { stored, plain } = buffer;
        let bytes = self.source.slice(handle.offset..end, stored)?;
        Block::decode(bytes, handle.offset, check, plain, &self.limits)
    }
}

/// The handles in an index block, as far as they can be read.
fn handles(block: &Block<'_>) -> (Vec<BlockHandle>, Option<Error>) {
    let mut handles = Vec::new();
    let mut entries = block.entries();
    loop {
        let result = match entries.next_entry() {
            Ok(Some(entry)) => BlockHandle::read(&mut Cursor::new(entry.value, entry.value_offset)),
            Ok(None) => return (handles, None),
            Err(error) => Err(error),
        };
        match result {
            Ok(handle) => handles.push(handle),
            Err(error) => return (handles, Some(error)),
        }
    }
}
