//! Which variable of the program a tensor is, whatever its checkpoint calls it: a name that files of other formats give
//! to the same variable.
//!
//! Files of Keras tell names by lists or by layers and classes, object graphs have full names, name-based checkpoints
//! and archives of arrays have names for keys. Slots are known by their variable and their kind, because every
//! optimizer makes a name of its own of the two.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Names;
use super::objects::Objects;
use super::roles::{Role, Roles};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Parts, Tensor, Told};
use crate::read::graphs::object_graph::ObjectGraph;

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
    /// Those that belong to an optimizer, and are called after it.
    of_optimizers: BTreeSet<usize>,
}

impl Identities {
    /// Finds them. `told` stands in for what the file itself tells, where another file knows more of it.
    /// `in_layers` says whether names are completed by the layers that hold the variables.
    pub(in crate::analysis) fn of(
        checkpoint: &Checkpoint,
        told: Option<&BTreeMap<Vec<u8>, Told>>,
        in_layers: bool,
    ) -> Self {
        let roles = Roles::of(checkpoint);
        let objects = Objects::of(checkpoint);
        let names = Names::of(checkpoint, &roles, &objects);
        let has_keys = objects.graph().is_none() && !checkpoint.is_object_based();
        let late = objects.graph().filter(|_| in_layers).map(made_later).unwrap_or_default();
        let in_layer = |name: &str| late.get(name).cloned().flatten().unwrap_or_else(|| name.to_owned());
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
                None => name.and_then(|name| name.full_name.as_deref()).map(|name| in_layer(plain(name))),
            };
            let own = own.map(|own| -> Box<str> { plain(&own).into() }).filter(|own| !own.is_empty());
            if let Some(slot) = name.and_then(|name| name.slot.as_deref()) {
                let variable = in_layer(plain(&slot.variable_name)).into();
                slots.insert(at, Identity::Slot { kind: kind(&slot.slot).into(), variable });
            }
            let scalar = own.as_deref().and_then(|own| of_optimizer(own, tensor));
            rows.push((own, scalar));
        }
        for at in copies(checkpoint, &|at| rows.get(at).and_then(|(own, _)| own.as_deref())) {
            if let Some(row) = rows.get_mut(at) {
                row.0 = None;
            }
        }
        one_of_optimizers(&mut rows);
        let owners = Owners::new(rows.iter().filter_map(|(own, _): &Row| own.as_deref()));
        let all: Vec<Option<Identity>> = rows
            .iter()
            .enumerate()
            .map(|(at, (own, scalar))| {
                let slot = slots.remove(&at).or_else(|| owners.slot(own.as_deref()?));
                scalar.clone().or(slot).or_else(|| own.clone().map(Identity::Variable))
            })
            .collect();
        let is_of_optimizer = |at: &usize| !matches!(roles.role(*at), Role::Weight | Role::Other);
        let of_optimizers = (0..rows.len()).filter(is_of_optimizer).collect();
        Self { rows: rows.into_iter().zip(all).map(|((own, _), identity)| (own, identity)).collect(), of_optimizers }
    }

    /// Whether a tensor is an optimizer's, which is called after that and not after the model.
    pub(in crate::analysis) fn is_of_optimizer(&self, at: usize) -> bool {
        self.of_optimizers.contains(&at)
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

/// Names of variables that a layer of a model made after it was built, as quantization and `LoRA` do: they are called
/// after the layer alone, what was made before after the model too. What they would be called then; `None` where layers
/// disagree.
fn made_later(graph: &ObjectGraph) -> BTreeMap<String, Option<String>> {
    let mut late: BTreeMap<String, Option<String>> = BTreeMap::new();
    let all: BTreeSet<&str> = graph.variables().map(|variable| plain(&variable.attribute.full_name)).collect();
    for node in graph.nodes() {
        // What a list holds has no layer in common.
        let is_list = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        let own = node.children.iter().filter(|child| !is_list(&child.local_name));
        let variable = |id: i32| graph.nodes().get(graph.resolve(id)?)?.attributes.first();
        let names = own.filter_map(|child| variable(child.node_id)).map(|attribute| plain(&attribute.full_name));
        let mut layers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (layer, last) in names.filter_map(|name| name.rsplit_once('/')) {
            layers.entry(layer).or_default().push(last);
        }
        let [(a, of_a), (b, of_b)] = layers.iter().collect::<Vec<_>>()[..] else { continue };
        let is_below = |whole: &str, part: &str| whole.strip_suffix(part).is_some_and(|model| model.ends_with('/'));
        let (whole, part, lasts) = match (is_below(a, b), is_below(b, a)) {
            (true, _) => (a, b, of_b),
            (_, true) => (b, a, of_a),
            _ => continue,
        };
        for last in lasts {
            let name = Some(format!("{whole}/{last}")).filter(|name| !all.contains(name.as_str()));
            late.entry(format!("{part}/{last}"))
                .and_modify(|other| *other = other.take().filter(|other| Some(other) == name.as_ref()))
                .or_insert(name);
        }
    }
    late
}

/// An archive that Keras 3 exported holds every variable twice, in the list `_all_variables` too: of two that have the
/// same bytes by their checksums the one in that list, by its position. `named` says what a tensor is called.
pub(in crate::analysis) fn copies<'n>(
    checkpoint: &Checkpoint,
    named: &dyn Fn(usize) -> Option<&'n str>,
) -> BTreeSet<usize> {
    const COPIES: &[u8] = b"_all_variables/";
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let mut copies = Vec::new();
    let mut tensors = checkpoint.tensors().cursor();
    while let Some((at, tensor)) = tensors.advance() {
        let Some(own) = named(at) else { continue };
        if tensor.name.starts_with(COPIES) {
            copies.push((own, at));
        } else {
            others.insert(own, at);
        }
    }
    let bytes = |at: usize| {
        let tensor = checkpoint.tensor_at(at)?;
        let Parts::Whole(place) = tensor.parts else { return None };
        Some((tensor.dtype, tensor.shape, place.crc32c?.0))
    };
    let is_copy = |(own, at): &(&str, usize)| {
        others.get(own).is_some_and(|other| bytes(*at).is_some() && bytes(*at) == bytes(*other))
    };
    copies.into_iter().filter(is_copy).map(|(_, at)| at).collect()
}

/// Of several optimizers, one within another too, each has its own steps and rate: then their names tell which.
fn one_of_optimizers(rows: &mut [Row]) {
    for one in [Identity::Iteration, Identity::LearningRate] {
        let is_one = |row: &Row| row.1.as_ref() == Some(&one);
        if rows.iter().filter(|row| is_one(row)).count() > 1 {
            rows.iter_mut().filter(|row| is_one(row)).for_each(|row| row.1 = None);
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
        // What Keras 3 calls the lists of an optimizer that averages weights or gradients.
        "model_variables_moving_average" => "average",
        "accumulated_gradient" => "gradient_accumulator",
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
