//! What lies around a checkpoint: the other checkpoints of its directory, the state file.

use super::Validation;
use super::groups::OneOf;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::survey::state_file::state_findings;
use crate::analysis::survey::step::Step;
use crate::read::checkpoint::{Checkpoint, Found, ModelDir, Origin, SourceKind};

/// Every checkpoint that a path leads to, and which of several it is: of a directory all of them, those of one group
/// together.
pub(super) fn targets(origin: Origin, result: &mut Validation) -> Vec<(Origin, Option<OneOf>)> {
    tell_choice(&origin, result);
    match origin.kind {
        SourceKind::ModelDir => {
            let Some(dir) = &origin.model_dir else { return vec![(origin, None)] };
            state_file(dir, result);
            let found = dir.checkpoints.iter().map(|found: &Found| Origin::of_found(&origin.path, found));
            let mut targets: Vec<_> = found.zip(OneOf::directory(dir)).collect();
            targets.sort_by(|(_, a), (_, b)| {
                let group = |of: &Option<OneOf>| of.as_ref().and_then(|of| of.group.clone());
                group(a).cmp(&group(b))
            });
            targets
        }
        _ => vec![(origin, None)],
    }
}

/// How the path was read, where it could mean something else. Which checkpoint of a directory is the latest is no
/// matter where all of them are checked.
fn tell_choice(origin: &Origin, result: &mut Validation) {
    let of_directory = |note: &String| {
        origin.model_dir.as_ref().is_some_and(|dir| dir.notes.iter().chain(&dir.several).any(|other| other == note))
    };
    // That a model lacks its graph is an error with a code of its own.
    let has_code = |note: &String| note.starts_with("saved_model.pb is missing");
    let notes = origin.notes.iter().filter(|note| !of_directory(note) && !has_code(note));
    result.findings.extend(notes.map(|note| Finding::new(Code::ChoiceNote, note)));
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
