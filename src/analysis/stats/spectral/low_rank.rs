//! Of how low a rank a matrix is, but for what rounding does to its elements: how many singular values are above a
//! bound that may be a hundred-millionth of the largest.
//!
//! `AᵀA` in float64 does not know so small ones, since it has their squares. So the directions of the large ones are
//! found (Halko, Martinsson and Tropp, 2011): products with random vectors, [`WIDE`] at a time and once more through
//! the matrix, made orthogonal to those before, until nothing above the bound is found. What singular values the matrix
//! has in these directions is then exact, and never more than it has. What is left of it without those above the bound
//! is a matrix whose largest singular value is looked at by itself: if that is not above the bound, no other one of the
//! whole is either (Eckart and Young), and the count is right, whatever the random vectors were.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]
#![expect(
    clippy::indexing_slicing,
    reason = "all sides are those of one matrix; zipped iterators measured half as fast"
)]

use super::lanczos::{largest, noise};
use super::matrix::Tall;
use crate::read::tensor::simd::{Kernel, widest};

/// Vectors that go through the matrix together.
const WIDE: usize = 8;

/// Elements of all directions at most: 128 MiB.
const MOST: usize = 1 << 24;

/// A value of each of [`WIDE`] vectors.
type Row = [f64; WIDE];

/// How many singular values are above a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    /// So many, and the smallest of them.
    Exactly(u64, f64),
    /// More than were looked for.
    More,
    /// Rounding, or too little memory, would decide it.
    Unclear,
}

/// How many singular values of a matrix are above `bound`, looking for `limit` at most; `norm` is the root of the sum of
/// all their squares, `sigma` the largest.
pub(super) fn rank_above(mut matrix: Tall, bound: f64, limit: usize, norm: f64, sigma: f64) -> Found {
    let side = as_float(matrix.columns);
    // Each of those above the bound has the square of the largest one at most, and each of the others that of the bound.
    let rest = norm * norm - side * bound * bound;
    if rest > as_float(limit) * sigma * sigma {
        return Found::More;
    }
    if matrix.rows.saturating_mul(limit.saturating_add(WIDE)) > MOST {
        return Found::Unclear;
    }
    let (mut left, mut right): (Vec<Vec<Row>>, Vec<Vec<Row>>) = (Vec::new(), Vec::new());
    let (mut random, mut squares) = (noise(), 0.0);
    while left.len() * WIDE <= limit {
        let start: Vec<Row> = (0..matrix.columns).map(|_| std::array::from_fn(|_| random())).collect();
        let found = orthonormal(times(&matrix, &start), &left);
        // Once more through the matrix: what is small is then as much smaller as its square.
        let found = orthonormal(times(&matrix, &turned_times(&matrix, &found)), &left);
        let image = turned_times(&matrix, &found);
        let values = singular(&[&image]).0;
        let most = values.iter().copied().fold(0.0, f64::max);
        if most.is_nan() || most <= bound {
            break;
        }
        squares += values.iter().map(|value| value * value).sum::<f64>();
        left.push(found);
        right.push(image);
        // What is left is hardly twice as large as what was found last.
        let others = (norm * norm - squares - side * bound * bound) / (4.0 * most * most);
        if as_float(left.len() * WIDE) + others > as_float(limit + WIDE) {
            return Found::More;
        }
    }
    let images: Vec<&Vec<Row>> = right.iter().collect();
    let (values, turns) = singular(&images);
    let above: Vec<usize> = (0..values.len()).filter(|at| values[*at] > bound).collect();
    if above.len() > limit {
        return Found::More;
    }
    let least = above.iter().map(|at| values[*at]).fold(f64::INFINITY, f64::min);
    let of = |blocks: &[Vec<Row>], at: usize| combined(blocks, &turns[at]);
    let pairs: Vec<(Vec<f64>, Vec<f64>)> = above.iter().map(|at| (of(&left, *at), of(&right, *at))).collect();
    widest(Without { matrix: &mut matrix, pairs: &pairs });
    let left_over = largest(matrix.columns, |v, into| matrix.normal(v, into));
    if left_over.converged && left_over.value + left_over.error <= bound * bound {
        Found::Exactly(above.len() as u64, least)
    } else if left.len() * WIDE > limit {
        Found::More
    } else {
        Found::Unclear
    }
}

#[expect(clippy::cast_precision_loss, reason = "sides of a matrix in memory")]
fn as_float(count: usize) -> f64 {
    count as f64
}

/// `A·x` for vectors side by side.
fn times(matrix: &Tall, x: &[Row]) -> Vec<Row> {
    let mut into = vec![[0.0; WIDE]; matrix.rows];
    widest(Times { matrix, x, into: &mut into });
    into
}

/// `Aᵀ·x`.
fn turned_times(matrix: &Tall, x: &[Row]) -> Vec<Row> {
    let mut into = vec![[0.0; WIDE]; matrix.columns];
    widest(TurnedTimes { matrix, x, into: &mut into });
    into
}

struct Times<'v> {
    matrix: &'v Tall,
    x: &'v [Row],
    into: &'v mut [Row],
}

impl Kernel for Times<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, into) in self.matrix.values.chunks_exact(self.matrix.columns.max(1)).zip(self.into) {
            let mut sums = [0.0; WIDE];
            for (value, x) in row.iter().zip(self.x) {
                let value = f64::from(*value);
                for n in 0..WIDE {
                    sums[n] += value * x[n];
                }
            }
            *into = sums;
        }
    }
}

struct TurnedTimes<'v> {
    matrix: &'v Tall,
    x: &'v [Row],
    into: &'v mut [Row],
}

impl Kernel for TurnedTimes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, x) in self.matrix.values.chunks_exact(self.matrix.columns.max(1)).zip(self.x) {
            for (value, into) in row.iter().zip(self.into.iter_mut()) {
                let value = f64::from(*value);
                for n in 0..WIDE {
                    into[n] += value * x[n];
                }
            }
        }
    }
}

/// A matrix less products of a column and a row each; in float64, and then rounded to float32.
struct Without<'v> {
    matrix: &'v mut Tall,
    pairs: &'v [(Vec<f64>, Vec<f64>)],
}

impl Kernel for Without<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let columns = self.matrix.columns;
        let mut wide = vec![0.0; columns];
        for (at, row) in self.matrix.values.chunks_exact_mut(columns.max(1)).enumerate() {
            for (wide, value) in wide.iter_mut().zip(row.iter()) {
                *wide = f64::from(*value);
            }
            for (left, right) in self.pairs {
                let share = left[at];
                for (wide, right) in wide.iter_mut().zip(right) {
                    *wide -= share * right;
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "rounded, six parts in 10⁸ of what is left")]
            for (value, wide) in row.iter_mut().zip(&wide) {
                *value = *wide as f32;
            }
        }
    }
}

/// Vectors made orthogonal to others and to one another, of length 1; zeros for what they do not have of their own.
fn orthonormal(mut vectors: Vec<Row>, to: &[Vec<Row>]) -> Vec<Row> {
    // What is left of a vector may be a hundred-millionth of it, and of the others as much as rounding made of the whole.
    for _ in 0..3 {
        for other in to {
            let mut shares = [[0.0; WIDE]; WIDE];
            for (x, q) in vectors.iter().zip(other) {
                for (shares, q) in shares.iter_mut().zip(q) {
                    for n in 0..WIDE {
                        shares[n] += q * x[n];
                    }
                }
            }
            for (x, q) in vectors.iter_mut().zip(other) {
                for (shares, q) in shares.iter().zip(q) {
                    for n in 0..WIDE {
                        x[n] -= q * shares[n];
                    }
                }
            }
        }
        let dot = |vectors: &[Row], a: usize, b: usize| vectors.iter().map(|x| x[a] * x[b]).sum::<f64>();
        for n in 0..WIDE {
            let whole = dot(&vectors, n, n);
            for before in 0..n {
                let share = dot(&vectors, before, n);
                for x in &mut vectors {
                    x[n] -= share * x[before];
                }
            }
            let own = dot(&vectors, n, n);
            let by = if own > whole * 1e-28 { own.sqrt().recip() } else { 0.0 };
            for x in &mut vectors {
                x[n] *= by;
            }
        }
    }
    vectors
}

/// The singular values of a matrix whose columns are these, side by side, and for each the combination of columns that
/// has it: one-sided rotations (Hestenes, 1958) of the triangle of a QR decomposition, which know small values beside
/// large ones.
fn singular(blocks: &[&Vec<Row>]) -> (Vec<f64>, Vec<Vec<f64>>) {
    /// Rotations of all pairs; six or seven are enough for any matrix in practice.
    const SWEEPS: usize = 30;
    let count = blocks.len() * WIDE;
    let mut columns: Vec<Vec<f64>> =
        (0..count).map(|at| blocks[at / WIDE].iter().map(|row| row[at % WIDE]).collect()).collect();
    let mut triangle = vec![vec![0.0; count]; count];
    for (n, shares) in triangle.iter_mut().enumerate() {
        let (done, rest) = columns.split_at_mut(n);
        let column = &mut rest[0];
        for _ in 0..2 {
            for (before, other) in done.iter().enumerate() {
                let share = dot(other, column);
                shares[before] += share;
                add(column, other, -share);
            }
        }
        let length = dot(column, column).sqrt();
        shares[n] = length;
        if length > 0.0 {
            for value in column.iter_mut() {
                *value /= length;
            }
        }
    }
    let unit = |at: usize| (0..count).map(|n| f64::from(u8::from(n == at))).collect::<Vec<f64>>();
    let mut turns: Vec<Vec<f64>> = (0..count).map(unit).collect();
    for _ in 0..SWEEPS {
        let mut is_over = true;
        for one in 0..count {
            for other in one + 1..count {
                let (aa, bb) = (dot(&triangle[one], &triangle[one]), dot(&triangle[other], &triangle[other]));
                let ab = dot(&triangle[one], &triangle[other]);
                if ab.abs() <= 1e-15 * (aa * bb).sqrt() || ab == 0.0 {
                    continue;
                }
                is_over = false;
                let zeta = (bb - aa) / (2.0 * ab);
                let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                let cosine = tangent.hypot(1.0).recip();
                for vectors in [&mut triangle, &mut turns] {
                    let (low, high) = vectors.split_at_mut(other);
                    for (x, y) in low[one].iter_mut().zip(high[0].iter_mut()) {
                        (*x, *y) = (cosine * (*x - tangent * *y), cosine * (*y + tangent * *x));
                    }
                }
            }
        }
        if is_over {
            break;
        }
    }
    (triangle.iter().map(|column| dot(column, column).sqrt()).collect(), turns)
}

/// Vectors that stand side by side in blocks, added up with these weights.
fn combined(blocks: &[Vec<Row>], weights: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; blocks.first().map_or(0, Vec::len)];
    for (block, weights) in blocks.iter().zip(weights.chunks_exact(WIDE)) {
        for (sum, row) in sums.iter_mut().zip(block) {
            *sum += row.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>();
        }
    }
    sums
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], other: &[f64], times: f64) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to += times * other);
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "float32")]
mod tests {
    use super::*;

    /// Noise of this size, and products of random vectors of these sizes.
    fn matrix(rows: usize, columns: usize, noise_size: f64, sizes: &[f64]) -> Tall {
        let mut random = noise();
        let mut values: Vec<f64> = (0..rows * columns).map(|_| noise_size * random()).collect();
        for size in sizes {
            let mut vector = |count: usize| {
                let vector: Vec<f64> = (0..count).map(|_| random()).collect();
                let length = dot(&vector, &vector).sqrt();
                vector.into_iter().map(|value| value / length).collect::<Vec<f64>>()
            };
            let (left, right) = (vector(rows), vector(columns));
            for (at, value) in values.iter_mut().enumerate() {
                *value += size * left[at / columns] * right[at % columns];
            }
        }
        Tall::new(rows, columns, values.into_iter().map(|value| value as f32).collect()).unwrap()
    }

    fn rank(rows: usize, columns: usize, noise: f64, sizes: &[f64], bound: f64) -> Found {
        let matrix = matrix(rows, columns, noise, sizes);
        let norm = matrix.values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        let found = largest(columns.min(rows), |v, into| matrix.normal(v, into));
        rank_above(matrix, bound, columns.min(rows) / 4, norm, found.value.sqrt())
    }

    #[test]
    fn low_ranks_are_found_in_noise_of_any_size() {
        for (rows, columns) in [(60, 40), (40, 48), (64, 64)] {
            for noise in [1e-3, 1e-6] {
                for sizes in [&[][..], &[5.0], &[9.0, 3.0, 1.0], &[2.0; 9]] {
                    let found = rank(rows, columns, noise, sizes, noise * 25.0);
                    let Found::Exactly(count, least) = found else { panic!("{found:?} {noise}") };
                    assert_eq!(count, sizes.len() as u64, "{rows}×{columns} {noise}");
                    assert!(sizes.is_empty() || (least > 0.5 && least < 9.5), "{least}");
                }
            }
        }
    }

    #[test]
    fn what_is_of_no_low_rank_is_more() {
        assert_eq!(rank(60, 40, 1.0, &[], 1e-3), Found::More);
        assert_eq!(rank(60, 40, 0.01, &[50.0, 20.0], 1e-3), Found::More);
        assert_eq!(rank(60, 60, 1e-6, &[1.0; 24], 1e-4), Found::More);
    }
}
