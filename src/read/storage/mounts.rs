//! What lies at a path, asked of whatever keeps it: the local disk, a store that was mounted at a prefix, or, for an
//! address, the network.
//!
//! Paths are answered for by the store whose mount point they begin with, component by component; addresses (`gs://…`) by
//! object stores and web servers, if they were built in; all others by the local disk. So a path stays a `Path` everywhere above, and a new place for files is one `impl Store`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

#[cfg(feature = "remote")]
use super::address::Address;
use super::local::Local;
#[cfg(feature = "remote")]
use super::remote::Remote;
use super::source::Source;
use super::store::{Folder, Stat, Store};
use super::trouble::remember;
use crate::base::error::{Error, Result};
use crate::read::wire::Crc32c;

static MOUNTS: RwLock<Vec<(PathBuf, Arc<dyn Store>)>> = RwLock::new(Vec::new());

/// Lets `store` answer for all paths that begin with `prefix`, in place of what did before.
pub fn mount(prefix: &Path, store: Arc<dyn Store>) {
    let mut mounts = MOUNTS.write().unwrap_or_else(PoisonError::into_inner);
    mounts.retain(|(at, _)| at != prefix);
    mounts.push((prefix.to_path_buf(), store));
}

/// Takes a store away again. What was opened from it stays open.
pub fn unmount(prefix: &Path) {
    MOUNTS.write().unwrap_or_else(PoisonError::into_inner).retain(|(at, _)| at != prefix);
}

/// Asks the store that answers for `path`.
fn with<T>(path: &Path, ask: impl FnOnce(&dyn Store) -> T) -> T {
    let mounts = MOUNTS.read().unwrap_or_else(PoisonError::into_inner);
    let mounted = mounts.iter().filter(|(at, _)| path.starts_with(at));
    let nearest = mounted.max_by_key(|(at, _)| at.as_os_str().len()).map(|(_, store)| store.clone());
    // A store may take long: nothing is locked meanwhile.
    drop(mounts);
    match nearest {
        Some(store) => ask(&*store),
        #[cfg(feature = "remote")]
        None if Address::is(path) => ask(&Remote),
        None => ask(&Local),
    }
}

/// Has whatever was remembered of the names at an address asked for anew: for whoever opens it, and wants to see what is
/// there now.
pub fn look_anew(path: &Path) {
    #[cfg(feature = "remote")]
    if Address::is(path) {
        super::remote::look_anew(path);
    }
    #[cfg(not(feature = "remote"))]
    let _ = path;
}

/// How many files below `path` to ask for at a time.
pub fn at_once(path: &Path) -> usize {
    with(path, |store| store.at_once())
}

/// What lies at `path`, with links followed.
///
/// # Errors
/// `NotFound` if nothing does, and whatever else keeps the store from knowing.
pub fn stat(path: &Path) -> io::Result<Stat> {
    with(path, |store| store.stat(path)).inspect_err(|error| remember(error, path))
}

/// Whether a regular file lies at `path`.
pub fn is_file(path: &Path) -> bool {
    stat(path).is_ok_and(|stat| stat.is_regular())
}

/// Whether a folder lies at `path`.
pub fn is_folder(path: &Path) -> bool {
    stat(path).is_ok_and(|stat| stat.is_folder())
}

/// Whether anything lies at `path`, with links followed.
pub fn exists(path: &Path) -> bool {
    stat(path).is_ok()
}

/// Whether the name `path` is taken, if only by a link to nothing.
pub fn is_taken(path: &Path) -> bool {
    stat(path).is_ok() || with(path, |store| store.is_taken(path))
}

/// The folder `path` with what is known of its entries.
///
/// # Errors
/// If it is no folder, or cannot be listed.
pub fn list(path: &Path) -> Result<Folder> {
    let listed = with(path, |store| store.list(path)).inspect_err(|error| remember(error, path));
    listed.map_err(|error| Error::io(error, path))
}

/// The names in the folder `path` that are Unicode, sorted. Asks less than [`list`], and has links to nothing, too.
///
/// # Errors
/// If it is no folder, or cannot be listed.
pub fn names(path: &Path) -> Result<Vec<String>> {
    let names = with(path, |store| store.names(path)).inspect_err(|error| remember(error, path));
    let names = names.map_err(|error| Error::io(error, path))?;
    let mut names: Vec<String> = names.into_iter().filter_map(|name| name.into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// The checksum that whoever keeps the file at `path` has of all its bytes; `None` if there is none of that kind, as on a
/// disk.
///
/// # Errors
/// If it cannot be asked for.
pub fn crc32c(path: &Path) -> Result<Option<Crc32c>> {
    with(path, |store| store.crc32c(path)).map_err(|error| Error::io(error, path))
}

/// The one path of what lies at `path`, without links and `..`; `None` if nothing does.
pub fn canonical(path: &Path) -> Option<PathBuf> {
    with(path, |store| store.canonical(path))
}

impl Source {
    /// Opens the regular file at `path`, wherever it is kept, for positioned reads.
    ///
    /// # Errors
    /// If it cannot be opened, or is a directory, FIFO, socket or device (those could block or never end).
    pub fn open(path: &Path) -> Result<Self> {
        with(path, |store| store.open(path))
    }

    /// Opens a regular file whose bytes are needed as one slice: mapped when large, read when small.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn contiguous(path: &Path) -> Result<Self> {
        with(path, |store| store.open_contiguous(path))
    }
}
