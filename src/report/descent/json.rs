//! `tree` as JSON.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::descent::{self, By, Descent, Relation};
use crate::report::findings::json::{Finding, findings};
use crate::report::kit::ages::Age;
use crate::report::kit::json::{Float, Head, PathText, write_document};

/// Where checkpoints come from.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Tree<'a> {
    #[serde(flatten)]
    head: Head,
    /// the checkpoints, run by run; a number elsewhere is a position here
    checkpoints: Vec<TreeCheckpoint<'a>>,
    /// directories with the checkpoints of one name in each
    runs: Vec<TreeRun<'a>>,
    /// data files without an index beside them
    strays: Vec<TreeStray<'a>>,
    /// the directory that all of them are in
    root: PathText<'a>,
    /// of all tensors
    bytes: u64,
    /// of tensors that another tensor of the set has too, counted once less than they are there
    repeated_bytes: u64,
    /// of checkpoints that are copies of another one
    copied_bytes: u64,
    /// what could not be read
    unread: Vec<TreeUnread<'a>>,
}

/// One checkpoint.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct TreeCheckpoint<'a> {
    prefix: PathText<'a>,
    /// a position in `runs`
    run: usize,
    /// as in `inspect`
    step: Option<u64>,
    /// as in `inspect`
    optimizers: Vec<Age<'a>>,
    /// how many
    tensors: usize,
    /// how many of them are weights or averages
    weights: usize,
    /// of all tensors
    bytes: u64,
    /// every shard is there and long enough
    complete: bool,
    /// where it comes from; null if nothing of the others is in it
    from: Option<From<'a>>,
}

/// Where a checkpoint comes from.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct From<'a> {
    /// `copy`, `export` (all of its weights are the other's), `continues`, `fine_tuned` (some are), `average`, `contains` (all weights of the other are in it, and more), `same_model` (names and shapes are the same, and nothing tells more)
    relation: &'static str,
    /// positions in `checkpoints`: one, but for `average`
    of: &'a [usize],
    /// what says so: `checksums`, `counters` (steps and updates of one directory go on), `values` (some thousand numbers), `names`
    by: &'static str,
    /// weights with the same bytes
    shared_weights: usize,
    /// weights in all
    weights: usize,
    /// some of the same bytes have another name
    renamed: bool,
    /// scopes of weights that are the same
    frozen: &'a [String],
    /// scopes of weights that changed
    moved: &'a [String],
    /// scopes of weights that only this one has
    added: &'a [String],
    /// scopes of weights that only the other has
    removed: &'a [String],
    /// tensors of the other that are no weights and that this one lacks
    without: usize,
    /// the share of each of `of`, of an average
    shares: Vec<Float>,
    /// others with weights of this one that the first does not have
    also: Vec<Also>,
    /// what says which was first: `told` (what they hold), `times` (of their files), `unknown`
    direction: &'static str,
}

/// Another one with some of its weights.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Also {
    /// a position in `checkpoints`
    of: usize,
    /// how many
    weights: usize,
}

/// The checkpoints of one name in one directory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct TreeRun<'a> {
    path: PathText<'a>,
    /// the name without its numbers, where there are several
    group: Option<&'a str>,
}

/// A data file without an index beside it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct TreeStray<'a> {
    path: PathText<'a>,
    bytes: u64,
    /// the checkpoint whose data it is, a position in `checkpoints`
    of: Option<usize>,
    /// bytes were compared with checksums; else only the length is the same
    proved: bool,
    /// checkpoints with data of this length
    candidates: usize,
}

/// What could not be read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct TreeUnread<'a> {
    path: PathText<'a>,
    /// why
    findings: Vec<Finding<'a>>,
}

/// Writes the document.
///
/// # Errors
/// What `out` says.
pub(super) fn descent_json(descent: &Descent, out: &mut dyn Write) -> io::Result<()> {
    let document = Tree {
        head: Head::of("tree"),
        checkpoints: descent.leaves.iter().map(TreeCheckpoint::of).collect(),
        runs: descent
            .runs
            .iter()
            .map(|run| TreeRun { path: PathText(&run.path), group: run.group.as_deref() })
            .collect(),
        strays: descent
            .strays
            .iter()
            .map(|file| {
                let descent::Stray { bytes, of, proved, candidates, .. } = *file;
                TreeStray { path: PathText(&file.path), bytes, of, proved, candidates }
            })
            .collect(),
        root: PathText(&descent.root),
        bytes: descent.bytes,
        repeated_bytes: descent.repeated,
        copied_bytes: descent.copied,
        unread: descent
            .unread
            .iter()
            .map(|unread| TreeUnread {
                path: PathText(&unread.path),
                findings: findings(std::slice::from_ref(&unread.finding)),
            })
            .collect(),
    };
    write_document(&document, out)
}

impl<'a> TreeCheckpoint<'a> {
    fn of(leaf: &'a descent::Leaf) -> Self {
        Self {
            prefix: PathText(&leaf.prefix),
            run: leaf.run,
            step: leaf.step,
            optimizers: leaf.ages.iter().map(Age::from).collect(),
            tensors: leaf.tensors,
            weights: leaf.weights,
            bytes: leaf.bytes,
            complete: leaf.complete,
            from: leaf.link.as_ref().map(From::of),
        }
    }
}

impl<'a> From<'a> {
    fn of(link: &'a descent::Link) -> Self {
        let (relation, by): (Relation, By) = (link.relation, link.by);
        Self {
            relation: relation.name(),
            of: &link.of,
            by: by.name(),
            shared_weights: link.shared.0,
            weights: link.shared.1,
            renamed: link.renamed,
            frozen: &link.frozen,
            moved: &link.moved,
            added: &link.added,
            removed: &link.removed,
            without: link.without,
            shares: link.shares.iter().copied().map(Float).collect(),
            also: link.also.iter().map(|(of, weights)| Also { of: *of, weights: *weights }).collect(),
            direction: link.direction.name(),
        }
    }
}
