//! All tensors of a checkpoint, by name, in less memory than their index takes as a file.
//!
//! Records lie one behind the other as they do in the table that they come from: of a name only what differs from the
//! one before, a name in full every [`RESTART`] records, and of everything else a few bytes. Dtype and shape are one
//! small number, since a million tensors have a few of them between them. What is asked for is made on the way: an
//! owned [`Tensor`] where one is wanted, a borrowed one of a [`Cursor`] where all of them pass by.

mod build;
mod search;
#[cfg(test)]
mod tests;

pub(crate) use build::Builder;
pub use search::Search;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::varint::{signed32, varint};
use super::{Parts, Place, Slices, Tensor};
use crate::read::tensor::{DType, Shape};
use crate::read::wire::Crc32c;

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

/// The low bits of the number that names a record's kind.
mod form {
    /// The shard is not 0 and follows.
    pub(super) const SHARD: u64 = 1;
    /// The size is not what dtype and shape make it, and follows.
    pub(super) const SIZE: u64 = 2;
    /// There is an offset, and a checksum behind everything else, as every entry of a bundle has them.
    pub(super) const PLACED: u64 = 4;
    /// A byte of [`rare`] bits follows, which says what there is instead.
    pub(super) const RARE: u64 = 8;
    pub(super) const BITS: u32 = 4;

    /// What a record has that is neither placed and summed nor, as in a V1 checkpoint, without both.
    pub(super) mod rare {
        /// Partitioned: nothing follows, the slices are in a map.
        pub(in super::super) const SLICES: u8 = 1;
        /// There is an offset.
        pub(in super::super) const RANGE: u8 = 2;
        /// There is a checksum. What has none must never be given one, or two tensors without would be called equal.
        pub(in super::super) const SUM: u8 = 4;
    }
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
        let mut cursor = self.cursor();
        cursor.reach(at)?;
        Some(cursor.current)
    }

    /// The position of the tensor with exactly this name.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let mut cursor = self.cursor();
        let at = cursor.lower_bound(name);
        (at < self.len && cursor.current.name == name).then_some(at)
    }

    /// The position of the first tensor whose name is not less than `name`.
    pub fn lower_bound(&self, name: &[u8]) -> usize {
        self.cursor().lower_bound(name)
    }

    /// All tensors, each with memory of its own. Where many pass by, [`Tensors::cursor`] costs less.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.cursor())
    }

    /// Goes through all tensors and allocates nothing for one.
    pub fn cursor(&self) -> Cursor<'_> {
        let scalar = Place { shard: 0, range: None, crc32c: None };
        let (shape, parts) = (Shape::unknown_rank(), Parts::Whole(scalar));
        let current = Tensor { name: Vec::new(), dtype: DType::Invalid, shape, parts };
        Cursor {
            tensors: self,
            chunk: 0,
            rest: self.bytes(0, 0),
            kinds: None,
            next: 0,
            kind: usize::MAX,
            usual: 0,
            shared: 0,
            alike: 0,
            current,
        }
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

impl<'c> IntoIterator for &'c Tensors {
    type Item = Tensor;
    type IntoIter = Iter<'c>;

    fn into_iter(self) -> Iter<'c> {
        self.iter()
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

/// Owned tensors, by name.
#[derive(Debug)]
pub struct Iter<'c>(Cursor<'c>);

impl Iterator for Iter<'_> {
    type Item = Tensor;

    fn next(&mut self) -> Option<Tensor> {
        self.0.advance().map(|(_, tensor)| tensor.clone())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.tensors.len.saturating_sub(self.0.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// A place among the tensors of a checkpoint. The tensor there is made in memory that is used again for the next.
#[derive(Debug)]
pub struct Cursor<'c> {
    tensors: &'c Tensors,
    chunk: usize,
    /// What is left of the chunk.
    rest: &'c [u8],
    /// Other numbers of kinds in this chunk.
    kinds: Option<&'c [usize]>,
    /// Position of the record at `rest`.
    next: usize,
    kind: usize,
    /// The size that this kind makes.
    usual: i64,
    /// How many bytes the name begins with as the one that was here before.
    shared: usize,
    /// How many it surely ends with as that one.
    alike: usize,
    current: Tensor,
}

impl Cursor<'_> {
    /// The next tensor with its position.
    #[inline]
    pub fn advance(&mut self) -> Option<(usize, &Tensor)> {
        if self.rest.is_empty() {
            let chunk = self.chunk.saturating_add(1);
            self.rest = self.tensors.bytes(chunk, 0);
            if self.rest.is_empty() {
                return None;
            }
            self.chunk = chunk;
            self.kinds = self.tensors.chunks.get(chunk).and_then(|chunk| chunk.kinds.as_deref());
        }
        let at = self.next;
        self.next = at.saturating_add(1);
        self.decode(at);
        Some((at, &self.current))
    }

    /// Goes to a position, so that the tensor there is the one that [`Cursor::tensor`] has; false if there is none.
    pub fn seek(&mut self, at: usize) -> bool {
        if at >= self.tensors.len {
            return false;
        }
        // A little way ahead is quicker on foot.
        if at < self.next || at.saturating_sub(self.next) >= RESTART {
            let after = self.tensors.chunks.partition_point(|chunk| chunk.first <= at);
            let chunk = after.saturating_sub(1);
            let first = self.tensors.chunks.get(chunk).map_or(0, |chunk| chunk.first);
            self.jump(chunk, at.saturating_sub(first) / RESTART);
        }
        while self.next <= at {
            if self.advance().is_none() {
                return false;
            }
        }
        true
    }

    /// Goes to the first tensor whose name is not less than `name`, and returns its position; behind all of them, where
    /// there is none, the cursor has no tensor that counts.
    pub fn lower_bound(&mut self, name: &[u8]) -> usize {
        let chunks = &self.tensors.chunks;
        let after = chunks.partition_point(|chunk| chunk.name_at(0) <= name);
        let at = after.saturating_sub(1);
        let restarts =
            chunks.get(at).map(|chunk| chunk.restarts.partition_point(|start| chunk.name_at(*start) <= name));
        self.jump(at, restarts.unwrap_or(0).saturating_sub(1));
        while let Some((at, tensor)) = self.advance() {
            if tensor.name.as_slice() >= name {
                return at;
            }
        }
        self.tensors.len
    }

    /// The tensor at a position.
    pub fn reach(&mut self, at: usize) -> Option<&Tensor> {
        self.seek(at).then_some(&self.current)
    }

    /// The tensor that was reached last.
    pub fn tensor(&self) -> &Tensor {
        &self.current
    }

    /// Where that is.
    pub fn position(&self) -> usize {
        self.next.saturating_sub(1)
    }

    /// How many bytes its name begins with as that of the tensor does that the cursor had before.
    pub fn shared(&self) -> usize {
        self.shared
    }

    /// How many bytes it ends with as that one at least, behind those that both begin with.
    pub fn alike(&self) -> usize {
        self.alike
    }

    /// Dtype and shape of the tensor that was reached last, as a position in [`Tensors::kinds`].
    pub fn kind(&self) -> usize {
        self.kind
    }

    fn jump(&mut self, chunk: usize, restart: usize) {
        let Some(found) = self.tensors.chunks.get(chunk) else { return };
        let start = found.restarts.get(restart).copied().unwrap_or(0);
        self.chunk = chunk;
        self.kinds = found.kinds.as_deref();
        self.rest = found.bytes.get(start as usize..).unwrap_or_default();
        self.next = found.first.saturating_add(restart.saturating_mul(RESTART));
    }

    fn decode(&mut self, at: usize) {
        let mut rest = self.rest;
        let (shared, own, alike) = (length(&mut rest), length(&mut rest), length(&mut rest));
        let (middle, behind) = rest.split_at_checked(own).unwrap_or_default();
        rest = behind;
        let current = &mut self.current;
        // A name that stands in full does not say it.
        self.alike = alike;
        self.shared = if shared == 0 { common_in_full(&current.name, middle) } else { shared };
        replace(&mut current.name, shared, middle, alike);
        let number = varint(&mut rest);
        let mut kind = usize::try_from(number >> form::BITS).unwrap_or(usize::MAX);
        if let Some(kinds) = self.kinds {
            kind = kinds.get(kind).copied().unwrap_or(usize::MAX);
        }
        if kind != self.kind {
            self.kind = kind;
            if let Some(Kind { dtype, shape }) = self.tensors.kinds.get(kind) {
                current.dtype = *dtype;
                current.shape.clone_from(shape);
                self.usual = usual_size(*dtype, shape).unwrap_or(0);
            }
        }
        let mut rare = match number & form::PLACED {
            0 => 0,
            _ => form::rare::RANGE | form::rare::SUM,
        };
        if number & form::RARE != 0 {
            let (bits, behind) = rest.split_first().unwrap_or((&0, &[]));
            (rare, rest) = (*bits, behind);
        }
        if rare & form::rare::SLICES != 0 {
            current.parts = Parts::Slices(self.tensors.slices.get(&at).cloned().unwrap_or_default());
        } else {
            let mut place = Place { shard: 0, range: None, crc32c: None };
            if number & form::SHARD != 0 {
                place.shard = signed32(varint(&mut rest));
            }
            if rare & form::rare::RANGE != 0 {
                let offset = varint(&mut rest).cast_signed();
                let size = match number & form::SIZE {
                    0 => self.usual,
                    _ => varint(&mut rest).cast_signed(),
                };
                place.range = Some((offset, size));
            }
            if rare & form::rare::SUM != 0 {
                let (crc, behind) = rest.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
                rest = behind;
                place.crc32c = Some(Crc32c(u32::from_le_bytes(*crc)));
            }
            current.parts = Parts::Whole(place);
        }
        self.rest = rest;
    }
}

/// Makes a name of the one before it: `shared` bytes of its beginning, `middle`, `alike` bytes of its end.
#[inline]
fn replace(name: &mut Vec<u8>, shared: usize, middle: &[u8], alike: usize) {
    let end = name.len().saturating_sub(alike);
    match name.get_mut(shared..end) {
        // Often numbers of as many digits.
        Some(old) if old.len() == middle.len() => old.copy_from_slice(middle),
        Some(_) => drop(name.splice(shared..end, middle.iter().copied())),
        // Only a record that was not written by the builder shares more than there is.
        None => {
            name.truncate(shared);
            name.extend_from_slice(middle);
        }
    }
}

/// [`common`] where that is rarely asked.
#[cold]
#[inline(never)]
fn common_in_full(a: &[u8], b: &[u8]) -> usize {
    common(a, b)
}

/// How many bytes two names begin with in common.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let ((wide_a, _), (wide_b, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let wide = wide_a.iter().zip(wide_b).take_while(|(a, b)| a == b).count().saturating_mul(8);
    let rest = a.get(wide..).unwrap_or_default().iter().zip(b.get(wide..).unwrap_or_default());
    wide.saturating_add(rest.take_while(|(a, b)| a == b).count())
}

/// The bytes that a tensor of this dtype and shape takes, where they say it.
fn usual_size(dtype: DType, shape: &Shape) -> Option<i64> {
    shape.elements()?.checked_mul(dtype.element_size()?).and_then(|size| i64::try_from(size).ok())
}

fn length(rest: &mut &[u8]) -> usize {
    usize::try_from(varint(rest)).unwrap_or(usize::MAX)
}
