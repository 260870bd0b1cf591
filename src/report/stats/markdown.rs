//! `stats` as a Markdown table, for a pull request or a model card.

use std::io::{self, Write};

use super::spectral::facts;
use super::text::{dead_channels, non_finite};
use crate::analysis::short_name;
use crate::analysis::stats::{TensorStats, Totals};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::report::kit::figure::{figure, number};
use crate::report::kit::markdown::code;
use crate::report::kit::row_format::RowFormat;
use crate::report::kit::units::{count, percent, shape_text, size};

/// `stats --format markdown`.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct StatsMarkdown<'c>(pub &'c Checkpoint);

impl RowFormat<TensorStats, Totals> for StatsMarkdown<'_> {
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "| name | shape | min | max | mean | std | zeros | |\n|---|---|---:|---:|---:|---:|---:|---|")
    }

    fn rows(&self, _: usize, rows: &[TensorStats], out: &mut Vec<u8>) -> io::Result<()> {
        let mut cursor = self.0.tensors().cursor();
        for row in rows {
            let Some(tensor) = cursor.reach(row.at) else { continue };
            let name = code(&escaped(short_name(&tensor.name)));
            let shape = shape_text(&tensor.shape);
            if row.error.is_some() {
                writeln!(out, "| {name} | {shape} | | | | | | unreadable |")?;
                continue;
            }
            let figures = &row.figures;
            let text = |value: Option<f64>| value.map_or_else(String::new, figure);
            let zeros = percent(figures.zeros, figures.elements);
            writeln!(
                out,
                "| {name} | {shape} | {} | {} | {} | {} | {zeros} | {} |",
                figures.least().map_or_else(String::new, number),
                figures.greatest().map_or_else(String::new, number),
                text(figures.mean()),
                text(figures.deviation()),
                remarks(tensor, row).join("; ")
            )?;
        }
        Ok(())
    }

    fn foot(&self, totals: &Totals, _: usize, out: &mut dyn Write) -> io::Result<()> {
        let (tensors, elements) = (count(totals.tensors as u64), count(totals.whole.elements));
        writeln!(out, "\n{tensors} tensors, {elements} elements, {}", size(totals.bytes))
    }
}

fn remarks(tensor: &Tensor, row: &TensorStats) -> Vec<String> {
    let figures = &row.figures;
    let dims = tensor.shape.dims().unwrap_or_default();
    let mut remarks = non_finite(figures, dims);
    match figures.constant() {
        _ if figures.is_all_zero() => remarks.push("all zero".to_owned()),
        Some(value) => remarks.push(format!("constant {}", number(value))),
        None => {}
    }
    if let Some(channels) = row.channels.as_deref().filter(|_| !figures.is_all_zero()) {
        remarks.extend(dead_channels(channels, dims.len()));
    }
    if let Some(spectrum) = row.spectral.as_deref() {
        remarks.extend(facts(spectrum));
    }
    remarks
}
