//! Where one piece of a tensor lies, and the slice that it may be.

use crate::read::tensor::TensorSlice;
use crate::read::wire::Crc32c;

/// Where one piece lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Data shard, or file of a sharded V1 checkpoint.
    pub shard: i32,
    /// Offset of the first byte and number of bytes, as stored; `None` in a V1 checkpoint, whose values lie in blocks.
    pub range: Option<(i64, i64)>,
    /// Checksum of the bytes, unmasked; `None` in a V1 checkpoint, whose blocks have one.
    pub crc32c: Option<Crc32c>,
}

impl Place {
    /// The place of what is to be written, of which only the shard is known.
    pub fn wanted(shard: i32) -> Self {
        Self { shard, range: None, crc32c: None }
    }
}

/// One slice of a partitioned tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSlice {
    /// Its place in the full tensor, as stored.
    pub slice: TensorSlice,
    /// Where its bytes lie; `None` if the index lists the slice but has no entry for it.
    pub place: Option<Place>,
}
