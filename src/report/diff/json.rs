//! `diff` as JSON and JSON Lines: the contract is in `docs/json.md`.
//!
//! A document is written in pieces, because there may be more changes than are kept: what comes first, the verdict, the
//! changes, and what comes last.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::DiffRows;
use super::change_json::Change;
use super::match_json::Totals;
use super::spectral::LowRanks;
use super::which_side::WhichSide;
use crate::analysis::diff::{self, Ambiguous, Depth, Diff, Expected, ScopeTally, Status};
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::json::{Head, Source, Utf8OrBase64, Word, write_fields};

/// What comes first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct DiffHead<'a> {
    #[serde(flatten)]
    head: Head,
    /// what was opened: a `source` for either side
    a: Source<'a>,
    /// what was opened: a `source` for either side
    b: Source<'a>,
}

/// How far a comparison went.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct DiffDepth {
    /// how far
    compared: Word<Depth>,
}

/// Whether anything differs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct DiffVerdict {
    /// something was compared, nothing of it differs, or within tolerance only, and nothing was unreadable; two checkpoints without any tensor are equal, and two of which selectors left nothing are not; with `--match values`, every weight has its partner, something of that is proved, and nothing is suspect
    equal: bool,
}

/// What all changes come to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct DiffSummary {
    /// how many tensors, by what became of them
    summary: Summary,
}

/// How many tensors, by what became of them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Summary {
    #[serde(flatten)]
    by_status: Tally,
    /// of the identical ones, those that were not read
    identical_by_checksum: u64,
    /// of the identical ones, those in other slices
    repartitioned: u64,
    /// of the identical ones, those in other shards
    moved: u64,
    /// by selectors
    left_out: u64,
    /// what only one side can have, by the kind that it is
    one_sided: usize,
    /// of both sides
    bytes_read: u64,
}

/// Tensors by status.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Tally {
    identical: u64,
    within_tolerance: u64,
    changed: u64,
    added: u64,
    removed: u64,
    shape: u64,
    dtype: u64,
    renamed: u64,
    unreadable: u64,
    not_compared: u64,
    ambiguous: u64,
}

/// What comes last.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct DiffFoot<'a> {
    /// changes that `--top` left out
    omitted: usize,
    /// tensors by the first component of their names and by status
    scopes: Vec<Scope<'a>>,
    /// tensors that were removed and added with the same bytes, several of them, so that nobody can tell which is which
    ambiguous: Vec<Group<'a>>,
    /// what only one side can have, by the kind that it is: not compared, and no difference
    one_sided: Vec<OneSided<'a>>,
    /// what was expected
    expectations: Vec<Expectation<'a>>,
    /// what else should be known
    notes: &'a [String],
    /// with `--spectral`: what the singular values of all changes come to; absent if no matrix of floats changed
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    low_ranks: Option<LowRanks>,
    /// with `--match values`: what all pairs come to
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    matched: Option<Totals>,
    /// everything that was asked for could be read and judged
    complete: bool,
}

/// Tensors of a scope.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Scope<'a> {
    /// empty at the top level
    scope: Utf8OrBase64<'a>,
    #[serde(flatten)]
    by_status: Tally,
}

/// Tensors of which nobody can tell which is which.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Group<'a> {
    /// names in A
    a: Vec<Utf8OrBase64<'a>>,
    /// names in B
    b: Vec<Utf8OrBase64<'a>>,
}

/// A tensor of one side of which the other can have none.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OneSided<'a> {
    name: Utf8OrBase64<'a>,
    side: WhichSide,
    /// what it is, and where only it can be
    why: &'static str,
}

/// What was expected.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Expectation<'a> {
    expected: Word<Expected>,
    /// as written
    selector: &'a str,
    /// the file and the line that say so, `ckpt.toml:12`; absent of an option
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    by: Option<&'a str>,
    holds: bool,
    /// tensors that it is about
    matched: u64,
    /// tensors that break it
    broken: u64,
    /// tensors that could not be judged
    unjudged: u64,
    /// the first broken ones
    examples: Vec<Example<'a>>,
}

/// A tensor that breaks an expectation.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Example<'a> {
    name: Utf8OrBase64<'a>,
    /// as of a change
    status: Word<Status>,
}

/// `diff --format json`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn diff_json(diff: &Diff<'_>, rows: &DiffRows<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{")?;
    write_fields(&head(diff.a, diff.b), out)?;
    out.write_all(b",")?;
    write_fields(&verdict(diff), out)?;
    out.write_all(b",\n")?;
    write_fields(&depth(diff.depth), out)?;
    out.write_all(b",")?;
    write_fields(&summary(diff), out)?;
    out.write_all(b",\n\"changes\":[")?;
    for (n, change) in rows.rows.iter().enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &Change::from(*change))?;
    }
    out.write_all(b"],\n")?;
    write_fields(&foot(diff, rows.hidden), out)?;
    writeln!(out, "}}")
}

/// `diff --format jsonl`: one change a line.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn diff_jsonl(rows: &DiffRows<'_>, out: &mut dyn Write) -> io::Result<()> {
    for change in &rows.rows {
        serde_json::to_writer(&mut *out, &Change::from(*change))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// What comes first.
pub(in crate::report) fn head<'a>(a: &'a Checkpoint, b: &'a Checkpoint) -> DiffHead<'a> {
    DiffHead { head: Head::of("diff"), a: Source::of(a.origin()), b: Source::of(b.origin()) }
}

/// How far a comparison went.
pub(in crate::report) fn depth(depth: Depth) -> DiffDepth {
    DiffDepth { compared: Word(depth) }
}

/// Whether anything differs.
pub(in crate::report) fn verdict(diff: &Diff<'_>) -> DiffVerdict {
    DiffVerdict { equal: diff.is_equal() }
}

/// What all changes come to.
pub(in crate::report) fn summary(diff: &Diff<'_>) -> DiffSummary {
    let summary = Summary {
        by_status: (&diff.tally).into(),
        identical_by_checksum: diff.by_checksum,
        repartitioned: diff.repartitioned,
        moved: diff.moved,
        left_out: diff.left_out,
        one_sided: diff.one_sided.len(),
        bytes_read: diff.bytes_read,
    };
    DiffSummary { summary }
}

/// What comes last, with so many changes left out.
pub(in crate::report) fn foot<'a>(diff: &'a Diff<'_>, hidden: usize) -> DiffFoot<'a> {
    DiffFoot {
        omitted: hidden,
        scopes: diff.scopes.iter().map(Scope::from).collect(),
        ambiguous: diff.ambiguous.iter().map(Group::from).collect(),
        one_sided: diff.one_sided.iter().map(OneSided::from).collect(),
        expectations: diff.expectations.iter().map(Expectation::from).collect(),
        notes: &diff.notes,
        low_ranks: LowRanks::of(diff),
        matched: Totals::of(diff),
        complete: !diff.is_trouble(),
    }
}

impl From<&diff::Tally> for Tally {
    fn from(tally: &diff::Tally) -> Self {
        Self {
            identical: tally.of(Status::Identical),
            within_tolerance: tally.of(Status::WithinTolerance),
            changed: tally.of(Status::Changed),
            added: tally.of(Status::Added),
            removed: tally.of(Status::Removed),
            shape: tally.of(Status::Shape),
            dtype: tally.of(Status::DType),
            renamed: tally.of(Status::Renamed),
            unreadable: tally.of(Status::Unreadable),
            not_compared: tally.of(Status::NotCompared),
            ambiguous: tally.of(Status::Ambiguous),
        }
    }
}

fn names(names: &[Box<[u8]>]) -> Vec<Utf8OrBase64<'_>> {
    names.iter().map(|name| Utf8OrBase64(name)).collect()
}

impl<'a> From<&'a ScopeTally> for Scope<'a> {
    fn from(scope: &'a ScopeTally) -> Self {
        Self { scope: Utf8OrBase64(&scope.scope), by_status: (&scope.tally).into() }
    }
}

impl<'a> From<&'a Ambiguous> for Group<'a> {
    fn from(group: &'a Ambiguous) -> Self {
        Self { a: names(&group.a), b: names(&group.b) }
    }
}

impl<'a> From<&'a diff::OneSided> for OneSided<'a> {
    fn from(one: &'a diff::OneSided) -> Self {
        Self { name: Utf8OrBase64(&one.name), side: one.side.into(), why: one.why }
    }
}

impl<'a> From<&'a diff::Expectation> for Expectation<'a> {
    fn from(expectation: &'a diff::Expectation) -> Self {
        let example =
            |(name, status): &'a (Box<[u8]>, Status)| Example { name: Utf8OrBase64(name), status: Word(*status) };
        Self {
            expected: Word(expectation.expected),
            selector: &expectation.selector,
            by: expectation.by.as_deref(),
            holds: expectation.holds(),
            matched: expectation.matched,
            broken: expectation.broken,
            unjudged: expectation.unjudged,
            examples: expectation.examples.iter().map(example).collect(),
        }
    }
}
