//! Optimizers whose variables a file of Keras only counts, and an object graph lists in the same order.

use std::collections::{BTreeMap, BTreeSet};

use super::by_path::keras;
use super::pair::Leftovers;
use crate::analysis::naming::identity::{Identities, Identity};
use crate::analysis::naming::objects::Objects;
use crate::read::checkpoint::Checkpoint;
use crate::read::formats::keras::{KerasFile, Naming};
use crate::read::graphs::object_graph::ObjectGraph;

/// Pairs the numbered variables of an optimizer in a file of Keras with the list `_variables` of the optimizer in an
/// object graph, which is the same list: where their shapes agree throughout, and the order of the trained variables is
/// the one in which the file counts its layers.
pub(super) fn counted(
    (a, b): (&Checkpoint, &Checkpoint),
    ids: &(Identities, Identities),
    left: &Leftovers,
    found: &mut BTreeMap<usize, usize>,
) {
    let pairs = match (keras(a), keras(b)) {
        (Some(file), None) => {
            let partners = found.iter().map(|(at, b_at)| (*b_at, *at)).collect();
            lists((a, file), (b, &ids.1), &partners)
        }
        (None, Some(file)) => lists((b, file), (a, &ids.0), found),
        _ => None,
    };
    let is_b = keras(a).is_none();
    let (in_a, in_b): (BTreeSet<usize>, BTreeSet<usize>) =
        (left.a.iter().copied().collect(), left.b.iter().copied().collect());
    let taken: BTreeSet<usize> = found.values().copied().collect();
    for (in_file, in_graph) in pairs.into_iter().flatten() {
        let (at, b_at) = if is_b { (in_graph, in_file) } else { (in_file, in_graph) };
        if in_a.contains(&at) && in_b.contains(&b_at) && !found.contains_key(&at) && !taken.contains(&b_at) {
            found.insert(at, b_at);
        }
    }
}

/// The positions of the variables of the two lists, if they are the same list. `partners` are weights of the file by
/// those of the other that have been found to be the same.
fn lists(
    (side, file): (&Checkpoint, &KerasFile),
    (other, theirs): (&Checkpoint, &Identities),
    partners: &BTreeMap<usize, usize>,
) -> Option<Vec<(usize, usize)>> {
    let counted = &file.facts().optimizer;
    let objects = Objects::of(other);
    let listed = of_optimizer(objects.graph()?)?;
    if counted.len() != listed.len() || file.facts().naming != Naming::Objects {
        return None;
    }
    let by_name: BTreeMap<&Identity, usize> = theirs.all().map(|(at, identity)| (identity, at)).collect();
    let (mut pairs, mut places) = (Vec::new(), BTreeMap::<Vec<u8>, u64>::new());
    for (path, key) in counted.iter().zip(listed) {
        let (at, b_at) = (side.tensors().find(path)?, other.tensors().find(key.as_bytes())?);
        let (x, y) = (side.tensor_at(at)?, other.tensor_at(b_at)?);
        if x.shape != y.shape || x.dtype != y.dtype {
            return None;
        }
        if let Some(Identity::Slot { variable, .. }) = theirs.get(b_at) {
            let weight = *partners.get(by_name.get(&Identity::Variable(variable.clone()))?)?;
            let (group, number) = place(&side.tensor_at(weight)?.name)?;
            // Layers of one class are counted in the order of the model.
            if places.insert(group, number).is_some_and(|before| before > number) {
                return None;
            }
        }
        pairs.push((at, b_at));
    }
    Some(pairs)
}

/// The class of the outermost layer that a data set belongs to, as its group is called, and which of them it is.
fn place(path: &[u8]) -> Option<(Vec<u8>, u64)> {
    let text = std::str::from_utf8(path).ok()?;
    let mut parts = text.split('/');
    let (list, layer) = (parts.next()?, parts.next()?);
    let class = layer.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = layer.get(class.len()..)?;
    let number = if number.is_empty() { 0 } else { number.parse().ok()? };
    Some((format!("{list}/{}", class.trim_end_matches('_')).into_bytes(), number))
}

/// The keys of the list `_variables` of the only optimizer in a graph.
fn of_optimizer(graph: &ObjectGraph) -> Option<Vec<&str>> {
    let child = |node: usize, name: &str| {
        let child = graph.nodes().get(node)?.children.iter().find(|child| child.local_name == name)?;
        graph.resolve(child.node_id)
    };
    let mut lists = (0..graph.nodes().len()).filter_map(|node| {
        child(node, "_iterations")?;
        child(node, "_variables")
    });
    let list = lists.next().filter(|_| lists.next().is_none())?;
    let members = graph.nodes().get(list)?.children.len();
    let key = |n: usize| {
        let node = graph.nodes().get(child(list, &n.to_string())?)?;
        Some(node.attributes.first()?.checkpoint_key.as_str())
    };
    (0..members).map(key).collect()
}
