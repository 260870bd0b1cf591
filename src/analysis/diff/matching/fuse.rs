//! A fused tensor of which only an index tells, and its parts on the other side, whose data is there.
//!
//! The checksum of a whole follows from those of its parts: each row of it, or each head of a row
//! where parts alternate, is a run of every part, one behind the other, and CRCs of runs join by shifts. So every part comes to one number for each order of its axes, and an arrangement of parts is
//! tried with a few shifts. Which tensors may be parts of one, names say: those that differ in one word.

use std::collections::BTreeSet;

use super::blocks::BLOCKS;
use super::known::{Known, known, targets, turned};
use super::names::FITS;
use super::orders::{Order, orders};
use super::pieces::says_nothing;
use super::prove::Buffers;
use super::siblings::{Family, families};
use super::side::{Data, Item};
use super::sums::row_sum;
use super::walk::Stretch;
use super::within::{FIRST_HEADS, Sizes, groups as heads, widened};
use super::work::{Link, Work};
use crate::analysis::diff::Side;
use crate::analysis::diff::how::{PartOf, Rounded};
use crate::base::parallel::in_order;
use crate::read::tensor::DType;
use crate::read::wire::Crc32c;

/// Parts of a whole with one of the checksums of an index.
struct Fit {
    key: (i32, u64, u32),
    /// Of the whole.
    dims: Vec<u64>,
    parts: Vec<Part>,
}

/// One part in its place.
struct Part {
    item: usize,
    stretch: Stretch,
    /// What makes the stretch of the part.
    order: Order,
    cast: Option<Rounded>,
}

/// The shape that a whole has in an index.
#[derive(Clone, Copy)]
struct Shape<'s> {
    dtype: DType,
    dims: &'s [u64],
    axis: usize,
    /// Elements of all other axes.
    inner: u64,
    /// In how many groups of the axis parts alternate.
    groups: u64,
}

/// What a part comes to: checksum of its rows, how many bytes one of them takes, finite values that became infinite.
#[derive(Clone, Copy)]
struct Rows {
    sum: Crc32c,
    bytes: u64,
    overflows: u64,
}

/// Pairs tensors of an index with what they are made of on the other side; with `constants` those of which all parts are
/// constants, and whose names say so.
pub(super) fn by_fusing(work: &mut Work<'_>, index: usize, constants: bool) {
    let known = known(work, index);
    if known.is_empty() || work.sides.get(index).is_none_or(|side| side.checkpoint.is_big_endian()) {
        return;
    }
    let mut sizes = Sizes::new();
    for (_, item) in work.free_items(index).filter(|(_, item)| matches!(item.data, Data::Sum(_))) {
        let shape = (item.tensor.dtype.number(), item.dims.clone());
        *sizes.entry(item.count).or_default().entry(shape).or_default() += 1;
    }
    // First what names suggest, of a few tensors by heads too; then every choice and order, as far as that says something:
    // the more is tried, the less.
    let mut heads = BTreeSet::new();
    for round in [Round::Likeliest, Round::FirstHeads, Round::Heads, Round::All] {
        if round == Round::Heads && heads.is_empty() {
            continue;
        }
        let families = families(work, 1 - index, |item| item.print().is_some());
        let (sizes, known, heads_known) = (&sizes, &known, &heads);
        let search = || Search { work, index, sizes, known, constants, round, heads_known, tries: 0, fits: Vec::new() };
        let mut left = MOST;
        let is_worth = |family: &&Family| {
            let tries = if round == Round::All { search().planned(family) } else { 0 };
            let rest = left.checked_sub(tries);
            left = rest.unwrap_or(left);
            rest.is_some()
        };
        let mut chosen: Vec<&Family> = families.iter().filter(is_worth).collect();
        if matches!(round, Round::FirstHeads | Round::Heads) {
            chosen.retain(|family| family.heads().is_some() && !search().jobs(family).is_empty());
        }
        if round == Round::FirstHeads {
            chosen.truncate(FIRST_HEADS);
        }
        let mut found = Vec::new();
        let one = |hold: &mut Buffers, n: usize| {
            let mut search = search();
            search.family(chosen.get(n)?, hold);
            Some((search.fits, search.tries))
        };
        in_order(chosen.len(), work.threads, Buffers::default, one, |_, one| found.extend(one));
        for (fits, tries) in found {
            work.tries = work.tries.saturating_add(tries);
            for fit in fits {
                heads.extend(fit.parts.iter().map(|part| part.stretch.groups).filter(|groups| *groups > 1));
                take(work, index, known, fit, constants);
            }
        }
    }
}

/// What is tried of each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// What names suggest, in one run each.
    Likeliest,
    /// The same alternating by heads, of the first few.
    FirstHeads,
    /// Of all others, in as many groups as these have.
    Heads,
    /// Every choice and order.
    All,
}

/// Checksums that are made of parts in orders that no name suggests: one that agrees by chance is then 1 in 1024.
const MOST: u64 = 1 << 22;

struct Search<'s, 'c> {
    work: &'s Work<'c>,
    index: usize,
    sizes: &'s Sizes,
    known: &'s Known,
    constants: bool,
    round: Round,
    /// The numbers of groups that were found.
    heads_known: &'s BTreeSet<u64>,
    tries: u64,
    fits: Vec<Fit>,
}

/// Parts, and the shape that they could be one in.
type Job<'s> = (Vec<usize>, Shape<'s>);

impl<'s> Search<'s, '_> {
    fn family(&mut self, family: &Family, hold: &mut Buffers) {
        let mut done = BTreeSet::new();
        for (group, shape) in self.jobs(family) {
            // What stands first in the order that names suggest is it.
            let key = (shape.dtype.number(), shape.dims);
            if !done.contains(&key) && self.group(&group, shape, family, hold) {
                done.insert(key);
            }
        }
    }

    /// How many checksums a family takes at most.
    fn planned(&self, family: &Family) -> u64 {
        let tries = |(group, shape): &Job<'_>| {
            let orders = family.arrangements(group.len()).len() as u64;
            let ways = if shape.dims.len() > 1 { 2 } else { 1 };
            self.checksums(*shape).saturating_mul(orders).saturating_mul(ways)
        };
        self.jobs(family).iter().map(tries).fold(0, u64::saturating_add)
    }

    /// How many checksums there are of tensors with so many elements.
    fn checksums(&self, shape: Shape<'_>) -> u64 {
        let total = shape.dims.iter().product();
        let shapes = self.sizes.get(&total).into_iter().flatten();
        shapes.filter(|((of, _), _)| *of == shape.dtype.number()).map(|(_, n)| *n).sum()
    }

    fn jobs(&self, family: &Family) -> Vec<Job<'s>> {
        let item = |at: &usize| self.work.item(1 - self.index, *at);
        let likeliest = || family.likeliest().map(<[usize]>::to_vec).into_iter().collect();
        let groups: Vec<Vec<usize>> = if self.round == Round::All { family.groups() } else { likeliest() };
        let mut jobs = Vec::new();
        for group in groups {
            let items: Vec<&Item> = group.iter().filter_map(item).collect();
            let Some(dtype) = items.first().map(|item| item.tensor.dtype) else { continue };
            let total = items.iter().fold(0u64, |total, item| total.saturating_add(item.count));
            let is_one_kind = items.len() == group.len() && items.iter().all(|item| item.tensor.dtype == dtype);
            let sizes = self.sizes;
            let Some(shapes) = sizes.get(&total).filter(|_| is_one_kind) else { continue };
            if items.iter().all(|item| says_nothing(item)) != self.constants {
                continue;
            }
            let there = shapes.keys().map(|(dtype, _)| *dtype).collect();
            for dtype in targets(dtype, &there) {
                for (_, dims) in shapes.keys().filter(|(of, _)| *of == dtype.number()) {
                    for (axis, length) in dims.iter().enumerate().filter(|(_, length)| **length > 1) {
                        let rows: u64 = dims.iter().take(axis).product();
                        let inner = total / length;
                        if rows > BLOCKS || !items.iter().all(|item| item.count.is_multiple_of(inner)) {
                            continue;
                        }
                        let shape = |groups| (group.clone(), Shape { dtype, dims, axis, inner, groups });
                        if matches!(self.round, Round::Likeliest | Round::All) {
                            jobs.push(shape(1));
                            continue;
                        }
                        let is_known =
                            |heads: &u64| self.round == Round::FirstHeads || self.heads_known.contains(heads);
                        let lengths: Vec<u64> = items.iter().map(|item| item.count / inner).collect();
                        let heads = heads(&lengths).filter(|heads| rows * heads <= BLOCKS && is_known(heads));
                        jobs.extend(heads.map(shape));
                    }
                }
            }
        }
        jobs
    }

    /// Tries one group in one shape; says whether it is it.
    fn group(&mut self, group: &[usize], shape: Shape<'_>, family: &Family, hold: &mut Buffers) -> bool {
        let Shape { dtype, dims, axis, inner, groups } = shape;
        let item = |at: &usize| self.work.item(1 - self.index, *at);
        let items: Vec<&Item> = group.iter().filter_map(item).collect();
        let short = |item: &Item| Stretch { axis, start: 0, size: item.count / inner, groups: 1 }.dims(dims);
        let mut ways: Vec<Vec<Order>> = items.iter().map(|item| orders(&item.dims, &short(item))).collect();
        let Some(first) = ways.first().cloned() else { return false };
        let total = items.iter().map(|item| item.count).fold(0, u64::saturating_add);
        let checksums = self.checksums(shape);
        for way in first {
            // All of them are turned alike.
            let orders: Option<Vec<Order>> =
                ways.iter_mut().map(|ways| ways.iter().find(|order| order.axes == way.axes).cloned()).collect();
            let Some(orders) = orders else { continue };
            let rows = group.iter().zip(&items).zip(&orders).map(|((at, item), order)| {
                let cast = (dtype != item.tensor.dtype).then_some(dtype);
                let run = (item.count / inner / groups).saturating_mul(behind(shape));
                let bytes = run.saturating_mul(dtype.element_size().unwrap_or(1));
                let row = behind(shape).saturating_mul(dims.get(axis).copied().unwrap_or(1) / groups);
                let row = row.saturating_mul(dtype.element_size().unwrap_or(1));
                let of = self.work.at(1 - self.index, *at)?;
                let (sum, overflows) = row_sum(of, cast, &order.walk, [bytes, row], hold).ok()?;
                Some(Rows { sum, bytes, overflows })
            });
            let Some(rows) = rows.collect::<Option<Vec<Rows>>>() else { continue };
            let most = if self.round == Round::All { usize::MAX } else { 1 };
            for arrangement in family.arrangements(group.len()).into_iter().take(most) {
                self.tries = self.tries.saturating_add(checksums);
                let key = (dtype.number(), total, joined(&rows, &arrangement).0);
                if !self.known.contains_key(&key) {
                    continue;
                }
                let (mut start, mut parts) = (0, Vec::new());
                for n in arrangement {
                    let (Some(at), Some(item), Some(order), Some(rows)) =
                        (group.get(n), items.get(n), orders.get(n), rows.get(n))
                    else {
                        continue;
                    };
                    let size = item.count / inner;
                    let cast = (dtype != item.tensor.dtype).then_some(Rounded { overflows: rows.overflows });
                    let stretch = Stretch { axis, start, size, groups };
                    parts.push(Part { item: *at, stretch, order: order.clone(), cast });
                    start += size / groups;
                }
                self.fits.push(Fit { key, dims: dims.to_vec(), parts });
                return true;
            }
        }
        false
    }
}

/// Elements behind the axis.
fn behind(shape: Shape<'_>) -> u64 {
    shape.dims.iter().skip(shape.axis.saturating_add(1)).product()
}

/// The checksum of a whole whose rows are runs of parts in this order.
fn joined(rows: &[Rows], arrangement: &[usize]) -> Crc32c {
    let (mut sum, mut after) = (0, 0u64);
    for rows in arrangement.iter().rev().filter_map(|n| rows.get(*n)) {
        sum ^= rows.sum.before(after).0;
        after = after.saturating_add(rows.bytes);
    }
    Crc32c(sum)
}

fn take(work: &mut Work<'_>, index: usize, known: &Known, fit: Fit, constants: bool) {
    let Fit { key, dims, parts } = fit;
    if parts.iter().any(|part| !work.is_free(1 - index, part.item)) {
        return;
    }
    let items = |whole: usize, part: usize| if index == 0 { [whole, part] } else { [part, whole] };
    let wholes = known.get(&key).map(Vec::as_slice).unwrap_or_default();
    let is_free = |at: &usize| work.is_free(index, *at) && work.item(index, *at).is_some_and(|item| item.dims == dims);
    let named = |whole: usize| parts.iter().map(|part| work.fit(items(whole, part.item))).min().unwrap_or(i32::MIN);
    let best = wholes.iter().copied().filter(is_free).max_by_key(|at| (named(*at), std::cmp::Reverse(*at)));
    let Some(whole) = best.filter(|whole| !constants || named(*whole) >= FITS) else { return };
    let (fused, of) = (if index == 0 { Side::A } else { Side::B }, parts.len());
    let mut links = Vec::with_capacity(parts.len());
    for Part { item, stretch, order, cast } in parts {
        let Some(part) = work.item(1 - index, item) else { return };
        let back = turned(&order, &stretch.dims(&dims), &part.dims).and_then(|back| widened(&dims, &stretch, back));
        let Some(back) = back else { return };
        let Stretch { axis, start, size, groups } = stretch;
        links.push(Link {
            items: items(whole, item),
            orders: vec![back],
            part: Some(PartOf { fused, axis, start, size, groups, of }),
            cast,
            by_checksum: true,
            by_name: wholes.len() > 1,
            says_nothing: says_nothing(part),
            ..Link::default()
        });
    }
    for link in links {
        work.link(link);
    }
}
