//! `stats` as JSON: figures as float64, a line a tensor.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::json::{SCHEMA_VERSION, source, string_element};
use crate::analysis::stats::{Dead, Figures, NAMED, Number, SHARES, Spots, Stats, TensorStats, coordinates, tensor_at};
use crate::checkpoint::{Checkpoint, Tensor};

/// `stats --format json`; of the tensors only the first `top`.
///
/// # Errors
/// What `out` says.
pub fn stats_json(checkpoint: &Checkpoint, stats: &Stats, top: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let origin = checkpoint.origin();
    write!(out, "{{\"schema_version\":{SCHEMA_VERSION},\"kind\":\"stats\",\"source\":{},", source(origin))?;
    out.write_all(b"\"tensors\":[")?;
    for (n, (tensor, row)) in rows(checkpoint, stats, top).enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        tensor_json(&tensor, row, out)?;
    }
    let whole = &stats.whole;
    let zero = |figures: &Figures| figures.elements > 1 && figures.is_all_zero();
    write!(out, "],\n\"totals\":{{\"tensors\":{},\"bytes\":{}", stats.tensors.len(), stats.bytes)?;
    figures_json(whole, out)?;
    let apart = [whole.nan(), whole.positive_infinity(), whole.negative_infinity()].map(|spots| spots.count);
    write!(
        out,
        ",\"nan\":{},\"positive_infinity\":{},\"negative_infinity\":{},\"constant\":{},\"all_zero\":{},\"unreadable\":{}}},",
        apart[0],
        apart[1],
        apart[2],
        stats.count(|figures| figures.constant().is_some()),
        stats.count(zero),
        stats.unreadable().count()
    )?;
    let skipped = json!({
        "tensors": stats.skipped.tensors,
        "elements": stats.skipped.elements,
        "bytes": stats.skipped.bytes,
    });
    writeln!(out, "\n\"skipped\":{skipped},\"complete\":{}}}", checkpoint.damage().is_empty())
}

/// `stats --format jsonl`: one tensor a line.
///
/// # Errors
/// What `out` says.
pub fn stats_jsonl(checkpoint: &Checkpoint, stats: &Stats, top: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    for (tensor, row) in rows(checkpoint, stats, top) {
        tensor_json(&tensor, row, out)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn rows<'s>(
    checkpoint: &'s Checkpoint,
    stats: &'s Stats,
    top: Option<usize>,
) -> impl Iterator<Item = (Tensor, &'s TensorStats)> {
    let shown = stats.tensors.iter().take(top.unwrap_or(usize::MAX));
    shown.filter_map(|row| Some((tensor_at(checkpoint, row.at)?, row)))
}

fn tensor_json(tensor: &Tensor, row: &TensorStats, out: &mut dyn Write) -> io::Result<()> {
    let dims = tensor.shape.dims();
    out.write_all(b"{\"name\":")?;
    string_element(&tensor.name, out)?;
    write!(out, ",\"dtype\":\"{}\",\"shape\":{}", tensor.dtype, dims.map_or(Value::Null, |dims| json!(dims)))?;
    if let Some(error) = &row.error {
        write!(out, ",\"elements\":{}", json!(tensor.elements()))?;
        return write!(out, ",\"error\":{}}}", Value::from(error.to_string()));
    }
    let figures = &row.figures;
    let dims = dims.unwrap_or_default();
    figures_json(figures, out)?;
    spots_json("nan", figures.nan(), dims, out)?;
    spots_json("positive_infinity", figures.positive_infinity(), dims, out)?;
    spots_json("negative_infinity", figures.negative_infinity(), dims, out)?;
    if figures.positive_infinity().count + figures.negative_infinity().count > 0 {
        write!(out, ",\"finite_min\":")?;
        optional(figures.finite_least(), out)?;
        write!(out, ",\"finite_max\":")?;
        optional(figures.finite_greatest(), out)?;
    }
    write!(out, ",\"constant\":{},\"all_zero\":{}", figures.constant().is_some(), figures.is_all_zero())?;
    if let Some(distribution) = &row.distribution {
        out.write_all(b",\"quantiles\":{")?;
        for (n, (share, value)) in SHARES.iter().zip(&distribution.quantiles).enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(out, "{comma}\"{}\":", thousandths(*share))?;
            float(*value, out)?;
        }
        write!(out, "}},\"quantiles_exact\":{},\"histogram\":{{\"from\":", distribution.exact)?;
        optional(figures.finite_least(), out)?;
        out.write_all(b",\"to\":")?;
        optional(figures.finite_greatest(), out)?;
        write!(out, ",\"counts\":{}}}", json!(distribution.bars))?;
    }
    if let Some(channels) = &row.channels {
        let (rows, columns) = (dead_json(&channels.rows), dead_json(&channels.columns));
        write!(out, ",\"dead\":{{\"first_axis\":{rows},\"last_axis\":{columns}}}")?;
    }
    write!(out, ",\"checksum\":\"{}\"}}", if row.verified { "ok" } else { "not_checked" })
}

/// Elements, extremes, mean, deviation, norm and zeros.
fn figures_json(figures: &Figures, out: &mut dyn Write) -> io::Result<()> {
    write!(out, ",\"elements\":{},\"min\":", figures.elements)?;
    optional(figures.least(), out)?;
    out.write_all(b",\"max\":")?;
    optional(figures.greatest(), out)?;
    out.write_all(b",\"mean\":")?;
    optional(figures.mean().map(Number::Float), out)?;
    out.write_all(b",\"std\":")?;
    optional(figures.deviation().map(Number::Float), out)?;
    out.write_all(b",\"l2\":")?;
    optional(figures.mean().map(|_| Number::Float(figures.norm())), out)?;
    write!(out, ",\"zeros\":{}", figures.zeros)
}

fn spots_json(name: &str, spots: Spots, dims: &[i64], out: &mut dyn Write) -> io::Result<()> {
    write!(out, ",\"{name}\":{}", spots.count)?;
    if let Some(first) = spots.first {
        write!(out, ",\"first_{name}\":{}", json!(coordinates(first, dims)))?;
    }
    Ok(())
}

fn dead_json(dead: &Dead) -> Value {
    let Dead { length, count, first } = dead;
    debug_assert!(first.len() <= NAMED, "more than was promised");
    json!({"length": length, "count": count, "first": first})
}

fn optional(number: Option<Number>, out: &mut dyn Write) -> io::Result<()> {
    match number {
        None => out.write_all(b"null"),
        Some(Number::Int(value)) => write!(out, "{value}"),
        Some(Number::UInt(value)) => write!(out, "{value}"),
        Some(Number::Float(value)) => float(value, out),
    }
}

fn float(value: f64, out: &mut dyn Write) -> io::Result<()> {
    if value.is_finite() {
        return write!(out, "{value:?}");
    }
    out.write_all(if value.is_nan() {
        b"\"NaN\""
    } else if value < 0.0 {
        b"\"-Infinity\""
    } else {
        b"\"Infinity\""
    })
}

/// 10 thousandths are `0.01`.
pub(super) fn thousandths(share: u64) -> String {
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
