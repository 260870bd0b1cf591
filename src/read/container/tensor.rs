//! A named tensor: what it is, and where its bytes lie.

use super::place::Place;
use super::slices::Slices;
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::tensor::{Axis, DType, Shape, TensorSlice};
use crate::read::wire::Crc32c;

/// A named tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// The key, as stored.
    pub name: Vec<u8>,
    /// Element type.
    pub dtype: DType,
    /// Shape; of a partitioned tensor the full one.
    pub shape: Shape,
    /// Where the bytes lie.
    pub parts: Parts,
}

/// Where a tensor's bytes lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// In one piece.
    Whole(Place),
    /// In slices of a partitioned variable.
    Slices(Slices),
}

impl Tensor {
    /// The checksum of its bytes, if it is stored in one piece that has one.
    pub fn crc32c(&self) -> Option<Crc32c> {
        match &self.parts {
            Parts::Whole(place) => place.crc32c,
            Parts::Slices(_) => None,
        }
    }

    /// Number of elements; `None` if the shape does not allow counting them.
    pub fn elements(&self) -> Option<u64> {
        self.shape.elements()
    }

    /// Stored bytes; `None` where that is known only by reading (strings in a V1 checkpoint).
    pub fn bytes(&self) -> Option<u64> {
        let stored = |place: &Place| place.range.map(|(_, size)| u64::try_from(size).ok());
        let in_blocks = || self.elements()?.checked_mul(self.dtype.element_size()?);
        match &self.parts {
            Parts::Whole(place) => stored(place).unwrap_or_else(in_blocks),
            Parts::Slices(slices) if slices.has_blocks() => in_blocks(),
            Parts::Slices(slices) => slices.stored_bytes(),
        }
    }

    /// Whether the elements are numbers that a model would count as parameters, rather than strings or variants.
    pub fn is_numeric(&self) -> bool {
        self.dtype.element_size().is_some()
    }

    /// Dimensions as unsigned numbers.
    ///
    /// # Errors
    /// If a dimension is negative, or the elements cannot be counted.
    pub fn dims(&self) -> Result<Vec<u64>> {
        let dims = self.elements().and(self.shape.dims());
        let dims = dims.ok_or_else(|| Error::malformed("Invalid tensor shape", self.shape.to_string()));
        dims?.iter().map(|&d| u64::try_from(d).map_err(|_| Error::malformed("tensor shape", "negative"))).collect()
    }

    /// The slices of a partitioned tensor.
    pub fn slices(&self) -> Slices {
        match &self.parts {
            Parts::Whole(_) => Slices::default(),
            Parts::Slices(slices) => slices.clone(),
        }
    }
}

/// Start and length of a slice in every dimension.
pub(crate) fn resolve(slice: &TensorSlice, shape: &Shape) -> Result<Vec<(u64, u64)>> {
    let resolved = shape.dims().and_then(|dims| slice.resolve(dims));
    resolved.ok_or_else(|| ErrorKind::Slices(format!("slice {slice} does not fit shape {shape}")).into())
}

/// Whether a box and a region have an index in common in every dimension; steps may still miss it.
pub(crate) fn touches(extents: &[(u64, u64)], axes: &[Axis]) -> bool {
    extents.iter().zip(axes).all(|(&(start, len), axis)| {
        let last = axis.start.saturating_add(axis.count.saturating_sub(1).saturating_mul(axis.step));
        axis.count > 0 && start <= last && axis.start < start.saturating_add(len)
    })
}
