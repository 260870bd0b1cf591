//! `ckpt ops` for programs: JSON, and the formats of findings.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::finding_json::finding;
use super::github::findings_github;
use super::json::{SCHEMA_VERSION, path};
use super::junit::findings_junit;
use super::ops_text::{place, verdict, when};
use super::sarif::findings_sarif;
use crate::analysis::ops::OpsReport;
use crate::analysis::{Finding, Severity};

/// `--format json`.
///
/// # Errors
/// What `out` says.
pub fn ops_json(given: &Path, report: &OpsReport, out: &mut dyn Write) -> io::Result<()> {
    let looked = report.looked;
    let is_ok = report.findings.iter().all(|finding| finding.severity != Severity::Error);
    let ops: Map<String, Value> = report.ops.iter().map(|(op, n)| (op.clone(), json!(n))).collect();
    let value = json!({
        "schema_version": SCHEMA_VERSION,
        "kind": "ops",
        "path": path(given),
        "files": report.files.iter().map(|file| path(file)).collect::<Vec<_>>(),
        "ok": is_ok && report.is_complete(),
        "complete": report.is_complete(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "unread": report.unread.iter().map(finding).collect::<Vec<_>>(),
        "looked_at": {
            "graphs": looked.graphs,
            "functions": looked.functions,
            "nodes": looked.nodes,
            "keras_configs": looked.keras_configs,
        },
        "expected": {"saver": looked.of_saver, "assets": looked.of_assets},
        "ops": ops,
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

/// Findings, and behind them what could not be looked at; each message with the place and the time, which have no fields
/// in these formats.
fn all(report: &OpsReport) -> Vec<Finding> {
    let whole = |finding: &Finding| {
        let mut finding = finding.clone();
        if let Some(site) = &finding.op {
            finding.message = format!("{}; {}; {}", finding.message, place(site), when(site));
        }
        finding
    };
    report.findings.iter().chain(&report.unread).map(whole).collect()
}

/// `--format github`.
///
/// # Errors
/// What `out` says.
pub fn ops_github(given: &Path, report: &OpsReport, out: &mut dyn Write) -> io::Result<()> {
    findings_github(&all(report), out)?;
    writeln!(out, "ckpt: {}", verdict(given, report))
}

/// `--format sarif`.
///
/// # Errors
/// What `out` says.
pub fn ops_sarif(report: &OpsReport, out: &mut dyn Write) -> io::Result<()> {
    findings_sarif(&all(report), out)
}

/// `--format junit`.
///
/// # Errors
/// What `out` says.
pub fn ops_junit(given: &Path, report: &OpsReport, out: &mut dyn Write) -> io::Result<()> {
    let all = all(report);
    let is_ok = all.iter().all(|finding| finding.severity != Severity::Error);
    let passed = is_ok.then(|| format!("nothing found in {}", path(given)));
    findings_junit("ops", &all, passed.as_slice(), out)
}
