//! How one tensor is judged: by its key, by the program beside it, by its name, by what stands around it, by its dtype.

use std::collections::{BTreeSet, HashSet};
use std::sync::OnceLock;

use memchr::memmem::Finder;

use super::Role;
use super::key::{has_value_suffix, own_name, short_name, split_last, strip_number};
use super::names::{HYPER, SCOPES, SLOT_KINDS, SLOTS, begins_a_slot, is_parameter};
use super::program::{Program, RoleOf, averages_of_optimizers};
use super::structure::{Ancestors, by_purpose, is_table, without_scopes};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Purpose, Tensor};
use crate::read::tensor::DType;

pub(super) struct Judge<'c> {
    pub(super) checkpoint: &'c Checkpoint,
    /// What stands in the keys of slots (`core.SLOT_NAME` in `trackable`).
    pub(super) slot_marker: Finder<'static>,
    pub(super) metrics: Finder<'static>,
    /// Paths of Keras optimizers in an object-based checkpoint, with a `/` behind each.
    pub(super) optimizers: OnceLock<BTreeSet<Vec<u8>>>,
    /// Keys of averages in the lists of such optimizers.
    pub(super) averages: OnceLock<HashSet<Vec<u8>>>,
    pub(super) program: Option<Program>,
}

/// What the file itself says that a tensor is for.
fn by_told(purpose: Purpose, tensor: &Tensor) -> RoleOf {
    let is_scalar = tensor.shape.rank() == Some(0);
    let role = match purpose {
        Purpose::Weight | Purpose::Untrained if tensor.dtype == DType::String => Role::String,
        // Steps of an optimizer; and what a normalization has counted is not what it computes with.
        Purpose::Untrained | Purpose::Optimizer(_) if is_scalar && is_integer(tensor.dtype) => Role::Counter,
        Purpose::Weight | Purpose::Untrained => Role::Weight,
        // Every optimizer has its learning rate before the state of the first variable, if it stores it.
        Purpose::Optimizer(at) if is_scalar && at < 2 => Role::Optimizer,
        Purpose::Optimizer(_) => Role::Slot,
        Purpose::Metric | Purpose::Seed => Role::Other,
    };
    (role, None)
}

impl Judge<'_> {
    /// An object with `_learning_rate`, `_iterations` or `iter` beside it is an optimizer.
    fn find_optimizers(&self) -> BTreeSet<Vec<u8>> {
        let mut optimizers = BTreeSet::new();
        let mut cursor = self.checkpoint.tensors().cursor();
        while let Some((_, tensor)) = cursor.advance() {
            if !has_value_suffix(&tensor.name) {
                continue;
            }
            let (path, last) = split_last(short_name(&tensor.name));
            if matches!(last, b"_learning_rate" | b"_iterations" | b"iter" | b"learning_rate" | b"beta_1") {
                optimizers.insert(path.to_vec());
            }
        }
        optimizers
    }

    /// The program's word, where it has one, else what name and shape say; and whether it may be a slot of the variable
    /// that it stands below, if others are called so too.
    pub(super) fn role(&self, tensor: &Tensor, kind: usize, ancestors: &Ancestors) -> (RoleOf, bool) {
        let named = self.named(tensor, kind, ancestors);
        let is_open = named.0 == Role::Weight
            && tensor.shape.rank() != Some(0)
            && !has_value_suffix(&tensor.name)
            && self.parent(tensor, ancestors) == Some(kind)
            && !is_parameter(own_name(&tensor.name));
        match &self.program {
            Some(program) if named.0 != Role::String => {
                (program.role(&tensor.name, named), is_open && !program.is_decided(&tensor.name))
            }
            _ => (named, is_open),
        }
    }

    /// The kind of the tensor that a name is a child of.
    fn parent(&self, tensor: &Tensor, ancestors: &Ancestors) -> Option<usize> {
        let name = tensor.name.strip_suffix(b":0").unwrap_or(&tensor.name);
        let whole = split_last(name).0.strip_suffix(b"/").unwrap_or_default();
        // With `:0` behind both, a slot stands before its variable.
        if name.len() < tensor.name.len() { self.kind_of(&[whole, b":0"].concat()) } else { ancestors.parent(whole) }
    }

    fn named(&self, tensor: &Tensor, kind: usize, ancestors: &Ancestors) -> RoleOf {
        let name: &[u8] = &tensor.name;
        if name == OBJECT_GRAPH_KEY {
            return (Role::Other, None);
        }
        if let Some(purpose) = self.checkpoint.told(name).and_then(|told| told.purpose) {
            return by_told(purpose, tensor);
        }
        if is_table(name, |partner| self.checkpoint.tensors().find(partner).is_some()) {
            return (Role::Table, None);
        }
        match tensor.dtype {
            DType::String => return (Role::String, None),
            DType::Variant | DType::Resource => return (Role::Other, None),
            _ => {}
        }
        let scalar = tensor.shape.rank() == Some(0);
        let found = if has_value_suffix(name) { self.by_key(tensor) } else { self.by_name(tensor, kind, ancestors) };
        if let Some(found) = found {
            return found;
        }
        let name = name.strip_suffix(b":0").unwrap_or(name);
        if let Some(role) = by_purpose(short_name(name), scalar, &self.metrics) {
            return (role, None);
        }
        if scalar && is_float(tensor.dtype) {
            let last = std::str::from_utf8(split_last(short_name(name)).1).unwrap_or_default();
            if HYPER.contains(&last) || HYPER.contains(&strip_number(last)) {
                let owner = strip_number(last).starts_with("beta").then_some("Adam");
                return (Role::Optimizer, owner);
            }
            if has_value_suffix(name) && self.is_optimizer(split_last(short_name(name)).0) {
                return (Role::Optimizer, None);
            }
        }
        if scalar && is_integer(tensor.dtype) {
            return (Role::Counter, None);
        }
        (by_dtype(tensor.dtype), None)
    }

    /// `<variable path>/.OPTIMIZER_SLOT/<optimizer path>/<slot>`, or an entry in a Keras optimizer's list.
    fn by_key(&self, tensor: &Tensor) -> Option<RoleOf> {
        let path = short_name(&tensor.name);
        if self.slot_marker.find(path).is_some() {
            return Some((Role::Slot, slot_kind(split_last(path).1)));
        }
        // Of most names the last byte tells that they are no entry of a list.
        if !path.last().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let (list, last) = split_last(path);
        if !last.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let list = list.strip_suffix(b"/")?;
        let (owner, list) = split_last(list);
        if !self.is_optimizer(owner) {
            return None;
        }
        Some(match list {
            // The model's weights, kept under the shorter path.
            b"_trainable_variables" => return None,
            b"_model_variables_moving_average" => (Role::Average, None),
            _ if self.averages.get_or_init(|| averages_of_optimizers(self.checkpoint)).contains(&*tensor.name) => {
                (Role::Average, None)
            }
            // A number here is the slot of a number: the optimizer's own are attributes with a name.
            _ => (Role::Slot, None),
        })
    }

    /// Whether a path, with a `/` behind it, leads to an optimizer.
    fn is_optimizer(&self, path: &[u8]) -> bool {
        self.optimizers.get_or_init(|| self.find_optimizers()).contains(path)
    }

    /// `<variable>/<slot>`, or Keras' `training/<Optimizer>/<variable>/<slot>`, under any scope more or less.
    fn by_name(&self, tensor: &Tensor, kind: usize, ancestors: &Ancestors) -> Option<RoleOf> {
        let name = tensor.name.strip_suffix(b":0").unwrap_or(&tensor.name);
        let (variable, last) = split_last(name);
        let parent = self.parent(tensor, ancestors);
        // Mesh TensorFlow joins the slot to the name of its variable: `kernel_slot_vr`.
        if last.contains(&b'_')
            && let Some(at) = memchr::memmem::rfind(last, b"_slot_")
        {
            let owner = name.len().saturating_sub(last.len()).saturating_add(at);
            if name.get(..owner).is_some_and(|owner| self.exists(owner)) {
                return Some((Role::Slot, Some("Adafactor")));
            }
        }
        let variable = variable.strip_suffix(b"/")?;
        // Most slots stand right behind their variable and are called as everywhere.
        if parent.is_some()
            && last.first().is_some_and(|first| begins_a_slot(*first))
            && let Some(owner) = known_slot(last)
        {
            return Some((Role::Slot, Some(owner)));
        }
        // An optimizer with a name of its own: two children of a variable, alike but for a number, with its shape.
        let of_own_name = || (parent == Some(kind) && self.has_twin(name)).then_some((Role::Slot, None));
        if !last.first().is_some_and(|first| begins_a_slot(*first)) {
            return of_own_name();
        }
        let stem = strip_number(std::str::from_utf8(last).ok()?);
        // The slots of one part of a partitioned variable may lie under that part's name, which is no tensor itself.
        let exists = |variable: &[u8]| {
            let whole = split_last(variable);
            self.exists(variable)
                || (whole.1.starts_with(b"part_") && whole.0.strip_suffix(b"/").is_some_and(|name| self.exists(name)))
        };
        let of_parent = || parent.is_some() || exists(variable);
        if matches!(stem, "ExponentialMovingAverage" | "moving_average" | "ema") && of_parent() {
            return Some((Role::Average, None));
        }
        if let Some((slot, owner)) = SLOTS.iter().find(|(slot, _)| *slot == stem)
            && (is_unmistakable(slot) || of_parent() || self.is_of_scoped(variable, kind))
        {
            return Some((Role::Slot, Some(owner)));
        }
        // A shadow of a variable that was not saved itself, as an inference export of averages has.
        if stem == "ExponentialMovingAverage" {
            return Some((Role::Average, None));
        }
        if let Some(own) = of_own_name() {
            return Some(own);
        }
        let slot_kind = slot_kind(stem.as_bytes())?;
        let text = std::str::from_utf8(variable).ok()?;
        let scope = SCOPES.iter().find_map(|scope| {
            let (_, rest) = text.split_once(&format!("{scope}/"))?;
            exists(rest.as_bytes()).then_some(*scope)
        });
        scope.map(|scope| (Role::Slot, Some(if slot_kind == "momentum" { "SGD" } else { scope })))
    }

    fn exists(&self, name: &[u8]) -> bool {
        self.checkpoint.tensors().find(name).is_some()
    }

    /// Dtype and shape of the tensor with this name.
    fn kind_of(&self, name: &[u8]) -> Option<usize> {
        let tensors = self.checkpoint.tensors();
        let mut cursor = tensors.cursor();
        tensors.find(name).filter(|at| cursor.seek(*at)).map(|_| cursor.kind())
    }

    /// Whether a sibling has this name but for a number behind it: `train_op` and `train_op_1`.
    fn has_twin(&self, name: &[u8]) -> bool {
        match name.strip_suffix(b"_1") {
            Some(stem) => self.exists(stem) || self.exists(&[name, b"_1"].concat()),
            None => self.exists(&[name, b"_1"].concat()),
        }
    }

    /// Whether a variable of this kind stands under a name that lacks scopes of this one.
    fn is_of_scoped(&self, name: &[u8], kind: usize) -> bool {
        without_scopes(name).any(|variable| self.kind_of(&variable) == Some(kind))
    }
}

/// Names that nothing but an optimizer gives.
fn is_unmistakable(slot: &str) -> bool {
    matches!(
        slot,
        "Adam"
            | "adam_m"
            | "adam_v"
            | "AdamW"
            | "AdaMax"
            | "AMSGrad"
            | "Nadam"
            | "LazyAdam"
            | "lamb_m"
            | "lamb_v"
            | "RMSProp"
            | "Adagrad"
            | "AdagradDA"
            | "Adadelta"
            | "Ftrl"
            | "ProximalAdagrad"
            | "AdamWeightDecay"
            | "AdafactorOptimizer"
    )
}

/// The optimizer that a slot's own name names.
fn known_slot(last: &[u8]) -> Option<&'static str> {
    let last = strip_number(std::str::from_utf8(last).ok()?);
    SLOTS.iter().find(|(slot, _)| *slot == last).map(|(_, owner)| *owner)
}

fn slot_kind(slot: &[u8]) -> Option<&'static str> {
    SLOT_KINDS.iter().find(|(name, _)| name.as_bytes() == slot).map(|(_, kind)| *kind)
}

fn is_float(dtype: DType) -> bool {
    matches!(dtype, DType::Float32 | DType::Float64 | DType::Float16 | DType::BFloat16)
}

fn is_integer(dtype: DType) -> bool {
    use DType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    matches!(dtype, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64)
}

/// Integers wider than a byte are tables, indexes and random states; narrower ones are quantized weights.
fn by_dtype(dtype: DType) -> Role {
    use DType::{Bool, Int16, Int32, Int64, UInt16, UInt32, UInt64};
    let wide = matches!(dtype, Bool | Int16 | Int32 | Int64 | UInt16 | UInt32 | UInt64);
    if wide || !dtype.is_storable() { Role::Other } else { Role::Weight }
}

#[cfg(test)]
mod tests {
    use super::strip_number;

    #[test]
    fn numbers_behind_names_are_stripped() {
        assert_eq!(strip_number("Adam_1"), "Adam");
        assert_eq!(strip_number("beta_1"), "beta");
        assert_eq!(strip_number("adam_m"), "adam_m");
    }
}
