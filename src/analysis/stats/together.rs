//! Many small tensors as one range of bytes, cut in the buffer: opening and reading each by itself would cost more than
//! summing it.
//!
//! Only what is right is told from here. Where anything is not, the tensor is read once more by itself, which says why.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::TensorStats;
use super::work::{Part, WINDOW, Worker};
use crate::bundle::Span;
use crate::tensor::DType;
use crate::wire::Crc32c;

/// A gap no longer than this is read through rather than over: as quick as another system call.
const GAP: u64 = 4 << 10;

/// A tensor that can be read with its neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    /// Which row of the unit is its.
    row: u32,
    dtype: DType,
    span: Span,
}

impl Worker<'_> {
    /// The numeric ones among these positions of the selection, in order.
    pub(super) fn several(&mut self, positions: Range<usize>) -> Vec<TensorStats> {
        let mut rows = Vec::with_capacity(positions.len());
        self.near.clear();
        for n in positions {
            let Some(at) = self.job.selection.get(n) else { continue };
            let Some(tensor) = self.cursor.reach(at).filter(|tensor| tensor.is_numeric()) else { continue };
            match (self.job.checkpoint.span(tensor), u32::try_from(rows.len())) {
                (Some(span), Ok(row)) if span.len <= WINDOW => {
                    self.near.push(Near { row, dtype: tensor.dtype, span });
                    rows.push(TensorStats::new(at));
                }
                _ => {
                    let tensor = tensor.clone();
                    rows.push(self.whole(at, &tensor));
                }
            }
        }
        self.near.sort_unstable_by_key(|near| (near.span.shard, near.span.start, near.row));
        let near = std::mem::take(&mut self.near);
        for group in groups(&near) {
            self.group(group, &mut rows);
        }
        self.near = near;
        rows
    }

    /// Tensors that lie together.
    fn group(&mut self, group: &[Near], rows: &mut [TensorStats]) {
        let Some(range) = around(group) else { return };
        let options = self.job.options;
        let shard = group.first().map_or(0, |near| near.span.shard);
        let is_read = self.job.checkpoint.read_shard(shard, range.clone(), &mut self.window).is_ok();
        let mut wrong = Vec::new();
        for near in group {
            let Some(row) = rows.get_mut(near.row as usize) else { continue };
            let index = |offset: u64| usize::try_from(offset.saturating_sub(range.start)).unwrap_or(usize::MAX);
            let (start, end) = (index(near.span.start), index(near.span.start.saturating_add(near.span.len)));
            let bytes = self.window.get(start..end).filter(|bytes| is_read && Crc32c::of(bytes) == near.span.crc);
            let Some(bytes) = bytes else {
                wrong.push(*near);
                continue;
            };
            let tensor = if options.channels { self.cursor.reach(row.at) } else { None };
            let mut part = tensor.map_or_else(Part::default, |tensor| Part::new(options, tensor, 0));
            self.adder.add(&mut part, near.dtype, bytes, 0, options);
            self.adder.finish(&mut part, options);
            *row = part.into_stats(row.at, near.dtype, options);
            self.job.progress.done.fetch_add(near.span.len, Ordering::Relaxed);
        }
        for near in wrong {
            let Some(row) = rows.get_mut(near.row as usize) else { continue };
            let Some(tensor) = self.cursor.reach(row.at).cloned() else { continue };
            *row = self.whole(row.at, &tensor);
        }
    }
}

/// Tensors, sorted by where they lie, that are read as one range.
fn groups(near: &[Near]) -> impl Iterator<Item = &[Near]> {
    let mut rest = near;
    std::iter::from_fn(move || {
        let first = rest.first()?.span;
        let mut end = first.start.saturating_add(first.len);
        let is_in = |near: &&Near| {
            let span = near.span;
            let until = end.max(span.start.saturating_add(span.len));
            let fits = span.shard == first.shard
                && span.start.saturating_sub(end) <= GAP
                && until.saturating_sub(first.start) <= WINDOW;
            end = if fits { until } else { end };
            fits
        };
        let len = rest.iter().take_while(is_in).count();
        let (group, behind) = rest.split_at(len);
        rest = behind;
        Some(group)
    })
}

/// The bytes from the first to the last of them.
fn around(group: &[Near]) -> Option<Range<u64>> {
    let end = group.iter().map(|near| near.span.start.saturating_add(near.span.len)).max()?;
    Some(group.first()?.span.start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(row: u32, shard: i32, start: u64, len: u64) -> Near {
        Near { row, dtype: DType::UInt8, span: Span { shard, start, len, crc: Crc32c::default() } }
    }

    fn rows(near: &[Near]) -> Vec<Vec<u32>> {
        groups(near).map(|group| group.iter().map(|near| near.row).collect()).collect()
    }

    #[test]
    fn neighbours_are_read_as_one_range_that_has_room_in_the_window() {
        assert!(rows(&[]).is_empty());
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
        assert_eq!(around(&all[..4]), Some(0..32 + GAP));
        let all = [near(0, 0, 5, WINDOW), near(1, 0, 5, WINDOW - 1), near(2, 0, WINDOW, 5), near(3, 0, WINDOW, 6)];
        assert_eq!(rows(&all), [vec![0, 1, 2], vec![3]]);
    }
}
