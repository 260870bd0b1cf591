//! Values printed as `print(array)` of NumPy 2.4 prints them, in two passes and bounded memory.
//!
//! [`Layout`] says which elements are shown, [`Format`] sees those once to find the width of the columns, [`Writer`]
//! sees them again and prints. Nothing is kept in between, so a caller reads the same elements twice.
//! float16, bfloat16 and the small floats get the digits that tell them from their neighbours, like float32 does.

mod digits;
mod format;
mod layout;
pub mod npy;
mod writer;

pub use format::Format;
pub use layout::{Layout, Visible};
pub use writer::{Writer, quoted};

/// How to print; the defaults are NumPy's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most digits after the point. `None` is NumPy's way: 8 in arrays, a scalar in full.
    pub precision: Option<usize>,
    /// More elements than these are summarised with `...`.
    pub threshold: u64,
    /// How many elements a summary shows at either end of a dimension.
    pub edge_items: u64,
    /// Columns before a row is continued on the next line.
    pub line_width: usize,
    /// Show every element, and strings in full.
    pub full: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { precision: None, threshold: 1000, edge_items: 3, line_width: 75, full: false }
    }
}

#[cfg(test)]
mod tests;
