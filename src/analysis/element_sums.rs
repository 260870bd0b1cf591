//! Checksums of elements as every format hands them out, whatever checksums their files have.

use crate::base::error::Result;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::tensor::DType;
use crate::read::wire::Crc32c;

/// The checksum of a tensor's elements, read from the file: numbers little-endian in C order, as a bundle has it of them;
/// strings each behind its length, so that `ab c` is not `a bc`.
///
/// # Errors
/// If they cannot be read.
pub fn elements_crc32c(checkpoint: &Checkpoint, tensor: &Tensor) -> Result<Crc32c> {
    let mut sum = Crc32c::default();
    let is_numeric = tensor.is_numeric();
    checkpoint.read_all(tensor, &mut |bytes| {
        if !is_numeric {
            sum = sum.extend(&(bytes.len() as u64).to_le_bytes());
        }
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
