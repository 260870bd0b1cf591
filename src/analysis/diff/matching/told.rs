//! What was found, as changes that `diff` tells, and what all of it comes to.

use super::beyond::BeyondIndex;
use super::copies::{Copied, layers};
use super::side::{Data, Item, Print};
use super::work::{Link, Work};
use crate::analysis::diff::how::{MatchTotals, Matched};
use crate::analysis::diff::{
    Ambiguous, Change, Diff, DiffOptions, Facts, LowRanks, PairedBy, Same, Side, Status, Tally,
};

/// Makes a comparison of everything that is known.
pub(super) fn told<'c>(mut work: Work<'c>, copies: &[Copied], options: &DiffOptions) -> Diff<'c> {
    let mut changes = lost(&mut work);
    let work = &work;
    let [a, b] = &work.sides;
    changes.extend(work.links.iter().filter_map(|link| linked(work, link)));
    let mut ambiguous = Vec::new();
    for group in &work.groups {
        let names = |side: usize| -> Vec<Box<[u8]>> {
            let items = group.get(side).into_iter().flatten();
            items.filter_map(|at| Some(Box::from(work.item(side, *at)?.name()))).collect()
        };
        let (ours, theirs) = (names(0), names(1));
        for (side, others) in [(0, &theirs), (1, &ours)] {
            let items = group.get(side).into_iter().flatten().filter_map(|at| work.item(side, *at));
            for item in items.filter(|item| item.is_weight) {
                changes.push(single(item, side, Status::Ambiguous, others.clone()));
            }
        }
        ambiguous.push(Ambiguous { a: ours, b: theirs });
    }
    let beyond = BeyondIndex::of(work);
    for (side, status) in [(0, Status::Removed), (1, Status::Added)] {
        changes.extend(work.free_items(side).filter(|(_, item)| item.is_weight).map(|(_, item)| {
            let status = if beyond.has(side, item) { Status::NotCompared } else { status };
            single(item, side, status, Vec::new())
        }));
    }
    // Of a fused tensor, what nothing on the other side is.
    for (side, item, axis, gap) in &work.gaps {
        let status = if *side == 0 { Status::Removed } else { Status::Added };
        if let Some(item) = work.item(*side, *item).filter(|item| item.is_weight) {
            let mut change = single(item, *side, status, Vec::new());
            if let Some(matched) = &mut change.matched {
                matched.differs = Some(format!("[{}:{}] along axis {axis} of it has no partner", gap.start, gap.end));
            }
            changes.push(change);
        }
    }
    changes.sort_by(|x, y| x.name().cmp(y.name()).then_with(|| x.a_name().cmp(&y.a_name())));
    let mut tally = Tally::default();
    for (at, change) in changes.iter_mut().enumerate() {
        change.at = at;
        tally.add(change.status);
    }
    let copied = layers(work, copies);
    let mut totals = totals(work, &changes);
    let by_layers: u64 = copied.iter().map(|(_, tensors)| tensors.saturating_sub(1)).sum();
    totals.changed_faults = totals.changed.saturating_sub(by_layers);
    let by_checksum = changes.iter().filter(|change| change.same == Some(Same::Checksum)).count() as u64;
    let is_told = |change: &Change| options.keep_identical || !change.is_quiet(options.depth);
    changes.retain(is_told);
    Diff {
        a: a.checkpoint,
        b: b.checkpoint,
        depth: options.depth,
        changes,
        tally,
        by_checksum,
        repartitioned: 0,
        moved: 0,
        paired: [0; 4],
        left_out: a.left_out.saturating_add(b.left_out),
        one_sided: Vec::new(),
        scopes: Vec::new(),
        ambiguous,
        expectations: Vec::new(),
        notes: copied.into_iter().map(|(said, _)| said).collect(),
        low_ranks: LowRanks::default(),
        bytes_read: a.bytes.saturating_add(b.bytes),
        matched: Some(totals),
    }
}

/// What could not be read, each with its reason.
fn lost(work: &mut Work<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (n, (side, which)) in work.sides.iter_mut().zip([Side::A, Side::B]).enumerate() {
        for item in &mut side.items {
            if let Data::Lost(_) = &item.data
                && let Data::Lost(error) = std::mem::replace(&mut item.data, Data::Read(Print::default()))
            {
                let trouble = vec![(which, error)];
                changes.push(Change { trouble, ..single(item, n, Status::Unreadable, Vec::new()) });
            }
        }
    }
    changes
}

/// What is told of a pair.
fn linked(work: &Work<'_>, link: &Link) -> Option<Change> {
    let [a, b] = link.items;
    let (x, y) = (work.item(0, a)?, work.item(1, b)?);
    if !(x.is_weight || y.is_weight) {
        return None;
    }
    // A part is made of the fused one, whichever side has it.
    let is_fused_in_b = link.part.is_some_and(|part| part.fused == Side::B);
    let source = if is_fused_in_b { y } else { x };
    let (differs, values) = link.differs.clone().map_or((None, None), |(text, values)| (Some(text), values));
    let status = if differs.is_some() { Status::Changed } else { Status::Identical };
    let same = differs.is_none().then_some(if link.by_checksum { Same::Checksum } else { Same::Values });
    let matched = Matched {
        how: Some(link.how(&source.dims)),
        suspect: link.suspect.clone(),
        differs,
        several: Vec::new(),
        is_weight: x.is_weight || y.is_weight,
        says_nothing: link.says_nothing,
    };
    Some(Change {
        at: 0,
        a: Some(Facts::of(&x.tensor)),
        b: Some(Facts::of(&y.tensor)),
        status,
        paired: if link.by_name || !link.is_proven() { PairedBy::Likeness } else { PairedBy::Bytes },
        same,
        repartitioned: false,
        moved: false,
        values,
        trouble: Vec::new(),
        derived: None,
        matched: Some(Box::new(matched)),
    })
}

/// What is told of a tensor without a partner.
fn single(item: &Item, side: usize, status: Status, several: Vec<Box<[u8]>>) -> Change {
    let facts = Some(Facts::of(&item.tensor));
    let (a, b) = if side == 0 { (facts, None) } else { (None, facts) };
    let matched = Matched { several, is_weight: item.is_weight, ..Matched::default() };
    Change {
        at: 0,
        a,
        b,
        status,
        paired: PairedBy::Bytes,
        same: None,
        repartitioned: false,
        moved: false,
        values: None,
        trouble: Vec::new(),
        derived: None,
        matched: Some(Box::new(matched)),
    }
}

fn totals(work: &Work<'_>, changes: &[Change]) -> MatchTotals {
    let mut totals = MatchTotals { tries: work.tries, ..MatchTotals::default() };
    for ((weights, others), side) in totals.weights.iter_mut().zip(&mut totals.others).zip(&work.sides) {
        *weights = side.items.iter().filter(|item| item.is_weight).count() as u64;
        *others = side.others.saturating_add((side.items.len() as u64).saturating_sub(*weights));
    }
    let mut found = work.sides.iter().map(|side| vec![false; side.items.len()]).collect::<Vec<_>>();
    for link in work.links.iter().filter(|link| link.is_proven()) {
        for (marks, item) in found.iter_mut().zip(link.items) {
            if let Some(mark) = marks.get_mut(item) {
                *mark = true;
            }
        }
    }
    // What is made of parts is found if all of them are.
    let differing =
        work.links.iter().filter(|link| !link.is_proven()).filter_map(|link| Some((link.part?, link.items)));
    let broken = differing.map(|(part, items)| if part.fused == Side::A { (0, items[0]) } else { (1, items[1]) });
    for (side, item) in broken.chain(work.gaps.iter().map(|(side, item, ..)| (*side, *item))) {
        if let Some(mark) = found.get_mut(side).and_then(|marks| marks.get_mut(item)) {
            *mark = false;
        }
    }
    for ((sum, marks), side) in totals.found.iter_mut().zip(&found).zip(&work.sides) {
        *sum = marks.iter().zip(&side.items).filter(|(mark, item)| **mark && item.is_weight).count() as u64;
    }
    let is_weight = |link: &&Link| {
        let is = |side, at| work.item(side, at).is_some_and(|item| item.is_weight);
        is(0, link.items[0]) || is(1, link.items[1])
    };
    for link in work.links.iter().filter(is_weight) {
        if !link.is_proven() {
            totals.changed += 1;
            continue;
        }
        let is_transposed = link.chosen().is_some_and(|order| !order.is_plain());
        totals.transposed += u64::from(is_transposed);
        totals.parts += u64::from(link.part.is_some());
        totals.cast += u64::from(link.cast.is_some());
        totals.permuted += u64::from(link.blocks.is_some());
        totals.proved += u64::from(!link.by_checksum && !link.says_nothing);
        totals.by_checksum += u64::from(link.by_checksum);
        totals.constants += u64::from(link.says_nothing);
        totals.telling += u64::from(!link.says_nothing);
        totals.suspects += u64::from(link.suspect.is_some());
    }
    totals.faults = work.faults.min(totals.suspects);
    for change in changes {
        let side = usize::from(change.a.is_none());
        let count = match change.status {
            Status::Ambiguous => totals.ambiguous.get_mut(side),
            Status::Added | Status::Removed => totals.alone.get_mut(side),
            _ => None,
        };
        if let Some(count) = count {
            *count += 1;
        }
    }
    totals
}
