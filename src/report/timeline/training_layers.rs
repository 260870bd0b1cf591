//! Weights over all checkpoints of a directory: `log --training --layers`.

use std::io::{self, Write};

use crate::analysis::{Layer, LayerSort, Timeline};
use crate::report::kit::csv::csv_output;
use crate::report::kit::figure::figure;
use crate::report::kit::json::shown;
use crate::report::kit::look::Look;
use crate::report::kit::markdown::code;
use crate::report::kit::spark::sparkline;
use crate::report::kit::table::Columns;
use crate::report::kit::units::{count, percent_figure};
use crate::report::kit::wrap::middle;

/// One weight through all checkpoints: its newest figures, and what they were.
struct Line<'t> {
    last: &'t Layer,
    gradients: Vec<Option<f64>>,
    ratios: Vec<Option<f64>>,
}

fn lines(timeline: &Timeline) -> Vec<Line<'_>> {
    let all: Vec<&[Layer]> = timeline.rows.iter().filter_map(|row| row.training.as_ref()?.layers.as_deref()).collect();
    let mut of_name: std::collections::BTreeMap<&str, Line<'_>> = std::collections::BTreeMap::new();
    for (at, layers) in all.iter().enumerate() {
        for layer in *layers {
            let line = of_name.entry(&layer.name).or_insert_with(|| Line {
                last: layer,
                gradients: vec![None; at],
                ratios: vec![None; at],
            });
            line.last = layer;
            line.gradients.resize(at, None);
            line.ratios.resize(at, None);
            line.gradients.push(layer.gradient_rms);
            line.ratios.push(layer.update_ratio);
        }
    }
    let mut lines: Vec<Line<'_>> = of_name.into_values().collect();
    let by = timeline.training.map_or(LayerSort::Name, |options| options.sort);
    lines.sort_by(|a, b| by.order(a.last, b.last));
    lines
}

/// A table, a weight a line.
///
/// # Errors
/// What `out` says.
pub(super) fn layers_text(timeline: &Timeline, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let lines = lines(timeline);
    if lines.is_empty() {
        return Ok(());
    }
    // Few models have dead units; those that have none need no column of zeros.
    let has_dead = lines.iter().any(|line| line.last.dead_units.is_some_and(|dead| dead > 0));
    let mut header = vec!["weight", "over time", "gradient", "update", "never trained", "rate ≥"];
    header.splice(5..5, has_dead.then_some("dead units"));
    // What the other columns leave of the width, mostly.
    let room = look.width.map_or(44, |width| width.saturating_sub(if has_dead { 66 } else { 54 }).clamp(20, 44));
    let mut table = Columns::new(if has_dead { "<<>>>>>" } else { "<<>>>>" }, &header);
    for Line { last, gradients, ratios: _ } in &lines {
        let figure = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), figure);
        let gradient = match (last.gradient_rms, last.gradient_rms_at_most) {
            (None, Some(most)) => format!("< {}", figure(Some(most))),
            (rms, _) => figure(rms),
        };
        let part = |part: Option<u64>, all: Option<u64>| match (part, all) {
            (Some(part), Some(all)) if part > 0 => format!("{} of {}", count(part), count(all)),
            (Some(_), _) => "0".to_owned(),
            _ => "-".to_owned(),
        };
        let mut row = vec![
            middle(&last.name, room),
            sparkline(gradients),
            gradient,
            last.update_ratio.map_or_else(|| "?".to_owned(), percent_figure),
            part(last.never_trained_rows, last.rows),
            last.learning_rate_at_least.map_or_else(|| "-".to_owned(), |rate| figure(Some(rate))),
        ];
        row.splice(5..5, has_dead.then(|| part(last.dead_units, last.units)));
        table.row(row);
    }
    writeln!(out)?;
    table.write(out, look.dim())
}

const HEADER: [&str; 14] = [
    "prefix",
    "step",
    "weight",
    "elements",
    "gradient_rms",
    "gradient_rms_at_most",
    "update_rms",
    "update_ratio",
    "never_trained_rows",
    "rows",
    "dead_units",
    "units",
    "learning_rate_at_least",
    "unknown",
];

fn cells(prefix: &str, step: Option<u64>, layer: &Layer) -> [String; 14] {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let float = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        prefix.to_owned(),
        number(step),
        layer.name.clone(),
        layer.elements.to_string(),
        float(layer.gradient_rms),
        float(layer.gradient_rms_at_most),
        float(layer.update_rms),
        float(layer.update_ratio),
        number(layer.never_trained_rows),
        number(layer.rows),
        number(layer.dead_units),
        number(layer.units),
        float(layer.learning_rate_at_least),
        layer.unknown.unwrap_or_default().to_owned(),
    ]
}

fn all(timeline: &Timeline) -> impl Iterator<Item = [String; 14]> {
    let rows = timeline.rows.iter().filter_map(|row| Some((row, row.training.as_ref()?.layers.as_deref()?)));
    rows.flat_map(|(row, layers)| {
        let prefix = shown(&row.prefix);
        layers.iter().map(move |layer| cells(&prefix, row.step, layer))
    })
}

/// A row for each weight of each checkpoint, under a header.
///
/// # Errors
/// What `out` says.
pub(super) fn layers_csv(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADER).map_err(csv_output)?;
    for row in all(timeline) {
        csv.write_record(row).map_err(csv_output)?;
    }
    csv.flush()
}

/// A Markdown table.
///
/// # Errors
/// What `out` says.
pub(super) fn layers_markdown(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| step | weight | gradient rms | update rms | update ratio | rows never trained | dead units |")?;
    writeln!(out, "|---:|---|---:|---:|---:|---:|---:|")?;
    for [_, step, weight, _, gradient, _, update, ratio, never, _, dead, ..] in all(timeline) {
        writeln!(out, "| {step} | {} | {gradient} | {update} | {ratio} | {never} | {dead} |", code(&weight))?;
    }
    Ok(())
}
