//! How far weights moved from one checkpoint to the next, by reading both: `log --values`.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use crate::analysis::diff::{Change, Comparison, DiffOptions, Status};
use crate::analysis::naming::names::Names;
use crate::analysis::naming::select::Selector;
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;

/// How many weights are kept, those that moved most.
const MOST: usize = 20;

/// How many are gathered before the others are dropped.
const ENOUGH: usize = 4096;

/// How far the weights of a checkpoint moved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Weights that moved, the farthest first, 20 at most.
    pub farthest: Vec<Distance>,
    /// Weights that moved and could be measured.
    pub measured: usize,
    /// Weights that could not be read.
    pub unread: u64,
}

/// How far one weight moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Distance {
    /// What it is called.
    pub name: String,
    /// ‖after − before‖ / ‖after‖.
    pub rel_l2: Option<f64>,
    /// Largest |after − before|.
    pub max_abs: f64,
}

impl Measured {
    /// Compares the weights of two checkpoints; those whose checksums agree are not read. `names` are those of `after`.
    pub(super) fn between(
        before: &Checkpoint,
        after: &Checkpoint,
        names: &Names,
        threads: usize,
        progress: &Progress,
    ) -> Option<Self> {
        let only = Selector::parse(&["role:weight", "role:average"], false).ok()?;
        let options = DiffOptions { only, threads, ..DiffOptions::default() };
        let mut measured = Self::default();
        let measure = |(), changes: Vec<Change>| {
            for change in &changes {
                let Some(figures) = change.values.as_ref().and_then(|values| values.figures) else { continue };
                let at = after.tensors().find(change.name()).unwrap_or(usize::MAX);
                let (name, rel_l2) = (names.best(at, change.name()), figures.rel_l2.filter(|value| !value.is_nan()));
                measured.farthest.push(Distance { name, rel_l2, max_abs: figures.max_abs });
                measured.measured += 1;
            }
            if measured.farthest.len() > ENOUGH {
                measured.cut();
            }
            ControlFlow::Continue(())
        };
        let (found, _) = Comparison::new(before, after, &options).ok()?.each(progress, |_| (), measure);
        measured.cut();
        measured.unread = found.tally.of(Status::Unreadable);
        Some(measured)
    }

    fn cut(&mut self) {
        self.farthest.sort_by(farther);
        self.farthest.truncate(MOST);
    }
}

/// The farther one first; what has no measure behind all others, equals by name.
fn farther(a: &Distance, b: &Distance) -> Ordering {
    let size = |distance: &Distance| distance.rel_l2.unwrap_or(-1.0);
    size(b).total_cmp(&size(a)).then_with(|| a.name.cmp(&b.name))
}
