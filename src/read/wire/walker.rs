//! Typed values out of a walk over protobuf fields, with errors that say which field and where.

use super::{Field, Fields, Value};
use crate::base::error::{Error, Result};

/// A message whose fields are walked, called `what` in errors.
#[derive(Clone, Copy)]
pub(crate) struct Walker {
    pub(crate) what: &'static str,
}

impl Walker {
    /// Hands every field of `message`, which begins at `offset` in its file, to `take`.
    pub(crate) fn each<'a>(
        self,
        message: &'a [u8],
        offset: u64,
        mut take: impl FnMut(Field<'a>) -> Result<()>,
    ) -> Result<()> {
        let mut fields = Fields::new(message, offset);
        while let Some(field) = fields.next_field()? {
            if field.value == Value::Group {
                return Err(self.malformed(field, "is a group, which TensorFlow never writes"));
            }
            take(field)?;
        }
        Ok(())
    }

    /// Walks the message in `field`.
    pub(crate) fn each_in<'a>(self, field: Field<'a>, take: impl FnMut(Field<'a>) -> Result<()>) -> Result<()> {
        self.each(self.bytes(field)?, field.offset, take)
    }

    /// Walks the map entry in `field`: its key, and its value, which stays as it is.
    pub(crate) fn entry(self, field: Field<'_>) -> Result<(String, Option<Field<'_>>)> {
        let (mut key, mut value) = (String::new(), None);
        self.each_in(field, |part| {
            match part.number {
                1 => key = self.string(part)?,
                2 => value = Some(part),
                _ => {}
            }
            Ok(())
        })?;
        Ok((key, value))
    }

    pub(crate) fn bytes(self, field: Field<'_>) -> Result<&[u8]> {
        match field.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.malformed(field, "has another wire type than strings and messages")),
        }
    }

    pub(crate) fn varint(self, field: Field<'_>) -> Result<u64> {
        match field.value {
            Value::Varint(value) => Ok(value),
            _ => Err(self.malformed(field, "has another wire type than numbers")),
        }
    }

    /// An int32 keeps the low half of its varint, as in every protobuf library; negative ones are ten bytes long.
    #[expect(clippy::cast_possible_truncation, reason = "that is how protobuf reads an int32")]
    pub(crate) fn int32(self, field: Field<'_>) -> Result<i32> {
        Ok(self.varint(field)?.cast_signed() as i32)
    }

    pub(crate) fn string(self, field: Field<'_>) -> Result<String> {
        match std::str::from_utf8(self.bytes(field)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.malformed(field, "is not UTF-8")),
        }
    }

    #[cold]
    fn malformed(self, field: Field<'_>, why: &str) -> Error {
        Error::malformed(self.what, format!("field {} {why}", field.number)).at_offset(field.offset)
    }
}
