//! Kinds of files that are no checkpoints, and the words for each.

use std::borrow::Cow;
use std::path::Path;

use crate::base::error::{Error, ErrorKind};

/// What kind of file it is: for whoever decides by it. The words are in [`Looks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// No bytes.
    Empty,
    /// Nothing but zeros.
    Zeros,
    /// A pointer of Git LFS.
    LfsPointer,
    /// A web page, or an error in XML.
    WebPage,
    /// An archive or a compressed file.
    Archive,
    /// HDF5.
    Hdf5,
    /// A `.keras` archive.
    KerasArchive,
    /// A bundle's index without its end.
    CutIndex,
    /// A V1 checkpoint without its end.
    CutSaverV1,
    /// A graph by itself, binary or text.
    GraphDef,
    /// A graph with its collections, binary or text.
    MetaGraphDef,
    /// A SavedModel's graph.
    SavedModel,
    /// A state file of a directory, whatever it is called.
    StateFile,
    /// JSON, or text of no known kind.
    Text,
    /// Of another program or framework.
    Other,
}

/// What a file looks like, and what to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    /// Which kind.
    pub kind: Foreign,
    /// What it looks like, with its article: `a Git LFS pointer`.
    pub what: Cow<'static, str>,
    /// What to do.
    pub advice: Cow<'static, str>,
    pub(super) proof: Proof,
}

/// As [`Looks`], of words that are always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) kind: Foreign,
    pub(super) what: &'static str,
    pub(super) advice: &'static str,
    pub(super) proof: Proof,
}

impl From<Known> for Looks {
    fn from(known: Known) -> Self {
        let Known { kind, what, advice, proof } = known;
        Self { kind, what: what.into(), advice: advice.into(), proof }
    }
}

/// How much first bytes prove against a file being a shard, which has no header to know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// No numbers begin so.
    Sure,
    /// Numbers could begin so, by chance.
    Likely,
    /// Weights and strings often begin so.
    None,
}

impl Looks {
    /// Whether a file that looks so is neither a shard nor a graph, whatever its length.
    pub fn is_surely_foreign(&self) -> bool {
        self.proof == Proof::Sure
    }

    /// Whether a file that looks so is no shard if it is also shorter than that shard must be.
    pub fn is_foreign_if_short(&self) -> bool {
        self.proof != Proof::None
    }

    pub(super) fn but(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    /// As an error of what was to be opened: `not a checkpoint: it looks like …`.
    pub(crate) fn instead_of(self, wanted: &str, path: &Path) -> Error {
        let kind = ErrorKind::NotACheckpoint(format!("{wanted}: it looks like {}", self.what));
        Error::new(kind).in_file(path).with_help(self.advice)
    }
}

impl Known {
    pub(super) const fn but(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }
}

pub(super) const fn looks(kind: Foreign, what: &'static str, advice: &'static str) -> Known {
    Known { kind, what, advice, proof: Proof::Likely }
}
