//! `validate --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::finding_json::{Finding, findings};
use super::json::{Head, PathText, write_document};
use super::restore_json::Restore;
use crate::analysis::{Counts, GroupVerdict, Severity, Validation};

/// Whether checkpoints are intact, and whether they would be restored.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Validate<'a> {
    #[serde(flatten)]
    head: Head,
    /// no finding of level error
    ok: bool,
    /// the checkpoints that were checked
    targets: Vec<PathText<'a>>,
    /// what was found, in the order of the checks
    findings: Vec<Finding<'a>>,
    /// how much was checked
    checked: Checked,
    /// where checkpoints of several names lie in one directory: what was found of each name
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group<'a>>,
    /// with `--against`: what a restore would do; of a SavedModel with several graphs the first that is not ok
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = super::schema::never_null))]
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
    /// tensors of a format without checksums: they have their bytes, and nothing says whether these are right
    unsummed: u64,
    bytes: u64,
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
            unsummed: counts.unsummed,
            bytes: counts.bytes,
        }
    }
}

/// Writes the outcome.
///
/// # Errors
/// What `out` says.
pub fn validate_json(validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
    // The one that is not ok says more; of several graphs the others stand beside it.
    let restores = &validation.restores;
    let told = restores.iter().find(|restore| !restore.ok).or(restores.first());
    let all = if restores.len() > 1 { restores.as_slice() } else { &[] };
    let document = Validate {
        head: Head::of("validate"),
        ok: validation.is_ok(),
        targets: validation.targets.iter().map(|target| PathText(target)).collect(),
        findings: findings(&validation.findings),
        checked: validation.checked.into(),
        groups: validation.groups.iter().map(|group| Group::of(validation, group)).collect(),
        restore: told.map(Restore::from),
        restores: all.iter().map(Restore::from).collect(),
    };
    write_document(&document, out)
}
