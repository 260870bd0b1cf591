//! The fingerprints of the blocks of an axis, and which tensors are made of some of them.
//!
//! Fingerprints add up: that of a stretch is the sum of those of its blocks, and where parts alternate (heads of attention,
//! each with its query, key and value) that of a part is the sum of what all groups have at one place.

use std::collections::BTreeMap;
use std::ops::Range;

use super::hash::{Sum, sum};
use super::prove::At;
use crate::analysis::convert::Caster;
use crate::analysis::sweep::nearby::WINDOW;
use crate::base::error::Result;
use crate::read::checkpoint::ElementBuffers;
use crate::read::storage::Window;
use crate::read::tensor::DType;

/// Blocks of one axis whose fingerprints are kept.
pub(super) const BLOCKS: u64 = 1 << 16;

/// Constants that lie side by side between the parts of a tensor.
const FILLERS: u64 = 16;

/// Looks at fingerprints for one tensor.
const LOOKS: usize = 1 << 22;

/// Tensors by number of elements and fingerprint.
pub(super) type BySum = BTreeMap<(u64, Sum), Vec<usize>>;

/// The blocks of an axis.
pub(super) struct Blocks {
    /// Elements of all other axes.
    pub(super) inner: u64,
    /// Indexes of a block.
    pub(super) size: u64,
    pub(super) sums: Vec<Sum>,
}

/// A part that was found by its fingerprint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) start: u64,
    /// Indexes of all groups together.
    pub(super) size: u64,
    /// What has these elements is found by it.
    pub(super) key: (u64, Sum),
}

/// The parts of a tensor, in so many groups.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) groups: u64,
    pub(super) found: Vec<Found>,
}

impl Answer {
    /// What lies between the parts along an axis of so many indexes, of each group; with `constants` cut into a few of these
    /// lengths, if that goes.
    pub(super) fn gaps(&self, length: u64, constants: Option<&[u64]>) -> Option<Vec<Range<u64>>> {
        let groups = self.groups.max(1);
        let (mut at, mut gaps) = (0, Vec::new());
        let all = (length / groups, 0);
        for (start, size) in self.found.iter().map(|one| (one.start, one.size / groups)).chain([all]) {
            let gap = start.saturating_sub(at);
            let fits = |of: &u64| {
                let each = of / groups;
                of.is_multiple_of(groups) && gap.is_multiple_of(each) && gap <= each.saturating_mul(FILLERS)
            };
            let each = match constants.filter(|_| gap > 0) {
                Some(constants) => constants.iter().copied().filter(fits).max()? / groups,
                None => gap.max(1),
            };
            while at < start {
                gaps.push(at..at.saturating_add(each));
                at = at.saturating_add(each);
            }
            at = at.max(start.saturating_add(size));
        }
        Some(gaps)
    }
}

impl Blocks {
    /// Reads a tensor; with `cast` what it holds is rounded first.
    pub(super) fn of(
        (checkpoint, item): At<'_>,
        cast: Option<DType>,
        axis: usize,
        size: u64,
        hold: &mut Window,
    ) -> Result<Self> {
        let length = item.dims.get(axis).copied().unwrap_or(1);
        let behind = item.dims.iter().skip(axis + 1).fold(1u64, |n, dim| n.saturating_mul(*dim));
        let run = behind.saturating_mul(size).max(1);
        let blocks = (length / size.max(1)).max(1);
        let mut sums = vec![Sum::default(); usize::try_from(blocks.min(BLOCKS)).unwrap_or(0)];
        let mut buffers = ElementBuffers::default();
        let mut elements = checkpoint.elements(&item.tensor, &mut buffers)?.without_sums();
        let dtype = cast.unwrap_or(item.tensor.dtype);
        let width = usize::try_from(dtype.element_size().unwrap_or(1)).unwrap_or(1);
        let mut caster = cast.filter(|to| *to != item.tensor.dtype).map(|to| Caster::new(item.tensor.dtype, to));
        let step = (WINDOW / item.size.max(1)).max(1);
        let (mut at, mut narrow) = (0, Vec::new());
        while at < item.count {
            let end = at.saturating_add(step).min(item.count);
            elements.read(at..end, hold)?;
            let mut rest: &[u8] = hold;
            if let Some(caster) = &mut caster {
                narrow.clear();
                caster.cast(hold, &mut narrow);
                rest = &narrow;
            }
            while !rest.is_empty() && at < end {
                let left = (run - at % run).min(end - at);
                let bytes = usize::try_from(left).unwrap_or(usize::MAX).saturating_mul(width).min(rest.len());
                let (now, next) = rest.split_at(bytes);
                let which = usize::try_from(at / run % blocks).unwrap_or(usize::MAX);
                if let Some(place) = sums.get_mut(which) {
                    *place = place.plus(sum(dtype, now, &[]).sum);
                }
                (rest, at) = (next, at.saturating_add(left));
            }
            at = end;
        }
        Ok(Self { inner: item.count / length.max(1), size, sums })
    }

    /// The parts from the beginning on, where each follows the one before or a gap. `lengths` are those of parts.
    pub(super) fn parts(&self, lengths: &[u64], known: &BySum) -> Answer {
        Answer { groups: 1, found: self.look_up(&self.sums, lengths, 1, known) }
    }

    /// The parts that alternate, in the fewest groups in which they are all there is; else what could be all of it with
    /// constants of these lengths.
    pub(super) fn alternating(&self, lengths: &[u64], constants: &[u64], known: &BySum) -> Option<Answer> {
        let all = self.sums.len();
        let mut rest = None;
        for groups in (2..=all / 2).filter(|groups| all.is_multiple_of(*groups)) {
            let of = groups as u64;
            let fit: Vec<u64> =
                lengths.iter().copied().filter(|length| length.is_multiple_of(of.saturating_mul(self.size))).collect();
            if fit.is_empty() {
                continue;
            }
            let mut folded = vec![Sum::default(); all / groups];
            for group in self.sums.chunks(all / groups) {
                for (sum, more) in folded.iter_mut().zip(group) {
                    *sum = sum.plus(*more);
                }
            }
            let found = self.look_up(&folded, &fit, of, known);
            let covered: u64 = found.iter().map(|found| found.size / self.size.max(1)).sum();
            let answer = Answer { groups: of, found };
            if answer.found.len() > 1 && covered == all as u64 {
                return Some(answer);
            }
            let length = (all as u64).saturating_mul(self.size);
            if rest.is_none() && !answer.found.is_empty() && answer.gaps(length, Some(constants)).is_some() {
                rest = Some(answer);
            }
        }
        rest
    }

    fn look_up(&self, sums: &[Sum], lengths: &[u64], groups: u64, known: &BySum) -> Vec<Found> {
        let before: Vec<Sum> = std::iter::once(Sum::default())
            .chain(sums.iter().scan(Sum::default(), |total, sum| {
                *total = total.plus(*sum);
                Some(*total)
            }))
            .collect();
        let mut longest_first = lengths.to_vec();
        longest_first.sort_unstable_by(|x, y| y.cmp(x));
        longest_first.truncate((LOOKS / sums.len().max(1)).max(1));
        let (mut found, mut at) = (Vec::new(), 0usize);
        while at < sums.len() {
            let fits = |length: &u64| {
                let blocks = usize::try_from(length / groups / self.size.max(1)).ok()?;
                let sum = before.get(at.checked_add(blocks)?)?.minus(*before.get(at)?);
                let key = (length.checked_mul(self.inner)?, sum);
                known.contains_key(&key).then_some((blocks, *length, key))
            };
            match longest_first.iter().find_map(fits) {
                Some((blocks, size, key)) => {
                    found.push(Found { start: (at as u64).saturating_mul(self.size), size, key });
                    at = at.saturating_add(blocks.max(1));
                }
                None => at += 1,
            }
        }
        found
    }
}
