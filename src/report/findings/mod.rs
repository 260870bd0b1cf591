//! Findings of any command, in every format.

pub(in crate::report) mod github;
pub(in crate::report) mod json;
pub(in crate::report) mod junit;
pub(in crate::report) mod ruled;
pub(in crate::report) mod sarif;
pub(in crate::report) mod summary;
pub(in crate::report) mod text;
