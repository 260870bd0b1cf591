//! Layer 4: everything a user may point at, opened as one model: a [`Checkpoint`] of named tensors.
//!
//! `locate` decides what a path is and which files are meant; the formats (`bundle`, `saver_v1`) turn their entries
//! into [`Tensor`]s; reading a tensor, whole or in part, is the same for all of them.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod catalogue;
mod directory;
mod elements;
mod event_record;
pub mod events;
mod fields;
pub mod fingerprint;
pub mod graph;
pub mod keras;
mod locate;
pub mod meta_graph;
pub mod model_file;
mod near_misses;
pub mod object_graph;
mod open_bundle;
mod restore_ops;
pub mod restore_plan;
pub mod saved_model;
pub mod saved_objects;
mod saver_v1;
pub mod serving;
mod signature;
mod sniff;
mod spec;
pub mod state;

pub use catalogue::{Cursor, Iter, Kind, Tensors};
pub use directory::{Found, ModelDir, StateFile};
pub use elements::{Elements, Hold};
pub use locate::{Choice, Origin, SourceKind};
pub use saver_v1::V1Scan;
pub use sniff::{Looks, look, looks_like};

use std::path::Path;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bundle::{NumericReader, Shards, Stored, StringReader, Sums, VariantReader, sum_spans};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::tensor::{Axis, Checked, DType, ElementReader, Piece, Shape, Sink, TensorSlice, read_region};
use crate::wire::Crc32c;

/// The key of the object graph in an object-based checkpoint (`OBJECT_GRAPH_PROTO_KEY`, `trackable/base.py`).
pub const OBJECT_GRAPH_KEY: &[u8] = b"_CHECKPOINTABLE_OBJECT_GRAPH";

/// An open checkpoint: what its index says. Tensor bytes are read when asked for.
#[derive(Debug)]
pub struct Checkpoint {
    origin: Origin,
    tensors: Tensors,
    damage: Vec<Error>,
    notes: Vec<Error>,
    store: Store,
    limits: Limits,
}

#[derive(Debug)]
enum Store {
    Bundle(BundleStore),
    SaverV1(saver_v1::SaverV1),
    /// A SavedModel without variables.
    Nothing,
}

/// What a bundle needs to read tensors after its entries have become [`Tensor`]s.
#[derive(Debug)]
struct BundleStore {
    shards: Shards,
    big_endian: bool,
    num_shards: i32,
    /// Which shards have been looked for, and found.
    present: Mutex<BTreeMap<i32, bool>>,
}

/// A named tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// The key, as stored.
    pub name: Vec<u8>,
    /// Element type.
    pub dtype: DType,
    /// Shape; of a partitioned tensor the full one.
    pub shape: Shape,
    /// Where the bytes lie.
    pub parts: Parts,
}

/// Where a tensor's bytes lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// In one piece.
    Whole(Place),
    /// In slices of a partitioned variable.
    Slices(Arc<[StoredSlice]>),
}

/// Where one piece lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Data shard, or file of a sharded V1 checkpoint.
    pub shard: i32,
    /// Offset of the first byte and number of bytes, as stored; `None` in a V1 checkpoint, whose values lie in blocks.
    pub range: Option<(i64, i64)>,
    /// Checksum of the bytes, unmasked; `None` in a V1 checkpoint, whose blocks have one.
    pub crc32c: Option<Crc32c>,
}

/// One slice of a partitioned tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSlice {
    /// Its place in the full tensor, as stored.
    pub slice: TensorSlice,
    /// Where its bytes lie; `None` if the index lists the slice but has no entry for it.
    pub place: Option<Place>,
}

impl Tensor {
    /// Number of elements; `None` if the shape does not allow counting them.
    pub fn elements(&self) -> Option<u64> {
        self.shape.elements()
    }

    /// Stored bytes; `None` where that is known only by reading (strings in a V1 checkpoint).
    pub fn bytes(&self) -> Option<u64> {
        let stored = |place: &Place| place.range.map(|(_, size)| u64::try_from(size).ok());
        let in_blocks = || self.elements()?.checked_mul(self.dtype.element_size()?);
        match &self.parts {
            Parts::Whole(place) => stored(place).unwrap_or_else(in_blocks),
            Parts::Slices(slices) if slices.iter().any(|s| s.place.is_some_and(|p| p.range.is_none())) => in_blocks(),
            Parts::Slices(slices) => slices.iter().map(|slice| stored(slice.place.as_ref()?)?).sum(),
        }
    }

    /// Whether the elements are numbers that a model would count as parameters, rather than strings or variants.
    pub fn is_numeric(&self) -> bool {
        self.dtype.element_size().is_some()
    }

    /// Dimensions as unsigned numbers.
    ///
    /// # Errors
    /// If a dimension is negative, or the elements cannot be counted.
    pub fn dims(&self) -> Result<Vec<u64>> {
        let dims = self.elements().and(self.shape.dims());
        let dims = dims.ok_or_else(|| Error::malformed("Invalid tensor shape", self.shape.to_string()));
        dims?.iter().map(|&d| u64::try_from(d).map_err(|_| Error::malformed("tensor shape", "negative"))).collect()
    }

    /// The slices of a partitioned tensor.
    pub fn slices(&self) -> &[StoredSlice] {
        match &self.parts {
            Parts::Whole(_) => &[],
            Parts::Slices(slices) => slices,
        }
    }
}

impl Checkpoint {
    /// Opens whatever `path` leads to, by the rules of the command line: a prefix, any file of the set, a directory.
    ///
    /// # Errors
    /// If the path leads to nothing that this tool reads (the error says what it looks like), or nothing of the
    /// index can be read. Damage that leaves something readable is in [`Checkpoint::damage`].
    pub fn open(path: &Path, choice: Choice, limits: &Limits) -> Result<Self> {
        let origin = locate::locate(path, choice)?;
        Self::open_origin(origin, limits)
    }

    /// Opens what [`Origin::locate`] found.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn open_origin(origin: Origin, limits: &Limits) -> Result<Self> {
        if !origin.v1_files.is_empty() {
            return saver_v1::open(origin, limits);
        }
        if origin.has_variables {
            return open_bundle::open(origin, limits);
        }
        Ok(saved_model::without_variables(origin, limits))
    }

    /// Where it was found and why there.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// All tensors, by name. Slices of partitioned tensors are part of theirs.
    pub fn tensors(&self) -> &Tensors {
        &self.tensors
    }

    /// The tensor with exactly this name.
    pub fn tensor(&self, name: &[u8]) -> Option<Tensor> {
        self.tensors.find(name).and_then(|at| self.tensors.get(at))
    }

    /// How many threads may go through so many tensors. Few are not worth a thread, nor counting the cores.
    pub fn threads_for(&self, tensors: usize) -> usize {
        const FEW: usize = 20_000;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        if tensors < FEW { 1 } else { self.limits.threads.unwrap_or_else(cores) }
    }

    /// What could not be read. If this is not empty, tensors may be missing.
    pub fn damage(&self) -> &[Error] {
        &self.damage
    }

    /// What is wrong but hides nothing.
    pub fn notes(&self) -> &[Error] {
        &self.notes
    }

    /// Whether the checkpoint has an object graph (`tf.train.Checkpoint`, Keras) rather than variable names only.
    pub fn is_object_based(&self) -> bool {
        self.tensors.find(OBJECT_GRAPH_KEY).is_some()
    }

    /// Number of data shards that the header counts, or of V1 files.
    pub fn num_shards(&self) -> i32 {
        match &self.store {
            Store::Bundle(bundle) => bundle.num_shards,
            Store::SaverV1(_) => i32::try_from(self.origin.v1_files.len()).unwrap_or(i32::MAX),
            Store::Nothing => 0,
        }
    }

    /// Whether elements are stored big-endian.
    pub fn is_big_endian(&self) -> bool {
        matches!(&self.store, Store::Bundle(bundle) if bundle.big_endian)
    }

    /// Reads the elements in the region `axes` of a tensor, in C order: numbers little-endian and as many at a time as
    /// lie together, strings and serialized variants one at a time.
    ///
    /// Only slices that the region touches are opened. A tensor that is read whole is checked on the way.
    ///
    /// # Errors
    /// If bytes cannot be read, or are not what was saved (after all of them have been handed to the sink).
    pub fn read(&self, tensor: &Tensor, axes: &[Axis], sink: &mut Sink<'_>) -> Result<Checked> {
        self.read_pieces(tensor, axes, sink).map_err(|e| sniff::explain_shard(e).for_key(&tensor.name))
    }

    /// Reads all elements of a tensor.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn read_all(&self, tensor: &Tensor, sink: &mut Sink<'_>) -> Result<Checked> {
        let dims = tensor.dims().map_err(|e| e.for_key(&tensor.name))?;
        let axes: Vec<Axis> = dims.into_iter().map(Axis::all).collect();
        self.read(tensor, &axes, sink)
    }

    /// Whether the file of a shard is there. Looks at its name only, once a shard.
    pub fn has_shard(&self, id: i32) -> bool {
        let Store::Bundle(bundle) = &self.store else { return true };
        let mut known = bundle.present.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(id).or_insert_with(|| self.origin.prefix.shard(id, bundle.num_shards).is_file())
    }

    /// Sums bytes of the shards on several cores; see [`crate::bundle::sum_spans`]. Of a V1 checkpoint nothing.
    pub fn sum_spans<S: Stored>(&self, stored: &[S], threads: usize, done: &AtomicU64) -> Sums {
        match &self.store {
            Store::Bundle(bundle) => sum_spans(&bundle.shards, stored, threads, done),
            _ => Sums::default(),
        }
    }

    /// Walks through all entries of a V1 checkpoint; `None` of any other.
    pub fn scan_v1(&self, limits: &Limits) -> Option<V1Scan> {
        match &self.store {
            Store::SaverV1(v1) => Some(v1.scan(limits)),
            Store::Bundle(_) | Store::Nothing => None,
        }
    }

    /// Checks the bytes of a string or variant tensor, or of a slice of one, without handing them out.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn verify_variable(&self, dtype: DType, shape: &Shape, place: (i32, u64, u64, Crc32c)) -> Result<()> {
        let Store::Bundle(bundle) = &self.store else { return Ok(()) };
        let (shard, start, len, crc) = place;
        let place = Place { shard, range: Some((start.cast_signed(), len.cast_signed())), crc32c: Some(crc) };
        let entry = open_bundle::entry(dtype, shape.clone(), &place);
        if dtype == DType::String {
            return StringReader::new(&bundle.shards, &entry, bundle.big_endian, &self.limits)?.verify(|_| {});
        }
        let mut reader = VariantReader::new(&bundle.shards, &entry, bundle.big_endian, &self.limits)?;
        reader.read(0, shape.elements().unwrap_or(0), &mut |_| Ok(()))?;
        reader.finish().map(|_| ())
    }

    fn read_pieces(&self, tensor: &Tensor, axes: &[Axis], sink: &mut Sink<'_>) -> Result<Checked> {
        let dims = tensor.dims()?;
        let mut buffers = saver_v1::Buffers::default();
        let mut pieces = match &self.store {
            Store::Bundle(bundle) => self.bundle_pieces(bundle, tensor, &dims, axes)?,
            Store::SaverV1(v1) => v1.pieces(tensor, &dims, axes, &mut buffers)?,
            Store::Nothing => return Err(ErrorKind::TensorNotFound(tensor.name.clone()).into()),
        };
        read_region(axes, &mut pieces, sink)?;
        let mut checked = Checked::Verified;
        for piece in &mut pieces {
            if piece.reader.finish()? == Checked::Not {
                checked = Checked::Not;
            }
        }
        // A part of the slices is a part of the tensor, even if each of them was read whole.
        let all = tensor.slices().is_empty() || tensor.slices().len() == pieces.len() || dims.contains(&0);
        Ok(if all { checked } else { Checked::Not })
    }

    fn bundle_pieces(
        &self,
        bundle: &BundleStore,
        tensor: &Tensor,
        dims: &[u64],
        axes: &[Axis],
    ) -> Result<Vec<Piece<'static>>> {
        let reader = |shape: Shape, place: &Place| -> Result<Box<dyn ElementReader>> {
            let entry = open_bundle::entry(tensor.dtype, shape, place);
            let Self { limits, .. } = self;
            Ok(match tensor.dtype {
                DType::String => Box::new(StringReader::new(&bundle.shards, &entry, bundle.big_endian, limits)?),
                DType::Variant => Box::new(VariantReader::new(&bundle.shards, &entry, bundle.big_endian, limits)?),
                _ => Box::new(NumericReader::new(&bundle.shards, &entry, bundle.big_endian)?),
            })
        };
        match &tensor.parts {
            Parts::Whole(place) => {
                let extents = dims.iter().map(|&dim| (0, dim)).collect();
                Ok(vec![Piece { extents, reader: reader(tensor.shape.clone(), place)? }])
            }
            Parts::Slices(slices) => {
                let mut pieces = Vec::new();
                for stored in slices.iter() {
                    let extents = resolve(&stored.slice, &tensor.shape)?;
                    if !touches(&extents, axes) {
                        continue;
                    }
                    let Some(place) = &stored.place else {
                        let why = format!("the index lists slice {} but has no entry for it", stored.slice);
                        return Err(ErrorKind::SliceMissing(why).into());
                    };
                    let shape: Vec<i64> = extents.iter().map(|&(_, len)| len.cast_signed()).collect();
                    pieces.push(Piece { reader: reader(Shape::new(shape), place)?, extents });
                }
                Ok(pieces)
            }
        }
    }
}

/// Start and length of a slice in every dimension.
fn resolve(slice: &TensorSlice, shape: &Shape) -> Result<Vec<(u64, u64)>> {
    let resolved = shape.dims().and_then(|dims| slice.resolve(dims));
    resolved.ok_or_else(|| ErrorKind::Slices(format!("slice {slice} does not fit shape {shape}")).into())
}

/// Whether a box and a region have an index in common in every dimension; steps may still miss it.
fn touches(extents: &[(u64, u64)], axes: &[Axis]) -> bool {
    extents.iter().zip(axes).all(|(&(start, len), axis)| {
        let last = axis.start.saturating_add(axis.count.saturating_sub(1).saturating_mul(axis.step));
        axis.count > 0 && start <= last && axis.start < start.saturating_add(len)
    })
}
