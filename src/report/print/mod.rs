//! What `print` tells besides values.

pub(in crate::report) mod json;
