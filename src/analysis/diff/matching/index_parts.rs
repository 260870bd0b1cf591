//! A fused tensor whose data is there, and its parts in an index: the checksums of its stretches, looked up there.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{Hit, Known, targets};
use super::pieces::says_nothing;
use super::prove::{At, Buffers, overflows_of};
use super::siblings::families;
use super::sums::checksums_of;
use super::walk::{Stretch, Walk};
use super::within::{Heads, Sizes, stretches};
use super::work::{Link, Work};
use crate::analysis::diff::Side;
use crate::analysis::diff::how::{PartOf, Rounded};

/// What query, key and value of an index would be in one tensor.
pub(super) fn heads(work: &Work<'_>, index: usize) -> Heads {
    let mut heads = Heads::new();
    for family in families(work, index, |item| item.print().is_none()) {
        let parts = family.siblings().into_iter().flatten().filter_map(|at| work.item(index, *at));
        let counts: Vec<u64> = parts.map(|item| item.count).collect();
        heads.entry(counts.iter().copied().fold(0, u64::saturating_add)).or_default().extend(counts);
    }
    heads
}

/// The checksums of stretches of a tensor that could be one of the index, and which of them it has.
pub(super) fn of_parts(
    of: At<'_>,
    (sizes, dtypes, heads): (&Sizes, &BTreeSet<i32>, &Heads),
    hold: &mut Buffers,
    known: &Known,
) -> (Vec<Hit>, u64) {
    let item = of.1;
    let (mut hits, mut tries) = (Vec::new(), 0u64);
    if says_nothing(item) {
        return (hits, tries);
    }
    for dtype in targets(item.tensor.dtype, dtypes) {
        let all = stretches(item, dtype, sizes, heads);
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
            let cast = cast.map(own).map(|overflows| Rounded { overflows });
            hits.push(Hit { order, cast, stretch: Some(stretch), key });
        }
    }
    (hits, tries)
}

/// Takes in tensors of the index that are stretches of one of the other side.
pub(super) fn take_parts(work: &mut Work<'_>, index: usize, found: Vec<(usize, (Vec<Hit>, u64))>, known: &Known) {
    let side = if index == 0 { Side::B } else { Side::A };
    for (fused, (mut hits, tries)) in found {
        work.tries = work.tries.saturating_add(tries);
        // Runs before what alternates.
        hits.sort_by_key(|hit| hit.stretch.map(|stretch| (stretch.groups, stretch)));
        let Some(Stretch { axis, groups, .. }) = hits.first().and_then(|hit| hit.stretch) else { continue };
        let length = work.item(1 - index, fused).and_then(|item| item.dims.get(axis)).copied().unwrap_or(0);
        // Of each group.
        let whole = length / groups.max(1);
        let (mut at, mut used, mut links, mut gaps) = (0, Vec::new(), Vec::new(), Vec::new());
        for hit in &hits {
            let is_next = |stretch: &Stretch| (stretch.axis, stretch.groups) == (axis, groups) && stretch.start >= at;
            let Some(stretch) = hit.stretch.filter(is_next) else { continue };
            let items = |wanted: usize| if index == 0 { [wanted, fused] } else { [fused, wanted] };
            let Some(all) = known.get(&hit.key) else { continue };
            let free = all.iter().filter(|at| work.is_free(index, **at) && !used.contains(*at));
            let Some(wanted) = free.max_by_key(|at| (work.fit(items(**at)), std::cmp::Reverse(**at))).copied() else {
                continue;
            };
            if stretch.start > at {
                gaps.push((1 - index, fused, axis, at..stretch.start));
            }
            at = stretch.start.saturating_add(stretch.size / groups.max(1));
            used.push(wanted);
            let (orders, cast, by_name) = (vec![hit.order.clone()], hit.cast, all.len() > 1);
            let link = Link { items: items(wanted), orders, cast, by_name, by_checksum: true, ..Link::default() };
            links.push((stretch, link));
        }
        if at < whole && !links.is_empty() {
            gaps.push((1 - index, fused, axis, at..whole));
        }
        // Parts that alternate are all there is, or there are none.
        if groups > 1 && !gaps.is_empty() {
            continue;
        }
        let of = links.len().saturating_add(gaps.len());
        work.gaps.extend(gaps);
        for (stretch, link) in links {
            let (start, size) = (stretch.start, stretch.size);
            work.link(Link { part: Some(PartOf { fused: side, axis, start, size, groups, of }), ..link });
        }
    }
}
