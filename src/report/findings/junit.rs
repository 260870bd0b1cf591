//! Findings as `JUnit` XML: a suite of what was checked, a failed case for every error.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::sarif::message;
use crate::analysis::{Finding, Severity, Validation};
use crate::base::escape::escaped;
use crate::report::kit::json::path;

/// `validate --format junit`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn validate_junit(validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
    // A run without findings is one case that passed, not an empty suite.
    let targets = validation.targets.iter().filter(|_| validation.is_ok());
    let passed: Vec<String> = targets.map(|target| format!("intact {}", path(target))).collect();
    findings_junit("validate", &validation.findings, &passed, out)
}

/// Findings of any command as cases, with cases that passed.
pub(in crate::report) fn findings_junit(
    command: &str,
    findings: &[Finding],
    passed: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut suite = TestSuite::new(format!("ckpt {command}"));
    let class = format!("ckpt.{command}");
    for finding in findings {
        let status = if finding.severity == Severity::Error {
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
        if finding.severity != Severity::Error {
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
    writeln!(out, "{}", text.trim_end())
}
