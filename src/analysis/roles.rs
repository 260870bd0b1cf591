//! What a tensor is for: a weight, an optimizer's slot, a counter, a string.
//!
//! Nothing in a checkpoint says so. Name-based checkpoints put a slot under its variable (`dense/kernel/Adam_1`, see
//! `slot_creator.py`); object-based ones write it into the key (`…/.OPTIMIZER_SLOT/…`), and Keras optimizers of 2.11
//! and later keep theirs in a list `_variables`. What no rule names is judged by dtype and rank, and a float tensor is
//! a weight.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use memchr::memmem::Finder;

use super::listing::Totals;
use super::role_names::{HYPER, SCOPES, SLOT_KINDS, SLOTS, begins_a_slot, is_parameter};
use super::role_program::{Program, RoleOf, averages_of_optimizers};
use super::role_structure::{Ancestors, by_purpose, is_table, without_scopes};
use crate::checkpoint::object_graph::ObjectGraph;
use crate::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Tensor};
use crate::parallel::in_parts;
use crate::tensor::DType;

/// What a tensor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A parameter of the model.
    Weight,
    /// A moving average of a parameter, kept beside it.
    Average,
    /// An optimizer's state for one parameter.
    Slot,
    /// A number of the optimizer itself: a learning rate, a power of beta.
    Optimizer,
    /// A step or another integer scalar.
    Counter,
    /// A string tensor.
    String,
    /// Keys or values of a lookup table.
    Table,
    /// Anything else: the object graph, states of metrics, iterators, random states.
    Other,
}

impl Role {
    /// All roles, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Weight,
        Self::Average,
        Self::Slot,
        Self::Optimizer,
        Self::Counter,
        Self::String,
        Self::Table,
        Self::Other,
    ];

    /// The name in JSON and in selectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Average => "average",
            Self::Slot => "slot",
            Self::Optimizer => "optimizer",
            Self::Counter => "counter",
            Self::String => "string",
            Self::Table => "table",
            Self::Other => "other",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The role of every tensor of a checkpoint, in the order of [`Checkpoint::tensors`].
#[derive(Debug)]
pub struct Roles {
    /// Two bytes a tensor: there may be a million.
    of: Vec<Judged>,
    /// The optimizers that occur.
    owners: Owners,
    /// Sums over all tensors, taken on the way: a pass of their own costs as much as judging.
    totals: Totals,
    /// What may be slots, while it is judged.
    children: Children,
    /// Where the program lies that was asked first.
    program: Option<PathBuf>,
}

/// Positions by the last component of a name.
type Children = BTreeMap<Box<[u8]>, Vec<usize>>;

/// A role, and an owner as a number in [`Owners`].
#[derive(Clone, Copy, Debug)]
struct Judged {
    role: Role,
    owner: u8,
}

/// Names of optimizers as numbers from 1 on; 0 is none.
#[derive(Debug, Default)]
struct Owners(Vec<&'static str>);

impl Owners {
    fn number(&mut self, owner: Option<&'static str>) -> u8 {
        let Some(owner) = owner else { return 0 };
        let at = self.0.iter().position(|known| *known == owner).unwrap_or_else(|| {
            self.0.push(owner);
            self.0.len().saturating_sub(1)
        });
        // The names are those of the tables below, a few dozen.
        u8::try_from(at.saturating_add(1)).unwrap_or(0)
    }

    fn name(&self, number: u8) -> Option<&'static str> {
        self.0.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// What every attribute key of a variable ends in (`core.VARIABLE_VALUE_KEY`, `trackable/base.py`).
const VALUE_SUFFIX: &[u8] = b"/.ATTRIBUTES/VARIABLE_VALUE";

/// A key without the suffix that all variables of an object-based checkpoint share.
#[inline]
pub fn short_name(name: &[u8]) -> &[u8] {
    if !has_value_suffix(name) {
        return name;
    }
    match name.strip_suffix(VALUE_SUFFIX) {
        Some(short) if !short.is_empty() => short,
        _ => name,
    }
}

/// Whether a name ends in [`VALUE_SUFFIX`]. The last byte alone tells of most names that do not.
#[inline]
fn has_value_suffix(name: &[u8]) -> bool {
    name.last() == VALUE_SUFFIX.last() && name.ends_with(VALUE_SUFFIX)
}

impl Roles {
    /// Judges every tensor.
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let tensors = checkpoint.tensors();
        let slot_marker = Finder::new(b"/.OPTIMIZER_SLOT/");
        let program = Program::beside(checkpoint);
        let judge = Judge { checkpoint, slot_marker, program, optimizers: OnceLock::new(), averages: OnceLock::new() };
        let parts = in_parts(tensors.len(), checkpoint.threads_for(tensors.len()), |range| {
            let mut part = Self::with_room(range.len());
            let mut cursor = tensors.cursor();
            let mut ancestors = Ancestors::default();
            for at in range {
                if !cursor.seek(at) {
                    break;
                }
                let kind = cursor.kind();
                let tensor = cursor.tensor();
                ancestors.reach(checkpoint, tensor);
                let ((role, owner), is_open) = judge.role(tensor, kind, &ancestors);
                ancestors.push(&tensor.name, kind);
                if is_open {
                    part.children.entry(own_name(&tensor.name).into()).or_default().push(at);
                }
                part.of.push(Judged { role, owner: part.owners.number(owner) });
                part.totals.add(tensor);
            }
            part
        });
        let mut roles = Self::with_room(tensors.len());
        roles.program = judge.program.map(|program| program.file);
        roles.totals = parts.iter().map(|part| &part.totals).sum();
        let mut children = Children::new();
        for part in parts {
            for (name, positions) in part.children {
                children.entry(name).or_default().extend(positions);
            }
            let numbers: Vec<u8> = (0..=u8::MAX).map(|n| roles.owners.number(part.owners.name(n))).collect();
            let number = |owner: u8| numbers.get(usize::from(owner)).copied().unwrap_or(0);
            roles.of.extend(part.of.iter().map(|judged| Judged { owner: number(judged.owner), ..*judged }));
        }
        roles.name_children(children);
        // Beta powers do not say whose they are; with one optimizer in the file it is clear.
        if roles.owners.0.len() == 1 {
            for judged in roles.of.iter_mut().filter(|judged| judged.role == Role::Optimizer) {
                judged.owner = 1;
            }
        }
        roles
    }

    fn with_room(tensors: usize) -> Self {
        Self {
            of: Vec::with_capacity(tensors),
            owners: Owners::default(),
            totals: Totals::default(),
            children: Children::new(),
            program: None,
        }
    }

    /// What several variables have below them, of their own dtype and shape and under one name, an optimizer made.
    fn name_children(&mut self, children: Children) {
        for at in children.into_values().filter(|positions| positions.len() > 1).flatten() {
            if let Some(judged) = self.of.get_mut(at) {
                judged.role = Role::Slot;
            }
        }
    }

    /// The file beside the checkpoint that says what the program trains. Without one names and shapes have judged.
    pub fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// Sums over all tensors of the checkpoint.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Names the optimizers that only the object graph names: by the full names of their variables (`adam/…`).
    pub fn name_optimizers(&mut self, checkpoint: &Checkpoint, graph: &ObjectGraph) {
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((at, tensor)) = cursor.advance() {
            let Some(judged) = self.of.get_mut(at) else { break };
            if judged.owner != 0 || !matches!(judged.role, Role::Slot | Role::Optimizer) {
                continue;
            }
            let variable = graph.variable_for_key(&tensor.name);
            let scope = variable.and_then(|variable| Some(variable.attribute.full_name.split_once('/')?.0));
            let owner = scope
                .and_then(|scope| SCOPES.iter().copied().find(|name| name.eq_ignore_ascii_case(strip_number(scope))));
            judged.owner = self.owners.number(owner);
        }
    }

    /// A number that two tensors share if role and optimizer are the same.
    pub fn number(&self, at: usize) -> u16 {
        self.of.get(at).map_or(u16::MAX, |judged| u16::from(judged.role as u8) << 8 | u16::from(judged.owner))
    }

    /// The role of the tensor with this position.
    pub fn role(&self, at: usize) -> Role {
        self.of.get(at).map_or(Role::Other, |judged| judged.role)
    }

    /// The optimizer that a slot belongs to, as far as its name tells.
    pub fn optimizer(&self, at: usize) -> Option<&'static str> {
        self.of.get(at).and_then(|judged| self.owners.name(judged.owner))
    }
}

struct Judge<'c> {
    checkpoint: &'c Checkpoint,
    /// What stands in the keys of slots (`core.SLOT_NAME` in `trackable`).
    slot_marker: Finder<'static>,
    /// Paths of Keras optimizers in an object-based checkpoint, with a `/` behind each.
    optimizers: OnceLock<BTreeSet<Vec<u8>>>,
    /// Keys of averages in the lists of such optimizers.
    averages: OnceLock<HashSet<Vec<u8>>>,
    program: Option<Program>,
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
    fn role(&self, tensor: &Tensor, kind: usize, ancestors: &Ancestors) -> (RoleOf, bool) {
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
        if let Some(role) = by_purpose(short_name(name), scalar) {
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
        if let Some(at) = memchr::memmem::rfind(last, b"_slot_") {
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

/// Everything up to and including the last `/`, and what follows it.
pub(super) fn split_last(name: &[u8]) -> (&[u8], &[u8]) {
    let at = name.iter().rposition(|b| *b == b'/').map_or(0, |at| at.saturating_add(1));
    name.split_at_checked(at).unwrap_or((&[], name))
}

/// The last component of a name, without the `:0` of an output.
fn own_name(name: &[u8]) -> &[u8] {
    split_last(name.strip_suffix(b":0").unwrap_or(name)).1
}

/// `Adam_1` → `Adam`.
fn strip_number(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((stem, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => name,
    }
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
    use super::*;

    #[test]
    fn numbers_behind_names_are_stripped() {
        assert_eq!(strip_number("Adam_1"), "Adam");
        assert_eq!(strip_number("beta_1"), "beta");
        assert_eq!(strip_number("adam_m"), "adam_m");
    }

    #[test]
    fn the_suffix_of_variables_is_left_out_for_people() {
        assert_eq!(short_name(b"net/w/.ATTRIBUTES/VARIABLE_VALUE"), b"net/w");
        assert_eq!(short_name(b"/.ATTRIBUTES/VARIABLE_VALUE"), b"/.ATTRIBUTES/VARIABLE_VALUE");
        assert_eq!(short_name(b"it/.ATTRIBUTES/ITERATOR_STATE"), b"it/.ATTRIBUTES/ITERATOR_STATE");
    }
}
