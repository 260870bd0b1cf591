//! Floats in other dtypes, rounded as NumPy and `ml_dtypes` round them: to the nearest, ties to even. And their means.
//!
//! Loops without branches, so that they become vectors: what is written should cost little beside writing it.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]

use crate::read::tensor::simd::{Kernel, widest};
use crate::read::tensor::{DType, Wide, Widener};

/// Bytes that are made wide at a time: both sides stay in the first-level cache.
const AT_ONCE: usize = 8 << 10;

/// Turns elements of one float dtype into those of another.
#[derive(Debug)]
pub(in crate::analysis) struct Caster {
    from: Option<Widener>,
    to: DType,
    /// Finite values that are infinite in the other dtype.
    pub(in crate::analysis) overflows: u64,
}

impl Caster {
    pub(in crate::analysis) fn new(from: DType, to: DType) -> Self {
        Self { from: Widener::new(from), to, overflows: 0 }
    }

    /// Appends the same elements to `out`, little-endian as those given.
    pub(in crate::analysis) fn cast(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(from) = &mut self.from else { return };
        for part in bytes.chunks(AT_ONCE) {
            self.overflows += match from.widen(part) {
                Wide::Single(values) => widest(Narrow { values, to: self.to, out }),
                Wide::Double(values) => widest(NarrowWide { values, to: self.to, out }),
                Wide::Int(_) | Wide::UInt(_) => 0,
            };
        }
    }

    /// Appends elements that are float64, as means are.
    pub(super) fn cast_wide(&mut self, values: &[f64], out: &mut Vec<u8>) {
        self.overflows += widest(NarrowWide { values, to: self.to, out });
    }
}

/// Elements of a float dtype, added to sums in float64.
#[derive(Debug)]
pub(super) struct Summer(Option<Widener>);

impl Summer {
    pub(super) fn new(from: DType) -> Self {
        Self(Widener::new(from))
    }

    pub(super) fn add_to(&mut self, sums: &mut [f64], bytes: &[u8]) {
        let Some(from) = &mut self.0 else { return };
        for (part, sums) in bytes.chunks(AT_ONCE).zip(sums.chunks_mut(AT_ONCE / from.element_size().max(1))) {
            match from.widen(part) {
                Wide::Single(values) => widest(Add { sums, values, wide: f64::from }),
                Wide::Double(values) => widest(Add { sums, values, wide: std::convert::identity }),
                Wide::Int(_) | Wide::UInt(_) => {}
            }
        }
    }
}

struct Add<'v, V, W> {
    sums: &'v mut [f64],
    values: &'v [V],
    wide: W,
}

impl<V: Copy, W: Fn(V) -> f64> Kernel for Add<'_, V, W> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sum, value) in self.sums.iter_mut().zip(self.values) {
            *sum += (self.wide)(*value);
        }
    }
}

/// float32 in another dtype.
struct Narrow<'v> {
    values: &'v [f32],
    to: DType,
    out: &'v mut Vec<u8>,
}

impl Kernel for Narrow<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let Self { values, to, out } = self;
        match to {
            DType::Float64 => each(values, out, |v| (f64::from(v).to_le_bytes(), false)),
            DType::Float32 => each(values, out, |v| (v.to_le_bytes(), false)),
            DType::Float16 => each(values, out, |v| half(v, v.is_finite())),
            _ => each(values, out, |v| brain(v, v.is_finite())),
        }
    }
}

/// float64 in another dtype.
struct NarrowWide<'v> {
    values: &'v [f64],
    to: DType,
    out: &'v mut Vec<u8>,
}

impl Kernel for NarrowWide<'_> {
    type Output = u64;

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
    fn run(self) -> u64 {
        let Self { values, to, out } = self;
        match to {
            DType::Float64 => each(values, out, |v| (v.to_le_bytes(), false)),
            DType::Float32 => each(values, out, |v| {
                let narrow = v as f32;
                (narrow.to_le_bytes(), v.is_finite() && narrow.is_infinite())
            }),
            DType::Float16 => each(values, out, |v| half(to_odd(v), v.is_finite())),
            // bfloat16 is made of float32, by ml_dtypes too: rounded twice.
            _ => each(values, out, |v| brain(v as f32, v.is_finite())),
        }
    }
}

/// Appends what `cast` makes of every value; how many it says are overflows.
#[inline(always)]
fn each<V: Copy, const N: usize>(values: &[V], out: &mut Vec<u8>, cast: impl Fn(V) -> ([u8; N], bool)) -> u64 {
    let start = out.len();
    out.resize(start.saturating_add(values.len().saturating_mul(N)), 0);
    let slots = out.get_mut(start..).unwrap_or_default();
    let mut overflows = 0u32;
    for (slot, value) in slots.as_chunks_mut::<N>().0.iter_mut().zip(values) {
        let (bytes, is_overflow) = cast(*value);
        *slot = bytes;
        overflows += u32::from(is_overflow);
    }
    u64::from(overflows)
}

/// A float32 that rounds to any shorter float as the float64 itself: what is lost leaves a last bit that is set.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "what is lost is looked at")]
fn to_odd(value: f64) -> f32 {
    let near = value as f32;
    let (exact, beyond) = (f64::from(near) == value, f64::from(near).abs() > value.abs());
    let odd = f32::from_bits(near.to_bits().wrapping_sub(u32::from(beyond)) | 1);
    if exact | value.is_nan() { near } else { odd }
}

/// float16, and whether it is infinite where the value was not.
#[inline(always)]
fn half(value: f32, was_finite: bool) -> ([u8; 2], bool) {
    /// The smallest that is normal in float16, 2 to the power of -14.
    const NORMAL: u32 = (127 - 14) << 23;
    /// From here on the nearest is infinite.
    const TOO_LARGE: u32 = 0x477f_f000;
    /// Added to a number below `NORMAL`, it leaves what float16 keeps of it in the lowest bits.
    const MAGIC: f32 = f32::from_bits((127 - 1) << 23);
    let bits = value.to_bits();
    let size = bits & 0x7fff_ffff;
    let normal = size.wrapping_sub((127 - 15) << 23).wrapping_add(0xfff + (size >> 13 & 1)) >> 13;
    let subnormal = (f32::from_bits(size) + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits());
    let nan = 0x7e00 | (size >> 13 & 0x3ff);
    let finite = if size < NORMAL { subnormal } else { normal };
    let short = if size >= TOO_LARGE { 0x7c00 } else { finite };
    let short = if size > 0x7f80_0000 { nan } else { short };
    (lowest(short | (bits >> 16 & 0x8000)), was_finite && short == 0x7c00)
}

/// bfloat16, and whether it is infinite where the value was not.
#[inline(always)]
fn brain(value: f32, was_finite: bool) -> ([u8; 2], bool) {
    let bits = value.to_bits();
    let size = bits & 0x7fff_ffff;
    let near = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    let short = if size > 0x7f80_0000 { bits >> 16 | 0x40 } else { near };
    (lowest(short), was_finite && short & 0x7fff == 0x7f80)
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the upper half is not wanted")]
fn lowest(bits: u32) -> [u8; 2] {
    (bits as u16).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    fn cast(values: &[f64], to: DType) -> Vec<u16> {
        let mut out = Vec::new();
        Caster::new(DType::Float64, to).cast_wide(values, &mut out);
        out.as_chunks::<2>().0.iter().map(|b| u16::from_le_bytes(*b)).collect()
    }

    #[test]
    fn short_floats_are_those_of_the_half_crate() {
        for bits in (0..=u32::MAX).step_by(4099).chain(0x477f_e000..0x4780_0010).chain(0x3300_0000..0x3300_0010) {
            let value = f32::from_bits(bits);
            let ([low, high], overflow) = half(value, value.is_finite());
            let want = f16::from_f32_const(value);
            assert_eq!(u16::from_le_bytes([low, high]), want.to_bits(), "{bits:#x}");
            assert_eq!(overflow, want.is_infinite() && value.is_finite(), "{bits:#x}");
            let ([low, high], overflow) = brain(value, value.is_finite());
            let want = bf16::from_f32(value);
            assert_eq!(u16::from_le_bytes([low, high]), want.to_bits(), "{bits:#x}");
            assert_eq!(overflow, want.is_infinite() && value.is_finite(), "{bits:#x}");
        }
    }

    /// Rounded once: a float64 just above the middle of two float16 goes up, though its float32 lies in the middle.
    #[test]
    fn float64_is_rounded_once() {
        for bits in 0..0x7bffu16 {
            let (low, high) = (f16::from_bits(bits), f16::from_bits(bits + 1));
            let middle = f64::midpoint(low.to_f64(), high.to_f64());
            let even = if bits % 2 == 0 { low } else { high };
            let found = cast(&[middle, middle.next_up(), middle.next_down(), -middle.next_up()], DType::Float16);
            assert_eq!(found, [even, high, low, -high].map(f16::to_bits), "{bits:#x}");
        }
        let tiny = f64::MIN_POSITIVE;
        assert_eq!(
            cast(&[tiny, -tiny, f64::INFINITY, 65520.0, 65519.99, 1e300], DType::Float16),
            [0, 0x8000, 0x7c00, 0x7c00, 0x7bff, 0x7c00]
        );
    }
}
