//! What a program's root leads to, and what of its state counts.
//!
//! TensorFlow: objects in the order of `_breadth_first_traversal` in `python/checkpoint/graph_view.py`, slot variables
//! behind them. What the user leaves out by a selector, by key or by role, counts for nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::RestoreOptions;
use super::objects::{Objects, State};
use super::prediction::UNKNOWN;
use crate::analysis::naming::roles::{Role, Roles};
use crate::read::checkpoint::{Tensor, Tensors};
use crate::read::tensor::DType;

/// The objects that a program's root leads to, and what of their state counts.
pub(super) struct Reachable {
    /// In the order of TensorFlow's own search, slots last.
    order: Vec<usize>,
    pub(super) excluded: BTreeSet<Vec<u8>>,
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
        let listed: Tensors = tensors.collect();
        let roles = Roles::of_names(&listed);
        for (at, tensor) in listed.iter().enumerate() {
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
