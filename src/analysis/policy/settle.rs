//! Rulings carried out: what is denied is an error, what is warned of a warning, and what is allowed is set apart, so
//! that it can be told.

use std::path::Path;

use super::model::{Policy, Rule};
use super::rules::rule_on;
use crate::analysis::finding::{Code, Finding, Level, Severity};
use crate::base::escape::Escaped;

/// Carries out what the policy and the options of the command say of findings, those of the options above those of the
/// policy. What is allowed is taken out and returned; rules that have expired are added. Findings that name no file are
/// about `of`.
pub fn settle(findings: &mut Vec<Finding>, policy: Option<&Policy>, options: &[Rule], of: &Path) -> Vec<Finding> {
    if let Some(policy) = policy {
        findings.extend(policy.expired());
        rule_on(policy, of, None, findings);
    }
    for finding in findings.iter_mut() {
        let rule = options.iter().rev().find(|rule| rule.codes.contains(&finding.code));
        if let Some(rule) = rule {
            finding.ruling = Some(Box::new(rule.ruling(None)));
        }
        let Some(ruling) = &mut finding.ruling else { continue };
        ruling.was.get_or_insert(finding.severity);
        match ruling.level {
            Level::Deny => finding.severity = Severity::Error,
            Level::Warn => finding.severity = Severity::Warning,
            Level::Allow => {}
        }
    }
    let is_allowed = |finding: &mut Finding| finding.ruling.as_ref().is_some_and(|ruling| ruling.level == Level::Allow);
    findings.extract_if(.., is_allowed).collect()
}

impl Policy {
    /// A finding for every rule whose date has passed.
    fn expired(&self) -> Vec<Finding> {
        let file = Escaped(self.file.as_os_str().as_encoded_bytes()).to_string();
        let of = |rule: &Rule| {
            let until = rule.until.filter(|_| rule.is_expired(self.today))?;
            let codes: Vec<&str> = rule.codes.iter().map(|code| code.name()).collect();
            let (what, line) = (format!("{} {}", rule.level.name(), codes.join(", ")), rule.line.unwrap_or(0));
            let why = rule.reason.as_ref().map_or_else(String::new, |why| format!("; its reason was: {why}"));
            let message = format!("{file}:{line}: the rule to {what} held until {until} and holds no more{why}");
            let help = "mend what it was for and take it out, or give it another date";
            Some(Finding::new(Code::PolicyExpired, message).in_file(&self.file).with_help(help))
        };
        self.rules.iter().filter_map(of).collect()
    }
}
