//! Findings as `JUnit` XML: a suite of what was checked, a failed case for every error.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::ruled::ruling_words;
use super::sarif::message;
use crate::analysis::{Finding, Level, Severity, Validation};
use crate::base::escape::escaped;
use crate::report::kit::json::path;

/// `validate --format junit`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn validate_junit(validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
    // A run without findings is one case that passed, not an empty suite.
    let is_clean = validation.is_ok() && validation.errors_of_files(None) == 0;
    let targets = validation.targets.iter().filter(|_| is_clean);
    let passed: Vec<String> = targets.map(|target| format!("intact {}", path(target))).collect();
    findings_junit("validate", &validation.findings, &validation.allowed, &passed, out)
}

/// Findings of any command as cases, with cases that passed, and those that are allowed as skipped.
pub(in crate::report) fn findings_junit(
    command: &str,
    findings: &[Finding],
    allowed: &[Finding],
    passed: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut suite = TestSuite::new(format!("ckpt {command}"));
    let class = format!("ckpt.{command}");
    for finding in findings.iter().chain(allowed) {
        let ruling = finding.ruling.as_ref().filter(|ruling| ruling.level == Level::Allow);
        let status = if let Some(ruling) = ruling {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("allowed by {}", ruling_words(ruling)));
            status
        } else if finding.severity == Severity::Error {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(finding.message.clone()).set_type(finding.code.name()).set_description(message(finding));
            status
        } else {
            TestCaseStatus::success()
        };
        let who = finding.tensor.as_deref().map(|tensor| escaped(tensor).into_owned());
        let who = who.or_else(|| finding.file.as_deref().map(path)).unwrap_or_default();
        let mut case = TestCase::new(format!("{} {who}", finding.code.name()).trim_end().to_owned(), status);
        case.set_classname(class.clone());
        if ruling.is_some() || finding.severity != Severity::Error {
            case.set_system_out(message(finding));
        }
        suite.add_test_case(case);
    }
    for name in passed {
        let mut case = TestCase::new(name.clone(), TestCaseStatus::success());
        case.set_classname(class.clone());
        suite.add_test_case(case);
    }
    let mut report = Report::new("ckpt");
    report.add_test_suite(suite);
    let text = report.to_string().map_err(io::Error::other)?;
    writeln!(out, "{}", as_in_the_schema(text.trim_end()))
}

/// The schema of Jenkins' xUnit plugin (`junit-10.xsd`) counts skipped cases in each suite only.
fn as_in_the_schema(text: &str) -> String {
    let cut = || {
        let (before, rest) = text.split_once("<testsuites ")?;
        let (attributes, after) = rest.split_once('>')?;
        let kept: Vec<&str> = attributes.split(' ').filter(|one| !one.starts_with("skipped=\"")).collect();
        Some(format!("{before}<testsuites {}>{after}", kept.join(" ")))
    };
    cut().unwrap_or_else(|| text.to_owned())
}
