//! What programs say of their variables: graphs op by op, SavedModels, meta graphs, object graphs, configurations
//! of Keras. Knows no checkpoint.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod collection;
mod constants;
pub mod fingerprint;
pub mod graph;
pub mod imported_types;
pub mod keras;
mod message_file;
pub mod meta_graph;
pub mod model_file;
pub mod object_graph;
pub mod restores;
pub mod saved_model;
pub mod saved_objects;
mod signature;
mod spec;
pub mod training;
