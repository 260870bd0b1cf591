//! The V2 checkpoint, a *tensor bundle*: one `.index` table and its `.data-?????-of-?????` shards.
//!
//! Source: `tensorflow/core/util/tensor_bundle/tensor_bundle.{h,cc}`. The table maps the empty key to a
//! `BundleHeaderProto` and every other key to a `BundleEntryProto` that says where in which shard a tensor's bytes
//! lie. A partitioned tensor has one entry under its name that only lists slices, and one entry a slice under a
//! binary key.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]

mod checksum;
mod encode;
mod entry;
mod header;
mod naming;
mod reader;
mod runs;
mod shards;
mod slice_key;
mod stream;
mod strings;
mod unfinished;
mod variants;

pub use checksum::{SpanWork, Stretch, Summed, Sums, sum_spans};
pub use entry::{BundleEntry, decode_shape, decode_slice};
pub use header::BundleHeader;
pub use naming::{Prefix, ShardName};
pub use reader::NumericReader;
pub use runs::{Failed, OpenShard, Span, Stored};
pub use shards::Shards;
pub use slice_key::{slice_key, write_slice_key};
pub use strings::{StringReader, possible_counts};
pub use unfinished::{is_unfinished, part_numbers, prefix_of_part};
pub use variants::VariantReader;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::limits::{Limits, Reports};
use crate::read::storage::Source;
use crate::read::table::{BlockBuffer, Entry, Table};
use entry::EntryDecoder;

/// Reads the header of the bundle with this prefix, and nothing else of it.
///
/// # Errors
/// If the index, or its first block, cannot be read or has no header.
pub fn peek_header(prefix: &Prefix, limits: &Limits) -> Result<BundleHeader> {
    peek_header_in(&prefix.index(), limits)
}

/// Whether a table is the index of a bundle, whatever its name is.
pub fn is_index_in(path: &Path, limits: &Limits) -> bool {
    peek_header_in(path, limits).is_ok_and(|header| header.num_shards > 0)
}

fn peek_header_in(path: &Path, limits: &Limits) -> Result<BundleHeader> {
    let table = Table::open(Source::open(path)?, limits)?;
    let mut buffer = BlockBuffer::default();
    let mut entries = table.read_block(0, &mut buffer)?.entries();
    match entries.next_entry().map_err(|e| e.in_file(path))? {
        Some(entry) if entry.key.is_empty() => {
            let header = BundleHeader::decode(entry.value, entry.value_offset);
            header.map_err(|e| e.at_part(Part::BundleHeader).in_file(path))
        }
        _ => Err(Error::new(ErrorKind::HeaderMissing).in_file(path)),
    }
}

/// What the index of a bundle says of all of it. Its entries have been handed on; no shard has been touched.
#[derive(Debug)]
pub struct Bundle {
    prefix: Prefix,
    header: BundleHeader,
    damage: Vec<Error>,
    notes: Vec<Error>,
}

/// Takes the entries of an index, as they are stored: sorted by key (unless the bundle's notes say otherwise), slice
/// entries included.
pub trait Entries: Send {
    /// Takes the next entry.
    fn add(&mut self, key: &[u8], entry: &BundleEntry);
}

/// What is remembered of the entries that have been handed on.
#[derive(Default)]
struct Seen {
    any: bool,
    largest_shard: i32,
}

/// What becomes of some of the blocks.
struct ReadPart<E> {
    entries: E,
    header: Option<Result<BundleHeader>>,
    decoder: EntryDecoder,
    unreadable: Reports,
    seen: Seen,
    /// Bytes of names that have not been counted with those of other parts.
    names: u64,
}

/// An index below this size is read by one thread: starting another takes as long.
const SEVERAL_FROM: u64 = 4 << 20;

impl Bundle {
    /// Reads the whole index of the bundle with this prefix. Its entries go to what `make` makes; of a large index
    /// there are several, to be taken one behind the other.
    ///
    /// Damage that costs some entries does not hide the others: [`Bundle::damage`] lists what could not be read.
    ///
    /// # Errors
    /// If there is no index, or it is no table, or nothing of it can be read.
    pub fn read<E: Entries>(prefix: &Prefix, limits: &Limits, make: impl Fn() -> E + Sync) -> Result<(Self, Vec<E>)> {
        Self::read_file(&prefix.index(), prefix, limits, make)
    }

    /// [`Bundle::read`] of an index that has another name.
    ///
    /// # Errors
    /// As of [`Bundle::read`].
    pub fn read_file<E: Entries>(
        index: &Path,
        prefix: &Prefix,
        limits: &Limits,
        make: impl Fn() -> E + Sync,
    ) -> Result<(Self, Vec<E>)> {
        let mut table = Table::open(Source::open(index)?, limits)?;
        let mut bundle =
            Self { prefix: prefix.clone(), header: BundleHeader::default(), damage: Vec::new(), notes: Vec::new() };
        let threads = if table.source().len() < SEVERAL_FROM { 1 } else { limits.workers() };
        let mut read = bundle.read_entries(&table, limits, threads, &make);
        // What ends a scan is told as one thread meets it.
        if threads > 1 && read.is_err() {
            read = bundle.read_entries(&table, limits, 1, &make);
        }
        let (entries, seen) = read?;
        bundle.damage.splice(0..0, table.take_damage());
        if !seen.any && !bundle.damage.is_empty() {
            return Err(bundle.damage.swap_remove(0));
        }
        Ok((bundle, entries))
    }

    fn read_entries<E: Entries>(
        &mut self,
        table: &Table,
        limits: &Limits,
        threads: usize,
        make: &(impl Fn() -> E + Sync),
    ) -> Result<(Vec<E>, Seen)> {
        let path = table.source().path();
        let most = limits.names(table.source().len());
        let names = AtomicU64::new(0);
        let make = || ReadPart {
            entries: make(),
            header: None,
            decoder: EntryDecoder::new(),
            unreadable: Reports::new("entries that cannot be read", limits),
            seen: Seen::default(),
            names: 0,
        };
        let visit = |part: &mut ReadPart<E>, entry: &Entry<'_, '_>| {
            if entry.key.is_empty() {
                part.header.get_or_insert_with(|| {
                    let read = BundleHeader::decode(entry.value, entry.value_offset);
                    read.map_err(|e| e.at_part(Part::BundleHeader).in_file(path))
                });
                return Ok(());
            }
            // Of a key that stands twice the first counts; a scan reports it.
            if entry.repeated {
                return Ok(());
            }
            part.names = part.names.saturating_add(entry.key.len() as u64);
            // Counting together costs too much to be done for every name.
            if part.names > 1 << 16 {
                let got = names.fetch_add(part.names, Ordering::Relaxed).saturating_add(part.names);
                part.names = 0;
                if got > most {
                    let kind = ErrorKind::LimitExceeded { what: "all names together", got, limit: most };
                    return Err(Error::new(kind).at_offset(entry.offset).in_file(path));
                }
            }
            match part.decoder.decode(entry.value, entry.value_offset, limits) {
                Ok(decoded) => {
                    part.seen.any = true;
                    part.seen.largest_shard = part.seen.largest_shard.max(decoded.shard_id);
                    part.entries.add(entry.key, decoded);
                }
                Err(error) => {
                    let shown = entry.key.get(..1024).unwrap_or(entry.key);
                    part.unreadable.add(|| error.at_part(Part::BundleEntry).for_key(shown).in_file(path));
                }
            }
            Ok(())
        };
        let (parts, scan) = table.scan_parts(threads, make, visit)?;
        let mut header = None;
        let mut unreadable = Reports::new("entries that cannot be read", limits);
        let mut seen = Seen::default();
        let mut entries = Vec::with_capacity(parts.len());
        for part in parts {
            header = header.or(part.header);
            unreadable.append(part.unreadable);
            seen.any |= part.seen.any;
            seen.largest_shard = seen.largest_shard.max(part.seen.largest_shard);
            entries.push(part.entries);
        }
        self.damage.extend(scan.lost);
        self.damage.append(&mut unreadable.into_errors());
        self.notes.extend(scan.notes);
        self.settle_header(header, &seen, path, limits);
        Ok((entries, seen))
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
}
