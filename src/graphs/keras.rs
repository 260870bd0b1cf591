//! Configurations of Keras models, as JSON: in `keras_metadata.pb` of a SavedModel, and in `.keras` archives.
//!
//! Keras: `keras/protobuf/saved_metadata.proto`; `saving_lib.py` writes the archive: a zip whose members are stored
//! as they are (method 0), `config.json` among them.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::pb;
use crate::sniff;
use crate::storage::Source;

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

/// The configurations in a `keras_metadata.pb`.
///
/// # Errors
/// If it cannot be read or is none.
pub fn keras_metadata(path: &Path) -> Result<Vec<KerasConfig>> {
    let source = Source::contiguous(path)?;
    limited(&source)?;
    let mut scratch = Vec::new();
    let bytes = source.slice(0..source.len(), &mut scratch)?;
    let metadata: pb::SavedMetadata = pb::decode("Keras metadata", bytes, 0).map_err(|error| error.in_file(path))?;
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
/// If it cannot be read, is no zip archive, or the member is compressed.
pub fn keras_archive(path: &Path) -> Result<Vec<KerasConfig>> {
    let source = Source::open(path)?;
    let config = |json: Vec<u8>| {
        let json = String::from_utf8(json).map_err(|_| Error::malformed("Keras configuration", "not UTF-8"));
        let whole =
            |json| KerasConfig { file: path.to_path_buf(), place: String::new(), identifier: String::new(), json };
        json.map(whole).map_err(|error| error.in_file(path))
    };
    if path.extension().is_some_and(|extension| extension == "json") {
        limited(&source)?;
        return Ok(vec![config(source.head(source.len())?)?]);
    }
    let members = members(&source, "config.json").map_err(|error| error.in_file(path))?;
    if members.is_empty() {
        let why = "a zip archive without config.json: no .keras model".to_owned();
        return Err(Error::new(ErrorKind::NotACheckpoint(why)).in_file(path));
    }
    members.into_iter().map(config).collect()
}

/// Whether a file is a `.keras` archive by its first bytes, or the configuration of an unpacked one by its name.
pub fn is_keras_archive(path: &Path) -> bool {
    let is_zip = || {
        let head = Source::open(path).and_then(|source| source.head(4));
        head.is_ok_and(|head| head == *b"PK\x03\x04")
    };
    path.file_name().is_some_and(|name| name == "config.json")
        || (path.extension().is_some_and(|extension| extension == "keras") && path.is_file())
        || (is_zip() && sniff::look(path).is_some_and(|looks| looks.kind == sniff::Foreign::KerasArchive))
}

/// Where the text `"class_name": "Lambda"` stands in a file of any kind, if it does.
///
/// # Errors
/// If the file cannot be read.
pub fn lambda_text(path: &Path) -> Result<Option<u64>> {
    const STEP: u64 = 1 << 20;
    const OVERLAP: u64 = 256;
    let source = Source::open(path)?;
    let mut at = 0;
    while at < source.len() {
        let mut scratch = Vec::new();
        let window = source.slice(at..source.len().min(at + STEP + OVERLAP), &mut scratch)?;
        let mut from = 0usize;
        while let Some(found) = window.get(from..).and_then(|rest| find(rest, b"\"class_name\"")) {
            let start = from + found;
            let rest = window.get(start + 12..).unwrap_or_default().trim_ascii_start();
            let value = rest.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
            if value.starts_with(b"\"Lambda\"") {
                return Ok(Some(at + start as u64));
            }
            from = start + 12;
        }
        at += STEP;
    }
    Ok(None)
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

fn limited(source: &Source) -> Result<()> {
    let limit = Limits::default().message;
    if source.len() > limit {
        let kind = ErrorKind::LimitExceeded { what: "Keras configuration", got: source.len(), limit };
        return Err(Error::new(kind).in_file(source.path()));
    }
    Ok(())
}

/// Little-endian numbers out of a record of a zip archive.
struct Record<'a>(&'a [u8]);

impl Record<'_> {
    fn number(&self, at: usize, len: usize) -> Result<u64> {
        let bytes = self.0.get(at..at.saturating_add(len)).ok_or_else(|| bad("a record is cut off"))?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

fn bad(why: &'static str) -> Error {
    Error::malformed("zip archive", why)
}

/// The contents of every member called `name`.
///
/// PKWARE's APPNOTE: 4.3.16 (end of central directory), 4.3.14 (the same for zip64), 4.3.12 (central directory).
fn members(source: &Source, name: &str) -> Result<Vec<Vec<u8>>> {
    let limit = Limits::default().message;
    let tail_len = source.len().min(22 + 0xffff);
    let tail_at = source.len().saturating_sub(tail_len);
    let tail = read(source, tail_at, tail_len)?;
    let end = tail.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or_else(|| bad("it has no end: cut off"))?;
    let record = Record(tail.get(end..).unwrap_or_default());
    let (mut size, mut offset) = (record.number(12, 4)?, record.number(16, 4)?);
    if offset == 0xffff_ffff || size == 0xffff_ffff {
        let locator =
            end.checked_sub(20).and_then(|at| tail.get(at..)).ok_or_else(|| bad("zip64 without a locator"))?;
        let at = Record(locator).number(8, 8)?;
        let record = read(source, at, 56)?;
        (size, offset) = (Record(&record).number(40, 8)?, Record(&record).number(48, 8)?);
    }
    if size > limit {
        return Err(Error::new(ErrorKind::LimitExceeded { what: "list of members", got: size, limit }));
    }
    let directory = read(source, offset, size)?;
    let mut found = Vec::new();
    let mut rest = directory.as_slice();
    while rest.starts_with(b"PK\x01\x02") {
        let entry = Record(rest);
        let part = |at, len| entry.number(at, len).and_then(|n| usize::try_from(n).map_err(|_| bad("a number")));
        let (method, stored) = (part(10, 2)?, entry.number(20, 4)?);
        let (name_len, extra, comment) = (part(28, 2)?, part(30, 2)?, part(32, 2)?);
        let at = entry.number(42, 4)?;
        let own = rest.get(46..46usize.saturating_add(name_len)).ok_or_else(|| bad("a name is cut off"))?;
        if own == name.as_bytes() {
            if method != 0 {
                let why = format!("{name} is compressed (method {method}); Keras stores it as it is");
                return Err(Error::malformed("zip archive", why));
            }
            if stored == 0xffff_ffff || at == 0xffff_ffff || stored > limit {
                return Err(bad("config.json of gigabytes, or behind gigabytes of other members"));
            }
            let local = read(source, at, 30)?;
            if !local.starts_with(b"PK\x03\x04") {
                return Err(bad("a member is not where the list of members says"));
            }
            let header = Record(&local);
            let skip = 30 + header.number(26, 2)? + header.number(28, 2)?;
            found.push(read(source, at.saturating_add(skip), stored)?);
        }
        let next = 46usize.saturating_add(name_len).saturating_add(extra).saturating_add(comment);
        rest = rest.get(next..).ok_or_else(|| bad("the list of members is cut off"))?;
    }
    Ok(found)
}

fn read(source: &Source, at: u64, len: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let end = at.checked_add(len).ok_or_else(|| bad("a place beyond every file"))?;
    let slice = source.slice(at..end, &mut bytes)?;
    Ok(slice.to_vec())
}
