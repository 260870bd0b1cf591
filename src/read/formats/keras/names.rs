//! What a data set is in the program: the variable's own name, what it is for, and its place in the order of the model.
//!
//! Files with lists have the names. Where groups follow the objects, the layers' names stand beside the values since
//! Keras 3.8, and before that in the configuration; which variable of its layer a data set is, its class tells.

use std::collections::BTreeMap;

use super::config::{ConfigLayer, ConfigTree, snake};
use super::facts::{KerasFacts, KerasGroup, Naming, split};
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
            let group = layer.tensors.first().and_then(|path| owner(path)).map(as_in_config);
            group.and_then(|group| closest(&places, &group)).unwrap_or(usize::MAX)
        });
    }
    let mut order = 0usize;
    for layer in layers {
        let count = layer.tensors.len();
        for path in &layer.tensors {
            let (name, purpose) = match facts.naming {
                Naming::Listed => {
                    let own = facts.names.get(path).cloned().unwrap_or_default();
                    let purpose = purpose(&own, trained.get(layer.name.as_str()).copied().unwrap_or(true));
                    (own, purpose)
                }
                Naming::Objects => by_objects(facts, tree, &config, path, count),
            };
            all.insert(path.clone(), Told { name: Some(name), purpose: Some(purpose), order });
            order = order.saturating_add(1);
        }
    }
    for (at, path) in facts.optimizer.iter().enumerate() {
        let name = match facts.naming {
            Naming::Listed => facts.names.get(path).cloned(),
            Naming::Objects => Some(format!("{}/{}", optimizer(facts), own_of_optimizer(facts, at))),
        };
        all.insert(path.clone(), Told { name, purpose: Some(Purpose::Optimizer(at)), order });
        order = order.saturating_add(1);
    }
    all
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
) -> (String, Purpose) {
    let Some((owner, (_, key))) = owner(path).zip(split(path)) else { return (String::new(), Purpose::Weight) };
    let key = String::from_utf8_lossy(key).into_owned();
    let is_old = facts.keras_version.as_deref().is_some_and(|version| version.starts_with('2'));
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
        names.extend(named.or_else(|| (!is_list && !last.is_empty()).then(|| attribute(&last).to_owned())));
    }
    let layer = layer_at(config, owner);
    let variable = variable(facts, owner, layer, &key, count).unwrap_or(key);
    let trained = closest(config, &as_in_config(owner)).is_none_or(|layer| layer.trainable);
    let is_metric = owner.starts_with(b"metrics/");
    let purpose = if is_metric { Purpose::Metric } else { purpose(&variable, trained) };
    names.push(variable);
    (names.join("/"), purpose)
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
const CONTAINERS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];

/// What a layer is called that is an attribute of `MultiHeadAttention` in `tf_keras`.
fn attribute(last: &str) -> &str {
    match last {
        "_query_dense" => "query",
        "_key_dense" => "key",
        "_value_dense" => "value",
        "_output_dense" => "attention_output",
        last => last,
    }
}

/// What variables are for by their names.
fn purpose(name: &str, trained: bool) -> Purpose {
    let last = name.rsplit('/').next().unwrap_or_default();
    let last = last.strip_suffix(":0").unwrap_or(last);
    match last {
        "seed_generator_state" => Purpose::Seed,
        "moving_mean" | "moving_variance" | "mean" | "variance" | "count" => Purpose::Untrained,
        _ if trained => Purpose::Weight,
        _ => Purpose::Untrained,
    }
}

/// The name of the n-th variable of a layer, by its class or, where that is not known, by what its group is called.
fn variable(facts: &KerasFacts, owner: &[u8], layer: Option<&ConfigLayer>, key: &str, count: usize) -> Option<String> {
    let n: usize = key.parse().ok()?;
    let last = |path: &[u8]| {
        let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        String::from_utf8_lossy(last).into_owned()
    };
    let segment = last(owner);
    // A group of a list is called after a class, and so is a layer that the program gave no name.
    let called = facts.group_names.get(owner).map(String::as_str).unwrap_or_default();
    let unnumbered = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_').to_owned();
    match layer {
        Some(layer) => of_class(facts, &snake(&layer.class), Some(layer), &segment, called, (n, count)),
        None => [unnumbered(&segment), segment.clone(), unnumbered(called)]
            .iter()
            .find_map(|class| of_class(facts, class, None, &segment, called, (n, count))),
    }
}

/// The name of the n-th variable of `count` that an object of a class has.
fn of_class(
    facts: &KerasFacts,
    class: &str,
    layer: Option<&ConfigLayer>,
    segment: &str,
    called: &str,
    (n, count): (usize, usize),
) -> Option<String> {
    let is_cell = class.ends_with("_cell") || (segment == "cell" && (called.is_empty() || called.contains("_cell")));
    let is_old = facts.keras_version.as_deref().is_some_and(|version| version.starts_with('2'));
    let (scale, center) =
        layer.map_or((count == 2 || count == 4, count == 2 || count == 4), |layer| layer.scale_center);
    let names: Vec<&str> = match class {
        _ if is_cell => vec!["kernel", "recurrent_kernel", "bias"],
        "depthwise_conv1d" | "depthwise_conv2d" if is_old => vec!["depthwise_kernel", "bias"],
        "separable_conv1d" | "separable_conv2d" => vec!["depthwise_kernel", "pointwise_kernel", "bias"],
        "embedding" => vec!["embeddings"],
        "batch_normalization" | "layer_normalization" | "group_normalization" => {
            let own = [(scale, "gamma"), (center, "beta")].into_iter().filter(|(has, _)| *has).map(|(_, name)| name);
            let moving: &[&str] =
                if class == "batch_normalization" { &["moving_mean", "moving_variance"] } else { &[] };
            own.chain(moving.iter().copied()).collect()
        }
        "rms_normalization" => vec!["scale"],
        "normalization" => vec!["mean", "variance", "count"],
        "p_re_lu" => vec!["alpha"],
        "mean" | "mean_metric_wrapper" => vec!["total", "count"],
        class if class.ends_with("dense") || class.starts_with("conv") || class.starts_with("depthwise_conv") => {
            vec!["kernel", "bias"]
        }
        _ => return None,
    };
    // A layer with other variables than its class has by itself is not guessed at.
    (count <= names.len()).then(|| names.get(n).map(|name| (*name).to_owned())).flatten()
}
