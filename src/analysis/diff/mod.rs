//! Comparing two checkpoints: what was added, removed and changed, where, and by how much.
//!
//! `pair` finds which tensor of B is which of A; `judge` says what shapes, dtypes and checksums alone tell of a pair and
//! lists the rest (`work`); `read` goes through the list in `units` on all cores, keeps the `tallies` and hands out what
//! is to be told; `values` compares one pair, `spectral` finds the rank of its change; `delta` is the arithmetic,
//! `kernel` its loops over the types of `kinds`.
//! Nothing is called identical that was not compared: by its checksum, or byte by byte.

mod across;
mod by_path;
mod counted;
mod delta;
mod expect;
mod how;
mod in_order;
mod judge;
mod kernel;
mod kinds;
mod layers;
mod low_ranks;
mod matching;
mod model;
mod one_sided;
mod options;
mod order;
mod pair;
mod read;
mod recorded;
mod renamed;
mod side;
mod spectral;
mod status;
mod strings;
mod tallies;
mod units;
mod values;
mod work;

pub use expect::Expectation;
pub use how::{Blocks, How, MatchTotals, Matched, PartOf, Rounded};
pub use layers::{Layer, LayerWeight, Layers};
pub use low_ranks::LowRanks;
pub use matching::match_values;
pub use model::{Ambiguous, Change, Diff, Facts, Figures, OneSided, PairedBy, Same, ScopeTally, Tally, Values};
pub use options::{Bound, Depth, DiffOptions, Expected, Expecting, Tolerance, ToleranceRule};
pub use order::{ChangeKey, Largest, by_change};
pub use side::Side;
pub use status::Status;

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use self::judge::Judge;
use self::read::Job;
use self::work::{Wishes, Work};
use crate::base::error::{ErrorKind, Result};
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;

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
        let others = if options.by_name_only {
            by_path::Contradictions::default()
        } else {
            by_path::Contradictions::between(a, b)
        };
        let leftovers = pair::by_names(a, b, &options.map, &others, &mut |pair| judge.pair(pair))?;
        let mut notes = Vec::new();
        match others.count() {
            0 => {}
            1 => notes
                .push("1 path is another variable in B than in A, by what the files say: not paired by it".to_owned()),
            n => notes.push(format!(
                "{n} paths are other variables in B than in A, by what the files say: not paired by them"
            )),
        }
        let leftovers =
            pair::by_graphs(a, b, leftovers, (options, &others), &mut |pair| judge.pair(pair), &mut |note| {
                notes.push(note);
            });
        let leftovers =
            across::by_layers(a, b, leftovers, options, &mut |pair| judge.pair(pair), &mut |note| notes.push(note));
        judge.diff.notes.append(&mut notes);
        judge.single(leftovers);
        judge.work = work::by_name(std::mem::take(&mut judge.work), a.tensors(), b.tensors());
        Ok(Self { a, b, options, judge })
    }

    /// Of how many there may be something to tell.
    pub fn len(&self) -> usize {
        self.judge.work.len()
    }

    /// Whether several processes make this comparison.
    pub fn is_shared(&self) -> bool {
        self.options.share.is_some()
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
        let share = options.share.as_deref();
        let job = Job { a, b, work: &work, order: None, wishes: &wishes, options, share, progress };
        job.run(make, |made, changes, tallies| {
            ledger.take(&tallies);
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
        let job = Job { a, b, work, order: Some(order), wishes, options, share: None, progress };
        job.run(make, |made, changes, _| take(made, changes));
    }
}
