//! `BundleEntryProto`: what a tensor is and where its bytes lie.
//!
//! Decoded by hand: an index may hold a million of these, and generated types cost six times as much.

use std::collections::BTreeMap;

use super::header::truncate;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::tensor::{DType, Extent, Shape, TensorSlice};
use crate::read::wire::{Fields, MaskedCrc, Value};

/// One entry of a bundle, exactly as stored; nothing in it has been checked against anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleEntry {
    /// Element type.
    pub dtype: DType,
    /// Shape; for a partitioned tensor the full one.
    pub shape: Shape,
    /// Shard that holds the bytes.
    pub shard_id: i32,
    /// Offset of the first byte in the shard.
    pub offset: i64,
    /// Stored bytes.
    pub size: i64,
    /// Checksum of the bytes, masked.
    pub crc32c: MaskedCrc,
    /// Stored slices of a partitioned tensor, whose own bytes are then elsewhere; empty otherwise.
    pub slices: Vec<TensorSlice>,
}

impl BundleEntry {
    /// Decodes the message, which begins at `offset` in the index.
    ///
    /// # Errors
    /// If it is not a well-formed `BundleEntryProto` or its rank is beyond the limit.
    pub fn decode(message: &[u8], offset: u64, limits: &Limits) -> Result<Self> {
        let mut entry = Self::empty();
        // Dimensions gather here first: a message field that occurs twice is merged, as protobuf demands.
        let mut dims = Dims::default();
        let mut fields = Fields::new(message, offset);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.value) {
                (1, Value::Varint(n)) => entry.dtype = DType::from_number(truncate(n)),
                (2, Value::Bytes(shape)) => merge_shape(shape, field.offset, &mut dims, limits)?,
                (3, Value::Varint(n)) => entry.shard_id = truncate(n),
                (4, Value::Varint(n)) => entry.offset = n.cast_signed(),
                (5, Value::Varint(n)) => entry.size = n.cast_signed(),
                (6, Value::Fixed32(n)) => entry.crc32c = MaskedCrc(n),
                (7, Value::Bytes(slice)) => entry.slices.push(decode_slice(slice, field.offset)?),
                (1..=7, _) => {
                    let why = "a field has the wrong wire type";
                    return Err(Error::malformed("BundleEntryProto", why).at_offset(field.offset));
                }
                _ => {}
            }
        }
        entry.shape = dims.into_shape();
        Ok(entry)
    }

    /// What an empty message is.
    fn empty() -> Self {
        Self {
            dtype: DType::Invalid,
            shape: Shape::scalar(),
            shard_id: 0,
            offset: 0,
            size: 0,
            crc32c: MaskedCrc(0),
            slices: Vec::new(),
        }
    }

    /// Whether this entry only lists slices.
    pub fn is_partitioned(&self) -> bool {
        !self.slices.is_empty()
    }

    /// Offset and size as unsigned numbers.
    ///
    /// # Errors
    /// If one of them is negative or their sum does not fit.
    pub fn range(&self) -> Result<std::ops::Range<u64>> {
        let range = u64::try_from(self.offset).ok().zip(u64::try_from(self.size).ok());
        range.and_then(|(start, size)| Some(start..start.checked_add(size)?)).ok_or_else(|| {
            let why = format!("impossible range: offset {}, size {}", self.offset, self.size);
            Error::malformed("BundleEntryProto", why)
        })
    }

    /// Checks the stored size against dtype and shape, as `BundleReader::GetValue` does.
    ///
    /// # Errors
    /// [`ErrorKind::SizeMismatch`], or a shape whose elements cannot be counted.
    pub fn check_size(&self) -> Result<()> {
        let Some(elements) = self.shape.elements() else {
            return Err(Error::malformed("Invalid tensor shape", self.shape.to_string()));
        };
        let stored = self.size.cast_unsigned();
        match self.dtype.element_size() {
            Some(size) => {
                let Some(expected) = elements.checked_mul(size) else {
                    return Err(Error::malformed("Invalid tensor shape", self.shape.to_string()));
                };
                if stored != expected {
                    return Err(ErrorKind::SizeMismatch { stored, expected }.into());
                }
            }
            // Every string takes at least the byte of its length; TensorFlow accepts 0 for no strings.
            None if self.dtype.is_variable_length() && stored < elements => {
                let why = format!("stored size {stored}; expected size is at least {elements}");
                return Err(Error::malformed("Invalid size in bundle entry", why));
            }
            None => {}
        }
        Ok(())
    }
}

/// Decodes one entry after the other into the same memory, as a scan of an index meets them.
///
/// A million entries have a few shapes between them: each is decoded once and shared. An entry in the form in which
/// `TensorFlow` writes it is taken apart here; any other is left to [`BundleEntry::decode`], which knows all forms.
#[derive(Debug)]
pub(super) struct EntryDecoder {
    entry: BundleEntry,
    /// The message of the shape that `entry` has, if it is known.
    shape: Option<Vec<u8>>,
    /// Shapes by their messages.
    known: BTreeMap<Vec<u8>, Shape>,
}

impl EntryDecoder {
    pub(super) fn new() -> Self {
        Self { entry: BundleEntry::empty(), shape: None, known: BTreeMap::new() }
    }

    /// As [`BundleEntry::decode`].
    #[inline]
    pub(super) fn decode(&mut self, message: &[u8], offset: u64, limits: &Limits) -> Result<&BundleEntry> {
        if self.decode_plain(message, limits).is_none() {
            self.entry = BundleEntry::decode(message, offset, limits)?;
            self.shape = None;
        }
        Ok(&self.entry)
    }

    /// Decodes an entry whose fields are those of a whole tensor, each of them at most once.
    #[inline]
    fn decode_plain(&mut self, message: &[u8], limits: &Limits) -> Option<()> {
        let (mut dtype, mut shard, mut start, mut size, mut crc) = (0, 0, 0, 0, MaskedCrc(0));
        let mut shape: Option<&[u8]> = None;
        let mut rest = message;
        while let Some((tag, mut behind)) = rest.split_first() {
            match tag {
                0x08 => dtype = varint(&mut behind)?,
                0x12 if shape.is_none() => {
                    let (len, bytes) = behind.split_first().filter(|(len, _)| **len < 0x80)?;
                    (shape, behind) = bytes.split_at_checked(usize::from(*len)).map(|(s, b)| (Some(s), b))?;
                }
                0x18 => shard = varint(&mut behind)?,
                0x20 => start = varint(&mut behind)?,
                0x28 => size = varint(&mut behind)?,
                0x35 => {
                    let (bytes, after) = behind.split_first_chunk::<4>()?;
                    (crc, behind) = (MaskedCrc(u32::from_le_bytes(*bytes)), after);
                }
                _ => return None,
            }
            rest = behind;
        }
        self.set_shape(shape.unwrap_or_default(), limits)?;
        let entry = &mut self.entry;
        entry.dtype = DType::from_number(truncate(dtype));
        entry.shard_id = truncate(shard);
        (entry.offset, entry.size) = (start.cast_signed(), size.cast_signed());
        entry.crc32c = crc;
        entry.slices.clear();
        Some(())
    }

    /// Gives the entry the shape of this message.
    #[inline]
    fn set_shape(&mut self, message: &[u8], limits: &Limits) -> Option<()> {
        const MOST: usize = 4096;
        if self.shape.as_deref() == Some(message) {
            return Some(());
        }
        self.entry.shape = if let Some(shape) = self.known.get(message) {
            shape.clone()
        } else {
            let shape = decode_shape(message, 0, limits).ok()?;
            if self.known.len() < MOST {
                self.known.insert(message.to_vec(), shape.clone());
            }
            shape
        };
        let last = self.shape.get_or_insert_default();
        last.clear();
        last.extend_from_slice(message);
        Some(())
    }
}

/// A number in groups of seven bits; none if it has more than nine of them, which only a negative one has.
#[inline]
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in 0..9u32 {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f).wrapping_shl(shift.wrapping_mul(7));
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Dimensions of common ranks without an allocation before the final one.
#[derive(Default)]
struct Dims {
    inline: [i64; 8],
    len: usize,
    more: Vec<i64>,
}

impl Dims {
    fn push(&mut self, dim: i64) {
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = dim,
            None => self.more.push(dim),
        }
        self.len = self.len.saturating_add(1);
    }

    fn into_shape(self) -> Shape {
        let inline = self.inline.get(..self.len.min(8)).unwrap_or_default();
        if self.more.is_empty() {
            return Shape::new(inline);
        }
        Shape::new(inline.iter().copied().chain(self.more).collect::<Vec<i64>>())
    }
}

/// Decodes a `TensorShapeProto`. `unknown_rank` is ignored: TensorFlow's reader takes such an entry for a scalar.
///
/// # Errors
/// If it is not a well-formed message or its rank is beyond the limit.
pub fn decode_shape(message: &[u8], offset: u64, limits: &Limits) -> Result<Shape> {
    let mut dims = Dims::default();
    merge_shape(message, offset, &mut dims, limits)?;
    Ok(dims.into_shape())
}

fn merge_shape(message: &[u8], offset: u64, dims: &mut Dims, limits: &Limits) -> Result<()> {
    let mut fields = Fields::new(message, offset);
    while let Some(field) = fields.next_field()? {
        match (field.number, field.value) {
            (2, Value::Bytes(dim)) => {
                if dims.len >= limits.rank {
                    let (got, limit) = (dims.len.saturating_add(1) as u64, limits.rank as u64);
                    let kind = ErrorKind::LimitExceeded { what: "rank", got, limit };
                    return Err(Error::new(kind).at_offset(field.offset));
                }
                let mut size = 0;
                let mut fields = Fields::new(dim, field.offset);
                while let Some(field) = fields.next_field()? {
                    if let (1, Value::Varint(n)) = (field.number, field.value) {
                        size = n.cast_signed();
                    }
                }
                dims.push(size);
            }
            (2, _) => {
                let why = "a field has the wrong wire type";
                return Err(Error::malformed("TensorShapeProto", why).at_offset(field.offset));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Decodes a `TensorSliceProto`. The presence of `length` is kept: it is part of the slice's key.
///
/// # Errors
/// If it is not a well-formed message.
pub fn decode_slice(message: &[u8], offset: u64) -> Result<TensorSlice> {
    let mut extents = Vec::new();
    let mut fields = Fields::new(message, offset);
    while let Some(field) = fields.next_field()? {
        if let (1, Value::Bytes(extent)) = (field.number, field.value) {
            let mut decoded = Extent { start: 0, length: None };
            let mut fields = Fields::new(extent, field.offset);
            while let Some(field) = fields.next_field()? {
                match (field.number, field.value) {
                    (1, Value::Varint(n)) => decoded.start = n.cast_signed(),
                    (2, Value::Varint(n)) => decoded.length = Some(n.cast_signed()),
                    _ => {}
                }
            }
            extents.push(decoded);
        }
    }
    Ok(TensorSlice(extents))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(message: &[u8]) -> Result<BundleEntry> {
        BundleEntry::decode(message, 0, &Limits::default())
    }

    // The entry of tensor `mat`, float [2,3], in a file that TensorFlow 2.21 wrote.
    #[test]
    fn an_entry_that_tensorflow_wrote() {
        let bytes = [8, 1, 0x12, 8, 0x12, 2, 8, 2, 0x12, 2, 8, 3, 0x28, 0x18, 0x35, 0x6b, 0x3e, 0x3a, 0xa8];
        let entry = decode(&bytes).unwrap();
        assert_eq!((entry.dtype, entry.size, entry.offset), (DType::Float32, 24, 0));
        assert_eq!(entry.shape, Shape::new([2, 3]));
        assert_eq!(entry.crc32c, MaskedCrc(0xa83a_3e6b));
        entry.check_size().unwrap();
    }

    // The quick way must say what the thorough one says, or leave it to that.
    #[test]
    fn both_ways_of_decoding_agree() {
        let plain =
            [8, 1, 0x12, 8, 0x12, 2, 8, 2, 0x12, 2, 8, 3, 0x20, 0x80, 1, 0x28, 0x18, 0x35, 0x6b, 0x3e, 0x3a, 0xa8];
        let mut decoder = EntryDecoder::new();
        let limits = Limits::default();
        let mut agree = |message: &[u8]| {
            let quick = decoder.decode(message, 7, &limits).cloned().map_err(|e| e.to_string());
            assert_eq!(quick, BundleEntry::decode(message, 7, &limits).map_err(|e| e.to_string()), "{message:x?}");
        };
        agree(&[]);
        agree(&plain);
        for at in 0..plain.len() {
            agree(&plain[..at]);
            for byte in 0..=255 {
                let mut changed = plain;
                changed[at] = byte;
                agree(&changed);
                agree(&plain);
            }
        }
        agree(&[0x12, 2, 0x12, 0, 0x12, 2, 0x12, 0]);
        agree(&[0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
        agree(&[8, 1, 0x3a, 8, 0x0a, 0, 0x0a, 4, 8, 2, 0x10, 3]);
    }

    #[test]
    fn a_zero_dimension_is_an_empty_message() {
        let entry = decode(&[8, 1, 0x12, 2, 0x12, 0]).unwrap();
        assert_eq!(entry.shape, Shape::new([0]));
        entry.check_size().unwrap();
    }

    #[test]
    fn slices_keep_the_presence_of_their_length() {
        let entry = decode(&[8, 1, 0x3a, 8, 0x0a, 0, 0x0a, 4, 8, 2, 0x10, 3]).unwrap();
        assert_eq!(entry.slices[0].to_string(), "-:2,3");
    }

    #[test]
    fn more_dimensions_than_a_tensor_can_have_are_refused() {
        let mut shape = vec![0x12, 0xd8, 0x04];
        shape.extend(std::iter::repeat_n([0x12, 0], 300).flatten());
        assert!(matches!(decode(&shape).unwrap_err().kind(), ErrorKind::LimitExceeded { .. }));
    }

    #[test]
    fn a_size_that_contradicts_the_shape_is_refused() {
        let entry = decode(&[8, 1, 0x28, 8]).unwrap();
        let error = entry.check_size().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::SizeMismatch { stored: 8, expected: 4 }));
    }
}
