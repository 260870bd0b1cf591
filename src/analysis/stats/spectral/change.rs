//! Singular values of a change, B − A: those of any matrix, and how many are above what rounding alone could have made.
//!
//! A low-rank change that was merged into a matrix is exactly of low rank, but for the rounding of B. The errors of
//! rounding are a random matrix of which the variance of each element is known, u²/12 for a distance of u between
//! neighbouring floats. Its norm is no more than √(most variance of a row) + √(most variance of a column) (Bandeira and
//! van Handel, 2016), moved out by the margin of every edge here. `docs/training.md` derives it.

use super::low_rank::{Found, rank_above};
use super::{Held, Spectrum, Tall, edge};
use crate::analysis::stats::block;
use crate::analysis::stats::figures::Figures;
use crate::analysis::stats::moments::times_power_of_two;
use crate::read::tensor::{DType, Wide};

/// No rank above this is looked for.
pub const MOST_RANK: u64 = 128;

/// Fewer rows or columns that changed have no rank that is called low.
pub const NARROWEST_CHANGE: u64 = 16;

/// A rank is low if there are this many times as many rows and columns that changed.
const LOW: u64 = 4;

/// The singular values that count stand out if each is this many times what rounding could have made.
const CLEAR: f64 = 2.0;

/// What is known of the singular values of a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangeSpectrum {
    /// Those of the change as of any matrix.
    pub spectrum: Spectrum,
    /// Above this no singular value is by rounding alone; `None` where fewer than [`NARROWEST_CHANGE`] rows or columns
    /// changed, or nothing is known of the matrix.
    pub rounding_edge: Option<f64>,
    /// How many singular values are above that.
    pub rank: Option<Rank>,
}

/// A numerical rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rank {
    /// So many singular values are above what rounding could have made.
    Exactly {
        /// How many.
        rank: u64,
        /// The smallest of them; infinite if there is none.
        least: f64,
    },
    /// More than a quarter of the rows or columns that changed, or more than [`MOST_RANK`].
    MoreThan(u64),
    /// Not told: rounding, or memory, would decide it.
    Unclear,
}

impl Rank {
    /// The rank, if it is known.
    pub fn exactly(self) -> Option<u64> {
        match self {
            Self::Exactly { rank, .. } => Some(rank),
            Self::MoreThan(_) | Self::Unclear => None,
        }
    }

    /// Than what it is more, if no more is known.
    pub fn more_than(self) -> Option<u64> {
        match self {
            Self::MoreThan(rank) => Some(rank),
            Self::Exactly { .. } | Self::Unclear => None,
        }
    }
}

impl ChangeSpectrum {
    /// The rank, if it is low and each singular value that counts is at least twice what rounding could have made.
    pub fn low_rank(&self) -> Option<u64> {
        match (self.rank?, self.rounding_edge?) {
            (Rank::Exactly { rank, least }, edge) if rank > 0 && least >= edge * CLEAR => Some(rank),
            _ => None,
        }
    }
}

/// The difference of two matrices while their elements come in.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Difference {
    held: Held,
    figures: Figures,
    rounding: Rounding,
    /// B − A of the elements that are being taken in.
    block: Vec<f64>,
}

/// Whether pairs of this dtype and these dimensions must be in memory at once.
pub(in crate::analysis) fn is_whole(dtype: DType, dims: &[u64]) -> bool {
    dtype.is_float() && super::is_held(dtype, dims)
}

impl Difference {
    /// Of two tensors of this dtype and these dimensions; `None` if they are no matrices of floats.
    pub(in crate::analysis) fn new(dtype: DType, dims: &[u64]) -> Option<Self> {
        let held = Held::new(dtype, dims).filter(|_| dtype.is_float())?;
        let rounding = Rounding::new(dtype, if held.left_out.is_none() { (held.rows, held.columns) } else { (0, 0) });
        Some(Self { held, figures: Figures::default(), rounding, block: Vec::new() })
    }

    /// Elements that follow those before.
    pub(in crate::analysis) fn add(&mut self, a: &[f64], b: &[f64]) {
        for (a, b) in a.chunks(block::BLOCK).zip(b.chunks(block::BLOCK)) {
            self.block.clear();
            self.block.extend(a.iter().zip(b).map(|(a, b)| b - a));
            let figures = block::figures(Wide::Double(&self.block), self.figures.elements);
            self.figures.merge(&figures);
            self.held.add(Wide::Double(&self.block));
            for ((a, b), d) in a.iter().zip(b).zip(&self.block) {
                self.rounding.add(*a, *b, *d);
            }
        }
    }

    /// What is found, once all elements have come in or if nothing is to be read.
    pub(in crate::analysis) fn finish(self) -> Option<ChangeSpectrum> {
        let Self { held, figures, rounding, .. } = self;
        let (exponent, mut matrix) = (held.exponent, None);
        let spectrum = held.finish_keeping(&figures, &mut matrix)?;
        let mut change = ChangeSpectrum { spectrum, rounding_edge: None, rank: None };
        let (Some(matrix), Some(sigma)) = (matrix, spectrum.sigma_max) else { return Some(change) };
        let side = rounding.changed();
        if side < NARROWEST_CHANGE {
            return Some(change);
        }
        let bound = rounding.edge(&matrix);
        let inner = |value: f64| times_power_of_two(value, -exponent);
        let limit = usize::try_from((side / LOW).min(MOST_RANK)).ok()?;
        change.rounding_edge = Some(bound).filter(|bound| bound.is_finite());
        change.rank = Some(match change.rounding_edge {
            None => Rank::Unclear,
            Some(bound) => match rank_above(matrix, inner(bound), limit, inner(figures.norm()), inner(sigma)) {
                Found::Exactly(rank, least) => Rank::Exactly { rank, least: times_power_of_two(least, exponent) },
                Found::More => Rank::MoreThan(limit as u64),
                Found::Unclear => Rank::Unclear,
            },
        });
        Some(change)
    }
}

/// What rounding did to each row and each column.
#[derive(Clone, Debug)]
struct Rounding {
    /// Sums of squares of the powers of two next below the elements of A, of B, and of their difference.
    rows: Vec<f64>,
    columns: Vec<f64>,
    changed_rows: Vec<bool>,
    changed_columns: Vec<bool>,
    at: (usize, usize),
    /// No distance between neighbouring floats is less than that around this.
    least: f64,
    /// Bits of fractions that any element of A, and of B, has.
    fractions: [u64; 2],
}

impl Rounding {
    fn new(dtype: DType, (rows, columns): (u64, u64)) -> Self {
        let size = |side: u64| usize::try_from(side).unwrap_or(0);
        let (rows, columns) = (size(rows), size(columns));
        Self {
            rows: vec![0.0; rows],
            columns: vec![0.0; columns],
            changed_rows: vec![false; rows],
            changed_columns: vec![false; columns],
            at: (0, 0),
            least: times_power_of_two(1.0, if dtype == DType::Float16 { -14 } else { -126 }),
            fractions: [0; 2],
        }
    }

    fn add(&mut self, a: f64, b: f64, difference: f64) {
        /// A float64 is a sign, an exponent and a fraction.
        const FRACTION: u64 = (1 << 52) - 1;
        const EXPONENT: u64 = 0x7ff << 52;
        let (row, column) = self.at;
        self.at = if column + 1 < self.columns.len() { (row, column + 1) } else { (row + 1, 0) };
        let square = |value: f64| {
            let power = f64::from_bits(value.to_bits() & EXPONENT).max(self.least);
            if value == 0.0 { 0.0 } else { power * power }
        };
        let squares = square(a) + square(b) + square(difference);
        for (bits, value) in self.fractions.iter_mut().zip([a, b]) {
            *bits |= value.to_bits() & FRACTION;
        }
        let sums = self.rows.get_mut(row).zip(self.columns.get_mut(column));
        if let Some((in_row, in_column)) = sums {
            *in_row += squares;
            *in_column += squares;
        }
        let changed = self.changed_rows.get_mut(row).zip(self.changed_columns.get_mut(column));
        if let Some((in_row, in_column)) = changed.filter(|_| difference != 0.0) {
            (*in_row, *in_column) = (true, true);
        }
    }

    /// Rows or columns that changed, whichever are fewer.
    fn changed(&self) -> u64 {
        let count = |changed: &[bool]| changed.iter().filter(|changed| **changed).count() as u64;
        count(&self.changed_rows).min(count(&self.changed_columns))
    }

    /// Bits of the fractions, the finer of both sides: float32 may hold what was rounded to fewer, and a float64 is held as
    /// a float32.
    fn bits(&self) -> i32 {
        let used = |bits: u64| 52 - i32::try_from(bits.trailing_zeros().min(52)).unwrap_or(0);
        let most = self.fractions.iter().map(|bits| used(*bits)).max().unwrap_or(0);
        [7, 10].into_iter().find(|bits| *bits >= most).unwrap_or(23)
    }

    /// The largest singular value that errors of rounding have.
    #[expect(clippy::cast_precision_loss, reason = "sides of a matrix in memory")]
    fn edge(&self, matrix: &Tall) -> f64 {
        let most = |sums: &[f64]| sums.iter().copied().fold(0.0, f64::max).sqrt();
        let unit = times_power_of_two(1.0, -self.bits()) / 12f64.sqrt();
        // The margin, as a share.
        let (long, short) = (matrix.rows as f64, matrix.columns as f64);
        let margin = edge(matrix.rows, matrix.columns).sqrt() / (long.sqrt() + short.sqrt());
        (most(&self.rows) + most(&self.columns)) * unit * margin.max(1.0)
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "float32")]
mod tests {
    use super::*;
    use crate::analysis::stats::spectral::Missing;
    use crate::analysis::stats::spectral::lanczos::noise;

    const ROWS: usize = 72;
    const COLUMNS: usize = 48;

    fn weights(size: f64) -> Vec<f64> {
        let mut random = noise();
        (0..ROWS * COLUMNS).map(|_| f64::from((size * (random() + random() + random())) as f32)).collect()
    }

    fn factors(rank: usize, size: f64) -> Vec<f64> {
        let mut random = noise();
        let left: Vec<f64> = (0..ROWS * rank).map(|_| random() * size).collect();
        let right: Vec<f64> = (0..rank * COLUMNS).map(|_| random()).collect();
        let at = |row: usize, column: usize| {
            (0..rank).map(|n| left[row * rank + n] * right[n * COLUMNS + column]).sum::<f64>()
        };
        (0..ROWS * COLUMNS).map(|n| at(n / COLUMNS, n % COLUMNS)).collect()
    }

    fn of(a: &[f64], b: &[f64]) -> ChangeSpectrum {
        let mut difference = Difference::new(DType::Float32, &[ROWS as u64, COLUMNS as u64]).unwrap();
        difference.add(a, b);
        difference.finish().unwrap()
    }

    fn merged(a: &[f64], change: &[f64], round: impl Fn(f64) -> f64) -> Vec<f64> {
        a.iter().zip(change).map(|(a, change)| round(a + change)).collect()
    }

    fn brain(value: f64) -> f64 {
        // To nearest, which is far enough for a test.
        f64::from(f32::from_bits(((value as f32).to_bits() + 0x8000) & 0xffff_0000))
    }

    #[test]
    fn a_merged_product_has_its_rank() {
        let a = weights(0.05);
        let single = |value: f64| f64::from(value as f32);
        for size in [1e-5, 1.0] {
            for rank in [1, 8, 12] {
                let change = of(&a, &merged(&a, &factors(rank, size), single));
                assert_eq!(change.low_rank(), Some(rank as u64), "{rank} {size}: {change:?}");
            }
        }
        // Float32 that holds what was rounded further.
        let a: Vec<f64> = a.iter().copied().map(brain).collect();
        let change = of(&a, &merged(&a, &factors(3, 0.02), brain));
        assert_eq!(change.low_rank(), Some(3), "{change:?}");
    }

    #[test]
    fn a_change_of_every_element_by_itself_has_no_low_rank() {
        let (a, b) = (weights(0.05), weights(0.08));
        let turned: Vec<f64> = b.iter().rev().copied().collect();
        for size in [1.0, 1e-3] {
            let b = merged(&a, &turned.iter().map(|value| value * size).collect::<Vec<_>>(), |value| {
                f64::from(value as f32)
            });
            assert_eq!(of(&a, &b).rank, Some(Rank::MoreThan(12)), "{size}");
        }
        // Rounding alone.
        let b: Vec<f64> = a.iter().map(|value| f64::from((value * (1.0 + 3e-8)) as f32)).collect();
        let change = of(&a, &b);
        assert!(matches!(change.rank, Some(Rank::Exactly { rank: 0, .. })) && change.low_rank().is_none());
    }

    #[test]
    fn of_what_is_too_large_or_no_matrix_nothing_is_kept() {
        let difference = Difference::new(DType::BFloat16, &[1 << 13, 1 << 13]).unwrap();
        assert!(difference.rounding.rows.is_empty() && !is_whole(DType::BFloat16, &[1 << 13, 1 << 13]));
        let change = difference.finish().unwrap();
        assert_eq!((change.spectrum.missing, change.rank), (Some(Missing::TooLarge), None));
        assert!(Difference::new(DType::Float32, &[7]).is_none() && Difference::new(DType::Int32, &[7, 7]).is_none());
    }

    #[test]
    fn a_few_rows_are_no_low_rank() {
        let a = weights(0.05);
        let b: Vec<f64> = a.iter().enumerate().map(|(n, a)| if n < 3 * COLUMNS { a * 2.0 } else { *a }).collect();
        let change = of(&a, &b);
        assert_eq!((change.rank, change.rounding_edge), (None, None));
        assert!(change.spectrum.sigma_max.is_some());
    }
}
