//! One record: what its bits say, how a name is made of the one before it, and what dtype and shape say of its size.

use crate::read::container::varint::varint;
use crate::read::tensor::{DType, Shape};

/// The low bits of the number that names a record's kind.
pub(super) mod form {
    /// The shard is not 0 and follows.
    pub(in super::super) const SHARD: u64 = 1;
    /// The size is not what dtype and shape make it, and follows.
    pub(in super::super) const SIZE: u64 = 2;
    /// There is an offset, and a checksum behind everything else, as every entry of a bundle has them.
    pub(in super::super) const PLACED: u64 = 4;
    /// A byte of [`rare`] bits follows, which says what there is instead.
    pub(in super::super) const RARE: u64 = 8;
    pub(in super::super) const BITS: u32 = 4;

    /// What a record has that is neither placed and summed nor, as in a V1 checkpoint, without both.
    pub(in super::super) mod rare {
        /// Partitioned: nothing follows, the slices are in a map.
        pub(in super::super::super) const SLICES: u8 = 1;
        /// There is an offset.
        pub(in super::super::super) const RANGE: u8 = 2;
        /// There is a checksum. What has none must never be given one, or two tensors without would be called equal.
        pub(in super::super::super) const SUM: u8 = 4;
    }
}

/// Makes a name of the one before it: `shared` bytes of its beginning, `middle`, `alike` bytes of its end.
#[inline]
pub(super) fn replace(name: &mut Vec<u8>, shared: usize, middle: &[u8], alike: usize) {
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
pub(super) fn common_in_full(a: &[u8], b: &[u8]) -> usize {
    common(a, b)
}

/// How many bytes two names begin with in common.
#[inline]
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    let ((wide_a, _), (wide_b, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let wide = wide_a.iter().zip(wide_b).take_while(|(a, b)| a == b).count().saturating_mul(8);
    let rest = a.get(wide..).unwrap_or_default().iter().zip(b.get(wide..).unwrap_or_default());
    wide.saturating_add(rest.take_while(|(a, b)| a == b).count())
}

/// The bytes that a tensor of this dtype and shape takes, where they say it.
pub(super) fn usual_size(dtype: DType, shape: &Shape) -> Option<i64> {
    shape.elements()?.checked_mul(dtype.element_size()?).and_then(|size| i64::try_from(size).ok())
}

pub(super) fn length(rest: &mut &[u8]) -> usize {
    usize::try_from(varint(rest)).unwrap_or(usize::MAX)
}
