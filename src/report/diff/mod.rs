//! What `diff` tells, in every format.

pub(in crate::report) mod change_json;
pub(in crate::report) mod flow;
pub(in crate::report) mod github;
pub(in crate::report) mod json;
pub(in crate::report) mod lines;
mod match_json;
pub(in crate::report) mod match_map;
mod match_text;
mod spectral;
pub(in crate::report) mod table;
pub(in crate::report) mod text;
pub(in crate::report) mod told;
mod which_side;

/// The rows of a `diff` that are shown, in order.
#[derive(Debug)]
pub struct DiffRows<'d> {
    /// The rows.
    pub rows: Vec<&'d crate::analysis::diff::Change>,
    /// How many there are besides.
    pub hidden: usize,
    /// Whether names are shown as stored, and more of each row.
    pub long: bool,
    /// Whether singular values were asked for, of which CSV has columns of their own.
    pub spectral: bool,
}
