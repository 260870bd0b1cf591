//! How many singular values of a matrix are above a bound: how many eigenvalues of `AᵀA` are above its square.
//!
//! By Sylvester's law of inertia the signs of the pivots of `AᵀA - bound²`, eliminated without exchanges, are those of its
//! eigenvalues: half the work of a tridiagonal form with a Sturm sequence, and all of it in blocks. Without exchanges a
//! pivot near zero makes elements grow, which is looked at: where rounding could have moved an eigenvalue by more than
//! a millionth of the bound, it is done again a little beside, and if that does not help nothing is told.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]
#![expect(clippy::indexing_slicing, reason = "tiles and strips are cut from what was made as long as they need")]

use super::matrix::Tall;
use crate::read::tensor::simd::{Kernel, widest};

/// Rows and columns of a tile that is kept in registers.
const HIGH: usize = 4;
const WIDE: usize = 16;

/// Rows that are taken in together.
const DEEP: usize = 96;

/// How far an eigenvalue may have been moved by rounding, in parts of the bound.
const SHARP: f64 = 1e-6;

/// The upper triangle of a symmetric matrix, rows padded with zeros to whole tiles.
struct Symmetric {
    side: usize,
    padded: usize,
    values: Vec<f64>,
}

/// How many eigenvalues of `AᵀA` are above `bound`, which is positive; `None` where rounding could decide it.
pub(super) fn count_above(matrix: &Tall, bound: f64) -> Option<u64> {
    // A few places beside, each less than a hundred-thousandth away: an eigenvalue of a part of the matrix is at none of
    // them by accident.
    [0.0, 3e-6, -5e-6, 7e-6].into_iter().find_map(|aside| signs(gram(matrix), bound * (1.0 + aside)))
}

fn gram(matrix: &Tall) -> Symmetric {
    let side = matrix.columns;
    let padded = side.next_multiple_of(WIDE);
    let mut gram = Symmetric { side, padded, values: vec![0.0; padded * padded] };
    let mut strips = Strips::default();
    for rows in matrix.values.chunks(side.saturating_mul(DEEP).max(1)) {
        let deep = rows.len() / side.max(1);
        strips.clear(padded, deep);
        for (depth, row) in rows.chunks_exact(side).enumerate() {
            for (column, value) in row.iter().enumerate() {
                strips.put(column, depth, f64::from(*value), f64::from(*value));
            }
        }
        widest(Update { into: &mut gram, strips: &strips, from: 0 });
    }
    gram
}

/// The positive pivots of `matrix - bound`.
fn signs(mut matrix: Symmetric, bound: f64) -> Option<u64> {
    let Symmetric { side, padded, .. } = matrix;
    // No element of it is larger than the largest of the diagonal.
    let mut most = bound;
    for n in 0..side {
        let diagonal = &mut matrix.values[n * padded + n];
        most = most.max(*diagonal);
        *diagonal -= bound;
    }
    let mut positive = 0;
    let mut strips = Strips::default();
    let mut first = 0;
    while first < side {
        let end = side.min(first + DEEP);
        for n in first..end {
            let (upper, lower) = matrix.values.split_at_mut((n + 1) * padded);
            let row = &upper[n * padded..];
            let pivot = row[n];
            let beside = row[n + 1..side].iter().fold(0f64, |most, value| most.max(value.abs()));
            // Itself, its row, and what is taken from the rows below it.
            most = most.max(pivot.abs()).max(beside).max(beside * (beside / pivot.abs()));
            if pivot == 0.0 || !most.is_finite() {
                return None;
            }
            positive += u64::from(pivot > 0.0);
            for (to, below) in lower.chunks_exact_mut(padded).take(end - n - 1).enumerate() {
                let factor = row[n + 1 + to] / pivot;
                widest(Subtract { factor, row: &row[n + 1 + to..], from: &mut below[n + 1 + to..] });
            }
        }
        strips.clear(padded, end - first);
        for n in first..end {
            let row = &matrix.values[n * padded..(n + 1) * padded];
            let pivot = row[n];
            for (column, value) in row.iter().enumerate().skip(end) {
                strips.put(column, n - first, -value / pivot, *value);
            }
        }
        widest(Update { into: &mut matrix, strips: &strips, from: end });
        first = end;
    }
    // Each step of elimination rounds to that many parts of the largest element that there was.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let moved = most * f64::EPSILON * (side as f64).sqrt() * 4.0;
    (moved <= SHARP * bound).then_some(positive)
}

/// Rows of two matrices, packed in the order in which tiles take them.
#[derive(Default)]
struct Strips {
    deep: usize,
    left: Vec<f64>,
    right: Vec<f64>,
}

impl Strips {
    fn clear(&mut self, padded: usize, deep: usize) {
        self.deep = deep;
        for side in [&mut self.left, &mut self.right] {
            side.clear();
            side.resize(padded * deep, 0.0);
        }
    }

    #[inline(always)]
    fn put(&mut self, column: usize, depth: usize, left: f64, right: f64) {
        let strip = |wide: usize| (column / wide * self.deep + depth) * wide + column % wide;
        self.left[strip(HIGH)] = left;
        self.right[strip(WIDE)] = right;
    }
}

/// Adds `leftᵀ · right` to the upper triangle, from a row and column on.
struct Update<'m> {
    into: &'m mut Symmetric,
    strips: &'m Strips,
    from: usize,
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { into: Symmetric { padded, values, .. }, strips, from } = self;
        let padded = *padded;
        let deep = strips.deep.max(1);
        for (across, right) in strips.right.chunks_exact(deep * WIDE).enumerate().skip(from / WIDE) {
            let right = right.as_chunks::<WIDE>().0;
            let column = across * WIDE;
            let tiles = (column + WIDE) / HIGH;
            for (down, left) in strips.left.chunks_exact(deep * HIGH).enumerate().take(tiles).skip(from / HIGH) {
                let sums = tile(left.as_chunks::<HIGH>().0, right);
                for (row, sums) in sums.iter().enumerate() {
                    let at = (down * HIGH + row) * padded + column;
                    for (to, sum) in values[at..at + WIDE].iter_mut().zip(sums) {
                        *to += sum;
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn tile(left: &[[f64; HIGH]], right: &[[f64; WIDE]]) -> [[f64; WIDE]; HIGH] {
    let mut sums = [[0f64; WIDE]; HIGH];
    for (left, right) in left.iter().zip(right) {
        for row in 0..HIGH {
            for column in 0..WIDE {
                sums[row][column] += left[row] * right[column];
            }
        }
    }
    sums
}

/// Subtracts a multiple of a row from another.
struct Subtract<'m> {
    factor: f64,
    row: &'m [f64],
    from: &'m mut [f64],
}

impl Kernel for Subtract<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (from, value) in self.from.iter_mut().zip(self.row) {
            *from -= self.factor * value;
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    fn diagonal(values: &[f32], rows: usize) -> Tall {
        let columns = values.len();
        let mut all = vec![0f32; rows * columns];
        for (n, value) in values.iter().enumerate() {
            all[n * columns + n] = *value;
        }
        Tall::new(rows, columns, all).unwrap()
    }

    #[test]
    fn diagonals_are_counted_whatever_the_sides() {
        for side in [1usize, 2, 15, 16, 17, 95, 96, 97, 130, 200] {
            let values: Vec<f32> = (1..=side).map(|n| ((n * 7919) % 1009) as f32).collect();
            let matrix = diagonal(&values, side + side % 3);
            for bound in [0.5f64, 100.5, 500.5, 2000.0] {
                let want = values.iter().filter(|value| f64::from(**value) > bound).count() as u64;
                assert_eq!(count_above(&matrix, bound * bound), Some(want), "{side} above {bound}");
            }
        }
    }

    #[test]
    fn a_pivot_of_zero_is_gone_around() {
        // The first diagonal element of the square less the bound is zero, and the first two rows do not commute.
        let matrix = Tall::new(2, 2, vec![3.0, 4.0, 4.0, -3.0]).unwrap();
        assert_eq!(count_above(&matrix, 24.0), Some(2));
        assert_eq!(count_above(&matrix, 26.0), Some(0));
        let matrix = Tall::new(3, 3, vec![0.0, 5.0, 0.0, 5.0, 5.0, 1.0, 0.0, 1.0, 7.0]).unwrap();
        // 25 is the first diagonal element of its square; eigenvalues of the matrix are about -3.1, 6.8 and 8.3.
        assert_eq!(count_above(&matrix, 25.0), Some(2));
    }

    #[test]
    fn what_rounding_would_decide_is_not_told() {
        // Both eigenvalues of the square are near 1; the bound is a 10⁻²⁰ of the largest.
        let matrix = diagonal(&[1e10, 1.0, 1.0, 1.0], 4);
        assert_eq!(count_above(&matrix, 1.0), None);
        assert_eq!(count_above(&diagonal(&[1.0; 5], 5), 1e-30), None);
    }
}
