//! What a tensor is. Knows no container.
//!
//! A tensor here is a [`DType`], a [`Shape`] and bytes: elements in C order, little-endian unless its file says
//! otherwise. Elements of less than a byte still take one byte each.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod assemble;
mod dtype;
mod element;
mod narrow;
pub mod numpy;
mod region;
mod shape;
pub mod simd;
mod slice;
mod widen;

pub use assemble::{Axis, Checked, ElementReader, Piece, Sink, read_region};
pub use dtype::DType;
pub use element::{Element, Elements, Float, decimal, swap_to_little, write_csv, write_json};
pub use narrow::{Narrow, NarrowKind};
pub use region::{Region, Span, split_selector};
pub use shape::Shape;
pub use slice::{Extent, TensorSlice};
pub use widen::{Wide, Widener, from_bfloat16, from_float16};
