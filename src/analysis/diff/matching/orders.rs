//! In which orders the axes of one shape can come so that another one results: few, because the lengths must fit.

use std::collections::BTreeSet;

use super::walk::Walk;
use crate::analysis::diff::how::How;

/// Axes of which every order is tried: 720 of them.
const AXES: usize = 6;

/// Axes of which every order is tried where the lengths do not say which fit.
const RESHAPED: usize = 4;

/// The longest axis that a layout turns around: those of the window of a convolution.
const WINDOW: u64 = 16;

/// One way to make the second shape of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// The shape of the source before its axes are put in order.
    pub(super) dims: Vec<u64>,
    /// Axes of the source, in the order of the result.
    pub(super) axes: Vec<usize>,
    /// Axes of the result that run backwards.
    pub(super) flipped: Vec<usize>,
    pub(super) walk: Walk,
}

impl Order {
    fn new(dims: &[u64], axes: &[usize], flipped: &[usize]) -> Option<Self> {
        let walk = Walk::new(dims, axes, flipped)?;
        Some(Self { dims: dims.to_vec(), axes: axes.to_vec(), flipped: flipped.to_vec(), walk })
    }

    /// Whether axes keep their order.
    pub(super) fn is_plain(&self) -> bool {
        self.flipped.is_empty() && self.axes.is_sorted()
    }

    /// What is told of it, of a source with this shape.
    pub(super) fn how(&self, dims: &[u64]) -> How {
        let axes = (!self.axes.is_sorted()).then(|| self.axes.clone());
        let is_reshaped = self.dims != dims && (axes.is_some() || !self.flipped.is_empty());
        let reshape = is_reshaped.then(|| self.dims.clone());
        How { reshape, axes, flipped: self.flipped.clone(), ..How::default() }
    }
}

/// Every way to put the axes of `a` so that the shape `b` results, first the one that changes nothing. Where the lengths
/// differ and only their product is the same, those that a reshape before or behind makes possible.
pub(super) fn orders(a: &[u64], b: &[u64]) -> Vec<Order> {
    if product(a) != product(b) {
        return Vec::new();
    }
    let mut found = Found::default();
    if a == b || without_ones(a) == without_ones(b) {
        found.add(whole(a, b, &(0..without_ones(a).len()).collect::<Vec<_>>(), &[]));
    }
    let (x, y) = (without_ones(a), without_ones(b));
    if sorted(&x) == sorted(&y) {
        if x.len() <= AXES {
            permutations(x.len(), &mut |axes| {
                if axes.iter().zip(&y).all(|(axis, dim)| x.get(*axis) == Some(dim)) {
                    found.add(whole(a, b, axes, &[]));
                }
            });
        }
        return found.all;
    }
    found.add(Order::new(a, &(0..a.len()).collect::<Vec<_>>(), &[]));
    if x.len() <= RESHAPED {
        permutations(x.len(), &mut |axes| found.add(Order::new(&x, axes, &[])));
    }
    if y.len() <= RESHAPED {
        permutations(y.len(), &mut |axes| {
            // The shape from which these axes, taken back, lead to the result.
            let dims: Vec<u64> = axes.iter().filter_map(|axis| y.get(*axis).copied()).collect();
            let mut back = vec![0; axes.len()];
            for (n, axis) in axes.iter().enumerate() {
                if let Some(place) = back.get_mut(*axis) {
                    *place = n;
                }
            }
            found.add(Order::new(&dims, &back, &[]));
        });
    }
    found.all
}

/// The same with some of the short axes backwards, as transposed convolutions and true convolutions have them.
pub(super) fn backwards(a: &[u64], b: &[u64]) -> Vec<Order> {
    let mut found = Found::default();
    for order in orders(a, b) {
        let result: Vec<u64> = order.axes.iter().filter_map(|axis| order.dims.get(*axis).copied()).collect();
        if result.len() < 3 || result.len() > AXES {
            continue;
        }
        let is_short = |n: &usize| result.get(*n).is_some_and(|dim| (2..=WINDOW).contains(dim));
        let mut short: Vec<usize> = (0..result.len()).filter(is_short).collect();
        short.sort_by_key(|n| result.get(*n).copied());
        short.truncate(3);
        for chosen in 1..1usize << short.len() {
            let mut flipped: Vec<usize> =
                short.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, axis)| *axis).collect();
            flipped.sort_unstable();
            found.add(Order::new(&order.dims, &order.axes, &flipped));
        }
    }
    found.all
}

/// Orders without those that come to the same.
#[derive(Default)]
struct Found {
    all: Vec<Order>,
    seen: BTreeSet<Walk>,
}

impl Found {
    fn add(&mut self, order: Option<Order>) {
        if let Some(order) = order.filter(|order| self.seen.insert(order.walk.clone())) {
            self.all.push(order);
        }
    }
}

/// An order of the axes longer than one, with those of one index where they fit; without them where they do not.
fn whole(a: &[u64], b: &[u64], axes: &[usize], flipped: &[usize]) -> Option<Order> {
    let long: Vec<usize> = (0..a.len()).filter(|axis| a.get(*axis) != Some(&1)).collect();
    let mut ones = (0..a.len()).filter(|axis| a.get(*axis) == Some(&1));
    let mut rest = axes.iter();
    let place = |dim: &u64| if *dim == 1 { ones.next() } else { rest.next().and_then(|n| long.get(*n)).copied() };
    let full: Option<Vec<usize>> = if a.len() == b.len() { b.iter().map(place).collect() } else { None };
    match full {
        Some(full) => Order::new(a, &full, flipped),
        None => Order::new(&without_ones(a), axes, flipped),
    }
}

pub(super) fn without_ones(dims: &[u64]) -> Vec<u64> {
    dims.iter().copied().filter(|dim| *dim != 1).collect()
}

pub(super) fn sorted(dims: &[u64]) -> Vec<u64> {
    let mut dims = dims.to_vec();
    dims.sort_unstable();
    dims
}

fn product(dims: &[u64]) -> Option<u64> {
    dims.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim))
}

/// Every order of so many axes, beginning with the one that changes nothing.
pub(super) fn permutations(len: usize, each: &mut dyn FnMut(&[usize])) {
    fn go(chosen: &mut Vec<usize>, len: usize, each: &mut dyn FnMut(&[usize])) {
        if chosen.len() == len {
            return each(chosen);
        }
        for next in 0..len {
            if !chosen.contains(&next) {
                chosen.push(next);
                go(chosen, len, each);
                chosen.pop();
            }
        }
    }
    go(&mut Vec::with_capacity(len), len, each);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(a: &[u64], b: &[u64]) -> Vec<Vec<usize>> {
        orders(a, b).into_iter().map(|order| order.axes).collect()
    }

    #[test]
    fn lengths_leave_few_orders() {
        assert_eq!(axes(&[3, 4], &[4, 3]), [[1, 0]]);
        assert_eq!(axes(&[4, 4], &[4, 4]), [[0, 1], [1, 0]]);
        assert_eq!(axes(&[3, 3, 8, 16], &[16, 8, 3, 3]), [[3, 2, 0, 1], [3, 2, 1, 0]]);
        assert!(axes(&[3, 4], &[4, 4]).is_empty());
        // Axes of one index have one place, and change nothing.
        assert_eq!(axes(&[3, 1, 5, 7], &[5, 3, 1, 7]), [[2, 0, 1, 3]]);
        assert_eq!(axes(&[1, 5], &[5]), [[0]]);
        assert_eq!(axes(&[], &[]), [[0usize; 0]]);
    }

    #[test]
    fn what_a_reshape_makes_possible() {
        // A dense layer of several heads in the layout of a plain one, and the way back.
        let all = orders(&[8, 2, 3], &[6, 8]);
        assert!(all.iter().any(|order| order.axes == [1, 2, 0] && order.dims == [8, 2, 3]));
        let back = orders(&[6, 8], &[8, 2, 3]);
        assert!(back.iter().any(|order| order.axes == [1, 0] && order.dims == [6, 8]));
        let heads = orders(&[6, 8], &[2, 8, 3]);
        assert!(heads.iter().any(|order| order.axes == [0, 2, 1] && order.dims == [2, 3, 8]));
        let distinct: BTreeSet<_> = all.iter().map(|order| &order.walk).collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn only_windows_run_backwards() {
        assert!(backwards(&[30, 40], &[40, 30]).is_empty());
        let all = backwards(&[3, 3, 32, 64], &[3, 3, 64, 32]);
        assert!(all.iter().any(|order| order.axes == [0, 1, 3, 2] && order.flipped == [0, 1]));
        assert!(all.iter().all(|order| order.flipped.iter().all(|axis| *axis < 2)));
    }
}
