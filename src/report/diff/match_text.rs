//! A comparison by contents in words: how a pair belongs together, and the verdict that a reviewer can quote.

use crate::analysis::diff::{Change, Diff, How, MatchTotals, Status};
use crate::analysis::short_name;
use crate::base::escape::escaped;
use crate::report::kit::units::{count, counted};

/// Names that are told of several.
const NAMED: usize = 4;

/// How one tensor of a pair is made of the other.
pub(super) fn how_text(how: &How, change: &Change) -> String {
    let mut parts = Vec::new();
    if let Some(part) = &how.part {
        let end = part.start.saturating_add(part.size / part.groups.max(1));
        let [whole, piece] = if part.fused == crate::analysis::diff::Side::A { ["A", "B"] } else { ["B", "A"] };
        let groups = if part.groups > 1 { format!(" of each of {} groups", part.groups) } else { String::new() };
        parts.push(format!(
            "{piece} is [{}:{end}]{groups} along axis {} of {whole}, one of {} parts",
            part.start, part.axis, part.of
        ));
    }
    if let Some(axes) = &how.axes {
        let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
        let from = how.reshape.as_ref().map(|dims| format!("as {dims:?} ")).unwrap_or_default();
        parts.push(format!("{from}transposed ({})", axes.join(", ")));
    }
    match how.flipped.as_slice() {
        [] => {}
        [axis] => parts.push(format!("axis {axis} backwards")),
        axes => {
            let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
            parts.push(format!("axes {} backwards", axes.join(" and ")));
        }
    }
    if let Some(blocks) = &how.blocks {
        parts.push(format!("blocks along axis {} in the order {:?}", blocks.axis, blocks.order));
    }
    if let (Some(_), Some(a), Some(b)) = (&how.cast, &change.a, &change.b) {
        parts.push(if a.dtype.element_size() > b.dtype.element_size() {
            format!("rounded from {} to {}", a.dtype, b.dtype)
        } else {
            format!("B rounded from {} to {} is A", b.dtype, a.dtype)
        });
    }
    if parts.is_empty() {
        let shapes = change.a.as_ref().zip(change.b.as_ref());
        let is_reshaped = shapes.is_some_and(|(a, b)| a.shape != b.shape);
        parts.push(if is_reshaped { "the same bits in another shape" } else { "the same bits" }.to_owned());
    }
    if how.by_checksum {
        parts.push("by checksum".to_owned());
    }
    parts.join(", ")
}

/// What is said of a change, if it is one of contents and there is something to say.
pub(super) fn words(change: &Change) -> Option<String> {
    let matched = change.matched.as_deref()?;
    match change.status {
        Status::Identical => {
            let mut text = matched.how.as_ref().map(|how| how_text(how, change)).unwrap_or_default();
            if matched.says_nothing {
                text.push_str(", a constant, which any model may have");
            }
            Some(text)
        }
        Status::Ambiguous => {
            let some: Vec<String> =
                matched.several.iter().take(NAMED).map(|name| escaped(short_name(name)).into_owned()).collect();
            let more = matched.several.len().saturating_sub(some.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Some(format!("ambiguous: has the contents of {}{more}", some.join(", ")))
        }
        Status::Changed | Status::Added | Status::Removed if change.values.is_none() => matched.differs.clone(),
        Status::NotCompared => {
            Some("not compared: a checksum of the wider values cannot be made of the narrower ones".to_owned())
        }
        _ => None,
    }
}

/// What is said of a pair below its line: why it is suspect, or how its values differ.
pub(super) fn remarks(change: &Change) -> Vec<String> {
    let Some(matched) = change.matched.as_deref() else { return Vec::new() };
    let suspect = matched.suspect.as_ref().map(|why| format!("suspect: {why}"));
    let is_compared = change.status == Status::Changed && change.values.is_some();
    let order = matched.how.as_ref().filter(|how| is_compared && how.kind() != "same");
    let order = order.map(|how| format!("compared {}", how_text(how, change)));
    // Without figures it stands in the line.
    let differs = matched.differs.clone().filter(|_| change.values.is_some());
    differs.into_iter().chain(order).chain(suspect).collect()
}

/// The verdict, and what it rests on.
pub(super) fn verdict(diff: &Diff<'_>, totals: &MatchTotals) -> (&'static str, String) {
    let [a, b] = totals.weights;
    let unreadable = diff.tally.of(Status::Unreadable);
    let skipped = diff.tally.of(Status::NotCompared);
    let faults = totals.suspects + totals.changed + totals.alone[0] + totals.alone[1];
    let ambiguous = totals.ambiguous[0].max(totals.ambiguous[1]);
    let word = match () {
        () if a == 0 && b == 0 => return ("nothing compared", "neither side has a weight to compare".to_owned()),
        () if faults > 0 => "NOT the same",
        () if unreadable + skipped > 0 => "not fully compared",
        () if ambiguous > 0 => "not fully proved",
        () if totals.telling == 0 => "nothing proved",
        () => "the same model",
    };
    let mut parts = Vec::new();
    let mut faulty = |n: u64, what: &str| {
        if n > 0 {
            parts.push(format!("{} {what}", count(n)));
        }
    };
    let differ = if totals.changed == 1 { "differs" } else { "differ" };
    faulty(totals.changed, &format!("{differ}{}", likely(totals.changed, totals.changed_faults)));
    faulty(totals.alone[0], "only in A");
    faulty(totals.alone[1], "only in B");
    faulty(totals.suspects, &format!("suspect{}", likely(totals.suspects, totals.faults)));
    faulty(unreadable, "unreadable");
    faulty(skipped, "beyond what an index tells of rounded values");
    faulty(ambiguous, "with the contents of several");
    let [found_a, found_b] = totals.found;
    let found = if word == "the same model" { "" } else { " found" };
    parts.push(if (found_a, a) == (found_b, b) {
        format!("{} of {}{found}", count(found_a), counted(a, "weight"))
    } else {
        let (a, b) = (counted(a, "weight"), count(b));
        format!("{} of {a} of A and {} of {b} of B{found}", count(found_a), count(found_b))
    });
    for (n, what) in [
        (totals.transposed, "transposed"),
        (totals.parts, "as parts"),
        (totals.cast, "rounded"),
        (totals.permuted, "with blocks in another order"),
    ] {
        if n > 0 {
            parts.push(format!("{} {what}", count(n)));
        }
    }
    // Constants, which any model may have, are no proof, however equal they are.
    let pairs = totals.telling;
    let all = if totals.constants == 0 { String::new() } else { format!("{} ", count(pairs)) };
    match (pairs.saturating_sub(totals.proved), totals.proved) {
        (0, 0) => {}
        (0, _) => parts.push(format!("{all}proved bit for bit")),
        (sums, 0) => parts.push(format!("{all}proved by checksum{}", odds(sums, totals.tries))),
        (sums, bits) => {
            let odds = odds(sums, totals.tries);
            parts.push(format!("{} proved bit for bit, {} by checksum{odds}", count(bits), count(sums)));
        }
    }
    match totals.constants {
        0 => {}
        1 => parts.push("1 constant that proves nothing".to_owned()),
        n => parts.push(format!("{} constants that prove nothing", count(n))),
    }
    (word, parts.join(", "))
}

/// That fewer faults than pairs are at fault, where it is so.
fn likely(pairs: u64, faults: u64) -> String {
    match faults {
        faults if faults >= pairs => String::new(),
        1 => ", likely by one fault".to_owned(),
        faults => format!(", likely by {} faults", count(faults)),
    }
}

/// How likely one of the checksums agrees by chance.
fn odds(_: u64, tries: u64) -> String {
    match (1u64 << 32).checked_div(tries) {
        Some(one_in) if tries > 0 => format!(" (one that agrees by chance: 1 in {})", count(one_in.max(1))),
        _ => String::new(),
    }
}
