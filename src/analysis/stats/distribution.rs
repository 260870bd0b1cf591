//! Quantiles and a histogram, made of counts in buckets.
//!
//! A bucket is exact for every type with no more than eleven significant bits (float16, bfloat16, everything of one byte)
//! and for integers up to 2048; elsewhere a quantile is off by at most one part in 2048.

use super::counter::{Buckets, DROPPED};
use crate::read::tensor::DType;

/// Bars of a histogram.
pub const BARS: usize = 32;

/// The shares, in thousandths, of which the quantiles are told.
pub const SHARES: [u64; 7] = [10, 50, 250, 500, 750, 950, 990];

/// How the finite elements of a tensor are spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// For each of [`SHARES`], the least element that so many are not above (`inverted_cdf` of `np.quantile`).
    pub quantiles: [f64; SHARES.len()],
    /// Whether the quantiles are exact, rather than off by at most one part in 2048.
    pub exact: bool,
    /// Elements in as many equal steps from the least to the greatest finite element.
    pub bars: [u64; BARS],
}

impl Buckets {
    /// What the buckets say of a tensor with these finite extremes; `None` if nothing was counted.
    pub(super) fn distribution(&self, dtype: DType, least: f64, greatest: f64) -> Option<Distribution> {
        let all: u64 = self.0.iter().map(|(_, count)| count).sum();
        if all == 0 {
            return None;
        }
        let kind = Kind::of(dtype);
        let mut bars = [0u64; BARS];
        let mut quantiles = [greatest; SHARES.len()];
        // The rank of each quantile, from 1.
        let mut wanted = SHARES.iter().map(|share| wide_product(all, *share).max(1)).zip(&mut quantiles).peekable();
        let mut below = 0u64;
        for &(bucket, count) in &self.0 {
            let value = kind.value_in(bucket).clamp(least, greatest);
            below = below.saturating_add(count);
            while let Some((_, quantile)) = wanted.next_if(|(rank, _)| *rank <= below) {
                *quantile = value;
            }
            if let Some(bar) = bars.get_mut(bar(value, least, greatest)) {
                *bar += count;
            }
        }
        Some(Distribution { quantiles, exact: kind == Kind::Short, bars })
    }
}

/// `all` times `share` thousandths, rounded up.
fn wide_product(all: u64, share: u64) -> u64 {
    u64::try_from((u128::from(all) * u128::from(share)).div_ceil(1000)).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 1 times a few bars")]
fn bar(value: f64, least: f64, greatest: f64) -> usize {
    // Halves, because the difference of the largest numbers is infinite.
    let width = greatest / 2.0 - least / 2.0;
    #[expect(clippy::cast_precision_loss, reason = "a few bars")]
    let at = if width > 0.0 { (value / 2.0 - least / 2.0) / width * BARS as f64 } else { 0.0 };
    (at as usize).min(BARS - 1)
}

/// What a bucket of a type can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One value only.
    Short,
    Integer,
    Float,
}

impl Kind {
    fn of(dtype: DType) -> Self {
        match dtype {
            DType::Float32 | DType::Float64 | DType::Complex64 | DType::Complex128 => Self::Float,
            DType::Int16
            | DType::QInt16
            | DType::UInt16
            | DType::QUInt16
            | DType::Int32
            | DType::QInt32
            | DType::UInt32
            | DType::Int64
            | DType::UInt64 => Self::Integer,
            _ => Self::Short,
        }
    }

    /// The value that stands for all of a bucket: the only one of the type, or the one in the middle.
    fn value_in(self, bucket: u32) -> f64 {
        let ordered = u64::from(bucket) << DROPPED;
        let bits = if ordered >> 63 == 0 { !ordered >> DROPPED << DROPPED } else { ordered & !(1 << 63) };
        let (edge, middle) = (f64::from_bits(bits) + 0.0, f64::from_bits(bits | 1 << (DROPPED - 1)));
        match self {
            Self::Short => edge,
            _ if edge == 0.0 => edge,
            Self::Integer if edge.abs() < 2048.0 => edge,
            Self::Integer => middle.round(),
            Self::Float => middle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::counter::{Counter, bucket};
    use crate::read::tensor::Wide;

    fn buckets(values: &[f64]) -> Buckets {
        let mut counter = Counter::default();
        counter.add(Wide::Double(values));
        counter.take()
    }

    #[test]
    fn buckets_ascend_and_their_values_are_near() {
        let values =
            [f64::MIN, -1e10, -3.5, -1.0, -1e-300, 0.0, 1e-300, 0.1, 1.0, 1.001, 3.25, 65504.0, 1e300, f64::MAX];
        for pair in values.windows(2) {
            assert!(bucket(pair[0]) <= bucket(pair[1]), "{pair:?}");
        }
        for value in values {
            let near = Kind::Float.value_in(bucket(value));
            assert!((near - value).abs() <= value.abs() / 2048.0, "{value} in the bucket of {near}");
        }
        for whole in [-2047.0f64, -1.0, 0.0, 7.0, 2047.0] {
            assert_eq!(Kind::Integer.value_in(bucket(whole)).to_bits(), whole.to_bits());
        }
        assert_eq!(Kind::Float.value_in(bucket(-0.0)).to_bits(), 0);
    }

    #[test]
    fn quantiles_are_elements_by_their_rank() {
        let values: Vec<f64> = (1..=1000u16).map(f64::from).rev().collect();
        let got = buckets(&values).distribution(DType::Int32, 1.0, 1000.0).unwrap();
        assert_eq!(got.quantiles.map(|q| q.to_string()), ["10", "50", "250", "500", "750", "950", "990"]);
        assert_eq!(got.bars.iter().sum::<u64>(), 1000);
        assert!(!got.exact && got.bars.iter().all(|bar| (31..=32).contains(bar)), "{:?}", got.bars);
        let one = buckets(&[5.0]).distribution(DType::BFloat16, 5.0, 5.0).unwrap();
        assert_eq!((one.quantiles.as_slice(), one.exact, one.bars[0]), (&[5.0; 7][..], true, 1));
        assert_eq!(buckets(&[f64::NAN, f64::INFINITY]).distribution(DType::Float64, 0.0, 0.0), None);
    }

    #[test]
    fn parts_merge_to_the_whole_whether_few_or_many() {
        let values: Vec<f64> = (0..40_000u32).map(|n| f64::from(n.wrapping_mul(2_654_435_761) >> 8) - 8e6).collect();
        let whole = buckets(&values);
        for cut in [0, 1, 5000, 20_000, 39_999] {
            let (left, right) = values.split_at(cut);
            let mut merged = buckets(left);
            merged.merge(&buckets(right));
            assert_eq!(merged, whole);
        }
        // A counter begins anew after every part.
        let mut counter = Counter::default();
        for _ in 0..2 {
            counter.add(Wide::Double(&values));
            assert_eq!(counter.take(), whole);
        }
    }

    #[test]
    fn the_widest_range_has_bars() {
        let got = buckets(&[f64::MIN, 0.0, f64::MAX]).distribution(DType::Float64, f64::MIN, f64::MAX).unwrap();
        assert_eq!((got.bars[0], got.bars[16], got.bars[31]), (1, 1, 1));
    }
}
