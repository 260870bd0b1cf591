//! Which variable of the program a tensor is, whatever its checkpoint calls it: a name that files of other formats give
//! to the same variable.
//!
//! Files of Keras tell names by lists or by layers and classes, object graphs have full names, name-based checkpoints
//! and archives of arrays have names for keys. Slots are known by their variable and their kind, because every
//! optimizer makes a name of its own of the two.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Names;
use super::objects::Objects;
use super::roles::Roles;
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Parts, Tensor, Told};

/// What a tensor is in the program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::analysis) enum Identity {
    /// A variable by its name.
    Variable(Box<str>),
    /// The state that an optimizer keeps for a variable.
    Slot {
        /// `m`, `v`, `accumulator` …; kinds that libraries name differently have one name.
        kind: Box<str>,
        /// The variable's name.
        variable: Box<str>,
    },
    /// The optimizer's count of steps.
    Iteration,
    /// The optimizer's learning rate.
    LearningRate,
}

/// The name of a tensor in the program, and what it is.
type Row = (Option<Box<str>>, Option<Identity>);

/// What every tensor of a checkpoint is, by its position.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Identities {
    rows: Vec<Row>,
}

impl Identities {
    /// Finds them. `told` stands in for what the file itself tells, where another file knows more of it.
    pub(in crate::analysis) fn of(checkpoint: &Checkpoint, told: Option<&BTreeMap<Vec<u8>, Told>>) -> Self {
        let roles = Roles::of(checkpoint);
        let objects = Objects::of(checkpoint);
        let names = Names::of(checkpoint, &roles, &objects);
        let has_keys = objects.graph().is_none() && !checkpoint.is_object_based();
        let mut rows = Vec::new();
        let mut slots = BTreeMap::new();
        let mut tensors = checkpoint.tensors().cursor();
        while let Some((at, tensor)) = tensors.advance() {
            let name = names.get(at);
            let own = match told.map_or_else(|| checkpoint.told(&tensor.name), |told| told.get(&*tensor.name).cloned())
            {
                Some(told) => told.name.filter(|_| told.is_named),
                None if &*tensor.name == OBJECT_GRAPH_KEY => None,
                None if has_keys => std::str::from_utf8(&tensor.name).ok().map(str::to_owned),
                None => name.and_then(|name| name.full_name.as_deref()).map(str::to_owned),
            };
            let own = own.map(|own| -> Box<str> { plain(&own).into() }).filter(|own| !own.is_empty());
            if let Some(slot) = name.and_then(|name| name.slot.as_deref()) {
                let variable = plain(&slot.variable_name).into();
                slots.insert(at, Identity::Slot { kind: kind(&slot.slot).into(), variable });
            }
            let scalar = own.as_deref().and_then(|own| of_optimizer(own, tensor));
            rows.push((own, scalar));
        }
        one_of_copies(checkpoint, &mut rows);
        let owners = Owners::new(rows.iter().filter_map(|(own, _): &Row| own.as_deref()));
        let all: Vec<Option<Identity>> = rows
            .iter()
            .enumerate()
            .map(|(at, (own, scalar))| {
                let slot = slots.remove(&at).or_else(|| owners.slot(own.as_deref()?));
                scalar.clone().or(slot).or_else(|| own.clone().map(Identity::Variable))
            })
            .collect();
        Self { rows: rows.into_iter().zip(all).map(|((own, _), identity)| (own, identity)).collect() }
    }

    /// What a tensor is.
    pub(in crate::analysis) fn get(&self, at: usize) -> Option<&Identity> {
        self.rows.get(at)?.1.as_ref()
    }

    /// All of them, with their positions.
    pub(in crate::analysis) fn all(&self) -> impl Iterator<Item = (usize, &Identity)> {
        self.rows.iter().enumerate().filter_map(|(at, (_, identity))| Some((at, identity.as_ref()?)))
    }
}

/// An archive that Keras 3 exported holds every variable twice, in the list `_all_variables` too: of two that have the
/// same bytes by their checksums the one in that list has no name.
fn one_of_copies(checkpoint: &Checkpoint, rows: &mut [Row]) {
    const COPIES: &[u8] = b"_all_variables/";
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    let mut copies = Vec::new();
    for (at, (own, _)) in rows.iter().enumerate() {
        let Some((own, tensor)) = own.as_deref().zip(checkpoint.tensor_at(at)) else { continue };
        if tensor.name.starts_with(COPIES) {
            copies.push((own, at));
        } else {
            named.insert(own, at);
        }
    }
    let bytes = |at: usize| {
        let tensor = checkpoint.tensor_at(at)?;
        let Parts::Whole(place) = tensor.parts else { return None };
        Some((tensor.dtype, tensor.shape, place.crc32c?.0))
    };
    let is_copy = |(own, at): &(&str, usize)| {
        named.get(own).is_some_and(|other| bytes(*at).is_some() && bytes(*at) == bytes(*other))
    };
    let copies: Vec<usize> = copies.into_iter().filter(is_copy).map(|(_, at)| at).collect();
    for at in copies {
        if let Some(row) = rows.get_mut(at) {
            row.0 = None;
        }
    }
}

/// A name without the number of the output that graphs put behind it.
fn plain(name: &str) -> &str {
    name.strip_suffix(":0").unwrap_or(name)
}

/// The optimizer's own numbers, by names that no layer's variable has.
fn of_optimizer(name: &str, tensor: &Tensor) -> Option<Identity> {
    if tensor.elements() != Some(1) || name.matches('/').count() > 1 {
        return None;
    }
    match (name.rsplit('/').next()?, tensor.dtype.is_integer()) {
        ("iteration" | "iterations" | "iter", true) => Some(Identity::Iteration),
        ("learning_rate", false) => Some(Identity::LearningRate),
        _ => None,
    }
}

/// One name for what `tf_keras`, Keras 3 and the optimizers before them call differently.
fn kind(slot: &str) -> &str {
    match slot {
        "momentum" => "m",
        "velocity" | "rms" => "v",
        "velocity_hat" => "vhat",
        "norm" => "u",
        "mg" => "average_gradient",
        other => other,
    }
}

/// Kinds of slots that stand in names between slashes.
const KINDS: [&str; 17] = [
    "m",
    "v",
    "vhat",
    "u",
    "norm",
    "momentum",
    "velocity",
    "velocity_hat",
    "rms",
    "mg",
    "average",
    "average_gradient",
    "accumulator",
    "accumulated_grad",
    "accumulated_delta_var",
    "linear",
    "gradient_accumulator",
];

/// The variables that slots may belong to.
struct Owners<'n> {
    names: BTreeSet<&'n str>,
    /// Names with `_` for `/`, as Keras 3 has them in names of slots; those that two variables share are none.
    mangled: BTreeMap<String, Option<&'n str>>,
}

impl<'n> Owners<'n> {
    fn new(all: impl Iterator<Item = &'n str>) -> Self {
        let names: BTreeSet<&str> = all.collect();
        let mut mangled: BTreeMap<String, Option<&str>> = BTreeMap::new();
        for name in &names {
            mangled.entry(name.replace('/', "_")).and_modify(|other| *other = None).or_insert(Some(name));
        }
        Self { names, mangled }
    }

    /// `Adam/m/dense/kernel` of `tf_keras`, `Adam/dense/kernel/m` before it, `adam/dense_kernel_momentum` of Keras 3.
    fn slot(&self, name: &str) -> Option<Identity> {
        let (_, rest) = name.split_once('/')?;
        let slot = |kind_of: &str, variable: &str| {
            let is_one = KINDS.contains(&kind_of) && self.names.contains(variable);
            is_one.then(|| Identity::Slot { kind: kind(kind_of).into(), variable: variable.into() })
        };
        let before = rest.split_once('/').and_then(|(kind, variable)| slot(kind, variable));
        let behind = || {
            let (path, kind) = rest.rsplit_once('/')?;
            // In graphs of TensorFlow 1 it was `training/Adam/dense/kernel/m`.
            slot(kind, path).or_else(|| slot(kind, path.split_once('/')?.1))
        };
        before.or_else(behind).or_else(|| {
            rest.match_indices('_').find_map(|(at, _)| {
                let kind = rest.get(at.saturating_add(1)..).filter(|kind| KINDS.contains(kind))?;
                slot(kind, (*self.mangled.get(rest.get(..at)?)?)?)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_known_by_every_form_of_their_names() {
        let names = ["a/b/kernel", "a/b_kernel", "dense/kernel"];
        let owners = Owners::new(names.into_iter());
        let slot = |name: &str| match owners.slot(name) {
            Some(Identity::Slot { kind, variable }) => format!("{kind} of {variable}"),
            _ => String::new(),
        };
        assert_eq!(slot("Adam/m/dense/kernel"), "m of dense/kernel");
        assert_eq!(slot("Adam/dense/kernel/v"), "v of dense/kernel");
        assert_eq!(slot("training/Adam/dense/kernel/vhat"), "vhat of dense/kernel");
        assert_eq!(slot("adam_3/dense_kernel_velocity_hat"), "vhat of dense/kernel");
        assert_eq!(slot("adam/dense_kernel_momentum"), "m of dense/kernel");
        // Two variables have this name in the names of slots, and nobody can tell which is meant.
        assert_eq!(slot("adam/a_b_kernel_momentum"), "");
        assert_eq!(slot("dense/kernel"), "");
    }
}
