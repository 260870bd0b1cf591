//! What is told of a set of checkpoints.

use std::path::PathBuf;

use crate::analysis::finding::Finding;
use crate::analysis::training::OptimizerAge;

/// What to look at.
#[derive(Clone, Copy, Debug)]
pub struct DescentOptions {
    /// Look into the data too, a few thousand numbers of each checkpoint: for means, and for what no checksum tells.
    pub values: bool,
    /// Worker threads.
    pub threads: usize,
}

/// A set of checkpoints with where each comes from.
#[derive(Debug, Default)]
pub struct Descent {
    /// Directories with the checkpoints of one name in each.
    pub runs: Vec<Run>,
    /// The checkpoints, run by run, in the order of their steps.
    pub leaves: Vec<Leaf>,
    /// Data files that belong to no index in their directory.
    pub strays: Vec<Stray>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// The directory that all of them are in.
    pub root: PathBuf,
    /// Bytes of all tensors.
    pub bytes: u64,
    /// Bytes of tensors that another tensor of the set has too.
    pub repeated: u64,
    /// Bytes of checkpoints of which another has all.
    pub copied: u64,
}

/// The checkpoints of one name in one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The directory.
    pub path: PathBuf,
    /// The name without its numbers, where there are several in the directory.
    pub group: Option<String>,
}

/// One checkpoint.
#[derive(Debug)]
pub struct Leaf {
    /// Its prefix, or its file.
    pub prefix: PathBuf,
    /// The number of its run.
    pub run: usize,
    /// Its step.
    pub step: Option<u64>,
    /// How many updates its optimizers have made.
    pub ages: Vec<OptimizerAge>,
    /// Tensors.
    pub tensors: usize,
    /// Weights.
    pub weights: usize,
    /// Bytes of its tensors.
    pub bytes: u64,
    /// Whether its data is there and long enough.
    pub complete: bool,
    /// Where it comes from.
    pub link: Option<Link>,
}

/// Where a checkpoint comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// What it is to the others.
    pub relation: Relation,
    /// The others, by number; several of a mean.
    pub of: Vec<usize>,
    /// What says so.
    pub by: By,
    /// Weights with the same bytes, whatever they are called; of weights in all.
    pub shared: (usize, usize),
    /// Whether some of the same bytes have another name.
    pub renamed: bool,
    /// Scopes of weights that are the same, that changed, that only this one has, that only the other has.
    pub frozen: Vec<String>,
    /// Scopes of weights that changed.
    pub moved: Vec<String>,
    /// Scopes of weights that only this one has.
    pub added: Vec<String>,
    /// Scopes of weights that only the other has.
    pub removed: Vec<String>,
    /// Tensors of the other that are no weights and that this one lacks.
    pub without: usize,
    /// The share of each, of a mean.
    pub shares: Vec<f64>,
    /// Others with which it shares weights that it does not share with the first: number, weights.
    pub also: Vec<(usize, usize)>,
    /// What says which was first.
    pub direction: Direction,
}

/// What says which of two checkpoints was first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What they hold: bytes that one run trained and the other did not, steps of one run, slots.
    Told,
    /// The times of their files only.
    Times,
    /// Nothing.
    Unknown,
}

impl Direction {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Times => "times",
            Self::Unknown => "unknown",
        }
    }
}

/// What a checkpoint is to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// All tensors have the same names and bytes.
    Copy,
    /// All of its weights are the other's.
    Export,
    /// Training went on from it.
    Continues,
    /// Some weights are the other's, and others are not.
    FineTuned,
    /// Weights are means of those of others.
    Average,
    /// All weights of the other are in it, and more.
    Contains,
    /// Names and shapes are the same, and nothing tells more.
    SameModel,
}

impl Relation {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Export => "export",
            Self::Continues => "continues",
            Self::FineTuned => "fine_tuned",
            Self::Average => "average",
            Self::Contains => "contains",
            Self::SameModel => "same_model",
        }
    }
}

/// What says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Checksums of weights that are not constant.
    Checksums,
    /// Counts of steps and updates in the checkpoints of one directory, which go on.
    Counters,
    /// Values, a few thousand of them.
    Values,
    /// Names and shapes only.
    Names,
}

impl By {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Checksums => "checksums",
            Self::Counters => "counters",
            Self::Values => "values",
            Self::Names => "names",
        }
    }
}

/// A data file without an index beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// The checkpoint whose data it is, by number.
    pub of: Option<usize>,
    /// Whether bytes were compared with checksums of that checkpoint; else only the length is the same.
    pub proved: bool,
    /// How many checkpoints have data of this length, where that is all that is known.
    pub candidates: usize,
}

/// What could not be read.
#[derive(Debug)]
pub struct Unread {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub finding: Finding,
}
