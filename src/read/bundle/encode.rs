//! The messages of an index, as TensorFlow serializes them.
//!
//! Source: `tensor_bundle.proto`, `tensor_shape.proto`, `tensor_slice.proto`, and proto3, which leaves out what is zero.

use super::{BundleEntry, BundleHeader};
use crate::read::tensor::{Shape, TensorSlice};
use crate::read::wire::{write_bytes, write_fixed32, write_number, write_number_even_zero};

impl BundleHeader {
    /// The header that TensorFlow 2 writes for so many shards.
    pub fn encode(num_shards: i32) -> Vec<u8> {
        /// `kTensorBundleVersion`.
        const PRODUCER: u64 = 1;
        let mut version = Vec::new();
        write_number(&mut version, 1, PRODUCER);
        let mut out = Vec::new();
        write_number(&mut out, 1, number(num_shards));
        write_bytes(&mut out, 3, &version);
        out
    }
}

impl BundleEntry {
    /// The message of the entry.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_number(&mut out, 1, number(self.dtype.number()));
        write_bytes(&mut out, 2, &shape(&self.shape));
        write_number(&mut out, 3, number(self.shard_id));
        write_number(&mut out, 4, self.offset.cast_unsigned());
        write_number(&mut out, 5, self.size.cast_unsigned());
        write_fixed32(&mut out, 6, self.crc32c.0);
        for one in &self.slices {
            write_bytes(&mut out, 7, &slice(one));
        }
        out
    }
}

/// An int32 as a varint: a negative one is extended to 64 bits.
fn number(value: i32) -> u64 {
    i64::from(value).cast_unsigned()
}

fn shape(shape: &Shape) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(dims) = shape.dims() else {
        write_number(&mut out, 3, 1);
        return out;
    };
    for dim in dims {
        let mut message = Vec::new();
        write_number(&mut message, 1, dim.cast_unsigned());
        write_bytes(&mut out, 2, &message);
    }
    out
}

fn slice(slice: &TensorSlice) -> Vec<u8> {
    let mut out = Vec::new();
    for extent in &slice.0 {
        let mut message = Vec::new();
        write_number(&mut message, 1, extent.start.cast_unsigned());
        if let Some(length) = extent.length {
            write_number_even_zero(&mut message, 2, length.cast_unsigned());
        }
        write_bytes(&mut out, 1, &message);
    }
    out
}
