//! Writes TensorFlow tables, V2 bundles, V1 checkpoints and object graphs, whole and deliberately broken, for the tests,
//! benches and fuzzers of `ckpt`.
//!
//! It shares nothing with `ckpt`'s readers, neither constants nor checksums nor varints, so that a mistake in one cannot
//! hide behind the same mistake in the other. Layouts come from the format notes and from files that TensorFlow wrote,
//! which `tests/golden.rs` reproduces byte for byte. TensorFlow 2.21 has listed and read what it writes (many blocks,
//! Snappy, slices, strings, shards, V1, a million tensors) and takes every legal hostile case, except where its Python
//! reader cannot (names that are not UTF-8, 254 dimensions, some V1 types) and slices of halves.
//!
//! ```
//! use ckpt_synth::{BundleBuilder, Compression};
//!
//! let bundle = BundleBuilder::new()
//!     .floats("dense/kernel", &[2, 2], &[1.0, 2.0, 3.0, 4.0])
//!     .strings("words", &[2], &["one", "two"])
//!     .entry_patch("dense/kernel", |entry| entry.crc ^= 1)
//!     .table(|table| table.compression(Compression::Snappy))
//!     .finish();
//! assert_eq!(bundle.shards.len(), 1);
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

pub mod big;
pub mod block;
pub mod bundle;
pub mod crc;
pub mod dtype;
pub mod entry;
pub mod graph;
pub mod hostile;
pub mod layout;
pub mod ordered_code;
pub mod payload;
pub mod proto;
pub mod table;
pub mod v1;

pub use block::Block;
pub use bundle::{Bundle, BundleBuilder};
pub use entry::{Entry, Header, Versions};
pub use graph::{Node, ObjectGraph};
pub use layout::{Layout, Part, Piece};
pub use ordered_code::{Extent, slice_key};
pub use proto::Msg;
pub use table::{Compression, TableBuilder};
pub use v1::{V1, V1Builder, Values};

/// How often something is tried that could be tried at every place of every file: `few` times, or `all` that there are
/// where `CKPT_THOROUGH` is set, as a weekly run of CI has it. Both are places and numbers that are the same in each run.
pub fn tries<T>(few: T, all: T) -> T {
    if std::env::var_os("CKPT_THOROUGH").is_some_and(|is_set| !is_set.is_empty()) { all } else { few }
}
