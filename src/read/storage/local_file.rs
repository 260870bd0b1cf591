//! A file of the local disk that may be closed while it is held: a checkpoint may have more shards than a process may have
//! files (1,024, or 256, unless somebody raised it).
//!
//! Where the system refuses one more, all that are open are closed, and each is opened again when it is next read. What
//! then lies at the path must be what lay there: a file that was exchanged meanwhile is an error, not a mixture.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::SystemTime;

use crate::base::fault::Fault;

/// The files of the process that may be closed.
static HELD: Mutex<Held> = Mutex::new(Held { files: Vec::new(), sweep_at: 64 });

struct Held {
    files: Vec<Weak<LocalFile>>,
    /// At this length, those that are gone are taken out.
    sweep_at: usize,
}

/// A file that is opened again if it was closed.
#[derive(Debug)]
pub(super) struct LocalFile {
    path: PathBuf,
    identity: Identity,
    open: RwLock<Option<Arc<File>>>,
}

/// By what a file is known to be the same.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    len: u64,
    modified: Option<SystemTime>,
    /// Device and inode, where files have them.
    place: Option<(u64, u64)>,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let place = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let place = None;
        Self { len: metadata.len(), modified: metadata.modified().ok(), place }
    }
}

impl LocalFile {
    /// An open file, and what is known of it.
    pub(super) fn new(path: &Path, file: File, metadata: &Metadata) -> Arc<Self> {
        let open = RwLock::new(Some(Arc::new(file)));
        let held = Arc::new(Self { path: path.to_path_buf(), identity: Identity::of(metadata), open });
        let mut all = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if all.files.len() >= all.sweep_at {
            all.files.retain(|file| file.strong_count() > 0);
            all.sweep_at = all.files.len().saturating_mul(2).max(64);
        }
        all.files.push(Arc::downgrade(&held));
        held
    }

    /// The file, open.
    ///
    /// # Errors
    /// If it was closed and cannot be opened again, or is another one by now.
    pub(super) fn file(&self) -> io::Result<Arc<File>> {
        if let Some(file) = &*self.open.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(open(&self.path)?);
        if Identity::of(&file.metadata()?) != self.identity {
            let what = "it was changed or exchanged since it was opened";
            return Err(Fault::new(what).of_kind(io::ErrorKind::Other));
        }
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&file));
        Ok(file)
    }
}

/// Opens a file to read it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    with_room(|| File::open(path))
}

/// Does what opens a file or a directory; where there are as many as there may be, others are closed for it.
pub(super) fn with_room<T>(opened: impl Fn() -> io::Result<T>) -> io::Result<T> {
    /// Another thread may take the place that was made, or have closed everything for itself.
    const TRIES: usize = 16;
    for _ in 0..TRIES {
        match opened() {
            Err(error) if is_out_of_files(&error) => close_all(),
            done => return done,
        }
    }
    opened()
}

/// Whether the process, or the system, has as many files open as it may.
fn is_out_of_files(error: &io::Error) -> bool {
    /// What Unix calls ENFILE and EMFILE, and Windows `ERROR_TOO_MANY_OPEN_FILES`: the standard library has no kind for it.
    const CODES: &[i32] = if cfg!(unix) { &[23, 24] } else { &[4] };
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

/// Closes what can be opened again. Who reads one of them at this moment has it to the end.
fn close_all() {
    let held: Vec<Arc<LocalFile>> = {
        let all = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        all.files.iter().filter_map(Weak::upgrade).collect()
    };
    for file in held {
        drop(file.open.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(path: &Path) -> Arc<LocalFile> {
        let file = open(path).unwrap();
        let metadata = file.metadata().unwrap();
        LocalFile::new(path, file, &metadata)
    }

    #[test]
    fn what_was_closed_is_opened_again_and_nothing_else_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shard");
        std::fs::write(&path, b"before").unwrap();
        let file = held(&path);
        // Not those of other tests.
        let close = || assert!(file.open.write().unwrap().take().is_some());
        close();
        assert_eq!(file.file().unwrap().metadata().unwrap().len(), 6);
        close();
        std::fs::write(dir.path().join("other"), b"behind").unwrap();
        std::fs::rename(dir.path().join("other"), &path).unwrap();
        assert!(file.file().unwrap_err().to_string().contains("it was changed or exchanged"));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(file.file().unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn files_that_are_gone_are_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shard");
        std::fs::write(&path, b"x").unwrap();
        for _ in 0..1000 {
            drop(held(&path));
        }
        assert!(HELD.lock().unwrap().files.len() < 900);
    }
}
