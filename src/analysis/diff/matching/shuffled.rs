//! The same elements in an order that no order of axes makes: indexes of one axis that changed places, in blocks (the
//! gates of a recurrent layer) or one by one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::analysis::diff::how::Blocks;
use crate::read::wire::Crc32c;

/// Blocks that may be gates.
const GATES: usize = 6;

/// Indexes of one axis that stand in other places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shuffled {
    pub(super) axis: usize,
    /// For each index of B, which of A it is.
    pub(super) order: Vec<usize>,
}

impl Shuffled {
    /// The same in blocks, if there are few of them.
    pub(super) fn blocks(&self) -> Option<Blocks> {
        let len = self.order.len();
        let fits = |count: &usize| {
            let size = len / count;
            len.is_multiple_of(*count)
                && size > 1
                && self.order.chunks(size).all(|block| {
                    block.first().is_some_and(|first| {
                        first.is_multiple_of(size) && block.iter().enumerate().all(|(n, at)| *at == first + n)
                    })
                })
        };
        let count = (2..=GATES).find(fits)?;
        let size = len / count;
        Some(Blocks {
            axis: self.axis,
            order: self.order.chunks(size).filter_map(|block| Some(block.first()? / size)).collect(),
        })
    }
}

/// Finds the axis whose indexes have changed places from `a` to `b`, both in the shape of B with elements of so many bytes.
pub(super) fn shuffled(a: &[u8], b: &[u8], dims: &[u64], size: usize) -> Option<Shuffled> {
    let dims: Vec<usize> = dims.iter().map(|dim| usize::try_from(*dim).ok()).collect::<Option<_>>()?;
    (0..dims.len()).find_map(|axis| along(a, b, &dims, axis, size))
}

fn along(a: &[u8], b: &[u8], dims: &[usize], axis: usize, size: usize) -> Option<Shuffled> {
    let count = *dims.get(axis).filter(|count| **count > 1)?;
    let inner = dims.get(axis + 1..)?.iter().product::<usize>().checked_mul(size)?;
    let theirs = sums(b, count, inner);
    let mut by_sum: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (n, sum) in sums(a, count, inner).into_iter().enumerate().rev() {
        by_sum.entry(sum).or_default().push(n);
    }
    let mut order = Vec::with_capacity(count);
    for sum in theirs {
        // Equal ones in the order in which they come.
        let Entry::Occupied(mut places) = by_sum.entry(sum) else { return None };
        order.push(places.get_mut().pop()?);
    }
    let step = count.checked_mul(inner)?;
    let is_so = b.chunks(step).zip(a.chunks(step)).all(|(b, a)| {
        b.chunks(inner).zip(&order).all(|(run, from)| {
            let start = from * inner;
            a.get(start..start + inner) == Some(run)
        })
    });
    is_so.then_some(Shuffled { axis, order })
}

/// A sum of everything at each index of an axis.
fn sums(bytes: &[u8], count: usize, inner: usize) -> Vec<u64> {
    let mut sums = vec![0u64; count];
    for all in bytes.chunks(count.saturating_mul(inner).max(1)) {
        for (sum, run) in sums.iter_mut().zip(all.chunks(inner.max(1))) {
            let next = u64::from(Crc32c::of(run).0) | u64::from(Crc32c(!0).extend(run).0) << 32;
            *sum = sum.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ next;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_that_changed_places_are_found() {
        let a: Vec<u8> = (0..96).collect();
        let rows = |order: &[usize], width: usize| {
            order.iter().flat_map(|row| a[row * width..(row + 1) * width].to_vec()).collect::<Vec<u8>>()
        };
        let found = shuffled(&a, &rows(&[3, 0, 2, 1], 24), &[4, 24], 1).unwrap();
        assert_eq!((found.axis, found.order.as_slice()), (0, &[3, 0, 2, 1][..]));
        assert_eq!(found.blocks(), None);
        let found = shuffled(&a, &rows(&[0, 1, 4, 5, 2, 3, 6, 7], 12), &[8, 12], 1).unwrap();
        assert_eq!(found.blocks().unwrap().order, [0, 2, 1, 3]);
        // Along the second axis.
        let b: Vec<u8> = a.chunks(8).flat_map(|row| [&row[4..], &row[..4]].concat()).collect();
        let found = shuffled(&a, &b, &[12, 8], 1).unwrap();
        assert_eq!((found.axis, found.blocks().unwrap().order), (1, vec![1, 0]));
        let mut other = b;
        other[5] ^= 1;
        assert_eq!(shuffled(&a, &other, &[12, 8], 1), None);
    }
}
