//! CSV, quoted by the csv crate.

use std::io::{self, Write};

use super::stats_json::thousandths;
use crate::analysis::stats::{Number, SHARES, Stats, tensor_at};
use crate::analysis::{Listing, Name, layer, stats};
use crate::checkpoint::{Checkpoint, Parts};
use crate::escape::escaped;

/// `list --format csv`: one tensor a row, under a header.
///
/// # Errors
/// What `out` says.
pub fn list_csv(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let header = ["name", "dtype", "shape", "bytes", "role", "optimizer", "shard", "offset", "crc32c", "slices"];
    let named = ["full_name", "layer", "aliases", "slot", "slot_of"].into_iter().filter(|_| listing.names.is_some());
    csv.write_record(header.into_iter().chain(named)).map_err(csv_output)?;
    let mut rows = listing.cursor();
    while let Some((at, tensor)) = rows.advance() {
        let (place, slices) = match &tensor.parts {
            Parts::Whole(place) => (Some(place), String::new()),
            Parts::Slices(slices) => (None, slices.iter().map(|s| s.slice.to_string()).collect::<Vec<_>>().join(" ")),
        };
        let text = |number: Option<String>| number.unwrap_or_default();
        let (name, dtype, shape) = (escaped(&tensor.name), tensor.dtype.to_string(), tensor.shape.to_string());
        let row = [
            name.as_ref(),
            &dtype,
            &shape,
            &text(tensor.bytes().map(|n| n.to_string())),
            listing.roles.role(at).name(),
            listing.roles.optimizer(at).unwrap_or_default(),
            &text(place.map(|p| p.shard.to_string())),
            &text(place.and_then(|p| p.range).map(|(offset, _)| offset.to_string())),
            &text(place.and_then(|p| p.crc32c).map(|crc| format!("{:#010x}", crc.0))),
            &slices,
        ];
        let names = listing.names.map(|names| names.get(at).map_or_else(Default::default, cells));
        let names = names.iter().flatten().map(String::as_str);
        csv.write_record(row.into_iter().chain(names)).map_err(csv_output)?;
    }
    csv.flush()
}

/// The cells of `--names`; several paths are separated by spaces.
fn cells(name: &Name) -> [String; 5] {
    let text = |text: Option<&str>| text.map(|text| escaped(text.as_bytes()).into_owned()).unwrap_or_default();
    let full_name = name.full_name.as_deref();
    let slot = name.slot.as_deref();
    [
        text(full_name),
        text(full_name.and_then(layer)),
        text(Some(&name.aliases.join(" "))),
        text(slot.map(|slot| slot.slot.as_str())),
        slot.map(|slot| escaped(&slot.variable).into_owned()).unwrap_or_default(),
    ]
}

/// `stats --format csv`: one tensor a row, under a header; of the tensors only the first `top`. Columns for quantiles
/// and dead channels stand there if they were asked for.
///
/// # Errors
/// What `out` says.
pub fn stats_csv(
    checkpoint: &Checkpoint,
    stats: &Stats,
    options: &stats::StatsOptions,
    top: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let mut header: Vec<String> = "name dtype shape elements min max mean std l2 zeros nan positive_infinity \
                                   negative_infinity first_non_finite constant error"
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    if options.distribution {
        header.extend(SHARES.iter().map(|share| format!("q{}", thousandths(*share))));
    }
    if options.channels {
        header.extend(["dead_first_axis".to_owned(), "dead_last_axis".to_owned()]);
    }
    csv.write_record(&header).map_err(csv_output)?;
    for row in stats.tensors.iter().take(top.unwrap_or(usize::MAX)) {
        let Some(tensor) = tensor_at(checkpoint, row.at) else { continue };
        let figures = &row.figures;
        let number = |number: Option<Number>| match number {
            None => String::new(),
            Some(Number::Int(value)) => value.to_string(),
            Some(Number::UInt(value)) => value.to_string(),
            Some(Number::Float(value)) if value.is_finite() => format!("{value:?}"),
            Some(Number::Float(value)) => if value < 0.0 { "-inf" } else { "inf" }.to_owned(),
        };
        let float = |value: Option<f64>| number(value.map(Number::Float));
        let first = figures.first_non_finite().map(|at| {
            let indexes = stats::coordinates(at, tensor.shape.dims().unwrap_or_default());
            format!("[{}]", indexes.iter().map(u64::to_string).collect::<Vec<_>>().join(","))
        });
        let mut record = vec![
            escaped(&tensor.name).into_owned(),
            tensor.dtype.to_string(),
            tensor.shape.to_string(),
            tensor.elements().map_or_else(String::new, |elements| elements.to_string()),
        ];
        match &row.error {
            // What was read of it is not what was saved.
            Some(error) => {
                record.extend((0..11).map(|_| String::new()));
                record.push(error.to_string());
            }
            None => record.extend([
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
                String::new(),
            ]),
        }
        if options.distribution {
            let distribution = row.distribution.as_deref().filter(|_| row.error.is_none());
            record.extend((0..SHARES.len()).map(|n| float(distribution.map(|d| d.quantiles[n]))));
        }
        if options.channels {
            let channels = row.channels.as_deref().filter(|_| row.error.is_none());
            let dead = channels.map_or([None; 2], |channels| [channels.rows.count, channels.columns.count]);
            record.extend(dead.map(|count| count.map_or_else(String::new, |count| count.to_string())));
        }
        csv.write_record(&record).map_err(csv_output)?;
    }
    csv.flush()
}

/// What the output said through the csv crate, whose own conversion hides a closed pipe.
pub fn csv_output(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
