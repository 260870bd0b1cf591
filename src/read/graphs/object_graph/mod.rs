//! The object graph of a `tf.train.Checkpoint`: which Python objects were saved, and under which keys their state is.
//!
//! TensorFlow: `core/protobuf/trackable_object_graph.proto`, written by `python/checkpoint/save_util.py` under the
//! tensor name `_CHECKPOINTABLE_OBJECT_GRAPH`. It is a graph, not a tree: objects are shared and may form cycles. Node
//! ids come from the file and are checked at every use; nothing here recurses.

mod key;
mod parse;
mod paths;
mod reach;
mod saved;

pub use key::{escape_local_name, unescape_local_name};
pub(super) use parse::{child, slot_variable};
pub use paths::Paths;

use std::collections::VecDeque;
use std::fmt;

use crate::base::escape::Escaped;

/// TensorFlow's `TrackableObjectGraph`. Node 0 is the root.
#[derive(Debug, Clone, Default)]
pub struct ObjectGraph {
    nodes: Vec<Node>,
    /// How breadth-first search from the root first reached a node: from which node, by which of its children.
    reached_by: Vec<Option<(usize, usize)>>,
    /// Every checkpoint key once, in byte order, as the indices of its node and attribute.
    by_key: Vec<(usize, usize)>,
}

/// TensorFlow's `TrackableObject`: one Python object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// The objects that this one refers to, by the names that it has for them.
    pub children: Vec<Child>,
    /// What of it is stored: for a variable one attribute `VARIABLE_VALUE`.
    pub attributes: Vec<Attribute>,
    /// For an optimizer of Keras before 2.11: the variables it made for each variable it trains.
    pub slot_variables: Vec<SlotVariable>,
    /// The class that saved it, where that is not TensorFlow itself.
    pub registered_saver: Option<Box<RegisteredSaver>>,
    /// Whether it or an object below it has stored state. Files from before TensorFlow 2.9 do not say.
    pub has_checkpoint_values: Option<bool>,
}

/// TensorFlow's `ObjectReference`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Child {
    /// The object, as stored: possibly not a node at all.
    pub node_id: i32,
    /// The attribute, key or index under which the parent has it.
    pub local_name: String,
}

/// TensorFlow's `SerializedTensor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribute {
    /// `VARIABLE_VALUE` for a variable, `py_state` for Python state.
    pub name: String,
    /// The name that TensorFlow 1 would have saved it under; empty for what is no variable.
    pub full_name: String,
    /// The key in the bundle, or what the keys begin with (hash tables: `-keys` and `-values` follow).
    pub checkpoint_key: String,
}

/// TensorFlow's `SlotVariableReference`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotVariable {
    /// The variable that is trained, as stored: possibly not a node at all.
    pub original_variable_node_id: i32,
    /// `m`, `v`, `momentum`, …
    pub slot_name: String,
    /// The variable of the optimizer, as stored: possibly not a node at all.
    pub slot_variable_node_id: i32,
}

/// TensorFlow's `RegisteredSaver`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisteredSaver {
    /// The name under which the saver is registered.
    pub name: String,
    /// The object's name for it.
    pub object_name: String,
}

/// One stored piece of state: a node with one of its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable<'a> {
    /// The node.
    pub node: usize,
    /// The attribute, with its key and full name.
    pub attribute: &'a Attribute,
}

/// A slot variable whose three nodes exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot<'a> {
    /// The node that lists the slot.
    pub optimizer: usize,
    /// `m`, `v`, `momentum`, …
    pub name: &'a str,
    /// The variable that is trained.
    pub original: usize,
    /// The variable of the optimizer.
    pub variable: usize,
}

/// Something that TensorFlow never writes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The graph has no nodes, so that it has no root.
    Empty,
    /// A child that is not a node.
    ChildOutOfRange {
        /// The parent.
        node: usize,
        /// The name that the parent has for it.
        local_name: String,
        /// The id that stands there.
        node_id: i32,
    },
    /// A slot variable that is not a node, or is said to belong to one that is not.
    SlotOutOfRange {
        /// The optimizer.
        node: usize,
        /// The slot.
        slot_name: String,
        /// The id that stands there.
        node_id: i32,
    },
    /// A node with stored state that neither a path of children nor a slot leads to: no restore can bind it.
    Unreachable {
        /// The node.
        node: usize,
    },
    /// A checkpoint key that a second attribute claims.
    DuplicateKey {
        /// The later node.
        node: usize,
        /// The key.
        checkpoint_key: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the object graph has no nodes"),
            Self::ChildOutOfRange { node, local_name, node_id } => {
                write!(
                    f,
                    "node {node}: child {} is node {node_id}, which does not exist",
                    Escaped(local_name.as_bytes())
                )
            }
            Self::SlotOutOfRange { node, slot_name, node_id } => {
                write!(
                    f,
                    "node {node}: slot {} names node {node_id}, which does not exist",
                    Escaped(slot_name.as_bytes())
                )
            }
            Self::Unreachable { node } => {
                write!(f, "node {node} has stored state, but no path from the root leads to it")
            }
            Self::DuplicateKey { node, checkpoint_key } => {
                write!(f, "node {node}: another node has the key {} too", Escaped(checkpoint_key.as_bytes()))
            }
        }
    }
}

impl ObjectGraph {
    /// A graph of these nodes, the first of which is the root.
    pub fn new(nodes: Vec<Node>) -> Self {
        let mut graph = Self { nodes, ..Self::default() };
        graph.reached_by = graph.search();
        graph.by_key = graph.index_keys();
        graph
    }

    /// The nodes, whose indices are the ids.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node that an id from the file means, if there is one.
    pub fn resolve(&self, node_id: i32) -> Option<usize> {
        usize::try_from(node_id).ok().filter(|node| *node < self.nodes.len())
    }

    /// Breadth-first search from the root, children in stored order: the paths that TensorFlow makes keys of.
    fn search(&self) -> Vec<Option<(usize, usize)>> {
        let mut reached_by = vec![None; self.nodes.len()];
        let mut queue = VecDeque::from([0]);
        while let Some(node) = queue.pop_front() {
            let children = self.nodes.get(node).map(|node| node.children.as_slice()).unwrap_or_default();
            for (index, child) in children.iter().enumerate() {
                let Some(id) = self.resolve(child.node_id).filter(|id| *id != 0) else { continue };
                if let Some(reached @ None) = reached_by.get_mut(id) {
                    *reached = Some((node, index));
                    queue.push_back(id);
                }
            }
        }
        reached_by
    }

    /// From which node, by which of its children, the shortest path from the root comes to `node`; none for the root and
    /// for what is not reachable.
    pub fn reached_by(&self, node: usize) -> Option<(usize, usize)> {
        self.reached_by.get(node).copied().flatten()
    }

    /// Whether a path of children leads from the root to `node`.
    pub fn is_reachable(&self, node: usize) -> bool {
        node == 0 && !self.nodes.is_empty() || self.reached_by(node).is_some()
    }

    /// The local names on the shortest path from the root, deepest first; none for the root and for what is
    /// unreachable.
    pub fn path_upward(&self, node: usize) -> impl Iterator<Item = &str> {
        let mut node = node;
        std::iter::from_fn(move || {
            let (parent, index) = self.reached_by(node)?;
            node = parent;
            Some(self.nodes.get(parent)?.children.get(index)?.local_name.as_str())
        })
    }

    /// The local names on the shortest path from the root, `None` if there is no path.
    ///
    /// As long as the path is deep: a hostile graph may be one chain. For many nodes use [`Self::path_upward`] or
    /// [`Self::short_path`].
    pub fn path_of(&self, node: usize) -> Option<Vec<&str>> {
        let mut path: Vec<&str> = self.is_reachable(node).then(|| self.path_upward(node).collect())?;
        path.reverse();
        Some(path)
    }

    /// The path for people, `model/layers/0`: without the escaping that keys have, and cut to its last parts if it is
    /// long. The root is `(root)`; what no path leads to goes by its number.
    pub fn short_path(&self, node: usize) -> String {
        const LONG: usize = 100;
        if !self.is_reachable(node) {
            return format!("(node {node})");
        }
        let mut parts = Vec::new();
        let mut len = 0usize;
        for part in self.path_upward(node) {
            len = len.saturating_add(part.len()).saturating_add(1);
            if len > LONG && !parts.is_empty() {
                parts.push("…".to_owned());
                break;
            }
            let mut text: String = Escaped(part.as_bytes()).to_string();
            if let Some((cut, _)) = text.char_indices().nth(LONG) {
                text.truncate(cut);
                text.push('…');
            }
            parts.push(text);
        }
        if parts.is_empty() {
            return "(root)".to_owned();
        }
        parts.reverse();
        parts.join("/")
    }

    /// All stored state, by node and in stored order.
    pub fn variables(&self) -> impl Iterator<Item = Variable<'_>> {
        let nodes = self.nodes.iter().enumerate();
        nodes.flat_map(|(node, n)| n.attributes.iter().map(move |attribute| Variable { node, attribute }))
    }

    /// All slot variables whose nodes exist, by optimizer and in stored order.
    pub fn slots(&self) -> impl Iterator<Item = Slot<'_>> {
        let nodes = self.nodes.iter().enumerate();
        nodes.flat_map(move |(optimizer, node)| {
            node.slot_variables.iter().filter_map(move |slot| {
                let original = self.resolve(slot.original_variable_node_id)?;
                let variable = self.resolve(slot.slot_variable_node_id)?;
                Some(Slot { optimizer, name: &slot.slot_name, original, variable })
            })
        })
    }

    /// What contradicts itself, in the order of the nodes.
    pub fn problems(&self) -> Vec<Problem> {
        if self.nodes.is_empty() {
            return vec![Problem::Empty];
        }
        let leads_to = self.leads_to();
        let mut problems = Vec::new();
        for (node, n) in self.nodes.iter().enumerate() {
            for child in n.children.iter().filter(|child| self.resolve(child.node_id).is_none()) {
                let (local_name, node_id) = (child.local_name.clone(), child.node_id);
                problems.push(Problem::ChildOutOfRange { node, local_name, node_id });
            }
            for slot in &n.slot_variables {
                let ids = [slot.original_variable_node_id, slot.slot_variable_node_id];
                for node_id in ids.into_iter().filter(|id| self.resolve(*id).is_none()) {
                    problems.push(Problem::SlotOutOfRange { node, slot_name: slot.slot_name.clone(), node_id });
                }
            }
            if !n.attributes.is_empty() && leads_to.get(node) == Some(&false) {
                problems.push(Problem::Unreachable { node });
            }
        }
        for Variable { node, attribute } in self.variables() {
            let owner = self.variable_for_key(attribute.checkpoint_key.as_bytes());
            if owner.is_some_and(|owner| !std::ptr::eq(owner.attribute, attribute)) {
                problems.push(Problem::DuplicateKey { node, checkpoint_key: attribute.checkpoint_key.clone() });
            }
        }
        problems
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn child(node_id: i32, local_name: &str) -> Child {
        Child { node_id, local_name: local_name.to_owned() }
    }

    pub(crate) fn variable(full_name: &str, checkpoint_key: &str) -> Node {
        let name = "VARIABLE_VALUE".to_owned();
        let (full_name, checkpoint_key) = (full_name.to_owned(), checkpoint_key.to_owned());
        Node { attributes: vec![Attribute { name, full_name, checkpoint_key }], ..Node::default() }
    }

    pub(crate) fn parent(children: &[(i32, &str)]) -> Node {
        Node { children: children.iter().map(|(id, name)| child(*id, name)).collect(), ..Node::default() }
    }

    #[test]
    fn the_shortest_path_wins_and_cycles_end() {
        let graph = ObjectGraph::new(vec![
            parent(&[(1, "model"), (2, "opt")]),
            parent(&[(3, "layer"), (0, "up")]),
            parent(&[(4, "0"), (2, "self")]),
            parent(&[(4, "kernel"), (1, "owner")]),
            variable("kernel", "opt/0/.ATTRIBUTES/VARIABLE_VALUE"),
        ]);
        assert_eq!(graph.path_of(4).unwrap(), ["opt", "0"]);
        assert_eq!(graph.path_of(3).unwrap(), ["model", "layer"]);
        assert_eq!(graph.path_of(0).unwrap(), Vec::<&str>::new());
        assert_eq!((graph.short_path(0), graph.short_path(4)), ("(root)".to_owned(), "opt/0".to_owned()));
        assert!(graph.problems().is_empty());
    }

    #[test]
    fn ids_out_of_range_are_tolerated_and_reported() {
        let mut root = parent(&[(7, "gone"), (-1, "less")]);
        let slot_name = "m".to_owned();
        root.slot_variables.push(SlotVariable { original_variable_node_id: 1, slot_name, slot_variable_node_id: 9 });
        let graph = ObjectGraph::new(vec![root, variable("", "k"), variable("", "k")]);
        assert_eq!(graph.slots().count(), 0);
        assert_eq!(graph.path_of(1), None);
        let problems: Vec<String> = graph.problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "node 0: child gone is node 7, which does not exist",
                "node 0: child less is node -1, which does not exist",
                "node 0: slot m names node 9, which does not exist",
                "node 1 has stored state, but no path from the root leads to it",
                "node 2 has stored state, but no path from the root leads to it",
                "node 2: another node has the key k too",
            ]
        );
        assert_eq!(ObjectGraph::new(Vec::new()).problems(), [Problem::Empty]);
    }

    #[test]
    fn a_long_path_is_cut_for_people() {
        let mut nodes: Vec<Node> = (1..=100_000).map(|id| parent(&[(id, "child")])).collect();
        nodes.push(variable("", "v"));
        let graph = ObjectGraph::new(nodes);
        assert_eq!(graph.path_of(100_000).unwrap().len(), 100_000);
        let short = graph.short_path(100_000);
        assert!(short.starts_with("…/child/") && short.len() < 200, "{short}");
    }
}
