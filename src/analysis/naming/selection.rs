//! Some of a checkpoint's tensors, by their positions.

/// Some of a checkpoint's tensors, by position in
/// [`Checkpoint::tensors`](crate::read::checkpoint::Checkpoint::tensors).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(Chosen);

/// All of them cost nothing to name, however many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Chosen {
    /// The first so many, in order.
    First(usize),
    /// These.
    These(Vec<u32>),
}

impl Selection {
    /// The first `count` tensors.
    pub fn first(count: usize) -> Self {
        Self(Chosen::First(count))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Chosen::First(count) => *count,
            Chosen::These(positions) => positions.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `n`-th position.
    pub fn get(&self, n: usize) -> Option<usize> {
        match &self.0 {
            Chosen::First(count) => (n < *count).then_some(n),
            Chosen::These(positions) => positions.get(n).map(|at| *at as usize),
        }
    }

    /// The positions, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.len()).filter_map(|n| self.get(n))
    }

    /// Which of `tensors` tensors are in it.
    pub(in crate::analysis) fn members(&self, tensors: usize) -> Members {
        if matches!(self.0, Chosen::First(count) if count >= tensors) {
            return Members(None);
        }
        let mut chosen = vec![false; tensors];
        for at in self.iter() {
            if let Some(slot) = chosen.get_mut(at) {
                *slot = true;
            }
        }
        Members(Some(chosen))
    }

    /// Sorts by what `key` makes of a position. Equal ones keep their order.
    pub(in crate::analysis) fn sort_by_cached_key<K: Ord>(&mut self, key: impl FnMut(&usize) -> K) {
        let mut positions: Vec<usize> = self.iter().collect();
        positions.sort_by_cached_key(key);
        *self = positions.into_iter().collect();
    }

    pub(in crate::analysis) fn reverse(&mut self) {
        let reversed = self.iter().rev().collect();
        *self = reversed;
    }

    pub(in crate::analysis) fn truncate(&mut self, most: usize) {
        match &mut self.0 {
            Chosen::First(count) => *count = most.min(*count),
            Chosen::These(positions) => positions.truncate(most),
        }
    }
}

impl FromIterator<usize> for Selection {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        Self(Chosen::These(positions.into_iter().filter_map(|at| u32::try_from(at).ok()).collect()))
    }
}

/// Which tensors are in a selection, quickly.
#[derive(Debug)]
pub(in crate::analysis) struct Members(Option<Vec<bool>>);

impl Members {
    pub(in crate::analysis) fn has(&self, at: usize) -> bool {
        self.0.as_ref().is_none_or(|chosen| chosen.get(at).copied().unwrap_or(false))
    }
}
