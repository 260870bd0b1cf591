//! What a tensor is for, by the program that saved it, where that lies beside: the `.meta` of a checkpoint, the
//! `saved_model.pb` of a SavedModel, the lists of an optimizer in the object graph. It decides before names do.

use std::collections::HashSet;
use std::path::PathBuf;

use super::Role;
use super::key::{short_name, split_last};
use super::names::{is_parameter, is_statistic};
use crate::analysis::naming::objects::Objects;
use crate::read::checkpoint::Checkpoint;
use crate::read::graphs::object_graph::ObjectGraph;
use crate::read::graphs::saved_model::SavedModel;
use crate::read::graphs::training::{Constants, Purpose, Training};
use crate::read::storage;

/// A role, and whose slot or number it is.
pub(super) type RoleOf = (Role, Option<&'static str>);

/// The program beside a checkpoint.
#[derive(Debug)]
pub(super) struct Program {
    training: Training,
    /// The file that it was read from.
    pub(super) file: PathBuf,
}

impl Program {
    /// Reads what lies beside. What cannot be read says nothing, and `inspect` says why.
    pub(super) fn beside(checkpoint: &Checkpoint) -> Option<Self> {
        let origin = checkpoint.origin();
        let (training, file) = if let Some(dir) = &origin.saved_model {
            let file = SavedModel::file_in(dir).ok()?;
            let is_key = |key: &str| checkpoint.tensor(key.as_bytes()).is_some();
            (Training::read_saved_model(&file, is_key, checkpoint.limits()).ok()??, file)
        } else {
            let file = origin.prefix.meta();
            if !storage::is_file(&file) {
                return None;
            }
            (Training::read(&file, checkpoint.limits()).ok()??, file)
        };
        let mut known = false;
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((_, tensor)) = cursor.advance() {
            known = training.purpose(&tensor.name).is_some();
            if known {
                break;
            }
        }
        known.then_some(Self { training, file })
    }

    /// The role of a tensor whose name alone would make it `named`.
    pub(super) fn role(&self, name: &[u8], named: RoleOf) -> RoleOf {
        let Some(purpose) = self.training.purpose(name) else { return named };
        let name = name.strip_suffix(b":0").unwrap_or(name);
        match purpose {
            // A Saver that swaps averages in (`variables_to_restore`) stores a variable under the name of its average.
            Purpose::Updated | Purpose::Trained if named.0 == Role::Average => named,
            // Optimizers that are written in other ops often leave `trainable=False` out for what they keep.
            Purpose::Trained if named.0 == Role::Slot && named.1.is_some() => named,
            // `get_variable` and `Variable` make everything trainable; no optimizer moves a whole number.
            Purpose::Updated | Purpose::Trained if named.0 == Role::Counter => named,
            Purpose::Updated | Purpose::Trained => (Role::Weight, None),
            Purpose::Trainable => named,
            Purpose::Slot(optimizer) => (Role::Slot, Some(optimizer)),
            Purpose::Hyperparameter(optimizer) => (Role::Optimizer, named.1.or(Some(optimizer))),
            Purpose::Step => (Role::Counter, None),
            Purpose::Table => (Role::Table, None),
            Purpose::Average if self.is_of_parameter(name) => (Role::Average, None),
            Purpose::Average if is_statistic(split_last(name).1) => named,
            // The average of a loss or a measure is one too.
            Purpose::Average | Purpose::Metric => (Role::Other, None),
            Purpose::NotTrained => {
                let own = self.training.full_name(name).map_or_else(|| short_name(name), str::as_bytes);
                not_trained(own, named)
            }
        }
    }

    /// What optimizers are given as constants of its graph.
    pub(super) fn constants(&self) -> &[Constants] {
        self.training.constants()
    }

    /// Whether the program says what this is, rather than only that nothing trains it.
    pub(super) fn is_decided(&self, name: &[u8]) -> bool {
        self.training.purpose(name).is_some_and(|purpose| purpose != Purpose::NotTrained)
    }

    /// Whether a name goes on from that of a variable of the model.
    fn is_of_parameter(&self, name: &[u8]) -> bool {
        memchr::memchr_iter(b'/', name).any(|at| {
            let front = name.get(..at).unwrap_or_default();
            match self.training.purpose(front) {
                Some(Purpose::Updated | Purpose::Trained | Purpose::Trainable) => true,
                Some(_) => is_parameter(split_last(front).1) || is_statistic(split_last(front).1),
                None => false,
            }
        })
    }
}

/// A variable that nothing trains is no weight, unless it is called as only weights are: layers may be frozen, and what
/// a normalization gathers belongs to the model.
fn not_trained(name: &[u8], named: RoleOf) -> RoleOf {
    let last = split_last(name).1;
    match named.0 {
        Role::Weight if !is_parameter(last) && !is_statistic(last) => (Role::Other, None),
        _ => named,
    }
}

/// Keys of the moving averages that Keras optimizers keep of variables (`use_ema`): lists call them so, keys do not.
///
/// Keras: `optimizers/base_optimizer.py`, `_model_variables_moving_average`.
pub(super) fn averages_of_optimizers(checkpoint: &Checkpoint) -> HashSet<Vec<u8>> {
    let objects = Objects::of(checkpoint);
    objects.graph().map(averages).unwrap_or_default()
}

fn averages(graph: &ObjectGraph) -> HashSet<Vec<u8>> {
    let lists = graph.nodes().iter().flat_map(|node| &node.children);
    let lists = lists.filter(|child| child.local_name == "_model_variables_moving_average");
    let node = |id: i32| graph.nodes().get(graph.resolve(id)?);
    let entries = lists.filter_map(|list| node(list.node_id)).flat_map(|list| &list.children);
    let keys = entries.filter_map(|entry| node(entry.node_id)?.attributes.first());
    keys.map(|attribute| attribute.checkpoint_key.clone().into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_trained_is_no_weight_unless_it_is_called_as_one() {
        let weight = (Role::Weight, None);
        for (name, role) in [
            (&b"episode/returns"[..], Role::Other),
            (b"frozen/kernel", Role::Weight),
            (b"bn/moving_mean", Role::Weight),
            (b"old/embeddings_1", Role::Weight),
        ] {
            assert_eq!(not_trained(name, weight).0, role, "{}", name.escape_ascii());
        }
        assert_eq!(not_trained(b"w/Adam", (Role::Slot, Some("Adam"))).0, Role::Slot);
    }
}
