//! The timeline of a model directory: what `log` tells.
//!
//! One checkpoint is open at a time, with the one before it, so that memory does not grow with the directory.

mod measured;
mod moved;

pub use measured::{Distance, Measured};
pub use moved::{Moved, Scopes};

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::finding::{Code, Finding};
use super::validate::finite::{NonFinite, Search, search};
use crate::analysis::naming::names::Names;
use crate::analysis::naming::objects::Objects;
use crate::analysis::naming::roles::{Roles, RolesBy};
use crate::analysis::naming::selection::Selection;
use crate::analysis::survey::files::{FileInfo, files};
use crate::analysis::survey::state_file::{repair, state_findings};
use crate::analysis::survey::step::Step;
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Found, ModelDir, Origin};
use crate::read::events::EventFile;
use crate::read::finder::state::Outcome;
use crate::read::storage;

/// What to look for in a directory.
#[derive(Clone, Copy, Debug)]
pub struct TimelineOptions {
    /// Read all values and look for NaN and infinity.
    pub finite: bool,
    /// Read the weights that moved and measure how far.
    pub values: bool,
    /// Show the last checkpoints only.
    pub last: Option<usize>,
    /// Worker threads.
    pub threads: usize,
}

/// The checkpoints of a directory in the order of their steps, and what lies beside them.
#[derive(Debug)]
pub struct Timeline {
    /// The directory.
    pub path: PathBuf,
    /// The checkpoints.
    pub rows: Vec<Row>,
    /// How many earlier ones were left out.
    pub left_out: usize,
    /// The prefix of the latest, which may be among those left out.
    pub latest: Option<PathBuf>,
    /// Why the latest is the latest.
    pub reason: Reason,
    /// What the user should know about that choice.
    pub notes: Vec<String>,
    /// That checkpoints of several names lie here, if they do.
    pub several: Option<String>,
    /// What is wrong with the state file.
    pub findings: Vec<Finding>,
    /// The lines of a state file that would fit.
    pub repair: Option<Vec<String>>,
    /// Scopes by whether any two checkpoints differ in them.
    pub ever: Scopes,
    /// Event files, here and one directory below.
    pub events: Vec<EventFile>,
    /// Whether values were looked at.
    pub finite: bool,
}

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

/// How the latest checkpoint was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The state file names it.
    StateFile,
    /// There is no state file: it has the highest step.
    NoStateFile,
    /// The state file names something else, or nothing.
    StateFileWrong,
    /// There is no checkpoint.
    None,
}

impl Reason {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::StateFile => "state_file",
            Self::NoStateFile => "no_state_file",
            Self::StateFileWrong => "state_file_wrong",
            Self::None => "none",
        }
    }

    pub(super) fn of(dir: &ModelDir) -> Self {
        match (dir.latest, dir.state.as_ref().map(|file| &file.content)) {
            (None, _) => Self::None,
            (Some(_), None) => Self::NoStateFile,
            (Some(_), Some(Ok(Outcome::Loaded(_)))) if dir.notes.is_empty() => Self::StateFile,
            (Some(_), Some(_)) => Self::StateFileWrong,
        }
    }
}

impl Timeline {
    /// Looks through a directory of checkpoints. Reads their indexes and the event files; with `finite` all values.
    ///
    /// # Errors
    /// If the directory cannot be listed. What is wrong with a checkpoint is told in its row.
    pub fn of(path: &Path, options: TimelineOptions, limits: &Limits, progress: &Progress) -> Result<Self> {
        let dir = ModelDir::scan(path, limits)?;
        let left_out = dir.checkpoints.len().saturating_sub(options.last.unwrap_or(usize::MAX));
        let mut rows: Vec<Row> = Vec::new();
        let mut before: Option<(usize, Checkpoint)> = None;
        let mut roles = None;
        let mut stirred = moved::Stirred::new();
        let mut before_group: Option<Option<String>> = None;
        let several = dir.groups().len() > 1;
        let mut of_row: Vec<(usize, &Found, Option<String>)> = dir
            .checkpoints
            .iter()
            .enumerate()
            .skip(left_out)
            .map(|(at, found)| (at, found, several.then(|| found.group())))
            .collect();
        // One after the other, so that no more than two checkpoints are open.
        of_row.sort_by(|a, b| a.2.cmp(&b.2));
        let mut ever = Scopes::default();
        for (at, found, group) in of_row {
            if before_group.as_ref().is_some_and(|before| *before != group) {
                (before, roles) = (None, None);
                ever.extend(Scopes::of(&std::mem::take(&mut stirred)), before_group.flatten().as_deref());
            }
            before_group = Some(group.clone());
            let mut row = Row {
                prefix: found.prefix.as_path().to_path_buf(),
                group,
                step: found.step,
                save: None,
                modified: found.modified,
                bytes: found.bytes,
                complete: false,
                latest: dir.latest == Some(at),
                tensors: 0,
                findings: Vec::new(),
                moved: None,
                measured: None,
                finite: None,
            };
            match Checkpoint::open_origin(Origin::of_found(path, found), limits) {
                Ok(checkpoint) => {
                    row.look(&checkpoint, options, progress);
                    let step = Step::of(&checkpoint);
                    (row.step, row.save) = (step.step, step.save);
                    let names = Names::full(&checkpoint, &Objects::of(&checkpoint));
                    if let Some((of, earlier)) = &before {
                        // The saves of one run have the same tensors, and what they are for is told once.
                        let known = roles.take().filter(|roles: &Roles| holds_for(roles, earlier, &checkpoint));
                        let roles = &*roles.insert(known.unwrap_or_else(|| Roles::of(&checkpoint)));
                        let moved = Moved::between(earlier, &checkpoint, roles, &names, &mut stirred);
                        row.moved = Some((*of, moved));
                        if options.values {
                            row.measured = Measured::between(earlier, &checkpoint, &names, options.threads, progress);
                        }
                    }
                    before = Some((rows.len(), checkpoint));
                }
                Err(error) => row.findings.push(Finding::of(&error)),
            }
            rows.push(row);
        }
        ever.extend(Scopes::of(&stirred), before_group.flatten().as_deref());
        Ok(Self {
            path: path.to_path_buf(),
            left_out,
            latest: dir.latest.and_then(|at| Some(dir.checkpoints.get(at)?.prefix.as_path().to_path_buf())),
            reason: Reason::of(&dir),
            notes: dir.notes.iter().chain(&dir.other_state).cloned().collect(),
            several: dir.several.clone(),
            findings: state_findings(&dir),
            repair: repair(&dir),
            ever,
            events: EventFile::of_directory(&dir.path, u64::MAX),
            finite: options.finite,
            rows,
        })
    }

    /// The first checkpoint that has NaN or infinity.
    pub fn first_non_finite(&self) -> Option<usize> {
        self.rows.iter().position(|row| row.finite.as_ref().is_some_and(|finite| !finite.found.is_empty()))
    }

    /// Whether something could not be read, so that the rest may not be all.
    pub fn unreadable(&self) -> bool {
        let unread =
            |finding: &Finding| !matches!(finding.code, Code::MissingShard | Code::ShortShard | Code::ForeignShard);
        self.rows.iter().any(|row| row.findings.iter().any(unread))
            || self.rows.iter().any(|row| row.measured.as_ref().is_some_and(|measured| measured.unread > 0))
            || self.events.iter().any(|file| matches!(&file.content, Some(Err(_))))
    }
}

/// Whether the roles of the tensors of one checkpoint are those of the next one's: it has the same, and no program
/// beside it that the other lacks.
fn holds_for(roles: &Roles, before: &Checkpoint, after: &Checkpoint) -> bool {
    let (mut a, mut b) = (before.tensors().cursor(), after.tensors().cursor());
    let is_alike = before.tensors().len() == after.tensors().len()
        && (0..after.tensors().len()).all(|_| match (a.advance(), b.advance()) {
            (Some((_, a)), Some((_, b))) => a.name == b.name && a.dtype == b.dtype && a.shape == b.shape,
            _ => false,
        });
    is_alike && (matches!(roles.by(), RolesBy::Program(_)) || !storage::is_file(&after.origin().prefix.meta()))
}

impl Row {
    fn look(&mut self, checkpoint: &Checkpoint, options: TimelineOptions, progress: &Progress) {
        self.tensors = checkpoint.tensors().len();
        self.findings.extend(files(checkpoint).iter().filter_map(FileInfo::finding));
        self.findings.extend(checkpoint.damage().iter().map(Finding::of));
        self.complete = self.findings.is_empty();
        if !options.finite {
            return;
        }
        let Search { found, read, unread } =
            search(checkpoint, &Selection::first(self.tensors), (options.threads, None), progress);
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
