//! The seam to formats that are written: what is to be written is told first, then come the bytes.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use super::{Parts, StoredSlice, Tensor, Tensors};
use crate::base::error::Result;
use crate::read::storage::Bridge;
use crate::read::tensor::TensorSlice;
use crate::read::wire::Crc32c;

/// A part of a tensor that is to be written: all of it, or a slice of a partitioned variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedPart {
    /// Its place in the full tensor.
    pub slice: Option<TensorSlice>,
    /// The shard that it is wanted in, by formats that have shards.
    pub shard: i32,
}

impl WantedPart {
    /// The `n`th part of a tensor.
    pub fn of(tensor: &Tensor, n: usize) -> Option<Self> {
        match &tensor.parts {
            Parts::Whole(place) => (n == 0).then_some(Self { slice: None, shard: place.shard }),
            Parts::Slices(slices) => slices.get(n).map(|StoredSlice { slice, place }| Self {
                slice: Some(slice),
                shard: place.map_or(0, |place| place.shard),
            }),
        }
    }

    /// How many a tensor has.
    pub fn count(tensor: &Tensor) -> usize {
        match &tensor.parts {
            Parts::Whole(_) => 1,
            Parts::Slices(slices) => slices.len(),
        }
    }
}

/// Bytes of a tensor's elements; 0 where they differ in size.
pub fn element_bytes(tensor: &Tensor) -> u64 {
    let size = tensor.dtype.element_size().unwrap_or(0);
    tensor.elements().and_then(|n| n.checked_mul(size)).unwrap_or(0)
}

/// In which form the bytes of a part come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Numbers, little-endian and in C order.
    Numbers,
    /// Strings, one after the other, of these lengths.
    Strings(Vec<u64>),
    /// As a file of the same format stores them, which has this checksum of them.
    Stored(Crc32c),
}

/// Which part of which tensor: positions in the tensors and among the parts of one.
pub type PartId = (usize, usize);

/// A checkpoint that is being written. Nothing of it is complete before [`Sink::finish`].
pub trait Sink: Debug {
    /// Why a tensor cannot be held by this format. Asked before anything is written.
    fn refuses(&self, tensor: &Tensor) -> Option<String>;

    /// Whether bytes can be taken as a file of this format stores them.
    fn takes_stored(&self) -> bool {
        false
    }

    /// Takes note of everything that will be written, of whose places only the shards count, and says in which order it
    /// wants the parts.
    ///
    /// # Errors
    /// If the files cannot be begun, or the format has no room for so much.
    fn begin(&mut self, all: Arc<Tensors>) -> Result<Vec<PartId>>;

    /// The bytes that follow are of this part.
    ///
    /// # Errors
    /// If what comes before them cannot be written.
    fn part(&mut self, part: PartId, incoming: Incoming) -> Result<()>;

    /// Takes bytes.
    ///
    /// # Errors
    /// If they cannot be written.
    fn bytes(&mut self, bytes: &[u8]) -> Result<()>;

    /// A part has been given whole.
    ///
    /// # Errors
    /// If what comes behind it cannot be written.
    fn end_part(&mut self) -> Result<()>;

    /// Everything has been given. Answers with the names of the files, those by which the others are found last.
    ///
    /// # Errors
    /// If they cannot be written to their end.
    fn finish(&mut self) -> Result<Vec<String>>;

    /// Writes into `dir` an index of the files that were written, as it is if they have other names, of which `is_taken`
    /// says that nothing has them; a format of one file has none.
    ///
    /// # Errors
    /// If it cannot be written.
    fn bridge(&mut self, _dir: &Path, _is_taken: &dyn Fn(&str) -> bool) -> Result<Option<Bridge>> {
        Ok(None)
    }
}
