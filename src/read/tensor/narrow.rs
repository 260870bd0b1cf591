//! Floats of 16 bits and less: their exact values and their shortest decimal texts.
//!
//! Every such value is also a `f64`, and so is the shortest decimal that reads back to it in its own type: bfloat16's
//! 3.140625 has the neighbours 3.125 and 3.15625, so `3.14` names it. Finding that decimal takes a search, and there
//! are few values, so each is searched once and kept.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use half::{bf16, f16};

use super::dtype::DType;

/// A floating-point format of 16 bits or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the names of the formats")]
pub enum NarrowKind {
    Float16,
    BFloat16,
    Float8E5M2,
    Float8E4M3FN,
    Float8E4M3FNUZ,
    Float8E4M3B11FNUZ,
    Float8E5M2FNUZ,
    Float4E2M1FN,
}

impl NarrowKind {
    /// The format of the elements of a dtype, if they are such floats.
    pub fn of(dtype: DType) -> Option<Self> {
        Some(match dtype {
            DType::Float16 => Self::Float16,
            DType::BFloat16 => Self::BFloat16,
            DType::Float8E5M2 => Self::Float8E5M2,
            DType::Float8E4M3FN => Self::Float8E4M3FN,
            DType::Float8E4M3FNUZ => Self::Float8E4M3FNUZ,
            DType::Float8E4M3B11FNUZ => Self::Float8E4M3B11FNUZ,
            DType::Float8E5M2FNUZ => Self::Float8E5M2FNUZ,
            DType::Float4E2M1FN => Self::Float4E2M1FN,
            _ => return None,
        })
    }
}

/// A float of 16 bits or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Narrow {
    kind: NarrowKind,
    bits: u16,
}

/// Shortest texts found so far, as the bits of the `f64` with that text; 0 where none was asked for.
static FOUND: OnceLock<Box<[AtomicU64]>> = OnceLock::new();

impl Narrow {
    /// The value with these bits; bits that the format does not have are dropped.
    pub fn new(kind: NarrowKind, bits: u16) -> Self {
        Self { kind, bits: bits & (kind.sign_bit() | kind.magnitude_mask()) }
    }

    /// The format.
    pub fn kind(self) -> NarrowKind {
        self.kind
    }

    /// The stored bits.
    pub fn bits(self) -> u16 {
        self.bits
    }

    /// The exact value.
    pub fn value(self) -> f64 {
        // Only float16 and bfloat16 use the high byte.
        let [low, _] = self.bits.to_le_bytes();
        match self.kind {
            NarrowKind::Float16 => f16::from_bits(self.bits).to_f64(),
            NarrowKind::BFloat16 => bf16::from_bits(self.bits).to_f64(),
            NarrowKind::Float8E5M2 => microfloat::f8e5m2::from_bits(low).to_f64(),
            NarrowKind::Float8E4M3FN => microfloat::f8e4m3fn::from_bits(low).to_f64(),
            NarrowKind::Float8E4M3FNUZ => microfloat::f8e4m3fnuz::from_bits(low).to_f64(),
            NarrowKind::Float8E4M3B11FNUZ => microfloat::f8e4m3b11fnuz::from_bits(low).to_f64(),
            NarrowKind::Float8E5M2FNUZ => microfloat::f8e5m2fnuz::from_bits(low).to_f64(),
            NarrowKind::Float4E2M1FN => microfloat::f4e2m1fn::from_bits(low).to_f64(),
        }
    }

    /// The `f64` whose shortest text is also the shortest that reads back to this value in its own type.
    pub fn shortest(self) -> f64 {
        let value = self.value();
        if value == 0.0 || !value.is_finite() {
            return value;
        }
        let found = FOUND.get_or_init(|| (0..SLOTS).map(|_| AtomicU64::new(0)).collect());
        let Some(slot) = found.get(self.kind.first_slot() + usize::from(self.magnitude())) else { return value };
        let mut bits = slot.load(Ordering::Relaxed);
        if bits == 0 {
            bits = self.search().to_bits();
            slot.store(bits, Ordering::Relaxed);
        }
        f64::from_bits(bits).copysign(value)
    }

    /// The stored bits without the sign.
    pub fn magnitude(self) -> u16 {
        self.bits & self.kind.magnitude_mask()
    }

    /// The shortest decimal between the midpoints to the neighbours of this finite, nonzero magnitude.
    fn search(self) -> f64 {
        let (magnitude, value) = (self.magnitude(), self.value().abs());
        let at = |bits: u16| Self { kind: self.kind, bits }.value();
        let below = at(magnitude.saturating_sub(1));
        // After the largest magnitude comes infinity, a NaN or nothing: round as if the row went on.
        let above = Some(magnitude + 1).filter(|next| *next <= self.kind.magnitude_mask()).map(at);
        let above = above.filter(|next| next.is_finite()).unwrap_or(value + (value - below));
        let (low, high) = (f64::midpoint(below, value), f64::midpoint(value, above));
        // A decimal on a midpoint is read as the neighbour with the even bits.
        let even = magnitude % 2 == 0;
        let names_it = |candidate: &f64| {
            if even { (low..=high).contains(candidate) } else { low < *candidate && *candidate < high }
        };
        (0..17).find_map(|decimals| nearest(value, decimals)?.into_iter().flatten().find(names_it)).unwrap_or(value)
    }
}

/// The nearest decimal with so many digits after its first, and the next one up.
///
/// At a power of two the neighbour below is nearer than the one above, so only the second may lie between midpoints.
fn nearest(value: f64, decimals: usize) -> Option<[Option<f64>; 2]> {
    let text = format!("{value:.decimals$e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let digits: u64 = mantissa.replace('.', "").parse().ok()?;
    let exponent: i64 = exponent.parse().ok()?;
    let up = format!("{}e{}", digits.checked_add(1)?, exponent.checked_sub(i64::try_from(decimals).ok()?)?);
    Some([text.parse().ok(), up.parse().ok()])
}

/// One slot a magnitude: two formats of 15 bits, then the small ones with at most 7.
const SLOTS: usize = 2 * (1 << 15) + 6 * (1 << 7);

impl NarrowKind {
    fn sign_bit(self) -> u16 {
        self.magnitude_mask() + 1
    }

    fn magnitude_mask(self) -> u16 {
        match self {
            Self::Float16 | Self::BFloat16 => 0x7fff,
            Self::Float4E2M1FN => 0x7,
            _ => 0x7f,
        }
    }

    fn first_slot(self) -> usize {
        let small = |n: usize| 2 * (1 << 15) + n * (1 << 7);
        match self {
            Self::Float16 => 0,
            Self::BFloat16 => 1 << 15,
            Self::Float8E5M2 => small(0),
            Self::Float8E4M3FN => small(1),
            Self::Float8E4M3FNUZ => small(2),
            Self::Float8E4M3B11FNUZ => small(3),
            Self::Float8E5M2FNUZ => small(4),
            Self::Float4E2M1FN => small(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a over the little-endian float32 bits of all code points, NaNs as 0x7fc00000, and how many are NaN and
    /// infinite. Recorded from `ml_dtypes` 0.6.0, so that another release of `microfloat` cannot change a value.
    const ALL_CODES: [(NarrowKind, u16, u64, usize, usize); 6] = [
        (NarrowKind::Float8E5M2, 256, 0x6c1e_56b6_fb09_c905, 6, 2),
        (NarrowKind::Float8E4M3FN, 256, 0xdad1_d9c5_0f74_9ca5, 2, 0),
        (NarrowKind::Float8E4M3FNUZ, 256, 0xf518_51cb_11c6_3018, 1, 0),
        (NarrowKind::Float8E4M3B11FNUZ, 256, 0xd90d_7a60_0530_d158, 1, 0),
        (NarrowKind::Float8E5M2FNUZ, 256, 0x94ae_6fc4_93d4_9818, 1, 0),
        (NarrowKind::Float4E2M1FN, 16, 0x2403_bb76_b85d_fea5, 0, 0),
    ];

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "every one of these values is a float32")]
    fn every_code_of_the_small_formats_has_the_value_of_ml_dtypes() {
        for (kind, codes, want, nans, infinities) in ALL_CODES {
            let values: Vec<f32> = (0..codes).map(|bits| Narrow::new(kind, bits).value() as f32).collect();
            let bytes = values.iter().flat_map(|v| if v.is_nan() { 0x7fc0_0000 } else { v.to_bits() }.to_le_bytes());
            let hash = bytes
                .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
            assert_eq!(hash, want, "{kind:?}");
            assert_eq!(values.iter().filter(|v| v.is_nan()).count(), nans, "{kind:?}");
            assert_eq!(values.iter().filter(|v| v.is_infinite()).count(), infinities, "{kind:?}");
        }
    }

    #[test]
    fn the_shortest_text_reads_back_to_the_same_bits() {
        for bits in 0..=u16::MAX {
            for kind in [NarrowKind::Float16, NarrowKind::BFloat16] {
                let narrow = Narrow::new(kind, bits);
                if narrow.value().is_nan() {
                    continue;
                }
                let text = format!("{:?}", narrow.shortest());
                let digits = text.split('e').next().unwrap().trim_start_matches(['-', '0', '.']).trim_end_matches(".0");
                let limit = if kind == NarrowKind::Float16 { 5 } else { 4 };
                assert!(digits.trim_end_matches('0').replace('.', "").len() <= limit, "{text}");
                // Through f32: `half` 2.7 drops low bits of a f64 before it rounds.
                let back = match kind {
                    NarrowKind::Float16 => f16::from_f32(text.parse().unwrap()).to_bits(),
                    _ => bf16::from_f32(text.parse().unwrap()).to_bits(),
                };
                assert_eq!(back, bits, "{text}");
            }
        }
    }

    #[test]
    fn the_shortest_texts_are_as_short_as_can_be() {
        let shortest = |kind, bits| format!("{:?}", Narrow::new(kind, bits).shortest());
        assert_eq!(shortest(NarrowKind::Float16, 0x2e66), "0.1");
        assert_eq!(shortest(NarrowKind::Float16, 0x7bff), "65500.0");
        assert_eq!(shortest(NarrowKind::Float16, 0x8001), "-6e-8");
        assert_eq!(shortest(NarrowKind::Float16, 0x8000), "-0.0");
        assert_eq!(shortest(NarrowKind::BFloat16, 0x4049), "3.14");
        assert_eq!(shortest(NarrowKind::BFloat16, 0xff80), "-inf");
        assert_eq!(shortest(NarrowKind::Float8E5M2, 0x2e), "0.09");
        assert_eq!(shortest(NarrowKind::Float8E4M3FN, 0x7e), "450.0");
        assert_eq!(shortest(NarrowKind::Float8E4M3FNUZ, 0x80), "NaN");
        assert_eq!(shortest(NarrowKind::Float4E2M1FN, 0x0f), "-6.0");
        assert_eq!(shortest(NarrowKind::Float4E2M1FN, 0xf1), "0.5");
    }
}
