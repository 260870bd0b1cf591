//! Models in files of Keras for programs: a part of `inspect`, and the layers as nodes of `graph`.

use std::collections::BTreeMap;
use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::{self, KerasModel, Names};
use crate::read::checkpoint::Checkpoint;
use crate::report::graph::json::{Attribute, Child, FoundIn, GraphFoot, GraphHead, Node};
use crate::report::kit::json::{DTypeName, Float, OwnedName, write_fields};

/// The model of a file of Keras.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Keras<'a> {
    /// of Keras or `tf_keras`, as the file says it
    version: Option<&'a str>,
    /// what Keras ran on
    backend: Option<&'a str>,
    /// when an archive was saved, as it says
    saved: Option<&'a str>,
    /// of the model; null without a configuration
    class: Option<&'a str>,
    /// of the model
    name: Option<&'a str>,
    /// class or name of the optimizer
    optimizer: Option<&'a str>,
    /// the optimizer's numbers by its configuration, as that calls them; those that it does not have are absent, and a learning rate that a schedule makes
    optimizer_numbers: BTreeMap<&'a str, Float>,
    /// what the model was compiled with
    loss: Option<&'a str>,
    /// the same
    metrics: &'a [String],
    /// elements of weights that training changes
    trainable_parameters: u64,
    /// elements of weights of frozen layers, and of moving statistics
    untrained_parameters: u64,
    /// each before those within it
    layers: Vec<Layer<'a>>,
    /// variables of the optimizer, in its order
    optimizer_tensors: Vec<OwnedName>,
}

/// A layer, or another object with variables.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Layer<'a> {
    name: &'a str,
    /// null without a configuration
    class: Option<&'a str>,
    /// how deep it is nested in models and wrappers
    depth: usize,
    /// null without a configuration
    trainable: Option<bool>,
    /// of its variables and of those within it
    parameters: u64,
    /// its own variables, in their order
    tensors: Vec<OwnedName>,
}

fn names(checkpoint: &Checkpoint, tensors: &[usize]) -> Vec<OwnedName> {
    tensors.iter().filter_map(|at| checkpoint.tensors().get(*at)).map(|tensor| OwnedName(tensor.name)).collect()
}

impl<'a> Keras<'a> {
    pub(in crate::report) fn of(checkpoint: &Checkpoint, model: &'a KerasModel) -> Self {
        let layer = |layer: &'a analysis::KerasLayer| Layer {
            name: &layer.name,
            class: layer.class.as_deref(),
            depth: layer.depth,
            trainable: layer.trainable,
            parameters: layer.parameters,
            tensors: names(checkpoint, &layer.tensors),
        };
        Self {
            version: model.version.as_deref(),
            backend: model.backend.as_deref(),
            saved: model.saved.as_deref(),
            class: model.class.as_deref(),
            name: model.name.as_deref(),
            optimizer: model.optimizer.as_deref(),
            optimizer_numbers: model
                .optimizer_numbers
                .iter()
                .map(|(name, value)| (name.as_str(), Float(*value)))
                .collect(),
            loss: model.loss.as_deref(),
            metrics: &model.metrics,
            trainable_parameters: model.trainable,
            untrained_parameters: model.untrained,
            layers: model.layers.iter().map(layer).collect(),
            optimizer_tensors: names(checkpoint, &model.optimizer_tensors),
        }
    }
}

/// The layers as nodes: the model is the first, its layers and the optimizer are its children.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn keras_graph_json(
    checkpoint: &Checkpoint,
    model: &KerasModel,
    own: &Names,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(b"{")?;
    write_fields(&GraphHead::of(checkpoint, FoundIn::Keras), out)?;
    out.write_all(b",\"nodes\":[\n")?;
    let top = model.layers.iter().enumerate().filter(|(_, layer)| layer.depth == 0);
    let mut children: Vec<Child<'_>> = top.map(|(at, layer)| child(at, &layer.name)).collect();
    let optimizer = model.layers.len();
    if !model.optimizer_tensors.is_empty() {
        children.push(child(optimizer, "optimizer"));
    }
    let mut root = Node::of_keras(0, model.name.as_deref(), model.class.as_deref());
    root.children = children;
    serde_json::to_writer(&mut *out, &root)?;
    // Full names and keys live as long as their node.
    let mut node = |at: usize, name: &str, class: Option<&str>, tensors: &[usize], within: Vec<Child<'_>>| {
        let stored: Vec<_> = tensors
            .iter()
            .filter_map(|at| {
                let tensor = checkpoint.tensors().get(*at)?;
                let full = own.get(*at).and_then(|name| name.full_name.as_deref()).unwrap_or_default().to_owned();
                Some((full, String::from_utf8_lossy(&tensor.name).into_owned(), tensor))
            })
            .collect();
        let mut node = Node::of_keras(at.saturating_add(1), Some(name), class);
        node.children = within;
        node.attributes = stored
            .iter()
            .map(|(full, key, tensor)| Attribute {
                name: full.rsplit('/').next().unwrap_or(full),
                full_name: full,
                key,
                dtype: Some(DTypeName(tensor.dtype)),
                shape: tensor.shape.dims().map(<[i64]>::to_vec),
            })
            .collect();
        out.write_all(b",\n")?;
        serde_json::to_writer(&mut *out, &node).map_err(io::Error::from)
    };
    for (at, layer) in model.layers.iter().enumerate() {
        let behind = model.layers.iter().enumerate().skip(at.saturating_add(1));
        let within = behind.take_while(|(_, below)| below.depth > layer.depth);
        let within = within.filter(|(_, below)| below.depth == layer.depth.saturating_add(1));
        let within = within.map(|(at, below)| child(at, &below.name)).collect();
        node(at, &layer.name, layer.class.as_deref(), &layer.tensors, within)?;
    }
    if !model.optimizer_tensors.is_empty() {
        node(optimizer, "optimizer", model.optimizer.as_deref(), &model.optimizer_tensors, Vec::new())?;
    }
    out.write_all(b"],\n")?;
    write_fields(&GraphFoot::default(), out)?;
    writeln!(out, "}}")
}

/// A layer as a child: the model itself is the first node.
fn child(at: usize, name: &str) -> Child<'_> {
    Child { name, node: i32::try_from(at.saturating_add(1)).unwrap_or(i32::MAX) }
}
