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

pub use block::{Block, Disorder, Entries, Entry};
pub use footer::{BlockHandle, FOOTER_LEN, Footer, MAGIC};

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::{Error, ErrorKind, Part, Result};
use crate::limits::{Limits, Reports};
use crate::parallel::in_parts;
use crate::storage::Source;
use crate::wire::Cursor;

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
    stored: Vec<u8>,
    plain: Vec<u8>,
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
        let footer = Footer::read(&source).map_err(|e| e.at_part(Part::Footer).in_file(source.path()))?;
        let (blocks, separators, damage) = (Vec::new(), Vec::new(), Vec::new());
        let mut table = Self { source, footer, blocks, separators, damage, limits: limits.clone() };
        let mut buffer = BlockBuffer::default();
        let (handles, damage) = match table.read_handle(footer.index, &mut buffer) {
            Ok(block) => handles(&block),
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

    /// Hands every entry of the table to `visit`, in stored order. A block that cannot be read costs its own entries;
    /// the scan goes on behind it.
    ///
    /// # Errors
    /// Whatever `visit` returns; it ends the scan.
    pub fn scan(&self, mut visit: impl FnMut(&Entry<'_, '_>) -> Result<()>) -> Result<Scan> {
        let part = self.scan_blocks(0..self.blocks.len(), &mut |entry| visit(entry))?;
        Ok(self.join(vec![part]))
    }

    /// As [`Table::scan`], by several threads where the blocks lie beside each other, as in every sound table: each
    /// begins with a whole key, so none needs another. `visit` gets what `make` made for the blocks that a thread took
    /// together; all of these are returned, in the order of the blocks.
    ///
    /// # Errors
    /// Whatever `visit` returns first, which depends on the threads.
    pub fn scan_parts<S: Send>(
        &self,
        threads: usize,
        make: impl Fn() -> S + Sync,
        visit: impl Fn(&mut S, &Entry<'_, '_>) -> Result<()> + Sync,
    ) -> Result<(Vec<S>, Scan)> {
        let threads = if self.is_disjoint() { threads } else { 1 };
        let found = in_parts(self.blocks.len(), threads, |blocks| {
            let mut state = make();
            let scanned = self.scan_blocks(blocks, &mut |entry| visit(&mut state, entry));
            (state, scanned)
        });
        let mut states = Vec::with_capacity(found.len());
        let mut scanned = Vec::with_capacity(found.len());
        for (state, part) in found {
            states.push(state);
            scanned.push(part?);
        }
        Ok((states, self.join(scanned)))
    }

    /// Whether no two data blocks share bytes. If some do, what has been read decides what else may be.
    fn is_disjoint(&self) -> bool {
        let mut ranges: Vec<(u64, u64)> =
            self.blocks.iter().map(|handle| (handle.offset, Claims::end(handle))).collect();
        ranges.sort_unstable();
        ranges.is_sorted_by(|a, b| a.1 <= b.0)
    }

    fn join(&self, parts: Vec<ScannedPart>) -> Scan {
        let mut lost = Reports::new("blocks that cannot be read", &self.limits);
        let mut disorder = Reports::new("keys out of order", &self.limits);
        let mut misplaced = Reports::new("faults of blocks", &self.limits);
        let mut previous: Option<Vec<u8>> = None;
        for part in parts {
            if let Some(first) = part.first {
                if let Some(previous) = previous.take().filter(|p| *p >= first.key) {
                    disorder.add(|| self.out_of_order(first.block, previous, &first.key, first.offset));
                }
                previous = Some(part.last);
            }
            lost.append(part.lost);
            disorder.append(part.disorder);
            misplaced.append(part.misplaced);
        }
        let disordered = !disorder.is_empty();
        let mut notes = disorder.into_errors();
        notes.append(&mut misplaced.into_errors());
        Scan { lost: lost.into_errors(), notes, disordered }
    }

    #[cold]
    fn out_of_order(&self, block: usize, previous: Vec<u8>, next: &[u8], offset: u64) -> Error {
        let error = Error::new(ErrorKind::KeysOutOfOrder { previous, next: next.to_vec() }).at_offset(offset);
        error.at_part(Part::DataBlock(block)).in_file(self.source.path())
    }

    fn scan_blocks(
        &self,
        range: Range<usize>,
        visit: &mut dyn FnMut(&Entry<'_, '_>) -> Result<()>,
    ) -> Result<ScannedPart> {
        let mut part = ScannedPart {
            lost: Reports::new("blocks that cannot be read", &self.limits),
            disorder: Reports::new("keys out of order", &self.limits),
            misplaced: Reports::new("faults of blocks", &self.limits),
            first: None,
            last: Vec::new(),
        };
        let ScannedPart { lost, disorder, misplaced, first: first_of_all, last } = &mut part;
        let mut buffer = BlockBuffer::default();
        let mut claims = Claims::new(self.source.len());
        let blocks = self.blocks.iter().zip(&self.separators).enumerate();
        for (n, (handle, separator)) in blocks.skip(range.start).take(range.len()) {
            let here = |e: Error| e.at_part(Part::DataBlock(n)).in_file(self.source.path());
            if let Err(error) = claims.check(handle) {
                lost.add(|| here(error));
                continue;
            }
            let block = match self.read_block(n, &mut buffer) {
                Ok(block) => block,
                Err(error) => {
                    lost.add(|| error);
                    if !claims.allow_waste(handle) {
                        let why = "its handles ask for more bytes than the file has; further blocks were not read";
                        lost.add(|| here(Error::malformed("index block", why)));
                        break;
                    }
                    continue;
                }
            };
            claims.claim(handle);
            let mut entries = block.entries();
            let mut first = true;
            let mut whole = true;
            loop {
                match entries.next_entry() {
                    Ok(Some(entry)) => {
                        if first {
                            let before = n.checked_sub(1).and_then(|n| self.separators.get(n));
                            if before.is_some_and(|separator| separator.as_ref() >= entry.key) {
                                misplaced.add(|| here(bad_separator()));
                            }
                            // Within a block the order follows from comparing neighbours; across blocks, from the last.
                            if first_of_all.is_none() {
                                *first_of_all =
                                    Some(FirstKey { key: entry.key.to_vec(), block: n, offset: entry.offset });
                            } else if last.as_slice() >= entry.key {
                                disorder.add(|| self.out_of_order(n, last.clone(), entry.key, entry.offset));
                            }
                        }
                        first = false;
                        visit(&entry)?;
                    }
                    Ok(None) => break,
                    Err(error) => {
                        lost.add(|| here(error));
                        whole = false;
                        break;
                    }
                }
                match entries.take_disorder() {
                    None => {}
                    Some(Disorder::Described(error)) => disorder.add(|| here(error)),
                    Some(Disorder::OneMore) => disorder.add_more(),
                }
            }
            if whole && let Some(error) = entries.restart_fault() {
                misplaced.add(|| here(error));
            }
            if !first {
                if whole && separator.as_ref() < entries.key() {
                    misplaced.add(|| here(bad_separator()));
                }
                last.clear();
                last.extend_from_slice(entries.key());
            }
        }
        Ok(part)
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

/// What a scan of blocks that follow each other met.
struct ScannedPart {
    lost: Reports,
    disorder: Reports,
    misplaced: Reports,
    /// The first key, if there is any.
    first: Option<FirstKey>,
    /// The last key.
    last: Vec<u8>,
}

struct FirstKey {
    key: Vec<u8>,
    block: usize,
    offset: u64,
}

/// What a scan of a whole table met.
#[derive(Debug)]
pub struct Scan {
    /// Blocks, or the ends of blocks, whose entries are lost.
    pub lost: Vec<Error>,
    /// What is wrong but costs nothing here: keys out of order, look-up aids that mislead TensorFlow.
    pub notes: Vec<Error>,
    /// Whether keys are out of order.
    pub disordered: bool,
}

/// Which bytes of the file have been read as blocks: no two blocks can be made of the same bytes, so that a small file
/// of many handles does not cost more than its size.
struct Claims {
    /// Start and end of every block that was read.
    taken: BTreeMap<u64, u64>,
    /// How many bytes may still be read in vain. A few wrong handles among good ones are no reason to give up.
    spare: u64,
}

impl Claims {
    fn new(len: u64) -> Self {
        Self { taken: BTreeMap::new(), spare: len.saturating_mul(4) }
    }

    fn end(handle: &BlockHandle) -> u64 {
        handle.offset.saturating_add(handle.size).saturating_add(footer::TRAILER_LEN)
    }

    fn check(&self, handle: &BlockHandle) -> Result<()> {
        let before = self.taken.range(..Self::end(handle)).next_back();
        match before {
            Some((start, end)) if *end > handle.offset => {
                let why = format!("its bytes {start} to {end} have been read as another block");
                Err(Error::malformed("bad block handle", why).at_offset(handle.offset))
            }
            _ => Ok(()),
        }
    }

    fn claim(&mut self, handle: &BlockHandle) {
        self.taken.insert(handle.offset, Self::end(handle));
    }

    fn allow_waste(&mut self, handle: &BlockHandle) -> bool {
        self.spare = self.spare.saturating_sub(handle.size);
        self.spare > 0
    }
}

#[cold]
fn bad_separator() -> Error {
    let why =
        "its key in the index block does not part it from its neighbours; TensorFlow looks names up in the wrong block";
    Error::malformed("index block", why)
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
