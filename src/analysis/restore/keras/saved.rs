//! What a file of Keras has, as its loaders look it up: variables in groups that follow objects, or lists of layers with
//! lists of weights.

use std::collections::{BTreeMap, BTreeSet};

use super::objects::KerasProgram;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::formats::keras::{KerasFacts, KerasFile};
use crate::read::tensor::DType;

/// One data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// Its name in the file.
    pub(super) name: Vec<u8>,
    pub(super) shape: Vec<u64>,
    pub(super) dtype: DType,
}

/// The variables of one object, by their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// The name of the object, if the file says it.
    pub(super) name: Option<String>,
    pub(super) sets: BTreeMap<String, Set>,
}

/// One layer of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    pub(super) name: String,
    /// The names of its weights, and what stands under them.
    pub(super) weights: Vec<(String, Option<Set>)>,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Saved {
    /// Objects with their variables, by their paths.
    pub(super) groups: BTreeMap<String, Group>,
    /// All groups that lead to them.
    paths: BTreeSet<String>,
    /// Layers in the order of the list.
    pub(super) listed: Vec<Listed>,
    /// The weights of the model itself, if the file has a group for them.
    pub(super) top: Option<Vec<(String, Option<Set>)>>,
    /// The version of Keras that wrote it.
    pub(super) version: Option<String>,
    /// Whether it lists layers.
    pub(super) is_listed: bool,
    /// Whether it says of its half-precision numbers what they are: HDF5 has no bfloat16, and of all writers Keras 3
    /// alone puts that beside them, in groups of objects.
    pub(super) is_tagged: bool,
    /// All data sets that are there, and not for training.
    pub(super) sets: Vec<Set>,
    /// How many there are of the optimizer, in an HDF5 file of a whole model.
    pub(super) optimizer_weights: usize,
}

/// What Keras 2.12 called the list of layers.
const OLD: &str = "_layer_checkpoint_dependencies";

impl Saved {
    pub(super) fn of(checkpoint: &Checkpoint) -> Option<Self> {
        let file = checkpoint.of_format::<KerasFile>()?;
        let facts = file.facts();
        let mut saved = Self { version: facts.keras_version.clone(), ..Self::default() };
        let mut by_name = BTreeMap::new();
        for tensor in checkpoint.tensors() {
            let Some(set) = set_of(&tensor) else { continue };
            by_name.insert(set.name.clone(), set.clone());
            let path = String::from_utf8_lossy(&set.name).into_owned();
            if let Some((owner, key)) = variable(&path) {
                saved.groups.entry(owner.to_owned()).or_default().sets.insert(key.to_owned(), set.clone());
            }
            if path.starts_with("optimizer_weights/") {
                saved.optimizer_weights += 1;
            } else {
                saved.sets.push(set);
            }
        }
        for (owner, name) in &facts.group_names {
            let owner = String::from_utf8_lossy(owner).into_owned();
            saved.groups.entry(owner).or_default().name = Some(name.clone());
        }
        for owner in &facts.empty_groups {
            saved.groups.entry(String::from_utf8_lossy(owner).into_owned()).or_default();
        }
        for owner in saved.groups.keys() {
            let mut path = owner.as_str();
            while !path.is_empty() {
                saved.paths.insert(path.to_owned());
                path = path.rsplit_once('/').map_or("", |(around, _)| around);
            }
        }
        saved.lists(facts, &by_name);
        let is_new = saved.version.as_deref().is_some_and(|version| version.starts_with('3'));
        saved.is_tagged = !saved.is_listed && (is_new || !facts.group_names.is_empty());
        Some(saved)
    }

    fn lists(&mut self, facts: &KerasFacts, by_name: &BTreeMap<Vec<u8>, Set>) {
        let Some(lists) = &facts.lists else { return };
        self.is_listed = true;
        let weights = |group: &[Vec<u8>], at: &[u8]| -> Vec<(String, Option<Set>)> {
            let of = |name: &Vec<u8>| {
                let set = by_name.get(&[at, b"/", name.as_slice()].concat()).or_else(|| by_name.get(name));
                (String::from_utf8_lossy(name).into_owned(), set.cloned())
            };
            group.iter().map(of).collect()
        };
        for (path, name, names) in &lists.layers {
            self.listed.push(Listed { name: name.clone(), weights: weights(names, path) });
        }
        self.top = lists.top.as_ref().map(|(path, names)| weights(names, path));
    }

    /// The variables under a path, as the stores of both Keras look them up.
    pub(super) fn group(&self, path: &str, falls_back: bool) -> Option<&Group> {
        let found = self.groups.get(path);
        if found.is_some() || !falls_back {
            return found;
        }
        let is_old = self.paths.iter().any(|path| path == OLD || path.starts_with(OLD));
        is_old.then(|| self.groups.get(&path.replace("layers", OLD))).flatten()
    }

    /// Whether there is anything under a path.
    pub(super) fn has_path(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// The objects right below one, each with the attribute or the place in a list that leads to it.
    pub(super) fn below<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'s str> {
        let start = if path.is_empty() { String::new() } else { format!("{path}/") };
        let names: BTreeSet<&str> = self
            .paths
            .iter()
            .filter_map(|other| other.strip_prefix(start.as_str()))
            .map(|rest| rest.split('/').next().unwrap_or(rest))
            .collect();
        names.into_iter()
    }

    /// Whether h5py gives the bytes of a data set as what nothing can be assigned from.
    pub(super) fn is_opaque(&self, set: &Set, program: KerasProgram) -> bool {
        set.dtype == DType::BFloat16 && !(self.is_tagged && program == KerasProgram::Keras3)
    }

    /// Whether an object is saved under this path, and not only something below it.
    pub(super) fn is_object(&self, path: &str) -> bool {
        self.groups.contains_key(path)
    }
}

/// The object that a data set is a variable of, and its key.
fn variable(path: &str) -> Option<(&str, &str)> {
    if let Some(key) = path.strip_prefix("vars/") {
        return Some(("", key));
    }
    path.rsplit_once("/vars/").filter(|(_, key)| !key.contains('/'))
}

fn set_of(tensor: &Tensor) -> Option<Set> {
    let shape = tensor.shape.dims()?.iter().map(|dim| u64::try_from(*dim).ok()).collect::<Option<Vec<u64>>>()?;
    Some(Set { name: tensor.name.clone(), shape, dtype: tensor.dtype })
}
