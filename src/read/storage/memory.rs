//! Files in memory: what a program has downloaded or made, read as if it lay on a disk.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::source::Source;
use super::store::{Kind, Stat, Store};
use crate::base::error::{Error, ErrorKind, Result};

/// A file, and when it was last changed where that is known.
type Stored = (Arc<[u8]>, Option<SystemTime>);

/// Files by their paths. Folders are there where a file is below them.
///
/// ```
/// use std::path::Path;
/// use std::sync::Arc;
/// use ckpt::base::limits::Limits;
/// use ckpt::read::checkpoint::{Checkpoint, Choice};
/// use ckpt::read::storage::{MemoryStore, mount};
///
/// let mut files = MemoryStore::default();
/// let header = br#"{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#;
/// let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[1, 2]].concat();
/// files.insert(Path::new("downloaded:/model.safetensors"), bytes);
/// mount(Path::new("downloaded:"), Arc::new(files));
///
/// let path = Path::new("downloaded:/model.safetensors");
/// let checkpoint = Checkpoint::open(path, Choice::default(), &Limits::default())?;
/// assert_eq!(checkpoint.tensors().len(), 1);
/// # Ok::<(), ckpt::base::error::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    files: BTreeMap<PathBuf, Stored>,
}

impl MemoryStore {
    /// Puts a file at `path`, in place of one that was there.
    pub fn insert(&mut self, path: &Path, bytes: impl Into<Arc<[u8]>>) {
        self.files.insert(plain(path), (bytes.into(), None));
    }

    /// Says when the file at `path` was last changed; which of two saves is newer is told from it.
    pub fn set_modified(&mut self, path: &Path, time: SystemTime) {
        if let Some((_, modified)) = self.files.get_mut(&plain(path)) {
            *modified = Some(time);
        }
    }

    fn file(&self, path: &Path) -> io::Result<&Stored> {
        self.files.get(&plain(path)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The files below `folder`, whose own path is plain.
    fn below<'s>(&'s self, folder: &'s Path) -> impl Iterator<Item = &'s PathBuf> {
        let after = self.files.range(folder.to_path_buf()..).map(|(path, _)| path);
        after.take_while(move |path| path.starts_with(folder)).filter(move |path| *path != folder)
    }
}

/// A path without `.`, and with each `..` taken together with what is before it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

impl Store for MemoryStore {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let path = plain(path);
        if let Some((bytes, modified)) = self.files.get(&path) {
            return Ok(Stat { kind: Kind::File, len: bytes.len() as u64, modified: *modified });
        }
        let is_folder = self.below(&path).next().is_some();
        is_folder.then_some(Stat { kind: Kind::Folder, len: 0, modified: None }).ok_or(io::ErrorKind::NotFound.into())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let path = plain(path);
        let inside = |file: &PathBuf| file.strip_prefix(&path).ok()?.iter().next().map(OsString::from);
        let names: BTreeSet<OsString> = self.below(&path).filter_map(inside).collect();
        match self.file(&path) {
            Ok(_) => Err(io::ErrorKind::NotADirectory.into()),
            Err(error) if names.is_empty() => Err(error),
            Err(_) => Ok(names.into_iter().collect()),
        }
    }

    fn open(&self, path: &Path) -> Result<Source> {
        if self.stat(path).is_ok_and(|stat| stat.is_folder()) {
            let what = "is a directory, where a file was expected".to_owned();
            return Err(Error::new(ErrorKind::NotACheckpoint(what)).in_file(path));
        }
        let (bytes, _) = self.file(path).map_err(|error| Error::io(error, path))?;
        Ok(Source::memory(path, bytes.clone()))
    }

    fn open_contiguous(&self, path: &Path) -> Result<Source> {
        self.open(path)
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.stat(path).ok().map(|_| plain(path))
    }
}
