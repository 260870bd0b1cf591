//! `stats` for people: one line a tensor, and below it what deserves a line of its own.
//!
//! A tensor that is constant, empty or unreadable has a word instead of its figures. What is not finite, and dead
//! channels, come on a line below, where they are seen and have room.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Look;
use super::findings_text::joined;
use super::units::{count, figure, integer, percent, shape_text, size, tensors_text};
use crate::analysis::short_name;
use crate::analysis::stats::{BARS, Channels, Dead, Distribution, Figures, Number, SHARES, Spots, Stats, TensorStats};
use crate::analysis::stats::{coordinates, tensor_at};
use crate::checkpoint::{Checkpoint, Tensor};
use crate::escape::escaped;

/// Widest name column when the output is no terminal.
const NAME_COLUMN: usize = 64;

/// A terminal of this width has room for the dtype.
const ROOMY: usize = 100;

/// The quantiles that have room in a line, by their place in [`SHARES`].
const SHOWN: [usize; 5] = [0, 2, 3, 4, 6];

const HEADER: [&str; 7] = ["dtype", "shape", "min", "max", "mean", "std", "zeros"];

/// Dtype, shape, and the figures or a word that stands for them.
struct Cells {
    places: [String; 2],
    figures: Result<[String; 5], String>,
}

impl Cells {
    fn of(tensor: &Tensor, row: &TensorStats) -> Self {
        let figures = &row.figures;
        let word = if row.error.is_some() {
            Some("unreadable".to_owned())
        } else if figures.elements == 0 {
            Some("empty".to_owned())
        } else if figures.is_all_zero() && figures.elements > 1 {
            Some("all zero".to_owned())
        } else {
            figures.constant().map(|value| format!("constant {}", number(value)))
        };
        let places = [tensor.dtype.to_string(), shape_text(&tensor.shape)];
        Self { places, figures: word.map_or_else(|| Ok(cells(figures)), Err) }
    }
}

fn cells(figures: &Figures) -> [String; 5] {
    let none = || "-".to_owned();
    [
        figures.least().map_or_else(none, number),
        figures.greatest().map_or_else(none, number),
        figures.mean().map_or_else(none, figure),
        figures.deviation().map_or_else(none, figure),
        percent(figures.zeros, figures.elements),
    ]
}

/// `stats --format text`; of the tensors only the first `top`, of the histograms ASCII only if asked.
///
/// # Errors
/// What `out` says.
pub fn stats_text(
    checkpoint: &Checkpoint,
    stats: &Stats,
    top: Option<usize>,
    ascii: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows = || {
        let shown = stats.tensors.iter().take(top.unwrap_or(usize::MAX));
        shown.filter_map(|row| Some((tensor_at(checkpoint, row.at)?, row)))
    };
    let roomy = look.width.is_none_or(|width| width >= ROOMY);
    let mut widths = HEADER.map(str::len);
    let mut name_width = "name".len();
    for (tensor, row) in rows() {
        name_width = name_width.max(label(&tensor).width());
        let Cells { places, figures } = Cells::of(&tensor, row);
        let figures = figures.unwrap_or_default();
        for (width, cell) in widths.iter_mut().zip(places.iter().chain(&figures)) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if !roomy {
        widths[0] = 0;
    }
    let others: usize = widths.iter().filter(|width| **width > 0).map(|width| width + 2).sum();
    let cap = look.width.map_or(NAME_COLUMN, |width| width.saturating_sub(others).max(16));
    let name_width = name_width.min(cap);
    if rows().next().is_some() {
        let bold = look.bold();
        let [dtype, shape, figures @ ..] = HEADER;
        let mut line = format!("{:name_width$}", "name");
        left(&mut line, [dtype, shape], widths);
        right(&mut line, figures, widths);
        writeln!(out, "{bold}{line}{bold:#}")?;
    }
    for (tensor, row) in rows() {
        let name = label(&tensor);
        let mut line = name.to_string();
        // In a terminal a name that is too long has a line of its own, so that none breaks within its figures.
        if name.width() > name_width && look.width.is_some() {
            writeln!(out, "{line}")?;
            line.clear();
        }
        line.extend(std::iter::repeat_n(' ', name_width.saturating_sub(UnicodeWidthStr::width(line.as_str()))));
        let cells = Cells::of(&tensor, row);
        left(&mut line, cells.places.each_ref().map(String::as_str), widths);
        match &cells.figures {
            Ok(figures) => {
                right(&mut line, figures.each_ref().map(String::as_str), widths);
                writeln!(out, "{line}")?;
            }
            Err(word) => {
                let style = if row.error.is_some() { look.bad() } else { look.doubtful() };
                writeln!(out, "{line}  {style}{word}{style:#}")?;
            }
        }
        if row.error.is_none() {
            below(&tensor, row, ascii, look, out)?;
        }
    }
    footer(checkpoint, stats, top, look, out)
}

/// The name in its column, without the suffix of variables.
fn label(tensor: &Tensor) -> std::borrow::Cow<'_, str> {
    escaped(short_name(&tensor.name))
}

/// Appends dtype and shape; a column without width is left out.
fn left(line: &mut String, cells: [&str; 2], widths: [usize; 7]) {
    for (cell, width) in cells.into_iter().zip(widths).filter(|(_, width)| *width > 0) {
        line.push_str("  ");
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
    }
}

/// Appends the figures.
fn right(line: &mut String, cells: [&str; 5], widths: [usize; 7]) {
    for (cell, width) in cells.into_iter().zip(widths.into_iter().skip(2)) {
        line.push_str("  ");
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
        line.push_str(cell);
    }
}

/// What stands on lines below a tensor's.
fn below(tensor: &Tensor, row: &TensorStats, ascii: bool, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let figures = &row.figures;
    let dims = tensor.shape.dims().unwrap_or_default();
    let apart: Vec<String> = non_finite(figures, dims);
    if !apart.is_empty() {
        let bad = look.bad();
        writeln!(out, "  {bad}{}{bad:#}", joined(&apart, 2, 2, look))?;
    }
    let constant = figures.constant().is_some();
    if let Some(distribution) = row.distribution.as_deref().filter(|_| figures.elements > 1 && !constant) {
        spread(figures, distribution, ascii, look, out)?;
    }
    if let Some(channels) = row.channels.as_deref().filter(|_| !figures.is_all_zero()) {
        let dead = dead_channels(channels, dims.len());
        if !dead.is_empty() {
            let style = look.doubtful();
            writeln!(out, "  {style}{}{style:#}", joined(&dead, 2, 2, look))?;
        }
    }
    Ok(())
}

/// `3 NaN, first [1, 2]`, for each kind that there is.
pub(super) fn non_finite(figures: &Figures, dims: &[i64]) -> Vec<String> {
    let kinds = [(figures.nan(), "NaN"), (figures.positive_infinity(), "+inf"), (figures.negative_infinity(), "-inf")];
    let text = |(spots, name): (Spots, &str)| {
        let first = coordinates(spots.first?, dims).iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let place = if spots.count > 1 { ", first" } else { " at" };
        Some(format!("{} {name}{place} [{first}]", count(spots.count)))
    };
    kinds.into_iter().filter_map(text).collect()
}

fn spread(
    figures: &Figures,
    distribution: &Distribution,
    ascii: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let edges = [figures.finite_least(), figures.finite_greatest()].map(|edge| edge.map_or_else(String::new, number));
    writeln!(out, "  |{}| {} to {}", bars(&distribution.bars, ascii), edges[0], edges[1])?;
    let quantiles = SHARES.iter().zip(&distribution.quantiles).enumerate().filter(|(n, _)| SHOWN.contains(n));
    let quantiles: Vec<String> =
        quantiles.map(|(_, (share, value))| format!("{} % {}", share / 10, figure(*value))).collect();
    writeln!(out, "  {}", joined(&quantiles, 2, 2, look))
}

/// A bar for each count. What has anything at all is seen.
fn bars(counts: &[u64; BARS], ascii: bool) -> String {
    let signs: &[char] = if ascii {
        &['.', ':', '-', '=', '+', '*', '#']
    } else {
        &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
    };
    let most = u128::from(counts.iter().copied().max().unwrap_or(0).max(1));
    let bar = |count: &u64| match count {
        0 => ' ',
        count => {
            let height = (u128::from(*count) * signs.len() as u128).div_ceil(most);
            let at = usize::try_from(height).unwrap_or(usize::MAX).clamp(1, signs.len());
            signs[at - 1]
        }
    };
    counts.iter().map(bar).collect()
}

/// `3 of 128 columns dead (4, 17, 90)`, where there are any or they were not looked at.
pub(super) fn dead_channels(channels: &Channels, rank: usize) -> Vec<String> {
    let names =
        if rank == 2 { ["rows", "columns"] } else { ["channels of the first axis", "channels of the last axis"] };
    let text = |(dead, name): (&Dead, &str)| {
        let length = count(dead.length);
        match dead.count {
            None => Some(format!("{length} {name} not looked at: too many")),
            Some(0) => None,
            Some(n) => {
                let first = dead.first.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
                let more = if n > dead.first.len() as u64 { ", …" } else { "" };
                Some(format!("{} of {length} {name} dead ({first}{more})", count(n)))
            }
        }
    };
    [&channels.columns, &channels.rows].into_iter().zip([names[1], names[0]]).filter_map(text).collect()
}

fn footer(
    checkpoint: &Checkpoint,
    stats: &Stats,
    top: Option<usize>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let dim = look.dim();
    let all = stats.tensors.len();
    let shown = all.min(top.unwrap_or(usize::MAX));
    let of = if shown == all { String::new() } else { format!(", {} shown", count(shown as u64)) };
    let elements = format!("{} elements", count(stats.whole.elements));
    let mut facts = vec![format!("{}{of}", tensors_text(all)), elements, size(stats.bytes)];
    let skipped = stats.skipped;
    if skipped.tensors > 0 {
        facts.push(format!("{} without numbers skipped, {}", tensors_text(skipped.tensors), size(skipped.bytes)));
    }
    writeln!(out, "{dim}{}", joined(&facts, 0, 2, look))?;
    if stats.whole.elements > 0 {
        let figures = cells(&stats.whole);
        let [least, greatest, mean, deviation, zeros] = &figures;
        let norm = figure(stats.whole.norm());
        let facts = [
            format!("all together: min {least}"),
            format!("max {greatest}"),
            format!("mean {mean}"),
            format!("std {deviation}"),
            format!("L2 {norm}"),
            format!("zeros {zeros}"),
        ];
        writeln!(out, "{}", joined(&facts, 0, 2, look))?;
    }
    let apart = |figures: &Figures| figures.finite() < figures.elements;
    let zero = |figures: &Figures| figures.elements > 1 && figures.is_all_zero();
    let constant = |figures: &Figures| figures.constant().is_some() && !figures.is_all_zero();
    let notes = [
        (stats.count(zero), "all zero"),
        (stats.count(constant), "constant"),
        (stats.count(apart), "with NaN or infinity"),
        (stats.unreadable().count(), "unreadable"),
    ];
    let notes = notes.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n as u64)));
    let mut notes: Vec<String> = notes.collect();
    if notes.is_empty() {
        return write!(out, "{dim:#}");
    }
    // The document says itself that it may lack something.
    if !checkpoint.damage().is_empty() {
        notes.push("the index is damaged".to_owned());
    }
    writeln!(out, "{}{dim:#}", joined(&notes, 0, 2, look))
}

/// A number of a tensor; a short integer with all its digits.
pub(super) fn number(number: Number) -> String {
    match number {
        Number::Int(value) => integer(value.into()),
        Number::UInt(value) => integer(value.into()),
        Number::Float(value) => figure(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_that_has_something_is_seen() {
        let mut counts = [0u64; BARS];
        (counts[1], counts[2], counts[3]) = (1, u64::MAX, u64::MAX / 2);
        assert_eq!(bars(&counts, false).trim_end(), " ▁█▄");
        assert_eq!(bars(&counts, true).trim_end(), " .#=");
        assert_eq!(bars(&[0; BARS], true).trim_end(), "");
    }
}
