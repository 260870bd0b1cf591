//! Strings: elements whose lengths stand before all of them.
//!
//! Source: `WriteStringTensor` and `ReadStringTensor` in `tensor_bundle.cc`.
//!
//! ```text
//! string tensor = varint64 length of every element │ masked CRC of the lengths │ the bytes of every element
//! ```
//!
//! The checksum covers lengths as 4-byte integers (8 bytes from 4 GiB on), not as the varints in the file.

use std::ops::Range;
use std::sync::Arc;

use super::reader::compare;
use super::stream::{Stream, in_place};
use super::{BundleEntry, Shards};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::storage::Source;
use crate::read::tensor::{Checked, ElementReader, Sink};
use crate::read::wire::{Crc32c, MaskedCrc};

/// Reads the elements of a `DT_STRING` entry.
#[derive(Debug)]
pub struct StringReader {
    lengths: Stream,
    data: Stream,
    /// Number of the element that comes next.
    next: u64,
    /// Checksum of the lengths, their own checksum, and the strings read so far.
    crc: Crc32c,
    complete: bool,
    elements: u64,
    stored: MaskedCrc,
    start: u64,
    longest: u64,
}

impl StringReader {
    /// A reader of `entry`. Reads all lengths once: only behind the last of them do the strings begin.
    ///
    /// # Errors
    /// If the entry or its shard are not as they must be, a length cannot be read, the lengths' checksum is wrong, or
    /// the strings run beyond the entry.
    pub fn new(shards: &Shards, entry: &BundleEntry, big_endian: bool, limits: &Limits) -> Result<Self> {
        let (source, range) = shards.locate(entry)?;
        let elements = entry.shape.elements().unwrap_or(0);
        let here = |e: Error| in_place(e, &source);
        let mut lengths = Stream::new(&source, range.clone());
        let mut crc = Crc32c::default();
        let mut data = range.clone();
        // TensorFlow's reader takes an empty tensor without looking, also where not even the checksum is stored.
        if elements > 0 || !range.is_empty() {
            let (sum, total) = sum_lengths(&mut lengths, elements, big_endian).map_err(here)?;
            let checksum_at = lengths.offset();
            let checksum = lengths.array().map_err(here)?;
            let want = if big_endian { u32::from_be_bytes(checksum) } else { u32::from_le_bytes(checksum) };
            let want = MaskedCrc(want).unmasked();
            if want != sum {
                let kind = ErrorKind::ChecksumMismatch { what: "string lengths", got: sum.0, want: want.0 };
                return Err(here(Error::new(kind).at_offset(checksum_at)));
            }
            crc = sum.extend(&checksum);
            data.start = lengths.offset();
            let available = data.end.saturating_sub(data.start);
            if total > available {
                let kind = ErrorKind::Truncated { needed: total, available };
                return Err(here(Error::new(kind).at_offset(data.start)));
            }
            // TensorFlow reads no further than the lengths say, whatever the entry's size.
            data.end = data.start.saturating_add(total);
        }
        Ok(Self {
            lengths: Stream::new(&source, range.clone()),
            data: Stream::new(&source, data),
            next: 0,
            crc,
            complete: true,
            elements,
            stored: entry.crc32c,
            start: range.start,
            longest: limits.string,
        })
    }
}

impl StringReader {
    /// Checks all strings without taking them apart: behind the lengths they are one run of bytes.
    ///
    /// # Errors
    /// [`ErrorKind::ChecksumMismatch`] or an I/O error.
    pub fn verify(mut self, mut progress: impl FnMut(u64)) -> Result<()> {
        let source = Arc::clone(self.data.source());
        let mut crc = self.crc;
        let left = self.data.left();
        let streamed = self.data.take(left, |part| {
            crc = crc.extend(part);
            progress(part.len() as u64);
        });
        streamed.map_err(|e| in_place(e, &source))?;
        compare(crc, self.stored, &source, self.start).map(|_| ())
    }
}

impl StringReader {
    /// How many bytes the strings take with their lengths, and their checksum, where no entry says either: the entry
    /// that the reader was made of may take all that is left of the shard.
    ///
    /// # Errors
    /// An I/O error.
    pub fn measure(mut self) -> Result<(u64, Crc32c)> {
        let source = Arc::clone(self.data.source());
        let end = self.data.end();
        let mut crc = self.crc;
        let left = self.data.left();
        self.data.take(left, |part| crc = crc.extend(part)).map_err(|e| in_place(e, &source))?;
        Ok((end.saturating_sub(self.start), crc))
    }
}

/// The numbers of strings that the bytes in `range` may begin with: those behind whose lengths the checksum of these
/// stands. Few, if any: a number that is wrong passes once in four billion.
///
/// # Errors
/// An I/O error.
pub fn possible_counts(source: &Arc<Source>, range: Range<u64>) -> Result<Vec<u64>> {
    let mut lengths = Stream::new(source, range.clone());
    let (mut crc, mut total, mut count) = (Crc32c::default(), 0u64, 0u64);
    let mut found = Vec::new();
    loop {
        let next = lengths.fill(4).map_err(|e| in_place(e, source))?;
        let Some(checksum) = next.first_chunk::<4>().copied() else { break };
        let strings_end = lengths.offset().checked_add(4).and_then(|at| at.checked_add(total));
        if u32::from_le_bytes(checksum) == crc.masked().0 && strings_end.is_some_and(|end| end <= range.end) {
            found.push(count);
        }
        // Behind the lengths any bytes may stand.
        let Ok(len) = lengths.varint() else { break };
        let Some(sum) = total.checked_add(len).filter(|sum| *sum <= range.end.saturating_sub(range.start)) else {
            break;
        };
        (total, count) = (sum, count.saturating_add(1));
        crc = match u32::try_from(len) {
            Ok(len) => crc.extend(&len.to_le_bytes()),
            Err(_) => crc.extend(&len.to_le_bytes()),
        };
    }
    Ok(found)
}

/// The checksum and the sum of all lengths.
fn sum_lengths(lengths: &mut Stream, elements: u64, big_endian: bool) -> Result<(Crc32c, u64)> {
    // Summing four bytes at a time costs more than reading them: they are gathered first.
    let mut gathered: Vec<u8> = Vec::with_capacity(64 << 10);
    let mut crc = Crc32c::default();
    let mut total = 0u64;
    for _ in 0..elements {
        let len = lengths.varint()?;
        let too_long = || Error::malformed("string lengths", "their sum does not fit 64 bits");
        total = total.checked_add(len).ok_or_else(too_long)?;
        match u32::try_from(len) {
            Ok(len) if big_endian => gathered.extend(len.to_be_bytes()),
            Ok(len) => gathered.extend(len.to_le_bytes()),
            Err(_) if big_endian => gathered.extend(len.to_be_bytes()),
            Err(_) => gathered.extend(len.to_le_bytes()),
        }
        if gathered.len() > (64 << 10) - 8 {
            crc = crc.extend(&gathered);
            gathered.clear();
        }
    }
    Ok((crc.extend(&gathered), total))
}

impl ElementReader for StringReader {
    fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
        let source = Arc::clone(self.data.source());
        let here = |e: Error| in_place(e, &source);
        while self.next < first {
            self.complete = false;
            self.next = self.next.saturating_add(1);
            let len = self.lengths.varint().map_err(here)?;
            self.data.skip(len);
        }
        let mut string = Vec::new();
        for _ in 0..count {
            self.next = self.next.saturating_add(1);
            let len = self.lengths.varint().map_err(here)?;
            if len > self.longest {
                let kind = ErrorKind::LimitExceeded { what: "string element", got: len, limit: self.longest };
                return Err(here(Error::new(kind).at_offset(self.data.offset())));
            }
            string.clear();
            let mut crc = self.crc;
            self.data
                .take(len, |part| {
                    crc = crc.extend(part);
                    string.extend_from_slice(part);
                })
                .map_err(here)?;
            self.crc = crc;
            sink(&string)?;
        }
        if self.next == self.elements {
            self.lengths.release();
            self.data.release();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Checked> {
        if !self.complete || self.next != self.elements {
            return Ok(Checked::Not);
        }
        // An empty tensor of no bytes has the checksum of nothing.
        compare(self.crc, self.stored, self.data.source(), self.start)
    }
}
