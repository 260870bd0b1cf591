//! Comparing two checkpoints: what was added, removed and changed, where, and by how much.
//!
//! `pair` finds which tensor of B is which of A; `judge` says what shapes, dtypes and checksums alone tell of a pair;
//! `values` reads the pairs that are left (`work`), in units on all cores; `delta` is the arithmetic, `kernel` its loops
//! over the types of `kinds`. Nothing is called identical that was not compared: by its checksum, or byte by byte.

mod delta;
mod expect;
mod judge;
mod kernel;
mod kinds;
mod model;
mod pair;
mod renamed;
mod strings;
mod values;
mod work;

use super::rename::Renames;
use super::select::Selector;
use super::validate::Progress;
use crate::checkpoint::{Checkpoint, Tensor};
use crate::error::{ErrorKind, Result};

pub use expect::{Expectation, Expected};
pub use model::{Ambiguous, Change, Diff, Facts, Figures, PairedBy, Same, ScopeTally, Side, Status, Tally, Values};

/// What is compared, and how.
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
    pub expectations: Vec<(Expected, String, Selector)>,
    /// Keep identical pairs in [`Diff::changes`].
    pub keep_identical: bool,
    /// Worker threads.
    pub threads: usize,
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
    fn excuses(self, difference: f64, of: f64, ulps: impl FnOnce() -> u64) -> bool {
        difference <= self.atol + self.rtol * of || self.ulps.is_some_and(|most| ulps() <= most)
    }
}

/// Compares two checkpoints.
///
/// # Errors
/// A request that cannot be carried out: names that `--map` makes equal, too many expectations. What cannot be read is
/// no error but a [`Change`].
pub fn diff<'c>(a: &'c Checkpoint, b: &'c Checkpoint, options: &DiffOptions, progress: &Progress) -> Result<Diff<'c>> {
    if options.expectations.len() > 64 {
        return Err(ErrorKind::Request("more than 64 expectations".to_owned()).into());
    }
    let mut judge = judge::Judge::new(a, b, options);
    let leftovers = pair::by_names(a, b, &options.map, &mut |pair| judge.pair(pair))?;
    let leftovers = pair::by_graphs(a, b, leftovers, options, &mut judge);
    judge.single(leftovers);
    judge.read(progress);
    Ok(judge.finish())
}

/// The tensor with a position.
fn tensor(checkpoint: &Checkpoint, at: usize) -> Option<Tensor> {
    checkpoint.tensors().get(at)
}
