//! Layer 0: bytes to primitive values. Knows no file format.
//!
//! Everything here works on slices that somebody else read, never allocates by a number from the file, and reports
//! the absolute offset of what it could not read.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]

mod crc;
mod cursor;
mod farmhash;
pub mod ordered_code;
mod proto;

pub use crc::{Crc32c, MaskedCrc};
pub use cursor::Cursor;
pub use farmhash::fingerprint64;
pub use proto::{Field, Fields, Value};
