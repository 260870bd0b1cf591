//! From the path that a user wrote to the files that it means.
//!
//! `locate` decides, by the rules of the command line: an [`Origin`] says what was found and why there. A `directory` of
//! checkpoints, with its `state` file, is read here too, and which entries TensorFlow Serving takes for versions
//! (`serving`). Opens nothing but what it must look into to decide.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod directory;
mod found;
pub(crate) mod group;
mod locate;
mod lost_index;
mod near_misses;
mod origin;
pub mod serving;
pub mod state;
mod written_path;

pub use directory::{ModelDir, StateFile};
pub use found::Found;
pub use locate::prefix_wins;
pub use near_misses::graph_beside;
pub use origin::{Choice, Origin, SourceKind};
pub use written_path::WrittenPath;
