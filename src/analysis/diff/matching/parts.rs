//! Tensors that are one on one side and several on the other: query, key and value in one, layers stacked, a table cut into
//! parts.
//!
//! Fingerprints add up, so that of a stretch along an axis it is the sum of those of its blocks, and a part is looked up by
//! it. What is found so is proved like any other pair.

use std::collections::BTreeMap;
use std::ops::Range;

use super::hash::{Sum, sum};
use super::leftover::in_memory;
use super::orders::{Order, orders, without_ones};
use super::prove::{At, Buffers, MOST, Proof, prove, whole};
use super::side::{Data, Item};
use super::walk::Walk;
use super::work::{Link, Work};
use crate::analysis::diff::Side;
use crate::analysis::diff::how::PartOf;
use crate::analysis::sweep::nearby::WINDOW;
use crate::base::error::Result;
use crate::base::parallel::in_order;
use crate::read::checkpoint::ElementBuffers;

/// Blocks of one axis whose fingerprints are kept.
const BLOCKS: u64 = 1 << 16;

/// A tensor that may be part of another, with its length along the axis.
#[derive(Clone, Copy, Debug)]
struct Piece {
    item: usize,
    length: u64,
}

/// What is asked of one tensor: whether pieces lie along an axis.
struct Question {
    fused: usize,
    axis: usize,
    /// Indexes of the axis that are looked at as one.
    block: u64,
    pieces: Vec<Piece>,
}

/// A part that was found by its fingerprint.
#[derive(Clone, Debug)]
struct Found {
    start: u64,
    length: u64,
    /// What has these elements.
    items: Vec<usize>,
}

/// Finds the parts of whatever is left on both sides.
pub(super) fn by_parts(work: &mut Work<'_>) {
    // First what says something, so that constants have scopes to go by.
    for constants in [false, true] {
        for fused in [0, 1] {
            on_side(work, fused, constants);
        }
    }
}

fn on_side(work: &mut Work<'_>, fused: usize, constants: bool) {
    let says_nothing = |item: &Item| item.print().is_none_or(|print| print.says_nothing);
    let is_asked = |item: &(usize, &Item)| matches!(item.1.data, Data::Read(_)) && says_nothing(item.1) == constants;
    let mut by_dtype: BTreeMap<i32, BTreeMap<u64, Vec<usize>>> = BTreeMap::new();
    for (at, item) in work.free_items(1 - fused).filter(is_asked) {
        by_dtype.entry(item.tensor.dtype.number()).or_default().entry(item.count).or_default().push(at);
    }
    let mut questions = Vec::new();
    for (at, item) in work.free_items(fused) {
        if !matches!(item.data, Data::Read(_)) || (says_nothing(item) && !constants) {
            continue;
        }
        for (axis, length) in item.dims.iter().enumerate().filter(|(_, length)| **length > 1) {
            let inner = item.count / length;
            let sizes = by_dtype.get(&item.tensor.dtype.number());
            let fits = |count: u64| count < item.count && count.is_multiple_of(inner);
            let pieces: Vec<Piece> = sizes
                .into_iter()
                .flatten()
                .filter(|(count, _)| fits(**count))
                .flat_map(|(count, items)| items.iter().map(move |item| Piece { item: *item, length: count / inner }))
                .collect();
            // Half of it must be there to say that it is made of these.
            if pieces.iter().map(|piece| piece.length).fold(0, u64::saturating_add).saturating_mul(2) < *length {
                continue;
            }
            let block = pieces.iter().fold(*length, |block, piece| gcd(block, piece.length));
            if length / block.max(1) <= BLOCKS {
                questions.push(Question { fused: at, axis, block: block.max(1), pieces });
            }
        }
    }
    let mut answers = Vec::with_capacity(questions.len());
    let one = |hold: &mut Vec<u8>, n: usize| {
        let question = questions.get(n)?;
        let sums = block_sums(work.at(fused, question.fused)?, question.axis, question.block, hold).ok()?;
        Some(look_up(work, fused, question, &sums))
    };
    in_order(questions.len(), work.threads, Vec::new, one, |_, answer| answers.push(answer));
    for (question, found) in questions.iter().zip(answers) {
        if let Some(found) = found.filter(|found| !found.is_empty() && work.is_free(fused, question.fused)) {
            take(work, fused, question, &found, constants);
        }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The fingerprints of the blocks of an axis.
fn block_sums((checkpoint, item): At<'_>, axis: usize, block: u64, hold: &mut Vec<u8>) -> Result<Vec<Sum>> {
    let length = item.dims.get(axis).copied().unwrap_or(1);
    let inner = item.dims.iter().skip(axis + 1).fold(1u64, |n, dim| n.saturating_mul(*dim));
    let run = inner.saturating_mul(block).max(1);
    let blocks = (length / block).max(1);
    let mut sums = vec![Sum::default(); usize::try_from(blocks).unwrap_or(0)];
    let mut buffers = ElementBuffers::default();
    let mut elements = checkpoint.elements(&item.tensor, &mut buffers)?.without_sums();
    let size = usize::try_from(item.size).unwrap_or(1);
    let step = (WINDOW / item.size.max(1)).max(1);
    let mut at = 0;
    while at < item.count {
        let end = at.saturating_add(step).min(item.count);
        elements.read(at..end, hold)?;
        let mut rest: &[u8] = hold;
        while !rest.is_empty() && at < end {
            let left = (run - at % run).min(end - at);
            let bytes = usize::try_from(left).unwrap_or(usize::MAX).saturating_mul(size).min(rest.len());
            let (now, next) = rest.split_at(bytes);
            let which = usize::try_from(at / run % blocks).unwrap_or(usize::MAX);
            if let Some(place) = sums.get_mut(which) {
                *place = place.plus(sum(item.tensor.dtype, now, &[]).sum);
            }
            (rest, at) = (next, at.saturating_add(left));
        }
        at = end;
    }
    Ok(sums)
}

/// The parts of a tensor from its beginning on, where each follows the one before or a gap.
fn look_up(work: &Work<'_>, fused: usize, question: &Question, sums: &[Sum]) -> Vec<Found> {
    let mut by_sum: BTreeMap<(u64, Sum), Vec<usize>> = BTreeMap::new();
    for piece in &question.pieces {
        if let Some(print) = work.item(1 - fused, piece.item).and_then(Item::print) {
            let items = by_sum.entry((piece.length, print.sum)).or_default();
            if !items.contains(&piece.item) {
                items.push(piece.item);
            }
        }
    }
    let mut lengths: Vec<u64> = by_sum.keys().map(|(length, _)| *length).collect();
    lengths.dedup();
    let before: Vec<Sum> = std::iter::once(Sum::default())
        .chain(sums.iter().scan(Sum::default(), |total, sum| {
            *total = total.plus(*sum);
            Some(*total)
        }))
        .collect();
    let (mut found, mut at) = (Vec::new(), 0usize);
    while at < sums.len() {
        let fits = |length: &u64| {
            let blocks = usize::try_from(length / question.block).ok()?;
            let sum = before.get(at.checked_add(blocks)?)?.minus(*before.get(at)?);
            Some((blocks, *length, by_sum.get(&(*length, sum))?.clone()))
        };
        match lengths.iter().rev().find_map(fits) {
            Some((blocks, length, items)) => {
                let start = (at as u64).saturating_mul(question.block);
                found.push(Found { start, length, items });
                at = at.saturating_add(blocks.max(1));
            }
            None => at += 1,
        }
    }
    found
}

/// The orders of axes that make a part of a stretch of an axis, with walks over the whole.
fn orders_within(dims: &[u64], axis: usize, stretch: &Range<u64>, part: &[u64]) -> Vec<Order> {
    let mut short = dims.to_vec();
    if let Some(dim) = short.get_mut(axis) {
        *dim = stretch.end - stretch.start;
    }
    let outer: u64 = dims.iter().take(axis).product();
    let inner: u64 = dims.iter().skip(axis.saturating_add(1)).product();
    let full = |order: Order| {
        if without_ones(&order.dims) != without_ones(&short) {
            // In another shape, where the stretch is one run of elements.
            let start = isize::try_from(stretch.start.checked_mul(inner)?).ok().filter(|_| outer == 1)?;
            let walk = Walk { start: order.walk.start.checked_add(start)?, ..order.walk.clone() };
            return Some(Order { walk, ..order });
        }
        // Axes of one index go anywhere.
        let long: Vec<usize> = (0..short.len()).filter(|axis| short.get(*axis) != Some(&1)).collect();
        let axes: Vec<usize> = if order.dims == short {
            order.axes.clone()
        } else {
            let ones = (0..short.len()).filter(|axis| short.get(*axis) == Some(&1));
            order.axes.iter().filter_map(|axis| long.get(*axis).copied()).chain(ones).collect()
        };
        let walk = Walk::within(dims, axis, stretch, &axes)?;
        Some(Order { dims: short.clone(), axes, flipped: Vec::new(), walk })
    };
    orders(&short, part).into_iter().filter_map(full).collect()
}

/// The stretches of a tensor that could be tensors of an index, by their shapes, with the order in which each would be one.
pub(super) fn stretches(work: &Work<'_>, index: usize, item: &Item) -> Vec<(usize, Range<u64>, Order)> {
    /// Checksums of one tensor.
    const MOST: usize = 1 << 12;
    let mut all = Vec::new();
    for (axis, length) in item.dims.iter().enumerate().filter(|(_, length)| **length > 1) {
        let inner = item.count / length;
        let mut shapes: Vec<(u64, &[u64])> = Vec::new();
        for (_, other) in work.free_items(index) {
            let size = other.count / inner;
            let is_one = matches!(other.data, Data::Sum(_))
                && other.tensor.dtype == item.tensor.dtype
                && other.count % inner == 0
                && (1..*length).contains(&size)
                && length.is_multiple_of(size);
            if is_one && !shapes.contains(&(size, &other.dims)) {
                shapes.push((size, &other.dims));
            }
        }
        for (size, dims) in shapes {
            let mut start = 0;
            while start < *length && all.len() < MOST {
                let stretch = start..start.saturating_add(size);
                let orders = orders_within(&item.dims, axis, &stretch, dims);
                all.extend(orders.into_iter().map(|order| (axis, stretch.clone(), order)));
                start = start.saturating_add(size);
            }
        }
    }
    all
}

/// Proves parts and takes them in, with what the gaps between them should have been.
fn take(work: &mut Work<'_>, fused: usize, question: &Question, found: &[Found], constants: bool) {
    let Some(item) = work.item(fused, question.fused) else { return };
    let (dims, length) = (item.dims.clone(), item.dims.get(question.axis).copied().unwrap_or(0));
    let covered: u64 = found.iter().map(|found| found.length).sum();
    let mut gaps = gaps(found, length);
    // A stretch of zeros is part of anything.
    if constants && (covered < length || !is_named(work, fused, question.fused, found)) {
        return;
    }
    // Half of it must be there to say that it is made of these.
    if covered * 2 < length {
        return;
    }
    let of = found.len().saturating_add(gaps.len());
    let side = if fused == 0 { Side::A } else { Side::B };
    let (mut hold, mut links) = (Buffers::default(), Vec::new());
    let mut used: Vec<usize> = Vec::new();
    for one in found {
        let stretch = one.start..one.start.saturating_add(one.length);
        let fit = |at: &usize| work.fit(if fused == 0 { [question.fused, *at] } else { [*at, question.fused] });
        let free = one.items.iter().filter(|at| work.is_free(1 - fused, **at) && !used.contains(at));
        let best = free.max_by_key(|at| (fit(at), std::cmp::Reverse(**at))).copied();
        let Some(part) = best else { continue };
        let (Some(source), Some(result)) = (work.at(fused, question.fused), work.at(1 - fused, part)) else { continue };
        let orders = orders_within(&dims, question.axis, &stretch, &result.1.dims);
        let walks: Vec<Walk> = orders.iter().map(|order| order.walk.clone()).collect();
        let Ok(Proof { holds, .. }) = prove(source, result, None, &walks, &mut hold) else { continue };
        let orders: Vec<Order> =
            orders.into_iter().zip(holds).filter(|(_, holds)| *holds).map(|(order, _)| order).collect();
        if orders.is_empty() {
            gaps.push(stretch);
            continue;
        }
        used.push(part);
        let by_name = one.items.len() > 1;
        links.push(part_link(
            fused,
            question,
            part,
            (side, &stretch, of),
            Link { orders, by_name, says_nothing: constants, ..Link::default() },
        ));
    }
    if links.is_empty() {
        return;
    }
    for gap in gaps {
        let differs = gap_filled(work, fused, question, &gap, &used, &mut hold);
        match differs {
            Some((part, link)) => {
                used.push(part);
                links.push(part_link(fused, question, part, (side, &gap, of), link));
            }
            None => work.gaps.push((fused, question.fused, question.axis, gap)),
        }
    }
    for link in links {
        work.link(link);
    }
}

fn part_link(
    fused: usize,
    question: &Question,
    part: usize,
    (side, stretch, of): (Side, &Range<u64>, usize),
    link: Link,
) -> Link {
    let items = if fused == 0 { [question.fused, part] } else { [part, question.fused] };
    let (start, size) = (stretch.start, stretch.end - stretch.start);
    Link { items, part: Some(PartOf { fused: side, axis: question.axis, start, size, of }), ..link }
}

/// What lies between the parts.
fn gaps(found: &[Found], length: u64) -> Vec<Range<u64>> {
    let mut at = 0;
    let mut gaps = Vec::new();
    for one in found {
        if one.start > at {
            gaps.push(at..one.start);
        }
        at = one.start.saturating_add(one.length);
    }
    if at < length {
        gaps.push(at..length);
    }
    gaps
}

/// Whether names say that constants belong to a whole.
fn is_named(work: &Work<'_>, fused: usize, whole: usize, found: &[Found]) -> bool {
    found.iter().all(|one| {
        one.items.iter().any(|part| {
            let items = if fused == 0 { [whole, *part] } else { [*part, whole] };
            work.fit(items) >= super::names::FITS
        })
    })
}

/// The tensor that a gap should have been, and how the two differ.
fn gap_filled(
    work: &Work<'_>,
    fused: usize,
    question: &Question,
    gap: &Range<u64>,
    used: &[usize],
    hold: &mut Buffers,
) -> Option<(usize, Link)> {
    let length = gap.end - gap.start;
    let fit = |at: usize| work.fit(if fused == 0 { [question.fused, at] } else { [at, question.fused] });
    let free = question
        .pieces
        .iter()
        .filter(|piece| piece.length == length && !used.contains(&piece.item) && work.is_free(1 - fused, piece.item));
    let mut best: Vec<(i32, usize)> = free.map(|piece| (fit(piece.item), piece.item)).collect();
    best.sort_unstable();
    let (top, part) = best.pop()?;
    if best.last().is_some_and(|(next, _)| *next == top) {
        return None;
    }
    let (source, result) = (work.at(fused, question.fused)?, work.at(1 - fused, part)?);
    let orders = orders_within(&source.1.dims, question.axis, gap, &result.1.dims);
    if source.1.bytes() > MOST || orders.is_empty() {
        return None;
    }
    whole(source, None, &mut hold.source).ok()?;
    whole(result, None, &mut hold.result).ok()?;
    let link = in_memory(source.1, result.1, result.1.tensor.dtype, None, orders, hold);
    link.differs.is_some().then_some((part, link))
}
