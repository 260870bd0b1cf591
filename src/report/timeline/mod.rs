//! Directories of checkpoints: `log` and `latest`.

pub(in crate::report) mod events;
pub(in crate::report) mod json;
pub(in crate::report) mod table;
pub(in crate::report) mod text;
pub(in crate::report) mod told;
mod training_json;
mod training_layers;
mod training_text;
