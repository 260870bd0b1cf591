//! The filters `scaleoffset` and `nbit`: numbers as differences from the smallest, in as few bits as they need.
//!
//! After `H5Zscaleoffset.c` and `H5Znbit.c`. A float that was rounded to a number of decimals comes back by the same
//! operations, in the same order and precision, so that its bits are those that HDF5 gives.

use crate::base::error::{Error, Result};

/// What stands before the packed numbers: how many bits each has, and the smallest one.
const HEAD: usize = 21;
/// The parameters that a filter of this kind has at least.
const PARAMETERS: usize = 8;

/// Whether `nbit` left everything as it was, because the numbers fill their bytes.
pub(super) fn is_whole(parameters: &[u32]) -> bool {
    parameters.get(1) == Some(&1)
}

/// What the parameters of `scaleoffset` say.
struct Plan {
    /// Decimals that floats were rounded to; `None` of integers.
    decimals: Option<i32>,
    count: usize,
    size: usize,
    big_endian: bool,
    /// The value of elements that were never written, which has a code of its own.
    fill: Option<u64>,
}

impl Plan {
    fn of(parameters: &[u32]) -> Option<Self> {
        if parameters.len() < PARAMETERS {
            return None;
        }
        let at = |n: usize| parameters.get(n).copied().unwrap_or(0);
        let decimals = match (at(0), at(3)) {
            (2, 0) => None,
            // Parameters are unsigned, and decimals may be negative.
            (0, 1) => Some(at(1).cast_signed()),
            _ => return None,
        };
        let size = usize::try_from(at(4)).ok().filter(|size| matches!(size, 1 | 2 | 4 | 8))?;
        if decimals.is_some() && !matches!(size, 4 | 8) {
            return None;
        }
        let fill = u64::from(at(8)) | u64::from(at(9)) << 32;
        let fill = (at(7) == 1).then_some(fill);
        Some(Self { decimals, count: usize::try_from(at(2)).ok()?, size, big_endian: at(6) == 1, fill })
    }

    /// The bytes of a number that was stored as this code.
    fn number(&self, code: u64, bits: u32, smallest: u64, out: &mut Vec<u8>) {
        let is_fill = self.fill.is_some() && bits > 0 && code == u64::MAX >> 64u32.saturating_sub(bits);
        let value = match (is_fill, self.decimals) {
            (true, _) => self.fill.unwrap_or(0),
            (false, None) => code.wrapping_add(smallest),
            (false, Some(decimals)) => scaled(code, decimals, smallest, self.size),
        };
        let bytes = value.to_le_bytes();
        let bytes = bytes.iter().take(self.size);
        if self.big_endian {
            out.extend(bytes.rev());
        } else {
            out.extend(bytes);
        }
    }
}

/// A float by its code, as bits.
#[expect(clippy::cast_precision_loss, reason = "HDF5 computes like this, and the bits must be its bits")]
fn scaled(code: u64, decimals: i32, smallest: u64, size: usize) -> u64 {
    let low = u32::try_from(smallest & u64::from(u32::MAX)).unwrap_or(0);
    let code_low = u32::try_from(code & u64::from(u32::MAX)).unwrap_or(0);
    if size == 4 {
        let value = code_low.cast_signed() as f32 / 10f32.powi(decimals) + f32::from_bits(low);
        u64::from(value.to_bits())
    } else {
        (code.cast_signed() as f64 / 10f64.powi(decimals) + f64::from_bits(smallest)).to_bits()
    }
}

/// Undoes `scaleoffset`. What comes out is no more than `most` bytes.
pub(super) fn unpack(packed: &[u8], parameters: &[u32], most: usize) -> Result<Vec<u8>> {
    let bad = |why: &'static str| Error::malformed("HDF5 chunk", why);
    let plan = Plan::of(parameters).ok_or_else(|| bad("scaleoffset: parameters that are not known"))?;
    let len = plan.count.checked_mul(plan.size).filter(|len| *len <= most);
    let len = len.ok_or_else(|| bad("scaleoffset: more numbers than belong into the chunk"))?;
    let short = || bad("scaleoffset: it ends too early");
    let field = |at: usize, n: usize| {
        let bytes = packed.get(at..at.saturating_add(n)).ok_or_else(short)?;
        Ok::<u64, Error>(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let bits = u32::try_from(field(0, 4)?).unwrap_or(u32::MAX);
    // The width of the smallest number depends on the machine that wrote it.
    let width = usize::try_from(field(4, 1)?).unwrap_or(usize::MAX).min(8);
    let smallest = field(5, width)?;
    let whole = u32::try_from(plan.size.saturating_mul(8)).unwrap_or(64);
    if bits > whole {
        return Err(bad("scaleoffset: more bits than a number has"));
    }
    let data = packed.get(HEAD..).unwrap_or_default();
    if bits == whole {
        // Nothing was gained, and they are stored as they are.
        let mut bytes = data.get(..len).ok_or_else(short)?.to_vec();
        if plan.big_endian {
            bytes.chunks_exact_mut(plan.size).for_each(<[u8]>::reverse);
        }
        return Ok(bytes);
    }
    let needed = u64::from(bits).saturating_mul(plan.count as u64).div_ceil(8);
    if (data.len() as u64) < needed {
        return Err(short());
    }
    let mut out = Vec::with_capacity(len);
    // The highest bit first.
    let (mut held, mut have, mut bytes) = (0u128, 0u32, data.iter());
    for _ in 0..plan.count {
        while have < bits {
            held = held << 8 | u128::from(bytes.next().copied().unwrap_or(0));
            have = have.saturating_add(8);
        }
        have = have.saturating_sub(bits);
        let code = u64::try_from(held >> have & u128::from(u64::MAX)).unwrap_or(0);
        let code = if bits == 0 { 0 } else { code & (u64::MAX >> 64u32.saturating_sub(bits)) };
        held &= (1u128 << have).saturating_sub(1);
        plan.number(code, bits, smallest, &mut out);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(bits: u32, smallest: u64, data: &[u8]) -> Vec<u8> {
        let mut bytes = bits.to_le_bytes().to_vec();
        bytes.push(8);
        bytes.extend(smallest.to_le_bytes());
        bytes.resize(HEAD, 0);
        bytes.extend(data);
        bytes
    }

    #[test]
    fn integers_are_offsets_from_the_smallest() {
        let parameters = [2, 0, 3, 0, 2, 1, 0, 0];
        // 1, 6, 7 in three bits each, from -2 on.
        let bytes = unpack(&packed(3, (-2i64).cast_unsigned(), &[0b0011_1011, 0b1000_0000]), &parameters, 6).unwrap();
        assert_eq!(bytes, [-1i16, 4, 5].map(i16::to_le_bytes).concat());
        // With a fill value the highest code is that one.
        let with_fill = [2, 0, 3, 0, 2, 1, 1, 1, 99];
        let bytes = unpack(&packed(3, 0, &[0b0011_1011, 0b1000_0000]), &with_fill, 6).unwrap();
        assert_eq!(bytes, [1i16, 6, 99].map(i16::to_be_bytes).concat());
        assert_eq!(unpack(&packed(0, 7, &[]), &parameters, 6).unwrap(), [7i16; 3].map(i16::to_le_bytes).concat());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let parameters = [2, 0, 3, 0, 2, 1, 0, 0];
        assert!(unpack(&packed(3, 0, &[1]), &parameters, 6).is_err());
        assert!(unpack(&packed(17, 0, &[0; 64]), &parameters, 6).is_err());
        assert!(unpack(&packed(3, 0, &[0; 64]), &parameters, 5).is_err());
        assert!(unpack(&packed(16, 0, &[0; 5]), &parameters, 6).is_err());
        assert!(unpack(&[0; 4], &parameters, 6).is_err());
        assert!(unpack(&packed(3, 0, &[0; 64]), &[2, 0, u32::MAX, 0, 8, 1, 0, 0], 6).is_err());
    }
}
