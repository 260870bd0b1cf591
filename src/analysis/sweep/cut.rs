//! How much one thread takes at a time where tensors are read whole: constants and cuts that do not depend on the number
//! of threads, so that sums do not either.

use std::ops::Range;

/// Bytes of a part of a large tensor. Smaller ones spend their time joining checksums (8 µs each).
pub(in crate::analysis) const UNIT: u64 = 8 << 20;

/// Most small tensors in one unit of work: what is told of them, and their text, wait for their turn, a few units a
/// thread.
pub(in crate::analysis) const TOGETHER: usize = 256;

/// Elements of a part, if one has so many bytes.
pub(in crate::analysis) fn part_length(element_size: u64) -> u64 {
    (UNIT / element_size.max(1)).max(1)
}

/// The parts of so many elements, each but the last of them `step` long.
pub(in crate::analysis) fn parts(elements: u64, step: u64) -> impl Iterator<Item = Range<u64>> {
    let starts = std::iter::successors(Some(0u64), move |start| start.checked_add(step));
    let ends = move |start: u64| start..start.saturating_add(step).min(elements);
    starts.take_while(move |start| *start < elements).map(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_side_by_side_and_are_all_there() {
        let all = |elements, step| parts(elements, step).collect::<Vec<_>>();
        assert_eq!(all(0, 4), []);
        assert_eq!(all(4, 4), vec![0..4]);
        assert_eq!(all(9, 4), [0..4, 4..8, 8..9]);
        let last = u64::MAX - 1..u64::MAX;
        assert_eq!(parts(u64::MAX, u64::MAX - 1).last(), Some(last));
        assert_eq!([0, 1, 4, 1 << 40].map(part_length), [UNIT, UNIT, UNIT / 4, 1]);
    }
}
