//! Reading every byte: what one thread takes at a time, what is read together, and in which order it is told.

pub(in crate::analysis) mod cut;
pub(in crate::analysis) mod engine;
pub(in crate::analysis) mod fold;
pub(in crate::analysis) mod nearby;
mod shared;
pub(in crate::analysis) mod units;
