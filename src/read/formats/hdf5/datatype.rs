//! Dataspaces and datatypes: how many elements, and what they are.
//!
//! Specification, IV.A.2.b and IV.A.2.d.

use super::fields::Fields;
use crate::base::error::{Error, Result};
use crate::read::tensor::DType;

/// Deepest nesting of datatypes that is looked into.
const DEPTH: u8 = 8;

/// What an element is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::read::formats) enum Element {
    /// A number of this many bytes.
    Number { dtype: DType, big_endian: bool },
    /// A string of this many bytes, which ends before the zeros behind it.
    Fixed { len: u64, at_first_zero: bool },
    /// A string somewhere else: its length, and a place in a heap.
    Elsewhere { size: u64 },
    /// Bytes without a meaning, as h5py writes numbers of NumPy that HDF5 does not have.
    Opaque { len: u64 },
    /// What is not decoded, in words.
    Other { len: u64, what: &'static str },
}

impl Element {
    /// Stored bytes of one.
    pub(in crate::read::formats) fn size(&self) -> u64 {
        match self {
            Self::Number { dtype, .. } => dtype.element_size().unwrap_or(0),
            Self::Fixed { len, .. } | Self::Opaque { len } | Self::Other { len, .. } => *len,
            Self::Elsewhere { size } => *size,
        }
    }
}

/// The dimensions of a dataspace; none of a single element, `[0]` of no element.
pub(super) fn space(fields: &mut Fields<'_>, rank: usize) -> Result<Space> {
    let bad = |why: String| Error::malformed("HDF5 dataspace", why);
    let (version, dims, flags) = (fields.u8()?, usize::from(fields.u8()?), fields.u8()?);
    let is_null = match version {
        1 => fields.skip(5).map(|()| false)?,
        2 => fields.u8()? == 2,
        _ => return Err(bad(format!("version {version} is not known"))),
    };
    if dims > rank {
        return Err(bad(format!("{dims} dimensions, at most {rank} are read")));
    }
    if is_null {
        return Ok(Space { dims: vec![0], most: vec![0] });
    }
    let read = |fields: &mut Fields<'_>| (0..dims).map(|_| fields.length()).collect::<Result<Vec<u64>>>();
    let dims = read(fields)?;
    let most = if flags & 1 == 0 { dims.clone() } else { read(fields)? };
    Ok(Space { dims, most })
}

/// How many elements there are, and may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) dims: Vec<u64>,
    /// What each dimension may grow to; all bits set where there is no bound.
    pub(super) most: Vec<u64>,
}

/// The element of a datatype message.
pub(super) fn datatype(fields: &mut Fields<'_>) -> Result<Element> {
    nested(fields, DEPTH)
}

fn nested(fields: &mut Fields<'_>, depth: u8) -> Result<Element> {
    let at = fields.offset();
    let bad = |why: &'static str| Error::malformed("HDF5 datatype", why).at_offset(at);
    let depth = depth.checked_sub(1).ok_or_else(|| bad("datatypes within datatypes without end"))?;
    let head = fields.u32()?;
    let (class, version, bits) = (head & 0xf, head >> 4 & 0xf, head >> 8);
    let len = u64::from(fields.u32()?);
    let other = |what| Ok(Element::Other { len, what });
    match class {
        0 => {
            let (offset, precision) = (fields.u16()?, fields.u16()?);
            if offset != 0 || u64::from(precision) != len.saturating_mul(8) {
                return other("integers that do not fill their bytes");
            }
            let dtype = integer(len, bits & 8 != 0);
            dtype.map_or_else(|| other("integers of this length"), |dtype| Ok(number(dtype, bits & 1 != 0)))
        }
        1 => {
            let mut form = Form { len, sign: (bits >> 8 & 0xff) as u8, ..Form::default() };
            (form.offset, form.precision) = (fields.u16()?, fields.u16()?);
            (form.exponent, form.mantissa) = ((fields.u8()?, fields.u8()?), (fields.u8()?, fields.u8()?));
            form.bias = fields.u32()?;
            match (form.dtype(), bits & 0x41) {
                (Some(dtype), order @ (0 | 1)) => Ok(number(dtype, order == 1)),
                (Some(_), _) => other("floating-point numbers in the order of a VAX"),
                (None, _) => other("floating-point numbers of an unusual form"),
            }
        }
        3 if len > 0 => Ok(Element::Fixed { len, at_first_zero: bits.trailing_zeros() >= 4 }),
        5 => Ok(Element::Opaque { len }),
        6 => complex(fields, version, bits & 0xffff, len, depth),
        7 => other("references"),
        8 => {
            // Names and values of an enumeration do not matter but for h5py's way to write booleans.
            let base = nested(fields, depth)?;
            let is_bool = bits & 0xffff == 2 && fields.rest().starts_with(b"FALSE\0");
            Ok(match base {
                Element::Number { dtype: DType::Int8, big_endian } if is_bool => {
                    Element::Number { dtype: DType::Bool, big_endian }
                }
                base => base,
            })
        }
        9 if bits & 0xf == 1 => Ok(Element::Elsewhere { size: len }),
        9 => other("lists of different lengths"),
        10 => other("arrays within elements"),
        11 => match nested(fields, depth)? {
            Element::Number { dtype: DType::Float32, big_endian } => Ok(number(DType::Complex64, big_endian)),
            Element::Number { dtype: DType::Float64, big_endian } => Ok(number(DType::Complex128, big_endian)),
            _ => other("complex numbers of an unusual form"),
        },
        2 => other("times"),
        3 => other("strings of no length"),
        4 => other("bit fields"),
        _ => Err(bad("a class of datatypes that is not known")),
    }
}

fn number(dtype: DType, big_endian: bool) -> Element {
    Element::Number { dtype, big_endian }
}

fn integer(len: u64, signed: bool) -> Option<DType> {
    Some(match (len, signed) {
        (1, true) => DType::Int8,
        (2, true) => DType::Int16,
        (4, true) => DType::Int32,
        (8, true) => DType::Int64,
        (1, false) => DType::UInt8,
        (2, false) => DType::UInt16,
        (4, false) => DType::UInt32,
        (8, false) => DType::UInt64,
        _ => return None,
    })
}

/// Where the parts of a floating-point number are.
#[derive(Default)]
struct Form {
    len: u64,
    offset: u16,
    precision: u16,
    sign: u8,
    /// First bit and number of bits.
    exponent: (u8, u8),
    mantissa: (u8, u8),
    bias: u32,
}

impl Form {
    fn dtype(&self) -> Option<DType> {
        if self.offset != 0 || u64::from(self.precision) != self.len.saturating_mul(8) {
            return None;
        }
        Some(match (self.len, self.sign, self.exponent, self.mantissa, self.bias) {
            (2, 15, (10, 5), (0, 10), 15) => DType::Float16,
            (2, 15, (7, 8), (0, 7), 127) => DType::BFloat16,
            (4, 31, (23, 8), (0, 23), 127) => DType::Float32,
            (8, 63, (52, 11), (0, 52), 1023) => DType::Float64,
            _ => return None,
        })
    }
}

/// h5py writes a complex number as two members, `r` and `i`.
fn complex(fields: &mut Fields<'_>, version: u32, members: u32, len: u64, depth: u8) -> Result<Element> {
    let other = Ok(Element::Other { len, what: "records" });
    if members != 2 {
        return other;
    }
    let mut parts = Vec::new();
    for _ in 0..2 {
        let name_len = fields.rest().iter().position(|byte| *byte == 0);
        let name_len = name_len.ok_or_else(|| Error::malformed("HDF5 datatype", "a name without an end"))?;
        let name = fields.take(name_len)?.to_vec();
        let padded = if version < 3 { name_len / 8 * 8 + 8 } else { name_len + 1 };
        fields.skip(padded.saturating_sub(name_len))?;
        let offset = if version < 3 {
            fields.u32()?
        } else {
            let bytes = u8::try_from(len.max(1).ilog2() / 8 + 1).unwrap_or(8);
            u32::try_from(fields.number(bytes)?).unwrap_or(u32::MAX)
        };
        if version == 1 {
            fields.skip(28)?;
        }
        parts.push((name, offset, nested(fields, depth)?));
    }
    let (real, imaginary) = (parts.remove(0), parts.remove(0));
    let half = u32::try_from(len / 2).unwrap_or(u32::MAX);
    if real.0 != b"r" || imaginary.0 != b"i" || real.1 != 0 || imaginary.1 != half || real.2 != imaginary.2 {
        return other;
    }
    match (real.2, len) {
        (Element::Number { dtype: DType::Float32, big_endian }, 8) => Ok(number(DType::Complex64, big_endian)),
        (Element::Number { dtype: DType::Float64, big_endian }, 16) => Ok(number(DType::Complex128, big_endian)),
        _ => other,
    }
}
