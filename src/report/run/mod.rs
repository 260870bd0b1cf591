//! What `run` tells: the outputs of a model, or what would be run and what it can touch.

pub(in crate::report) mod facts;
pub(in crate::report) mod json;
pub(in crate::report) mod npz;
mod text;
pub(in crate::report) mod told;
