//! Layer 4: everything a user may point at.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fields;
pub mod fingerprint;
pub mod meta_graph;
pub mod object_graph;
pub mod saved_model;
mod signature;
pub mod state;
