//! What layers hold by their class: wrapped layers, cells, the projections of an attention. Each under the attribute
//! by which it is saved.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::objects::KerasProgram;
use super::shapes::{Built, Dims, dims};

/// A layer within another.
pub(super) struct Part<'c> {
    /// The attribute that holds it, or the list that it is in.
    pub(super) attribute: &'static str,
    pub(super) is_list: bool,
    /// Its configuration.
    pub(super) json: Cow<'c, Map<String, Value>>,
    /// Its name, if the layer gives it one.
    pub(super) name: Option<String>,
    pub(super) input: Option<Dims>,
    /// Whether it has made its variables; Keras 2 keeps what a wrapper was given, beside what it makes of it.
    pub(super) is_built: bool,
    /// Whether its weights are the layer's.
    pub(super) is_weight: bool,
}

impl<'c> Part<'c> {
    fn new(attribute: &'static str, json: Cow<'c, Map<String, Value>>, input: Option<Dims>) -> Self {
        Self { attribute, is_list: false, json, name: None, input, is_built: true, is_weight: true }
    }
}

/// What a layer holds, in the order of its weights; `None` if its class holds nothing, or is not known.
pub(super) fn parts<'c>(class: &str, object: &'c Map<String, Value>, built: Built<'c>) -> Option<Vec<Part<'c>>> {
    let config = object.get("config").and_then(Value::as_object)?;
    let is_old = built.program == KerasProgram::Keras2;
    let input = built.input.cloned();
    // What runs over time sees one step of it.
    let step = |input: Option<Dims>| {
        input.map(|dims| dims.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, dim)| *dim).collect::<Dims>())
    };
    match class {
        "LSTM" | "GRU" | "SimpleRNN" | "ConvLSTM1D" | "ConvLSTM2D" | "ConvLSTM3D" => {
            let of_class = if class.starts_with("ConvLSTM") { "ConvLSTM" } else { class };
            let mut own = config.clone();
            own.insert(
                "name".to_owned(),
                Value::String(crate::read::formats::keras::snake(&format!("{of_class}Cell"))),
            );
            if let (true, Some(rank), Some(size)) =
                (of_class == "ConvLSTM", class.chars().nth(8).and_then(|c| c.to_digit(10)), config.get("kernel_size"))
                && let Some(n) = size.as_u64()
            {
                own.insert("kernel_size".to_owned(), json!(vec![n; rank as usize]));
            }
            Some(vec![Part::new("cell", Cow::Owned(layer(&format!("{of_class}Cell"), own)), step(input))])
        }
        "RNN" => {
            let cell = config.get("cell").and_then(Value::as_object)?;
            Some(vec![Part::new("cell", Cow::Borrowed(cell), step(input))])
        }
        "StackedRNNCells" => {
            let cells = config.get("cells").and_then(Value::as_array)?;
            let mut before = input;
            let mut all = Vec::new();
            for cell in cells.iter().filter_map(Value::as_object) {
                let mut part = Part::new("cells", Cow::Borrowed(cell), before.take());
                part.is_list = true;
                before =
                    cell.get("config").and_then(|config| config.get("units")).map(|units| vec![None, units.as_u64()]);
                all.push(part);
            }
            Some(all)
        }
        "Bidirectional" => {
            let forward = config.get("layer").and_then(Value::as_object)?;
            let backward = config.get("backward_layer").and_then(Value::as_object).unwrap_or(forward);
            let own = |layer: &Map<String, Value>| {
                let name = layer.get("config").and_then(|config| config.get("name")).and_then(Value::as_str);
                name.unwrap_or_default().to_owned()
            };
            // Whatever came before is not put before the name again.
            let bare = |name: String| {
                let rest = name.strip_prefix("forward_").or_else(|| name.strip_prefix("backward_")).map(str::to_owned);
                rest.unwrap_or(name)
            };
            let is_given = config.get("backward_layer").is_some_and(Value::is_object) && is_old;
            let side = |attribute, layer: &'c Map<String, Value>, name: String| Part {
                name: Some(name),
                ..Part::new(attribute, Cow::Borrowed(layer), input.clone())
            };
            let name = bare(own(forward));
            let back = if is_given { own(backward) } else { format!("backward_{}", bare(own(backward))) };
            let mut all =
                vec![side("forward_layer", forward, format!("forward_{name}")), side("backward_layer", backward, back)];
            if is_old {
                all.push(Part {
                    is_built: false,
                    is_weight: false,
                    ..Part::new("layer", Cow::Borrowed(forward), None)
                });
            }
            Some(all)
        }
        "TimeDistributed" => {
            let wrapped = config.get("layer").and_then(Value::as_object)?;
            Some(vec![Part::new("layer", Cow::Borrowed(wrapped), step(input))])
        }
        "GroupedQueryAttention" | "GroupQueryAttention" => grouped(object, config, built),
        "MultiHeadAttention" => attention(object, config, built),
        _ => None,
    }
}

/// The object of a layer that no configuration has by itself.
fn layer(class: &str, config: Map<String, Value>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("class_name".to_owned(), Value::String(class.to_owned()));
    object.insert("config".to_owned(), Value::Object(config));
    object
}

/// Three projections, and the one of what comes out.
fn attention<'c>(object: &Map<String, Value>, config: &Map<String, Value>, built: Built<'_>) -> Option<Vec<Part<'c>>> {
    let is_old = built.program == KerasProgram::Keras2;
    if built.flag("use_gate", false) || config.get("quantization_config").is_some_and(|config| !config.is_null()) {
        return None;
    }
    let shapes = object.get("build_config").and_then(|built| built.get("shapes_dict"));
    let shape = |key: &str| dims(shapes.and_then(|shapes| shapes.get(key)).or_else(|| config.get(key)));
    let query = shape("query_shape").or_else(|| built.input.cloned());
    let value = shape("value_shape").or_else(|| query.clone());
    let key = shape("key_shape").or_else(|| value.clone());
    let (heads, size) = (built.number("num_heads"), built.number("key_dim"));
    let value_size = built.number("value_dim").or(size);
    let last = |dims: &Option<Dims>| dims.as_ref().and_then(|dims| dims.last().copied().flatten());
    let out: Vec<Option<u64>> = match config.get("output_shape") {
        Some(Value::Array(all)) => all.iter().map(Value::as_u64).collect(),
        Some(Value::Number(n)) => vec![n.as_u64()],
        _ => vec![last(&query)],
    };
    let dense =
        |attribute: (&'static str, &'static str), name: &str, kernel: Vec<Option<u64>>, bias: &[Option<u64>]| {
            projection(config, if is_old { attribute.1 } else { attribute.0 }, name, kernel, bias)
        };
    let mut all = vec![
        dense(("query_dense", "_query_dense"), "query", vec![last(&query), heads, size], &[heads, size]),
        dense(("key_dense", "_key_dense"), "key", vec![last(&key), heads, size], &[heads, size]),
        dense(("value_dense", "_value_dense"), "value", vec![last(&value), heads, value_size], &[heads, value_size]),
    ];
    all.extend(without_weights());
    let kernel = [vec![heads, value_size], out.clone()].concat();
    all.push(dense(("output_dense", "_output_dense"), "attention_output", kernel, &out));
    Some(all)
}

/// The same with fewer keys than queries.
fn grouped<'c>(object: &Map<String, Value>, config: &Map<String, Value>, built: Built<'_>) -> Option<Vec<Part<'c>>> {
    if built.flag("use_gate", false) {
        return None;
    }
    let shapes = object.get("build_config").and_then(|built| built.get("shapes_dict"));
    let last = |key: &str| {
        let dims = dims(shapes.and_then(|shapes| shapes.get(key))).or_else(|| built.input.cloned());
        dims.and_then(|dims| dims.last().copied().flatten())
    };
    let (size, queries, keys) =
        (built.number("head_dim"), built.number("num_query_heads"), built.number("num_key_value_heads"));
    let query = last("query_shape");
    let key = if shapes.and_then(|shapes| shapes.get("key_shape")).is_some() {
        last("key_shape")
    } else {
        last("value_shape")
    };
    let value = last("value_shape");
    let mut all = vec![
        projection(config, "_query_dense", "query", vec![query, queries, size], &[queries, size]),
        projection(config, "_key_dense", "key", vec![key, keys, size], &[keys, size]),
        projection(config, "_value_dense", "value", vec![value, keys, size], &[keys, size]),
    ];
    all.extend(without_weights());
    all.push(projection(config, "_output_dense", "attention_output", vec![queries, size, query], &[query]));
    Some(all)
}

/// A projection of an attention.
fn projection<'c>(
    config: &Map<String, Value>,
    attribute: &'static str,
    name: &str,
    kernel: Vec<Option<u64>>,
    bias: &[Option<u64>],
) -> Part<'c> {
    let flag = |key: &str| config.get(key).cloned().unwrap_or(Value::Bool(true));
    let kernel: Option<Vec<u64>> = kernel.into_iter().collect();
    let bias: Option<Vec<u64>> = bias.iter().copied().collect();
    let own = json!({
        "name": name, "trainable": flag("trainable"), "use_bias": flag("use_bias"), "kernel": kernel, "bias": bias
    });
    Part::new(attribute, Cow::Owned(layer("EinsumDense", own.as_object().cloned().unwrap_or_default())), None)
}

/// What an attention holds besides.
fn without_weights<'c>() -> [Part<'c>; 2] {
    [("_softmax", "Softmax", "softmax"), ("_dropout_layer", "Dropout", "dropout")].map(|(attribute, class, name)| {
        let own = json!({"name": name, "trainable": true}).as_object().cloned().unwrap_or_default();
        Part { is_weight: false, ..Part::new(attribute, Cow::Owned(layer(class, own)), None) }
    })
}
