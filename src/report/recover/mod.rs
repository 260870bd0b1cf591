//! What `recover` mended, or would mend.

pub(in crate::report) mod json;
pub(in crate::report) mod text;
