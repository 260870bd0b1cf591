//! One element of a tensor: decoded from its bytes, and written as text that reads back to it.
//!
//! JSON and CSV get the shortest decimal that names the value in its own type, so nothing is lost and float16's 0.1
//! is `0.1`. For people, `numpy` prints in columns.

use std::fmt::{self, Write};
use std::slice::ChunksExact;

use super::{DType, Narrow, NarrowKind};

/// One element of a tensor with a fixed-size [`DType`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Element {
    /// `bool`; a stored byte other than 0 and 1 counts as true.
    Bool(bool),
    /// Signed integers, and signed quantized ones as the integers that are stored.
    Int(i64),
    /// Unsigned integers, and unsigned quantized ones as the integers that are stored.
    UInt(u64),
    /// Real floats.
    Float(Float),
    /// Real and imaginary part.
    Complex(Float, Float),
}

/// A float that remembers its type, since that decides how many digits it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Float {
    /// `float64`.
    Double(f64),
    /// `float32`.
    Single(f32),
    /// Everything shorter.
    Narrow(Narrow),
}

impl Float {
    /// The exact value.
    pub fn value(self) -> f64 {
        match self {
            Self::Double(value) => value,
            Self::Single(value) => f64::from(value),
            Self::Narrow(narrow) => narrow.value(),
        }
    }

    /// Writes the shortest text that reads back to the same value in its own type: `0.1`, `1e-7`, `-0.0`, `nan`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_shortest(self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::Double(value) if value.is_finite() => write!(out, "{value:?}"),
            Self::Single(value) if value.is_finite() => write!(out, "{value:?}"),
            Self::Narrow(narrow) if narrow.value().is_finite() => write!(out, "{:?}", narrow.shortest()),
            other => out.write_str(other.non_finite(["nan", "inf", "-inf"])),
        }
    }

    /// Writes the shortest digits as `d.ddde±x`, for a finite value.
    pub(super) fn write_scientific(self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::Double(value) => write!(out, "{value:e}"),
            Self::Single(value) => write!(out, "{value:e}"),
            Self::Narrow(narrow) => write!(out, "{:e}", narrow.shortest()),
        }
    }

    fn write_json(self, out: &mut impl Write) -> fmt::Result {
        if self.value().is_finite() {
            self.write_shortest(out)
        } else {
            out.write_str(self.non_finite(["\"NaN\"", "\"Infinity\"", "\"-Infinity\""]))
        }
    }

    /// As within a complex number of Python's: a whole number goes without `.0`.
    fn write_part(self, out: &mut impl Write) -> fmt::Result {
        let mut text = Text::default();
        self.write_shortest(&mut text)?;
        let text = text.as_str();
        out.write_str(text.strip_suffix(".0").unwrap_or(text))
    }

    fn non_finite(self, [nan, plus, minus]: [&'static str; 3]) -> &'static str {
        let value = self.value();
        if value.is_nan() {
            nan
        } else if value < 0.0 {
            minus
        } else {
            plus
        }
    }
}

impl Element {
    /// The element in exactly these little-endian bytes; `None` if `dtype` has no fixed size or they are not as many.
    #[inline]
    pub fn decode(dtype: DType, bytes: &[u8]) -> Option<Self> {
        use NarrowKind as Kind;
        let narrow = |kind, bits| Some(Self::Float(Float::Narrow(Narrow::new(kind, bits))));
        let byte = || bytes.first().copied().filter(|_| bytes.len() == 1);
        Some(match dtype {
            DType::Bool => Self::Bool(byte()? != 0),
            DType::Int8 | DType::QInt8 => Self::Int(i8::from_le_bytes([byte()?]).into()),
            DType::Int16 | DType::QInt16 => Self::Int(i16::from_le_bytes(bytes.try_into().ok()?).into()),
            DType::Int32 | DType::QInt32 => Self::Int(i32::from_le_bytes(bytes.try_into().ok()?).into()),
            DType::Int64 => Self::Int(i64::from_le_bytes(bytes.try_into().ok()?)),
            // The sign bit of these is not extended over the byte, so shift it to the top and back.
            DType::Int4 => Self::Int((byte()?.cast_signed() << 4 >> 4).into()),
            DType::Int2 => Self::Int((byte()?.cast_signed() << 6 >> 6).into()),
            DType::UInt8 | DType::QUInt8 => Self::UInt(byte()?.into()),
            DType::UInt16 | DType::QUInt16 => Self::UInt(u16::from_le_bytes(bytes.try_into().ok()?).into()),
            DType::UInt32 => Self::UInt(u32::from_le_bytes(bytes.try_into().ok()?).into()),
            DType::UInt64 => Self::UInt(u64::from_le_bytes(bytes.try_into().ok()?)),
            DType::UInt4 => Self::UInt((byte()? & 0xf).into()),
            DType::UInt2 => Self::UInt((byte()? & 0x3).into()),
            DType::Float32 => Self::Float(single(bytes)?),
            DType::Float64 => Self::Float(double(bytes)?),
            DType::Float16 => return narrow(Kind::Float16, u16::from_le_bytes(bytes.try_into().ok()?)),
            DType::BFloat16 => return narrow(Kind::BFloat16, u16::from_le_bytes(bytes.try_into().ok()?)),
            DType::Float8E5M2 => return narrow(Kind::Float8E5M2, byte()?.into()),
            DType::Float8E4M3FN => return narrow(Kind::Float8E4M3FN, byte()?.into()),
            DType::Float8E4M3FNUZ => return narrow(Kind::Float8E4M3FNUZ, byte()?.into()),
            DType::Float8E4M3B11FNUZ => return narrow(Kind::Float8E4M3B11FNUZ, byte()?.into()),
            DType::Float8E5M2FNUZ => return narrow(Kind::Float8E5M2FNUZ, byte()?.into()),
            DType::Float4E2M1FN => return narrow(Kind::Float4E2M1FN, byte()?.into()),
            DType::Complex64 => {
                let (re, im) = bytes.split_at_checked(4)?;
                Self::Complex(single(re)?, single(im)?)
            }
            DType::Complex128 => {
                let (re, im) = bytes.split_at_checked(8)?;
                Self::Complex(double(re)?, double(im)?)
            }
            DType::Invalid | DType::String | DType::Resource | DType::Variant | DType::Ref(_) | DType::Unknown(_) => {
                return None;
            }
        })
    }

    /// The elements in `bytes`, in order; bytes after the last whole one are left out.
    ///
    /// `None` if elements of `dtype` have no fixed size.
    pub fn decode_all(dtype: DType, bytes: &[u8]) -> Option<Elements<'_>> {
        let size = usize::try_from(dtype.element_size()?).ok().filter(|size| *size > 0)?;
        Some(Elements { dtype, chunks: bytes.chunks_exact(size) })
    }
}

fn single(bytes: &[u8]) -> Option<Float> {
    Some(Float::Single(f32::from_le_bytes(bytes.try_into().ok()?)))
}

fn double(bytes: &[u8]) -> Option<Float> {
    Some(Float::Double(f64::from_le_bytes(bytes.try_into().ok()?)))
}

/// Iterator over decoded elements, from [`Element::decode_all`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    dtype: DType,
    chunks: ChunksExact<'a, u8>,
}

impl Iterator for Elements<'_> {
    type Item = Element;

    #[inline]
    fn next(&mut self) -> Option<Element> {
        Element::decode(self.dtype, self.chunks.next()?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.chunks.size_hint()
    }
}

impl ExactSizeIterator for Elements<'_> {}

/// Writes an element as JSON: floats always with a point or an exponent, complex numbers as `[re, im]`, and the
/// strings `"NaN"`, `"Infinity"` and `"-Infinity"` for what JSON has no number for.
///
/// # Errors
/// Those of `out`.
pub fn write_json(element: Element, out: &mut impl Write) -> fmt::Result {
    match element {
        Element::Bool(value) => out.write_str(if value { "true" } else { "false" }),
        Element::Int(value) => write!(out, "{value}"),
        Element::UInt(value) => write!(out, "{value}"),
        Element::Float(value) => value.write_json(out),
        Element::Complex(re, im) => {
            out.write_char('[')?;
            re.write_json(out)?;
            out.write_str(", ")?;
            im.write_json(out)?;
            out.write_char(']')
        }
    }
}

/// Writes an element as a CSV field, which never needs quoting: `nan`, `inf`, `-inf`, and complex numbers as `1.5+2j`.
///
/// # Errors
/// Those of `out`.
pub fn write_csv(element: Element, out: &mut impl Write) -> fmt::Result {
    match element {
        Element::Float(value) => value.write_shortest(out),
        Element::Complex(re, im) => {
            re.write_part(out)?;
            // A NaN is written without its sign, like everywhere.
            if im.value().is_nan() || im.value().is_sign_positive() {
                out.write_char('+')?;
            }
            im.write_part(out)?;
            out.write_char('j')
        }
        other => write_json(other, out),
    }
}

/// Turns the bytes of a big-endian bundle into little-endian ones, in place.
pub fn swap_to_little(dtype: DType, bytes: &mut [u8]) {
    match dtype.swap_unit() {
        2 => reverse_each::<2>(bytes),
        4 => reverse_each::<4>(bytes),
        8 => reverse_each::<8>(bytes),
        _ => {}
    }
}

fn reverse_each<const N: usize>(bytes: &mut [u8]) {
    let (chunks, _) = bytes.as_chunks_mut::<N>();
    for chunk in chunks {
        chunk.reverse();
    }
}

/// Room for the text of one float, so that no element needs an allocation.
#[derive(Default)]
struct Text {
    bytes: [u8; 32],
    len: usize,
}

impl Text {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.checked_add(text.len()).ok_or(fmt::Error)?;
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// A float32 as the decimal number that a person wrote for it: 0.001, and not the float64 that is nearest to it.
pub fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(dtype: DType, bytes: &[u8]) -> String {
        let mut out = String::new();
        write_json(Element::decode(dtype, bytes).unwrap(), &mut out).unwrap();
        out
    }

    fn csv(dtype: DType, bytes: &[u8]) -> String {
        let mut out = String::new();
        write_csv(Element::decode(dtype, bytes).unwrap(), &mut out).unwrap();
        out
    }

    #[test]
    fn every_fixed_size_type_decodes_its_own_number_of_bytes_only() {
        for &dtype in DType::ALL {
            match dtype.element_size() {
                None => assert_eq!(Element::decode(dtype, &[0; 8]), None),
                Some(size) => {
                    let bytes = vec![0u8; usize::try_from(size).unwrap() + 1];
                    let (one, none) = (&bytes[1..], &bytes[..0]);
                    assert!(Element::decode(dtype, one).is_some(), "{dtype}");
                    assert_eq!(Element::decode(dtype, &bytes), None, "{dtype}");
                    assert_eq!(Element::decode(dtype, none), None, "{dtype}");
                }
            }
        }
    }

    #[test]
    fn integers_stay_integers() {
        assert_eq!(json(DType::Int64, &i64::MIN.to_le_bytes()), "-9223372036854775808");
        assert_eq!(json(DType::UInt64, &u64::MAX.to_le_bytes()), "18446744073709551615");
        assert_eq!(csv(DType::Int8, &[0xff]), "-1");
        assert_eq!(csv(DType::QUInt8, &[0xff]), "255");
        assert_eq!(json(DType::QInt32, &[0xfe, 0xff, 0xff, 0xff]), "-2");
        assert_eq!(json(DType::Bool, &[2]), "true");
        assert_eq!(csv(DType::Bool, &[0]), "false");
    }

    #[test]
    fn only_the_low_bits_of_sub_byte_types_count() {
        assert_eq!(json(DType::Int4, &[0x0f]), "-1");
        assert_eq!(json(DType::Int4, &[0xf7]), "7");
        assert_eq!(json(DType::Int4, &[0x08]), "-8");
        assert_eq!(json(DType::Int2, &[0x02]), "-2");
        assert_eq!(json(DType::Int2, &[0xfd]), "1");
        assert_eq!(json(DType::UInt4, &[0xff]), "15");
        assert_eq!(json(DType::UInt2, &[0xff]), "3");
        assert_eq!(json(DType::Float4E2M1FN, &[0xff]), "-6.0");
    }

    #[test]
    fn floats_are_as_short_as_their_type_allows() {
        assert_eq!(json(DType::Float32, &0.1f32.to_le_bytes()), "0.1");
        assert_eq!(json(DType::Float64, &1e-7f64.to_le_bytes()), "1e-7");
        assert_eq!(json(DType::Float64, &(-0.0f64).to_le_bytes()), "-0.0");
        assert_eq!(json(DType::Float32, &1f32.to_le_bytes()), "1.0");
        assert_eq!(json(DType::Float32, &f32::from_bits(1).to_le_bytes()), "1e-45");
        assert_eq!(json(DType::Float16, &[0x66, 0x2e]), "0.1");
        assert_eq!(json(DType::BFloat16, &[0x49, 0x40]), "3.14");
        assert_eq!(json(DType::BFloat16, &[0x01, 0x80]), "-9e-41");
    }

    #[test]
    fn what_is_not_finite_is_a_string_in_json_and_a_word_in_csv() {
        assert_eq!(json(DType::Float32, &f32::NAN.to_le_bytes()), "\"NaN\"");
        assert_eq!(json(DType::Float64, &f64::NEG_INFINITY.to_le_bytes()), "\"-Infinity\"");
        assert_eq!(json(DType::BFloat16, &[0x80, 0x7f]), "\"Infinity\"");
        assert_eq!(csv(DType::Float32, &(-f32::NAN).to_le_bytes()), "nan");
        assert_eq!(csv(DType::Float8E5M2, &[0xfc]), "-inf");
    }

    #[test]
    fn complex_numbers_have_two_parts() {
        let pair = |re: f32, im: f32| [re.to_le_bytes(), im.to_le_bytes()].concat();
        assert_eq!(json(DType::Complex64, &pair(1.5, -2.0)), "[1.5, -2.0]");
        assert_eq!(csv(DType::Complex64, &pair(1.5, 2.0)), "1.5+2j");
        assert_eq!(csv(DType::Complex64, &pair(-0.0, -0.1)), "-0-0.1j");
        assert_eq!(csv(DType::Complex64, &pair(f32::INFINITY, f32::NAN)), "inf+nanj");
        let wide = [f64::MIN_POSITIVE.to_le_bytes(), (-f64::MAX).to_le_bytes()].concat();
        assert_eq!(csv(DType::Complex128, &wide), "2.2250738585072014e-308-1.7976931348623157e308j");
    }

    #[test]
    fn big_endian_elements_are_turned_in_their_own_units() {
        let mut bytes: Vec<u8> = (0..9).collect();
        swap_to_little(DType::Complex64, &mut bytes);
        assert_eq!(bytes, [3, 2, 1, 0, 7, 6, 5, 4, 8]);
        swap_to_little(DType::UInt8, &mut bytes);
        assert_eq!(bytes, [3, 2, 1, 0, 7, 6, 5, 4, 8]);
        swap_to_little(DType::BFloat16, &mut bytes);
        assert_eq!(bytes, [2, 3, 0, 1, 6, 7, 4, 5, 8]);
    }
}
