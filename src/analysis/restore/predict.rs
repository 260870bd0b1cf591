//! What would happen, without what it means: by the rules that fit the checkpoint and the model.

use super::model::{Model, Wants};
use super::prediction::{Mismatch, Restore, RestoreOptions, is_save_counter};
use super::stored::Stored;
use super::{by_name, by_object, crossing, model};
use crate::read::checkpoint::{Checkpoint, SourceKind};
use crate::read::storage;

/// What is said of files that other programs read: their rules are not these.
pub(super) fn not_predicted(checkpoint: &Checkpoint, model: &Model, kind: &str) -> Restore {
    let why = format!(
        "{kind}: no saver of TensorFlow reads such files, and what the program does that reads them is not \
         predicted; ckpt diff pairs the two by name and compares them"
    );
    Restore { undetermined: Some(why), ..base(checkpoint, model) }
}

/// A prediction of which nothing is known yet.
pub(super) fn base(checkpoint: &Checkpoint, model: &Model) -> Restore {
    let origin = checkpoint.origin();
    let index = match origin.kind {
        SourceKind::File(_) => checkpoint.described_by(),
        _ => origin.v1_files.first().cloned().unwrap_or_else(|| origin.prefix.index()),
    };
    Restore {
        checkpoint: origin.prefix.as_path().to_path_buf(),
        index,
        against: model.path.clone(),
        model: model.what.clone(),
        ..Restore::default()
    }
}

/// What would happen, without what it means.
pub(super) fn predict(checkpoint: &Checkpoint, model: &Model, options: &RestoreOptions) -> (Restore, Stored) {
    let stored = Stored::of(checkpoint, options);
    let base = base(checkpoint, model);
    let mut result = match &model.wants {
        Wants::Names(plan) => by_name::restore(&stored, model, plan, options, base),
        Wants::Objects(objects) if stored.is_object_based() => {
            by_object::restore(&stored, model, objects, options, base)
        }
        // What Keras saved is no model for a saver.
        Wants::Keras(_) => base,
        Wants::Objects(objects) => crossing::names_into_objects(&stored, objects, options, base),
    };
    if let Some(plan) = model.serving.as_ref().filter(|_| model.kind.is_own(stored.saved_model.as_deref())) {
        let told = by_name::restore(&stored, model, plan, options, Restore::default());
        if told.raises.is_empty() != result.raises.is_empty() {
            result.serving = Some(told.raises.into_iter().next());
        }
    }
    let is_own = model.kind.is_own(stored.saved_model.as_deref());
    let is_lost = is_own && stored.entries.is_empty() && !result.missing.is_empty() && !storage::is_file(&result.index);
    if is_lost {
        result.without_variables(&stored.prefix, matches!(model.kind, model::ModelKind::Loaded(_)));
    }
    result.notes.extend(model.notes.iter().cloned());
    if !result.mismatched.is_empty() {
        // Which of the two it is makes a difference only then.
        result.notes.extend(model.on_mismatch.iter().cloned());
    }
    let same_rank = |mismatch: &Mismatch| {
        let (expected, found) = (&mismatch.expected.shape, &mismatch.found.shape);
        expected != found && expected.rank() == found.rank() && mismatch.expected.dtype == mismatch.found.dtype
    };
    if !model.declares && result.mismatched.iter().any(same_rank) {
        result.notes.push(
            "a checkpoint does not say whether a variable was declared with unknown dimensions, as [None,3]: one that was \
             takes any size there; the program's SavedModel or .meta knows"
                .to_owned(),
        );
    }
    result.mismatched.sort_by(|a, b| a.name.cmp(&b.name));
    if stored.is_damaged && !result.missing.is_empty() && !is_lost {
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
    (result, stored)
}
