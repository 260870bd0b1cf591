//! A place among the tensors of a checkpoint, and how a record of them is decoded.

use super::record::{common_in_full, form, length, replace, usual_size};
use super::{Kind, RESTART, Tensors};
use crate::read::container::varint::{signed32, varint};
use crate::read::container::{Parts, Place, Tensor};
use crate::read::tensor::{DType, Shape};
use crate::read::wire::Crc32c;

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

impl Tensors {
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

impl<'c> IntoIterator for &'c Tensors {
    type Item = Tensor;
    type IntoIter = Iter<'c>;

    fn into_iter(self) -> Iter<'c> {
        self.iter()
    }
}
