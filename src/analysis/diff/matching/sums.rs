//! Checksums of a tensor in other orders than the one in which it lies.

use super::arrange::each_arranged;
use super::prove::{At, Buffers, MOST, pieces_of, whole};
use super::walk::Walk;
use crate::base::error::Result;
use crate::read::tensor::DType;
use crate::read::wire::Crc32c;

/// The checksum of what each walk makes of a tensor, and how many values a cast made infinite.
pub(super) fn checksums_of(
    of: At<'_>,
    cast: Option<DType>,
    walks: &[Walk],
    hold: &mut Buffers,
) -> Result<(Vec<Crc32c>, u64)> {
    let size = cast.unwrap_or(of.1.tensor.dtype).element_size().unwrap_or(1);
    let is_plain = |walk: &Walk| walk.is_in_order() && walk.start == 0 && walk.len() as u64 == of.1.count;
    // What reading it has told already.
    let known = of.1.print().and_then(|print| print.crc).filter(|_| cast.is_none());
    let mut sums = Vec::with_capacity(walks.len());
    let (mut overflows, mut is_held) = (0, false);
    for walk in walks {
        if let Some(crc) = known.filter(|_| is_plain(walk)) {
            sums.push(crc);
            continue;
        }
        let mut crc = Crc32c::default();
        if of.1.bytes() <= MOST {
            if !is_held {
                overflows = whole(of, cast, &mut hold.source)?;
                is_held = true;
            }
            if is_plain(walk) {
                crc = Crc32c::of(&hold.source);
            } else {
                each_arranged(walk, &hold.source, size, &mut hold.put, &mut |put| crc = crc.extend(put));
            }
        } else {
            let mut put = std::mem::take(&mut hold.put);
            let read = pieces_of(of, cast, walk, hold, &mut |over, source| {
                each_arranged(over, source, size, &mut put, &mut |put| crc = crc.extend(put));
            });
            hold.put = put;
            overflows = read?;
        }
        sums.push(crc);
    }
    Ok((sums, overflows))
}

/// The checksum of the rows of a part, each shifted by what stands behind it in the whole: `bytes` are those of a row of the
/// part, and of a row of the whole. With it how many values a cast made infinite.
pub(super) fn row_sum(
    of: At<'_>,
    cast: Option<DType>,
    walk: &Walk,
    [bytes, row]: [u64; 2],
    hold: &mut Buffers,
) -> Result<(Crc32c, u64)> {
    let size = cast.unwrap_or(of.1.tensor.dtype).element_size().unwrap_or(1);
    // The rows so far, and what there is of the next.
    let (mut sum, mut next, mut len) = (Crc32c::default(), Crc32c::default(), 0u64);
    let mut put = Vec::new();
    let overflows = pieces_of(of, cast, walk, hold, &mut |over, source| {
        each_arranged(over, source, size, &mut put, &mut |mut rest| {
            while !rest.is_empty() {
                let left = usize::try_from(bytes.saturating_sub(len)).unwrap_or(usize::MAX).clamp(1, rest.len());
                let (now, behind) = rest.split_at(left);
                (next, len, rest) = (next.extend(now), len.saturating_add(left as u64), behind);
                if len >= bytes {
                    sum = Crc32c(sum.before(row).0 ^ next.0);
                    (next, len) = (Crc32c::default(), 0);
                }
            }
        });
    })?;
    Ok((sum, overflows))
}
