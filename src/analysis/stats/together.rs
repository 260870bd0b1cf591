//! Many small tensors as one range of bytes: what [`nearby`](crate::analysis::sweep::nearby) reads together is summed here.
//!
//! Only what is right is told from here. Where anything is not, the tensor is read once more by itself, which says why.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::TensorStats;
use super::work::{Part, Worker};
use crate::analysis::sweep::nearby::{self, Near, WINDOW, groups};

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
                    self.near.push(Near { row, dtype: tensor.dtype, spans: [span] });
                    rows.push(TensorStats::new(at));
                }
                _ => {
                    let tensor = tensor.clone();
                    rows.push(self.whole(at, &tensor));
                }
            }
        }
        nearby::sort(&mut self.near);
        let near = std::mem::take(&mut self.near);
        for group in groups(&near) {
            self.group(group, &mut rows);
        }
        self.near = near;
        rows
    }

    /// Tensors that lie together.
    fn group(&mut self, group: &[Near<1>], rows: &mut [TensorStats]) {
        let options = self.job.options;
        self.range.read(self.job.checkpoint, group, 0);
        let mut wrong = Vec::new();
        for near in group {
            let ([span], Some(row)) = (near.spans, rows.get_mut(near.row as usize)) else { continue };
            let Some(bytes) = self.range.verified(span) else {
                wrong.push(*near);
                continue;
            };
            let asks_dims = options.channels || options.along || options.spectral;
            let tensor = if asks_dims { self.cursor.reach(row.at) } else { None };
            let mut part = tensor.map_or_else(Part::default, |tensor| Part::new(options, tensor, 0));
            self.adder.add(&mut part, near.dtype, bytes, 0, options);
            self.adder.finish(&mut part, options);
            *row = part.into_stats(row.at, near.dtype, options);
            self.job.progress.done.fetch_add(span.len, Ordering::Relaxed);
        }
        for near in wrong {
            let Some(row) = rows.get_mut(near.row as usize) else { continue };
            let Some(tensor) = self.cursor.reach(row.at).cloned() else { continue };
            *row = self.whole(row.at, &tensor);
        }
    }
}
