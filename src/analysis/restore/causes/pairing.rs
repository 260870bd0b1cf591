//! Which child of an object of the checkpoint is which child of an object of the program: by name, by number in a list,
//! else by what lies below.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::Spec;
use super::super::objects::Objects;
use super::super::rules::compatible;
use super::super::stored::Stored;
use crate::read::graphs::object_graph::ObjectGraph;

/// How many objects below a child are compared. Names that differ show long before.
const BELOW: usize = 2000;
/// How many children without a partner are compared with each other, and how many numbers of a list.
const CHILDREN: usize = 200;

/// Two children that are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) stored_name: String,
    pub(super) node: usize,
    pub(super) wanted_name: String,
    pub(super) wanted: usize,
    /// Whether they are elements of a list with other numbers.
    pub(super) is_number: bool,
    /// Whether nothing else could be meant.
    pub(super) certain: bool,
}

/// What has a value below an object, by its path from there.
type Values = BTreeMap<String, Spec>;

pub(super) fn pairs(graph: &ObjectGraph, objects: &Objects, stored: &Stored, node: usize, object: usize) -> Vec<Pair> {
    let Some((from, to)) = graph.nodes().get(node).zip(objects.get(object)) else { return Vec::new() };
    let from: BTreeMap<&str, usize> = from
        .children
        .iter()
        .filter_map(|child| Some((child.local_name.as_str(), graph.resolve(child.node_id)?)))
        .collect();
    let to: BTreeMap<&str, usize> = to.children.iter().map(|(name, at)| (name.as_str(), *at)).collect();
    let mut found = Vec::new();
    let (mut from_left, mut to_left) = (from.clone(), to.clone());
    for (kind, (stored_names, wanted_names)) in lists(&from, &to) {
        let Some(aligned) = aligned(graph, objects, stored, &from, &to, &stored_names, &wanted_names) else { continue };
        for (stored_name, wanted_name, certain) in aligned {
            let (Some(node), Some(wanted)) = (from.get(stored_name), to.get(wanted_name)) else { continue };
            from_left.remove(stored_name);
            to_left.remove(wanted_name);
            let (stored_name, wanted_name) = (stored_name.to_owned(), wanted_name.to_owned());
            found.push(Pair { stored_name, node: *node, wanted_name, wanted: *wanted, is_number: true, certain });
        }
        // What the alignment leaves over has no partner.
        from_left.retain(|name, _| counted(name).is_none_or(|(other, _)| other != kind));
        to_left.retain(|name, _| counted(name).is_none_or(|(other, _)| other != kind));
    }
    let same: Vec<&str> = from_left.keys().filter(|name| to_left.contains_key(*name)).copied().collect();
    for name in same {
        if let (Some(node), Some(wanted)) = (from_left.remove(name), to_left.remove(name)) {
            let (stored_name, wanted_name) = (name.to_owned(), name.to_owned());
            found.push(Pair { stored_name, node, wanted_name, wanted, is_number: false, certain: true });
        }
    }
    found.extend(renamed(graph, objects, stored, &from_left, &to_left));
    found
}

/// Children whose names differ, by what they have in common below.
fn renamed(
    graph: &ObjectGraph,
    objects: &Objects,
    stored: &Stored,
    from: &BTreeMap<&str, usize>,
    to: &BTreeMap<&str, usize>,
) -> Vec<Pair> {
    let is_counter = |name: &str| name == "save_counter";
    let from: Vec<(&str, usize)> = from.iter().map(|(name, at)| (*name, *at)).filter(|(n, _)| !is_counter(n)).collect();
    let to: Vec<(&str, usize)> = to.iter().map(|(name, at)| (*name, *at)).filter(|(n, _)| !is_counter(n)).collect();
    if from.is_empty() || to.is_empty() || from.len() > CHILDREN || to.len() > CHILDREN {
        return Vec::new();
    }
    let stored_values: Vec<Values> = from.iter().map(|(_, at)| stored_below(graph, stored, *at)).collect();
    let wanted_values: Vec<Values> = to.iter().map(|(_, at)| wanted_below(objects, *at)).collect();
    let mut scores = Vec::new();
    for (w, wanted) in wanted_values.iter().enumerate().filter(|(_, wanted)| !wanted.is_empty()) {
        for (s, have) in stored_values.iter().enumerate() {
            let common = wanted.iter().filter(|(path, spec)| have.get(*path).is_some_and(|have| takes(spec, have)));
            let common = common.count();
            // Half of what is wanted has its place there.
            if common > 0 && common.saturating_mul(2) >= wanted.len() {
                scores.push((common, s, w));
            }
        }
    }
    scores.sort_by_key(|(common, s, w)| (std::cmp::Reverse(*common), *s, *w));
    let (mut used_s, mut used_w, mut found) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (common, s, w) in &scores {
        if used_s.contains(s) || used_w.contains(w) {
            continue;
        }
        used_s.insert(*s);
        used_w.insert(*w);
        let others = scores.iter().filter(|(n, a, b)| n == common && (a == s) != (b == w)).count();
        let (Some((stored_name, node)), Some((wanted_name, wanted))) = (from.get(*s), to.get(*w)) else { continue };
        found.push(Pair {
            stored_name: (*stored_name).to_owned(),
            node: *node,
            wanted_name: (*wanted_name).to_owned(),
            wanted: *wanted,
            is_number: false,
            certain: others == 0,
        });
    }
    found
}

/// An object that stands between two on one side only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Between {
    /// The checkpoint has it: its name and node.
    Stored(String, usize),
    /// The program has it: its name and object.
    Wanted(String, usize),
}

/// The one child of a node that has all values that an object wants, or the one child of the object that finds all of
/// its values at the node.
pub(super) fn between(
    graph: &ObjectGraph,
    objects: &Objects,
    stored: &Stored,
    node: usize,
    object: usize,
) -> Option<Between> {
    let (from, to) = graph.nodes().get(node).zip(objects.get(object))?;
    if from.children.len() > CHILDREN || to.children.len() > CHILDREN {
        return None;
    }
    let has_all = |want: &Values, have: &Values| {
        !want.is_empty() && want.iter().all(|(path, spec)| have.get(path).is_some_and(|have| takes(spec, have)))
    };
    let want = wanted_below(objects, object);
    let nodes = from.children.iter().filter_map(|child| Some((&child.local_name, graph.resolve(child.node_id)?)));
    let nodes: Vec<_> = nodes.filter(|(_, at)| has_all(&want, &stored_below(graph, stored, *at))).take(2).collect();
    if let [(name, at)] = nodes.as_slice() {
        return Some(Between::Stored((*name).clone(), *at));
    }
    let have = stored_below(graph, stored, node);
    let inner: Vec<_> =
        to.children.iter().filter(|(_, at)| has_all(&wanted_below(objects, *at), &have)).take(2).collect();
    match inner.as_slice() {
        [(name, at)] if nodes.is_empty() => Some(Between::Wanted(name.clone(), *at)),
        _ => None,
    }
}

/// A name without the number at its end, and the number.
fn counted(name: &str) -> Option<(&str, u64)> {
    let front = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.get(front.len()..)?.parse().ok()?;
    Some((front, number))
}

/// Children that only a number tells apart, in its order, on both sides.
fn lists<'n>(
    from: &BTreeMap<&'n str, usize>,
    to: &BTreeMap<&'n str, usize>,
) -> BTreeMap<&'n str, (Vec<&'n str>, Vec<&'n str>)> {
    let mut lists: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for name in from.keys() {
        if let Some((kind, _)) = counted(name) {
            lists.entry(kind).or_default().0.push(name);
        }
    }
    for name in to.keys() {
        if let Some((kind, _)) = counted(name) {
            lists.entry(kind).or_default().1.push(name);
        }
    }
    for (stored, wanted) in lists.values_mut() {
        stored.sort_by_key(|name| counted(name).map(|(_, number)| number));
        wanted.sort_by_key(|name| counted(name).map(|(_, number)| number));
    }
    lists
        .retain(|_, (stored, wanted)| (1..=CHILDREN).contains(&stored.len()) && (1..=CHILDREN).contains(&wanted.len()));
    lists
}

/// Elements of lists that are each other's, in order, if more fit so than by their numbers.
fn aligned<'n>(
    graph: &ObjectGraph,
    objects: &Objects,
    stored: &Stored,
    from: &BTreeMap<&'n str, usize>,
    to: &BTreeMap<&'n str, usize>,
    stored_names: &[&'n str],
    wanted_names: &[&'n str],
) -> Option<Vec<(&'n str, &'n str, bool)>> {
    let have: Vec<Values> = stored_names
        .iter()
        .map(|n| from.get(n).map_or_else(Values::new, |at| stored_below(graph, stored, *at)))
        .collect();
    let want: Vec<Values> =
        wanted_names.iter().map(|n| to.get(n).map_or_else(Values::new, |at| wanted_below(objects, *at))).collect();
    let both = |w: usize, s: usize| match (want.get(w), have.get(s)) {
        (Some(want), Some(have)) => {
            !want.is_empty() && want.iter().all(|(path, spec)| have.get(path).is_some_and(|have| takes(spec, have)))
        }
        _ => false,
    };
    let place = |name: &str| stored_names.iter().position(|other| *other == name);
    let by_name = wanted_names.iter().enumerate().filter(|(w, name)| place(name).is_some_and(|s| both(*w, s))).count();
    if by_name == want.len() {
        return None;
    }
    let pairs = super::order::longest(want.len(), have.len(), both);
    if pairs.len() <= by_name {
        return None;
    }
    let certain = |w: usize| (0..have.len()).filter(|s| both(w, *s)).count() == 1;
    let named = pairs.into_iter().filter_map(|(w, s)| Some((*stored_names.get(s)?, *wanted_names.get(w)?, certain(w))));
    Some(named.collect())
}

fn takes(wanted: &Spec, have: &Spec) -> bool {
    (wanted.dtype.is_none() || wanted.dtype == have.dtype) && compatible(&wanted.shape, &have.shape)
}

fn stored_below(graph: &ObjectGraph, stored: &Stored, from: usize) -> Values {
    let children = |at: usize| -> Vec<(&str, usize)> {
        let children = graph.nodes().get(at).map(|node| node.children.as_slice()).unwrap_or_default();
        children.iter().filter_map(|child| Some((child.local_name.as_str(), graph.resolve(child.node_id)?))).collect()
    };
    let spec = |at: usize| {
        let attribute = graph.nodes().get(at)?.attributes.first()?;
        let unknown = Spec { dtype: None, shape: crate::read::tensor::Shape::unknown_rank() };
        Some(stored.get(attribute.checkpoint_key.as_bytes()).map_or(unknown, super::super::stored::Entry::spec))
    };
    below(from, children, spec)
}

fn wanted_below(objects: &Objects, from: usize) -> Values {
    let children = |at: usize| -> Vec<(&str, usize)> {
        let children = objects.get(at).map(|object| object.children.as_slice()).unwrap_or_default();
        children.iter().map(|(name, at)| (name.as_str(), *at)).collect()
    };
    below(from, children, |at| objects.get(at)?.state.first().map(|state| state.spec.clone()))
}

fn below<'n>(
    from: usize,
    children: impl Fn(usize) -> Vec<(&'n str, usize)>,
    spec: impl Fn(usize) -> Option<Spec>,
) -> Values {
    let (mut found, mut seen) = (Values::new(), BTreeSet::from([from]));
    let mut queue = VecDeque::from([(from, String::new())]);
    while let Some((at, path)) = queue.pop_front() {
        if let Some(spec) = spec(at) {
            found.insert(path.clone(), spec);
        }
        for (name, child) in children(at) {
            if path.len() < 400 && seen.len() < BELOW && seen.insert(child) {
                queue.push_back((child, format!("{path}/{name}")));
            }
        }
    }
    found
}
