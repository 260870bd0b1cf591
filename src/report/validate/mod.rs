//! The document of `validate`.

pub(in crate::report) mod json;
pub(in crate::report) mod told;
