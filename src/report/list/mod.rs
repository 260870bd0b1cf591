//! The rows of `list`.

pub(in crate::report) mod alone;
pub(in crate::report) mod json;
pub(in crate::report) mod names;
mod places;
pub(in crate::report) mod table;
pub(in crate::report) mod text;
pub(in crate::report) mod told;
