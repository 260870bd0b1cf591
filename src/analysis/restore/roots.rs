//! Roots that do not meet: an attribute of the root with another name, or a checkpoint that was saved one level higher
//! or lower than it is restored. Nothing is restored then, and `restore()` returns normally.

use std::collections::{BTreeSet, VecDeque};

use super::objects::Objects;
use crate::base::escape::escaped;
use crate::read::graphs::object_graph::ObjectGraph;

/// How many objects are walked below each of the root's children. Names that differ show long before.
const MOST: usize = 1 << 18;

/// How many children of a root are compared with those of the other.
const CHILDREN: usize = 64;

/// What probably happened, for a restore that leaves variables out.
pub(super) fn find(graph: &ObjectGraph, objects: &Objects, matched: usize) -> Vec<String> {
    let (stored_root, model_root) = (stored_children(graph, 0), model_children(objects, 0));
    // Each child is walked for itself, and roots with more of them than this are lists.
    if stored_root.len() > CHILDREN || model_root.len() > CHILDREN {
        return Vec::new();
    }
    let lacks = |root: &[(&str, usize)], name: &str| !root.iter().any(|(other, _)| *other == name);
    let stored: Vec<(&str, BTreeSet<String>)> =
        stored_root.iter().map(|(name, at)| (*name, stored_paths(graph, *at))).collect();
    let model: Vec<(&str, BTreeSet<String>)> =
        model_root.iter().map(|(name, at)| (*name, model_paths(objects, *at))).collect();
    let mut hints = Vec::new();
    for (name, wanted) in model.iter().filter(|(name, _)| lacks(&stored_root, name)) {
        let others = stored.iter().filter(|(other, _)| lacks(&model_root, other));
        let counted = others.map(|(other, paths)| (wanted.intersection(paths).count(), *other));
        if let Some((n, other)) = counted.max().filter(|(n, _)| *n > 0 && n.saturating_mul(2) >= wanted.len()) {
            let (name, other) = (escaped(name.as_bytes()), escaped(other.as_bytes()));
            hints.push(format!(
                "the root's attribute is `{other}` in the checkpoint and `{name}` in the model, so nothing below it \
                 gets a value ({}), and restore() returns normally; write tf.train.Checkpoint({other}=…)",
                variables(n)
            ));
        }
    }
    if !hints.is_empty() {
        return hints;
    }
    let whole_model = model_paths(objects, 0);
    let deeper = stored.iter().map(|(name, paths)| (whole_model.intersection(paths).count(), *name)).max();
    if let Some((n, name)) = deeper.filter(|(n, _)| *n > matched && n.saturating_mul(4) >= whole_model.len()) {
        let name = escaped(name.as_bytes());
        hints.push(format!(
            "the checkpoint has the model one level deeper, as `{name}`: {} would be found by \
             tf.train.Checkpoint({name}=model).restore(…)",
            variables(n)
        ));
    }
    let whole_stored = stored_paths(graph, 0);
    let higher = model.iter().map(|(name, paths)| (whole_stored.intersection(paths).count(), *name)).max();
    if let Some((n, name)) = higher.filter(|(n, _)| *n > matched && n.saturating_mul(4) >= whole_stored.len()) {
        let name = escaped(name.as_bytes());
        hints.push(format!(
            "the checkpoint's root is what the model has as `{name}`, as save_weights writes it: {} would be found by \
             tf.train.Checkpoint(root={name}).read(…)",
            variables(n)
        ));
    }
    hints
}

fn variables(n: usize) -> String {
    if n == 1 { "1 variable".to_owned() } else { format!("{n} variables") }
}

fn stored_children(graph: &ObjectGraph, at: usize) -> Vec<(&str, usize)> {
    let children = graph.nodes().get(at).map(|node| node.children.as_slice()).unwrap_or_default();
    let resolved = children.iter().filter_map(|child| Some((child.local_name.as_str(), graph.resolve(child.node_id)?)));
    resolved.collect()
}

fn model_children(objects: &Objects, at: usize) -> Vec<(&str, usize)> {
    let children = objects.get(at).map(|object| object.children.as_slice()).unwrap_or_default();
    children.iter().map(|(name, at)| (name.as_str(), *at)).collect()
}

fn stored_paths(graph: &ObjectGraph, from: usize) -> BTreeSet<String> {
    let has_state = |at: usize| graph.nodes().get(at).is_some_and(|node| !node.attributes.is_empty());
    paths(from, |at| stored_children(graph, at), has_state)
}

fn model_paths(objects: &Objects, from: usize) -> BTreeSet<String> {
    let has_state = |at: usize| objects.get(at).is_some_and(|object| !object.state.is_empty());
    paths(from, |at| model_children(objects, at), has_state)
}

/// The paths from an object to everything below it that has state; the object itself has the empty one.
fn paths<'n>(
    from: usize,
    children: impl Fn(usize) -> Vec<(&'n str, usize)>,
    has_state: impl Fn(usize) -> bool,
) -> BTreeSet<String> {
    const LONG: usize = 400;
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::from([from]);
    let mut queue = VecDeque::from([(from, String::new())]);
    while let Some((at, path)) = queue.pop_front() {
        if has_state(at) {
            found.insert(path.clone());
        }
        for (name, child) in children(at) {
            if name != "save_counter" && path.len() < LONG && seen.len() < MOST && seen.insert(child) {
                queue.push_back((child, format!("{path}/{name}")));
            }
        }
    }
    found
}
