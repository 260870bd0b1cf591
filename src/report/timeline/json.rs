//! `log` and `latest` as JSON.

use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::events::EventFile;
use super::training_json::Training;
use crate::analysis::{self, Reason, Row, Timeline};
use crate::read::checkpoint::Found;
use crate::report::findings::json::{Finding, findings};
use crate::report::kit::json::{Float, Head, PathText, Word, unix, write_document};

/// The story of a directory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Log<'a> {
    #[serde(flatten)]
    head: Head,
    /// the directory
    path: PathText<'a>,
    /// the prefix of the latest checkpoint
    latest: Option<PathText<'a>>,
    /// `state_file`, `no_state_file`, `state_file_wrong` (the highest step, or the same name in this directory, was taken instead), `none`
    latest_reason: Word<Reason>,
    /// about that choice
    notes: &'a [String],
    /// that checkpoints of several names lie here, if they do
    several: Option<&'a str>,
    /// earlier checkpoints that `--last` left out
    left_out: usize,
    /// all that are in it, by step; with `jsonl` one a line
    checkpoints: Vec<LogCheckpoint<'a>>,
    /// scopes in which no weight changed between any two of them
    never_moved: &'a [String],
    /// with `--finite`: the first checkpoint with NaN or infinity
    first_non_finite: Option<PathText<'a>>,
    /// what is wrong with the state file
    findings: Vec<Finding<'a>>,
    /// with `--training`: what was found and is allowed
    allowed: Vec<Finding<'a>>,
    /// the lines of a state file that would fit
    repair: Option<&'a [String]>,
    /// event files, here and one directory below
    events: Vec<EventFile<'a>>,
}

/// A checkpoint of a directory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LogCheckpoint<'a> {
    /// as in `inspect`
    prefix: PathText<'a>,
    /// the name without its numbers, where checkpoints of more than one lie in the directory; `moved` is never told across groups
    group: Option<&'a str>,
    /// the step
    step: Option<u64>,
    /// the number in the name where it counts saves
    save: Option<u64>,
    /// as in `inspect`
    modified: Option<u64>,
    /// as in `inspect`
    bytes: u64,
    /// the index is sound and every shard is there and long enough
    complete: bool,
    /// as in `inspect`
    latest: bool,
    /// why it is not complete
    findings: Vec<Finding<'a>>,
    /// against the checkpoint before it that could be read; null for the first
    moved: Option<MovedSince<'a>>,
    /// with `--values`
    measured: Option<MeasuredWeights<'a>>,
    /// with `--finite`
    finite: Option<Finite<'a>>,
    /// with `--training`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    training: Option<Training<'a>>,
}

/// What changed since the checkpoint before, by checksums alone.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct MovedSince<'a> {
    /// the prefix of the checkpoint before
    since: Option<PathText<'a>>,
    /// tensors
    changed: usize,
    /// tensors
    same: usize,
    /// tensors
    added: usize,
    /// tensors
    removed: usize,
    /// tensors of which checksums tell nothing
    unknown: usize,
    /// how many of `weights`
    weights_changed: usize,
    /// in both
    weights: usize,
    /// how many of `slots`
    slots_changed: usize,
    /// in both
    slots: usize,
    /// the largest scopes in which all weights changed
    moved_scopes: &'a [String],
    /// the largest scopes in which none changed
    still_scopes: &'a [String],
}

/// How far weights moved.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct MeasuredWeights<'a> {
    /// weights that moved and were measured
    measured: usize,
    /// weights that could not be read
    unread: u64,
    /// 20 at most, the farthest first
    farthest: Vec<Distance<'a>>,
}

/// How far a weight moved.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Distance<'a> {
    name: &'a str,
    /// as in `diff`
    rel_l2: Option<Float>,
    /// as in `diff`
    max_abs: Float,
}

/// What is not finite.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Finite<'a> {
    /// tensors
    read: usize,
    /// tensors
    unread: usize,
    /// those with NaN or infinity
    tensors: Vec<NonFinite<'a>>,
}

/// A tensor with NaN or infinity.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct NonFinite<'a> {
    name: &'a str,
    /// elements
    nan: u64,
    /// elements
    infinite: u64,
}

/// The latest checkpoint of a directory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Latest<'a> {
    #[serde(flatten)]
    head: Head,
    /// the directory
    path: PathText<'a>,
    /// the checkpoint
    prefix: Option<PathText<'a>>,
    /// of it
    step: Option<u64>,
    /// of it
    complete: Option<bool>,
    /// whether all of its bytes were read and are what was saved
    validated: bool,
}

/// Writes everything that `log` knows.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn timeline_json(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let first = timeline.first_non_finite().and_then(|at| timeline.rows.get(at));
    let document = Log {
        head: Head::of("log"),
        path: PathText(&timeline.path),
        latest: timeline.latest.as_deref().map(PathText),
        latest_reason: Word(timeline.reason),
        notes: &timeline.notes,
        several: timeline.several.as_deref(),
        left_out: timeline.left_out,
        checkpoints: timeline.rows.iter().map(|row| LogCheckpoint::of(timeline, row)).collect(),
        never_moved: &timeline.ever.still,
        first_non_finite: first.map(|row| PathText(&row.prefix)),
        findings: findings(&timeline.findings),
        allowed: findings(&timeline.allowed),
        repair: timeline.repair.as_deref(),
        events: timeline.events.iter().map(EventFile::from).collect(),
    };
    write_document(&document, out)
}

/// `latest --format json`.
///
/// # Errors
/// What `out` says.
pub fn latest_json(dir: &Path, found: Option<&Found>, valid: bool, out: &mut dyn Write) -> io::Result<()> {
    let document = Latest {
        head: Head::of("latest"),
        path: PathText(dir),
        prefix: found.map(|found| PathText(found.prefix.as_path())),
        step: found.and_then(|found| found.step),
        complete: found.map(|found| found.complete),
        validated: valid && found.is_some(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

/// One checkpoint a line.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn timeline_jsonl(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    timeline.rows.iter().try_for_each(|row| {
        serde_json::to_writer(&mut *out, &LogCheckpoint::of(timeline, row))?;
        writeln!(out)
    })
}

impl<'a> LogCheckpoint<'a> {
    fn of(timeline: &'a Timeline, row: &'a Row) -> Self {
        let since = |at: usize| timeline.rows.get(at).map(|row| PathText(&row.prefix));
        Self {
            prefix: PathText(&row.prefix),
            group: row.group.as_deref(),
            step: row.step,
            save: row.save,
            modified: row.modified.and_then(unix),
            bytes: row.bytes,
            complete: row.complete,
            latest: row.latest,
            findings: findings(&row.findings),
            moved: row.moved.as_ref().map(|(at, moved)| MovedSince::of(since(*at), moved)),
            measured: row.measured.as_ref().map(MeasuredWeights::from),
            finite: row.finite.as_ref().map(Finite::from),
            training: row.training.as_ref().map(Training::from),
        }
    }
}

impl<'a> MovedSince<'a> {
    fn of(since: Option<PathText<'a>>, moved: &'a analysis::Moved) -> Self {
        Self {
            since,
            changed: moved.changed,
            same: moved.same,
            added: moved.added,
            removed: moved.removed,
            unknown: moved.unknown,
            weights_changed: moved.weights.0,
            weights: moved.weights.1,
            slots_changed: moved.slots.0,
            slots: moved.slots.1,
            moved_scopes: &moved.scopes.moved,
            still_scopes: &moved.scopes.still,
        }
    }
}

impl<'a> From<&'a analysis::Measured> for MeasuredWeights<'a> {
    fn from(measured: &'a analysis::Measured) -> Self {
        let distance = |distance: &'a analysis::Distance| Distance {
            name: &distance.name,
            rel_l2: distance.rel_l2.map(Float),
            max_abs: Float(distance.max_abs),
        };
        Self {
            measured: measured.measured,
            unread: measured.unread,
            farthest: measured.farthest.iter().map(distance).collect(),
        }
    }
}

impl<'a> From<&'a analysis::Finite> for Finite<'a> {
    fn from(finite: &'a analysis::Finite) -> Self {
        let tensor = |(name, nan, infinite): &'a (String, u64, u64)| NonFinite { name, nan: *nan, infinite: *infinite };
        Self { read: finite.read, unread: finite.unread, tensors: finite.found.iter().map(tensor).collect() }
    }
}
