//! A side of which only the index is there: checksums of the other side's tensors in every order of their axes, looked up
//! among those that the index has.
//!
//! A checksum has 32 bits, so that one in 2^32 agrees by chance: how many were compared is counted, and said.

use std::collections::{BTreeMap, BTreeSet};

use super::fuse::by_fusing;
use super::index_parts::{of_heads, of_parts, take_parts};
use super::known::{Hit, Known, known, targets, turned};
use super::names::mutual;
use super::orders::{Order, backwards, orders, sorted, without_ones};
use super::prove::{At, Buffers};
use super::side::Data;
use super::sums::checksums_of;
use super::walk::Walk;
use super::within::{Places, Sizes};
use super::work::{Link, Work};
use crate::analysis::diff::how::Rounded;
use crate::base::parallel::in_order;

/// Pairs what only an index tells of.
pub(super) fn by_checksums(work: &mut Work<'_>) {
    both_indexes(work);
    for side in [0, 1] {
        let mut open = Vec::new();
        for search in [Search::Orders, Search::Backwards, Search::Parts, Search::Heads] {
            open.extend(one_index(work, side, search));
        }
        by_fusing(work, side, false);
        close(work, &open);
        by_fusing(work, side, true);
    }
}

/// What is tried of each tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    Orders,
    Backwards,
    Parts,
    /// Parts that alternate.
    Heads,
}

/// Items of A and of B with one checksum, several of them, and how each could be the other.
type Open = ([Vec<usize>; 2], Vec<(usize, Hit)>, usize);

/// Two tensors with one checksum in two indexes.
fn both_indexes(work: &mut Work<'_>) {
    let known = [0, 1].map(|side| known(work, side));
    let big = work.sides.iter().map(|side| side.checkpoint.is_big_endian()).collect::<BTreeSet<_>>();
    if big.len() > 1 {
        return;
    }
    let [ours, theirs] = known;
    for (key, a) in ours {
        if let Some(b) = theirs.get(&key) {
            work.tries = work.tries.saturating_add((a.len() as u64).saturating_mul(b.len() as u64));
            let link = |work: &Work<'_>, [a, b]: [usize; 2]| {
                let (x, y) = (work.item(0, a)?, work.item(1, b)?);
                let order = orders(&x.dims, &y.dims).into_iter().find(|order| order.walk.is_in_order())?;
                Some(Link { items: [a, b], orders: vec![order], by_checksum: true, ..Link::default() })
            };
            assign(work, [&a, b], &link);
            leave(work, [&a, b]);
        }
    }
}

/// Looks for the tensors of one index among the data of the other side.
fn one_index(work: &mut Work<'_>, index: usize, search: Search) -> Vec<Open> {
    let parts = matches!(search, Search::Parts | Search::Heads);
    let known = known(work, index);
    let is_big = work.sides.get(index).is_none_or(|side| side.checkpoint.is_big_endian());
    if known.is_empty() || is_big {
        return Vec::new();
    }
    // What there is of each number of elements: dtypes, shapes, and how many checksums.
    let mut sizes = Sizes::new();
    for (_, item) in work.free_items(index) {
        if matches!(item.data, Data::Sum(_)) {
            let shape = (item.tensor.dtype.number(), item.dims.clone());
            *sizes.entry(item.count).or_default().entry(shape).or_default() += 1;
        }
    }
    let dtypes = sizes.values().flat_map(BTreeMap::keys).map(|(dtype, _)| *dtype).collect();
    let candidates: Vec<usize> = work
        .free_items(1 - index)
        .filter(|(_, item)| matches!(item.data, Data::Read(_)) && (parts || sizes.contains_key(&item.count)))
        .map(|(at, _)| at)
        .collect();
    if search == Search::Heads {
        of_heads(work, index, &candidates, (&sizes, &dtypes), &known);
        return Vec::new();
    }
    let mut found = Vec::with_capacity(candidates.len());
    let one = |hold: &mut Buffers, n: usize| {
        let at = *candidates.get(n)?;
        let of = work.at(1 - index, at)?;
        let tries = if parts {
            of_parts(of, (&sizes, &dtypes), Places::Runs, hold, &known)
        } else {
            sizes
                .get(&of.1.count)
                .map(|shapes| of_orders(of, shapes, search == Search::Backwards, hold, &known))
                .unwrap_or_default()
        };
        Some((at, tries))
    };
    in_order(candidates.len(), work.threads, Buffers::default, one, |_, one| found.extend(one));
    if parts {
        take_parts(work, index, found, &known);
        return Vec::new();
    }
    take(work, index, found, &known)
}

/// Takes in what has one checksum with one other; the rest is handed back.
fn take(work: &mut Work<'_>, index: usize, found: Vec<(usize, (Vec<Hit>, u64))>, known: &Known) -> Vec<Open> {
    let mut groups: BTreeMap<(i32, u64, u32), Open> = BTreeMap::new();
    for (at, (hits, tries)) in found {
        work.tries = work.tries.saturating_add(tries);
        for hit in hits {
            let group = groups.entry(hit.key).or_insert_with(|| (Default::default(), Vec::new(), index));
            let there = &mut group.0[1];
            if there.last() != Some(&at) {
                there.push(at);
            }
            group.1.push((at, hit));
        }
    }
    let (mut open, mut singles) = (Vec::new(), Vec::new());
    for (key, ([_, there], hits, index)) in groups {
        let wanted = known.get(&key).cloned().unwrap_or_default();
        let sides = if index == 0 { [wanted, there] } else { [there, wanted] };
        if let [[a], [b]] = [sides[0].as_slice(), sides[1].as_slice()] {
            singles.push(([*a, *b], hits));
        } else {
            open.push((sides, hits, index));
        }
    }
    let mut made = Vec::with_capacity(singles.len());
    let one = |(): &mut (), n: usize| singles.get(n).and_then(|(items, hits)| linked(work, index, *items, hits));
    in_order(singles.len(), work.threads, || (), one, |_, link| made.extend(link));
    for link in made {
        let [a, b] = link.items;
        if work.is_free(0, a) && work.is_free(1, b) {
            work.link(link);
        }
    }
    open
}

/// Lets names decide where several have one checksum, once everything else is known, and leaves the rest open.
fn close(work: &mut Work<'_>, open: &[Open]) {
    let mut counted = None;
    for ([a, b], hits, index) in open {
        // To learn anew from every pair would be a pass over all for each.
        if counted.is_none_or(|links| work.links.len() > links + links / 16) {
            work.count();
            counted = Some(work.links.len());
        }
        assign(work, [a, b], &|work, items| linked(work, *index, items, hits));
    }
    for ([a, b], ..) in open {
        leave(work, [a, b]);
    }
}

/// A pair by its checksum.
fn linked(work: &Work<'_>, index: usize, items: [usize; 2], hits: &[(usize, Hit)]) -> Option<Link> {
    let (ours, theirs) = if index == 0 { (items[0], items[1]) } else { (items[1], items[0]) };
    let wanted = work.item(index, ours)?;
    let data = work.item(1 - index, theirs)?;
    let (mut found, mut cast): (Vec<Order>, _) = (Vec::new(), None);
    for (at, hit) in hits.iter().filter(|(at, _)| *at == theirs) {
        let _ = at;
        let is_it = |order: &Order| order.walk == hit.order.walk;
        // What is told leads to the shape that the index has.
        let plain = orders(&data.dims, &wanted.dims).into_iter().find(is_it);
        let order = plain.or_else(|| backwards(&data.dims, &wanted.dims).into_iter().find(is_it));
        if let Some(order) = order {
            found.push(order);
            cast = hit.cast;
        }
    }
    if index == 0 {
        found = found.iter().filter_map(|order| turned(order, &wanted.dims, &data.dims)).collect();
    }
    let says_nothing = data.print().is_some_and(|print| print.says_nothing);
    (!found.is_empty()).then(|| Link { items, orders: found, cast, by_checksum: true, says_nothing, ..Link::default() })
}

/// Pairs tensors with one content: one with one, or as names decide.
fn assign(work: &mut Work<'_>, all: [&[usize]; 2], link: &dyn Fn(&Work<'_>, [usize; 2]) -> Option<Link>) {
    /// Pairs of names that are looked at.
    const MOST: usize = 1 << 20;
    loop {
        let [x, y] = still_free(work, all);
        if x.is_empty() || y.is_empty() || x.len().saturating_mul(y.len()) > MOST {
            return;
        }
        let by_name = all.iter().any(|all| all.len() > 1);
        let pairs = if x.len() > 1 || y.len() > 1 {
            mutual(x.len(), y.len(), &mut |n, m| match (x.get(n), y.get(m)) {
                (Some(n), Some(m)) => work.fit([*n, *m]),
                _ => i32::MIN,
            })
        } else {
            vec![(0, 0)]
        };
        let mut held = 0;
        for (n, m) in pairs {
            if let (Some(n), Some(m)) = (x.get(n), y.get(m))
                && let Some(made) = link(work, [*n, *m])
            {
                held += 1;
                work.link(Link { by_name, ..made });
            }
        }
        if held == 0 {
            return;
        }
    }
}

fn still_free(work: &Work<'_>, all: [&[usize]; 2]) -> [Vec<usize>; 2] {
    let free = |side: usize| {
        let all = all.get(side).copied().unwrap_or_default();
        all.iter().copied().filter(|at| work.is_free(side, *at)).collect()
    };
    [free(0), free(1)]
}

/// Says of what has several partners that it has.
fn leave(work: &mut Work<'_>, all: [&[usize]; 2]) {
    let left = still_free(work, all);
    if left.iter().all(|left| !left.is_empty()) && left.iter().any(|left| left.len() > 1) {
        for (free, left) in work.free.iter_mut().zip(&left) {
            for at in left {
                free.remove(at);
            }
        }
        work.groups.push(left);
    }
}

/// The checksums of a tensor in every order that makes a shape of the index, and which of them it has.
fn of_orders(
    of: At<'_>,
    shapes: &BTreeMap<(i32, Vec<u64>), u64>,
    flips: bool,
    hold: &mut Buffers,
    known: &Known,
) -> (Vec<Hit>, u64) {
    let item = of.1;
    let says_nothing = item.print().is_some_and(|print| print.says_nothing);
    let (mut hits, mut tries) = (Vec::new(), 0u64);
    let there = shapes.keys().map(|(dtype, _)| *dtype).collect();
    for to in targets(item.tensor.dtype, &there) {
        let dtype = to.number();
        let of_dtype = || shapes.iter().filter(|((of, _), _)| *of == dtype);
        let checksums: u64 = of_dtype().map(|(_, n)| *n).sum();
        let mut seen = BTreeSet::new();
        let mut all: Vec<Order> = Vec::new();
        for ((_, dims), _) in of_dtype() {
            if says_nothing && sorted(&without_ones(dims)) != sorted(&without_ones(&item.dims)) {
                continue;
            }
            let more = if flips { backwards(&item.dims, dims) } else { orders(&item.dims, dims) };
            all.extend(more.into_iter().filter(|order| seen.insert(order.walk.clone())));
        }
        let cast = (to != item.tensor.dtype).then_some(to);
        let walks: Vec<Walk> = all.iter().map(|order| order.walk.clone()).collect();
        let Ok((sums, overflows)) = checksums_of(of, cast, &walks, hold) else { continue };
        for (order, crc) in all.into_iter().zip(sums) {
            tries = tries.saturating_add(checksums);
            let key = (dtype, item.count, crc.0);
            if known.contains_key(&key) {
                let cast = cast.map(|_| Rounded { overflows });
                hits.push(Hit { order, cast, stretch: None, key, says_nothing });
            }
        }
    }
    (hits, tries)
}
