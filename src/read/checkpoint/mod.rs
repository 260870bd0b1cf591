//! Everything a user may point at, opened as one model: a [`Checkpoint`] of named tensors.
//!
//! `locate` decides what a path is and which files are meant; the formats (`bundle`, `saver_v1`) turn their entries
//! into [`Tensor`]s; reading a tensor, whole or in part, is the same for all of them.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod elements;
mod expect;
mod into;

pub use crate::read::container::{
    Checksums, Container, Cursor, ElementBuffers, Format, Iter, Kind, Opened, Parts, Place, Purpose, Search, Slices,
    StoredSlice, Tensor, Tensors, Told,
};
pub use crate::read::finder::{
    Choice, Found, ModelDir, Origin, SourceKind, StateFile, WrittenPath, graph_beside, prefix_wins,
};
pub use crate::read::sniff::{Foreign, Looks, is_table, look, looks_like};
pub use elements::Elements;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::bundle::{NumericReader, Prefix, SpanWork, Stored, Sums, sum_spans};
use crate::read::container::{Nothing, resolve, touches};
use crate::read::formats;
use crate::read::sniff;
use crate::read::tensor::{Axis, Checked, DType, ElementReader, Piece, Shape, Sink, read_region};
use crate::read::wire::Crc32c;

/// The key of the object graph in an object-based checkpoint (`OBJECT_GRAPH_PROTO_KEY`, `trackable/base.py`).
pub const OBJECT_GRAPH_KEY: &[u8] = b"_CHECKPOINTABLE_OBJECT_GRAPH";

/// What is wrong with a SavedModel that has no variables: only its graph knows whether it should have some.
#[cfg(feature = "graphs")]
use crate::read::graphs::saved_model::damage_without_variables as without_variables;

#[cfg(not(feature = "graphs"))]
fn without_variables(origin: &mut Origin, _: &Limits) -> Vec<Error> {
    origin.notes.push("there is no variables.index; whether there should be one was not looked at".to_owned());
    Vec::new()
}

/// An open checkpoint: what its index says. Tensor bytes are read when asked for.
#[derive(Debug)]
pub struct Checkpoint {
    origin: Origin,
    tensors: Tensors,
    damage: Vec<Error>,
    notes: Vec<Error>,
    container: Box<dyn Container>,
    /// Which files have been looked for, and found.
    present: Mutex<BTreeMap<i32, bool>>,
    limits: Limits,
}

impl Checkpoint {
    /// Opens whatever `path` leads to, by the rules of the command line: a prefix, any file of the set, a directory.
    ///
    /// # Errors
    /// If the path leads to nothing that this tool reads (the error says what it looks like), or nothing of the
    /// index can be read. Damage that leaves something readable is in [`Checkpoint::damage`].
    pub fn open(path: &Path, choice: Choice, limits: &Limits) -> Result<Self> {
        Self::open_origin(Origin::locate(path, choice, limits)?, limits)
    }

    /// Opens what [`Origin::locate`] found.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn open_origin(mut origin: Origin, limits: &Limits) -> Result<Self> {
        if !origin.has_variables {
            let damage = without_variables(&mut origin, limits);
            let opened =
                Opened { tensors: Tensors::default(), damage, notes: Vec::new(), container: Box::new(Nothing) };
            return Ok(Self::of_opened(origin, opened, limits));
        }
        let opened = match &origin.file {
            Some((file, format)) => (format.open)(file, limits),
            None => formats::open_saver(&origin.prefix, &origin.v1_files, limits),
        };
        let mut opened = opened.map_err(sniff::explain_table)?;
        opened.damage = opened.damage.into_iter().map(sniff::explain_table).collect();
        Ok(Self::of_opened(origin, opened, limits))
    }

    /// A checkpoint without any tensor, for what does not exist on one side of a comparison.
    pub fn nothing(path: &Path, limits: &Limits) -> Self {
        let opened =
            Opened { tensors: Tensors::default(), damage: Vec::new(), notes: Vec::new(), container: Box::new(Nothing) };
        Self::of_opened(Origin::of_prefix(path, SourceKind::Nothing, Prefix::new(path.as_os_str())), opened, limits)
    }

    /// Gives it a name that is shown instead of its paths.
    pub fn set_label(&mut self, label: &str) {
        self.origin.label = Some(label.to_owned());
    }

    /// A checkpoint of what a format opened.
    pub(crate) fn of_opened(mut origin: Origin, opened: Opened, limits: &Limits) -> Self {
        let Opened { tensors, damage, notes, container } = opened;
        if let SourceKind::File(format) = &mut origin.kind {
            // A row of the table may stand for several: an HDF5 file need not be one of Keras.
            *format = container.format();
        }
        Self { origin, tensors, damage, notes, container, present: Mutex::default(), limits: limits.clone() }
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

    /// The tensor at a position of [`Checkpoint::tensors`].
    pub fn tensor_at(&self, at: usize) -> Option<Tensor> {
        self.tensors.get(at)
    }

    /// The limits that it was opened with, for what is read because of it.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many threads may go through so many tensors. Few are not worth a thread, nor counting the cores.
    pub fn threads_for(&self, tensors: usize) -> usize {
        const FEW: usize = 20_000;
        if tensors < FEW { 1 } else { self.limits.workers() }
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

    /// The format that it is stored in.
    pub fn format(&self) -> &'static Format {
        self.container.format()
    }

    /// The container as that of one format, for what only that format has; `None` of any other.
    pub(crate) fn of_format<C: Container + 'static>(&self) -> Option<&C> {
        self.container.as_any().downcast_ref()
    }

    /// The files, for who makes a checkpoint of several.
    #[cfg(feature = "analysis")]
    pub(crate) fn container(&self) -> &dyn Container {
        &*self.container
    }

    /// What the files themselves say of a tensor: its own name, what it is for, its place in the model.
    pub fn told(&self, name: &[u8]) -> Option<Told> {
        self.container.told(name)
    }

    /// The CRC-32 of the member of an archive that is this tensor and nothing else: of `.npz`.
    pub fn member_crc32(&self, tensor: &Tensor) -> Option<u32> {
        self.container.member_crc32(tensor)
    }

    /// The CRC-32 of the member of an archive that has all tensors: of `.keras`.
    pub fn weights_crc32(&self) -> Option<u32> {
        self.container.weights_crc32()
    }

    /// The file that says what there is: an index, or the only file itself.
    pub fn described_by(&self) -> PathBuf {
        self.container.index_file().unwrap_or_else(|| self.container.file(0))
    }

    /// The index, where that is a file of its own.
    pub fn index_file(&self) -> Option<PathBuf> {
        self.container.index_file()
    }

    /// The path of a file that holds bytes of tensors, whether or not it is there.
    pub fn file(&self, id: i32) -> PathBuf {
        self.container.file(id)
    }

    /// Number of files that hold bytes of tensors: the data shards that a header counts, the files of a V1 checkpoint.
    pub fn num_shards(&self) -> i32 {
        self.container.file_count()
    }

    /// Whether elements are stored big-endian.
    pub fn is_big_endian(&self) -> bool {
        self.container.is_big_endian()
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
        self.expect(std::iter::once_with(|| tensor.clone()));
        let axes: Vec<Axis> = dims.into_iter().map(Axis::all).collect();
        self.read(tensor, &axes, sink)
    }

    /// Whether the file of a shard is there. Looks at its name only, once a shard.
    pub fn has_shard(&self, id: i32) -> bool {
        let mut known = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(id).or_insert_with(|| self.container.has_file(id))
    }

    /// Sums bytes of the shards on several cores; see [`crate::read::bundle::sum_spans`]. Of a V1 checkpoint nothing.
    pub fn sum_spans<S: Stored>(&self, stored: &[S], threads: usize, done: &AtomicU64) -> Sums {
        sum_spans(&|file| self.container.source(file), stored, threads, done)
    }

    /// What is to be read to sum bytes of the shards, for who reads only a part of it.
    pub fn span_work<'s, S: Stored>(&self, stored: &'s [S]) -> SpanWork<'s, S> {
        SpanWork::new(&|file| self.container.source(file), stored)
    }

    /// Checks the bytes of a string or variant tensor, or of a slice of one, without handing them out.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn verify_variable(&self, dtype: DType, shape: &Shape, place: (i32, u64, u64, Crc32c)) -> Result<()> {
        let (shard, start, len, crc) = place;
        let place = Place { shard, range: Some((start.cast_signed(), len.cast_signed())), crc32c: Some(crc) };
        self.container.verify_variable(dtype, shape, &place, &self.limits)
    }

    /// Compares all bytes of a tensor with the checksums that the container has of its own; says how many bytes its
    /// elements take.
    ///
    /// # Errors
    /// If they cannot be read, or are not what was saved.
    pub fn verify(&self, tensor: &Tensor) -> Result<u64> {
        if self.container.verify(tensor)? == Checked::Verified {
            return Ok(tensor.bytes().unwrap_or(0));
        }
        let mut read = 0u64;
        self.read_all(tensor, &mut |bytes| {
            read = read.saturating_add(bytes.len() as u64);
            Ok(())
        })?;
        Ok(read)
    }

    /// Compares a tensor with the checksums that the container has of its own, if it has any of it, and decodes what
    /// must be decoded.
    ///
    /// # Errors
    /// If it cannot be read, or is not what was saved.
    pub(crate) fn verify_own(&self, tensor: &Tensor) -> Result<Checked> {
        self.container.verify(tensor)
    }

    fn read_pieces(&self, tensor: &Tensor, axes: &[Axis], sink: &mut Sink<'_>) -> Result<Checked> {
        let dims = tensor.dims()?;
        let mut hold = ElementBuffers::default();
        let mut pieces = self.pieces(tensor, &dims, axes, &mut hold)?;
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

    /// The pieces of a tensor that the region touches, each with what reads it.
    pub(crate) fn pieces<'h>(
        &'h self,
        tensor: &Tensor,
        dims: &[u64],
        axes: &[Axis],
        hold: &'h mut ElementBuffers,
    ) -> Result<Vec<Piece<'h>>> {
        match &tensor.parts {
            Parts::Whole(place) if place.range.is_some() => {
                let extents = dims.iter().map(|&dim| (0, dim)).collect();
                Ok(vec![Piece { extents, reader: self.reader(tensor.dtype, &tensor.shape, place)? }])
            }
            Parts::Slices(slices) if !slices.has_blocks() => {
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
                    let shape = Shape::new(extents.iter().map(|&(_, len)| len.cast_signed()).collect::<Vec<_>>());
                    pieces.push(Piece { reader: self.reader(tensor.dtype, &shape, place)?, extents });
                }
                Ok(pieces)
            }
            Parts::Whole(_) | Parts::Slices(_) => self.container.encoded(tensor, dims, axes, hold),
        }
    }

    /// What reads the elements of one run of bytes.
    fn reader(&self, dtype: DType, shape: &Shape, place: &Place) -> Result<Box<dyn ElementReader + '_>> {
        if dtype.element_size().is_none() {
            return self.container.variable_reader(dtype, shape, place, &self.limits);
        }
        let (source, range) = self.container.locate(dtype, shape, place)?;
        Ok(Box::new(NumericReader::new(source, range, dtype, self.is_big_endian(), place.crc32c)?))
    }
}
