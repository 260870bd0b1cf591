//! Configurations of Keras models, as JSON: in `keras_metadata.pb` of a SavedModel, in `.keras` archives and in `.h5`
//! files.
//!
//! Keras: `keras/protobuf/saved_metadata.proto`; `saving_lib.py` writes the archive, with `config.json` in it;
//! `legacy_h5_format.py` writes the attributes `model_config` and `training_config`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::formats;
use crate::read::formats::keras::KerasFile;
use crate::read::pb;
use crate::read::sniff;
use crate::read::storage::{self, Source};
use crate::read::storage::{Window, archive::Archive};

/// One configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KerasConfig {
    /// The file it is in.
    pub file: PathBuf,
    /// Which object of the model it describes: `root.layer-1`; empty for the whole model.
    pub place: String,
    /// What Keras calls that kind of object: `_tf_keras_layer`; empty in an archive.
    pub identifier: String,
    /// The JSON.
    pub json: String,
}

/// A file that holds configurations, whatever its format is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KerasConfigFile {
    path: PathBuf,
    held: Held,
}

/// How a file holds configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// As nodes of `keras_metadata.pb`.
    Metadata,
    /// As a member of an archive, or unpacked.
    Archive,
    /// As attributes of an HDF5 file.
    Hdf5,
}

impl KerasConfigFile {
    /// The file at `path`, if by its name or its first bytes it is one that may hold configurations.
    pub fn of(path: &Path) -> Option<Self> {
        let held = if path.file_name().is_some_and(|name| name == METADATA) {
            Held::Metadata
        } else if is_keras_archive(path) {
            Held::Archive
        } else if sniff::look(path).is_some_and(|looks| looks.kind == sniff::Foreign::Hdf5) {
            Held::Hdf5
        } else {
            return None;
        };
        Some(Self { path: path.to_path_buf(), held })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its configurations, and what of it could not be read.
    ///
    /// # Errors
    /// If it cannot be read, or is no such file.
    pub fn read(&self, limits: &Limits) -> Result<(Vec<KerasConfig>, Vec<Error>)> {
        let path = &self.path;
        match self.held {
            Held::Metadata => keras_metadata(path, limits).map(|configs| {
                let why = "there is no configuration in this file: it is empty or cut off";
                let empty = || Error::malformed("Keras metadata", why).in_file(path);
                let lost = configs.is_empty().then(empty);
                (configs, lost.into_iter().collect())
            }),
            Held::Archive => keras_archive(path, limits).map(|configs| (configs, Vec::new())),
            Held::Hdf5 => keras_h5(path, limits),
        }
    }
}

/// The file in a SavedModel in which Keras described its objects.
pub const METADATA: &str = "keras_metadata.pb";

/// The configurations in a `keras_metadata.pb`.
///
/// # Errors
/// If it cannot be read or is none.
pub fn keras_metadata(path: &Path, limits: &Limits) -> Result<Vec<KerasConfig>> {
    let source = Source::contiguous(path)?;
    limited(&source, limits)?;
    let mut scratch = Window::default();
    let bytes = source.slice(0..source.len(), &mut scratch)?;
    let metadata: pb::SavedMetadata = pb::decode("Keras metadata", bytes, 0)
        .map_err(|error| sniff::instead(error, "not the metadata of Keras", path))?;
    let config = |node: pb::saved_metadata::SavedObject| KerasConfig {
        file: path.to_path_buf(),
        place: node.node_path,
        identifier: node.identifier,
        json: node.metadata,
    };
    Ok(metadata.nodes.into_iter().map(config).collect())
}

/// The configuration in a `.keras` archive, or in an unpacked one: the path of its `config.json`. If an archive has
/// several, all of them: which one is taken depends on who reads it.
///
/// # Errors
/// If it cannot be read, or is no zip archive with a configuration.
fn keras_archive(path: &Path, limits: &Limits) -> Result<Vec<KerasConfig>> {
    let source = Source::open(path)?;
    let config = |json: Vec<u8>| {
        let json = String::from_utf8(json).map_err(|_| Error::malformed("Keras configuration", "not UTF-8"));
        json.map(|json| whole(path, "", json)).map_err(|error| error.in_file(path))
    };
    if path.extension().is_some_and(|extension| extension == "json") {
        limited(&source, limits)?;
        return Ok(vec![config(source.head(source.len())?)?]);
    }
    let mut archive = Archive::open(Arc::new(source))?;
    let lost = |error: &Error| error.location().key.as_deref() == Some(b"config.json");
    if let Some(error) = archive.take_faults().into_iter().find(lost) {
        return Err(error);
    }
    let members = archive.members().iter().filter(|member| member.name == b"config.json");
    let found = members.map(|member| archive.read(member, limits.message).and_then(config));
    let found = found.collect::<Result<Vec<KerasConfig>>>()?;
    if found.is_empty() {
        let why = "a zip archive without config.json: no .keras model".to_owned();
        return Err(Error::new(ErrorKind::NotACheckpoint(why)).in_file(path));
    }
    Ok(found)
}

/// What an HDF5 file of Keras has: its configurations, and what of it could not be read.
///
/// # Errors
/// If it cannot be read, or has no configuration.
fn keras_h5(path: &Path, limits: &Limits) -> Result<(Vec<KerasConfig>, Vec<Error>)> {
    let format = formats::of_file(path).ok_or_else(|| Error::malformed("HDF5 file", "it is none").in_file(path))?;
    let mut opened = (format.open)(path, limits)?;
    let facts = opened.container.as_any().downcast_ref::<KerasFile>().map(|file| file.facts().clone());
    let facts = facts.unwrap_or_default();
    let training = facts.training_config.map(|json| whole(path, "training_config", json));
    let found: Vec<KerasConfig> = facts.config.map(|json| whole(path, "", json)).into_iter().chain(training).collect();
    if found.is_empty() {
        return Err(opened.damage.pop().unwrap_or_else(|| {
            let why = "there is no configuration in this file: weights alone hold values and no code".to_owned();
            let help = "give the `.keras` archive or the `.h5` with the configuration that these weights belong to";
            Error::new(ErrorKind::NotACheckpoint(why)).in_file(path).with_help(help)
        }));
    }
    Ok((found, opened.damage))
}

/// The configuration of a whole model, or what stands beside it.
fn whole(path: &Path, place: &str, json: String) -> KerasConfig {
    KerasConfig { file: path.to_path_buf(), place: place.to_owned(), identifier: String::new(), json }
}

/// Whether a file is a `.keras` archive by its first bytes, or the configuration of an unpacked one by its name.
fn is_keras_archive(path: &Path) -> bool {
    let is_zip = || {
        let head = Source::open(path).and_then(|source| source.head(4));
        head.is_ok_and(|head| head == *b"PK\x03\x04")
    };
    path.file_name().is_some_and(|name| name == "config.json")
        || (path.extension().is_some_and(|extension| extension == "keras") && storage::is_file(path))
        || (is_zip() && sniff::look(path).is_some_and(|looks| looks.kind == sniff::Foreign::KerasArchive))
}

fn limited(source: &Source, limits: &Limits) -> Result<()> {
    let limit = limits.message;
    if source.len() > limit {
        let kind = ErrorKind::LimitExceeded { what: "Keras configuration", got: source.len(), limit };
        return Err(Error::new(kind).in_file(source.path()));
    }
    Ok(())
}
