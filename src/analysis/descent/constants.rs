//! Tensors that are one number over and over, by their checksums: they are the same in any two models, and prove nothing.

use std::collections::{HashMap, HashSet};

use crate::analysis::forensics::is_all_zero;
use crate::read::tensor::DType;
use crate::read::wire::Crc32c;

/// Numbers that variables are begun with.
const USUAL: [f64; 22] = [
    1.0, -1.0, 0.5, -0.5, 2.0, 0.1, 0.01, 0.001, 0.2, 0.25, 0.05, 0.9, 0.99, 0.999, 10.0, 100.0, 1e-4, 1e-5, 1e-6,
    -2.0, -0.1, -0.01,
];

/// Checksums of such tensors, by dtype and length, once they were asked for.
#[derive(Debug, Default)]
pub(super) struct Constants {
    known: HashMap<(DType, u64), HashSet<u32>>,
}

impl Constants {
    /// Whether a tensor of so many bytes with this checksum is one of the usual numbers over and over.
    pub(super) fn is_one(&mut self, dtype: DType, bytes: u64, crc: u32) -> bool {
        is_all_zero(dtype, bytes, crc)
            || self.known.entry((dtype, bytes)).or_insert_with(|| checksums(dtype, bytes)).contains(&crc)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "numbers of the table")]
fn checksums(dtype: DType, bytes: u64) -> HashSet<u32> {
    let element = |number: f64| -> Option<Vec<u8>> {
        let bits = (number as f32).to_bits();
        Some(match dtype {
            DType::Float32 => bits.to_le_bytes().to_vec(),
            DType::Float64 => number.to_le_bytes().to_vec(),
            // The nearest, ties to even, as TensorFlow rounds.
            DType::BFloat16 => {
                let rounded = bits.checked_add(0x7fff + ((bits >> 16) & 1))?;
                u16::try_from(rounded >> 16).ok()?.to_le_bytes().to_vec()
            }
            DType::Int8 | DType::UInt8 | DType::Bool if number.fract() == 0.0 => vec![(number as i64).to_le_bytes()[0]],
            DType::Int32 | DType::UInt32 if number.fract() == 0.0 => (number as i32).to_le_bytes().to_vec(),
            DType::Int64 | DType::UInt64 if number.fract() == 0.0 => (number as i64).to_le_bytes().to_vec(),
            _ => return None,
        })
    };
    USUAL.iter().filter_map(|number| repeated(&element(*number)?, bytes)).collect()
}

/// The checksum of some bytes over and over, so many in all.
fn repeated(element: &[u8], bytes: u64) -> Option<u32> {
    let size = u64::try_from(element.len()).ok().filter(|size| *size > 0)?;
    if !bytes.is_multiple_of(size) {
        return None;
    }
    let mut count = bytes / size;
    let (mut all, mut doubled, mut len) = (Crc32c::of(&[]), Crc32c::of(element), size);
    while count > 0 {
        if count & 1 == 1 {
            all = all.then(doubled, len);
        }
        count >>= 1;
        if count > 0 {
            (doubled, len) = (doubled.then(doubled, len), len.checked_mul(2)?);
        }
    }
    Some(all.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_known_by_their_checksums() {
        let mut constants = Constants::default();
        for (count, number) in [(1usize, 1.0f32), (7, 0.1), (1000, -1.0), (333, 0.0)] {
            let bytes: Vec<u8> = std::iter::repeat_n(number.to_le_bytes(), count).flatten().collect();
            assert!(constants.is_one(DType::Float32, bytes.len() as u64, Crc32c::of(&bytes).0), "{count} × {number}");
        }
        let mut bytes: Vec<u8> = std::iter::repeat_n(1.0f32.to_le_bytes(), 100).flatten().collect();
        bytes[7] ^= 1;
        assert!(!constants.is_one(DType::Float32, 400, Crc32c::of(&bytes).0));
    }
}
