//! What a restore would do.

pub(in crate::report) mod hints;
pub(in crate::report) mod json;
pub(in crate::report) mod text;
