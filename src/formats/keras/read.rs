//! Opening the files of Keras, and their container.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::WEIGHTS;
use crate::container::{Checksums, Container, Format, Hold, Opened, Tensor};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::escaped;
use crate::formats::hdf5::{Contents, DataSets, File, HDF5};
use crate::limits::Limits;
use crate::storage::Source;
use crate::storage::archive::{Archive, Member, Packing};
use crate::tensor::{Axis, Checked, Piece};

/// What an HDF5 file of Keras is called.
pub const KERAS_H5: Format = Format { id: "keras_h5", title: "Keras HDF5", checksums: Checksums::Some };

/// What an archive is called.
pub const KERAS_ARCHIVE: Format =
    Format { id: "keras_archive", title: "Keras archive (.keras)", checksums: Checksums::Some };

/// The files of an open checkpoint.
#[derive(Debug)]
pub struct KerasFile {
    format: &'static Format,
    sets: DataSets,
    paths: Vec<PathBuf>,
    /// The list of a set.
    index: Option<PathBuf>,
    /// The archive, and the member with the weights.
    archive: Option<(Archive, Member)>,
    /// Whether the bytes of that member are the ones that the archive has a checksum of; found once.
    whole: OnceLock<std::result::Result<(), String>>,
}

impl Container for KerasFile {
    fn format(&self) -> &'static Format {
        self.format
    }

    fn index_file(&self) -> Option<PathBuf> {
        self.index.clone()
    }

    fn file_count(&self) -> i32 {
        i32::try_from(self.paths.len()).unwrap_or(i32::MAX)
    }

    fn file(&self, id: i32) -> PathBuf {
        usize::try_from(id).ok().and_then(|id| self.paths.get(id)).cloned().unwrap_or_default()
    }

    fn has_file(&self, id: i32) -> bool {
        self.file(id).is_file()
    }

    fn source(&self, id: i32) -> Result<Arc<Source>> {
        self.sets.source(id)
    }

    fn verify(&self, tensor: &Tensor) -> Result<Checked> {
        let decoded = self.sets.verify(tensor)?;
        let Some((archive, member)) = &self.archive else { return Ok(decoded) };
        let summed = self.whole.get_or_init(|| check_member(archive, member).map_err(|error| error.to_string()));
        match summed {
            Ok(()) => Ok(Checked::Verified),
            Err(why) => {
                let error = Error::malformed("zip archive", why.clone()).at_offset(member.start);
                Err(error.in_file(archive.source().path()))
            }
        }
    }

    fn encoded<'c>(
        &'c self,
        tensor: &Tensor,
        dims: &[u64],
        _axes: &[Axis],
        _hold: &'c mut Hold,
    ) -> Result<Vec<Piece<'c>>> {
        self.sets.piece(tensor, dims)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Reads a member once, and compares it with its checksum.
fn check_member(archive: &Archive, member: &Member) -> Result<()> {
    let mut reader = archive.reader(member)?;
    std::io::copy(&mut reader, &mut std::io::sink()).map_err(|error| Error::from(ErrorKind::Io(error)))?;
    reader.finish().map(|_| ())
}

/// Opens an HDF5 file.
///
/// # Errors
/// If it is none, or nothing of it can be read.
pub(super) fn open_h5(path: &Path, limits: &Limits) -> Result<Opened> {
    let source = Arc::new(Source::open(path)?);
    let len = source.len();
    let file = File::open(source, 0, len, limits)?;
    let mut contents = Contents::read(&file)?;
    let format = if is_keras(&contents) { &KERAS_H5 } else { &HDF5 };
    let mut sets = DataSets::default();
    let faults = sets.add(file, &mut contents, &mut |_| false);
    Ok(opened(format, sets, vec![path.to_path_buf()], None, None, (contents, faults)))
}

/// Opens an archive.
///
/// # Errors
/// If it is none, or its weights cannot be read.
pub(super) fn open_archive(path: &Path, limits: &Limits) -> Result<Opened> {
    let archive = Archive::open(Arc::new(Source::open(path)?))?;
    // Of several members of one name Python's zipfile takes the last.
    let member = archive.members().iter().rev().find(|member| member.name == WEIGHTS.as_bytes()).cloned();
    let Some(member) = member else {
        let why = format!("a zip archive without {WEIGHTS}: no .keras model with weights in HDF5");
        return Err(Error::new(ErrorKind::NotACheckpoint(why)).in_file(path));
    };
    let (source, start) = match member.packing {
        Packing::Stored => (Arc::clone(archive.source()), member.start),
        // What is deflated cannot be read in place: it is unpacked once, for a file that somebody packed again.
        _ => (Arc::new(Source::memory(path, archive.read(&member, limits.message)?)), 0),
    };
    let inside = |error: Error| error.for_key(WEIGHTS.as_bytes()).in_file(path);
    let file = File::open(source, start, member.len, limits).map_err(inside)?;
    let mut contents = Contents::read(&file)?;
    if archive.has_doubles() {
        let why = "a name is in the archive more than once; which of them is read depends on the reader";
        contents.notes.push(Error::malformed("zip archive", why).in_file(path));
    }
    let mut sets = DataSets::default();
    let faults = sets.add(file, &mut contents, &mut |_| false);
    let archive = Some((archive, member));
    Ok(opened(&KERAS_ARCHIVE, sets, vec![path.to_path_buf()], None, archive, (contents, faults)))
}

/// Opens a set: a list of groups and the files that their data sets are in.
///
/// # Errors
/// If nothing of it can be read.
pub(super) fn open_sharded(path: &Path, limits: &Limits) -> Result<Opened> {
    let map = weight_map(path, limits)?;
    let names: BTreeSet<&str> = map.values().flatten().map(String::as_str).collect();
    let (mut sets, mut paths, mut all) = (DataSets::default(), Vec::new(), Contents::default());
    let mut faults = Vec::new();
    let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
    for name in names {
        let file = path.with_file_name(name);
        // A name that leads out of the directory is not followed, whatever lies there.
        if name.contains(['/', '\\', ':', '\0']) || matches!(name, "" | "." | "..") {
            let why = format!("the list names {}, which is no file beside it", escaped(name.as_bytes()));
            faults.push(Error::malformed("list of weights", why).in_file(path));
            continue;
        }
        let opened = Source::open(&file).and_then(|source| {
            let len = source.len();
            let opened = File::open(Arc::new(source), 0, len, limits)?;
            Ok((Contents::read(&opened)?, opened))
        });
        match opened {
            Ok((mut contents, opened)) => {
                faults.extend(sets.add(opened, &mut contents, &mut |name| !seen.insert(name.to_vec())));
                all.damage.append(&mut contents.damage);
                all.notes.append(&mut contents.notes);
                all.groups.append(&mut contents.groups);
                paths.push(file);
            }
            Err(error) => {
                let lost = map.values().filter(|files| files.iter().any(|file| file == name)).count();
                let help = format!("{lost} groups that the list has in this file are not known; fetch it again, under exactly this name");
                faults.push(error.with_help(help).in_file(&file));
            }
        }
    }
    if seen.is_empty() && !faults.is_empty() {
        return Err(faults.swap_remove(0));
    }
    for group in map.keys() {
        let stored = group.trim_start_matches('/').as_bytes();
        if all.groups.get(stored).is_none() && faults.is_empty() {
            let why = "the list has this group, the files have not";
            all.damage.push(Error::malformed("list of weights", why).for_key(stored).in_file(path));
        }
    }
    Ok(opened(&KERAS_H5, sets, paths, Some(path.to_path_buf()), None, (all, faults)))
}

fn opened(
    format: &'static Format,
    mut sets: DataSets,
    paths: Vec<PathBuf>,
    index: Option<PathBuf>,
    archive: Option<(Archive, Member)>,
    (mut contents, mut faults): (Contents, Vec<Error>),
) -> Opened {
    contents.damage.append(&mut faults);
    let tensors = sets.take_tensors();
    let container = Box::new(KerasFile { format, sets, paths, index, archive, whole: OnceLock::new() });
    Opened { tensors, damage: contents.damage, notes: contents.notes, container }
}

/// Whether groups are those of a Keras model, whole or weights alone.
fn is_keras(contents: &Contents) -> bool {
    let has = |path: &[u8]| contents.groups.contains_key(path);
    let in_vars = |(path, _): &(Vec<u8>, _)| path.rsplit(|byte| *byte == b'/').nth(1) == Some(b"vars");
    has(b"model_weights") || has(b"top_level_model_weights") || contents.data_sets.iter().any(in_vars)
}

/// The `weight_map` of a list: group to files.
fn weight_map(path: &Path, limits: &Limits) -> Result<BTreeMap<String, Vec<String>>> {
    let source = Source::open(path)?;
    if source.len() > limits.message {
        let kind = ErrorKind::LimitExceeded { what: "list of weights", got: source.len(), limit: limits.message };
        return Err(Error::from(kind).in_file(path));
    }
    let bad = |why: String| Error::malformed("list of weights", why).in_file(path);
    let mut scratch = Vec::new();
    let json = source.slice(0..source.len(), &mut scratch)?;
    let list: serde_json::Value = serde_json::from_slice(json).map_err(|error| bad(error.to_string()))?;
    let map = list.get("weight_map").and_then(serde_json::Value::as_object);
    let map = map.ok_or_else(|| bad("no weight_map: this is no list of a sharded set of Keras".to_owned()))?;
    let mut groups = BTreeMap::new();
    for (group, files) in map {
        // One file is written as a string, several as a list.
        let files = match files {
            serde_json::Value::String(one) => vec![one.clone()],
            serde_json::Value::Array(several) => {
                several.iter().filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
            }
            _ => return Err(bad(format!("weight_map: {} has no file", escaped(group.as_bytes())))),
        };
        groups.insert(group.clone(), files);
    }
    Ok(groups)
}
