//! Several checkpoints in one run: which one a finding is of, and what is to be said of each model among them.
//!
//! Checkpoints whose names differ in more than their numbers are perhaps of different models. One verdict over all of
//! them would say of none whether it can be used.

use std::path::PathBuf;

use super::validation::{Counts, GroupVerdict, Validation};
use crate::analysis::finding::{Code, Finding, Severity};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Found, ModelDir, Origin};

/// One of several things that are checked.
#[derive(Debug)]
pub(super) struct OneOf {
    /// What findings begin with: the checkpoint's name, or the version.
    pub(super) label: String,
    /// Its group, where there are several.
    pub(super) group: Option<String>,
}

impl OneOf {
    /// Those of a directory, in the order of `dir.checkpoints`; none for the only one.
    pub(super) fn directory(dir: &ModelDir) -> Vec<Option<Self>> {
        let several = dir.groups().len() > 1;
        let of = |found: &Found| Self {
            label: escaped(found.prefix.base_name().as_encoded_bytes()).into_owned(),
            group: several.then(|| found.group()),
        };
        dir.checkpoints.iter().map(|found| (dir.checkpoints.len() > 1).then(|| of(found))).collect()
    }

    /// A version of a served model.
    pub(super) fn version(origin: &Origin) -> Option<Self> {
        let name = origin.saved_model.as_deref()?.file_name()?;
        Some(Self { label: format!("version {}", escaped(name.as_encoded_bytes())), group: None })
    }

    /// Says of findings what they are of. One that begins with the name of a file of its checkpoint says so itself.
    pub(super) fn mark(&self, findings: &mut [Finding]) {
        for finding in findings {
            let own = finding.message.strip_prefix(&self.label).is_some_and(|rest| rest.starts_with(['.', ' ', ':']));
            if !own {
                finding.message = format!("{}: {}", self.label, finding.message);
            }
            finding.group.clone_from(&self.group);
        }
    }

    /// Counts what was checked of it, `before` being what all had before it, for its group.
    pub(super) fn count(&self, before: Counts, target: PathBuf, result: &mut Validation) {
        let Some(name) = &self.group else { return };
        let checked = result.checked.since(before);
        match result.groups.iter_mut().find(|group| group.name == *name) {
            Some(group) => {
                group.checked = group.checked.and(checked);
                group.targets.push(target);
            }
            None => result.groups.push(GroupVerdict { name: name.clone(), targets: vec![target], checked }),
        }
    }
}

impl Validation {
    /// How many findings of a severity are about the checkpoints of one group, or of the whole run; those of
    /// restores are told with them.
    pub fn count_of(&self, severity: Severity, group: Option<&str>) -> usize {
        self.count_where(severity, group, |code| !code.is_restore())
    }

    /// How many errors say that the files are not what was saved, whatever the user says of them.
    pub fn errors_of_files(&self, group: Option<&str>) -> usize {
        let of_group = |finding: &Finding| group.is_none_or(|group| finding.group.as_deref() == Some(group));
        let is_of = |finding: &&Finding| {
            finding.own_severity() == Severity::Error && finding.code.is_of_files() && of_group(finding)
        };
        self.all_findings().filter(is_of).count()
    }

    /// How many tensors have NaN or infinity, where that is an error.
    pub fn sick_tensors(&self, group: Option<&str>) -> usize {
        self.count_where(Severity::Error, group, |code| code == Code::NonFinite)
    }

    fn count_where(&self, severity: Severity, group: Option<&str>, of_kind: impl Fn(Code) -> bool) -> usize {
        let of_group = |finding: &Finding| group.is_none_or(|group| finding.group.as_deref() == Some(group));
        let is_of = |finding: &&Finding| finding.severity == severity && of_kind(finding.code) && of_group(finding);
        self.findings.iter().filter(is_of).count()
    }
}
