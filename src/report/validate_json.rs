//! `validate --format json`.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::finding_json::finding;
use super::json::{SCHEMA_VERSION, path};
use super::restore_json::restore_json;
use crate::analysis::{Counts, GroupVerdict, Severity, Validation};

/// Writes the outcome.
///
/// # Errors
/// What `out` says.
pub fn validate_json(validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
    let mut value = json!({
        "schema_version": SCHEMA_VERSION,
        "kind": "validate",
        "ok": validation.is_ok(),
        "targets": validation.targets.iter().map(|target| path(target)).collect::<Vec<_>>(),
        "findings": validation.findings.iter().map(finding).collect::<Vec<_>>(),
        "checked": counts(validation.checked),
    });
    if !validation.groups.is_empty() {
        let group = |group: &GroupVerdict| {
            let of = |severity| validation.count_of(severity, Some(&group.name));
            json!({
                "name": group.name,
                "ok": of(Severity::Error) == 0,
                "targets": group.targets.iter().map(|target| path(target)).collect::<Vec<_>>(),
                "errors": of(Severity::Error),
                "warnings": of(Severity::Warning),
                "checked": counts(group.checked),
            })
        };
        value["groups"] = validation.groups.iter().map(group).collect();
    }
    // The one that is not ok says more; of several graphs the others stand beside it.
    let restores = &validation.restores;
    if let Some(told) = restores.iter().find(|restore| !restore.ok).or(restores.first()) {
        value["restore"] = restore_json(told);
        if restores.len() > 1 {
            value["restores"] = restores.iter().map(restore_json).collect();
        }
    }
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn counts(checked: Counts) -> Value {
    json!({
        "checkpoints": checked.checkpoints,
        "files": checked.files,
        "tensors": checked.tensors,
        "verified": checked.verified,
        "skipped": checked.skipped,
        "unsummed": checked.unsummed,
        "bytes": checked.bytes,
    })
}
