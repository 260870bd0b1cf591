//! Object graphs and layers, drawn.

pub(in crate::report) mod json;
pub(in crate::report) mod text;
pub(in crate::report) mod told;
pub(in crate::report) mod tree;
