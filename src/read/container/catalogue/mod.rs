//! All tensors of a checkpoint, by name, in less memory than their index takes as a file.
//!
//! Records lie one behind the other as they do in the table that they come from: of a name only what differs from the
//! one before, a name in full every [`RESTART`] records, and of everything else a few bytes. Dtype and shape are one
//! small number, since a million tensors have a few of them between them. What is asked for is made on the way: an
//! owned [`Tensor`] where one is wanted, a borrowed one of a [`Cursor`] where all of them pass by.

mod build;
mod cursor;
mod record;
mod search;
#[cfg(test)]
mod tests;

pub(crate) use build::Builder;
pub use cursor::{Cursor, Iter};
pub use search::Search;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::record::length;
use super::varint::varint;
use super::{Slices, Tensor};
use crate::read::tensor::{DType, Shape};

/// A name stands in full at every such record, so that a look-up decodes no more than this many.
const RESTART: usize = 16;

/// Bytes of records that lie in one piece of memory. Small enough to be filled without ever being moved.
const CHUNK: usize = 256 << 10;

/// Dtype and shape, each pair once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Element type.
    pub dtype: DType,
    /// Shape; of a partitioned tensor the full one.
    pub shape: Shape,
}

/// The tensors of a checkpoint, sorted by name.
#[derive(Debug, Default)]
pub struct Tensors {
    chunks: Vec<Chunk>,
    len: usize,
    kinds: Vec<Kind>,
    /// Slices of partitioned tensors, by position.
    slices: BTreeMap<usize, Slices>,
}

/// Records that lie together.
///
/// A record is: how many bytes the name begins with as the one before does, how many are its own, how many it ends
/// with as that one does, its own bytes, kind and form; then, as the form says, shard, offset, size and checksum. Keys
/// of variables all end in the same 27 bytes, and neighbours often differ by a number in their middle.
#[derive(Debug)]
struct Chunk {
    /// Position of its first record.
    first: usize,
    bytes: Vec<u8>,
    /// Where every [`RESTART`]th record begins.
    restarts: Vec<u32>,
    /// The kinds of its records by the numbers that they have in it, where these are others.
    kinds: Option<Arc<[usize]>>,
}

impl Tensors {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tensor at a position.
    pub fn get(&self, at: usize) -> Option<Tensor> {
        self.cursor().reach(at).cloned()
    }

    /// The position of the tensor with exactly this name.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let mut cursor = self.cursor();
        let at = cursor.lower_bound(name);
        (at < self.len && cursor.tensor().name == name).then_some(at)
    }

    /// The position of the first tensor whose name is not less than `name`.
    pub fn lower_bound(&self, name: &[u8]) -> usize {
        self.cursor().lower_bound(name)
    }

    /// The pairs of dtype and shape that there are; [`Cursor::kind`] is a position among them.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The partitioned tensors, by position.
    pub(crate) fn partitioned(&self) -> &BTreeMap<usize, Slices> {
        &self.slices
    }

    fn bytes(&self, chunk: usize, from: usize) -> &[u8] {
        self.chunks.get(chunk).and_then(|chunk| chunk.bytes.get(from..)).unwrap_or_default()
    }
}

impl Chunk {
    /// The name at a restart, which is there in full.
    fn name_at(&self, start: u32) -> &[u8] {
        let mut rest = self.bytes.get(start as usize..).unwrap_or_default();
        let _none_shared = varint(&mut rest);
        let len = length(&mut rest);
        let _none_alike = varint(&mut rest);
        rest.get(..len).unwrap_or_default()
    }
}
