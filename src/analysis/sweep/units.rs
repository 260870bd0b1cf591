//! What there is to do, cut so that neither the number of threads nor of processes matters: what is large in parts, what is
//! small and follows one another together.

use std::ops::Range;

use super::cut::{TOGETHER, UNIT};

/// One thing to do: a run of small items, or a part of a large one.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) items: Range<usize>,
    /// How many items that count come before.
    pub(super) before: usize,
    /// The elements of the one item, and whether they are its last.
    pub(super) part: Option<(Range<u64>, bool)>,
    /// About how many bytes are read.
    pub(super) bytes: u64,
}

/// What is to be done, in the order in which it is told.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Units {
    pub(super) all: Vec<Unit>,
    /// The items that count, in all units and in the run that is being gathered.
    counted: usize,
    /// That run: from where on, how many that count, their bytes.
    first: usize,
    count: usize,
    bytes: u64,
}

impl Units {
    /// A small item behind those before.
    pub(in crate::analysis) fn small(&mut self, item: usize, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= UNIT || self.count >= TOGETHER {
            self.close(item.saturating_add(1));
        }
    }

    /// A large item, in these parts of elements of so many bytes.
    pub(in crate::analysis) fn large(&mut self, item: usize, size: u64, parts: impl Iterator<Item = Range<u64>>) {
        self.close(item);
        let (before, next) = (self.counted, item.saturating_add(1));
        let bytes = |part: &Range<u64>| part.end.saturating_sub(part.start).saturating_mul(size);
        let unit =
            |part: Range<u64>| Unit { items: item..next, before, bytes: bytes(&part), part: Some((part, false)) };
        self.all.extend(parts.map(unit));
        if let Some((_, is_last)) = self.all.last_mut().and_then(|unit| unit.part.as_mut()) {
            *is_last = true;
        }
        self.counted += 1;
        self.first = next;
    }

    /// The run that is being gathered ends before this item: the last call for what is small.
    pub(in crate::analysis) fn close(&mut self, end: usize) {
        if self.count > 0 {
            self.all.push(Unit { items: self.first..end, before: self.counted, part: None, bytes: self.bytes });
            self.counted += self.count;
        }
        (self.first, self.count, self.bytes) = (end, 0, 0);
    }
}

impl Unit {
    /// Whether it is a part, and others of the same item follow.
    pub(super) fn is_inner(&self) -> bool {
        self.part.as_ref().is_some_and(|(_, is_last)| !is_last)
    }
}
