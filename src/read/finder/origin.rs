//! Where a checkpoint was found, and why there.

use std::path::{Path, PathBuf};

use super::directory::ModelDir;
use super::found::Found;
use crate::read::bundle::Prefix;
use crate::read::container::Format;
use crate::read::formats::FileFormat;

/// Which of several checkpoints in a directory is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The checkpoint with this step, instead of the latest.
    pub step: Option<u64>,
    /// This version of a serving directory, instead of the highest.
    pub version: Option<i64>,
}

/// What a path turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A V2 checkpoint, given by prefix or one of its files.
    Bundle,
    /// A SavedModel.
    SavedModel,
    /// A directory that checkpoints are written into.
    ModelDir,
    /// A directory of numbered SavedModels, as TensorFlow Serving watches it.
    ServingBase,
    /// A legacy (V1) checkpoint.
    SaverV1,
    /// A file, or a set of files with an index, of another format.
    File(&'static Format),
    /// Nothing at all: what `/dev/null` is as a side of a comparison.
    Nothing,
}

/// Where a checkpoint was found, and why there.
#[derive(Debug)]
pub struct Origin {
    /// The path as given.
    pub path: PathBuf,
    /// What it is.
    pub kind: SourceKind,
    /// The prefix of the files that are read; for a V1 checkpoint its file or pattern.
    pub prefix: Prefix,
    /// The files of a V1 checkpoint; empty for a bundle.
    pub v1_files: Vec<PathBuf>,
    /// The file of another format that is read instead, and how.
    pub file: Option<(PathBuf, &'static FileFormat)>,
    /// The directory of the SavedModel that the variables belong to.
    pub saved_model: Option<PathBuf>,
    /// The directory that the checkpoint was chosen from.
    pub model_dir: Option<ModelDir>,
    /// Versions of a serving directory, highest first, with the names of their entries.
    pub versions: Vec<(i64, String)>,
    /// Whether there is anything to read: a SavedModel may have no variables, or have lost them.
    pub has_variables: bool,
    /// What the user should know about the choice.
    pub notes: Vec<String>,
    /// What is shown instead of its paths, if it has a better name than theirs.
    pub label: Option<String>,
}

impl SourceKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::SavedModel => "saved_model",
            Self::ModelDir => "model_dir",
            Self::ServingBase => "serving_base",
            Self::SaverV1 => "saver_v1",
            Self::File(format) => format.id,
            Self::Nothing => "nothing",
        }
    }
}

impl Origin {
    /// One of the checkpoints of a directory.
    pub fn of_found(path: &Path, found: &Found) -> Self {
        let kind = if found.v1_files.is_empty() { SourceKind::Bundle } else { SourceKind::SaverV1 };
        Self { v1_files: found.v1_files.clone(), ..Self::new(path, kind, found.prefix.clone()) }
    }

    /// A checkpoint whose prefix is known.
    pub fn of_prefix(path: &Path, kind: SourceKind, prefix: Prefix) -> Self {
        Self::new(path, kind, prefix)
    }

    pub(super) fn new(path: &Path, kind: SourceKind, prefix: Prefix) -> Self {
        Self {
            path: path.to_path_buf(),
            kind,
            prefix,
            v1_files: Vec::new(),
            file: None,
            saved_model: None,
            model_dir: None,
            versions: Vec::new(),
            has_variables: true,
            notes: Vec::new(),
            label: None,
        }
    }

    /// What it is called where it is shown: the label, or else the path of what was chosen.
    pub fn shown(&self) -> &Path {
        self.label.as_deref().map_or(self.prefix.as_path(), Path::new)
    }

    /// A file of a format that says what it is.
    pub(super) fn of_format(path: &Path, file: PathBuf, format: &'static FileFormat) -> Self {
        let prefix = Prefix::new(file.as_os_str());
        Self { file: Some((file, format)), ..Self::new(path, SourceKind::File(format.format), prefix) }
    }

    pub(super) fn v1(path: &Path, prefix: &Path, files: Vec<PathBuf>) -> Self {
        Self { v1_files: files, ..Self::new(path, SourceKind::SaverV1, Prefix::new(prefix.as_os_str())) }
    }
}
