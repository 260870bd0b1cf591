//! Numbers of any kind as elements of a dtype: exactly, to the nearest, or not at all.

use half::{bf16, f16};

use crate::read::tensor::{DType, Element, Float, Narrow, NarrowKind};

/// A number, whatever it is stored as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Bool(bool),
    /// Wide enough for `int64` and `uint64`.
    Int(i128),
    Float(f64),
    Complex(f64, f64),
}

/// How a number became an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It is the same number.
    Exact,
    /// It was rounded, or cut to a whole number.
    Rounded,
}

impl Number {
    pub(super) fn of(element: Element) -> Self {
        let float = Float::value;
        match element {
            Element::Bool(value) => Self::Bool(value),
            Element::Int(value) => Self::Int(value.into()),
            Element::UInt(value) => Self::Int(value.into()),
            Element::Float(value) => Self::Float(float(value)),
            Element::Complex(re, im) => Self::Complex(float(re), float(im)),
        }
    }

    /// As NumPy shows a scalar.
    pub(super) fn text(self) -> String {
        match self {
            Self::Bool(value) => if value { "True" } else { "False" }.to_owned(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) if value.is_nan() => "nan".to_owned(),
            Self::Float(value) => format!("{value:?}"),
            Self::Complex(re, im) => format!("({re}{im:+}j)"),
        }
    }

    /// Appends it as an element, little-endian; `None`, and nothing is appended, if the dtype has nothing like it: an
    /// infinite element for a finite number, a whole one that is out of range, a complex one for a real.
    pub(super) fn encode(self, dtype: DType, out: &mut Vec<u8>) -> Option<Became> {
        match dtype {
            DType::Bool => {
                let truth = match self {
                    Self::Bool(value) => value,
                    Self::Int(0) => false,
                    Self::Int(1) => true,
                    _ => return None,
                };
                out.push(u8::from(truth));
                Some(Became::Exact)
            }
            DType::Complex64 | DType::Complex128 => {
                let (re, im) = match self {
                    Self::Complex(re, im) => (re, im),
                    other => (other.real()?.0, 0.0),
                };
                let of = if dtype == DType::Complex64 { DType::Float32 } else { DType::Float64 };
                let len = out.len();
                let both = float(re, of, out).zip(float(im, of, out));
                if both.is_none() {
                    out.truncate(len);
                }
                let (re, im) = both?;
                let is_exact = re == Became::Exact && im == Became::Exact;
                Some(if is_exact { Became::Exact } else { Became::Rounded })
            }
            _ if dtype.is_integer() => self.integer(dtype, out),
            _ => {
                let (value, became) = self.real()?;
                let written = float(value, dtype, out)?;
                Some(if became == Became::Rounded { Became::Rounded } else { written })
            }
        }
    }

    /// As a double; whether that is the same.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "what is lost is told")]
    fn real(self) -> Option<(f64, Became)> {
        match self {
            Self::Bool(value) => Some((f64::from(u8::from(value)), Became::Exact)),
            Self::Int(value) => {
                let float = value as f64;
                Some((float, if float as i128 == value { Became::Exact } else { Became::Rounded }))
            }
            Self::Float(value) => Some((value, Became::Exact)),
            Self::Complex(..) => None,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "what is lost is told")]
    fn integer(self, dtype: DType, out: &mut Vec<u8>) -> Option<Became> {
        let (value, became) = match self {
            Self::Bool(value) => (i128::from(value), Became::Exact),
            Self::Int(value) => (value, Became::Exact),
            // The cast saturates far outside of every dtype, and NaN is no number.
            Self::Float(value) if value.is_nan() => return None,
            Self::Float(value) => {
                let whole = value.trunc() as i128;
                (whole, if value.fract() == 0.0 { Became::Exact } else { Became::Rounded })
            }
            Self::Complex(..) => return None,
        };
        let (bits, signed) = integer_bits(dtype)?;
        let range = if signed { -(1i128 << (bits - 1))..1 << (bits - 1) } else { 0..1 << bits };
        if !range.contains(&value) {
            return None;
        }
        let size = usize::try_from(dtype.element_size()?).ok()?;
        out.extend_from_slice(value.to_le_bytes().get(..size)?);
        Some(became)
    }
}

/// How wide whole numbers of a dtype are, and whether they may be negative.
fn integer_bits(dtype: DType) -> Option<(u32, bool)> {
    Some(match dtype {
        DType::Int2 => (2, true),
        DType::UInt2 => (2, false),
        DType::Int4 => (4, true),
        DType::UInt4 => (4, false),
        DType::Int8 | DType::QInt8 => (8, true),
        DType::UInt8 | DType::QUInt8 => (8, false),
        DType::Int16 | DType::QInt16 => (16, true),
        DType::UInt16 | DType::QUInt16 => (16, false),
        DType::Int32 | DType::QInt32 => (32, true),
        DType::UInt32 => (32, false),
        DType::Int64 => (64, true),
        DType::UInt64 => (64, false),
        _ => return None,
    })
}

/// Appends the nearest float.
#[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest is what is wanted")]
fn float(value: f64, dtype: DType, out: &mut Vec<u8>) -> Option<Became> {
    let (back, bytes): (f64, Vec<u8>) = match dtype {
        DType::Float64 => (value, value.to_le_bytes().to_vec()),
        DType::Float32 => (f64::from(value as f32), (value as f32).to_le_bytes().to_vec()),
        DType::Float16 => (f16::from_f64(value).to_f64(), f16::from_f64(value).to_le_bytes().to_vec()),
        DType::BFloat16 => (bf16::from_f64(value).to_f64(), bf16::from_f64(value).to_le_bytes().to_vec()),
        _ => {
            let near = nearest_of_few(value, NarrowKind::of(dtype)?)?;
            (near.value(), near.bits().to_le_bytes().get(..1)?.to_vec())
        }
    };
    if value.is_finite() && !back.is_finite() {
        return None;
    }
    out.extend(bytes);
    let is_same = back.to_bits() == value.to_bits() || (value.is_nan() && back.is_nan());
    Some(if is_same { Became::Exact } else { Became::Rounded })
}

/// The nearest float of a format that has no more than 256; of two that are as near the one with even bits, and of zeros
/// the one with the sign.
fn nearest_of_few(value: f64, kind: NarrowKind) -> Option<Narrow> {
    let all = (0..=u8::MAX).map(|bits| Narrow::new(kind, bits.into()));
    if value.is_nan() || value.is_infinite() {
        return all
            .into_iter()
            .find(|one| one.value().total_cmp(&value).is_eq() || one.value().is_nan() && value.is_nan());
    }
    let finite = all.filter(|one| one.value().is_finite());
    let far = |one: &Narrow| (one.value() - value).abs();
    let most = finite.clone().map(|one| one.value().abs()).fold(0.0, f64::max);
    let order = |a: &Narrow, b: &Narrow| {
        let sign = |one: &Narrow| one.value().is_sign_negative() != value.is_sign_negative();
        far(a).total_cmp(&far(b)).then(sign(a).cmp(&sign(b))).then((a.bits() % 2).cmp(&(b.bits() % 2)))
    };
    finite.min_by(order).filter(|_| value.abs() <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(number: Number, dtype: DType) -> Option<(Vec<u8>, Became)> {
        let mut out = Vec::new();
        let became = number.encode(dtype, &mut out);
        assert!(became.is_some() || out.is_empty());
        became.map(|became| (out, became))
    }

    #[test]
    fn numbers_are_exact_rounded_or_refused() {
        let exact = |bytes: &[u8]| Some((bytes.to_vec(), Became::Exact));
        let rounded = |bytes: &[u8]| Some((bytes.to_vec(), Became::Rounded));
        assert_eq!(encoded(Number::Int(-1), DType::Int16), exact(&[0xff, 0xff]));
        assert_eq!(encoded(Number::Int(65536), DType::UInt16), None);
        assert_eq!(encoded(Number::Int(u64::MAX.into()), DType::UInt64), exact(&[0xff; 8]));
        assert_eq!(encoded(Number::Int(-8), DType::Int4), exact(&[0xf8]));
        assert_eq!(encoded(Number::Int(8), DType::Int4), None);
        assert_eq!(encoded(Number::Float(2.0), DType::Int8), exact(&[2]));
        assert_eq!(encoded(Number::Float(-2.5), DType::Int8), rounded(&[0xfe]));
        assert_eq!(encoded(Number::Float(1e30), DType::Int64), None);
        assert_eq!(encoded(Number::Float(f64::NAN), DType::Int64), None);
        assert_eq!(encoded(Number::Float(0.5), DType::Float32), exact(&0.5f32.to_le_bytes()));
        assert_eq!(encoded(Number::Float(0.1), DType::Float32), rounded(&0.1f32.to_le_bytes()));
        assert_eq!(encoded(Number::Float(1e39), DType::Float32), None);
        assert_eq!(encoded(Number::Float(f64::INFINITY), DType::Float16), exact(&[0, 0x7c]));
        assert_eq!(encoded(Number::Int(3), DType::BFloat16), exact(&[0x40, 0x40]));
        assert_eq!(encoded(Number::Int((1 << 53) + 1), DType::Float64), rounded(&(2f64.powi(53)).to_le_bytes()));
        assert_eq!(encoded(Number::Bool(true), DType::Bool), exact(&[1]));
        assert_eq!(encoded(Number::Int(2), DType::Bool), None);
        assert_eq!(encoded(Number::Complex(1.0, 2.0), DType::Float32), None);
        let complex = [1f32.to_le_bytes(), 2f32.to_le_bytes()].concat();
        assert_eq!(encoded(Number::Complex(1.0, 2.0), DType::Complex64), exact(&complex));
    }

    #[test]
    fn every_small_float_is_itself_and_what_lies_between_goes_to_the_even_one() {
        for kind in [DType::Float8E5M2, DType::Float8E4M3FN, DType::Float8E4M3FNUZ, DType::Float4E2M1FN] {
            for bits in 0..=u8::MAX {
                let narrow = Narrow::new(NarrowKind::of(kind).unwrap(), bits.into());
                if narrow.value().is_finite() {
                    let (bytes, became) = encoded(Number::Float(narrow.value()), kind).unwrap();
                    assert_eq!((bytes[0], became), (narrow.bits().to_le_bytes()[0], Became::Exact), "{kind} {bits}");
                }
            }
        }
        // e4m3fn has 16, 18, 20: 17 and 19 lie between.
        let of = |value| {
            Narrow::new(
                NarrowKind::Float8E4M3FN,
                encoded(Number::Float(value), DType::Float8E4M3FN).unwrap().0[0].into(),
            )
            .value()
        };
        assert_eq!([of(17.0), of(19.0), of(448.0)].map(f64::to_bits), [16.0f64, 20.0, 448.0].map(f64::to_bits));
        assert_eq!(encoded(Number::Float(500.0), DType::Float8E4M3FN), None);
    }
}
