//! Which tensors of an input are taken, in which dtype, and what they are called in the program.

use std::collections::{BTreeMap, BTreeSet};

use super::options::ConvertOptions;
use crate::analysis::element_sums::elements_crc32c;
use crate::analysis::naming::names::{Name, Names};
use crate::analysis::naming::objects::Objects;
use crate::analysis::naming::roles::{Role, Roles, short_name};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Tensor};
use crate::read::tensor::DType;

/// What the variables of a checkpoint are called in the program.
pub(super) struct OwnNames {
    names: Names,
    /// Names that several variables have, which are not the same one.
    contested: BTreeSet<Box<str>>,
}

impl OwnNames {
    /// Of all tensors.
    pub(super) fn of(checkpoint: &Checkpoint, roles: &Roles) -> Self {
        let names = Names::of(checkpoint, roles, &Objects::of(checkpoint));
        let (mut first, mut contested) = (BTreeMap::<Box<str>, usize>::new(), BTreeSet::new());
        let all = (0..).map_while(|at| Some((at, names.get(at)?)));
        for (at, Name { full_name, slot, .. }) in all {
            let Some(name) = full_name.as_ref().filter(|name| names.is_ambiguous(name)) else { continue };
            let Some(other) = first.get(name) else {
                first.insert(name.clone(), at);
                continue;
            };
            let both = checkpoint.tensor_at(*other).zip(checkpoint.tensor_at(at));
            let is_one = both.is_some_and(|(a, b)| is_same((checkpoint, &a), (checkpoint, &b)));
            // What is kept for a variable is known by that.
            if slot.is_some() || !is_one {
                contested.insert(name.clone());
            }
        }
        Self { names, contested }
    }

    /// What is to be said of tensors that have one name.
    pub(super) fn note(&self) -> Option<String> {
        let all = (0..).map_while(|at| self.names.get(at));
        let is_contested = |name: &&Name| name.full_name.as_ref().is_some_and(|name| self.contested.contains(name));
        let (of_slots, others): (Vec<&Name>, Vec<&Name>) =
            all.filter(is_contested).partition(|name| name.slot.is_some());
        let mut parts = Vec::new();
        if !of_slots.is_empty() {
            parts.push(format!("{} are called after their variable", of_slots.len()));
        }
        if !others.is_empty() {
            parts.push(format!("{} keep their keys", others.len()));
        }
        let what = parts.join(", ");
        (!what.is_empty()).then(|| format!("of the tensors that share their name in the program {what}"))
    }

    /// What the variable of a tensor is called in the program; a slot after its variable. A file that says nothing of
    /// it, or the same of several, leaves the key, without the end that all keys of objects have.
    pub(super) fn get(&self, at: usize, tensor: &Tensor) -> Option<Vec<u8>> {
        let name = self.names.get(at)?;
        let own = name.full_name.as_deref().filter(|name| !self.contested.contains(*name)).map(str::to_owned);
        let of_slot = || name.slot.as_ref().map(|slot| format!("{}/{}", slot.variable_name, slot.slot));
        let own = own.or_else(of_slot).map_or_else(|| short_name(&tensor.name).to_vec(), String::into_bytes);
        (!own.is_empty()).then_some(own)
    }
}

/// Whether two tensors are alike and have the same elements, by their checksums.
pub(super) fn is_same((x, a): (&Checkpoint, &Tensor), (y, b): (&Checkpoint, &Tensor)) -> bool {
    if a.shape != b.shape || a.dtype != b.dtype {
        return false;
    }
    match (a.crc32c(), b.crc32c()) {
        (Some(a_crc), Some(b_crc)) if a.is_numeric() && x.is_big_endian() == y.is_big_endian() => a_crc == b_crc,
        _ => matches!((elements_crc32c(x, a), elements_crc32c(y, b)), (Ok(a), Ok(b)) if a == b),
    }
}

/// The dtype in which a tensor is taken, or why it is not.
pub(super) fn take(tensor: &Tensor, role: Role, options: &ConvertOptions) -> Result<DType, &'static str> {
    let is_graph = tensor.name == OBJECT_GRAPH_KEY;
    if !is_graph && !options.only.is_empty() && !options.only.takes(tensor, role) {
        return Err("not selected");
    }
    if !options.ignore.is_empty() && options.ignore.takes(tensor, role) {
        return Err("--ignore");
    }
    // What is not trained is needed all the same: moving statistics of a normalization.
    let is_training = matches!(role, Role::Slot | Role::Optimizer | Role::Counter | Role::Average | Role::String);
    if options.weights_only && !is_graph && is_training {
        return Err("--weights-only");
    }
    let cast = options.casts.iter().find(|(_, selector)| selector.is_empty() || selector.takes(tensor, role));
    Ok(cast.filter(|_| tensor.dtype.is_float()).map_or(tensor.dtype, |(dtype, _)| *dtype))
}
