//! All of a tensor in memory of the caller's, read by several threads without a copy between.

use super::{Checkpoint, Parts, Tensor};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::parallel::in_chunks;
use crate::read::sniff;
use crate::read::storage::Window;
use crate::read::tensor::{Checked, swap_to_little};
use crate::read::wire::Crc32c;

/// Bytes that a thread takes at a time: fewer would spend their time joining checksums.
const UNIT: usize = 8 << 20;

/// Bytes that are read and summed before the next: more would fall out of the second-level cache.
const WINDOW: usize = 256 << 10;

impl Checkpoint {
    /// Fills `into` with all elements of a tensor of numbers: in C order, little-endian, [`Tensor::bytes`] of them.
    ///
    /// A tensor that is one run of bytes is read on so many threads, and its checksum is taken on the way.
    ///
    /// # Errors
    /// If `into` has another length, bytes cannot be read, or they are not what was saved (`into` holds them then).
    pub fn read_into(&self, tensor: &Tensor, into: &mut [u8], threads: usize) -> Result<Checked> {
        self.fill(tensor, into, threads).map_err(|e| sniff::explain_shard(e).for_key(&tensor.name))
    }

    fn fill(&self, tensor: &Tensor, into: &mut [u8], threads: usize) -> Result<Checked> {
        let size = tensor.dtype.element_size();
        let want = tensor.elements().zip(size).and_then(|(count, size)| count.checked_mul(size));
        if want != Some(into.len() as u64) {
            let why = format!("{} bytes of memory are not those of {} {}", into.len(), tensor.dtype, tensor.shape);
            return Err(ErrorKind::Request(why).into());
        }
        let place = match &tensor.parts {
            Parts::Whole(place) if place.range.is_some() => place,
            _ => return self.fill_in_order(tensor, into),
        };
        let (source, range) = self.container.locate(tensor.dtype, &tensor.shape, place)?;
        source.expect(range.clone());
        let parts = in_chunks(into, UNIT, threads, |at, chunk| -> Result<(Crc32c, u64)> {
            let (mut sum, mut way) = (Crc32c::default(), Window::default());
            for (window, n) in chunk.chunks_mut(WINDOW).zip(0u64..) {
                let before = (at as u64).saturating_add(n.saturating_mul(WINDOW as u64));
                source.fill(window, range.start.saturating_add(before), &mut way)?;
                sum = sum.extend(window);
                if self.is_big_endian() {
                    swap_to_little(tensor.dtype, window);
                }
            }
            Ok((sum, chunk.len() as u64))
        });
        let mut all = Crc32c::default();
        for part in parts {
            let (sum, len) = part?;
            all = all.then(sum, len);
        }
        self.compare_sum(tensor, all)
    }

    /// Slices, and what is encoded.
    fn fill_in_order(&self, tensor: &Tensor, into: &mut [u8]) -> Result<Checked> {
        let mut at = 0usize;
        let checked = self.read_all(tensor, &mut |bytes| {
            let end = at.saturating_add(bytes.len());
            let Some(part) = into.get_mut(at..end) else {
                return Err(Error::malformed("tensor", "more elements than its shape has"));
            };
            part.copy_from_slice(bytes);
            at = end;
            Ok(())
        })?;
        if at == into.len() {
            Ok(checked)
        } else {
            Err(Error::malformed("tensor", "fewer elements than its shape has"))
        }
    }
}
