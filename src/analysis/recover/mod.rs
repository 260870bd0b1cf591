//! A whole checkpoint out of a broken one, as a copy: bits flipped back, an index rebuilt, parts put together, files found
//! under other names.
//!
//! What is done is planned first ([`recover`] reads and writes nothing), as entries and the places of their bytes in
//! whatever files have them; what is planned is then written as `convert` writes everything. A tensor is taken only where
//! its bytes have the checksum of its entry. Where no checksum survives, that is said.

mod bits;
mod found;
mod index;
mod layout;
mod locate;
mod one_bit;
mod parts;
mod pieces;
mod places;
mod plans;
mod rebuild;
mod run;
mod set;
mod shards;
mod undone;

pub use found::{Did, Lost, Recovery};
pub(super) use one_bit::flipped_bits;
pub(super) use places::beside;
pub use run::recover;
pub use undone::Undo;
