//! The two checksums of HDF5: Jenkins' lookup3 over structures of newer files, Fletcher's over chunks of data.

use crate::base::error::{Error, Result};

/// Compares a structure with the lookup3 sum in its last four bytes.
pub(super) fn check(what: &'static str, structure: &[u8], offset: u64) -> Result<()> {
    let Some((bytes, stored)) = structure.split_last_chunk::<4>() else {
        return Err(Error::malformed(what, "no room for its checksum").at_offset(offset));
    };
    let (want, got) = (u32::from_le_bytes(*stored), lookup3(bytes));
    if want == got {
        return Ok(());
    }
    let why = format!("checksum mismatch: stored {want:#010x}, computed {got:#010x}");
    Err(Error::malformed(what, why).at_offset(offset).with_help("these bytes are not the ones that were written"))
}

/// Bob Jenkins' `hashlittle` with the initial value 0.
pub(super) fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let (mut a, mut b, mut c) = (start, start, start);
    let word = |four: &[u8]| four.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    let words = |twelve: &[u8]| {
        let mut words = twelve.chunks(4).map(word);
        [words.next().unwrap_or(0), words.next().unwrap_or(0), words.next().unwrap_or(0)]
    };
    // The last twelve bytes or fewer are mixed otherwise.
    let last = bytes.len().saturating_sub(1) / 12 * 12;
    let (head, tail) = bytes.split_at(last);
    for twelve in head.chunks_exact(12) {
        let more = words(twelve);
        a = a.wrapping_add(more[0]);
        b = b.wrapping_add(more[1]);
        c = c.wrapping_add(more[2]);
        for (rotate, step) in [(4, 0), (6, 1), (8, 2), (16, 0), (19, 1), (4, 2)] {
            let (of, by, with) = match step {
                0 => (&mut a, &mut c, b),
                1 => (&mut b, &mut a, c),
                _ => (&mut c, &mut b, a),
            };
            *of = of.wrapping_sub(*by) ^ by.rotate_left(rotate);
            *by = by.wrapping_add(with);
        }
    }
    if tail.is_empty() {
        return c;
    }
    let more = words(tail);
    a = a.wrapping_add(more[0]);
    b = b.wrapping_add(more[1]);
    c = c.wrapping_add(more[2]);
    for (rotate, step) in [(14, 2), (11, 0), (25, 1), (16, 2), (4, 0), (14, 1), (24, 2)] {
        let (of, by) = match step {
            0 => (&mut a, c),
            1 => (&mut b, a),
            _ => (&mut c, b),
        };
        *of = (*of ^ by).wrapping_sub(by.rotate_left(rotate));
    }
    c
}

/// Fletcher's sum of 16-bit words, big end first, as `H5_checksum_fletcher32`.
pub(super) fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (0u32, 0u32);
    let (words, odd) = bytes.as_chunks::<2>();
    for run in words.chunks(360) {
        for word in run {
            low = low.wrapping_add(u32::from(u16::from_be_bytes(*word)));
            high = high.wrapping_add(low);
        }
        low = (low & 0xffff).wrapping_add(low >> 16);
        high = (high & 0xffff).wrapping_add(high >> 16);
    }
    if let [last] = odd {
        low = low.wrapping_add(u32::from(*last) << 8);
        high = high.wrapping_add(low);
        low = (low & 0xffff).wrapping_add(low >> 16);
        high = (high & 0xffff).wrapping_add(high >> 16);
    }
    low = (low & 0xffff).wrapping_add(low >> 16);
    high = (high & 0xffff).wrapping_add(high >> 16);
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_known_bytes() {
        // The vectors in Jenkins' lookup3.c, driver5.
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
        assert_eq!(fletcher32(b""), 0);
        assert_eq!(fletcher32(b"abcde"), 0x4ff0_29c7);
    }
}
