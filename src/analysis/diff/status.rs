//! How a tensor of one side compares with its partner on the other.

use super::options::Depth;

/// What became of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The same, and compared.
    Identical,
    /// Changed, but no more than the user allows.
    WithinTolerance,
    /// Other values, or other bits.
    Changed,
    /// Only in B.
    Added,
    /// Only in A.
    Removed,
    /// Another shape.
    Shape,
    /// Another dtype.
    DType,
    /// The same bytes under another name.
    Renamed,
    /// A side could not be read, or is not what was saved.
    Unreadable,
    /// The user wanted no values read, and the indexes do not tell.
    NotCompared,
    /// Several on the other side have the same contents.
    Ambiguous,
}

impl Status {
    /// Whether nothing is told of such tensors unless everything is.
    pub fn is_quiet(self, depth: Depth) -> bool {
        self == Self::Identical || (self == Self::NotCompared && depth == Depth::Structure)
    }

    /// All of them, in the order of the summary.
    pub const ALL: [Self; 11] = [
        Self::Identical,
        Self::WithinTolerance,
        Self::Changed,
        Self::Added,
        Self::Removed,
        Self::Shape,
        Self::DType,
        Self::Renamed,
        Self::Unreadable,
        Self::NotCompared,
        Self::Ambiguous,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::WithinTolerance => "within_tolerance",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Shape => "shape",
            Self::DType => "dtype",
            Self::Renamed => "renamed",
            Self::Unreadable => "unreadable",
            Self::NotCompared => "not_compared",
            Self::Ambiguous => "ambiguous",
        }
    }

    /// Whether it makes two checkpoints different.
    pub fn is_difference(self) -> bool {
        use Status::{Added, Changed, DType, Removed, Renamed, Shape};
        matches!(self, Changed | Added | Removed | Shape | DType | Renamed)
    }
}
