//! One file by itself: what it says whatever its name is and whatever lies beside it. Programs that compare texts, as git
//! does, need the same text of the same bytes.

use std::ffi::OsStr;
use std::path::Path;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::checkpoint::{Checkpoint, Choice, Foreign, Looks, is_table, look};
use crate::read::storage::{Alone, Source};
use crate::read::wire::Crc32c;

/// A file, opened alone.
#[derive(Debug)]
pub struct FileAlone {
    /// What it is.
    pub is: FileIs,
    /// Its length in bytes.
    pub len: u64,
    /// The checksum of all its bytes, where what it is does not tell one file of the kind from another.
    pub crc32c: Option<Crc32c>,
    /// Keeps the file where the checkpoint finds it.
    _alone: Option<Alone>,
}

/// What a file is.
#[derive(Debug)]
pub enum FileIs {
    /// The index of a checkpoint, or a checkpoint that is one file.
    Tensors(Box<Checkpoint>),
    /// What Git LFS has in place of a file: the lines of the pointer.
    Pointer(Vec<String>),
    /// Text of any kind.
    Text(String),
    /// Something else.
    Other(Option<Looks>),
    /// What should have tensors and cannot be opened.
    Broken(Error),
}

/// Text that is longer is only summed.
const LONGEST_TEXT: u64 = 1 << 20;

impl FileAlone {
    /// Opens a file as if nothing lay beside it. That it is no checkpoint is an answer, and no error.
    ///
    /// # Errors
    /// If it cannot be opened or read.
    pub fn open(file: &Path, limits: &Limits) -> Result<Self> {
        let source = Source::open(file)?;
        let len = source.len();
        let looks = look(file);
        let plain = |is, crc32c| Ok(Self { is, len, crc32c, _alone: None });
        let kind = looks.as_ref().map(|looks| looks.kind);
        if len <= LONGEST_TEXT
            && !matches!(kind, Some(Foreign::Hdf5 | Foreign::KerasArchive | Foreign::Archive))
            && let Some(text) = text(&source)?
        {
            if kind == Some(Foreign::LfsPointer) {
                return plain(FileIs::Pointer(text.lines().map(str::to_owned).collect()), None);
            }
            return plain(if text.is_empty() { FileIs::Other(looks) } else { FileIs::Text(text) }, None);
        }
        let is_index = is_table(file) && kind != Some(Foreign::CutSaverV1) || kind == Some(Foreign::CutIndex);
        let name = file.file_name().unwrap_or_default();
        // The index of a bundle is found by its name, and an array is called after its file: both may have any here.
        let alone = match name.as_encoded_bytes().to_ascii_lowercase() {
            _ if is_index => Alone::new(file, OsStr::new("alone.index")),
            name if name.ends_with(b".npy") => Alone::new(file, OsStr::new("array.npy")),
            _ => Alone::new(file, name),
        };
        match Checkpoint::open(&alone.path(), Choice::default(), limits) {
            Ok(checkpoint) if checkpoint.origin().has_variables => {
                let crc32c = if checkpoint.damage().is_empty() { None } else { Some(source.crc32c(0..len)?) };
                Ok(Self { is: FileIs::Tensors(Box::new(checkpoint)), len, crc32c, _alone: Some(alone) })
            }
            Err(error) if !matches!(error.kind(), ErrorKind::NotACheckpoint(_)) => {
                plain(FileIs::Broken(error), Some(source.crc32c(0..len)?))
            }
            _ => plain(FileIs::Other(looks), Some(source.crc32c(0..len)?)),
        }
    }
}

/// The file as text, if it is some: UTF-8 without what only binary files have.
fn text(source: &Source) -> Result<Option<String>> {
    let bytes = source.head(source.len())?;
    let is_text = |text: &String| !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x0c'));
    Ok(String::from_utf8(bytes).ok().filter(is_text))
}
