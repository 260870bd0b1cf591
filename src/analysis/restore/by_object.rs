//! A restore by objects: what comes of it once checkpoint and program have been walked side by side, by the names of
//! children (`walk`).
//!
//! TensorFlow: `CheckpointPosition.restore` in `python/checkpoint/restore.py`; the assertions: `CheckpointLoadStatus` in
//! `python/checkpoint/checkpoint.py`. Nothing is matched by shape or by the names of variables. The walk comes first,
//! then everything is read at once, then values are assigned.

use std::collections::BTreeSet;

use super::causes::objects as objects_cause;
use super::crossing::first_few;
use super::model::{Model, ModelKind};
use super::objects::Objects;
use super::reachable::Reachable;
use super::requests::judge_requests;
use super::stored::{Stored, unexpected_of};
use super::walk::{Bound, Walk, counts};
use super::{Assertions, Missing, Raise, Restore, RestoreOptions};
use crate::base::escape::escaped;
use crate::read::graphs::object_graph::ObjectGraph;

/// The call whose outcome is predicted, and the objects that it restores into.
fn program(stored: &Stored, model: &Model, objects: &Objects) -> (&'static str, Objects) {
    let saved = stored.graph.as_ref().and_then(|graph| graph.nodes().first());
    let saved = saved.is_some_and(|root| root.children.iter().any(|child| child.local_name == "save_counter"));
    match &model.kind {
        ModelKind::Loaded(_) if model.kind.is_own(stored.saved_model.as_deref()) => {
            ("tf.saved_model.load", objects.clone())
        }
        ModelKind::Weights => ("model.load_weights", objects.clone()),
        // A program that never numbers its saves calls write() and read().
        ModelKind::Program | ModelKind::Keys if !objects.has_counter() && !saved => {
            ("tf.train.Checkpoint.read", objects.clone())
        }
        _ => ("tf.train.Checkpoint.restore", objects.clone().with_counter()),
    }
}

pub(super) fn restore(
    stored: &Stored,
    model: &Model,
    objects: &Objects,
    options: &RestoreOptions,
    base: Restore,
) -> Restore {
    let (call, objects) = program(stored, model, objects);
    let mut result = Restore { call, ..base };
    let empty = ObjectGraph::default();
    let graph = stored.graph.as_ref().unwrap_or(&empty);
    let reachable = Reachable::of(&objects, options, &stored.excluded);
    let mut walk = Walk::new(graph, &objects, stored, &model.kind);
    walk.run();
    walk.requests.retain(|request| {
        let name = request.wants.as_ref().map(|(at, state)| objects.key(*at, &state.suffix));
        !stored.excluded.contains(&request.key) && !name.is_some_and(|name| reachable.excluded.contains(&name))
    });
    // One operation reads everything, names sorted.
    walk.requests.sort_by(|a, b| a.key.cmp(&b.key));
    let read = judge_requests(&walk, &reachable, &mut result);
    result.raises.splice(..0, walk.raise.clone());
    let bound_objects: BTreeSet<usize> = walk
        .bound
        .iter()
        .filter_map(|bound| match bound {
            Some(Bound::Object(at)) => Some(*at),
            _ => None,
        })
        .collect();
    for (at, state) in reachable.state(&objects) {
        let key = objects.key(at, &state.suffix);
        if bound_objects.contains(&at) {
            if walk.unrestored.contains(&at) {
                result.unrestored.push(key);
            }
            continue;
        }
        let (role, spec, crc32c) = (reachable.role(&key), state.spec.clone(), state.crc32c);
        let variable = objects.get(at).map(|object| object.full_name.clone());
        result.missing.push(Missing { name: key, spec, crc32c, variable, role, candidates: Vec::new() });
    }
    result.missing.sort_by(|a, b| a.name.cmp(&b.name));
    result.missing.dedup_by(|a, b| a.name == b.name);
    let consumed_keys = consumed_keys(&walk, &read);
    let unexpected = stored.entries.iter().filter(|(name, _)| !consumed_keys.contains(*name));
    result.unexpected = unexpected.map(|(name, entry)| unexpected_of(name, entry)).collect();
    let assertions = assertions(&walk, &reachable, &bound_objects);
    if call == "tf.saved_model.load" {
        // The loader asserts it itself.
        if let (Err(message), true) = (&assertions.existing_objects_matched, result.raises.is_empty()) {
            result.raises.push(Raise { class: "AssertionError", message: message.clone() });
        }
    }
    if result.raises.is_empty() {
        result.assertions = Some(assertions);
    }
    result.hints = objects_cause::find(&result, stored, graph, &objects, &model.kind);
    if !walk.shadowed.is_empty() {
        let names: Vec<String> = walk.shadowed.iter().map(|at| graph.short_path(*at)).collect();
        result.notes.push(format!(
            "not read, because the model has one object where the checkpoint has two: {}",
            first_few(&names)
        ));
    }
    if stored.is_guessed && !(result.missing.is_empty() && result.unexpected.is_empty()) {
        let why = stored.why_guessed.clone().unwrap_or_default();
        if options.renames.is_empty() {
            result.undetermined = Some(format!("{why}: what seems to be missing may be stored under another path"));
        } else {
            result.notes.push(why);
        }
    } else if graph.nodes().is_empty() {
        result.undetermined = Some("the object graph of the checkpoint is empty".to_owned());
    }
    result
}

/// Tensors that are read, or belong to a node that is bound: nothing of them is left over.
fn consumed_keys(walk: &Walk<'_>, read: &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    let mut keys = read.clone();
    for (at, node) in walk.graph.nodes().iter().enumerate() {
        if walk.bound.get(at).is_some_and(Option::is_some) && !walk.unused.contains(&at) {
            for attribute in &node.attributes {
                let key = attribute.checkpoint_key.as_bytes();
                let below = walk.stored.entries.range(key.to_vec()..).take_while(|(name, _)| name.starts_with(key));
                // A table's or an iterator's key is the beginning of its tensors' keys.
                let exact = walk.stored.get(key).is_some();
                keys.extend(below.filter(|(name, _)| !exact || name.as_slice() == key).map(|(name, _)| name.clone()));
            }
        }
    }
    keys
}

fn assertions(walk: &Walk<'_>, reachable: &Reachable, bound: &BTreeSet<usize>) -> Assertions {
    let mut unbound: Vec<usize> = Vec::new();
    for (at, _) in reachable.state(walk.objects) {
        if !bound.contains(&at) && unbound.last() != Some(&at) {
            unbound.push(at);
        }
    }
    let path = |at: &usize| {
        let path = walk.objects.get(*at).and_then(|object| object.path.as_deref()).unwrap_or("?");
        escaped(path.as_bytes()).into_owned()
    };
    let existing = if unbound.is_empty() {
        Ok(())
    } else {
        let names: Vec<String> = unbound.iter().take(10).map(path).collect();
        Err(format!(
            "Found {n} Python objects that were not bound to checkpointed values, likely due to changes in the Python \
             program. Showing {} of {n} unmatched objects: [{}]",
            names.len(),
            names.join(", "),
            n = unbound.len()
        ))
    };
    let nodes = walk.graph.nodes().iter().enumerate();
    let mut unresolved = nodes
        .filter(|(at, node)| counts(node, &walk.stored.excluded) && !walk.bound.get(*at).is_some_and(Option::is_some));
    let consumed = if let Err(message) = &existing {
        Err(message.clone())
    } else if let Some((at, _)) = unresolved.next() {
        let path: Vec<String> = walk.graph.short_path(at).split('/').map(str::to_owned).collect();
        Err(format!("Unresolved object in checkpoint (root).{}", path.join(".")))
    } else if !walk.waiting.is_empty() {
        Err("Unresolved slot restorations".to_owned())
    } else if let Some(at) = walk.unused.first() {
        let path = walk.graph.short_path(*at);
        Err(format!(
            "Unused attributes in these objects (the attributes exist in the checkpoint but were not restored): {path}"
        ))
    } else {
        Ok(())
    };
    let nontrivial = match walk.bound.iter().flatten().count() {
        0 | 1 if unbound.is_empty() => {
            Err("Nothing to load. No dependencies have been added to the root yet.".to_owned())
        }
        0 | 1 => Err("Nothing except the root object matched a checkpointed value.".to_owned()),
        _ => Ok(()),
    };
    Assertions { consumed, existing_objects_matched: existing, nontrivial_match: nontrivial }
}
