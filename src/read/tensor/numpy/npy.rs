//! The header of NumPy's `.npy` files, and element bytes as NumPy stores them.
//!
//! Source: `numpy/lib/_format_impl.py`. A file is the header and then the elements in C order, little-endian.
//! Types that NumPy does not know are stored like `ml_dtypes` does, as bytes without meaning: after `np.load`, say
//! `a.view(ml_dtypes.bfloat16)`.

use std::fmt::Write;

use crate::read::tensor::DType;

/// NumPy's name for how the elements are stored; `None` for types that a `.npy` file cannot hold.
///
/// bfloat16 is `<V2`; the float8 and float4 types are `|V1`. Quantized types are their integers, and the integers of
/// less than a byte take a whole one. Strings are fixed-width fields of `longest` bytes, so zero bytes at their end
/// get lost.
pub fn descr(dtype: DType, longest: u64) -> Option<String> {
    let name = match dtype {
        DType::Bool => "|b1",
        DType::Int8 | DType::QInt8 | DType::Int4 | DType::Int2 => "|i1",
        DType::UInt8 | DType::QUInt8 | DType::UInt4 | DType::UInt2 => "|u1",
        DType::Int16 | DType::QInt16 => "<i2",
        DType::UInt16 | DType::QUInt16 => "<u2",
        DType::Int32 | DType::QInt32 => "<i4",
        DType::UInt32 => "<u4",
        DType::Int64 => "<i8",
        DType::UInt64 => "<u8",
        DType::Float16 => "<f2",
        DType::Float32 => "<f4",
        DType::Float64 => "<f8",
        DType::Complex64 => "<c8",
        DType::Complex128 => "<c16",
        DType::BFloat16 => "<V2",
        DType::Float8E5M2
        | DType::Float8E4M3FN
        | DType::Float8E4M3FNUZ
        | DType::Float8E4M3B11FNUZ
        | DType::Float8E5M2FNUZ
        | DType::Float4E2M1FN => "|V1",
        // NumPy has no field of no bytes: `np.save` of empty strings makes `S1` too.
        DType::String => return Some(format!("|S{}", longest.max(1))),
        DType::Invalid | DType::Resource | DType::Variant | DType::Ref(_) | DType::Unknown(_) => return None,
    };
    Some(name.to_owned())
}

/// The bytes before the elements; `None` for types that a `.npy` file cannot hold.
///
/// `longest` is the length of the longest string, and is not looked at for other types.
pub fn header(dtype: DType, shape: &[u64], longest: u64) -> Option<Vec<u8>> {
    let mut text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': (", descr(dtype, longest)?);
    for (n, dim) in shape.iter().enumerate() {
        // As Python writes tuples: (), (3,), (2, 3). Writing to a string cannot fail.
        let _ = write!(text, "{}{dim}", if n == 0 { "" } else { ", " });
    }
    text.push_str(if shape.len() == 1 { ",), }" } else { "), }" });
    // NumPy leaves room for the first dimension to grow to 21 digits.
    if let Some(first) = shape.first() {
        let digits = first.checked_ilog10().map_or(1, |log| log as usize + 1);
        text.extend(std::iter::repeat_n(' ', 21usize.saturating_sub(digits)));
    }
    // Version 1.0 has a length of two bytes, 2.0 one of four. The elements begin at a multiple of 64.
    let pad = |prefix: usize| text.len() + 1 + (64 - (prefix + text.len() + 1) % 64);
    let mut bytes = b"\x93NUMPY".to_vec();
    let length = if let Ok(length) = u16::try_from(pad(10)) {
        bytes.extend([1, 0]);
        bytes.extend(length.to_le_bytes());
        usize::from(length)
    } else {
        let length = u32::try_from(pad(12)).ok()?;
        bytes.extend([2, 0]);
        bytes.extend(length.to_le_bytes());
        usize::try_from(length).ok()?
    };
    let blanks = length.saturating_sub(text.len() + 1);
    bytes.extend(text.into_bytes());
    bytes.extend(std::iter::repeat_n(b' ', blanks));
    bytes.push(b'\n');
    Some(bytes)
}

/// Turns little-endian elements of a checkpoint into those of the `.npy` file, in place.
///
/// Only types that do not fill their byte differ: int4's −1 is `0f` in a checkpoint and `ff` in an array.
pub fn widen(dtype: DType, bytes: &mut [u8]) {
    let each: fn(u8) -> u8 = match dtype {
        DType::Int4 => |byte| (byte.cast_signed() << 4 >> 4).cast_unsigned(),
        DType::Int2 => |byte| (byte.cast_signed() << 6 >> 6).cast_unsigned(),
        DType::UInt4 | DType::Float4E2M1FN => |byte| byte & 0xf,
        DType::UInt2 => |byte| byte & 0x3,
        DType::Bool => |byte| u8::from(byte != 0),
        _ => return,
    };
    for byte in bytes {
        *byte = each(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fnv1a(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn a_header_is_numpys_byte_for_byte() {
        // Recorded from numpy.lib.format of NumPy 2.4.
        let want = b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\
                     \x20                                                         \n";
        assert_eq!(header(DType::Float32, &[2, 3], 0).unwrap(), want);
    }

    #[test]
    fn headers_of_every_form_are_numpys() {
        // Length and FNV-1a hash, recorded from numpy.lib.format of NumPy 2.4; the last one needs version 2.0.
        let many: Vec<u64> = (1..30).collect();
        let cases: &[(DType, &[u64], usize, u64)] = &[
            (DType::Float32, &[2, 3], 128, 0x35f5_7d4c_3b73_cdda),
            (DType::Int64, &[], 128, 0xc7e9_f7cc_1e7b_1c48),
            (DType::Bool, &[5], 128, 0xec28_8b42_2016_616b),
            (DType::BFloat16, &[0, 4], 128, 0x7309_4adf_4f0a_fbfd),
            (DType::String, &[2], 128, 0xebf5_4235_ff8d_d621),
            (DType::Float32, &[i64::MAX as u64], 128, 0xa69a_60ed_7726_cbff),
            (DType::Float32, &many, 192, 0x6a38_2a13_11d1_7a8c),
            (DType::Float32, &vec![1; 21_800], 65_536, 0x71bb_d877_30a2_8276),
            (DType::Float32, &vec![1; 21_820], 65_600, 0x1dd6_0333_18d9_bbcf),
        ];
        for (dtype, shape, len, hash) in cases {
            let header = header(*dtype, shape, 7).unwrap();
            assert_eq!(header.len(), *len, "{dtype} {}", shape.len());
            assert_eq!(fnv1a(&header), *hash, "{dtype} {}", shape.len());
        }
    }

    #[test]
    fn every_storable_type_but_variant_has_a_form_of_its_size() {
        for &dtype in DType::ALL {
            let descr = descr(dtype, 0);
            assert_eq!(descr.is_some(), dtype.is_storable() && dtype != DType::Variant, "{dtype}");
            if let (Some(descr), Some(size)) = (&descr, dtype.element_size()) {
                assert_eq!(descr[2..].parse(), Ok(size), "{dtype}");
            }
        }
        assert_eq!(descr(DType::String, 0).as_deref(), Some("|S1"));
        assert_eq!(header(DType::Unknown(99), &[1], 0), None);
    }

    #[test]
    fn elements_of_less_than_a_byte_fill_it() {
        let widened = |dtype, mut bytes: Vec<u8>| {
            widen(dtype, &mut bytes);
            bytes
        };
        assert_eq!(widened(DType::Int4, vec![0x0f, 0x07, 0xf8]), [0xff, 0x07, 0xf8]);
        assert_eq!(widened(DType::Int2, vec![0x03, 0x01, 0xfe]), [0xff, 0x01, 0xfe]);
        assert_eq!(widened(DType::UInt4, vec![0xff]), [0x0f]);
        assert_eq!(widened(DType::UInt2, vec![0xff]), [0x03]);
        assert_eq!(widened(DType::Bool, vec![0, 1, 2]), [0, 1, 1]);
        assert_eq!(widened(DType::UInt8, vec![0xff]), [0xff]);
    }
}
