//! Parts of a tensor along one of its axes: in which orders of axes a stretch of it is another tensor, and which stretches
//! could be tensors of an index, by their shapes.

use std::collections::{BTreeMap, BTreeSet};

use super::orders::{Order, orders, without_ones};
use super::side::Item;
use super::walk::{Stretch, Walk};
use crate::read::tensor::DType;

/// Of each number of elements what there is in an index: dtype and shape, and how many checksums have these.
pub(super) type Sizes = BTreeMap<u64, BTreeMap<(i32, Vec<u64>), u64>>;

/// How many elements query, key and value have together, and each of them: these may alternate by heads in one tensor.
pub(super) type Heads = BTreeMap<u64, BTreeSet<u64>>;

/// Tensors of which heads are looked for before any are known: a model has them all alike.
pub(super) const FIRST_HEADS: usize = 4;

/// Where stretches of a tensor are looked for.
#[derive(Clone, Copy)]
pub(super) enum Places<'p> {
    /// In one run.
    Runs,
    /// Alternating by heads: what may be that, and in these numbers of groups alone, if any are known.
    Heads(&'p Heads, &'p BTreeSet<u64>),
}

/// In how many groups parts of these lengths may alternate along an axis: as many as attention has heads.
pub(super) fn groups(lengths: &[u64]) -> impl Iterator<Item = u64> {
    /// Heads of the largest models.
    const MOST: u64 = 256;
    let least = lengths.iter().copied().min().unwrap_or(0);
    // A head has 32 to 256 numbers, but in models to try things out with.
    let is_head = move |of: u64| least < 256 || (32..=256).contains(&of);
    let fits = move |groups: &u64| lengths.iter().all(|length| length.is_multiple_of(*groups));
    (2..=MOST).filter(fits).filter(move |groups| is_head(least / groups))
}

/// The orders of axes that make a part of a stretch of a tensor, with walks over the whole.
pub(super) fn orders_within(dims: &[u64], stretch: &Stretch, part: &[u64]) -> Vec<Order> {
    let short = stretch.dims(dims);
    orders(&short, part).into_iter().filter_map(|order| widened(dims, stretch, order)).collect()
}

/// An order of the axes of a stretch, as a walk over the whole.
pub(super) fn widened(dims: &[u64], stretch: &Stretch, order: Order) -> Option<Order> {
    let short = stretch.dims(dims);
    if without_ones(&order.dims) != without_ones(&short) {
        // In another shape, where the stretch is one run of elements.
        let outer: u64 = dims.iter().take(stretch.axis).product();
        let inner: u64 = dims.iter().skip(stretch.axis.saturating_add(1)).product();
        let is_one_run = outer == 1 && stretch.groups == 1;
        let start = isize::try_from(stretch.start.checked_mul(inner)?).ok().filter(|_| is_one_run)?;
        let walk = Walk { start: order.walk.start.checked_add(start)?, ..order.walk.clone() };
        return Some(Order { walk, ..order });
    }
    // Axes of one index go anywhere.
    let long: Vec<usize> = (0..short.len()).filter(|axis| short.get(*axis) != Some(&1)).collect();
    let axes: Vec<usize> = if order.dims == short {
        order.axes
    } else {
        let ones = (0..short.len()).filter(|axis| short.get(*axis) == Some(&1));
        order.axes.iter().filter_map(|axis| long.get(*axis).copied()).chain(ones).collect()
    };
    let walk = Walk::within(dims, stretch, &axes)?;
    Some(Order { dims: short, axes, flipped: Vec::new(), walk })
}

/// The stretches of a tensor that could be tensors of an index with this dtype, with the order in which each would be one.
pub(super) fn stretches(item: &Item, dtype: DType, sizes: &Sizes, places: Places<'_>) -> Vec<(Stretch, Order)> {
    /// Checksums of one tensor.
    const MOST: usize = 1 << 12;
    /// Places that a stretch is looked for at which does not go into the axis as a whole number of times.
    const PLACES: u64 = 64;
    let mut all = Vec::new();
    for (axis, length) in item.dims.iter().enumerate().filter(|(_, length)| **length > 1) {
        let inner = item.count / length;
        for (size, shapes) in lengths(inner, *length, sizes) {
            for groups in places.groups(item, [size, *length], inner) {
                // Of each group.
                let (of, length) = (size / groups, length / groups);
                let step = gcd(of, length);
                if step != of && length / step > PLACES {
                    continue;
                }
                for (_, dims) in shapes.keys().filter(|(of, _)| *of == dtype.number()) {
                    let mut start = 0u64;
                    while start.saturating_add(of) <= length && all.len() < MOST {
                        let stretch = Stretch { axis, start, size, groups };
                        let orders = orders_within(&item.dims, &stretch, dims);
                        all.extend(orders.into_iter().map(|order| (stretch, order)));
                        start += step;
                    }
                }
            }
        }
    }
    all
}

impl Places<'_> {
    /// In how many groups a part of the first length may lie along an axis of the second.
    fn groups(self, item: &Item, [size, length]: [u64; 2], inner: u64) -> Vec<u64> {
        match self {
            Self::Runs => vec![1],
            Self::Heads(heads, known) => {
                let is_part = |parts: &&BTreeSet<u64>| parts.contains(&size.saturating_mul(inner));
                let least = heads.get(&item.count).filter(is_part).and_then(BTreeSet::first);
                let Some(least) = least.filter(|least| least.is_multiple_of(inner)) else { return Vec::new() };
                let is_known = |groups: &u64| known.is_empty() || known.contains(groups);
                groups(&[size, length, least / inner]).filter(is_known).collect()
            }
        }
    }
}

/// The lengths below that of an axis which make numbers of elements that there are, each with what there is.
pub(super) fn lengths<V>(inner: u64, length: u64, sizes: &BTreeMap<u64, V>) -> Vec<(u64, &V)> {
    if usize::try_from(length).is_ok_and(|length| length <= sizes.len()) {
        return (1..length).filter_map(|size| Some((size, sizes.get(&size.checked_mul(inner)?)?))).collect();
    }
    let fits = sizes.range(inner..inner.saturating_mul(length)).filter(|(count, _)| count.is_multiple_of(inner));
    fits.map(|(count, of)| (count / inner, of)).collect()
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
