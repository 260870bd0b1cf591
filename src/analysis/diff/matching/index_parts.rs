//! A fused tensor whose data is there, and its parts in an index: the checksums of its stretches, looked up there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::known::{Hit, Known, targets};
use super::pieces::says_nothing;
use super::prove::{At, Buffers, overflows_of, stretch_says_nothing};
use super::siblings::families;
use super::sums::checksums_of;
use super::walk::{Stretch, Walk};
use super::within::{FIRST_HEADS, Heads, Places, Sizes, stretches};
use super::work::{Link, Work};
use crate::analysis::diff::Side;
use crate::analysis::diff::how::{PartOf, Rounded};
use crate::base::parallel::in_order;

/// Looks for query, key and value of an index where they alternate by heads in one tensor of the other side.
pub(super) fn of_heads(
    work: &mut Work<'_>,
    index: usize,
    candidates: &[usize],
    sizes: (&Sizes, &BTreeSet<i32>),
    known: &Known,
) {
    let mut heads = Heads::new();
    for family in families(work, index, |item| item.print().is_none()) {
        let parts = family.heads().into_iter().flatten().filter_map(|at| work.item(index, *at));
        let counts: Vec<u64> = parts.map(|item| item.count).collect();
        heads.entry(counts.iter().copied().fold(0, u64::saturating_add)).or_default().extend(counts);
    }
    let may_be = |at: &&usize| work.item(1 - index, **at).is_some_and(|item| heads.contains_key(&item.count));
    let candidates: Vec<usize> = candidates.iter().filter(may_be).copied().collect();
    let (first, others) = candidates.split_at(candidates.len().min(FIRST_HEADS));
    let mut groups = BTreeSet::new();
    for some in [first, others] {
        let mut found = Vec::with_capacity(some.len());
        let places = Places::Heads(&heads, &groups);
        let one = |hold: &mut Buffers, n: usize| {
            let at = *some.get(n)?;
            Some((at, of_parts(work.at(1 - index, at)?, sizes, places, hold, known)))
        };
        in_order(some.len(), work.threads, Buffers::default, one, |_, one| found.extend(one));
        let before = work.links.len();
        take_parts(work, index, found, known);
        let new = work.links.get(before..).unwrap_or_default();
        groups = new.iter().filter_map(|link| link.part).map(|part| part.groups).collect();
        if groups.is_empty() {
            return;
        }
    }
}

/// The checksums of stretches of a tensor that could be one of the index, and which of them it has.
pub(super) fn of_parts(
    of: At<'_>,
    (sizes, dtypes): (&Sizes, &BTreeSet<i32>),
    places: Places<'_>,
    hold: &mut Buffers,
    known: &Known,
) -> (Vec<Hit>, u64) {
    let item = of.1;
    let (mut hits, mut tries) = (Vec::new(), 0u64);
    if says_nothing(item) {
        return (hits, tries);
    }
    for dtype in targets(item.tensor.dtype, dtypes) {
        let all = stretches(item, dtype, sizes, places);
        let walks: Vec<Walk> = all.iter().map(|(_, order)| order.walk.clone()).collect();
        let cast = (dtype != item.tensor.dtype).then_some(dtype);
        let Ok((sums, overflows)) = checksums_of(of, cast, &walks, hold) else { continue };
        for ((stretch, order), crc) in all.into_iter().zip(sums) {
            let count = order.walk.len() as u64;
            let of_dtype = |shapes: &BTreeMap<(i32, Vec<u64>), u64>| {
                shapes.iter().filter(|((of, _), _)| *of == dtype.number()).map(|(_, n)| *n).sum::<u64>()
            };
            tries = tries.saturating_add(sizes.get(&count).map_or(0, of_dtype));
            let key = (dtype.number(), count, crc.0);
            if !known.contains_key(&key) {
                continue;
            }
            // Not those of other parts.
            let own = |to| if overflows > 0 { overflows_of(of, to, &order.walk, hold).unwrap_or(overflows) } else { 0 };
            let rounded = cast.map(own).map(|overflows| Rounded { overflows });
            let says_nothing = stretch_says_nothing(of, &order.walk, hold).unwrap_or(true);
            hits.push(Hit { order, cast: rounded, stretch: Some(stretch), key, says_nothing });
        }
    }
    (hits, tries)
}

/// Takes in tensors of the index that are stretches of one of the other side.
pub(super) fn take_parts(work: &mut Work<'_>, index: usize, found: Vec<(usize, (Vec<Hit>, u64))>, known: &Known) {
    let side = if index == 0 { Side::B } else { Side::A };
    for (fused, (hits, tries)) in found {
        work.tries = work.tries.saturating_add(tries);
        let mut layouts: BTreeMap<(u64, usize), Vec<(Stretch, &Hit)>> = BTreeMap::new();
        for hit in &hits {
            if let Some(stretch) = hit.stretch {
                layouts.entry((stretch.groups, stretch.axis)).or_default().push((stretch, hit));
            }
        }
        let mut covers: Vec<Cover> =
            layouts.into_values().filter_map(|hits| cover(work, index, fused, hits, known)).collect();
        // What is all there; else, in one run, the most of it.
        covers.sort_by_key(|cover| (!cover.gaps.is_empty(), std::cmp::Reverse(cover.covered)));
        let Some(Cover { links, gaps, axis, .. }) = covers.into_iter().next() else { continue };
        let of = links.len().saturating_add(gaps.len());
        work.gaps.extend(gaps.into_iter().map(|gap| (1 - index, fused, axis, gap)));
        for (stretch, link) in links {
            let Stretch { axis, start, size, groups } = stretch;
            work.link(Link { part: Some(PartOf { fused: side, axis, start, size, groups, of }), ..link });
        }
    }
}

/// Tensors of an index that lie beside each other in a fused one.
struct Cover {
    axis: usize,
    links: Vec<(Stretch, Link)>,
    gaps: Vec<Range<u64>>,
    /// Indexes of the axis.
    covered: u64,
}

/// The parts that these stretches are, from the first index on; none if what they are says nothing.
fn cover(work: &Work<'_>, index: usize, fused: usize, mut hits: Vec<(Stretch, &Hit)>, known: &Known) -> Option<Cover> {
    hits.sort_by_key(|(stretch, _)| *stretch);
    let Stretch { axis, groups, .. } = hits.first()?.0;
    // Of each group.
    let whole = work.item(1 - index, fused)?.dims.get(axis)?.checked_div(groups)?;
    let items = |wanted: usize| if index == 0 { [wanted, fused] } else { [fused, wanted] };
    let (mut at, mut covered, mut used, mut links, mut gaps) = (0, 0, Vec::new(), Vec::new(), Vec::new());
    for (stretch, hit) in hits {
        let free = known.get(&hit.key).into_iter().flatten();
        let free = free.filter(|at| work.is_free(index, **at) && !used.contains(*at));
        let best = free.max_by_key(|at| (work.fit(items(**at)), std::cmp::Reverse(**at)));
        let Some(wanted) = best.copied().filter(|_| stretch.start >= at) else { continue };
        if stretch.start > at {
            gaps.push(at..stretch.start);
        }
        at = stretch.start.saturating_add(stretch.size / groups);
        covered += stretch.size;
        used.push(wanted);
        let by_name = known.get(&hit.key).is_some_and(|all| all.len() > 1);
        let (orders, cast, says_nothing) = (vec![hit.order.clone()], hit.cast, hit.says_nothing);
        let items = items(wanted);
        links
            .push((stretch, Link { items, orders, cast, by_name, says_nothing, by_checksum: true, ..Link::default() }));
    }
    if at < whole {
        gaps.push(at..whole);
    }
    // A run of zeros is anywhere, and parts that alternate are all there is, or there are none.
    let is_so = links.iter().any(|(_, link)| !link.says_nothing) && (groups == 1 || gaps.is_empty());
    is_so.then_some(Cover { axis, links, gaps, covered })
}
