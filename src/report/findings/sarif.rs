//! Findings as SARIF 2.1.0 (OASIS), for code scanning.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::json;
use super::ruled::{changed_words, ruling_words};
use crate::analysis::{Code, Finding, Level, Severity, Validation};
use crate::report::kit::json::path;

/// `validate --format sarif`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn validate_sarif(validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
    findings_sarif(&validation.findings, &validation.allowed, out)
}

/// Findings of any command as SARIF; what is allowed is there too, as suppressed.
pub(in crate::report) fn findings_sarif(
    findings: &[Finding],
    allowed: &[Finding],
    out: &mut dyn Write,
) -> io::Result<()> {
    let all = || findings.iter().chain(allowed);
    let codes: BTreeSet<Code> = all().map(|finding| finding.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let rule = |code: &Code| {
        json!({
            "id": code.name(),
            "shortDescription": {"text": code.what()},
            "defaultConfiguration": {"level": level(code.severity())},
        })
    };
    let result = |finding: &Finding| {
        let mut result = json!({
            "ruleId": finding.code.name(),
            "ruleIndex": codes.iter().position(|code| *code == finding.code),
            "level": level(finding.severity),
            "message": {"text": message(finding)},
            "properties": json::Finding::from(finding),
        });
        if let Some(file) = &finding.file {
            let mut place = json!({"artifactLocation": {"uri": uri(&path(file))}});
            if let Some(offset) = finding.offset {
                place["region"] = json!({"byteOffset": offset});
            }
            result["locations"] = json!([{"physicalLocation": place}]);
        }
        let ruling = finding.ruling.as_ref().filter(|ruling| ruling.level == Level::Allow);
        if let Some(ruling) = ruling {
            let why = ruling_words(ruling);
            result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": why}]);
        }
        result
    };
    let value = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "ckpt",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(rule).collect::<Vec<Value>>(),
            }},
            "results": all().map(result).collect::<Vec<Value>>(),
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A finding as one text.
pub(in crate::report) fn message(finding: &Finding) -> String {
    let mut lines = vec![finding.message.clone()];
    if let Some(cause) = &finding.cause {
        lines.push(format!("Certain: {}.", cause.certain));
        lines.extend(cause.likely.as_ref().map(|likely| format!("Likely: {likely}.")));
    }
    lines.extend(finding.help.as_ref().map(|help| format!("To do: {help}.")));
    lines.extend(changed_words(finding).map(|changed| format!("Level: {changed}.")));
    lines.join("\n")
}

/// A path as a URI reference: everything but letters, digits and a few signs escaped.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_become_uri_references() {
        assert_eq!(super::uri("a b/ü.index"), "a%20b/%C3%BC.index");
    }
}
