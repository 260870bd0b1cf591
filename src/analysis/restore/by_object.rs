//! A restore by objects: what comes of it once checkpoint and program have been walked side by side, by the names of
//! children (`walk`).
//!
//! TensorFlow: `CheckpointPosition.restore` in `python/checkpoint/restore.py`; the assertions: `CheckpointLoadStatus` in
//! `python/checkpoint/checkpoint.py`. Nothing is matched by shape or by the names of variables. The walk comes first,
//! then everything is read at once, then values are assigned.

use std::collections::BTreeSet;

use super::by_name::unexpected_of;
use super::causes::objects as objects_cause;
use super::crossing::first_few;
use super::model::{Model, ModelKind};
use super::objects::Objects;
use super::reachable::Reachable;
use super::rules::{compatible, cpp_name, python_shape, shard_of};
use super::stored::Stored;
use super::walk::{Bound, Request, Walk, counts};
use super::{Assertions, Match, Mismatch, Missing, Raise, Restore, RestoreOptions};
use crate::checkpoint::object_graph::ObjectGraph;
use crate::escape::escaped;
use crate::tensor::Shape;

/// The call whose outcome is predicted, and the objects that it restores into.
fn program(stored: &Stored, model: &Model, objects: &Objects) -> (&'static str, Objects) {
    let saved = stored.graph.as_ref().and_then(|graph| graph.nodes().first());
    let saved = saved.is_some_and(|root| root.children.iter().any(|child| child.local_name == "save_counter"));
    match &model.kind {
        ModelKind::Loaded(_) if model.kind.is_own(stored.saved_model.as_deref()) => {
            ("tf.saved_model.load", objects.clone())
        }
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

/// What a restore into other objects would come to: how many tensors fit, and what it raises.
pub(super) struct Outcome {
    pub(super) matched: usize,
    pub(super) raises: Vec<Raise>,
}

/// The same without the lists.
pub(super) fn outcome(stored: &Stored, kind: &ModelKind, objects: &Objects) -> Outcome {
    let (empty, mut result) = (ObjectGraph::default(), Restore::default());
    let reachable = Reachable::of(objects, &RestoreOptions::default(), &stored.excluded);
    let mut walk = Walk::new(stored.graph.as_ref().unwrap_or(&empty), objects, stored, kind);
    walk.run();
    judge_requests(&walk, &reachable, &mut result);
    result.raises.splice(..0, walk.raise.clone());
    let counter = result.matched.iter().filter(|found| super::is_save_counter(&found.name)).count();
    Outcome { matched: result.matched.len().saturating_sub(counter), raises: result.raises }
}

/// Whether a key holds a part of a lookup table, which takes any number of keys (`lookup_ops.py`).
fn is_table(key: &[u8]) -> bool {
    key.ends_with(b"/.ATTRIBUTES/table-keys") || key.ends_with(b"/.ATTRIBUTES/table-values")
}

/// Compares everything that is read with what is stored. Returns the keys that are.
fn judge_requests(walk: &Walk<'_>, reachable: &Reachable, result: &mut Restore) -> BTreeSet<Vec<u8>> {
    let (mut read, mut dtypes, mut shapes) = (BTreeSet::new(), Vec::new(), Vec::new());
    let (mut first_missing, mut lost) = (None, None);
    for Request { key, wants } in &walk.requests {
        let name = wants.as_ref().map_or_else(|| key.clone(), |(at, state)| walk.objects.key(*at, &state.suffix));
        let Some(entry) = walk.stored.get(key) else {
            first_missing.get_or_insert_with(|| format!("Key {} not found in checkpoint", escaped(key)));
            let spec = wants.as_ref().map(|(_, state)| state.spec.clone());
            let spec = spec.unwrap_or(super::Spec { dtype: None, shape: Shape::unknown_rank() });
            let role = reachable.role(&name);
            result.missing.push(Missing { name, spec, crc32c: None, variable: None, role, candidates: Vec::new() });
            continue;
        };
        read.insert(key.clone());
        if entry.is_lost {
            lost.get_or_insert_with(|| format!("{}; No such file or directory", shard_of(walk.stored, &entry.tensor)));
        }
        let full_name = wants.as_ref().and_then(|(at, _)| walk.objects.get(*at)).map(|object| object.full_name.clone());
        let (found, variable) = (entry.spec(), full_name.filter(|name| !name.is_empty()));
        let Some((at, state)) = wants else {
            result.matched.push(Match { name, stored: key.clone(), variable });
            continue;
        };
        let wrong_dtype = state.spec.dtype.filter(|dtype| *dtype != entry.tensor.dtype);
        if let Some(dtype) = wrong_dtype {
            let (want, have) = (cpp_name(dtype), cpp_name(entry.tensor.dtype));
            let key = escaped(key);
            dtypes.push(format!("tensor_name = {key}; expected dtype {want} does not equal original dtype {have}"));
        } else if !is_table(key) && !compatible(&state.spec.shape, &found.shape) {
            let (value, variable) = (python_shape(&found.shape), python_shape(&state.spec.shape));
            let full_name = walk.objects.get(*at).map(|object| object.full_name.as_str()).unwrap_or_default();
            let full_name = escaped(full_name.as_bytes());
            shapes.push(format!(
                "Received incompatible tensor with shape {value} when attempting to restore variable with shape {variable} and name {full_name}:0."
            ));
        } else {
            result.matched.push(Match { name, stored: key.clone(), variable });
            continue;
        }
        let (expected, role, stored) = (state.spec.clone(), reachable.role(&name), key.clone());
        result.mismatched.push(Mismatch { name, stored, variable, expected, found, silent: false, role, hint: None });
    }
    let raise = |class, message| Raise { class, message };
    result.raises = if let Some(message) = first_missing.or(lost) {
        vec![raise("NotFoundError", message)]
    } else if !dtypes.is_empty() {
        vec![raise("InvalidArgumentError", dtypes.join("\n"))]
    } else {
        shapes.into_iter().map(|message| raise("ValueError", message)).collect()
    };
    read
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
