//! The header of a `.npy` file: what the array is, in the words of Python.
//!
//! Source: `numpy/lib/_format_impl.py`: a magic number, a version, a length of two or four bytes, and a literal of a
//! dictionary with `descr`, `fortran_order` and `shape`. Nothing of it is evaluated here.

use byteorder::{ByteOrder, LittleEndian};

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::storage::archive::Member;
use crate::read::tensor::DType;

/// What every `.npy` file begins with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read. NumPy refuses to parse more than 10,000 bytes unless it is told to trust the file.
const LONGEST: u64 = 1 << 20;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NpyHeader {
    pub(super) element: Element,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
    /// Where the elements begin.
    pub(super) data_start: u64,
}

/// How an element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// A number of this type, in this order of bytes.
    Number { dtype: DType, big_endian: bool },
    /// So many bytes, of which zeros at the end do not count.
    Bytes(u64),
    /// So many characters of four bytes, of which zeros at the end do not count.
    Characters { count: u64, big_endian: bool },
}

impl Element {
    /// Bytes of one element.
    pub(super) fn size(self) -> Option<u64> {
        match self {
            Self::Number { dtype, .. } => dtype.element_size(),
            Self::Bytes(count) => Some(count),
            Self::Characters { count, .. } => count.checked_mul(4),
        }
    }

    /// What the elements are.
    pub(super) fn dtype(self) -> DType {
        match self {
            Self::Number { dtype, .. } => dtype,
            Self::Bytes(_) | Self::Characters { .. } => DType::String,
        }
    }
}

/// How many bytes of a file tell where its elements begin.
pub(super) const PREFIX: usize = 12;

/// Where the elements begin, told from the first [`PREFIX`] bytes.
///
/// # Errors
/// If this is no `.npy` file of a version that there is.
pub(super) fn data_start(prefix: &[u8]) -> Result<u64> {
    let bad = |why: &'static str| Error::malformed(".npy header", why);
    let rest = prefix.strip_prefix(MAGIC).ok_or_else(|| bad("no magic number: this is no .npy file"))?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(|| bad("cut off"))?;
    let (length, at) = match version {
        [1, _] => (rest.get(..2).map(|b| u64::from(LittleEndian::read_u16(b))), 10),
        [2 | 3, _] => (rest.get(..4).map(|b| u64::from(LittleEndian::read_u32(b))), 12),
        _ => return Err(bad("a version that NumPy does not know")),
    };
    let length = length.ok_or_else(|| bad("cut off"))?;
    if length > LONGEST {
        return Err(ErrorKind::LimitExceeded { what: ".npy header", got: length, limit: LONGEST }.into());
    }
    Ok(length.saturating_add(at))
}

/// Parses all bytes before the elements.
///
/// # Errors
/// If they do not say what an array is, or it is one of Python objects or records.
pub(super) fn parse(bytes: &[u8], rank: usize) -> Result<NpyHeader> {
    let data_start = data_start(bytes)?;
    let at = if bytes.get(MAGIC.len()) == Some(&1) { 10 } else { 12 };
    let text = bytes.get(at..).unwrap_or_default();
    let text = std::str::from_utf8(text).map_err(|_| Error::malformed(".npy header", "not UTF-8"))?;
    let mut literal = Literal { rest: text };
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    literal.expect('{')?;
    while !literal.skip('}') {
        let key = literal.string()?;
        literal.expect(':')?;
        match key {
            "descr" if literal.peek() == Some('[') => return Err(unread("an array of records")),
            "descr" => descr = Some(literal.string()?),
            "fortran_order" => fortran_order = Some(literal.truth()?),
            "shape" => shape = Some(literal.numbers(rank)?),
            _ => return Err(Error::malformed(".npy header", "a key that NumPy does not know")),
        }
        if !literal.skip(',') {
            literal.expect('}')?;
            break;
        }
    }
    // It is filled up with blanks: a hole that begins here goes on into the elements, and NumPy refuses it too.
    if literal.peek().is_some() {
        return Err(Error::malformed(".npy header", "something stands behind it, where NumPy writes blanks"));
    }
    let missing = |what: &'static str| Error::malformed(".npy header", what);
    Ok(NpyHeader {
        element: element(descr.ok_or_else(|| missing("it lacks descr"))?)?,
        fortran_order: fortran_order.ok_or_else(|| missing("it lacks fortran_order"))?,
        shape: shape.ok_or_else(|| missing("it lacks shape"))?,
        data_start,
    })
}

/// What a type string stands for: `<f4`, `|V2`, `<U8`.
///
/// NumPy has no bfloat16; `ml_dtypes` stores it as two bytes without meaning, and so does `ckpt print --format npy`.
fn element(descr: &str) -> Result<Element> {
    let unknown = || unread("an array of a type that has no numbers or strings");
    let (order, rest) = descr.split_at_checked(1).ok_or_else(unknown)?;
    let (kind, size) = rest.split_at_checked(1).ok_or_else(unknown)?;
    let big_endian = match order {
        "<" | "|" | "=" => false,
        ">" => true,
        _ => return Err(unknown()),
    };
    if kind == "O" {
        return Err(unread("an array of Python objects (pickled), which only Python can make"));
    }
    let size: u64 = size.parse().map_err(|_| unknown())?;
    let dtype = match (kind, size) {
        ("S" | "a", count) => return Ok(Element::Bytes(count)),
        ("U", count) => return Ok(Element::Characters { count, big_endian }),
        ("b", 1) => DType::Bool,
        ("i", 1) => DType::Int8,
        ("i", 2) => DType::Int16,
        ("i", 4) => DType::Int32,
        ("i", 8) => DType::Int64,
        ("u", 1) => DType::UInt8,
        ("u", 2) => DType::UInt16,
        ("u", 4) => DType::UInt32,
        ("u", 8) => DType::UInt64,
        ("f", 2) => DType::Float16,
        ("f", 4) => DType::Float32,
        ("f", 8) => DType::Float64,
        ("c", 8) => DType::Complex64,
        ("c", 16) => DType::Complex128,
        ("V", 2) => DType::BFloat16,
        ("V", 1) => {
            return Err(unread("one byte without meaning (a float of 8 bits or less), of which nothing says which"));
        }
        _ => return Err(unknown()),
    };
    Ok(Element::Number { dtype, big_endian })
}

fn unread(what: &'static str) -> Error {
    Error::malformed(".npy array", what)
}

/// A Python literal that is read from its beginning.
struct Literal<'t> {
    rest: &'t str,
}

impl<'t> Literal<'t> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn skip(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.rest = self.rest.get(wanted.len_utf8()..).unwrap_or_default();
        }
        is_there
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        if self.skip(wanted) {
            return Ok(());
        }
        Err(Error::malformed(".npy header", format!("`{wanted}` expected")))
    }

    fn string(&mut self) -> Result<&'t str> {
        let bad = || Error::malformed(".npy header", "a string expected");
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"')).ok_or_else(bad)?;
        let (text, rest) = self.rest.get(1..).and_then(|rest| rest.split_once(quote)).ok_or_else(bad)?;
        self.rest = rest;
        Ok(text)
    }

    fn truth(&mut self) -> Result<bool> {
        for (word, value) in [("False", false), ("True", true)] {
            if let Some(rest) = self.rest.trim_start().strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(Error::malformed(".npy header", "True or False expected"))
    }

    /// A tuple of numbers. Python 2 wrote `3L`.
    fn numbers(&mut self, most: usize) -> Result<Vec<u64>> {
        self.expect('(')?;
        let mut numbers = Vec::new();
        while !self.skip(')') {
            let rest = self.rest.trim_start();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, behind) = rest.split_at_checked(digits).unwrap_or_default();
            let number = number.parse().map_err(|_| Error::malformed(".npy header", "a dimension expected"))?;
            if numbers.len() == most {
                return Err(Error::malformed(".npy header", format!("more than {most} dimensions")));
            }
            numbers.push(number);
            self.rest = behind.strip_prefix('L').unwrap_or(behind);
            if !self.skip(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(numbers)
    }
}

/// One array and where it lies.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) header: NpyHeader,
    /// The member of the archive; `None` of a file that is the array itself.
    pub(super) member: Option<Member>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<NpyHeader> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
        bytes.extend(text.as_bytes());
        parse(&bytes, 32)
    }

    #[test]
    fn what_numpy_writes_is_read() {
        let number = |dtype, big_endian| Element::Number { dtype, big_endian };
        for (text, element, fortran_order, shape) in [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n",
                number(DType::Float32, false),
                false,
                vec![2, 3],
            ),
            ("{'descr': '>i8', 'fortran_order': True, 'shape': (5,), }\n", number(DType::Int64, true), true, vec![5]),
            ("{\"shape\": (), 'descr': '|S3', 'fortran_order': False}", Element::Bytes(3), false, vec![]),
            (
                "{'descr': '<U4', 'fortran_order': False, 'shape': (3L, 1L), }",
                Element::Characters { count: 4, big_endian: false },
                false,
                vec![3, 1],
            ),
        ] {
            let read = header(text).unwrap();
            assert_eq!((read.element, read.fortran_order, read.shape), (element, fortran_order, shape), "{text}");
            assert_eq!(read.data_start, 10 + text.len() as u64);
        }
    }

    #[test]
    fn what_is_no_array_of_numbers_is_refused_with_the_reason() {
        for (text, why) in [
            ("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "pickled"),
            ("{'descr': '|O8', 'fortran_order': False, 'shape': (2,), }", "pickled"),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "records"),
            ("{'descr': '<f4', 'fortran_order': False}", "lacks shape"),
            ("{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", "True or False"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "dimension"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "dimension"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}  \0\n", "behind it"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} {}", "behind it"),
            ("__import__('os')", "`{` expected"),
            ("", "`{` expected"),
        ] {
            let error = header(text).unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
        let many = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({})}}", "1,".repeat(33));
        assert!(header(&many).is_err());
    }
}
