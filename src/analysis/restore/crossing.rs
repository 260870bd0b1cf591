//! From one kind into the other: a name-based checkpoint into objects, an object-based one into a v1 graph.
//!
//! TensorFlow: `_NameBasedRestoreCoordinator` in `python/checkpoint/checkpoint.py`, and
//! `saver_from_object_based_checkpoint` in `python/training/saver.py`. Both go by the full names of variables.

use std::collections::{BTreeMap, BTreeSet};

use super::objects::Objects;
use super::reachable::Reachable;
use super::rules::{compatible, cpp_name, python_shape};
use super::stored::{Stored, unexpected_of};
use super::{Assertions, Match, Mismatch, Missing, Raise, Restore, RestoreOptions};
use crate::base::escape::escaped;
use crate::read::graphs::restores::RestorePlan;

/// What is said when a `Saver` restores an object-based checkpoint.
pub(super) const SAVER_ON_OBJECTS: &str = "the checkpoint is object-based: the Saver does not find its keys and goes by \
     the names that the object graph has for variables; where two share a name, the last one counts";

/// The key of every full name. Of several with one name the last counts.
pub(super) fn keys_by_full_name(stored: &Stored) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let Some(graph) = &stored.graph else { return BTreeMap::new() };
    let pair = |variable: crate::read::graphs::object_graph::Variable<'_>| {
        let attribute = variable.attribute;
        (attribute.full_name.clone().into_bytes(), attribute.checkpoint_key.clone().into_bytes())
    };
    graph.variables().map(pair).collect()
}

/// The error of a `Saver` that does not find all of its names in the object graph.
pub(super) fn lacking<'n>(
    missing: impl Iterator<Item = &'n Vec<u8>>,
    keys: &BTreeMap<Vec<u8>, Vec<u8>>,
    plan: &RestorePlan,
) -> Raise {
    let wanted: BTreeSet<&Vec<u8>> =
        plan.reads.iter().flat_map(|read| &read.tensors).map(|wanted| &wanted.name).collect();
    let list = |names: Vec<&Vec<u8>>| names.iter().map(|name| escaped(name)).collect::<Vec<_>>().join(", ");
    let missing = list(missing.collect());
    let extra = list(keys.keys().filter(|name| !wanted.contains(name)).collect());
    let common = keys.keys().filter(|name| wanted.contains(name)).count();
    let message = format!(
        "Existing variables not in the checkpoint: {missing}\n\nVariables names when this checkpoint was written which \
         don't exist now: {extra}\n\n({common} variable name(s) did match)"
    );
    Raise { class: "NotFoundError", message }
}

/// A name-based checkpoint into a `tf.train.Checkpoint`: every variable is looked up by its full name.
pub(super) fn names_into_objects(
    stored: &Stored,
    objects: &Objects,
    options: &RestoreOptions,
    base: Restore,
) -> Restore {
    let mut result = Restore { call: "tf.train.Checkpoint.restore", ..base };
    let reachable = Reachable::of(objects, options, &stored.excluded);
    let mut read = BTreeSet::new();
    let mut unmatched = Vec::new();
    for (at, state) in reachable.state(objects) {
        let Some(object) = objects.get(at) else { continue };
        let key = objects.key(at, &state.suffix);
        let name = object.full_name.as_bytes();
        // What is no variable has no name that a v1 Saver would know.
        let entry = (state.suffix == "VARIABLE_VALUE").then(|| stored.get(name)).flatten();
        let Some(entry) = entry else {
            if !super::is_save_counter(&key) {
                unmatched.push(escaped(&key).into_owned());
                let role = reachable.role(&key);
                let (spec, crc32c) = (state.spec.clone(), state.crc32c);
                let (variable, candidates) = (Some(object.full_name.clone()), Vec::new());
                result.missing.push(Missing { name: key, spec, crc32c, variable, role, candidates });
            }
            continue;
        };
        read.insert(name.to_vec());
        let found = entry.spec();
        let wrong_shape = !compatible(&state.spec.shape, &found.shape);
        let wrong_dtype = state.spec.dtype.is_some_and(|dtype| found.dtype != Some(dtype));
        if wrong_shape || wrong_dtype {
            let raise = if wrong_shape {
                let (value, variable) = (python_shape(&found.shape), python_shape(&state.spec.shape));
                let name = escaped(name);
                let message = format!(
                    "Received incompatible tensor with shape {value} when attempting to restore variable with shape {variable} and name {name}."
                );
                Raise { class: "ValueError", message }
            } else {
                let name = |dtype: Option<_>| dtype.map(cpp_name).unwrap_or_default();
                let (want, have) = (name(state.spec.dtype), name(found.dtype));
                let message = format!("Trying to assign variable with wrong dtype. Expected {want} got {have}");
                Raise { class: "InvalidArgumentError", message }
            };
            // Variables are restored one after the other: the first that does not fit ends it.
            result.raises.push(raise);
            let (expected, silent, hint) = (state.spec.clone(), false, None);
            let (stored, role) = (name.to_vec(), reachable.role(&key));
            let variable = Some(object.full_name.clone());
            result.mismatched.push(Mismatch { name: key, stored, variable, expected, found, silent, role, hint });
        } else {
            result.matched.push(Match { name: key, stored: name.to_vec(), variable: Some(object.full_name.clone()) });
        }
    }
    if result.raises.is_empty() {
        let verdict = if unmatched.is_empty() {
            Ok(())
        } else {
            Err(format!("Some objects had attributes which were not restored: {}", first_few(&unmatched)))
        };
        result.assertions = Some(Assertions {
            consumed: verdict.clone(),
            existing_objects_matched: verdict.clone(),
            nontrivial_match: verdict,
        });
    }
    let unexpected = stored.entries.iter().filter(|(name, _)| !read.contains(*name));
    result.unexpected = unexpected.map(|(name, entry)| unexpected_of(name, entry)).collect();
    let note = "the checkpoint is name-based: objects get the tensor that has the full name of their variable";
    result.notes.push(note.to_owned());
    if objects.nodes.iter().any(|node| !node.state.is_empty() && node.full_name.is_empty() && node.path.is_some()) {
        let why = "the model does not say under which names a v1 Saver would know its variables";
        let known = objects.nodes.iter().any(|node| !node.full_name.is_empty());
        if !known {
            result.undetermined = Some(why.to_owned());
        }
    }
    result
}

/// The first few of many, and how many there are.
pub(super) fn first_few(names: &[String]) -> String {
    const FEW: usize = 3;
    let shown = names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(FEW) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
