//! Where the pieces of a broken checkpoint may lie: beside it, in what an interrupted save left, and where the user says.

use std::path::{Path, PathBuf};

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::bundle::Prefix;
use crate::read::storage::{self, Folder};

/// How many files of a directory are looked into.
const MOST: usize = 400;

/// Files that may belong to a checkpoint or to another save of it: beside it, and where savers keep the parts of a save
/// until it is whole (`<prefix>_temp/`, with a random suffix in TensorFlow 1).
pub(in crate::analysis) fn beside(prefix: &Prefix) -> Vec<PathBuf> {
    let mut all = files_around(&prefix.directory());
    all.sort();
    all.truncate(MOST);
    all
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
}

impl Places {
    /// Looks around a prefix and into the directories `from`.
    pub(super) fn look(prefix: &Prefix, from: &[PathBuf]) -> Result<Self> {
        let mut places = Self { dirs: vec![prefix.directory()], files: beside(prefix) };
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
            files.sort();
            files.truncate(MOST);
            places.dirs.push(dir.clone());
            places.files.extend(files);
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

/// Whether it is what `BundleWriter` puts behind the name of a file until it is whole.
pub(super) fn is_unfinished(rest: &str) -> bool {
    rest.strip_prefix(".tempstate").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
