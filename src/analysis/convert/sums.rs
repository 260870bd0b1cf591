//! Checksums of elements as every format hands them out, whatever checksums their files have.

use crate::base::error::Result;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::tensor::DType;
use crate::read::wire::Crc32c;

/// The checksum of all elements, one after the other, as every format hands them out.
pub(super) fn sum_of(checkpoint: &Checkpoint, tensor: &Tensor) -> Result<Crc32c> {
    let mut sum = Crc32c::default();
    checkpoint.read_all(tensor, &mut |bytes| {
        sum = add(sum, tensor.dtype, bytes);
        Ok(())
    })?;
    Ok(sum)
}

/// Takes elements into a checksum. Any byte but 0 is true, and formats write 1 for it.
pub(super) fn add(sum: Crc32c, dtype: DType, bytes: &[u8]) -> Crc32c {
    if dtype == DType::Bool && bytes.iter().any(|byte| *byte > 1) {
        return sum.extend(&bytes.iter().map(|byte| u8::from(*byte != 0)).collect::<Vec<u8>>());
    }
    sum.extend(bytes)
}
