//! The configuration of a model as a tree of layers, and the groups that Keras 3 writes for them.
//!
//! `saving_lib.py`: a list of layers is written as groups that are called after the classes in snake case, with a number
//! from the second of a class on; other objects are called after the attribute that holds them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Deepest nesting of models: the parser of JSON allows no more than 128 levels.
const DEPTH: usize = 64;

/// One layer of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct ConfigLayer {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: String,
    /// Whether it, and every model around it, is trained.
    pub trainable: bool,
    /// How deep it is nested in models and wrappers, the layers of the model itself at 0.
    pub depth: usize,
    /// The group that Keras 3 writes for it.
    pub group: Vec<u8>,
    /// Whether a normalization scales, and whether it shifts.
    pub scale_center: (bool, bool),
    /// Whether it is a model with an input of its own, so that it was built by itself.
    pub has_input: bool,
    /// Whether it has a bias, where a class may have one.
    pub has_bias: bool,
    /// How it was quantized: `int8`, `int4`, `float8`, `gptq`, `awq`.
    pub quantized: Option<String>,
    /// Whether `LoRA` was enabled, which freezes its kernel.
    pub has_lora: bool,
    /// Whether attention scales its scores (`use_scale`).
    pub has_scale: bool,
    /// Whether attention weighs its scores (`score_mode="concat"`).
    pub has_score_weight: bool,
    /// Whether an embedding has a matrix of its own for the way back (`tie_weights=False`).
    pub has_reverse: bool,
}

/// The layers of a model, each before those within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigTree {
    /// The class of the model.
    pub class: String,
    /// Its name.
    pub name: String,
    /// All layers.
    pub layers: Vec<ConfigLayer>,
    /// Optimizer, loss and metrics, where the configuration has them.
    pub compile: Option<Value>,
}

impl ConfigTree {
    /// Reads the configuration of a model; `None` of what is none.
    pub fn parse(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let object = value.as_object()?;
        let class = text(object, "class_name")?.to_owned();
        let config = object.get("config");
        let name = config.and_then(|config| config.get("name")).and_then(Value::as_str).unwrap_or_default();
        let compile = object.get("compile_config").filter(|compile| !compile.is_null()).cloned();
        let mut tree = Self { class, name: name.to_owned(), layers: Vec::new(), compile };
        let within = Within { group: Vec::new(), trainable: true, depth: 0 };
        tree.model(object, &within);
        Some(tree)
    }

    /// The layers of a model.
    fn model(&mut self, object: &Map<String, Value>, within: &Within) {
        let config = object.get("config");
        // Of a Sequential model Keras 2.2 and before wrote the list itself.
        let layers = config.and_then(|config| config.get("layers").or(Some(config)).and_then(Value::as_array));
        self.list(layers.map(Vec::as_slice).unwrap_or_default(), "layers", within);
    }

    /// A list of layers, whose groups are counted by their classes.
    fn list(&mut self, layers: &[Value], attribute: &str, within: &Within) {
        let mut used: BTreeMap<String, usize> = BTreeMap::new();
        for layer in layers.iter().filter_map(Value::as_object) {
            let segment = group_of_class(text(layer, "class_name").unwrap_or_default());
            let n = used.entry(segment.clone()).and_modify(|n| *n += 1).or_insert(0);
            let segment = if *n == 0 { segment } else { format!("{segment}_{n}") };
            self.layer(layer, &within.below(format!("{attribute}/{segment}").as_bytes(), 0), None);
        }
    }

    /// One layer, and what it holds. A wrapper gives what it wraps another name.
    fn layer(&mut self, object: &Map<String, Value>, at: &Within, renamed: Option<String>) {
        if at.depth > DEPTH {
            return;
        }
        let empty = Map::new();
        let config = object.get("config").and_then(Value::as_object).unwrap_or(&empty);
        let class = text(object, "class_name").unwrap_or_default();
        let flag = |key: &str| config.get(key).and_then(Value::as_bool).unwrap_or(true);
        let trainable = at.trainable && flag("trainable");
        let name = renamed.or_else(|| text(config, "name").or_else(|| text(object, "name")).map(str::to_owned));
        self.layers.push(ConfigLayer {
            name: name.unwrap_or_default(),
            class: class.to_owned(),
            trainable,
            depth: at.depth,
            group: at.group.clone(),
            scale_center: (flag("scale"), flag("center")),
            has_input: config.get("layers").and_then(Value::as_array).is_some_and(|layers| {
                layers.iter().any(|layer| layer.get("class_name").and_then(Value::as_str) == Some("InputLayer"))
            }),
            has_bias: match class {
                "EinsumDense" => config.get("bias_axes").is_some_and(Value::is_string),
                _ => flag("use_bias"),
            },
            quantized: quantized(config),
            has_lora: has_lora(config),
            has_scale: config.get("use_scale").and_then(Value::as_bool).unwrap_or(class == "AdditiveAttention"),
            has_score_weight: text(config, "score_mode") == Some("concat"),
            has_reverse: config.get("tie_weights").and_then(Value::as_bool) == Some(false),
        });
        let inner = Within { trainable, ..at.clone() };
        if config.get("layers").is_some_and(Value::is_array) {
            self.model(object, &Within { depth: at.depth.saturating_add(1), ..inner });
            return;
        }
        if let Some(wrapped) = config.get("layer").and_then(Value::as_object) {
            let own = wrapped.get("config").and_then(|config| config.get("name")).and_then(Value::as_str);
            let sides: &[(&[u8], &str)] = match class {
                "Bidirectional" => &[(b"forward_layer", "forward_"), (b"backward_layer", "backward_")],
                _ => &[(b"layer", "")],
            };
            for (attribute, before) in sides {
                let name = own.map(|own| format!("{before}{own}"));
                self.layer(wrapped, &inner.below(attribute, 1), name);
            }
        }
        if let Some(cells) = config.get("cells").and_then(Value::as_array) {
            self.list(cells, "cells", &Within { depth: at.depth.saturating_add(1), ..inner.clone() });
        }
        if let Some(cell) = config.get("cell").and_then(Value::as_object) {
            self.layer(cell, &inner.below(b"cell", 1), None);
        } else if matches!(class, "LSTM" | "GRU" | "SimpleRNN" | "ConvLSTM1D" | "ConvLSTM2D" | "ConvLSTM3D") {
            let cell = inner.below(b"cell", 1);
            let (class, name) = (format!("{class}Cell"), snake(&format!("{class}Cell")));
            let layer =
                ConfigLayer { name, class, trainable, depth: cell.depth, group: cell.group, ..Default::default() };
            self.layers.push(layer);
        }
    }
}

/// Where a layer is.
#[derive(Clone)]
struct Within {
    group: Vec<u8>,
    trainable: bool,
    depth: usize,
}

impl Within {
    fn below(&self, segment: &[u8], deeper: usize) -> Self {
        let group = if self.group.is_empty() { segment.to_vec() } else { [&self.group, &b"/"[..], segment].concat() };
        Self { group, trainable: self.trainable, depth: self.depth.saturating_add(deeper) }
    }
}

fn text<'o>(object: &'o Map<String, Value>, key: &str) -> Option<&'o str> {
    object.get(key).and_then(Value::as_str)
}

/// The mode of a layer's dtype policy, if that is one of quantization: `int8`, `int4/128`.
pub fn quantization_mode(config: &Map<String, Value>) -> Option<&str> {
    let policy = config.get("dtype")?;
    policy.get("config").and_then(|config| config.get("mode")).and_then(Value::as_str).or_else(|| {
        // By its name alone: `int8_from_float32`.
        policy.as_str()?.split_once("_from_").map(|(mode, _)| mode)
    })
}

/// Whether `LoRA` was enabled in a layer.
pub fn has_lora(config: &Map<String, Value>) -> bool {
    config.get("lora_rank").is_some_and(|rank| !rank.is_null())
}

/// That mode without what it says of its blocks: `int4/128` is `int4`.
fn quantized(config: &Map<String, Value>) -> Option<String> {
    let mode = quantization_mode(config)?;
    Some(mode.split('/').next().unwrap_or(mode).to_owned())
}

/// What Keras calls the group of a class in a list: after the class itself, which one of its layers has other than its
/// configuration calls it.
pub fn group_of_class(class: &str) -> String {
    match class {
        "GroupQueryAttention" => "grouped_query_attention".to_owned(),
        class => snake(class),
    }
}

/// A class as Keras makes the name of a group of it (`naming.to_snake_case`).
pub fn snake(class: &str) -> String {
    let letters: Vec<char> = class.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let at = |n: usize| letters.get(n).copied().unwrap_or('\0');
    let mut cut = vec![false; letters.len().saturating_add(1)];
    // Before a capital with small letters behind it, then between a small letter and a capital.
    let mut n = 0;
    while n < letters.len() {
        let is_word = at(n.saturating_add(1)).is_ascii_uppercase() && at(n.saturating_add(2)).is_ascii_lowercase();
        if !is_word {
            n = n.saturating_add(1);
            continue;
        }
        if let Some(cut) = cut.get_mut(n.saturating_add(1)) {
            *cut = true;
        }
        n = n.saturating_add(2);
        while at(n).is_ascii_lowercase() {
            n = n.saturating_add(1);
        }
    }
    let mut name = String::new();
    for (n, letter) in letters.iter().enumerate() {
        let between = n > 0 && at(n.saturating_sub(1)).is_ascii_lowercase() && letter.is_ascii_uppercase();
        if between || cut.get(n) == Some(&true) {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_named_as_keras_names_their_groups() {
        // What `keras.src.utils.naming.to_snake_case` gives.
        for (class, name) in [
            ("Dense", "dense"),
            ("BatchNormalization", "batch_normalization"),
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("LSTM", "lstm"),
            ("GRU", "gru"),
            ("PReLU", "p_re_lu"),
            ("MultiHeadAttention", "multi_head_attention"),
            ("DepthwiseConv2D", "depthwise_conv2d"),
            ("MyLayer2", "my_layer2"),
            ("InputLayer", "input_layer"),
            ("LSTMCell", "lstm_cell"),
            ("T5Block", "t5_block"),
        ] {
            assert_eq!(snake(class), name);
        }
    }

    #[test]
    fn policies_of_quantization_have_their_mode() {
        let mode = |json: &str| quantized(serde_json::from_str::<Value>(json).unwrap().as_object().unwrap());
        let policy = |mode: &str| format!(r#"{{"dtype": {{"class_name": "P", "config": {{"mode": "{mode}"}}}}}}"#);
        assert_eq!(mode(&policy("int8")).as_deref(), Some("int8"));
        assert_eq!(mode(&policy("int4/128")).as_deref(), Some("int4"));
        assert_eq!(mode(r#"{"dtype": "int8_from_float32"}"#).as_deref(), Some("int8"));
        assert_eq!(mode(r#"{"dtype": "float32"}"#), None);
        assert_eq!(mode(r#"{"dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}}}"#), None);
    }

    #[test]
    fn groups_follow_the_layers_and_what_they_wrap() {
        let json = r#"{"class_name": "Functional", "config": {"name": "m", "layers": [
            {"class_name": "Dense", "config": {"name": "a"}},
            {"class_name": "Dense", "config": {"name": "b", "trainable": false}},
            {"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "Dense", "config": {"name": "c"}}]}},
            {"class_name": "Bidirectional", "config": {"name": "bi", "layer": {"class_name": "GRU", "config": {"name": "g"}}}}
        ]}}"#;
        let tree = ConfigTree::parse(json).unwrap();
        let groups: Vec<(String, String)> =
            tree.layers.iter().map(|l| (l.name.clone(), String::from_utf8_lossy(&l.group).into_owned())).collect();
        let want = [
            ("a", "layers/dense"),
            ("b", "layers/dense_1"),
            ("s", "layers/sequential"),
            ("c", "layers/sequential/layers/dense"),
            ("bi", "layers/bidirectional"),
            ("forward_g", "layers/bidirectional/forward_layer"),
            ("gru_cell", "layers/bidirectional/forward_layer/cell"),
            ("backward_g", "layers/bidirectional/backward_layer"),
            ("gru_cell", "layers/bidirectional/backward_layer/cell"),
        ];
        assert_eq!(groups, want.map(|(name, group)| (name.to_owned(), group.to_owned())));
        assert!(!tree.layers[1].trainable && tree.layers[0].trainable);
    }
}
