//! Object graphs and layers, drawn.

pub(in crate::report) mod json;
pub(in crate::report) mod text;
