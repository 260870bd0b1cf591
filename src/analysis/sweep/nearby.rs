//! Many small tensors as one range of bytes, cut in the buffer: opening and reading each by itself would cost more than
//! looking at its values. Of one checkpoint, or of two that are compared, where both sides lie together.
//!
//! Only what is right comes from here. What is not must be read once more by itself, which says why.

use crate::read::bundle::Span;
use crate::read::checkpoint::Checkpoint;
use crate::read::storage::Window;
use crate::read::tensor::DType;
use crate::read::wire::Crc32c;

/// Bytes read at a time: smaller costs system calls, larger falls out of the second-level cache.
pub(in crate::analysis) const WINDOW: u64 = 256 << 10;

/// A gap no longer than this is read through rather than over: as quick as another system call.
const GAP: u64 = 4 << 10;

/// A tensor that can be read with its neighbours, on each side.
#[derive(Clone, Copy, Debug)]
pub(in crate::analysis) struct Near<const SIDES: usize> {
    /// Which of those that are looked at it is.
    pub(in crate::analysis) row: u32,
    pub(in crate::analysis) dtype: DType,
    /// Where it lies.
    pub(in crate::analysis) spans: [Span; SIDES],
}

/// Sorts tensors by where they lie, on the first side within each shard of the others.
pub(in crate::analysis) fn sort<const SIDES: usize>(near: &mut [Near<SIDES>]) {
    near.sort_unstable_by_key(|near| (near.spans.map(|span| span.shard), near.spans.map(|span| span.start), near.row));
}

/// Tensors, sorted by where they lie, that are read as one range on each side.
pub(in crate::analysis) fn groups<const SIDES: usize>(near: &[Near<SIDES>]) -> impl Iterator<Item = &[Near<SIDES>]> {
    let mut rest = near;
    std::iter::from_fn(move || {
        let first = rest.first()?.spans;
        let mut ends = first.map(end);
        let is_in = |near: &&Near<SIDES>| {
            let mut until = ends;
            let sides = near.spans.iter().zip(&first).zip(&mut until);
            let fits = sides.fold(true, |fits, ((span, first), until)| {
                let gap = span.start.saturating_sub(*until);
                *until = (*until).max(end(*span));
                fits && span.shard == first.shard
                    && span.start >= first.start
                    && gap <= GAP
                    && until.saturating_sub(first.start) <= WINDOW
            });
            ends = if fits { until } else { ends };
            fits
        };
        // A tensor by itself is a group, even one that is too large for others.
        let len = rest.iter().take_while(is_in).count().max(1);
        let (group, behind) = rest.split_at_checked(len)?;
        rest = behind;
        Some(group)
    })
}

fn end(span: Span) -> u64 {
    span.start.saturating_add(span.len)
}

/// The bytes around a group on one side. The memory is used again for the next.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Range {
    start: u64,
    bytes: Window,
}

impl Range {
    /// Reads what a group lies in. If that cannot be read, there are no bytes.
    pub(in crate::analysis) fn read<const SIDES: usize>(
        &mut self,
        checkpoint: &Checkpoint,
        group: &[Near<SIDES>],
        side: usize,
    ) {
        let spans = || group.iter().filter_map(|near| near.spans.get(side));
        let start = spans().map(|span| span.start).min().unwrap_or(0);
        let until = spans().map(|span| end(*span)).max().unwrap_or(start);
        let shard = spans().next().map_or(0, |span| span.shard);
        self.start = start;
        if checkpoint.read_shard(shard, start..until, &mut self.bytes).is_err() {
            self.bytes.clear();
            self.start = u64::MAX;
        }
    }

    /// The bytes of a tensor, if they were read.
    pub(in crate::analysis) fn bytes(&self, span: Span) -> Option<&[u8]> {
        let index = |offset: u64| usize::try_from(offset.checked_sub(self.start)?).ok();
        self.bytes.get(index(span.start)?..index(end(span))?)
    }

    /// The bytes of a tensor, if they are those that were saved.
    pub(in crate::analysis) fn verified(&self, span: Span) -> Option<&[u8]> {
        self.bytes(span).filter(|bytes| Crc32c::of(bytes) == span.crc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(shard: i32, start: u64, len: u64) -> Span {
        Span { shard, start, len, crc: Crc32c::default() }
    }

    fn near(row: u32, shard: i32, start: u64, len: u64) -> Near<1> {
        Near { row, dtype: DType::UInt8, spans: [span(shard, start, len)] }
    }

    fn rows<const SIDES: usize>(near: &[Near<SIDES>]) -> Vec<Vec<u32>> {
        groups(near).map(|group| group.iter().map(|near| near.row).collect()).collect()
    }

    #[test]
    fn neighbours_are_read_as_one_range_that_has_room_in_the_window() {
        assert!(rows::<1>(&[]).is_empty());
        // Behind one another, one within another, a gap that is read through, one that is not.
        let all = [
            near(0, 0, 0, 16),
            near(1, 0, 16, 16),
            near(2, 0, 20, 4),
            near(3, 0, 32 + GAP, 0),
            near(4, 0, 33 + 2 * GAP, 8),
            near(5, 1, 33 + 2 * GAP, 8),
        ];
        assert_eq!(rows(&all), [vec![0, 1, 2, 3], vec![4], vec![5]]);
        let all = [near(0, 0, 5, WINDOW), near(1, 0, 5, WINDOW - 1), near(2, 0, WINDOW, 5), near(3, 0, WINDOW, 6)];
        assert_eq!(rows(&all), [vec![0, 1, 2], vec![3]]);
    }

    #[test]
    fn both_sides_must_lie_together() {
        let pair = |row, a, b| Near { row, dtype: DType::UInt8, spans: [a, b] };
        let mut all = [
            pair(0, span(0, 0, 8), span(0, 100, 8)),
            pair(1, span(0, 8, 8), span(0, 108, 8)),
            // In another shard of B, before the first of its group there, and behind a gap there.
            pair(2, span(0, 16, 8), span(1, 0, 8)),
            pair(3, span(0, 24, 8), span(0, 0, 8)),
            pair(4, span(0, 32, 8), span(0, 9 + GAP, 8)),
            pair(5, span(0, 40, 8), span(0, 17 + GAP, 8)),
        ];
        sort(&mut all);
        assert_eq!(rows(&all), [vec![0, 1], vec![3], vec![4, 5], vec![2]]);
    }
}
