//! The entries of a whole checkpoint, wherever they come from, and the files in which its shards should lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::found::{Did, Lost};
use super::index::Index;
use crate::base::error::{Error, Result};
use crate::base::limits::Limits;
use crate::read::bundle::{BundleEntry, Prefix};

/// What shall be had.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// Entries by key, slices among them.
    pub(super) entries: BTreeMap<Vec<u8>, BundleEntry>,
    /// For each shard where its file should lie.
    pub(super) shards: Vec<PathBuf>,
    pub(super) big_endian: bool,
    /// Entries whose checksums were computed anew.
    pub(super) fresh: BTreeSet<Vec<u8>>,
    /// The files that say what there is.
    pub(super) read: Vec<PathBuf>,
    pub(super) did: Vec<Did>,
    pub(super) lost: Vec<Lost>,
    pub(super) notes: Vec<String>,
}

impl Set {
    /// What an index says.
    pub(super) fn of_index(index: Index, prefix: &Prefix, limits: &Limits) -> Result<Self> {
        let Index { file, entries, header, mut did, .. } = index;
        let count = header.num_shards;
        if count > limits.shards {
            let why = format!("it counts {count} shards; no more than {} are looked for", limits.shards);
            return Err(Error::malformed("BundleHeaderProto", why).in_file(&file));
        }
        if file != prefix.index() {
            did.push(Did::Renamed { file: file.clone(), to: prefix.index() });
        }
        let shards = (0..count).map(|shard| prefix.shard(shard, count)).collect();
        Ok(Self { entries, shards, big_endian: header.big_endian, read: vec![file], did, ..Self::default() })
    }
}
