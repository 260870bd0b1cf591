//! Dead channels: indexes of the first or the last axis below which every element is zero.
//!
//! TensorFlow's kernels have their outputs on the last axis (`[in, out]`, `[height, width, in, out]`), embeddings their
//! rows on the first. The first axis is gone along, a row after the other; of the last one a mark is kept for each
//! index, so an axis that is too long for that is not looked at, which is said.

use crate::read::tensor::Wide;

/// The longest last axis that is looked at.
pub const LONGEST: u64 = 1 << 20;

/// How many dead channels are named.
pub const NAMED: usize = 10;

/// What is dead along one axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dead {
    /// Length of the axis.
    pub length: u64,
    /// How many of its indexes have zeros only; `None` if the axis is too long to be looked at.
    pub count: Option<u64>,
    /// The first of them.
    pub first: Vec<u64>,
}

/// Dead channels of a tensor of at least two dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// Along the first axis: rows of a matrix.
    pub rows: Dead,
    /// Along the last axis: columns of a matrix.
    pub columns: Dead,
}

/// A row of which only a part has been seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) row: u64,
    pub(super) alive: bool,
}

/// What has been seen of a tensor from some element on, without a gap.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// Elements of a row.
    pub(super) row: u64,
    pub(super) rows: u64,
    pub(super) at: u64,
    /// The first row that was met, as far as it was, and the last one.
    pub(super) head: Option<Open>,
    pub(super) tail: Option<Open>,
    pub(super) dead: u64,
    pub(super) first: Vec<u64>,
    /// For every index of the last axis whether something other than 0 was met.
    pub(super) columns: Vec<bool>,
    pub(super) length: u64,
}

impl Marks {
    /// Of a tensor with these dimensions, from element `at` on; `None` if it has no channels.
    pub(super) fn new(dims: &[u64], at: u64) -> Option<Self> {
        let (&rows, inner) = dims.split_first()?;
        let &length = inner.last()?;
        let row = inner.iter().fold(1u64, |n, dim| n.saturating_mul(*dim));
        if rows == 0 || row == 0 {
            return None;
        }
        let marks = if length <= LONGEST { usize::try_from(length).unwrap_or(0) } else { 0 };
        let columns = vec![false; marks];
        Some(Self { row, rows, at, head: None, tail: None, dead: 0, first: Vec::new(), columns, length })
    }

    pub(super) fn add(&mut self, block: Wide<'_>) {
        match block {
            Wide::Single(values) => self.add_all(values, 0.0),
            Wide::Double(values) => self.add_all(values, 0.0),
            Wide::Int(values) => self.add_all(values, 0),
            Wide::UInt(values) => self.add_all(values, 0),
        }
    }

    fn add_all<T: Copy + PartialEq>(&mut self, values: &[T], zero: T) {
        self.mark_columns(values, zero);
        let mut left = values;
        while !left.is_empty() {
            let (row, within) = (self.at / self.row, self.at % self.row);
            let take = usize::try_from(self.row.saturating_sub(within)).unwrap_or(usize::MAX).min(left.len());
            let (part, rest) = left.split_at(take);
            let alive = part.iter().any(|value| *value != zero);
            self.at = self.at.saturating_add(take as u64);
            self.meet(Open { row, alive });
            left = rest;
        }
    }

    fn mark_columns<T: Copy + PartialEq>(&mut self, values: &[T], zero: T) {
        if self.columns.is_empty() {
            return;
        }
        let mut left = values;
        let mut column = usize::try_from(self.at % self.length).unwrap_or(0);
        while !left.is_empty() {
            let take = self.columns.len().saturating_sub(column).min(left.len());
            let (part, rest) = left.split_at(take);
            for (mark, value) in self.columns.iter_mut().skip(column).zip(part) {
                *mark |= *value != zero;
            }
            (left, column) = (rest, 0);
        }
    }

    /// A row, or a part of it, that comes after what was met so far.
    fn meet(&mut self, next: Open) {
        match &mut self.tail {
            Some(tail) if tail.row == next.row => tail.alive |= next.alive,
            tail => {
                let before = tail.replace(next);
                self.close(before);
            }
        }
    }

    /// The row is complete, unless it is the one that this part began in.
    fn close(&mut self, row: Option<Open>) {
        let Some(row) = row else { return };
        if self.head.is_none() {
            self.head = Some(row);
        } else if !row.alive {
            self.bury(row.row);
        }
    }

    fn bury(&mut self, row: u64) {
        self.dead = self.dead.saturating_add(1);
        if self.first.len() < NAMED {
            self.first.push(row);
        }
    }

    /// Takes in the part that begins where this one ends.
    pub(super) fn merge(&mut self, other: &Self) {
        if let Some(head) = other.head {
            self.meet(head);
            // Rows within the other part come between the row that it began in and the one that it ended in.
            if other.dead > 0 {
                let open = self.tail.take();
                self.close(open);
                self.dead = self.dead.saturating_add(other.dead);
                let room = NAMED.saturating_sub(self.first.len());
                self.first.extend(other.first.iter().take(room));
            }
        }
        if let Some(tail) = other.tail {
            self.meet(tail);
        }
        for (mark, theirs) in self.columns.iter_mut().zip(&other.columns) {
            *mark |= theirs;
        }
        self.at = other.at;
    }

    /// All of the tensor has been seen.
    pub(super) fn finish(mut self) -> Channels {
        let (head, tail) = (self.head.take(), self.tail.take());
        let mut rows = Dead { length: self.rows, ..Dead::default() };
        let is_dead = |row: &Open| !row.alive;
        let edges = [head.filter(is_dead), tail.filter(is_dead)];
        rows.count = Some(self.dead.saturating_add(edges.iter().flatten().count() as u64));
        let first = edges[0].iter().map(|open| open.row).chain(self.first).chain(edges[1].iter().map(|open| open.row));
        rows.first = first.take(NAMED).collect();
        let mut columns = Dead { length: self.length, ..Dead::default() };
        if !self.columns.is_empty() {
            let dead = || self.columns.iter().zip(0u64..).filter(|(alive, _)| !**alive).map(|(_, at)| at);
            columns.count = Some(dead().count() as u64);
            columns.first = dead().take(NAMED).collect();
        }
        Channels { rows, columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The naive way.
    fn naive(dims: &[u64], values: &[f32]) -> Channels {
        let last = *dims.last().unwrap();
        let row = dims[1..].iter().product::<u64>();
        let dead = |length: u64, index: &dyn Fn(u64) -> u64| {
            let is_dead =
                |channel: &u64| (0u64..).zip(values).all(|(at, value)| index(at) != *channel || *value == 0.0);
            let all: Vec<u64> = (0..length).filter(is_dead).collect();
            Dead { length, count: Some(all.len() as u64), first: all.into_iter().take(NAMED).collect() }
        };
        Channels { rows: dead(dims[0], &|at| at / row), columns: dead(last, &|at| at % last) }
    }

    #[test]
    fn dead_channels_are_found_in_parts_of_any_length() {
        for dims in [&[4u64, 3][..], &[1, 5], &[5, 1], &[14, 2], &[3, 2, 2], &[2, 1, 1, 4]] {
            let count = dims.iter().product::<u64>();
            for seed in 0..60u64 {
                let alive = |at: u64| (at.wrapping_mul(seed + 3).wrapping_add(seed * 7) % 11) < seed % 5;
                let values: Vec<f32> = (0..count).map(|at| if alive(at) { 1.0 } else { -0.0 }).collect();
                for step in 1..=values.len() {
                    let mut whole = Marks::new(dims, 0).unwrap();
                    for (part, at) in values.chunks(step).zip((0u64..).step_by(step)) {
                        let mut marks = Marks::new(dims, at).unwrap();
                        marks.add(Wide::Single(part));
                        whole.merge(&marks);
                    }
                    assert_eq!(whole.finish(), naive(dims, &values), "{dims:?} {values:?} in parts of {step}");
                }
            }
        }
    }

    #[test]
    fn vectors_and_empty_tensors_have_no_channels_and_a_long_axis_is_not_looked_at() {
        for dims in [&[][..], &[5], &[0, 3], &[3, 0]] {
            assert!(Marks::new(dims, 0).is_none());
        }
        let channels = Marks::new(&[2, LONGEST + 1], 0).unwrap().finish();
        assert_eq!((channels.columns.length, channels.columns.count), (LONGEST + 1, None));
    }
}
