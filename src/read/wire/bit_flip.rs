//! One flipped bit, located by nothing but two checksums: CRC-32C is linear, so that what a bit does to the checksum
//! depends on its place alone.

use super::gf2::{ORDER, after_zeros, logarithm};

/// Number of different checksums.
const CHECKSUMS: f64 = 4_294_967_296.0;

/// The checksum of this many zero bytes.
pub fn crc_of_zeros(len: u64) -> u32 {
    !after_zeros(u32::MAX, len)
}

/// One bit that explains the difference of two checksums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BitFlip {
    /// The byte, counted from the start of what was summed.
    pub byte: u64,
    /// The bit, 0 for the lowest.
    pub bit: u8,
    /// Whether no other bit of the tensor explains it: so in tensors of up to 256 MiB.
    pub unique: bool,
    /// How often two unrelated checksums look like one bit in a tensor of this length.
    pub odds: f64,
}

/// The one bit of `len` bytes whose change turns checksum `stored` into `computed`, if there is one.
///
/// Costs less than summing the bytes did, for every length. The bytes of a string tensor are summed in another order
/// than they lie in the file (lengths as words first), so there the position is one of the sum, not of the file.
pub fn single_bit(stored: u32, computed: u32, len: u64) -> Option<BitFlip> {
    let (from_end, bit) = bit_from_end(stored, computed, len)?;
    let byte = len.checked_sub(from_end)?;
    // Positions repeat after 2³¹ − 1 bits: is there room for another one in front of this?
    let unique = u128::from(from_end) * 8 + u128::from(ORDER) > u128::from(len) * 8 + u128::from(bit);
    Some(BitFlip { byte, bit, unique, odds: bit_odds(len) })
}

/// As [`single_bit`], of a tensor whose length is not known: how many bytes stand behind the byte, the bit, and how
/// often two unrelated checksums look like one bit so close to the end.
pub fn single_bit_from_end(stored: u32, computed: u32) -> Option<(u64, u8, f64)> {
    let (from_end, bit) = bit_from_end(stored, computed, u64::MAX)?;
    Some((from_end.checked_sub(1)?, bit, bit_odds(from_end)))
}

/// How often other damage of so many bytes looks like one flipped bit.
#[expect(clippy::cast_precision_loss, reason = "odds are rounded anyway")]
pub fn bit_odds(len: u64) -> f64 {
    (len as f64 * 8.0 / CHECKSUMS).min(1.0)
}

/// How many bytes from the end (1 is the last one), and the bit. Bit b of a byte enters the register at x^(31 − b); it and every byte behind it multiply by x⁸.
fn bit_from_end(stored: u32, computed: u32, len: u64) -> Option<(u64, u8)> {
    let most = len.saturating_mul(8).saturating_add(31);
    let mut exponent = logarithm(stored ^ computed, most)?;
    if exponent < 32 {
        // The powers below x³² are those of a bit one whole period further away.
        exponent = exponent.checked_add(ORDER).filter(|n| *n <= most)?;
    }
    let bit = 7 - u8::try_from(exponent % 8).ok()?;
    Some(((exponent - 24) / 8, bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is() {
        let mut bytes: Vec<u8> = (0..300_007u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
        let stored = crc32c::crc32c(&bytes);
        let len = bytes.len() as u64;
        for (byte, bit) in [(0usize, 0u8), (0, 7), (1, 3), (98_304, 0), (150_000, 5), (300_006, 0), (300_006, 7)] {
            bytes[byte] ^= 1 << bit;
            let found = single_bit(stored, crc32c::crc32c(&bytes), len).unwrap();
            assert_eq!((found.byte, found.bit, found.unique), (byte as u64, bit, true));
            let (behind, same_bit, _) = single_bit_from_end(stored, crc32c::crc32c(&bytes)).unwrap();
            assert_eq!((behind, same_bit), (len - byte as u64 - 1, bit));
            bytes[byte] ^= 1 << bit;
        }
        // Two bits are not one, and neither is nothing.
        bytes[5] ^= 3;
        assert_eq!(single_bit(stored, crc32c::crc32c(&bytes), len), None);
        assert_eq!(single_bit(stored, stored, len), None);
    }

    #[test]
    fn beyond_256_mib_a_bit_is_not_unique() {
        // The syndrome of a bit does not depend on the other bytes, so zeros will do.
        let flip = |len: u64, byte: u64| {
            crc_of_zeros(len)
                ^ crc32c::crc32c_combine(
                    crc32c::crc32c_combine(crc_of_zeros(byte), crc32c::crc32c(&[1]), 1),
                    crc_of_zeros(len - byte - 1),
                    usize::try_from(len - byte - 1).unwrap(),
                )
        };
        let small = single_bit(flip(256 << 20, 77), 0, 256 << 20).unwrap();
        assert_eq!((small.byte, small.bit, small.unique), (77, 0, true));
        let len = 4u64 << 30;
        let large = single_bit(flip(len, len - 100), 0, len).unwrap();
        assert_eq!((large.byte, large.bit, large.unique), (len - 100, 0, false));
        assert!((large.odds - 1.0).abs() < 1e-9);
    }
}
