//! A V2 bundle as a [`Checkpoint`]: entries become tensors, slice entries become parts of theirs.
//!
//! Which keys are slices is never guessed from their form (a user's tensor may have a name that begins with NUL): for
//! every entry that lists slices their keys are computed, and exactly those are taken out of the listing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::{BundleStore, Checkpoint, Origin, Parts, Place, Store, StoredSlice, Tensor, sniff};
use crate::bundle::{Bundle, BundleEntry, Shards, slice_key};
use crate::error::{Error, ErrorKind, Part, Result};
use crate::limits::{Limits, Reports};
use crate::tensor::{DType, Shape};

/// Opens the bundle that `origin` names.
///
/// # Errors
/// If nothing of its index can be read; the error then says what the file looks like instead.
pub(super) fn open(origin: Origin, limits: &Limits) -> Result<Checkpoint> {
    let mut bundle = Bundle::open(&origin.prefix, limits).map_err(|e| sniff::explain(e, &origin.prefix.index()))?;
    let index = origin.prefix.index();
    let mut faults = Reports::new("faults of slices", limits);
    let tensors = assemble(bundle.take_entries(), &mut faults);
    let (damage, mut notes) = bundle.take_damage();
    notes.extend(faults.into_errors().into_iter().map(|error| error.in_file(&index)));
    let header = bundle.header();
    let store = BundleStore {
        shards: Shards::new(origin.prefix.clone(), header.num_shards),
        big_endian: header.big_endian,
        num_shards: header.num_shards,
        blocks: bundle.blocks(),
        present: Mutex::default(),
    };
    Ok(Checkpoint { origin, tensors, damage, notes, store: Store::Bundle(store), limits: limits.clone() })
}

/// The bundle entry of a piece, as its reader wants it.
pub(super) fn entry(dtype: DType, shape: Shape, place: &Place) -> BundleEntry {
    let (offset, size) = place.range.unwrap_or((0, 0));
    let crc32c = place.crc32c.unwrap_or_default().masked();
    BundleEntry { dtype, shape, shard_id: place.shard, offset, size, crc32c, slices: Vec::new() }
}

fn place(entry: &BundleEntry) -> Place {
    let range = Some((entry.offset, entry.size));
    Place { shard: entry.shard_id, range, crc32c: Some(entry.crc32c.unmasked()) }
}

/// Turns the entries of a bundle, sorted by key, into tensors, sorted by name.
fn assemble(entries: Vec<(Box<[u8]>, BundleEntry)>, faults: &mut Reports) -> Vec<Tensor> {
    let partitioned: Vec<usize> =
        entries.iter().enumerate().filter(|(_, (_, entry))| entry.is_partitioned()).map(|(n, _)| n).collect();
    let mut is_slice: BTreeSet<usize> = BTreeSet::new();
    let mut slices_of: BTreeMap<usize, Box<[StoredSlice]>> = BTreeMap::new();
    for n in partitioned {
        let Some((name, full)) = entries.get(n) else { continue };
        let mut stored = Vec::with_capacity(full.slices.len());
        for slice in &full.slices {
            let key = slice_key(name, slice);
            let found = entries.binary_search_by(|(other, _)| other.as_ref().cmp(&key)).ok();
            let found = found.and_then(|at| Some((at, entries.get(at)?)));
            let place = found.map(|(at, (_, entry))| {
                is_slice.insert(at);
                if let Some(error) = disagreement(full, slice, entry) {
                    faults.add(|| error.at_part(Part::BundleEntry).for_key(name));
                }
                place(entry)
            });
            if place.is_none() {
                faults.add(|| {
                    let why = format!("the index lists slice {slice} but has no entry for it");
                    Error::new(ErrorKind::SliceMissing(why)).at_part(Part::BundleEntry).for_key(name)
                });
            }
            stored.push(StoredSlice { slice: slice.clone(), place });
        }
        slices_of.insert(n, stored.into());
    }
    // Tensors are no larger than entries, so this reuses their memory: an index of a million costs it once.
    let tensors = entries.into_iter().enumerate().filter(|(n, _)| !is_slice.contains(n));
    tensors
        .map(|(n, (name, entry))| {
            let slices = slices_of.remove(&n);
            let parts = slices.map_or_else(|| Parts::Whole(place(&entry)), Parts::Slices);
            Tensor { name, dtype: entry.dtype, shape: entry.shape, parts }
        })
        .collect()
}

/// What a slice's own entry says against the tensor it belongs to.
fn disagreement(full: &BundleEntry, slice: &crate::tensor::TensorSlice, own: &BundleEntry) -> Option<Error> {
    let Some(extents) = full.shape.dims().and_then(|dims| slice.resolve(dims)) else {
        return Some(ErrorKind::Slices(format!("slice {slice} does not fit shape {}", full.shape)).into());
    };
    let dims: Vec<i64> = extents.iter().map(|&(_, len)| len.cast_signed()).collect();
    let shape = Shape::new(dims);
    if own.dtype != full.dtype || own.shape != shape {
        let why = format!(
            "slice {slice} is stored as {} {}, its tensor makes it {} {shape}",
            own.dtype, own.shape, full.dtype
        );
        return Some(ErrorKind::Slices(why).into());
    }
    None
}
