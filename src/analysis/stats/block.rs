//! The figures of one block of numbers, in lanes.
//!
//! A block is taken for finite: minima, maxima, zeros and sums are collected without a branch. A sum of squares that
//! is not finite shows that the block was not, and then it is gone through once more, with care. Blocks have few
//! enough numbers for the wide ones to stay in the first-level cache.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]
#![expect(clippy::indexing_slicing, reason = "all arrays have N items; zipped iterators measured half as fast")]

use std::array;

use super::figures::{Figures, NonFinite, Number};
use super::moments::{Moments, scale_of, times_power_of_two};
use crate::read::tensor::Wide;
use crate::read::tensor::simd::{Kernel, widest};

/// Elements in a block: what is counted together, whatever the number of threads.
pub(super) const BLOCK: usize = 4096;

/// The figures of a block whose first element has the number `at`.
pub(super) fn figures(block: Wide<'_>, at: u64) -> Figures {
    match block {
        Wide::Single(values) => floats::<f32, 16>(values, at),
        Wide::Double(values) => floats::<f64, 8>(values, at),
        Wide::Int(values) => integers(values, Number::Int),
        Wide::UInt(values) => integers(values, Number::UInt),
    }
}

/// What a block comes to; sums are about the pivot.
struct Sums {
    least: f64,
    greatest: f64,
    zeros: u64,
    sum: f64,
    squares: f64,
}

/// A block of floats, and the one of them about which its squares are taken.
struct Block<'v, T, const N: usize> {
    values: &'v [T],
    pivot: T,
}

impl<T: Real, const N: usize> Kernel for Block<'_, T, N> {
    type Output = Sums;

    // A loop for each figure over what is in the first-level cache. One for all of them keeps some of its lanes in
    // memory instead of registers, and sums and squares in one loop are not made wide: a fifth to a tenth as fast.
    #[inline(always)]
    fn run(self) -> Sums {
        let Self { values, pivot } = self;
        let about: f64 = pivot.into();
        let (chunks, rest) = values.as_chunks::<N>();
        // What fills the last chunk up is the pivot too: its difference is 0.
        let mut last = [pivot; N];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        let (least, greatest, zeros) = T::survey(values);
        Sums {
            least: least.into(),
            greatest: greatest.into(),
            zeros,
            sum: sum(chunks, &last, about).into_iter().sum(),
            squares: squares(chunks, &last, about).into_iter().sum(),
        }
    }
}

/// A float whose bits, seen as an integer, can be made to have its order: minima and maxima of integers are made wide
/// on every processor, and whatever stands around them; those of floats are not.
trait Real: Copy + Default + PartialOrd + Into<f64> {
    /// The least and the greatest of finite numbers, and how many are zero.
    fn survey(values: &[Self]) -> (Self, Self, u64);
}

macro_rules! real {
    ($float:ty, $int:ty, $count:ty) => {
        impl Real for $float {
            #[inline(always)]
            fn survey(values: &[Self]) -> (Self, Self, u64) {
                // Where the sign is set, all other bits are turned round: the larger the magnitude, the less it is.
                let turn = |bits: $int| bits ^ ((bits >> (<$int>::BITS - 1)) & <$int>::MAX);
                let (mut least, mut greatest, mut zeros) = (<$int>::MAX, <$int>::MIN, <$count>::default());
                for value in values {
                    let key = turn(value.to_bits().cast_signed());
                    least = least.min(key);
                    greatest = greatest.max(key);
                    zeros += <$count>::from(*value == 0.0);
                }
                let value = |key: $int| Self::from_bits(turn(key).cast_unsigned());
                (value(least), value(greatest), zeros.into())
            }
        }
    };
}

// A counter as wide as the lanes beside it.
real!(f32, i32, u32);
real!(f64, i64, u64);

#[inline(always)]
fn sum<T: Copy + Into<f64>, const N: usize>(chunks: &[[T; N]], last: &[T; N], pivot: f64) -> [f64; N] {
    let mut lanes = [0.0; N];
    for chunk in chunks {
        for n in 0..N {
            lanes[n] += chunk[n].into() - pivot;
        }
    }
    array::from_fn(|n| lanes[n] + (last[n].into() - pivot))
}

#[inline(always)]
fn squares<T: Copy + Into<f64>, const N: usize>(chunks: &[[T; N]], last: &[T; N], pivot: f64) -> [f64; N] {
    let mut lanes = [0.0; N];
    let square = |value: T| {
        let difference = value.into() - pivot;
        difference * difference
    };
    for chunk in chunks {
        for n in 0..N {
            lanes[n] += square(chunk[n]);
        }
    }
    array::from_fn(|n| lanes[n] + square(last[n]))
}

fn floats<T: Real, const N: usize>(values: &[T], at: u64) -> Figures {
    let Some(&pivot) = values.first() else { return Figures::default() };
    let sums = widest(Block::<T, N> { values, pivot });
    if sums.squares.is_finite() {
        return finite(values, pivot.into(), &sums);
    }
    let mut apart = NonFinite::default();
    let mut finite_values: Vec<T> = Vec::with_capacity(values.len());
    for (value, n) in values.iter().zip(at..) {
        let wide: f64 = (*value).into();
        if wide.is_nan() {
            apart.nan.add(n);
        } else if wide == f64::INFINITY {
            apart.positive.add(n);
        } else if wide == f64::NEG_INFINITY {
            apart.negative.add(n);
        } else {
            finite_values.push(*value);
        }
    }
    let mut figures = match finite_values.first() {
        None => Figures::default(),
        Some(&pivot) => {
            let sums = widest(Block::<T, N> { values: &finite_values, pivot });
            finite(&finite_values, pivot.into(), &sums)
        }
    };
    figures.elements = values.len() as u64;
    figures.set_apart(apart);
    figures
}

/// The figures of finite numbers, from what the lanes found.
fn finite<T: Copy + Into<f64>>(values: &[T], pivot: f64, sums: &Sums) -> Figures {
    let count = values.len() as u64;
    let exponent = scale_of(sums.greatest.abs().max(sums.least.abs()));
    let moments = if exponent == 0 {
        Moments::about(pivot, count, sums.sum, sums.squares, 0)
    } else {
        let small = |value: f64| times_power_of_two(value, -exponent);
        let values: Vec<f64> = values.iter().map(|value| small((*value).into())).collect();
        let sums = widest(Block::<f64, 8> { values: &values, pivot: small(pivot) });
        Moments::about(small(pivot), count, sums.sum, sums.squares, exponent)
    };
    // Adding 0 leaves one zero of two: which of them was met first says nothing.
    let [least, greatest] = [sums.least, sums.greatest].map(|value| Number::Float(value + 0.0));
    Figures::of_finite(count, sums.zeros, (least, greatest), moments)
}

fn integers<T: Copy + Ord + Default + Into<i128>>(values: &[T], number: impl Fn(T) -> Number) -> Figures {
    let (Some(&least), Some(&greatest), Some(&pivot)) = (values.iter().min(), values.iter().max(), values.first())
    else {
        return Figures::default();
    };
    let count = values.len() as u64;
    let zeros = values.iter().filter(|value| **value == T::default()).count() as u64;
    let (mut sum, mut squares) = (0f64, 0f64);
    for value in values {
        // Exact however far the two are apart; a float64 of the values would not tell neighbours apart.
        #[expect(clippy::cast_precision_loss, reason = "the sums are float64")]
        let apart = ((*value).into() - pivot.into()) as f64;
        sum += apart;
        squares += apart * apart;
    }
    let moments = Moments::about(number(pivot).value(), count, sum, squares, 0);
    Figures::of_finite(count, zeros, (number(least), number(greatest)), moments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &Figures, b: &Figures) {
        assert_eq!(a, b);
    }

    #[test]
    fn what_is_not_finite_is_found_wherever_it_is() {
        let len = 35;
        for (value, which) in [(f32::NAN, 0), (f32::INFINITY, 1), (f32::NEG_INFINITY, 2)] {
            for place in 0..len {
                let mut values: Vec<f32> = (0..35u8).map(f32::from).collect();
                values[place] = value;
                let got = figures(Wide::Single(&values), 100);
                let counts = [got.nan(), got.positive_infinity(), got.negative_infinity()];
                for (n, spot) in counts.iter().enumerate() {
                    let want = if n == which { (1, Some(100 + place as u64)) } else { (0, None) };
                    assert_eq!((spot.count, spot.first), want);
                }
                let rest: Vec<f32> = (0..35u8).filter(|n| usize::from(*n) != place).map(f32::from).collect();
                let want = figures(Wide::Single(&rest), 0);
                assert_eq!((got.finite_least(), got.finite_greatest()), (want.finite_least(), want.finite_greatest()));
                assert_eq!((got.mean(), got.deviation(), got.zeros), (want.mean(), want.deviation(), want.zeros));
            }
        }
    }

    #[test]
    fn a_rest_behind_the_last_whole_lanes_counts_once() {
        for len in 0..40u8 {
            for zero in [0u8, 3] {
                let values: Vec<f32> = (0..len).map(|n| f32::from(n) - f32::from(zero)).collect();
                let doubles: Vec<f64> = values.iter().copied().map(f64::from).collect();
                let got = figures(Wide::Single(&values), 0);
                assert_eq!(got.zeros, u64::from(len > zero), "{len}");
                assert_eq!(got.elements, u64::from(len));
                let wide = figures(Wide::Double(&doubles), 0);
                assert_eq!((got.finite_least(), got.finite_greatest()), (wide.finite_least(), wide.finite_greatest()));
                let apart = got.mean().unwrap_or_default() - wide.mean().unwrap_or_default();
                assert!(got.mean().is_some() == wide.mean().is_some() && apart.abs() < 1e-15);
            }
        }
    }

    #[test]
    fn all_that_is_not_finite_leaves_nothing() {
        let got = figures(Wide::Double(&[f64::NAN, f64::INFINITY]), 7);
        assert_eq!((got.elements, got.finite(), got.mean(), got.finite_least()), (2, 0, None, None));
        assert_eq!((got.nan().first, got.positive_infinity().first), (Some(7), Some(8)));
        same(&figures(Wide::Double(&[]), 0), &Figures::default());
    }

    #[test]
    fn subnormal_numbers_are_no_zeros() {
        let smallest = f32::from_bits(1);
        let got = figures(Wide::Single(&[smallest, -0.0, 0.0]), 0);
        assert_eq!(got.zeros, 2);
        assert_eq!(got.finite_greatest(), Some(Number::Float(f64::from(smallest))));
        let got = figures(Wide::Double(&[f64::from_bits(1), f64::from_bits(3)]), 0);
        assert_eq!((got.zeros, got.norm() > 0.0, got.deviation()), (0, true, Some(f64::from_bits(1))));
    }

    #[test]
    fn extremes_of_64_bits_are_exact_and_do_not_overflow() {
        let got = figures(Wide::Int(&[i64::MIN, i64::MAX, 0]), 0);
        assert_eq!(
            (got.finite_least(), got.finite_greatest()),
            (Some(Number::Int(i64::MIN)), Some(Number::Int(i64::MAX)))
        );
        let want = 2f64.powi(63) * (2f64 / 3.0).sqrt();
        assert!((got.deviation().unwrap() / want - 1.0).abs() < 1e-12, "{:?}", got.deviation());
        let got = figures(Wide::UInt(&[u64::MAX, 0]), 0);
        assert_eq!((got.finite_greatest(), got.mean()), (Some(Number::UInt(u64::MAX)), Some(2f64.powi(63))));
        let got = figures(Wide::Int(&[i64::MAX - 1, i64::MAX]), 0);
        assert_eq!(got.deviation(), Some(0.5));
    }
}
