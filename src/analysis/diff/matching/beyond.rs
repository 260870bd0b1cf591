//! What no index can tell: whether rounded values are those of which it has a checksum. Of one side the narrower values are
//! known, of the other the checksum of wider ones, which cannot be made of them.

use std::collections::{BTreeMap, BTreeSet};

use super::siblings::families;
use super::side::{Data, Item};
use super::work::Work;

/// The narrowest floats that were read and the widest that have a checksum, among items of so many elements.
#[derive(Debug, Default)]
struct Sizes {
    read: Option<u64>,
    summed: Option<u64>,
}

/// Of which items nobody can tell whether the other side has them: of one that is there the values are known, and of the
/// other a checksum of more digits than these have.
#[derive(Debug, Default)]
pub(super) struct BeyondIndex {
    sizes: [BTreeMap<u64, Sizes>; 2],
    /// Parts and wholes of which the same is so, by their positions.
    fused: [BTreeSet<usize>; 2],
}

impl BeyondIndex {
    /// What of the items without a partner is.
    pub(super) fn of(work: &Work<'_>) -> Self {
        let mut beyond = Self::default();
        let mut is_index = false;
        for (side, sizes) in beyond.sizes.iter_mut().enumerate() {
            for (_, item) in work.free_items(side).filter(|(_, item)| item.tensor.dtype.is_float()) {
                let Sizes { read, summed } = sizes.entry(item.count).or_default();
                let size = item.tensor.dtype.element_size();
                match &item.data {
                    Data::Read(_) => *read = read.zip(size).map(|(read, size)| read.min(size)).or(*read).or(size),
                    Data::Sum(_) => (*summed, is_index) = ((*summed).max(size), true),
                    Data::Lost(_) => {}
                }
            }
        }
        if is_index {
            for parts in [0, 1] {
                beyond.add_fused(work, parts);
            }
        }
        beyond
    }

    /// Whether an item of this side is one.
    pub(super) fn has(&self, side: usize, item: &Item) -> bool {
        if self.fused.get(side).is_some_and(|fused| fused.contains(&item.at)) {
            return true;
        }
        let other = self.sizes.get(1 - side).and_then(|sizes| sizes.get(&item.count));
        let (Some(other), true) = (other, item.tensor.dtype.is_float()) else { return false };
        let own = item.tensor.dtype.element_size();
        match &item.data {
            Data::Sum(_) => other.read.is_some_and(|read| Some(read) < own),
            Data::Read(_) => other.summed.is_some_and(|summed| Some(summed) > own),
            Data::Lost(_) => false,
        }
    }

    /// Tensors whose names make them parts of one, and those of the other side with as many elements.
    fn add_fused(&mut self, work: &Work<'_>, parts: usize) {
        let mut wholes: BTreeMap<(u64, bool, u64, Vec<u64>), Vec<usize>> = BTreeMap::new();
        for (_, item) in work.free_items(1 - parts).filter(|(_, item)| item.tensor.dtype.is_float()) {
            let key = (item.count, item.print().is_some(), item.size, item.dims.clone());
            wholes.entry(key).or_default().push(item.at);
        }
        let mut marked = BTreeSet::new();
        let families = families(work, parts, |item| item.tensor.dtype.is_float());
        for group in families.iter().filter_map(|family| family.likeliest()) {
            let items: Vec<&Item> = group.iter().filter_map(|at| work.item(parts, *at)).collect();
            let Some((size, is_read)) = items.first().map(|item| (item.size, item.print().is_some())) else { continue };
            if !items.iter().all(|item| item.size == size && item.print().is_some() == is_read) {
                continue;
            }
            let total = items.iter().fold(0u64, |total, item| total.saturating_add(item.count));
            let of_total = (total, !is_read, 0, Vec::new())..(total, !is_read, u64::MAX, Vec::new());
            for (key, _) in wholes.range(of_total) {
                let (_, _, other, dims) = key;
                let is_beyond = if is_read { *other > size } else { *other < size };
                let fits = dims.iter().filter(|dim| **dim > 1).any(|dim| {
                    let inner = (total / dim).max(1);
                    items.iter().all(|item| item.count.is_multiple_of(inner))
                });
                if is_beyond && fits {
                    marked.insert(key.clone());
                    if let Some(own) = self.fused.get_mut(parts) {
                        own.extend(items.iter().map(|item| item.at));
                    }
                }
            }
        }
        if let Some(theirs) = self.fused.get_mut(1 - parts) {
            theirs.extend(marked.iter().filter_map(|key| wholes.get(key)).flatten());
        }
    }
}
