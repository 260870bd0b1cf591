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
    /// A summary shows no more elements than this, unless the edge items asked for make a larger matrix.
    ///
    /// NumPy has no such limit and shows 6ⁿ elements of n long dimensions.
    pub most_in_a_summary: u64,
    /// Whether a scalar has the precision of an array's elements. In NumPy it is always shown in full.
    pub shorten_scalar: bool,
    /// Never use an exponent for small numbers.
    pub suppress: bool,
    /// Which digits a float has.
    pub float_mode: FloatMode,
    /// What stands before a number that is not negative.
    pub sign: Sign,
    /// What NaN is called.
    pub nan: String,
    /// What infinity is called.
    pub infinity: String,
}

/// NumPy's `floatmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FloatMode {
    /// As many as needed to tell the value, at most the precision.
    #[default]
    MaxPrec,
    /// The same number for all elements: the most that one of them needs, at most the precision.
    MaxPrecEqual,
    /// Exactly the precision.
    Fixed,
    /// As many as needed, whatever the precision.
    Unique,
}

/// NumPy's `sign`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// Nothing.
    #[default]
    Minus,
    /// A blank, where no element is negative.
    Space,
    /// A plus.
    Plus,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            precision: None,
            threshold: 1000,
            edge_items: 3,
            line_width: 75,
            full: false,
            most_in_a_summary: 2000,
            shorten_scalar: true,
            suppress: false,
            float_mode: FloatMode::MaxPrec,
            sign: Sign::Minus,
            nan: "nan".to_owned(),
            infinity: "inf".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
