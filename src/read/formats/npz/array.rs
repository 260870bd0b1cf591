//! Elements of an array that is no run of little-endian numbers in C order: deflated, big-endian, strings, or in the
//! order of Fortran.

use std::io::Read;
use std::sync::Arc;

use super::header::{Array, Element};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::storage::Source;
use crate::read::storage::archive::{Archive, MemberReader};
use crate::read::tensor::{Checked, ElementReader, Sink, swap_to_little};

/// Bytes taken at a time.
const WINDOW: u64 = 64 << 10;

/// Reads elements in increasing order, and the checksum of the archive's member on the way.
pub(super) struct ArrayReader {
    element: Element,
    size: u64,
    from: From,
}

enum From {
    /// In the order in which they are asked for.
    Stream { reader: MemberReader, data_start: u64 },
    /// All bytes in memory, first index fastest.
    Fortran { bytes: Vec<u8>, shape: Vec<u64>, checked: Checked },
}

impl ArrayReader {
    /// A reader of one array. Of one in C order nothing is read yet; one in the order of Fortran is read whole, since
    /// its neighbours in C order lie far apart.
    ///
    /// # Errors
    /// If it cannot be read, or is in the order of Fortran and longer than a message may be.
    pub(super) fn open(
        source: &Arc<Source>,
        archive: Option<&Archive>,
        array: &Array,
        limits: &Limits,
    ) -> Result<Self> {
        let header = &array.header;
        let element = header.element;
        let size = element.size().ok_or_else(|| Error::malformed(".npy header", "elements of no size"))?;
        let reader = match (archive, &array.member) {
            (Some(archive), Some(member)) => archive.reader(member)?,
            _ => MemberReader::of_file(source),
        };
        let (mut reader, data_start) = (reader, header.data_start);
        if !header.fortran_order || header.shape.len() < 2 {
            return Ok(Self { element, size, from: From::Stream { reader, data_start } });
        }
        let elements = header.shape.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim));
        let bytes = elements.and_then(|n| n.checked_mul(size)).unwrap_or(u64::MAX);
        if bytes > limits.message {
            let kind =
                ErrorKind::LimitExceeded { what: "array in the order of Fortran", got: bytes, limit: limits.message };
            return Err(Error::from(kind).with_help("np.ascontiguousarray before np.save writes it in C order"));
        }
        let mut all = Vec::new();
        forward(&mut reader, data_start, 0, bytes, &mut |part| {
            all.extend_from_slice(part);
            Ok(())
        })?;
        let checked = finish(&reader)?;
        Ok(Self { element, size, from: From::Fortran { bytes: all, shape: header.shape.clone(), checked } })
    }
}

/// Hands the bytes from `at` on out, counted from the first element; never backwards.
fn forward(
    reader: &mut MemberReader,
    data_start: u64,
    at: u64,
    len: u64,
    each: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let io = |error| Error::from(ErrorKind::Io(error));
    let ahead = data_start.saturating_add(at).checked_sub(reader.position());
    let mut skip = ahead.ok_or_else(|| Error::malformed(".npy array", "elements were asked for out of order"))?;
    let mut window = Vec::new();
    while skip > 0 {
        window.resize(usize::try_from(skip.min(WINDOW)).unwrap_or(0), 0);
        reader.read_exact(&mut window).map_err(io)?;
        skip = skip.saturating_sub(window.len() as u64);
    }
    let mut left = len;
    while left > 0 {
        window.resize(usize::try_from(left.min(WINDOW)).unwrap_or(0), 0);
        reader.read_exact(&mut window).map_err(io)?;
        each(&window)?;
        left = left.saturating_sub(window.len() as u64);
    }
    Ok(())
}

fn finish(reader: &MemberReader) -> Result<Checked> {
    Ok(if reader.finish()? { Checked::Verified } else { Checked::Not })
}

impl ElementReader for ArrayReader {
    fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
        let (element, size) = (self.element, self.size);
        if size == 0 {
            // Empty strings, of which nothing is stored.
            return (0..count).try_for_each(|_| sink(&[]));
        }
        match &mut self.from {
            From::Fortran { bytes, shape, .. } => {
                let mut own = Vec::new();
                for n in first..first.saturating_add(count) {
                    let at = usize::try_from(fortran(n, shape).saturating_mul(size)).unwrap_or(usize::MAX);
                    let size = usize::try_from(size).unwrap_or(usize::MAX);
                    let stored = bytes.get(at..at.saturating_add(size)).unwrap_or_default();
                    own.clear();
                    own.extend_from_slice(stored);
                    hand_out(element, &mut own, sink)?;
                }
                Ok(())
            }
            From::Stream { reader, data_start } => {
                // Whole elements at a time, one if it is longer than the window.
                let step = (WINDOW / size).max(1);
                let mut at = first;
                let end = first.saturating_add(count);
                let mut own = Vec::new();
                while at < end {
                    let take = step.min(end.saturating_sub(at));
                    own.clear();
                    let len = take.saturating_mul(size);
                    forward(reader, *data_start, at.saturating_mul(size), len, &mut |part| {
                        own.extend_from_slice(part);
                        Ok(())
                    })?;
                    hand_out(element, &mut own, sink)?;
                    at = at.saturating_add(take);
                }
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> Result<Checked> {
        match &self.from {
            From::Fortran { checked, .. } => Ok(*checked),
            From::Stream { reader, .. } => finish(reader),
        }
    }
}

/// Where the element with number `n` in C order lies in the order of Fortran.
fn fortran(n: u64, shape: &[u64]) -> u64 {
    let (mut rest, mut at) = (n, 0u64);
    // Strides of the order of Fortran are products of the dimensions before.
    let mut stride: u64 = shape.iter().fold(1, |n, dim| n.saturating_mul(*dim));
    for &dim in shape.iter().rev() {
        stride = stride.checked_div(dim).unwrap_or(0);
        let index = rest.checked_rem(dim).unwrap_or(0);
        rest = rest.checked_div(dim).unwrap_or(0);
        at = at.saturating_add(index.saturating_mul(stride));
    }
    at
}

/// Hands stored elements out as numbers in little-endian order, or strings one at a time.
fn hand_out(element: Element, stored: &mut [u8], sink: &mut Sink<'_>) -> Result<()> {
    match element {
        Element::Number { dtype, big_endian } => {
            if big_endian {
                swap_to_little(dtype, stored);
            }
            sink(stored)
        }
        Element::Bytes(len) => each_string(stored, len, &mut |bytes| {
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
            sink(bytes.get(..end).unwrap_or_default())
        }),
        Element::Characters { count, big_endian } => each_string(stored, count.saturating_mul(4), &mut |bytes| {
            let (characters, _) = bytes.as_chunks::<4>();
            let number = |c: &[u8; 4]| if big_endian { u32::from_be_bytes(*c) } else { u32::from_le_bytes(*c) };
            let text: Vec<u32> = characters.iter().map(number).collect();
            let end = text.iter().rposition(|c| *c != 0).map_or(0, |last| last.saturating_add(1));
            let text = text.get(..end).unwrap_or_default().iter();
            let text: String = text.map(|c| char::from_u32(*c).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            sink(text.as_bytes())
        }),
    }
}

fn each_string(stored: &[u8], len: u64, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let len = usize::try_from(len).unwrap_or(usize::MAX).max(1);
    stored.chunks_exact(len).try_for_each(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_c_order_are_found_in_the_order_of_fortran() {
        // np.arange(24).reshape(2, 3, 4): where each lies after np.asfortranarray.
        let want: Vec<u64> = (0..24u64).map(|n| n / 12 + (n / 4 % 3) * 2 + (n % 4) * 6).collect();
        let got: Vec<u64> = (0..24).map(|n| fortran(n, &[2, 3, 4])).collect();
        assert_eq!(got, want);
        assert_eq!(fortran(0, &[0, 3]), 0);
    }

    #[test]
    fn strings_lose_the_zeros_behind_them() {
        let read = |element, bytes: &[u8]| {
            let mut all: Vec<Vec<u8>> = Vec::new();
            hand_out(element, &mut bytes.to_vec(), &mut |string| {
                all.push(string.to_vec());
                Ok(())
            })
            .unwrap();
            all
        };
        assert_eq!(read(Element::Bytes(3), b"ab\0\0x\0"), [&b"ab"[..], b"\0x"]);
        let characters = Element::Characters { count: 2, big_endian: true };
        assert_eq!(read(characters, &[0, 0, 0, 0xe9, 0, 0, 0, 0]), ["é".as_bytes()]);
    }
}
