//! Finite elements counted in buckets that are as wide as their exponent allows, in one pass and bounded memory.
//!
//! A bucket is sign, exponent and the first ten bits of the mantissa of the float64. Counts do not depend on the order of
//! the elements, so neither do the answers that are made of them.
//!
//! Most elements are float32 or narrower: their bits are the number of a bucket but for a shift, so nothing is converted,
//! compared or checked on the way. What would be slow or wrong that way is found for a block at a time, in vectors:
//! subnormal numbers, whose exponent is not that of the float64, and blocks of one value, each count of which would wait
//! for the one before.

use crate::read::tensor::Wide;
use crate::read::tensor::simd::{Kernel, widest};

/// Bits of a float64 that a bucket leaves out.
pub(super) const DROPPED: u32 = 42;

/// Number of buckets: 1 bit for the sign, 11 for the exponent, 10 of the mantissa.
const BUCKETS: usize = 1 << (64 - DROPPED);

/// The bucket of 0.
const ZERO: u32 = 1 << (63 - DROPPED);

/// Buckets of one exponent, which are looked for together.
const PAGE: usize = 1 << PAGE_BITS;
const PAGE_BITS: u32 = 10;

/// With no more elements than this, sorting is faster than looking for the buckets that were hit.
const FEW: usize = 1 << 14;

/// Elements after which what was counted is put aside: a count is a `u32`.
const MOST: u64 = 1 << 31;

/// Bits of a float32 that a bucket leaves out, and how many buckets there are then.
const DROPPED_OF_SINGLE: u32 = 13;
const SINGLES: usize = 1 << (32 - DROPPED_OF_SINGLE);

/// Zeros have a few counts of their own, in turn: a count can only be added to when the one before it is written.
const TURNS: usize = 16;

/// The bits of the greatest subnormal float32, and of the least that is not finite.
const GREATEST_SUBNORMAL: u32 = 0x007f_ffff;
const INFINITE: u32 = 0x7f80_0000;

/// What the exponent of a float64 is more than that of the float32 with its value.
const REBIAS: u32 = 1023 - 127;

/// Counts of buckets, while elements come in. Used again for part after part.
#[derive(Debug, Default)]
pub(super) struct Counter {
    few: Vec<u32>,
    singles: Singles,
    wide: Vec<u32>,
    hit: Vec<bool>,
    /// Elements that were taken in since something was put aside.
    taken: u64,
    aside: Buckets,
}

/// Counts by the first bits of float32.
#[derive(Debug)]
struct Singles {
    /// Empty until there are so many elements that it pays.
    counts: Vec<u32>,
    zeros: [u32; TURNS],
    /// The range of magnitudes that were met, but for zeros.
    least: u32,
    greatest: u32,
}

impl Default for Singles {
    fn default() -> Self {
        Self { counts: Vec::new(), zeros: [0; TURNS], least: u32::MAX, greatest: 0 }
    }
}

/// Buckets that were hit, ascending, with how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets(pub(super) Vec<(u32, u64)>);

impl Counter {
    pub(super) fn add(&mut self, block: Wide<'_>) {
        match block {
            Wide::Single(values) => self.add_singles(values),
            Wide::Double(values) => self.add_wide(values, |value| value),
            #[expect(clippy::cast_precision_loss, reason = "buckets are wider than what this rounds")]
            Wide::Int(values) => self.add_wide(values, |value| value as f64),
            #[expect(clippy::cast_precision_loss, reason = "buckets are wider than what this rounds")]
            Wide::UInt(values) => self.add_wide(values, |value| value as f64),
        }
        if self.taken > MOST {
            let counted = self.counted();
            self.aside.merge(&counted);
        }
    }

    /// Whether so many more are still few. If not, those that were are counted.
    fn are_few(&mut self, more: usize) -> bool {
        self.taken = self.taken.saturating_add(more as u64);
        if self.taken <= FEW as u64 {
            return true;
        }
        for bucket in std::mem::take(&mut self.few) {
            self.count(bucket);
        }
        false
    }

    fn add_wide<T: Copy>(&mut self, values: &[T], wide: impl Fn(T) -> f64) {
        let are_few = self.are_few(values.len());
        for value in values.iter().map(|value| wide(*value)).filter(|value| value.is_finite()) {
            let bucket = bucket(value);
            if are_few {
                self.few.push(bucket);
            } else {
                self.count(bucket);
            }
        }
    }

    fn add_singles(&mut self, values: &[f32]) {
        let survey = widest(Survey(values));
        if self.taken.saturating_add(values.len() as u64) <= FEW as u64 || survey.has_subnormals() {
            return self.add_wide(values, f64::from);
        }
        self.are_few(values.len());
        self.singles.add(values, &survey);
    }

    fn count(&mut self, bucket: u32) {
        if self.wide.is_empty() {
            // Only what is touched of it becomes memory.
            self.wide = vec![0; BUCKETS];
            self.hit = vec![false; BUCKETS / PAGE];
        }
        let bucket = bucket as usize;
        if let (Some(count), Some(hit)) = (self.wide.get_mut(bucket), self.hit.get_mut(bucket / PAGE)) {
            *count += 1;
            *hit = true;
        }
    }

    /// What was counted, and begins anew.
    pub(super) fn take(&mut self) -> Buckets {
        let counted = self.counted();
        let mut all = std::mem::take(&mut self.aside);
        all.merge(&counted);
        all
    }

    fn counted(&mut self) -> Buckets {
        let were_few = self.taken <= FEW as u64;
        self.taken = 0;
        if were_few {
            self.few.sort_unstable();
            let runs = self.few.chunk_by(|a, b| a == b);
            let buckets = runs.filter_map(|run| Some((*run.first()?, run.len() as u64))).collect();
            self.few.clear();
            return Buckets(buckets);
        }
        let mut buckets = Vec::new();
        for ((page, counts), hit) in (0u32..).step_by(PAGE).zip(self.wide.chunks_mut(PAGE)).zip(&mut self.hit) {
            if !std::mem::take(hit) {
                continue;
            }
            for (bucket, count) in (page..).zip(counts) {
                if *count > 0 {
                    buckets.push((bucket, u64::from(std::mem::take(count))));
                }
            }
        }
        let mut all = Buckets(buckets);
        all.merge(&self.singles.take());
        all
    }
}

impl Singles {
    fn add(&mut self, values: &[f32], survey: &Surveyed) {
        if self.counts.is_empty() {
            // Only what is touched of it becomes memory.
            self.counts = vec![0; SINGLES];
        }
        // Its length is known to the compiler, which then sees that every number of a bucket is below it.
        let Some(counts) = self.counts.first_chunk_mut::<SINGLES>() else { return };
        self.least = self.least.min(survey.least);
        self.greatest = self.greatest.max(survey.greatest);
        let at = |bits: u32| (bits >> DROPPED_OF_SINGLE) as usize;
        if let (true, Some(value)) = (survey.is_constant, values.first()) {
            let length = u32::try_from(values.len()).unwrap_or(u32::MAX);
            let [zero, ..] = &mut self.zeros;
            let counted = counts.get_mut(at(value.to_bits())).filter(|_| *value != 0.0);
            *counted.unwrap_or(zero) += length;
        } else if survey.has_zeros {
            for (turn, value) in values.iter().enumerate() {
                let (counted, zero) = (counts.get_mut(at(value.to_bits())), self.zeros.get_mut(turn % TURNS));
                if let Some(count) = if *value == 0.0 { zero } else { counted } {
                    *count += 1;
                }
            }
        } else {
            for value in values {
                if let Some(count) = counts.get_mut(at(value.to_bits())) {
                    *count += 1;
                }
            }
        }
    }

    fn take(&mut self) -> Buckets {
        let Self { counts, zeros, least, greatest } = std::mem::take(self);
        if counts.is_empty() {
            return Buckets::default();
        }
        let mut counts = counts;
        let mut buckets = Vec::new();
        let exponents = (least >> 23).max(1)..=(greatest >> 23);
        let mut page = |sign: usize, exponent: u32| {
            let first = (sign * (SINGLES / 2)).saturating_add(exponent as usize * PAGE);
            let page = counts.get_mut(first..first.saturating_add(PAGE)).unwrap_or_default();
            // What is not finite is no part of a distribution.
            if exponent >= INFINITE >> 23 {
                page.fill(0);
            }
            let raw = ZERO | ((exponent + REBIAS) << PAGE_BITS);
            let of = |(n, count): (u32, &mut u32)| (raw | n, u64::from(std::mem::take(count)));
            (0..).zip(page).filter(|(_, count)| **count > 0).map(of).collect::<Vec<(u32, u64)>>()
        };
        for exponent in exponents.clone().rev() {
            // The greater the magnitude, the less a negative number is.
            let negative = page(1, exponent);
            buckets.extend(negative.into_iter().rev().map(|(raw, count)| (!raw & (u32::MAX >> (DROPPED - 32)), count)));
        }
        let zeros: u64 = zeros.into_iter().map(u64::from).sum();
        if zeros > 0 {
            buckets.push((ZERO, zeros));
        }
        for exponent in exponents {
            buckets.extend(page(0, exponent));
        }
        self.counts = counts;
        Buckets(buckets)
    }
}

/// What a block of float32 has of what is not simply counted.
struct Survey<'v>(&'v [f32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Surveyed {
    /// The least and the greatest bits without their sign, but for zeros.
    least: u32,
    greatest: u32,
    has_zeros: bool,
    is_constant: bool,
}

impl Surveyed {
    fn has_subnormals(self) -> bool {
        self.least <= GREATEST_SUBNORMAL
    }
}

impl Kernel for Survey<'_> {
    type Output = Surveyed;

    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]
    #[inline(always)]
    fn run(self) -> Surveyed {
        let first = self.0.first().map_or(0, |value| value.to_bits());
        // One less, so that zero becomes the greatest there is.
        let (mut least, mut greatest, mut smallest, mut others) = (u32::MAX, 0u32, u32::MAX, 0u32);
        for value in self.0 {
            let bits = value.to_bits();
            let magnitude = bits & 0x7fff_ffff;
            least = least.min(magnitude.wrapping_sub(1));
            smallest = smallest.min(magnitude);
            greatest = greatest.max(magnitude);
            others |= bits ^ first;
        }
        Surveyed { least: least.saturating_add(1), greatest, has_zeros: smallest == 0, is_constant: others == 0 }
    }
}

impl Buckets {
    pub(super) fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        // Mostly the other part has hit the same buckets.
        let mut new = Vec::new();
        let mut own = self.0.iter_mut().peekable();
        for &(bucket, count) in &other.0 {
            while own.next_if(|(own, _)| *own < bucket).is_some() {}
            match own.peek_mut() {
                Some((own, so_far)) if *own == bucket => *so_far = so_far.saturating_add(count),
                _ => new.push((bucket, count)),
            }
        }
        if !new.is_empty() {
            self.0.append(&mut new);
            // Two runs, each in order: that is what this sort is quick at.
            self.0.sort_by_key(|(bucket, _)| *bucket);
        }
    }
}

/// Buckets ascend as their values do; both zeros have one.
pub(super) fn bucket(value: f64) -> u32 {
    let bits = (value + 0.0).to_bits();
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    u32::try_from(ordered >> DROPPED).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Value = Box<dyn Fn(u32) -> f32>;

    fn counted(values: &[f32]) -> Buckets {
        let mut counter = Counter::default();
        values.chunks(1000).for_each(|block| counter.add(Wide::Single(block)));
        counter.take()
    }

    /// The same, one by one.
    fn naive(values: &[f32]) -> Buckets {
        let mut all = std::collections::BTreeMap::new();
        for value in values.iter().filter(|value| value.is_finite()) {
            *all.entry(bucket(f64::from(*value))).or_insert(0) += 1;
        }
        Buckets(all.into_iter().collect())
    }

    #[test]
    fn whatever_a_block_has_each_element_is_counted_once() {
        let noise = |n: u32| f32::from_bits(n.wrapping_mul(2_654_435_761).rotate_left(11));
        let small = |n: u32| f32::from_bits(0x3e00_0000 | (n.wrapping_mul(2_654_435_761) >> 7));
        let cases: [(&str, Value); 9] = [
            ("any bits", Box::new(noise)),
            ("one sign", Box::new(small)),
            ("both", Box::new(move |n| if n % 2 == 0 { small(n) } else { -small(n) })),
            ("zeros between", Box::new(move |n| if n % 3 == 0 { small(n) } else { 0.0 })),
            ("negative zeros", Box::new(|n| if n % 7 == 0 { -0.0 } else { 0.0 })),
            ("constant", Box::new(|_| -1.5)),
            ("constant at first", Box::new(move |n| if n < 30_000 { 2.0 } else { small(n) })),
            ("subnormal", Box::new(f32::from_bits)),
            ("not finite", Box::new(|n| [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 7.0][n as usize % 4])),
        ];
        for (name, value) in cases {
            for count in [0, 1, 16_000, 16_384, 16_385, 17_000, 70_001] {
                let values: Vec<f32> = (0..count).map(&value).collect();
                assert_eq!(counted(&values), naive(&values), "{name}, {count}");
            }
        }
    }

    #[test]
    fn a_counter_begins_anew() {
        let values: Vec<f32> = (0..40_000u16).map(|n| f32::from(n) - 2e4).collect();
        let doubles: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        let mut counter = Counter::default();
        for _ in 0..3 {
            counter.add(Wide::Single(&values));
            assert_eq!(counter.take(), naive(&values));
            counter.add(Wide::Double(&doubles));
            assert_eq!(counter.take(), naive(&values));
        }
    }

    #[test]
    fn what_is_put_aside_counts() {
        let values: Vec<f32> = (0..40_000u16).map(|n| f32::from(n) - 2e4).collect();
        let mut counter = Counter::default();
        counter.add(Wide::Single(&values));
        counter.taken = MOST;
        counter.add(Wide::Single(&values[..7]));
        counter.add(Wide::Single(&values));
        let all = [values.as_slice(), &values[..7], &values].concat();
        assert_eq!(counter.take(), naive(&all));
    }
}
