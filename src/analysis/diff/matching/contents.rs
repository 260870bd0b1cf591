//! Pairs whose elements are the same: found by their fingerprints, proved by reading both.
//!
//! Of tensors that several others equal, names decide, as far as proven pairs or the words in them tell; what they leave
//! open is said to be open.

use std::collections::BTreeMap;

use super::hash::Sum;
use super::names::mutual;
use super::orders::{Order, backwards, orders, sorted, without_ones};
use super::prove::{Buffers, Proof, prove};
use super::side::{Data, Item};
use super::work::{Group, Link, Work};
use crate::analysis::diff::how::Rounded;
use crate::base::error::Result;
use crate::base::parallel::in_order;
use crate::read::tensor::DType;

/// What tensors with the same elements have in common; of contents that say nothing the lengths of the axes too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    dtype: i32,
    count: u64,
    sum: Sum,
    dims: Option<Vec<u64>>,
}

/// A pair that is to be proved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) items: [usize; 2],
    /// The dtype in which both are compared, if it is not that of both.
    pub(super) cast: Option<DType>,
    pub(super) by_name: bool,
}

/// Pairs everything whose contents are those of one on the other side, and says which pairs have the same elements in an
/// order that no order of axes makes.
pub(super) fn by_contents(work: &mut Work<'_>) -> Vec<Claim> {
    let mut shuffled = Vec::new();
    let exact = classes(work, false);
    let groups = singles(work, exact, &mut shuffled);
    resolve(work, groups, &mut shuffled);
    // What has a partner with its very bits is no cast of another.
    let cast = classes(work, true);
    let groups = singles(work, cast, &mut shuffled);
    resolve(work, groups, &mut shuffled);
    // What comes next goes by it.
    work.count();
    shuffled
}

type Classes = BTreeMap<Class, [Vec<usize>; 2]>;

/// Items without a partner by their contents; with `cast` by those that they have once they are rounded too.
fn classes(work: &Work<'_>, cast: bool) -> Classes {
    let mut classes = Classes::new();
    for side in 0..2 {
        for (at, item) in work.free_items(side) {
            let Data::Read(print) = &item.data else { continue };
            let dims = print.says_nothing.then(|| sorted(&without_ones(&item.dims)));
            let mut add = |dtype: DType, sum: Sum| {
                let class = Class { dtype: dtype.number(), count: item.count, sum, dims: dims.clone() };
                if let Some(items) = classes.entry(class).or_default().get_mut(side) {
                    items.push(at);
                }
            };
            add(item.tensor.dtype, print.sum);
            if cast {
                print.casts.iter().for_each(|(dtype, sum)| add(*dtype, *sum));
            }
        }
    }
    classes.retain(|_, [a, b]| !a.is_empty() && !b.is_empty());
    classes
}

/// Proves what has one candidate; the others are handed back.
fn singles(work: &mut Work<'_>, classes: Classes, shuffled: &mut Vec<Claim>) -> Vec<(Option<DType>, Group)> {
    let (mut claims, mut groups) = (Vec::new(), Vec::new());
    for (class, [a, b]) in classes {
        let dtype = DType::from_number(class.dtype);
        if let ([x], [y]) = (a.as_slice(), b.as_slice()) {
            let items = [*x, *y];
            claims.push(Claim { items, cast: cast_of(work, items, dtype), by_name: false });
        } else {
            let is_other = |side: usize, all: &[usize]| {
                all.iter().any(|at| work.item(side, *at).is_some_and(|item| item.tensor.dtype != dtype))
            };
            let cast = (is_other(0, &a) || is_other(1, &b)).then_some(dtype);
            groups.push((cast, [a, b]));
        }
    }
    settle(work, &claims, shuffled);
    groups
}

/// The dtype in which two items are compared, if they have not the same.
fn cast_of(work: &Work<'_>, [a, b]: [usize; 2], dtype: DType) -> Option<DType> {
    let of = |side, item| work.item(side, item).map(|item: &Item| item.tensor.dtype);
    (of(0, a) != of(1, b)).then_some(dtype)
}

/// Lets names decide between several with the same contents, as long as that leads on.
fn resolve(work: &mut Work<'_>, mut groups: Vec<(Option<DType>, Group)>, shuffled: &mut Vec<Claim>) {
    /// Pairs of names that are looked at in one group.
    const MOST: usize = 1 << 20;
    while !groups.is_empty() {
        work.count();
        let mut claims = Vec::new();
        for (cast, [a, b]) in &mut groups {
            let is_free = |side: usize, at: &usize| work.free.get(side).is_some_and(|free| free.contains(at));
            a.retain(|at| is_free(0, at));
            b.retain(|at| is_free(1, at));
            if a.is_empty() || b.is_empty() || a.len().saturating_mul(b.len()) > MOST {
                continue;
            }
            let pairs = match (a.as_slice(), b.as_slice()) {
                // The others have found theirs.
                ([_], [_]) => vec![(0, 0)],
                _ => mutual(a.len(), b.len(), &mut |x, y| match (a.get(x), b.get(y)) {
                    (Some(x), Some(y)) => work.fit([*x, *y]),
                    _ => i32::MIN,
                }),
            };
            for (x, y) in pairs {
                if let (Some(x), Some(y)) = (a.get(x), b.get(y)) {
                    let items = [*x, *y];
                    let cast = cast.and_then(|dtype| cast_of(work, items, dtype));
                    claims.push(Claim { items, cast, by_name: true });
                }
            }
        }
        if claims.is_empty() || settle(work, &claims, shuffled) == 0 {
            break;
        }
    }
    for (_, [a, b]) in groups {
        if a.is_empty() || b.is_empty() {
            continue;
        }
        for (free, all) in work.free.iter_mut().zip([&a, &b]) {
            for at in all {
                free.remove(at);
            }
        }
        work.groups.push([a, b]);
    }
}

/// What became of a claim.
struct Settled {
    orders: Vec<Order>,
    overflows: u64,
}

/// Proves claims on all cores and takes in what holds; how many did.
fn settle(work: &mut Work<'_>, claims: &[Claim], shuffled: &mut Vec<Claim>) -> usize {
    let proofs = proved(work, claims);
    let mut held = 0;
    for (claim, proof) in claims.iter().zip(proofs) {
        let [a, b] = claim.items;
        let is_free = |side: usize, at: usize| work.free.get(side).is_some_and(|free| free.contains(&at));
        if !is_free(0, a) || !is_free(1, b) {
            continue;
        }
        match proof {
            Some(Ok(Settled { orders, overflows })) if !orders.is_empty() => {
                held += 1;
                let says_nothing = work.item(0, a).and_then(Item::print).is_some_and(|print| print.says_nothing);
                let cast = claim.cast.map(|_| Rounded { overflows });
                let Claim { items, by_name, .. } = *claim;
                work.link(Link { items, orders, cast, by_name, says_nothing, ..Link::default() });
            }
            _ => shuffled.push(*claim),
        }
    }
    held
}

fn proved(work: &Work<'_>, claims: &[Claim]) -> Vec<Option<Result<Settled>>> {
    let mut all = Vec::with_capacity(claims.len());
    let one = |hold: &mut Buffers, n: usize| {
        let claim = claims.get(n)?;
        let [a, b] = claim.items;
        let (a, b) = (work.at(0, a)?, work.at(1, b)?);
        let mut check = |orders: Vec<Order>| {
            let walks: Vec<_> = orders.iter().map(|order| order.walk.clone()).collect();
            let Proof { holds, overflows } = prove(a, b, claim.cast, &walks, hold)?;
            let orders = orders.into_iter().zip(holds).filter(|(_, holds)| *holds).map(|(order, _)| order).collect();
            Ok(Settled { orders, overflows })
        };
        let settled = check(orders(&a.1.dims, &b.1.dims));
        Some(settled.and_then(|settled| {
            if settled.orders.is_empty() { check(backwards(&a.1.dims, &b.1.dims)) } else { Ok(settled) }
        }))
    };
    in_order(claims.len(), work.threads, Buffers::default, one, |_, proof| all.push(proof));
    all
}
