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
mod keras;
mod model;
mod objects;
mod predict;
mod prediction;
mod reachable;
mod requests;
mod roots;
mod rules;
mod stored;
mod substitution;
mod walk;

pub(super) use causes::{Named, candidates};
pub use emit::{assignment_map, expectation};
pub use findings::findings;
pub use keras::KerasProgram;
pub use model::Model;
pub use prediction::{
    Assertions, Candidate, Hint, KerasOutcome, Match, Mismatch, Missing, Raise, Restore, RestoreOptions, Spec,
    Unexpected, UnexpectedGroup,
};

use crate::read::checkpoint::Checkpoint;
use crate::read::formats::bundle::BundleFiles;
use model::{ModelKind, Wants};
use predict::{not_predicted, predict};
use prediction::is_save_counter;

/// What a model is to Keras: one of its own, another of TensorFlow's, or what neither reads.
fn model_of_keras(model: &Model) -> keras::Side<'_> {
    match &model.wants {
        Wants::Keras(own) => keras::Side::Keras(own),
        Wants::Names(_) if model.foreign.is_none() => keras::Side::Saver,
        Wants::Objects(_) if model.foreign.is_none() => keras::Side::Checkpoint,
        _ => keras::Side::Foreign,
    }
}

/// Predicts the restore of a checkpoint into a model.
pub fn restore(checkpoint: &Checkpoint, model: &Model, options: &RestoreOptions) -> Restore {
    if let Some(restore) =
        keras::of_both(checkpoint, model_of_keras(model), options, || predict::base(checkpoint, model))
    {
        return restore;
    }
    if let Some(restore) = load_weights(checkpoint, model, options) {
        return restore;
    }
    if let Some(kind) = stored::foreign_to_savers(checkpoint).or(model.foreign) {
        return not_predicted(checkpoint, model, kind);
    }
    by_tensorflow(checkpoint, model, options)
}

/// `load_weights` of a prefix in `tf_keras`, which restores objects; `None` of anything else.
fn load_weights(checkpoint: &Checkpoint, model: &Model, options: &RestoreOptions) -> Option<Restore> {
    let Wants::Keras(own) = &model.wants else { return None };
    let is_bundle = checkpoint.of_format::<BundleFiles>().is_some() && checkpoint.is_object_based();
    if !is_bundle || keras::program_of(own, options) != KerasProgram::Keras2 {
        return None;
    }
    let (objects, unknown) = keras::trackables(own);
    let program = Model {
        path: model.path.clone(),
        what: format!("{}, in tf_keras 2.21", model.what),
        wants: Wants::Objects(objects),
        kind: ModelKind::Weights,
        notes: model.notes.clone(),
        serving: None,
        on_mismatch: None,
        foreign: None,
        declares: true,
    };
    let mut restore = by_tensorflow(checkpoint, &program, options);
    keras::told(&mut restore, &unknown, options);
    Some(restore)
}

/// By the rules of TensorFlow's savers.
fn by_tensorflow(checkpoint: &Checkpoint, model: &Model, options: &RestoreOptions) -> Restore {
    let (mut result, stored) = predict(checkpoint, model, options);
    candidates::find(&mut result);
    causes::find(&mut result, &stored, &causes::Trial { checkpoint, model, options });
    result.groups = groups::group(&result.unexpected);
    // Renamed or not, a tensor has the name that the file has for it.
    let in_file = |name: &mut Vec<u8>| {
        if let Some(entry) = stored.get(name) {
            (*name).clone_from(&entry.tensor.name);
        }
    };
    result.matched.iter_mut().for_each(|found| in_file(&mut found.stored));
    result.mismatched.iter_mut().for_each(|found| in_file(&mut found.stored));
    result
}
