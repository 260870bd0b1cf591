//! A restore by objects: checkpoint and program are walked side by side from their roots, by the names of children.
//!
//! TensorFlow: `CheckpointPosition._restore_descendants` and what it calls in `python/checkpoint/restore.py`;
//! the assertions: `CheckpointLoadStatus` in `python/checkpoint/checkpoint.py`. Nothing is matched by shape or by the
//! names of variables. The walk comes first, then everything is read at once, then values are assigned.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::by_name::{compatible, cpp_name, shard_of, unexpected_of};
use super::crossing::{UNKNOWN, first_few};
use super::model::{Model, ModelKind};
use super::objects::{ATTRIBUTES, Objects, State};
use super::roots;
use super::stored::Stored;
use super::{Assertions, Match, Mismatch, Missing, Raise, Restore, RestoreOptions};
use crate::analysis::roles::{Role, Roles};
use crate::checkpoint::object_graph::{Node, ObjectGraph};
use crate::checkpoint::{Checkpoint, Tensor};
use crate::escape::escaped;
use crate::tensor::{DType, Shape};

/// The objects that a program's root leads to, and what of their state counts.
pub(super) struct Reachable {
    /// In the order of TensorFlow's own search, slots last.
    order: Vec<usize>,
    excluded: BTreeSet<Vec<u8>>,
    roles: BTreeMap<Vec<u8>, Role>,
}

impl Reachable {
    pub(super) fn of(objects: &Objects, options: &RestoreOptions, excluded: &BTreeSet<Vec<u8>>) -> Self {
        let mut order = Vec::new();
        let mut seen = vec![false; objects.nodes.len()];
        let mut queue = VecDeque::from([0]);
        while let Some(at) = queue.pop_front() {
            let (Some(seen @ false), Some(node)) = (seen.get_mut(at), objects.get(at)) else { continue };
            *seen = true;
            order.push(at);
            queue.extend(node.children.iter().map(|(_, child)| *child));
        }
        let has = |at: usize| seen.get(at).copied().unwrap_or(false);
        let mut slots: Vec<usize> = Vec::new();
        for at in &order {
            let Some(node) = objects.get(*at) else { continue };
            slots.extend(node.slots.iter().filter(|slot| has(slot.original)).map(|slot| slot.variable));
        }
        let known: BTreeSet<usize> = order.iter().copied().collect();
        let mut added = BTreeSet::new();
        order.extend(slots.into_iter().filter(|at| !known.contains(at) && added.insert(*at)));
        let mut found = Self { order, excluded: BTreeSet::new(), roles: BTreeMap::new() };
        found.judge(objects, options, excluded);
        found
    }

    /// The role of every key, and which keys do not count.
    fn judge(&mut self, objects: &Objects, options: &RestoreOptions, excluded: &BTreeSet<Vec<u8>>) {
        let all = self.order.iter().filter_map(|at| Some((*at, objects.get(*at)?)));
        let tensors = all.flat_map(|(at, object)| {
            object.state.iter().map(move |state| {
                let dtype = state.spec.dtype.unwrap_or(DType::Invalid);
                Tensor::without_values(&objects.key(at, &state.suffix), dtype, state.spec.shape.clone())
            })
        });
        let listed = Checkpoint::of_tensors(std::path::Path::new("model"), tensors.collect());
        let roles = Roles::of(&listed);
        for (at, tensor) in listed.tensors().iter().enumerate() {
            let (tensor, role) = (tensor.clone(), roles.role(at));
            if excluded.contains(tensor.name.as_slice()) || options.excludes(&tensor, role) {
                self.excluded.insert(tensor.name.clone());
            }
            self.roles.insert(tensor.name.clone(), role);
        }
    }

    /// All state that counts.
    pub(super) fn state<'o>(&self, objects: &'o Objects) -> impl Iterator<Item = (usize, &'o State)> {
        let all = self.order.iter().filter_map(|at| Some((*at, objects.get(*at)?)));
        let all = all.flat_map(|(at, object)| object.state.iter().map(move |state| (at, state)));
        all.filter(|(at, state)| !self.excluded.contains(&objects.key(*at, &state.suffix)))
    }

    pub(super) fn role(&self, key: &[u8]) -> Role {
        self.roles.get(key).copied().unwrap_or(UNKNOWN)
    }
}

/// What a node of the checkpoint is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Object(usize),
    /// A slot variable that the optimizer makes for it.
    Created,
}

/// One tensor that is read.
struct Request {
    key: Vec<u8>,
    /// The object and its state; `None` for a slot that is made for the value.
    wants: Option<(usize, State)>,
}

/// A slot whose optimizer has not been met yet.
struct Deferred {
    original: usize,
    slot: usize,
    name: String,
}

struct Walk<'w> {
    graph: &'w ObjectGraph,
    objects: &'w Objects,
    stored: &'w Stored,
    kind: &'w ModelKind,
    bound: Vec<Option<Bound>>,
    /// Objects that have been restored: a second node cannot give them another value.
    restored: BTreeSet<usize>,
    requests: Vec<Request>,
    queue: VecDeque<(usize, Bound)>,
    /// Slots by the variable that they belong to: optimizer, slot, name.
    waiting: BTreeMap<usize, Vec<(usize, usize, String)>>,
    deferred: BTreeMap<usize, Vec<Deferred>>,
    /// Nodes whose attributes nothing takes.
    unused: BTreeSet<usize>,
    /// Objects that are bound to a node without values.
    unrestored: BTreeSet<usize>,
    /// Nodes whose object already had its value from another.
    shadowed: BTreeSet<usize>,
    raise: Option<Raise>,
}

/// A node's attributes that count.
fn counts(node: &Node, excluded: &BTreeSet<Vec<u8>>) -> bool {
    node.attributes.iter().any(|attribute| !excluded.contains(attribute.checkpoint_key.as_bytes()))
}

impl Walk<'_> {
    fn run(&mut self) {
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
            self.requests.push(Request { key: key.into_bytes(), wants: Some((object, state.clone())) });
        }
    }
}

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
    let mut walk = Walk {
        graph,
        objects: &objects,
        stored,
        kind: &model.kind,
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
    };
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
        result.missing.push(Missing { name: key, spec, crc32c, role, candidates: Vec::new() });
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
    if !result.missing.is_empty() {
        result.hints = roots::find(graph, &objects, result.matched.len());
    }
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
            result.missing.push(Missing { name, spec, crc32c: None, role, candidates: Vec::new() });
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
        } else if !compatible(&state.spec.shape, &found.shape) {
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
        result.mismatched.push(Mismatch { name, stored, expected, found, silent: false, role, hint: None });
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

/// A shape as Python prints a tuple.
pub(super) fn python_shape(shape: &Shape) -> String {
    let Some(dims) = shape.dims() else { return "<unknown>".to_owned() };
    let dims: Vec<String> = dims.iter().map(|dim| if *dim < 0 { "None".to_owned() } else { dim.to_string() }).collect();
    match dims.as_slice() {
        [only] => format!("({only},)"),
        many => format!("({})", many.join(", ")),
    }
}
