//! The versions of a serving directory, as a table and as JSON.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::{ServedVersion, Serving};
use crate::base::escape::escaped;
use crate::report::Look;
use crate::report::findings::json::{Finding, findings};
use crate::report::kit::json::{PathText, unix};
use crate::report::kit::units::{size, time};
use crate::report::kit::wrap::folded;

/// A line a version, what is wrong with it below.
pub(in crate::report) fn serving_text(serving: &Serving, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let name = |row: &ServedVersion| escaped(row.version.name.as_bytes()).into_owned();
    let bytes = |row: &ServedVersion| format!("{}{}", if row.counted { "" } else { "≥ " }, size(row.bytes));
    let wide = |cells: &mut dyn Iterator<Item = String>, least: usize| {
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(least).min(24)
    };
    let names = wide(&mut serving.versions.iter().map(name), "version".len());
    let sizes = wide(&mut serving.versions.iter().map(bytes), "size".len());
    let rams = wide(&mut serving.versions.iter().map(|row| size(row.ram)), "RAM".len());
    let (dim, bold) = (look.dim(), look.bold());
    writeln!(
        out,
        "\n{dim}  {:>names$}  {:19}  {:>sizes$}  {:>rams$}  would it load{dim:#}",
        "version", "changed (UTC)", "size", "RAM"
    )?;
    for row in &serving.versions {
        let when = row.modified.map_or_else(|| "-".to_owned(), time);
        write!(out, "  {:>names$}  {when:19}  {:>sizes$}  {:>rams$}  ", name(row), bytes(row), size(row.ram))?;
        let (style, sign) = match (row.loads, row.findings.is_empty()) {
            (true, true) => (look.style(anstyle::Style::new()), "✓"),
            (true, false) => (look.doubtful(), "! yes, but"),
            (false, _) => (look.bad(), "✗"),
        };
        let mut lines: Vec<String> = row.findings.iter().take(3).map(|finding| finding.message.clone()).collect();
        if row.findings.len() > 3 {
            lines.push(format!("and {} more; ckpt validate --serving lists them", row.findings.len() - 3));
        }
        let served = if row.served { format!(" {bold}◀ served{bold:#}") } else { String::new() };
        writeln!(out, "{style}{sign}{style:#}{served}")?;
        for line in lines {
            writeln!(out, "      {}", folded(&line, 6, 8, look))?;
        }
    }
    if serving.left_out > 0 {
        writeln!(out, "  … and {} lower versions", serving.left_out)?;
    }
    let ram = "RAM is Serving's own estimate, 1.2 times all files; while versions change, both are in memory";
    writeln!(out, "  {dim}{}{dim:#}", folded(ram, 2, 2, look))
}

/// A version of a serving directory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct ServingVersion<'a> {
    /// its number
    version: i64,
    /// the name that it has
    name: &'a str,
    path: PathText<'a>,
    /// whether TensorFlow Serving takes it by default: the highest number
    served: bool,
    /// whether it would load, as far as can be told without reading its data
    loads: bool,
    /// seconds since 1970
    modified: Option<u64>,
    /// of all files in it
    bytes: u64,
    /// whether all of them could be counted
    bytes_complete: bool,
    /// what Serving reserves: 1.2 times `bytes`
    ram_estimate: u64,
    /// what is wrong with it, without notes
    findings: Vec<Finding<'a>>,
}

impl<'a> From<&'a ServedVersion> for ServingVersion<'a> {
    fn from(row: &'a ServedVersion) -> Self {
        Self {
            version: row.version.number,
            name: &row.version.name,
            path: PathText(&row.version.path),
            served: row.served,
            loads: row.loads,
            modified: row.modified.and_then(unix),
            bytes: row.bytes,
            bytes_complete: row.counted,
            ram_estimate: row.ram,
            findings: findings(&row.findings),
        }
    }
}
