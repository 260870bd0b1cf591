//! One record of an event file: read through a window, summed as its bytes go by, its fields walked.
//!
//! TensorFlow: the framing is `lib/io/record_{reader,writer}.cc`, the message `core/util/event.proto`. Nothing of a
//! record is held: summaries with images have megabytes, and of an event only its time and step are wanted.

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::storage::Source;
use crate::read::wire::{Crc32c, MaskedCrc};

/// Length and its checksum, before the bytes of a record.
pub(super) const HEADER: u64 = 12;

/// The checksum behind them.
pub(super) const FOOTER: u64 = 4;

/// How much is read at a time.
const WINDOW: usize = 64 << 10;

/// The time and step of one event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Event {
    pub(super) time: f64,
    pub(super) step: i64,
}

/// A file read forward through one window.
pub(super) struct Stream<'s> {
    source: &'s Source,
    /// Offset of the next byte.
    pub(super) at: u64,
    window: Vec<u8>,
    /// Offset of the window.
    start: u64,
}

impl<'s> Stream<'s> {
    /// A file from its beginning.
    pub(super) fn new(source: &'s Source) -> Self {
        Self { source, at: 0, window: Vec::new(), start: 0 }
    }

    /// At least one byte at the current offset, which lies in the file, and at most `most`.
    fn view(&mut self, most: u64) -> Result<&[u8]> {
        let end = self.start.saturating_add(self.window.len() as u64);
        if self.at < self.start || self.at >= end {
            let left = self.source.len().saturating_sub(self.at).min(WINDOW as u64);
            self.window.resize(usize::try_from(left).unwrap_or(WINDOW), 0);
            self.source.read_exact_at(&mut self.window, self.at)?;
            self.start = self.at;
        }
        let from = usize::try_from(self.at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let rest = self.window.get(from..).unwrap_or_default();
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(rest.len());
        rest.get(..most).filter(|view| !view.is_empty()).ok_or_else(|| {
            let kind = ErrorKind::Truncated { needed: 1, available: 0 };
            Error::new(kind).at_offset(self.at)
        })
    }

    /// The next bytes, which lie in the file.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut rest = buffer;
        while !rest.is_empty() {
            let part = self.view(rest.len() as u64)?;
            let n = part.len();
            let (now, later) = rest.split_at_mut_checked(n).unwrap_or_default();
            now.copy_from_slice(part);
            rest = later;
            self.at = self.at.saturating_add(n as u64);
        }
        Ok(())
    }

    /// The event in a record of `length` bytes, which lie in the file with their checksum. The inner error is about the
    /// record: it was read to its end, and the next one follows.
    pub(super) fn record(&mut self, length: u64) -> Result<Result<Event>> {
        let mut body = Body { stream: self, left: length, crc: Crc32c::default() };
        let event = body.event()?;
        let left = body.left;
        body.skip(left)?;
        let got = body.crc;
        let mut stored = [0; 4];
        self.fill(&mut stored)?;
        let want = MaskedCrc(u32::from_le_bytes(stored)).unmasked();
        if got != want {
            let kind = ErrorKind::ChecksumMismatch { what: "record", got: got.0, want: want.0 };
            return Ok(Err(Error::new(kind)));
        }
        Ok(event.ok_or_else(|| Error::malformed("record", "its checksum is right, but it holds no event")))
    }
}

/// The bytes of one record, summed as they go by.
struct Body<'b, 's> {
    stream: &'b mut Stream<'s>,
    left: u64,
    crc: Crc32c,
}

impl Body<'_, '_> {
    fn skip(&mut self, count: u64) -> Result<()> {
        let mut count = count;
        while count > 0 {
            let part = self.stream.view(count)?;
            self.crc = self.crc.extend(part);
            let n = part.len() as u64;
            self.stream.at = self.stream.at.saturating_add(n);
            self.left = self.left.saturating_sub(n);
            count = count.saturating_sub(n);
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        if self.left == 0 {
            return Ok(None);
        }
        let byte = self.stream.view(1)?.first().copied();
        self.skip(1)?;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<Option<u64>> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(byte) = self.byte()? else { return Ok(None) };
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Walks the fields of an `Event`; `None` if it is none. Values are passed over, however long they are.
    fn event(&mut self) -> Result<Option<Event>> {
        let mut event = Event::default();
        while self.left > 0 {
            let Some(tag) = self.varint()? else { return Ok(None) };
            match (tag >> 3, tag & 7) {
                (0, _) => return Ok(None),
                (1, 1) if self.left >= 8 => {
                    let mut bits = 0;
                    for shift in (0..64).step_by(8) {
                        bits |= u64::from(self.byte()?.unwrap_or_default()) << shift;
                    }
                    event.time = f64::from_bits(bits);
                }
                (number, 0) => {
                    let Some(value) = self.varint()? else { return Ok(None) };
                    if number == 2 {
                        event.step = value.cast_signed();
                    }
                }
                (_, wire @ (1 | 5)) => {
                    let size = if wire == 1 { 8 } else { 4 };
                    if self.left < size {
                        return Ok(None);
                    }
                    self.skip(size)?;
                }
                (_, 2) => match self.varint()? {
                    Some(len) if len <= self.left => self.skip(len)?,
                    _ => return Ok(None),
                },
                _ => return Ok(None),
            }
        }
        Ok(Some(event))
    }
}
