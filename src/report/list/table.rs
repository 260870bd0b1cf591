//! `list` as CSV and as a Markdown table.

use std::io::{self, Write};

use super::names::called;
use crate::analysis::{Listing, Name, layer, short_name};
use crate::base::escape::escaped;
use crate::read::checkpoint::Parts;
use crate::report::kit::csv::csv_output;
use crate::report::kit::markdown::code;
use crate::report::kit::units::{count, shape_text, size};

/// `list --format csv`: one tensor a row, under a header.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn list_csv(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
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

/// `list --format markdown`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn list_markdown(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
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
