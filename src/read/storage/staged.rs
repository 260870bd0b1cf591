//! Files that appear under their names only complete: written into a directory of their own beside the place where they
//! shall be, and moved there once all of them are whole.
//!
//! Whatever ends the program before, nothing lies under the names that were meant, and nothing that lay there is lost;
//! `replace` says in which steps one set takes the place of another.
//! Two programs that write to one place do not mix: the second is refused while the first works.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::address::Address;
use super::local_file::with_room;
use super::replace::{BRIDGE, Bridge, Placing, moved_away, put_in_order};
use crate::base::error::{Error, ErrorKind, Result};

/// Bytes that are written at a time. More at once becomes one large page of the cache, which may cost four times as much
/// (docs/performance.md).
const AT_ONCE: usize = 64 << 10;

/// A directory in which files are prepared.
#[derive(Debug)]
pub struct Staged {
    /// Where they shall lie.
    target: PathBuf,
    /// Where they are prepared.
    dir: PathBuf,
    /// Held while they are: the system lets go of it however the program ends.
    lock: Option<(File, PathBuf)>,
}

/// A file that is being written.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    out: BufWriter<File>,
    /// Where the next byte goes.
    at: u64,
    /// Why something could not be written. What comes behind goes nowhere: an archive that is given up still writes its
    /// end, and whoever does that for it prints on standard error that it cannot.
    failed: Option<io::ErrorKind>,
}

impl Staged {
    /// A place to prepare the files that shall be called `name` and more in the directory `target`, which is made if it
    /// is not there. What a run that was killed left of its own is taken away.
    ///
    /// # Errors
    /// If another program is writing there under this name, or nothing can be written there.
    pub fn new(target: &Path, name: &str) -> Result<Self> {
        if Address::is(target) {
            let what = "addresses are read, and not written".to_owned();
            let help = "write to a disk, look at it, and copy it with the tools of the store";
            return Err(Error::new(ErrorKind::Request(what)).in_file(&target.join(name)).with_help(help));
        }
        let at = |error: io::Error| Error::output(error, target);
        fs::create_dir_all(target).map_err(|error| at(no_folder(error)))?;
        let lock_path = target.join(format!(".{name}.ckpt-lock"));
        let lock = with_room(|| OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path));
        let lock = lock.map_err(at)?;
        if lock.try_lock().is_err() || !is_at(&lock, &lock_path) {
            let why = "another program is writing to this place".to_owned();
            return Err(Error::new(ErrorKind::Request(why)).in_file(&target.join(name)));
        }
        let dir = target.join(folder_of(name));
        // Nobody else holds the lock: what lies here is of nobody who still runs.
        if dir.symlink_metadata().is_ok() {
            put_in_order(target, &dir).map_err(at)?;
            fs::remove_dir_all(&dir).map_err(|error| Error::output(error, &dir))?;
        }
        fs::create_dir(&dir).map_err(|error| Error::output(error, &dir))?;
        Ok(Self { target: target.to_path_buf(), dir, lock: Some((lock, lock_path)) })
    }

    /// The directory to write into, by [`NewFile`].
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Waits until these files are on the disk; to be done before they are moved, and may be done while they are read.
    ///
    /// # Errors
    /// If one of them cannot be written there.
    pub fn sync(&self, names: &[String]) -> Result<()> {
        names.iter().try_for_each(|name| {
            let path = self.dir.join(name);
            let synced = with_room(|| File::open(&path)).and_then(|file| file.sync_all());
            synced.map_err(|error| Error::output(error, &path))
        })
    }

    /// The directory for the files of a [`Bridge`], which is made.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn bridge_dir(&self) -> Result<PathBuf> {
        let dir = self.dir.join(BRIDGE);
        fs::create_dir(&dir).map_err(|error| Error::output(error, &dir))?;
        Ok(dir)
    }

    /// Whether something has this name where the files shall lie.
    pub fn is_taken(&self, name: &str) -> bool {
        self.target.join(name).symlink_metadata().is_ok()
    }

    /// Whether it is a folder that has this name there; a link to one is none.
    fn is_folder(&self, name: &str) -> bool {
        self.target.join(name).symlink_metadata().is_ok_and(|found| found.is_dir())
    }

    /// Moves the files to where they shall lie: `names`, those by which the others are found last. With `replace` what
    /// lies under these names and under `outdated` is taken away, those by which the others are found first; where data
    /// is replaced, a `bridge` keeps it found at every moment.
    ///
    /// # Errors
    /// If one of them lies there already and `replace` is not said, or is a folder, or cannot be moved. Then what lay
    /// there lies there still.
    pub fn commit(
        mut self,
        names: &[String],
        outdated: &[String],
        replace: bool,
        bridge: Option<&Bridge>,
    ) -> Result<Vec<PathBuf>> {
        if let Some(name) = names.iter().find(|name| self.is_taken(name)).filter(|_| !replace) {
            return Err(taken(&self.target.join(name)));
        }
        // What lies in a folder is never what a file takes the place of.
        if let Some(name) = names.iter().chain(outdated).find(|name| self.is_folder(name)) {
            return Err(refused_folder(&self.target.join(name)));
        }
        if let Some(bridge) = bridge {
            let all = bridge.more.iter().chain(std::iter::once(&bridge.index));
            self.sync(&all.map(|name| format!("{BRIDGE}/{name}")).collect::<Vec<_>>())?;
        }
        let placing = Placing { target: &self.target, dir: &self.dir, names, outdated, bridge };
        let placed = if replace { placing.replace() } else { placing.place() };
        placed.map_err(|(error, at)| {
            let is_taken = error.kind() == io::ErrorKind::AlreadyExists;
            if is_taken { taken(&at) } else { Error::output(error, &at) }
        })?;
        // The names themselves are on the disk only now. Not every file system can be asked for that.
        if let Ok(target) = with_room(|| File::open(&self.target)) {
            let _ = target.sync_all();
        }
        self.clear();
        Ok(names.iter().map(|name| self.target.join(name)).collect())
    }

    fn clear(&mut self) {
        discard(&self.dir);
        if let Some((_, path)) = self.lock.take() {
            let _ = fs::remove_file(path);
        }
    }
}

/// Takes away a folder that this program made for itself, with all that is in it.
pub fn discard(dir: &Path) {
    let _ = fs::remove_dir_all(dir);
}

/// Whether a file still lies under this name: who held the lock before may have taken it away meanwhile.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    file.metadata().and_then(|a| fs::metadata(path).map(|b| same(a, b))).unwrap_or(false)
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

fn taken(path: &Path) -> Error {
    let why = "it is there already, and is not replaced without --force".to_owned();
    Error::new(ErrorKind::Request(why)).in_file(path)
}

/// The error where a folder has the name that a file shall have.
pub fn refused_folder(path: &Path) -> Error {
    let why = "a directory, which is not replaced by a file; give another name".to_owned();
    Error::new(ErrorKind::Request(why)).in_file(path)
}

/// What the system calls "exists" where it was to make a folder: something else has its name.
fn no_folder(error: io::Error) -> io::Error {
    let is_other = error.kind() == io::ErrorKind::AlreadyExists;
    if is_other { io::ErrorKind::NotADirectory.into() } else { error }
}

/// The directory in which files are prepared that shall be called `name`.
fn folder_of(name: &str) -> String {
    format!(".{name}.ckpt-new")
}

/// What a run that was ended, or still runs, has beside the files that it writes.
#[derive(Clone, Debug)]
pub struct Unplaced {
    /// Where it lies.
    pub dir: PathBuf,
    /// Whether a run is at work.
    pub is_running: bool,
    /// Files that it was to replace and had moved away, and the directory in which they lie.
    pub moved_away: Option<(PathBuf, Vec<PathBuf>)>,
}

/// The name of the files that are prepared in a directory of this name, if it is one of ours.
pub fn unplaced_name(folder: &str) -> Option<&str> {
    folder.strip_prefix('.')?.strip_suffix(".ckpt-new").filter(|name| !name.is_empty())
}

/// What a run has left that was to write files called `name` in a directory.
pub fn unplaced(target: &Path, name: &str) -> Option<Unplaced> {
    let dir = target.join(folder_of(name));
    if !dir.is_dir() {
        return None;
    }
    let lock = File::open(target.join(format!(".{name}.ckpt-lock")));
    let is_running = lock.is_ok_and(|lock| lock.try_lock_shared().is_err());
    Some(Unplaced { is_running, moved_away: moved_away(&dir), dir })
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.lock.is_some() {
            self.clear();
        }
    }
}

impl NewFile {
    /// A file that is not there yet.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let file = with_room(|| OpenOptions::new().write(true).create_new(true).open(path));
        let file = file.map_err(|e| Error::output(e, path))?;
        Ok(Self { path: path.to_path_buf(), out: BufWriter::with_capacity(AT_ONCE, file), at: 0, failed: None })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// If they cannot be written: the disk may be full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = bytes.chunks(AT_ONCE).try_for_each(|part| self.write_all(part));
        written.map_err(|error| Error::output(error, &self.path))
    }

    /// Does something with the file, unless something could not be done before.
    fn unless_failed<T>(
        &mut self,
        instead: T,
        what: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.failed.is_some() {
            return Ok(instead);
        }
        what(&mut self.out).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.failed = Some(error.kind());
            }
        })
    }

    /// Writes what is still in memory.
    ///
    /// # Errors
    /// As [`NewFile::write`].
    pub fn finish(self) -> Result<()> {
        let path = self.path;
        if let Some(kind) = self.failed {
            return Err(Error::output(kind.into(), &path));
        }
        let written = self.out.into_inner().map_err(io::IntoInnerError::into_error).map(drop);
        written.map_err(|error| Error::output(error, &path))
    }
}

impl io::Seek for NewFile {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let instead = match to {
            io::SeekFrom::Start(at) => at,
            io::SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            io::SeekFrom::End(_) => self.at,
        };
        self.at = self.unless_failed(instead, |out| out.seek(to))?;
        Ok(self.at)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.unless_failed(bytes.len(), |out| out.write(bytes))?;
        self.at = self.at.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed((), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dir: &Path, name: &str) -> Option<Vec<u8>> {
        fs::read(dir.join(name)).ok()
    }

    fn stage(dir: &Path, files: &[(&str, &[u8])]) -> Staged {
        let staged = Staged::new(dir, "m").unwrap();
        for (name, bytes) in files {
            let mut file = NewFile::create(&staged.dir().join(name)).unwrap();
            file.write(bytes).unwrap();
            file.finish().unwrap();
        }
        staged
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn nothing_is_there_before_all_is_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let staged = stage(dir.path(), &[("m.data", b"1"), ("m.index", b"2")]);
        assert!(read(dir.path(), "m.data").is_none());
        assert!(Staged::new(dir.path(), "m").is_err(), "two do not mix");
        drop(staged);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        stage(dir.path(), &[("m.data", b"1"), ("m.index", b"2")])
            .commit(&names(&["m.data", "m.index"]), &[], false, None)
            .unwrap();
        assert_eq!(read(dir.path(), "m.index").unwrap(), b"2");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("m.index/kept")).unwrap();
        let new: [(&str, &[u8]); 2] = [("m.data", b"new"), ("m.index", b"new")];
        // A folder has no links: it was moved away like a file of a file system without them, and then taken away.
        let error = stage(dir.path(), &new).commit(&names(&["m.data", "m.index"]), &[], true, None).unwrap_err();
        assert!(error.to_string().contains("a directory"), "{error}");
        let outdated = names(&["m.index"]);
        assert!(stage(dir.path(), &new[..1]).commit(&names(&["m.data"]), &outdated, true, None).is_err());
        assert!(dir.path().join("m.index/kept").is_dir() && read(dir.path(), "m.data").is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        // Below a file there is no folder.
        fs::write(dir.path().join("file"), b"").unwrap();
        let error = Staged::new(&dir.path().join("file"), "m").unwrap_err();
        assert!(error.to_string().contains("not a directory"), "{error}");
    }

    #[test]
    fn what_is_there_is_replaced_only_when_told_and_comes_back_if_the_program_ends() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["m.data", "m.index", "m.data2"] {
            fs::write(dir.path().join(name), b"old").unwrap();
        }
        let all = names(&["m.data", "m.index"]);
        let new: [(&str, &[u8]); 2] = [("m.data", b"new"), ("m.index", b"new")];
        assert!(stage(dir.path(), &new).commit(&all, &[], false, None).is_err());
        assert_eq!(read(dir.path(), "m.data").unwrap(), b"old");
        // Ended after the old files had been moved aside and one of the new ones placed.
        let staged = stage(dir.path(), &new);
        let aside = staged.dir().join("replaced");
        fs::create_dir(&aside).unwrap();
        for name in ["m.index", "m.data"] {
            fs::rename(dir.path().join(name), aside.join(name)).unwrap();
        }
        fs::rename(staged.dir().join("m.data"), dir.path().join("m.data")).unwrap();
        let mut staged = staged;
        staged.lock = None;
        drop(staged);
        let again = stage(dir.path(), &new);
        assert_eq!(
            [read(dir.path(), "m.data"), read(dir.path(), "m.index")],
            [Some(b"old".to_vec()), Some(b"old".to_vec())]
        );
        again.commit(&all, &names(&["m.data2"]), true, None).unwrap();
        assert_eq!(read(dir.path(), "m.data").unwrap(), b"new");
        assert!(read(dir.path(), "m.data2").is_none(), "a file of the old set");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
