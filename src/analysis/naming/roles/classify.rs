//! How one tensor is judged: by its key, by the program beside it, by its name, by what stands around it, by its dtype.

use std::collections::{BTreeSet, HashSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Role;
use super::key::{has_value_suffix, own_name, short_name, split_last, strip_number, without_suffix};
use super::names::{HYPER, KERAS3_ENDS, KERAS3_SLOTS, SCOPES, SLOT_KINDS, SLOTS, begins_a_slot, is_parameter};
use super::neighbours::Neighbours;
use super::program::{Program, RoleOf, averages_of_optimizers};
use super::structure::{by_purpose, is_table};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Purpose, Tensor, Tensors};
use crate::read::tensor::DType;

pub(super) struct Classifier<'c> {
    pub(super) tensors: &'c Tensors,
    /// The checkpoint whose tensors they are, if they are of one: its files may say more of them.
    pub(super) checkpoint: Option<&'c Checkpoint>,
    /// Paths of Keras optimizers in an object-based checkpoint, with a `/` behind each.
    pub(super) optimizers: OnceLock<BTreeSet<Vec<u8>>>,
    /// Keys of averages in the lists of such optimizers.
    pub(super) averages: OnceLock<HashSet<Vec<u8>>>,
    pub(super) program: Option<Program>,
    /// Whether the file itself has said of a tensor what it is for.
    pub(super) is_told: AtomicBool,
}

/// What the file itself says that a tensor is for.
fn by_told(purpose: Purpose, name: Option<&str>, tensor: &Tensor) -> RoleOf {
    let is_scalar = tensor.shape.rank() == Some(0);
    let name = name.unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    let role = match purpose {
        Purpose::Weight | Purpose::Untrained if tensor.dtype == DType::String => Role::String,
        // Steps of an optimizer; and what a normalization has counted is not what it computes with.
        Purpose::Untrained | Purpose::Optimizer(_) if is_scalar && tensor.dtype.is_integer() => Role::Counter,
        Purpose::Weight | Purpose::Untrained => Role::Weight,
        // Every optimizer has its learning rate before the state of the first variable, if it stores it.
        Purpose::Optimizer(at) if is_scalar && (at < 2 || is_hyper(last.as_bytes())) => Role::Optimizer,
        // What an optimizer keeps with `use_ema`.
        Purpose::Optimizer(_) if last.ends_with("_average") || name.contains("/average/") => Role::Average,
        Purpose::Optimizer(_) => Role::Slot,
        Purpose::Metric | Purpose::Seed => Role::Other,
    };
    (role, None)
}

impl<'c> Classifier<'c> {
    /// By names, dtypes and shapes alone.
    pub(super) fn of_names(tensors: &'c Tensors) -> Self {
        let (optimizers, averages) = (OnceLock::new(), OnceLock::new());
        Self { tensors, checkpoint: None, program: None, optimizers, averages, is_told: AtomicBool::new(false) }
    }
}

impl Classifier<'_> {
    /// An object with `_learning_rate`, `_iterations` or `iter` beside it is an optimizer.
    fn find_optimizers(&self) -> BTreeSet<Vec<u8>> {
        let mut optimizers = BTreeSet::new();
        let mut cursor = self.tensors.cursor();
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

    /// The program's word, where it has one, else what name and shape say; and what it is called below a variable whose
    /// slot it is if others are called so too.
    #[inline]
    pub(super) fn role<'t>(
        &self,
        tensor: &'t Tensor,
        kind: usize,
        around: &mut Neighbours<'_>,
    ) -> (RoleOf, Option<&'t [u8]>) {
        let (named, open) = self.named(tensor, kind, around);
        match &self.program {
            Some(program) if named.0 != Role::String => {
                (program.role(&tensor.name, named), open.filter(|_| !program.is_decided(&tensor.name)))
            }
            _ => (named, open),
        }
    }

    #[inline]
    fn named<'t>(&self, tensor: &'t Tensor, kind: usize, around: &mut Neighbours<'_>) -> (RoleOf, Option<&'t [u8]>) {
        let name: &[u8] = &tensor.name;
        let repeated = around.repeated(name, kind);
        if let Some(told) = self.checkpoint.and_then(|checkpoint| checkpoint.told(name))
            && let Some(purpose) = told.purpose
        {
            self.is_told.store(true, Ordering::Relaxed);
            return (by_told(purpose, told.name.as_deref(), tensor), None);
        }
        if let Some(role) = repeated {
            return (role, None);
        }
        if has_value_suffix(name) {
            return (self.of_key(tensor, kind, around), None);
        }
        let named = of_name(tensor, kind, around);
        let may_be = named.0 == Role::Weight && tensor.shape.rank() != Some(0) && !is_parameter(own_name(name));
        (named, if may_be { below(tensor, kind, around) } else { None })
    }

    /// A variable of an object-based checkpoint: `<variable path>/.OPTIMIZER_SLOT/<optimizer path>/<slot>`, or an entry
    /// in a Keras optimizer's list, or what its last component says.
    fn of_key(&self, tensor: &Tensor, kind: usize, around: &mut Neighbours<'_>) -> RoleOf {
        if let Some(role) = by_type(tensor.dtype) {
            return (role, None);
        }
        let scalar = tensor.shape.rank() == Some(0);
        let (front, last) = split_last(without_suffix(&tensor.name));
        let (is_slot, is_metric) = around.marks(front);
        if is_slot {
            return (Role::Slot, slot_kind(last));
        }
        // Of most names the last byte tells that they are no entry of a list.
        let is_entry = last.last().is_some_and(u8::is_ascii_digit);
        if is_entry && let Some(found) = self.of_list(&tensor.name, front, last) {
            return found;
        }
        let is_hyper = |last| scalar && tensor.dtype.is_float() && (is_hyper(last) || self.is_optimizer(front));
        let role = if let Some(role) = by_purpose((front, last), scalar) {
            (role, None)
        } else if is_metric {
            (Role::Other, None)
        } else if is_hyper(last) {
            (Role::Optimizer, of_adam(last))
        } else {
            (by_dtype(tensor.dtype, scalar), None)
        };
        // Of what stands in front of the last component nothing was asked.
        if !is_metric && !scalar && !is_entry {
            around.repeat(kind, tensor.name.len().saturating_sub(front.len()).saturating_add(1), role);
        }
        role
    }

    /// An entry in a list of a Keras optimizer.
    fn of_list(&self, name: &[u8], front: &[u8], last: &[u8]) -> Option<RoleOf> {
        if !last.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let (owner, list) = split_last(front.strip_suffix(b"/")?);
        if !self.is_optimizer(owner) {
            return None;
        }
        Some(match list {
            // The model's weights, kept under the shorter path.
            b"_trainable_variables" => return None,
            b"_model_variables_moving_average" => (Role::Average, None),
            _ if self
                .averages
                .get_or_init(|| self.checkpoint.map(averages_of_optimizers).unwrap_or_default())
                .contains(name) =>
            {
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
}

/// Any other name.
fn of_name(tensor: &Tensor, kind: usize, around: &mut Neighbours<'_>) -> RoleOf {
    let name: &[u8] = &tensor.name;
    if name == OBJECT_GRAPH_KEY {
        return (Role::Other, None);
    }
    if is_table(name, |stem, end| around.kind_of_joined(stem, end).is_some()) {
        return (Role::Table, None);
    }
    if let Some(role) = by_type(tensor.dtype) {
        return (role, None);
    }
    let scalar = tensor.shape.rank() == Some(0);
    let name = name.strip_suffix(b":0").unwrap_or(name);
    let (front, last) = split_last(name);
    if let Some(found) = by_name(tensor, (name, front, last), kind, around) {
        return found;
    }
    if let Some(role) = by_purpose((front, last), scalar) {
        return (role, None);
    }
    if around.marks(front).1 {
        return (Role::Other, None);
    }
    if scalar && tensor.dtype.is_float() && is_hyper(last) {
        return (Role::Optimizer, of_adam(last));
    }
    (by_dtype(tensor.dtype, scalar), None)
}

/// The kind of the tensor that a name is a child of.
fn parent(tensor: &Tensor, around: &mut Neighbours<'_>) -> Option<usize> {
    let name = tensor.name.strip_suffix(b":0").unwrap_or(&tensor.name);
    let whole = split_last(name).0.strip_suffix(b"/").unwrap_or_default();
    // With `:0` behind both, a slot stands before its variable.
    if name.len() < tensor.name.len() { around.kind_of_joined(whole, b":0") } else { around.above(whole) }
}

/// What follows the name of a variable of this dtype and shape in that of a tensor: the name that an optimizer was given,
/// which may have a `/` itself (`net/w/train/opt`), under scopes of its own.
fn below<'t>(tensor: &'t Tensor, kind: usize, around: &mut Neighbours<'_>) -> Option<&'t [u8]> {
    /// Components that a name of an optimizer has at most where they must be looked up one by one.
    const TRIED: usize = 3;
    let name = tensor.name.strip_suffix(b":0").unwrap_or(&tensor.name);
    let behind = |at: usize| name.get(at.checked_add(1)?..);
    if let Some(at) = around.nearest_above(name, kind) {
        return behind(at);
    }
    let mut ends = memchr::memrchr_iter(b'/', name).take(TRIED);
    let front = |at: usize| name.get(..at).unwrap_or_default();
    if name.len() < tensor.name.len() {
        // With `:0` behind both, a slot stands before its variable.
        let at = ends.find(|at| around.kind_of_joined(front(*at), b":0") == Some(kind))?;
        return behind(at);
    }
    if !around.has_twin(name, true) {
        return behind(ends.next().filter(|at| around.is_behind_scopes(front(*at), kind))?);
    }
    let at = ends.skip(1).find(|at| around.is_of_scoped(front(*at), kind))?;
    behind(at)
}

/// `<variable>/<slot>`, or Keras' `training/<Optimizer>/<variable>/<slot>`, under any scope more or less. The name is
/// given without `:0`, and as what stands in front of its last component, and that.
fn by_name(
    tensor: &Tensor,
    (name, front, last): (&[u8], &[u8], &[u8]),
    kind: usize,
    around: &mut Neighbours<'_>,
) -> Option<RoleOf> {
    // Mesh TensorFlow joins the slot to the name of its variable: `kernel_slot_vr`.
    let joins = |at: &usize| last.get(..*at).is_some_and(|last| last.ends_with(b"_slot"));
    if let Some(at) = memchr::memrchr_iter(b'_', last).find(joins) {
        let owner = front.len().saturating_add(at).saturating_sub(b"_slot".len());
        if name.get(..owner).is_some_and(|owner| around.exists(owner)) {
            return Some((Role::Slot, Some("Adafactor")));
        }
    }
    if let Some(role) = of_keras3((front, last), around) {
        return Some((role, None));
    }
    let variable = front.strip_suffix(b"/")?;
    let parent = parent(tensor, around);
    let begins = last.first().is_some_and(|first| begins_a_slot(*first));
    let stem = if begins { strip_number(std::str::from_utf8(last).ok()?) } else { "" };
    let slot = SLOTS.iter().find(|(slot, _)| begins && *slot == stem);
    // Most slots stand right behind their variable and are called as everywhere.
    if let Some((_, owner)) = slot
        && parent.is_some()
    {
        return Some((Role::Slot, Some(owner)));
    }
    let is_whole = name.len() == tensor.name.len();
    // An optimizer with a name of its own: two children of a variable, alike but for a number, with its shape.
    let of_own_name = |around: &mut Neighbours<'_>| {
        let is_slot = match parent {
            Some(parent) => parent == kind && around.has_twin(name, is_whole),
            // One that was made inside of scopes.
            None => around.has_twin(name, is_whole) && around.is_of_scoped(variable, kind),
        };
        is_slot.then_some((Role::Slot, None))
    };
    // What a whole name is a child of is known without a search.
    let is_behind_variable =
        |around: &mut Neighbours<'_>| (!is_whole && around.exists(variable)) || is_part(variable, around);
    if !begins {
        return of_own_name(around);
    }
    if matches!(stem, "ExponentialMovingAverage" | "moving_average" | "ema")
        && (parent.is_some() || is_behind_variable(around))
    {
        return Some((Role::Average, None));
    }
    if let Some((slot, owner)) = slot
        && (is_unmistakable(slot) || is_behind_variable(around) || around.is_of_scoped(variable, kind))
    {
        return Some((Role::Slot, Some(owner)));
    }
    // A shadow of a variable that was not saved itself, as an inference export of averages has.
    if stem == "ExponentialMovingAverage" {
        return Some((Role::Average, None));
    }
    if let Some(own) = of_own_name(around) {
        return Some(own);
    }
    let slot_kind = slot_kind(stem.as_bytes())?;
    std::str::from_utf8(variable).ok()?;
    let scope = SCOPES.iter().find(|scope| {
        let mut ends = memchr::memchr_iter(b'/', variable);
        let end = ends.find(|at| variable.get(..*at).is_some_and(|path| path.ends_with(scope.as_bytes())));
        let rest = end.and_then(|at| variable.get(at.saturating_add(1)..));
        rest.is_some_and(|rest| around.exists(rest) || is_part(rest, around))
    });
    scope.map(|scope| (Role::Slot, Some(if slot_kind == "momentum" { "SGD" } else { scope })))
}

/// `adam/dense_kernel_momentum`: Keras 3 puts the scopes of the variable and the slot into one component, beside the
/// `iteration` of the optimizer.
fn of_keras3((front, last): (&[u8], &[u8]), around: &mut Neighbours<'_>) -> Option<Role> {
    let is = |kind: &&str| last.strip_suffix(kind.as_bytes()).is_some_and(|last| last.ends_with(b"_"));
    let kind = last.last().filter(|end| KERAS3_ENDS.contains(end)).and(KERAS3_SLOTS.iter().find(|kind| is(kind)))?;
    around.kind_of_joined(front, b"iteration")?;
    Some(if *kind == "average" { Role::Average } else { Role::Slot })
}

/// Whether this is the name of one part of a variable. The slots of a part may lie under it, and it is no tensor itself.
fn is_part(name: &[u8], around: &mut Neighbours<'_>) -> bool {
    let (front, last) = split_last(name);
    last.starts_with(b"part_") && front.strip_suffix(b"/").is_some_and(|name| around.exists(name))
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

fn slot_kind(slot: &[u8]) -> Option<&'static str> {
    SLOT_KINDS.iter().find(|(name, _)| name.as_bytes() == slot).map(|(_, kind)| *kind)
}

/// Whether an optimizer calls a number of its own so.
fn is_hyper(last: &[u8]) -> bool {
    let last = std::str::from_utf8(last).unwrap_or_default();
    HYPER.contains(&last) || HYPER.contains(&strip_number(last))
}

/// Whose such a number is, as far as its name says.
fn of_adam(last: &[u8]) -> Option<&'static str> {
    let last = std::str::from_utf8(last).unwrap_or_default();
    (is_hyper(last.as_bytes()) && strip_number(last).starts_with("beta")).then_some("Adam")
}

/// What a tensor is by its type alone.
fn by_type(dtype: DType) -> Option<Role> {
    match dtype {
        DType::String => Some(Role::String),
        DType::Variant | DType::Resource => Some(Role::Other),
        _ => None,
    }
}

/// Integers are steps if they are scalars. Those wider than a byte are tables, indexes and random states else; narrower
/// ones are quantized weights.
fn by_dtype(dtype: DType, scalar: bool) -> Role {
    use DType::{Bool, Int16, Int32, Int64, UInt16, UInt32, UInt64};
    if scalar && dtype.is_integer() {
        return Role::Counter;
    }
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
