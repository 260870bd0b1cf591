//! Tensors written to files of other formats. Knows tensors, not where they come from.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod npy;
