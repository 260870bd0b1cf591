//! The object graph as JSON: a node a line.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::Objects;
use crate::read::checkpoint::Checkpoint;
use crate::read::graphs::object_graph::{self, ObjectGraph, escape_local_name};
use crate::report::kit::json::{DTypeName, Head, Source, write_fields};

/// Paths of more parts than this are left out: a graph may be one chain.
const LONGEST: usize = 64;

/// What stands before the nodes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct GraphHead<'a> {
    #[serde(flatten)]
    head: Head,
    /// what was opened
    source: Source<'a>,
    /// `checkpoint`, or `saved_model` where the checkpoint's own graph cannot be read; `keras` of a file of Keras, whose nodes are its layers
    from: FoundIn,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::report) enum FoundIn {
    Checkpoint,
    SavedModel,
    Keras,
}

/// What stands behind the nodes.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct GraphFoot {
    /// where the graph contradicts itself, 1000 at most
    problems: Vec<String>,
}

/// An object.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Node<'a> {
    id: usize,
    /// the shortest path from the root, as keys spell it; null if there is none, or it has more than 64 parts; of a file of Keras the name of the layer
    path: Option<String>,
    /// of a file of Keras: the class
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    class: Option<&'a str>,
    /// the objects that it refers to
    pub(in crate::report) children: Vec<Child<'a>>,
    /// what is stored
    pub(in crate::report) attributes: Vec<Attribute<'a>>,
    /// of an optimizer: the variables that it made for those that it trains
    slots: Vec<SlotVariable<'a>>,
    /// a saver of its own
    saver: Option<&'a str>,
}

/// An object that another one refers to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Child<'a> {
    pub(in crate::report) name: &'a str,
    /// its id, as stored
    pub(in crate::report) node: i32,
}

/// What of an object is stored.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Attribute<'a> {
    pub(in crate::report) name: &'a str,
    pub(in crate::report) full_name: &'a str,
    pub(in crate::report) key: &'a str,
    /// of its tensor; null if there is no tensor of that key
    pub(in crate::report) dtype: Option<DTypeName>,
    /// of its tensor; null if there is no tensor of that key
    pub(in crate::report) shape: Option<Vec<i64>>,
}

/// A variable that an optimizer made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SlotVariable<'a> {
    /// its name
    slot: &'a str,
    /// the id of what it was made for, as stored
    variable: i32,
    /// its id, as stored
    node: i32,
}

/// `graph --format json`: a node at a time.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn graph_json(
    checkpoint: &Checkpoint,
    objects: &Objects,
    graph: &ObjectGraph,
    out: &mut dyn Write,
) -> io::Result<()> {
    let from = if matches!(objects, Objects::FromSavedModel(..)) { FoundIn::SavedModel } else { FoundIn::Checkpoint };
    let head = GraphHead::of(checkpoint, from);
    out.write_all(b"{")?;
    write_fields(&head, out)?;
    out.write_all(b",\"nodes\":[")?;
    for (id, node) in graph.nodes().iter().enumerate() {
        out.write_all(if id == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &Node::of(checkpoint, graph, id, node))?;
    }
    out.write_all(b"],\n")?;
    let problems = graph.problems().iter().take(1000).map(ToString::to_string).collect();
    write_fields(&GraphFoot { problems }, out)?;
    writeln!(out, "}}")
}

impl<'a> GraphHead<'a> {
    pub(in crate::report) fn of(checkpoint: &'a Checkpoint, from: FoundIn) -> Self {
        Self { head: Head::of("graph"), source: Source::of(checkpoint.origin()), from }
    }
}

impl<'a> Node<'a> {
    /// A layer of a file of Keras, without what it holds.
    pub(in crate::report) fn of_keras(id: usize, name: Option<&str>, class: Option<&'a str>) -> Self {
        let (path, none) = (name.map(str::to_owned), Vec::new());
        Self { id, path, class, children: Vec::new(), attributes: Vec::new(), slots: none, saver: None }
    }

    fn of(checkpoint: &Checkpoint, graph: &ObjectGraph, id: usize, node: &'a object_graph::Node) -> Self {
        let child = |child: &'a object_graph::Child| Child { name: &child.local_name, node: child.node_id };
        let slot = |slot: &'a object_graph::SlotVariable| SlotVariable {
            slot: &slot.slot_name,
            variable: slot.original_variable_node_id,
            node: slot.slot_variable_node_id,
        };
        Self {
            id,
            path: path(graph, id),
            class: None,
            children: node.children.iter().map(child).collect(),
            attributes: node.attributes.iter().map(|attribute| Attribute::of(checkpoint, attribute)).collect(),
            slots: node.slot_variables.iter().map(slot).collect(),
            saver: node.registered_saver.as_ref().map(|saver| saver.name.as_str()),
        }
    }
}

impl<'a> Attribute<'a> {
    fn of(checkpoint: &Checkpoint, attribute: &'a object_graph::Attribute) -> Self {
        let tensor = checkpoint.tensor(attribute.checkpoint_key.as_bytes());
        Self {
            name: &attribute.name,
            full_name: &attribute.full_name,
            key: &attribute.checkpoint_key,
            dtype: tensor.as_ref().map(|tensor| DTypeName(tensor.dtype)),
            shape: tensor.as_ref().and_then(|tensor| Some(tensor.shape.dims()?.to_vec())),
        }
    }
}

/// The shortest path as keys spell it, if there is one and it is not too long.
fn path(graph: &ObjectGraph, id: usize) -> Option<String> {
    let mut parts: Vec<_> = graph.path_upward(id).take(LONGEST + 1).map(escape_local_name).collect();
    if !graph.is_reachable(id) || parts.len() > LONGEST {
        return None;
    }
    parts.reverse();
    Some(parts.join("/"))
}
