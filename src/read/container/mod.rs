//! What every checkpoint is made of, whatever its format: named tensors, where their bytes lie, and the seam
//! behind which a format hides how it keeps them.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod catalogue;
mod format;
mod place;
mod sink;
mod slices;
mod tensor;
mod varint;

pub(crate) use catalogue::Builder;
pub use catalogue::{Cursor, Iter, Kind, Search, Tensors};
pub use format::{Checksums, Container, ElementBuffers, Format, Nothing, Opened, Purpose, Told};
pub use place::{Place, StoredSlice};
pub use sink::{Incoming, PartId, Sink, WantedPart, element_bytes};
pub use slices::Slices;
pub use tensor::{Parts, Tensor};
pub(crate) use tensor::{resolve, touches};
