//! Writing a table, byte for byte as TensorFlow writes it.
//!
//! Source: `tensorflow/core/lib/io/{table_builder,block_builder,format}.cc`, with the options of `BundleWriter`: blocks of
//! 256 KiB, a whole key every 16 entries, no compression. Keys in the index block are as short as they can be and still
//! lie between two blocks (`BytewiseComparator`).

use std::io::{self, Write};

use super::footer::MAGIC;
use crate::read::wire::{Crc32c, write_varint};

/// `Options::block_size`.
const BLOCK_SIZE: usize = 262_144;

/// `Options::block_restart_interval`; the index block has every key whole.
const RESTART_INTERVAL: usize = 16;

/// Where a block lies: offset and length without its trailer.
type Handle = (u64, u64);

/// Builds a table of entries that come in the order of their keys.
#[derive(Debug)]
pub struct TableBuilder<W> {
    out: W,
    offset: u64,
    data: BlockBuilder,
    index: BlockBuilder,
    last_key: Vec<u8>,
    /// A block that has been written, and is told of in the index once the next key is known.
    pending: Option<Handle>,
}

#[derive(Debug)]
struct BlockBuilder {
    buffer: Vec<u8>,
    restarts: Vec<u32>,
    interval: usize,
    since_restart: usize,
    last_key: Vec<u8>,
}

impl<W: Write> TableBuilder<W> {
    /// An empty table, written to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            offset: 0,
            data: BlockBuilder::new(RESTART_INTERVAL),
            index: BlockBuilder::new(1),
            last_key: Vec::new(),
            pending: None,
        }
    }

    /// Adds an entry, whose key is greater than all before.
    ///
    /// # Errors
    /// If a block cannot be written.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if let Some(handle) = self.pending.take() {
            let between = shortest_separator(&self.last_key, key);
            self.index.add(&between, &encoded(handle));
        }
        self.data.add(key, value);
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        if self.data.size() >= BLOCK_SIZE {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left, the index and the footer; hands back what was written to.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        let metaindex = BlockBuilder::new(RESTART_INTERVAL).finish();
        let metaindex = self.block(&metaindex)?;
        if let Some(handle) = self.pending.take() {
            let after = short_successor(&self.last_key);
            self.index.add(&after, &encoded(handle));
        }
        let index = std::mem::replace(&mut self.index, BlockBuilder::new(1)).finish();
        let index = self.block(&index)?;
        let mut footer = encoded(metaindex);
        footer.extend(encoded(index));
        footer.resize(40, 0);
        footer.extend(MAGIC.to_le_bytes());
        self.out.write_all(&footer)?;
        Ok(self.out)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.data.buffer.is_empty() {
            return Ok(());
        }
        let block = std::mem::replace(&mut self.data, BlockBuilder::new(RESTART_INTERVAL)).finish();
        self.pending = Some(self.block(&block)?);
        Ok(())
    }

    /// A block with its trailer: how it is compressed, and a checksum of both.
    fn block(&mut self, contents: &[u8]) -> io::Result<Handle> {
        const NO_COMPRESSION: u8 = 0;
        let handle = (self.offset, contents.len() as u64);
        let crc = Crc32c::of(contents).extend(&[NO_COMPRESSION]).masked();
        self.out.write_all(contents)?;
        self.out.write_all(&[NO_COMPRESSION])?;
        self.out.write_all(&crc.0.to_le_bytes())?;
        self.offset = self.offset.saturating_add(contents.len() as u64).saturating_add(5);
        Ok(handle)
    }
}

impl BlockBuilder {
    fn new(interval: usize) -> Self {
        Self { buffer: Vec::new(), restarts: vec![0], interval, since_restart: 0, last_key: Vec::new() }
    }

    fn add(&mut self, key: &[u8], value: &[u8]) {
        let shared = if self.since_restart < self.interval {
            self.last_key.iter().zip(key).take_while(|(a, b)| a == b).count()
        } else {
            self.restarts.push(u32::try_from(self.buffer.len()).unwrap_or(u32::MAX));
            self.since_restart = 0;
            0
        };
        let rest = key.get(shared..).unwrap_or_default();
        for length in [shared, rest.len(), value.len()] {
            write_varint(&mut self.buffer, length as u64);
        }
        self.buffer.extend_from_slice(rest);
        self.buffer.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(rest);
        self.since_restart += 1;
    }

    /// `BlockBuilder::CurrentSizeEstimate`.
    fn size(&self) -> usize {
        self.buffer.len() + 4 * self.restarts.len() + 4
    }

    fn finish(mut self) -> Vec<u8> {
        for restart in &self.restarts {
            self.buffer.extend(restart.to_le_bytes());
        }
        self.buffer.extend(u32::try_from(self.restarts.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.buffer
    }
}

fn encoded((offset, size): Handle) -> Vec<u8> {
    let mut out = Vec::new();
    write_varint(&mut out, offset);
    write_varint(&mut out, size);
    out
}

/// A short key that is no less than `before` and less than `after`.
fn shortest_separator(before: &[u8], after: &[u8]) -> Vec<u8> {
    let shared = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    if let (Some(&byte), Some(&limit)) = (before.get(shared), after.get(shared))
        && byte < 0xff
        && byte + 1 < limit
    {
        let mut key = before.get(..shared).unwrap_or_default().to_vec();
        key.push(byte + 1);
        return key;
    }
    before.to_vec()
}

/// A short key that is no less than `key`.
fn short_successor(key: &[u8]) -> Vec<u8> {
    match key.iter().position(|byte| *byte != 0xff) {
        Some(at) => {
            let mut short = key.get(..=at).unwrap_or_default().to_vec();
            if let Some(last) = short.last_mut() {
                *last += 1;
            }
            short
        }
        None => key.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_between_blocks_are_short() {
        assert_eq!(shortest_separator(b"abc", b"abz"), b"abd");
        assert_eq!(shortest_separator(b"abc", b"abd"), b"abc", "nothing shorter lies between");
        assert_eq!(shortest_separator(b"ab", b"abc"), b"ab", "one begins the other");
        assert_eq!(shortest_separator(b"a\xff", b"b"), b"a\xff");
        assert_eq!(short_successor(b"\xff\xffa\xff"), b"\xff\xffb");
        assert_eq!(short_successor(b"\xff"), b"\xff");
        assert_eq!(short_successor(b""), b"");
    }
}
