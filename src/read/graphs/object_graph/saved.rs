//! The object graph in `saved_model.pb`, for when the one in the checkpoint cannot be read.
//!
//! TensorFlow: `core/protobuf/saved_object_graph.proto`. It describes the same objects with more children (functions,
//! lists of variables), and says of a variable its name and not its key. The key follows from one of its paths: which
//! one, only the index of the checkpoint tells.

use std::path::Path;

use super::{Attribute, Node, ObjectGraph, Paths};
use crate::base::error::{Part, Result};
use crate::base::limits::Limits;
use crate::read::graphs::message_file::read_as;
use crate::read::graphs::saved_objects::{SavedObject, SavedObjects, SavedVariable};
use crate::read::wire::Walker;

const WALK: Walker = Walker { what: "saved object graph" };

/// How many paths of a variable are tried for its key.
const TRIED: usize = 32;

impl ObjectGraph {
    /// Reads the objects of the first meta graph that has some, from a `saved_model.pb` or `.pbtxt`; `None` if none
    /// has. `is_key` says which keys the checkpoint has.
    ///
    /// # Errors
    /// If the file cannot be read or is no `SavedModel`.
    pub fn of_saved_model(file: &Path, is_key: impl Fn(&str) -> bool, limits: &Limits) -> Result<Option<Self>> {
        let mut nodes: Option<Vec<Node>> = None;
        read_as(file, "tensorflow.SavedModel", WALK.what, limits, |bytes| {
            WALK.each(bytes, 0, |field| match field.number {
                2 if nodes.is_none() => WALK.each_in(field, |field| {
                    if field.number == 7 {
                        let objects = SavedObjects::parse(field)?.nodes;
                        nodes.get_or_insert_default().extend(objects.into_iter().map(node));
                    }
                    Ok(())
                }),
                _ => Ok(()),
            })
        })
        .map_err(|error| error.at_part(Part::ObjectGraph))?;
        let Some(mut nodes) = nodes.filter(|nodes| !nodes.is_empty()) else { return Ok(None) };
        let graph = Self::new(nodes.clone());
        let paths = Paths::new(&graph);
        let key = |path: &str| format!("{path}/.ATTRIBUTES/VARIABLE_VALUE");
        for (id, node) in nodes.iter_mut().enumerate().filter(|(_, node)| !node.attributes.is_empty()) {
            let found = paths.of(id, TRIED).0.into_iter().map(|path| key(&path)).find(|key| is_key(key));
            match (found, node.attributes.first_mut()) {
                (Some(found), Some(attribute)) => attribute.checkpoint_key = found,
                // Captured constants, and variables that no saver knows.
                _ => node.attributes.clear(),
            }
        }
        slots(&graph, &mut nodes, is_key);
        Ok(Some(Self::new(nodes)))
    }
}

/// The keys of slots: the path of the variable, the path of the optimizer, the slot's name.
fn slots(graph: &ObjectGraph, nodes: &mut [Node], is_key: impl Fn(&str) -> bool) {
    let mut found = Vec::new();
    for slot in graph.slots() {
        let key = |n: usize| nodes.get(n)?.attributes.first().map(|attribute| attribute.checkpoint_key.clone());
        let Some(original) = key(slot.original) else { continue };
        let original = original.trim_end_matches("/.ATTRIBUTES/VARIABLE_VALUE");
        let Some(path) = graph.path_of(slot.optimizer) else { continue };
        let path: Vec<_> = path.into_iter().map(super::escape_local_name).collect();
        let name = super::escape_local_name(slot.name);
        let key = format!("{original}/.OPTIMIZER_SLOT/{}/{name}/.ATTRIBUTES/VARIABLE_VALUE", path.join("/"));
        if is_key(&key) {
            found.push((slot.variable, key));
        }
    }
    for (id, checkpoint_key) in found {
        let Some(node) = nodes.get_mut(id) else { continue };
        let full_name = graph.nodes().get(id).and_then(|node| Some(node.attributes.first()?.full_name.clone()));
        let name = "VARIABLE_VALUE".to_owned();
        node.attributes = vec![Attribute { name, full_name: full_name.unwrap_or_default(), checkpoint_key }];
    }
}

/// The same object as the checkpoint's own graph would have it; its key is not known yet.
fn node(object: SavedObject) -> Node {
    let attribute = |variable: SavedVariable| Attribute {
        name: "VARIABLE_VALUE".to_owned(),
        full_name: variable.name,
        ..Attribute::default()
    };
    let attributes = object.variable.map(attribute).into_iter().collect();
    Node { children: object.children, slot_variables: object.slots, attributes, ..Node::default() }
}
