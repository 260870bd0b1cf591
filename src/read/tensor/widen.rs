//! Elements of any numeric type as runs of wide numbers, for loops that compute with them.
//!
//! What float32 holds exactly becomes float32, which halves the work of whoever comes next; float64, 32-bit integers
//! and magnitudes of complex128 become float64, also exactly; 64-bit integers stay what they are, because no float
//! holds their extremes. The conversions have no branches, so that they become vectors.
#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]

use super::simd::{Kernel, widest};
use super::{DType, Element};

/// A run of elements as wide numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wide<'w> {
    /// `float32` and everything that it holds exactly: shorter floats, integers of 16 bits and fewer, bool; also the
    /// magnitudes of `complex64`.
    Single(&'w [f32]),
    /// `float64`, 32-bit integers, magnitudes of `complex128`.
    Double(&'w [f64]),
    /// `int64`.
    Int(&'w [i64]),
    /// `uint64`.
    UInt(&'w [u64]),
}

/// How bytes become wide numbers.
#[derive(Clone, Debug)]
enum How {
    Float32,
    Float16,
    BFloat16,
    Int16,
    UInt16,
    /// One byte an element: the value of each of the 256.
    Byte(Box<[f32; 256]>),
    Complex64,
    Float64,
    Int32,
    UInt32,
    Complex128,
    Int64,
    UInt64,
}

/// Turns elements of one type into wide numbers, in memory of its own that is used again.
#[derive(Clone, Debug)]
pub struct Widener {
    how: How,
    size: usize,
    singles: Vec<f32>,
    doubles: Vec<f64>,
    ints: Vec<i64>,
    uints: Vec<u64>,
}

impl Widener {
    /// For elements of `dtype`, complex ones by their magnitude; `None` if it is not numeric.
    pub fn new(dtype: DType) -> Option<Self> {
        let how = match dtype {
            DType::Float32 => How::Float32,
            DType::Float16 => How::Float16,
            DType::BFloat16 => How::BFloat16,
            DType::Int16 | DType::QInt16 => How::Int16,
            DType::UInt16 | DType::QUInt16 => How::UInt16,
            DType::Complex64 => How::Complex64,
            DType::Float64 => How::Float64,
            DType::Int32 | DType::QInt32 => How::Int32,
            DType::UInt32 => How::UInt32,
            DType::Complex128 => How::Complex128,
            DType::Int64 => How::Int64,
            DType::UInt64 => How::UInt64,
            other => How::Byte(table(other)?),
        };
        Some(Self::with(how, usize::try_from(dtype.element_size()?).ok()?))
    }

    /// As [`Widener::new`], but a complex element becomes two numbers, its real and its imaginary part.
    pub fn parts(dtype: DType) -> Option<Self> {
        match dtype {
            DType::Complex64 => Some(Self::with(How::Float32, 8)),
            DType::Complex128 => Some(Self::with(How::Float64, 16)),
            other => Self::new(other),
        }
    }

    fn with(how: How, size: usize) -> Self {
        Self { how, size, singles: Vec::new(), doubles: Vec::new(), ints: Vec::new(), uints: Vec::new() }
    }

    /// Bytes of one element.
    pub fn element_size(&self) -> usize {
        self.size
    }

    /// The elements in these little-endian bytes; bytes after the last whole one are left out.
    pub fn widen(&mut self, bytes: &[u8]) -> Wide<'_> {
        let Self { how, singles, doubles, ints, uints, .. } = self;
        match how {
            How::Float32 => Wide::Single(map(bytes, singles, f32::from_le_bytes)),
            How::Float16 => Wide::Single(map(bytes, singles, |b| from_float16(u16::from_le_bytes(b)))),
            How::BFloat16 => Wide::Single(map(bytes, singles, |b| from_bfloat16(u16::from_le_bytes(b)))),
            How::Int16 => Wide::Single(map(bytes, singles, |b| f32::from(i16::from_le_bytes(b)))),
            How::UInt16 => Wide::Single(map(bytes, singles, |b| f32::from(u16::from_le_bytes(b)))),
            How::Byte(table) => {
                let value = |[byte]: [u8; 1]| table.get(usize::from(byte)).copied().unwrap_or(f32::NAN);
                Wide::Single(map(bytes, singles, value))
            }
            How::Complex64 => Wide::Single(map(bytes, singles, magnitude)),
            How::Float64 => Wide::Double(map(bytes, doubles, f64::from_le_bytes)),
            How::Int32 => Wide::Double(map(bytes, doubles, |b| f64::from(i32::from_le_bytes(b)))),
            How::UInt32 => Wide::Double(map(bytes, doubles, |b| f64::from(u32::from_le_bytes(b)))),
            How::Complex128 => Wide::Double(map(bytes, doubles, wide_magnitude)),
            How::Int64 => Wide::Int(map(bytes, ints, i64::from_le_bytes)),
            How::UInt64 => Wide::UInt(map(bytes, uints, u64::from_le_bytes)),
        }
    }
}

/// The value of every byte, for a type of one byte. Fewer than 256 values mean that the high bits do not count.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "these values are exact in a float32")]
fn table(dtype: DType) -> Option<Box<[f32; 256]>> {
    let mut table = Box::new([0f32; 256]);
    for (byte, slot) in (0u8..=255).zip(table.iter_mut()) {
        *slot = match Element::decode(dtype, &[byte])? {
            Element::Bool(value) => f32::from(u8::from(value)),
            Element::Int(value) => value as f32,
            Element::UInt(value) => value as f32,
            Element::Float(value) => value.value() as f32,
            Element::Complex(..) => return None,
        };
    }
    Some(table)
}

/// A bfloat16 as a float32, of which it is the upper half.
#[inline(always)]
pub fn from_bfloat16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// A float16 as a float32: the exponent is moved by a multiplication, which also makes subnormal numbers normal.
#[inline(always)]
pub fn from_float16(bits: u16) -> f32 {
    /// 2 to the power of 112, the difference between the two biases.
    const REBIAS: f32 = f32::from_bits((112 + 127) << 23);
    let bits = u32::from(bits);
    let magnitude = bits & 0x7fff;
    let moved = (f32::from_bits(magnitude << 13) * REBIAS).to_bits();
    // Infinities and NaNs have all ones there, in either type.
    let special = if magnitude >= 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(moved | special | (bits & 0x8000) << 16)
}

/// `|z|` rounded to float32, as C's `hypotf` has it, except that a NaN in either part gives NaN.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "two float32 are cut out, and the magnitude is a third")]
fn magnitude(bytes: [u8; 8]) -> f32 {
    let both = u64::from_le_bytes(bytes);
    let (re, im) = (f64::from(f32::from_bits(both as u32)), f64::from(f32::from_bits((both >> 32) as u32)));
    // Squares of a float32 neither overflow nor vanish in a float64.
    (re * re + im * im).sqrt() as f32
}

/// `|z|` of a complex128, or NaN if either part is NaN.
#[inline]
fn wide_magnitude(bytes: [u8; 16]) -> f64 {
    let (parts, _) = bytes.as_chunks::<8>();
    let [re, im] = [parts.first(), parts.last()].map(|part| part.map_or(f64::NAN, |part| f64::from_le_bytes(*part)));
    if re.is_nan() || im.is_nan() { f64::NAN } else { re.hypot(im) }
}

/// Converts every `N` bytes.
fn map<'t, const N: usize, T: Copy + Default>(
    bytes: &[u8],
    to: &'t mut Vec<T>,
    convert: impl Fn([u8; N]) -> T,
) -> &'t [T] {
    let (from, _) = bytes.as_chunks::<N>();
    to.resize(from.len(), T::default());
    widest(Map { from, to, convert });
    to
}

struct Map<'m, const N: usize, T, F> {
    from: &'m [[u8; N]],
    to: &'m mut [T],
    convert: F,
}

impl<const N: usize, T, F: Fn([u8; N]) -> T> Kernel for Map<'_, N, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = (self.convert)(*from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::tensor::{Narrow, NarrowKind};

    /// What one element should become, from the decoder that printing uses.
    fn exact(element: Element) -> f64 {
        match element {
            Element::Bool(value) => f64::from(u8::from(value)),
            Element::Int(value) => f64::from(i32::try_from(value).unwrap()),
            Element::UInt(value) => f64::from(u32::try_from(value).unwrap()),
            Element::Float(value) => value.value(),
            Element::Complex(re, im) => re.value().hypot(im.value()),
        }
    }

    #[test]
    fn every_element_of_one_or_two_bytes_keeps_its_value() {
        for &dtype in DType::ALL {
            let bytes: Vec<u8> = match dtype.element_size() {
                Some(1) => (0..=255).collect(),
                Some(2) => (0..=u16::MAX).flat_map(u16::to_le_bytes).collect(),
                _ => continue,
            };
            let mut widener = Widener::new(dtype).unwrap();
            let Wide::Single(got) = widener.widen(&bytes) else { panic!("{dtype} is not narrow") };
            let want: Vec<f64> = Element::decode_all(dtype, &bytes).unwrap().map(exact).collect();
            assert_eq!(got.len(), want.len());
            for (got, want) in got.iter().zip(want) {
                let same = f64::from(*got).to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
                assert!(same, "{dtype}: {got} for {want}");
            }
        }
    }

    #[test]
    fn wider_elements_keep_their_values() {
        let bytes: Vec<u8> = (0..64u8).map(|n| n.wrapping_mul(151).wrapping_add(13)).chain([0; 16]).collect();
        for &dtype in DType::ALL.iter().filter(|dtype| dtype.element_size() > Some(2)) {
            let mut widener = Widener::new(dtype).unwrap();
            assert_eq!(widener.element_size() as u64, dtype.element_size().unwrap());
            let elements: Vec<Element> = Element::decode_all(dtype, &bytes).unwrap().collect();
            match widener.widen(&bytes) {
                Wide::Int(got) => {
                    assert_eq!(got.iter().map(|v| Element::Int(*v)).collect::<Vec<_>>(), elements);
                }
                Wide::UInt(got) => {
                    assert_eq!(got.iter().map(|v| Element::UInt(*v)).collect::<Vec<_>>(), elements);
                }
                Wide::Single(got) => {
                    #[expect(clippy::cast_possible_truncation, reason = "the type is a float32")]
                    let want: Vec<f32> = elements.into_iter().map(|e| exact(e) as f32).collect();
                    assert_eq!(got, want, "{dtype}");
                }
                Wide::Double(got) => {
                    let want: Vec<f64> = elements.into_iter().map(exact).collect();
                    assert_eq!(got, want, "{dtype}");
                }
            }
        }
    }

    #[test]
    fn a_nan_in_either_part_is_a_nan() {
        let pair = |re: f32, im: f32| [re.to_le_bytes(), im.to_le_bytes()].concat();
        let bytes = [pair(f32::INFINITY, f32::NAN), pair(3.0, -4.0), pair(0.0, f32::NEG_INFINITY)].concat();
        let mut widener = Widener::new(DType::Complex64).unwrap();
        let Wide::Single(got) = widener.widen(&bytes) else { panic!() };
        assert!(got[0].is_nan());
        assert_eq!(got[1..], [5.0, f32::INFINITY]);
        let wide =
            [f64::INFINITY.to_le_bytes(), f64::NAN.to_le_bytes(), 6e200f64.to_le_bytes(), 8e200f64.to_le_bytes()];
        let mut widener = Widener::new(DType::Complex128).unwrap();
        let Wide::Double(got) = widener.widen(&wide.concat()) else { panic!() };
        assert!(got[0].is_nan());
        assert!((got[1] - 1e201).abs() < 1e186);
    }

    #[test]
    fn parts_of_complex_numbers_stand_side_by_side() {
        let bytes = [1.5f32.to_le_bytes(), (-2f32).to_le_bytes()].concat();
        let mut widener = Widener::parts(DType::Complex64).unwrap();
        assert_eq!((widener.element_size(), widener.widen(&bytes)), (8, Wide::Single(&[1.5, -2.0])));
    }

    #[test]
    fn other_types_have_no_numbers_and_odd_bytes_are_left_out() {
        for dtype in [DType::String, DType::Variant, DType::Resource, DType::Unknown(99), DType::Ref(101)] {
            assert!(Widener::new(dtype).is_none() && Widener::parts(dtype).is_none());
        }
        assert_eq!(Widener::new(DType::Int32).unwrap().widen(&[1, 0, 0, 0, 7]), Wide::Double(&[1.0]));
        assert_eq!(Widener::new(DType::Int32).unwrap().widen(&[]), Wide::Double(&[]));
    }

    #[test]
    fn signs_of_zero_and_subnormal_numbers_stay() {
        let mut widener = Widener::new(DType::Float16).unwrap();
        let Wide::Single(got) = widener.widen(&[0x00, 0x80, 0x01, 0x00]) else { panic!() };
        assert_eq!(got[0].to_bits(), (-0f32).to_bits());
        let smallest = Narrow::new(NarrowKind::Float16, 1).value();
        assert_eq!(f64::from(got[1]).to_bits(), smallest.to_bits());
    }
}
