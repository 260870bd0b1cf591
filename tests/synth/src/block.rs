//! One block of a table: prefix-compressed entries, the restart array, its length.
//!
//! [`Block`] writes what LevelDB writes; `lying_entry`, `raw` and `finish_with` write what it never would.

use crate::proto::put_varint;

/// A block under construction.
#[derive(Clone, Debug)]
pub struct Block {
    interval: usize,
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    since_restart: usize,
    last_key: Vec<u8>,
    entries: usize,
}

impl Block {
    /// An empty block that writes a whole key every `interval` entries.
    pub fn new(interval: usize) -> Self {
        Self {
            interval: interval.max(1),
            bytes: Vec::new(),
            restarts: vec![0],
            since_restart: 0,
            last_key: Vec::new(),
            entries: 0,
        }
    }

    /// Appends an entry; order is the caller's affair.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        let shared = if self.since_restart < self.interval {
            let pairs = self.last_key.iter().zip(key);
            pairs.take_while(|(a, b)| a == b).count()
        } else {
            self.restarts.push(self.bytes.len() as u32);
            self.since_restart = 0;
            0
        };
        let delta = &key[shared..];
        self.lying_entry(shared as u64, delta.len() as u64, value.len() as u64, delta, value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(delta);
        self.since_restart += 1;
    }

    /// Appends an entry whose three lengths need not be true.
    pub fn lying_entry(&mut self, shared: u64, unshared: u64, value_len: u64, delta: &[u8], value: &[u8]) {
        put_varint(&mut self.bytes, shared);
        put_varint(&mut self.bytes, unshared);
        put_varint(&mut self.bytes, value_len);
        self.bytes.extend_from_slice(delta);
        self.bytes.extend_from_slice(value);
        self.entries += 1;
    }

    /// Appends bytes that need not be an entry.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.entries += 1;
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The last key added by [`Block::add`].
    pub fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// The size the block would have if finished now.
    pub fn size_estimate(&self) -> usize {
        self.bytes.len() + self.restarts.len() * 4 + 4
    }

    /// The contents of the block.
    pub fn finish(self) -> Vec<u8> {
        let restarts = self.restarts.clone();
        let claimed = restarts.len() as u32;
        self.finish_with(&restarts, claimed)
    }

    /// The contents with another restart array and another claim of its length.
    pub fn finish_with(mut self, restarts: &[u32], claimed: u32) -> Vec<u8> {
        for restart in restarts {
            self.bytes.extend_from_slice(&restart.to_le_bytes());
        }
        self.bytes.extend_from_slice(&claimed.to_le_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_block_has_one_restart() {
        assert_eq!(Block::new(16).finish(), [0, 0, 0, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn keys_share_prefixes_until_the_next_restart() {
        let mut block = Block::new(2);
        for key in [b"ab", b"ac", b"ad"] {
            block.add(key, b"");
        }
        let want = [
            0, 2, 0, b'a', b'b', 1, 1, 0, b'c', 0, 2, 0, b'a', b'd', // entries
            0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, // restarts
        ];
        assert_eq!(block.finish(), want);
    }
}
