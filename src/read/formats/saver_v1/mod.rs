//! The legacy V1 checkpoint: tables whose values are the tensors themselves.
//!
//! Source: `tensorflow/core/util/{saved_tensor_slice.proto,tensor_slice_reader.cc,tensor_slice_writer.cc}`. The empty
//! key holds a `SavedTensorSlices` with the metadata of all tensors in the file; every other key is that of a slice
//! (also of a whole tensor) and holds one with a `TensorProto`, without dtype or shape of its own.

mod scan;
mod values;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::scan::V1Scan;
use self::values::{Reader, Values};
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::bundle::{BundleHeader, Prefix, decode_shape, decode_slice, slice_key};
use crate::read::container::{
    Builder, Checksums, Container, ElementBuffers, Format, Opened, Parts, Place, StoredSlice, Tensor, resolve, touches,
};
use crate::read::storage::Source;
use crate::read::table::{BlockBuffer, Table};
use crate::read::tensor::{Axis, DType, Piece, Shape, TensorSlice};
use crate::read::wire::{Fields, Value};

/// The open files of a V1 checkpoint.
#[derive(Debug)]
pub struct SaverV1 {
    /// The files that are there, and their tables; `None` of one that could not be read.
    files: Vec<(PathBuf, Option<Table>)>,
}

/// What the metadata says of one tensor, and the file that says it.
#[derive(Debug)]
struct Described {
    dtype: DType,
    shape: Shape,
    slices: Vec<(TensorSlice, i32)>,
}

/// Opens `files`, which belong to `prefix`: a file, or a pattern as `model-?????-of-00004`.
///
/// # Errors
/// If none of them can be read.
pub fn open(prefix: &Prefix, files: &[PathBuf], limits: &Limits) -> Result<Opened> {
    let mut damage = Vec::new();
    let mut read = Vec::with_capacity(files.len());
    let mut described: BTreeMap<Box<[u8]>, Described> = BTreeMap::new();
    for path in files {
        let file = i32::try_from(read.len()).unwrap_or(i32::MAX);
        let table = Source::contiguous(path).and_then(|source| Table::open(source, limits));
        let mut table = match table {
            Ok(table) => table,
            Err(error) if files.len() == 1 => return Err(error),
            Err(error) => {
                damage.push(error);
                read.push((path.clone(), None));
                continue;
            }
        };
        damage.append(&mut table.take_damage());
        let here = |e: Error| e.at_part(Part::SaverV1Meta).in_file(path);
        if let Err(error) = read_meta(&table, file, limits, &mut described, &mut damage) {
            damage.push(here(error));
        }
        read.push((path.clone(), Some(table)));
    }
    if described.is_empty() && !damage.is_empty() {
        return Err(damage.swap_remove(0));
    }
    damage.extend(missing(prefix, files));
    let mut tensors = Builder::default();
    for (name, tensor) in described {
        tensors.push(&assemble(name, tensor));
    }
    let container = Box::new(SaverV1 { files: read });
    Ok(Opened { tensors: tensors.finish(), damage, notes: Vec::new(), container })
}

/// How many missing files are named.
const MOST: usize = 20;

/// The shards that are not there, of a checkpoint that was given as a whole. Only they know what they hold.
fn missing(prefix: &Prefix, files: &[PathBuf]) -> Vec<Error> {
    let name = prefix.as_path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some((base, of)) = name.rsplit_once("?????-of-") else { return Vec::new() };
    let there: BTreeSet<&OsStr> = files.iter().filter_map(|file| file.file_name()).collect();
    let all = of.parse().unwrap_or(0usize);
    let names = (0..all).map(|id| format!("{base}{id:05}-of-{of}"));
    let lost: Vec<String> = names.filter(|name| !there.contains(OsStr::new(name))).take(MOST).collect();
    let more = all.saturating_sub(there.len()).saturating_sub(lost.len());
    let error = |name: &String, what: &str| {
        Error::from(ErrorKind::FileMissing(format!("{what} missing, and with it the tensors that only it describes")))
            .in_file(&prefix.as_path().with_file_name(name))
            .with_help("fetch it again, under exactly this name")
    };
    let mut errors: Vec<Error> =
        lost.iter().map(|name| error(name, &format!("{} is", escaped(name.as_bytes())))).collect();
    if let Some(last) = lost.last().filter(|_| more > 0) {
        errors.push(error(last, &format!("behind this file {more} more are")));
    }
    errors
}

fn assemble(name: Box<[u8]>, described: Described) -> Tensor {
    let Described { dtype, shape, slices } = described;
    let place = |file| Place { shard: file, range: None, crc32c: None };
    let is_whole = |slice: &TensorSlice| slice.0.iter().all(|extent| extent.length.is_none());
    let parts = match slices.as_slice() {
        [(slice, file)] if is_whole(slice) => Parts::Whole(place(*file)),
        _ => {
            let stored = |(slice, file)| StoredSlice { slice, place: Some(place(file)) };
            Parts::Slices(slices.into_iter().map(stored).collect())
        }
    };
    Tensor { name: name.into(), dtype, shape, parts }
}

/// Reads the metadata of one file and adds it to what is known of the tensors.
fn read_meta(
    table: &Table,
    file: i32,
    limits: &Limits,
    described: &mut BTreeMap<Box<[u8]>, Described>,
    damage: &mut Vec<Error>,
) -> Result<()> {
    let mut buffer = BlockBuffer::default();
    let missing = || Error::malformed("V1 checkpoint", "the saved tensor slices are missing at its beginning");
    let (value, offset) = table.get(b"", &mut buffer)?.ok_or_else(missing)?;
    let mut meta = None;
    let mut fields = Fields::new(value, offset);
    while let Some(field) = fields.next_field()? {
        if let (1, Value::Bytes(message)) = (field.number, field.value) {
            meta = Some((message, field.offset));
        }
    }
    let (meta, offset) = meta.ok_or_else(|| {
        let kind = ErrorKind::NotACheckpoint("a table, but no V1 checkpoint: no metadata under the empty key".into());
        Error::new(kind).with_help("a bundle index under another name? Give it the suffix .index")
    })?;
    let mut fields = Fields::new(meta, offset);
    while let Some(field) = fields.next_field()? {
        match (field.number, field.value) {
            (1, Value::Bytes(message)) => {
                let (name, tensor) = read_tensor(message, field.offset, file, limits)?;
                merge(name, tensor, described, damage);
            }
            (2, Value::Bytes(version)) => {
                // The same numbers and rules as a bundle's.
                let mut header = BundleHeader::default();
                header.decode_version(version, field.offset)?;
                if let Err(error) = header.check_version() {
                    damage.push(error.at_part(Part::SaverV1Meta).in_file(table.source().path()));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// One `SavedSliceMeta`.
fn read_tensor(message: &[u8], offset: u64, file: i32, limits: &Limits) -> Result<(Box<[u8]>, Described)> {
    let mut name: Box<[u8]> = Box::default();
    let mut described = Described { dtype: DType::Invalid, shape: Shape::scalar(), slices: Vec::new() };
    let mut fields = Fields::new(message, offset);
    while let Some(field) = fields.next_field()? {
        match (field.number, field.value) {
            (1, Value::Bytes(bytes)) => name = bytes.into(),
            (2, Value::Bytes(shape)) => described.shape = decode_shape(shape, field.offset, limits)?,
            (3, Value::Varint(n)) => {
                let number = i32::try_from(n.cast_signed()).unwrap_or(i32::MAX);
                described.dtype = DType::from_number(number);
            }
            (4, Value::Bytes(slice)) => described.slices.push((decode_slice(slice, field.offset)?, file)),
            _ => {}
        }
    }
    Ok((name, described))
}

/// Joins the slices that several shards have of one tensor.
fn merge(name: Box<[u8]>, new: Described, all: &mut BTreeMap<Box<[u8]>, Described>, damage: &mut Vec<Error>) {
    match all.get_mut(&name) {
        None => {
            all.insert(name, new);
        }
        Some(known) if known.dtype == new.dtype && known.shape == new.shape => known.slices.extend(new.slices),
        Some(known) => {
            let why =
                format!("one file has it as {} {}, another as {} {}", known.dtype, known.shape, new.dtype, new.shape);
            damage.push(Error::malformed("V1 metadata", why).for_key(&name));
        }
    }
}

impl Container for SaverV1 {
    fn format(&self) -> &'static Format {
        &Format { id: "saver_v1", title: "TensorFlow checkpoint (V1)", checksums: Checksums::Container }
    }

    fn file_count(&self) -> i32 {
        i32::try_from(self.files.len()).unwrap_or(i32::MAX)
    }

    fn file(&self, id: i32) -> PathBuf {
        let file = usize::try_from(id).ok().and_then(|id| self.files.get(id));
        file.map(|(path, _)| path.clone()).unwrap_or_default()
    }

    fn source(&self, _id: i32) -> Result<Arc<Source>> {
        Err(Error::malformed("V1 checkpoint", "its tensors are messages in a table, no runs of bytes"))
    }

    /// The pieces of a tensor that the region touches, their values found in the tables.
    fn encoded<'a>(
        &'a self,
        tensor: &Tensor,
        dims: &[u64],
        axes: &[Axis],
        hold: &'a mut ElementBuffers,
    ) -> Result<Vec<Piece<'a>>> {
        let buffers = &mut hold.blocks;
        let full = TensorSlice(dims.iter().map(|_| crate::read::tensor::Extent { start: 0, length: None }).collect());
        let stored: Vec<(TensorSlice, i32)> = match &tensor.parts {
            Parts::Whole(place) => vec![(full, place.shard)],
            Parts::Slices(slices) => slices.iter().filter_map(|s| Some((s.slice.clone(), s.place?.shard))).collect(),
        };
        let mut pieces = Vec::new();
        // Several slices may lie in one block, which is then read and decompressed once.
        let mut wanted: BTreeMap<(i32, usize), BTreeMap<Vec<u8>, usize>> = BTreeMap::new();
        for (slice, file) in stored {
            let extents = resolve(&slice, &tensor.shape)?;
            let elements = extents.iter().try_fold(1u64, |n, &(_, len)| n.checked_mul(len)).unwrap_or(u64::MAX);
            // TensorFlow returns an empty tensor without looking for its slice.
            if elements > 0 && touches(&extents, axes) {
                let table = self.table(file)?;
                let key = slice_key(&tensor.name, &slice);
                let missing = || Error::from(not_stored(&slice)).in_file(table.source().path());
                let block = table.block_of(&key).ok_or_else(missing)?;
                if wanted.entry((file, block)).or_default().insert(key, pieces.len()).is_some() {
                    let why = format!("the metadata lists slice {slice} twice");
                    return Err(Error::from(ErrorKind::Slices(why)).in_file(table.source().path()));
                }
                pieces.push(Wanted { slice, extents, elements, file, values: None });
            }
        }
        buffers.resize_with(wanted.len(), BlockBuffer::default);
        for (((file, block), keys), buffer) in wanted.into_iter().zip(buffers) {
            let table = self.table(file)?;
            let in_file = |e: Error| e.at_part(Part::DataBlock(block)).in_file(table.source().path());
            let block = table.read_block(block, buffer)?;
            let found = block.find(&keys, |n, value, offset| {
                if let Some(piece) = pieces.get_mut(n) {
                    piece.values.get_or_insert((value, offset));
                }
            });
            found.map_err(in_file)?;
        }
        let open = |piece: Wanted<'a>| -> Result<Piece<'a>> {
            let table = self.table(piece.file)?;
            piece.open(tensor.dtype).map_err(|e| e.in_file(table.source().path()))
        };
        pieces.into_iter().map(open).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl SaverV1 {
    fn table(&self, file: i32) -> Result<&Table> {
        let table = usize::try_from(file).ok().and_then(|n| self.files.get(n)?.1.as_ref());
        table.ok_or_else(|| Error::malformed("V1 checkpoint", "a shard that is not open"))
    }
}

/// A slice that is to be read: what the metadata says of it, and what was found under its key.
struct Wanted<'a> {
    slice: TensorSlice,
    extents: Vec<(u64, u64)>,
    elements: u64,
    file: i32,
    values: Option<(&'a [u8], u64)>,
}

impl<'a> Wanted<'a> {
    fn open(self, dtype: DType) -> Result<Piece<'a>> {
        let (value, offset) = self.values.ok_or_else(|| not_stored(&self.slice))?;
        let (message, offset) = tensor_proto(value, offset)?;
        let values = Values::new(message, offset, dtype)?;
        let count = values.clone().count()?;
        if Some(count) != self.elements.checked_mul(values.parts) {
            let (what, wanted) = (if values.parts > 1 { "numbers" } else { "elements" }, self.elements);
            let of = if values.parts > 1 { " of two numbers" } else { "" };
            let why = format!("slice {} has {wanted} elements{of}, {count} {what} are stored", self.slice);
            return Err(Error::malformed("V1 tensor", why));
        }
        Ok(Piece { extents: self.extents, reader: Box::new(Reader::new(values)) })
    }
}

fn not_stored(slice: &TensorSlice) -> ErrorKind {
    ErrorKind::SliceMissing(format!("the metadata lists slice {slice} but it is not stored"))
}

/// The `TensorProto` inside a `SavedTensorSlices`: its field 2 `data`, of that field 3 `data`.
fn tensor_proto(value: &[u8], offset: u64) -> Result<(&[u8], u64)> {
    let mut here = (value, offset);
    for number in [2, 3] {
        let mut found = None;
        let mut fields = Fields::new(here.0, here.1);
        while let Some(field) = fields.next_field()? {
            if let (true, Value::Bytes(message)) = (field.number == number, field.value) {
                found = Some((message, field.offset));
            }
        }
        here = found.ok_or_else(|| Error::malformed("V1 tensor", "no data under its key").at_offset(offset))?;
    }
    Ok(here)
}
