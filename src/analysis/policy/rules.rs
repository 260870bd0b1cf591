//! Which rule holds for a finding: of those that are about it and have not expired the last in the file, as in other
//! files of their kind; what the command line says stands above the file.

use std::path::Path;

use super::model::{Policy, Rule};
use super::paths::Paths;
use crate::analysis::finding::{Code, Finding, Level, Ruling};
use crate::analysis::naming::roles::{Role, Roles};
use crate::analysis::naming::select::Selector;
use crate::read::checkpoint::Checkpoint;

/// The rules that options of a command make: for these codes, wherever they are found. Of several for one code the
/// strictest holds.
pub fn option_rules(allow: &[Code], warn: &[Code], deny: &[Code]) -> Vec<Rule> {
    let rule = |(level, codes): (Level, &[Code])| Rule {
        level,
        codes: codes.to_vec(),
        tensors: Vec::new(),
        selector: Selector::default(),
        paths: Paths::default(),
        reason: None,
        until: None,
        line: None,
    };
    [(Level::Allow, allow), (Level::Warn, warn), (Level::Deny, deny)].map(rule).into_iter().collect()
}

/// Says of findings which rule of the policy holds for them. Those that name no file are about `of`. A selector that asks
/// for more than names looks into the checkpoint; without one it takes no tensor.
pub fn rule_on(policy: &Policy, of: &Path, checkpoint: Option<&Checkpoint>, findings: &mut [Finding]) {
    let mut tensors = Tensors { checkpoint, roles: None };
    for finding in findings.iter_mut().filter(|finding| finding.ruling.is_none()) {
        let path = policy.absolute(finding.file.as_deref().unwrap_or(of));
        let holds = |rule: &&Rule| {
            !rule.is_expired(policy.today)
                && rule.codes.contains(&finding.code)
                && rule.paths.take(&path)
                && (rule.tensors.is_empty() || tensors.taken(rule, finding))
        };
        let found = policy.rules.iter().rev().find(holds);
        finding.ruling = found.map(|rule| Box::new(rule.ruling(Some(&policy.file))));
    }
}

impl Rule {
    /// What it says of a finding.
    pub(super) fn ruling(&self, file: Option<&Path>) -> Ruling {
        let place = file.map(Path::to_path_buf).zip(self.line);
        Ruling { level: self.level, place, reason: self.reason.clone(), until: self.until, was: None }
    }
}

/// The tensors of findings, looked up when a selector asks for more than names.
struct Tensors<'c> {
    checkpoint: Option<&'c Checkpoint>,
    roles: Option<Roles>,
}

impl Tensors<'_> {
    /// Whether a rule is about the tensors of a finding. To be allowed or made a warning, all of them must be meant; one is
    /// enough to deny.
    fn taken(&mut self, rule: &Rule, finding: &Finding) -> bool {
        let mut all = finding.tensor.iter().chain(&finding.explains).peekable();
        if all.peek().is_none() {
            return false;
        }
        match rule.level {
            Level::Deny => all.any(|name| self.takes(&rule.selector, name)),
            Level::Allow | Level::Warn => all.all(|name| self.takes(&rule.selector, name)),
        }
    }

    fn takes(&mut self, selector: &Selector, name: &[u8]) -> bool {
        let Some(checkpoint) = self.checkpoint.filter(|_| !selector.asks_names_only()) else {
            return selector.takes_name(name);
        };
        let tensors = checkpoint.tensors();
        let Some(at) = tensors.find(name) else { return selector.takes_name(name) };
        let Some(tensor) = checkpoint.tensor_at(at) else { return false };
        let role = if selector.asks_roles() {
            self.roles.get_or_insert_with(|| Roles::of(checkpoint)).role(at)
        } else {
            Role::Other
        };
        selector.takes(&tensor, role)
    }
}
