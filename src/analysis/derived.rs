//! What the index alone says of values: a checksum of four bytes determines them.
//!
//! Used where the data is missing, and always marked as derived.

use super::forensics::{Derived, is_all_zero, scalar_from_crc, scalar_from_crc_big_endian};
use crate::read::checkpoint::{Checkpoint, Parts, Place, Tensor};

/// The value of a scalar, from its checksum.
pub fn derived(checkpoint: &Checkpoint, tensor: &Tensor) -> Option<Derived> {
    if tensor.elements() != Some(1) {
        return None;
    }
    let crc = whole(tensor)?.crc32c?.0;
    let big_endian = checkpoint.is_big_endian();
    if big_endian { scalar_from_crc_big_endian(tensor.dtype, crc) } else { scalar_from_crc(tensor.dtype, crc) }
}

/// Whether a tensor of more than one element is entirely zero, by its checksum.
pub fn is_zero(tensor: &Tensor) -> bool {
    let (Some(crc), Some(bytes)) = (whole(tensor).and_then(|place| place.crc32c), tensor.bytes()) else { return false };
    tensor.elements().is_some_and(|n| n > 1) && is_all_zero(tensor.dtype, bytes, crc.0)
}

/// Whether the file that holds a tensor, or a part of it, is not there.
pub fn is_missing(checkpoint: &Checkpoint, tensor: &Tensor) -> bool {
    MissingShards::default().is_missing(checkpoint, tensor)
}

/// [`is_missing`] for many tensors: remembers the shard that was asked for last.
#[derive(Clone, Copy, Debug, Default)]
pub struct MissingShards {
    last: Option<(i32, bool)>,
}

impl MissingShards {
    /// As [`is_missing`].
    #[inline]
    pub fn is_missing(&mut self, checkpoint: &Checkpoint, tensor: &Tensor) -> bool {
        match &tensor.parts {
            Parts::Whole(place) => self.lacks(checkpoint, place.shard),
            Parts::Slices(slices) => {
                slices.places().any(|place| place.is_none_or(|place| self.lacks(checkpoint, place.shard)))
            }
        }
    }

    #[inline]
    fn lacks(&mut self, checkpoint: &Checkpoint, shard: i32) -> bool {
        match self.last {
            Some((last, missing)) if last == shard => missing,
            _ => {
                let missing = !checkpoint.has_shard(shard);
                self.last = Some((shard, missing));
                missing
            }
        }
    }
}

fn whole(tensor: &Tensor) -> Option<&Place> {
    match &tensor.parts {
        Parts::Whole(place) => Some(place),
        Parts::Slices(_) => None,
    }
}
