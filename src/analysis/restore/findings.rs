//! What a restore would do, as findings, so that every report format shows it.

use super::{Restore, Spec, is_save_counter};
use crate::analysis::finding::{Code, Finding, Severity};
use crate::base::escape::escaped;

/// How many findings of one kind are told one by one.
const MOST: usize = 100;

/// The findings that a restore amounts to: none of level error exactly if it is ok.
pub fn findings(restore: &Restore) -> Vec<Finding> {
    let mut found = Vec::new();
    if restore.matches_nothing() {
        let message = "nothing of the checkpoint would be restored into the model";
        found.push(Finding::new(Code::RestoreMatchesNothing, message));
    }
    mismatched(restore, &mut found);
    missing(restore, &mut found);
    for name in restore.unrestored.iter().take(MOST) {
        let message = format!("{}: the object is there, but the checkpoint has no value for it", escaped(name));
        found.push(Finding::new(Code::RestoreNoValue, message).for_tensor(name));
    }
    more(restore.unrestored.len(), Code::RestoreNoValue, "objects without a value", &mut found);
    for group in &restore.groups {
        let scopes: Vec<&str> = group.scopes.iter().take(3).map(|(scope, _)| scope.as_str()).collect();
        let more = if group.scopes.len() > 3 { ", …" } else { "" };
        let harmless = if group.harmless { ", harmless for inference" } else { "" };
        let message = format!("{} {} not used{harmless}: {}{more}", group.count, group.what, scopes.join(", "));
        let mut finding = Finding::new(Code::RestoreUnexpected, message);
        if !group.harmless {
            finding.severity = Severity::Warning;
        }
        found.push(finding);
    }
    let explained = found.iter().any(|finding| finding.severity == Severity::Error);
    if let Some(raise) = restore.raises.first().filter(|_| !explained) {
        let message = format!("{} raises {}: {}", restore.call, raise.class, escaped(raise.message.as_bytes()));
        found.push(Finding::new(Code::RestoreRaises, message));
    }
    if let Some(why) = &restore.undetermined {
        let does = if restore.keras.is_some() { "loads" } else { "restores" };
        found.push(Finding::new(Code::RestoreUndetermined, format!("whether it {does} could not be told: {why}")));
    }
    if let Some(first) = found.iter_mut().find(|finding| finding.severity == Severity::Error)
        && let Some(hint) = restore.hints.first()
    {
        first.help.get_or_insert_with(|| hint.to_string());
    }
    for finding in &mut found {
        finding.file.get_or_insert_with(|| restore.index.clone());
    }
    found
}

fn mismatched(restore: &Restore, found: &mut Vec<Finding>) {
    let mut counts = std::collections::BTreeMap::new();
    for mismatch in &restore.mismatched {
        let is_misplaced = restore.keras.is_some() && mismatch.silent;
        let code = if is_misplaced {
            Code::RestoreMisplaced
        } else if mismatch.expected.dtype != mismatch.found.dtype && mismatch.expected.dtype.is_some() {
            Code::RestoreDTypeMismatch
        } else if mismatch.silent {
            Code::RestoreSilentShape
        } else {
            Code::RestoreShapeMismatch
        };
        let n = counts.entry(code).or_insert(0usize);
        *n += 1;
        if *n > MOST {
            continue;
        }
        let (expected, stored) = (spec_text(&mismatch.expected), spec_text(&mismatch.found));
        let hint = mismatch.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        if is_misplaced {
            let name = escaped(&mismatch.name);
            let hint = mismatch.hint.as_deref().unwrap_or_default();
            found.push(Finding::new(code, format!("{name} {hint}, without an error")).for_tensor(&mismatch.name));
            continue;
        }
        let silent = if mismatch.silent { "; TensorFlow takes it without an error" } else { "" };
        let name = escaped(&mismatch.name);
        let message = format!("{name}: the model wants {expected}, the checkpoint has {stored}{hint}{silent}");
        let mut finding = Finding::new(code, message).for_tensor(&mismatch.name);
        (finding.expected, finding.found) = (Some(expected), Some(stored));
        found.push(finding);
    }
    for (code, n) in counts {
        more(n, code, "tensors that do not fit", found);
    }
}

fn missing(restore: &Restore, found: &mut Vec<Finding>) {
    for missing in restore.missing.iter().take(MOST) {
        let (name, spec) = (escaped(&missing.name), spec_text(&missing.spec));
        let near: Vec<String> =
            missing.candidates.iter().map(|near| format!("{} ({})", escaped(&near.name), near.why)).collect();
        let near = if near.is_empty() { String::new() } else { format!("; near: {}", near.join(", ")) };
        let message = format!("{name}: the model wants it ({spec}), the checkpoint does not have it{near}");
        let mut finding = Finding::new(Code::RestoreMissing, message).for_tensor(&missing.name);
        finding.expected = Some(spec);
        // The next save begins to count anew, and nothing else needs the counter.
        if is_save_counter(&missing.name) {
            finding.severity = Severity::Note;
        }
        found.push(finding);
    }
    more(restore.missing.len(), Code::RestoreMissing, "tensors that the checkpoint does not have", found);
}

fn more(all: usize, code: Code, what: &str, found: &mut Vec<Finding>) {
    if all > MOST {
        found.push(Finding::new(code, format!("{} more {what}", all - MOST)));
    }
}

/// `float32 [2,3]`
fn spec_text(spec: &Spec) -> String {
    let dtype = spec.dtype.map(|dtype| format!("{dtype} ")).unwrap_or_default();
    format!("{dtype}{}", spec.shape)
}
