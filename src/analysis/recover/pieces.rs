//! The runs of bytes that entries name, each with its checksum; whether a file has the bytes of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::forensics::crc_of_zeros;
use crate::base::limits::Limits;
use crate::read::bundle::{BundleEntry, Prefix, Shards, Span, Stored, StringReader, VariantReader, slice_key};
use crate::read::storage::Source;
use crate::read::tensor::{DType, ElementReader, TensorSlice};
use crate::read::wire::Crc32c;

/// A tensor, or a slice of one, where it lies in its shard.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// The key of its entry.
    pub(super) key: Vec<u8>,
    pub(super) shard: i32,
    pub(super) start: u64,
    pub(super) len: u64,
    pub(super) crc: Crc32c,
    /// Whether it holds strings or variants, whose checksum is not that of their bytes.
    pub(super) is_variable: bool,
}

impl Stored for Piece {
    fn span(&self) -> Span {
        Span { shard: self.shard, start: self.start, len: self.len, crc: self.crc }
    }

    fn is_wanted(&self) -> bool {
        !self.is_variable
    }
}

impl Piece {
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }

    /// Whether its checksum says something of the file that has it: zeros are zeros anywhere, and a counter another
    /// counter.
    pub(super) fn is_telling(&self) -> bool {
        !self.is_variable && self.len > 16 && self.crc.0 != crc_of_zeros(self.len)
    }

    /// Whether it is a weight, rather than a counter, a text, or zeros: something that is worth having alone.
    pub(super) fn is_worth(&self) -> bool {
        !self.is_variable && self.len > 8 && self.crc.0 != crc_of_zeros(self.len)
    }
}

/// The pieces, by shard and place. Entries that contradict themselves have none.
pub(super) fn pieces_of(entries: &BTreeMap<Vec<u8>, BundleEntry>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = entries.iter().filter_map(|(key, entry)| piece(key, entry)).collect();
    pieces.sort_by(|a, b| (a.shard, a.start, a.len, &a.key).cmp(&(b.shard, b.start, b.len, &b.key)));
    pieces
}

fn piece(key: &[u8], entry: &BundleEntry) -> Option<Piece> {
    if entry.is_partitioned() || entry.check_size().is_err() || !entry.dtype.is_storable() {
        return None;
    }
    let range = entry.range().ok()?;
    Some(Piece {
        key: key.to_vec(),
        shard: entry.shard_id,
        start: range.start,
        len: range.end.saturating_sub(range.start),
        crc: entry.crc32c.unmasked(),
        is_variable: entry.dtype.is_variable_length(),
    })
}

/// Whether a file has the bytes of a piece at its place.
pub(super) fn verify(
    file: &Arc<Source>,
    piece: &Piece,
    entries: &BTreeMap<Vec<u8>, BundleEntry>,
    big_endian: bool,
    limits: &Limits,
) -> bool {
    if piece.end() > file.len() {
        return false;
    }
    if !piece.is_variable {
        return file.crc32c(piece.start..piece.end()).is_ok_and(|crc| crc == piece.crc);
    }
    let Some(entry) = entries.get(&piece.key) else { return false };
    let shards = alone(file);
    let entry = BundleEntry { shard_id: 0, ..entry.clone() };
    let checked = match entry.dtype {
        DType::String => {
            StringReader::new(&shards, &entry, big_endian, limits).and_then(|reader| reader.verify(|_| {}))
        }
        _ => VariantReader::new(&shards, &entry, big_endian, limits).and_then(|mut reader| {
            reader.read(0, entry.shape.elements().unwrap_or(0), &mut |_| Ok(()))?;
            reader.finish().map(|_| ())
        }),
    };
    checked.is_ok()
}

/// A file as the only shard.
pub(super) fn alone(file: &Arc<Source>) -> Shards {
    Shards::given(Prefix::new(file.path().as_os_str()), vec![Arc::clone(file)])
}

/// Of which tensor the key of each slice is, and which slice.
pub(super) fn slices_of(
    entries: &BTreeMap<Vec<u8>, BundleEntry>,
) -> impl Iterator<Item = (Vec<u8>, (&Vec<u8>, &TensorSlice))> {
    let sliced = entries.iter().filter(|(_, entry)| entry.is_partitioned());
    sliced.flat_map(|(name, entry)| entry.slices.iter().map(move |slice| (slice_key(name, slice), (name, slice))))
}

/// Of which tensor the key of each slice is.
pub(super) fn owners(entries: &BTreeMap<Vec<u8>, BundleEntry>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    slices_of(entries).map(|(key, (name, _))| (key, name.clone())).collect()
}
