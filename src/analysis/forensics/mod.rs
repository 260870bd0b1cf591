//! Checksum forensics: what checksums and a few bytes prove about the data, without the data.
//!
//! An index stores the CRC-32C of each tensor's bytes, and TensorFlow's error message prints that number beside the one
//! it computed. CRC is linear and, on four bytes, one to one, so the two say more than "different": that zeros were
//! read (a hole of an interrupted download), that text was read (a Git LFS pointer), that one bit flipped and which,
//! and what a scalar was meant to be. Nothing here opens a file.
//!
//! Checksums are plain, as TensorFlow's messages and `ckpt list` show them, not masked as they are stored.

mod text;

#[cfg(test)]
mod reports;

pub use text::{Fragment, LineEnds, Mangled, Word, ascii_word, looks_mangled_by_text_mode, text_fragment};

use crate::read::tensor::{DType, Narrow, NarrowKind};
use crate::read::wire::gf2::{BIG_FACTOR, ORDER, after_zeros, logarithm, multiply, power, rewind};
pub use crate::read::wire::{BitFlip, crc_of_zeros, single_bit, single_bit_from_end};

/// Number of different checksums.
const CHECKSUMS: f64 = 4_294_967_296.0;

/// Whether a tensor consists of zeros, told from the index alone.
///
/// Strings and variants are never zeros, and a tensor without elements is nothing.
pub fn is_all_zero(dtype: DType, len: u64, crc: u32) -> bool {
    dtype.element_size().is_some() && len > 0 && crc == crc_of_zeros(len)
}

/// A number of zero bytes that has some checksum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zeros {
    /// How many.
    pub len: u64,
    /// How often a random checksum is that of a length as small and as round as this: below 0.001 the zeros are as
    /// good as certain, above 0.01 it proves nothing.
    pub odds: f64,
}

/// How many zero bytes have this checksum, if at most `max` do.
///
/// Every length below 2³¹ − 1 has its own checksum, so the answer is exact and nothing is searched: it is a discrete
/// logarithm, a few milliseconds at worst. Beyond 2 GiB lengths repeat, and the shortest is given. About half of all
/// checksums are those of *some* number of zeros: look at [`Zeros::odds`] before believing one.
pub fn zero_length_for(crc: u32, max: u64) -> Option<Zeros> {
    // ~crc = F·x^8N, where F, a register of ones, is 0 modulo (x + 1). Adding the other factor makes both sides
    // powers of x without changing them modulo that factor.
    if !(!crc).count_ones().is_multiple_of(2) {
        return None;
    }
    let inverse = power(u32::MAX ^ BIG_FACTOR, ORDER - 1);
    let quotient = multiply(!crc ^ BIG_FACTOR, inverse);
    // Exponents count bits, and wrap above 2²⁸ bytes; 2²⁸ is the inverse of 8.
    let most = if max < 1 << 28 { max * 8 } else { ORDER };
    let bits = logarithm(quotient, most)?;
    let len = u64::try_from(u128::from(bits) * (1 << 28) % u128::from(ORDER)).ok()?;
    (len <= max).then(|| Zeros { len, odds: zero_odds(len) })
}

/// The share of checksums that belong to lengths as small, or as round, as this.
#[expect(clippy::cast_precision_loss, reason = "odds are rounded anyway")]
fn zero_odds(len: u64) -> f64 {
    if len == 0 {
        return 1.0 / CHECKSUMS;
    }
    let small = if len.is_multiple_of(4) { len / 4 } else { len };
    // Lengths are products of dimensions, most with high powers of two: count those with an odd part up to this one's.
    let odd = len >> len.trailing_zeros();
    let round = odd.div_ceil(2).saturating_mul(u64::from(32u32.saturating_sub(odd.ilog2())).max(1));
    2.0 * small.min(round) as f64 / CHECKSUMS
}

/// The four bytes that have this checksum. There is exactly one such word.
pub fn invert_u32(crc: u32) -> [u8; 4] {
    (!rewind(!crc, 32)).to_le_bytes()
}

/// The value of a scalar, derived from its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derived {
    /// Its type.
    pub dtype: DType,
    /// Its bytes, little-endian, as many as the type has.
    pub bytes: [u8; 8],
    /// Whether no other value has the checksum. Otherwise see [`Derived::assumption`].
    pub certain: bool,
}

/// The value of a scalar that has this checksum, in a bundle with little-endian bytes.
///
/// Types of four bytes or fewer are exact; `None` means that no value of the type has the checksum. Integers of eight
/// bytes are taken to be between −2³² and 2³². Other types cannot be told.
pub fn scalar_from_crc(dtype: DType, crc: u32) -> Option<Derived> {
    scalar(dtype, crc, false)
}

/// As [`scalar_from_crc`], in a bundle with big-endian bytes.
pub fn scalar_from_crc_big_endian(dtype: DType, crc: u32) -> Option<Derived> {
    scalar(dtype, crc, true)
}

fn scalar(dtype: DType, crc: u32, big_endian: bool) -> Option<Derived> {
    let size = u32::try_from(dtype.element_size()?).ok()?;
    match size {
        1 | 2 | 4 => {
            let word = !rewind(!crc, size * 8);
            let legal = if dtype == DType::Bool { 2 } else { 1 << (u64::from(size) * 8) };
            if u64::from(word) >= legal {
                return None;
            }
            let word = if big_endian { word.swap_bytes() >> (32 - size * 8) } else { word };
            Some(Derived { dtype, bytes: u64::from(word).to_le_bytes(), certain: true })
        }
        8 if matches!(dtype, DType::Int64 | DType::UInt64) => {
            let low = |high: u32| {
                let word = if big_endian {
                    // The half that is known comes first.
                    (rewind(!crc, 32) ^ after_zeros(!high, 4)).swap_bytes()
                } else {
                    !rewind(rewind(!crc, 32) ^ high, 32)
                };
                u64::from(word) | u64::from(high) << 32
            };
            let (plain, negative) = (low(0), low(u32::MAX));
            // Counters are not negative, but a −1 is common enough to be told.
            let is_negative = dtype == DType::Int64 && negative.wrapping_neg() < 1 << 16 && plain >= 1 << 16;
            let value = if is_negative { negative } else { plain };
            Some(Derived { dtype, bytes: value.to_le_bytes(), certain: false })
        }
        _ => None,
    }
}

impl Derived {
    /// What the value rests on, if it is not certain.
    pub fn assumption(&self) -> Option<&'static str> {
        let negative = self.bytes.last() == Some(&0xff);
        match (self.certain, negative) {
            (true, _) => None,
            (false, false) => Some("if it is below 2^32"),
            (false, true) => Some("if it is negative and above -2^32"),
        }
    }

    /// The value as a 64-bit integer, for integer types.
    pub fn integer(&self) -> Option<i64> {
        let bits = u64::from_le_bytes(self.bytes);
        let size = u32::try_from(self.dtype.element_size()?).ok()?;
        // Shifting the sign bit of the type up and back extends it.
        let signed = |bits: u64, width: u32| (bits << (64 - width)).cast_signed() >> (64 - width);
        Some(match self.dtype {
            DType::Int4 => signed(bits, 4),
            DType::Int2 => signed(bits, 2),
            DType::UInt4 => (bits & 15).cast_signed(),
            DType::UInt2 => (bits & 3).cast_signed(),
            DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 | DType::QInt8 | DType::QInt16 | DType::QInt32 => {
                signed(bits, size * 8)
            }
            DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 | DType::QUInt8 | DType::QUInt16 => {
                bits.cast_signed()
            }
            _ => return None,
        })
    }

    /// The value as text.
    pub fn text(&self) -> String {
        let [a, b, c, d, ..] = self.bytes;
        if let Some(integer) = self.integer() {
            return integer.to_string();
        }
        match self.dtype {
            DType::Bool => if a == 0 { "False" } else { "True" }.to_owned(),
            DType::Float32 => format!("{:?}", f32::from_le_bytes([a, b, c, d])),
            dtype => match NarrowKind::of(dtype) {
                Some(kind) => format!("{:?}", Narrow::new(kind, u16::from_le_bytes([a, b])).shortest()),
                None => format!("{:#x}", u64::from_le_bytes(self.bytes)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_sum_as_if_they_were_there() {
        for len in [0u64, 1, 4, 7, 1024, 65_536, 2_359_296] {
            assert_eq!(crc_of_zeros(len), crc32c::crc32c(&vec![0; usize::try_from(len).unwrap()]), "{len}");
        }
        // 16 GiB, joined from halves.
        let half = crc_of_zeros(8 << 30);
        assert_eq!(crc_of_zeros(16 << 30), crc32c::crc32c_combine(half, half, 8 << 30));
    }

    #[test]
    fn a_number_of_zeros_is_found_from_its_checksum() {
        let most = 1u64 << 32;
        for len in [0u64, 1, 4, 40, 1024, 65_536, 2_359_296, 93_763_584, (1 << 28) - 4, 1 << 28, 1 << 30, (1 << 31) - 2]
        {
            assert_eq!(zero_length_for(crc_of_zeros(len), most).map(|z| z.len), Some(len));
        }
        assert!(zero_length_for(crc_of_zeros(93_763_584), most).unwrap().odds < 0.001);
        assert_eq!(zero_length_for(crc_of_zeros(1024), 1023), None);
        // Lengths repeat after 2³¹ − 1.
        assert_eq!(crc_of_zeros(ORDER + 12), crc_of_zeros(12));
    }

    #[test]
    fn scalars_of_every_size_come_back() {
        let crc = |bytes: &[u8]| crc32c::crc32c(bytes);
        let text = |dtype, bytes: &[u8]| scalar_from_crc(dtype, crc(bytes)).map(|d| d.text());
        assert_eq!(text(DType::Float32, &0.001f32.to_le_bytes()).unwrap(), "0.001");
        assert_eq!(text(DType::Float32, &0f32.to_le_bytes()).unwrap(), "0.0");
        assert_eq!(text(DType::Int32, &(-7i32).to_le_bytes()).unwrap(), "-7");
        assert_eq!(text(DType::Int64, &200i64.to_le_bytes()).unwrap(), "200");
        assert_eq!(text(DType::Int64, &(-1i64).to_le_bytes()).unwrap(), "-1");
        assert_eq!(text(DType::UInt64, &u64::from(u32::MAX).to_le_bytes()).unwrap(), "4294967295");
        assert_eq!(text(DType::BFloat16, &[0x80, 0x3f]).unwrap(), "1.0");
        assert_eq!(text(DType::Int8, &[0xfe]).unwrap(), "-2");
        assert_eq!(text(DType::Int4, &[0x0f]).unwrap(), "-1");
        assert_eq!(text(DType::Bool, &[1]).unwrap(), "True");
        // No such value, or no telling.
        assert_eq!(text(DType::Bool, &[2]), None);
        assert_eq!(text(DType::Int16, &[1, 2, 3]), None);
        assert_eq!(text(DType::Float64, &1f64.to_le_bytes()), None);
        assert_eq!(text(DType::String, &[1]), None);
        let derived = scalar_from_crc(DType::Int64, crc(&200i64.to_le_bytes())).unwrap();
        assert_eq!((derived.certain, derived.assumption()), (false, Some("if it is below 2^32")));
    }

    #[test]
    fn big_endian_scalars_come_back() {
        let text = |dtype, bytes: &[u8]| scalar_from_crc_big_endian(dtype, crc32c::crc32c(bytes)).unwrap().text();
        assert_eq!(text(DType::Float32, &0.001f32.to_be_bytes()), "0.001");
        assert_eq!(text(DType::Int16, &(-300i16).to_be_bytes()), "-300");
        assert_eq!(text(DType::Int64, &200i64.to_be_bytes()), "200");
        assert_eq!(text(DType::Int64, &(-3i64).to_be_bytes()), "-3");
    }
}
