//! For each checkpoint of a set the one that it comes from.
//!
//! In one directory training goes on from step to step; between directories only bytes tell. Bytes that prove something
//! are those of weights that are not one number over and over.

use std::collections::HashMap;
use std::path::PathBuf;

use super::average::shares;
use super::gather::{Gathered, Way};
use super::node::{Known, Node};
use super::relate::Compared;
use super::sample::{chosen, likeness, numbers};
use super::stray::stray;
use super::told::{By, Descent, DescentOptions, Direction, Leaf, Link, Relation, Stray, Unread};
use crate::analysis::finding::Finding;
use crate::analysis::training::OptimizerAge;
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::base::parallel::in_order;
use crate::base::progress::Progress;

/// Others that are named beside the first.
const ALSO: usize = 4;

/// Checkpoints of which is asked which was first, those with most in common.
const CANDIDATES: usize = 256;

/// Checkpoints that a mean is looked for among.
const MEANS_OF: usize = 48;

struct Forest<'f> {
    known: Known,
    nodes: Vec<Node>,
    ways: Vec<Way>,
    /// Checkpoints by the bytes of their weights, as far as these prove something.
    holders: HashMap<u32, Vec<usize>>,
    options: DescentOptions,
    limits: &'f Limits,
}

/// Says where the checkpoints at these paths come from: files, prefixes, and directories with everything in them. Reads
/// their indexes; with `values` a few thousand numbers of some.
///
/// # Errors
/// If a path is neither a checkpoint nor a directory with some. What cannot be read is in [`Descent::unread`].
pub fn descent(paths: &[PathBuf], options: DescentOptions, limits: &Limits, progress: &Progress) -> Result<Descent> {
    let mut gathered = Gathered::of(paths, limits)?;
    gathered.places.sort_by_key(|place| place.run);
    let places = &gathered.places;
    progress.total.fetch_add(places.len() as u64, std::sync::atomic::Ordering::Relaxed);
    let (mut known, mut nodes, mut ways) = (Known::default(), Vec::new(), Vec::new());
    let mut unread: Vec<Unread> = Vec::new();
    let open = |n: usize| Some(places.get(n)?.way.open(limits));
    in_order(
        places.len(),
        options.threads.max(1),
        || (),
        |(), n| open(n),
        |n, opened| {
            progress.done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let (Some(place), Some(opened)) = (places.get(n), opened) else { return };
            match opened {
                Ok(checkpoint) => {
                    for error in checkpoint.damage() {
                        let path = place.way.prefix().to_path_buf();
                        unread.push(Unread { path, finding: Finding::of(error) });
                    }
                    nodes.push(known.node(&checkpoint, place.run, place.modified));
                    ways.push(place.way.clone());
                }
                Err(error) => {
                    let path = place.way.prefix().to_path_buf();
                    unread.push(Unread { path, finding: Finding::of(&error) });
                }
            }
        },
    );
    unread
        .extend(gathered.unread.iter().map(|(path, error)| Unread { path: path.clone(), finding: Finding::of(error) }));
    let mut forest = Forest { known, nodes, ways, holders: HashMap::new(), options, limits };
    forest.hold();
    let mut links: Vec<Option<Link>> = (0..forest.nodes.len()).map(|at| forest.link(at)).collect();
    let original = originals(&links);
    for link in links.iter_mut().flatten().filter(|link| link.relation != Relation::Continues) {
        let first = |at: &usize| original.get(*at).copied().unwrap_or(*at);
        link.of = link.of.iter().map(first).collect();
        link.also = link.also.iter().map(|(of, weights)| (first(of), *weights)).collect();
        if link.relation == Relation::Average {
            let mut shares: Vec<(usize, f64)> = link.of.iter().copied().zip(link.shares.iter().copied()).collect();
            shares.sort_by_key(|(of, _)| *of);
            (link.of, link.shares) = shares.into_iter().unzip();
        }
    }
    let strays = std::mem::take(&mut gathered.strays);
    let strays = strays.into_iter().map(|file| stray(file, &forest.nodes, &forest.ways, options.values, limits));
    let mut strays: Vec<Stray> = strays.collect();
    for stray in &mut strays {
        stray.of = stray.of.and_then(|of| original.get(of).copied());
    }
    let root = root(&forest.nodes, &strays);
    let (bytes, repeated) = forest.repeated();
    let is_copy = |link: &Option<Link>| link.as_ref().is_some_and(|link| link.relation == Relation::Copy);
    let copied = forest.nodes.iter().zip(&links).filter(|(_, link)| is_copy(link)).map(|(node, _)| node.bytes).sum();
    let leaf = |(node, link): (Node, Option<Link>)| Leaf {
        tensors: node.items.len(),
        weights: node.items.iter().filter(|item| item.is_weight).count(),
        prefix: node.prefix,
        run: node.run,
        step: node.step,
        ages: node.ages,
        bytes: node.bytes,
        complete: node.complete,
        link,
    };
    let leaves = forest.nodes.into_iter().zip(links).map(leaf).collect();
    Ok(Descent { runs: gathered.runs, leaves, strays, unread, root, bytes, repeated, copied })
}

impl Forest<'_> {
    fn hold(&mut self) {
        for (at, node) in self.nodes.iter().enumerate() {
            for item in node.items.iter().filter(|item| item.is_weight && self.known.proves(item.print)) {
                let holders = self.holders.entry(item.print).or_default();
                if holders.last() != Some(&at) {
                    holders.push(at);
                }
            }
        }
    }

    /// Bytes of all tensors, and of those that another one has too.
    fn repeated(&self) -> (u64, u64) {
        let mut times: HashMap<u32, u64> = HashMap::new();
        for item in self.nodes.iter().flat_map(|node| &node.items) {
            *times.entry(item.print).or_default() += 1;
        }
        let size = |print: &u32| self.known.size_of.get(*print as usize).map_or(0, |(size, _)| *size);
        let more = times.iter().map(|(print, times)| size(print).saturating_mul(times.saturating_sub(1)));
        (self.nodes.iter().map(|node| node.bytes).sum(), more.sum())
    }

    fn link(&self, at: usize) -> Option<Link> {
        let node = self.nodes.get(at)?;
        let before = at.checked_sub(1).filter(|before| self.nodes.get(*before).is_some_and(|b| b.run == node.run));
        let in_run = before.and_then(|before| self.in_run(before, at));
        let is_certain = |link: &Link| {
            matches!(link.relation, Relation::Copy | Relation::Continues)
                && matches!(link.by, By::Checksums | By::Counters)
        };
        if let Some(link) = in_run.as_ref().filter(|link| is_certain(link)) {
            return Some(link.clone());
        }
        let by_bytes = self.by_bytes(at);
        let is_whole = |link: &Link| matches!(link.relation, Relation::Copy | Relation::Export | Relation::Contains);
        if let Some(link) = by_bytes.as_ref().filter(|link| is_whole(link)) {
            return Some(link.clone());
        }
        self.average(at).or(by_bytes).or(in_run)
    }

    /// What a checkpoint is to the one before it in its directory.
    fn in_run(&self, before: usize, at: usize) -> Option<Link> {
        let (earlier, node) = (self.nodes.get(before)?, self.nodes.get(at)?);
        let compared = Compared::of(&self.known, earlier, node);
        if compared.is_same {
            return Some(self.told(Relation::Copy, By::Checksums, before, &compared));
        }
        if !compared.is_one_model() {
            return None;
        }
        if compared.same_name > 0 && compared.moved > 0 {
            return Some(self.told(Relation::Continues, By::Checksums, before, &compared));
        }
        let like = if self.options.values { self.likeness(before, at) } else { None };
        // Numbers that have nothing to do with each other are no run, whatever is counted.
        let goes_on = like.is_none_or(|like| like > 0.5) && goes_on(earlier, node);
        let by = match like {
            _ if goes_on => By::Counters,
            Some(like) if like > 0.5 => By::Values,
            _ => By::Names,
        };
        let relation = if by == By::Names { Relation::SameModel } else { Relation::Continues };
        Some(self.told(relation, by, before, &compared))
    }

    fn likeness(&self, a: usize, b: usize) -> Option<f64> {
        let names = self.chosen(&[a, b]);
        let read = |at: usize| numbers(self.ways.get(at)?, &names, self.limits);
        Some(likeness(&read(a)?, &read(b)?))
    }

    fn chosen(&self, of: &[usize]) -> Vec<Box<[u8]>> {
        let nodes: Vec<&Node> = of.iter().filter_map(|at| self.nodes.get(*at)).collect();
        let size = |print: u32| self.known.size_of.get(print as usize).map_or(0, |(size, _)| *size);
        let name = |number: u32| self.known.name_of.get(number as usize).cloned();
        chosen(&nodes, size).into_iter().filter_map(name).collect()
    }

    /// What a checkpoint is to the one outside of its run with most of its weights.
    fn by_bytes(&self, at: usize) -> Option<Link> {
        let node = self.nodes.get(at)?;
        let weights = || node.items.iter().filter(|item| item.is_weight);
        let mut shared: HashMap<usize, (u64, usize)> = HashMap::new();
        for item in weights() {
            let size = self.known.size_of.get(item.print as usize).map_or(0, |(size, _)| *size);
            for other in self.holders.get(&item.print).into_iter().flatten().filter(|other| **other != at) {
                let sum = shared.entry(*other).or_default();
                let is_named =
                    self.nodes.get(*other).and_then(|node| node.find(item.name)).is_some_and(|o| o.print == item.print);
                *sum = (sum.0.saturating_add(size), sum.1.saturating_add(usize::from(is_named)));
            }
        }
        let mut best: Vec<(usize, (u64, usize))> = shared.iter().map(|(other, sum)| (*other, *sum)).collect();
        // Most bytes, under the same names if there is a choice, from what has slots, and then the nearest in time.
        let when =
            |other: usize| self.nodes.get(other).map(|o| (o.model == node.model, o.has_slots, o.modified, o.step));
        best.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| when(b.0).cmp(&when(a.0))).then_with(|| a.0.cmp(&b.0)));
        best.truncate(CANDIDATES);
        best.retain(|(other, _)| self.is_before(*other, at).0);
        // Of those with as much in common, one that trained it: others may have it from there, too.
        let ties = best.iter().take_while(|one| Some(one.1) == best.first().map(|first| first.1)).count();
        if let Some(ties) = best.get_mut(..ties) {
            ties.sort_by_key(|(other, _)| !self.trains_shared(*other, at));
        }
        let (other, _) = *best.first()?;
        let compared = Compared::of(&self.known, self.nodes.get(other)?, node);
        // One tensor under another name is no proof: among many there are such by chance.
        if compared.same_name == 0 && compared.other_name < 2 && compared.weights.1 > 1 {
            return None;
        }
        let is_all = compared.moved == 0 && compared.added == 0;
        let relation = if compared.is_same {
            Relation::Copy
        } else if is_all {
            Relation::Export
        } else if compared.moved == 0 && compared.removed == 0 {
            Relation::Contains
        } else {
            Relation::FineTuned
        };
        let mut link = self.told(relation, By::Checksums, other, &compared);
        link.direction = self.is_before(other, at).1;
        link.also = self.also(at, other, &best);
        Some(link)
    }

    /// Others with weights of this one that the first does not have.
    fn also(&self, at: usize, first: usize, best: &[(usize, (u64, usize))]) -> Vec<(usize, usize)> {
        let Some(node) = self.nodes.get(at) else { return Vec::new() };
        let proving = || node.items.iter().filter(|item| item.is_weight && self.known.proves(item.print));
        let holds =
            |print: u32, other: usize| self.holders.get(&print).is_some_and(|all| all.binary_search(&other).is_ok());
        let mut left: Vec<u32> = proving().map(|item| item.print).filter(|print| !holds(*print, first)).collect();
        let mut also = Vec::new();
        while also.len() < ALSO && !left.is_empty() {
            let count = |other: usize| left.iter().filter(|print| holds(**print, other)).count();
            let next = best
                .iter()
                .map(|(other, _)| (*other, count(*other)))
                .max_by_key(|(other, n)| (*n, std::cmp::Reverse(*other)));
            let Some((other, count)) = next.filter(|(_, count)| *count > 0) else { break };
            also.push((other, count));
            left.retain(|print| !holds(*print, other));
        }
        also
    }

    /// Whether one checkpoint was there before another, and what says so.
    fn is_before(&self, other: usize, at: usize) -> (bool, Direction) {
        let (Some(a), Some(b)) = (self.nodes.get(other), self.nodes.get(at)) else {
            return (false, Direction::Unknown);
        };
        if a.run == b.run {
            return (other < at, Direction::Told);
        }
        // What trains the bytes that they share, what has something before it, what has slots, is no copy.
        let follows = |at: usize, node: &Node| {
            at.checked_sub(1).and_then(|at| self.nodes.get(at)).is_some_and(|before| before.run == node.run)
        };
        let signs = [
            (self.trains_shared(other, at), self.trains_shared(at, other)),
            (a.has_slots, b.has_slots),
            (follows(other, a), follows(at, b)),
        ];
        if let Some((first, _)) = signs.into_iter().find(|(first, second)| first != second) {
            return (first, Direction::Told);
        }
        match (a.modified, b.modified) {
            (Some(a), Some(b)) if a != b => (a < b, Direction::Times),
            _ => (other < at, Direction::Unknown),
        }
    }

    /// Whether in the run of one checkpoint, weights have other bytes elsewhere that it shares with another.
    fn trains_shared(&self, at: usize, other: usize) -> bool {
        let (Some(node), Some(with)) = (self.nodes.get(at), self.nodes.get(other)) else { return false };
        let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
        let beside: Vec<&Node> = beside.filter_map(|at| self.nodes.get(at)).filter(|b| b.run == node.run).collect();
        if beside.is_empty() {
            return false;
        }
        let mut shared = node.items.iter().filter(|item| {
            item.is_weight
                && self.known.proves(item.print)
                && with.find(item.name).is_some_and(|o| o.print == item.print)
        });
        shared.any(|item| {
            beside.iter().any(|b| b.find(item.name).is_some_and(|o| o.kind == item.kind && o.print != item.print))
        })
    }

    /// Whether a checkpoint is a mean of others with the same weights.
    fn average(&self, at: usize) -> Option<Link> {
        if !self.options.values {
            return None;
        }
        let node = self.nodes.get(at)?;
        let is_alike = |other: &usize| *other != at && self.nodes.get(*other).is_some_and(|o| o.model == node.model);
        let mut others: Vec<usize> = (0..self.nodes.len()).filter(is_alike).collect();
        // Those with slots come before others, which may be means themselves.
        let has_slots = |at: &usize| self.nodes.get(*at).is_some_and(|node| node.has_slots);
        let is_own = |at: &usize| self.nodes.get(*at).is_some_and(|other| other.run == node.run);
        others.sort_by_key(|other| (!has_slots(other), is_own(other)));
        others.truncate(MEANS_OF);
        if others.len() < 2 {
            return None;
        }
        let mut all = vec![at];
        all.extend(&others);
        let names = self.chosen(&all);
        let own = numbers(self.ways.get(at)?, &names, self.limits)?;
        let read: Vec<(usize, Vec<f64>)> =
            others.iter().filter_map(|o| Some((*o, numbers(self.ways.get(*o)?, &names, self.limits)?))).collect();
        // Copies would share a share.
        let mut columns: Vec<(usize, Vec<f64>)> = Vec::new();
        for (other, column) in read {
            if !columns.iter().any(|(_, known)| *known == column) {
                columns.push((other, column));
            }
        }
        let found = shares(&own, &columns.iter().map(|(_, column)| column.clone()).collect::<Vec<_>>())?;
        let counted = columns.iter().zip(&found).filter(|(_, share)| share.abs() > 2e-3);
        let (of, shares): (Vec<usize>, Vec<f64>) = counted.map(|((other, _), share)| (*other, *share)).unzip();
        let compared = Compared::of(&self.known, self.nodes.get(*of.first()?)?, node);
        let mut link = self.told(Relation::Average, By::Values, *of.first()?, &compared);
        (link.of, link.shares) = (of, shares);
        Some(link)
    }

    fn told(&self, relation: Relation, by: By, of: usize, compared: &Compared) -> Link {
        let [frozen, moved, added, removed] =
            if relation == Relation::Copy { <[Vec<String>; 4]>::default() } else { compared.scopes(&self.known) };
        Link {
            relation,
            of: vec![of],
            by,
            shared: (compared.shared().saturating_add(compared.trivial), compared.weights.1),
            renamed: compared.other_name > 0,
            frozen,
            moved,
            added,
            removed,
            without: compared.without,
            shares: Vec::new(),
            also: Vec::new(),
            direction: Direction::Told,
        }
    }
}

/// Whether the counts of two checkpoints of one directory go on: of their optimizers, or of steps that they hold.
fn goes_on(earlier: &Node, later: &Node) -> bool {
    let of = |ages: &[OptimizerAge]| OptimizerAge::common(ages);
    match (of(&earlier.ages), of(&later.ages)) {
        (Some(a), Some(b)) => b > a,
        _ => earlier.is_counted && later.is_counted && later.step > earlier.step,
    }
}

/// For each checkpoint the one that it is a copy of, if it is one; else itself.
fn originals(links: &[Option<Link>]) -> Vec<usize> {
    let copy_of = |at: usize| {
        let link = links.get(at)?.as_ref().filter(|link| link.relation == Relation::Copy)?;
        link.of.first().copied()
    };
    let follow = |at: usize| {
        // Two that are copies of each other have no end.
        (0..links.len()).try_fold(at, |at, _| copy_of(at).ok_or(at)).unwrap_or_else(|end| end)
    };
    (0..links.len()).map(follow).collect()
}

/// The directory that all of them are in.
fn root(nodes: &[Node], strays: &[Stray]) -> PathBuf {
    let paths = nodes.iter().map(|node| node.prefix.as_path()).chain(strays.iter().map(|stray| stray.path.as_path()));
    let folders = paths.map(|path| path.parent().unwrap_or(path).components().collect::<Vec<_>>());
    let common = folders.reduce(|a, b| a.into_iter().zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a).collect());
    common.into_iter().flatten().collect()
}
