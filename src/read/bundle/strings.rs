//! Strings and variants: elements that carry their own lengths.
//!
//! Source: `WriteStringTensor`, `WriteVariantTensor` and their readers in `tensor_bundle.cc`.
//!
//! ```text
//! string tensor  = varint64 length of every element │ masked CRC of the lengths │ the bytes of every element
//! variant tensor = for every element: varint64 n │ n bytes (VariantTensorDataProto) │ masked CRC so far
//! ```
//!
//! A string tensor's checksum covers its lengths as 4-byte integers (8 bytes from 4 GiB on), not as the varints in the
//! file; a variant's covers 8-byte lengths.

use std::ops::Range;
use std::sync::Arc;

use super::reader::{WINDOW, compare};
use super::{BundleEntry, Shards};
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::limits::Limits;
use crate::read::storage::Source;
use crate::read::tensor::{Checked, ElementReader, Sink};
use crate::read::wire::{Crc32c, Cursor, MaskedCrc};

/// Bytes of a shard, front to back, through a window.
#[derive(Debug)]
struct Stream {
    source: Arc<Source>,
    at: u64,
    end: u64,
    window: Vec<u8>,
    used: usize,
}

impl Stream {
    fn new(source: &Arc<Source>, range: Range<u64>) -> Self {
        Self { source: Arc::clone(source), at: range.start, end: range.end, window: Vec::new(), used: 0 }
    }

    /// Offset in the file of the next byte.
    fn offset(&self) -> u64 {
        self.at.saturating_sub(self.window.len().saturating_sub(self.used) as u64)
    }

    /// Bytes left in the range.
    fn left(&self) -> u64 {
        self.end.saturating_sub(self.offset())
    }

    /// The unread part of the window, at least `least` bytes of it unless the range ends before.
    fn fill(&mut self, least: usize) -> Result<&[u8]> {
        if self.window.len().saturating_sub(self.used) < least && self.at < self.end {
            self.window.drain(..self.used);
            self.used = 0;
            let kept = self.window.len();
            let more = self.end.saturating_sub(self.at).min(WINDOW);
            self.window.resize(kept.saturating_add(usize::try_from(more).unwrap_or(0)), 0);
            let fresh = self.window.get_mut(kept..).unwrap_or_default();
            self.source.read_exact_at(fresh, self.at).map_err(|e| e.at_part(Part::TensorData))?;
            self.at = self.at.saturating_add(more);
        }
        Ok(self.window.get(self.used..).unwrap_or_default())
    }

    fn varint(&mut self) -> Result<u64> {
        let offset = self.offset();
        let mut cursor = Cursor::new(self.fill(10)?, offset);
        let value = cursor.varint64()?;
        let read = cursor.offset().saturating_sub(offset);
        self.used = self.used.saturating_add(usize::try_from(read).unwrap_or(0));
        Ok(value)
    }

    fn array(&mut self) -> Result<[u8; 4]> {
        let offset = self.offset();
        let array = Cursor::new(self.fill(4)?, offset).array()?;
        self.used = self.used.saturating_add(4);
        Ok(array)
    }

    /// Passes the next `len` bytes to `part`, a window at a time.
    fn take(&mut self, mut len: u64, mut part: impl FnMut(&[u8])) -> Result<()> {
        if len > self.left() {
            let (needed, available) = (len, self.left());
            return Err(Error::new(ErrorKind::Truncated { needed, available }).at_offset(self.offset()));
        }
        while len > 0 {
            let bytes = self.fill(1)?;
            let n = usize::try_from(len).unwrap_or(usize::MAX).min(bytes.len());
            part(bytes.get(..n).unwrap_or_default());
            self.used = self.used.saturating_add(n);
            len = len.saturating_sub(n as u64);
        }
        Ok(())
    }

    /// Moves on by `len` bytes without reading what is not in the window already.
    fn skip(&mut self, len: u64) {
        let in_window = self.window.len().saturating_sub(self.used);
        match usize::try_from(len) {
            Ok(len) if len <= in_window => self.used = self.used.saturating_add(len),
            _ => {
                self.at = self.offset().saturating_add(len).min(self.end);
                self.window.clear();
                self.used = 0;
            }
        }
    }
}

fn in_place(error: Error, source: &Source) -> Error {
    error.at_part(Part::TensorData).in_file(source.path())
}

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
        let source = Arc::clone(&self.data.source);
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
        let source = Arc::clone(&self.data.source);
        let end = self.data.end;
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
        let source = Arc::clone(&self.data.source);
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
            // A tensor of many slices must not keep windows for those that were read.
            self.lengths.window = Vec::new();
            self.data.window = Vec::new();
            (self.lengths.used, self.data.used) = (0, 0);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Checked> {
        if !self.complete || self.next != self.elements {
            return Ok(Checked::Not);
        }
        // An empty tensor of no bytes has the checksum of nothing.
        compare(self.crc, self.stored, &self.data.source, self.start)
    }
}

/// Reads the elements of a `DT_VARIANT` entry: serialized `VariantTensorDataProto` messages.
#[derive(Debug)]
pub struct VariantReader {
    data: Stream,
    next: u64,
    crc: Crc32c,
    elements: u64,
    stored: MaskedCrc,
    start: u64,
    longest: u64,
}

impl VariantReader {
    /// A reader of `entry`; nothing is read yet.
    ///
    /// # Errors
    /// If the entry or its shard are not as they must be, or the bundle is big-endian, which TensorFlow does not
    /// define for variants.
    pub fn new(shards: &Shards, entry: &BundleEntry, big_endian: bool, limits: &Limits) -> Result<Self> {
        if big_endian {
            let why = "variant in a big-endian bundle (TensorFlow does not define it)";
            return Err(ErrorKind::UnsupportedDType(why.to_owned()).into());
        }
        let (source, range) = shards.locate(entry)?;
        Ok(Self {
            start: range.start,
            data: Stream::new(&source, range),
            next: 0,
            crc: Crc32c::default(),
            elements: entry.shape.elements().unwrap_or(0),
            stored: entry.crc32c,
            longest: limits.string,
        })
    }

    /// As [`StringReader::measure`], of variants.
    ///
    /// # Errors
    /// If one of them is not as it must be.
    pub fn measure(mut self) -> Result<(u64, Crc32c)> {
        let mut message = Vec::new();
        while self.next < self.elements {
            let read = self.read_next(&mut message);
            read.map_err(|e| in_place(e, &self.data.source))?;
        }
        Ok((self.data.offset().saturating_sub(self.start), self.crc))
    }

    fn read_next(&mut self, message: &mut Vec<u8>) -> Result<()> {
        self.next = self.next.saturating_add(1);
        let len = self.data.varint()?;
        if len > self.longest {
            let kind = ErrorKind::LimitExceeded { what: "variant element", got: len, limit: self.longest };
            return Err(Error::new(kind).at_offset(self.data.offset()));
        }
        message.clear();
        let mut crc = self.crc.extend(&len.to_le_bytes());
        self.data.take(len, |part| {
            crc = crc.extend(part);
            message.extend_from_slice(part);
        })?;
        let checksum_at = self.data.offset();
        let checksum = self.data.array()?;
        let want = MaskedCrc(u32::from_le_bytes(checksum)).unmasked();
        if want != crc {
            let kind = ErrorKind::ChecksumMismatch { what: "variant", got: crc.0, want: want.0 };
            return Err(Error::new(kind).at_offset(checksum_at));
        }
        self.crc = crc.extend(&checksum);
        Ok(())
    }
}

impl ElementReader for VariantReader {
    fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
        let source = Arc::clone(&self.data.source);
        let end = first.saturating_add(count);
        let mut message = Vec::new();
        // The checksum runs over all elements: those before the first wanted one are read too.
        while self.next < end {
            let wanted = self.next >= first;
            self.read_next(&mut message).map_err(|e| in_place(e, &source))?;
            if wanted {
                sink(&message)?;
            }
        }
        if self.next == self.elements {
            self.data.window = Vec::new();
            self.data.used = 0;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Checked> {
        if self.next != self.elements {
            return Ok(Checked::Not);
        }
        compare(self.crc, self.stored, &self.data.source, self.start)
    }
}
