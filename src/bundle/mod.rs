//! Layer 3: the V2 checkpoint, a *tensor bundle*: one `.index` table and its `.data-?????-of-?????` shards.
//!
//! Source: `tensorflow/core/util/tensor_bundle/tensor_bundle.{h,cc}`. The table maps the empty key to a
//! `BundleHeaderProto` and every other key to a `BundleEntryProto` that says where in which shard a tensor's bytes
//! lie. A partitioned tensor has one entry under its name that only lists slices, and one entry a slice under a
//! binary key.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]

mod checksum;
mod entry;
mod header;
mod naming;
mod reader;
mod shards;
mod slice_key;
mod strings;

pub use checksum::{Span, Sum, sum_spans};
pub use entry::{BundleEntry, decode_shape, decode_slice};
pub use header::BundleHeader;
pub use naming::{Prefix, ShardName};
pub use reader::NumericReader;
pub use shards::Shards;
pub use slice_key::slice_key;
pub use strings::{StringReader, VariantReader};

use crate::error::{Error, ErrorKind, Part, Result};
use crate::limits::Limits;
use crate::storage::Source;
use crate::table::{BlockBuffer, Table};

/// Reads the header of the bundle with this prefix, and nothing else of it.
///
/// # Errors
/// If the index, or its first block, cannot be read or has no header.
pub fn peek_header(prefix: &Prefix, limits: &Limits) -> Result<BundleHeader> {
    let path = prefix.index();
    let table = Table::open(Source::open(&path)?, limits)?;
    let mut buffer = BlockBuffer::default();
    let mut entries = table.read_block(0, &mut buffer)?.entries();
    match entries.next_entry().map_err(|e| e.in_file(&path))? {
        Some(entry) if entry.key.is_empty() => {
            let header = BundleHeader::decode(entry.value, entry.value_offset);
            header.map_err(|e| e.at_part(Part::BundleHeader).in_file(&path))
        }
        _ => Err(Error::new(ErrorKind::HeaderMissing).in_file(&path)),
    }
}

/// An open bundle: everything its index says. No shard has been touched.
#[derive(Debug)]
pub struct Bundle {
    prefix: Prefix,
    header: BundleHeader,
    entries: Vec<(Box<[u8]>, BundleEntry)>,
    damage: Vec<Error>,
    notes: Vec<Error>,
    blocks: usize,
}

impl Bundle {
    /// Reads the whole index of the bundle with this prefix.
    ///
    /// Damage that costs some entries does not hide the others: [`Bundle::damage`] lists what could not be read.
    ///
    /// # Errors
    /// If there is no index, or it is no table, or nothing of it can be read.
    pub fn open(prefix: &Prefix, limits: &Limits) -> Result<Self> {
        let path = prefix.index();
        let table = Table::open(Source::open(&path)?, limits)?;
        let mut bundle = Self {
            prefix: prefix.clone(),
            header: BundleHeader::default(),
            entries: Vec::new(),
            damage: Vec::new(),
            notes: Vec::new(),
            blocks: table.blocks().len(),
        };
        bundle.read_entries(&table, limits)?;
        if let Some(error) = table.into_index_damage() {
            bundle.damage.insert(0, error);
        }
        if bundle.entries.is_empty() && !bundle.damage.is_empty() {
            return Err(bundle.damage.swap_remove(0));
        }
        Ok(bundle)
    }

    fn read_entries(&mut self, table: &Table, limits: &Limits) -> Result<()> {
        let path = table.source().path();
        let mut header: Option<Result<BundleHeader>> = None;
        let (entries, damage, notes) = (&mut self.entries, &mut self.damage, &mut self.notes);
        let mut unreadable = Vec::new();
        table.scan(
            |entry| {
                if entry.key.is_empty() {
                    let read = BundleHeader::decode(entry.value, entry.value_offset);
                    header.get_or_insert(read.map_err(|e| e.at_part(Part::BundleHeader).in_file(path)));
                    return Ok(());
                }
                match BundleEntry::decode(entry.value, entry.value_offset, limits) {
                    Ok(decoded) => entries.push((entry.key.into(), decoded)),
                    Err(error) => {
                        let error = error.at_part(Part::BundleEntry).for_key(entry.key).in_file(path);
                        unreadable.push(error);
                    }
                }
                Ok(())
            },
            |error| match error.kind() {
                ErrorKind::KeysOutOfOrder { .. } => notes.push(error),
                _ => damage.push(error),
            },
        )?;
        damage.append(&mut unreadable);
        // TensorFlow finds a key by binary search, so of a disordered table it finds only some; all of them are listed.
        if !notes.is_empty() {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|later, first| later.0 == first.0);
        }
        match header {
            Some(Ok(header)) => self.header = header,
            Some(Err(error)) => damage.push(error),
            // With a block lost, the header was probably in it; that block is reported already.
            None if damage.is_empty() => {
                let error = Error::new(ErrorKind::HeaderMissing).in_file(path);
                damage.push(error.with_help("TensorFlow would take the first tensor for the header and lose it"));
            }
            None => {}
        }
        if self.header.num_shards == 0 {
            let shards = entries.iter().map(|(_, entry)| entry.shard_id).max().unwrap_or(0);
            self.header.num_shards = shards.saturating_add(1).clamp(1, limits.shards);
        }
        if let Err(error) = self.header.check_version() {
            damage.push(error.at_part(Part::BundleHeader).in_file(path));
        }
        Ok(())
    }

    /// The prefix it was opened under.
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The header; if it is lost, what the entries imply.
    pub fn header(&self) -> &BundleHeader {
        &self.header
    }

    /// All entries that could be read, by key; slice entries included.
    pub fn entries(&self) -> &[(Box<[u8]>, BundleEntry)] {
        &self.entries
    }

    /// Takes the entries out, for a caller that keeps them in its own form.
    pub fn take_entries(&mut self) -> Vec<(Box<[u8]>, BundleEntry)> {
        std::mem::take(&mut self.entries)
    }

    /// What could not be read, in file order.
    pub fn damage(&self) -> &[Error] {
        &self.damage
    }

    /// Takes what could not be read, and what is wrong but cost nothing (keys out of order).
    pub fn take_damage(&mut self) -> (Vec<Error>, Vec<Error>) {
        (std::mem::take(&mut self.damage), std::mem::take(&mut self.notes))
    }

    /// Number of data blocks in the index.
    pub fn blocks(&self) -> usize {
        self.blocks
    }
}
