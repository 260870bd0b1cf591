//! The slices of a partitioned tensor, in less memory than the index takes for them: a parameter server cuts a variable
//! into as many as it likes. What is asked for is made on the way.

use std::sync::Arc;

use super::place::{Place, StoredSlice};
use super::varint::{put, signed32, varint};
use crate::read::tensor::{Extent, TensorSlice};
use crate::read::wire::Crc32c;

/// Bits of the byte that says what of a slice is there.
mod form {
    /// It has a place.
    pub(super) const PLACE: u8 = 1;
    /// The place has an offset and a size.
    pub(super) const RANGE: u8 = 2;
    /// The place has a checksum.
    pub(super) const SUM: u8 = 4;
}

/// Slices in the order in which they are listed. One copy shares its memory with the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slices {
    count: usize,
    /// Whether a place has no range: values in the blocks of a V1 checkpoint.
    has_blocks: bool,
    /// What their ranges come to; `None` if one has no place, or the sum is no number.
    stored: Option<u64>,
    /// For each its [`form`]; shard, offset, size, checksum, as that says; the number of its extents, and for each start,
    /// whether there is a length, and that.
    bytes: Arc<[u8]>,
    /// Where every [`RESTART`]th begins.
    restarts: Arc<[usize]>,
}

/// Slices that are passed at most on the way to one.
const RESTART: usize = 32;

impl Slices {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the values of one lie in blocks, as in a V1 checkpoint, and not in a range of bytes.
    pub fn has_blocks(&self) -> bool {
        self.has_blocks
    }

    /// The bytes of their ranges; `None` if one has no place, or no sensible one.
    pub fn stored_bytes(&self) -> Option<u64> {
        self.stored
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = StoredSlice> {
        self.from(0, 0)
    }

    /// Those behind the first `before`, the next of which begins at an offset.
    fn from(&self, before: usize, at: usize) -> impl Iterator<Item = StoredSlice> {
        let mut rest = self.bytes.get(at..).unwrap_or_default();
        let mut left = self.count.saturating_sub(before);
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let place = take_place(&mut rest);
            let rank = varint(&mut rest);
            Some(StoredSlice { slice: TensorSlice((0..rank).map(|_| take_extent(&mut rest)).collect()), place })
        })
    }

    /// The place of each, `None` where the index lists a slice but has no entry for it. Costs less than [`Slices::iter`].
    pub fn places(&self) -> impl Iterator<Item = Option<Place>> {
        let (mut rest, mut left) = (&*self.bytes, self.count);
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let place = take_place(&mut rest);
            for _ in 0..varint(&mut rest) {
                take_extent(&mut rest);
            }
            Some(place)
        })
    }

    /// One of them.
    pub fn get(&self, n: usize) -> Option<StoredSlice> {
        let restart = n / RESTART;
        let at = *self.restarts.get(restart)?;
        self.from(restart.saturating_mul(RESTART), at).nth(n % RESTART)
    }
}

impl Default for Slices {
    fn default() -> Self {
        Self { count: 0, has_blocks: false, stored: Some(0), bytes: Arc::default(), restarts: Arc::default() }
    }
}

impl FromIterator<StoredSlice> for Slices {
    fn from_iter<I: IntoIterator<Item = StoredSlice>>(slices: I) -> Self {
        let (mut count, mut bytes) = (0usize, Vec::new());
        let (mut has_blocks, mut stored) = (false, Some(0u64));
        let mut restarts = Vec::new();
        for StoredSlice { slice, place } in slices {
            if count.is_multiple_of(RESTART) {
                restarts.push(bytes.len());
            }
            count = count.saturating_add(1);
            has_blocks |= place.is_some_and(|place| place.range.is_none());
            let size = place.and_then(|place| u64::try_from(place.range?.1).ok());
            stored = stored.zip(size).and_then(|(sum, size)| sum.checked_add(size));
            put_place(&mut bytes, place);
            put(&mut bytes, slice.0.len() as u64);
            for Extent { start, length } in slice.0 {
                put(&mut bytes, start.cast_unsigned());
                bytes.push(length.is_some().into());
                if let Some(length) = length {
                    put(&mut bytes, length.cast_unsigned());
                }
            }
        }
        Self { count, has_blocks, stored, bytes: bytes.into(), restarts: restarts.into() }
    }
}

fn put_place(bytes: &mut Vec<u8>, place: Option<Place>) {
    let Some(Place { shard, range, crc32c }) = place else {
        return bytes.push(0);
    };
    let has_range = if range.is_some() { form::RANGE } else { 0 };
    let has_sum = if crc32c.is_some() { form::SUM } else { 0 };
    bytes.push(form::PLACE | has_range | has_sum);
    put(bytes, shard.cast_unsigned().into());
    if let Some((offset, size)) = range {
        put(bytes, offset.cast_unsigned());
        put(bytes, size.cast_unsigned());
    }
    if let Some(Crc32c(sum)) = crc32c {
        bytes.extend_from_slice(&sum.to_le_bytes());
    }
}

fn take_place(rest: &mut &[u8]) -> Option<Place> {
    let form = take_byte(rest);
    if form & form::PLACE == 0 {
        return None;
    }
    let shard = signed32(varint(rest));
    let range = (form & form::RANGE != 0).then(|| (varint(rest).cast_signed(), varint(rest).cast_signed()));
    let crc32c = (form & form::SUM != 0).then(|| {
        let (sum, behind) = rest.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        *rest = behind;
        Crc32c(u32::from_le_bytes(*sum))
    });
    Some(Place { shard, range, crc32c })
}

fn take_extent(rest: &mut &[u8]) -> Extent {
    let start = varint(rest).cast_signed();
    let length = (take_byte(rest) != 0).then(|| varint(rest).cast_signed());
    Extent { start, length }
}

fn take_byte(rest: &mut &[u8]) -> u8 {
    let (byte, behind) = rest.split_first().unwrap_or((&0, &[]));
    *rest = behind;
    *byte
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let extents = [(0, None), (3, Some(2)), (-1, Some(-7)), (i64::MIN, Some(i64::MAX)), (0, Some(0))];
        let extents = extents.map(|(start, length)| Extent { start, length });
        let places =
            [(0, None, None), (-1, Some((i64::MIN, -1)), Some(u32::MAX)), (9, Some((0, 0)), None), (7, None, Some(0))];
        let places = places.map(|(shard, range, sum)| Some(Place { shard, range, crc32c: sum.map(Crc32c) }));
        let mut all = Vec::new();
        for place in places.into_iter().chain([None]) {
            for rank in 0..=extents.len() {
                all.push(StoredSlice { slice: TensorSlice(extents[..rank].to_vec()), place });
            }
        }
        let slices: Slices = all.iter().cloned().collect();
        assert_eq!((slices.len(), slices.is_empty()), (all.len(), false));
        assert_eq!(slices.iter().collect::<Vec<_>>(), all);
        assert_eq!(slices.places().collect::<Vec<_>>(), all.iter().map(|slice| slice.place).collect::<Vec<_>>());
        assert_eq!((slices.has_blocks(), slices.stored_bytes()), (true, None));
        let two: Slices = all.iter().filter(|slice| slice.place.is_some_and(|p| p.shard == 9)).cloned().collect();
        assert_eq!((two.has_blocks(), two.stored_bytes()), (false, Some(0)));
        let many: Slices = all.iter().cycle().take(RESTART * 3 + 1).cloned().collect();
        assert!((0..many.len()).all(|n| many.get(n).as_ref() == all.get(n % all.len())));
        assert_eq!((many.get(many.len()), slices.get(all.len())), (None, None));
        assert_eq!(slices, all.into_iter().collect());
        assert_eq!((Slices::default().len(), Slices::default().iter().next()), (0, None));
    }
}
