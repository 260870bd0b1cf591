//! Findings for people: what, where, what happened, what to do.

use std::io::{self, Write};

use super::Look;
use super::json::shown;
use super::units::{count, size};
use crate::analysis::{Finding, Severity, Validation};

/// Writes one finding: a line, and its cause below it.
///
/// # Errors
/// What `out` says.
pub fn write_finding(finding: &Finding, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (style, sign) = match finding.severity {
        Severity::Error => (look.bad(), "✗"),
        Severity::Warning => (look.doubtful(), "!"),
        Severity::Note => (look.dim(), "·"),
    };
    writeln!(out, "{style}{sign}{style:#} {}", finding.message)?;
    let dim = look.dim();
    if let Some(cause) = &finding.cause {
        writeln!(out, "    {dim}certain{dim:#} {}", cause.certain)?;
        if let Some(likely) = &cause.likely {
            writeln!(out, "    {dim}likely{dim:#}  {likely}")?;
        }
    }
    match &finding.help {
        Some(help) => writeln!(out, "    {dim}do{dim:#}      {help}"),
        None => Ok(()),
    }
}

/// How many findings of one code are shown; json has them all.
const MOST: usize = 25;

/// `validate --format text`.
///
/// # Errors
/// What `out` says.
pub fn validate_text(validation: &Validation, quick: bool, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut shown_of: std::collections::BTreeMap<_, usize> = std::collections::BTreeMap::new();
    for finding in &validation.findings {
        let n = shown_of.entry(finding.code).or_default();
        *n += 1;
        if *n > MOST {
            continue;
        }
        let dim = look.dim();
        write!(out, "{dim}{}{dim:#} ", finding.code.name())?;
        write_finding(finding, look, out)?;
    }
    for (code, n) in shown_of.into_iter().filter(|(_, n)| *n > MOST) {
        writeln!(out, "… and {} more {}; --format json lists them all", count((n - MOST) as u64), code.name())?;
    }
    if !validation.findings.is_empty() {
        writeln!(out)?;
    }
    verdict(validation, quick, look, out)
}

fn verdict(validation: &Validation, quick: bool, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let checked = validation.checked;
    let of = |severity: Severity| validation.findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let bold = look.bold();
    let word = match (errors, quick) {
        (0, false) if checked.skipped == 0 => "intact",
        (0, false) => "what was read is intact",
        (0, true) => "index sound, no data read",
        _ => "NOT intact",
    };
    if let [only] = validation.targets.as_slice() {
        write!(out, "{bold}{}: {word}{bold:#}", shown(only))?;
    } else {
        write!(out, "{bold}{} checkpoints: {word}{bold:#}", count(checked.checkpoints))?;
    }
    write!(out, " · {} of {} tensors verified", count(checked.verified), count(checked.tensors))?;
    if checked.skipped > 0 {
        write!(out, ", {} not read", count(checked.skipped))?;
    }
    write!(out, " · {} in {} files", size(checked.bytes), count(checked.files))?;
    for (n, what) in [(errors, "error"), (warnings, "warning")] {
        match n {
            0 => {}
            1 => write!(out, " · 1 {what}")?,
            n => write!(out, " · {} {what}s", count(n as u64))?,
        }
    }
    writeln!(out)
}
