//! The object graph against the tensors: every key that it names must be there, every tensor should be named.

use std::collections::BTreeSet;

use super::Validation;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::naming::objects::message_of;
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY};
use crate::read::graphs::object_graph::ObjectGraph;
use crate::read::tensor::DType;

/// How many findings of one kind are told one by one.
const MOST: usize = 50;

/// Decodes the graph and compares its keys with the index. The graph lies in a data shard: `quick` leaves it out.
pub(super) fn check(checkpoint: &Checkpoint, quick: bool, result: &mut Validation) {
    let Some(tensor) = checkpoint.tensor(OBJECT_GRAPH_KEY) else { return };
    if tensor.dtype != DType::String || tensor.elements() != Some(1) {
        result.push(Finding::new(Code::BadObjectGraph, "the object graph cannot be decoded: it is not one string"));
        return;
    }
    let read = if quick { None } else { message_of(checkpoint) };
    // Damaged bytes have their own finding; what they decode to proves nothing.
    let Some(Ok(message)) = read else { return };
    let graph = match ObjectGraph::parse(&message) {
        Ok(graph) => graph,
        Err(error) => {
            result.push(Finding::new(Code::BadObjectGraph, format!("the object graph cannot be decoded: {error}")));
            return;
        }
    };
    for problem in graph.problems().iter().take(MOST) {
        result.push(Finding::new(Code::BadObjectGraph, problem.to_string()));
    }
    let keys: BTreeSet<&str> = graph.variables().map(|variable| variable.attribute.checkpoint_key.as_str()).collect();
    let tensors = checkpoint.tensors();
    // A table's or an iterator's key is the beginning of its tensors' keys, not a tensor itself.
    let exists = |key: &[u8]| tensors.get(tensors.lower_bound(key)).is_some_and(|tensor| tensor.name.starts_with(key));
    // With blocks of the index lost, a key that is not there says nothing new.
    if checkpoint.damage().is_empty() {
        let missing: Vec<&&str> = keys.iter().filter(|key| !exists(key.as_bytes())).collect();
        for key in missing.iter().take(MOST) {
            let message = format!("the object graph names {}, which is not in the index", escaped(key.as_bytes()));
            let help = "restoring this object fails with NOT_FOUND";
            result.push(Finding::new(Code::GraphKeyMissing, message).with_help(help).for_tensor(key.as_bytes()));
        }
        if missing.len() > MOST {
            let message = format!("{} more keys of the object graph are not in the index", missing.len() - MOST);
            result.push(Finding::new(Code::GraphKeyMissing, message));
        }
    }
    let named = |name: &[u8]| {
        let text = std::str::from_utf8(name).unwrap_or_default();
        // The longest prefix of the name that is a key, if there is one, is its neighbour in the order.
        keys.contains(text)
            || keys.range(..text).next_back().is_some_and(|key| !key.is_empty() && text.starts_with(key))
    };
    let mut orphans = 0;
    let mut cursor = tensors.cursor();
    while let Some((_, tensor)) = cursor.advance() {
        if tensor.name == OBJECT_GRAPH_KEY || named(&tensor.name) {
            continue;
        }
        orphans += 1;
        if orphans <= MOST {
            let message = format!("{}: nothing in the object graph refers to it", escaped(&tensor.name));
            result.push(Finding::new(Code::GraphOrphan, message).for_tensor(&tensor.name));
        }
    }
    if orphans > MOST {
        let message = format!("{} more tensors that nothing in the object graph refers to", orphans - MOST);
        result.push(Finding::new(Code::GraphOrphan, message));
    }
}
