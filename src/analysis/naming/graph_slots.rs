//! Which variable a slot belongs to, as an object graph tells it: by its slot references, by lists that have an entry
//! for each trained variable, and by the names that Keras makes of both.

use std::collections::BTreeMap;

use crate::read::checkpoint::Checkpoint;
use crate::read::graphs::object_graph::ObjectGraph;

/// Where a slot's variable is, before its name is looked up.
pub(super) struct Link {
    pub(super) variable: Vec<u8>,
    pub(super) slot: String,
}

/// Slots as an object graph tells them, by the key of the slot.
pub(super) struct Slots {
    links: BTreeMap<String, (String, String)>,
    /// Full names with `/` as `_`, as Keras 3 puts them into the names of slots, and the keys of the variables.
    mangled: BTreeMap<String, String>,
    full_names: BTreeMap<String, String>,
    /// Full names of what a Keras optimizer holds in `_variables`, by key.
    held: BTreeMap<String, String>,
}

impl Slots {
    pub(super) fn new(checkpoint: &Checkpoint, graph: &ObjectGraph) -> Self {
        let key = |node: usize| Some(graph.nodes().get(node)?.attributes.first()?.checkpoint_key.clone());
        let mut links = BTreeMap::new();
        for slot in graph.slots() {
            if let (Some(slot_key), Some(variable)) = (key(slot.variable), key(slot.original)) {
                links.entry(slot_key).or_insert((variable, slot.name.to_owned()));
            }
        }
        let (mut held, mut lists) = (BTreeMap::new(), Vec::new());
        for (node, _) in graph.nodes().iter().enumerate() {
            let Some(all) = child(graph, node, "_variables").filter(|_| child(graph, node, "_iterations").is_some())
            else {
                continue;
            };
            let members = graph.nodes().get(all).map(|node| node.children.as_slice()).unwrap_or_default();
            let mut list = BTreeMap::new();
            for member in members {
                let node = graph.resolve(member.node_id).and_then(|node| graph.nodes().get(node));
                let Some(attribute) = node.and_then(|node| node.attributes.first()) else { continue };
                held.insert(attribute.checkpoint_key.clone(), attribute.full_name.clone());
                list.extend(member.local_name.parse::<usize>().map(|at| (at, attribute.checkpoint_key.clone())));
            }
            lists.push(list.into_values().collect::<Vec<String>>());
            // Lists beside `_trainable_variables` that have an entry for each of it, of the same shape.
            let Some(trained) = child(graph, node, "_trainable_variables") else { continue };
            for list in graph.nodes().get(node).map(|node| node.children.as_slice()).unwrap_or_default() {
                if matches!(list.local_name.as_str(), "_variables" | "_trainable_variables") {
                    continue;
                }
                let Some(entries) = graph.resolve(list.node_id).and_then(|id| graph.nodes().get(id)) else { continue };
                for entry in &entries.children {
                    let variable = child(graph, trained, &entry.local_name).and_then(&key);
                    let Some((slot, variable)) = graph.resolve(entry.node_id).and_then(&key).zip(variable) else {
                        continue;
                    };
                    if same_shape(checkpoint, &slot, &variable) {
                        links.entry(slot).or_insert((variable, singular(&list.local_name)));
                    }
                }
            }
        }
        let (mut mangled, mut full_names) = (BTreeMap::new(), BTreeMap::new());
        for variable in graph.variables() {
            let (name, key) = (&variable.attribute.full_name, &variable.attribute.checkpoint_key);
            if !name.is_empty() && !held.contains_key(key) {
                mangled.entry(name.replace('/', "_")).or_insert_with(|| key.clone());
                full_names.entry(name.clone()).or_insert_with(|| key.clone());
            }
        }
        let mut slots = Self { links, mangled, full_names, held };
        for list in &lists {
            slots.factors(graph, list);
        }
        slots
    }

    /// Adafactor of Keras 3 makes three variables for each that is trained, and calls the first two of them, the factors
    /// of the third, as the variable is called in its layer (`keras/src/optimizers/adafactor.py`, `build`).
    fn factors(&mut self, graph: &ObjectGraph, list: &[String]) {
        for keys in list.windows(3) {
            let [rows, columns, whole] = keys else { continue };
            let name = |key: &String| self.held.get(key).map(String::as_str).unwrap_or_default();
            let Some((variable, slot)) = self.by_full_name(name(whole)) else { continue };
            let called = graph.variable_for_key(variable.as_bytes()).map(|v| v.attribute.full_name.as_str());
            let last = |name: &str| name.rsplit('/').next().map(str::to_owned);
            let is_called = name(rows) == name(columns) && last(name(rows)) == called.and_then(last);
            if slot == "velocity" && is_called {
                self.links.insert(rows.clone(), (variable.clone(), "r".to_owned()));
                self.links.insert(columns.clone(), (variable, "c".to_owned()));
            }
        }
    }

    pub(super) fn link(&self, key: &[u8]) -> Option<Link> {
        let key = std::str::from_utf8(key).ok()?;
        let (variable, slot) = match self.links.get(key) {
            Some((variable, slot)) => (variable.clone(), slot.clone()),
            None => self.by_full_name(self.held.get(key)?)?,
        };
        Some(Link { variable: variable.into_bytes(), slot })
    }

    /// `Adam/m/hidden/kernel` of `tf_keras`, or `m/hidden/kernel` where the program called the optimizer's `build` itself;
    /// `adam/sequential_hidden_kernel_momentum` of Keras 3.
    fn by_full_name(&self, name: &str) -> Option<(String, String)> {
        // The longest name of a variable that it ends with.
        let known = name.match_indices('/').find_map(|(at, _)| {
            let (front, variable) = (name.get(..at)?, name.get(at.saturating_add(1)..)?);
            let slot = front.rsplit('/').next().unwrap_or(front);
            Some((self.full_names.get(variable)?.clone(), slot.to_owned()))
        });
        if known.is_some() {
            return known;
        }
        let (_, rest) = name.split_once('/')?;
        // The longest name of a variable that it begins with.
        rest.match_indices('_').rev().find_map(|(at, _)| {
            let key = self.mangled.get(rest.get(..at)?)?;
            Some((key.clone(), rest.get(at.saturating_add(1)..)?.to_owned()))
        })
    }
}

fn child(graph: &ObjectGraph, node: usize, local_name: &str) -> Option<usize> {
    let children = &graph.nodes().get(node)?.children;
    graph.resolve(children.iter().find(|child| child.local_name == local_name)?.node_id)
}

fn same_shape(checkpoint: &Checkpoint, a: &str, b: &str) -> bool {
    let shape = |key: &str| checkpoint.tensor(key.as_bytes()).map(|tensor| tensor.shape.clone());
    shape(a).is_some_and(|shape_a| shape(b) == Some(shape_a))
}

/// `_momentums` → `momentum`, `_velocities` → `velocity`.
fn singular(list: &str) -> String {
    let name = list.trim_start_matches('_');
    match (name.strip_suffix("ies"), name.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) => stem.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::singular;

    #[test]
    fn slots_are_called_as_one_of_their_list() {
        assert_eq!(["_momentums", "_velocities", "_m", "x"].map(singular), ["momentum", "velocity", "m", "x"]);
    }
}
