//! Polynomials over GF(2) modulo the CRC-32C polynomial: what makes a checksum reversible.
//!
//! A CRC register is a polynomial; reading a zero bit multiplies it by x. Numbers here are in CRC-32C's own order: the
//! highest bit is the coefficient of x⁰, the lowest that of x³¹. The polynomial factors into (x + 1) and a primitive
//! one of degree 31, so x has the order 2³¹ − 1, and every residue that is 1 modulo (x + 1) and not 0 modulo the other
//! factor is a power of x. Which power is a discrete logarithm, found with baby steps from a table and giant steps as
//! far as the caller cares.

use std::iter::successors;
use std::sync::OnceLock;

/// CRC-32C without its x³².
const POLY: u32 = 0x82f6_3b78;

/// The polynomial 1.
const ONE: u32 = 1 << 31;

/// The smallest power of x above x⁰ that is 1.
pub(crate) const ORDER: u64 = (1 << 31) - 1;

/// The factor of degree 31. Its parity is odd, so adding it changes a residue modulo (x + 1) only.
pub(crate) const BIG_FACTOR: u32 = big_factor();

/// Synthetic division of the whole polynomial by (x + 1), from x³¹ down.
const fn big_factor() -> u32 {
    let (mut quotient, mut last, mut bit) = (1, 1, 0);
    while bit < 31 {
        last ^= (POLY >> bit) & 1;
        bit += 1;
        quotient |= last << bit;
    }
    quotient
}

/// Multiplies by x: what a register does on a zero bit.
const fn forward(register: u32) -> u32 {
    (register >> 1) ^ (POLY & (register & 1).wrapping_neg())
}

/// Divides by x.
const fn backward(register: u32) -> u32 {
    if register & ONE == 0 { register << 1 } else { ((register ^ POLY) << 1) | 1 }
}

/// Takes a register back over `bits` zero bits.
pub(crate) fn rewind(register: u32, bits: u32) -> u32 {
    (0..bits).fold(register, |register, _| backward(register))
}

/// The product.
pub(crate) fn multiply(a: u32, b: u32) -> u32 {
    let (mut sum, mut shifted) = (0, b);
    for bit in (0..32).rev() {
        sum ^= shifted & ((a >> bit) & 1).wrapping_neg();
        shifted = forward(shifted);
    }
    sum
}

/// x to the power 8·2ⁿ for n from 0: what 2ⁿ zero bytes do.
fn byte_powers() -> &'static [u32] {
    static POWERS: OnceLock<Vec<u32>> = OnceLock::new();
    POWERS.get_or_init(|| successors(Some(ONE >> 8), |p| Some(multiply(*p, *p))).take(64).collect())
}

/// A register after `bytes` zero bytes.
pub(crate) fn after_zeros(register: u32, bytes: u64) -> u32 {
    let set = byte_powers().iter().enumerate().filter(|(n, _)| (bytes >> n) & 1 == 1);
    set.fold(register, |register, (_, power)| multiply(register, *power))
}

/// `base` to the power `exponent`.
pub(crate) fn power(base: u32, mut exponent: u64) -> u32 {
    let (mut result, mut square) = (ONE, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    result
}

/// How many powers of x the table has: 512 KiB, made in about 2 ms when first asked for.
const BABY: u32 = 1 << 16;

fn baby_steps() -> &'static [(u32, u32)] {
    static TABLE: OnceLock<Vec<(u32, u32)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: Vec<_> = successors(Some(ONE), |p| Some(forward(*p))).zip(0..BABY).collect();
        table.sort_unstable();
        table
    })
}

/// The power of x that this is, if it is one and not above `most`.
///
/// Takes at most 2¹⁵ giant steps, about 3 ms; less in proportion to `most`.
pub(crate) fn logarithm(of: u32, most: u64) -> Option<u64> {
    static GIANT: OnceLock<u32> = OnceLock::new();
    // Powers of x are 1 modulo (x + 1).
    if of.count_ones().is_multiple_of(2) {
        return None;
    }
    let giant = *GIANT.get_or_init(|| power(ONE >> 1, ORDER - u64::from(BABY)));
    let most = most.min(ORDER - 1);
    let table = baby_steps();
    let mut rest = of;
    for step in 0..=most / u64::from(BABY) {
        let found = table.binary_search_by_key(&rest, |(power, _)| *power).ok().and_then(|at| table.get(at));
        if let Some((_, exponent)) = found {
            return Some(step * u64::from(BABY) + u64::from(*exponent)).filter(|n| *n <= most);
        }
        rest = multiply(rest, giant);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_polynomial_is_x_plus_one_times_a_factor_in_which_x_has_full_order() {
        assert_eq!(BIG_FACTOR.count_ones() % 2, 1);
        // (x + 1) times the factor is the whole polynomial, that is 0.
        assert_eq!(multiply(BIG_FACTOR, ONE | ONE >> 1), 0);
        // 2³¹ − 1 is prime, so an order that divides it and is not 1 is it.
        assert_eq!(power(ONE >> 1, ORDER), ONE);
    }

    #[test]
    fn steps_go_back_and_forth() {
        for register in [1, ONE, 0xdead_beef, u32::MAX] {
            assert_eq!(backward(forward(register)), register);
            assert_eq!(rewind(after_zeros(register, 9), 72), register);
        }
    }

    #[test]
    fn logarithms_of_powers_are_their_exponents() {
        for exponent in [0, 1, 31, 32, 65_535, 65_536, 4_000_003, ORDER - 1] {
            assert_eq!(logarithm(power(ONE >> 1, exponent), u64::MAX), Some(exponent));
        }
        assert_eq!(logarithm(power(ONE >> 1, 100_000), 99_999), None);
        assert_eq!(logarithm(0, u64::MAX), None);
        assert_eq!(logarithm(BIG_FACTOR, u64::MAX), None);
    }
}
