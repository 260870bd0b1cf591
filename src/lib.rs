//! Reads TensorFlow checkpoints without TensorFlow.
//!
//! Three floors, each usable alone:
//!
//! - [`read`] opens whatever a path leads to (a V2 or V1 checkpoint, a directory of them, a SavedModel, a TensorFlow
//!   Serving directory, files of Keras, safetensors and NumPy) as one model: [`read::checkpoint::Checkpoint`], named
//!   tensors that are read in whole or in part. Begin here. Its rooms are the formats themselves, for tools of your own.
//! - [`analysis`] answers questions about a checkpoint: what its tensors are for ([`analysis::Roles`]), which of them a
//!   selector takes ([`analysis::Selector`]), what dominates ([`analysis::Summary`]), whether it is intact
//!   ([`analysis::validate`]).
//! - [`report`] renders the answers as text, JSON and other formats.
//!
//! Features are the floors of the house, each with those below it: without any (`default-features = false`) there is the
//! reader, which opens every format and reads every tensor; `graphs` adds what programs say of their variables,
//! `analysis` the questions, `report` the answers as text and JSON, `cli` the command.
//!
//! Nothing panics or allocates by a number from a file: damage is an [`base::error::Error`] that says what, where and, if
//! known, what to do, and what is left of a damaged index is still listed.
//!
//! ```
//! use ckpt::read::checkpoint::{Checkpoint, Choice};
//! use ckpt::base::limits::Limits;
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
//! # Ok::<(), ckpt::base::error::Error>(())
//! ```

#![cfg_attr(not(feature = "analysis"), expect(dead_code, reason = "what only the questions above ask for"))]

#[cfg(feature = "analysis")]
pub mod analysis;
pub mod base;
pub mod read;
#[cfg(feature = "report")]
pub mod report;
