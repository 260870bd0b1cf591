//! What can be written for other programs: the map that `init_from_checkpoint` takes, and what a model wants.

use std::collections::BTreeMap;

use super::by_name::spec_of;
use super::model::{Model, Wants};
use super::reachable::Reachable;
use super::{Restore, RestoreOptions};
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::checkpoint::{
    Checkpoint, OBJECT_GRAPH_KEY, Opened, Origin, Parts, Place, Slices, SourceKind, StoredSlice, Tensor,
};
use crate::read::container::Nothing;
use crate::read::graphs::restores::Wanted;
use crate::read::tensor::{DType, Shape};

/// For everything that fits: the name in the checkpoint, and the variable that would take it.
///
/// That is the `assignment_map` of `tf.compat.v1.train.init_from_checkpoint`: it leaves out what does not fit, where a
/// restore would fail as a whole. Parts of a partitioned variable go by the name of the whole.
pub fn assignment_map(restore: &Restore) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let pair = |found: &super::Match| {
        let variable = found.variable.as_ref().filter(|name| !name.is_empty());
        let variable = variable.map_or_else(|| found.name.clone(), |name| name.clone().into_bytes());
        (found.stored.clone(), whole(&variable, &found.name))
    };
    restore.matched.iter().filter(|found| !super::is_save_counter(&found.name)).map(pair).collect()
}

/// `w/part_3` of the tensor `w` as `w`.
fn whole(variable: &[u8], tensor: &[u8]) -> Vec<u8> {
    match variable.strip_prefix(tensor) {
        Some(rest) if rest.starts_with(b"/part_") => tensor.to_vec(),
        _ => variable.to_vec(),
    }
}

/// What a model wants, as a checkpoint without values, of which a listing can be made.
pub fn expectation(model: &Model, limits: &Limits) -> Checkpoint {
    let mut tensors = Vec::new();
    match &model.wants {
        Wants::Names(plan) => {
            let mut parts: BTreeMap<&[u8], Vec<&Wanted>> = BTreeMap::new();
            for wanted in plan.reads.iter().flat_map(|read| &read.tensors) {
                parts.entry(&wanted.name).or_default().push(wanted);
            }
            tensors.extend(parts.into_iter().filter_map(|(name, wanted)| tensor(name, &wanted)));
        }
        Wants::Keras(keras) => tensors.extend(keras.wanted()),
        Wants::Objects(objects) => {
            let reachable = Reachable::of(objects, &RestoreOptions::default(), &std::collections::BTreeSet::new());
            for (at, state) in reachable.state(objects) {
                let dtype = state.spec.dtype.unwrap_or(DType::Invalid);
                let key = objects.key(at, &state.suffix);
                tensors.push(Tensor::without_values(&key, dtype, state.spec.shape.clone()));
            }
            // This key says that the others are paths of objects.
            tensors.push(Tensor::without_values(OBJECT_GRAPH_KEY, DType::String, Shape::scalar()));
        }
    }
    tensors.retain(|tensor| tensor.dtype != DType::Invalid);
    let origin = Origin::of_prefix(&model.path, SourceKind::Bundle, Prefix::new(model.path.as_os_str()));
    let tensors = tensors.into_iter().collect();
    let opened = Opened { tensors, damage: Vec::new(), notes: Vec::new(), container: Box::new(Nothing) };
    Checkpoint::of_opened(origin, opened, limits)
}

fn tensor(name: &[u8], wanted: &[&Wanted]) -> Option<Tensor> {
    let first = wanted.first()?;
    let spec = spec_of(first);
    let mut tensor = Tensor::without_values(name, spec.dtype?, spec.shape);
    let place = Some(Place { shard: 0, range: None, crc32c: None });
    let slices = wanted.iter().filter_map(|wanted| wanted.part.as_ref());
    let slices: Slices = slices.map(|part| StoredSlice { slice: part.slice.clone(), place }).collect();
    if !slices.is_empty() {
        tensor.parts = Parts::Slices(slices);
    }
    Some(tensor)
}
