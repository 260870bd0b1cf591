//! Where the bytes of a tensor lie, and the slices that it is stored as, in the cells of `list --long`.

use crate::read::checkpoint::{Parts, Place, StoredSlice, Tensor};
use crate::read::tensor::Shape;
use crate::report::kit::units::shape_text;

pub(super) fn place(tensor: &Tensor) -> String {
    match &tensor.parts {
        Parts::Whole(place) => place_text(place),
        Parts::Slices(slices) => format!("{} slices", slices.len()),
    }
}

fn place_text(place: &Place) -> String {
    match (place.range, place.crc32c) {
        (Some((offset, _)), Some(crc)) => {
            format!("{:PLACE_COLUMN$}  {:#010x}", format!("{}:{offset}", place.shard), crc.0)
        }
        _ => format!("file {}", place.shard),
    }
}

/// Columns that a shard and an offset take; more where the offset is long.
pub(super) const PLACE_COLUMN: usize = 14;

/// The cells of a stored slice, below its tensor's.
pub(super) struct SliceRow {
    pub(super) name: String,
    pub(super) shape: String,
    pub(super) bytes: String,
    pub(super) place: String,
}

/// A slice as `print` understands it, `[0:3, 3:5]`, and its shape; one that does not fit its tensor as the file has it.
pub(super) fn slice_extents(stored: &StoredSlice, shape: &Shape) -> (String, String) {
    match shape.dims().and_then(|dims| stored.slice.resolve(dims)) {
        Some(extents) => {
            let spans: Vec<String> = extents.iter().map(|(start, len)| format!("{start}:{}", start + len)).collect();
            let dims: Vec<i64> = extents.iter().map(|&(_, len)| len.cast_signed()).collect();
            (format!("[{}]", spans.join(", ")), shape_text(&Shape::new(dims)))
        }
        None => (format!("slice {}", stored.slice), "?".to_owned()),
    }
}

pub(super) fn slice_row(stored: &StoredSlice, shape: &Shape) -> SliceRow {
    let (slice, shape) = slice_extents(stored, shape);
    let name = format!("  {slice}");
    let place = stored.place.map_or_else(|| "no entry".to_owned(), |place| place_text(&place));
    let bytes = stored.place.and_then(|p| p.range).map_or_else(|| "?".to_owned(), |(_, size)| size.to_string());
    SliceRow { name, shape, bytes, place }
}
