//! The document of `validate`.

pub(in crate::report) mod json;
