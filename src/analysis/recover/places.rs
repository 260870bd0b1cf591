//! Where the pieces of a broken checkpoint may lie: beside it, in what an interrupted save left, and where the user says.

use std::path::{Path, PathBuf};

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::bundle::{Prefix, is_unfinished};
use crate::read::storage::{self, Folder};

/// How many files of a directory are looked into.
const MOST: usize = 400;

/// Files that may belong to a checkpoint or to another save of it: beside it, and where savers keep the parts of a save
/// until it is whole (`<prefix>_temp/`, with a random suffix in TensorFlow 1).
pub(in crate::analysis) fn beside(prefix: &Prefix) -> Vec<PathBuf> {
    some_of(files_around(&prefix.directory()), prefix).0
}

/// As many as are looked into, those that are called like the checkpoint first; and how many there are besides.
fn some_of(mut all: Vec<PathBuf>, prefix: &Prefix) -> (Vec<PathBuf>, usize) {
    let base = prefix.base_name().as_encoded_bytes();
    let is_own = |file: &PathBuf| {
        // What lies in a temporary directory is called after that.
        let names = file.iter().rev().take(2);
        !base.is_empty() && names.map(std::ffi::OsStr::as_encoded_bytes).any(|name| name.starts_with(base))
    };
    all.sort_by_cached_key(|file| (!is_own(file), file.clone()));
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    (all, more)
}

/// The files of a directory and of the temporary directories in it.
fn files_around(dir: &Path) -> Vec<PathBuf> {
    let files_in = |folder: &Folder| {
        let files = folder.entries().filter(|(_, stat)| stat.is_regular());
        files.map(|(name, _)| folder.path().join(name)).collect::<Vec<PathBuf>>()
    };
    let folder = storage::list(dir).unwrap_or_default();
    let mut all = files_in(&folder);
    let temporary = folder.named().filter(|(name, stat)| name.contains("_temp") && stat.is_folder());
    let parts = temporary.take(20).filter_map(|(name, _)| storage::list(&folder.path().join(name)).ok());
    all.extend(parts.flat_map(|folder| files_in(&folder)));
    all
}

/// Files of the checkpoint's own name in the directories above and below: index and data were put apart.
fn elsewhere(prefix: &Prefix) -> Vec<PathBuf> {
    const DIRECTORIES: usize = 32;
    let base = prefix.base_name().to_string_lossy().into_owned();
    let dir = prefix.directory();
    let folder = storage::list(&dir).unwrap_or_default();
    let below = folder.entries().filter(|(_, stat)| stat.is_folder()).map(|(name, _)| dir.join(name));
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).map(Path::to_path_buf);
    let is_own = |name: &String| {
        let rest = name.strip_prefix(&base).filter(|_| !base.is_empty());
        rest.is_some_and(|rest| rest == ".index" || rest.starts_with(".data-"))
    };
    let mut found: Vec<PathBuf> = Vec::new();
    for other in below.take(DIRECTORIES).chain(above) {
        let names = storage::names(&other).unwrap_or_default().into_iter().filter(is_own);
        found.extend(names.map(|name| other.join(name)));
    }
    found.truncate(MOST);
    found
}

/// Everything that is looked into.
#[derive(Debug)]
pub(super) struct Places {
    /// The directory of the checkpoint, then those that the user named.
    pub(super) dirs: Vec<PathBuf>,
    /// The files in them, in the same order.
    pub(super) files: Vec<PathBuf>,
    /// How many files were not looked into, because there are too many.
    pub(super) left_out: usize,
}

impl Places {
    /// Looks around a prefix and into the directories `from`.
    pub(super) fn look(prefix: &Prefix, from: &[PathBuf]) -> Result<Self> {
        let (files, left_out) = some_of(files_around(&prefix.directory()), prefix);
        let mut places = Self { dirs: vec![prefix.directory()], files, left_out };
        places.files.extend(elsewhere(prefix));
        for dir in from {
            if !storage::is_folder(dir) {
                let why = "--from takes a directory in which parts or copies of the checkpoint lie".to_owned();
                return Err(Error::new(ErrorKind::Request(why)).in_file(dir));
            }
            let mut files = files_around(dir);
            // The variables of another copy of a SavedModel.
            let variables = dir.join("variables");
            if storage::is_folder(&variables) {
                files.extend(files_around(&variables));
                places.dirs.push(variables);
            }
            let (files, more) = some_of(files, prefix);
            places.dirs.push(dir.clone());
            places.files.extend(files);
            places.left_out = places.left_out.saturating_add(more);
        }
        let mut seen = std::collections::BTreeSet::new();
        places.files.retain(|file| seen.insert(storage::canonical(file).unwrap_or_else(|| file.clone())));
        Ok(places)
    }

    /// The files called `name`, or so with what a writer adds to a file that it has not finished (`.tempstate…`).
    pub(super) fn called(&self, name: &str) -> Vec<&PathBuf> {
        let rest = |file: &PathBuf| {
            let own = file.file_name().and_then(|own| own.to_str())?;
            own.strip_prefix(name).map(str::to_owned).filter(|rest| rest.is_empty() || is_unfinished(rest))
        };
        let mut found: Vec<(bool, &PathBuf)> =
            self.files.iter().filter_map(|file| Some((!rest(file)?.is_empty(), file))).collect();
        // Whole names first.
        found.sort_by_key(|(is_unfinished, _)| *is_unfinished);
        found.into_iter().map(|(_, file)| file).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_checkpoint_come_before_there_are_too_many() {
        let others = (0..1000).map(|n| PathBuf::from(format!("dir/a-{n}.index")));
        let own = ["dir/m-7.index.tempstate3", "dir/m-7_temp/part-00000-of-00001.index"].map(PathBuf::from);
        let (files, more) = some_of(others.chain(own.clone()).collect(), &Prefix::new("dir/m-7"));
        assert_eq!((files.len(), more), (MOST, 602));
        assert!(own.iter().all(|file| files.contains(file)));
    }
}
