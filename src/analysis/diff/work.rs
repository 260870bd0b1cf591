//! What is left to read once names, shapes, dtypes and checksums have been looked at: pairs, small because there may be
//! a million of them, and what the user wants of each, which is mostly the same for all.

use super::{PairedBy, Tolerance};

/// A pair whose values must be read. There may be a million of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) a: u32,
    pub(super) b: u32,
    /// What the user wants of it, as a position in [`Wishes`].
    pub(super) wish: u32,
    pub(super) how: PairedBy,
    /// The checksums agree, so only the bytes are compared.
    pub(super) exact: bool,
}

impl Work {
    pub(super) fn a(&self) -> usize {
        self.a as usize
    }

    pub(super) fn b(&self) -> usize {
        self.b as usize
    }
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
