//! A directory that TensorFlow Serving watches: which of its entries it takes for versions of a model.
//!
//! Serving: `sources/storage_path/file_system_storage_path_source.cc`. Every entry counts whose whole name parses as an
//! int64, a file as well as a directory, and no look inside decides; of two names with one number the one that sorts
//! last is taken. The estimate of memory is `servables/tensorflow/util.cc` and `bundle_factory_util.cc`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::base::error::Result;
use crate::read::storage::layout::saved_model_file;
use crate::read::storage::{self, Stat};

/// An entry that Serving takes for a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: i64,
    /// Its name, which may be another spelling of the number: `00000017`.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// What it is.
    pub kind: VersionKind,
    /// Whether another name of the same number is taken instead.
    pub shadowed: bool,
}

/// What an entry with the name of a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionKind {
    /// A SavedModel.
    SavedModel,
    /// The variables of a SavedModel whose graph is not there.
    VariablesOnly,
    /// The format before SavedModel, which Serving refuses.
    SessionBundle,
    /// Another directory.
    Directory,
    /// A file, or a link that leads nowhere.
    File,
}

impl VersionKind {
    /// Whether somebody meant this to be a model, so that the directory it lies in is one of versions.
    pub fn is_of_a_model(self) -> bool {
        matches!(self, Self::SavedModel | Self::VariablesOnly | Self::SessionBundle)
    }

    /// Why nothing of it can be read, and what to do; `None` if something can.
    pub fn why_not(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::SavedModel | Self::VariablesOnly => None,
            Self::SessionBundle => Some((
                "is a Session Bundle, the format before SavedModel",
                "TensorFlow Serving refuses it too; export it again",
            )),
            Self::Directory => Some((
                "is no SavedModel",
                "TensorFlow Serving would try to load this version and fail; --version takes another",
            )),
            Self::File => {
                Some(("is a file", "TensorFlow Serving takes it for a version and fails; rename it, or use --version"))
            }
        }
    }

    fn of(path: &Path) -> Self {
        if !storage::is_folder(path) {
            return Self::File;
        }
        // Serving looks for a Session Bundle first (`session_bundle_util.cc`).
        if storage::is_file(&path.join("export.meta")) && saved_model_file(path).is_none() {
            Self::SessionBundle
        } else if saved_model_file(path).is_some() {
            Self::SavedModel
        } else if storage::is_file(&path.join("variables/variables.index")) {
            Self::VariablesOnly
        } else {
            Self::Directory
        }
    }
}

/// The entries of a directory that Serving takes for versions, the highest first; of one number, first the one that is
/// taken.
///
/// # Errors
/// If the directory cannot be listed.
pub fn versions(base: &Path) -> Result<Vec<Version>> {
    let mut found: Vec<(i64, String)> = Vec::new();
    found.extend(storage::names(base)?.into_iter().filter_map(|name| Some((number(&name)?, name))));
    found.sort_by(|a, b| b.cmp(a));
    let mut versions: Vec<Version> = Vec::with_capacity(found.len());
    for (number, name) in found {
        let path = base.join(&name);
        let shadowed = versions.last().is_some_and(|before| before.number == number);
        versions.push(Version { number, kind: VersionKind::of(&path), name, path, shadowed });
    }
    Ok(versions)
}

/// The number of a version's name: `strings::safe_strto64`, which takes white space around it and a sign before it.
pub fn number(name: &str) -> Option<i64> {
    name.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']).parse().ok()
}

/// How many entries below a version are counted.
const ENTRIES: usize = 1 << 17;

/// The bytes of a file, or of all files below a directory, in its own directories and those that links lead to; false if there are
/// too many to count, or some cannot be looked at.
pub fn size_of(dir: &Path) -> (u64, bool) {
    if let Some(file) = storage::stat(dir).ok().filter(Stat::is_regular) {
        return (file.len, true);
    }
    let mut bytes = 0u64;
    let mut all = true;
    let mut looked = 0usize;
    // A link may lead back up: every directory is entered once.
    let mut seen = BTreeSet::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        if !storage::canonical(&dir).is_some_and(|whole| seen.insert(whole)) {
            continue;
        }
        let Ok(folder) = storage::list(&dir) else {
            all = false;
            continue;
        };
        all &= folder.unknown() == 0;
        for (name, stat) in folder.entries() {
            looked = looked.saturating_add(1);
            if looked > ENTRIES {
                return (bytes, false);
            }
            if stat.is_folder() {
                open.push(dir.join(name));
            } else if stat.is_regular() {
                bytes = bytes.saturating_add(stat.len);
            }
        }
    }
    (bytes, all)
}

/// What Serving reserves for a version of this size: `kResourceEstimateRAMMultiplier` is 1.2, the padding 0.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "so does Serving"
)]
pub fn ram_estimate(bytes: u64) -> u64 {
    (bytes as f64 * 1.2) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_versions_by_serving_s_rule() {
        for (name, want) in [
            ("17", Some(17)),
            ("00001", Some(1)),
            ("+5", Some(5)),
            ("-3", Some(-3)),
            (" 7\u{b}", Some(7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("1.0", None),
            ("0x10", None),
            ("v1", None),
            ("1_tmp", None),
            ("", None),
            ("-", None),
            ("+-1", None),
        ] {
            assert_eq!(number(name), want, "{name:?}");
        }
    }

    #[test]
    fn of_equal_numbers_the_name_that_sorts_last_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["1", "001", "7", "x"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        std::fs::write(dir.path().join("20260101"), b"notes").unwrap();
        let found = versions(dir.path()).unwrap();
        let rows: Vec<_> = found.iter().map(|v| (v.number, v.name.as_str(), v.kind, v.shadowed)).collect();
        let want = [
            (20_260_101, "20260101", VersionKind::File, false),
            (7, "7", VersionKind::Directory, false),
            (1, "1", VersionKind::Directory, false),
            (1, "001", VersionKind::Directory, true),
        ];
        assert_eq!(rows, want);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_in_circles_are_counted_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/x"), [0; 100]).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/up")).unwrap();
        assert_eq!(size_of(dir.path()), (100, true));
        std::os::unix::fs::symlink("nowhere", dir.path().join("a/gone")).unwrap();
        assert_eq!(size_of(dir.path()), (100, false));
        std::os::unix::fs::symlink("nowhere", dir.path().join("5")).unwrap();
        assert_eq!(versions(dir.path()).unwrap()[0].kind, VersionKind::File);
    }

    #[test]
    fn the_estimate_is_six_fifths_rounded_down() {
        assert_eq!([0, 1, 5, 853, 1 << 40].map(ram_estimate), [0, 1, 6, 1023, 1_319_413_953_331]);
    }
}
