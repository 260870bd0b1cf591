//! CSV, quoted by the csv crate.

use std::io::{self, Write};

use crate::analysis::Listing;
use crate::checkpoint::Parts;
use crate::escape::escaped;

/// `list --format csv`: one tensor a row, under a header.
///
/// # Errors
/// What `out` says.
pub fn list_csv(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["name", "dtype", "shape", "bytes", "role", "optimizer", "shard", "offset", "crc32c", "slices"])
        .map_err(csv_output)?;
    let mut rows = listing.cursor();
    while let Some((at, tensor)) = rows.advance() {
        let (place, slices) = match &tensor.parts {
            Parts::Whole(place) => (Some(place), String::new()),
            Parts::Slices(slices) => (None, slices.iter().map(|s| s.slice.to_string()).collect::<Vec<_>>().join(" ")),
        };
        let text = |number: Option<String>| number.unwrap_or_default();
        csv.write_record([
            escaped(&tensor.name).as_ref(),
            &tensor.dtype.to_string(),
            &tensor.shape.to_string(),
            &text(tensor.bytes().map(|n| n.to_string())),
            listing.roles.role(at).name(),
            listing.roles.optimizer(at).unwrap_or_default(),
            &text(place.map(|p| p.shard.to_string())),
            &text(place.and_then(|p| p.range).map(|(offset, _)| offset.to_string())),
            &text(place.and_then(|p| p.crc32c).map(|crc| format!("{:#010x}", crc.0))),
            &slices,
        ])
        .map_err(csv_output)?;
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
