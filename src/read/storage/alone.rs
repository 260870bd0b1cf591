//! One file, as if nothing lay beside it: what is said of it depends on its bytes alone.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::mounts::{mount, stat, unmount};
use super::source::Source;
use super::store::{Kind, Stat, Store};
use crate::base::error::Result;

/// A file in a folder of its own, for as long as this lives. What was opened from it stays open.
#[derive(Debug)]
pub struct Alone {
    at: PathBuf,
    name: OsString,
}

impl Alone {
    /// The file, wherever it is kept, under this name.
    pub fn new(file: &Path, name: &OsStr) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let at = PathBuf::from(format!("alone-{}:", COUNT.fetch_add(1, Ordering::Relaxed)));
        let store = OneFile { at: at.clone(), path: at.join(name), file: file.to_path_buf() };
        mount(&at, Arc::new(store));
        Self { at, name: name.to_os_string() }
    }

    /// Where it can be opened.
    pub fn path(&self) -> PathBuf {
        self.at.join(&self.name)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        unmount(&self.at);
    }
}

#[derive(Debug)]
struct OneFile {
    at: PathBuf,
    path: PathBuf,
    file: PathBuf,
}

impl Store for OneFile {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        if path == self.path {
            // When it was written is nothing that its bytes say.
            return stat(&self.file).map(|stat| Stat { modified: None, ..stat });
        }
        if path == self.at {
            return Ok(Stat { kind: Kind::Folder, len: 0, modified: None });
        }
        Err(io::ErrorKind::NotFound.into())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        if path == self.at {
            return Ok(self.path.file_name().map(OsStr::to_os_string).into_iter().collect());
        }
        Err(if path == self.path { io::ErrorKind::NotADirectory.into() } else { io::ErrorKind::NotFound.into() })
    }

    fn open(&self, path: &Path) -> Result<Source> {
        if path == self.path { Source::open(&self.file) } else { Err(not_there(path)) }
    }

    fn open_contiguous(&self, path: &Path) -> Result<Source> {
        if path == self.path { Source::contiguous(&self.file) } else { Err(not_there(path)) }
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.stat(path).ok().map(|_| path.to_path_buf())
    }
}

fn not_there(path: &Path) -> crate::base::error::Error {
    crate::base::error::Error::io(io::ErrorKind::NotFound.into(), path)
}
