//! What the texts and documents of several commands have in common.

pub(in crate::report) mod ages;
pub(in crate::report) mod arguments;
pub(in crate::report) mod csv;
pub(in crate::report) mod figure;
pub(in crate::report) mod format;
pub(in crate::report) mod json;
pub(in crate::report) mod look;
pub(in crate::report) mod markdown;
pub(in crate::report) mod nest;
pub(in crate::report) mod row_format;
pub(in crate::report) mod rows;
pub(in crate::report) mod spark;
pub(in crate::report) mod table;
pub(in crate::report) mod units;
pub(in crate::report) mod words;
pub(in crate::report) mod wrap;
