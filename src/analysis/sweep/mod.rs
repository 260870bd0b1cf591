//! Reading every byte: what one thread takes at a time, and what is read together.

pub(in crate::analysis) mod cut;
pub(in crate::analysis) mod nearby;
