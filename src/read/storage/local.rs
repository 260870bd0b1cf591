//! The local disk.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::local_file::{self, LocalFile, with_room};
use super::source::Source;
use super::store::{Kind, Stat, Store};
use crate::base::error::{Error, ErrorKind, Result};

/// What the operating system has at a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local;

impl Store for Local {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        std::fs::metadata(path).map(|metadata| of(&metadata))
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        with_room(|| std::fs::read_dir(path))?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    }

    /// The kind is looked at before the file is opened: opening a FIFO waits for a writer that may never come.
    fn open(&self, path: &Path) -> Result<Source> {
        let at = |error| Error::io(error, path);
        refuse_special(path, &std::fs::metadata(path).map_err(at)?)?;
        let file = local_file::open(path).map_err(at)?;
        let metadata = file.metadata().map_err(at)?;
        refuse_special(path, &metadata)?;
        Ok(Source::of_file(path, LocalFile::new(path, file, &metadata), metadata.len()))
    }

    fn open_contiguous(&self, path: &Path) -> Result<Source> {
        self.open(path)?.into_contiguous()
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }

    fn is_taken(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }
}

fn of(metadata: &Metadata) -> Stat {
    let kind = match () {
        () if metadata.is_file() => Kind::File,
        () if metadata.is_dir() => Kind::Folder,
        () => Kind::Special,
    };
    Stat { kind, len: metadata.len(), modified: metadata.modified().ok() }
}

/// Refuses what is not a regular file.
///
/// # Errors
/// [`ErrorKind::NotACheckpoint`] for a directory, FIFO, socket or device.
fn refuse_special(path: &Path, metadata: &Metadata) -> Result<()> {
    let what = match of(metadata).kind {
        Kind::File => return Ok(()),
        Kind::Folder => "is a directory",
        Kind::Special => "is not a regular file (FIFO, socket or device)",
    };
    Err(Error::new(ErrorKind::NotACheckpoint(format!("{what}, where a file was expected"))).in_file(path))
}
