//! What is known so far while two checkpoints are matched: both sides, what was paired, and what is left.

use std::collections::BTreeSet;
use std::ops::Range;

use super::names::{Lessons, Name, Names};
use super::numbering::Numbering;
use super::orders::Order;
use super::prove::At;
use super::side::{Data, Item, Side};
use crate::analysis::diff::Values;
use crate::analysis::diff::how::{Blocks, How, PartOf, Rounded};
use crate::base::parallel::in_order;

/// Two tensors that belong together.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Items of A and of B.
    pub(super) items: [usize; 2],
    /// Every order of axes that makes the one of the other; of a pair that differs the one in which it was compared.
    pub(super) orders: Vec<Order>,
    /// Which of them is told.
    pub(super) order: usize,
    pub(super) part: Option<PartOf>,
    pub(super) blocks: Option<Blocks>,
    pub(super) cast: Option<Rounded>,
    /// Whether only a checksum says so.
    pub(super) by_checksum: bool,
    /// Whether names decided, because several have the contents.
    pub(super) by_name: bool,
    pub(super) says_nothing: bool,
    pub(super) suspect: Option<String>,
    /// How the values differ; then they are no pair by contents.
    pub(super) differs: Option<(String, Option<Box<Values>>)>,
}

impl Link {
    /// The order that is told.
    pub(super) fn chosen(&self) -> Option<&Order> {
        self.orders.get(self.order)
    }

    /// Whether the contents of one were found in the other.
    pub(super) fn is_proven(&self) -> bool {
        self.differs.is_none()
    }

    /// How the one is made of the other, of a source with this shape.
    pub(super) fn how(&self, dims: &[u64]) -> How {
        let how = self.chosen().map(|order| order.how(dims)).unwrap_or_default();
        let Self { part, blocks, cast, by_checksum, .. } = self;
        // The shape of a part is not that of its whole, and told by its place.
        let reshape = how.reshape.filter(|reshape| part.is_none() || reshape.len() != dims.len());
        How { reshape, part: *part, blocks: blocks.clone(), cast: *cast, by_checksum: *by_checksum, ..how }
    }
}

/// Items of both sides with the same contents, of which nobody can tell which is which.
pub(super) type Group = [Vec<usize>; 2];

/// Everything that is known.
pub(super) struct Work<'c> {
    pub(super) sides: [Side<'c>; 2],
    pub(super) names: [Names; 2],
    pub(super) lessons: Lessons,
    pub(super) numbering: Numbering,
    pub(super) links: Vec<Link>,
    /// Items without a partner so far.
    pub(super) free: [BTreeSet<usize>; 2],
    pub(super) groups: Vec<Group>,
    /// Stretches of fused tensors (side, item, axis) that nothing on the other side is.
    pub(super) gaps: Vec<(usize, usize, usize, Range<u64>)>,
    /// Checksums that were made to find those of an index.
    pub(super) tries: u64,
    /// What would have to be put right for no pair to be suspect.
    pub(super) faults: u64,
    pub(super) threads: usize,
}

impl<'c> Work<'c> {
    pub(super) fn new(sides: [Side<'c>; 2], threads: usize) -> Self {
        let mut names = [Names::default(), Names::default()];
        let of = |(): &mut (), n: usize| {
            let side = sides.get(n);
            side.map(|side| Names::of(side.checkpoint, side.items.iter().map(|item| item.at))).unwrap_or_default()
        };
        in_order(
            2,
            threads,
            || (),
            of,
            |n, of| {
                if let Some(own) = names.get_mut(n) {
                    *own = of;
                }
            },
        );
        let free = [0, 1].map(|n: usize| {
            let items = sides.get(n).map(|side| side.items.as_slice()).unwrap_or_default();
            let is_there = |(_, item): &(usize, &Item)| !matches!(item.data, Data::Lost(_));
            items.iter().enumerate().filter(is_there).map(|(at, _)| at).collect()
        });
        Self {
            sides,
            names,
            lessons: Lessons::default(),
            numbering: Numbering::default(),
            links: Vec::new(),
            free,
            groups: Vec::new(),
            gaps: Vec::new(),
            tries: 0,
            faults: 0,
            threads,
        }
    }

    /// Whether an item has no partner so far.
    pub(super) fn is_free(&self, side: usize, item: usize) -> bool {
        self.free.get(side).is_some_and(|free| free.contains(&item))
    }

    /// An item of a side.
    pub(super) fn item(&self, side: usize, item: usize) -> Option<&Item> {
        self.sides.get(side)?.items.get(item)
    }

    /// An item of a side with its checkpoint.
    pub(super) fn at(&self, side: usize, item: usize) -> Option<At<'_>> {
        let side = self.sides.get(side)?;
        Some((side.checkpoint, side.items.get(item)?))
    }

    /// The names of two items.
    pub(super) fn two_names(&self, [a, b]: [usize; 2]) -> Option<(&Name, &Name)> {
        let [ours, theirs] = &self.names;
        Some((ours.get(a)?, theirs.get(b)?))
    }

    /// How well the names of two items fit.
    pub(super) fn fit(&self, items: [usize; 2]) -> i32 {
        let [ours, theirs] = &self.names;
        self.two_names(items).map_or(0, |(a, b)| self.lessons.fit([ours, theirs], a, b) + self.numbering.fit(a, b))
    }

    /// Learns which numbers in names belong together, from what is proven so far.
    pub(super) fn count(&mut self) {
        let sure = self.links.iter().filter(|link| link.is_proven() && !link.says_nothing);
        self.numbering = Numbering::of(sure.filter_map(|link| self.two_names(link.items)));
    }

    /// The one item of B that has the very name of one of A, in words that do not depend on a framework.
    pub(super) fn namesake(&self, a: &Name) -> Option<usize> {
        let [_, theirs] = &self.names;
        theirs.of_key(&a.key)
    }

    /// Takes a pair in whose contents are proven, and learns from it.
    pub(super) fn link(&mut self, link: Link) {
        let [a, b] = link.items;
        let [ours, theirs] = &mut self.free;
        ours.remove(&a);
        theirs.remove(&b);
        let [ours, theirs] = &self.names;
        if let (Some(x), Some(y), true) = (ours.get(a), theirs.get(b), link.is_proven() && !link.says_nothing) {
            self.lessons.learn(x, y);
        }
        self.links.push(link);
    }

    /// Items without a partner whose contents were read.
    pub(super) fn free_items(&self, side: usize) -> impl Iterator<Item = (usize, &Item)> {
        let free = self.free.get(side).into_iter().flatten();
        free.filter_map(move |at| Some((*at, self.item(side, *at)?)))
    }
}
