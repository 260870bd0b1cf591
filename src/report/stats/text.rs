//! `stats` for people: one line a tensor, and below it what deserves a line of its own.
//!
//! A tensor that is constant, empty or unreadable has a word instead of its figures. What is not finite, dead
//! channels, and singular values come on a line below, where they are seen and have room.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::spectral;
use crate::analysis::stats::{
    BARS, Channels, Dead, Distribution, Figures, SHARES, Spots, TensorStats, Totals, coordinates,
};
use crate::analysis::{Selection, short_name};
use crate::base::escape::{escaped, is_plain};
use crate::read::checkpoint::{Checkpoint, Cursor, Tensor};
use crate::report::Look;
use crate::report::kit::figure::{figure, number, push_figure, push_number};
use crate::report::kit::row_format::RowFormat;
use crate::report::kit::units::{count, percent, shape_text, size, tensors_text};
use crate::report::kit::wrap::joined;

/// Widest name column when the output is no terminal.
const NAME_COLUMN: usize = 64;

/// A terminal of this width has room for the dtype.
const ROOMY: usize = 100;

/// The quantiles that have room in a line, by their place in [`SHARES`].
const SHOWN: [usize; 5] = [0, 2, 3, 4, 6];

const HEADER: [&str; 7] = ["dtype", "shape", "min", "max", "mean", "std", "zeros"];

/// Widths of the figures where they are not known before they are written: nearly all have room.
const USUAL: [usize; 5] = [8, 8, 8, 8, 5];

/// Dtype, shape, and the figures or a word that stands for them.
#[derive(Default)]
struct Cells {
    /// Which dtype and shape the first two are of.
    kind: Option<usize>,
    text: [String; 7],
    /// What stands instead of the figures.
    word: Option<String>,
}

impl Cells {
    fn set(&mut self, kind: usize, tensor: &Tensor, row: &TensorStats) {
        let figures = &row.figures;
        if self.kind != Some(kind) {
            self.kind = Some(kind);
            self.text[0] = tensor.dtype.to_string();
            self.text[1] = shape_text(&tensor.shape);
        }
        self.word = if row.error.is_some() {
            Some("unreadable".to_owned())
        } else if figures.elements == 0 {
            Some("empty".to_owned())
        } else if figures.is_all_zero() && figures.elements > 1 {
            Some("all zero".to_owned())
        } else {
            figures.constant().map(|value| format!("constant {}", number(value)))
        };
        if let (None, [_, _, cells @ ..]) = (&self.word, &mut self.text) {
            set_figures(cells, figures);
        }
    }

    /// The cells that stand in columns.
    fn columns(&self) -> impl Iterator<Item = &str> {
        let shown = if self.word.is_some() { 2 } else { self.text.len() };
        self.text.iter().take(shown).map(String::as_str)
    }
}

fn set_figures(cells: &mut [String; 5], figures: &Figures) {
    cells.iter_mut().for_each(String::clear);
    let [least, greatest, mean, deviation, zeros] = cells;
    for (cell, extreme) in [(least, figures.least()), (greatest, figures.greatest())] {
        match extreme {
            Some(value) => push_number(cell, value),
            None => cell.push('-'),
        }
    }
    for (cell, value) in [(mean, figures.mean()), (deviation, figures.deviation())] {
        match value {
            Some(value) => push_figure(cell, value),
            None => cell.push('-'),
        }
    }
    zeros.push_str(&percent(figures.zeros, figures.elements));
}

/// `stats --format text`.
#[derive(Debug)]
pub(in crate::report) struct StatsText<'c> {
    checkpoint: &'c Checkpoint,
    /// Whether there are rows.
    any: bool,
    /// Whether histograms are drawn in ASCII.
    ascii: bool,
    look: Look,
    name_width: usize,
    widths: [usize; 7],
}

impl<'c> StatsText<'c> {
    /// With columns as wide as these rows need; histograms in ASCII only if asked.
    pub(in crate::report) fn fitting(
        checkpoint: &'c Checkpoint,
        rows: &[TensorStats],
        ascii: bool,
        look: Look,
    ) -> Self {
        let mut widths = HEADER.map(str::len);
        let mut name_width = "name".len();
        let (mut cursor, mut cells) = (checkpoint.tensors().cursor(), Cells::default());
        for row in rows {
            let Some(kind) = reach(&mut cursor, row.at) else { continue };
            name_width = name_width.max(label(cursor.tensor()).1);
            cells.set(kind, cursor.tensor(), row);
            for (width, cell) in widths.iter_mut().zip(cells.columns()) {
                *width = (*width).max(cell.chars().count());
            }
        }
        Self { checkpoint, any: !rows.is_empty(), ascii, look, name_width, widths }.settled()
    }

    /// With columns as wide as names, dtypes and shapes of this selection need and figures usually do: for rows that
    /// are written as they come.
    pub(in crate::report) fn flowing(
        checkpoint: &'c Checkpoint,
        selection: &Selection,
        ascii: bool,
        look: Look,
    ) -> Self {
        let mut widths = HEADER.map(str::len);
        for kind in checkpoint.tensors().kinds().iter().filter(|kind| kind.dtype.element_size().is_some()) {
            widths[0] = widths[0].max(kind.dtype.to_string().chars().count());
            widths[1] = widths[1].max(shape_text(&kind.shape).chars().count());
        }
        for (width, usual) in widths.iter_mut().skip(2).zip(USUAL) {
            *width = (*width).max(usual);
        }
        let text = Self { checkpoint, any: true, ascii, look, name_width: usize::MAX, widths }.settled();
        let mut cursor = checkpoint.tensors().cursor();
        let mut name_width = "name".len();
        for at in selection.iter() {
            let Some(tensor) = cursor.reach(at).filter(|tensor| tensor.is_numeric()) else { continue };
            name_width = name_width.max(label(tensor).1);
            // A name that is wider than its column can be needs no company.
            if name_width >= text.name_width {
                break;
            }
        }
        Self { name_width: name_width.min(text.name_width), ..text }
    }

    /// Leaves out what has no room.
    fn settled(mut self) -> Self {
        if self.look.width.is_some_and(|width| width < ROOMY) {
            self.widths[0] = 0;
        }
        let others: usize = self.widths.iter().filter(|width| **width > 0).map(|width| width + 2).sum();
        let cap = self.look.width.map_or(NAME_COLUMN, |width| width.saturating_sub(others).max(16));
        self.name_width = self.name_width.min(cap);
        self
    }

    fn row(&self, cells: &Cells, tensor: &Tensor, row: &TensorStats, out: &mut Vec<u8>) -> io::Result<()> {
        let (name, mut width) = label(tensor);
        out.extend_from_slice(name.as_bytes());
        // In a terminal a name that is too long has a line of its own, so that none breaks within its figures.
        if width > self.name_width && self.look.width.is_some() {
            out.push(b'\n');
            width = 0;
        }
        pad(out, self.name_width.saturating_sub(width));
        for (n, (cell, width)) in cells.columns().zip(self.widths).enumerate().filter(|(_, (_, width))| *width > 0) {
            out.extend_from_slice(b"  ");
            let room = width.saturating_sub(cell.chars().count());
            // Dtype and shape begin where figures end.
            let (left, right) = if n < 2 { (0, room) } else { (room, 0) };
            pad(out, left);
            out.extend_from_slice(cell.as_bytes());
            pad(out, right);
        }
        if let Some(word) = &cells.word {
            let style = if row.error.is_some() { self.look.bad() } else { self.look.doubtful() };
            write!(out, "  {style}{word}{style:#}")?;
        }
        out.push(b'\n');
        if row.error.is_none() {
            below(tensor, row, self.ascii, self.look, out)?;
        }
        Ok(())
    }
}

impl RowFormat<TensorStats, Totals> for StatsText<'_> {
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.any {
            return Ok(());
        }
        let bold = self.look.bold();
        write!(out, "{bold}{:1$}", "name", self.name_width)?;
        for (n, (cell, width)) in HEADER.iter().zip(self.widths).enumerate().filter(|(_, (_, width))| *width > 0) {
            if n < 2 { write!(out, "  {cell:width$}")? } else { write!(out, "  {cell:>width$}")? }
        }
        writeln!(out, "{bold:#}")
    }

    fn rows(&self, _: usize, rows: &[TensorStats], out: &mut Vec<u8>) -> io::Result<()> {
        let (mut cursor, mut cells) = (self.checkpoint.tensors().cursor(), Cells::default());
        for row in rows {
            let Some(kind) = reach(&mut cursor, row.at) else { continue };
            cells.set(kind, cursor.tensor(), row);
            self.row(&cells, cursor.tensor(), row, out)?;
        }
        Ok(())
    }

    fn foot(&self, totals: &Totals, shown: usize, out: &mut dyn Write) -> io::Result<()> {
        footer(self.checkpoint, totals, shown, self.look, out)
    }
}

/// Goes to a tensor and says of which dtype and shape it is.
fn reach(cursor: &mut Cursor<'_>, at: usize) -> Option<usize> {
    cursor.seek(at).then(|| cursor.kind())
}

/// The name in its column, without the suffix of variables, and how many columns it takes.
fn label(tensor: &Tensor) -> (Cow<'_, str>, usize) {
    let name = short_name(&tensor.name);
    let text = escaped(name);
    // Measuring characters costs as much as all figures of a tiny tensor.
    let width = if is_plain(name) { name.len() } else { text.width() };
    (text, width)
}

fn pad(out: &mut Vec<u8>, columns: usize) {
    out.resize(out.len().saturating_add(columns), b' ');
}

/// What stands on lines below a tensor's.
fn below(tensor: &Tensor, row: &TensorStats, ascii: bool, look: Look, out: &mut Vec<u8>) -> io::Result<()> {
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
    if let Some(spectrum) = row.spectral.as_deref() {
        let facts = spectral::facts(spectrum);
        if !facts.is_empty() {
            writeln!(out, "  {}", joined(&facts, 2, 2, look))?;
        }
    }
    Ok(())
}

/// `3 NaN, first [1, 2]`, for each kind that there is.
pub(in crate::report) fn non_finite(figures: &Figures, dims: &[i64]) -> Vec<String> {
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
    out: &mut Vec<u8>,
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
pub(in crate::report) fn dead_channels(channels: &Channels, rank: usize) -> Vec<String> {
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

fn footer(checkpoint: &Checkpoint, totals: &Totals, shown: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let dim = look.dim();
    let all = totals.tensors;
    let of = if shown == all { String::new() } else { format!(", {} shown", count(shown as u64)) };
    let elements = format!("{} elements", count(totals.whole.elements));
    let mut facts = vec![format!("{}{of}", tensors_text(all)), elements, size(totals.bytes)];
    let skipped = totals.skipped;
    if skipped.tensors > 0 {
        facts.push(format!("{} without numbers skipped, {}", tensors_text(skipped.tensors), size(skipped.bytes)));
    }
    writeln!(out, "{dim}{}", joined(&facts, 0, 2, look))?;
    if totals.whole.elements > 0 {
        let mut figures: [String; 5] = Default::default();
        set_figures(&mut figures, &totals.whole);
        let [least, greatest, mean, deviation, zeros] = &figures;
        let norm = figure(totals.whole.norm());
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
    let notes = [
        (totals.all_zero, "all zero"),
        (totals.constant.saturating_sub(totals.all_zero), "constant"),
        (totals.non_finite, "with NaN or infinity"),
        (totals.unreadable, "unreadable"),
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
