//! TensorFlow's immutable table, which is LevelDB's: data blocks, an empty metaindex, an index, a footer.
//!
//! Keys are not checked for order: an unsorted table is one of the things a test wants to write. Whole tables come out
//! as TensorFlow writes them (block size 256 KiB, restart intervals 16 and 1, shortened index keys); the setters break
//! one part each, and every other part stays true, checksums included.

use std::collections::BTreeSet;

use crate::block::Block;
use crate::crc;
use crate::layout::{Layout, Piece};
use crate::proto::put_varint;

/// The magic number that ends a table.
pub const MAGIC: u64 = 0xdb47_7524_8b80_fb57;

/// How a block is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is, type 0.
    #[default]
    None,
    /// Raw Snappy, type 1, even where that gains nothing.
    Snappy,
    /// Snappy where it saves more than an eighth, else as it is: the rule of TensorFlow's writer.
    SnappyIfSmaller,
    /// As it is, but with this type number.
    Raw(u8),
}

/// One entry of the index: a key not below any of its block's, and an encoded block handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The separator.
    pub key: Vec<u8>,
    /// The handle, two varints.
    pub handle: Vec<u8>,
}

/// An encoded block handle.
pub fn handle(offset: u64, size: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, offset);
    put_varint(&mut out, size);
    out
}

type Edit<T> = Box<dyn FnOnce(&mut T)>;

/// Writes one table.
pub struct TableBuilder {
    block_size: usize,
    restart_interval: usize,
    compression: Compression,
    index_compression: Compression,
    shorten: bool,
    magic: u64,
    metaindex_handle: Option<(u64, u64)>,
    index_handle: Option<(u64, u64)>,
    bad_checksums: BTreeSet<usize>,
    bad_index_checksum: bool,
    index_edits: Vec<Edit<Vec<IndexEntry>>>,
    index_block_edit: Option<Edit<Vec<u8>>>,
    metaindex: Block,
    block: Block,
    file: Vec<u8>,
    data: Vec<Piece>,
    index: Vec<IndexEntry>,
    /// The newest block's last key: its separator waits for the next key.
    pending: Option<Vec<u8>>,
}

impl Default for TableBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TableBuilder {
    /// A builder with TensorFlow's settings: 256 KiB blocks, no compression.
    pub fn new() -> Self {
        Self {
            block_size: 256 * 1024,
            restart_interval: 16,
            compression: Compression::None,
            index_compression: Compression::None,
            shorten: true,
            magic: MAGIC,
            metaindex_handle: None,
            index_handle: None,
            bad_checksums: BTreeSet::new(),
            bad_index_checksum: false,
            index_edits: Vec::new(),
            index_block_edit: None,
            metaindex: Block::new(16),
            block: Block::new(16),
            file: Vec::new(),
            data: Vec::new(),
            index: Vec::new(),
            pending: None,
        }
    }

    /// The size at which a data block is written out.
    pub fn block_size(mut self, bytes: usize) -> Self {
        self.block_size = bytes;
        self
    }

    /// How many entries of a data block follow each whole key. Set it before the first entry.
    pub fn restart_interval(mut self, entries: usize) -> Self {
        self.restart_interval = entries;
        if self.block.is_empty() {
            self.block = Block::new(entries);
        }
        self
    }

    /// How data blocks are stored that are written out from now on.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.set_compression(compression);
        self
    }

    /// As [`TableBuilder::compression`], between two calls of [`TableBuilder::add`].
    pub fn set_compression(&mut self, compression: Compression) {
        self.compression = compression;
    }

    /// How the index and metaindex blocks are stored.
    pub fn index_compression(mut self, compression: Compression) -> Self {
        self.index_compression = compression;
        self
    }

    /// Whether index keys are shortened separators (as always in nature) or the blocks' last keys.
    pub fn shorten_index_keys(mut self, shorten: bool) -> Self {
        self.shorten = shorten;
        self
    }

    /// Another magic number.
    pub fn magic(mut self, magic: u64) -> Self {
        self.magic = magic;
        self
    }

    /// Another metaindex handle in the footer.
    pub fn metaindex_handle(mut self, offset: u64, size: u64) -> Self {
        self.metaindex_handle = Some((offset, size));
        self
    }

    /// Another index handle in the footer.
    pub fn index_handle(mut self, offset: u64, size: u64) -> Self {
        self.index_handle = Some((offset, size));
        self
    }

    /// Stores a wrong checksum for data block `n`.
    pub fn corrupt_checksum(mut self, n: usize) -> Self {
        self.bad_checksums.insert(n);
        self
    }

    /// Stores a wrong checksum for the index block.
    pub fn corrupt_index_checksum(mut self) -> Self {
        self.bad_index_checksum = true;
        self
    }

    /// Adds an entry to the metaindex, which TensorFlow leaves empty.
    pub fn meta_entry(mut self, key: &[u8], value: &[u8]) -> Self {
        self.metaindex.add(key, value);
        self
    }

    /// Changes the entries of the index before its block is built.
    pub fn index_edit(mut self, edit: impl FnOnce(&mut Vec<IndexEntry>) + 'static) -> Self {
        self.index_edits.push(Box::new(edit));
        self
    }

    /// Puts bytes after every handle of the index, which readers ignore.
    pub fn index_trailing(self, bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        self.index_edit(move |entries| {
            for entry in entries {
                entry.handle.extend_from_slice(&bytes);
            }
        })
    }

    /// Changes the contents of the index block before its checksum is taken.
    pub fn index_block_edit(mut self, edit: impl FnOnce(&mut Vec<u8>) + 'static) -> Self {
        self.index_block_edit = Some(Box::new(edit));
        self
    }

    /// Appends an entry.
    pub fn add(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (key, value) = (key.as_ref(), value.as_ref());
        if key.len() + value.len() >= self.block_size.saturating_mul(2) {
            self.block_break();
        }
        self.settle_index(Some(key));
        self.block.add(key, value);
        if self.block.size_estimate() >= self.block_size {
            self.block_break();
        }
    }

    /// Writes out the data block under construction, if it has entries.
    pub fn block_break(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let block = std::mem::replace(&mut self.block, Block::new(self.restart_interval));
        let last_key = block.last_key().to_vec();
        let (stored, kind) = compress(block.finish(), self.compression);
        self.data_block(&stored, kind, last_key);
    }

    /// Appends a data block of the caller's making: `stored` goes to the file as it is, with `kind` and a true
    /// checksum; the index gets a separator for `last_key`.
    pub fn raw_block(&mut self, stored: &[u8], kind: u8, last_key: impl AsRef<[u8]>) {
        self.block_break();
        self.settle_index(Some(last_key.as_ref()));
        self.data_block(stored, kind, last_key.as_ref().to_vec());
    }

    /// The table.
    pub fn finish(self) -> Vec<u8> {
        self.finish_with_layout().0
    }

    /// The table, and where its parts lie.
    pub fn finish_with_layout(mut self) -> (Vec<u8>, Layout) {
        self.block_break();
        self.settle_index(None);
        let (stored, kind) = compress(self.metaindex.finish(), self.index_compression);
        let metaindex = put_block(&mut self.file, &stored, kind, false);

        for edit in self.index_edits {
            edit(&mut self.index);
        }
        let mut block = Block::new(1);
        for entry in &self.index {
            block.add(&entry.key, &entry.handle);
        }
        let mut contents = block.finish();
        if let Some(edit) = self.index_block_edit {
            edit(&mut contents);
        }
        let (stored, kind) = compress(contents, self.index_compression);
        let index = put_block(&mut self.file, &stored, kind, self.bad_index_checksum);

        let of = |piece: &Piece| (piece.contents.start as u64, piece.contents.len() as u64);
        let (offset, size) = self.metaindex_handle.unwrap_or(of(&metaindex));
        let mut footer = handle(offset, size);
        let (offset, size) = self.index_handle.unwrap_or(of(&index));
        footer.extend(handle(offset, size));
        let handles = footer.len();
        footer.resize(40, 0);
        footer.extend_from_slice(&self.magic.to_le_bytes());
        let start = self.file.len();
        self.file.extend(footer);
        let layout = Layout { data: self.data, metaindex, index, footer: start..self.file.len(), handles };
        (self.file, layout)
    }

    fn data_block(&mut self, stored: &[u8], kind: u8, last_key: Vec<u8>) {
        let bad = self.bad_checksums.contains(&self.data.len());
        let piece = put_block(&mut self.file, stored, kind, bad);
        self.data.push(piece);
        self.pending = Some(last_key);
    }

    /// Writes the index entry of the newest block, now that the next key is known (or known not to be).
    fn settle_index(&mut self, next: Option<&[u8]>) {
        let Some(last) = self.pending.take() else {
            return;
        };
        let piece = self.data.last().expect("pending only after a block");
        let key = match next {
            _ if !self.shorten => last,
            Some(next) => separator(&last, next),
            None => successor(last),
        };
        let handle = handle(piece.contents.start as u64, piece.contents.len() as u64);
        self.index.push(IndexEntry { key, handle });
    }
}

/// A short key not below `last` and below `next`.
fn separator(last: &[u8], next: &[u8]) -> Vec<u8> {
    let same = last.iter().zip(next).take_while(|(a, b)| a == b).count();
    let mut key = last.to_vec();
    if let (Some(&a), Some(&b)) = (last.get(same), next.get(same))
        && a < 0xff
        && a + 1 < b
    {
        key.truncate(same);
        key.push(a + 1);
    }
    key
}

/// A short key not below `last`.
fn successor(mut last: Vec<u8>) -> Vec<u8> {
    if let Some(at) = last.iter().position(|&byte| byte != 0xff) {
        last[at] += 1;
        last.truncate(at + 1);
    }
    last
}

/// The stored form of a block and its type number.
fn compress(contents: Vec<u8>, compression: Compression) -> (Vec<u8>, u8) {
    match compression {
        Compression::None => (contents, 0),
        Compression::Raw(kind) => (contents, kind),
        Compression::Snappy | Compression::SnappyIfSmaller => {
            let small = snappy(&contents);
            let gain = small.len() < contents.len() - contents.len() / 8;
            if gain || compression == Compression::Snappy { (small, 1) } else { (contents, 0) }
        }
    }
}

/// Raw Snappy.
pub fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = snap::raw::Encoder::new();
    encoder.compress_vec(bytes).expect("less than 4 GiB")
}

/// Appends a stored block and its trailer.
fn put_block(file: &mut Vec<u8>, stored: &[u8], kind: u8, bad: bool) -> Piece {
    let piece = Piece::at(file.len(), stored.len());
    file.extend_from_slice(stored);
    file.push(kind);
    let sum = crc::mask(crc::extend(crc::crc32c(stored), &[kind]));
    let sum = if bad { sum ^ 0x0f0f_0f0f } else { sum };
    file.extend_from_slice(&sum.to_le_bytes());
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_as_short_as_leveldb_makes_them() {
        assert_eq!(separator(b"abcd", b"abz"), b"abd");
        assert_eq!(separator(b"abc", b"abd"), b"abc");
        assert_eq!(separator(b"ab", b"abc"), b"ab");
        assert_eq!(separator(b"a\xff", b"c"), b"b");
        assert_eq!(successor(b"mat".to_vec()), b"n");
        assert_eq!(successor(b"\xff\xffa".to_vec()), b"\xff\xffb");
        assert_eq!(successor(b"\xff".to_vec()), b"\xff");
        assert_eq!(successor(Vec::new()), b"");
    }
}
