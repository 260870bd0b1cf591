//! `log` for people: a line a checkpoint, what moved below it, and what to know of the directory at the end.

use std::io::{self, Write};

use super::events::in_words;
use super::training_layers::layers_text;
use super::training_text::{training_facts, training_words};
use crate::analysis::{Distance, Measured, Moved, MovedScopes, Reason, Row, Timeline};
use crate::base::escape::escaped;
use crate::read::bundle::Prefix;
use crate::report::findings::ruled::write_allowed;
use crate::report::findings::text::write_finding;
use crate::report::kit::json::shown;
use crate::report::kit::look::Look;
use crate::report::kit::units::{count, counted, percent_figure, size, span, time};
use crate::report::kit::wrap::{folded, middle};

/// How many scopes of a kind are named.
const SCOPES: usize = 4;

/// Writes the timeline.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn timeline_text(timeline: &Timeline, look: Look, out: &mut dyn Write) -> io::Result<()> {
    heading(timeline, look, out)?;
    if !timeline.rows.is_empty() {
        rows(timeline, look, out)?;
    }
    if timeline.training.is_some_and(|options| options.layers) {
        layers_text(timeline, look, out)?;
    }
    footer(timeline, look, out)
}

pub(in crate::report) fn heading(timeline: &Timeline, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = look.bold();
    let all = timeline.rows.len() + timeline.left_out;
    let mut facts = vec![counted(all as u64, "checkpoint")];
    // Steps of different models are no range.
    if timeline.several.is_none() {
        facts.extend(range("save", timeline.rows.iter().filter_map(|row| row.save)));
        facts.extend(range("step", timeline.rows.iter().filter_map(|row| row.step)));
    }
    let times = || timeline.rows.iter().filter_map(|row| row.modified);
    if let (Some(first), Some(last)) = (times().min(), times().max())
        && let Ok(over) = last.duration_since(first)
        && over.as_secs() > 0
    {
        facts.push(format!("over {}", span(over)));
    }
    let incomplete = timeline.rows.iter().filter(|row| !row.complete).count();
    if incomplete > 0 {
        facts.push(format!("{incomplete} not whole"));
    }
    writeln!(out, "{bold}{}{bold:#} · {}", shown(&timeline.path), facts.join(" · "))?;
    if timeline.left_out > 0 {
        let (n, verb) = (count(timeline.left_out as u64), if timeline.left_out == 1 { "is" } else { "are" });
        writeln!(out, "  … {n} earlier {verb} not shown")?;
    }
    Ok(())
}

/// `steps 100 to 200`.
fn range(what: &str, numbers: impl Iterator<Item = u64> + Clone) -> Option<String> {
    let (first, last) = numbers.clone().min().zip(numbers.max())?;
    Some(if first == last { format!("{what} {first}") } else { format!("{what}s {first} to {last}") })
}

/// The last component of a prefix.
fn name(prefix: &std::path::Path) -> String {
    let prefix = Prefix::new(prefix.as_os_str());
    let name = escaped(prefix.base_name().as_encoded_bytes());
    if name.is_empty() { "(no name)".to_owned() } else { name.into_owned() }
}

/// What a row is called: its step where all rows have one of their own, else its name.
pub(in crate::report) fn labels(timeline: &Timeline) -> (&'static str, Vec<String>) {
    let mut steps: Vec<u64> = timeline.rows.iter().filter_map(|row| row.step).collect();
    steps.dedup();
    // A step names no checkpoint where several models have it, and none that counts saves in its name.
    let named_by_step = timeline.several.is_none() && timeline.rows.iter().all(|row| row.save.is_none());
    if named_by_step && steps.len() == timeline.rows.len() {
        return ("step", steps.iter().map(ToString::to_string).collect());
    }
    let name = |row: &Row| {
        let name = name(&row.prefix);
        match name.char_indices().nth(24) {
            Some((cut, _)) => format!("{}…", &name[..cut]),
            None => name,
        }
    };
    ("checkpoint", timeline.rows.iter().map(name).collect())
}

fn rows(timeline: &Timeline, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (head, labels) = labels(timeline);
    let sizes: Vec<String> = timeline.rows.iter().map(|row| size(row.bytes)).collect();
    let wide = |cells: &[String], least: usize| cells.iter().map(|c| c.chars().count()).max().unwrap_or(0).max(least);
    let (label_width, size_width) = (wide(&labels, head.len()), wide(&sizes, 4));
    let dim = look.dim();
    writeln!(
        out,
        "\n{dim}  {head:>label_width$}  {:19}  {:>size_width$}  what happened{dim:#}",
        "written (UTC)", "size"
    )?;
    let indent = label_width + 19 + size_width + 8;
    for ((row, label), size) in timeline.rows.iter().zip(&labels).zip(&sizes) {
        let when = row.modified.map_or_else(|| "-".to_owned(), time);
        let mut lines = story(timeline, row, look);
        if let (Some(save), Some(step)) = (row.save, row.step) {
            lines.insert(0, format!("save {save}, step {step}"));
        }
        if row.latest {
            let bold = look.bold();
            lines.insert(0, format!("{bold}◀ latest{bold:#}"));
        }
        if lines.is_empty() {
            lines.push(if row.tensors == 0 { "nothing in it" } else { "whole" }.to_owned());
        }
        write!(out, "  {label:>label_width$}  {when:19}  {size:>size_width$}  ")?;
        for (n, line) in lines.iter().enumerate() {
            if n > 0 {
                write!(out, "{:indent$}", "")?;
            }
            writeln!(out, "{}", folded(line, indent, indent + 2, look))?;
        }
    }
    Ok(())
}

/// What is to be said of a checkpoint: what is wrong with it first.
pub(in crate::report) fn story(timeline: &Timeline, row: &Row, look: Look) -> Vec<String> {
    const FINDINGS: usize = 3;
    let (bad, doubtful) = (look.bad(), look.doubtful());
    let mut lines = Vec::new();
    for finding in row.findings.iter().take(FINDINGS) {
        lines.push(format!("{bad}✗{bad:#} {}", finding.message));
    }
    if row.findings.len() > FINDINGS {
        lines.push(format!("and {} more; ckpt validate lists them", row.findings.len() - FINDINGS));
    }
    if let Some(finite) = &row.finite {
        if !finite.found.is_empty() {
            let first: Vec<&str> = finite.found.iter().take(3).map(|(name, ..)| name.as_str()).collect();
            let more =
                if finite.found.len() > 3 { format!(" and {} more", finite.found.len() - 3) } else { String::new() };
            let what = match (finite.found.iter().any(|f| f.1 > 0), finite.found.iter().any(|f| f.2 > 0)) {
                (true, false) => "NaN",
                (false, true) => "infinity",
                _ => "NaN and infinity",
            };
            lines.push(format!("{bad}✗{bad:#} {what} in {}{more}", first.join(", ")));
        }
        if finite.unread > 0 {
            let of = finite.read + finite.unread;
            lines.push(format!("{doubtful}!{doubtful:#} {} of {of} tensors could not be looked at", finite.unread));
        }
    }
    if let Some((since, moved)) = &row.moved {
        let at = timeline.rows.iter().position(|other| std::ptr::eq(other, row));
        // Not the row before: that one could not be read.
        let gap = at.is_some_and(|at| since + 1 != at);
        let of = gap.then(|| timeline.rows.get(*since)).flatten();
        let of = of.map(|row| name(&row.prefix));
        let before = timeline.rows.get(*since).and_then(|row| row.moved.as_ref()).map(|(_, moved)| &moved.scopes);
        lines.extend(moved_words(moved, of.as_deref(), before));
    }
    lines.extend(training_words(row, look));
    lines.extend(row.measured.iter().flat_map(|measured| measured_words(measured, look)));
    lines
}

/// `before` is what moved up to the checkpoint that this one is compared with.
fn moved_words(moved: &Moved, since: Option<&str>, before: Option<&MovedScopes>) -> Vec<String> {
    let since = since.map_or_else(String::new, |name| format!(" since {name}"));
    let number = |n: usize| count(n as u64);
    let mut lines = Vec::new();
    let (changed, all) = moved.weights;
    if all > 0 {
        let text = match (changed, all) {
            (0, 1) => format!("its one weight did not move{since}"),
            (_, 1) => format!("its one weight moved{since}"),
            (0, _) => format!("no weight moved{since}"),
            (n, all) if n == all => format!("all {} weights moved{since}", number(all)),
            (n, all) => format!("{} of {} weights moved{since}", number(n), number(all)),
        };
        lines.push(match moved.slots {
            (_, 0) => text,
            (slots, all) if slots == all => format!("{text}, all {} slots", number(all)),
            (slots, all) => format!("{text}, {} of {} slots", number(slots), number(all)),
        });
        if changed > 0 && changed < moved.weights.1 && before == Some(&moved.scopes) {
            lines.push("the same ones as before".to_owned());
        } else if changed > 0 && changed < moved.weights.1 {
            lines.push(format!("moved {} · still {}", named(&moved.scopes.moved), named(&moved.scopes.still)));
        }
    } else if moved.compared() > 0 {
        lines.push(format!("{} of {} tensors changed{since}", number(moved.changed), number(moved.compared())));
    }
    let others = [(moved.added, "new"), (moved.removed, "gone"), (moved.unknown, "without a checksum to compare")];
    let others: Vec<String> =
        others.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(n as u64))).collect();
    if !others.is_empty() {
        lines.push(format!("tensors: {}", others.join(", ")));
    }
    lines
}

/// The weights that moved farthest, relative to their size.
fn measured_words(measured: &Measured, look: Look) -> Vec<String> {
    const NAMED: usize = 3;
    let doubtful = look.doubtful();
    let far = |distance: &Distance| {
        let how = distance.rel_l2.map_or_else(|| "?".to_owned(), percent_figure);
        format!("{} {how}", middle(&distance.name, 44))
    };
    let farthest: Vec<String> = measured.farthest.iter().take(NAMED).map(far).collect();
    let mut lines = Vec::new();
    if !farthest.is_empty() {
        lines.push(format!("farthest {}", farthest.join(", ")));
    }
    if measured.unread > 0 {
        let n = count(measured.unread);
        lines.push(format!("{doubtful}!{doubtful:#} {n} weights could not be read and measured"));
    }
    lines
}

fn named(scopes: &[String]) -> String {
    let text = scopes.iter().take(SCOPES).map(|scope| middle(scope, 44)).collect::<Vec<_>>().join(", ");
    match scopes.len().saturating_sub(SCOPES) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

pub(in crate::report) fn footer(timeline: &Timeline, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let dim = look.dim();
    let mut facts: Vec<(&str, String)> = Vec::new();
    let why = match timeline.reason {
        Reason::StateFile => "by the state file",
        Reason::NoStateFile if timeline.rows.iter().all(|row| row.step.is_none()) => {
            "the last by name: there is neither a step nor a state file"
        }
        Reason::NoStateFile => "the highest step: there is no state file",
        Reason::StateFileWrong => "see below",
        Reason::None => "there is no checkpoint here",
    };
    let latest = timeline.latest.as_deref().map_or_else(|| why.to_owned(), |path| format!("{}, {why}", name(path)));
    facts.push(("latest", latest));
    let whole = timeline.rows.iter().rev().find(|row| row.complete);
    if let Some(row) = whole.filter(|_| timeline.rows.iter().any(|row| row.latest && !row.complete)) {
        facts.push(("newest whole", name(&row.prefix)));
    }
    let MovedScopes { moved, still } = &timeline.ever;
    if !still.is_empty() && timeline.rows.len() > 2 {
        let one = timeline.several.is_none();
        facts.push(("never moved", if one && moved.is_empty() { "any weight".to_owned() } else { named(still) }));
    }
    if timeline.finite {
        facts.push(("first NaN", first_nan(timeline)));
    }
    facts.extend(training_facts(timeline));
    let mut events = in_words(&timeline.path, &timeline.events).into_iter();
    facts.extend(events.next().map(|text| ("events", text)));
    facts.extend(events.map(|text| ("", text)));
    writeln!(out)?;
    let wide = facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    for (label, text) in facts {
        writeln!(out, "  {dim}{label:wide$}{dim:#}  {}", folded(&text, wide + 4, wide + 6, look))?;
    }
    if let Some(note) = &timeline.several {
        writeln!(out, "{}", folded(note, 0, 2, look))?;
    }
    let wrong = timeline.reason == Reason::StateFileWrong;
    for note in timeline.notes.iter().filter(|_| wrong && timeline.findings.is_empty()) {
        writeln!(out, "{}", folded(note, 0, 2, look))?;
    }
    let training = || timeline.rows.iter().filter_map(|row| row.training.as_ref());
    let of_training = || training().flat_map(|training| &training.findings);
    if !timeline.findings.is_empty() || of_training().next().is_some() {
        writeln!(out)?;
    }
    for finding in timeline.findings.iter().chain(of_training()) {
        write_finding(finding, look, out)?;
    }
    write_allowed(&timeline.allowed, look, out)?;
    if let Some(lines) = &timeline.repair {
        writeln!(out)?;
        repair_text(&timeline.path, lines, out)?;
    }
    Ok(())
}

/// The lines of a state file that would fit, to be put there by hand.
///
/// # Errors
/// What `out` says.
pub fn repair_text(dir: &std::path::Path, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    // The latest, and of those that are kept the newest; TensorFlow needs no more than the first line.
    const MOST: usize = 8;
    writeln!(out, "{} would be right as (nothing was written):", shown(&dir.join("checkpoint")))?;
    let cut = lines.len().saturating_sub(MOST);
    for (n, line) in lines.iter().enumerate() {
        match n {
            1 if cut > 0 => writeln!(out, "  … {} older ones; ckpt log --format json has them", count(cut as u64))?,
            n if n > 1 && n <= cut => {}
            _ => writeln!(out, "  {line}")?,
        }
    }
    Ok(())
}

fn first_nan(timeline: &Timeline) -> String {
    let label = |row: &Row| name(&row.prefix);
    let unread: usize =
        timeline.rows.iter().map(|row| row.finite.as_ref().map_or(1, |f| usize::from(f.unread > 0))).sum();
    let but = match unread {
        0 => String::new(),
        1 => ", but 1 checkpoint could not be looked at as a whole".to_owned(),
        n => format!(", but {n} checkpoints could not be looked at as a whole"),
    };
    let Some(at) = timeline.first_non_finite() else { return format!("none found{but}") };
    let good = |row: &&Row| row.finite.as_ref().is_some_and(|finite| finite.found.is_empty() && finite.unread == 0);
    let before = timeline.rows.iter().take(at).rev().find(good);
    let before = before.map_or_else(String::new, |row| format!("; {} is the last one without", label(row)));
    let first = timeline.rows.get(at).map(label).unwrap_or_default();
    format!("{first}{before}{but}")
}
