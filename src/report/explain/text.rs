//! `explain`: pages and diagnoses, for people.

use std::io::{self, Write};
use std::path::Path;

use unicode_width::UnicodeWidthStr;

use crate::analysis::explain::{Diagnosis, OnDisk, Page, TensorNow};
use crate::analysis::{Restore, Severity};
use crate::base::error::Error;
use crate::base::escape::escaped;
use crate::report::Look;
use crate::report::kit::arguments::words;
use crate::report::kit::json::shown;
use crate::report::restore::hints::hints_text;
use crate::report::restore::text::verdict as restore_verdict;

/// Lines longer than this are hard to read.
const WIDEST: usize = 100;

/// The columns that lines are broken at: those of the terminal, and 80 where there is none.
fn width(look: Look) -> usize {
    look.width.unwrap_or(80).clamp(40, WIDEST)
}

/// Writes words in lines that fit, the first behind `lead`, the others under it.
fn paragraph(lead: &str, text: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    wrapped(lead, text, "", look, out)
}

/// As [`paragraph`], with `goes_on` at the end of each line but the last.
fn wrapped(lead: &str, text: &str, goes_on: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let width = width(look).saturating_sub(goes_on.width());
    let indent = lead.width();
    write!(out, "{lead}")?;
    let mut column = indent;
    for (n, word) in words(text).into_iter().enumerate() {
        let len = word.width() + usize::from(n > 0);
        if n > 0 && column + len > width {
            write!(out, "{goes_on}\n{}{word}", " ".repeat(indent))?;
            column = indent + word.width();
        } else {
            write!(out, "{}{word}", if n > 0 { " " } else { "" })?;
            column += len;
        }
    }
    writeln!(out)
}

/// A heading and its lines, if there are any.
fn section<S: AsRef<str>>(title: &str, lines: &[S], look: Look, out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let dim = look.dim();
    writeln!(out, "\n{dim}{title}{dim:#}")?;
    lines.iter().try_for_each(|line| bullet(line.as_ref(), look, out))
}

/// One line of a section. What a command does stands behind it, or under it where that is too narrow.
fn bullet(line: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let Some((command, what)) = line.split_once("   ") else { return paragraph("  · ", line, look, out) };
    if command.width() + what.width() + 7 <= width(look) {
        return writeln!(out, "  · {command}   {what}");
    }
    // A command that takes several lines can be copied as it stands.
    let goes_on = if command.starts_with("ckpt ") { " \\" } else { "" };
    wrapped("  · ", command, goes_on, look, out)?;
    paragraph("      ", what, look, out)
}

/// Writes the page of a code.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn page_text(page: &Page, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = look.bold();
    writeln!(out, "{bold}{}{bold:#} ({})", page.code.name(), page.code.severity().name())?;
    paragraph("", page.means(), look, out)?;
    section("how it is found", &[page.found], look, out)?;
    section("what TensorFlow does", &[page.tensorflow], look, out)?;
    section("likely causes", page.causes, look, out)?;
    section("what to do", page.next, look, out)
}

/// Writes the diagnosis of a message.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn diagnosis_text(diagnosis: &Diagnosis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = look.bold();
    write!(out, "{bold}")?;
    paragraph("", &diagnosis.headline, look, out)?;
    write!(out, "{bold:#}")?;
    for line in &diagnosis.meaning {
        paragraph("  ", line, look, out)?;
    }
    section("likely", &diagnosis.likely, look, out)?;
    section("next", &diagnosis.next, look, out)?;
    section("how sure this is", &diagnosis.certainty, look, out)?;
    section("the text also says", &diagnosis.also, look, out)?;
    if !diagnosis.codes.is_empty() {
        let codes: Vec<&str> = diagnosis.codes.iter().map(|code| code.name()).collect();
        let dim = look.dim();
        writeln!(out, "\n{dim}more: ckpt explain CODE{dim:#}")?;
        paragraph("  · ", &codes.join(", "), look, out)?;
    }
    Ok(())
}

/// Writes what the files say now.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn on_disk_text(disk: &OnDisk, look: Look, out: &mut dyn Write) -> io::Result<()> {
    const MOST: usize = 8;
    let bold = look.bold();
    writeln!(out, "\n{bold}{}{bold:#}", shown(&disk.prefix))?;
    if disk.complete {
        writeln!(out, "  ✓ {0} of {0} files of the set are there and long enough", disk.files)?;
    } else {
        writeln!(out, "  {}✗{:#} the set is not whole", look.bad(), look.bad())?;
    }
    for finding in disk.findings.iter().take(MOST) {
        let help = finding.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
        let sign = match finding.severity {
            Severity::Error => "  ✗ ",
            Severity::Warning => "  ! ",
            Severity::Note => "  · ",
        };
        paragraph(sign, &format!("{}{help} ({})", finding.message, finding.code.name()), look, out)?;
    }
    if let Some(more) = disk.findings.len().checked_sub(MOST).filter(|n| *n > 0) {
        writeln!(out, "  … and {more} more; ckpt validate lists them all")?;
    }
    if let Some((name, now)) = &disk.tensor {
        let is_explained = disk.findings.iter().any(|f| f.tensor.as_ref() == Some(name) || f.explains.contains(name));
        tensor_text(&escaped(name), now, is_explained, look, out)?;
    }
    disk.restores.iter().try_for_each(|restore| restore_text(restore, look, out))
}

/// Writes what a file is that a message names and that is no checkpoint.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn not_opened_text(
    file: &Path,
    error: &Error,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let bold = look.bold();
    writeln!(out, "\n{bold}{}{bold:#}", shown(file))?;
    let help = error.help().map_or_else(String::new, |help| format!("; {help}"));
    paragraph("  ✗ ", &format!("{}{help}", error.kind()), look, out)
}

fn tensor_text(name: &str, now: &TensorNow, is_explained: bool, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match now {
        TensorNow::Matches => paragraph("  ✓ ", &format!("{name}: its bytes match their checksum now"), look, out),
        TensorNow::Unchecked => paragraph("  ✓ ", &format!("{name}: can be read; it has no checksum"), look, out),
        TensorNow::OnePart => {
            let text = "has the slices of one part, which is normal for the slot of one part of a partitioned variable";
            paragraph("  ✓ ", &format!("{name}: {text}"), look, out)
        }
        TensorNow::Differs(diagnosis) => {
            paragraph("  ✗ ", &format!("{name}: its bytes are still not the ones that were saved"), look, out)?;
            // Where a finding says what happened, two checksums say nothing more.
            if is_explained { Ok(()) } else { paragraph("    ", &diagnosis.headline, look, out) }
        }
        TensorNow::Unreadable(finding) => {
            paragraph("  ✗ ", &format!("{name}: cannot be read: {}", finding.message), look, out)
        }
        TensorNow::Missing(near) => {
            let near: Vec<_> = near.iter().map(|name| escaped(name)).collect();
            let near = if near.is_empty() { String::new() } else { format!("; close to it: {}", near.join(", ")) };
            paragraph("  ✗ ", &format!("{name}: there is no tensor of this name{near}"), look, out)
        }
    }
}

/// What a restore into a model would do, in short: `validate --against` has it in full.
fn restore_text(restore: &Restore, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let into = shown(&restore.against);
    let counts = [
        (restore.matched.len(), "fit"),
        (restore.mismatched.len(), "differ"),
        (restore.missing.len(), "missing"),
        (restore.unexpected.len(), "not used"),
    ];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let (sign, verdict) = match (restore.ok, &restore.undetermined) {
        (true, _) if restore.keras.is_some() => ("  ✓ ", restore_verdict(restore)),
        (false, None) if restore.keras.is_some() => ("  ✗ ", restore_verdict(restore)),
        (true, _) => ("  ✓ ", "restores completely"),
        (false, Some(_)) => ("  ! ", "could not be told"),
        (false, None) if restore.raises.is_empty() => ("  ✗ ", "restores, but not what the model wants"),
        (false, None) => ("  ✗ ", "does not restore"),
    };
    paragraph(sign, &format!("into {into}: {verdict} ({})", counts.join(", ")), look, out)?;
    hints_text(&restore.hints, look, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Code;
    use crate::analysis::explain::{explain_code, explain_error};

    fn text(write: impl Fn(Look, &mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(Look { color: false, width: Some(80) }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_page_fits_eighty_columns() {
        for code in Code::ALL {
            let text = text(|look, out| page_text(&explain_code(*code), look, out));
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
    }

    #[test]
    fn a_diagnosis_reads_as_the_story_it_is() {
        let message = "stored 2612891094 vs. calculated on the restored bytes 4272926173";
        let diagnosis = explain_error(message).unwrap();
        let text = text(|look, out| diagnosis_text(&diagnosis, look, out));
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!(first, "The data file that TensorFlow read is a Git LFS pointer, not weights.");
        assert!(rest.contains("2612891094 is the CRC-32C of the 4-byte integer 2696"), "{text}");
    }
}
