//! What TensorFlow's own programs say of checkpoints and SavedModels, as data: `inspect_checkpoint`, `saved_model_cli`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::bytes::Regex;

use super::ops::is_registered;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::checkpoint::Checkpoint;
use crate::read::graphs::graph::{Form, GraphFile, Node, Objects, Part, PythonValue, with_graphs};
use crate::read::graphs::meta_graph::Signature;

/// What `inspect_checkpoint` counts: elements of every tensor, whatever it is for; a string is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The pattern of tensors that are not counted.
    pub pattern: Option<String>,
    /// How many those are.
    pub excluded_tensors: u64,
    /// And their elements.
    pub excluded: u64,
    /// The elements of all others.
    pub parameters: u64,
}

impl Count {
    /// Counts a checkpoint.
    ///
    /// # Errors
    /// If the pattern is no regular expression.
    pub fn of(checkpoint: &Checkpoint, pattern: Option<&str>) -> Result<Self> {
        let pattern = pattern.filter(|pattern| !pattern.is_empty());
        let bad = |error: regex::Error| Error::new(ErrorKind::Request(format!("not a regular expression: {error}")));
        let regex = pattern.map(Regex::new).transpose().map_err(bad)?;
        let mut count = Self { pattern: pattern.map(str::to_owned), ..Self::default() };
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((_, tensor)) = cursor.advance() {
            let elements = tensor.elements().unwrap_or(0);
            if regex.as_ref().is_some_and(|regex| regex.is_match(&tensor.name)) {
                count.excluded_tensors += 1;
                count.excluded = count.excluded.saturating_add(elements);
            } else {
                count.parameters = count.parameters.saturating_add(elements);
            }
        }
        Ok(count)
    }
}

/// A SavedModel as `saved_model_cli` sees it.
#[derive(Clone, Debug, Default)]
pub struct OldModel {
    /// Its graphs, in the order of the file.
    pub graphs: Vec<OldGraph>,
    /// Whether there are objects of TensorFlow 2.
    pub has_objects: bool,
    /// Whether there are ops that TensorFlow does not have, so that it cannot list functions.
    pub has_custom_ops: bool,
    /// The functions of the root.
    pub functions: Vec<OldFunction>,
}

/// A graph.
#[derive(Clone, Debug, Default)]
pub struct OldGraph {
    /// Its tags, as they stand in the file.
    pub tags: Vec<String>,
    /// Its signatures by key, TensorFlow's own too.
    pub signatures: BTreeMap<String, Signature>,
    /// The ops of its nodes, and of the functions that `PartitionedCall` leads to.
    pub ops: BTreeSet<String>,
}

/// A function.
#[derive(Clone, Debug)]
pub struct OldFunction {
    /// What the attribute is called.
    pub name: String,
    /// Its concrete functions.
    pub options: Vec<OldOption>,
}

/// What a concrete function takes.
#[derive(Clone, Debug, Default)]
pub struct OldOption {
    /// Values by position.
    pub arguments: Vec<PythonValue>,
    /// The names of those by name.
    pub named: Vec<String>,
}

impl OldModel {
    /// Reads the file of a SavedModel.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(file: &Path, limits: &Limits) -> Result<Self> {
        let read = |graphs: &GraphFile<'_>| {
            let mut model = Self::default();
            for part in &graphs.parts {
                let ops = ops_used(part)?;
                model.has_objects |= !part.objects.is_empty();
                model.graphs.push(OldGraph {
                    tags: part.meta.tags.clone(),
                    signatures: part.meta.signatures.clone(),
                    ops,
                });
            }
            // Several graphs are loaded as those of TensorFlow 1, which have no functions.
            if let [part] = graphs.parts.as_slice() {
                model.functions = functions(part)?;
                model.has_custom_ops = has_custom_ops(part)?;
            }
            Ok(model)
        };
        with_graphs(file, Form::SavedModel, read, limits)
    }
}

/// `ops_used_by_graph_def` of `framework/meta_graph.py`.
fn ops_used(part: &Part<'_>) -> Result<BTreeSet<String>> {
    let library = part.library()?;
    let mut used: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut mark = |name: &[u8], open: &mut Vec<Vec<u8>>| {
        if used.insert(name.to_vec()) && library.get(name).is_some() {
            open.push(name.to_vec());
        }
    };
    let mut node = |node: Node<'_>, open: &mut Vec<Vec<u8>>| -> Result<()> {
        mark(node.op, open);
        if matches!(node.op, b"PartitionedCall" | b"StatefulPartitionedCall") {
            mark(node.function(b"f")?.unwrap_or_default(), open);
        }
        Ok(())
    };
    part.each_node(|each| node(each, &mut open))?;
    while let Some(name) = open.pop() {
        if let Some(function) = library.get(&name) {
            function.each_node(|each| node(each, &mut open))?;
        }
    }
    used.retain(|name| library.get(name).is_none());
    Ok(used.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// Whether loading it meets an op that TensorFlow does not have.
fn has_custom_ops(part: &Part<'_>) -> Result<bool> {
    let library = part.library()?;
    let mut found = false;
    let mut look = |node: Node<'_>| {
        found |= !is_registered(node.op) && library.get(node.op).is_none();
        Ok(())
    };
    part.each_node(&mut look)?;
    for function in &library.functions {
        function.each_node(&mut look)?;
    }
    Ok(found)
}

fn functions(part: &Part<'_>) -> Result<Vec<OldFunction>> {
    let objects = Objects::read(&part.objects)?;
    let loaded = order_of_loading(part)?;
    let mut found = Vec::new();
    for (name, concrete) in objects.of_root() {
        let mut concrete: Vec<&String> = concrete.iter().collect();
        // They are sorted by the names that they get when they are loaded, which end in numbers that go up.
        concrete.sort_by_key(|name| (base(name), loaded.get(name.as_bytes()).copied()));
        let mut options = Vec::new();
        for function in concrete {
            let found = objects.arguments(function)?;
            let named = found.named.into_iter().map(|(name, _)| name).collect();
            options.push(OldOption { arguments: found.positional, named });
        }
        found.push(OldFunction { name: name.to_owned(), options });
    }
    Ok(found)
}

/// A name without the number that it ends in.
fn base(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// As `_sort_function_defs` of `saved_model/function_deserialization.py`: a function after those that it calls, and of
/// those that can be next the one that became so last.
fn order_of_loading(part: &Part<'_>) -> Result<BTreeMap<Vec<u8>, usize>> {
    let library = part.library()?;
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); library.functions.len()];
    let mut waiting: Vec<usize> = vec![0; library.functions.len()];
    for (at, function) in library.functions.iter().enumerate() {
        let mut calls: BTreeSet<usize> = BTreeSet::new();
        function.each_node(|node| {
            if let Some(called) = library.by_name.get(node.op) {
                calls.insert(*called);
                return Ok(());
            }
            node.each_function(|name| calls.extend(library.by_name.get(name)))
        })?;
        for called in calls {
            if let (Some(callers), Some(waiting)) = (callers.get_mut(called), waiting.get_mut(at)) {
                callers.push(at);
                *waiting += 1;
            }
        }
    }
    let mut ready: Vec<usize> = (0..waiting.len()).filter(|at| waiting.get(*at) == Some(&0)).collect();
    let mut order = BTreeMap::new();
    while let Some(at) = ready.pop() {
        if let Some(function) = library.functions.get(at) {
            let place = order.len();
            order.entry(function.name.to_vec()).or_insert(place);
        }
        for caller in callers.get(at).into_iter().flatten() {
            if let Some(waiting) = waiting.get_mut(*caller) {
                *waiting -= 1;
                if *waiting == 0 {
                    ready.push(*caller);
                }
            }
        }
    }
    Ok(order)
}
