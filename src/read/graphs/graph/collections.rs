//! Collections that name nodes, or outputs of nodes, which the graph does not have.
//!
//! TensorFlow looks every item of a `node_list` up when it imports the graph (`import_scoped_meta_graph` in
//! `python/framework/meta_graph.py`, by `Graph.as_graph_element`), and raises a `KeyError` for one that is not there.
//! Nothing else needs them: the Saver of a program that builds the graph itself restores.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Form, Part, Slice, WALK, with_graphs};
use crate::base::error::Result;
use crate::base::limits::Limits;

/// An item of a collection that the graph does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingItem {
    /// The collection.
    pub collection: String,
    /// The name of a node, or of one of its outputs.
    pub item: String,
    /// How many outputs the node has, where it is there and has too few.
    pub outputs: Option<usize>,
}

impl Part<'_> {
    /// The items of collections that the graph does not have.
    ///
    /// # Errors
    /// If the graph is damaged.
    pub fn missing_nodes(&self) -> Result<Vec<MissingItem>> {
        let items = self.node_lists.iter().flat_map(|(key, items)| items.iter().map(move |item| (key, item)));
        let mut open: BTreeMap<&[u8], Vec<(&String, &String, usize)>> = BTreeMap::new();
        for (key, item) in items {
            // `name:0` is an output of the node.
            let (node, output) = match item.rsplit_once(':') {
                Some((node, output)) if output.bytes().all(|byte| byte.is_ascii_digit()) => {
                    (node, output.parse().unwrap_or(usize::MAX))
                }
                _ => (item.as_str(), 0),
            };
            open.entry(node.as_bytes()).or_default().push((key, item, output));
        }
        let mut found = Vec::new();
        if !open.is_empty() {
            let known = self.outputs()?;
            self.each_node(|node| {
                let items = open.remove(node.name).unwrap_or_default();
                let Some(outputs) = known.get(node.op).copied().flatten() else { return Ok(()) };
                found.extend(
                    items.into_iter().filter(|(_, item, output)| item.contains(':') && *output >= outputs).map(
                        |(key, item, _)| MissingItem {
                            collection: key.clone(),
                            item: item.clone(),
                            outputs: Some(outputs),
                        },
                    ),
                );
                Ok(())
            })?;
        }
        let missing = open.into_values().flatten();
        found.extend(missing.map(|(key, item, _)| MissingItem {
            collection: key.clone(),
            item: item.clone(),
            outputs: None,
        }));
        Ok(found)
    }

    /// How many outputs each op has, as the list of ops says that is written along; `None` where a node's attributes
    /// decide.
    fn outputs(&self) -> Result<BTreeMap<Vec<u8>, Option<usize>>> {
        let mut found = BTreeMap::new();
        for info in &self.infos {
            info.each(|field| {
                if field.number != 2 {
                    return Ok(());
                }
                // `stripped_op_list`, an `OpList` of `OpDef`s.
                Slice::of(field)?.each(|op| {
                    if op.number == 1 {
                        let (name, outputs) = outputs_of(Slice::of(op)?)?;
                        found.insert(name.to_vec(), outputs);
                    }
                    Ok(())
                })
            })?;
        }
        Ok(found)
    }
}

/// The name of an `OpDef`, and how many outputs its nodes have.
fn outputs_of(op: Slice<'_>) -> Result<(&[u8], Option<usize>)> {
    let (mut name, mut outputs): (&[u8], Option<usize>) = (b"", Some(0));
    op.each(|field| {
        match field.number {
            1 => name = WALK.bytes(field)?,
            3 => {
                let mut is_list = false;
                // `number_attr` and `type_list_attr` make a list of one output.
                Slice::of(field)?.each(|part| {
                    is_list |= matches!(part.number, 5 | 6);
                    Ok(())
                })?;
                outputs = outputs.filter(|_| !is_list).map(|n| n.saturating_add(1));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok((name, outputs))
}

/// The items of collections in the `.meta` at `path` that its graph does not have.
///
/// # Errors
/// If the file is no meta graph or cannot be read.
pub fn missing_nodes(path: &Path, limits: &Limits) -> Result<Vec<MissingItem>> {
    with_graphs(
        path,
        Form::MetaGraph,
        |file| {
            let parts: Result<Vec<_>> = file.parts.iter().map(Part::missing_nodes).collect();
            Ok(parts?.into_iter().flatten().collect())
        },
        limits,
    )
}
