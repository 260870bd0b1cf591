//! `log` as CSV and as Markdown.

use std::io::{self, Write};

use crate::analysis::{Moved, Row, Timeline, Training};
use crate::report::kit::csv::csv_output;
use crate::report::kit::json::shown;
use crate::report::kit::units::{size, time};

/// The cells of CSV and Markdown.
fn cells(row: &Row) -> [String; 9] {
    let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    let moved = row.moved.as_ref().map(|(_, moved)| moved);
    let count = |of: fn(&Moved) -> usize| moved.map(|moved| of(moved).to_string()).unwrap_or_default();
    let finite = match &row.finite {
        None => "",
        Some(finite) if !finite.found.is_empty() => "no",
        Some(finite) if finite.unread > 0 => "unknown",
        Some(_) => "yes",
    };
    [
        shown(&row.prefix),
        number(row.step),
        row.modified.map(time).unwrap_or_default(),
        row.bytes.to_string(),
        row.complete.to_string(),
        row.latest.to_string(),
        count(|moved| moved.weights.0),
        count(|moved| moved.weights.1),
        finite.to_owned(),
    ]
}

const HEADER: [&str; 9] =
    ["prefix", "step", "written_utc", "bytes", "complete", "latest", "weights_moved", "weights", "finite"];

/// What `--training` adds.
const TRAINED: [&str; 6] =
    ["optimizer", "optimizer_steps", "reset", "trained", "learning_rate", "learning_rate_at_least"];

fn trained_len(timeline: &Timeline) -> usize {
    if timeline.training.is_some() { TRAINED.len() } else { 0 }
}

fn training_cells(training: &Training) -> [String; 6] {
    let float = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        training.optimizer.unwrap_or_default().to_owned(),
        training.updates().map(|updates| updates.to_string()).unwrap_or_default(),
        training.is_reset().to_string(),
        training.trained.map(|trained| trained.to_string()).unwrap_or_default(),
        float(training.learning_rate()),
        float(training.learning_rate_at_least()),
    ]
}

/// One checkpoint a row, under a header.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn timeline_csv(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let trained: &[&str] = if timeline.training.is_some() { &TRAINED } else { &[] };
    csv.write_record(HEADER.iter().chain(trained)).map_err(csv_output)?;
    for row in &timeline.rows {
        let trained = row.training.as_ref().map(training_cells);
        // A checkpoint that could not be read has empty cells.
        let trained = trained.unwrap_or_default().into_iter().take(trained_len(timeline));
        csv.write_record(cells(row).into_iter().chain(trained)).map_err(csv_output)?;
    }
    csv.flush()
}

/// A Markdown table.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn timeline_markdown(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "| checkpoint | step | written (UTC) | size | whole | weights moved |\n|---|---:|---|---:|---|---:|"
    )?;
    for row in &timeline.rows {
        let [prefix, step, written, _, _, _, changed, all, _] = cells(row);
        let moved = if all.is_empty() { String::new() } else { format!("{changed} of {all}") };
        let latest = if row.latest { " (latest)" } else { "" };
        let whole = if row.complete { "yes" } else { "no" };
        let prefix = crate::report::kit::markdown::code(&prefix);
        writeln!(out, "| {prefix}{latest} | {step} | {written} | {} | {whole} | {moved} |", size(row.bytes))?;
    }
    Ok(())
}
