//! Changes by their size, and keeping only the largest of them.

use std::cmp::Ordering;

use super::{Change, Diff, Figures, Status};

/// What the order by size needs to know of a change.
#[derive(Clone, Copy, Debug)]
pub struct ChangeKey {
    rel_l2: f64,
    max_abs: f64,
    at: u32,
}

impl ChangeKey {
    /// What the order needs to know of this change.
    pub fn of(change: &Change) -> Self {
        // As many bits as a pair on the list has for a position.
        let at = u32::try_from(change.at).unwrap_or(u32::MAX);
        let (rel_l2, max_abs) = match change.values.as_ref().and_then(|values| values.figures) {
            // Behind everything.
            _ if matches!(change.status, Status::Identical | Status::NotCompared) => (-1.0, -1.0),
            Some(Figures { rel_l2: Some(rel_l2), max_abs, .. }) if !rel_l2.is_nan() => (rel_l2, max_abs),
            // NaN and nothing count as infinite.
            _ => (f64::INFINITY, f64::INFINITY),
        };
        Self { rel_l2, max_abs, at }
    }

    fn compare(&self, other: &Self) -> Ordering {
        other.rel_l2.total_cmp(&self.rel_l2).then(other.max_abs.total_cmp(&self.max_abs)).then(self.at.cmp(&other.at))
    }

    /// The numbers of changes, in order.
    pub fn sorted(mut keys: Vec<Self>) -> Vec<usize> {
        keys.sort_unstable_by(Self::compare);
        keys.into_iter().map(|key| key.at as usize).collect()
    }
}

/// The largest first, with what has no size in front, and what did not change behind; equals by name.
pub fn by_change(a: &Change, b: &Change) -> Ordering {
    ChangeKey::of(a).compare(&ChangeKey::of(b))
}

impl Diff<'_> {
    /// The changes in order: by name, or the largest first, with what has no size in front.
    pub fn rows(&self, by_change: bool) -> Vec<&Change> {
        let mut rows: Vec<&Change> = self.changes.iter().collect();
        if by_change {
            // Sorting is stable, so that equals stay by name.
            rows.sort_by(|x, y| self::by_change(x, y));
        }
        rows
    }
}

/// The largest changes, while all of them pass by.
#[derive(Debug)]
pub struct Largest {
    most: usize,
    kept: Vec<Change>,
}

impl Largest {
    /// Keeps this many.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Vec::new() }
    }

    /// Changes that come behind all those before by name.
    pub fn extend(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.kept.extend(changes);
        // Sorting for every few that come would cost more than keeping some that are not wanted.
        if self.kept.len() > self.most.saturating_add((self.most / 4).max(4096)) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.kept.sort_by(by_change);
        self.kept.truncate(self.most);
    }

    /// What was kept, in order.
    pub fn finish(mut self) -> Vec<Change> {
        self.cut();
        self.kept
    }
}
