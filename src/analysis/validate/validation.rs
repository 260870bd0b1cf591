//! What to check and how, and what came of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::parts::Share;
use crate::analysis::policy::{Policy, Rule, settle};
use crate::analysis::restore::Restore;
use crate::analysis::{Finding, Selector, Severity};
use crate::read::checkpoint::Choice;

/// What to check and how.
#[derive(Debug)]
pub struct ValidateOptions {
    /// Read no data shard.
    pub quick: bool,
    /// Look for NaN and infinity.
    pub finite: bool,
    /// Worker threads.
    pub threads: usize,
    /// The tensors whose bytes are checked.
    pub selector: Selector,
    /// Which checkpoint of a directory; without a choice, all of them.
    pub choice: Choice,
    /// Check what TensorFlow Serving would do with it.
    pub serving: bool,
    /// What the project says of findings, and expects.
    pub policy: Option<Arc<Policy>>,
    /// Whether several processes make this report, and which one this is.
    pub share: Option<Arc<Share>>,
}

impl ValidateOptions {
    /// Whether only a share of the bytes is read, and nothing can be said of the whole.
    pub(super) fn is_part(&self) -> bool {
        self.share.as_ref().is_some_and(|share| share.is_part())
    }

    /// Every tensor, or with `quick` none of their bytes.
    pub fn all(quick: bool, threads: usize) -> Self {
        let (selector, choice) = (Selector::default(), Choice::default());
        Self { quick, finite: false, threads, selector, choice, serving: false, policy: None, share: None }
    }
}

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Checkpoints.
    pub checkpoints: u64,
    /// Files that were opened or looked for.
    pub files: u64,
    /// Tensors in the indexes that were checked.
    pub tensors: u64,
    /// Tensors whose bytes were read and compared with their checksum.
    pub verified: u64,
    /// Tensors whose bytes were not looked at: not selected, `--quick`, or their shard is missing.
    pub skipped: u64,
    /// With `--quick`, tensors in shards of which a store has the very checksum that follows from the index.
    pub vouched: u64,
    /// Tensors of a format that has no checksums: their places were checked, and nobody can say that their bytes are right.
    pub unsummed: u64,
    /// Bytes that were read and summed.
    pub bytes: u64,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct Validation {
    /// Everything that was found, in the order of the checks.
    pub findings: Vec<Finding>,
    /// What was found and is allowed, after [`Validation::settle`].
    pub allowed: Vec<Finding>,
    /// The policy that was followed, and what came of its expectations.
    pub policy: Option<PolicyUse>,
    /// What was checked.
    pub checked: Counts,
    /// The checkpoints that were checked, as prefixes.
    pub targets: Vec<PathBuf>,
    /// What was found of each model, where checkpoints of several names lie in one directory.
    pub groups: Vec<GroupVerdict>,
    /// The path that a server would be given, if it was asked what one would do.
    pub gate: Option<Gate>,
    /// What restoring into each graph of a model would do, if that was asked.
    pub restores: Vec<Restore>,
    /// Whether a SavedModel without variables was among them.
    pub(super) graph_only: bool,
    /// Files under other names that were found to be shards.
    pub(super) used: Vec<PathBuf>,
}

impl Validation {
    /// Whether nothing of error level was found.
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }

    /// Carries out what the policy and the options of a command say of findings, all of which are there; `path` is the one
    /// that was given.
    pub fn settle(&mut self, policy: Option<&Policy>, options: &[Rule], path: &Path) {
        self.allowed.extend(settle(&mut self.findings, policy, options, path));
    }

    /// Findings and what was allowed of them.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(&self.allowed)
    }

    pub(super) fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn add(&mut self, counts: Counts) {
        self.checked = self.checked.and(counts);
    }
}

/// A policy that was followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyUse {
    /// Its file.
    pub file: PathBuf,
    /// How many of its expectations were looked at.
    pub checked: u64,
    /// How many of these do not hold.
    pub broken: u64,
}

/// What was found of the checkpoints of one name.
#[derive(Clone, Debug)]
pub struct GroupVerdict {
    /// What their names have in common.
    pub name: String,
    /// The checkpoints, as prefixes.
    pub targets: Vec<PathBuf>,
    /// What of them was checked.
    pub checked: Counts,
}

impl Counts {
    /// Both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            checkpoints: self.checkpoints.saturating_add(other.checkpoints),
            files: self.files.saturating_add(other.files),
            tensors: self.tensors.saturating_add(other.tensors),
            verified: self.verified.saturating_add(other.verified),
            skipped: self.skipped.saturating_add(other.skipped),
            vouched: self.vouched.saturating_add(other.vouched),
            unsummed: self.unsummed.saturating_add(other.unsummed),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// What was added since there was `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            checkpoints: self.checkpoints.saturating_sub(before.checkpoints),
            files: self.files.saturating_sub(before.files),
            tensors: self.tensors.saturating_sub(before.tensors),
            verified: self.verified.saturating_sub(before.verified),
            skipped: self.skipped.saturating_sub(before.skipped),
            vouched: self.vouched.saturating_sub(before.vouched),
            unsummed: self.unsummed.saturating_sub(before.unsummed),
            bytes: self.bytes.saturating_sub(before.bytes),
        }
    }
}

/// What a server would be given.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The base path.
    pub path: PathBuf,
    /// The name of the version that it takes: the highest.
    pub version: Option<String>,
    /// How many versions there are.
    pub versions: usize,
}

/// What a server does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// It loads the version and answers.
    Yes,
    /// It loads the version, and requests fail or are answered with other variables.
    Wrongly,
    /// It loads nothing.
    No,
}
