//! CRC-32C as LevelDB and TensorFlow store it.
//!
//! Checksums in tables and bundle entries are *masked* (`tsl/lib/hash/crc32c.h`), because the CRC of data that
//! contains CRCs is weak. Two types keep a masked value from being compared with a plain one.

use std::fmt;

/// `kMaskDelta` in `tsl/lib/hash/crc32c.h`.
const MASK_DELTA: u32 = 0xa282_ead8;

/// A plain CRC-32C (Castagnoli).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Crc32c(pub u32);

/// A CRC-32C as it stands in a file: rotated right by 15 bits, plus a constant.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MaskedCrc(pub u32);

impl Crc32c {
    /// The checksum of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(crc32c::crc32c(bytes))
    }

    /// The checksum of what was summed so far followed by `bytes`.
    #[must_use]
    pub fn extend(self, bytes: &[u8]) -> Self {
        Self(crc32c::crc32c_append(self.0, bytes))
    }

    /// The checksum of what was summed so far followed by `len` bytes whose own checksum is `other`.
    #[must_use]
    pub fn then(self, other: Self, len: u64) -> Self {
        Self(crc32c::crc32c_combine(self.0, other.0, usize::try_from(len).unwrap_or(usize::MAX)))
    }

    /// The form that is stored in files.
    pub fn masked(self) -> MaskedCrc {
        MaskedCrc(self.0.rotate_right(15).wrapping_add(MASK_DELTA))
    }
}

impl MaskedCrc {
    /// The plain checksum.
    pub fn unmasked(self) -> Crc32c {
        Crc32c(self.0.wrapping_sub(MASK_DELTA).rotate_left(15))
    }
}

impl fmt::Debug for Crc32c {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc32c({:#010x})", self.0)
    }
}

impl fmt::Debug for MaskedCrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskedCrc({:#010x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 3720 §B.4 and the check value of the Castagnoli polynomial.
    #[test]
    fn known_checksums() {
        assert_eq!(Crc32c::of(b"123456789"), Crc32c(0xe306_9283));
        assert_eq!(Crc32c::of(&[0; 32]), Crc32c(0x8a91_36aa));
        assert_eq!(Crc32c::of(&[0xff; 32]), Crc32c(0x62a8_ab43));
        assert_eq!(Crc32c::of(b"12345").extend(b"6789"), Crc32c(0xe306_9283));
        assert_eq!(Crc32c::of(b"12345").then(Crc32c::of(b"6789"), 4), Crc32c(0xe306_9283));
    }

    // The mask of the empty checksum stands in every entry of an empty tensor.
    #[test]
    fn masking_goes_both_ways() {
        assert_eq!(Crc32c(0).masked(), MaskedCrc(0xa282_ead8));
        assert_eq!(Crc32c(0xe306_9283).masked(), MaskedCrc(0xc78a_b0e5));
        assert_eq!(MaskedCrc(0xc78a_b0e5).unmasked(), Crc32c(0xe306_9283));
    }
}
