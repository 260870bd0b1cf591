//! Markdown tables, for a pull request or a model card.

use std::io::{self, Write};

use super::figure::{figure, number};
use super::units::{count, percent, shape_text, size};
use crate::analysis::stats::{TensorStats, Totals};
use crate::analysis::{Listing, short_name};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::report::list::names::called;
use crate::report::stats::format::StatsFormat;
use crate::report::stats::text::{dead_channels, non_finite};

/// `list --format markdown`.
///
/// # Errors
/// What `out` says.
pub fn list_markdown(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (head, rule) = if listing.names.is_some() { (" called |", "---|") } else { ("", "") };
    writeln!(out, "| name | dtype | shape | size | role |{head}\n|---|---|---|---:|---|{rule}")?;
    let mut rows = listing.cursor();
    while let Some((at, tensor)) = rows.advance() {
        let bytes = tensor.bytes().map_or_else(|| "?".to_owned(), size);
        let role = listing.roles.role(at).name();
        let name = code(&escaped(short_name(&tensor.name)));
        write!(out, "| {name} | {} | {} | {bytes} | {role} |", tensor.dtype, shape_text(&tensor.shape))?;
        match listing.names.and_then(|names| names.get(at)).map(called).filter(|text| !text.is_empty()) {
            Some(text) => writeln!(out, " {} |", code(&text))?,
            None if listing.names.is_some() => writeln!(out, " |")?,
            None => writeln!(out)?,
        }
    }
    let totals = listing.totals;
    let tensors = count(totals.tensors as u64);
    writeln!(out, "\n{tensors} tensors, {} parameters, {}", count(totals.parameters), size(totals.bytes))
}

/// `stats --format markdown`.
#[derive(Clone, Copy, Debug)]
pub struct StatsMarkdown<'c>(pub &'c Checkpoint);

impl StatsFormat for StatsMarkdown<'_> {
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
    remarks
}

/// A name as code, with what would end the code or the cell taken out of its meaning.
pub(in crate::report) fn code(name: &str) -> String {
    let fence = if name.contains('`') { "``" } else { "`" };
    format!("{fence}{}{fence}", name.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_end_its_cell() {
        assert_eq!(super::code("a|b"), "`a\\|b`");
        assert_eq!(super::code("a`b"), "``a`b``");
    }
}
