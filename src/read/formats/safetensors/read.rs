//! safetensors files, one or a sharded set, as checkpoints: every tensor is one run of little-endian bytes.
//!
//! Nothing in these files is a checksum, so nothing here ever calls bytes intact.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::dtype::{dtype, undecoded_bits};
use super::header::{Described, Header};
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::escape::escaped;
use crate::base::limits::{Limits, Reports};
use crate::read::container::{Builder, Checksums, Container, Format, Opened, Parts, Place, Tensor};
use crate::read::storage::{Source, Window};
use crate::read::tensor::Shape;

/// Most shards that are open at once; see `bundle::Shards`.
const MOST_OPEN: usize = 64;

/// What the files are called.
pub const SAFETENSORS: Format = Format { id: "safetensors", title: "safetensors", checksums: Checksums::None };

/// The files of an open checkpoint.
#[derive(Debug)]
struct Files {
    index: Option<PathBuf>,
    paths: Vec<PathBuf>,
    open: Mutex<BTreeMap<i32, Arc<Source>>>,
}

impl Container for Files {
    fn format(&self) -> &'static Format {
        &SAFETENSORS
    }

    fn index_file(&self) -> Option<PathBuf> {
        self.index.clone()
    }

    fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    fn source(&self, id: i32) -> Result<Arc<Source>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = open.get(&id) {
            return Ok(Arc::clone(source));
        }
        let source = Arc::new(Source::open(&self.file(id))?);
        if open.len() >= MOST_OPEN {
            open.pop_first();
        }
        open.insert(id, Arc::clone(&source));
        Ok(source)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What is collected while headers are read.
struct Reading<'l> {
    limits: &'l Limits,
    tensors: Builder,
    damage: Vec<Error>,
    notes: Vec<Error>,
    names: BTreeSet<String>,
}

/// Opens a file, or the set that an index file names.
///
/// # Errors
/// If nothing of it can be read.
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Opened> {
    let is_index = path.extension().is_some_and(|extension| extension == "json");
    let mut reading =
        Reading { limits, tensors: Builder::default(), damage: Vec::new(), notes: Vec::new(), names: BTreeSet::new() };
    let paths = if is_index {
        reading.set(path)?
    } else {
        reading.file(path, 0, None)?;
        vec![path.to_path_buf()]
    };
    let Reading { tensors, damage, notes, .. } = reading;
    let container = Box::new(Files { index: is_index.then(|| path.to_path_buf()), paths, open: Mutex::default() });
    Ok(Opened { tensors: tensors.finish(), damage, notes, container })
}

impl Reading<'_> {
    /// Reads an index file and every file that it names; gives the paths of these.
    fn set(&mut self, path: &Path) -> Result<Vec<PathBuf>> {
        let map = weight_map(path, self.limits)?;
        let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, file) in &map {
            files.entry(file).or_default().insert(name);
        }
        let mut paths = Vec::new();
        for (file, names) in files {
            let id = i32::try_from(paths.len()).unwrap_or(i32::MAX);
            let shard = path.with_file_name(file);
            // A name that leads out of the directory is not followed, whatever lies there.
            if file.contains(['/', '\\', ':', '\0']) || matches!(file, "" | "." | "..") {
                let why = format!("the index names {}, which is no file beside it", escaped(file.as_bytes()));
                self.damage.push(Error::malformed("safetensors index", why).in_file(path));
            } else if let Err(error) = self.file(&shard, id, Some(&names)) {
                let lost = format!("{} tensors that the index has in this file are not known", names.len());
                self.damage.push(error.with_help(format!("{lost}; fetch the file again, under exactly this name")));
            }
            paths.push(shard);
        }
        if self.names.is_empty() && !self.damage.is_empty() {
            return Err(self.damage.swap_remove(0));
        }
        Ok(paths)
    }

    /// Reads the header of one file. Of a set, `wanted` is what the index says that it holds.
    fn file(&mut self, path: &Path, id: i32, wanted: Option<&BTreeSet<&str>>) -> Result<()> {
        let source = Source::open(path)?;
        let header = Header::read(&source, self.limits)?;
        let there = source.len().saturating_sub(header.data_start);
        let mut faults = Reports::new("entries that cannot be read", self.limits);
        let mut extra = Reports::new("tensors that the index does not have in this file", self.limits);
        let mut lies: Vec<(u64, u64)> = Vec::with_capacity(header.tensors.len());
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for (name, described) in &header.tensors {
            let here = |error: Error| error.at_part(Part::Header).for_key(name.as_bytes()).in_file(path);
            if let Some(wanted) = wanted {
                found.insert(name);
                if !wanted.contains(name.as_str()) {
                    let why = "it stands in this file, but the index does not have it here";
                    extra.add(|| here(Error::malformed("safetensors index", why)));
                }
            }
            if !self.names.insert(name.clone()) {
                faults.add(|| here(Error::malformed("safetensors header", "this name is there twice")));
                continue;
            }
            match place(described, header.data_start, id) {
                Ok(tensor) => {
                    lies.push(described.offsets);
                    self.tensors.push(&Tensor { name: name.clone().into_bytes(), ..tensor });
                }
                Err(error) => faults.add(|| here(error)),
            }
        }
        for lost in wanted.into_iter().flatten().filter(|name| !found.contains(**name)) {
            faults.add(|| {
                let why = "the index has it in this file, whose header does not";
                Error::malformed("safetensors index", why).for_key(lost.as_bytes()).in_file(path)
            });
        }
        self.damage.append(&mut faults.into_errors());
        self.notes.append(&mut extra.into_errors());
        let gap = gap(&mut lies, header.data_start, there);
        self.notes.extend(gap.map(|error| error.at_part(Part::TensorData).in_file(path)));
        Ok(())
    }
}

/// What an entry says, as a tensor without its name.
fn place(described: &Described, data_start: u64, file: i32) -> Result<Tensor> {
    let bad = |why: String| Error::malformed("safetensors header", why);
    let (start, end) = described.offsets;
    let len =
        end.checked_sub(start).ok_or_else(|| bad(format!("data_offsets [{start}, {end}] end before they begin")))?;
    let elements = described.shape.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim));
    let elements = elements.ok_or_else(|| bad("the elements of its shape cannot be counted".to_owned()))?;
    let Some(dtype) = dtype(&described.dtype) else {
        let name = escaped(described.dtype.as_bytes());
        return Err(match undecoded_bits(&described.dtype) {
            Some(_) => bad(format!("dtype {name} is not decoded by this version")),
            None => bad(format!("dtype {name} is not known")),
        });
    };
    if dtype.element_size().and_then(|size| size.checked_mul(elements)) != Some(len) {
        return Err(bad(format!("{len} bytes, but {} {:?} is another number", described.dtype, described.shape)));
    }
    let dims: Option<Vec<i64>> = described.shape.iter().map(|dim| i64::try_from(*dim).ok()).collect();
    let shape = Shape::new(dims.ok_or_else(|| bad("a dimension beyond 2^63".to_owned()))?);
    let offset = data_start.checked_add(start).and_then(|at| i64::try_from(at).ok());
    let range = offset.zip(i64::try_from(len).ok()).ok_or_else(|| bad("offsets beyond 2^63".to_owned()))?;
    let parts = Parts::Whole(Place { shard: file, range: Some(range), crc32c: None });
    Ok(Tensor { name: Vec::new(), dtype, shape, parts })
}

/// The first place where the tensors do not fill the file; the library refuses such a file. That it is too short, its
/// length says.
fn gap(lies: &mut [(u64, u64)], data_start: u64, there: u64) -> Option<Error> {
    lies.sort_unstable();
    let mut until = 0;
    for &(start, end) in &*lies {
        if start != until {
            let what = if start > until { "no tensor has these bytes" } else { "two tensors share bytes" };
            let why = format!("{what}; the safetensors library refuses such a file");
            return Some(
                Error::malformed("safetensors data", why).at_offset(data_start.saturating_add(until.min(start))),
            );
        }
        until = end;
    }
    (until < there).then(|| {
        let why = "bytes behind the last tensor; the safetensors library refuses such a file";
        Error::malformed("safetensors data", why).at_offset(data_start.saturating_add(until))
    })
}

/// The `weight_map` of an index file: tensor to file.
fn weight_map(path: &Path, limits: &Limits) -> Result<BTreeMap<String, String>> {
    let source = Source::open(path)?;
    if source.len() > limits.message {
        let kind = ErrorKind::LimitExceeded { what: "safetensors index", got: source.len(), limit: limits.message };
        return Err(Error::from(kind).in_file(path));
    }
    let bad = |why: String| Error::malformed("safetensors index", why).in_file(path);
    let mut scratch = Window::default();
    let json = source.slice(0..source.len(), &mut scratch)?;
    let mut index: Value = serde_json::from_slice(json).map_err(|error| bad(error.to_string()))?;
    let map = index.get_mut("weight_map").map(Value::take).ok_or_else(|| bad("no weight_map".to_owned()))?;
    serde_json::from_value(map).map_err(|error| bad(format!("weight_map: {error}")))
}
