//! The seam to formats that are written: what is to be written is told first, then come the bytes.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use crate::base::error::Result;
use crate::read::storage::Bridge;
use crate::read::tensor::{DType, Shape, TensorSlice};
use crate::read::wire::Crc32c;

/// A tensor that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Its name.
    pub name: Vec<u8>,
    /// Element type.
    pub dtype: DType,
    /// Shape; of a partitioned tensor the full one.
    pub shape: Shape,
    /// What it is stored in: one part without a slice, or the slices of a partitioned variable.
    pub parts: Vec<HeaderPart>,
}

impl Header {
    /// Bytes of its elements; 0 where they differ in size.
    pub fn bytes(&self) -> u64 {
        let size = self.dtype.element_size().unwrap_or(0);
        self.shape.elements().and_then(|n| n.checked_mul(size)).unwrap_or(0)
    }
}

/// A part of a tensor that is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderPart {
    /// Its place in the full tensor.
    pub slice: Option<TensorSlice>,
    /// The shard that it is wanted in, by formats that have shards.
    pub shard: i32,
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

/// Which part of which tensor: positions in the headers and in [`Header::parts`].
pub type PartId = (usize, usize);

/// A checkpoint that is being written. Nothing of it is complete before [`Sink::finish`].
pub trait Sink: Debug {
    /// Why a tensor cannot be held by this format. Asked before anything is written.
    fn refuses(&self, header: &Header) -> Option<String>;

    /// Whether bytes can be taken as a file of this format stores them.
    fn takes_stored(&self) -> bool {
        false
    }

    /// Takes note of everything that will be written, and says in which order it wants the parts.
    ///
    /// # Errors
    /// If the files cannot be begun.
    fn begin(&mut self, all: Vec<Arc<Header>>) -> Result<Vec<PartId>>;

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
