//! `validate --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::{Counts, GroupVerdict, Served, Severity, Validation};
use crate::report::findings::json::{Finding, Policy, findings};
use crate::report::kit::json::{Head, PathText, write_document};
use crate::report::restore::json::Restore;

/// Whether checkpoints are intact, and whether they would be restored.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Validate<'a> {
    #[serde(flatten)]
    head: Head,
    /// no finding of level error
    ok: bool,
    /// the checkpoints that were checked
    targets: Vec<PathText<'a>>,
    /// what was found, in the order of the checks
    findings: Vec<Finding<'a>>,
    /// what was found and is allowed, by a rule of `ckpt.toml` or an option; absent if nothing is
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<Finding<'a>>,
    /// the policy that was followed
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    policy: Option<Policy<'a>>,
    /// how much was checked
    checked: Checked,
    /// where checkpoints of several names lie in one directory: what was found of each name
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group<'a>>,
    /// with `--serving`, of a directory: what TensorFlow Serving would do with it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    serving: Option<Serving<'a>>,
    /// with `--against`: what a restore would do; of a SavedModel with several graphs the first that is not ok
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    restore: Option<Restore<'a>>,
    /// all of them, if there are several
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restores: Vec<Restore<'a>>,
}

/// How much was checked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Checked {
    checkpoints: u64,
    files: u64,
    tensors: u64,
    /// tensors whose bytes match their checksum
    verified: u64,
    /// tensors that were not read
    skipped: u64,
    /// with `--quick`: tensors in shards of which the store itself has the very checksum that follows from the index; none of
    /// their bytes was read, and `skipped` does not count them
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    vouched: Option<u64>,
    /// tensors of a format without checksums: they have their bytes, and nothing says whether these are right
    unsummed: u64,
    bytes: u64,
}

/// What a server would do with a path.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Serving<'a> {
    /// the base path
    path: PathText<'a>,
    /// the name of the version that it takes; null without one
    version: Option<&'a str>,
    /// `yes`, `wrongly` (it is loaded, and requests fail or get other values), `no`
    served: &'static str,
    /// whether something is wrong with another version
    other_errors: bool,
}

impl<'a> Serving<'a> {
    fn of(validation: &'a Validation) -> Option<Self> {
        let (gate, (served, other_errors)) = (validation.gate.as_ref()?, validation.served()?);
        let served = match served {
            Served::Yes => "yes",
            Served::Wrongly => "wrongly",
            Served::No => "no",
        };
        Some(Self { path: PathText(&gate.path), version: gate.version.as_deref(), served, other_errors })
    }
}

/// Checkpoints of one name.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Group<'a> {
    /// without its numbers
    name: &'a str,
    ok: bool,
    targets: Vec<PathText<'a>>,
    errors: usize,
    warnings: usize,
    /// how much of it was checked
    checked: Checked,
}

impl<'a> Group<'a> {
    fn of(validation: &Validation, group: &'a GroupVerdict) -> Self {
        let count = |severity| validation.count_of(severity, Some(&group.name));
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let targets = group.targets.iter().map(|target| PathText(target)).collect();
        Self { name: &group.name, ok: errors == 0, targets, errors, warnings, checked: group.checked.into() }
    }
}

impl From<Counts> for Checked {
    fn from(counts: Counts) -> Self {
        Self {
            checkpoints: counts.checkpoints,
            files: counts.files,
            tensors: counts.tensors,
            verified: counts.verified,
            skipped: counts.skipped,
            vouched: Some(counts.vouched).filter(|n| *n > 0),
            unsummed: counts.unsummed,
            bytes: counts.bytes,
        }
    }
}

/// Writes the outcome.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn validate_json(validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
    // The one that is not ok says more; of several graphs the others stand beside it.
    let restores = &validation.restores;
    let told = restores.iter().find(|restore| !restore.ok).or(restores.first());
    let all = if restores.len() > 1 { restores.as_slice() } else { &[] };
    let document = Validate {
        head: Head::of("validate"),
        ok: validation.is_ok(),
        targets: validation.targets.iter().map(|target| PathText(target)).collect(),
        findings: findings(&validation.findings),
        allowed: findings(&validation.allowed),
        policy: validation.policy.as_ref().map(|used| Policy {
            file: PathText(&used.file),
            expectations: used.checked,
            broken: used.broken,
        }),
        checked: validation.checked.into(),
        groups: validation.groups.iter().map(|group| Group::of(validation, group)).collect(),
        serving: Serving::of(validation),
        restore: told.map(Restore::from),
        restores: all.iter().map(Restore::from).collect(),
    };
    write_document(&document, out)
}
