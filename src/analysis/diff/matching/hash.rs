//! A fingerprint of elements that does not depend on their order: sums of what each of them is mixed into.
//!
//! It finds candidates and proves nothing: whatever it pairs is compared element by element. NaN has many bits, of which
//! a cast keeps some: here it has one.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]

use crate::read::tensor::DType;
use crate::read::tensor::simd::{Kernel, widest};

/// The fingerprint of some elements; those of parts add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Sum(u64, u64);

impl Sum {
    /// That of both.
    #[must_use]
    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0), self.1.wrapping_add(other.1))
    }

    /// That of what is left without the other.
    #[must_use]
    pub(super) fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0), self.1.wrapping_sub(other.1))
    }
}

/// What elements come to: their fingerprint, and how many are not the given one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) sum: Sum,
    pub(super) others: u64,
}

/// The fingerprint of little-endian elements of this dtype, and how many of them are not `first`.
pub(super) fn sum(dtype: DType, bytes: &[u8], first: &[u8]) -> Found {
    match dtype {
        DType::Float32 => four(bytes, first, 0x7f80_0000),
        DType::Float16 => two(bytes, first, 0x7c00),
        DType::BFloat16 => two(bytes, first, 0x7f80),
        DType::Bool => {
            let plain: Vec<u8> = bytes.iter().map(|byte| u8::from(*byte != 0)).collect();
            one(&plain, first)
        }
        _ => match dtype.element_size() {
            Some(1) => one(bytes, first),
            Some(2) => two(bytes, first, u32::MAX),
            Some(4) => four(bytes, first, u32::MAX),
            Some(8) if dtype == DType::Float64 => eight(bytes, first, 0x7ff0_0000_0000_0000),
            Some(8) => eight(bytes, first, u64::MAX),
            Some(16) => sixteen(bytes, first),
            _ => Found::default(),
        },
    }
}

fn one(bytes: &[u8], first: &[u8]) -> Found {
    let first = u32::from(first.first().copied().unwrap_or(0));
    widest(Short { elements: bytes, wide: |byte: u8| u32::from(byte), first, nan: u32::MAX, sign: 0 })
}

fn two(bytes: &[u8], first: &[u8], nan: u32) -> Found {
    let wide = |bytes: [u8; 2]| u32::from(u16::from_le_bytes(bytes));
    let first = first.first_chunk().copied().map_or(0, wide);
    widest(Short { elements: bytes.as_chunks::<2>().0, wide, first, nan, sign: 0x7fff })
}

fn four(bytes: &[u8], first: &[u8], nan: u32) -> Found {
    let first = first.first_chunk().copied().map_or(0, u32::from_le_bytes);
    let elements = bytes.as_chunks::<4>().0;
    widest(Short { elements, wide: u32::from_le_bytes, first, nan, sign: 0x7fff_ffff })
}

fn eight(bytes: &[u8], first: &[u8], nan: u64) -> Found {
    let first = first.first_chunk().copied().map_or(0, u64::from_le_bytes);
    widest(Long { elements: bytes.as_chunks::<8>().0, first, nan })
}

/// Two numbers of 64 bits each; neither is mixed without the other.
fn sixteen(bytes: &[u8], first: &[u8]) -> Found {
    let mut found = Found::default();
    for element in bytes.as_chunks::<16>().0 {
        let (low, high) = (u128::from_le_bytes(*element), u128::from_le_bytes(*element) >> 64);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (low, high) = (low as u64, high as u64);
        let Sum(a, b) = long(low);
        let Sum(c, d) = long(high ^ a);
        found.sum = found.sum.plus(Sum(c, d ^ b));
        found.others = found.others.wrapping_add(u64::from(element.as_slice() != first));
    }
    found
}

/// Elements of at most 32 bits.
struct Short<'e, E, W> {
    elements: &'e [E],
    wide: W,
    first: u32,
    /// What has larger bits, without its sign, is NaN.
    nan: u32,
    sign: u32,
}

impl<E: Copy, W: Fn(E) -> u32> Kernel for Short<'_, E, W> {
    type Output = Found;

    #[inline(always)]
    fn run(self) -> Found {
        let Self { elements, wide, first, nan, sign } = self;
        let (mut sum, mut product, mut same) = (0u64, 0u64, 0u64);
        for element in elements {
            let bits = wide(*element);
            same += u64::from(bits == first);
            let bits = if bits & sign > nan { nan | 1 } else { bits };
            let (a, b) = short(bits);
            sum = sum.wrapping_add(u64::from(a));
            product = product.wrapping_add(u64::from(a).wrapping_mul(u64::from(b)));
        }
        Found { sum: Sum(sum, product), others: (elements.len() as u64).wrapping_sub(same) }
    }
}

/// Elements of 64 bits.
struct Long<'e> {
    elements: &'e [[u8; 8]],
    first: u64,
    nan: u64,
}

impl Kernel for Long<'_> {
    type Output = Found;

    #[inline(always)]
    fn run(self) -> Found {
        let mut found = Found::default();
        for element in self.elements {
            let bits = u64::from_le_bytes(*element);
            found.others += u64::from(bits != self.first);
            let bits = if bits & (u64::MAX >> 1) > self.nan { self.nan | 1 } else { bits };
            found.sum = found.sum.plus(long(bits));
        }
        found
    }
}

/// Two mixtures of an element, the second made of the first.
#[inline(always)]
fn short(bits: u32) -> (u32, u32) {
    let mut a = bits ^ (bits >> 16);
    a = a.wrapping_mul(0x85eb_ca6b);
    a ^= a >> 13;
    a = a.wrapping_mul(0xc2b2_ae35);
    a ^= a >> 16;
    (a, a.rotate_left(15).wrapping_add(0x9e37_79b9) ^ bits)
}

#[inline(always)]
fn long(bits: u64) -> Sum {
    let mut a = bits ^ (bits >> 32);
    a = a.wrapping_mul(0xd6e8_feb8_6659_fd93);
    a ^= a >> 32;
    a = a.wrapping_mul(0xd6e8_feb8_6659_fd93);
    a ^= a >> 32;
    Sum(a, a.wrapping_mul(a.rotate_left(29) | 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_does_not_count_and_everything_else_does() {
        let bytes: Vec<u8> = (0..4096u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for dtype in [DType::UInt8, DType::Int16, DType::BFloat16, DType::Float32, DType::Float64, DType::Complex128] {
            let size = usize::try_from(dtype.element_size().unwrap()).unwrap();
            let whole = sum(dtype, &bytes, &[]).sum;
            let back: Vec<u8> = bytes.chunks(size).rev().flatten().copied().collect();
            assert_eq!(sum(dtype, &back, &[]).sum, whole, "{dtype}");
            let (x, y) = bytes.split_at(1024);
            assert_eq!(sum(dtype, x, &[]).sum.plus(sum(dtype, y, &[]).sum), whole, "{dtype}");
            assert_eq!(whole.minus(sum(dtype, x, &[]).sum), sum(dtype, y, &[]).sum, "{dtype}");
            for bit in [0, 3, 8 * size - 2] {
                let mut other = bytes.clone();
                other[64 + bit / 8] ^= 1 << (bit % 8);
                assert_ne!(sum(dtype, &other, &[]).sum, whole, "{dtype} {bit}");
            }
        }
    }

    #[test]
    fn constants_have_no_others() {
        let ones: Vec<u8> = std::iter::repeat_n(1f32.to_le_bytes(), 100).flatten().collect();
        assert_eq!(sum(DType::Float32, &ones, &1f32.to_le_bytes()).others, 0);
        assert_eq!(sum(DType::Float32, &ones, &2f32.to_le_bytes()).others, 100);
        let nans =
            [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001)].map(|nan| sum(DType::Float32, &nan.to_le_bytes(), &[]));
        assert!(nans.iter().all(|nan| nan.sum == nans[0].sum));
    }
}
