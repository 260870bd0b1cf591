//! Whether what a variable takes is meant for it: Keras looks at positions and shapes, people at names.
//!
//! A layer that takes the weights of another is misplaced if the file has weights under the layer's own name, or if their
//! kinds differ. Names that Keras counted (`dense_3`) say no more than an order, and a name that the file does not have
//! is a layer that was renamed.

use std::collections::{BTreeMap, BTreeSet};

use super::classes::{class_by_name, unnumbered};
use super::objects::{DEPTH, Held, KerasProgram, Objects, Which, joined};
use super::saved::{Saved, Set};
use crate::read::formats::keras::snake;

/// Whose a variable is: the names from the model down to its layer, and its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) layers: Vec<String>,
    pub(super) class: Option<String>,
    pub(super) variable: String,
}

impl Owner {
    pub(super) fn shown(&self) -> String {
        let mut all = self.layers.clone();
        all.push(self.variable.clone());
        all.retain(|part| !part.is_empty());
        all.join("/")
    }
}

/// The identities of the variables of a model.
pub(super) fn of_model(objects: &Objects) -> BTreeMap<Which, Owner> {
    let mut all = BTreeMap::new();
    names(objects, 0, &[], &mut BTreeSet::new(), &mut all, 0);
    all
}

impl Objects {
    /// Takes the shapes of the variables that others have under the same names.
    pub(super) fn take_shapes(&mut self, others: &Self) {
        let theirs: BTreeMap<String, Which> =
            of_model(others).into_iter().map(|(which, identity)| (identity.shown(), which)).collect();
        for (which, identity) in of_model(self) {
            let shape = theirs.get(&identity.shown()).and_then(|which| others.variable(*which)?.shape.clone());
            let variable = self.all.get_mut(which.0).and_then(|object| object.variables.as_mut()?.get_mut(which.1));
            if let (Some(shape), Some(variable)) = (shape, variable) {
                variable.shape = Some(shape);
            }
        }
    }
}

fn names(
    objects: &Objects,
    at: usize,
    around: &[String],
    seen: &mut BTreeSet<usize>,
    all: &mut BTreeMap<Which, Owner>,
    depth: usize,
) {
    let Some(object) = objects.get(at).filter(|_| depth <= DEPTH) else { return };
    if !seen.insert(at) {
        return;
    }
    let layers = if at == 0 { Vec::new() } else { [around, std::slice::from_ref(&object.name)].concat() };
    for (n, variable) in object.variables.iter().flatten().enumerate() {
        let own = || if variable.name.is_empty() { n.to_string() } else { variable.name.clone() };
        let (layers, variable) =
            if object.is_flat { inner(&object.name, &variable.path) } else { (layers.clone(), own()) };
        let class = object.class.clone().filter(|_| !object.is_flat);
        all.insert((at, n), Owner { layers, class, variable });
    }
    for (_, held) in &object.attributes {
        held_names(objects, held, &layers, seen, all, depth.saturating_add(1));
    }
}

fn held_names(
    objects: &Objects,
    held: &Held,
    around: &[String],
    seen: &mut BTreeSet<usize>,
    all: &mut BTreeMap<Which, Owner>,
    depth: usize,
) {
    match held {
        Held::One(at) => names(objects, *at, around, seen, all, depth),
        Held::Many(_) if depth > DEPTH => {}
        Held::Many(list) => {
            for held in list {
                held_names(objects, held, around, seen, all, depth.saturating_add(1));
            }
        }
    }
}

/// The identity that a listed name has: `dense/kernel:0` in the layer `dense`.
fn inner(layer: &str, name: &str) -> (Vec<String>, String) {
    let name = name.strip_suffix(":0").unwrap_or(name);
    let rest = name.strip_prefix(layer).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    let mut parts: Vec<String> = rest.split('/').map(str::to_owned).collect();
    let last = parts.pop().unwrap_or_default();
    let layers = std::iter::once(layer.to_owned()).filter(|layer| !layer.is_empty()).chain(parts).collect();
    (layers, last)
}

/// The identities of the data sets of a file, by their names.
pub(super) fn of_file(objects: &Objects, saved: &Saved, program: KerasProgram) -> BTreeMap<Vec<u8>, Owner> {
    let own = of_model(objects);
    let mut all = BTreeMap::new();
    if saved.is_listed {
        let layers: Vec<usize> = objects.layers(0).map(<[usize]>::to_vec).unwrap_or_default();
        for listed in &saved.listed {
            let at = layers.iter().find(|at| objects.get(**at).is_some_and(|object| object.name == listed.name));
            let weights = at.and_then(|at| objects.legacy_weights(*at, program));
            let weights = weights.filter(|weights| weights.len() == listed.weights.len());
            for (n, (name, set)) in listed.weights.iter().enumerate() {
                let Some(set) = set else { continue };
                let known = weights.as_ref().and_then(|weights| own.get(weights.get(n)?)).cloned();
                let identity = known.unwrap_or_else(|| {
                    let (layers, variable) = inner(&listed.name, name);
                    Owner { layers, class: None, variable }
                });
                all.insert(set.name.clone(), identity);
            }
        }
        for (name, set) in saved.top.iter().flatten() {
            let Some(set) = set else { continue };
            let (_, variable) = inner("", name);
            all.insert(set.name.clone(), Owner { variable, ..Owner::default() });
        }
        return all;
    }
    for (at, path) in objects.places(program) {
        let Some(group) = saved.groups.get(&path) else { continue };
        for (key, set) in &group.sets {
            let n: Option<usize> = key.parse().ok();
            if let Some(identity) = n.and_then(|n| own.get(&(at, n))) {
                all.insert(set.name.clone(), identity.clone());
            }
        }
    }
    for (path, group) in &saved.groups {
        for set in group.sets.values() {
            all.entry(set.name.clone()).or_insert_with(|| Owner {
                layers: group.name.clone().into_iter().collect(),
                class: None,
                variable: joined(path, "vars"),
            });
        }
    }
    all
}

/// What is wrong with where weights go.
#[derive(Clone, Debug, Default)]
pub(super) struct Judgement {
    /// Variables that take what is another's, each with what it takes.
    pub(super) misplaced: Vec<(Which, Owner, Owner, Set)>,
    /// Layers that take the weights of one with another name, which the model does not have.
    pub(super) renamed: Vec<(String, String)>,
}

/// Compares what is taken with what is meant. Where the file has no names, its layers are counted by their classes, which
/// says nothing of how the program numbers them.
pub(super) fn judge(
    objects: &Objects,
    model: &BTreeMap<Which, Owner>,
    file: &BTreeMap<Vec<u8>, Owner>,
    taken: &[(Which, Set)],
    is_named: bool,
) -> Judgement {
    let pairs: Vec<(Which, &Owner, &Owner, &Set)> = taken
        .iter()
        .filter(|(which, _)| objects.is_of_model(which.0))
        .filter_map(|(which, set)| Some((*which, model.get(which)?, file.get(&set.name)?, set)))
        .collect();
    let mut judgement = Judgement::default();
    let wrong = if is_named { wrong_pairs(&pairs, file, &mut judgement.renamed) } else { BTreeSet::new() };
    for (which, own, other, set) in pairs {
        let levels = own.layers.len().min(other.layers.len());
        let is_wrong = (0..levels).any(|level| {
            let key = (own.layers.get(..=level), other.layers.get(..=level));
            matches!(key, (Some(a), Some(b)) if wrong.contains(&(a.to_vec(), b.to_vec())))
        });
        let other_class = matches!((&own.class, &other.class), (Some(a), Some(b)) if own.layers.len() == other.layers.len() && !alike(a, b));
        if is_wrong || other_class || !same_variable(&own.variable, &other.variable) {
            judgement.misplaced.push((which, own.clone(), other.clone(), set.clone()));
        }
    }
    judgement
}

/// Classes whose weights mean the same.
fn alike(a: &str, b: &str) -> bool {
    let plain = |class: &str| match class {
        "SyncBatchNormalization" => "BatchNormalization".to_owned(),
        "Model" => "Functional".to_owned(),
        class => class.strip_prefix("CuDNN").unwrap_or(class).to_owned(),
    };
    plain(a) == plain(b)
}

fn same_variable(a: &str, b: &str) -> bool {
    let plain = |name: &str| if name == "depthwise_kernel" { "kernel".to_owned() } else { name.to_owned() };
    let is_unknown = |name: &str| name.is_empty() || name.bytes().all(|b| b.is_ascii_digit());
    is_unknown(a) || is_unknown(b) || b.ends_with("vars") || plain(a) == plain(b)
}

/// The names from the model down to a layer, and those of what it takes.
type Chains = (Vec<String>, Vec<String>);

/// The numbers of a pair of names that Keras counted, and the names.
type Counted<'p> = (u64, u64, &'p (String, String));

/// Chains of layer names of which the last two do not belong together.
fn wrong_pairs(
    pairs: &[(Which, &Owner, &Owner, &Set)],
    file: &BTreeMap<Vec<u8>, Owner>,
    renamed: &mut Vec<(String, String)>,
) -> BTreeSet<Chains> {
    let mut wrong = BTreeSet::new();
    // All chains of the file: who has a name of their own there.
    let there: BTreeSet<&[String]> = file
        .values()
        .flat_map(|identity| (1..=identity.layers.len()).filter_map(|n| identity.layers.get(..n)))
        .collect();
    let mut levels: BTreeMap<Chains, Vec<(String, String)>> = BTreeMap::new();
    for (_, own, other, _) in pairs {
        for level in 0..own.layers.len().min(other.layers.len()) {
            let (Some(a), Some(b)) = (own.layers.get(level), other.layers.get(level)) else { continue };
            let around = (own.layers.get(..level).unwrap_or_default(), other.layers.get(..level).unwrap_or_default());
            let siblings = levels.entry((around.0.to_vec(), around.1.to_vec())).or_default();
            if !siblings.contains(&(a.clone(), b.clone())) {
                siblings.push((a.clone(), b.clone()));
            }
        }
    }
    for ((model_around, file_around), siblings) in levels {
        let chain = |around: &[String], name: &str| [around, &[name.to_owned()]].concat();
        let mut counted: BTreeMap<String, Vec<Counted<'_>>> = BTreeMap::new();
        for pair in &siblings {
            let (a, b) = pair;
            match (counter(a), counter(b)) {
                (Some((stem, n)), Some((other, m))) if stem == other => {
                    counted.entry(stem.to_owned()).or_default().push((n, m, pair));
                }
                _ if a == b => {}
                // The file has a layer of this name, and it is not this one.
                _ if there.contains(chain(&file_around, a).as_slice()) && counter(a).is_none() => {
                    wrong.insert((chain(&model_around, a), chain(&file_around, b)));
                }
                _ if model_around.is_empty() => renamed.push((a.clone(), b.clone())),
                _ => {}
            }
        }
        for mut all in counted.into_values() {
            if all.iter().all(|(n, m, _)| n == m) {
                continue;
            }
            all.sort_unstable();
            let is_rising = all.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0 && a.1 < b.1));
            if !is_rising {
                for (n, m, (a, b)) in all {
                    if n != m {
                        wrong.insert((chain(&model_around, a), chain(&file_around, b)));
                    }
                }
            }
        }
    }
    wrong
}

/// The kind and the number of a name that Keras counted: `dense` is the first of its kind.
fn counter(name: &str) -> Option<(&str, u64)> {
    let plain = name.strip_prefix("forward_").or_else(|| name.strip_prefix("backward_")).unwrap_or(name);
    let class = class_by_name(plain)?;
    let stem = unnumbered(name);
    if !(stem.ends_with(&snake(&class)) || name == snake(&class)) {
        return None;
    }
    if plain == snake(&class) {
        return Some((name, 0));
    }
    let number = name.rsplit_once('_')?.1.parse().ok()?;
    Some((stem, number))
}
