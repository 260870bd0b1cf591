//! The verdict of the gate before a push: it is about what a server does with a path, which is another question than
//! whether the files are intact.

use std::path::Path;

use super::validation::{Gate, Served, Validation};
use crate::analysis::finding::{Code, Finding, Severity};
use crate::base::escape::escaped;
use crate::read::finder::serving::Version;

impl Gate {
    pub(super) fn of(path: &Path, versions: &[Version]) -> Self {
        let taken = versions.iter().find(|version| !version.shadowed);
        Self { path: path.to_path_buf(), version: taken.map(|version| version.name.clone()), versions: versions.len() }
    }

    /// Whether a finding is about the version that is taken, or about all.
    fn concerns(&self, finding: &Finding) -> bool {
        let Some(version) = &self.version else { return true };
        let label = format!("version {}: ", escaped(version.as_bytes()));
        let own = self.path.join(version);
        finding.message.starts_with(&label) || finding.file.as_ref().is_some_and(|file| file.starts_with(&own))
    }
}

impl Validation {
    /// What a server does with the version that it takes, and whether something is wrong with others.
    pub fn served(&self) -> Option<(Served, bool)> {
        let gate = self.gate.as_ref()?;
        let errors = || self.all_findings().filter(|finding| finding.own_severity() == Severity::Error);
        // Lost variables and those of another model are loaded without a word.
        let loads = |finding: &Finding| matches!(finding.code, Code::MissingVariables | Code::FingerprintMismatch);
        let own = || errors().filter(|finding| gate.concerns(finding));
        let served = if own().any(|finding| !loads(finding)) {
            Served::No
        } else if own().next().is_some() {
            Served::Wrongly
        } else {
            Served::Yes
        };
        Some((served, errors().any(|finding| !gate.concerns(finding))))
    }
}
