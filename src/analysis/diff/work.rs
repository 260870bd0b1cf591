//! What is left to tell or to read once names, shapes, dtypes and checksums have been looked at: pairs, small because
//! there may be a million of them, and what the user wants of each, which is mostly the same for all.

use super::{PairedBy, Status, Tolerance};
use crate::read::checkpoint::Tensors;

/// In the place of a tensor that there is not.
const NONE: u32 = u32::MAX;

/// A pair or a single tensor of which something is to be told or to be read. There may be a million of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    a: u32,
    b: u32,
    /// What the user wants of it, as a position in [`Wishes`].
    wish: u32,
    pub(super) how: PairedBy,
    pub(super) todo: Todo,
    /// How many bits the number of bytes has that one side takes.
    weight: u8,
}

/// What is to be done with a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Todo {
    /// Nothing: the indexes told what became of it.
    Tell(Status),
    /// The values are compared.
    Values,
    /// The checksums agree, so only the bytes are compared.
    Bytes,
}

impl Work {
    /// `bytes` are those that one side takes.
    pub(super) fn new(a: Option<usize>, b: Option<usize>, how: PairedBy, todo: Todo, wish: usize, bytes: u64) -> Self {
        // Positions of tensors that are held in memory; so many that one did not fit would not be.
        let small = |at: usize| u32::try_from(at).unwrap_or(NONE);
        let side = |at: Option<usize>| at.map_or(NONE, small);
        let weight = u8::try_from(u64::BITS - bytes.leading_zeros()).unwrap_or(u8::MAX);
        Self { a: side(a), b: side(b), wish: small(wish), how, todo, weight }
    }

    pub(super) fn a(&self) -> Option<usize> {
        (self.a != NONE).then_some(self.a as usize)
    }

    pub(super) fn b(&self) -> Option<usize> {
        (self.b != NONE).then_some(self.b as usize)
    }

    /// No fewer bytes than one side takes, and less than twice as many.
    pub(super) fn bytes(&self) -> u64 {
        1u64.checked_shl(self.weight.into()).unwrap_or(u64::MAX)
    }
}

/// Sorts by the names under which things are told: those in B, of what is not there those in A.
pub(super) fn by_name(mut all: Vec<Work>, a: &Tensors, b: &Tensors) -> Vec<Work> {
    // Positions are in the order of names.
    all.sort_unstable_by_key(|work| (work.b, work.a));
    let (in_b, only_a) = all.split_at(all.partition_point(|work| work.b != NONE));
    if in_b.is_empty() || only_a.is_empty() {
        return all;
    }
    let mut merged = Vec::with_capacity(all.len());
    let (mut ours, mut theirs) = (a.cursor(), b.cursor());
    let mut in_b = in_b.iter().peekable();
    for gone in only_a {
        let name = gone.a().and_then(|at| ours.reach(at)).map(|tensor| tensor.name.as_slice()).unwrap_or_default();
        let mut is_before = |work: &&Work| {
            let other = work.b().and_then(|at| theirs.reach(at));
            other.is_some_and(|tensor| tensor.name.as_slice() < name)
        };
        while let Some(work) = in_b.next_if(&mut is_before) {
            merged.push(*work);
        }
        merged.push(*gone);
    }
    merged.extend(in_b);
    merged
}

/// What the user's selectors say of a pair. Most pairs have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Wish {
    pub(super) tolerance: Option<Tolerance>,
    pub(super) expected: u64,
}

/// Every [`Wish`] that some pair has, once.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes(Vec<Wish>);

impl Wishes {
    /// What the user wants of a pair.
    pub(super) fn of(&self, work: &Work) -> Wish {
        self.0.get(work.wish as usize).copied().unwrap_or_default()
    }

    /// The position of a wish, which is new or known.
    pub(super) fn number(&mut self, wish: Wish) -> usize {
        self.0.iter().rposition(|known| *known == wish).unwrap_or_else(|| {
            self.0.push(wish);
            self.0.len() - 1
        })
    }
}
