//! Opening the files of Keras, and their container.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::config::ConfigTree;
use super::facts::{CONFIG, KerasFacts, METADATA, WEIGHTS, has_objects, listed_at};
use super::names::{told, told_as};
use super::variables::is_twice;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::container::{Checksums, Container, ElementBuffers, Format, Opened, Tensor, Told};
use crate::read::formats::hdf5::{Contents, DataSets, File, HDF5};
use crate::read::storage::{self, Source};
use crate::read::storage::{
    Window,
    archive::{Archive, Member, Packing},
};
use crate::read::tensor::{Axis, Checked, Piece};

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
    /// What is wrong with the bytes of that member, if anything is, by the checksum that the archive has of them; found
    /// once.
    wrong: OnceLock<Option<String>>,
    facts: KerasFacts,
    tree: OnceLock<Option<ConfigTree>>,
    told: OnceLock<BTreeMap<Vec<u8>, Told>>,
}

impl KerasFile {
    /// Whether Keras wrote it; any other HDF5 file is opened in the same way.
    pub fn is_keras(&self) -> bool {
        self.format.id != HDF5.id
    }

    /// What the file says of its model.
    pub fn facts(&self) -> &KerasFacts {
        &self.facts
    }

    /// What is told of data sets with the configuration of another file, where this one has none and its groups and
    /// names are those that Keras makes of that configuration.
    pub fn told_as(&self, other: &Self) -> Option<BTreeMap<Vec<u8>, Told>> {
        let tree = other.tree().filter(|_| self.tree().is_none())?;
        told_as(&self.facts, tree, &other.facts)
    }

    /// Data sets that hold a variable once more: of a layer that is wrapped for spectral normalization, whose kernel is
    /// the wrapper's too.
    pub fn copies(&self) -> BTreeSet<Vec<u8>> {
        let wrappers = self.tree().into_iter().flat_map(|tree| &tree.layers).filter(|layer| is_twice(layer));
        wrappers.map(|layer| [layer.group.as_slice(), b"/vars/0"].concat()).collect()
    }

    /// The layers of the configuration, if there is one that can be read.
    pub fn tree(&self) -> Option<&ConfigTree> {
        self.tree.get_or_init(|| self.facts.config.as_deref().and_then(ConfigTree::parse)).as_ref()
    }
}

impl Container for KerasFile {
    fn format(&self) -> &'static Format {
        self.format
    }

    fn index_file(&self) -> Option<PathBuf> {
        self.index.clone()
    }

    fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    fn source(&self, id: i32) -> Result<Arc<Source>> {
        self.sets.source(id)
    }

    fn verify(&self, tensor: &Tensor) -> Result<Checked> {
        let decoded = self.sets.verify(tensor)?;
        let Some((archive, member)) = &self.archive else { return Ok(decoded) };
        let wrong = if let Some(known) = self.wrong.get() {
            known
        } else {
            let found = match archive.verify(member) {
                Ok(()) => None,
                Err(error) => match error.kind() {
                    ErrorKind::Malformed { why, .. } => Some(why.to_string()),
                    ErrorKind::ChecksumMismatch { got, want, .. } => {
                        Some(format!("the CRC-32 of its weights is {got:#010x}, the archive says {want:#010x}"))
                    }
                    _ => return Err(error),
                },
            };
            self.wrong.get_or_init(|| found)
        };
        let Some(why) = wrong else { return Ok(Checked::Verified) };
        let error = Error::malformed("zip archive", why.clone()).at_offset(member.start);
        let error = error.in_file(archive.source().path());
        Err(error.with_help("the file was changed after it was written: fetch it again"))
    }

    fn weights_crc32(&self) -> Option<u32> {
        self.archive.as_ref().map(|(_, member)| member.crc32)
    }

    fn told(&self, name: &[u8]) -> Option<Told> {
        self.told.get_or_init(|| told(&self.facts, self.tree())).get(name).cloned()
    }

    fn encoded<'c>(
        &'c self,
        tensor: &Tensor,
        dims: &[u64],
        _axes: &[Axis],
        _hold: &'c mut ElementBuffers,
    ) -> Result<Vec<Piece<'c>>> {
        self.sets.piece(tensor, dims)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
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
    let is_keras = is_keras(&contents);
    let format = if is_keras { &KERAS_H5 } else { &HDF5 };
    let mut facts = if is_keras { KerasFacts::read(&mut contents) } else { KerasFacts::default() };
    if is_keras && path.file_name().is_some_and(|name| name == WEIGHTS) {
        beside(path, limits, &mut facts, &mut contents);
    }
    let mut sets = DataSets::default();
    let faults = sets.add(file, &mut contents, is_keras);
    Ok(opened(KerasFile::new(format, sets, vec![path.to_path_buf()], facts), (contents, faults)))
}

/// What to do with weights that are packed and too large for memory.
const UNPACK: &str = "they are packed, and would be unpacked into memory; `unzip` the archive into a directory and give \
                      that: its files are read where they lie";

/// Opens an archive.
///
/// # Errors
/// If it is none, or its weights cannot be read.
pub(super) fn open_archive(path: &Path, limits: &Limits) -> Result<Opened> {
    let mut archive = Archive::open(Arc::new(Source::open(path)?))?;
    let mut faults = archive.take_faults();
    let Some(member) = archive.find(WEIGHTS.as_bytes()).cloned() else {
        if let Some(at) = faults.iter().position(|error| error.location().key.as_deref() == Some(WEIGHTS.as_bytes())) {
            return Err(faults.swap_remove(at));
        }
        let why = format!("a zip archive without {WEIGHTS}: no .keras model with weights in HDF5");
        return Err(Error::new(ErrorKind::NotACheckpoint(why)).in_file(path));
    };
    let (source, start) = if member.packing == Packing::Stored {
        (Arc::clone(archive.source()), member.start)
    } else {
        // What is deflated cannot be read in place: it is unpacked once, for a file that somebody packed again.
        let whole = archive.read(&member, limits.unpacked).map_err(|error| match error.kind() {
            ErrorKind::LimitExceeded { .. } => error.with_help(UNPACK).for_key(WEIGHTS.as_bytes()),
            _ => error.for_key(WEIGHTS.as_bytes()),
        });
        (Arc::new(Source::memory(path, whole?)), 0)
    };
    let inside = |error: Error| error.for_key(WEIGHTS.as_bytes()).in_file(path);
    let file = File::open(source, start, member.len, limits).map_err(inside)?;
    let file = if member.packing == Packing::Stored { file } else { file.unpacked() };
    let mut contents = Contents::read(&file)?;
    if archive.has_doubles() {
        let why = "a name is in the archive more than once; which of them is read depends on the reader";
        contents.notes.push(Error::malformed("zip archive", why).in_file(path));
    }
    let mut facts = KerasFacts::read(&mut contents);
    for (name, take) in [(METADATA, true), (CONFIG, false)] {
        let Some(member) = archive.find(name.as_bytes()) else {
            if faults.iter().any(|error| error.location().key.as_deref() == Some(name.as_bytes())) {
                continue;
            }
            let why = format!("it has no {name}: Keras cannot load the model");
            contents.notes.push(Error::malformed("Keras archive", why).in_file(path));
            continue;
        };
        let read = archive.read(member, limits.text).and_then(|bytes| said(&bytes, take, &mut facts));
        if let Err(error) = read {
            contents.damage.push(error.for_key(name.as_bytes()).in_file(path));
        }
    }
    contents.damage.append(&mut faults);
    let mut sets = DataSets::default();
    let faults = sets.add(file, &mut contents, true);
    let opening = KerasFile::new(&KERAS_ARCHIVE, sets, vec![path.to_path_buf()], facts);
    Ok(opened(KerasFile { archive: Some((archive, member)), ..opening }, (contents, faults)))
}

/// Opens a set: a list of groups and the files that their data sets are in.
///
/// # Errors
/// If nothing of it can be read.
pub(super) fn open_sharded(path: &Path, limits: &Limits) -> Result<Opened> {
    let map = weight_map(path, limits)?;
    let names: BTreeSet<&str> = map.values().flatten().map(String::as_str).collect();
    let (mut sets, mut paths, mut all) = (DataSets::default(), Vec::new(), Contents::default());
    let (mut faults, mut sets_in_all) = (Vec::new(), Vec::new());
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
                sets_in_all.extend(contents.data_sets.iter().map(|(name, set)| (name.clone(), set.dims().to_vec())));
                faults.extend(sets.add(opened, &mut contents, true));
                all.damage.append(&mut contents.damage);
                all.notes.append(&mut contents.notes);
                for (group, attributes) in contents.groups {
                    all.groups.entry(group).or_insert_with(Vec::new).extend(attributes);
                }
                paths.push(file);
            }
            Err(error) => {
                let lost = map.values().filter(|files| files.iter().any(|file| file == name)).count();
                let help = format!(
                    "{lost} groups that the list has in this file are not known; fetch it again, under exactly this name"
                );
                faults.push(error.with_help(help).in_file(&file));
            }
        }
    }
    if sets.is_empty() && !faults.is_empty() {
        return Err(faults.swap_remove(0));
    }
    // Of a group in a file that cannot be read, that is told already.
    let is_there = |file: &String| paths.iter().any(|path| path.file_name().is_some_and(|name| *name == **file));
    for (group, files) in &map {
        let stored = group.trim_start_matches('/').as_bytes();
        if !all.groups.contains_key(stored) && files.iter().all(is_there) {
            let why = "the list has this group, the files have not";
            all.damage.push(Error::malformed("list of weights", why).for_key(stored).in_file(path));
        }
    }
    let facts =
        KerasFacts::of_groups(sets_in_all.iter().map(|(name, dims)| (name.as_slice(), dims.as_slice())), &all.groups);
    let opening = KerasFile::new(&KERAS_H5, sets, paths, facts);
    Ok(opened(KerasFile { index: Some(path.to_path_buf()), ..opening }, (all, faults)))
}

/// What lies beside the weights in a directory that an archive was unpacked into.
fn beside(path: &Path, limits: &Limits, facts: &mut KerasFacts, contents: &mut Contents) {
    for (name, is_metadata) in [(METADATA, true), (CONFIG, false)] {
        let file = path.with_file_name(name);
        if !storage::is_file(&file) {
            continue;
        }
        let read = Source::open(&file).and_then(|source| said(&source.head(limits.text)?, is_metadata, facts));
        if let Err(error) = read {
            contents.notes.push(error.in_file(&file));
        }
    }
}

/// Takes what `metadata.json` or `config.json` says.
fn said(bytes: &[u8], is_metadata: bool, facts: &mut KerasFacts) -> Result<()> {
    if is_metadata {
        return facts.add_metadata(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::malformed(CONFIG, "it is not UTF-8"))?;
    facts.config = Some(text.to_owned());
    Ok(())
}

impl KerasFile {
    fn new(format: &'static Format, sets: DataSets, paths: Vec<PathBuf>, facts: KerasFacts) -> Self {
        Self {
            format,
            sets,
            paths,
            index: None,
            archive: None,
            wrong: OnceLock::new(),
            facts,
            tree: OnceLock::new(),
            told: OnceLock::new(),
        }
    }
}

fn opened(mut file: KerasFile, (mut contents, mut faults): (Contents, Vec<Error>)) -> Opened {
    contents.damage.append(&mut faults);
    let here = file.index.clone().or_else(|| file.paths.first().cloned()).unwrap_or_default();
    let in_file = |errors: Vec<Error>| errors.into_iter().map(|error| error.in_file(&here)).collect();
    let (damage, notes) = (in_file(contents.damage), in_file(contents.notes));
    let tensors = file.sets.take_tensors();
    if file.is_keras() {
        file.facts.integers =
            tensors.iter().filter(|tensor| tensor.dtype.is_integer()).map(|tensor| tensor.name.clone()).collect();
    }
    Opened { tensors, damage, notes, container: Box::new(file) }
}

/// Whether groups are those of a Keras model, whole or weights alone.
fn is_keras(contents: &Contents) -> bool {
    listed_at(contents).is_some() || has_objects(contents) || contents.groups.contains_key(&b"model_weights"[..])
}

/// The `weight_map` of a list: group to files.
fn weight_map(path: &Path, limits: &Limits) -> Result<BTreeMap<String, Vec<String>>> {
    let source = Source::open(path)?;
    if source.len() > limits.message {
        let kind = ErrorKind::LimitExceeded { what: "list of weights", got: source.len(), limit: limits.message };
        return Err(Error::from(kind).in_file(path));
    }
    let bad = |why: String| Error::malformed("list of weights", why).in_file(path);
    let mut scratch = Window::default();
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
