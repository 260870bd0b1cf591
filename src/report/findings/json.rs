//! Findings as JSON; every document that has findings has them in this form.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::ops::{OpSite, Origin, When};
use crate::analysis::{self, Level, Ruling, Severity};
use crate::report::kit::json::{PathText, Utf8OrBase64, Word};

/// One thing that was found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Finding<'a> {
    /// a word of [checks.md](checks.md), never reused
    code: &'static str,
    severity: Word<Severity>,
    /// what is wrong, in a sentence
    message: &'a str,
    /// what to do
    help: Option<&'a str>,
    /// where
    file: Option<PathText<'a>>,
    /// where in it, in bytes
    offset: Option<u64>,
    /// which tensor
    tensor: Option<Utf8OrBase64<'a>>,
    /// what should stand there
    expected: Option<&'a str>,
    /// what stands there
    found: Option<&'a str>,
    /// what happened to it, as far as can be told
    cause: Option<Cause<'a>>,
    /// where one cause explains several tensors, none of which has a finding of its own
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    explains: Option<Explains<'a>>,
    /// where checkpoints of several names lie in one directory: the name without its numbers of the one that it is about
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    group: Option<&'a str>,
    /// where an op is, of a finding about one
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    op: Option<OpPlace<'a>>,
    /// what a rule of `ckpt.toml` or an option says of it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    rule: Option<Rule<'a>>,
}

/// What somebody said of a finding.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Rule<'a> {
    level: Word<Level>,
    /// how bad the finding would be without it
    was: Word<Severity>,
    /// the file that says so; null for an option
    file: Option<PathText<'a>>,
    /// the line in it
    line: Option<usize>,
    /// why
    reason: Option<&'a str>,
    /// the last day on which it holds
    until: Option<String>,
}

impl<'a> Rule<'a> {
    fn of(ruling: &'a Ruling, severity: Severity) -> Self {
        Self {
            level: Word(ruling.level),
            was: Word(ruling.was.unwrap_or(severity)),
            file: ruling.place.as_ref().map(|(file, _)| PathText(file)),
            line: ruling.place.as_ref().map(|(_, line)| *line),
            reason: ruling.reason.as_deref(),
            until: ruling.until.map(|until| until.to_string()),
        }
    }
}

/// The policy that was followed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Policy<'a> {
    /// its file
    pub(in crate::report) file: PathText<'a>,
    /// how many of its expectations were looked at
    pub(in crate::report) expectations: u64,
    /// how many of these do not hold
    pub(in crate::report) broken: u64,
}

/// Why something is wrong.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Cause<'a> {
    /// what the bytes prove
    certain: &'a str,
    /// what that probably means
    likely: Option<&'a str>,
}

/// The tensors that one cause explains.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Explains<'a> {
    /// how many are wrong for this reason
    tensors: usize,
    /// up to 1,000 of them
    names: Vec<Utf8OrBase64<'a>>,
}

/// Where an op is, and when it runs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OpPlace<'a> {
    /// what
    op: &'a str,
    /// where
    node: &'a str,
    /// the function that the node is in; null for the graph itself
    function: Option<&'a str>,
    /// of its graph
    tags: &'a [String],
    /// `load` (a loader runs it), `call`, `save`, `start` (when variables are initialized to begin training); empty if nothing reaches it
    when: Vec<Word<When>>,
    /// what reaches it, in words; 100 at most
    reached_from: &'a [String],
    /// whether the file says what is run; a bare `GraphDef` does not
    reach_known: bool,
    /// where its path comes from
    paths: Vec<OpPath<'a>>,
}

/// Where the path of an op comes from.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OpPath<'a> {
    /// `fixed` (`value` is the path), `begins` (`value` is its beginning), `asset` (`value` is the file), `caller` (`value` is the argument), `computed` (`value` is the op), `saver`, `unknown` (both without `value`)
    from: OpPathFrom,
    value: Option<Utf8OrBase64<'a>>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
enum OpPathFrom {
    Fixed,
    Begins,
    Asset,
    Caller,
    Computed,
    Saver,
    Unknown,
}

/// All of them.
pub(in crate::report) fn findings<'a>(findings: impl IntoIterator<Item = &'a analysis::Finding>) -> Vec<Finding<'a>> {
    findings.into_iter().map(Finding::from).collect()
}

impl<'a> From<&'a analysis::Finding> for Finding<'a> {
    fn from(finding: &'a analysis::Finding) -> Self {
        // A million names would say no more than their number.
        const NAMED: usize = 1000;
        let names = || finding.explains.iter().take(NAMED).map(|tensor| Utf8OrBase64(tensor)).collect();
        let explains = || Explains { tensors: finding.explains.len(), names: names() };
        let cause = finding.cause.as_ref();
        Self {
            code: finding.code.name(),
            severity: Word(finding.severity),
            message: &finding.message,
            help: finding.help.as_deref(),
            file: finding.file.as_deref().map(PathText),
            offset: finding.offset,
            tensor: finding.tensor.as_deref().map(Utf8OrBase64),
            expected: finding.expected.as_deref(),
            found: finding.found.as_deref(),
            cause: cause.map(|cause| Cause { certain: &cause.certain, likely: cause.likely.as_deref() }),
            explains: (!finding.explains.is_empty()).then(explains),
            group: finding.group.as_deref(),
            op: finding.op.as_deref().map(OpPlace::from),
            rule: finding.ruling.as_ref().map(|ruling| Rule::of(ruling, finding.severity)),
        }
    }
}

impl<'a> From<&'a OpSite> for OpPlace<'a> {
    fn from(site: &'a OpSite) -> Self {
        Self {
            op: &site.op,
            node: &site.node,
            function: site.function.as_deref(),
            tags: &site.tags,
            when: site.when.iter().copied().map(Word).collect(),
            reached_from: &site.from,
            reach_known: site.reach_known,
            paths: site.origins.iter().map(OpPath::from).collect(),
        }
    }
}

impl<'a> From<&'a Origin> for OpPath<'a> {
    fn from(origin: &'a Origin) -> Self {
        let (from, value): (_, Option<&[u8]>) = match origin {
            Origin::Fixed(path) => (OpPathFrom::Fixed, Some(path)),
            Origin::Begins(path) => (OpPathFrom::Begins, Some(path)),
            Origin::Saver => (OpPathFrom::Saver, None),
            Origin::Asset(file) => (OpPathFrom::Asset, Some(file.as_bytes())),
            Origin::Caller(name) => (OpPathFrom::Caller, Some(name)),
            Origin::Computed(op) => (OpPathFrom::Computed, Some(op)),
            Origin::Unknown => (OpPathFrom::Unknown, None),
        };
        Self { from, value: value.map(Utf8OrBase64) }
    }
}
