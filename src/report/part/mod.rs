//! A share of a report: as a document that `merge` takes, and for people.

pub(in crate::report) mod json;
pub(in crate::report) mod text;
