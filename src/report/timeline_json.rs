//! `log` for programs: JSON, JSON lines, CSV and Markdown.

use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::csv::csv_output;
use super::diff_json::number;
use super::events::event_file;
use super::finding_json::finding;
use super::json::{SCHEMA_VERSION, path, shown};
use super::units::{size, time};
use crate::analysis::{Distance, Measured, Moved, MovedScopes, Row, Timeline};
use crate::checkpoint::Found;

/// Writes everything that `log` knows.
///
/// # Errors
/// What `out` says.
pub fn timeline_json(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<Value> = timeline.rows.iter().map(|row| row_json(timeline, row)).collect();
    let first = timeline.first_non_finite().and_then(|at| timeline.rows.get(at));
    let value = json!({
        "schema_version": SCHEMA_VERSION,
        "kind": "log",
        "path": path(&timeline.path),
        "latest": timeline.latest.as_deref().map(path),
        "latest_reason": timeline.reason.name(),
        "notes": timeline.notes,
        "several": timeline.several,
        "left_out": timeline.left_out,
        "checkpoints": rows,
        "never_moved": timeline.ever.still,
        "first_non_finite": first.map(|row| path(&row.prefix)),
        "findings": timeline.findings.iter().map(finding).collect::<Vec<_>>(),
        "repair": timeline.repair,
        "events": timeline.events.iter().map(event_file).collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

/// `latest --format json`.
///
/// # Errors
/// What `out` says.
pub fn latest_json(dir: &Path, found: Option<&Found>, valid: bool, out: &mut dyn Write) -> io::Result<()> {
    let value = json!({
        "schema_version": SCHEMA_VERSION,
        "kind": "latest",
        "path": path(dir),
        "prefix": found.map(|found| path(found.prefix.as_path())),
        "step": found.and_then(|found| found.step),
        "complete": found.map(|found| found.complete),
        "validated": valid && found.is_some(),
    });
    writeln!(out, "{value}")
}

/// One checkpoint a line.
///
/// # Errors
/// What `out` says.
pub fn timeline_jsonl(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    timeline.rows.iter().try_for_each(|row| writeln!(out, "{}", row_json(timeline, row)))
}

fn row_json(timeline: &Timeline, row: &Row) -> Value {
    let finite = row.finite.as_ref().map(|finite| {
        let tensor =
            |(name, nan, infinite): &(String, u64, u64)| json!({"name": name, "nan": nan, "infinite": infinite});
        json!({
            "read": finite.read,
            "unread": finite.unread,
            "tensors": finite.found.iter().map(tensor).collect::<Vec<_>>(),
        })
    });
    let since = |at: usize| timeline.rows.get(at).map(|row| path(&row.prefix));
    json!({
        "prefix": path(&row.prefix),
        "group": row.group,
        "step": row.step,
        "save": row.save,
        "modified": row.modified.and_then(unix),
        "bytes": row.bytes,
        "complete": row.complete,
        "latest": row.latest,
        "findings": row.findings.iter().map(finding).collect::<Vec<_>>(),
        "moved": row.moved.as_ref().map(|(at, moved)| moved_json(since(*at).as_deref(), moved)),
        "measured": row.measured.as_ref().map(measured_json),
        "finite": finite,
    })
}

fn moved_json(since: Option<&str>, moved: &Moved) -> Value {
    let MovedScopes { moved: scopes, still } = &moved.scopes;
    json!({
        "since": since,
        "changed": moved.changed,
        "same": moved.same,
        "added": moved.added,
        "removed": moved.removed,
        "unknown": moved.unknown,
        "weights_changed": moved.weights.0,
        "weights": moved.weights.1,
        "slots_changed": moved.slots.0,
        "slots": moved.slots.1,
        "moved_scopes": scopes,
        "still_scopes": still,
    })
}

fn measured_json(measured: &Measured) -> Value {
    let distance = |distance: &Distance| json!({"name": distance.name, "rel_l2": number(distance.rel_l2), "max_abs": number(Some(distance.max_abs))});
    json!({
        "measured": measured.measured,
        "unread": measured.unread,
        "farthest": measured.farthest.iter().map(distance).collect::<Vec<_>>(),
    })
}

fn unix(time: SystemTime) -> Option<u64> {
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

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

/// One checkpoint a row, under a header.
///
/// # Errors
/// What `out` says.
pub fn timeline_csv(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADER).map_err(csv_output)?;
    for row in &timeline.rows {
        csv.write_record(cells(row)).map_err(csv_output)?;
    }
    csv.flush()
}

/// A Markdown table.
///
/// # Errors
/// What `out` says.
pub fn timeline_markdown(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "| checkpoint | step | written (UTC) | size | whole | weights moved |\n|---|---:|---|---:|---|---:|"
    )?;
    for row in &timeline.rows {
        let [prefix, step, written, _, _, _, changed, all, _] = cells(row);
        let moved = if all.is_empty() { String::new() } else { format!("{changed} of {all}") };
        let latest = if row.latest { " (latest)" } else { "" };
        let whole = if row.complete { "yes" } else { "no" };
        let prefix = super::markdown::code(&prefix);
        writeln!(out, "| {prefix}{latest} | {step} | {written} | {} | {whole} | {moved} |", size(row.bytes))?;
    }
    Ok(())
}
