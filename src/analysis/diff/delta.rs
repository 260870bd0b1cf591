//! What lies between two runs of elements: sums that add up in any number of parts, extremes with their places.
//!
//! [`Partial::add`] takes runs as they come, in lanes (`kernel`) where a type has them (`kinds`), else an element at a
//! time. NaN on one side only is a change without a size: it is counted, and left out of all sums.
#![expect(clippy::float_cmp, reason = "whether two elements are equal is the question")]
#![expect(
    clippy::many_single_char_names,
    reason = "a and b are the two sides, x and y their elements, d what is between"
)]

use super::Tolerance;
use super::kernel::{BLOCK, Block, Kind, Sums, compare, squares};
use super::kinds::{BF16, F16, F32, F64, I8, I16, I32, U8, U16, U32};
use crate::read::tensor::{DType, Element, Float};

/// Parts of a sparkline.
pub(super) const BINS: usize = 8;

/// Bytes that are compared as bytes before anything is calculated.
const EQUAL: usize = 64 << 10;

/// How elements are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) tolerance: Option<Tolerance>,
    pub(super) nan_differs: bool,
}

/// What has been found so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Partial {
    pub(super) changed: u64,
    /// Elements with other bits and the same value.
    pub(super) bits_only: u64,
    /// Changed elements that no tolerance excuses.
    pub(super) beyond: u64,
    /// Changed elements of which one is NaN, or both.
    pub(super) nan: u64,
    pub(super) sums: Sums,
    pub(super) largest: Option<Largest>,
    pub(super) max_rel: f64,
    pub(super) ulps: u64,
    /// The first element that changed.
    pub(super) first: Option<u64>,
    /// Sums of differences, or counts of changes, along the tensor.
    pub(super) bins: [f64; BINS],
}

/// The largest difference.
#[derive(Clone, Copy, Debug)]
pub(super) struct Largest {
    pub(super) size: f64,
    /// The difference of 64-bit integers, exactly.
    pub(super) exact: Option<u64>,
    pub(super) at: u64,
    pub(super) a: Element,
    pub(super) b: Element,
}

/// Where the parts of a sparkline end: along the first dimension if it is long enough, else along all elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bins([u64; BINS]);

impl Bins {
    pub(super) fn new(dims: &[u64]) -> Self {
        let count = dims.iter().fold(1u64, |n, dim| n.saturating_mul(*dim));
        let (rows, row) = match dims.first() {
            Some(rows) if *rows >= BINS as u64 && count > 0 => (*rows, count / *rows),
            _ => (count, 1),
        };
        let mut ends = [0; BINS];
        for (n, end) in ends.iter_mut().enumerate() {
            let rows = u128::from(rows) * (n as u128 + 1) / BINS as u128;
            *end = u64::try_from(rows).unwrap_or(u64::MAX).saturating_mul(row);
        }
        Self(ends)
    }

    /// The part that an element lies in, and the first element of the next.
    pub(super) fn at(&self, at: u64) -> (usize, u64) {
        let bin = self.0.partition_point(|end| *end <= at).min(BINS - 1);
        (bin, self.0.get(bin).copied().filter(|end| *end > at).unwrap_or(u64::MAX))
    }

    /// What the sums of the parts are for each element; parts without elements are left out.
    #[expect(clippy::cast_precision_loss, reason = "a sparkline has eight levels")]
    pub(super) fn means(&self, sums: &[f64; BINS]) -> Vec<f64> {
        let starts = [0].into_iter().chain(self.0);
        let lens = self.0.iter().zip(starts).map(|(end, start)| end.saturating_sub(start));
        lens.zip(sums).filter(|(len, _)| *len > 0).map(|(len, sum)| sum / len as f64).collect()
    }
}

impl Partial {
    /// Takes in what was found behind this.
    pub(super) fn merge(&mut self, other: &Self) {
        self.changed += other.changed;
        self.bits_only += other.bits_only;
        self.beyond += other.beyond;
        self.nan += other.nan;
        self.sums.add(&other.sums);
        self.max_rel = self.max_rel.max(other.max_rel);
        self.ulps = self.ulps.max(other.ulps);
        self.first = self.first.or(other.first);
        if let Some(largest) = other.largest {
            self.enlarge(largest);
        }
        for (bin, other) in self.bins.iter_mut().zip(other.bins) {
            *bin += other;
        }
    }

    fn enlarge(&mut self, new: Largest) {
        let key = |largest: &Largest| (largest.exact.unwrap_or(0), largest.size);
        if self.largest.is_none_or(|old| key(&new) > key(&old)) {
            self.largest = Some(new);
        }
    }

    /// Counts a change that has no size: of a bool, a string, a variant.
    pub(super) fn count(&mut self, at: u64, bins: &Bins) {
        self.changed += 1;
        self.beyond += 1;
        self.first.get_or_insert(at);
        if let Some(bin) = self.bins.get_mut(bins.at(at).0) {
            *bin += 1.0;
        }
    }

    /// Compares runs of elements, little-endian, of which the first has number `first`.
    pub(super) fn add(&mut self, dtype: DType, a: &[u8], b: &[u8], first: u64, bins: &Bins, rules: Rules) {
        match dtype {
            DType::Float32 => self.lanes::<F32, 4>(dtype, a, b, first, bins, rules),
            DType::Float64 => self.lanes::<F64, 8>(dtype, a, b, first, bins, rules),
            DType::BFloat16 => self.lanes::<BF16, 2>(dtype, a, b, first, bins, rules),
            DType::Float16 => self.lanes::<F16, 2>(dtype, a, b, first, bins, rules),
            DType::Int8 | DType::QInt8 => self.lanes::<I8, 1>(dtype, a, b, first, bins, rules),
            DType::UInt8 | DType::QUInt8 => self.lanes::<U8, 1>(dtype, a, b, first, bins, rules),
            DType::Int16 | DType::QInt16 => self.lanes::<I16, 2>(dtype, a, b, first, bins, rules),
            DType::UInt16 | DType::QUInt16 => self.lanes::<U16, 2>(dtype, a, b, first, bins, rules),
            DType::Int32 | DType::QInt32 => self.lanes::<I32, 4>(dtype, a, b, first, bins, rules),
            DType::UInt32 => self.lanes::<U32, 4>(dtype, a, b, first, bins, rules),
            _ => self.each(dtype, a, b, first, bins, rules),
        }
    }

    fn lanes<K: Kind<N>, const N: usize>(
        &mut self,
        dtype: DType,
        a: &[u8],
        b: &[u8],
        mut first: u64,
        bins: &Bins,
        rules: Rules,
    ) {
        let (mut a, mut b) = (a.as_chunks::<N>().0, b.as_chunks::<N>().0);
        while !a.is_empty() && !b.is_empty() {
            // Blocks end where parts of the sparkline do, so that each belongs to one.
            let (bin, end) = bins.at(first);
            let left = usize::try_from(end.saturating_sub(first)).unwrap_or(usize::MAX);
            let whole = (EQUAL / N).min(left).min(a.len()).min(b.len());
            let (Some((x, more_a)), Some((y, more_b))) = (a.split_at_checked(whole), b.split_at_checked(whole)) else {
                return;
            };
            (a, b) = (more_a, more_b);
            let equal = x == y;
            for (x, y) in x.chunks(BLOCK).zip(y.chunks(BLOCK)) {
                self.block::<K, N>(dtype, x, y, (first, bin, equal), bins, rules);
                first = first.saturating_add(x.len() as u64);
            }
        }
    }

    fn block<K: Kind<N>, const N: usize>(
        &mut self,
        dtype: DType,
        a: &[[u8; N]],
        b: &[[u8; N]],
        (first, bin, equal): (u64, usize, bool),
        bins: &Bins,
        rules: Rules,
    ) {
        let block = if equal {
            let sum = squares::<K, N>(a);
            Block { sums: Sums { dot: sum, aa: sum, bb: sum, ..Sums::default() }, ..Block::default() }
        } else {
            compare::<K, N>(a, b, self.max_rel)
        };
        if !block.sums.is_finite() {
            return self.each(dtype, a.as_flattened(), b.as_flattened(), first, bins, rules);
        }
        self.sums.add(&block.sums);
        self.bits_only += block.bits - block.values;
        if block.values == 0 {
            return;
        }
        self.changed += block.values;
        self.ulps = self.ulps.max(block.ulps);
        if let Some(bin) = self.bins.get_mut(bin) {
            *bin += block.sums.abs;
        }
        let pairs = || a.iter().zip(b).map(|(x, y)| (K::wide(*x), K::wide(*y)));
        if self.first.is_none() {
            self.first = pairs().position(|(x, y)| x != y).map(|n| first.saturating_add(n as u64));
        }
        if self.largest.is_none_or(|largest| block.max > largest.size)
            && let Some(n) = pairs().position(|(x, y)| (x - y).abs() == block.max)
            && let (Some(x), Some(y)) = (a.get(n), b.get(n))
            && let (Some(a), Some(b)) = (Element::decode(dtype, x), Element::decode(dtype, y))
        {
            let at = first.saturating_add(n as u64);
            self.largest = Some(Largest { size: block.max, exact: None, at, a, b });
        }
        if block.more {
            self.max_rel = pairs().fold(self.max_rel, |max, (x, y)| max.max(relative((x - y).abs(), y.abs())));
        }
        match rules.tolerance {
            None => self.beyond += block.values,
            Some(tolerance) if block.max <= tolerance.atol => {}
            Some(tolerance) => {
                let outside = a.iter().zip(b).filter(|(x, y)| {
                    let (wide, other) = (K::wide(**x), K::wide(**y));
                    wide != other && !tolerance.excuses((wide - other).abs(), other.abs(), || K::ulps(**x, **y).into())
                });
                self.beyond += outside.count() as u64;
            }
        }
    }

    /// An element at a time: types without lanes, and blocks with NaN or infinity in them.
    fn each(&mut self, dtype: DType, a: &[u8], b: &[u8], first: u64, bins: &Bins, rules: Rules) {
        let Some(size) = dtype.element_size().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0)
        else {
            return;
        };
        for (n, (x, y)) in a.chunks_exact(size).zip(b.chunks_exact(size)).enumerate() {
            if let (Some(p), Some(q)) = (Element::decode(dtype, x), Element::decode(dtype, y)) {
                self.pair(p, q, x != y, first.saturating_add(n as u64), bins, rules);
            }
        }
    }

    fn pair(&mut self, a: Element, b: Element, bits_differ: bool, at: u64, bins: &Bins, rules: Rules) {
        if let (Element::Bool(x), Element::Bool(y)) = (a, b) {
            if x != y {
                self.count(at, bins);
            } else if bits_differ {
                self.bits_only += 1;
            }
            return;
        }
        let (x, y) = (parts(a), parts(b));
        let nan = |parts: [f64; 2]| parts.iter().any(|part| part.is_nan());
        match (nan(x), nan(y)) {
            (false, false) => {}
            // The same bits, or NaN anyway: equal unless the user says otherwise.
            (true, true) if !rules.nan_differs && (!bits_differ || same_nan(x, y)) => {
                self.bits_only += u64::from(bits_differ);
                return;
            }
            _ => {
                self.count(at, bins);
                self.nan += 1;
                return;
            }
        }
        let square = |parts: [f64; 2]| parts.iter().map(|part| part * part).sum::<f64>();
        let (equal, exact) = match (a, b) {
            (Element::Int(p), Element::Int(q)) => (p == q, Some(p.abs_diff(q))),
            (Element::UInt(p), Element::UInt(q)) => (p == q, Some(p.abs_diff(q))),
            _ => (x == y, None),
        };
        let (d, size) = match (exact, b) {
            #[expect(clippy::cast_precision_loss, reason = "the exact number is kept beside it")]
            (Some(exact), _) => (exact as f64, y[0].abs()),
            (None, Element::Complex(..)) => (apart(x[0], y[0]).hypot(apart(x[1], y[1])), y[0].hypot(y[1])),
            (None, _) => (apart(x[0], y[0]).abs(), y[0].abs()),
        };
        let [(xr, yr), (xi, yi)] = [(x[0], y[0]), (x[1], y[1])];
        self.sums.add(&Sums { abs: d, sq: d * d, dot: xr * yr + xi * yi, aa: square(x), bb: square(y) });
        if equal {
            self.bits_only += u64::from(bits_differ);
            return;
        }
        self.changed += 1;
        self.first.get_or_insert(at);
        self.max_rel = self.max_rel.max(relative(d, size));
        let ulps = ulps(a, b);
        self.ulps = self.ulps.max(ulps);
        self.enlarge(Largest { size: d, exact, at, a, b });
        if let Some(bin) = self.bins.get_mut(bins.at(at).0) {
            *bin += d;
        }
        let finite = x.iter().chain(&y).all(|part| part.is_finite());
        let excused = rules.tolerance.is_some_and(|tolerance| finite && tolerance.excuses(d, size, || ulps));
        self.beyond += u64::from(!excused);
    }
}

/// The difference; equal values, infinite ones too, do not differ.
fn apart(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { x - y }
}

/// Whether NaN stands in the same parts, and the others are equal.
fn same_nan(x: [f64; 2], y: [f64; 2]) -> bool {
    x.iter().zip(y).all(|(x, y)| *x == y || (x.is_nan() && y.is_nan()))
}

/// A difference as a share of the value in B: infinite where that is zero, or where either is infinite.
pub(super) fn relative(difference: f64, of: f64) -> f64 {
    let share = difference / of;
    if difference == 0.0 {
        0.0
    } else if share.is_nan() || of.is_infinite() {
        f64::INFINITY
    } else {
        share
    }
}

/// Real and imaginary part.
pub(super) fn parts(element: Element) -> [f64; 2] {
    match element {
        Element::Bool(value) => [f64::from(u8::from(value)), 0.0],
        #[expect(clippy::cast_precision_loss, reason = "differences of integers are taken before this")]
        Element::Int(value) => [value as f64, 0.0],
        #[expect(clippy::cast_precision_loss, reason = "differences of integers are taken before this")]
        Element::UInt(value) => [value as f64, 0.0],
        Element::Float(value) => [value.value(), 0.0],
        Element::Complex(re, im) => [re.value(), im.value()],
    }
}

/// How many steps from one representable value to the next lie between two elements; of complex ones in the part that
/// is further.
fn ulps(a: Element, b: Element) -> u64 {
    match (a, b) {
        (Element::Float(x), Element::Float(y)) => ordinal(x).abs_diff(ordinal(y)),
        (Element::Complex(xr, xi), Element::Complex(yr, yi)) => {
            ordinal(xr).abs_diff(ordinal(yr)).max(ordinal(xi).abs_diff(ordinal(yi)))
        }
        _ => 0,
    }
}

/// The place of a float among those of its type, both zeros at 0.
fn ordinal(float: Float) -> i64 {
    let signed = |magnitude: u64, negative: bool| {
        let magnitude = magnitude.cast_signed();
        if negative { magnitude.wrapping_neg() } else { magnitude }
    };
    match float {
        Float::Double(value) => signed(value.to_bits() & (u64::MAX >> 1), value.is_sign_negative()),
        Float::Single(value) => signed(u64::from(value.to_bits() & (u32::MAX >> 1)), value.is_sign_negative()),
        Float::Narrow(narrow) => signed(narrow.magnitude().into(), narrow.bits() != narrow.magnitude()),
    }
}
