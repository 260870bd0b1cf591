//! `ckpt ops` for programs: JSON, and the formats of findings.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::text::{place, verdict, when};
use crate::analysis::ops::OpsReport;
use crate::analysis::{Finding, Severity};
use crate::report::findings::github::findings_github;
use crate::report::findings::json::{self, findings};
use crate::report::findings::junit::findings_junit;
use crate::report::findings::sarif::findings_sarif;
use crate::report::kit::json::{Head, PathText, path, write_document};

/// What the graphs of a model can touch.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct OpsDocument<'a> {
    #[serde(flatten)]
    head: Head,
    /// as given
    path: PathText<'a>,
    /// the files that were looked at
    files: Vec<PathText<'a>>,
    /// everything was looked at, and there is no finding of level error
    ok: bool,
    /// everything was looked at
    complete: bool,
    /// as in `validate`; at most 1000 of each code, and one more that counts the others
    findings: Vec<json::Finding<'a>>,
    /// what was found and is allowed, by a rule of `ckpt.toml` or an option; absent if nothing is
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<json::Finding<'a>>,
    /// the file of the policy that was followed
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    policy: Option<PathText<'a>>,
    /// findings too: what could not be looked at
    unread: Vec<json::Finding<'a>>,
    /// how much was looked at
    looked_at: LookedAt,
    /// ops that are no findings
    expected: Expected,
    /// name of an op to how often it occurs, functions included
    ops: &'a BTreeMap<String, u64>,
}

/// How much was looked at.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LookedAt {
    graphs: u64,
    /// in the libraries of graphs
    functions: u64,
    /// of both
    nodes: u64,
    /// configurations of Keras objects
    keras_configs: u64,
}

/// Ops that are no findings.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Expected {
    /// they save and restore where they are told
    saver: u64,
    /// they read the model's own assets
    assets: u64,
}

/// `--format json`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn ops_json(given: &Path, report: &OpsReport, out: &mut dyn Write) -> io::Result<()> {
    let looked = report.looked;
    let is_ok = report.findings.iter().all(|finding| finding.severity != Severity::Error);
    let document = OpsDocument {
        head: Head::of("ops"),
        path: PathText(given),
        files: report.files.iter().map(|file| PathText(file)).collect(),
        ok: is_ok && report.is_complete(),
        complete: report.is_complete(),
        findings: findings(&report.findings),
        allowed: findings(&report.allowed),
        policy: report.policy.as_deref().map(PathText),
        unread: findings(&report.unread),
        looked_at: LookedAt {
            graphs: looked.graphs,
            functions: looked.functions,
            nodes: looked.nodes,
            keras_configs: looked.keras_configs,
        },
        expected: Expected { saver: looked.of_saver, assets: looked.of_assets },
        ops: &report.ops,
    };
    write_document(&document, out)
}

/// Findings, and behind them what could not be looked at; each message with the place and the time, which have no fields
/// in these formats.
fn all(report: &OpsReport) -> Vec<Finding> {
    report.findings.iter().chain(&report.unread).map(whole).collect()
}

/// A finding whose message has the place and the time.
fn whole(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    if let Some(site) = &finding.op {
        finding.message = format!("{}; {}; {}", finding.message, place(site), when(site));
    }
    finding
}

/// What is allowed, told in the same way.
fn allowed(report: &OpsReport) -> Vec<Finding> {
    report.allowed.iter().map(whole).collect()
}

/// `--format github`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn ops_github(given: &Path, report: &OpsReport, out: &mut dyn Write) -> io::Result<()> {
    findings_github(&all(report), out)?;
    writeln!(out, "ckpt: {}", verdict(given, report))
}

/// `--format sarif`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn ops_sarif(report: &OpsReport, out: &mut dyn Write) -> io::Result<()> {
    findings_sarif(&all(report), &allowed(report), out)
}

/// `--format junit`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn ops_junit(given: &Path, report: &OpsReport, out: &mut dyn Write) -> io::Result<()> {
    let all = all(report);
    let is_ok = all.iter().all(|finding| finding.severity != Severity::Error);
    let passed = (is_ok && report.allowed.is_empty()).then(|| format!("nothing found in {}", path(given)));
    findings_junit("ops", &all, &allowed(report), passed.as_slice(), out)
}
