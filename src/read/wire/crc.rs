//! CRC-32C as LevelDB and TensorFlow store it.
//!
//! Checksums in tables and bundle entries are *masked* (`tsl/lib/hash/crc32c.h`), because the CRC of data that
//! contains CRCs is weak. Two types keep a masked value from being compared with a plain one.

use std::fmt;

use super::gf2::after_zeros;

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
        Self(backend::append(0, bytes))
    }

    /// The checksum of what was summed so far followed by `bytes`.
    #[must_use]
    pub fn extend(self, bytes: &[u8]) -> Self {
        Self(backend::append(self.0, bytes))
    }

    /// The checksum of what was summed so far followed by `len` bytes whose own checksum is `other`.
    #[must_use]
    pub fn then(self, other: Self, len: u64) -> Self {
        Self(backend::combine(self.0, other.0, len))
    }

    /// What this checksum adds to that of a whole in which so many bytes follow: the sum of all runs' is that of the whole.
    #[must_use]
    pub(crate) fn before(self, len: u64) -> Self {
        Self(after_zeros(self.0, len))
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

#[cfg(not(feature = "crc-fast"))]
use narrow as backend;
#[cfg(feature = "crc-fast")]
use wide as backend;

/// Sums by the crc32c crate: the processor's own instruction, three streams of it for more than a few bytes.
#[cfg_attr(all(feature = "crc-fast", not(test)), expect(dead_code, reason = "joins for a build without crc-fast"))]
mod narrow {
    pub(super) fn append(crc: u32, bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(crc, bytes)
    }

    pub(super) fn combine(crc: u32, other: u32, len: u64) -> u32 {
        crc32c::crc32c_combine(crc, other, usize::try_from(len).unwrap_or(usize::MAX))
    }
}

/// Sums by the crc-fast crate: carry-less multiplications in the widest registers that the processor has.
#[cfg(feature = "crc-fast")]
mod wide {
    use crc_fast::CrcAlgorithm::Crc32Iscsi;
    use crc_fast::{Digest, checksum_combine};

    /// Bytes for which setting up the wide instructions costs more than they gain.
    const SHORT: usize = 128;

    pub(super) fn append(crc: u32, bytes: &[u8]) -> u32 {
        if bytes.len() < SHORT {
            return super::narrow::append(crc, bytes);
        }
        // The state is the checksum without the inversion at its end.
        let mut digest = Digest::new_with_init_state(Crc32Iscsi, u64::from(!crc));
        digest.update(bytes);
        low(digest.finalize())
    }

    pub(super) fn combine(crc: u32, other: u32, len: u64) -> u32 {
        low(checksum_combine(Crc32Iscsi, crc.into(), other.into(), len))
    }

    /// The crate has 64 bits for checksums of all widths.
    fn low(crc: u64) -> u32 {
        u32::try_from(crc & 0xffff_ffff).unwrap_or_default()
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
        assert_eq!(Crc32c::of(b"12345").then(Crc32c::of(b""), 0), Crc32c::of(b"12345"));
        let [first, second] = [Crc32c::of(b"12345").before(4), Crc32c::of(b"6789").before(0)];
        assert_eq!(Crc32c(first.0 ^ second.0), Crc32c(0xe306_9283));
    }

    type Sums = (&'static str, fn(u32, &[u8]) -> u32, fn(u32, u32, u64) -> u32);

    /// Every crate that can sum, also the one that this build does not use.
    const BACKENDS: &[Sums] = &[
        ("crc32c", narrow::append, narrow::combine),
        #[cfg(feature = "crc-fast")]
        ("crc-fast", wide::append, wide::combine),
    ];

    // One bit at a time, against each crate.
    #[test]
    fn every_length_and_every_cut() {
        let slow = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 })
        };
        let bytes: Vec<u8> = (0..5000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        for (which, append, combine) in BACKENDS {
            for len in (0..600).chain([1023, 1024, 1025, 4096, 5000]) {
                let bytes = &bytes[..len];
                let want = !bytes.iter().fold(!0, slow);
                assert_eq!(append(0, bytes), want, "{which} {len}");
                for cut in [0, 1, len / 3, len.saturating_sub(300), len] {
                    let (a, b) = bytes.split_at(cut.min(len));
                    assert_eq!(append(append(0, a), b), want, "{which} {len} {cut}");
                    assert_eq!(combine(append(0, a), append(0, b), b.len() as u64), want, "{which} {len} {cut}");
                }
            }
        }
    }

    // The mask of the empty checksum stands in every entry of an empty tensor.
    #[test]
    fn masking_goes_both_ways() {
        assert_eq!(Crc32c(0).masked(), MaskedCrc(0xa282_ead8));
        assert_eq!(Crc32c(0xe306_9283).masked(), MaskedCrc(0xc78a_b0e5));
        assert_eq!(MaskedCrc(0xc78a_b0e5).unmasked(), Crc32c(0xe306_9283));
    }
}
