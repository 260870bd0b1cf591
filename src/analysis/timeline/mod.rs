//! The timeline of a model directory: what `log` tells.
//!
//! One checkpoint is looked at at a time, with the one before it, so that memory does not grow with the directory.

mod measured;
mod moved;
mod row;
mod trained;

pub use measured::{Distance, Measured};
pub use moved::Moved;
pub use row::{Finite, Row};

use std::path::{Path, PathBuf};

use trained::{Looked, Recorder};

use super::finding::{Code, Finding, Severity};
use super::policy::{Rule, settle};
use crate::analysis::naming::covered::Scopes;
use crate::analysis::naming::names::Names;
use crate::analysis::naming::objects::Objects;
use crate::analysis::naming::roles::{Roles, RolesBy};
use crate::analysis::survey::state_file::{repair, state_findings};
use crate::analysis::survey::step::Step;
use crate::analysis::training::LayerSort;
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::base::parallel::{AHEAD, in_order};
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
    /// Tell what training did.
    pub training: Option<TrainingOptions>,
    /// Show the last checkpoints only.
    pub last: Option<usize>,
    /// Worker threads.
    pub threads: usize,
}

/// What to tell of training.
#[derive(Clone, Copy, Debug)]
pub struct TrainingOptions {
    /// Read the data of weights and slots; else the indexes alone tell.
    pub values: bool,
    /// Show every weight.
    pub layers: bool,
    /// In which order.
    pub sort: LayerSort,
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
    /// What was asked of training.
    pub training: Option<TrainingOptions>,
    /// What was found of training and is allowed, after [`Timeline::settle`].
    pub allowed: Vec<Finding>,
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
        let mut recorder = Recorder::default();
        let several = dir.groups().len() > 1;
        let mut of_row: Vec<(usize, &Found, Option<String>)> = dir
            .checkpoints
            .iter()
            .enumerate()
            .skip(left_out)
            .map(|(at, found)| (at, found, several.then(|| found.group())))
            .collect();
        of_row.sort_by(|a, b| a.2.cmp(&b.2));
        let mut ever = Scopes::default();
        let all: Vec<&Found> = of_row.iter().map(|(_, found, _)| *found).collect();
        let open = |(): &mut (), n: usize| {
            let found = all.get(n)?;
            Some(Checkpoint::open_origin(Origin::of_found(path, found), limits))
        };
        let mut of_row = of_row.into_iter();
        in_order(
            all.len(),
            open_at_once(path, &all),
            || (),
            open,
            |_, opened| {
                let (Some((at, found, group)), Some(opened)) = (of_row.next(), opened) else { return };
                if before_group.as_ref().is_some_and(|before| *before != group) {
                    (before, roles) = (None, None);
                    recorder.next_run(rows.len());
                    ever.extend(Scopes::of(&std::mem::take(&mut stirred)), before_group.take().flatten().as_deref());
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
                    training: None,
                };
                match opened {
                    Ok(checkpoint) => {
                        row.look(&checkpoint, options.finite.then_some(options.threads), progress);
                        let step = Step::of(&checkpoint);
                        (row.step, row.save) = (step.step, step.save);
                        let objects = Objects::of(&checkpoint);
                        let names = Names::full(&checkpoint, &objects);
                        // The saves of one run have the same tensors, and what they are for is told once.
                        let earlier = before.as_ref().map(|(_, earlier)| earlier);
                        let known = roles
                            .take()
                            .filter(|roles| earlier.is_some_and(|earlier| holds_for(roles, earlier, &checkpoint)));
                        if earlier.is_some() || options.training.is_some() {
                            roles = Some(known.unwrap_or_else(|| judged(&checkpoint, &objects, options)));
                        }
                        if let (Some((of, earlier)), Some(roles)) = (&before, &roles) {
                            let moved = Moved::between(earlier, &checkpoint, roles, &names, &mut stirred);
                            row.moved = Some((*of, moved));
                            if options.values {
                                row.measured =
                                    Measured::between(earlier, &checkpoint, &names, options.threads, progress);
                            }
                        }
                        if let (Some(training), Some(roles)) = (options.training, &roles) {
                            row.training = Some(recorder.look(&Looked {
                                before: before.as_ref().map(|(_, earlier)| earlier),
                                checkpoint: &checkpoint,
                                objects: &objects,
                                roles,
                                step: &step,
                                moved: row.moved.as_ref().map(|(_, moved)| moved),
                                values: training.values.then_some(options.threads),
                            }));
                        }
                        before = Some((rows.len(), checkpoint));
                    }
                    Err(error) => {
                        recorder.pass();
                        row.findings.push(Finding::of(&error));
                    }
                }
                rows.push(row);
            },
        );
        ever.extend(Scopes::of(&stirred), before_group.flatten().as_deref());
        if options.training.is_some() {
            recorder.finish(&mut rows, left_out == 0, &saved_in_order(&dir));
        }
        if let Some(training) = options.training {
            let layers = rows.iter_mut().filter_map(|row| row.training.as_mut()?.layers.as_mut());
            layers.for_each(|layers| layers.sort_by(|a, b| training.sort.order(a, b)));
        }
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
            training: options.training,
            allowed: Vec::new(),
            rows,
        })
    }

    /// The first checkpoint that has NaN or infinity.
    pub fn first_non_finite(&self) -> Option<usize> {
        self.rows.iter().position(|row| row.finite.as_ref().is_some_and(|finite| !finite.found.is_empty()))
    }

    /// What options say of what was found of training; what they allow is taken out.
    pub fn settle(&mut self, options: &[Rule], of: &Path) {
        for training in self.rows.iter_mut().filter_map(|row| row.training.as_mut()) {
            self.allowed.extend(settle(&mut training.findings, None, options, of));
        }
    }

    /// Whether anything that was found of training is an error.
    pub fn is_denied(&self) -> bool {
        let training = self.rows.iter().filter_map(|row| row.training.as_ref());
        training.flat_map(|training| &training.findings).any(|finding| finding.severity == Severity::Error)
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

/// How many checkpoints are opened at a time: one after the other, so that no more than two are in memory, but where each
/// waits for a network and all that are on their way are small.
fn open_at_once(path: &Path, all: &[&Found]) -> usize {
    /// Bytes of indexes that wait for their turn; each takes less in memory than on the disk.
    const WAITING: u64 = 64 << 20;
    let most = storage::at_once(path);
    if most == 1 {
        return 1;
    }
    let index = |found: &&Found| storage::stat(&found.prefix.index()).map_or(found.bytes, |stat| stat.len);
    let largest = all.iter().map(index).max().unwrap_or(0).max(1);
    let fit = WAITING / largest.saturating_mul(AHEAD as u64 + 1);
    usize::try_from(fit).unwrap_or(usize::MAX).clamp(1, most)
}

/// The checkpoints of a directory in the order in which the state file says that they were written.
fn saved_in_order(dir: &ModelDir) -> Vec<PathBuf> {
    let Some(Ok(Outcome::Loaded(state))) = dir.state.as_ref().map(|file| &file.content) else { return Vec::new() };
    let found = state.all_model_checkpoint_paths.iter().filter_map(|path| dir.find(Path::new(path)));
    found.map(|found| found.prefix.as_path().to_path_buf()).collect()
}

/// What the tensors of a checkpoint are for; with the names of optimizers that only the object graph has, if training is
/// told of.
fn judged(checkpoint: &Checkpoint, objects: &Objects, options: TimelineOptions) -> Roles {
    let mut roles = Roles::of(checkpoint);
    if let Some(graph) = objects.graph().filter(|_| options.training.is_some()) {
        roles.name_optimizers(checkpoint, graph);
    }
    roles
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
