//! The object graph as a graph for Graphviz; as a tree it writes itself.

use std::io::{self, Write};

use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::read::graphs::object_graph::{Attribute, ObjectGraph};
use crate::report::kit::units::shape_text;

/// Dtype and shape of the tensor that an attribute names: `float32 784×128`.
pub(in crate::report) fn tensor_text(checkpoint: &Checkpoint, attribute: &Attribute) -> Option<String> {
    let tensor = checkpoint.tensor(attribute.checkpoint_key.as_bytes())?;
    Some(format!("{} {}", tensor.dtype, shape_text(&tensor.shape)))
}

/// `graph --format dot`: the nodes at most `depth` steps from the root that have state below them, slots dashed.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn graph_dot(
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
