//! The tallies that are kept of all verdicts, and how a verdict becomes something to tell.
//!
//! A million verdicts are counted; only what is told is made into a [`Change`], and nobody here keeps one.

use std::collections::BTreeMap;

use super::expect::Expectation;
use super::low_ranks::LowRanks;
use super::{Change, Diff, DiffOptions, Facts, PairedBy, Same, ScopeTally, Side, Status, Tally, Values};
use crate::analysis::derived::derived;
use crate::analysis::naming::roles::short_name;
use crate::base::error::Error;
use crate::read::checkpoint::{Checkpoint, Parts, Place, Tensor};

/// Scopes that are counted apart; what comes behind is counted together.
const SCOPES: usize = 1 << 12;

/// What is known of a pair or a single tensor, apart from the tensors themselves.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) status: Status,
    pub(super) how: PairedBy,
    pub(super) same: Option<Same>,
    pub(super) values: Option<Box<Values>>,
    pub(super) trouble: Vec<(Side, Error)>,
    pub(super) expected: u64,
    /// Bytes that were read a second time.
    pub(super) again: u64,
}

impl Verdict {
    pub(super) fn new(status: Status, how: PairedBy, expected: u64) -> Self {
        Self { status, how, same: None, values: None, trouble: Vec::new(), expected, again: 0 }
    }

    /// What the indexes alone tell.
    pub(super) fn by_index(status: Status, how: PairedBy, expected: u64) -> Self {
        let is_same = matches!(status, Status::Identical | Status::Renamed);
        Self { same: is_same.then_some(Same::Checksum), ..Self::new(status, how, expected) }
    }
}

/// Whether nothing is told of such tensors unless everything is.
pub(super) fn is_silent(status: Status, options: &DiffOptions) -> bool {
    status.is_quiet(options.depth) && !options.keep_identical
}

/// What is counted.
#[derive(Debug, Default)]
struct Counts {
    tally: Tally,
    by_checksum: u64,
    repartitioned: u64,
    moved: u64,
    paired: [u64; 4],
    low_ranks: LowRanks,
}

impl Counts {
    fn enter(&mut self, a: Option<&Tensor>, b: Option<&Tensor>, verdict: &Verdict) {
        self.tally.add(verdict.status);
        self.low_ranks.enter(verdict.values.as_deref().and_then(|values| values.spectral.as_deref()));
        match verdict.how {
            PairedBy::Map => self.paired[0] += 1,
            PairedBy::Graph => self.paired[1] += 1,
            PairedBy::FullName => self.paired[2] += 1,
            PairedBy::Layer => self.paired[3] += 1,
            PairedBy::Name | PairedBy::Bytes | PairedBy::Likeness => {}
        }
        if let (Status::Identical, Some(a), Some(b)) = (verdict.status, a, b) {
            let (moved, repartitioned) = placement(a, b);
            self.moved += u64::from(moved);
            self.repartitioned += u64::from(repartitioned);
            self.by_checksum += u64::from(verdict.same == Some(Same::Checksum));
        }
    }

    fn add(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
        self.low_ranks.merge(&other.low_ranks);
        self.by_checksum += other.by_checksum;
        self.repartitioned += other.repartitioned;
        self.moved += other.moved;
        for (paired, other) in self.paired.iter_mut().zip(other.paired) {
            *paired += other;
        }
    }
}

/// What some verdicts that follow one another come to, found on any thread.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    counts: Counts,
    /// Neighbours by name mostly have one scope.
    scopes: Vec<(Box<[u8]>, Tally)>,
    /// What expectations are about.
    expected: Vec<(u64, Box<[u8]>, Status)>,
    /// Bytes that were read a second time.
    again: u64,
}

impl Tallies {
    pub(super) fn enter(&mut self, a: Option<&Tensor>, b: Option<&Tensor>, verdict: &Verdict) {
        self.again = self.again.saturating_add(verdict.again);
        let Some(shown) = b.or(a) else { return };
        self.counts.enter(a, b, verdict);
        let scope = scope(&shown.name);
        match self.scopes.last_mut() {
            Some((last, tally)) if **last == *scope => tally.add(verdict.status),
            _ => {
                let mut tally = Tally::default();
                tally.add(verdict.status);
                self.scopes.push((scope.into(), tally));
            }
        }
        if verdict.expected != 0 {
            self.expected.push((verdict.expected, shown.name.as_slice().into(), verdict.status));
        }
    }
}

/// What all verdicts come to.
#[derive(Debug)]
pub(super) struct Ledger {
    counts: Counts,
    scopes: BTreeMap<Box<[u8]>, Tally>,
    expectations: Vec<Expectation>,
    again: u64,
}

impl Ledger {
    pub(super) fn new(options: &DiffOptions) -> Self {
        let expectations = options.expectations.iter().map(Expectation::new);
        let (counts, scopes) = (Counts::default(), BTreeMap::new());
        Self { counts, scopes, expectations: expectations.collect(), again: 0 }
    }

    /// Enters one verdict.
    pub(super) fn enter(&mut self, a: Option<&Tensor>, b: Option<&Tensor>, verdict: &Verdict) {
        let Some(shown) = b.or(a) else { return };
        self.counts.enter(a, b, verdict);
        self.scope(scope(&shown.name), |tally| tally.add(verdict.status));
        self.expect(verdict.expected, &shown.name, verdict.status);
    }

    /// Enters what was found on some thread. The order counts where not everything is named.
    pub(super) fn take(&mut self, tallies: &Tallies) {
        self.counts.add(&tallies.counts);
        self.again = self.again.saturating_add(tallies.again);
        for (scope, tally) in &tallies.scopes {
            self.scope(scope, |sum| sum.merge(tally));
        }
        for (expected, name, status) in &tallies.expected {
            self.expect(*expected, name, *status);
        }
    }

    fn scope(&mut self, scope: &[u8], count: impl FnOnce(&mut Tally)) {
        if let Some(tally) = self.scopes.get_mut(scope) {
            return count(tally);
        }
        let scope = if self.scopes.len() < SCOPES { scope } else { "…".as_bytes() };
        count(self.scopes.entry(scope.into()).or_default());
    }

    fn expect(&mut self, expected: u64, name: &[u8], status: Status) {
        let about = self.expectations.iter_mut().enumerate();
        for (_, expectation) in about.filter(|(n, _)| expected >> n & 1 == 1) {
            expectation.note(name, status);
        }
    }

    /// Everything in its place.
    pub(super) fn close(self, diff: Diff<'_>) -> Diff<'_> {
        let Self { counts, scopes, expectations, again } = self;
        let Counts { tally, by_checksum, repartitioned, moved, paired, low_ranks } = counts;
        let scopes = scopes.into_iter().map(|(scope, tally)| ScopeTally { scope, tally }).collect();
        let bytes_read = diff.bytes_read.saturating_add(again);
        Diff { tally, by_checksum, repartitioned, moved, paired, scopes, expectations, low_ranks, bytes_read, ..diff }
    }
}

/// What is told of one or two tensors; `at` is its number.
pub(super) fn change(
    at: usize,
    (a_side, a): (&Checkpoint, Option<&Tensor>),
    (b_side, b): (&Checkpoint, Option<&Tensor>),
    verdict: Verdict,
) -> Change {
    let Verdict { status, how, same, values, mut trouble, .. } = verdict;
    let (mut moved, mut repartitioned, mut told) = (false, false, None);
    match (status, a, b) {
        (Status::Identical, Some(a), Some(b)) => (moved, repartitioned) = placement(a, b),
        (Status::Changed, Some(a), Some(b)) if values.is_none() => {
            told = derived(a_side, a).zip(derived(b_side, b)).map(|(a, b)| (a.text(), b.text()));
        }
        (Status::Unreadable, Some(_), None) => trouble.push((Side::B, lost(b_side))),
        (Status::Unreadable, None, Some(_)) => trouble.push((Side::A, lost(a_side))),
        _ => {}
    }
    let (a, b) = (a.map(Facts::of), b.map(Facts::of));
    Change { at, a, b, status, paired: how, same, repartitioned, moved, values, trouble, derived: told, matched: None }
}

/// Why it is not known whether a side has a tensor: a part of its index is lost, and the tensor maybe with it.
fn lost(side: &Checkpoint) -> Error {
    let why = "a part of it could not be read, and this tensor may have been there";
    let origin = side.origin();
    // A V1 checkpoint has no index: each of its files describes its own tensors.
    let (what, file) = match origin.v1_files.as_slice() {
        [] => ("index", origin.prefix.index()),
        _ => ("V1 checkpoint", origin.prefix.as_path().to_path_buf()),
    };
    Error::malformed(what, why).in_file(&file)
}

/// Whether a tensor lies in another shard, and whether in other pieces.
fn placement(a: &Tensor, b: &Tensor) -> (bool, bool) {
    // The files of a V1 checkpoint are not shards.
    let shard = |place: &Place| place.crc32c.map(|_| place.shard);
    match (&a.parts, &b.parts) {
        (Parts::Whole(x), Parts::Whole(y)) => match (shard(x), shard(y)) {
            (Some(x), Some(y)) => (x != y, false),
            _ => (false, false),
        },
        (Parts::Slices(x), Parts::Slices(y))
            if x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| x.slice == y.slice) =>
        {
            let moved = x.iter().zip(y.iter()).any(|(x, y)| match (&x.place, &y.place) {
                (Some(x), Some(y)) => shard(x) != shard(y),
                _ => false,
            });
            (moved, false)
        }
        _ => (false, true),
    }
}

/// The first component of a name, if there are more.
fn scope(name: &[u8]) -> &[u8] {
    let name = short_name(name);
    name.iter().position(|b| *b == b'/').and_then(|at| name.get(..at)).unwrap_or_default()
}
