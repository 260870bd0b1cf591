//! Which tensor of B is which of A.
//!
//! By name first: both listings are sorted, so one walk over both is enough. For what is left, the object graphs: an
//! object of one checkpoint is that of the other to which the same path leads, whatever key its variable was stored
//! under (`trackable/base.py` makes keys of shortest paths, which move when an attribute is added). A name-based
//! checkpoint meets an object-based one in the full names that its graph keeps (`SerializedTensor.full_name`).

use std::borrow::{Borrow, Cow};
use std::collections::{BTreeMap, VecDeque};

use super::by_path::Contradictions;
use super::{DiffOptions, PairedBy};
use crate::analysis::naming::objects::graph_of;
use crate::analysis::naming::rename::Renames;
use crate::analysis::naming::roles::short_name;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::graphs::object_graph::ObjectGraph;

/// Two tensors that belong together, with their positions.
#[derive(Clone, Copy)]
pub(super) struct Pair<'t> {
    pub(super) a: (usize, &'t Tensor),
    pub(super) b: (usize, &'t Tensor),
    pub(super) how: PairedBy,
}

/// Positions of tensors without a partner, by name.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    pub(super) a: Vec<usize>,
    pub(super) b: Vec<usize>,
}

/// Pairs tensors of one name, after the user's renames.
///
/// # Errors
/// If the renames make two names of A one.
pub(super) fn by_names(
    a: &Checkpoint,
    b: &Checkpoint,
    map: &Renames,
    others: &Contradictions,
    each: &mut dyn FnMut(Pair<'_>),
) -> Result<Leftovers> {
    if map.is_empty() {
        return Ok(join(a.tensors().iter(), b.tensors().iter(), others, each));
    }
    let mut names: Vec<(Box<[u8]>, usize, bool)> = Vec::new();
    for (at, tensor) in a.tensors().iter().enumerate() {
        let (name, renamed) = rename(name_of(&tensor), map);
        names.push((name.into(), at, renamed));
    }
    names.sort();
    for (x, y) in names.iter().zip(names.iter().skip(1)) {
        if x.0 == y.0 && (x.2 || y.2) {
            let of = |at| a.tensor_at(at).map(|t| escaped(&t.name).into_owned()).unwrap_or_default();
            let why = format!("--map gives {} and {} of A one name: {}", of(x.1), of(y.1), escaped(&x.0));
            return Err(Error::new(ErrorKind::Request(why)).with_help("^ and $ say where a name begins and ends"));
        }
    }
    let mut left = Leftovers::default();
    let mut renamed = BTreeMap::new();
    let mut b_tensors = b.tensors().iter().enumerate().peekable();
    for (name, at, is_renamed) in names {
        while let Some((at, _)) = b_tensors.next_if(|(_, tensor)| name_of(tensor) < &*name) {
            left.b.push(at);
        }
        let Some((b_at, _)) = b_tensors.next_if(|(_, tensor)| name_of(tensor) == &*name) else {
            if is_renamed {
                renamed.insert(Box::from(short_name(&name)), at);
            } else {
                left.a.push(at);
            }
            continue;
        };
        let how = if is_renamed { PairedBy::Map } else { PairedBy::Name };
        if let (Some(x), Some(y)) = (a.tensor_at(at), b.tensor_at(b_at)) {
            each(Pair { a: (at, &x), b: (b_at, &y), how });
        }
    }
    left.b.extend(b_tensors.map(|(at, _)| at));
    // A new name need not have the suffix that variables of an object-based checkpoint have.
    left.b.retain(|b_at| {
        let Some(other) = b.tensor_at(*b_at) else { return true };
        let Some(at) = renamed.remove::<[u8]>(short_name(&other.name)) else { return true };
        if let Some(tensor) = a.tensor_at(at) {
            each(Pair { a: (at, &tensor), b: (*b_at, &other), how: PairedBy::Map });
        }
        false
    });
    left.a.extend(renamed.into_values());
    left.a.sort_unstable();
    Ok(left)
}

/// A name of A as the user wants it in B. The suffix of variables is neither shown to the rules nor lost.
fn rename<'n>(name: &'n [u8], map: &Renames) -> (Cow<'n, [u8]>, bool) {
    let short = short_name(name);
    match map.apply(short) {
        Cow::Owned(mut new) if new != short => {
            // A key of B as a map has it is whole.
            if short_name(&new).len() == new.len() {
                new.extend_from_slice(name.get(short.len()..).unwrap_or_default());
            }
            (Cow::Owned(new), true)
        }
        _ => (Cow::Borrowed(name), false),
    }
}

fn name_of(tensor: &impl Borrow<Tensor>) -> &[u8] {
    &tensor.borrow().name
}

/// Walks two sorted listings side by side.
fn join<T: Borrow<Tensor>>(
    a: impl Iterator<Item = T>,
    b: impl Iterator<Item = T>,
    others: &Contradictions,
    each: &mut dyn FnMut(Pair<'_>),
) -> Leftovers {
    let mut left = Leftovers::default();
    let mut b = b.enumerate().peekable();
    for (at, tensor) in a.enumerate() {
        let name = name_of(&tensor);
        while let Some((at, _)) = b.next_if(|(_, other)| name_of(other) < name) {
            left.b.push(at);
        }
        match b.next_if(|(_, other)| name_of(other) == name) {
            Some((b_at, _)) if others.has(at) => {
                left.a.push(at);
                left.b.push(b_at);
            }
            Some((b_at, other)) => {
                each(Pair { a: (at, tensor.borrow()), b: (b_at, other.borrow()), how: PairedBy::Name });
            }
            None => left.a.push(at),
        }
    }
    left.b.extend(b.map(|(at, _)| at));
    left
}

/// Pairs what is left through the object graphs, if there are any.
pub(super) fn by_graphs(
    a: &Checkpoint,
    b: &Checkpoint,
    left: Leftovers,
    (options, others): (&DiffOptions, &Contradictions),
    each: &mut dyn FnMut(Pair<'_>),
    note: &mut dyn FnMut(String),
) -> Leftovers {
    if left.a.is_empty() || left.b.is_empty() || options.by_name_only {
        return left;
    }
    let mut graph = |checkpoint: &Checkpoint, side: super::Side| match graph_of(checkpoint).transpose() {
        Ok(graph) => graph,
        Err(error) => {
            note(format!("the object graph of {} could not be used for pairing: {error}", side.name()));
            None
        }
    };
    let graphs = (graph(a, super::Side::A), graph(b, super::Side::B));
    let (matches, how) = match &graphs {
        (Some(x), Some(y)) => (through_graphs(a, &left.a, x, y), PairedBy::Graph),
        (Some(x), None) if !b.is_object_based() => (full_names(a, &left.a, x), PairedBy::FullName),
        (None, Some(y)) if !a.is_object_based() => {
            // The other way round: names of A are looked for among the full names of B.
            let theirs: BTreeMap<Box<[u8]>, usize> =
                full_names(b, &left.b, y).into_iter().map(|(at, name)| (name, at)).collect();
            let keys = left.a.iter().filter_map(|at| {
                let found = theirs.get::<[u8]>(&a.tensor_at(*at)?.name)?;
                Some((*at, Box::from(&*b.tensor_at(*found)?.name)))
            });
            (keys.collect(), PairedBy::FullName)
        }
        _ => return left,
    };
    let mut keys: BTreeMap<Box<[u8]>, usize> =
        left.b.iter().filter_map(|at| Some((Box::from(&*b.tensor_at(*at)?.name), *at))).collect();
    let mut rest = Leftovers::default();
    let mut matches = matches.into_iter().peekable();
    for at in left.a {
        let key = matches.next_if(|(matched, _)| *matched == at).map(|(_, key)| key);
        let is_other = |key: &[u8]| others.has(at) && a.tensor_at(at).is_some_and(|tensor| *tensor.name == *key);
        match key.filter(|key| !is_other(key)).and_then(|key| keys.remove(&key)) {
            Some(b_at) => {
                if let (Some(x), Some(y)) = (a.tensor_at(at), b.tensor_at(b_at)) {
                    each(Pair { a: (at, &x), b: (b_at, &y), how });
                }
            }
            None => rest.a.push(at),
        }
    }
    rest.b = keys.into_values().collect();
    rest.b.sort_unstable();
    rest
}

/// For tensors of A, the keys of the same variables in B. In the order of `left`.
fn through_graphs(a: &Checkpoint, left: &[usize], x: &ObjectGraph, y: &ObjectGraph) -> Vec<(usize, Box<[u8]>)> {
    let partner = partners(x, y);
    let mut keys = BTreeMap::new();
    for variable in y.variables() {
        keys.entry((variable.node, variable.attribute.name.as_str())).or_insert(&variable.attribute.checkpoint_key);
    }
    let key = |at: &usize| {
        let tensor = a.tensor_at(*at)?;
        let variable = x.variable_for_key(&tensor.name)?;
        let node = partner.get(variable.node).copied().flatten()?;
        let key = keys.get(&(node, variable.attribute.name.as_str()))?;
        // Hash tables and iterators store under longer keys than their attribute has.
        let rest = tensor.name.get(variable.attribute.checkpoint_key.len()..)?;
        Some((*at, [key.as_bytes(), rest].concat().into()))
    };
    left.iter().filter_map(key).collect()
}

/// For every object of A the one of B to which the same path leads; the shortest path decides, as in a restore.
fn partners(x: &ObjectGraph, y: &ObjectGraph) -> Vec<Option<usize>> {
    let mut partner: Vec<Option<usize>> = vec![None; x.nodes().len()];
    let mut taken = vec![false; y.nodes().len()];
    let mut queue = VecDeque::new();
    let mut bind = |node: usize, other: usize, queue: &mut VecDeque<(usize, usize)>| {
        if let (Some(partner @ None), Some(taken @ false)) = (partner.get_mut(node), taken.get_mut(other)) {
            (*partner, *taken) = (Some(other), true);
            queue.push_back((node, other));
        }
    };
    bind(0, 0, &mut queue);
    let mut optimizers = Vec::new();
    while let Some((node, other)) = queue.pop_front() {
        let (Some(here), Some(there)) = (x.nodes().get(node), y.nodes().get(other)) else { continue };
        let mut names = BTreeMap::new();
        for child in &there.children {
            names.entry(child.local_name.as_str()).or_insert(child.node_id);
        }
        for child in &here.children {
            let found = names.get(child.local_name.as_str()).and_then(|id| y.resolve(*id));
            if let (Some(child), Some(found)) = (x.resolve(child.node_id), found) {
                bind(child, found, &mut queue);
            }
        }
        if !here.slot_variables.is_empty() {
            optimizers.push((node, other));
        }
    }
    let partner_of: BTreeMap<usize, usize> = optimizers.into_iter().collect();
    let theirs: BTreeMap<(usize, usize, &str), usize> =
        y.slots().map(|slot| ((slot.optimizer, slot.original, slot.name), slot.variable)).collect();
    let slots: Vec<(usize, usize)> = x
        .slots()
        .filter_map(|slot| {
            let optimizer = *partner_of.get(&slot.optimizer)?;
            let original = partner.get(slot.original).copied().flatten()?;
            Some((slot.variable, *theirs.get(&(optimizer, original, slot.name))?))
        })
        .collect();
    for (node, other) in slots {
        if let (Some(partner @ None), Some(taken @ false)) = (partner.get_mut(node), taken.get_mut(other)) {
            (*partner, *taken) = (Some(other), true);
        }
    }
    partner
}

/// The full names of variables, those left out that several have. In the order of `left`.
fn full_names(checkpoint: &Checkpoint, left: &[usize], graph: &ObjectGraph) -> Vec<(usize, Box<[u8]>)> {
    let full_name = |at: &usize| {
        let tensor = checkpoint.tensor_at(*at)?;
        let attribute = graph.variable_for_key(&tensor.name)?.attribute;
        let is_value = attribute.checkpoint_key.as_bytes() == &*tensor.name && !attribute.full_name.is_empty();
        is_value.then(|| (*at, Box::from(attribute.full_name.as_bytes())))
    };
    let mut names: Vec<(usize, Box<[u8]>)> = left.iter().filter_map(full_name).collect();
    let mut times: BTreeMap<Box<[u8]>, usize> = BTreeMap::new();
    for (_, name) in &names {
        *times.entry(name.clone()).or_default() += 1;
    }
    names.retain(|(_, name)| times.get(name) == Some(&1));
    names
}
