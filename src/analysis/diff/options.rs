//! What is compared, how far, and how much a change may be.

use std::sync::Arc;

use crate::analysis::Selector;
use crate::analysis::naming::rename::Renames;
use crate::analysis::parts::Share;

/// What is compared, and how.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Debug, Default)]
pub struct DiffOptions {
    /// How far a comparison goes.
    pub depth: Depth,
    /// Which tensors; on either side.
    pub only: Selector,
    /// Which tensors not; on either side.
    pub ignore: Vec<Selector>,
    /// What names of A are in B.
    pub map: Renames,
    /// Pair by names only, not through object graphs.
    pub by_name_only: bool,
    /// How much a change may be; of several that fit a tensor the last one of a kind holds.
    pub tolerances: Vec<ToleranceRule>,
    /// NaN is not equal to NaN, whatever its bits.
    pub nan_differs: bool,
    /// What the user says must be the same, or must have changed.
    pub expectations: Vec<Expecting>,
    /// Keep identical pairs in [`Diff::changes`](super::Diff::changes).
    pub keep_identical: bool,
    /// Find the singular values of what changed in matrices of floats.
    pub spectral: bool,
    /// Worker threads.
    pub threads: usize,
    /// Whether several processes make this comparison, and which one this is.
    pub share: Option<Arc<Share>>,
}

/// How far a comparison goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Names, shapes and dtypes.
    Structure,
    /// What the indexes tell: checksums too.
    Index,
    /// Values, unless checksums agree.
    #[default]
    Values,
    /// Values, whatever checksums say.
    Exact,
}

impl Depth {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Index => "index",
            Self::Values => "values",
            Self::Exact => "exact",
        }
    }
}

/// A tolerance for the tensors that a selector takes.
#[derive(Debug)]
pub struct ToleranceRule {
    /// Which tensors.
    pub selector: Selector,
    /// How much.
    pub bound: Bound,
}

/// One kind of tolerance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Absolute.
    Absolute(f64),
    /// As a share of the value in B.
    Relative(f64),
    /// In steps from one representable value to the next.
    Ulps(u64),
}

/// A change is excused where |a − b| ≤ atol + rtol·|b|, as `numpy.isclose` has it, or where no more than `ulps`
/// representable values lie between.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// Absolute.
    pub atol: f64,
    /// As a share of the value in B.
    pub rtol: f64,
    /// Steps from one representable value to the next.
    pub ulps: Option<u64>,
}

impl Tolerance {
    pub(super) fn excuses(self, difference: f64, of: f64, ulps: impl FnOnce() -> u64) -> bool {
        difference <= self.atol + self.rtol * of || self.ulps.is_some_and(|most| ulps() <= most)
    }
}

/// What is expected of tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Identical, or within tolerance.
    Same,
    /// Different.
    Changed,
}

impl Expected {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
        }
    }

    /// The key in a policy.
    pub fn in_policy(self) -> &'static str {
        match self {
            Self::Same => "frozen",
            Self::Changed => "changed",
        }
    }
}

/// What is expected of some tensors.
#[derive(Clone, Debug)]
pub struct Expecting {
    /// What.
    pub expected: Expected,
    /// Of which, as written.
    pub text: String,
    /// The same, understood.
    pub selector: Selector,
    /// Who says so, `ckpt.toml:12`; none for an option of the command.
    pub by: Option<String>,
}
