//! The values of one V1 tensor: a `TensorProto` that has neither dtype nor shape, read in order.

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::tensor::{Checked, DType, ElementReader, Sink};
use crate::read::wire::{Cursor, Fields, Value};

/// The values in a `TensorProto`, in order: packed or not, in as many pieces as the writer liked.
#[derive(Clone, Debug)]
pub(super) struct Values<'a> {
    fields: Fields<'a>,
    packed: Cursor<'a>,
    /// Field of `TensorProto` that holds values of the dtype, and how one is encoded there.
    number: u32,
    encoding: Encoding,
    /// Values that make one element: two of a complex number.
    pub(super) parts: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// Little-endian on the wire, as in memory: bytes of one value.
    Fixed(usize),
    /// A varint, of which so many low bytes are the value.
    Varint(usize),
    /// One string.
    Bytes,
}

impl<'a> Values<'a> {
    pub(super) fn new(message: &'a [u8], offset: u64, dtype: DType) -> Result<Self> {
        use Encoding::{Bytes, Fixed, Varint};
        let (number, encoding) = match dtype {
            DType::Float32 => (5, Fixed(4)),
            DType::Float64 => (6, Fixed(8)),
            DType::Int32 | DType::QInt32 => (7, Varint(4)),
            DType::Int16 | DType::UInt16 | DType::QInt16 | DType::QUInt16 => (7, Varint(2)),
            DType::Int8 | DType::UInt8 | DType::QInt8 | DType::QUInt8 => (7, Varint(1)),
            DType::String => (8, Bytes),
            DType::Complex64 => (9, Fixed(4)),
            DType::Int64 => (10, Varint(8)),
            DType::Bool => (11, Varint(1)),
            DType::Complex128 => (12, Fixed(8)),
            DType::Float16 | DType::BFloat16 => (13, Varint(2)),
            DType::UInt32 => (16, Varint(4)),
            DType::UInt64 => (17, Varint(8)),
            other => return Err(ErrorKind::UnsupportedDType(format!("{other} in a V1 checkpoint")).into()),
        };
        let packed = Cursor::new(&[], offset);
        let parts = if matches!(dtype, DType::Complex64 | DType::Complex128) { 2 } else { 1 };
        Ok(Self { fields: Fields::new(message, offset), packed, number, encoding, parts })
    }

    /// The number of values left.
    pub(super) fn count(mut self) -> Result<u64> {
        let mut count = 0u64;
        while let Some(run) = self.next_run(u64::MAX)? {
            count = count.saturating_add(run.values(self.encoding));
        }
        Ok(count)
    }

    /// The next values that lie together, at most `most` of them.
    fn next_run(&mut self, most: u64) -> Result<Option<Run<'a>>> {
        loop {
            if !self.packed.is_empty() {
                return match self.encoding {
                    Encoding::Fixed(size) => {
                        let wanted = usize::try_from(most).unwrap_or(usize::MAX).saturating_mul(size);
                        let whole = self.packed.rest().len().checked_div(size).unwrap_or(0).saturating_mul(size);
                        if whole == 0 {
                            let error = Error::malformed("V1 tensor", "a part of a number");
                            return Err(error.at_offset(self.packed.offset()));
                        }
                        Ok(Some(Run::Fixed(self.packed.take(wanted.min(whole))?)))
                    }
                    _ => Ok(Some(Run::Varint(self.packed.varint64()?))),
                };
            }
            let Some(field) = self.fields.next_field()? else { return Ok(None) };
            if field.number != self.number {
                continue;
            }
            match (field.value, self.encoding) {
                (Value::Bytes(string), Encoding::Bytes) => return Ok(Some(Run::Bytes(string))),
                (Value::Bytes(packed), _) => self.packed = Cursor::new(packed, field.offset),
                (Value::Varint(n), Encoding::Varint(_)) => return Ok(Some(Run::Varint(n))),
                // Unpacked numbers, which no known writer makes but protobuf allows.
                (Value::Fixed32(n), Encoding::Fixed(4)) => return Ok(Some(Run::One(n.to_le_bytes().to_vec()))),
                (Value::Fixed64(n), Encoding::Fixed(8)) => return Ok(Some(Run::One(n.to_le_bytes().to_vec()))),
                _ => {
                    let error = Error::malformed("TensorProto", "values of the wrong wire type");
                    return Err(error.at_offset(field.offset));
                }
            }
        }
    }
}

/// Values that lie together.
enum Run<'a> {
    Fixed(&'a [u8]),
    One(Vec<u8>),
    Varint(u64),
    Bytes(&'a [u8]),
}

impl Run<'_> {
    fn values(&self, encoding: Encoding) -> u64 {
        match (self, encoding) {
            (Run::Fixed(bytes), Encoding::Fixed(size)) => bytes.len().checked_div(size).unwrap_or(0) as u64,
            _ => 1,
        }
    }
}

/// Reads the elements of one V1 slice. What it reads has been checked: by the checksum of the block that it lies in.
pub(super) struct Reader<'a> {
    values: Values<'a>,
    /// Number of the value that comes next.
    next: u64,
    /// The beginning of an element whose other part stands in another piece of the field.
    begun: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// A reader of `values` from the first on.
    pub(super) fn new(values: Values<'a>) -> Self {
        Self { values, next: 0, begun: Vec::new() }
    }

    /// Hands whole elements on, and keeps what is none yet.
    fn pass_on(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        let element = match self.values.encoding {
            Encoding::Fixed(size) if self.values.parts > 1 => size.saturating_mul(2),
            _ => return sink(bytes),
        };
        let whole = |bytes: &[u8]| bytes.len().saturating_sub(bytes.len().checked_rem(element).unwrap_or(0));
        if self.begun.is_empty() && whole(bytes) == bytes.len() {
            return sink(bytes);
        }
        self.begun.extend_from_slice(bytes);
        let whole = whole(&self.begun);
        if whole > 0 {
            sink(self.begun.get(..whole).unwrap_or_default())?;
            self.begun.drain(..whole);
        }
        Ok(())
    }
}

impl ElementReader for Reader<'_> {
    fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
        let Values { encoding, parts, .. } = self.values;
        let end = first.saturating_add(count).saturating_mul(parts);
        let first = first.saturating_mul(parts);
        while self.next < end {
            let wanted = self.next >= first;
            let most = if wanted { end } else { first }.saturating_sub(self.next);
            let Some(run) = self.values.next_run(most)? else {
                return Err(Error::malformed("V1 tensor", "its values end early"));
            };
            self.next = self.next.saturating_add(run.values(encoding));
            if !wanted {
                continue;
            }
            match (&run, encoding) {
                (Run::Fixed(bytes) | Run::Bytes(bytes), _) => self.pass_on(bytes, sink)?,
                (Run::One(bytes), _) => self.pass_on(bytes, sink)?,
                (Run::Varint(n), Encoding::Varint(size)) => {
                    sink(n.to_le_bytes().get(..size).unwrap_or_default())?;
                }
                (Run::Varint(_), _) => {}
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Checked> {
        Ok(Checked::Verified)
    }
}
