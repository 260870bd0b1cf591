//! What lies around a checkpoint: the other checkpoints of its directory, the state file.

use super::Validation;
use crate::analysis::state_file::state_findings;
use crate::analysis::step::Step;
use crate::checkpoint::{Checkpoint, Found, ModelDir, Origin, SourceKind};

/// Every checkpoint that a path leads to: of a directory all of them.
pub(super) fn targets(origin: Origin, result: &mut Validation) -> Vec<Origin> {
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

/// The step in the name against the one that is stored. The value lies in a data shard: `quick` leaves it out.
pub(super) fn check_step(checkpoint: &Checkpoint, quick: bool, result: &mut Validation) {
    if !quick && let Some(finding) = Step::of(checkpoint).disagreement() {
        result.push(finding.clone());
    }
}
