//! Objects under the names that a checkpoint has for them: `tf.train.Checkpoint(model=tf.train.Checkpoint(enc=model.encoder))`
//! restores what `tf.train.Checkpoint(model=model)` does not.
//!
//! Checkpoint and program are walked side by side by more than names: what has another name, or another number in a list,
//! is found by the names and shapes of what lies below it. What has another shape is left out, and an optimizer with it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::objects::{Object, Objects};
use super::super::rules::compatible;
use super::super::stored::Stored;
use super::leave_out::python;
use super::pairing::{Between, between, pairs};
use crate::read::graphs::object_graph::ObjectGraph;

/// How many objects are looked at.
const MOST: usize = 20_000;
/// How deep they may lie.
const DEEP: usize = 64;

/// What stands for an object of the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// An object of the program, with the Python that names it.
    Whole(usize, String),
    /// A `tf.train.Checkpoint` of parts.
    Of(Vec<(String, Part)>),
}

/// What came of the walk.
#[derive(Debug, Default)]
pub(super) struct Adapter {
    /// What the root of the checkpoint has.
    pub(super) parts: Vec<(String, Part)>,
    /// Paths that are called otherwise: in the checkpoint, in the program, and whether nothing else could be meant.
    pub(super) renamed: Vec<(String, String, bool)>,
    /// The same of numbers in lists.
    pub(super) shifted: Vec<(String, String, bool)>,
    /// Optimizers that are left out, as Python.
    pub(super) optimizers: Vec<String>,
}

/// Where a walk is.
struct Walk<'w> {
    graph: &'w ObjectGraph,
    objects: &'w Objects,
    stored: &'w Stored,
    /// Pairs that were looked at, and whether all below is restored by its own names.
    seen: BTreeMap<(usize, usize), bool>,
    /// Objects with a value, as far as parts have been made.
    covered: BTreeSet<usize>,
    found: Adapter,
}

/// Parts, the objects with a value in them, and whether all is restored by its own names.
type Made = (Vec<(String, Part)>, BTreeSet<usize>, bool);

/// What a subtree comes to.
struct Below {
    part: Option<Part>,
    /// Whether all of it is restored by its own names.
    plain: bool,
    covers: BTreeSet<usize>,
}

/// Makes it. `root` is what the program's root is called in Python; empty where its parts are variables of the program.
pub(super) fn find(graph: &ObjectGraph, objects: &Objects, stored: &Stored, root: &str) -> Option<Adapter> {
    if graph.nodes().len() > MOST || objects.nodes.len() > MOST {
        return None;
    }
    let (seen, covered, found) = (BTreeMap::new(), BTreeSet::new(), Adapter::default());
    let mut walk = Walk { graph, objects, stored, seen, covered, found };
    walk.seen.insert((0, 0), true);
    walk.found.parts = walk.children(0, 0, root, "", 0).0;
    walk.found.parts.retain(|(name, _)| name != "save_counter");
    (!walk.found.parts.is_empty()).then_some(walk.found)
}

impl Walk<'_> {
    /// `None` if there is nothing of it.
    fn visit(&mut self, node: usize, object: usize, python: &str, path: &str, depth: usize) -> Option<Below> {
        if depth > DEEP {
            return None;
        }
        if let Some(plain) = self.seen.get(&(node, object)).copied() {
            return Some(Below { part: None, plain, covers: BTreeSet::new() });
        }
        // A circle leads to nothing else.
        self.seen.insert((node, object), true);
        let below = self.new_pair(node, object, python, path, depth);
        self.seen.insert((node, object), below.plain);
        Some(below)
    }

    fn new_pair(&mut self, node: usize, object: usize, python: &str, path: &str, depth: usize) -> Below {
        let state = self.state(node, object);
        if state == Some(false) {
            return Below { part: None, plain: false, covers: BTreeSet::new() };
        }
        let before = self.found.renamed.len().saturating_add(self.found.shifted.len());
        let (parts, mut covers, mut plain) = self.children(node, object, python, path, depth);
        plain &= before == self.found.renamed.len().saturating_add(self.found.shifted.len());
        if state == Some(true) {
            covers.insert(object);
        }
        if depth > 0 && !plain && self.objects.get(object).is_some_and(is_optimizer) {
            // A part of its state is worse than none.
            self.found.renamed.truncate(before);
            self.found.optimizers.push(python.to_owned());
            return Below { part: None, plain: false, covers: BTreeSet::new() };
        }
        if covers.is_empty() {
            return Below { part: None, plain, covers };
        }
        let part = if plain || state == Some(true) { Part::Whole(object, python.to_owned()) } else { Part::Of(parts) };
        Below { part: Some(part), plain, covers }
    }

    /// Whether the values of a node fit an object; `None` if one of them has none.
    fn state(&self, node: usize, object: usize) -> Option<bool> {
        let (stored, wanted) = (self.graph.nodes().get(node)?, self.objects.get(object)?);
        let attribute = stored.attributes.first()?;
        if wanted.state.is_empty() {
            return None;
        }
        let prefix = attribute.checkpoint_key.rsplit_once('/').map_or("", |(front, _)| front);
        let fits = wanted.state.iter().all(|state| {
            let key =
                if wanted.is_python { attribute.checkpoint_key.clone() } else { format!("{prefix}/{}", state.suffix) };
            let Some(entry) = self.stored.get(key.as_bytes()) else { return false };
            let dtype = state.spec.dtype.is_none_or(|dtype| dtype == entry.tensor.dtype);
            dtype && (state.suffix.starts_with("table-") || compatible(&state.spec.shape, &entry.tensor.shape))
        });
        Some(fits)
    }

    fn children(&mut self, node: usize, object: usize, python: &str, path: &str, depth: usize) -> Made {
        let mut all = pairs(self.graph, self.objects, self.stored, node, object);
        all.sort_by_key(|pair| rank(&pair.wanted_name, self.objects.get(pair.wanted)));
        let (mut parts, mut covers, mut plain) = (Vec::new(), BTreeSet::new(), true);
        for pair in all {
            let child = child_of(python, &pair.wanted_name);
            let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            let told = (join(&pair.stored_name), join(&pair.wanted_name), pair.certain);
            let before = self.covered.clone();
            let Some(below) =
                self.visit(pair.node, pair.wanted, &child, &join(&pair.stored_name), depth.saturating_add(1))
            else {
                continue;
            };
            let is_same = pair.stored_name == pair.wanted_name;
            plain &= below.plain && (is_same || below.covers.is_empty());
            // Another path to what has a value already adds nothing.
            if below.covers.iter().all(|object| before.contains(object)) {
                continue;
            }
            if !is_same {
                if pair.is_number { &mut self.found.shifted } else { &mut self.found.renamed }.push(told);
            }
            self.covered.extend(&below.covers);
            covers.extend(below.covers);
            parts.extend(below.part.map(|part| (pair.stored_name, part)));
        }
        if covers.is_empty() && depth > 0 {
            return self.one_apart(node, object, python, path, depth).unwrap_or((parts, covers, plain));
        }
        (parts, covers, plain)
    }

    /// Where nothing below two objects meets, one side may have another object between.
    fn one_apart(&mut self, node: usize, object: usize, python: &str, path: &str, depth: usize) -> Option<Made> {
        let found = between(self.graph, self.objects, self.stored, node, object)?;
        let deeper = depth.saturating_add(1);
        match found {
            Between::Stored(name, child) => {
                let inner = format!("{path}/{name}");
                let below = self.visit(child, object, python, &inner, deeper)?;
                let part = below.part?;
                self.found.renamed.push((inner, path.to_owned(), true));
                Some((vec![(name, part)], below.covers, false))
            }
            Between::Wanted(name, child) => {
                let (parts, covers, _) = self.children(node, child, &child_of(python, &name), path, deeper);
                if covers.is_empty() || deeper > DEEP {
                    return None;
                }
                self.found.renamed.push((path.to_owned(), format!("{path}/{name}"), true));
                Some((parts, covers, false))
            }
        }
    }
}

/// In which order children are looked at: what people write before what Keras keeps beside it, optimizers last.
fn rank(name: &str, object: Option<&Object>) -> (u8, bool) {
    let kind = if object.is_some_and(is_optimizer) {
        4
    } else if name.starts_with("layer-") {
        3
    } else {
        u8::from(name.starts_with('_')).saturating_mul(2)
    };
    (kind, name.starts_with("layer_with_weights-"))
}

/// Whether an object is an optimizer, by what it has.
pub(super) fn is_optimizer(object: &Object) -> bool {
    let has = |name: &str| object.children.iter().any(|(child, _)| child == name);
    has("_iterations") || !object.slots.is_empty() || (has("iter") && (has("learning_rate") || has("decay")))
}

/// The Python for a child.
fn child_of(parent: &str, name: &str) -> String {
    let is_name = |name: &str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    let number = |prefix: &str| name.strip_prefix(prefix).filter(|rest| rest.parse::<u32>().is_ok());
    if let Some(n) = number("layer_with_weights-") {
        format!("[l for l in {parent}.layers if l.weights][{n}]")
    } else if let Some(n) = number("layer-") {
        format!("{parent}.layers[{n}]")
    } else if is_name(name) && parent.is_empty() {
        name.to_owned()
    } else if is_name(name) {
        format!("{parent}.{name}")
    } else if name.parse::<u32>().is_ok() {
        format!("{parent}[{name}]")
    } else {
        format!("{parent}[{}]", python(name))
    }
}

/// `tf.train.Checkpoint(…)` of parts.
pub(super) fn expression(parts: &[(String, Part)]) -> String {
    let is_keyword = |name: &str| {
        let plain = child_of("", name) == name && name != "root";
        plain
            && !matches!(name, "class" | "def" | "in" | "is" | "for" | "lambda" | "from" | "import" | "pass" | "global")
    };
    let value = |part: &Part| match part {
        Part::Whole(_, python) => python.clone(),
        Part::Of(parts) => expression(parts),
    };
    let named: Vec<&(String, Part)> = parts.iter().filter(|(name, _)| is_keyword(name)).collect();
    let mut arguments: Vec<String> = named.iter().map(|(name, part)| format!("{name}={}", value(part))).collect();
    let others: Vec<&(String, Part)> = parts.iter().filter(|(name, _)| !is_keyword(name)).collect();
    if let Some(all) = counted(&others) {
        arguments.push(format!("**{{{all}}}"));
    } else if !others.is_empty() {
        let others: Vec<String> =
            others.iter().map(|(name, part)| format!("{}: {}", python(name), value(part))).collect();
        arguments.push(format!("**{{{}}}", others.join(", ")));
    }
    format!("tf.train.Checkpoint({})", arguments.join(", "))
}

/// Many elements of one list, as a comprehension of their numbers.
fn counted(parts: &[&(String, Part)]) -> Option<String> {
    const MANY: usize = 4;
    let mut numbers: BTreeMap<u64, u64> = BTreeMap::new();
    let mut fronts: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (name, part) in parts {
        let Part::Whole(_, python) = part else { return None };
        let (front, number) = python.strip_suffix(']')?.rsplit_once('[')?;
        let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
        numbers.insert(name.get(kind.len()..)?.parse().ok()?, number.parse().ok()?);
        fronts.insert((kind, front));
    }
    let (kind, front) = fronts.first().filter(|_| fronts.len() == 1 && numbers.len() >= MANY)?;
    // What would mean something in the string that is formatted.
    if kind.contains(['\'', '\\', '{', '}']) {
        return None;
    }
    let of: Vec<String> = numbers.values().map(ToString::to_string).collect();
    let pairs = if numbers.keys().copied().eq(0..numbers.len() as u64) {
        format!("enumerate([{}])", of.join(", "))
    } else {
        let pairs: Vec<String> = numbers.iter().map(|(n, k)| format!("({n}, {k})")).collect();
        format!("[{}]", pairs.join(", "))
    };
    Some(format!("f'{kind}{{n}}': {front}[k] for n, k in {pairs}"))
}

/// The objects that such an expression makes, so that its restore can be told too.
pub(super) fn objects(objects: &Objects, parts: &[(String, Part)]) -> Objects {
    let mut nodes = objects.nodes.clone();
    // The root moves to the end: what the program had there may be a part now.
    let old_root = nodes.len();
    let root = nodes.first().cloned().unwrap_or_default();
    nodes.push(root);
    for node in &mut nodes {
        for (_, child) in &mut node.children {
            if *child == 0 {
                *child = old_root;
            }
        }
        node.path = None;
    }
    let mut todo: Vec<(usize, &[(String, Part)])> = vec![(0, parts)];
    while let Some((at, parts)) = todo.pop() {
        let mut children = Vec::new();
        for (name, part) in parts {
            let child = match part {
                Part::Whole(0, _) => old_root,
                Part::Whole(object, _) => *object,
                Part::Of(inner) => {
                    nodes.push(Object::default());
                    let new = nodes.len().saturating_sub(1);
                    todo.push((new, inner));
                    new
                }
            };
            children.push((name.clone(), child));
        }
        if let Some(node) = nodes.get_mut(at) {
            *node = Object::of_children(children);
        }
    }
    let mut made = Objects { nodes };
    made.find_paths();
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_python() {
        let whole = |python: &str| Part::Whole(1, python.to_owned());
        let inner = vec![("0".to_owned(), whole("model.layers[1]")), ("enc".to_owned(), whole("model.encoder"))];
        let parts = vec![("model".to_owned(), Part::Of(inner)), ("in".to_owned(), whole("x"))];
        assert_eq!(
            expression(&parts),
            "tf.train.Checkpoint(model=tf.train.Checkpoint(enc=model.encoder, **{'0': model.layers[1]}), **{'in': x})"
        );
        assert_eq!(child_of("model", "layer_with_weights-1"), "[l for l in model.layers if l.weights][1]");
        assert_eq!(child_of("net", "blocks"), "net.blocks");
        assert_eq!(child_of("net.blocks", "2"), "net.blocks[2]");
        assert_eq!(child_of("net.d", "a/b"), "net.d['a/b']");
    }
}
