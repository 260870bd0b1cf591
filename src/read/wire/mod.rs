//! Bytes to primitive values. Knows no file format.
//!
//! Everything here works on slices that somebody else read, never allocates by a number from the file, and reports
//! the absolute offset of what it could not read.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]

#[expect(
    clippy::arithmetic_side_effects,
    reason = "exponents of a field of 2^31, never numbers from a file as they are"
)]
mod bit_flip;
mod crc;
mod cursor;
mod farmhash;
#[expect(clippy::arithmetic_side_effects, reason = "arithmetic of a field of 2^31 elements, checked by its tests")]
pub(crate) mod gf2;
pub mod ordered_code;
mod proto;
mod text_position;
mod walker;
mod write;

pub use bit_flip::{BitFlip, bit_odds, crc_of_zeros, single_bit, single_bit_from_end};
pub use crc::{Crc32c, MaskedCrc};
pub use cursor::Cursor;
pub use farmhash::fingerprint64;
pub use proto::{Field, Fields, Value};
pub use text_position::Position;
pub(crate) use walker::Walker;
pub use write::{write_bytes, write_fixed32, write_number, write_number_even_zero, write_varint};
