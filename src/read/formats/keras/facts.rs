//! What a file of Keras says of its model besides the values: who wrote it, the configuration, the layers and the names
//! of their variables.
//!
//! Keras: `legacy_h5_format.py` (and `hdf5_format.py` of `tf_keras`) write names into attributes of groups;
//! `saving_lib.py` writes groups that follow the objects, with the name of the layer, since Keras 3.8, beside the values.

use std::collections::{BTreeMap, BTreeSet};

use super::optimizers::is_called_as_optimizer;
use crate::base::error::{Error, Result};
use crate::read::formats::hdf5::{Attribute, Contents};

/// What an archive says of its model, and of itself.
pub(super) const CONFIG: &str = "config.json";
pub(super) const METADATA: &str = "metadata.json";
/// What an archive, or a directory that one was unpacked into, has its weights in.
pub(super) const WEIGHTS: &str = "model.weights.h5";

/// How the weights are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// By attributes with the names of layers and of their weights, in the order in which they are loaded.
    #[default]
    Listed,
    /// By the path of objects from the model on.
    Objects,
}

/// One layer, or another object that has variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KerasGroup {
    /// Its own name; of one that has none the path of its group.
    pub name: String,
    /// Its data sets, in the order of its variables.
    pub tensors: Vec<Vec<u8>>,
}

/// The lists of a file that names its weights by them, whether or not what they name is there.
#[derive(Clone, Debug, Default)]
pub struct KerasLists {
    /// Of each layer the path of its group, its name, and the names of its weights below that path.
    pub layers: Vec<(Vec<u8>, String, Vec<Vec<u8>>)>,
    /// The same of the model itself, if there is such a group.
    pub top: Option<(Vec<u8>, Vec<Vec<u8>>)>,
}

/// What a file says of its model.
#[derive(Clone, Debug, Default)]
pub struct KerasFacts {
    /// How the weights are named.
    pub naming: Naming,
    /// The version of Keras, or of `tf_keras`.
    pub keras_version: Option<String>,
    /// What Keras ran on.
    pub backend: Option<String>,
    /// When an archive was saved, as it says.
    pub date_saved: Option<String>,
    /// The configuration of the model, as JSON.
    pub config: Option<String>,
    /// Loss, metrics and optimizer of a compiled model, as JSON; in an archive they are a part of the configuration.
    pub training_config: Option<String>,
    /// Layers in the order of the model, where the file has one.
    pub layers: Vec<KerasGroup>,
    /// The optimizer's variables, in its order.
    pub optimizer: Vec<Vec<u8>>,
    /// Those of an optimizer within it, which one that scales losses has. Most of them are in its own list too.
    pub inner_optimizer: Vec<Vec<u8>>,
    /// Those of optimizers that a model of the program's own keeps under other attributes than `optimizer`.
    pub other_optimizers: Vec<Vec<u8>>,
    /// Whether the second of them is a number: the learning rate.
    pub has_learning_rate: bool,
    /// Shapes of data sets whose places are paths of objects.
    pub dims: BTreeMap<Vec<u8>, Vec<u64>>,
    /// Data sets of whole numbers, which no training changes.
    pub integers: BTreeSet<Vec<u8>>,
    /// Names that Keras itself gave to groups, by their paths: layers, the optimizer, the model under the empty path.
    pub group_names: BTreeMap<Vec<u8>, String>,
    /// Names of variables that stand in the file, by their data sets.
    pub names: BTreeMap<Vec<u8>, String>,
    /// Where names are listed, the lists as they stand.
    pub lists: Option<KerasLists>,
    /// Objects whose group of variables is there and empty.
    pub empty_groups: Vec<Vec<u8>>,
}

/// The attribute with a list of names that may be split: `layer_names`, or `layer_names0`, `layer_names1`, …
fn list(attributes: &[Attribute], name: &str) -> Option<Vec<Vec<u8>>> {
    let find = |name: &str| attributes.iter().find(|attribute| attribute.name == name.as_bytes());
    if let Some(whole) = find(name) {
        return Some(whole.text.clone());
    }
    let first = find(&format!("{name}0"))?;
    let mut all = first.text.clone();
    for n in 1.. {
        let Some(part) = find(&format!("{name}{n}")) else { break };
        all.extend(part.text.iter().cloned());
    }
    Some(all)
}

fn one(attributes: &[Attribute], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.name == name.as_bytes())?;
    found.text.first().map(|text| String::from_utf8_lossy(text).into_owned())
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

/// The path of the group that has the layers, if a file names its weights by lists.
pub(super) fn listed_at(contents: &Contents) -> Option<&'static [u8]> {
    let has = |path: &[u8]| contents.groups.get(path).is_some_and(|group| list(group, "layer_names").is_some());
    // Keras descends only where the root has no list itself.
    [&b""[..], b"model_weights"].into_iter().find(|path| has(path))
}

/// Whether data sets are the variables of objects: in a group that is called `vars`.
pub(super) fn has_objects(contents: &Contents) -> bool {
    let in_vars = |path: &Vec<u8>| path.rsplit(|byte| *byte == b'/').nth(1) == Some(b"vars");
    contents.data_sets.iter().any(|(path, _)| in_vars(path))
        || contents.groups.contains_key(&b"_layer_checkpoint_dependencies"[..])
}

impl KerasFacts {
    /// Whether Keras 2 wrote the file, as far as it says.
    pub(super) fn is_old(&self) -> bool {
        self.keras_version.as_deref().is_some_and(|version| version.starts_with('2'))
    }

    /// What groups and attributes say; adds to their damage what their lists have and the file has not.
    pub(super) fn read(contents: &mut Contents) -> Self {
        let mut facts = Self::default();
        let none = Vec::new();
        let root = contents.groups.get(&b""[..]).unwrap_or(&none);
        facts.config = one(root, "model_config");
        facts.training_config = one(root, "training_config");
        let at = listed_at(contents);
        let group = at.and_then(|at| contents.groups.get(at)).unwrap_or(root);
        facts.keras_version = one(root, "keras_version").or_else(|| one(group, "keras_version"));
        facts.backend = one(root, "backend").or_else(|| one(group, "backend"));
        if let Some(at) = at {
            facts.listed(at, contents);
        } else {
            let sets = contents.data_sets.iter().map(|(path, set)| (path.as_slice(), set.dims()));
            let objects = Self::of_groups(sets, &contents.groups);
            facts.naming = objects.naming;
            facts.layers = objects.layers;
            (facts.optimizer, facts.inner_optimizer) = (objects.optimizer, objects.inner_optimizer);
            facts.other_optimizers = objects.other_optimizers;
            facts.has_learning_rate = objects.has_learning_rate;
            facts.group_names = objects.group_names;
            facts.empty_groups = objects.empty_groups;
            facts.dims = objects.dims;
        }
        facts
    }

    fn listed(&mut self, at: &[u8], contents: &mut Contents) {
        let there: BTreeSet<&[u8]> = contents.data_sets.iter().map(|(path, _)| path.as_slice()).collect();
        let mut lists = Lists { contents, there, named: BTreeSet::new(), faults: Vec::new(), names: BTreeMap::new() };
        let layers = contents.groups.get(at).and_then(|group| list(group, "layer_names")).unwrap_or_default();
        let weights_of =
            |path: &[u8]| contents.groups.get(path).map(|group| list(group, "weight_names").unwrap_or_default());
        let path = join(at, b"top_level_model_weights");
        let mut as_listed = KerasLists { layers: Vec::new(), top: weights_of(&path).map(|names| (path, names)) };
        for layer in layers {
            let path = join(at, &layer);
            let own = String::from_utf8_lossy(&layer).into_owned();
            let names = weights_of(&path).unwrap_or_default();
            as_listed.layers.push((path, own, names));
            let name = String::from_utf8_lossy(&layer).into_owned();
            self.layers.push(KerasGroup { name, tensors: lists.weights(&join(at, &layer), true) });
        }
        let top = join(at, b"top_level_model_weights");
        let tensors = lists.weights(&top, false);
        if !tensors.is_empty() {
            self.layers.push(KerasGroup { name: "top_level_model_weights".to_owned(), tensors });
        }
        self.optimizer = lists.weights(b"optimizer_weights", false);
        let Lists { there, named, faults, names, .. } = lists;
        self.lists = Some(as_listed);
        let below =
            |path: &[u8]| at.is_empty() || path.starts_with(&join(at, b"")) || path.starts_with(b"optimizer_weights/");
        let extra: Vec<Error> = there
            .iter()
            .filter(|path| below(path) && !named.contains(**path))
            .map(|path| {
                let why = "no list of weight_names has this data set: Keras does not load it";
                Error::malformed("Keras weights", why).for_key(path)
            })
            .collect();
        self.names = names;
        contents.notes.extend(extra);
        contents.damage.extend(faults);
    }

    /// What the groups of objects say. Of every data set its path and its shape.
    pub(super) fn of_groups<'n>(
        sets: impl Iterator<Item = (&'n [u8], &'n [u64])>,
        all: &BTreeMap<Vec<u8>, Vec<Attribute>>,
    ) -> Self {
        let mut facts = Self { naming: Naming::Objects, ..Self::default() };
        let mut groups: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
        for (path, dims) in sets {
            if let Some((group, _)) = split(path) {
                facts.has_learning_rate |= dims.is_empty() && path == b"optimizer/vars/1";
                facts.dims.insert(path.to_vec(), dims.to_vec());
                groups.entry(group).or_default().push(path);
            }
        }
        for (path, attributes) in all {
            let owner = path.strip_suffix(b"vars").map(|owner| owner.strip_suffix(b"/").unwrap_or(owner));
            let Some(owner) = owner else { continue };
            if let Some(name) = one(attributes, "name") {
                facts.group_names.insert(owner.to_vec(), name);
            }
            if !groups.contains_key(path.as_slice()) {
                facts.empty_groups.push(owner.to_vec());
            }
        }
        let others: Vec<Vec<u8>> = other_optimizers(&facts, &groups);
        for (group, mut sets) in groups {
            sets.sort_by_key(|path| number(path));
            let tensors = sets.into_iter().map(<[u8]>::to_vec).collect();
            let owner = group.strip_suffix(b"/vars").unwrap_or_default();
            if owner == b"optimizer" {
                facts.optimizer = tensors;
                continue;
            }
            if owner.starts_with(b"optimizer/") {
                facts.inner_optimizer.extend(tensors);
                continue;
            }
            let is_of = |other: &Vec<u8>| {
                owner.strip_prefix(other.as_slice()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            };
            if others.iter().any(is_of) {
                facts.other_optimizers.extend(tensors);
                continue;
            }
            let name = facts.group_names.get(owner).cloned();
            let name = name.unwrap_or_else(|| String::from_utf8_lossy(owner).into_owned());
            facts.layers.push(KerasGroup { name, tensors });
        }
        facts
    }

    /// What is said in files beside the weights: `metadata.json` and `config.json`.
    ///
    /// # Errors
    /// If the metadata are no JSON.
    pub(super) fn add_metadata(&mut self, metadata: &[u8]) -> Result<()> {
        let json: serde_json::Value =
            serde_json::from_slice(metadata).map_err(|error| Error::malformed("Keras metadata", error.to_string()))?;
        let text = |key: &str| json.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
        self.keras_version = text("keras_version");
        self.date_saved = text("date_saved");
        Ok(())
    }
}

/// The objects of the model, other than `optimizer`, that are optimizers: each begins with two numbers, its steps and its
/// learning rate, and is called as one of Keras, or has the shapes of weights behind them.
fn other_optimizers(facts: &KerasFacts, groups: &BTreeMap<&[u8], Vec<&[u8]>>) -> Vec<Vec<u8>> {
    let owner = |group: &'_ [u8]| group.strip_suffix(b"/vars").unwrap_or_default().to_vec();
    let dims = |path: &[u8]| facts.dims.get(path).map(Vec::as_slice);
    let candidate = |(group, sets): (&&[u8], &Vec<&[u8]>)| {
        let owner = owner(group);
        let number_of = |n: u64| sets.iter().find(|path| number(path).0 == n).copied();
        let begins = [number_of(0), number_of(1)].into_iter().all(|path| path.and_then(dims) == Some(&[]));
        let may_be = begins && !owner.is_empty() && !owner.contains(&b'/') && owner != b"optimizer";
        may_be.then_some(owner)
    };
    let candidates: Vec<Vec<u8>> = groups.iter().filter_map(candidate).collect();
    let is_of_candidate = |group: &[u8]| candidates.contains(&owner(group));
    let weights: BTreeSet<&[u64]> = groups
        .iter()
        .filter(|(group, _)| !is_of_candidate(group))
        .flat_map(|(_, sets)| sets)
        .filter_map(|p| dims(p))
        .collect();
    let is_optimizer = |owner: &Vec<u8>| {
        let sets = groups.get(join(owner, b"vars").as_slice());
        let mut behind =
            sets.into_iter().flatten().filter_map(|path| dims(path)).filter(|dims| !dims.is_empty()).peekable();
        let is_called = facts.group_names.get(owner).is_some_and(|name| is_called_as_optimizer(name));
        is_called || (behind.peek().is_some() && behind.all(|dims| weights.contains(dims)))
    };
    candidates.iter().filter(|owner| is_optimizer(owner)).cloned().collect()
}

/// The lists of weights in the attributes of groups.
struct Lists<'c> {
    contents: &'c Contents,
    there: BTreeSet<&'c [u8]>,
    /// Data sets that a list has.
    named: BTreeSet<Vec<u8>>,
    names: BTreeMap<Vec<u8>, String>,
    faults: Vec<Error>,
}

impl Lists<'_> {
    /// The data sets of a group in the order of its list.
    fn weights(&mut self, group: &[u8], is_needed: bool) -> Vec<Vec<u8>> {
        let attributes = self.contents.groups.get(group);
        if attributes.is_none() && is_needed {
            let why = "layer_names has it, and the file has no such group";
            self.faults.push(Error::malformed("Keras weights", why).for_key(group));
        }
        let listed = attributes.and_then(|attributes| list(attributes, "weight_names"));
        if let (None, Some(_), true) = (&listed, attributes, is_needed) {
            let why = "the group of a layer without weight_names: Keras cannot load it";
            self.faults.push(Error::malformed("Keras weights", why).for_key(group));
        }
        let mut found = Vec::new();
        for name in listed.unwrap_or_default() {
            let path = join(group, &name);
            if self.there.contains(path.as_slice()) {
                let own = String::from_utf8_lossy(&name);
                self.names.insert(path.clone(), own.into_owned());
                found.push(path.clone());
            } else {
                let why = "weight_names has it, and the file has no such data set";
                self.faults.push(Error::malformed("Keras weights", why).for_key(&path));
            }
            self.named.insert(path);
        }
        found
    }
}

/// The group of variables that a data set is in, and its key in it.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = path.iter().rposition(|byte| *byte == b'/')?;
    let (group, key) = (path.get(..at)?, path.get(at.saturating_add(1)..)?);
    (group == b"vars" || group.ends_with(b"/vars")).then_some((group, key))
}

/// Variables are counted; those with keys of their own come behind.
pub(super) fn number(path: &[u8]) -> (u64, Vec<u8>) {
    let key = split(path).map_or(path, |(_, key)| key);
    let number = std::str::from_utf8(key).ok().and_then(|key| key.parse().ok());
    (number.unwrap_or(u64::MAX), key.to_vec())
}
