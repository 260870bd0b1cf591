//! An index as far as it can be read, bits flipped back; and which of several files that may be it is taken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::found::Did;
use super::pieces::{Piece, pieces_of, verify};
use super::places::Places;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::bundle::{Bundle, BundleEntry, BundleHeader, Entries, Prefix};
use crate::read::checkpoint::is_table;
use crate::read::storage::OpenFiles;
use crate::read::wire::bit_odds;

/// The entries of one index.
#[derive(Debug)]
pub(super) struct Index {
    /// The file.
    pub(super) file: PathBuf,
    /// Entries by key, slices among them.
    pub(super) entries: BTreeMap<Vec<u8>, BundleEntry>,
    pub(super) header: BundleHeader,
    /// Bits that are flipped back in it.
    pub(super) did: Vec<Did>,
    /// What cannot be read: entries are missing.
    pub(super) lost: Vec<Error>,
}

#[derive(Default)]
struct Collected(BTreeMap<Vec<u8>, BundleEntry>);

impl Entries for Collected {
    fn add(&mut self, key: &[u8], entry: &BundleEntry) {
        self.0.entry(key.to_vec()).or_insert_with(|| entry.clone());
    }
}

/// Reads what can be read of an index.
pub(super) fn read(file: &Path, limits: &Limits) -> Result<Index> {
    let (mut bundle, parts) = Bundle::read_file(file, &Prefix::new(file.as_os_str()), limits, Collected::default)?;
    let entries: BTreeMap<Vec<u8>, BundleEntry> = parts.into_iter().flat_map(|part| part.0).collect();
    let header = bundle.header().clone();
    let (damage, notes) = bundle.take_damage();
    let (mut did, mut lost) = (Vec::new(), Vec::new());
    let len = crate::read::storage::stat(file).map_or(0, |stat| stat.len);
    let odds = bit_odds(len);
    for error in damage {
        match error.kind() {
            ErrorKind::FlippedBit { byte, bit } => {
                did.push(Did::Bit { file: file.to_path_buf(), byte: *byte, bit: *bit, tensor: None, odds });
            }
            _ => lost.push(error),
        }
    }
    // Of a block in which a bit was flipped back, and which then is not in order, another damage has that checksum.
    if !did.is_empty() {
        lost.extend(notes);
    }
    Ok(Index { file: file.to_path_buf(), entries, header, did, lost })
}

/// The index that a checkpoint has: its own if that is whole, else one under another name or in another place whose
/// checksums are those of the data; else what is left of its own. None if there is none.
pub(super) fn best(prefix: &Prefix, places: &Places, limits: &Limits, files: &Arc<OpenFiles>) -> Option<Index> {
    let own = match read(&prefix.index(), limits) {
        Ok(own) if own.lost.is_empty() => return Some(own),
        own => own.ok(),
    };
    let name = format!("{}.index", prefix.base_name().to_string_lossy());
    let is_own = |file: &&PathBuf| **file == prefix.index();
    let same: Vec<&PathBuf> = places.called(&name).into_iter().filter(|file| !is_own(file)).collect();
    let others = places.files.iter().filter(|file| !same.contains(file) && !is_own(file) && is_table(file));
    for file in same.iter().copied().chain(others) {
        let Ok(index) = read(file, limits) else { continue };
        // The checksum of one tensor is no chance; that none of them fits says that it is the index of another save.
        if index.lost.is_empty() && fits(&index, prefix, places, limits, files) {
            return Some(index);
        }
    }
    own
}

/// Whether the data of a prefix has the checksums of an index.
fn fits(index: &Index, prefix: &Prefix, places: &Places, limits: &Limits, files: &Arc<OpenFiles>) -> bool {
    let mut telling: Vec<Piece> = pieces_of(&index.entries).into_iter().filter(Piece::is_telling).collect();
    telling.sort_by_key(|piece| piece.len);
    telling.iter().take(16).any(|piece| {
        let shard = prefix.shard(piece.shard, index.header.num_shards);
        let name = shard.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        places.called(&name).into_iter().any(|file| {
            files.get(file).is_ok_and(|file| verify(&file, piece, &index.entries, index.header.big_endian, limits))
        })
    })
}
