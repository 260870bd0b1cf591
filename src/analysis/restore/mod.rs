//! Would a restore work? What TensorFlow does with a checkpoint and a model, told from their files.
//!
//! Two answers that are kept apart: what TensorFlow does (it restores, or raises with a message), and whether the user
//! has what they want. Resource variables in a graph take values of a wrong shape without a word, and a
//! `tf.train.Checkpoint` whose objects all have other names restores nothing and returns normally.
//!
//! `model` reads what is wanted (`objects`, of which `reachable` counts), `stored` what is there; `by_name` and
//! `by_object`, which ends a `walk`, follow TensorFlow's `rules`, `crossing` those from one kind into the other; `hints`,
//! `roots`, `candidates` and `groups` say what it means; `findings` turns it into findings for every report format.

mod by_name;
mod by_object;
mod candidates;
mod causes;
mod crossing;
mod emit;
mod findings;
mod groups;
mod hints;
mod model;
mod objects;
mod prediction;
mod reachable;
mod roots;
mod rules;
mod stored;
mod substitution;
mod walk;

pub use emit::{assignment_map, expectation};
pub use findings::findings;
pub use model::Model;
pub use prediction::{
    Assertions, Candidate, Match, Mismatch, Missing, Raise, Restore, RestoreOptions, Spec, Unexpected, UnexpectedGroup,
};

use crate::checkpoint::Checkpoint;
use model::Wants;
use prediction::is_save_counter;
use stored::Stored;

/// Predicts the restore of a checkpoint into a model.
pub fn restore(checkpoint: &Checkpoint, model: &Model, options: &RestoreOptions) -> Restore {
    let stored = Stored::of(checkpoint, options);
    let origin = checkpoint.origin();
    let base = Restore {
        checkpoint: origin.prefix.as_path().to_path_buf(),
        index: origin.v1_files.first().cloned().unwrap_or_else(|| origin.prefix.index()),
        against: model.path.clone(),
        model: model.what.clone(),
        ..Restore::default()
    };
    let mut result = match &model.wants {
        Wants::Names(plan) => by_name::restore(&stored, model, plan, options, base),
        Wants::Objects(objects) if stored.is_object_based() => {
            by_object::restore(&stored, model, objects, options, base)
        }
        Wants::Objects(objects) => crossing::names_into_objects(&stored, objects, options, base),
    };
    if let Some(plan) = model.serving.as_ref().filter(|_| model.kind.is_own(stored.saved_model.as_deref())) {
        let told = by_name::restore(&stored, model, plan, options, Restore::default());
        if told.raises.is_empty() != result.raises.is_empty() {
            result.serving = Some(told.raises.into_iter().next());
        }
    }
    result.notes.extend(model.notes.iter().cloned());
    if !result.mismatched.is_empty() {
        // Which of the two it is makes a difference only then.
        result.notes.extend(model.on_mismatch.iter().cloned());
    }
    candidates::find(&mut result);
    hints::find(&mut result);
    result.groups = groups::group(&result.unexpected);
    result.mismatched.sort_by(|a, b| a.name.cmp(&b.name));
    if stored.is_damaged && !result.missing.is_empty() {
        let why = "the index is damaged: what seems to be missing may have been in the lost part";
        result.undetermined.get_or_insert_with(|| why.to_owned());
    }
    // A counter that the next save would begin anew costs nobody anything.
    let wanting = result.missing.iter().any(|missing| !is_save_counter(&missing.name));
    let nothing = result.matched.iter().all(|found| is_save_counter(&found.name));
    let empty = result.missing.is_empty() && result.mismatched.is_empty() && result.unexpected.is_empty();
    result.ok = result.raises.is_empty()
        && !wanting
        && result.mismatched.is_empty()
        && result.unrestored.is_empty()
        && (!nothing || empty)
        && result.undetermined.is_none();
    result
}
