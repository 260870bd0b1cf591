//! A V2 bundle as a container: entries become tensors, slice entries become parts of theirs.
//!
//! Which keys are slices is never guessed from their form (a user's tensor may have a name that begins with NUL): for
//! every entry that lists slices their keys are computed, and exactly those are taken out of the listing.

mod write;

pub use write::BundleSink;

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::limits::{Limits, Reports};
use crate::read::bundle::{Bundle, BundleEntry, Entries, Prefix, Shards, StringReader, VariantReader, write_slice_key};
use crate::read::container::{
    Builder, Checksums, Container, Format, Opened, Parts, Place, StoredSlice, Tensor, Tensors,
};
use crate::read::storage::{self, Source};
use crate::read::tensor::{DType, ElementReader, Shape, TensorSlice};

/// The format.
pub const BUNDLE: Format = Format { id: "bundle", title: "TensorFlow checkpoint (V2)", checksums: Checksums::EachRun };

/// The shards of an open bundle.
#[derive(Debug)]
pub struct BundleFiles {
    prefix: Prefix,
    shards: Shards,
    big_endian: bool,
    num_shards: i32,
}

impl Container for BundleFiles {
    fn format(&self) -> &'static Format {
        &BUNDLE
    }

    fn index_file(&self) -> Option<PathBuf> {
        Some(self.prefix.index())
    }

    fn file_count(&self) -> i32 {
        self.num_shards
    }

    fn file(&self, id: i32) -> PathBuf {
        self.prefix.shard(id, self.num_shards)
    }

    fn has_file(&self, id: i32) -> bool {
        self.shards.is_open(id) || storage::is_file(&self.file(id))
    }

    fn source(&self, id: i32) -> Result<Arc<Source>> {
        self.shards.get(id)
    }

    fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    fn locate(&self, dtype: DType, shape: &Shape, place: &Place) -> Result<(Arc<Source>, Range<u64>)> {
        self.shards.locate(&entry(dtype, shape.clone(), place))
    }

    fn variable_reader<'c>(
        &'c self,
        dtype: DType,
        shape: &Shape,
        place: &Place,
        limits: &'c Limits,
    ) -> Result<Box<dyn ElementReader + 'c>> {
        let entry = entry(dtype, shape.clone(), place);
        Ok(match dtype {
            DType::String => Box::new(StringReader::new(&self.shards, &entry, self.big_endian, limits)?),
            DType::Variant => Box::new(VariantReader::new(&self.shards, &entry, self.big_endian, limits)?),
            _ => return Err(ErrorKind::UnsupportedDType(dtype.to_string()).into()),
        })
    }

    fn verify_variable(&self, dtype: DType, shape: &Shape, place: &Place, limits: &Limits) -> Result<()> {
        let entry = entry(dtype, shape.clone(), place);
        if dtype == DType::String {
            return StringReader::new(&self.shards, &entry, self.big_endian, limits)?.verify(|_| {});
        }
        let mut reader = VariantReader::new(&self.shards, &entry, self.big_endian, limits)?;
        reader.read(0, shape.elements().unwrap_or(0), &mut |_| Ok(()))?;
        reader.finish().map(|_| ())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Opens the bundle with this prefix.
///
/// # Errors
/// If nothing of its index can be read.
pub fn open(prefix: &Prefix, limits: &Limits) -> Result<Opened> {
    let (mut bundle, builders) = Bundle::read(prefix, limits, Builder::default)?;
    let index = prefix.index();
    let mut faults = Reports::new("faults of slices", limits);
    let tensors = join_slices(Builder::join(builders).finish(), &mut faults);
    let (damage, mut notes) = bundle.take_damage();
    notes.extend(faults.into_errors().into_iter().map(|error| error.in_file(&index)));
    let header = bundle.header();
    let container = Box::new(BundleFiles {
        prefix: prefix.clone(),
        shards: Shards::new(prefix.clone(), header.num_shards),
        big_endian: header.big_endian,
        num_shards: header.num_shards,
    });
    Ok(Opened { tensors, damage, notes, container })
}

/// A bundle that is not read from an index but given: its entries by key, slices among them, and all its shards.
pub fn assemble(
    prefix: &Prefix,
    entries: &BTreeMap<Vec<u8>, BundleEntry>,
    shards: Vec<Arc<Source>>,
    big_endian: bool,
    limits: &Limits,
) -> Opened {
    let mut builder = Builder::default();
    for (key, entry) in entries {
        builder.add(key, entry);
    }
    let mut faults = Reports::new("faults of slices", limits);
    let tensors = join_slices(builder.finish(), &mut faults);
    let num_shards = i32::try_from(shards.len()).unwrap_or(i32::MAX);
    let shards = Shards::given(prefix.clone(), shards);
    let container = Box::new(BundleFiles { prefix: prefix.clone(), shards, big_endian, num_shards });
    Opened { tensors, damage: Vec::new(), notes: faults.into_errors(), container }
}

impl Entries for Builder {
    fn add(&mut self, name: &[u8], entry: &BundleEntry) {
        self.push_parts(name, entry.dtype, &entry.shape, &parts(entry));
    }
}

/// The bundle entry of a piece, as its reader wants it.
fn entry(dtype: DType, shape: Shape, place: &Place) -> BundleEntry {
    let (offset, size) = place.range.unwrap_or((0, 0));
    let crc32c = place.crc32c.unwrap_or_default().masked();
    BundleEntry { dtype, shape, shard_id: place.shard, offset, size, crc32c, slices: Vec::new() }
}

/// Where the bytes of an entry are. Of a partitioned one only which slices it lists, until all entries are known.
fn parts(entry: &BundleEntry) -> Parts {
    if entry.is_partitioned() {
        let listed = entry.slices.iter().map(|slice| StoredSlice { slice: slice.clone(), place: None });
        return Parts::Slices(listed.collect());
    }
    let range = Some((entry.offset, entry.size));
    Parts::Whole(Place { shard: entry.shard_id, range, crc32c: Some(entry.crc32c.unmasked()) })
}

/// Gives partitioned tensors the places of their slices, and takes the slices' own entries out.
fn join_slices(tensors: Tensors, faults: &mut Reports) -> Tensors {
    if tensors.partitioned().is_empty() {
        return tensors;
    }
    let mut is_slice = vec![false; tensors.len()];
    let mut joined = Vec::with_capacity(tensors.partitioned().len());
    let mut search = tensors.search();
    let mut key = Vec::new();
    for (&at, slices) in tensors.partitioned() {
        let Some(full) = tensors.get(at) else { continue };
        let stored = slices.iter().map(|StoredSlice { slice, .. }| {
            key.clear();
            write_slice_key(&full.name, &slice, &mut key);
            let own = search.find(&key).map(|(at, cursor)| (at, cursor.tensor()));
            let place = own.and_then(|(at, own)| {
                if let Some(is_slice) = is_slice.get_mut(at) {
                    *is_slice = true;
                }
                if let Some(error) = disagreement(&full, &slice, own) {
                    faults.add(|| error.at_part(Part::BundleEntry).for_key(&full.name));
                }
                match own.parts {
                    Parts::Whole(place) => Some(place),
                    Parts::Slices(_) => None,
                }
            });
            if place.is_none() {
                faults.add(|| {
                    let why = format!("the index lists slice {slice} but has no entry for it");
                    Error::new(ErrorKind::SliceMissing(why)).at_part(Part::BundleEntry).for_key(&full.name)
                });
            }
            StoredSlice { slice, place }
        });
        joined.push((at, Parts::Slices(stored.collect())));
    }
    let mut joined = joined.into_iter().peekable();
    let mut all = Builder::default();
    let mut cursor = tensors.cursor();
    while let Some((at, tensor)) = cursor.advance() {
        if is_slice.get(at) == Some(&true) {
            continue;
        }
        let parts = joined.next_if(|(joined, _)| *joined == at).map(|(_, parts)| parts);
        all.push_parts(&tensor.name, tensor.dtype, &tensor.shape, parts.as_ref().unwrap_or(&tensor.parts));
    }
    all.finish()
}

/// What a slice's own entry says against the tensor it belongs to.
fn disagreement(full: &Tensor, slice: &TensorSlice, own: &Tensor) -> Option<Error> {
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
