//! Collections of a meta graph: how many values each has, and those that are not numbers.

use crate::base::error::Result;
use crate::read::pb;
use crate::read::wire::{Field, Value, Walker};

/// How a meta graph is read, here and around its collections.
pub(super) const WALK: Walker = Walker { what: "meta graph" };

/// Lists of a `CollectionDef` (TensorFlow: `meta_graph.proto`), by number.
pub(super) const NODE_LIST: u32 = 1;
pub(super) const ANY_LIST: u32 = 5;

/// The file name of an asset in a list of anything.
pub(super) fn asset_of(value: Field<'_>) -> Result<String> {
    let any: pb::Any = pb::decode("collection", WALK.bytes(value)?, value.offset)?;
    let asset: pb::AssetFileDef = pb::decode("asset", &any.value, value.offset)?;
    Ok(asset.filename)
}

/// The number of values in a `CollectionDef`. Those that are not numbers are given to `keep`, with the number of their list.
pub(super) fn count_values(collection: Field<'_>, keep: &mut dyn FnMut(u32, Field<'_>) -> Result<()>) -> Result<usize> {
    let mut count = 0usize;
    WALK.each_in(collection, |list| {
        let kind = list.number;
        WALK.each_in(list, |value| {
            let values = match (kind, value.number, value.value) {
                // Packed: each int64 ends with its only byte below 0x80, each float has four bytes.
                (3, 1, Value::Bytes(packed)) => packed.iter().filter(|byte| **byte < 0x80).count(),
                (4, 1, Value::Bytes(packed)) => packed.len() / 4,
                (1..=5, 1, _) => 1,
                _ => 0,
            };
            count = count.saturating_add(values);
            if value.number == 1 && matches!(kind, NODE_LIST | ANY_LIST) { keep(kind, value) } else { Ok(()) }
        })
    })?;
    Ok(count)
}
