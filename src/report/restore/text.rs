//! What a restore would do, for people: the verdict, what TensorFlow does, then what is wrong and what it means.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::hints::hints_text;
use crate::analysis::{Missing, Restore, Spec, short_name};
use crate::base::escape::escaped;
use crate::report::Look;
pub(in crate::report) use crate::report::findings::text::{folded, joined};
use crate::report::kit::json::shown;
use crate::report::kit::units::{count, shape_text};

/// How many rows of a kind are shown; json has them all.
const MOST: usize = 20;

/// What comes of it, in a few words.
pub(in crate::report) fn verdict(restore: &Restore) -> &'static str {
    let misplaced = restore.mismatched.iter().any(|mismatch| mismatch.silent);
    match (&restore.keras, restore.ok, &restore.undetermined) {
        (None, true, _) => "restores completely",
        (None, false, Some(_)) => "whether it restores could not be told",
        (None, false, None) if restore.raises.is_empty() => "restores, but NOT what the model wants",
        (None, false, None) => "does NOT restore",
        (Some(_), true, _) => "loads completely",
        (Some(_), false, Some(_)) => "whether it loads could not be told",
        (Some(_), false, None) if !restore.raises.is_empty() => "does NOT load",
        (Some(_), false, None) if misplaced => "loads, with weights in the WRONG place",
        (Some(_), false, None) if restore.matched.is_empty() => "loads NOTHING, without an error",
        (Some(_), false, None) => "loads, but NOT all that the model wants",
    }
}

/// One restore.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn restore_text(restore: &Restore, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (bold, dim) = (look.bold(), look.dim());
    let style = match (restore.ok, &restore.undetermined) {
        (true, _) => bold,
        (false, Some(_)) => look.doubtful(),
        (false, None) => look.bad(),
    };
    let word = if restore.undetermined.is_some() { "could not be told" } else { verdict(restore) };
    let (from, into) = (shown(&restore.checkpoint), shown(&restore.against));
    let verdict = format!("{bold}{from} into {into}{bold:#}: {style}{word}{style:#}");
    writeln!(out, "{}", folded(&verdict, 0, 2, look))?;
    let of = |n: usize, what: &str| (n > 0).then(|| format!("{} {what}", count(n as u64)));
    let is_keras = restore.keras.is_some();
    let save_counter_only = restore.missing.len() == 1 && restore.ok;
    let facts = [
        Some(restore.model.clone()),
        // Where nothing could be told, that nothing fits is not told either.
        (restore.undetermined.is_none() || !restore.matched.is_empty())
            .then(|| format!("{} fit", count(restore.matched.len() as u64))),
        of(restore.mismatched.len(), "differ"),
        of(restore.missing.len(), if save_counter_only { "missing (the counter of saves)" } else { "missing" }),
        of(restore.unrestored.len(), "without a value"),
        of(restore.unexpected.len(), if is_keras { "of the file not used" } else { "of the checkpoint not used" }),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    writeln!(out, "  {}", joined(&facts, 2, 2, look))?;
    if let Some(why) = &restore.undetermined {
        writeln!(out, "  {}", folded(why, 2, 2, look))?;
    }
    tensorflow(restore, look, out)?;
    mismatched(restore, look, out)?;
    missing(restore, look, out)?;
    if !restore.unrestored.is_empty() {
        writeln!(out, "\n  {dim}in the checkpoint without a value, so they stay as they are{dim:#}")?;
        for name in restore.unrestored.iter().take(MOST) {
            writeln!(out, "    {}", escaped(short_name(name)))?;
        }
        more(restore.unrestored.len(), out)?;
    }
    unexpected(restore, look, out)?;
    if !restore.hints.is_empty() {
        writeln!(out)?;
    }
    hints_text(&restore.hints, look, out)?;
    for note in &restore.notes {
        writeln!(out, "  {dim}note: {}{dim:#}", folded(note, 8, 8, look))?;
    }
    writeln!(out)
}

fn tensorflow(restore: &Restore, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let dim = look.dim();
    match restore.raises.first() {
        Some(raise) => {
            writeln!(out, "\n  {} raises {}:", restore.call, raise.class)?;
            for line in raise.message.lines().filter(|line| !line.is_empty()).take(6) {
                writeln!(out, "    {}", folded(&cut(&escaped(line.as_bytes())), 4, 6, look))?;
            }
            if raise.message.lines().count() > 6 {
                writeln!(out, "    …")?;
            }
            let others = restore.raises.len() - 1;
            if others > 0 {
                let n = count(others as u64);
                let who = if restore.keras.is_some() { "Keras" } else { "TensorFlow" };
                let such =
                    if others == 1 { "another such error".to_owned() } else { format!("one of {n} other errors") };
                writeln!(out, "    {dim}or {such}: {who} reports one{dim:#}")?;
            }
        }
        None if !restore.ok && restore.undetermined.is_none() => {
            writeln!(out, "\n  {} returns without an error.", restore.call)?;
        }
        None => {}
    }
    if let Some(serving) = &restore.serving {
        let text = match serving {
            None => "TensorFlow Serving loads it without an error all the same.".to_owned(),
            Some(raise) => format!("TensorFlow Serving refuses it: {}", cut(&escaped(raise.message.as_bytes()))),
        };
        writeln!(out, "  {}", folded(&text, 2, 4, look))?;
    }
    if let Some(assertions) = &restore.assertions {
        let all = [
            ("assert_consumed", &assertions.consumed),
            ("assert_existing_objects_matched", &assertions.existing_objects_matched),
            ("assert_nontrivial_match", &assertions.nontrivial_match),
        ];
        let held: Vec<&str> = all.iter().filter(|(_, verdict)| verdict.is_ok()).map(|(name, _)| *name).collect();
        if held.len() == all.len() {
            writeln!(out, "  {dim}all assertions on the result hold{dim:#}")?;
            return Ok(());
        }
        // Often one reason stands behind several of them.
        let mut told: Vec<(&String, Vec<&str>)> = Vec::new();
        for (name, verdict) in all {
            if let Err(why) = verdict {
                match told.iter_mut().find(|(other, _)| *other == why) {
                    Some((_, names)) => names.push(name),
                    None => told.push((why, vec![name])),
                }
            }
        }
        for (why, names) in told {
            let fail = if names.len() == 1 { "fails" } else { "fail" };
            let text = format!("{} {fail}: {}", names.join(" and "), cut(&escaped(why.as_bytes())));
            writeln!(out, "    {}", folded(&text, 4, 6, look))?;
        }
        if !held.is_empty() {
            let hold = if held.len() == 1 { "holds" } else { "hold" };
            writeln!(out, "    {dim}{} {hold}{dim:#}", held.join(" and "))?;
        }
    }
    Ok(())
}

fn mismatched(restore: &Restore, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if restore.mismatched.is_empty() {
        return Ok(());
    }
    let rows: Vec<[String; 4]> = restore
        .mismatched
        .iter()
        .take(MOST)
        .map(|mismatch| {
            let dtypes = mismatch.expected.dtype != mismatch.found.dtype;
            let name = escaped(short_name(&mismatch.name)).into_owned();
            let silent = (mismatch.silent && restore.keras.is_none()).then(|| "taken silently".to_owned());
            let hint: Vec<String> = mismatch.hint.iter().cloned().chain(silent).collect();
            let hint = hint.join(", ");
            [name, spec(&mismatch.expected, dtypes), spec(&mismatch.found, dtypes), hint]
        })
        .collect();
    writeln!(out)?;
    let stored = if restore.keras.is_some() { "file" } else { "checkpoint" };
    columns(["differ", "model", stored, ""], &rows, look, out)?;
    more(restore.mismatched.len(), out)
}

fn missing(restore: &Restore, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if restore.missing.is_empty() {
        return Ok(());
    }
    let row = |missing: &Missing| {
        let near: Vec<String> = missing
            .candidates
            .iter()
            .take(2)
            .map(|near| format!("{} ({})", escaped(short_name(&near.name)), near.why))
            .collect();
        let near = if near.is_empty() { String::new() } else { format!("near: {}", near.join(", ")) };
        [escaped(short_name(&missing.name)).into_owned(), spec(&missing.spec, true), near]
    };
    let rows: Vec<[String; 3]> = restore.missing.iter().take(MOST).map(row).collect();
    writeln!(out)?;
    columns(["missing", "model", ""], &rows, look, out)?;
    more(restore.missing.len(), out)
}

fn unexpected(restore: &Restore, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if restore.groups.is_empty() {
        return Ok(());
    }
    let dim = look.dim();
    let stored = if restore.keras.is_some() { "file" } else { "checkpoint" };
    writeln!(out, "\n  {dim}of the {stored}, not used{dim:#}")?;
    for group in &restore.groups {
        let harmless = if group.harmless { ", harmless for inference" } else { "" };
        let scopes: Vec<String> = group
            .scopes
            .iter()
            .take(3)
            .map(|(scope, n)| match n {
                1 => scope.clone(),
                n => format!("{scope} ×{n}"),
            })
            .collect();
        let rest = group.scopes.len().saturating_sub(3);
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let text = format!("{} {}{harmless}: {}{rest}", count(group.count as u64), group.what, scopes.join(", "));
        writeln!(out, "    {}", folded(&text, 4, 6, look))?;
    }
    Ok(())
}

/// A line of a message, which may list every variable of a model.
fn cut(line: &str) -> String {
    const LONG: usize = 400;
    match line.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn more(all: usize, out: &mut dyn Write) -> io::Result<()> {
    match all.saturating_sub(MOST) {
        0 => Ok(()),
        more => writeln!(out, "    … and {} more; --format json lists them all", count(more as u64)),
    }
}

/// `float32 2×3`, or without the dtype.
fn spec(spec: &Spec, dtype: bool) -> String {
    match spec.dtype.filter(|_| dtype) {
        Some(dtype) => format!("{dtype} {}", shape_text(&spec.shape)),
        None => shape_text(&spec.shape),
    }
}

/// Left-aligned columns, of which the last may be broken between words. A name that is very long does not move the
/// others; on a terminal it has a line of its own.
fn columns<const N: usize>(header: [&str; N], rows: &[[String; N]], look: Look, out: &mut dyn Write) -> io::Result<()> {
    const WIDEST: usize = 44;
    /// Room for the words of the last column.
    const WORDS: usize = 24;
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].width()).chain([header[at].width()]);
        cells.filter(|width| *width <= WIDEST).max().unwrap_or(0)
    };
    let mut widths: [usize; N] = std::array::from_fn(width);
    if let Some(room) = look.width {
        let others: usize = widths[1..N - 1].iter().map(|width| width + 2).sum();
        widths[0] = widths[0].min(room.saturating_sub(others + 4 + widths[N - 1].min(WORDS)).max(WORDS));
    }
    let line = |cells: &[&str]| {
        let mut text = String::new();
        for (at, cell) in cells.iter().enumerate() {
            if at + 1 == N {
                let before = 2 + widths[..at].iter().map(|width| width + 2).sum::<usize>();
                // A name in it that has no room there stands below.
                let word = cell.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(0);
                if look.width.is_some_and(|room| before + word > room) {
                    text.truncate(text.trim_end().len());
                    text.push_str("\n      ");
                    text.push_str(&folded(cell, 6, 6, look));
                } else {
                    text.push_str(&folded(cell, before, before, look));
                }
                break;
            }
            text.push_str(cell);
            if at == 0 && look.width.is_some() && cell.width() > widths[at] {
                text.push_str("\n  ");
                text.extend(std::iter::repeat_n(' ', widths[at] + 2));
            } else {
                let pad = widths[at].saturating_sub(cell.width()) + 2;
                text.extend(std::iter::repeat_n(' ', pad));
            }
        }
        text.trim_end().to_owned()
    };
    let dim = look.dim();
    writeln!(out, "  {dim}{}{dim:#}", line(&header))?;
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        writeln!(out, "  {}", line(&cells))?;
    }
    Ok(())
}
