//! What an object-based restore wants: objects, the names that they have for each other, and their state.
//!
//! Made of the object graph of another checkpoint, of the objects of a SavedModel, or, where the graph cannot be read,
//! of the keys alone.

use std::collections::{BTreeMap, VecDeque};

use super::Spec;
use crate::read::checkpoint::Tensors;
use crate::read::graphs::object_graph::{
    Attribute, Child, Node, ObjectGraph, SlotVariable, escape_local_name, unescape_local_name,
};
use crate::read::graphs::saved_objects::SavedObjects;
use crate::read::tensor::{DType, Shape};
use crate::read::wire::Crc32c;

/// What stands between an object's path and its attribute in a key (`OBJECT_ATTRIBUTES_NAME`).
pub(super) const ATTRIBUTES: &str = ".ATTRIBUTES/";
/// What stands between a variable's path and the optimizer's (`OPTIMIZER_SLOTS_NAME`).
const SLOTS: &str = "/.OPTIMIZER_SLOT/";

/// The objects of a program. The first is the root.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    pub(super) nodes: Vec<Object>,
}

/// One object.
#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    pub(super) children: Vec<(String, usize)>,
    pub(super) slots: Vec<Slot>,
    /// Its state, one tensor or several; empty for what only holds others.
    pub(super) state: Vec<State>,
    /// The name of a variable in a v1 graph, which is also what TensorFlow calls it in messages.
    pub(super) full_name: String,
    /// Whether it is state of Python, which is read as one string.
    pub(super) is_python: bool,
    /// Whether a class of the user's saves it.
    pub(super) has_registered_saver: bool,
    /// The children by name, and the slots by what they belong to.
    by_name: BTreeMap<String, usize>,
    by_original: BTreeMap<(usize, String), usize>,
    /// The path by which the search from the root first meets it, or that a slot has; `None` if nothing leads to it.
    pub(super) path: Option<String>,
}

/// A variable that an optimizer keeps for another.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) original: usize,
    pub(super) name: String,
    pub(super) variable: usize,
}

/// One tensor of an object's state.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// What follows `.ATTRIBUTES/` in its key.
    pub(super) suffix: String,
    pub(super) spec: Spec,
    pub(super) crc32c: Option<Crc32c>,
}

impl Object {
    /// An object that only holds others.
    pub(super) fn of_children(children: Vec<(String, usize)>) -> Self {
        Self { children, ..Self::default() }
    }

    /// A variable.
    pub(super) fn of_variable(state: State, full_name: String) -> Self {
        Self { state: vec![state], full_name, ..Self::default() }
    }
}

impl Objects {
    /// The objects of the program that wrote a checkpoint.
    pub(super) fn of_tensors(graph: &ObjectGraph, tensors: &Tensors) -> Self {
        let mut keys: BTreeMap<Vec<u8>, (Spec, Option<Crc32c>)> = BTreeMap::new();
        for tensor in tensors {
            let spec = Spec { dtype: Some(tensor.dtype), shape: tensor.shape.clone() };
            keys.insert(tensor.name.clone(), (spec, tensor.crc32c()));
        }
        let object = |node: &Node| {
            let children = node
                .children
                .iter()
                .filter_map(|child| Some((child.local_name.clone(), graph.resolve(child.node_id)?)));
            let slots = node.slot_variables.iter().filter_map(|slot| {
                let original = graph.resolve(slot.original_variable_node_id)?;
                let variable = graph.resolve(slot.slot_variable_node_id)?;
                Some(Slot { original, name: slot.slot_name.clone(), variable })
            });
            let mut state = Vec::new();
            for attribute in &node.attributes {
                let key = attribute.checkpoint_key.as_bytes();
                let exact = attribute.name == "VARIABLE_VALUE" || keys.contains_key(key);
                let found = keys.range(key.to_vec()..).take_while(|(name, _)| name.starts_with(key));
                for (name, (spec, crc32c)) in found.filter(|(name, _)| !exact || name.as_slice() == key) {
                    let name = String::from_utf8_lossy(name);
                    let suffix = name.rsplit_once(ATTRIBUTES).map_or("", |(_, suffix)| suffix).to_owned();
                    state.push(State { suffix, spec: spec.clone(), crc32c: *crc32c });
                }
            }
            Object {
                children: children.collect(),
                slots: slots.collect(),
                state,
                full_name: node.attributes.first().map(|attribute| attribute.full_name.clone()).unwrap_or_default(),
                is_python: node.attributes.first().is_some_and(|attribute| attribute.name == "py_state"),
                has_registered_saver: node.registered_saver.is_some(),
                ..Object::default()
            }
        };
        let mut objects = Self { nodes: graph.nodes().iter().map(object).collect() };
        objects.find_paths();
        objects
    }

    /// The objects that `tf.saved_model.load` makes.
    pub(super) fn of_saved_model(saved: &SavedObjects) -> Self {
        let len = saved.nodes.len();
        let resolve = |id: i32| usize::try_from(id).ok().filter(|id| *id < len);
        let object = |node: &crate::read::graphs::saved_objects::SavedObject| {
            let children =
                node.children.iter().filter_map(|child| Some((child.local_name.clone(), resolve(child.node_id)?)));
            let slots = node.slots.iter().filter_map(|slot| {
                let original = resolve(slot.original_variable_node_id)?;
                Some(Slot { original, name: slot.slot_name.clone(), variable: resolve(slot.slot_variable_node_id)? })
            });
            let state = match &node.variable {
                Some(variable) => vec![State {
                    suffix: "VARIABLE_VALUE".to_owned(),
                    spec: Spec { dtype: Some(variable.dtype), shape: variable.shape.clone() },
                    crc32c: None,
                }],
                None => node
                    .saveables
                    .iter()
                    .map(|name| State {
                        suffix: name.clone(),
                        spec: Spec { dtype: None, shape: Shape::unknown_rank() },
                        crc32c: None,
                    })
                    .collect(),
            };
            let full_name = node.variable.as_ref().map(|variable| variable.name.clone()).unwrap_or_default();
            Object { children: children.collect(), slots: slots.collect(), state, full_name, ..Object::default() }
        };
        let mut objects = Self { nodes: saved.nodes.iter().map(object).collect() };
        objects.find_paths();
        objects
    }

    /// Adds the counter that `tf.train.Checkpoint.restore` makes, unless there is one.
    pub(super) fn with_counter(mut self) -> Self {
        let at = self.nodes.len();
        let Some(root) = self.nodes.first_mut() else { return self };
        if root.by_name.contains_key("save_counter") {
            return self;
        }
        root.children.push(("save_counter".to_owned(), at));
        root.by_name.insert("save_counter".to_owned(), at);
        let spec = Spec { dtype: Some(DType::Int64), shape: Shape::scalar() };
        let state = vec![State { suffix: "VARIABLE_VALUE".to_owned(), spec, crc32c: None }];
        let path = Some("save_counter".to_owned());
        self.nodes.push(Object { state, full_name: "save_counter".to_owned(), path, ..Object::default() });
        self
    }

    /// Whether the root has a counter of saves.
    pub(super) fn has_counter(&self) -> bool {
        self.child(0, "save_counter").is_some()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Object> {
        self.nodes.get(at)
    }

    /// The child of an object with this name.
    pub(super) fn child(&self, at: usize, name: &str) -> Option<usize> {
        self.get(at)?.by_name.get(name).copied()
    }

    /// The variable that an optimizer keeps for another under this name.
    pub(super) fn slot(&self, optimizer: usize, original: usize, name: &str) -> Option<usize> {
        self.get(optimizer)?.by_original.get(&(original, name.to_owned())).copied()
    }

    /// The key of a tensor of an object, as TensorFlow would write it.
    pub(super) fn key(&self, at: usize, suffix: &str) -> Vec<u8> {
        let path = self.get(at).and_then(|object| object.path.as_deref()).unwrap_or("?");
        format!("{path}/{ATTRIBUTES}{suffix}").into_bytes()
    }

    /// Breadth-first paths from the root, then those of slots.
    pub(super) fn find_paths(&mut self) {
        for node in &mut self.nodes {
            // Of several with one name the last counts, as in a dictionary.
            node.by_name = node.children.iter().cloned().collect();
            let slots = node.slots.iter().rev().map(|slot| ((slot.original, slot.name.clone()), slot.variable));
            node.by_original = slots.collect();
        }
        if let Some(root) = self.nodes.first_mut() {
            root.path = Some(String::new());
        }
        let mut queue = VecDeque::from([0]);
        while let Some(at) = queue.pop_front() {
            let Some(object) = self.nodes.get(at) else { continue };
            let path = object.path.clone().unwrap_or_default();
            for (name, child) in object.children.clone() {
                if let Some(node) = self.nodes.get_mut(child)
                    && node.path.is_none()
                {
                    let name = escape_local_name(&name);
                    // A chain of millions of objects must not cost the square of its length.
                    let joined = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
                    node.path = Some(if joined.len() > 4096 { format!("…/node {child}") } else { joined });
                    queue.push_back(child);
                }
            }
        }
        let slots: Vec<(usize, Slot)> = self
            .nodes
            .iter()
            .enumerate()
            .flat_map(|(at, node)| node.slots.iter().map(move |slot| (at, slot.clone())))
            .collect();
        for (optimizer, slot) in slots {
            let path = |at: usize| self.get(at).and_then(|object| object.path.clone());
            if let (Some(original), Some(optimizer)) = (path(slot.original), path(optimizer)) {
                let path = format!("{original}{SLOTS}{optimizer}/{}", escape_local_name(&slot.name));
                if let Some(node) = self.nodes.get_mut(slot.variable)
                    && node.path.is_none()
                {
                    node.path = Some(path);
                }
            }
        }
    }
}

/// The graph that the keys of a checkpoint suggest: a tree. Objects that are shared appear once, and what lies only
/// behind another path is not known.
pub(super) fn graph_of_keys<'k>(keys: impl Iterator<Item = &'k [u8]>) -> ObjectGraph {
    let mut nodes = vec![Node::default()];
    let mut by_path: BTreeMap<String, usize> = BTreeMap::from([(String::new(), 0)]);
    let mut slots = Vec::new();
    for key in keys {
        let Ok(key) = std::str::from_utf8(key) else { continue };
        let Some((path, suffix)) = key.split_once(ATTRIBUTES) else { continue };
        let path = path.trim_end_matches('/');
        // Deeper than any program nests its objects; every level costs as much as its path is long.
        if path.bytes().filter(|byte| *byte == b'/').count() > 256 {
            continue;
        }
        let at = match path.split_once(SLOTS) {
            Some((original, rest)) => {
                let (optimizer, slot) = rest.rsplit_once('/').unwrap_or(("", rest));
                nodes.push(Node::default());
                let at = nodes.len().saturating_sub(1);
                slots.push((original.to_owned(), optimizer.to_owned(), slot.to_owned(), at));
                at
            }
            None => node_at(&mut nodes, &mut by_path, path),
        };
        if let Some(node) = nodes.get_mut(at) {
            let checkpoint_key = key.to_owned();
            node.attributes.push(Attribute { name: suffix.to_owned(), full_name: String::new(), checkpoint_key });
        }
    }
    for (original, optimizer, slot, at) in slots {
        let original = node_at(&mut nodes, &mut by_path, &original);
        let optimizer = node_at(&mut nodes, &mut by_path, &optimizer);
        let id = |at: usize| i32::try_from(at).unwrap_or(-1);
        if let Some(node) = nodes.get_mut(optimizer) {
            node.slot_variables.push(SlotVariable {
                original_variable_node_id: id(original),
                slot_name: unescape_local_name(&slot).into_owned(),
                slot_variable_node_id: id(at),
            });
        }
    }
    ObjectGraph::new(nodes)
}

fn node_at(nodes: &mut Vec<Node>, by_path: &mut BTreeMap<String, usize>, path: &str) -> usize {
    if let Some(at) = by_path.get(path) {
        return *at;
    }
    // From the root down, so that a hostile path of many parts costs no stack.
    let (mut at, mut end) = (0, 0);
    while end < path.len() {
        let rest = path.get(end..).unwrap_or_default();
        let part = rest.split('/').find(|_| true).unwrap_or_default();
        let next = end.saturating_add(part.len());
        let here = path.get(..next).unwrap_or(path);
        at = if let Some(known) = by_path.get(here) {
            *known
        } else {
            let new = nodes.len();
            nodes.push(Node::default());
            let local_name = unescape_local_name(part).into_owned();
            if let (Some(parent), Ok(node_id)) = (nodes.get_mut(at), i32::try_from(new)) {
                parent.children.push(Child { node_id, local_name });
            }
            by_path.insert(here.to_owned(), new);
            new
        };
        end = next.saturating_add(1);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_make_a_tree_with_slots() {
        let keys: [&[u8]; 4] = [
            b"model/a.Sb/w/.ATTRIBUTES/VARIABLE_VALUE",
            b"model/a.Sb/w/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE",
            b"/.ATTRIBUTES/VARIABLE_VALUE",
            b"not a key",
        ];
        let graph = graph_of_keys(keys.into_iter());
        let w = graph.node_for_key(keys[0]).unwrap();
        assert_eq!(graph.path_of(w).unwrap(), ["model", "a/b", "w"]);
        assert_eq!(graph.node_for_key(keys[2]), Some(0));
        let slots: Vec<_> = graph.slots().map(|slot| (slot.name, slot.original)).collect();
        assert_eq!(slots, [("m", w)]);
        assert!(graph.problems().is_empty(), "{:?}", graph.problems());
    }
}
