//! What the singular values of all changes come to: how many matrices changed by a low rank alone.

use crate::analysis::stats::ChangeSpectrum;

/// Matrices of floats that changed, and those whose change is of low rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LowRanks {
    /// Matrices of floats that changed.
    pub matrices: u64,
    /// Those of which each singular value that is more than rounding stands out, and they are few.
    pub low: u64,
    /// The least of their ranks, and the greatest.
    pub ranks: Option<(u64, u64)>,
}

impl LowRanks {
    /// Takes in one change.
    pub(super) fn enter(&mut self, change: Option<&ChangeSpectrum>) {
        let Some(change) = change else { return };
        let ranks = change.low_rank().map(|rank| (rank, rank));
        self.merge(&Self { matrices: 1, low: u64::from(ranks.is_some()), ranks });
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.matrices += other.matrices;
        self.low += other.low;
        self.ranks = match (self.ranks, other.ranks) {
            (Some((least, greatest)), Some((low, high))) => Some((least.min(low), greatest.max(high))),
            (ours, theirs) => ours.or(theirs),
        };
    }

    /// The ranks, if every matrix that changed did so by a low one.
    pub fn all(&self) -> Option<(u64, u64)> {
        self.ranks.filter(|_| self.low == self.matrices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_matrix_of_another_kind_is_enough() {
        let of = |rank: u64| LowRanks { matrices: 1, low: 1, ranks: Some((rank, rank)) };
        let mut all = LowRanks::default();
        assert_eq!(all.all(), None);
        all.merge(&of(8));
        all.merge(&of(4));
        assert_eq!((all.all(), all.matrices), (Some((4, 8)), 2));
        all.merge(&LowRanks { matrices: 1, ..LowRanks::default() });
        assert_eq!((all.all(), all.ranks), (None, Some((4, 8))));
        all.enter(None);
        assert_eq!(all.matrices, 3);
    }
}
