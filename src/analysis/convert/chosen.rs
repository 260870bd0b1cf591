//! Which tensors of an input are taken, in which dtype, and what they are called in the program.

use super::options::ConvertOptions;
use crate::analysis::naming::names::Names;
use crate::analysis::naming::roles::{Role, short_name};
use crate::read::checkpoint::{OBJECT_GRAPH_KEY, Tensor};
use crate::read::tensor::DType;

/// What the variable of a tensor is called in the program; a slot after its variable. A file that says nothing of it
/// leaves the key, without the end that all keys of objects have.
pub(super) fn own_name(names: &Names, at: usize, tensor: &Tensor) -> Option<Vec<u8>> {
    let name = names.get(at)?;
    let own = name.full_name.as_deref().map(str::to_owned);
    let of_slot = || name.slot.as_ref().map(|slot| format!("{}/{}", slot.variable_name, slot.slot));
    let own = own.or_else(of_slot).map_or_else(|| short_name(&tensor.name).to_vec(), String::into_bytes);
    (!own.is_empty()).then_some(own)
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
