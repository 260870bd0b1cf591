//! `stats` as JSON: figures as float64, a line a tensor.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::stats::{
    Channels, Dead, Figures, NAMED, Number, SHARES, Spectrum, Spots, TensorStats, Totals, coordinates,
};
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::report::kit::json::{Head, Source, string_element, write_fields};
use crate::report::kit::row_format::RowFormat;
use crate::report::kit::rows::{push_number, push_signed};

/// `stats --format json`.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct StatsJson<'c>(pub &'c Checkpoint);

/// `stats --format jsonl`: one tensor a line.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct StatsJsonl<'c>(pub &'c Checkpoint);

/// What stands before the tensors.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct StatsHead<'a> {
    #[serde(flatten)]
    head: Head,
    /// what was opened
    source: Source<'a>,
}

/// What stands behind the tensors and their totals.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct StatsFoot {
    /// selected tensors without numbers (strings, variants, unknown types)
    skipped: Skipped,
    /// whether all of the index could be read
    complete: bool,
}

/// Tensors without numbers.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Skipped {
    tensors: usize,
    elements: u64,
    bytes: u64,
}

/// Where a tensor is all zero along an axis.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct DeadAxis<'a> {
    length: u64,
    /// indexes below which all elements are 0; null if the last axis is longer than 1,048,576 and was not looked at
    count: Option<u64>,
    /// the first ten of them
    first: &'a [u64],
}

impl<'a> From<&'a Dead> for DeadAxis<'a> {
    fn from(Dead { length, count, first }: &'a Dead) -> Self {
        debug_assert!(first.len() <= NAMED, "more than was promised");
        Self { length: *length, count: *count, first }
    }
}

/// Dead channels of a tensor.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct DeadChannels<'a> {
    first_axis: DeadAxis<'a>,
    last_axis: DeadAxis<'a>,
}

impl<'a> From<&'a Channels> for DeadChannels<'a> {
    fn from(channels: &'a Channels) -> Self {
        Self { first_axis: (&channels.rows).into(), last_axis: (&channels.columns).into() }
    }
}

impl RowFormat<TensorStats, Totals> for StatsJson<'_> {
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"{")?;
        write_fields(&StatsHead { head: Head::of("stats"), source: Source::of(self.0.origin()) }, out)?;
        out.write_all(b",\"tensors\":[")
    }

    fn rows(&self, first: usize, rows: &[TensorStats], out: &mut Vec<u8>) -> io::Result<()> {
        let mut cursor = self.0.tensors().cursor();
        for (n, row) in (first..).zip(rows) {
            let Some(tensor) = cursor.reach(row.at) else { continue };
            out.extend_from_slice(if n == 0 { b"\n" } else { b",\n" });
            tensor_json(tensor, row, out)?;
        }
        Ok(())
    }

    fn foot(&self, totals: &Totals, _: usize, out: &mut dyn Write) -> io::Result<()> {
        let whole = &totals.whole;
        write!(out, "],\n\"totals\":{{\"tensors\":{},\"bytes\":{}", totals.tensors, totals.bytes)?;
        let mut figures = Vec::new();
        figures_json(whole, &mut figures)?;
        out.write_all(&figures)?;
        let apart = [whole.nan(), whole.positive_infinity(), whole.negative_infinity()].map(|spots| spots.count);
        write!(
            out,
            ",\"nan\":{},\"positive_infinity\":{},\"negative_infinity\":{},\"constant\":{},\"all_zero\":{},\"unreadable\":{}}},",
            apart[0], apart[1], apart[2], totals.constant, totals.all_zero, totals.unreadable
        )?;
        out.write_all(b"\n")?;
        let skipped =
            Skipped { tensors: totals.skipped.tensors, elements: totals.skipped.elements, bytes: totals.skipped.bytes };
        write_fields(&StatsFoot { skipped, complete: self.0.damage().is_empty() }, out)?;
        writeln!(out, "}}")
    }
}

impl RowFormat<TensorStats, Totals> for StatsJsonl<'_> {
    fn head(&self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn rows(&self, _: usize, rows: &[TensorStats], out: &mut Vec<u8>) -> io::Result<()> {
        let mut cursor = self.0.tensors().cursor();
        for row in rows {
            let Some(tensor) = cursor.reach(row.at) else { continue };
            tensor_json(tensor, row, out)?;
            out.push(b'\n');
        }
        Ok(())
    }

    fn foot(&self, _: &Totals, _: usize, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn tensor_json(tensor: &Tensor, row: &TensorStats, out: &mut Vec<u8>) -> io::Result<()> {
    let dims = tensor.shape.dims();
    out.extend_from_slice(b"{\"name\":");
    string_element(&tensor.name, out)?;
    write!(out, ",\"dtype\":\"{}\",\"shape\":", tensor.dtype)?;
    match dims {
        None => out.extend_from_slice(b"null"),
        Some(dims) => array(out, dims, |out, dim| push_signed(out, *dim)),
    }
    if let Some(error) = &row.error {
        out.extend_from_slice(b",\"elements\":");
        serde_json::to_writer(&mut *out, &tensor.elements())?;
        out.extend_from_slice(b",\"error\":");
        serde_json::to_writer(&mut *out, &error.to_string())?;
        out.push(b'}');
        return Ok(());
    }
    let figures = &row.figures;
    let dims = dims.unwrap_or_default();
    figures_json(figures, out)?;
    spots_json("nan", figures.nan(), dims, out);
    spots_json("positive_infinity", figures.positive_infinity(), dims, out);
    spots_json("negative_infinity", figures.negative_infinity(), dims, out);
    if figures.positive_infinity().count + figures.negative_infinity().count > 0 {
        optional(out, ",\"finite_min\":", figures.finite_least())?;
        optional(out, ",\"finite_max\":", figures.finite_greatest())?;
    }
    boolean(out, ",\"constant\":", figures.constant().is_some());
    boolean(out, ",\"all_zero\":", figures.is_all_zero());
    if let Some(distribution) = &row.distribution {
        out.extend_from_slice(b",\"quantiles\":{");
        for (n, (share, value)) in SHARES.iter().zip(&distribution.quantiles).enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(out, "{comma}\"{}\":", thousandths(*share))?;
            float(out, *value)?;
        }
        boolean(out, "},\"quantiles_exact\":", distribution.exact);
        optional(out, ",\"histogram\":{\"from\":", figures.finite_least())?;
        optional(out, ",\"to\":", figures.finite_greatest())?;
        out.extend_from_slice(b",\"counts\":");
        array(out, &distribution.bars, |out, count| push_number(out, *count));
        out.push(b'}');
    }
    if let Some(channels) = &row.channels {
        out.extend_from_slice(b",\"dead\":");
        serde_json::to_writer(&mut *out, &DeadChannels::from(&**channels))?;
    }
    if let Some(spectrum) = &row.spectral {
        spectrum_json(spectrum, out)?;
    }
    out.extend_from_slice(if row.verified { b",\"checksum\":\"ok\"}" } else { b",\"checksum\":\"not_checked\"}" });
    Ok(())
}

fn spectrum_json(spectrum: &Spectrum, out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, ",\"spectral\":{{\"rows\":{},\"columns\":{}", spectrum.rows, spectrum.columns)?;
    optional(out, ",\"sigma_max\":", spectrum.sigma_max.map(Number::Float))?;
    optional(out, ",\"stable_rank\":", spectrum.stable_rank.map(Number::Float))?;
    optional(out, ",\"edge\":", spectrum.edge.map(Number::Float))?;
    optional(out, ",\"above_edge\":", spectrum.above_edge.map(Number::UInt))?;
    if let Some(missing) = spectrum.missing {
        write!(out, ",\"missing\":\"{}\"", missing.name())?;
    }
    out.push(b'}');
    Ok(())
}

/// Elements, extremes, mean, deviation, norm and zeros.
fn figures_json(figures: &Figures, out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(b",\"elements\":");
    push_number(out, figures.elements);
    let mean = figures.mean();
    optional(out, ",\"min\":", figures.least())?;
    optional(out, ",\"max\":", figures.greatest())?;
    optional(out, ",\"mean\":", mean.map(Number::Float))?;
    optional(out, ",\"std\":", figures.deviation().map(Number::Float))?;
    optional(out, ",\"l2\":", mean.map(|_| Number::Float(figures.norm())))?;
    out.extend_from_slice(b",\"zeros\":");
    push_number(out, figures.zeros);
    Ok(())
}

fn spots_json(name: &str, spots: Spots, dims: &[i64], out: &mut Vec<u8>) {
    for part in [",\"", name, "\":"] {
        out.extend_from_slice(part.as_bytes());
    }
    push_number(out, spots.count);
    if let Some(first) = spots.first {
        for part in [",\"first_", name, "\":"] {
            out.extend_from_slice(part.as_bytes());
        }
        array(out, &coordinates(first, dims), |out, at| push_number(out, *at));
    }
}

fn array<T>(out: &mut Vec<u8>, items: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        push(out, item);
    }
    out.push(b']');
}

fn boolean(out: &mut Vec<u8>, label: &str, value: bool) {
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

fn optional(out: &mut Vec<u8>, label: &str, number: Option<Number>) -> io::Result<()> {
    out.extend_from_slice(label.as_bytes());
    match number {
        None => out.extend_from_slice(b"null"),
        Some(Number::Int(value)) => push_signed(out, value),
        Some(Number::UInt(value)) => push_number(out, value),
        Some(Number::Float(value)) => float(out, value)?,
    }
    Ok(())
}

fn float(out: &mut Vec<u8>, value: f64) -> io::Result<()> {
    // Not by the formatter of the JSON crate: it is faster, but has the other one of two shortest texts where a value
    // lies halfway between them, as many float32 do.
    if value.is_finite() {
        return write!(out, "{value:?}");
    }
    out.write_all(match value {
        _ if value.is_nan() => b"\"NaN\"",
        _ if value < 0.0 => b"\"-Infinity\"",
        _ => b"\"Infinity\"",
    })
}

/// 10 thousandths are `0.01`.
pub(in crate::report) fn thousandths(share: u64) -> String {
    let text = format!("0.{share:03}");
    text.trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn shares_are_decimal() {
        assert_eq!([10, 250, 500, 999].map(super::thousandths), ["0.01", "0.25", "0.5", "0.999"]);
    }
}
