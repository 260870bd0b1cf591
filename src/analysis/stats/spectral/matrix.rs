//! A matrix in memory, its elements as float32 times one power of two, and what loops over all of it find.
//!
//! Float64 and wide integers are rounded to float32: six parts in 10⁸ of an element, which no figure here shows. The power
//! of two is what keeps those apart that a float32 cannot hold, around 1e200 or 1e-200.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]
#![expect(clippy::indexing_slicing, reason = "all arrays have LANES items; zipped iterators measured half as fast")]

use std::array;

use crate::read::tensor::simd::{Kernel, widest};

/// Lanes of a sum.
const LANES: usize = 8;

/// Rows that are multiplied together: with eight, sums stay in registers; four measured two thirds slower.
const ROWS: usize = 8;

/// A matrix with at least as many rows as columns, row after row.
#[derive(Debug)]
pub(super) struct Tall {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<f32>,
}

impl Tall {
    /// Of elements in C order; what is wider than high is transposed, which keeps the singular values. `None` if it is not
    /// as many elements as the sides say, or none.
    pub(super) fn new(rows: usize, columns: usize, values: Vec<f32>) -> Option<Self> {
        /// Sides of a square that is transposed while it lies in the first-level cache.
        const SQUARE: usize = 32;
        if rows.checked_mul(columns)? != values.len() || values.is_empty() {
            return None;
        }
        if rows >= columns {
            return Some(Self { rows, columns, values });
        }
        let mut turned = vec![0f32; values.len()];
        for top in (0..rows).step_by(SQUARE) {
            for left in (0..columns).step_by(SQUARE) {
                for row in top..rows.min(top + SQUARE) {
                    for column in left..columns.min(left + SQUARE) {
                        turned[column * rows + row] = values[row * columns + column];
                    }
                }
            }
        }
        Some(Self { rows: columns, columns: rows, values: turned })
    }

    /// `Aᵀ(A·v)`, in float64.
    pub(super) fn normal(&self, v: &[f64], into: &mut [f64]) {
        widest(Normal { values: &self.values, columns: self.columns, v, into });
    }
}

/// Each row is multiplied with `v` and added to the result while it is in the first-level cache: one pass over memory
/// instead of two.
struct Normal<'v> {
    values: &'v [f32],
    columns: usize,
    v: &'v [f64],
    into: &'v mut [f64],
}

impl Kernel for Normal<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { values, columns, v, into } = self;
        into.fill(0.0);
        let mut blocks = values.chunks_exact(columns.saturating_mul(ROWS).max(1));
        for block in &mut blocks {
            add::<ROWS>(block, v, into);
        }
        for row in blocks.remainder().chunks_exact(columns.max(1)) {
            add::<1>(row, v, into);
        }
    }
}

/// Adds `aᵀ(a·v)` of `R` rows that follow one another.
#[inline(always)]
fn add<const R: usize>(block: &[f32], v: &[f64], into: &mut [f64]) {
    let columns = v.len();
    let rows: [&[f32]; R] = array::from_fn(|r| &block[r * columns..(r + 1) * columns]);
    let chunks = rows.map(|row| row.as_chunks::<LANES>());
    let (wide, v_rest) = v.as_chunks::<LANES>();
    // The compiler then knows that all are as long.
    let count = chunks.iter().fold(wide.len(), |least, (chunks, _)| least.min(chunks.len()));
    let wide = &wide[..count];
    let rows = chunks.map(|(chunks, _)| &chunks[..count]);
    let mut lanes = [[0f64; LANES]; R];
    for at in 0..count {
        for r in 0..R {
            for n in 0..LANES {
                lanes[r][n] += f64::from(rows[r][at][n]) * wide[at][n];
            }
        }
    }
    let mut dots = [0f64; R];
    for r in 0..R {
        for (value, v) in chunks[r].1.iter().zip(v_rest) {
            lanes[r][0] += f64::from(*value) * v;
        }
        dots[r] = lanes[r].iter().sum();
    }
    let (into, into_rest) = into.as_chunks_mut::<LANES>();
    let into = &mut into[..count];
    for at in 0..count {
        let mut sums = into[at];
        for r in 0..R {
            for n in 0..LANES {
                sums[n] += f64::from(rows[r][at][n]) * dots[r];
            }
        }
        into[at] = sums;
    }
    for (at, to) in into_rest.iter_mut().enumerate() {
        for r in 0..R {
            *to += f64::from(chunks[r].1[at]) * dots[r];
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    #[test]
    fn products_are_what_the_definition_says_for_any_sides() {
        for (rows, columns) in [(1, 1), (3, 2), (2, 3), (9, 8), (40, 33), (17, 50), (8, 1), (1, 9)] {
            let value = |row: usize, column: usize| ((row * 7 + column * 13) % 11) as f32 - 4.5;
            let values: Vec<f32> = (0..rows * columns).map(|n| value(n / columns, n % columns)).collect();
            let matrix = Tall::new(rows, columns, values).unwrap();
            let is_turned = rows < columns;
            let at =
                |row: usize, column: usize| f64::from(if is_turned { value(column, row) } else { value(row, column) });
            assert_eq!((matrix.rows, matrix.columns), (rows.max(columns), rows.min(columns)));
            let v: Vec<f64> = (0..matrix.columns).map(|n| (n % 5) as f64 - 1.0).collect();
            let mut got = vec![f64::NAN; matrix.columns];
            matrix.normal(&v, &mut got);
            // Halves and small integers: exact in any order.
            let dot = |row: usize| (0..matrix.columns).map(|column| at(row, column) * v[column]).sum::<f64>();
            let want: Vec<f64> =
                (0..matrix.columns).map(|n| (0..matrix.rows).map(|row| at(row, n) * dot(row)).sum()).collect();
            assert_eq!(got, want, "{rows}×{columns}");
        }
        assert!(Tall::new(2, 3, vec![0.0; 5]).is_none());
        assert!(Tall::new(0, 3, Vec::new()).is_none());
        assert!(Tall::new(usize::MAX, 3, vec![0.0; 5]).is_none());
    }
}
