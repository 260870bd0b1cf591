//! The one bit that is flipped in tensors of strings or variants where they lie, whether or not another file has them
//! whole: what `validate` says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::bits::flipped;
use super::index;
use super::pieces::pieces_of;
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::storage::OpenFiles;

/// A bit of a shard.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::analysis) struct FlippedBit {
    /// The shard.
    pub(in crate::analysis) file: PathBuf,
    /// Offset of the byte in it.
    pub(in crate::analysis) byte: u64,
    /// The bit, 0 for the lowest.
    pub(in crate::analysis) bit: u8,
    /// How often damage of another kind looks like one bit of such a tensor.
    pub(in crate::analysis) odds: f64,
}

/// The bits by the names of the tensors, of those in which exactly one explains what is wrong.
pub(in crate::analysis) fn flipped_bits(
    prefix: &Prefix,
    names: &BTreeSet<&[u8]>,
    limits: &Limits,
) -> BTreeMap<Vec<u8>, FlippedBit> {
    let Ok(index) = index::read(&prefix.index(), limits) else { return BTreeMap::new() };
    let files = Arc::new(OpenFiles::default());
    let pieces = pieces_of(&index.entries);
    let pieces = pieces.iter().filter(|piece| piece.is_variable && names.contains(piece.key.as_slice()));
    let found = pieces.filter_map(|piece| {
        let path = prefix.shard(piece.shard, index.header.num_shards);
        let file = files.get(&path).ok()?;
        let flip = flipped(&file, piece, &index.entries, index.header.big_endian, limits, &files)?;
        Some((piece.key.clone(), FlippedBit { file: path, byte: flip.byte, bit: flip.bit, odds: flip.odds }))
    });
    found.collect()
}
