//! What a walk of object graphs asks for, compared with what is stored.

use std::collections::BTreeSet;

use super::model::ModelKind;
use super::objects::Objects;
use super::prediction::{Match, Mismatch, Missing, Raise, Restore, RestoreOptions};
use super::reachable::Reachable;
use super::rules::{compatible, cpp_name, python_shape, shard_of};
use super::stored::Stored;
use super::walk::{Request, Walk};
use crate::base::escape::escaped;
use crate::read::graphs::object_graph::ObjectGraph;
use crate::read::tensor::Shape;

/// What a restore into other objects would come to: how many tensors fit, and what it raises.
pub(super) struct Outcome {
    pub(super) matched: usize,
    pub(super) raises: Vec<Raise>,
}

/// The same without the lists.
pub(super) fn outcome(stored: &Stored, kind: &ModelKind, objects: &Objects) -> Outcome {
    let (empty, mut result) = (ObjectGraph::default(), Restore::default());
    let reachable = Reachable::of(objects, &RestoreOptions::default(), &stored.excluded);
    let mut walk = Walk::new(stored.graph.as_ref().unwrap_or(&empty), objects, stored, kind);
    walk.run();
    judge_requests(&walk, &reachable, &mut result);
    result.raises.splice(..0, walk.raise.clone());
    let counter = result.matched.iter().filter(|found| super::is_save_counter(&found.name)).count();
    Outcome { matched: result.matched.len().saturating_sub(counter), raises: result.raises }
}

/// Whether a key holds a part of a lookup table, which takes any number of keys (`lookup_ops.py`).
pub(super) fn is_table(key: &[u8]) -> bool {
    key.ends_with(b"/.ATTRIBUTES/table-keys") || key.ends_with(b"/.ATTRIBUTES/table-values")
}

/// What a table says of keys or values (`LookupInterface`, `core/framework/lookup_interface.cc`): any number of them, each
/// of its own shape.
pub(super) fn table_refuses(key: &[u8], wanted: &Shape, found: &Shape) -> Option<String> {
    let (wanted, dims) = (wanted.dims()?, found.dims()?);
    let ([_, each @ ..], [count, stored @ ..]) = (wanted, dims) else { return None };
    if each == stored {
        return None;
    }
    let list = |dims: &[i64]| dims.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    Some(if key.ends_with(b"-keys") {
        format!("Input key shape {found} must end with the table's key shape [{}]", list(each))
    } else {
        let expected: Vec<i64> = std::iter::once(*count).chain(each.iter().copied()).collect();
        format!("Expected shape [{}] for value, got {found}", list(&expected))
    })
}

/// Compares everything that is read with what is stored. Returns the keys that are.
pub(super) fn judge_requests(walk: &Walk<'_>, reachable: &Reachable, result: &mut Restore) -> BTreeSet<Vec<u8>> {
    let (mut read, mut dtypes, mut shapes, mut tables) = (BTreeSet::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut first_missing, mut lost) = (None, None);
    for Request { key, wants } in &walk.requests {
        let name = wants.as_ref().map_or_else(|| key.clone(), |(at, state)| walk.objects.key(*at, &state.suffix));
        let Some(entry) = walk.stored.get(key) else {
            first_missing.get_or_insert_with(|| format!("Key {} not found in checkpoint", escaped(key)));
            let spec = wants.as_ref().map(|(_, state)| state.spec.clone());
            let spec = spec.unwrap_or(super::Spec { dtype: None, shape: Shape::unknown_rank() });
            let role = reachable.role(&name);
            result.missing.push(Missing { name, spec, crc32c: None, variable: None, role, candidates: Vec::new() });
            continue;
        };
        read.insert(key.clone());
        if entry.is_lost {
            lost.get_or_insert_with(|| format!("{}; No such file or directory", shard_of(walk.stored, &entry.tensor)));
        }
        let full_name = wants.as_ref().and_then(|(at, _)| walk.objects.get(*at)).map(|object| object.full_name.clone());
        let (found, variable) = (entry.spec(), full_name.filter(|name| !name.is_empty()));
        let Some((at, state)) = wants else {
            result.matched.push(Match { name, stored: key.clone(), variable });
            continue;
        };
        let wrong_dtype = state.spec.dtype.filter(|dtype| *dtype != entry.tensor.dtype);
        if let Some(dtype) = wrong_dtype {
            let (want, have) = (cpp_name(dtype), cpp_name(entry.tensor.dtype));
            let key = escaped(key);
            dtypes.push(format!("tensor_name = {key}; expected dtype {want} does not equal original dtype {have}"));
        } else if is_table(key) {
            if let Some(message) = table_refuses(key, &state.spec.shape, &found.shape) {
                tables.push(message);
            } else {
                result.matched.push(Match { name, stored: key.clone(), variable });
                continue;
            }
        } else if !compatible(&state.spec.shape, &found.shape) {
            let (value, variable) = (python_shape(&found.shape), python_shape(&state.spec.shape));
            let full_name = walk.objects.get(*at).map(|object| object.full_name.as_str()).unwrap_or_default();
            let full_name = escaped(full_name.as_bytes());
            shapes.push(format!(
                "Received incompatible tensor with shape {value} when attempting to restore variable with shape {variable} and name {full_name}:0."
            ));
        } else {
            result.matched.push(Match { name, stored: key.clone(), variable });
            continue;
        }
        let (expected, role, stored) = (state.spec.clone(), reachable.role(&name), key.clone());
        result.mismatched.push(Mismatch { name, stored, variable, expected, found, silent: false, role, hint: None });
    }
    let raise = |class, message| Raise { class, message };
    result.raises = if let Some(message) = first_missing.or(lost) {
        vec![raise("NotFoundError", message)]
    } else if !dtypes.is_empty() {
        vec![raise("InvalidArgumentError", dtypes.join("\n"))]
    } else {
        let tables = tables.into_iter().map(|message| raise("InvalidArgumentError", message));
        shapes.into_iter().map(|message| raise("ValueError", message)).chain(tables).collect()
    };
    read
}
