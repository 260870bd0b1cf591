//! The object graph as JSON and as a graph for Graphviz; as a tree it writes itself.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::json::{SCHEMA_VERSION, shape, source};
use super::units::shape_text;
use crate::analysis::Objects;
use crate::checkpoint::Checkpoint;
use crate::escape::escaped;
use crate::graphs::object_graph::{Attribute, Node, ObjectGraph, escape_local_name};

/// Paths of more parts than this are left out of JSON: a graph may be one chain.
const LONGEST: usize = 64;

/// Dtype and shape of the tensor that an attribute names: `float32 784×128`.
pub fn tensor_text(checkpoint: &Checkpoint, attribute: &Attribute) -> Option<String> {
    let tensor = checkpoint.tensor(attribute.checkpoint_key.as_bytes())?;
    Some(format!("{} {}", tensor.dtype, shape_text(&tensor.shape)))
}

/// `graph --format json`: a node at a time.
///
/// # Errors
/// What `out` says.
pub fn graph_json(
    checkpoint: &Checkpoint,
    objects: &Objects,
    graph: &ObjectGraph,
    out: &mut dyn Write,
) -> io::Result<()> {
    let from = if matches!(objects, Objects::FromSavedModel(..)) { "saved_model" } else { "checkpoint" };
    let source = source(checkpoint.origin());
    write!(out, "{{\"schema_version\":{SCHEMA_VERSION},\"kind\":\"graph\",\"source\":{source},")?;
    write!(out, "\"from\":\"{from}\",\"nodes\":[")?;
    for (id, node) in graph.nodes().iter().enumerate() {
        out.write_all(if id == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &node_json(checkpoint, graph, id, node))?;
    }
    let problems: Vec<String> = graph.problems().iter().take(1000).map(ToString::to_string).collect();
    writeln!(out, "],\n\"problems\":{}}}", json!(problems))
}

fn node_json(checkpoint: &Checkpoint, graph: &ObjectGraph, id: usize, node: &Node) -> Value {
    let children: Vec<Value> =
        node.children.iter().map(|child| json!({"name": child.local_name, "node": child.node_id})).collect();
    let attribute = |attribute: &Attribute| {
        let tensor = checkpoint.tensor(attribute.checkpoint_key.as_bytes());
        json!({
            "name": attribute.name,
            "full_name": attribute.full_name,
            "key": attribute.checkpoint_key,
            "dtype": tensor.as_ref().map(|tensor| tensor.dtype.to_string()),
            "shape": tensor.as_ref().map_or(Value::Null, |tensor| shape(&tensor.shape)),
        })
    };
    let attributes: Vec<Value> = node.attributes.iter().map(attribute).collect();
    let slot = |slot: &crate::graphs::object_graph::SlotVariable| json!({"slot": slot.slot_name, "variable": slot.original_variable_node_id, "node": slot.slot_variable_node_id});
    let slots: Vec<Value> = node.slot_variables.iter().map(slot).collect();
    json!({
        "id": id,
        "path": path(graph, id),
        "children": children,
        "attributes": attributes,
        "slots": slots,
        "saver": node.registered_saver.as_ref().map(|saver| saver.name.as_str()),
    })
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

/// `graph --format dot`: the nodes at most `depth` steps from the root that have state below them, slots dashed.
///
/// # Errors
/// What `out` says.
pub fn graph_dot(
    checkpoint: &Checkpoint,
    graph: &ObjectGraph,
    depth: usize,
    all: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = graph.within(depth, !all);
    let slots: std::collections::BTreeMap<usize, &str> = graph.slots().map(|slot| (slot.variable, slot.name)).collect();
    let is_shown = |id: i32| graph.resolve(id).filter(|id| shown.get(*id) == Some(&true));
    writeln!(out, "digraph objects {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];")?;
    for (id, node) in graph.nodes().iter().enumerate().filter(|(id, _)| shown.get(*id) == Some(&true)) {
        let name = if id == 0 { Some("(root)") } else { graph.path_upward(id).next() };
        let name = name.or_else(|| slots.get(&id).copied()).unwrap_or_default();
        let mut label = quoted(name);
        for attribute in &node.attributes {
            let text = tensor_text(checkpoint, attribute).unwrap_or_else(|| attribute.name.clone());
            label.push_str("\\n");
            label.push_str(&quoted(&text));
            if !attribute.full_name.is_empty() {
                label.push_str("\\n");
                label.push_str(&quoted(&attribute.full_name));
            }
        }
        let style = if node.attributes.is_empty() { "" } else { ", style=filled, fillcolor=\"#eef3fb\"" };
        writeln!(out, "  n{id} [label=\"{label}\"{style}];")?;
    }
    for (id, node) in graph.nodes().iter().enumerate().filter(|(id, _)| shown.get(*id) == Some(&true)) {
        for child in &node.children {
            if let Some(to) = is_shown(child.node_id) {
                writeln!(out, "  n{id} -> n{to} [label=\"{}\"];", quoted(&child.local_name))?;
            }
        }
        for slot in &node.slot_variables {
            let (of, to) = (is_shown(slot.original_variable_node_id), is_shown(slot.slot_variable_node_id));
            if let Some((of, to)) = of.zip(to) {
                writeln!(out, "  n{of} -> n{to} [label=\"{}\", style=dashed];", quoted(&slot.slot_name))?;
            }
        }
    }
    writeln!(out, "}}")
}

/// Text inside the quotes of a DOT string.
fn quoted(text: &str) -> String {
    escaped(text.as_bytes()).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_a_string_of_dot() {
        assert_eq!(quoted("a\"];\n\\"), "a\\\"];\\\\n\\\\");
    }
}
