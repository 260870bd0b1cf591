//! `diff` in a workflow: what is not as expected as annotations, and the summary of the step.

use std::io::{self, Write};

use super::DiffRows;
use super::table::diff_markdown;
use super::text::{expected_text, summary_text};
use crate::analysis::diff::Diff;
use crate::base::escape::escaped;
use crate::report::findings::github::annotation;
use crate::report::findings::summary::{Bounded, heading};
use crate::report::kit::json::path;
use crate::report::kit::markdown::plain;

/// Rows of a summary.
pub(in crate::report) const ROWS: usize = 50;

/// `diff --format github`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn diff_github(diff: &Diff<'_>, rows: &DiffRows<'_>, out: &mut dyn Write) -> io::Result<()> {
    for expectation in diff.expectations.iter().filter(|expectation| !expectation.holds()) {
        annotation("error", None, "expectation", &expected_text(expectation), out)?;
    }
    for change in &rows.rows {
        for (side, error) in &change.trouble {
            annotation("error", None, "unreadable", &format!("{}: {error}", side.name()), out)?;
        }
    }
    let (word, text) = summary_text(diff);
    let verdict = format!("{word}: {text}");
    if !diff.is_equal() || diff.is_trouble() {
        let sides = [diff.a, diff.b].map(|side| path(side.origin().shown()));
        let level = if diff.is_trouble() { "error" } else { "warning" };
        annotation(level, None, "difference", &format!("{} → {}: {verdict}", sides[0], sides[1]), out)?;
    }
    writeln!(out, "ckpt: {verdict}")
}

/// What `diff` appends to the summary of a step, in no more than so many bytes. The rows are those that [`Diff::changes`]
/// has, `hidden` others are counted.
pub fn diff_summary(diff: &Diff<'_>, hidden: usize, is_ok: bool, most: usize) -> String {
    let mut out = Bounded { text: String::new(), most };
    let sides = [diff.a, diff.b].map(|side| path(side.origin().shown()));
    let (word, text) = summary_text(diff);
    if !out.add(&format!("{}**{word}**: {}\n\n", heading("diff", &sides.join(" "), is_ok), plain(&text))) {
        return out.text;
    }
    for expectation in &diff.expectations {
        let sign = if expectation.holds() { "✅" } else { "❌" };
        out.add(&format!("- {sign} {}\n", plain(&expected_text(expectation))));
    }
    out.add("\n");
    if diff.changes.is_empty() {
        return out.text;
    }
    let rows = DiffRows { rows: diff.changes.iter().collect(), hidden, long: false, spectral: false };
    let mut table = Vec::new();
    // Writing into memory cannot fail.
    let _ = diff_markdown(diff, &rows, &mut table);
    out.add(&format!("{}\n", escaped_lines(&String::from_utf8_lossy(&table))));
    out.text
}

/// Text whose control characters, but for the ends of lines, are shown.
fn escaped_lines(text: &str) -> String {
    text.lines().map(|line| escaped(line.as_bytes()).into_owned() + "\n").collect()
}
