//! The rows of `stats`, in every format.

pub(in crate::report) mod csv;
pub(in crate::report) mod json;
pub(in crate::report) mod markdown;
pub(in crate::report) mod spectral;
pub(in crate::report) mod text;
pub(in crate::report) mod told;
