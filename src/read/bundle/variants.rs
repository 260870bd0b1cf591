//! Variants: elements that carry their own lengths and checksums.
//!
//! Source: `WriteVariantTensor` and `ReadVariantTensor` in `tensor_bundle.cc`.
//!
//! ```text
//! variant tensor = for every element: varint64 n │ n bytes (VariantTensorDataProto) │ masked CRC so far
//! ```
//!
//! The checksum covers lengths as 8-byte integers.

use std::sync::Arc;

use super::reader::compare;
use super::stream::{Stream, in_place};
use super::{BundleEntry, Shards};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::tensor::{Checked, ElementReader, Sink};
use crate::read::wire::{Crc32c, MaskedCrc};

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

    /// As [`StringReader::measure`](super::StringReader::measure), of variants.
    ///
    /// # Errors
    /// If one of them is not as it must be.
    pub fn measure(mut self) -> Result<(u64, Crc32c)> {
        let mut message = Vec::new();
        while self.next < self.elements {
            let read = self.read_next(&mut message);
            read.map_err(|e| in_place(e, self.data.source()))?;
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
        let source = Arc::clone(self.data.source());
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
            self.data.release();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Checked> {
        if self.next != self.elements {
            return Ok(Checked::Not);
        }
        compare(self.crc, self.stored, self.data.source(), self.start)
    }
}
