//! CRC-32C (Castagnoli) by tables, sixteen bytes a step, and the masking that LevelDB applies to stored checksums.
//!
//! Written from the polynomial, not from the crate that the reader uses, so that the two check each other.

/// The reflected Castagnoli polynomial.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `TABLES[k][b]`: what byte `b` contributes when `k` more bytes follow it in the same step.
static TABLES: [[u32; 256]; 16] = tables();

const fn tables() -> [[u32; 256]; 16] {
    let mut tables = [[0; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut k = 1;
    while k < 16 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        k += 1;
    }
    tables
}

/// Continues `crc`, the checksum of some bytes, over the bytes that follow them.
pub fn extend(crc: u32, bytes: &[u8]) -> u32 {
    let mut state = !crc;
    let (steps, rest) = bytes.as_chunks::<16>();
    for step in steps {
        let head = state.to_le_bytes();
        state = 0;
        for (i, &byte) in step.iter().enumerate() {
            let byte = if i < 4 { byte ^ head[i] } else { byte };
            state ^= TABLES[15 - i][usize::from(byte)];
        }
    }
    for &byte in rest {
        state = (state >> 8) ^ TABLES[0][usize::from(state as u8 ^ byte)];
    }
    !state
}

/// The CRC-32C of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    extend(0, bytes)
}

/// The masked form in which tables and bundles store checksums.
pub fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One bit at a time, straight from the definition.
    fn slow(bytes: &[u8]) -> u32 {
        let mut state = !0u32;
        for &byte in bytes {
            state ^= u32::from(byte);
            for _ in 0..8 {
                state = if state & 1 == 1 { (state >> 1) ^ POLYNOMIAL } else { state >> 1 };
            }
        }
        !state
    }

    #[test]
    fn known_answers() {
        // The check value, and RFC 3720 appendix B.4.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(b""), 0);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let up: Vec<u8> = (0..32).collect();
        let down: Vec<u8> = (0..32).rev().collect();
        assert_eq!(crc32c(&up), 0x46dd_794e);
        assert_eq!(crc32c(&down), 0x113f_db5c);
    }

    #[test]
    fn masks_as_leveldb_does() {
        assert_eq!(mask(0xe306_9283), 0xc78a_b0e5);
        assert_eq!(mask(0), 0xa282_ead8);
    }

    #[test]
    fn agrees_with_the_definition_at_every_length_and_cut() {
        let bytes: Vec<u8> = (0..200u32).map(|i| (i * i * 7 + i) as u8).collect();
        for len in 0..bytes.len() {
            let want = slow(&bytes[..len]);
            assert_eq!(crc32c(&bytes[..len]), want);
            let cut = len / 3;
            assert_eq!(extend(crc32c(&bytes[..cut]), &bytes[cut..len]), want);
        }
    }
}
