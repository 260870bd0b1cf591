//! `diff` for people: its changes (`diff_lines`), why some cannot be told, sums by scope, and a last line that says what
//! was compared.

use std::io::{self, Write};

use super::DiffRows;
use super::lines::lines;
use super::match_text;
use super::spectral;
use crate::analysis::diff::{Change, Depth, Diff, Expectation, Status};
use crate::analysis::short_name;
use crate::base::error::Error;
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::json::shown;
use crate::report::kit::look::Look;
use crate::report::kit::table::Columns;
use crate::report::kit::units::{count, counted, size};
use crate::report::kit::wrap::folded;

/// Scopes that are summed up one by one.
const SCOPES: usize = 12;

/// Reasons, ambiguous groups and broken expectations that are told one by one.
const TOLD: usize = 10;

/// `diff --format text`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn diff_text(
    diff: &Diff<'_>,
    rows: &DiffRows<'_>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    sides(diff.a, diff.b, look, out)?;
    if !rows.rows.is_empty() {
        writeln!(out)?;
        lines(rows, look, out)?;
    }
    let mut reasons = Reasons::default();
    rows.rows.iter().for_each(|change| reasons.add(change));
    foot(diff, (rows.rows.len(), rows.hidden), &reasons, look, out)
}

/// What is compared.
pub(in crate::report) fn sides(a: &Checkpoint, b: &Checkpoint, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let dim = look.dim();
    for (side, checkpoint) in [("A", a), ("B", b)] {
        writeln!(out, "{dim}{side}  {}{dim:#}", shown(checkpoint.origin().shown()))?;
    }
    Ok(())
}

/// What stands behind the lines, of which there are so many, and so many are left out.
pub(in crate::report) fn foot(
    diff: &Diff<'_>,
    (lines, hidden): (usize, usize),
    reasons: &Reasons,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let dim = look.dim();
    if hidden > 0 {
        writeln!(out, "… and {} more", count(hidden as u64))?;
    }
    reasons.write(look, out)?;
    ambiguous(diff, look, out)?;
    scopes(diff, lines + hidden, look, out)?;
    for expectation in &diff.expectations {
        expected(expectation, look, out)?;
    }
    let ways = [
        "through --map",
        "through the object graphs",
        "through the full names in the object graph",
        "by names of layers and variables",
    ];
    for (n, how) in diff.paired.iter().zip(ways) {
        if *n > 0 {
            writeln!(out, "{dim}{} paired {how}{dim:#}", counted(*n, "pair"))?;
        }
    }
    for one in &diff.one_sided {
        let text = format!("not compared: {} of {}: {}", escaped(short_name(&one.name)), one.side.name(), one.why);
        writeln!(out, "{dim}{}{dim:#}", folded(&text, 0, 2, look))?;
    }
    writeln!(out)?;
    summary(diff, look, out)
}

/// Why tensors are unreadable, each reason once.
#[derive(Debug, Default)]
pub(in crate::report) struct Reasons {
    told: Vec<String>,
    more: u64,
}

impl Reasons {
    /// Takes in why this one is.
    pub(in crate::report) fn add(&mut self, change: &Change) {
        for (side, error) in &change.trouble {
            let reason = format!("{}: {}", side.name(), without_name(error));
            if self.told.contains(&reason) {
                continue;
            }
            if self.told.len() >= TOLD {
                self.more += 1;
                continue;
            }
            self.told.push(reason);
        }
    }

    fn write(&self, look: Look, out: &mut dyn Write) -> io::Result<()> {
        if self.told.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        for reason in &self.told {
            writeln!(out, "! {}", folded(reason, 2, 2, look))?;
        }
        if self.more > 0 {
            writeln!(out, "… and {} more reasons; --format json has them all", count(self.more))?;
        }
        Ok(())
    }
}

/// An error without the name of the tensor, so that one reason is one reason.
fn without_name(error: &Error) -> String {
    let text = error.to_string();
    let name = error.location().key.as_ref().map(|key| format!("{}: ", escaped(key)));
    let text = name.and_then(|name| text.strip_prefix(&name).map(str::to_owned)).unwrap_or(text);
    match error.help() {
        Some(help) => format!("{text}; {help}"),
        None => text,
    }
}

fn ambiguous(diff: &Diff<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    // Of a comparison by contents each has its line.
    if diff.ambiguous.is_empty() || diff.matched.is_some() {
        return Ok(());
    }
    writeln!(out)?;
    for group in diff.ambiguous.iter().take(TOLD) {
        let names = |names: &[Box<[u8]>]| {
            let shown: Vec<String> = names.iter().take(3).map(|n| escaped(short_name(n)).into_owned()).collect();
            let more = if names.len() > 3 { format!(" and {} more", names.len() - 3) } else { String::new() };
            format!("{}{more}", shown.join(", "))
        };
        let text = format!("maybe renamed, the same bytes: {} → {}", names(&group.a), names(&group.b));
        writeln!(out, "> {}", folded(&text, 2, 2, look))?;
    }
    if diff.ambiguous.len() > TOLD {
        writeln!(out, "… and {} more groups with the same bytes", count((diff.ambiguous.len() - TOLD) as u64))?;
    }
    Ok(())
}

/// Sums by scope, where there are scopes and more lines than a glance takes in.
fn scopes(diff: &Diff<'_>, lines: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    const FEW: usize = 8;
    if diff.scopes.len() < 2 || lines < FEW {
        return Ok(());
    }
    let present: Vec<Status> = Status::ALL.into_iter().filter(|status| diff.tally.of(*status) > 0).collect();
    let heading = |status: &Status| status.name().replace('_', " ");
    let header: Vec<String> =
        ["scope".to_owned(), "tensors".to_owned()].into_iter().chain(present.iter().map(heading)).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Columns::new("<>>>>>>>>>>>", &header);
    let mut sorted: Vec<_> = diff.scopes.iter().collect();
    sorted.sort_by_key(|scope| std::cmp::Reverse((scope.tally.differences(), scope.tally.total())));
    for scope in sorted.iter().take(SCOPES) {
        let name = if scope.scope.is_empty() { "(top level)".into() } else { escaped(&scope.scope) };
        let cut: String = name.chars().take(30).collect();
        let cells = present.iter().map(|status| match scope.tally.of(*status) {
            0 => String::new(),
            n => count(n),
        });
        table.row([cut, count(scope.tally.total())].into_iter().chain(cells));
    }
    writeln!(out)?;
    table.write(out, look.bold())?;
    if sorted.len() > SCOPES {
        writeln!(out, "  … and {} more scopes", count((sorted.len() - SCOPES) as u64))?;
    }
    Ok(())
}

fn expected(expectation: &Expectation, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let text = expected_text(expectation);
    if expectation.holds() {
        return writeln!(out, "expectation holds: {text}");
    }
    let bad = look.bad();
    writeln!(out, "{bad}expectation broken:{bad:#} {}", folded(&text, 20, 2, look))
}

/// What was expected, and what came of it.
pub(in crate::report) fn expected_text(expectation: &Expectation) -> String {
    let Expectation { expected, selector, matched, broken, examples, unjudged, by } = expectation;
    let who = match by {
        Some(by) => format!("{} {}", escaped(by.as_bytes()), expected.in_policy()),
        None => format!("--expect-{}", expected.name()),
    };
    let what = format!("{who} '{}'", escaped(selector.as_bytes()));
    let tensors = |n: u64| crate::report::kit::units::tensors_text(usize::try_from(n).unwrap_or(usize::MAX));
    if expectation.holds() {
        return format!("{what}, {}", tensors(*matched));
    }
    let mut why = Vec::new();
    if *matched == 0 {
        why.push("no tensor matches".to_owned());
    }
    if *broken > 0 {
        let names = examples
            .iter()
            .take(TOLD)
            .map(|(name, status)| format!("{} ({})", escaped(short_name(name)), status.name().replace('_', " ")));
        let names: Vec<String> = names.collect();
        let more =
            if *broken > TOLD as u64 { format!(" and {} more", count(*broken - TOLD as u64)) } else { String::new() };
        why.push(format!("{} of {}: {}{more}", count(*broken), tensors(*matched), names.join(", ")));
    }
    if *unjudged > 0 {
        why.push(format!("{} could not be judged", tensors(*unjudged)));
    }
    format!("{what}: {}", why.join("; "))
}

/// The last line. Nothing is called the same that was not compared.
fn summary(diff: &Diff<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let ((word, text), bold) = (summary_text(diff), look.bold());
    writeln!(out, "{bold}{word}{bold:#}: {}", folded(&text, word.len() + 2, 2, look))
}

/// The verdict in a word or two, and what it rests on.
pub(in crate::report) fn summary_text(diff: &Diff<'_>) -> (&'static str, String) {
    if let Some(totals) = &diff.matched {
        return match_text::verdict(diff, totals);
    }
    let tally = &diff.tally;
    let mut parts = Vec::new();
    for status in [
        Status::Changed,
        Status::Added,
        Status::Removed,
        Status::Shape,
        Status::DType,
        Status::Renamed,
        Status::Unreadable,
        Status::WithinTolerance,
    ] {
        let n = tally.of(status);
        if n > 0 {
            let word = match status {
                Status::Shape => "with another shape".to_owned(),
                Status::DType => "with another dtype".to_owned(),
                other => other.name().replace('_', " "),
            };
            parts.push(format!("{} {word}", count(n)));
        }
    }
    let identical = tally.of(Status::Identical);
    if identical > 0 {
        let by_value = identical - diff.by_checksum;
        let how = match (diff.by_checksum, by_value) {
            (_, 0) => " by checksum".to_owned(),
            (0, _) => " by value".to_owned(),
            (checksum, value) => format!(" ({} by checksum, {} by value)", count(checksum), count(value)),
        };
        parts.push(format!("{} identical{how}", count(identical)));
    }
    for (n, what) in [(diff.repartitioned, "stored in other slices"), (diff.moved, "in another shard")] {
        if n > 0 && identical > 0 {
            parts.push(format!("of these {} {what}", count(n)));
        }
    }
    parts.extend(spectral::verdict(diff));
    let skipped = tally.of(Status::NotCompared);
    if skipped > 0 {
        let paired =
            if diff.depth == Depth::Structure { "of one dtype and shape, values not compared" } else { "not compared" };
        parts.push(format!("{} {paired}", count(skipped)));
    }
    if diff.left_out > 0 {
        parts.push(format!("{} left out by selectors", count(diff.left_out)));
    }
    if !diff.one_sided.is_empty() {
        parts.push(format!("{} not compared", count(diff.one_sided.len() as u64)));
    }
    let word = match () {
        () if tally.of(Status::Unreadable) > 0 && tally.differences() == 0 => "not fully compared",
        () if diff.is_vacuous() && !diff.is_trouble() => "nothing compared",
        () if diff.is_vacuous() => "not fully compared",
        () if !diff.is_equal() => "differ",
        () if diff.is_trouble() => "not fully compared",
        () if tally.total() == 0 => "nothing compared",
        () if diff.depth == Depth::Structure => "same structure",
        () if tally.of(Status::WithinTolerance) > 0 => "same within tolerance",
        () => "same",
    };
    let read = match diff.depth {
        Depth::Structure | Depth::Index => "no data read".to_owned(),
        _ if diff.bytes_read == 0 => "no data read".to_owned(),
        _ => format!("{} read", size(diff.bytes_read)),
    };
    parts.push(read);
    (word, parts.join(" · "))
}
