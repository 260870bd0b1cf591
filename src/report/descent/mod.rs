//! Where checkpoints come from: `tree`.

mod dot;
pub(in crate::report) mod json;
mod text;
pub(in crate::report) mod told;
mod words;
