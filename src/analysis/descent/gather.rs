//! From paths to checkpoints: those of directories, of directories in them, and data files that belong to none.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::told::Run;
use crate::base::error::{Error, Result};
use crate::base::limits::Limits;
use crate::read::bundle::{Prefix, ShardName};
use crate::read::checkpoint::{Checkpoint, Choice, Found, ModelDir, Origin};
use crate::read::storage;

/// How deep directories are looked into.
const DEPTH: usize = 8;

/// What leads to a checkpoint, so that it can be opened again.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The path, of what a directory has its directory.
    path: PathBuf,
    found: Option<Found>,
}

impl Way {
    /// Opens it.
    pub(super) fn open(&self, limits: &Limits) -> Result<Checkpoint> {
        match &self.found {
            Some(found) => Checkpoint::open_origin(Origin::of_found(&self.path, found), limits),
            None => Checkpoint::open(&self.path, Choice::default(), limits),
        }
    }

    /// What it is called.
    pub(super) fn prefix(&self) -> &Path {
        self.found.as_ref().map_or(&self.path, |found| found.prefix.as_path())
    }
}

/// A checkpoint that was found.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) way: Way,
    pub(super) run: usize,
    pub(super) modified: Option<SystemTime>,
}

/// What paths lead to.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) runs: Vec<Run>,
    pub(super) places: Vec<Place>,
    /// Data files, with their lengths, of which no index lies beside them.
    pub(super) strays: Vec<(PathBuf, u64, ShardName)>,
    pub(super) unread: Vec<(PathBuf, Error)>,
    seen: std::collections::HashSet<PathBuf>,
}

impl Gathered {
    /// Looks at paths.
    ///
    /// # Errors
    /// If one of them is neither a checkpoint nor a directory with some.
    pub(super) fn of(paths: &[PathBuf], limits: &Limits) -> Result<Self> {
        let mut gathered = Self::default();
        for path in paths {
            let before = gathered.places.len() + gathered.unread.len() + gathered.strays.len();
            let is_known = gathered.seen.len();
            if storage::is_folder(path) && !crate::read::checkpoint::prefix_wins(path) {
                gathered.folder(path, 0, limits);
            }
            let found = gathered.places.len() + gathered.unread.len() + gathered.strays.len() > before;
            if !found && gathered.seen.len() == is_known {
                gathered.one(path, limits)?;
            }
        }
        Ok(gathered)
    }

    fn run(&mut self, path: &Path, group: Option<String>) -> usize {
        let run = Run { path: path.to_path_buf(), group };
        self.runs.iter().position(|known| *known == run).unwrap_or_else(|| {
            self.runs.push(run);
            self.runs.len().saturating_sub(1)
        })
    }

    /// One checkpoint, whatever its format.
    fn one(&mut self, path: &Path, limits: &Limits) -> Result<()> {
        let origin = Origin::locate(path, Choice::default(), limits)?;
        let own = origin.file.as_ref().map_or_else(|| origin.prefix.as_path(), |(file, _)| file).to_path_buf();
        if self.is_new(&own) {
            let run = self.run(&own, None);
            let modified = modified_of(&origin);
            let way = Way { path: path.to_path_buf(), found: None };
            self.places.push(Place { way, run, modified });
        }
        Ok(())
    }

    fn is_new(&mut self, path: &Path) -> bool {
        let parent = path.parent().and_then(storage::canonical);
        let real =
            parent.map_or_else(|| path.to_path_buf(), |parent| parent.join(path.file_name().unwrap_or_default()));
        self.seen.insert(real)
    }

    /// A directory, and those in it.
    fn folder(&mut self, path: &Path, depth: usize, limits: &Limits) {
        let Ok(folder) = storage::list(path) else { return };
        let is_model = ["saved_model.pb", "saved_model.pbtxt"].iter().any(|name| folder.has_file(name));
        if is_model {
            if let Err(error) = self.one(path, limits) {
                self.unread.push((path.to_path_buf(), error));
            }
            return;
        }
        match ModelDir::scan(path, limits) {
            Ok(dir) => {
                let several = dir.groups().len() > 1;
                for found in &dir.checkpoints {
                    let group = several.then(|| found.group());
                    if self.is_new(found.prefix.as_path()) {
                        let run = self.run(path, group);
                        let way = Way { path: path.to_path_buf(), found: Some(found.clone()) };
                        self.places.push(Place { way, run, modified: found.modified });
                    }
                }
            }
            Err(error) => self.unread.push((path.to_path_buf(), error)),
        }
        for (name, stat) in folder.named().filter(|(_, stat)| stat.is_regular()) {
            let shard = name.rfind(".data-").and_then(|at| Some((at, ShardName::parse(name.get(at..)?)?)));
            let Some((at, shard)) = shard else { continue };
            let stem = name.get(..at).unwrap_or_default();
            if !folder.has_file(&format!("{stem}.index")) && self.is_new(&path.join(name)) {
                self.strays.push((path.join(name), stat.len, shard));
            }
        }
        if depth < DEPTH {
            let inner: Vec<PathBuf> =
                folder.entries().filter(|(_, stat)| stat.is_folder()).map(|(name, _)| path.join(name)).collect();
            for inner in inner {
                self.folder(&inner, depth.saturating_add(1), limits);
            }
        }
    }
}

fn modified_of(origin: &Origin) -> Option<SystemTime> {
    let index = match &origin.file {
        Some((file, _)) => file.clone(),
        None => Prefix::new(origin.prefix.as_path().as_os_str()).index(),
    };
    storage::stat(&index).ok()?.modified
}
