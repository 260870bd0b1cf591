//! `--show-config --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::Level;
use crate::analysis::policy::{self, Check};
use crate::report::kit::json::{DTypeName, Head, PathText, Word, write_document};

/// What a policy says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Config<'a> {
    #[serde(flatten)]
    head: Head,
    /// the file; null if there is none
    file: Option<PathText<'a>>,
    /// what becomes of findings: of several rules that are about one the last holds
    rules: Vec<Rule<'a>>,
    /// what is expected of checkpoints
    expectations: Vec<Expectation<'a>>,
}

/// What becomes of some findings.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Rule<'a> {
    /// in the file
    line: Option<usize>,
    level: Word<Level>,
    /// words of [checks.md](checks.md)
    codes: Vec<&'static str>,
    /// selectors of tensors; empty for all
    tensors: &'a [String],
    /// globs from the folder of the file; empty for all
    paths: &'a [String],
    /// why
    reason: Option<&'a str>,
    /// the last day on which it holds
    until: Option<String>,
    /// whether that has passed
    expired: bool,
}

/// One thing that is expected.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Expectation<'a> {
    /// in the file
    line: usize,
    /// `present`, `absent`, `frozen`, `changed` (these have a `selector`), `max-bytes`, `max-parameters` (`most`), `dtypes` (`dtypes`)
    expects: &'static str,
    /// which tensors
    selector: Option<&'a str>,
    /// how many
    most: Option<u64>,
    /// those that are allowed
    dtypes: Option<Vec<DTypeName>>,
    /// the tensors that sizes and dtypes are about; empty for all
    tensors: &'a [String],
    /// the checkpoints, as globs from the folder of the file; empty for all
    paths: &'a [String],
    /// what frozen and changed tensors are compared with
    base: Option<PathText<'a>>,
    /// why
    reason: Option<&'a str>,
}

/// Writes the document.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn policy_json(policy: Option<&policy::Policy>, out: &mut dyn Write) -> io::Result<()> {
    let document = Config {
        head: Head::of("config"),
        file: policy.map(|policy| PathText(&policy.file)),
        rules: policy.into_iter().flat_map(rules).collect(),
        expectations: policy.into_iter().flat_map(expectations).collect(),
    };
    write_document(&document, out)
}

fn rules(policy: &policy::Policy) -> impl Iterator<Item = Rule<'_>> {
    policy.rules.iter().map(|rule| Rule {
        line: rule.line,
        level: Word(rule.level),
        codes: rule.codes.iter().map(|code| code.name()).collect(),
        tensors: &rule.tensors,
        paths: &rule.paths.texts,
        reason: rule.reason.as_deref(),
        until: rule.until.map(|until| until.to_string()),
        expired: rule.is_expired(policy.today),
    })
}

fn expectations(policy: &policy::Policy) -> impl Iterator<Item = Expectation<'_>> {
    policy.expects.iter().flat_map(|expect| {
        expect.checks.iter().map(|(check, line)| {
            let (mut selector, mut most, mut dtypes) = (None, None, None);
            match check {
                Check::Present(text, _) | Check::Absent(text, _) | Check::Frozen(text, _) | Check::Changed(text, _) => {
                    selector = Some(text.as_str());
                }
                Check::MaxBytes(n) | Check::MaxParameters(n) => most = Some(*n),
                Check::DTypes(allowed) => dtypes = Some(allowed.iter().copied().map(DTypeName).collect()),
            }
            Expectation {
                line: *line,
                expects: check.name(),
                selector,
                most,
                dtypes,
                tensors: &expect.tensors,
                paths: &expect.paths.texts,
                base: expect.base.as_deref().map(PathText),
                reason: expect.reason.as_deref(),
            }
        })
    })
}
