//! What `recover` mended, or would mend.

pub(in crate::report) mod json;
mod text;
pub(in crate::report) mod told;
