//! What may be part of a fused tensor: tensors without a partner by number of elements and by fingerprint, in the dtype in
//! which they are compared with the fused one.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::{Blocks, BySum};
use super::hash::Sum;
use super::leftover::common;
use super::side::{Data, Item};
use super::work::Work;
use crate::base::parallel::in_order;
use crate::read::storage::Window;
use crate::read::tensor::DType;

/// Tensors with one content, or one size, of which each is looked at; of more those whose names have the numbers of the
/// fused one.
const MANY: usize = 1 << 8;

/// Tensors of one dtype of the side that has parts, for the fused ones of one dtype of the other side.
pub(super) struct Pieces {
    /// The dtype of the fused ones.
    pub(super) fused: DType,
    pub(super) part: DType,
    /// The dtype in which both are compared.
    pub(super) to: DType,
    /// Tensors by number of elements: those that say something or those that do not, as asked.
    pub(super) by_count: BTreeMap<u64, Vec<usize>>,
    by_sum: BySum,
    /// Of what many have, by the numbers in their names.
    numbered: BTreeMap<(u64, Vec<u64>), Vec<usize>>,
    /// The other ones: constants by number of elements, where those that say something are asked for.
    pub(super) constants: BTreeMap<u64, Vec<usize>>,
}

pub(super) fn says_nothing(item: &Item) -> bool {
    item.print().is_none_or(|print| print.says_nothing)
}

impl Pieces {
    /// Those for every two dtypes that can be compared: the same, or with `cast` one of them rounded.
    pub(super) fn of(work: &Work<'_>, fused: usize, constants: bool, cast: bool) -> Vec<Self> {
        let is_read = |item: &Item| matches!(item.data, Data::Read(_));
        let dtypes = |side: usize| -> BTreeSet<i32> {
            work.free_items(side)
                .filter(|(_, item)| is_read(item))
                .map(|(_, item)| item.tensor.dtype.number())
                .collect()
        };
        let mut all = Vec::new();
        for whole in dtypes(fused) {
            for part in dtypes(1 - fused) {
                let [whole, part] = [whole, part].map(DType::from_number);
                let Some(to) = common(whole, part).filter(|_| (whole != part) == cast) else { continue };
                let mut pieces = Self {
                    fused: whole,
                    part,
                    to,
                    by_count: BTreeMap::new(),
                    by_sum: BySum::new(),
                    numbered: BTreeMap::new(),
                    constants: BTreeMap::new(),
                };
                for (at, item) in work.free_items(1 - fused) {
                    if !is_read(item) || item.tensor.dtype != part {
                        continue;
                    }
                    if says_nothing(item) == constants {
                        pieces.by_count.entry(item.count).or_default().push(at);
                    } else if !constants {
                        pieces.constants.entry(item.count).or_default().push(at);
                    }
                }
                if !pieces.by_count.is_empty() {
                    all.push(pieces);
                }
            }
        }
        all
    }

    /// Takes the fingerprints of tensors with these numbers of elements; those of rounded values are made here.
    pub(super) fn look_at(&mut self, work: &Work<'_>, side: usize, counts: &BTreeSet<u64>) {
        let wanted = self.by_count.iter().filter(|(count, _)| counts.contains(count));
        let items: Vec<usize> = wanted.flat_map(|(_, items)| items.iter().copied()).collect();
        let (part, to) = (self.part, self.to);
        let one = |hold: &mut Window, n: usize| {
            let at = *items.get(n)?;
            let (checkpoint, item) = work.at(side, at)?;
            let print = item.print()?;
            let known = print.casts.iter().find(|(dtype, _)| *dtype == to).map(|(_, sum)| *sum);
            let known = known.or_else(|| (part == to).then_some(print.sum));
            let rounded = |hold: &mut Window| {
                let blocks = Blocks::of((checkpoint, item), Some(to), 0, u64::MAX, hold).ok()?;
                Some(blocks.sums.iter().fold(Sum::default(), |all, sum| all.plus(*sum)))
            };
            let sum = known.or_else(|| rounded(hold))?;
            Some(((item.count, sum), at))
        };
        let mut by_sum = BySum::new();
        in_order(items.len(), work.threads, Window::default, one, |_, found| {
            if let Some((key, at)) = found {
                by_sum.entry(key).or_default().push(at);
            }
        });
        self.by_sum = by_sum;
        let lists = self.by_sum.iter().map(|((count, _), items)| (count, items));
        let lists = lists.chain(&self.by_count).chain(&self.constants).filter(|(_, items)| items.len() > MANY);
        let mut numbered: BTreeMap<(u64, Vec<u64>), BTreeSet<usize>> = BTreeMap::new();
        for (count, items) in lists {
            for at in items {
                let name = work.names.get(side).and_then(|names| names.get(*at));
                let numbers = name.map(|name| name.numbers.clone()).unwrap_or_default();
                numbered.entry((*count, numbers)).or_default().insert(*at);
            }
        }
        self.numbered = numbered.into_iter().map(|(key, items)| (key, items.into_iter().collect())).collect();
    }

    pub(super) fn by_sum(&self) -> &BySum {
        &self.by_sum
    }

    /// What has these elements, and may belong to a tensor with these numbers in its name.
    pub(super) fn with(&self, key: (u64, Sum), numbers: &[u64]) -> Vec<usize> {
        let all = self.by_sum.get(&key).map(Vec::as_slice).unwrap_or_default();
        if all.len() <= MANY {
            return all.to_vec();
        }
        let near = self.numbered.get(&(key.0, numbers.to_vec())).map(Vec::as_slice).unwrap_or_default();
        near.iter().copied().filter(|at| all.binary_search(at).is_ok()).collect()
    }

    /// What has so many elements, and may belong to a tensor with these numbers in its name; constants too.
    pub(super) fn of_size(&self, count: u64, numbers: &[u64]) -> Vec<usize> {
        let lists = [&self.by_count, &self.constants].map(|by_count| by_count.get(&count));
        if lists.iter().flatten().map(|list| list.len()).sum::<usize>() <= MANY {
            return lists.into_iter().flatten().flatten().copied().collect();
        }
        self.numbered.get(&(count, numbers.to_vec())).cloned().unwrap_or_default()
    }
}
