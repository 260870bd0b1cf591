//! Layer 4: everything a user may point at.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
pub mod fingerprint;
pub mod object_graph;
pub mod state;
