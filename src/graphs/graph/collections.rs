//! Collections that name nodes which the graph does not have.
//!
//! TensorFlow looks every item of a `node_list` up when it imports the graph (`import_scoped_meta_graph` in
//! `python/framework/meta_graph.py`, by `Graph.as_graph_element`), and raises a `KeyError` for one that is not there.
//! Nothing else needs them: the Saver of a program that builds the graph itself restores.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Form, Part, with_graphs};
use crate::error::Result;

impl Part<'_> {
    /// The items of collections that the graph has no node for, each with its collection.
    ///
    /// # Errors
    /// If the graph is damaged.
    pub fn missing_nodes(&self) -> Result<Vec<(String, String)>> {
        let items = self.node_lists.iter().flat_map(|(key, items)| items.iter().map(move |item| (key, item)));
        let mut open: BTreeMap<&[u8], Vec<(&String, &String)>> = BTreeMap::new();
        for (key, item) in items {
            // `name:0` is an output of the node; whether it has as many is known to its op alone.
            let node = match item.rsplit_once(':') {
                Some((node, output)) if output.bytes().all(|byte| byte.is_ascii_digit()) => node,
                _ => item.as_str(),
            };
            open.entry(node.as_bytes()).or_default().push((key, item));
        }
        if !open.is_empty() {
            self.each_node(|node| {
                open.remove(node.name);
                Ok(())
            })?;
        }
        Ok(open.into_values().flatten().map(|(key, item)| (key.clone(), item.clone())).collect())
    }
}

/// The items of collections in the `.meta` at `path` that its graph has no node for, each with its collection.
///
/// # Errors
/// If the file is no meta graph or cannot be read.
pub fn missing_nodes(path: &Path) -> Result<Vec<(String, String)>> {
    with_graphs(path, Form::MetaGraph, |file| {
        let parts: Result<Vec<_>> = file.parts.iter().map(Part::missing_nodes).collect();
        Ok(parts?.into_iter().flatten().collect())
    })
}
