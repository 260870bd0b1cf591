//! The sums of two blocks of elements in lanes: one pass without branches, for the compiler to make wide.
//!
//! Blocks are taken for finite. Where one is not, its sum of squares is not either, and the caller looks again, an
//! element at a time. All values become `f64`, in which differences of shorter floats and integers are exact.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]
#![expect(
    clippy::many_single_char_names,
    reason = "a and b are the two sides, x and y their elements, d what is between"
)]

use std::marker::PhantomData;

use crate::read::tensor::simd::{Kernel, widest};

/// Elements side by side. Sums depend on it, so it is the same on every machine.
const LANES: usize = 8;

/// Elements whose sums are kept apart: what lies in the first-level cache when it is looked at again.
pub(super) const BLOCK: usize = 2048;

type Lane = [f64; LANES];

/// An element type of `N` bytes whose values are exact in `f64`.
pub(super) trait Kind<const N: usize> {
    /// The value.
    fn wide(bytes: [u8; N]) -> f64;
    /// Steps between two elements, in the width of the type, so that lanes stay narrow.
    type Ulps: Copy + Default + Ord + Into<u64>;
    /// How many steps from one representable value to the next lie between two elements; 0 for integers.
    fn ulps(a: [u8; N], b: [u8; N]) -> Self::Ulps;
    /// Whether the values differ, of finite elements.
    fn differ(a: [u8; N], b: [u8; N]) -> bool;
}

/// What a block came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block {
    pub(super) sums: Sums,
    /// Largest difference.
    pub(super) max: f64,
    /// Whether some difference is larger than the given share of its value in B.
    pub(super) more: bool,
    /// Elements with different values, and with different bits.
    pub(super) values: u64,
    pub(super) bits: u64,
    /// Largest distance in representable values.
    pub(super) ulps: u64,
}

/// Sums over pairs of elements `a`, `b` and their differences `d`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    /// |d|
    pub(super) abs: f64,
    /// d²
    pub(super) sq: f64,
    /// a·b
    pub(super) dot: f64,
    /// a²
    pub(super) aa: f64,
    /// b²
    pub(super) bb: f64,
}

impl Sums {
    /// Adds other sums.
    pub(super) fn add(&mut self, other: &Self) {
        self.abs += other.abs;
        self.sq += other.sq;
        self.dot += other.dot;
        self.aa += other.aa;
        self.bb += other.bb;
    }

    /// Whether all values were finite, and no square too large.
    pub(super) fn is_finite(&self) -> bool {
        (self.aa + self.bb + self.sq).is_finite()
    }
}

/// Compares blocks of equal length, at most [`BLOCK`] elements. `share` is the largest relative difference so far.
pub(super) fn compare<K: Kind<N>, const N: usize>(a: &[[u8; N]], b: &[[u8; N]], share: f64) -> Block {
    widest(Compare { a, b, share, kind: PhantomData::<K> })
}

/// The sum of squares of a block.
pub(super) fn squares<K: Kind<N>, const N: usize>(a: &[[u8; N]]) -> f64 {
    widest(Squares { a, kind: PhantomData::<K> })
}

struct Compare<'b, K, const N: usize> {
    a: &'b [[u8; N]],
    b: &'b [[u8; N]],
    share: f64,
    kind: PhantomData<K>,
}

impl<K: Kind<N>, const N: usize> Kernel for Compare<'_, K, N> {
    type Output = Block;

    #[inline(always)]
    fn run(self) -> Block {
        compare_lanes::<K, N>(self.a, self.b, self.share)
    }
}

struct Squares<'b, K, const N: usize> {
    a: &'b [[u8; N]],
    kind: PhantomData<K>,
}

impl<K: Kind<N>, const N: usize> Kernel for Squares<'_, K, N> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut sums = [0.0; LANES];
        let (lanes, rest) = self.a.as_chunks::<LANES>();
        for x in lanes {
            sums = with(sums, &x.map(K::wide), |sum, x| sum + x * x);
        }
        sums.into_iter().sum::<f64>() + rest.iter().map(|x| K::wide(*x).powi(2)).sum::<f64>()
    }
}

#[expect(clippy::indexing_slicing, reason = "arrays of a constant number of lanes")]
#[inline(always)]
fn compare_lanes<K: Kind<N>, const N: usize>(a: &[[u8; N]], b: &[[u8; N]], share: f64) -> Block {
    let (mut abs, mut sq, mut dot, mut aa, mut bb) =
        ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
    // Largest difference, and the largest excess over the share.
    let (mut max, mut excess) = ([0.0; LANES], [0.0; LANES]);
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_lanes.iter().zip(b_lanes) {
        let (mut p, mut q) = ([0.0; LANES], [0.0; LANES]);
        for (p, x) in p.iter_mut().zip(x) {
            *p = K::wide(*x);
        }
        for (q, y) in q.iter_mut().zip(y) {
            *q = K::wide(*y);
        }
        // One loop over the lanes with indexes: measured, every other form is half as fast or less.
        for i in 0..LANES {
            let d = (p[i] - q[i]).abs();
            abs[i] += d;
            sq[i] += d * d;
            aa[i] += p[i] * p[i];
            bb[i] += q[i] * q[i];
            dot[i] += p[i] * q[i];
            max[i] = if d > max[i] { d } else { max[i] };
            let over = d - share * q[i].abs();
            excess[i] = if over > excess[i] { over } else { excess[i] };
        }
    }
    let total = |lanes: Lane| lanes.into_iter().sum::<f64>();
    let mut block = Block {
        sums: Sums { abs: total(abs), sq: total(sq), dot: total(dot), aa: total(aa), bb: total(bb) },
        max: max.into_iter().fold(0.0, f64::max),
        more: excess.into_iter().any(|excess| excess > 0.0),
        ..Block::default()
    };
    for (x, y) in a_rest.iter().zip(b_rest) {
        let (x, y) = (K::wide(*x), K::wide(*y));
        let d = (x - y).abs();
        block.sums.add(&Sums { abs: d, sq: d * d, dot: x * y, aa: x * x, bb: y * y });
        block.max = block.max.max(d);
        block.more |= d > share * y.abs();
    }
    (block.values, block.bits, block.ulps) = count::<K, N>(a, b);
    block
}

/// How many elements differ in value and in bits, and by how many representable values at most.
#[inline(always)]
fn count<K: Kind<N>, const N: usize>(a: &[[u8; N]], b: &[[u8; N]]) -> (u64, u64, u64) {
    let (mut values, mut bits, mut ulps) = (0u32, 0u32, K::Ulps::default());
    for (x, y) in a.iter().zip(b) {
        values += u32::from(K::differ(*x, *y));
        bits += u32::from(x != y);
        ulps = ulps.max(K::ulps(*x, *y));
    }
    (values.into(), bits.into(), ulps.into())
}

#[inline(always)]
fn with(mut a: Lane, b: &Lane, f: impl Fn(f64, f64) -> f64) -> Lane {
    for (a, b) in a.iter_mut().zip(b) {
        *a = f(*a, *b);
    }
    a
}
