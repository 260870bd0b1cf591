//! What a model can touch, as data: the files to look at, and what was found in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::analysis::policy::{Policy, Rule, settle};
use crate::analysis::{Code, Finding};
use crate::base::error::Error;
use crate::read::graphs::graph::Form;
use crate::read::graphs::keras::KerasConfigFile;

/// A file to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Graphs.
    Graphs(PathBuf, Form),
    /// Configurations of Keras, which may hold Python code.
    Configs(KerasConfigFile),
    /// A file that may hold code and that is not read: its name, and why.
    Unsupported(PathBuf, &'static str),
}

/// The outcome.
#[derive(Debug, Default)]
pub struct OpsReport {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What was found and is allowed, after [`OpsReport::settle`].
    pub allowed: Vec<Finding>,
    /// The file of the policy that was followed.
    pub policy: Option<PathBuf>,
    /// What could not be looked at, as findings too: whatever is allowed, these make the report incomplete.
    pub unread: Vec<Finding>,
    /// What was looked at.
    pub looked: Looked,
    /// The files.
    pub files: Vec<PathBuf>,
    /// How often each op occurs, functions included.
    pub ops: BTreeMap<String, u64>,
    /// What the user should know about the choice of files.
    pub notes: Vec<String>,
    pub(super) kept: BTreeMap<Code, usize>,
}

/// Counts of what was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Graphs.
    pub graphs: u64,
    /// Functions in their libraries.
    pub functions: u64,
    /// Nodes of both.
    pub nodes: u64,
    /// Configurations of Keras objects.
    pub keras_configs: u64,
    /// The saver's own ops: they save and restore where they are told.
    pub of_saver: u64,
    /// Ops that read the model's own assets.
    pub of_assets: u64,
}

/// Findings of one code that are kept one by one; further ones are counted.
pub(super) const MOST: usize = 1000;

impl OpsReport {
    /// Whether everything could be looked at.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty()
    }

    /// Carries out what the policy and the options of a command say of findings; `path` is the one that was given.
    pub fn settle(&mut self, policy: Option<&Policy>, options: &[Rule], path: &Path) {
        self.policy = policy.map(|policy| policy.file.clone());
        self.allowed.extend(settle(&mut self.findings, policy, options, path));
    }

    /// Keeps the first findings of each code and counts the others.
    pub(super) fn found(&mut self, finding: Finding) {
        let n = self.kept.entry(finding.code).or_default();
        *n += 1;
        if *n <= MOST {
            self.findings.push(finding);
        }
    }

    pub(super) fn unread(&mut self, error: &Error) {
        self.unread.push(Finding::of(error));
    }
}
