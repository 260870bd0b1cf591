//! Findings as annotations of a GitHub workflow.
//!
//! Format: workflow commands, `::error file=…,title=…::message`; `%`, CR and LF are escaped, in properties `:` and `,`
//! too.

use std::io::{self, Write};
use std::path::Path;

use super::ruled::{allowed_words, changed_words};
use crate::analysis::{Finding, Severity, Validation};
use crate::base::escape::Escaped;

/// `validate --format github`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn validate_github(validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
    findings_github(&validation.findings, out)?;
    let checked = validation.checked;
    let verdict = if validation.is_ok() { "ok" } else { "not ok" };
    let allowed = allowed_words(&validation.allowed).map_or_else(String::new, |allowed| format!(", {allowed}"));
    writeln!(out, "ckpt: {verdict}, {} of {} tensors verified{allowed}", checked.verified, checked.tensors)
}

/// Findings of any command as annotations.
pub(in crate::report) fn findings_github(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut message = finding.message.clone();
        let likely = finding.cause.as_ref().and_then(|cause| cause.likely.as_ref());
        let changed = changed_words(finding);
        for more in [likely, finding.help.as_ref(), changed.as_ref()].into_iter().flatten() {
            message.push_str("; ");
            message.push_str(more);
        }
        annotation(command, finding.file.as_deref(), finding.code.name(), &message, out)?;
    }
    Ok(())
}

/// One annotation: `error`, `warning` or `notice`.
pub(in crate::report) fn annotation(
    command: &str,
    file: Option<&Path>,
    title: &str,
    message: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    // A log is read in terminals too.
    let file = file.map(|file| Escaped(file.as_os_str().as_encoded_bytes()).to_string());
    let file = file.map(|file| format!("file={},", property(&file))).unwrap_or_default();
    writeln!(out, "::{command} {file}title={}::{}", property(title), data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    #[test]
    fn commands_cannot_be_smuggled_in() {
        assert_eq!(super::data("a\n::error::b"), "a%0A::error::b");
        assert_eq!(super::property("a,b:c%"), "a%2Cb%3Ac%25");
    }
}
