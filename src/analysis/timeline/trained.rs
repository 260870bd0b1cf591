//! What training did from one checkpoint of a directory to the next: `log --training`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::moved::Moved;
use super::row::Row;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::naming::names::Names;
use crate::analysis::naming::objects::Objects;
use crate::analysis::naming::roles::Roles;
use crate::analysis::survey::step::Step;
use crate::analysis::training::Training;
use crate::analysis::training::age::OptimizerAge;
use crate::analysis::training::judge::{Told, judge};
use crate::analysis::training::optimizer::optimizer;
use crate::analysis::training::story::{Point, Story};
use crate::analysis::training::verdict::Past;
use crate::analysis::training::weights::{Facts, layers};
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;

/// Follows the runs of a directory, one after the other.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    /// The runs that are over, each with the row behind its last.
    over: Vec<(usize, Story)>,
    story: Story,
    /// How far the weights are in each row, and whether that counts steps for sure.
    clocks: Vec<(Option<u64>, bool)>,
    /// What gradients were.
    past: Past,
    /// The clock of the checkpoint before.
    begun: Option<u64>,
}

/// What is looked at for one checkpoint of a run.
pub(super) struct Looked<'l> {
    pub(super) before: Option<&'l Checkpoint>,
    pub(super) checkpoint: &'l Checkpoint,
    pub(super) objects: &'l Objects,
    pub(super) roles: &'l Roles,
    pub(super) step: &'l Step,
    pub(super) moved: Option<&'l Moved>,
    /// Whether the data is read, and on how many threads.
    pub(super) values: Option<usize>,
}

impl Recorder {
    /// Another run begins with the row of this number.
    pub(super) fn next_run(&mut self, row: usize) {
        let story = std::mem::take(&mut self.story);
        self.over.push((row, story));
        (self.past, self.begun) = (Past::default(), None);
    }

    /// A checkpoint of the run.
    pub(super) fn look(&mut self, looked: &Looked<'_>) -> Training {
        let Looked { before, checkpoint, objects, roles, step, moved, values } = *looked;
        let ages = OptimizerAge::all(checkpoint);
        let (optimizer, is_fresh) = optimizer(checkpoint, roles);
        let point = Point::of(step, &ages, is_fresh);
        let clock = point.clock;
        self.clocks.push((clock, point.is_step));
        let between = self.story.next(&point);
        let trained = moved.filter(|moved| moved.trained.1 > 0).map(|moved| moved.trained.0 > 0);
        let slots_changed = moved.filter(|moved| moved.slots.1 > 0).map(|moved| moved.slots.0 > 0);
        let constant_rate = match roles.constants() {
            [only] => only.get("learning_rate"),
            _ => None,
        };
        let mut training =
            Training { optimizer, constant_rate, ages, between, trained, slots_changed, ..Training::default() };
        let begun = std::mem::replace(&mut self.begun, clock);
        if let Some(threads) = values {
            let names = Names::of(checkpoint, roles, objects);
            let (ages, between) = (training.ages.as_slice(), training.between.as_ref());
            let facts = Facts { roles, names: &names, ages, between, begun };
            match layers(before, checkpoint, facts, threads) {
                // Under other names than in the checkpoints beside it, and without their slots, they would be others.
                Some(_) if matches!(objects, Objects::Unreadable(_)) => {
                    let why = "the object graph, which says whose slots are whose, cannot be read";
                    training.unknown.push(format!("gradients and updates of a checkpoint: {why}"));
                }
                Some((layers, unknown)) => {
                    training.findings = self.past.judge(checkpoint.origin().prefix.as_path(), &layers);
                    (training.layers, training.unknown) = (Some(layers), unknown);
                }
                None => training.unknown.push("gradients and updates: the data of weights is not there".to_owned()),
            }
        }
        training
    }

    /// A checkpoint that could not be opened.
    pub(super) fn pass(&mut self) {
        self.clocks.push((None, false));
    }

    /// All rows are there. `is_all` says that none was left out before them; the state file has them in this order.
    pub(super) fn finish(mut self, rows: &mut [Row], is_all: bool, order: &[PathBuf]) {
        self.next_run(rows.len());
        let known = self.clocks.clone();
        let mut clocks = self.clocks.into_iter();
        let (mut rest, mut begin) = (&mut *rows, 0);
        for (end, story) in self.over {
            let (run, others) = rest.split_at_mut(end.saturating_sub(begin).min(rest.len()));
            (rest, begin) = (others, end);
            let told = run.iter_mut().filter_map(|row| {
                let (clock, is_step) = clocks.next().unwrap_or_default();
                let training = row.training.as_mut()?;
                Some(Told { prefix: &row.prefix, clock, is_step, training })
            });
            judge(&mut told.collect::<Vec<_>>(), &story, is_all);
        }
        went_back(rows, &known, order);
    }
}

/// Finds checkpoints that were written behind one of a later step, by the order of the state file.
fn went_back(rows: &mut [Row], clocks: &[(Option<u64>, bool)], order: &[PathBuf]) {
    let places: HashMap<PathBuf, usize> = rows.iter().enumerate().map(|(at, row)| (row.prefix.clone(), at)).collect();
    let mut before: Option<(PathBuf, Option<String>, u64)> = None;
    for prefix in order {
        let Some(at) = places.get(prefix.as_path()).copied() else { continue };
        let (Some(row), Some((Some(step), _))) = (rows.get_mut(at), clocks.get(at).copied()) else { continue };
        let Some(training) = row.training.as_mut() else { continue };
        let is_told = training.findings.iter().any(|finding| finding.code == Code::StepWentBack);
        if let Some((later, group, from)) = &before
            && *group == row.group
            && step < *from
            && !is_told
        {
            let name = |path: &Path| escaped(path.file_name().unwrap_or_default().as_encoded_bytes()).into_owned();
            let message = format!(
                "{}: by the state file it was written after {}, which is of step {from}: an earlier checkpoint was resumed",
                name(prefix),
                name(later)
            );
            let help = "of two checkpoints of one directory the higher step need not be the later one";
            training.findings.push(Finding::new(Code::StepWentBack, message).in_file(prefix).with_help(help));
        }
        before = Some((prefix.clone(), row.group.clone(), step));
    }
}
