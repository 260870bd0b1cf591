//! What one of two checkpoints has because of the kind that it is, and the other cannot have: no difference between
//! what they hold. It is counted and named, and not compared.

use std::collections::BTreeSet;

use super::by_path::keras;
use super::model::OneSided;
use super::side::Side;
use crate::analysis::naming::identity::copies;
use crate::analysis::naming::names::Names;
use crate::analysis::naming::objects::Objects;
use crate::analysis::naming::roles::{Roles, short_name};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, SourceKind, Tensor};

impl OneSided {
    /// Of a tensor without a partner in `other`; `None` if `other` could have had one. `copies` are those of its side.
    pub(super) fn of(
        side: Side,
        (at, tensor): (usize, &Tensor),
        copies: &BTreeSet<usize>,
        other: &Checkpoint,
    ) -> Option<Self> {
        // What does not exist could have been anything.
        if other.origin().kind == SourceKind::Nothing {
            return None;
        }
        let why = if tensor.name == OBJECT_GRAPH_KEY {
            // A checkpoint of objects without its graph has lost it: keys of objects have an end of their own.
            let is_by_names = other.tensors().iter().all(|tensor| short_name(&tensor.name).len() == tensor.name.len());
            let cannot = other.format().id != "bundle" || is_by_names;
            (cannot && !other.is_object_based()).then_some("the object graph, only in a checkpoint of objects")
        } else if copies.contains(&at) && other.origin().kind != SourceKind::SavedModel {
            Some("a copy of the variable of the same name, only in what Keras exported")
        } else {
            let is_counter = tensor.name == b"save_counter/.ATTRIBUTES/VARIABLE_VALUE";
            let is_model = keras(other).is_some() || matches!(other.origin().kind, SourceKind::SavedModel);
            (is_counter && is_model).then_some("the count of saves, only in a checkpoint of tf.train.Checkpoint")
        };
        Some(Self { side, name: tensor.name.as_slice().into(), why: why? })
    }
}

/// Positions of what is in a SavedModel of Keras 3 a second time.
pub(super) fn copies_in(side: &Checkpoint) -> BTreeSet<usize> {
    if side.origin().kind != SourceKind::SavedModel {
        return BTreeSet::new();
    }
    let names = Names::of(side, &Roles::of(side), &Objects::of(side));
    copies(side, &|at| names.get(at).and_then(|name| name.full_name.as_deref()))
}
