//! Comparing two checkpoints: what was added, removed and changed, where, and by how much.
//!
//! `pair` finds which tensor of B is which of A; `judge` says what shapes, dtypes and checksums alone tell of a pair and
//! lists the rest (`work`); `read` goes through the list in `units` on all cores, keeps the `books` and hands out what
//! is to be told; `values` compares one pair; `delta` is the arithmetic, `kernel` its loops over the types of `kinds`.
//! Nothing is called identical that was not compared: by its checksum, or byte by byte.

mod books;
mod delta;
mod expect;
mod judge;
mod kernel;
mod kinds;
mod model;
mod order;
mod pair;
mod read;
mod renamed;
mod strings;
mod units;
mod values;
mod work;

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use self::judge::Judge;
use self::read::Job;
use self::work::{Wishes, Work};
use super::rename::Renames;
use super::select::Selector;
use super::validate::Progress;
use crate::checkpoint::{Checkpoint, Tensor};
use crate::error::{ErrorKind, Result};

pub use expect::{Expectation, Expected};
pub use model::{Ambiguous, Change, Diff, Facts, Figures, PairedBy, Same, ScopeTally, Side, Status, Tally, Values};
pub use order::{ChangeKey, Largest, by_change};

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
    fn excuses(self, difference: f64, of: f64, ulps: impl FnOnce() -> u64) -> bool {
        difference <= self.atol + self.rtol * of || self.ulps.is_some_and(|most| ulps() <= most)
    }
}

/// Compares two checkpoints, and keeps everything that is to be told.
///
/// # Errors
/// A request that cannot be carried out: names that `--map` makes equal, too many expectations. What cannot be read is
/// no error but a [`Change`].
pub fn diff<'c>(a: &'c Checkpoint, b: &'c Checkpoint, options: &DiffOptions, progress: &Progress) -> Result<Diff<'c>> {
    let comparison = Comparison::new(a, b, options)?;
    let mut changes = Vec::new();
    let keep = |(), some: Vec<Change>| {
        changes.extend(some);
        ControlFlow::Continue(())
    };
    let found = comparison.each(progress, |_| (), keep).0;
    Ok(Diff { changes, ..found })
}

/// Two checkpoints whose indexes have been compared. What is left to be read takes 16 bytes a pair.
pub struct Comparison<'c, 'o> {
    a: &'c Checkpoint,
    b: &'c Checkpoint,
    options: &'o DiffOptions,
    judge: Judge<'c, 'o>,
}

/// What [`Comparison::each`] went through, to go through it again.
pub struct Again<'c, 'o> {
    a: &'c Checkpoint,
    b: &'c Checkpoint,
    options: &'o DiffOptions,
    work: Vec<Work>,
    wishes: Wishes,
}

impl<'c, 'o> Comparison<'c, 'o> {
    /// Pairs the tensors of two checkpoints, and judges what indexes tell.
    ///
    /// # Errors
    /// As [`diff`].
    pub fn new(a: &'c Checkpoint, b: &'c Checkpoint, options: &'o DiffOptions) -> Result<Self> {
        if options.expectations.len() > 64 {
            return Err(ErrorKind::Request("more than 64 expectations".to_owned()).into());
        }
        let mut judge = Judge::new(a, b, options);
        let leftovers = pair::by_names(a, b, &options.map, &mut |pair| judge.pair(pair))?;
        let leftovers = pair::by_graphs(a, b, leftovers, options, &mut judge);
        judge.single(leftovers);
        judge.work = work::by_name(std::mem::take(&mut judge.work), a.tensors(), b.tensors());
        Ok(Self { a, b, options, judge })
    }

    /// Of how many there may be something to tell.
    pub fn len(&self) -> usize {
        self.judge.work.len()
    }

    /// Whether the indexes settled everything, and there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.judge.work.is_empty()
    }

    /// Reads what indexes do not settle, and tells of everything by name; nothing is kept of what is told.
    ///
    /// `make` is given changes that follow one another, on any thread; what it makes of them goes with them to `take`,
    /// in order and on the caller's thread. If `take` breaks off, nothing more is handed to it, and the answer lacks
    /// the rest. The answer has no changes.
    pub fn each<T: Send>(
        self,
        progress: &Progress,
        make: impl Fn(&[Change]) -> T + Sync,
        mut take: impl FnMut(T, Vec<Change>) -> ControlFlow<()>,
    ) -> (Diff<'c>, Again<'c, 'o>) {
        let Self { a, b, options, judge } = self;
        let Judge { work, wishes, diff, mut ledger, .. } = judge;
        progress.total.fetch_add(diff.bytes_read, Ordering::Relaxed);
        let job = Job { a, b, work: &work, order: None, wishes: &wishes, options, progress };
        job.run(make, |made, changes, books| {
            ledger.take(&books);
            take(made, changes)
        });
        (ledger.close(diff), Again { a, b, options, work, wishes })
    }
}

impl Again<'_, '_> {
    /// Reads these again, given by [`Change::at`], and tells of them in this order.
    pub fn each<T: Send>(
        &self,
        order: &[usize],
        progress: &Progress,
        make: impl Fn(&[Change]) -> T + Sync,
        mut take: impl FnMut(T, Vec<Change>) -> ControlFlow<()>,
    ) {
        let Self { a, b, options, work, wishes } = self;
        let job = Job { a, b, work, order: Some(order), wishes, options, progress };
        job.run(make, |made, changes, _| take(made, changes));
    }
}

/// The tensor with a position.
fn tensor(checkpoint: &Checkpoint, at: usize) -> Option<Tensor> {
    checkpoint.tensors().get(at)
}
