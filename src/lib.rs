//! Reads TensorFlow checkpoints without TensorFlow.
//!
//! Three levels, each usable alone:
//!
//! - [`checkpoint`] opens whatever a path leads to (a V2 or V1 checkpoint, a directory of them, a SavedModel, a
//!   TensorFlow Serving directory) as one model: [`checkpoint::Checkpoint`], named tensors that are read in whole or
//!   in part. Begin here.
//! - [`analysis`] answers questions about a checkpoint: what its tensors are for ([`analysis::Roles`]), which of them a
//!   selector takes ([`analysis::Selector`]), what dominates ([`analysis::Summary`]), whether it is intact
//!   ([`analysis::validate`]). [`report`] renders the answers as text, JSON and other formats.
//! - [`table`], [`bundle`], [`tensor`] and [`wire`] are the formats themselves, for tools of your own.
//!
//! Features are the floors of the house, each with those below it: without any (`default-features = false`) there is the
//! reader, which opens every format and reads every tensor; `graphs` adds what programs say of their variables,
//! `analysis` the questions, `report` the answers as text and JSON, `cli` the command.
//!
//! Nothing panics or allocates by a number from a file: damage is an [`error::Error`] that says what, where and, if
//! known, what to do, and what is left of a damaged index is still listed.
//!
//! ```
//! use ckpt::checkpoint::{Checkpoint, Choice};
//! use ckpt::limits::Limits;
//!
//! let path = "testdata/saver_v2/plain".as_ref();
//! let checkpoint = Checkpoint::open(path, Choice::default(), &Limits::default())?;
//! assert!(checkpoint.damage().is_empty());
//! for tensor in checkpoint.tensors() {
//!     println!("{} {} {}", String::from_utf8_lossy(&tensor.name), tensor.dtype, tensor.shape);
//! }
//!
//! let step = checkpoint.tensor(b"global_step").expect("the saver wrote it");
//! let mut bytes = Vec::new();
//! checkpoint.read_all(&step, &mut |part| {
//!     bytes.extend_from_slice(part);
//!     Ok(())
//! })?;
//! assert_eq!(bytes, 7i64.to_le_bytes());
//! # Ok::<(), ckpt::error::Error>(())
//! ```

#![cfg_attr(not(feature = "analysis"), expect(dead_code, reason = "what only the questions above ask for"))]

#[cfg(feature = "analysis")]
pub mod analysis;
pub mod bundle;
pub mod checkpoint;
pub mod container;
pub mod error;
pub mod escape;
pub mod events;
#[cfg(feature = "report")]
pub mod export;
pub mod finder;
pub mod formats;
#[cfg(feature = "graphs")]
pub mod graphs;
pub mod limits;
pub mod nearest;
pub mod parallel;
#[cfg(feature = "graphs")]
mod pb;
pub mod progress;
#[cfg(feature = "report")]
pub mod report;
pub mod sniff;
pub mod storage;
pub mod table;
pub mod tensor;
pub mod wire;
