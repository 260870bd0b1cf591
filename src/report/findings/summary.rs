//! The summary of a step in a workflow, as Markdown: the verdict, and the findings in a table.
//!
//! Format: GitHub shows what a step appends to the file that `GITHUB_STEP_SUMMARY` names, up to 1 MiB a step.

use std::path::Path;

use super::ruled::allowed_lines;
use super::text::verdict;
use crate::analysis::ops::OpsReport;
use crate::analysis::{Finding, Severity, Validation};
use crate::base::escape::escaped;
use crate::report::kit::json::path;
use crate::report::kit::look::Look;
use crate::report::kit::markdown::{code, plain};
use crate::report::kit::units::count;
use crate::report::ops::text::{place, verdict as ops_verdict, when};

/// Findings that have a row.
const ROWS: usize = 100;

/// What `validate` appends, in no more than so many bytes.
pub fn validation_summary(given: &Path, validation: &Validation, quick: bool, most: usize) -> String {
    let mut told = Vec::new();
    // Writing into memory cannot fail.
    let _ = verdict(validation, quick, Look::default(), &mut told);
    let told = String::from_utf8_lossy(&told).into_owned();
    let rows = validation.findings.iter().map(|finding| (finding, finding.message.clone())).collect();
    page("validate", given, validation.is_ok(), told.trim_end(), rows, &validation.allowed, most)
}

/// What `ops` appends, in no more than so many bytes.
pub fn ops_summary(given: &Path, report: &OpsReport, most: usize) -> String {
    let is_ok = report.is_complete() && report.findings.iter().all(|finding| finding.severity != Severity::Error);
    let message = |finding: &Finding| match &finding.op {
        Some(site) => format!("{}\n{}\n{}", finding.message, place(site), when(site)),
        None => finding.message.clone(),
    };
    let rows = report.findings.iter().chain(&report.unread).map(|finding| (finding, message(finding))).collect();
    page("ops", given, is_ok, &ops_verdict(given, report), rows, &report.allowed, most)
}

fn page(
    command: &str,
    given: &Path,
    is_ok: bool,
    verdict: &str,
    mut rows: Vec<(&Finding, String)>,
    allowed: &[Finding],
    most: usize,
) -> String {
    let mut out = Bounded { text: String::new(), most };
    if !out.add(&format!("{}{}\n\n", heading(command, &path(given), is_ok), plain(verdict))) {
        return out.text;
    }
    // What fails the step comes first.
    rows.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
    let (mut shown, all) = (0, rows.len());
    if !rows.is_empty() && out.add("| | code | where | what |\n|---|---|---|---|\n") {
        for (finding, message) in rows.into_iter().take(ROWS) {
            if !out.add(&row(finding, &message)) {
                break;
            }
            shown += 1;
        }
        out.add("\n");
    }
    if shown < all {
        out.add(&format!("… and {} more.\n\n", count((all - shown) as u64)));
    }
    for line in allowed_lines(allowed) {
        out.add(&format!("- {}\n", plain(&line)));
    }
    out.add("\n");
    out.text
}

/// `### ✅ ckpt diff` and what it was about.
pub(in crate::report) fn heading(command: &str, given: &str, is_ok: bool) -> String {
    let sign = if is_ok { "✅" } else { "❌" };
    format!("### {sign} ckpt {command} {}\n\n", code(&escaped(given.as_bytes())))
}

fn row(finding: &Finding, message: &str) -> String {
    let sign = match finding.severity {
        Severity::Error => "❌ error",
        Severity::Warning => "⚠️ warning",
        Severity::Note => "note",
    };
    let file = finding.file.as_deref().map(|file| code(&escaped(path(file).as_bytes()))).unwrap_or_default();
    let likely = finding.cause.as_ref().and_then(|cause| cause.likely.as_ref());
    let more: Vec<String> = [likely, finding.help.as_ref()].into_iter().flatten().map(|more| plain(more)).collect();
    let more = if more.is_empty() { String::new() } else { format!("<br>{}", more.join("<br>")) };
    format!("| {sign} | {} | {file} | {}{more} |\n", code(finding.code.name()), plain(message))
}

/// Text that takes no more than so many bytes.
pub(in crate::report) struct Bounded {
    pub(in crate::report) text: String,
    pub(in crate::report) most: usize,
}

impl Bounded {
    /// Adds something, if there is room for all of it.
    pub(in crate::report) fn add(&mut self, more: &str) -> bool {
        let fits = self.text.len() + more.len() <= self.most;
        if fits {
            self.text.push_str(more);
        }
        fits
    }
}
