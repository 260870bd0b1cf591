//! A policy shown: `--show-config`.

pub(in crate::report) mod json;
pub(in crate::report) mod text;
pub(in crate::report) mod told;
