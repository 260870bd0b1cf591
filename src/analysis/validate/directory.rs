//! What lies around a checkpoint: the other checkpoints of its directory, the state file, leftovers of saves.

use std::path::Path;

use super::Validation;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::state_file::state_findings;
use crate::analysis::step::Step;
use crate::checkpoint::{Checkpoint, Found, ModelDir, Origin, SourceKind};
use crate::escape::escaped;

/// Every checkpoint that a path leads to: of a directory all of them.
pub(super) fn targets(origin: Origin, result: &mut Validation) -> Vec<Origin> {
    leftovers(&origin, result);
    match origin.kind {
        SourceKind::ModelDir => {
            let Some(dir) = &origin.model_dir else { return vec![origin] };
            state_file(dir, result);
            dir.checkpoints.iter().map(|found: &Found| Origin::of_found(&origin.path, found)).collect()
        }
        _ => vec![origin],
    }
}

fn state_file(dir: &ModelDir, result: &mut Validation) {
    result.checked.files += u64::from(dir.state.is_some());
    result.findings.extend(state_findings(dir));
}

/// Temporary files that a writer renames when it is done (`tensor_bundle.cc`, `merge_v2_checkpoints`).
pub(super) fn leftovers(origin: &Origin, result: &mut Validation) {
    let dir = match &origin.model_dir {
        Some(dir) => dir.path.clone(),
        None => origin.prefix.directory(),
    };
    let base = origin.prefix.base_name().to_str().unwrap_or_default();
    let whole_directory = origin.model_dir.is_some() || origin.saved_model.is_some();
    let Ok(entries) = std::fs::read_dir(&dir) else { return };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    for name in names.iter().filter(|name| whole_directory || (!base.is_empty() && name.starts_with(base))) {
        let temporary =
            name.contains(".tempstate") || is_part(name) || (name.contains("_temp") && holds_parts(&dir.join(name)));
        if temporary {
            let message = format!("{} is left over from a save that did not finish", escaped(name.as_bytes()));
            let help = "delete it when no save is running";
            result.push(Finding::new(Code::InterruptedSave, message).in_file(dir.join(name)).with_help(help));
        }
    }
}

/// `<prefix>.part-00000-of-00001.index`: the parts of a sharded save to S3, which has no directories.
fn is_part(name: &str) -> bool {
    let numbers = name.rsplit_once(".part-").and_then(|(_, rest)| rest.split_once('.')?.0.split_once("-of-"));
    numbers.is_some_and(|(id, of)| [id, of].iter().all(|n| n.len() >= 5 && n.bytes().all(|b| b.is_ascii_digit())))
}

fn holds_parts(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|e| e.file_name().as_encoded_bytes().starts_with(b"part-")))
    })
}

/// The step in the name against the one that is stored. The value lies in a data shard: `quick` leaves it out.
pub(super) fn check_step(checkpoint: &Checkpoint, quick: bool, result: &mut Validation) {
    if !quick && let Some(finding) = Step::of(checkpoint).disagreement() {
        result.push(finding.clone());
    }
}
