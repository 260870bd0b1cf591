//! `stats` as CSV: one tensor a row, under a header.

use std::io::{self, Write};

use super::json::thousandths;
use super::spectral::{self, COLUMNS};
use crate::analysis::stats::{Figures, Number, SHARES, StatsOptions, TensorStats, Totals, coordinates};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::report::kit::csv::{csv_output, float};
use crate::report::kit::row_format::RowFormat;

/// Columns of figures between the number of elements and the error.
const FIGURES: usize = 11;

/// `stats --format csv`. Columns for quantiles, dead channels and singular values stand there if they were asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct StatsCsv<'c> {
    /// Whose tensors these are.
    pub checkpoint: &'c Checkpoint,
    /// What was asked for.
    pub options: StatsOptions,
}

impl RowFormat<TensorStats, Totals> for StatsCsv<'_> {
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        let mut header: Vec<String> = "name dtype shape elements min max mean std l2 zeros nan positive_infinity \
                                       negative_infinity first_non_finite constant error"
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        if self.options.distribution {
            header.extend(SHARES.iter().map(|share| format!("q{}", thousandths(*share))));
        }
        if self.options.channels {
            header.extend(["dead_first_axis".to_owned(), "dead_last_axis".to_owned()]);
        }
        if self.options.spectral {
            header.extend(COLUMNS.map(str::to_owned));
        }
        csv.write_record(&header).map_err(csv_output)?;
        csv.flush()
    }

    fn rows(&self, _: usize, rows: &[TensorStats], out: &mut Vec<u8>) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        let mut cursor = self.checkpoint.tensors().cursor();
        for row in rows {
            let Some(tensor) = cursor.reach(row.at) else { continue };
            self.record(tensor, row, &mut csv).map_err(csv_output)?;
        }
        csv.flush()
    }

    fn foot(&self, _: &Totals, _: usize, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

impl StatsCsv<'_> {
    fn record(&self, tensor: &Tensor, row: &TensorStats, csv: &mut csv::Writer<&mut Vec<u8>>) -> csv::Result<()> {
        csv.write_field(escaped(&tensor.name).as_bytes())?;
        csv.write_field(tensor.dtype.to_string())?;
        csv.write_field(tensor.shape.to_string())?;
        csv.write_field(tensor.elements().map_or_else(String::new, |elements| elements.to_string()))?;
        // What was read of a tensor with an error is not what was saved.
        let sound = row.error.is_none();
        if let Some(error) = &row.error {
            std::iter::repeat_n("", FIGURES).try_for_each(|cell| csv.write_field(cell))?;
            csv.write_field(error.to_string())?;
        } else {
            cells(&row.figures, tensor).iter().try_for_each(|cell| csv.write_field(cell))?;
            csv.write_field("")?;
        }
        if self.options.distribution {
            let distribution = row.distribution.as_deref().filter(|_| sound);
            for n in 0..SHARES.len() {
                csv.write_field(float(distribution.map(|d| d.quantiles[n])))?;
            }
        }
        if self.options.channels {
            let channels = row.channels.as_deref().filter(|_| sound);
            let dead = channels.map_or([None; 2], |channels| [channels.rows.count, channels.columns.count]);
            for count in dead {
                csv.write_field(count.map_or_else(String::new, |count| count.to_string()))?;
            }
        }
        if self.options.spectral {
            let spectrum = row.spectral.as_deref().filter(|_| sound);
            spectral::cells(spectrum).iter().try_for_each(|cell| csv.write_field(cell))?;
        }
        csv.write_record(None::<&[u8]>)
    }
}

fn cells(figures: &Figures, tensor: &Tensor) -> [String; FIGURES] {
    let first = figures.first_non_finite().map(|at| {
        let indexes = coordinates(at, tensor.shape.dims().unwrap_or_default());
        format!("[{}]", indexes.iter().map(u64::to_string).collect::<Vec<_>>().join(","))
    });
    [
        number(figures.least()),
        number(figures.greatest()),
        float(figures.mean()),
        float(figures.deviation()),
        float(figures.mean().map(|_| figures.norm())),
        figures.zeros.to_string(),
        figures.nan().count.to_string(),
        figures.positive_infinity().count.to_string(),
        figures.negative_infinity().count.to_string(),
        first.unwrap_or_default(),
        figures.constant().is_some().to_string(),
    ]
}

fn number(number: Option<Number>) -> String {
    match number {
        None => String::new(),
        Some(Number::Int(value)) => value.to_string(),
        Some(Number::UInt(value)) => value.to_string(),
        Some(Number::Float(value)) => float(Some(value)),
    }
}
