//! The messages of a bundle's table: the header, and one entry for each key.

use crate::ordered_code::{Extent, slice_proto};
use crate::proto::Msg;

/// A `TensorShapeProto` with these dimensions. A dimension of zero is an empty message, a scalar an empty shape.
pub fn shape_proto(dims: &[i64]) -> Msg {
    dims.iter().fold(Msg::new(), |shape, &dim| shape.msg(2, Msg::new().int_unless_zero(1, dim)))
}

/// A `VersionDef`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Who wrote it; 1 today.
    pub producer: i32,
    /// The oldest reader that may read it; 0 today.
    pub min_consumer: i32,
    /// Readers that may not.
    pub bad_consumers: Vec<i32>,
}

impl Default for Versions {
    fn default() -> Self {
        Self { producer: 1, min_consumer: 0, bad_consumers: Vec::new() }
    }
}

impl Versions {
    /// The message.
    pub fn proto(&self) -> Msg {
        let msg = Msg::new().int_unless_zero(1, self.producer.into()).int_unless_zero(2, self.min_consumer.into());
        if self.bad_consumers.is_empty() {
            return msg;
        }
        msg.packed_varints(3, self.bad_consumers.iter().map(|&v| i64::from(v) as u64))
    }
}

/// A `BundleHeaderProto`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// How many data files there are.
    pub num_shards: i32,
    /// 0 little, 1 big.
    pub endianness: i32,
    /// The versions.
    pub versions: Versions,
}

impl Header {
    /// The message.
    pub fn proto(&self) -> Msg {
        Msg::new()
            .int_unless_zero(1, self.num_shards.into())
            .int_unless_zero(2, self.endianness.into())
            .msg(3, self.versions.proto())
    }
}

/// A `BundleEntryProto`. Fields hold what will be written, true or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// A `DataType` number.
    pub dtype: i32,
    /// The dimensions.
    pub shape: Vec<i64>,
    /// Whether the shape also says that its rank is unknown.
    pub unknown_rank: bool,
    /// The data file.
    pub shard: i32,
    /// Where the bytes start in it.
    pub offset: i64,
    /// How many they are.
    pub size: i64,
    /// Their masked checksum.
    pub crc: u32,
    /// For the entry of a whole partitioned tensor: its slices.
    pub slices: Vec<Vec<Extent>>,
    /// Further fields, already encoded.
    pub extra: Vec<u8>,
}

impl Entry {
    /// An entry with a type and a shape, and nothing else.
    pub fn new(dtype: i32, shape: &[i64]) -> Self {
        Self { dtype, shape: shape.to_vec(), ..Self::default() }
    }

    /// The message.
    pub fn proto(&self) -> Msg {
        let shape = shape_proto(&self.shape).int_unless_zero(3, self.unknown_rank.into());
        let mut msg = Msg::new()
            .int_unless_zero(1, self.dtype.into())
            .msg(2, shape)
            .int_unless_zero(3, self.shard.into())
            .int_unless_zero(4, self.offset)
            .int_unless_zero(5, self.size);
        if self.crc != 0 {
            msg = msg.fixed32(6, self.crc);
        }
        for slice in &self.slices {
            msg = msg.msg(7, slice_proto(slice));
        }
        msg.raw(&self.extra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_header() {
        let header = Header { num_shards: 1, ..Header::default() };
        assert_eq!(header.proto().build(), [8, 1, 0x1a, 2, 8, 1]);
    }

    #[test]
    fn scalars_have_an_empty_shape_and_zero_dimensions_are_empty() {
        assert_eq!(Entry::new(1, &[]).proto().build(), [8, 1, 0x12, 0]);
        assert_eq!(Entry::new(1, &[0]).proto().build(), [8, 1, 0x12, 2, 0x12, 0]);
    }
}
