//! `graph` in any format.

use std::io::{self, Write};

use super::json::graph_json;
use super::text::{graph_dot, tensor_text};
use super::tree::{TreeOptions, object_tree};
use crate::analysis::{KerasModel, Names, Objects};
use crate::read::checkpoint::Checkpoint;
use crate::read::graphs::object_graph::{Attribute, ObjectGraph};
use crate::report::inspect::keras_json::keras_graph_json;
use crate::report::inspect::keras_text::keras_tree;
use crate::report::kit::format::{DOCUMENT, Format};
use crate::report::kit::look::Look;

/// What `graph` has for object graphs.
pub const GRAPH_FORMATS: &[Format] = &[Format::Text, Format::Json, Format::Dot];

/// What `graph` has for the layers of a file of Keras.
pub const LAYERS_FORMATS: &[Format] = DOCUMENT;

/// Writes an object graph. JSON has all of it.
///
/// # Errors
/// What `out` says.
pub fn write_graph(
    checkpoint: &Checkpoint,
    (objects, graph): (&Objects, &ObjectGraph),
    shown: &TreeOptions,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => graph_json(checkpoint, objects, graph, out),
        Format::Dot => graph_dot(checkpoint, graph, shown.max_depth, !shown.hide_empty, out),
        _ => object_tree(graph, shown, &|attribute: &Attribute| tensor_text(checkpoint, attribute), out),
    }
}

/// Writes the layers of a file of Keras; to people, so many levels of them.
///
/// # Errors
/// What `out` says.
pub fn write_layers(
    checkpoint: &Checkpoint,
    (model, names): (&KerasModel, &Names),
    depth: usize,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => keras_graph_json(checkpoint, model, names, out),
        _ => keras_tree(checkpoint, model, names, depth, look, out),
    }
}
