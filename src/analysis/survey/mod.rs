//! What `inspect` sees: the checkpoint itself and what lies around it.

pub(in crate::analysis) mod beside;
pub(in crate::analysis) mod files;
pub(in crate::analysis) mod keras_model;
pub(in crate::analysis) mod memory;
pub(in crate::analysis) mod model;
mod own_counter;
pub(in crate::analysis) mod serving;
pub(in crate::analysis) mod state_file;
pub(in crate::analysis) mod step;
pub(in crate::analysis) mod subject;
pub(in crate::analysis) mod summary;
