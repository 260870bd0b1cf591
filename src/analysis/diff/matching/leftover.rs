//! What has no partner by its contents: the partner that it should have had, by name and shape, and how the two differ.

use std::collections::{BTreeMap, BTreeSet};

use super::arrange::arranged;
use super::beyond::BeyondIndex;
use super::contents::Claim;
use super::copies::{Copied, Twins};
use super::differ::{Seen, say};
use super::names::{FITS, mutual};
use super::orders::{Order, orders, sorted, without_ones};
use super::prove::{At, Buffers, MOST, pieces, whole};
use super::shuffled::shuffled;
use super::side::{Data, Item, narrower};
use super::suspect::usual;
use super::work::{Link, Work};
use crate::analysis::diff::Values;
use crate::analysis::diff::delta::{Bins, Partial, Rules};
use crate::analysis::diff::how::Rounded;
use crate::analysis::diff::values::values;
use crate::base::error::Result;
use crate::base::parallel::in_order;
use crate::read::tensor::DType;

/// Elements in which a few differ that are looked at one by one.
const LISTED: usize = 1 << 12;

/// Pairs what is left, and says how the values of each pair differ. `claims` have the same elements in another order.
/// Returns what has the values of another tensor than its partner.
pub(super) fn pair(work: &mut Work<'_>, claims: &[Claim]) -> Vec<Copied> {
    let mut pairs: Vec<Claim> = Vec::new();
    let mut taken = [BTreeSet::new(), BTreeSet::new()];
    let is_free =
        |work: &Work<'_>, claim: &Claim| work.free.iter().zip(claim.items).all(|(free, item)| free.contains(&item));
    for claim in claims.iter().filter(|claim| is_free(work, claim)) {
        let is_fresh = taken.iter().zip(claim.items).all(|(taken, item)| !taken.contains(&item));
        if is_fresh {
            for (taken, item) in taken.iter_mut().zip(claim.items) {
                taken.insert(item);
            }
            pairs.push(*claim);
        }
    }
    work.count();
    pairs.extend(by_names(work, &taken));
    if pairs.is_empty() {
        return Vec::new();
    }
    let usual = usual(work);
    let mut found = Vec::with_capacity(pairs.len());
    let one = |hold: &mut Buffers, n: usize| {
        let claim = pairs.get(n)?;
        let (a, b) = (work.at(0, claim.items[0])?, work.at(1, claim.items[1])?);
        Some(compared(a, b, usual(work, claim.items).as_deref(), hold))
    };
    in_order(pairs.len(), work.threads, Buffers::default, one, |_, one| found.push(one));
    drop(usual);
    let (twins, mut copies) = (Twins::of(work), Vec::new());
    for (claim, found) in pairs.iter().zip(found) {
        if let Some(Ok(link)) = found {
            let Link { differs, .. } = &link;
            let is_proven = differs.is_none();
            let copy = link.differs.as_ref().and_then(|_| twins.copy(work, claim.items));
            let of_copy = copy.and_then(|copy| copy.words(work)).unwrap_or_default();
            copies.extend(copy);
            let differs = link.differs.clone().map(|(text, values)| (text + &of_copy, values));
            let items = claim.items;
            let says_nothing =
                is_proven && work.item(0, items[0]).and_then(Item::print).is_some_and(|p| p.says_nothing);
            work.link(Link { items, says_nothing, differs, ..link });
        }
    }
    copies
}

/// Pairs that names and shapes make.
fn by_names(work: &Work<'_>, taken: &[BTreeSet<usize>; 2]) -> Vec<Claim> {
    /// Pairs of names that are looked at among tensors of one shape.
    const PAIRS: usize = 1 << 20;
    let mut shapes: BTreeMap<Vec<u64>, [Vec<usize>; 2]> = BTreeMap::new();
    let beyond = BeyondIndex::of(work);
    for (side, taken) in taken.iter().enumerate() {
        for (at, item) in work.free_items(side) {
            if !taken.contains(&at) && !beyond.has(side, item) {
                let shape = sorted(&without_ones(&item.dims));
                if let Some(items) = shapes.entry(shape).or_default().get_mut(side) {
                    items.push(at);
                }
            }
        }
    }
    let fit = |a: usize, b: usize| work.fit([a, b]);
    let is_large = |[a, b]: &[Vec<usize>; 2]| a.len().saturating_mul(b.len()) > PAIRS;
    let (large, mut groups): (Vec<_>, Vec<_>) = shapes.into_values().partition(is_large);
    groups.extend(large.iter().flat_map(|large| by_numbers(work, large)));
    let mut claims = Vec::new();
    let (mut alone_a, mut alone_b) = (Vec::new(), BTreeSet::new());
    for group in groups {
        let is_large = is_large(&group);
        let [a, b] = group;
        let pairs = if is_large {
            Vec::new()
        } else {
            mutual(a.len(), b.len(), &mut |x, y| match (a.get(x), b.get(y)) {
                (Some(x), Some(y)) => fit(*x, *y),
                _ => i32::MIN,
            })
        };
        let (mut left_a, mut left_b) = (a.clone(), b.clone());
        for (x, y) in pairs {
            if let (Some(x), Some(y)) = (a.get(x), b.get(y)) {
                claims.push(Claim { items: [*x, *y], cast: None, by_name: true });
                left_a.retain(|at| at != x);
                left_b.retain(|at| at != y);
            }
        }
        // The last of a shape, if nothing speaks against it.
        if let ([x], [y]) = (left_a.as_slice(), left_b.as_slice())
            && fit(*x, *y) >= 0
        {
            claims.push(Claim { items: [*x, *y], cast: None, by_name: true });
            continue;
        }
        alone_a.extend(left_a);
        alone_b.extend(left_b);
    }
    // The very name, in another shape.
    for x in alone_a {
        let namesake = work.names.first().and_then(|names| names.get(x)).and_then(|name| work.namesake(name));
        if let Some(y) = namesake.filter(|y| alone_b.contains(y) && fit(x, *y) >= FITS) {
            claims.push(Claim { items: [x, y], cast: None, by_name: true });
        }
    }
    claims
}

/// Tensors of one shape, too many to look at every pair of them: those whose names have the same numbers are together.
fn by_numbers(work: &Work<'_>, [a, b]: &[Vec<usize>; 2]) -> Vec<[Vec<usize>; 2]> {
    let mut groups: BTreeMap<&[u64], [Vec<usize>; 2]> = BTreeMap::new();
    for (side, items) in [a, b].into_iter().enumerate() {
        for item in items {
            let name = work.names.get(side).and_then(|names| names.get(*item));
            let group = groups.entry(name.map_or(&[], |name| &name.numbers)).or_default();
            group.get_mut(side).into_iter().for_each(|group| group.push(*item));
        }
    }
    groups.into_values().collect()
}

/// Compares two tensors that should be the same, in the order that others of their kind have, or in which they are nearest.
fn compared(a: At<'_>, b: At<'_>, usual: Option<&[usize]>, hold: &mut Buffers) -> Result<Link> {
    let (x, y) = (a.1, b.1);
    let mut all = orders(&x.dims, &y.dims);
    // Of an index nobody knows more than that its checksum is another one.
    let text = match (&x.data, &y.data) {
        (Data::Sum(_), Data::Sum(_)) => Some("the checksums of the two indexes differ"),
        (Data::Sum(_), _) => Some("the checksum in A is not that of B's values in any order of their axes"),
        (_, Data::Sum(_)) => Some("the checksum in B is not that of A's values in any order of their axes"),
        _ => None,
    };
    if let Some(text) = text.filter(|_| !all.is_empty()) {
        return Ok(Link { differs: Some((text.to_owned(), None)), ..Link::default() });
    }
    let is_same_shape = sorted(&without_ones(&x.dims)) == sorted(&without_ones(&y.dims));
    if all.is_empty() || !is_same_shape {
        let text = format!("another shape: {:?} in A, {:?} in B", x.dims, y.dims);
        return Ok(Link { differs: Some((text, None)), ..Link::default() });
    }
    let Some(cast) = common(x.tensor.dtype, y.tensor.dtype) else {
        let text = format!("another dtype: {} in A, {} in B", x.tensor.dtype, y.tensor.dtype);
        return Ok(Link { differs: Some((text, None)), ..Link::default() });
    };
    let rounded = (x.tensor.dtype != y.tensor.dtype).then_some(cast);
    if let Some(at) = usual.and_then(|axes| all.iter().position(|order| order.axes == axes)) {
        all = vec![all.swap_remove(at)];
    }
    if x.bytes().max(y.bytes()) <= MOST {
        whole(a, rounded, &mut hold.source)?;
        whole(b, rounded, &mut hold.result)?;
        return Ok(in_memory(x, y, cast, rounded, all, hold));
    }
    // What is too large to be looked at in every order is compared in the first.
    let Some(order) = all.into_iter().next() else { return Ok(Link::default()) };
    let bins = Bins::new(&y.dims);
    let mut partial = Partial::default();
    let size = cast.element_size().unwrap_or(1);
    pieces(a, b, rounded, &order.walk, hold, &mut |over, source, result, first| {
        let mut put = Vec::new();
        if arranged(over, source, size, &mut put).is_some() {
            partial.add(cast, &put, result, first, &bins, RULES);
        }
        true
    })?;
    let text =
        say(&Seen { partial: &partial, count: y.count, dims: &y.dims, listed: &[], same_elements: false, both: None });
    Ok(link(y, cast, rounded, order, &partial, text))
}

const RULES: Rules = Rules { tolerance: None, nan_differs: false };

fn link(item: &Item, cast: DType, rounded: Option<DType>, order: Order, partial: &Partial, text: String) -> Link {
    let mut tensor = item.tensor.clone();
    tensor.dtype = cast;
    let values: Option<Box<Values>> = Some(Box::new(values(&tensor, partial)));
    let cast = rounded.map(|_| Rounded::default());
    Link { orders: vec![order], differs: Some((text, values)), cast, ..Link::default() }
}

/// The dtype in which values of both can be compared.
pub(super) fn common(a: DType, b: DType) -> Option<DType> {
    if a == b || narrower(b).contains(&a) {
        return Some(a);
    }
    narrower(a).contains(&b).then_some(b)
}

/// Both tensors are held: every order is tried, and what differs is looked at closely.
pub(super) fn in_memory(
    x: &Item,
    y: &Item,
    cast: DType,
    rounded: Option<DType>,
    all: Vec<Order>,
    hold: &mut Buffers,
) -> Link {
    let size = cast.element_size().unwrap_or(1);
    let bins = Bins::new(&y.dims);
    let mut best: Option<(Partial, Order)> = None;
    let mut put = Vec::new();
    for order in all {
        if arranged(&order.walk, &hold.source, size, &mut put).is_none() {
            continue;
        }
        let bytes = usize::try_from(size).unwrap_or(1);
        if x.print().map(|print| print.sum) == y.print().map(|print| print.sum)
            && let Some(found) = shuffled(&put, &hold.result, &y.dims, bytes)
        {
            let blocks = found.blocks();
            if blocks.is_some() {
                let cast = rounded.map(|_| Rounded::default());
                return Link { orders: vec![order], blocks, cast, ..Link::default() };
            }
            let moved = found.order.iter().enumerate().filter(|(n, from)| n != *from).count();
            let text = format!(
                "the same values with {moved} of {} indexes of axis {} in other places",
                found.order.len(),
                found.axis
            );
            let mut partial = Partial::default();
            partial.add(cast, &put, &hold.result, 0, &bins, RULES);
            return link(y, cast, rounded, order, &partial, text);
        }
        let mut partial = Partial::default();
        partial.add(cast, &put, &hold.result, 0, &bins, RULES);
        let is_better = best.as_ref().is_none_or(|(best, _)| nearness(&partial, y.count) > nearness(best, y.count));
        if is_better {
            best = Some((partial, order));
        }
    }
    let Some((partial, order)) = best else { return Link::default() };
    let mut put = Vec::new();
    let _ = arranged(&order.walk, &hold.source, size, &mut put);
    let step = usize::try_from(size).unwrap_or(1).max(1);
    let listed: Vec<usize> = if partial.changed <= LISTED as u64 {
        let both = put.chunks_exact(step).zip(hold.result.chunks_exact(step)).enumerate();
        both.filter(|(_, (a, b))| a != b).map(|(n, _)| n).collect()
    } else {
        Vec::new()
    };
    let same_elements = x.print().map(|print| print.sum) == y.print().map(|print| print.sum) && rounded.is_none();
    let seen = Seen {
        partial: &partial,
        count: y.count,
        dims: &y.dims,
        listed: &listed,
        same_elements,
        both: Some((cast, &put, &hold.result)),
    };
    let text = say(&seen);
    link(y, cast, rounded, order, &partial, text)
}

/// How near two tensors are: the elements that are equal count most, then the angle.
fn nearness(partial: &Partial, count: u64) -> (u64, i64) {
    let sums = &partial.sums;
    let cosine = sums.dot / (sums.aa.sqrt() * sums.bb.sqrt());
    #[expect(clippy::cast_possible_truncation, reason = "between -1 and 1")]
    let angle = if cosine.is_finite() { (cosine.abs() * 1e9) as i64 } else { 0 };
    // Some zeros are equal in any order.
    let equal = count.saturating_sub(partial.changed);
    (if equal * 8 >= count { equal } else { 0 }, angle)
}
