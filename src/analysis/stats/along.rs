//! How large elements are along the first axis: their root mean square in a few parts of it, in one pass.
//!
//! A tensor of one dimension is cut into parts of its elements, any other into parts of its rows. Sums are taken in the
//! order of the elements within a part of the reading and joined in the order of these, so that every digit is the same
//! whatever the number of threads.

use crate::read::tensor::Wide;

/// Parts of the first axis, at most.
pub const PARTS: u64 = 24;

/// The size of elements along the first axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Along {
    /// Length of the first axis.
    pub length: u64,
    /// Root mean square of the finite elements in equal parts of the axis, one after the other; `None` where none of a part
    /// is finite. As many as the axis is long, [`PARTS`] at most.
    pub sizes: Vec<Option<f64>>,
}

/// Sums of a tensor from some element on.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    length: u64,
    /// Elements below one index of the axis.
    row: u64,
    at: u64,
    /// Squares, and how many elements they are of.
    parts: Vec<(f64, u64)>,
}

impl Sums {
    /// Of a tensor with these dimensions, from element `at` on; `None` if it has no axis, or no elements.
    pub(super) fn new(dims: &[u64], at: u64) -> Option<Self> {
        let (&length, inner) = dims.split_first()?;
        let row = inner.iter().fold(1u64, |n, dim| n.saturating_mul(*dim));
        let parts = usize::try_from(length.min(PARTS)).unwrap_or(0);
        (length > 1 && row > 0).then(|| Self { length, row, at, parts: vec![(0.0, 0); parts] })
    }

    pub(super) fn add(&mut self, block: Wide<'_>) {
        match block {
            Wide::Single(values) => self.add_all(values, |value| f64::from(*value)),
            Wide::Double(values) => self.add_all(values, |value| *value),
            #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
            Wide::Int(values) => self.add_all(values, |value| *value as f64),
            #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
            Wide::UInt(values) => self.add_all(values, |value| *value as f64),
        }
    }

    fn add_all<T>(&mut self, values: &[T], wide: impl Fn(&T) -> f64) {
        let parts = self.parts.len().max(1) as u128;
        let mut left = values;
        while !left.is_empty() {
            let index = self.at / self.row;
            let part = u128::from(index) * parts / u128::from(self.length.max(1));
            // The first index that is of the next part.
            let next = ((part + 1) * u128::from(self.length)).div_ceil(parts);
            let end = next.saturating_mul(u128::from(self.row));
            let take = usize::try_from(end.saturating_sub(u128::from(self.at))).unwrap_or(usize::MAX);
            let (some, rest) = left.split_at(take.clamp(1, left.len()));
            let (mut squares, mut count) = (0.0, 0u64);
            for value in some.iter().map(&wide).filter(|value| value.is_finite()) {
                squares += value * value;
                count += 1;
            }
            if let Some(sum) = usize::try_from(part).ok().and_then(|part| self.parts.get_mut(part)) {
                *sum = (sum.0 + squares, sum.1.saturating_add(count));
            }
            self.at = self.at.saturating_add(some.len() as u64);
            left = rest;
        }
    }

    /// Takes in the part of the tensor that begins where this one ends.
    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, theirs) in self.parts.iter_mut().zip(&other.parts) {
            *sum = (sum.0 + theirs.0, sum.1.saturating_add(theirs.1));
        }
        self.at = other.at;
    }

    /// All of the tensor has been seen.
    pub(super) fn finish(self) -> Along {
        #[expect(clippy::cast_precision_loss, reason = "a mean of so many")]
        let size = |(squares, count): (f64, u64)| (count > 0).then(|| (squares / count as f64).sqrt());
        Along { length: self.length, sizes: self.parts.into_iter().map(size).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_axis_are_the_same_however_it_is_read() {
        for dims in [&[4u64, 3][..], &[50], &[25, 2, 2], &[24, 1], &[1000], &[3, 7]] {
            let count = usize::try_from(dims.iter().product::<u64>()).unwrap();
            let values: Vec<f32> =
                (0..count).map(|n| if n % 7 == 3 { f32::NAN } else { [0.0, 1.0, 2.0, -3.0, 4.0][n % 5] }).collect();
            let parts = dims[0].min(PARTS);
            let row = usize::try_from(dims[1..].iter().product::<u64>()).unwrap();
            let naive: Vec<Option<f64>> = (0..parts)
                .map(|part| {
                    let of_part = |n: &usize| (n / row) as u64 * parts / dims[0] == part;
                    let own: Vec<f64> = (0..count).filter(of_part).map(|n| f64::from(values[n])).collect();
                    let finite: Vec<f64> = own.into_iter().filter(|value| value.is_finite()).collect();
                    let squares: f64 = finite.iter().map(|value| value * value).sum();
                    (!finite.is_empty()).then(|| (squares / f64::from(u32::try_from(finite.len()).unwrap())).sqrt())
                })
                .collect();
            for step in [1, 2, 5, count] {
                let mut whole = Sums::new(dims, 0).unwrap();
                for (some, at) in values.chunks(step).zip((0u64..).step_by(step)) {
                    let mut sums = Sums::new(dims, at).unwrap();
                    sums.add(Wide::Single(some));
                    whole.merge(&sums);
                }
                assert_eq!(whole.finish().sizes, naive, "{dims:?} by {step}");
            }
        }
    }

    #[test]
    fn what_has_no_axis_has_no_sizes_along_it() {
        for dims in [&[][..], &[1], &[0, 3], &[3, 0], &[1, 5]] {
            assert!(Sums::new(dims, 0).is_none(), "{dims:?}");
        }
        // Lengths that a file claims cost nothing.
        assert_eq!(Sums::new(&[u64::MAX, u64::MAX], 0).unwrap().parts.len(), 24);
    }
}
