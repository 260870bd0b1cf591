//! The walk through checkpoint and program, side by side from their roots: what is bound to what, and what is then read.
//!
//! TensorFlow: `CheckpointPosition._restore_descendants` and what it calls in `python/checkpoint/restore.py`. Slot
//! variables are matched through optimizer and variable, whichever of the two is met last.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Raise;
use super::model::ModelKind;
use super::objects::{ATTRIBUTES, Objects, State};
use super::stored::Stored;
use crate::read::graphs::object_graph::{Node, ObjectGraph};

/// What a node of the checkpoint is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Object(usize),
    /// A slot variable that the optimizer makes for it.
    Created,
}

/// One tensor that is read.
pub(super) struct Request {
    pub(super) key: Vec<u8>,
    /// The object and its state; `None` for a slot that is made for the value.
    pub(super) wants: Option<(usize, State)>,
}

/// A slot whose optimizer has not been met yet.
struct Deferred {
    original: usize,
    slot: usize,
    name: String,
}

/// Where the walk is, and what has come of it.
pub(super) struct Walk<'w> {
    pub(super) graph: &'w ObjectGraph,
    pub(super) objects: &'w Objects,
    pub(super) stored: &'w Stored,
    kind: &'w ModelKind,
    pub(super) bound: Vec<Option<Bound>>,
    /// Objects that have been restored: a second node cannot give them another value.
    restored: BTreeSet<usize>,
    pub(super) requests: Vec<Request>,
    queue: VecDeque<(usize, Bound)>,
    /// Slots by the variable that they belong to: optimizer, slot, name.
    pub(super) waiting: BTreeMap<usize, Vec<(usize, usize, String)>>,
    deferred: BTreeMap<usize, Vec<Deferred>>,
    /// Nodes whose attributes nothing takes.
    pub(super) unused: BTreeSet<usize>,
    /// Objects that are bound to a node without values.
    pub(super) unrestored: BTreeSet<usize>,
    /// Nodes whose object already had its value from another.
    pub(super) shadowed: BTreeSet<usize>,
    pub(super) raise: Option<Raise>,
}

/// A node's attributes that count.
pub(super) fn counts(node: &Node, excluded: &BTreeSet<Vec<u8>>) -> bool {
    node.attributes.iter().any(|attribute| !excluded.contains(attribute.checkpoint_key.as_bytes()))
}

impl<'w> Walk<'w> {
    pub(super) fn new(graph: &'w ObjectGraph, objects: &'w Objects, stored: &'w Stored, kind: &'w ModelKind) -> Self {
        Self {
            graph,
            objects,
            stored,
            kind,
            bound: vec![None; graph.nodes().len()],
            restored: BTreeSet::new(),
            requests: Vec::new(),
            queue: VecDeque::new(),
            waiting: BTreeMap::new(),
            deferred: BTreeMap::new(),
            unused: BTreeSet::new(),
            unrestored: BTreeSet::new(),
            shadowed: BTreeSet::new(),
            raise: None,
        }
    }

    pub(super) fn run(&mut self) {
        for slot in self.graph.slots() {
            let slots = self.waiting.entry(slot.original).or_default();
            slots.push((slot.optimizer, slot.variable, slot.name.to_owned()));
        }
        self.bind(0, Bound::Object(0));
        while let Some((node, bound)) = self.queue.pop_front() {
            match bound {
                Bound::Object(object) => self.visit(node, object),
                Bound::Created => self.request_created(node),
            }
        }
    }

    fn bind(&mut self, node: usize, to: Bound) {
        if let Some(bound @ None) = self.bound.get_mut(node) {
            *bound = Some(to);
            self.queue.push_back((node, to));
        }
    }

    fn visit(&mut self, at: usize, object: usize) {
        let (graph, objects) = (self.graph, self.objects);
        let Some(node) = graph.nodes().get(at) else { return };
        if self.restored.insert(object) {
            self.gather(at, node, object);
        } else if counts(node, &self.stored.excluded) {
            self.shadowed.insert(at);
        }
        for child in &node.children {
            let Some(id) = graph.resolve(child.node_id) else { continue };
            let is_bound = self.bound.get(id).is_some_and(Option::is_some);
            if let Some(local) = objects.child(object, &child.local_name).filter(|_| !is_bound) {
                self.bind(id, Bound::Object(local));
            }
        }
        for Deferred { original, slot, name } in self.deferred.remove(&at).unwrap_or_default() {
            self.restore_slot(object, original, slot, &name);
        }
        for (optimizer, slot, name) in self.waiting.remove(&at).unwrap_or_default() {
            match self.bound.get(optimizer).copied().flatten() {
                None => self.deferred.entry(optimizer).or_default().push(Deferred { original: object, slot, name }),
                Some(Bound::Object(optimizer)) => self.restore_slot(optimizer, object, slot, &name),
                Some(Bound::Created) => {}
            }
        }
    }

    fn restore_slot(&mut self, optimizer: usize, original: usize, slot: usize, name: &str) {
        let Some(object) = self.objects.get(optimizer) else { return };
        let has = |child: &str| self.objects.child(optimizer, child).is_some();
        // Keras' optimizers since 2.11 keep a list instead of slots. Those of Keras 3 let such a checkpoint pass.
        if has("_variables") && has("_iterations") {
            if *self.kind == ModelKind::Program && !has("_trainable_variables") {
                let message = "You are trying to restore a checkpoint from a legacy TF-Keras optimizer into a v2.11+ Optimizer, \
                               which can cause errors.";
                self.raise.get_or_insert(Raise { class: "ValueError", message: message.to_owned() });
            }
            return;
        }
        if let Some(known) = self.objects.slot(optimizer, original, name) {
            self.bind(slot, Bound::Object(known));
            return;
        }
        // Only optimizers make slots: an object that stands in for one passes them over.
        if object.slots.is_empty() && !(has("iter") && (has("learning_rate") || has("decay"))) {
            return;
        }
        let Some(node) = self.graph.nodes().get(slot) else { return };
        if let [attribute] = node.attributes.as_slice()
            && attribute.name == "VARIABLE_VALUE"
            && node.children.is_empty()
        {
            let found = self.stored.get(attribute.checkpoint_key.as_bytes()).map(|entry| entry.tensor.dtype);
            let wanted = self.objects.get(original).and_then(|object| object.state.first()?.spec.dtype);
            if let (Some(found), Some(wanted)) = (found, wanted)
                && found != wanted
            {
                let message =
                    format!("initial_value: Tensor conversion requested dtype {wanted} for Tensor with dtype {found}");
                self.raise.get_or_insert(Raise { class: "ValueError", message });
            }
            self.bind(slot, Bound::Created);
        }
    }

    fn request_created(&mut self, at: usize) {
        let Some(attribute) = self.graph.nodes().get(at).and_then(|node| node.attributes.first()) else { return };
        self.requests.push(Request { key: attribute.checkpoint_key.clone().into_bytes(), wants: None });
    }

    /// The tensors of what a SavedModel saves by functions of its own, as tables are: which there are, only the
    /// functions say, and their keys go on from that of the whole.
    fn parts_of(&self, state: &State, key: &[u8]) -> Vec<(String, Vec<u8>)> {
        if state.spec.dtype.is_some() || self.stored.get(key).is_some() {
            return Vec::new();
        }
        let below = self.stored.entries.range(key.to_vec()..).take_while(|(name, _)| name.starts_with(key));
        let ends = below.filter_map(|(name, _)| Some((name.get(key.len()..)?, name)));
        let ends = ends.filter(|(end, _)| end.first() == Some(&b'-') && !end.contains(&b'/'));
        ends.filter_map(|(end, name)| Some((std::str::from_utf8(end).ok()?.to_owned(), name.clone()))).collect()
    }

    /// What of a node's values an object asks for.
    fn gather(&mut self, at: usize, node: &Node, object: usize) {
        let Some(wanting) = self.objects.get(object) else { return };
        let saver = node.registered_saver.as_ref().is_some_and(|saver| !saver.name.is_empty());
        if saver || wanting.has_registered_saver {
            return;
        }
        let Some(first) = node.attributes.first() else {
            if !wanting.state.is_empty() {
                self.unrestored.insert(object);
            }
            return;
        };
        if !counts(node, &self.stored.excluded) {
            return;
        }
        if wanting.state.is_empty() {
            self.unused.insert(at);
            return;
        }
        let key = &first.checkpoint_key;
        let prefix = key.find(ATTRIBUTES).and_then(|found| key.get(..found.saturating_add(ATTRIBUTES.len())));
        for state in &wanting.state {
            let key = match prefix {
                Some(prefix) if !wanting.is_python => format!("{prefix}{}", state.suffix),
                _ => key.clone(),
            };
            let parts = self.parts_of(state, key.as_bytes());
            if parts.is_empty() {
                self.requests.push(Request { key: key.into_bytes(), wants: Some((object, state.clone())) });
            }
            for (end, key) in parts {
                let state = State { suffix: format!("{}{end}", state.suffix), ..state.clone() };
                self.requests.push(Request { key, wants: Some((object, state)) });
            }
        }
    }
}
