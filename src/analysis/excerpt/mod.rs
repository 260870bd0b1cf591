//! Tensors, or parts of them, that somebody asked for by name: what `print` shows.
//!
//! Values are pulled through here, so that what shows them reads no file and knows how far they were checked.

mod cells;
mod resolve;

pub use cells::Cells;
pub use resolve::{is_name, resolve};

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Tensor};
use crate::read::tensor::{Axis, Checked, Region};

/// A tensor up to this size, in bytes, is read whole even where only a part is wanted, so that its checksum can be
/// checked.
const READ_WHOLE: u64 = 16 << 20;

/// One tensor, and which part of it is wanted.
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// The tensor.
    pub tensor: Tensor,
    /// The part: all of it where no slice was given.
    pub region: Region,
    /// The slice as it was written.
    pub slice: Option<String>,
}

impl Excerpt {
    /// All of a tensor.
    ///
    /// # Errors
    /// If its dimensions cannot be counted.
    pub fn whole(tensor: Tensor) -> Result<Self> {
        let region = Region::full(&tensor.dims().map_err(|error| error.for_key(&tensor.name))?);
        Ok(Self { tensor, region, slice: None })
    }

    /// The part, a span an axis.
    pub fn axes(&self) -> Vec<Axis> {
        let spans = self.region.spans();
        spans.iter().map(|span| Axis { start: span.start, step: span.step, count: span.count }).collect()
    }

    /// Whether this is the object graph of a checkpoint, whole.
    pub fn is_object_graph(&self) -> bool {
        self.slice.is_none() && *self.tensor.name == *OBJECT_GRAPH_KEY
    }

    /// Whether the whole tensor is small enough to be read for its checksum's sake.
    pub fn is_small(&self) -> bool {
        self.tensor.bytes().is_some_and(|bytes| bytes <= READ_WHOLE)
    }

    /// Hands the elements of the part to `sink`, in C order: numbers in runs of whole elements, little-endian; strings
    /// one at a time.
    ///
    /// # Errors
    /// What cannot be read, what is not what was saved (all of it has been handed over then), and what `sink` says.
    pub fn read(&self, checkpoint: &Checkpoint, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Checked> {
        let checked = checkpoint.read(&self.tensor, &self.axes(), sink)?;
        if self.slice.is_some() { Ok(checked) } else { self.with_own(checkpoint, checked) }
    }

    /// What the archive's checksum says of a tensor that is a member by itself, where it was not compared on the way: as
    /// bytes that lie in the file as they are the values were read without it.
    fn with_own(&self, checkpoint: &Checkpoint, checked: Checked) -> Result<Checked> {
        let has_own = checked == Checked::Not && checkpoint.member_crc32(&self.tensor).is_some();
        if has_own { checkpoint.verify_own(&self.tensor) } else { Ok(checked) }
    }

    /// Reads everything in the part and nothing else, to learn whether it is what was saved.
    ///
    /// # Errors
    /// As [`Excerpt::read`].
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<Checked> {
        self.read(checkpoint, &mut |_| Ok(()))
    }

    /// Checks the whole of a small tensor of which a part is wanted. Nothing if there is nothing to check, or if the
    /// rest of it cannot be read: the part may be readable all the same.
    pub fn check_whole(&self, checkpoint: &Checkpoint) -> Option<Result<Checked>> {
        let of_a_part = self.slice.is_some() && self.is_small();
        let whole = || checkpoint.read_all(&self.tensor, &mut |_| Ok(()));
        let checked = of_a_part.then(|| self.with_own(checkpoint, whole()?))?;
        Some(checked).filter(|checked| checked.as_ref().err().is_none_or(is_mismatch))
    }
}

/// Whether the bytes of a tensor could be read but are not what was saved.
pub fn is_mismatch(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ChecksumMismatch { what: "tensor" | "member", .. })
}
