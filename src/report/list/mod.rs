//! The rows of `list`.

pub(in crate::report) mod json;
pub(in crate::report) mod names;
pub(in crate::report) mod text;
