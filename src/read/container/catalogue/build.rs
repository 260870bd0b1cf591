//! Writing the records of the catalogue, in the order in which an index has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::{common, form, replace, usual_size};
use super::{CHUNK, Chunk, Kind, RESTART, Tensors};
use crate::read::container::varint::put;
use crate::read::container::{Parts, Place, Tensor};
use crate::read::tensor::{DType, Shape};

/// How many kinds are found without looking them up: as many as five bits of a hash tell apart.
const RECENT: usize = 32;

/// Takes tensors in as they are read and makes [`Tensors`] of them.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    tensors: Tensors,
    last: Vec<u8>,
    /// How many records the last chunk has.
    in_chunk: usize,
    kinds: BTreeMap<(DType, Shape), usize>,
    /// The size that each kind makes.
    usual: Vec<Option<i64>>,
    /// Kinds that were met lately, each where its hash puts it.
    recent: [usize; RECENT],
    disordered: bool,
    /// Whether the last chunk takes no more: its kinds may be numbered otherwise.
    is_sealed: bool,
}

impl Builder {
    /// Adds a tensor. Of those with one name the first counts.
    pub(crate) fn push(&mut self, tensor: &Tensor) {
        self.push_parts(&tensor.name, tensor.dtype, &tensor.shape, &tensor.parts);
    }

    /// As [`Builder::push`], without a [`Tensor`].
    pub(crate) fn push_parts(&mut self, name: &[u8], dtype: DType, shape: &Shape, parts: &Parts) {
        let shared = common(&self.last, name);
        if self.tensors.len > 0 && self.last.get(shared..) >= name.get(shared..) {
            if self.last == name {
                return;
            }
            self.disordered = true;
        }
        let kind = self.kind(dtype, shape);
        let usual = self.usual.get(kind).copied().flatten();
        let number = (kind as u64).wrapping_shl(form::BITS);
        let Tensors { chunks, len, slices, .. } = &mut self.tensors;
        if self.is_sealed || chunks.last().is_none_or(|chunk| chunk.bytes.len() >= CHUNK) {
            self.is_sealed = false;
            // Only where one chunk has been filled another will be.
            let room = if chunks.is_empty() { 0 } else { CHUNK + 1024 };
            if let Some(full) = chunks.last_mut() {
                full.bytes.shrink_to_fit();
                full.restarts.shrink_to_fit();
            }
            chunks.push(Chunk { first: *len, bytes: Vec::with_capacity(room), restarts: Vec::new(), kinds: None });
            self.in_chunk = 0;
        }
        let Some(chunk) = chunks.last_mut() else { return };
        let mut shared = shared;
        let mut alike = common_end(self.last.get(shared..).unwrap_or_default(), name.get(shared..).unwrap_or_default());
        if self.in_chunk.is_multiple_of(RESTART) {
            (shared, alike) = (0, 0);
            // A chunk is full long before this; one name alone may be as long as it likes.
            chunk.restarts.push(u32::try_from(chunk.bytes.len()).unwrap_or(u32::MAX));
        }
        self.in_chunk = self.in_chunk.saturating_add(1);
        let out = &mut chunk.bytes;
        let middle = name.get(shared..name.len().saturating_sub(alike)).unwrap_or_default();
        put(out, shared as u64);
        put(out, middle.len() as u64);
        put(out, alike as u64);
        out.extend_from_slice(middle);
        match parts {
            Parts::Whole(place) => put_place(out, number, place, usual),
            Parts::Slices(stored) => {
                put(out, number | form::RARE);
                out.push(form::rare::SLICES);
                slices.insert(*len, stored.clone());
            }
        }
        *len = len.saturating_add(1);
        replace(&mut self.last, shared, middle, alike);
    }

    fn kind(&mut self, dtype: DType, shape: &Shape) -> usize {
        let all = &mut self.tensors.kinds;
        let mix = |hash: u64, number: i64| (hash ^ number.cast_unsigned()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let dims = shape.dims().unwrap_or_default();
        let hash = dims.iter().fold(mix(0, dtype.number().into()), |hash, dim| mix(hash, *dim));
        let slot = usize::try_from(hash >> 59).ok().and_then(|slot| self.recent.get_mut(slot));
        if let Some(at) = &slot
            && all.get(**at).is_some_and(|kind| kind.dtype == dtype && kind.shape == *shape)
        {
            return **at;
        }
        let at = *self.kinds.entry((dtype, shape.clone())).or_insert_with(|| {
            all.push(Kind { dtype, shape: shape.clone() });
            self.usual.push(usual_size(dtype, shape));
            all.len().saturating_sub(1)
        });
        if let Some(slot) = slot {
            *slot = at;
        }
        at
    }

    /// What several builders took, one behind the other.
    pub(crate) fn join(parts: Vec<Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap_or_default();
        parts.for_each(|part| all.append(part));
        all
    }

    fn append(&mut self, behind: Self) {
        let Self { tensors: Tensors { mut chunks, len, kinds, slices }, last, disordered, .. } = behind;
        let Some(first) = chunks.first() else { return };
        self.disordered |= disordered || (self.tensors.len > 0 && self.last.as_slice() >= first.name_at(0));
        let numbers: Vec<usize> = kinds.iter().map(|kind| self.kind(kind.dtype, &kind.shape)).collect();
        let renumbered = !numbers.iter().copied().eq(0..numbers.len());
        let numbers: Option<Arc<[usize]>> = renumbered.then(|| numbers.into());
        let before = self.tensors.len;
        for chunk in &mut chunks {
            chunk.first = chunk.first.saturating_add(before);
            chunk.kinds.clone_from(&numbers);
        }
        self.seal();
        self.tensors.chunks.append(&mut chunks);
        self.tensors.slices.extend(slices.into_iter().map(|(at, slices)| (at.saturating_add(before), slices)));
        self.tensors.len = before.saturating_add(len);
        self.last = last;
        self.is_sealed = true;
    }

    /// Gives back what memory the last chunk does not need.
    fn seal(&mut self) {
        if let Some(last) = self.tensors.chunks.last_mut() {
            last.bytes.shrink_to_fit();
            last.restarts.shrink_to_fit();
        }
    }

    /// The tensors, by name.
    pub(crate) fn finish(mut self) -> Tensors {
        if self.disordered {
            // Rare and costly: TensorFlow finds only some of such a table's keys by its binary search.
            let mut all: Vec<Tensor> = self.tensors.iter().collect();
            self = Self::default();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            for tensor in &all {
                self.push(tensor);
            }
        }
        self.seal();
        self.tensors.kinds.shrink_to_fit();
        self.tensors
    }
}

/// How many bytes the two end with in common.
#[inline]
fn common_end(a: &[u8], b: &[u8]) -> usize {
    let ((_, wide_a), (_, wide_b)) = (a.as_rchunks::<8>(), b.as_rchunks::<8>());
    let wide = wide_a.iter().rev().zip(wide_b.iter().rev()).take_while(|(a, b)| a == b).count().saturating_mul(8);
    let rest = |bytes: &'_ [u8]| bytes.len().saturating_sub(wide);
    let rest = a.iter().take(rest(a)).rev().zip(b.iter().take(rest(b)).rev());
    wide.saturating_add(rest.take_while(|(a, b)| a == b).count())
}

fn put_place(out: &mut Vec<u8>, kind: u64, place: &Place, usual: Option<i64>) {
    let mut number = kind;
    let size = place.range.map(|(_, size)| size).filter(|size| Some(*size) != usual);
    if place.shard != 0 {
        number |= form::SHARD;
    }
    let rare = match (place.range, place.crc32c) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            number |= form::PLACED;
            None
        }
        (Some(_), None) => Some(form::rare::RANGE),
        (None, Some(_)) => Some(form::rare::SUM),
    };
    if rare.is_some() {
        number |= form::RARE;
    }
    if size.is_some() {
        number |= form::SIZE;
    }
    put(out, number);
    out.extend(rare);
    if place.shard != 0 {
        put(out, u64::from(place.shard.cast_unsigned()));
    }
    if let Some((offset, _)) = place.range {
        put(out, offset.cast_unsigned());
        if let Some(size) = size {
            put(out, size.cast_unsigned());
        }
    }
    if let Some(crc) = place.crc32c {
        out.extend_from_slice(&crc.0.to_le_bytes());
    }
}

impl FromIterator<Tensor> for Tensors {
    fn from_iter<I: IntoIterator<Item = Tensor>>(tensors: I) -> Self {
        let mut builder = Builder::default();
        tensors.into_iter().for_each(|tensor| builder.push(&tensor));
        builder.finish()
    }
}
