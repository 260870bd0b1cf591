//! One checkpoint of a timeline.

use std::path::PathBuf;
use std::time::SystemTime;

use super::measured::Measured;
use super::moved::Moved;
use crate::analysis::finding::Finding;
use crate::analysis::naming::names::Names;
use crate::analysis::naming::objects::Objects;
use crate::analysis::naming::selection::Selection;
use crate::analysis::survey::files::{FileInfo, files};
use crate::analysis::training::Training;
use crate::analysis::validate::finite::{NonFinite, Search, search};
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;

/// One checkpoint.
#[derive(Debug)]
pub struct Row {
    /// Its prefix.
    pub prefix: PathBuf,
    /// Its name without its numbers, where more than one lie in the directory.
    pub group: Option<String>,
    /// The number behind the last `-` of its name, if it does not count saves; else the step that it holds.
    pub step: Option<u64>,
    /// The number in its name where it counts saves.
    pub save: Option<u64>,
    /// When its index was last written.
    pub modified: Option<SystemTime>,
    /// Bytes of index and shards.
    pub bytes: u64,
    /// Whether the index can be read and every shard is there and long enough.
    pub complete: bool,
    /// Whether it is the latest.
    pub latest: bool,
    /// Tensors in its index, as far as it can be read.
    pub tensors: usize,
    /// Why it is not complete, or not readable.
    pub findings: Vec<Finding>,
    /// Which row it was compared with, and what changed since.
    pub moved: Option<(usize, Moved)>,
    /// How far weights moved since that row, if it was asked for.
    pub measured: Option<Measured>,
    /// NaN and infinity, if they were looked for.
    pub finite: Option<Finite>,
    /// What training did, if it was asked for.
    pub training: Option<Training>,
}

/// What was found of NaN and infinity in a checkpoint.
#[derive(Debug, Default)]
pub struct Finite {
    /// Tensors that were read.
    pub read: usize,
    /// Tensors that could hold some but could not be read.
    pub unread: usize,
    /// Tensors with NaN or infinity: what they are called, how many NaN, how many infinities.
    pub found: Vec<(String, u64, u64)>,
}

impl Row {
    /// Looks at the files of its checkpoint; with `finite`, at all values on so many threads.
    pub(super) fn look(&mut self, checkpoint: &Checkpoint, finite: Option<usize>, progress: &Progress) {
        self.tensors = checkpoint.tensors().len();
        self.findings.extend(files(checkpoint).iter().filter_map(FileInfo::finding));
        self.findings.extend(checkpoint.damage().iter().map(Finding::of));
        self.complete = self.findings.is_empty();
        let Some(threads) = finite else { return };
        let Search { found, read, unread } =
            search(checkpoint, &Selection::first(self.tensors), (threads, None), progress);
        let mut finite = Finite { read, unread, found: Vec::new() };
        // Full names are looked up only where there is something to name.
        let names = if found.is_empty() { Names::default() } else { Names::full(checkpoint, &Objects::of(checkpoint)) };
        let mut cursor = checkpoint.tensors().cursor();
        for NonFinite { at, nan, infinite, .. } in found {
            let Some(tensor) = cursor.reach(at) else { continue };
            finite.found.push((names.best(at, &tensor.name), nan, infinite));
        }
        self.finite = Some(finite);
    }
}
