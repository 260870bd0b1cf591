//! How much contents say: whether two models that have nothing to do with each other could have the same.

use std::collections::BTreeSet;

use crate::read::tensor::DType;

/// Bits below which contents say nothing by themselves: a model of some thousand tensors would have such pairs by chance.
pub(super) const ENOUGH: u32 = 40;

/// Distinct elements that are looked at.
const DISTINCT: usize = 64;

/// About how many bits of choice lie in the first elements of a tensor: of each distinct element its digits, of floats
/// without the zeros behind them, so that 0.0, 1.0 and 0.5 say little. One element, however often, says nothing. No more
/// are counted once it is [`ENOUGH`].
pub(super) fn worth(dtype: DType, head: &[u8]) -> u32 {
    let Some(size) = dtype.element_size().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0) else {
        return 0;
    };
    let (mut seen, mut bits) = (BTreeSet::new(), 0u32);
    for element in head.chunks_exact(size) {
        if seen.len() >= DISTINCT || (seen.len() > 1 && bits >= ENOUGH) {
            break;
        }
        if seen.insert(element) {
            bits = bits.saturating_add(digits(dtype, element));
        }
    }
    if seen.len() > 1 { bits } else { 0 }
}

fn digits(dtype: DType, element: &[u8]) -> u32 {
    let bits = element.iter().rev().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let width = u32::try_from(element.len().saturating_mul(8)).unwrap_or(0);
    if bits == 0 {
        0
    } else if dtype.is_float() {
        width.saturating_sub(bits.trailing_zeros())
    } else {
        u128::BITS - bits.leading_zeros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f32]) -> u32 {
        worth(DType::Float32, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    #[test]
    fn round_numbers_say_little_and_trained_ones_much() {
        assert_eq!([of(&[0.0; 100]), of(&[0.1; 100]), of(&[0.123])], [0; 3]);
        assert!(of(&[0.0, 1.0, 0.0, 1.0, 2.0]) < ENOUGH);
        assert!(of(&[0.123, -0.77]) >= ENOUGH);
        assert!(worth(DType::Bool, &[0, 1, 0, 1]) < ENOUGH);
    }
}
