//! Tensors that are one on one side and several on the other: query, key and value in one, layers stacked, a table cut into
//! parts; behind one another, or in turn for each head of attention. Either side may be rounded to a narrower float.
//!
//! Fingerprints add up (`blocks`), so that a part is looked up by that of its place. What is found so is proved like any
//! other pair.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::{Answer, BLOCKS, Blocks};
use super::leftover::in_memory;
use super::names::FITS;
use super::orders::Order;
use super::pieces::{Pieces, says_nothing};
use super::prove::{Buffers, MOST, Proof, overflows_of, prove, whole};
use super::side::{Data, Item};
use super::walk::{Stretch, Walk};
use super::within::{gcd, lengths, orders_within};
use super::work::{Link, Work};
use crate::analysis::diff::Side;
use crate::analysis::diff::how::{PartOf, Rounded};
use crate::base::parallel::in_order;
use crate::read::storage::Window;

/// Elements of a block that alternates which are summed at once: fewer cost more than they are worth.
const RUN: u64 = 16;

/// Elements of a tensor of which blocks may be shorter.
const SMALL: u64 = 1 << 16;

/// What is asked of one tensor: whether pieces lie along an axis.
struct Question {
    fused: usize,
    axis: usize,
    /// Indexes of the axis that are looked at as one.
    block: u64,
    /// Those of parts.
    lengths: Vec<u64>,
    /// Those of constants, which may stand between the parts.
    constants: Vec<u64>,
    /// Where the pieces stand.
    pieces: usize,
}

/// How parts may lie, and in which dtypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Search {
    constants: bool,
    alternate: bool,
    cast: bool,
}

/// Finds the parts of whatever is left on both sides.
pub(super) fn by_parts(work: &mut Work<'_>) {
    // First what says something, so that constants have scopes to go by.
    for (constants, alternate) in [(false, false), (false, true), (true, false)] {
        for cast in [false, true] {
            for fused in [0, 1] {
                on_side(work, fused, Search { constants, alternate, cast });
            }
        }
    }
}

fn on_side(work: &mut Work<'_>, fused: usize, search: Search) {
    let mut all = Pieces::of(work, fused, search.constants, search.cast);
    let mut questions = Vec::new();
    for (n, pieces) in all.iter_mut().enumerate() {
        let mut counts = BTreeSet::new();
        for (at, item) in work.free_items(fused) {
            let is_asked = matches!(item.data, Data::Read(_)) && item.tensor.dtype == pieces.fused;
            if is_asked && (search.constants || !says_nothing(item)) {
                ask(&mut questions, (at, item), (n, pieces), search, &mut counts);
            }
        }
        if !counts.is_empty() {
            pieces.look_at(work, 1 - fused, &counts);
        }
    }
    let mut answers = Vec::with_capacity(questions.len());
    let one = |hold: &mut Window, n: usize| {
        let Question { fused: at, axis, block, lengths, constants, pieces } = questions.get(n)?;
        let pieces = all.get(*pieces)?;
        let blocks = Blocks::of(work.at(fused, *at)?, Some(pieces.to), *axis, *block, hold).ok()?;
        if search.alternate {
            blocks.alternating(lengths, constants, pieces.by_sum())
        } else {
            Some(blocks.parts(lengths, pieces.by_sum()))
        }
    };
    in_order(questions.len(), work.threads, Window::default, one, |_, answer| answers.push(answer));
    for (question, answer) in questions.iter().zip(answers) {
        let answer = answer.filter(|answer| !answer.found.is_empty() && work.is_free(fused, question.fused));
        if let (Some(answer), Some(pieces)) = (answer, all.get(question.pieces)) {
            let whole = Whole { side: fused, question, pieces, groups: answer.groups };
            take(work, &whole, &answer, search.constants);
        }
    }
}

/// Asks of a tensor along which of its axes pieces could lie.
fn ask(
    questions: &mut Vec<Question>,
    (fused, item): (usize, &Item),
    (n, pieces): (usize, &Pieces),
    search: Search,
    counts: &mut BTreeSet<u64>,
) {
    for (axis, length) in item.dims.iter().enumerate().filter(|(_, length)| **length > 1) {
        let inner = item.count / length;
        let fits = lengths(inner, *length, &pieces.by_count);
        let others = lengths(inner, *length, &pieces.constants);
        let total = |all: &[(u64, &Vec<usize>)]| {
            all.iter().map(|(size, items)| size.saturating_mul(items.len() as u64)).fold(0, u64::saturating_add)
        };
        // Half of it must be there to say that it is made of these, or with constants all of it.
        let is_half = !search.alternate && total(&fits).saturating_mul(2) >= *length;
        if fits.is_empty() || (!is_half && total(&fits).saturating_add(total(&others)) < *length) {
            continue;
        }
        let [lengths, constants] =
            [fits, others].map(|all| all.into_iter().map(|(size, _)| size).collect::<Vec<u64>>());
        let all = lengths.iter().chain(constants.iter().filter(|_| search.alternate));
        let mut block = all.fold(*length, |block, length| gcd(block, *length)).max(1);
        if search.alternate {
            let behind: u64 = item.dims.iter().skip(axis + 1).product();
            let is_enough = |size: &u64| item.count <= SMALL || behind.saturating_mul(*size) >= RUN;
            let Some(size) = (1..block).filter(|size| block.is_multiple_of(*size)).find(is_enough) else { continue };
            block = size;
        }
        if length / block <= BLOCKS {
            counts.extend(lengths.iter().map(|length| length.saturating_mul(inner)));
            questions.push(Question { fused, axis, block, lengths, constants, pieces: n });
        }
    }
}

/// A tensor that is made of parts.
struct Whole<'q> {
    side: usize,
    question: &'q Question,
    pieces: &'q Pieces,
    groups: u64,
}

impl Whole<'_> {
    fn items(&self, part: usize) -> [usize; 2] {
        if self.side == 0 { [self.question.fused, part] } else { [part, self.question.fused] }
    }

    fn stretch(&self, start: u64, size: u64) -> Stretch {
        Stretch { axis: self.question.axis, start, size, groups: self.groups }
    }

    fn is_cast(&self) -> bool {
        self.pieces.fused != self.pieces.part
    }

    /// The one of several that its name fits best.
    fn best(&self, work: &Work<'_>, items: impl Iterator<Item = usize>) -> Option<usize> {
        items.max_by_key(|at| (work.fit(self.items(*at)), std::cmp::Reverse(*at)))
    }

    fn linked(&self, part: usize, stretch: &Stretch, of: usize, link: Link) -> Link {
        let Stretch { axis, start, size, groups } = *stretch;
        let fused = if self.side == 0 { Side::A } else { Side::B };
        Link { items: self.items(part), part: Some(PartOf { fused, axis, start, size, groups, of }), ..link }
    }

    /// The pair of a stretch with one of the other side, if the one is the other.
    fn proved(&self, work: &Work<'_>, part: usize, stretch: &Stretch, hold: &mut Buffers) -> Option<Link> {
        let (source, result) = (work.at(self.side, self.question.fused)?, work.at(1 - self.side, part)?);
        let cast = self.is_cast().then_some(self.pieces.to);
        let orders = orders_within(&source.1.dims, stretch, &result.1.dims);
        let walks: Vec<Walk> = orders.iter().map(|order| order.walk.clone()).collect();
        let Proof { holds, mut overflows } = prove(source, result, cast, &walks, hold).ok()?;
        let orders: Vec<Order> =
            orders.into_iter().zip(holds).filter(|(_, holds)| *holds).map(|(order, _)| order).collect();
        let walk = &orders.first()?.walk;
        if overflows > 0 && self.pieces.fused != self.pieces.to {
            // Not those of other parts.
            overflows = overflows_of(source, self.pieces.to, walk, hold).ok()?;
        }
        let cast = cast.map(|_| Rounded { overflows });
        Some(Link { orders, cast, says_nothing: says_nothing(result.1), ..Link::default() })
    }
}

/// Proves parts and takes them in, with what the gaps between them should have been.
fn take(work: &mut Work<'_>, whole: &Whole<'_>, answer: &Answer, constants: bool) {
    let fused = whole.question.fused;
    let Some(item) = work.item(whole.side, fused) else { return };
    let length = item.dims.get(whole.question.axis).copied().unwrap_or(0);
    let numbers = work.names.get(whole.side).and_then(|names| names.get(fused)).map(|name| name.numbers.clone());
    let numbers = numbers.unwrap_or_default();
    let covered: u64 = answer.found.iter().map(|found| found.size).sum();
    // Half of it must be there to say that it is made of these, or with constants all of it; so must what alternates.
    let must_be_whole = whole.groups > 1 || covered.saturating_mul(2) < length;
    let fillers = must_be_whole.then_some(whole.question.constants.as_slice());
    let Some(mut gaps) = answer.gaps(length, fillers).filter(|_| !constants || covered == length) else { return };
    let candidates: Vec<Vec<usize>> = answer.found.iter().map(|found| whole.pieces.with(found.key, &numbers)).collect();
    // A stretch of zeros is part of anything, unless names say that it belongs to it.
    let is_named = |items: &Vec<usize>| items.iter().any(|at| work.fit(whole.items(*at)) >= FITS);
    if constants && !candidates.iter().all(is_named) {
        return;
    }
    let of = answer.found.len().saturating_add(gaps.len());
    let (mut hold, mut links, mut used) = (Buffers::default(), Vec::new(), BTreeSet::new());
    for (found, items) in answer.found.iter().zip(&candidates) {
        let stretch = whole.stretch(found.start, found.size);
        let free = items.iter().copied().filter(|at| work.is_free(1 - whole.side, *at) && !used.contains(at));
        let Some(part) = whole.best(work, free) else { continue };
        let Some(link) = whole.proved(work, part, &stretch, &mut hold) else {
            gaps.push(found.start..found.start.saturating_add(found.size / whole.groups.max(1)));
            continue;
        };
        used.insert(part);
        links.push(whole.linked(part, &stretch, of, Link { by_name: items.len() > 1, ..link }));
    }
    if links.is_empty() {
        return;
    }
    let mut open = Vec::new();
    for gap in gaps {
        let stretch = whole.stretch(gap.start, gap.end.saturating_sub(gap.start).saturating_mul(whole.groups));
        let filled = gap_filled(work, whole, &stretch, &numbers, &used, &mut hold);
        match filled.filter(|(_, link)| !must_be_whole || link.differs.is_none()) {
            Some((part, link)) => {
                used.insert(part);
                links.push(whole.linked(part, &stretch, of, link));
            }
            None if must_be_whole => return,
            None => open.push((whole.side, fused, whole.question.axis, gap)),
        }
    }
    let proven: u64 = links.iter().filter_map(|link| Some(link.part?.size)).sum();
    if must_be_whole && proven < length {
        return;
    }
    work.gaps.extend(open);
    for link in links {
        work.link(link);
    }
}

/// The tensor that a gap is, if that is a constant, or should have been, and how the two differ.
fn gap_filled(
    work: &Work<'_>,
    of: &Whole<'_>,
    gap: &Stretch,
    numbers: &[u64],
    used: &BTreeSet<usize>,
    hold: &mut Buffers,
) -> Option<(usize, Link)> {
    let (source, to) = (work.at(of.side, of.question.fused)?, of.pieces.to);
    let length = source.1.dims.get(of.question.axis).copied().unwrap_or(1).max(1);
    let count = (source.1.count / length).saturating_mul(gap.size);
    let free = of.pieces.of_size(count, numbers).into_iter();
    let free = free.filter(|at| !used.contains(at) && work.is_free(1 - of.side, *at));
    let fits = free.map(|at| (work.fit(of.items(at)), at));
    let is_constant = |at: usize| work.item(1 - of.side, at).is_some_and(says_nothing);
    let mut best: Vec<(i32, usize)> = fits.filter(|(fit, at)| *fit >= FITS || !is_constant(*at)).collect();
    best.sort_unstable();
    let (top, _) = *best.last()?;
    let tied: Vec<usize> = best.iter().filter(|(fit, _)| *fit == top).map(|(_, at)| *at).collect();
    let part = match tied.as_slice() {
        [only] => *only,
        // Of the zeros of key and value it is all the same which come first.
        _ if tied.iter().all(|at| is_constant(*at)) => {
            let name = |at: &usize| work.names.get(1 - of.side)?.get(*at)?.sibling;
            let members: BTreeMap<(usize, usize), usize> =
                tied.iter().filter_map(|at| Some((name(at)?, *at))).collect();
            // Each is another member.
            members.values().next().copied().filter(|_| members.len() == tied.len())?
        }
        _ => return None,
    };
    if is_constant(part)
        && let Some(link) = of.proved(work, part, gap, hold)
    {
        return Some((part, Link { by_name: true, ..link }));
    }
    let result = work.at(1 - of.side, part)?;
    let orders = orders_within(&source.1.dims, gap, &result.1.dims);
    if source.1.bytes() > MOST || orders.is_empty() {
        return None;
    }
    let rounded = of.is_cast().then_some(to);
    whole(source, rounded, &mut hold.source).ok()?;
    whole(result, rounded, &mut hold.result).ok()?;
    let link = in_memory(source.1, result.1, to, rounded, orders, hold);
    link.differs.is_some().then_some((part, link))
}
