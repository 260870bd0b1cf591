//! What a place for files must answer: [`Store`], and what it answers with.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::source::Source;
use super::trouble::is_of_device;
use crate::base::error::Result;
use crate::read::wire::Crc32c;

/// What something in a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, which can be read at any place.
    File,
    /// A directory, or whatever else has entries.
    Folder,
    /// A FIFO, a socket, a device: reading it could block, or never end.
    Special,
}

/// What is known of an entry without opening it. Links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Length in bytes of a file; of others whatever the store says.
    pub len: u64,
    /// When it was last changed, where the store keeps that.
    pub modified: Option<SystemTime>,
}

impl Stat {
    /// Whether it is a regular file.
    pub fn is_regular(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether it has entries.
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }
}

/// One listing of a folder, which can be asked many times. Entries of which nothing can be known (a link to nothing, a
/// file that vanished meanwhile) are counted only.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    at: PathBuf,
    entries: BTreeMap<OsString, Stat>,
    unknown: usize,
}

impl Folder {
    /// A listing of `at`, with as many `unknown` entries besides.
    pub fn new(at: &Path, entries: BTreeMap<OsString, Stat>, unknown: usize) -> Self {
        Self { at: at.to_path_buf(), entries, unknown }
    }

    /// How many entries there are of which nothing can be known.
    pub fn unknown(&self) -> usize {
        self.unknown
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.at
    }

    /// All entries by name, whatever bytes a name has.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (&OsStr, &Stat)> {
        self.entries.iter().map(|(name, stat)| (name.as_os_str(), stat))
    }

    /// The entries whose names are Unicode, by name: names that a program gave.
    pub fn named(&self) -> impl DoubleEndedIterator<Item = (&str, &Stat)> {
        self.entries.iter().filter_map(|(name, stat)| Some((name.to_str()?, stat)))
    }

    /// The names that are Unicode, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().filter_map(|name| name.to_str())
    }

    /// The entries whose names begin with `start`, by name.
    pub fn beginning_with<'f>(&'f self, start: &'f str) -> impl Iterator<Item = (&'f str, &'f Stat)> {
        let after = self.entries.range(OsString::from(start)..);
        after.map_while(move |(name, stat)| Some((name.to_str()?, stat)).filter(|(name, _)| name.starts_with(start)))
    }

    /// The entry of this name.
    pub fn get(&self, name: &str) -> Option<&Stat> {
        self.entries.get(OsStr::new(name))
    }

    /// Whether there is a regular file of this name.
    pub fn has_file(&self, name: &str) -> bool {
        self.get(name).is_some_and(Stat::is_regular)
    }
}

/// Keeps files under paths. Blocking: a store on a network has its own way of waiting.
pub trait Store: Debug + Send + Sync {
    /// What lies at `path`; links are followed.
    ///
    /// # Errors
    /// `NotFound` if nothing does, and whatever else keeps the store from knowing.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// The names in the folder `path`, in any order.
    ///
    /// # Errors
    /// If it is no folder, or cannot be listed.
    fn names(&self, path: &Path) -> io::Result<Vec<OsString>>;

    /// Opens the regular file at `path` for reads at any place.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    fn open(&self, path: &Path) -> Result<Source>;

    /// Opens the regular file at `path`, whose bytes are needed as one slice.
    ///
    /// # Errors
    /// As [`Store::open`].
    fn open_contiguous(&self, path: &Path) -> Result<Source>;

    /// The folder `path` with what is known of its entries. A store that is told of them with their names overrides it.
    ///
    /// # Errors
    /// As [`Store::names`].
    fn list(&self, path: &Path) -> io::Result<Folder> {
        let names = self.names(path)?;
        let all = names.len();
        let mut entries = BTreeMap::new();
        for name in names {
            match self.stat(&path.join(&name)) {
                Ok(stat) => drop(entries.insert(name, stat)),
                Err(error) if is_of_device(&error) => return Err(error),
                Err(_) => {}
            }
        }
        let unknown = all.saturating_sub(entries.len());
        Ok(Folder::new(path, entries, unknown))
    }

    /// The checksum that the store itself keeps of the whole file at `path`; `None` if it keeps none of that kind.
    ///
    /// # Errors
    /// If it cannot be asked.
    fn crc32c(&self, _path: &Path) -> io::Result<Option<Crc32c>> {
        Ok(None)
    }

    /// How many files to ask for at a time: where each answer takes long to come, and many can be on their way, several.
    fn at_once(&self) -> usize {
        1
    }

    /// The one path of what lies at `path`, without links and `..`; `None` if nothing does.
    fn canonical(&self, path: &Path) -> Option<PathBuf>;

    /// Whether the name is taken, if only by a link to nothing.
    fn is_taken(&self, path: &Path) -> bool {
        self.stat(path).is_ok()
    }
}
