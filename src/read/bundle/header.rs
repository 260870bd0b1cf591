//! `BundleHeaderProto`, the value under the empty key.

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::wire::{Fields, Value};

/// `kTensorBundleVersion` and `kTensorBundleMinProducer` in `tensor_bundle.h`: what this reader speaks.
const VERSION: i32 = 1;
const MIN_PRODUCER: i32 = 0;

/// What holds for a whole bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleHeader {
    /// Number of shards, which are named after it.
    pub num_shards: i32,
    /// Whether elements (and the checksums inside string tensors) are stored big-endian.
    pub big_endian: bool,
    /// Version of the writer; 0 when absent, before 2016-09-14.
    pub producer: i32,
    /// Oldest reader that the writer allows.
    pub min_consumer: i32,
    /// Readers that the writer forbids.
    pub bad_consumers: Vec<i32>,
}

impl BundleHeader {
    /// Decodes the message, which begins at `offset` in the index.
    ///
    /// # Errors
    /// If it is not a well-formed `BundleHeaderProto`, or names an endianness that does not exist.
    pub fn decode(message: &[u8], offset: u64) -> Result<Self> {
        let mut header = Self::default();
        let mut fields = Fields::new(message, offset);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.value) {
                (1, Value::Varint(n)) => header.num_shards = truncate(n),
                (2, Value::Varint(0)) => header.big_endian = false,
                (2, Value::Varint(1)) => header.big_endian = true,
                (2, Value::Varint(n)) => {
                    let why = format!("endianness {n} is neither LITTLE (0) nor BIG (1)");
                    return Err(Error::malformed("BundleHeaderProto", why).at_offset(field.offset));
                }
                (3, Value::Bytes(version)) => header.decode_version(version, field.offset)?,
                (1..=3, _) => {
                    let why = "a field has the wrong wire type";
                    return Err(Error::malformed("BundleHeaderProto", why).at_offset(field.offset));
                }
                _ => {}
            }
        }
        if header.num_shards < 0 {
            let why = format!("num_shards is {}", header.num_shards);
            return Err(Error::malformed("BundleHeaderProto", why).at_offset(offset));
        }
        Ok(header)
    }

    /// Decodes a `VersionDef` into this header; V1 checkpoints have one too.
    ///
    /// # Errors
    /// If it is not a well-formed message.
    pub fn decode_version(&mut self, message: &[u8], offset: u64) -> Result<()> {
        let mut fields = Fields::new(message, offset);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.value) {
                (1, Value::Varint(n)) => self.producer = truncate(n),
                (2, Value::Varint(n)) => self.min_consumer = truncate(n),
                (3, Value::Varint(n)) => self.bad_consumers.push(truncate(n)),
                (3, Value::Bytes(packed)) => {
                    let mut cursor = crate::read::wire::Cursor::new(packed, field.offset);
                    while !cursor.is_empty() {
                        self.bad_consumers.push(truncate(cursor.varint64()?));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a reader of version 1 may read this, as `CheckVersions` in `core/framework/versions.cc` decides.
    ///
    /// # Errors
    /// [`ErrorKind::Version`], in TensorFlow's words.
    pub fn check_version(&self) -> Result<()> {
        let message = if self.producer < MIN_PRODUCER {
            let producer = self.producer;
            format!("Checkpoint producer version {producer} below min producer {MIN_PRODUCER} supported")
        } else if self.min_consumer > VERSION {
            format!("Checkpoint min consumer version {} above current version {VERSION}", self.min_consumer)
        } else if self.bad_consumers.contains(&VERSION) {
            format!("Checkpoint disallows consumer version {VERSION}")
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Version(message)).with_help("TensorFlow 2.21 refuses this checkpoint"))
    }
}

/// Protobuf's rule for an int32 field: the low 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "that is the rule")]
pub(super) fn truncate(value: u64) -> i32 {
    value as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tensorflow_writes_for_one_shard() {
        let header = BundleHeader::decode(&[0x08, 0x01, 0x1a, 0x02, 0x08, 0x01], 0).unwrap();
        assert_eq!(header, BundleHeader { num_shards: 1, producer: 1, ..BundleHeader::default() });
        header.check_version().unwrap();
    }

    #[test]
    fn versions_are_judged_as_tensorflow_judges_them() {
        let ok = BundleHeader { producer: 99, ..BundleHeader::default() };
        ok.check_version().unwrap();
        let future = BundleHeader { min_consumer: 5, ..BundleHeader::default() };
        assert!(future.check_version().unwrap_err().to_string().contains("min consumer version 5 above current"));
        let buggy = BundleHeader { bad_consumers: vec![1], ..BundleHeader::default() };
        assert!(buggy.check_version().is_err());
        let negative = BundleHeader { producer: -1, ..BundleHeader::default() };
        assert!(negative.check_version().is_err());
    }
}
