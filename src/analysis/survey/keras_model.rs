//! What a file of Keras says of its model, with what is really in it: layers with their parameters, who wrote it, how it
//! was trained.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::read::checkpoint::{Checkpoint, Purpose, Tensor};
use crate::read::formats::keras::{ConfigLayer, ConfigTree, KerasFacts, KerasFile, Naming};
use crate::read::tensor::decimal;

/// One layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KerasLayer {
    /// Its name.
    pub name: String,
    /// Its class, where a configuration says it.
    pub class: Option<String>,
    /// How deep it is nested in models and wrappers.
    pub depth: usize,
    /// Whether it is trained, where a configuration says it.
    pub trainable: Option<bool>,
    /// Its own variables: positions in the checkpoint, in their order.
    pub tensors: Vec<usize>,
    /// Elements of its variables and of those within it.
    pub parameters: u64,
}

/// The model of a file of Keras.
#[derive(Clone, Debug, Default)]
pub struct KerasModel {
    /// The version of Keras or of `tf_keras`, as the file says it.
    pub version: Option<String>,
    /// What Keras ran on.
    pub backend: Option<String>,
    /// When it was saved.
    pub saved: Option<String>,
    /// Class of the model, if there is a configuration.
    pub class: Option<String>,
    /// Name of the model.
    pub name: Option<String>,
    /// Whether there is a configuration, and it cannot be read.
    pub bad_config: bool,
    /// Its layers, each before those within it.
    pub layers: Vec<KerasLayer>,
    /// Class of the optimizer, from the configuration or from its variables.
    pub optimizer: Option<String>,
    /// The optimizer's numbers, as its configuration calls them, in its order.
    pub optimizer_numbers: Vec<(String, f64)>,
    /// Variables of the optimizer in the file.
    pub optimizer_tensors: Vec<usize>,
    /// What it was compiled with.
    pub loss: Option<String>,
    /// The same of metrics.
    pub metrics: Vec<String>,
    /// Elements of weights that training changes, and of those that it does not.
    pub trainable: u64,
    /// Of layers that are frozen, and moving statistics.
    pub untrained: u64,
}

impl KerasModel {
    /// The model of a checkpoint, if a file of Keras has it.
    pub fn of(checkpoint: &Checkpoint) -> Option<Self> {
        let file = checkpoint.of_format::<KerasFile>().filter(|file| file.is_keras())?;
        let facts = file.facts();
        let tree = file.tree();
        let mut model = Self {
            version: facts.keras_version.clone(),
            backend: facts.backend.clone(),
            saved: facts.date_saved.clone(),
            class: tree.map(|tree| tree.class.clone()),
            name: tree.map(|tree| tree.name.clone()).filter(|name| !name.is_empty()),
            bad_config: tree.is_none() && facts.config.is_some(),
            ..Self::default()
        };
        let own = facts.group_names.get(&b""[..]);
        model.name = model.name.or_else(|| own.cloned());
        model.training(file, tree);
        model.layers(checkpoint, file, tree);
        model.optimizer_tensors = positions(checkpoint, &facts.optimizer);
        model.optimizer_tensors.extend(positions(checkpoint, &facts.inner_optimizer));
        if model.optimizer.is_none() && !model.optimizer_tensors.is_empty() {
            // Keras 3 calls it after its class, in small letters.
            model.optimizer = facts.group_names.get(&b"optimizer"[..]).cloned();
        }
        let copies = file.copies();
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((_, tensor)) = cursor.advance() {
            let elements = tensor.elements().filter(|_| !copies.contains(&*tensor.name)).unwrap_or(0);
            match checkpoint.told(&tensor.name).and_then(|told| told.purpose) {
                Some(Purpose::Weight) => model.trainable = model.trainable.saturating_add(elements),
                Some(Purpose::Untrained) => model.untrained = model.untrained.saturating_add(elements),
                _ => {}
            }
        }
        Some(model)
    }

    fn training(&mut self, file: &KerasFile, tree: Option<&ConfigTree>) {
        let facts = file.facts();
        let own: Option<Value> = facts.training_config.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let Some(training) = own.as_ref().or_else(|| tree?.compile.as_ref()) else { return };
        let optimizer = training.get("optimizer_config").or_else(|| training.get("optimizer"));
        self.optimizer = optimizer.and_then(in_words);
        self.optimizer_numbers = optimizer.map(numbers).unwrap_or_default();
        self.loss = training.get("loss").and_then(in_words);
        let metrics = training.get("metrics").and_then(in_words);
        self.metrics = metrics.into_iter().collect();
    }

    fn layers(&mut self, checkpoint: &Checkpoint, file: &KerasFile, tree: Option<&ConfigTree>) {
        let facts = file.facts();
        let named = named_groups(facts);
        let configured = tree.map_or(named.as_slice(), |tree| tree.layers.as_slice());
        let of_config = |layer: &ConfigLayer| KerasLayer {
            name: layer.name.clone(),
            class: tree.map(|_| layer.class.clone()),
            depth: layer.depth,
            trainable: tree.map(|_| layer.trainable),
            ..KerasLayer::default()
        };
        self.layers = configured.iter().map(of_config).collect();
        // By what a group of the file leads to its layer.
        let by_name: BTreeMap<&[u8], usize> = match facts.naming {
            Naming::Listed => {
                let top = configured.iter().enumerate().filter(|(_, layer)| layer.depth == 0);
                top.map(|(n, layer)| (layer.name.as_bytes(), n)).collect()
            }
            Naming::Objects => configured.iter().enumerate().map(|(n, layer)| (layer.group.as_slice(), n)).collect(),
        };
        for group in &facts.layers {
            let at = match facts.naming {
                Naming::Listed => by_name.get(group.name.as_bytes()).copied(),
                Naming::Objects => group.tensors.first().and_then(|path| closest(&by_name, path)),
            };
            let tensors = positions(checkpoint, &group.tensors);
            match at.and_then(|at| self.layers.get_mut(at)) {
                Some(layer) => layer.tensors.extend(tensors),
                None if group.name.starts_with("metrics/") => {}
                None => self.layers.push(KerasLayer { name: group.name.clone(), tensors, ..KerasLayer::default() }),
            }
        }
        let copies = file.copies();
        let own = |layer: &KerasLayer| {
            let tensors = layer.tensors.iter().filter_map(|at| checkpoint.tensors().get(*at));
            let tensors = tensors.filter(|tensor| !copies.contains(&*tensor.name));
            tensors.filter_map(|tensor: Tensor| tensor.elements()).fold(0u64, u64::saturating_add)
        };
        let sizes: Vec<(usize, u64)> = self.layers.iter().map(|layer| (layer.depth, own(layer))).collect();
        for (at, layer) in self.layers.iter_mut().enumerate() {
            let below = sizes.iter().skip(at.saturating_add(1)).take_while(|(depth, _)| *depth > layer.depth);
            let all = below.chain(sizes.get(at)).fold(0u64, |sum, (_, size)| sum.saturating_add(*size));
            layer.parameters = all;
        }
    }

    /// The layers of the model itself.
    pub fn top(&self) -> impl Iterator<Item = &KerasLayer> {
        self.layers.iter().filter(|layer| layer.depth == 0)
    }
}

/// Without a configuration, the objects to which Keras gave names, each before those within it.
fn named_groups(facts: &KerasFacts) -> Vec<ConfigLayer> {
    let mut open: Vec<&[u8]> = Vec::new();
    let mut layers = Vec::new();
    let is_layer = |group: &[u8]| !group.is_empty() && group != b"optimizer" && !group.starts_with(b"optimizer/");
    for (group, name) in facts.group_names.iter().filter(|(group, _)| is_layer(group)) {
        let is_within = |around: &&[u8]| group.strip_prefix(*around).is_some_and(|rest| rest.starts_with(b"/"));
        open.retain(is_within);
        let (name, group_path) = (name.clone(), group.clone());
        layers.push(ConfigLayer { name, depth: open.len(), group: group_path, ..ConfigLayer::default() });
        open.push(group);
    }
    layers
}

fn positions(checkpoint: &Checkpoint, names: &[Vec<u8>]) -> Vec<usize> {
    names.iter().filter_map(|name| checkpoint.tensors().find(name)).collect()
}

/// The layer whose group holds a data set, or the closest one around it.
fn closest(all: &BTreeMap<&[u8], usize>, path: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(path).replace("_layer_checkpoint_dependencies", "layers");
    let mut group = text.as_str();
    while let Some((around, _)) = group.rsplit_once('/') {
        if let Some(found) = all.get(around.as_bytes()) {
            return Some(*found);
        }
        group = around;
    }
    None
}

/// The numbers of an optimizer's configuration; of a schedule none, which is another object.
fn numbers(optimizer: &Value) -> Vec<(String, f64)> {
    /// Those that make updates what they are; what else is there says how variables are kept.
    const NAMES: &[&str] = &[
        "learning_rate",
        "momentum",
        "rho",
        "beta_1",
        "beta_2",
        "epsilon",
        "weight_decay",
        "clipnorm",
        "clipvalue",
        "global_clipnorm",
        "initial_accumulator_value",
        "learning_rate_power",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "gradient_accumulation_steps",
    ];
    let Some(config) = optimizer.get("config").and_then(Value::as_object) else { return Vec::new() };
    NAMES.iter().filter_map(|name| Some(((*name).to_owned(), as_written(config.get(*name)?.as_f64()?)))).collect()
}

/// Keras writes float32 as float64, so 0.001 has many digits.
fn as_written(value: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "whether it is a float32 is the question")]
    let narrow = value as f32;
    let is_single = f64::from(narrow).to_bits() == value.to_bits();
    if is_single { decimal(narrow) } else { value }
}

/// A loss, a metric or an optimizer: its name, its class, or those of several.
fn in_words(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Array(all) => {
            let all: Vec<String> = all.iter().filter_map(in_words).collect();
            (!all.is_empty()).then(|| all.join(", "))
        }
        Value::Object(object) => {
            let named = |key: &str| object.get(key).and_then(Value::as_str);
            let config = object.get("config").and_then(Value::as_object);
            // A function is called something; of a class that is what says most.
            match named("class_name") {
                Some("function") => object.get("config").and_then(in_words),
                // What wraps a function is called after it.
                Some("MeanMetricWrapper" | "LossFunctionWrapper") => {
                    config.and_then(|config| config.get("name")).and_then(in_words)
                }
                Some(class) => Some(class.rsplit('>').next().unwrap_or(class).to_owned()),
                None => {
                    let all: Vec<String> =
                        object.iter().filter_map(|(key, value)| Some(format!("{key}: {}", in_words(value)?))).collect();
                    (!all.is_empty()).then(|| all.join(", "))
                }
            }
        }
        _ => None,
    }
}
