//! Quantiles and a histogram in one pass and bounded memory.
//!
//! Finite elements are counted in buckets that are as wide as their exponent allows: sign, exponent and the first ten
//! bits of the mantissa of the float64. That is exact for every type with no more than eleven significant bits
//! (float16, bfloat16, everything of one byte) and for integers up to 2048; elsewhere a quantile is off by at most one
//! part in 2048. Counts do not depend on the order of the elements, so neither do the answers.

use crate::read::tensor::{DType, Wide};

/// Bits of a float64 that a bucket leaves out.
const DROPPED: u32 = 42;

/// Number of buckets: 1 bit for the sign, 11 for the exponent, 10 of the mantissa.
const BUCKETS: usize = 1 << (64 - DROPPED);

/// Buckets of one exponent, which are looked for together.
const PAGE: usize = 1 << 10;

/// With no more elements than this, sorting is faster than looking for the buckets that were hit.
const FEW: usize = 1 << 14;

/// Bars of a histogram.
pub const BARS: usize = 32;

/// The shares, in thousandths, of which the quantiles are told.
pub const SHARES: [u64; 7] = [10, 50, 250, 500, 750, 950, 990];

/// Counts of buckets, while elements come in. Used again for part after part.
#[derive(Debug, Default)]
pub(super) struct Counter {
    few: Vec<u32>,
    counts: Vec<u32>,
    hit: Vec<bool>,
}

/// Buckets that were hit, ascending, with how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets(pub(super) Vec<(u32, u64)>);

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

impl Counter {
    pub(super) fn add(&mut self, block: Wide<'_>) {
        match block {
            Wide::Single(values) => values.iter().for_each(|value| self.count((*value).into())),
            Wide::Double(values) => values.iter().for_each(|value| self.count(*value)),
            #[expect(clippy::cast_precision_loss, reason = "buckets are wider than what this rounds")]
            Wide::Int(values) => values.iter().for_each(|value| self.count(*value as f64)),
            #[expect(clippy::cast_precision_loss, reason = "buckets are wider than what this rounds")]
            Wide::UInt(values) => values.iter().for_each(|value| self.count(*value as f64)),
        }
    }

    fn count(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let bucket = bucket(value);
        if self.few.len() < FEW {
            self.few.push(bucket);
            return;
        }
        self.count_one(bucket);
    }

    fn count_one(&mut self, bucket: u32) {
        if self.counts.is_empty() {
            // Only what is touched of it becomes memory.
            self.counts = vec![0; BUCKETS];
            self.hit = vec![false; BUCKETS / PAGE];
        }
        let bucket = bucket as usize;
        if let (Some(count), Some(hit)) = (self.counts.get_mut(bucket), self.hit.get_mut(bucket / PAGE)) {
            *count += 1;
            *hit = true;
        }
    }

    /// What was counted, and begins anew.
    pub(super) fn take(&mut self) -> Buckets {
        if self.few.len() < FEW {
            self.few.sort_unstable();
            let runs = self.few.chunk_by(|a, b| a == b);
            let buckets = runs.filter_map(|run| Some((*run.first()?, run.len() as u64))).collect();
            self.few.clear();
            return Buckets(buckets);
        }
        for bucket in std::mem::take(&mut self.few) {
            self.count_one(bucket);
        }
        let mut buckets = Vec::new();
        for ((page, counts), hit) in (0u32..).step_by(PAGE).zip(self.counts.chunks_mut(PAGE)).zip(&mut self.hit) {
            if !std::mem::take(hit) {
                continue;
            }
            for (bucket, count) in (page..).zip(counts) {
                if *count > 0 {
                    buckets.push((bucket, u64::from(std::mem::take(count))));
                }
            }
        }
        Buckets(buckets)
    }
}

impl Buckets {
    pub(super) fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        let mut merged: Vec<(u32, u64)> = Vec::with_capacity(self.0.len().max(other.0.len()));
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let next = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if a.0 > b.0 => right.next(),
                (Some(_), _) => left.next(),
                (None, _) => right.next(),
            };
            let Some(&(bucket, count)) = next else { break };
            match merged.last_mut() {
                Some((last, so_far)) if *last == bucket => *so_far += count,
                _ => merged.push((bucket, count)),
            }
        }
        self.0 = merged;
    }

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

/// Buckets ascend as their values do.
fn bucket(value: f64) -> u32 {
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    u32::try_from(ordered >> DROPPED).unwrap_or(u32::MAX)
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
