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

pub use checksum::{Failed, Span, Stored, Sums, sum_spans};
pub use entry::{BundleEntry, decode_shape, decode_slice};
pub use header::BundleHeader;
pub use naming::{Prefix, ShardName};
pub use reader::NumericReader;
pub use shards::Shards;
pub use slice_key::slice_key;
pub use strings::{StringReader, VariantReader};

use std::path::Path;

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Part, Result};
use crate::limits::{Limits, Reports};
use crate::storage::Source;
use crate::table::{BlockBuffer, Table};
use crate::tensor::Shape;

/// Replaces a shape by an equal one that is kept already: a million entries have a few shapes between them.
fn share(known: &mut BTreeSet<Shape>, shape: &mut Shape) {
    const MOST: usize = 4096;
    match known.get(shape) {
        Some(same) => *shape = same.clone(),
        None if known.len() < MOST => {
            known.insert(shape.clone());
        }
        None => {}
    }
}

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

/// What the index of a bundle says of all of it. Its entries have been handed on; no shard has been touched.
#[derive(Debug)]
pub struct Bundle {
    prefix: Prefix,
    header: BundleHeader,
    damage: Vec<Error>,
    notes: Vec<Error>,
    blocks: usize,
}

/// What is remembered of the entries that have been handed on.
#[derive(Default)]
struct Seen {
    any: bool,
    largest_shard: i32,
}

impl Bundle {
    /// Reads the whole index of the bundle with this prefix and hands its entries to `visit`, as they are stored:
    /// sorted by key, unless [`Bundle::take_damage`] notes otherwise, and slice entries included.
    ///
    /// Damage that costs some entries does not hide the others: [`Bundle::damage`] lists what could not be read.
    ///
    /// # Errors
    /// If there is no index, or it is no table, or nothing of it can be read.
    pub fn read(prefix: &Prefix, limits: &Limits, visit: &mut dyn FnMut(&[u8], BundleEntry)) -> Result<Self> {
        let path = prefix.index();
        let mut table = Table::open(Source::open(&path)?, limits)?;
        let mut bundle = Self {
            prefix: prefix.clone(),
            header: BundleHeader::default(),
            damage: Vec::new(),
            notes: Vec::new(),
            blocks: table.blocks().len(),
        };
        let seen = bundle.read_entries(&table, limits, visit)?;
        bundle.damage.splice(0..0, table.take_damage());
        if !seen.any && !bundle.damage.is_empty() {
            return Err(bundle.damage.swap_remove(0));
        }
        Ok(bundle)
    }

    fn read_entries(
        &mut self,
        table: &Table,
        limits: &Limits,
        visit: &mut dyn FnMut(&[u8], BundleEntry),
    ) -> Result<Seen> {
        let path = table.source().path();
        let mut header: Option<Result<BundleHeader>> = None;
        let mut unreadable = Reports::new("entries that cannot be read", limits);
        let most = limits.names(table.source().len());
        let mut names = 0u64;
        let mut shapes = BTreeSet::new();
        let mut seen = Seen::default();
        let scan = table.scan(|entry| {
            if entry.key.is_empty() {
                header.get_or_insert_with(|| {
                    let read = BundleHeader::decode(entry.value, entry.value_offset);
                    read.map_err(|e| e.at_part(Part::BundleHeader).in_file(path))
                });
                return Ok(());
            }
            // Of a key that stands twice the first counts; a scan reports it.
            if entry.repeated {
                return Ok(());
            }
            names = names.saturating_add(entry.key.len() as u64);
            if names > most {
                let kind = ErrorKind::LimitExceeded { what: "all names together", got: names, limit: most };
                return Err(Error::new(kind).at_offset(entry.offset).in_file(path));
            }
            match BundleEntry::decode(entry.value, entry.value_offset, limits) {
                Ok(mut decoded) => {
                    share(&mut shapes, &mut decoded.shape);
                    seen.any = true;
                    seen.largest_shard = seen.largest_shard.max(decoded.shard_id);
                    visit(entry.key, decoded);
                }
                Err(error) => {
                    let shown = entry.key.get(..1024).unwrap_or(entry.key);
                    unreadable.add(|| error.at_part(Part::BundleEntry).for_key(shown).in_file(path));
                }
            }
            Ok(())
        })?;
        self.damage.extend(scan.lost);
        self.damage.append(&mut unreadable.into_errors());
        self.notes.extend(scan.notes);
        self.settle_header(header, &seen, path, limits);
        Ok(seen)
    }

    /// Keeps the header that was found, or what the entries imply of it.
    fn settle_header(&mut self, header: Option<Result<BundleHeader>>, seen: &Seen, path: &Path, limits: &Limits) {
        let here = |e: Error| e.at_part(Part::BundleHeader).in_file(path);
        let found = matches!(header, Some(Ok(_)));
        match header {
            Some(Ok(header)) => self.header = header,
            Some(Err(error)) => self.damage.push(error),
            // With a block lost, the header was probably in it; that block is reported already.
            None if self.damage.is_empty() => {
                let error = Error::new(ErrorKind::HeaderMissing).in_file(path);
                self.damage.push(error.with_help("TensorFlow would take the first tensor for the header and lose it"));
            }
            None => {}
        }
        if self.header.num_shards == 0 && seen.any {
            self.header.num_shards = seen.largest_shard.saturating_add(1).clamp(1, limits.shards);
            if found {
                let why = format!("no shards, but there are tensors; {} was assumed", self.header.num_shards);
                self.notes.push(here(Error::malformed("BundleHeaderProto", why)));
            }
        }
        if let Err(error) = self.header.check_version() {
            self.damage.push(here(error));
        }
    }

    /// The prefix it was opened under.
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The header; if it is lost, what the entries imply.
    pub fn header(&self) -> &BundleHeader {
        &self.header
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
