//! What a data set is in the program: the variable's own name, what it is for, and its place in the order of the model.
//!
//! Files with lists have the names. Where groups follow the objects, the layers' names stand beside the values since
//! Keras 3.8, and before that in the configuration; which variable of its layer a data set is, its class tells.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{ConfigLayer, ConfigTree};
use super::facts::{KerasFacts, KerasGroup, Naming, number, split};
use super::optimizers::{Optimizer, Slot};
use super::variables::{attribute, is_kept, is_kept_beside, is_twice, purpose, variable};
use crate::read::container::{Purpose, Told};

/// What is told of every data set, by its path.
pub(super) fn told(facts: &KerasFacts, tree: Option<&ConfigTree>) -> BTreeMap<Vec<u8>, Told> {
    let mut all = BTreeMap::new();
    let config: BTreeMap<&[u8], &ConfigLayer> =
        tree.into_iter().flat_map(|tree| &tree.layers).map(|layer| (layer.group.as_slice(), layer)).collect();
    let trained: BTreeMap<&str, bool> = tree
        .into_iter()
        .flat_map(|tree| &tree.layers)
        .filter(|layer| layer.depth == 0)
        .map(|layer| (layer.name.as_str(), layer.trainable))
        .collect();
    let mut layers: Vec<&KerasGroup> = facts.layers.iter().collect();
    if facts.naming == Naming::Objects {
        // In the order of the model, where a configuration says that.
        let places: BTreeMap<&[u8], usize> =
            tree.into_iter().flat_map(|tree| &tree.layers).enumerate().map(|(n, l)| (l.group.as_slice(), n)).collect();
        layers.sort_by_key(|layer| {
            let group = layer.tensors.first().and_then(|path| owner(path)).map(as_in_config).unwrap_or_default();
            let last = group.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            (closest(&places, &group).unwrap_or(usize::MAX), rank(last))
        });
    }
    // The trained variables, in the order of the model.
    let mut weights: Vec<(&[u8], Named)> = Vec::new();
    let mut order = 0usize;
    for layer in layers {
        let count = layer.tensors.len();
        let beside: BTreeMap<&str, &[u8]> =
            layer.tensors.iter().filter_map(|path| Some((facts.names.get(path)?.as_str(), path.as_slice()))).collect();
        for path in &layer.tensors {
            let (named, purpose) = match facts.naming {
                Naming::Listed => {
                    let own = facts.names.get(path).cloned().unwrap_or_default();
                    let is_integer = |name: &str| beside.get(name).is_some_and(|path| facts.integers.contains(*path));
                    let is_kept =
                        is_integer(&own) || is_kept_beside(&own, &|name| beside.contains_key(name), &is_integer);
                    let is_trained = !is_kept && trained.get(layer.name.as_str()).copied().unwrap_or(true);
                    let purpose = purpose(&own, is_trained);
                    (Named { name: own, is_sure: true }, purpose)
                }
                Naming::Objects => by_objects(facts, tree, &config, path, count),
            };
            // What is in the file twice is trained once.
            let is_copy = path.ends_with(b"/vars/0")
                && facts.naming == Naming::Objects
                && owner(path).and_then(|owner| layer_at(&config, owner)).is_some_and(is_twice);
            if purpose == Purpose::Weight && !is_copy {
                weights.push((path, named.clone()));
            }
            let Named { name, is_sure } = named;
            all.insert(path.clone(), Told { name: Some(name), is_named: is_sure, purpose: Some(purpose), order });
            order = order.saturating_add(1);
        }
    }
    let slots = slots(facts, tree, &weights);
    for (at, path) in facts.optimizer.iter().enumerate() {
        let (name, is_named) = match facts.naming {
            Naming::Listed => (facts.names.get(path).cloned(), true),
            Naming::Objects => {
                let slot = slots.get(path.as_slice()).cloned();
                let is_own = at == 0 || (at == 1 && facts.has_learning_rate);
                let is_scale = (at == 2 || at == 3) && is_wrapped_number(facts, at) && !facts.is_old();
                let is_named = slot.is_some() || is_own || is_scale;
                (slot.or_else(|| Some(format!("{}/{}", optimizer(facts), own_of_optimizer(facts, at)))), is_named)
            }
        };
        let purpose = Some(Purpose::Optimizer(if is_wrapped_number(facts, at) { 1 } else { at }));
        all.insert(path.clone(), Told { name, is_named, purpose, order });
        order = order.saturating_add(1);
    }
    for path in &facts.inner_optimizer {
        let below = path.strip_prefix(b"optimizer/").unwrap_or(path);
        let at = usize::try_from(number(path).0).unwrap_or(usize::MAX);
        let own = match (owner(path), at) {
            (Some(INNER), 0) => Some("iteration"),
            (Some(INNER), 1) if facts.dims.get(path).is_some_and(Vec::is_empty) => Some("learning_rate"),
            _ => None,
        };
        let scope = facts.group_names.get(INNER);
        let sure = slots.get(path.as_slice()).cloned().or_else(|| Some(format!("{}/{}", scope?, own?)));
        let is_named = sure.is_some();
        let name = sure.or_else(|| Some(format!("{}/{}", optimizer(facts), String::from_utf8_lossy(below))));
        all.insert(path.clone(), Told { name, is_named, purpose: Some(Purpose::Optimizer(at)), order });
        order = order.saturating_add(1);
    }
    for path in &facts.other_optimizers {
        let owner = path.split(|byte| *byte == b'/').next().unwrap_or_default();
        let called = facts.group_names.get(owner).cloned();
        let called = called.unwrap_or_else(|| String::from_utf8_lossy(owner).into_owned());
        let below = path.strip_prefix(owner).unwrap_or_default();
        let at = usize::try_from(number(path).0).unwrap_or(usize::MAX);
        let name = match at {
            0 => format!("{called}/iteration"),
            1 => format!("{called}/learning_rate"),
            _ => format!("{called}{}", String::from_utf8_lossy(below)),
        };
        let purpose = Some(Purpose::Optimizer(at));
        all.insert(path.clone(), Told { name: Some(name), is_named: at < 2, purpose, order });
        order = order.saturating_add(1);
    }
    all
}

/// The group of an optimizer within one that scales losses.
const INNER: &[u8] = b"optimizer/inner_optimizer";

/// Whether this is a number of an optimizer that scales losses, behind its own two: its steps and its scale, and what
/// the one within it has before its slots.
fn is_wrapped_number(facts: &KerasFacts, at: usize) -> bool {
    let is_number = |path: &Vec<u8>| facts.dims.get(path).is_some_and(Vec::is_empty);
    !facts.inner_optimizer.is_empty() && (2..6).contains(&at) && facts.optimizer.get(at).is_some_and(is_number)
}

/// The same with the configuration of another file, if the groups are those that Keras makes of it.
pub(super) fn told_as(facts: &KerasFacts, tree: &ConfigTree, other: &KerasFacts) -> Option<BTreeMap<Vec<u8>, Told>> {
    let config: BTreeMap<&[u8], &ConfigLayer> =
        tree.layers.iter().map(|layer| (layer.group.as_slice(), layer)).collect();
    // Only of lists of layers: what a layer makes for itself has names of its own.
    let is_in_list = |group: &[u8]| group.rsplit(|byte| *byte == b'/').nth(1) == Some(b"layers");
    let agrees = |(group, name): (&Vec<u8>, &String)| {
        !is_in_list(group) || layer_at(&config, group).is_none_or(|layer| layer.name == *name)
    };
    if facts.naming != Naming::Objects || !facts.group_names.iter().all(agrees) {
        return None;
    }
    // The layers of the model itself that have variables, in this file and in the one with the configuration.
    let layers = tree.layers.iter().filter(|layer| layer.depth == 0);
    let top = |path: &[u8]| layers.clone().find(|layer| is_below(&as_in_config(path), &layer.group));
    let mut here = BTreeSet::new();
    for path in facts.layers.iter().flat_map(|layer| &layer.tensors) {
        if path.starts_with(b"metrics/") || path.starts_with(b"vars/") {
            continue;
        }
        here.insert(top(path)?.name.as_str());
    }
    let mut there = BTreeSet::new();
    for layer in other.layers.iter().filter(|layer| !layer.tensors.is_empty()) {
        match other.naming {
            Naming::Listed => there.insert(layer.name.as_str()),
            Naming::Objects => {
                let layer = layer.tensors.first().and_then(|path| top(path));
                layer.is_some_and(|layer| there.insert(layer.name.as_str()))
            }
        };
    }
    let with = KerasFacts {
        keras_version: facts.keras_version.clone().or_else(|| other.keras_version.clone()),
        training_config: other.training_config.clone(),
        ..facts.clone()
    };
    (here == there).then(|| told(&with, Some(tree)))
}

fn is_below(path: &[u8], group: &[u8]) -> bool {
    path.strip_prefix(group).is_some_and(|rest| rest.starts_with(b"/"))
}

/// A name, and whether the file has it.
#[derive(Clone, Debug, Default)]
struct Named {
    name: String,
    is_sure: bool,
}

/// The names of slots that are only counted, by their paths.
fn slots<'f>(
    facts: &'f KerasFacts,
    tree: Option<&ConfigTree>,
    weights: &[(&[u8], Named)],
) -> BTreeMap<&'f [u8], String> {
    // In which order variables are trained, the configuration alone tells.
    let Some(tree) = tree.filter(|tree| facts.naming == Naming::Objects && is_ordered(tree, weights)) else {
        return BTreeMap::new();
    };
    let training = || facts.training_config.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let compiled = tree.compile.clone().or_else(training);
    let optimizer = compiled.and_then(|compiled| Optimizer::of_config(&compiled, facts.is_old()));
    let Some(optimizer) = optimizer else { return BTreeMap::new() };
    let dims = |path: &[u8]| facts.dims.get(path).map(Vec::as_slice).unwrap_or_default();
    // Of one that scales losses they are those of the one within it.
    let group = if optimizer.is_inner() { INNER } else { b"optimizer" };
    let optimizer = optimizer.called(facts.group_names.get(group));
    let all = if group == INNER { &facts.inner_optimizer } else { &facts.optimizer };
    let is_in_group = all.iter().all(|path| owner(path) == Some(group));
    let has_rate = facts.has_learning_rate || group == INNER;
    let counted = all.get(if has_rate { 2 } else { 1 }..).filter(|_| is_in_group).unwrap_or_default();
    let shapes: Vec<&[u64]> = counted.iter().map(|path| dims(path)).collect();
    let trained: Vec<&[u64]> = weights.iter().map(|(path, _)| dims(path)).collect();
    let found = optimizer.slots(&shapes, &trained).unwrap_or_default();
    let name = |(path, (of, kind)): (&'f Vec<u8>, Slot)| {
        let (_, variable) = weights.get(of)?;
        variable.is_sure.then(|| (path.as_slice(), optimizer.slot_name(&variable.name, kind)))
    };
    counted.iter().zip(found).filter_map(name).collect()
}

/// Whether the configuration tells the order of all these variables: not of those in layers that a layer has made.
fn is_ordered(tree: &ConfigTree, weights: &[(&[u8], Named)]) -> bool {
    let config: BTreeMap<&[u8], &ConfigLayer> =
        tree.layers.iter().map(|layer| (layer.group.as_slice(), layer)).collect();
    weights.iter().all(|(path, _)| {
        let Some(owner) = owner(path) else { return false };
        let made = || {
            let (around, last) = owner.split_at_checked(owner.iter().rposition(|byte| *byte == b'/')?)?;
            let layer = layer_at(&config, around)?;
            let is_attention =
                matches!(layer.class.as_str(), "MultiHeadAttention" | "GroupQueryAttention" | "GroupedQueryAttention");
            Some(is_attention && rank(last.get(1..)?) > 0)
        };
        layer_at(&config, owner).is_some() || made() == Some(true)
    })
}

/// In which order attention makes its layers; 0 of all others.
fn rank(last: &[u8]) -> u8 {
    match last.strip_prefix(b"_").unwrap_or(last) {
        b"query_dense" => 1,
        b"key_dense" => 2,
        b"value_dense" => 3,
        b"output_dense" => 4,
        _ => 0,
    }
}

/// What the optimizer is called.
fn optimizer(facts: &KerasFacts) -> &str {
    facts.group_names.get(&b"optimizer"[..]).map_or("optimizer", String::as_str)
}

/// The first variables of every optimizer; what follows is for the variables of the model.
fn own_of_optimizer(facts: &KerasFacts, at: usize) -> String {
    match at {
        0 => "iteration".to_owned(),
        1 if facts.has_learning_rate => "learning_rate".to_owned(),
        // Behind them it has all that the one within it has, which is named there.
        2 if is_wrapped_number(facts, at) && !facts.is_old() => "step_counter".to_owned(),
        3 if is_wrapped_number(facts, at) && !facts.is_old() => "dynamic_scale".to_owned(),
        at => at.to_string(),
    }
}

/// The object that a data set is a variable of.
fn owner(path: &[u8]) -> Option<&[u8]> {
    let (group, _) = split(path)?;
    Some(group.strip_suffix(b"vars").map_or(group, |owner| owner.strip_suffix(b"/").unwrap_or(owner)))
}

/// Older files have another name for the list of layers.
fn as_in_config(group: &[u8]) -> Vec<u8> {
    const OLD: &[u8] = b"_layer_checkpoint_dependencies";
    let parts = group.split(|byte| *byte == b'/').map(|part| if part == OLD { b"layers" } else { part });
    parts.collect::<Vec<_>>().join(&b'/')
}

/// What stands for a group or for the closest one around it.
fn closest<T: Copy>(all: &BTreeMap<&[u8], T>, group: &[u8]) -> Option<T> {
    let mut group = group;
    loop {
        if let Some(found) = all.get(group) {
            return Some(*found);
        }
        let at = group.iter().rposition(|byte| *byte == b'/')?;
        group = group.get(..at)?;
    }
}

/// Name and purpose of a variable whose place is a path of objects.
fn by_objects(
    facts: &KerasFacts,
    tree: Option<&ConfigTree>,
    config: &BTreeMap<&[u8], &ConfigLayer>,
    path: &[u8],
    count: usize,
) -> (Named, Purpose) {
    let Some((owner, (_, key))) = owner(path).zip(split(path)) else { return (Named::default(), Purpose::Weight) };
    let key = String::from_utf8_lossy(key).into_owned();
    let is_old = facts.is_old();
    let mut is_sure = true;
    let mut names: Vec<String> = Vec::new();
    // A model that is a class calls its layers within itself; those of others were made before it.
    let root =
        facts.group_names.get(&b""[..]).filter(|_| !owner.is_empty() && is_scope(root_class(tree, owner), is_old));
    names.extend(root.cloned());
    let parts: Vec<&[u8]> = owner.split(|byte| *byte == b'/').collect();
    for n in 1..=parts.len() {
        let group = parts.get(..n).unwrap_or_default().join(&b'/');
        let last = String::from_utf8_lossy(parts.get(n.saturating_sub(1)).copied().unwrap_or_default()).into_owned();
        let named = facts.group_names.get(&group).cloned();
        let named = named.or_else(|| layer_at(config, &group).map(|layer| layer.name.clone()));
        // A list of objects has no name; the object itself is called something.
        let is_list = n < parts.len() && (!facts.group_names.is_empty() || CONTAINERS.contains(&last.as_str()));
        let class = layer_at(config, &group).map(|layer| layer.class.as_str()).or_else(|| class_of_model(&last));
        if n < parts.len() && !is_scope(class.unwrap_or_default(), is_old) {
            continue;
        }
        if n < parts.len() && class == Some("Sequential") && !names.is_empty() {
            // One that was built by itself has no scope around it; when another was built, no file says.
            let has_input = layer_at(config, &group).is_some_and(|layer| layer.has_input);
            is_sure &= has_input;
            if has_input {
                names.clear();
            }
        }
        let around = parts.get(..n.saturating_sub(1)).unwrap_or_default().join(&b'/');
        match layer_at(config, &around).map(|layer| layer.class.as_str()) {
            // In Keras 2 it passes by the name of the layer that it wraps.
            Some("TimeDistributed") if is_old => continue,
            Some("TimeDistributed" | "Bidirectional") | None => {}
            Some(_) => is_sure &= !is_old || last != "layer",
        }
        names.extend(named.or_else(|| {
            let by_path = (!is_list && !last.is_empty()).then(|| attribute(&last).to_owned());
            is_sure &= by_path.as_ref().is_none_or(|name| *name != last);
            by_path
        }));
    }
    let layer = layer_at(config, owner);
    let variable = variable(facts, owner, layer, &key, count);
    is_sure &= variable.is_some() || key.parse::<u64>().is_err();
    let variable = variable.unwrap_or(key);
    let is_kept = facts.integers.contains(path) || layer.is_some_and(|layer| is_kept(layer, &variable));
    let trained = !is_kept && closest(config, &as_in_config(owner)).is_none_or(|layer| layer.trainable);
    let is_metric = owner.starts_with(b"metrics/");
    let purpose = if is_metric { Purpose::Metric } else { purpose(&variable, trained) };
    if is_sure {
        names.push(variable);
    } else {
        // No name that another layer may have: the path, with the name of the variable where that is known.
        names = vec![String::from_utf8_lossy(owner).into_owned(), variable];
    }
    (Named { name: names.join("/"), is_sure }, purpose)
}

fn layer_at<'l>(config: &BTreeMap<&[u8], &'l ConfigLayer>, group: &[u8]) -> Option<&'l ConfigLayer> {
    config.get(as_in_config(group).as_slice()).copied()
}

/// Whether variables have the name of a model around them in theirs.
fn is_scope(class: &str, is_old: bool) -> bool {
    match class {
        "Functional" | "Model" => false,
        "Sequential" => !is_old,
        _ => true,
    }
}

/// The class of the whole model; without a configuration as far as its groups tell.
fn root_class<'t>(tree: Option<&'t ConfigTree>, owner: &[u8]) -> &'t str {
    let is_list = owner.split(|byte| *byte == b'/').next().is_some_and(|first| first == b"layers");
    tree.map_or(if is_list { "Functional" } else { "" }, |tree| tree.class.as_str())
}

/// The class of a nested model by the name of its group.
fn class_of_model(segment: &str) -> Option<&'static str> {
    match segment.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_') {
        "functional" => Some("Functional"),
        "sequential" => Some("Sequential"),
        _ => None,
    }
}

/// Groups of lists of layers.
const CONTAINERS: [&str; 3] = ["layers", "_layer_checkpoint_dependencies", "cells"];
