//! All tensors of a checkpoint, by name, in less memory than their index takes as a file.
//!
//! Records lie one behind the other as they do in the table that they come from: of a name only what differs from the
//! one before, a name in full every [`RESTART`] records, and of everything else a few bytes. Dtype and shape are one
//! small number, since a million tensors have a few of them between them. What is asked for is made on the way: an
//! owned [`Tensor`] where one is wanted, a borrowed one of a [`Cursor`] where all of them pass by.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Parts, Place, StoredSlice, Tensor};
use crate::tensor::{DType, Shape};
use crate::wire::Crc32c;

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
    slices: BTreeMap<usize, Arc<[StoredSlice]>>,
}

/// Records that lie together.
///
/// A record is: bytes shared with the name before, bytes that follow, these bytes, kind and form; then, as the form
/// says, shard, offset, size and checksum.
#[derive(Debug)]
struct Chunk {
    /// Position of its first record.
    first: usize,
    bytes: Vec<u8>,
    /// Where every [`RESTART`]th record begins.
    restarts: Vec<u32>,
}

/// The low bits of the number that names a record's kind.
mod form {
    /// The shard is not 0 and follows.
    pub(super) const SHARD: u64 = 1;
    /// The size is not what dtype and shape make it, and follows.
    pub(super) const SIZE: u64 = 2;
    /// There is an offset, and a checksum behind everything else. V1 checkpoints have neither.
    pub(super) const RANGE: u64 = 4;
    /// Partitioned: nothing follows, the slices are in a map.
    pub(super) const SLICES: u64 = 8;
    pub(super) const BITS: u32 = 4;
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
        let at = self.lower_bound(name);
        self.cursor().reach(at).filter(|tensor| tensor.name == name).map(|_| at)
    }

    /// The position of the first tensor whose name is not less than `name`.
    pub fn lower_bound(&self, name: &[u8]) -> usize {
        let after = self.chunks.partition_point(|chunk| chunk.name_at(0) <= name);
        let Some((at, chunk)) = after.checked_sub(1).and_then(|at| Some((at, self.chunks.get(at)?))) else { return 0 };
        let after = chunk.restarts.partition_point(|start| chunk.name_at(*start) <= name);
        let restart = after.saturating_sub(1);
        let mut cursor = self.cursor();
        cursor.jump(at, restart);
        while let Some((at, tensor)) = cursor.advance() {
            if tensor.name.as_slice() >= name {
                return at;
            }
        }
        self.len
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
        Cursor { tensors: self, chunk: 0, rest: self.bytes(0, 0), next: 0, kind: usize::MAX, current }
    }

    /// The pairs of dtype and shape that there are; [`Cursor::kind`] is a position among them.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The partitioned tensors, by position.
    pub(super) fn partitioned(&self) -> &BTreeMap<usize, Arc<[StoredSlice]>> {
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
    /// Position of the record at `rest`.
    next: usize,
    kind: usize,
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

    /// The tensor at a position.
    pub fn reach(&mut self, at: usize) -> Option<&Tensor> {
        self.seek(at).then_some(&self.current)
    }

    /// The tensor that was reached last.
    pub fn tensor(&self) -> &Tensor {
        &self.current
    }

    /// Dtype and shape of the tensor that was reached last, as a position in [`Tensors::kinds`].
    pub fn kind(&self) -> usize {
        self.kind
    }

    fn jump(&mut self, chunk: usize, restart: usize) {
        let Some(found) = self.tensors.chunks.get(chunk) else { return };
        let start = found.restarts.get(restart).copied().unwrap_or(0);
        self.chunk = chunk;
        self.rest = found.bytes.get(start as usize..).unwrap_or_default();
        self.next = found.first.saturating_add(restart.saturating_mul(RESTART));
    }

    fn decode(&mut self, at: usize) {
        let mut rest = self.rest;
        let shared = length(&mut rest);
        let more = length(&mut rest);
        let (tail, behind) = rest.split_at_checked(more).unwrap_or_default();
        rest = behind;
        let current = &mut self.current;
        current.name.truncate(shared);
        current.name.extend_from_slice(tail);
        let number = varint(&mut rest);
        let kind = usize::try_from(number >> form::BITS).unwrap_or(usize::MAX);
        if kind != self.kind {
            self.kind = kind;
            if let Some(Kind { dtype, shape }) = self.tensors.kinds.get(kind) {
                current.dtype = *dtype;
                current.shape.clone_from(shape);
            }
        }
        if number & form::SLICES != 0 {
            let slices = self.tensors.slices.get(&at);
            current.parts = Parts::Slices(slices.map_or_else(|| Arc::from([]), Arc::clone));
        } else {
            let mut place = Place { shard: 0, range: None, crc32c: None };
            if number & form::SHARD != 0 {
                place.shard = signed32(varint(&mut rest));
            }
            if number & form::RANGE != 0 {
                let offset = varint(&mut rest).cast_signed();
                let size = match number & form::SIZE {
                    0 => usual_size(current.dtype, &current.shape).unwrap_or(0),
                    _ => varint(&mut rest).cast_signed(),
                };
                let (crc, behind) = rest.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
                rest = behind;
                place.range = Some((offset, size));
                place.crc32c = Some(Crc32c(u32::from_le_bytes(*crc)));
            }
            current.parts = Parts::Whole(place);
        }
        self.rest = rest;
    }
}

/// The bytes that a tensor of this dtype and shape takes, where they say it.
fn usual_size(dtype: DType, shape: &Shape) -> Option<i64> {
    shape.elements()?.checked_mul(dtype.element_size()?).and_then(|size| i64::try_from(size).ok())
}

/// A number in groups of seven bits, the lowest first.
#[inline]
fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0u64;
    let mut shift = 0;
    while let Some((byte, behind)) = rest.split_first() {
        *rest = behind;
        value |= u64::from(byte & 0x7f).wrapping_shl(shift);
        if *byte < 0x80 {
            break;
        }
        shift = shift.saturating_add(7);
    }
    value
}

fn length(rest: &mut &[u8]) -> usize {
    usize::try_from(varint(rest)).unwrap_or(usize::MAX)
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes().first().map_or(0, |byte| byte | 0x80));
        value >>= 7;
    }
    out.push(value.to_le_bytes().first().copied().unwrap_or(0));
}

/// A shard's number as it was before it was widened for [`put`].
fn signed32(value: u64) -> i32 {
    u32::try_from(value).unwrap_or(u32::MAX).cast_signed()
}

/// Takes tensors in as they are read and makes [`Tensors`] of them.
#[derive(Debug, Default)]
pub(super) struct Builder {
    tensors: Tensors,
    last: Vec<u8>,
    /// How many records the last chunk has.
    in_chunk: usize,
    kinds: BTreeMap<(DType, Shape), usize>,
    /// The kind of the tensor that was added last; the next one's is often the same.
    recent: usize,
    disordered: bool,
}

impl Builder {
    /// Adds a tensor. Of those with one name the first counts.
    pub(super) fn push(&mut self, tensor: &Tensor) {
        self.push_parts(&tensor.name, tensor.dtype, &tensor.shape, &tensor.parts);
    }

    /// As [`Builder::push`], without a [`Tensor`].
    pub(super) fn push_parts(&mut self, name: &[u8], dtype: DType, shape: &Shape, parts: &Parts) {
        let shared = self.last.iter().zip(name).take_while(|(a, b)| a == b).count();
        if self.tensors.len > 0 && self.last.get(shared..) >= name.get(shared..) {
            if self.last == name {
                return;
            }
            self.disordered = true;
        }
        let number = (self.kind(dtype, shape) as u64).wrapping_shl(form::BITS);
        let Tensors { chunks, len, slices, .. } = &mut self.tensors;
        if chunks.last().is_none_or(|chunk| chunk.bytes.len() >= CHUNK) {
            // Only where one chunk has been filled another will be.
            let room = if chunks.is_empty() { 0 } else { CHUNK + 1024 };
            if let Some(full) = chunks.last_mut() {
                full.bytes.shrink_to_fit();
                full.restarts.shrink_to_fit();
            }
            chunks.push(Chunk { first: *len, bytes: Vec::with_capacity(room), restarts: Vec::new() });
            self.in_chunk = 0;
        }
        let Some(chunk) = chunks.last_mut() else { return };
        let mut shared = shared;
        if self.in_chunk.is_multiple_of(RESTART) {
            shared = 0;
            // A chunk is full long before this; one name alone may be as long as it likes.
            chunk.restarts.push(u32::try_from(chunk.bytes.len()).unwrap_or(u32::MAX));
        }
        self.in_chunk = self.in_chunk.saturating_add(1);
        let out = &mut chunk.bytes;
        let tail = name.get(shared..).unwrap_or_default();
        put(out, shared as u64);
        put(out, tail.len() as u64);
        out.extend_from_slice(tail);
        match parts {
            Parts::Whole(place) => put_place(out, number, place, usual_size(dtype, shape)),
            Parts::Slices(stored) => {
                put(out, number | form::SLICES);
                slices.insert(*len, Arc::clone(stored));
            }
        }
        *len = len.saturating_add(1);
        self.last.truncate(shared);
        self.last.extend_from_slice(tail);
    }

    fn kind(&mut self, dtype: DType, shape: &Shape) -> usize {
        let all = &mut self.tensors.kinds;
        if all.get(self.recent).is_none_or(|kind| kind.dtype != dtype || kind.shape != *shape) {
            self.recent = *self.kinds.entry((dtype, shape.clone())).or_insert_with(|| {
                all.push(Kind { dtype, shape: shape.clone() });
                all.len().saturating_sub(1)
            });
        }
        self.recent
    }

    /// The tensors, by name.
    pub(super) fn finish(mut self) -> Tensors {
        if self.disordered {
            // Rare and costly: TensorFlow finds only some of such a table's keys by its binary search.
            let mut all: Vec<Tensor> = self.tensors.iter().collect();
            self = Self::default();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            for tensor in &all {
                self.push(tensor);
            }
        }
        if let Some(last) = self.tensors.chunks.last_mut() {
            last.bytes.shrink_to_fit();
            last.restarts.shrink_to_fit();
        }
        self.tensors.kinds.shrink_to_fit();
        self.tensors
    }
}

fn put_place(out: &mut Vec<u8>, kind: u64, place: &Place, usual: Option<i64>) {
    let mut number = kind;
    let size = place.range.map(|(_, size)| size).filter(|size| Some(*size) != usual);
    if place.shard != 0 {
        number |= form::SHARD;
    }
    if place.range.is_some() {
        number |= form::RANGE;
    }
    if size.is_some() {
        number |= form::SIZE;
    }
    put(out, number);
    if place.shard != 0 {
        put(out, u64::from(place.shard.cast_unsigned()));
    }
    if let Some((offset, _)) = place.range {
        put(out, offset.cast_unsigned());
        if let Some(size) = size {
            put(out, size.cast_unsigned());
        }
        out.extend_from_slice(&place.crc32c.unwrap_or_default().0.to_le_bytes());
    }
}

impl FromIterator<Tensor> for Tensors {
    fn from_iter<I: IntoIterator<Item = Tensor>>(tensors: I) -> Self {
        let mut builder = Builder::default();
        tensors.into_iter().for_each(|tensor| builder.push(&tensor));
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::TensorSlice;

    fn tensor(name: &[u8], n: i64) -> Tensor {
        let range = Some((n * 1000 - 3, if n % 5 == 0 { -1 } else { 8 * n }));
        let shard = i32::try_from(n % 7).unwrap() - 1;
        let mut parts =
            Parts::Whole(Place { shard, range, crc32c: Some(Crc32c(0x8000_0000 | u32::try_from(n).unwrap())) });
        if n % 11 == 0 {
            parts = Parts::Whole(Place { shard, range: None, crc32c: None });
        }
        if n % 13 == 0 {
            parts = Parts::Slices([StoredSlice { slice: TensorSlice(Vec::new()), place: None }].into());
        }
        let dtype = if n % 3 == 0 { DType::Unknown(-4) } else { DType::Float32 };
        Tensor { name: name.to_vec(), dtype, shape: Shape::new([n % 4, 2]), parts }
    }

    fn many(count: i64) -> Vec<Tensor> {
        // Long enough for several chunks.
        let name = |n: i64| format!("{:03}/{}/{n:09}", n / 100, "x".repeat(usize::try_from(n % 300).unwrap()));
        let mut all: Vec<Tensor> = (0..count).map(|n| tensor(name(n).as_bytes(), n)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    #[test]
    fn what_goes_in_comes_out() {
        for count in [0, 1, 15, 16, 17, 5000] {
            let all = many(count);
            let tensors: Tensors = all.iter().cloned().collect();
            assert_eq!((tensors.len(), tensors.is_empty()), (all.len(), all.is_empty()));
            assert_eq!(tensors.iter().collect::<Vec<_>>(), all);
            assert_eq!(tensors.iter().len(), all.len());
            assert_eq!(tensors.get(all.len()), None);
            for (at, tensor) in all.iter().enumerate() {
                assert_eq!(tensors.get(at).as_ref(), Some(tensor));
                assert_eq!(tensors.find(&tensor.name), Some(at));
                let behind = [&tensor.name[..], b"\0"].concat();
                assert_eq!((tensors.find(&behind), tensors.lower_bound(&behind)), (None, at + 1));
            }
            assert_eq!((tensors.find(b""), tensors.lower_bound(b"")), (None, 0));
        }
    }

    #[test]
    fn a_cursor_goes_where_it_is_sent() {
        let all = many(3000);
        let tensors: Tensors = all.iter().cloned().collect();
        let mut cursor = tensors.cursor();
        for at in [5, 6, 21, 2999, 0, 17, 1500, 1501, 1519, 40] {
            assert!(cursor.seek(at));
            assert_eq!(*cursor.tensor(), all[at]);
            let kind = &tensors.kinds()[cursor.kind()];
            assert_eq!((kind.dtype, &kind.shape), (all[at].dtype, &all[at].shape));
        }
        assert!(!cursor.seek(3000));
    }

    #[test]
    fn names_in_any_order_are_sorted_and_the_first_of_a_name_counts() {
        let names: [&[u8]; 6] = [b"b", b"a", b"a", b"", b"b/c", b"b"];
        let tensors: Tensors = names.iter().zip(1..).map(|(name, n)| tensor(name, n)).collect();
        let found: Vec<_> = tensors.iter().map(|t| (t.name.clone(), t)).collect();
        let names: Vec<&[u8]> = found.iter().map(|(name, _)| name.as_slice()).collect();
        assert_eq!(names, [&b""[..], b"a", b"b", b"b/c"]);
        assert_eq!((&found[1].1, &found[2].1), (&tensor(b"a", 2), &tensor(b"b", 1)));
    }
}
