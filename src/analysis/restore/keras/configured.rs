//! The objects of a model made from its configuration, as Keras makes them when it loads one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::change::Change;
use super::objects::{DEPTH, Held, KerasProgram, Kind, Object, Objects, Variable, joined};
use super::parts::{Part, parts};
use super::propagate::{merged, output_of};
use super::quantized;
use super::shapes::{Built, Dims, SILENT, dims, of_class};

/// Makes objects of a configuration.
pub(super) struct Maker {
    pub(super) objects: Objects,
    pub(super) program: KerasProgram,
    /// Objects that stand in the configuration more than once, by the number that it gives them.
    shared: BTreeMap<i64, usize>,
}

/// A layer's configuration with what stands around it.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// The names around it, as variables have them in theirs.
    scope: &'a str,
    /// The shape of its input, where only the layers before it tell.
    input: Option<&'a Dims>,
    depth: usize,
}

/// The objects of a configuration, the first of them the model; `None` if it is none.
pub(super) fn configured(json: &Value, program: KerasProgram) -> Option<Objects> {
    let object = json.as_object()?;
    object.get("class_name")?.as_str()?;
    let mut maker = Maker { objects: Objects::default(), program, shared: BTreeMap::new() };
    maker.layer(object, Around { scope: "", input: None, depth: 0 });
    Some(maker.objects)
}

impl Maker {
    fn layer(&mut self, json: &Map<String, Value>, around: Around<'_>) -> (usize, Option<Dims>) {
        let id = json.get("shared_object_id").and_then(Value::as_i64);
        if let Some(at) = id.and_then(|id| self.shared.get(&id)) {
            return (*at, None);
        }
        let empty = Map::new();
        let config = json.get("config").and_then(Value::as_object).unwrap_or(&empty);
        let class = class_of(json);
        let name = text(config, "name").or_else(|| text(json, "name")).unwrap_or_default();
        let at = self.objects.add(Object {
            name: name.to_owned(),
            class: Some(class.to_owned()),
            built: true,
            trainable: config.get("trainable").and_then(Value::as_bool).unwrap_or(true),
            changed: Change::of(config),
            ..Object::default()
        });
        if let Some(id) = id {
            self.shared.insert(id, at);
        }
        if around.depth > DEPTH {
            return (at, None);
        }
        // Of a Sequential model Keras 2.2 and before wrote the list itself.
        let list = config.get("layers").or_else(|| json.get("config")).and_then(Value::as_array);
        if let Some(list) = list {
            let output = self.model(at, json, list, around);
            return (at, output);
        }
        let is_operation = !config.contains_key("trainable") && !config.contains_key("dtype") && class != "InputLayer";
        let given = input_of(json);
        let input = given.as_ref().or(around.input);
        let built = Built { config, input, program: self.program };
        let scope = joined(around.scope, name);
        if is_operation && self.program == KerasProgram::Keras3 && json.contains_key("inbound_nodes") {
            self.set(at, Kind::Silent, Some(Vec::new()));
        } else if let Some(parts) = parts(class, json, built) {
            self.set(at, Kind::Layer, Some(Vec::new()));
            self.hold(at, class, parts, &scope, around.depth);
        } else {
            let mut made = of_class(class, built);
            if let Some(change) = Change::of(config).filter(|_| self.program == KerasProgram::Keras3) {
                made = made.and_then(|made| quantized::stored(change, class, built, made));
            }
            let is_silent = SILENT.contains(&class);
            let variable = |made: super::shapes::Made| self.variable(made.name, made.shape, made.trainable, &scope);
            let variables: Option<Vec<Variable>> = made.map(|made| made.into_iter().map(variable).collect());
            let is_known = variables.is_some();
            let kind = if around.depth == 0 && !is_known { Kind::Subclass } else { Kind::Layer };
            self.set(at, if is_silent { Kind::Silent } else { kind }, variables);
            if let Some(object) = self.objects.all.get_mut(at) {
                object.is_complete = is_known;
                object.layers = is_known.then(Vec::new);
            }
        }
        (at, output_of(class, built))
    }

    fn set(&mut self, at: usize, kind: Kind, variables: Option<Vec<Variable>>) {
        if let Some(object) = self.objects.all.get_mut(at) {
            (object.kind, object.variables) = (kind, variables);
            object.is_complete = true;
            object.layers = Some(Vec::new());
        }
    }

    /// A variable with its name in the scopes around it.
    fn variable(&self, name: &str, shape: Option<Vec<u64>>, trainable: bool, scope: &str) -> Variable {
        let end = if self.program == KerasProgram::Keras2 { ":0" } else { "" };
        Variable { name: name.to_owned(), path: format!("{}{end}", joined(scope, name)), shape, trainable }
    }

    /// What a layer holds by its class: cells, wrapped layers, the projections of an attention.
    fn hold(&mut self, at: usize, class: &str, parts: Vec<Part<'_>>, scope: &str, depth: usize) {
        let is_old = self.program == KerasProgram::Keras2;
        // Keras 2 opens no scope of its own for what these hold.
        let is_bare = is_old && (class == "TimeDistributed" || class.starts_with("ConvLSTM"));
        let (mut order, mut attributes, mut lists) = (Vec::new(), Vec::new(), BTreeMap::<&str, Vec<Held>>::new());
        for part in parts {
            let around = Around { scope, input: part.input.as_ref(), depth: depth.saturating_add(1) };
            let mut json = part.json.into_owned();
            let renamed = part.name;
            if let (Some(name), Some(config)) = (&renamed, json.get_mut("config").and_then(Value::as_object_mut)) {
                config.insert("name".to_owned(), Value::String(name.clone()));
            }
            let first = self.objects.all.len();
            let (held, _) = self.layer(&json, around);
            if is_bare {
                self.without_scope(first, scope);
            }
            if !part.is_built {
                self.unbuilt(first);
            }
            if part.is_weight {
                order.push(held);
            }
            if part.is_list {
                lists.entry(part.attribute).or_default().push(Held::One(held));
            } else {
                attributes.push((part.attribute.to_owned(), Held::One(held)));
            }
        }
        // Keras 3 has these under two names: what is not found under the first is looked up under the second.
        if class == "MultiHeadAttention" && !is_old {
            let second: Vec<(String, Held)> = attributes
                .iter()
                .filter(|(name, _)| name.ends_with("_dense"))
                .map(|(name, held)| (format!("_{name}"), held.clone()))
                .collect();
            attributes.extend(second);
        }
        attributes.extend(lists.into_iter().map(|(attribute, list)| (attribute.to_owned(), Held::Many(list))));
        if let Some(object) = self.objects.all.get_mut(at) {
            (object.attributes, object.layers) = (attributes, Some(order));
        }
    }

    /// Objects from one on, that have made no variables yet.
    fn unbuilt(&mut self, first: usize) {
        for object in self.objects.all.iter_mut().skip(first) {
            object.built = false;
            object.variables = object.variables.as_ref().map(|_| Vec::new());
        }
    }

    fn without_scope(&mut self, first: usize, scope: &str) {
        for variable in
            self.objects.all.iter_mut().skip(first).take(1).flat_map(|object| object.variables.iter_mut().flatten())
        {
            variable.path = format!("{}:0", joined(scope, &variable.name));
        }
    }

    /// A model that is a list of layers.
    fn model(&mut self, at: usize, json: &Map<String, Value>, list: &[Value], around: Around<'_>) -> Option<Dims> {
        let class = class_of(json);
        let is_sequence = class == "Sequential"
            || list.iter().filter_map(Value::as_object).all(|layer| !layer.contains_key("inbound_nodes"));
        let name = self.objects.get(at).map(|object| object.name.clone()).unwrap_or_default();
        // A Sequential model without an input of its own is built by the one around it.
        let scope = if is_sequence && self.program == KerasProgram::Keras3 {
            joined(around.scope, &name)
        } else {
            String::new()
        };
        let first = self.objects.all.len();
        let mut input = input_of(json).or_else(|| around.input.cloned());
        let mut is_built = input.is_some() || !is_sequence;
        let mut outputs: BTreeMap<String, Option<Dims>> = BTreeMap::new();
        let mut layers = Vec::new();
        for layer in list.iter().filter_map(Value::as_object) {
            let before = if is_sequence {
                input.take()
            } else {
                from(layer).and_then(|from| outputs.get(from).cloned()).flatten()
            };
            let own = input_of(layer);
            is_built |= own.is_some();
            let around = Around { scope: &scope, input: before.as_ref(), depth: around.depth.saturating_add(1) };
            let (held, output) = self.layer(layer, around);
            let output = if class_of(layer) == "InputLayer" { own } else { output };
            let output = output.or_else(|| {
                let all: Option<Vec<Dims>> =
                    sources(layer).into_iter().map(|name| outputs.get(name).cloned().flatten()).collect();
                merged(class_of(layer), config_of(layer)?, &all?)
            });
            input.clone_from(&output);
            let name = self.objects.get(held).map(|object| object.name.clone()).unwrap_or_default();
            outputs.insert(name, output);
            // A Sequential model leaves its input out of its layers; operations are none.
            let is_input = is_sequence && class_of(layer) == "InputLayer";
            let is_layer = self.objects.get(held).is_some_and(|object| object.kind != Kind::Silent)
                || SILENT.contains(&class_of(layer));
            if !is_input && is_layer {
                layers.push(held);
            }
        }
        if !is_built {
            self.unbuilt(first);
        }
        if let Some(object) = self.objects.all.get_mut(at) {
            object.kind = Kind::Model;
            object.built = is_built;
            object.variables = Some(Vec::new());
            object.is_complete = true;
            object.attributes =
                vec![("layers".to_owned(), Held::Many(layers.iter().map(|at| Held::One(*at)).collect()))];
            object.layers = Some(layers);
        }
        if is_sequence {
            return input;
        }
        let last = config_of(json).and_then(|config| config.get("output_layers")).and_then(first_name);
        last.and_then(|name| outputs.remove(name)).flatten()
    }
}

impl Objects {
    /// The metrics of a compiled model, which Keras 2 saves and loads as layers.
    pub(super) fn add_metrics(&mut self, training: &Value) {
        let named = |value: Option<&Value>| match value {
            Some(Value::Array(all)) => all.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            Some(Value::String(name)) => vec![name.clone()],
            _ => Vec::new(),
        };
        let mut all: Vec<(String, &str)> = Vec::new();
        if training.get("loss").is_some_and(|loss| !loss.is_null()) {
            all.push(("loss".to_owned(), "Mean"));
        }
        all.extend(named(training.get("metrics")).into_iter().map(|name| (name, "MeanMetricWrapper")));
        let held: Vec<Held> = all
            .into_iter()
            .map(|(name, class)| {
                let variable = |name: &str| Variable {
                    name: name.to_owned(),
                    path: format!("{name}:0"),
                    shape: Some(Vec::new()),
                    trainable: false,
                };
                let variables = Some(vec![variable("total"), variable("count")]);
                let class = Some(class.to_owned());
                let metric = Object {
                    name,
                    class,
                    kind: Kind::Metric,
                    built: true,
                    variables,
                    is_complete: true,
                    ..Object::default()
                };
                Held::One(self.add(metric))
            })
            .collect();
        if let (Some(root), false) = (self.all.first_mut(), held.is_empty()) {
            root.attributes.push(("metrics".to_owned(), Held::Many(held)));
        }
    }
}

/// The class of an object, without the package that it is registered in.
fn class_of(json: &Map<String, Value>) -> &str {
    text(json, "class_name").map_or("", |class| class.rsplit('>').next().unwrap_or(class))
}

fn config_of(json: &Map<String, Value>) -> Option<&Map<String, Value>> {
    json.get("config").and_then(Value::as_object)
}

/// The first name in lists of lists.
fn first_name(value: &Value) -> Option<&str> {
    match value {
        Value::String(name) => Some(name),
        Value::Array(all) => all.first().and_then(first_name),
        _ => None,
    }
}

/// All layers whose outputs a layer takes at once, in the form of Keras 2.
fn sources(json: &Map<String, Value>) -> Vec<&str> {
    let node = json.get("inbound_nodes").and_then(|nodes| nodes.as_array()?.first()?.as_array());
    node.into_iter().flatten().filter_map(|input| input.as_array()?.first()?.as_str()).collect()
}

/// The layer whose output a layer of a functional model takes first, in the form of Keras 2.
fn from(json: &Map<String, Value>) -> Option<&str> {
    json.get("inbound_nodes").and_then(first_name)
}

/// The shape of a layer's input, as far as the configuration says it.
fn input_of(json: &Map<String, Value>) -> Option<Dims> {
    let config = json.get("config").and_then(Value::as_object);
    let built = json.get("build_config").and_then(|built| built.get("input_shape"));
    let declared = || {
        let config = config?;
        config
            .get("batch_shape")
            .or_else(|| config.get("batch_input_shape"))
            .or_else(|| config.get("build_input_shape"))
    };
    dims(built).or_else(|| json.get("inbound_nodes").and_then(first_tensor)).or_else(|| dims(declared()))
}

/// The first tensor that goes into a layer, in the form of Keras 3.
fn first_tensor(node: &Value) -> Option<Dims> {
    match node {
        Value::Array(all) => all.iter().find_map(first_tensor),
        Value::Object(object) if object.get("class_name").and_then(Value::as_str) == Some("__keras_tensor__") => {
            dims(object.get("config")?.get("shape"))
        }
        Value::Object(object) => object.get("args").and_then(first_tensor),
        _ => None,
    }
}

fn text<'o>(object: &'o Map<String, Value>, key: &str) -> Option<&'o str> {
    object.get(key).and_then(Value::as_str)
}
