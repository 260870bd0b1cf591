//! From where an op is reached: what runs when a model is loaded, called, saved, or when training starts.
//!
//! TensorFlow runs what the fetched tensors depend on. In the graph itself that is followed backwards along inputs;
//! of a function everything counts as run, because stateful ops run even where no result depends on them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::analysis::finding::op_site::When;
use crate::base::error::Result;
use crate::read::graphs::graph::{Library, Node, Objects, Part};

/// Something that a program or a loader runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root {
    /// When it is run.
    pub(super) when: When,
    /// What it is called: `signature serving_default`.
    pub(super) label: String,
    /// Which tensors whoever runs it feeds: then what stands in the graph in their place is not used.
    pub(super) fed: Fed,
    nodes: Vec<String>,
    functions: Vec<String>,
}

/// What is fed. Programs that train run their own graphs and are not judged by what stands in for a path.
///
/// TensorFlow: `RunRestore` and `RunInitOp` in `cc/saved_model/loader.cc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fed {
    /// The path for the saver.
    pub(super) saver: bool,
    /// The paths of assets.
    pub(super) assets: bool,
}

/// Most nodes that are visited for all roots together. A model with a million nodes and twenty signatures needs that;
/// a file made to hurt needs more, and is told that it was not followed to the end.
const BUDGET: u64 = 20_000_000;

/// Most nodes of one graph that are followed: each takes some hundred bytes.
const MOST_NODES: usize = 1 << 22;

/// The nodes of a graph, found by name.
#[derive(Debug, Default)]
pub(super) struct Top<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    by_name: HashMap<&'a [u8], u32>,
    /// Whether the graph has more nodes than are kept.
    pub(super) too_many: bool,
}

/// Which roots reach what.
#[derive(Debug, Default)]
pub(super) struct Reach {
    pub(super) roots: Vec<Root>,
    /// Of every function the roots, by position.
    pub(super) functions: Vec<BTreeSet<u32>>,
    /// Of the nodes of the graph that were asked about, likewise.
    pub(super) nodes: BTreeMap<u32, BTreeSet<u32>>,
    /// Whether there was more to follow than is followed.
    pub(super) unfinished: bool,
}

impl<'a> Top<'a> {
    pub(super) fn read(part: &Part<'a>) -> Result<Self> {
        let mut top = Self::default();
        part.each_node(|node| {
            if top.nodes.len() >= MOST_NODES {
                top.too_many = true;
                return Ok(());
            }
            let at = u32::try_from(top.nodes.len()).unwrap_or(u32::MAX);
            top.by_name.entry(node.name).or_insert(at);
            top.nodes.push(node);
            Ok(())
        })?;
        Ok(top)
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<(u32, Node<'a>)> {
        let at = *self.by_name.get(name)?;
        Some((at, *self.nodes.get(at as usize)?))
    }
}

/// `a:0` and `^a` are of node `a`.
fn node_of(tensor: &str) -> &str {
    let name = tensor.strip_prefix('^').unwrap_or(tensor);
    name.split_once(':').map_or(name, |(node, _)| node)
}

/// The tensors in the text of a `TensorInfo`: one name, or `sparse(values v:0, indices i:0, …)`, `RAGGED…(a:0, b:0)`.
fn tensors_of(name: &str) -> impl Iterator<Item = &str> {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner.trim_end_matches(')'));
    inner.split(['(', ')', ',']).filter_map(|part| part.split_ascii_whitespace().next_back())
}

/// Collections of ops that initialize; every other one names what a program runs for another reason.
const INITIALIZERS: [&str; 6] =
    ["init_op", "local_init_op", "table_initializer", "ready_op", "ready_for_local_init_op", "init_fn"];

const RESTORING: &str = "restoring the variables";

/// Everything that is run in a graph, as far as its file says.
pub(super) fn roots(part: &Part<'_>, objects: &Objects<'_>) -> Vec<Root> {
    let mut roots = Vec::new();
    let mut add = |when, label: String, nodes: Vec<String>, functions: Vec<String>| {
        let fed = match when {
            When::Load => Fed { saver: label == RESTORING, assets: true },
            When::Call => Fed { saver: false, assets: false },
            When::Save | When::Start => Fed { saver: true, assets: true },
        };
        roots.push(Root { when, label, fed, nodes, functions });
    };
    let init = part.init_ops();
    for (at, (key, name)) in init.iter().enumerate() {
        // Models name one op under two keys, for older loaders.
        if init.iter().take(at).any(|(_, before)| node_of(before) == node_of(name)) {
            continue;
        }
        add(When::Load, format!("the initialization ({key})"), vec![node_of(name).to_owned()], vec![]);
    }
    if let Some(saver) = &part.meta.saver {
        add(When::Load, RESTORING.into(), vec![node_of(&saver.restore_op_name).to_owned()], vec![]);
        add(When::Save, "the saver".into(), vec![node_of(&saver.save_tensor_name).to_owned()], vec![]);
    }
    for (key, signature) in &part.meta.signatures {
        if key == "__saved_model_init_op" {
            continue;
        }
        let label = match key.as_str() {
            "__saved_model_train_op" => "the train op".to_owned(),
            key => format!("signature {key}"),
        };
        let outputs = signature.outputs.values().flat_map(|info| tensors_of(&info.name));
        add(When::Call, label, outputs.map(|name| node_of(name).to_owned()).collect(), vec![]);
    }
    let callables = objects.callables();
    let at_load: BTreeSet<String> =
        callables.iter().filter(|c| c.at_load).flat_map(|c| c.functions.iter().cloned()).collect();
    for callable in callables {
        // Below the initializer of a table hangs its one concrete function.
        if !callable.at_load && callable.functions.iter().all(|function| at_load.contains(function)) {
            continue;
        }
        let (when, what) = if callable.at_load { (When::Load, "resource") } else { (When::Call, "function") };
        add(when, format!("{what} {}", callable.path), vec![], callable.functions);
    }
    for (key, names) in &part.node_lists {
        if ["saved_model_main_op", "legacy_init_op"].contains(&key.as_str()) {
            continue;
        }
        let when = if INITIALIZERS.contains(&key.as_str()) { When::Start } else { When::Call };
        let nodes = names.iter().map(|name| node_of(name).to_owned()).collect();
        add(when, format!("collection {key}"), nodes, vec![]);
    }
    if !part.initializers.is_empty() {
        let nodes = part.initializers.iter().map(|(_, name)| node_of(name).to_owned()).collect();
        add(When::Start, "the initializers of variables".into(), nodes, vec![]);
    }
    roots
}

impl Reach {
    /// Follows every root. `calls` are the functions that each function calls; of the graph's own nodes only those in
    /// `asked` are remembered.
    pub(super) fn follow(
        roots: Vec<Root>,
        top: &Top<'_>,
        library: &Library<'_>,
        calls: &[Vec<u32>],
        asked: &BTreeSet<u32>,
    ) -> Result<Self> {
        let mut reach =
            Self { functions: vec![BTreeSet::new(); calls.len()], unfinished: top.too_many, ..Self::default() };
        let mut left = BUDGET;
        // By which root each node was seen last.
        let mut seen: Vec<u32> = vec![u32::MAX; top.nodes.len()];
        for (at, root) in roots.iter().enumerate() {
            let at = u32::try_from(at).unwrap_or(u32::MAX - 1);
            let mut functions: Vec<u32> =
                root.functions.iter().filter_map(|name| position(library, name.as_bytes())).collect();
            let mut open: Vec<u32> = root.nodes.iter().filter_map(|name| Some(top.find(name.as_bytes())?.0)).collect();
            while let Some(node) = open.pop() {
                match seen.get_mut(node as usize) {
                    Some(last) if *last != at => *last = at,
                    _ => continue,
                }
                let Some(left_now) = left.checked_sub(1) else { break };
                left = left_now;
                if asked.contains(&node) {
                    reach.nodes.entry(node).or_default().insert(at);
                }
                let Some(node) = top.nodes.get(node as usize) else { continue };
                node.each_input(|input| open.extend(top.find(input.node).map(|(at, _)| at)))?;
                called(node, library, &mut |function| functions.push(function))?;
            }
            while let Some(function) = functions.pop() {
                let Some(left_now) = left.checked_sub(1) else { break };
                left = left_now;
                if reach.functions.get_mut(function as usize).is_some_and(|roots| roots.insert(at)) {
                    functions.extend(calls.get(function as usize).into_iter().flatten());
                }
            }
            reach.unfinished |= left == 0;
        }
        reach.roots = roots;
        Ok(reach)
    }
}

/// The position of a function in its library.
pub(super) fn position(library: &Library<'_>, name: &[u8]) -> Option<u32> {
    u32::try_from(*library.by_name.get(name)?).ok()
}

/// Hands the functions that a node calls to `take`: those that its attributes name, its op if it is a function, and
/// the gradients of both.
pub(super) fn called(node: &Node<'_>, library: &Library<'_>, take: &mut dyn FnMut(u32)) -> Result<()> {
    let mut one = |name: &[u8]| {
        if let Some(function) = position(library, name) {
            take(function);
        }
        for gradient in library.gradients.get(name).into_iter().flatten() {
            if let Some(function) = position(library, gradient) {
                take(function);
            }
        }
    };
    one(node.op);
    node.each_function(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_of_dense_and_composite_outputs() {
        assert_eq!(tensors_of("a/b:0").collect::<Vec<_>>(), ["a/b:0"]);
        assert_eq!(tensors_of("sparse(values v:0, indices i:0, shape s:0)").collect::<Vec<_>>(), ["v:0", "i:0", "s:0"]);
        assert_eq!(tensors_of("RAGGED_TENSOR_SPEC(a:0, b:1)").map(node_of).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(tensors_of("").count(), 0);
    }
}
