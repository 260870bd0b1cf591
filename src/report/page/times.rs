//! The checkpoints of a directory, one after the other, with curves of what can be measured.

use askama::Template;

use super::spark::steps;
use crate::analysis::{Row as TimeRow, Timeline};
use crate::report::Look;
use crate::report::kit::units::{count, size, time};
use crate::report::timeline::text::{footer, heading, labels, story};

/// Checkpoints that are shown, the last ones.
const MOST: usize = 120;

/// The box of a curve.
const WIDE: u32 = 300;
const HIGH: u32 = 40;

/// A checkpoint.
#[derive(Debug)]
struct Row {
    label: String,
    when: String,
    size: String,
    latest: bool,
    /// Thousandths of the weights that moved, and in words.
    moved: Option<(u64, String)>,
    lines: Vec<String>,
}

/// A curve over all checkpoints.
#[derive(Debug)]
struct Curve {
    what: &'static str,
    words: String,
    path: String,
}

/// The section.
#[derive(Debug, Template)]
#[template(path = "times.html")]
pub(super) struct Times {
    heading: Vec<String>,
    head: &'static str,
    rows: Vec<Row>,
    left_out: String,
    curves: Vec<Curve>,
    foot: String,
    wide: u32,
    high: u32,
}

impl Times {
    pub(super) fn of(timeline: &Timeline) -> Self {
        let text = |write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
            let mut text = Vec::new();
            // Nothing goes wrong where everything fits in memory.
            let _ = write(&mut text);
            String::from_utf8_lossy(&text).trim_matches('\n').to_owned()
        };
        let heading = text(&|out| heading(timeline, Look::default(), out));
        let foot = text(&|out| footer(timeline, Look::default(), out));
        let (head, labels) = labels(timeline);
        let skip = timeline.rows.len().saturating_sub(MOST);
        let rows = timeline.rows.iter().zip(labels).skip(skip).map(|(of, label)| row(timeline, of, label));
        let left_out = match skip {
            0 => String::new(),
            n => format!("{} earlier checkpoints are not in the table; ckpt log tells of them", count(n as u64)),
        };
        Self {
            heading: heading.lines().map(str::to_owned).collect(),
            head,
            rows: rows.collect(),
            left_out,
            curves: curves(timeline),
            foot,
            wide: WIDE,
            high: HIGH,
        }
    }
}

fn row(timeline: &Timeline, row: &TimeRow, label: String) -> Row {
    let mut lines = story(timeline, row, Look::default());
    if let (Some(save), Some(step)) = (row.save, row.step) {
        lines.insert(0, format!("save {save}, step {step}"));
    }
    if lines.is_empty() {
        lines.push(if row.tensors == 0 { "nothing in it" } else { "whole" }.to_owned());
    }
    let moved = row.moved.as_ref().map(|(_, moved)| moved.weights).filter(|(_, of)| *of > 0);
    Row {
        label,
        when: row.modified.map_or_else(|| "-".to_owned(), time),
        size: size(row.bytes),
        latest: row.latest,
        moved: moved.map(|(moved, of)| {
            let share = (moved as u64).saturating_mul(1000) / of as u64;
            (share, format!("{} of {}", count(moved as u64), count(of as u64)))
        }),
        lines,
    }
}

#[expect(clippy::cast_precision_loss, reason = "the height of a curve")]
fn curves(timeline: &Timeline) -> Vec<Curve> {
    let rows = || timeline.rows.iter();
    let mut all: Vec<(&'static str, Vec<Option<f64>>, String)> = Vec::new();
    let largest = rows().map(|row| row.bytes).max().unwrap_or(0);
    let least = rows().map(|row| row.bytes).min().unwrap_or(0);
    all.push((
        "size",
        rows().map(|row| Some(row.bytes as f64)).collect(),
        format!("{} to {}", size(least), size(largest)),
    ));
    let share = |row: &TimeRow| {
        let (moved, of) = row.moved.as_ref()?.1.weights;
        (of > 0).then(|| moved as f64 / of as f64)
    };
    if rows().any(|row| share(row).is_some()) {
        let words = "share of the weights that changed since the save before, by checksums".to_owned();
        all.push(("weights moved", rows().map(share).collect(), words));
    }
    let farthest = |row: &TimeRow| row.measured.as_ref()?.farthest.first()?.rel_l2;
    if rows().any(|row| farthest(row).is_some()) {
        let words = "how far the weight that moved most did, relative to its size".to_owned();
        all.push(("farthest move", rows().map(farthest).collect(), words));
    }
    let curve = |(what, values, words): (_, Vec<_>, _)| Curve { what, words, path: steps(&values, WIDE, HIGH) };
    if timeline.rows.len() < 2 { Vec::new() } else { all.into_iter().map(curve).collect() }
}
