//! `ops` in any format.

use std::io::{self, Write};
use std::path::Path;

use super::json::{ops_github, ops_json, ops_junit, ops_sarif};
use super::text::{ops_list, ops_text};
use crate::analysis::ops::OpsReport;
use crate::report::kit::format::{FINDINGS, Format};
use crate::report::kit::look::Look;

/// What `ops` has.
pub const OPS_FORMATS: &[Format] = FINDINGS;

/// Writes what a model can touch; for people, with `list`, how often each op occurs instead.
///
/// # Errors
/// What `out` says.
pub fn write_ops(
    given: &Path,
    report: &OpsReport,
    list: bool,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => ops_json(given, report, out),
        Format::Github => ops_github(given, report, out),
        Format::Sarif => ops_sarif(report, out),
        Format::Junit => ops_junit(given, report, out),
        _ if list => ops_list(report, look, out),
        _ => ops_text(given, report, look, out),
    }
}
