//! Walking the fields of one protobuf message without decoding it.
//!
//! Generated types cost six times a direct walk for the small entries of a large index, and they cannot skip a graph
//! of hundreds of megabytes to reach the field behind it. Where neither matters, the bindings in `pb` are used.

use super::Cursor;
use crate::base::error::{Error, Result};

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// The field number.
    pub number: u32,
    /// The undecoded value.
    pub value: Value<'a>,
    /// Absolute offset of the value (of the first byte behind the length, for bytes).
    pub offset: u64,
}

/// A value as the wire has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: a string, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
    /// Wire type 3: a group, which no message here uses; its fields have been skipped.
    Group,
}

/// Iterates over the fields of a message.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Fields<'a> {
    /// The fields of `message`, which begins at `offset` in its file.
    pub fn new(message: &'a [u8], offset: u64) -> Self {
        Self { cursor: Cursor::new(message, offset) }
    }

    /// The next field, `None` at the end of the message.
    ///
    /// # Errors
    /// If a tag, a length or a value runs past the message, or a wire type is unknown.
    #[inline]
    pub fn next_field(&mut self) -> Result<Option<Field<'a>>> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        let start = self.cursor.offset();
        let tag = self.cursor.varint32()?;
        let number = tag >> 3;
        if number == 0 {
            return Err(Error::malformed("protobuf message", "field number 0").at_offset(start));
        }
        let mut offset = self.cursor.offset();
        let value = match tag & 7 {
            0 => Value::Varint(self.cursor.varint64()?),
            1 => Value::Fixed64(self.cursor.fixed64()?),
            2 => {
                let len = self.cursor.varint64()?;
                offset = self.cursor.offset();
                Value::Bytes(self.cursor.take(usize::try_from(len).unwrap_or(usize::MAX))?)
            }
            3 => {
                self.skip_group(number)?;
                Value::Group
            }
            4 => {
                return Err(
                    Error::malformed("protobuf message", "the end of a group that did not begin").at_offset(start)
                );
            }
            5 => Value::Fixed32(self.cursor.fixed32()?),
            other => {
                let why = format!("wire type {other} does not exist");
                return Err(Error::malformed("protobuf message", why).at_offset(start));
            }
        };
        Ok(Some(Field { number, value, offset }))
    }

    /// Skips to behind the end of the group `number`, whose tag has been read.
    #[cold]
    fn skip_group(&mut self, number: u32) -> Result<()> {
        let bad = |why: &'static str, at: u64| Error::malformed("protobuf message", why).at_offset(at);
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            let start = self.cursor.offset();
            if self.cursor.is_empty() {
                return Err(bad("a group that does not end", start));
            }
            let tag = self.cursor.varint32()?;
            let number = tag >> 3;
            match tag & 7 {
                _ if number == 0 => return Err(bad("field number 0", start)),
                0 => drop(self.cursor.varint64()?),
                1 => drop(self.cursor.fixed64()?),
                2 => {
                    let len = self.cursor.varint64()?;
                    self.cursor.take(usize::try_from(len).unwrap_or(usize::MAX))?;
                }
                3 if open.len() >= GROUP_DEPTH => return Err(bad("groups too deep in each other", start)),
                3 => open.push(number),
                4 if number == innermost => drop(open.pop()),
                4 => return Err(bad("the end of another group", start)),
                5 => drop(self.cursor.fixed32()?),
                _ => return Err(bad("a wire type that does not exist", start)),
            }
        }
        Ok(())
    }
}

/// How deep protobuf's own parsers go.
const GROUP_DEPTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_bundle_header() {
        // format: num_shards = 1, version { producer: 1 }, as TensorFlow writes it.
        let mut fields = Fields::new(&[0x08, 0x01, 0x1a, 0x02, 0x08, 0x01], 10);
        let first = fields.next_field().unwrap().unwrap();
        assert_eq!((first.number, first.value, first.offset), (1, Value::Varint(1), 11));
        let second = fields.next_field().unwrap().unwrap();
        assert_eq!((second.number, second.value, second.offset), (3, Value::Bytes(&[8, 1]), 14));
        assert!(fields.next_field().unwrap().is_none());
    }

    #[test]
    fn a_group_is_skipped_with_everything_in_it() {
        // Field 9: a group of a varint, bytes and another group; then field 1.
        let mut fields = Fields::new(&[0x4b, 0x08, 0x05, 0x12, 0x01, 0x4c, 0x53, 0x54, 0x4c, 0x08, 0x07], 0);
        assert_eq!(fields.next_field().unwrap().unwrap().value, Value::Group);
        assert_eq!(fields.next_field().unwrap().unwrap().value, Value::Varint(7));
        assert!(fields.next_field().unwrap().is_none());
    }

    #[test]
    fn a_group_without_beginning_or_end_is_malformed() {
        for message in [&[0x4c][..], &[0x4b], &[0x4b, 0x54], &[0x4b, 0x08, 0x05], &[0x4b; 200]] {
            assert!(Fields::new(message, 0).next_field().is_err(), "{message:x?}");
        }
    }

    #[test]
    fn a_length_past_the_message_is_an_error_with_its_offset() {
        let error = Fields::new(&[0x0a, 0xff, 0xff, 0x03, 1], 0).next_field().unwrap_err();
        assert_eq!(error.location().offset, Some(4));
    }
}
