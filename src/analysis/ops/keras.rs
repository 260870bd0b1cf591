//! Python code in Keras configurations: Lambda layers wherever they hide, and objects of modules that are not Keras'.
//!
//! A configuration is a tree: models hold layers, wrappers (`TimeDistributed`, `Bidirectional`) hold layers, and any
//! value may be a function. All of it is searched. A Lambda's function is written in three ways: a `__tuple__` with
//! `items`, a bare list, and a dict of class `__lambda__`; each holds marshalled Python code in base64, which Keras
//! unmarshals and runs. It is never unmarshalled here. Such code is found wherever else it stands, too.

use std::collections::BTreeSet;

use base64::Engine;
use serde_json::{Map, Value};

use crate::read::graphs::keras::KerasConfig;

/// What was found in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KerasFound {
    /// Python code that Keras runs when it builds the model.
    Code {
        /// Names from the outermost model to the layer, with slashes.
        layer: String,
        /// Bytes of marshalled code; `None` for a function that is only named.
        bytes: Option<usize>,
        /// How it is written.
        spelling: &'static str,
    },
    /// A class or function of another package, which Keras imports.
    Foreign {
        /// As above.
        layer: String,
        /// `package.module:Class`.
        what: String,
    },
}

/// Searches all configurations. Layers that several of them describe are found once.
///
/// # Errors
/// The positions of the configurations that are no JSON, or nest too deeply to be one, with the reason.
pub(super) fn search(configs: &[KerasConfig]) -> (BTreeSet<KerasFound>, Vec<(usize, String)>) {
    let (mut found, mut unread) = (BTreeSet::new(), Vec::new());
    for (at, config) in configs.iter().enumerate() {
        if config.json.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Value>(&config.json) {
            Ok(value) => tree(&value, &mut found),
            Err(error) => unread.push((at, error.to_string())),
        }
    }
    // The metadata describes a layer by itself and again inside of its model: the longer path says more.
    if found.len() < 1000 {
        let all: Vec<KerasFound> = found.iter().cloned().collect();
        found.retain(|one| !all.iter().any(|other| is_same_inside(one, other)));
    }
    (found, unread)
}

fn is_same_inside(one: &KerasFound, other: &KerasFound) -> bool {
    let inside = |short: &str, long: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
    match (one, other) {
        (KerasFound::Code { layer, bytes, .. }, KerasFound::Code { layer: long, bytes: same, .. }) => {
            bytes == same && inside(layer, long)
        }
        (KerasFound::Foreign { layer, what }, KerasFound::Foreign { layer: long, what: same }) => {
            what == same && inside(layer, long)
        }
        _ => false,
    }
}

/// The parser of JSON refuses what nests deeper than 128, so that this may recurse; a list is as short.
fn tree(value: &Value, found: &mut BTreeSet<KerasFound>) {
    let mut open: Vec<(&Value, String, bool)> = vec![(value, String::new(), false)];
    while let Some((value, path, in_lambda)) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, path.clone(), in_lambda))),
            Value::Object(object) => {
                let path = named(object, &path);
                let is_lambda = object_of(object, &path, in_lambda, found);
                open.extend(object.values().map(|inner| (inner, path.clone(), is_lambda)));
            }
            Value::String(text) if !in_lambda => {
                if let Some(bytes) = marshalled(text) {
                    found.insert(KerasFound::Code { layer: path, bytes: Some(bytes), spelling: "text" });
                }
            }
            _ => {}
        }
    }
}

/// The size of Python code in base64, recognised by how `marshal` begins it: the letter of a code object (with or
/// without the bit that says it is referred to), then the number of arguments in four bytes, of which few are used.
///
/// Keras 3 writes a lambda that is an activation as a list in a dict without a class; only its text tells.
fn marshalled(text: &str) -> Option<usize> {
    // Whatever is long and has the letters for that beginning; the rest is not decoded.
    if text.len() < 32 || !matches!(text.as_bytes().first(), Some(b'4' | b'Y')) {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.split_whitespace().collect::<String>()).ok()?;
    matches!(bytes.as_slice(), [0xe3 | 0x63, _, 0, 0, 0, ..]).then_some(bytes.len())
}

/// The path, with the name of this layer behind it. Only dicts with a class are layers.
fn named(object: &Map<String, Value>, path: &str) -> String {
    let name = object.get("config").and_then(|config| config.get("name")).or_else(|| object.get("name"));
    match name.and_then(Value::as_str) {
        Some(name) if object.contains_key("class_name") && path.len() < 1024 => {
            // The metadata of a model has its name twice, around and inside of its configuration.
            if path.is_empty() || path.rsplit('/').next() == Some(name) {
                if path.is_empty() { name.to_owned() } else { path.to_owned() }
            } else {
                format!("{path}/{name}")
            }
        }
        _ => path.to_owned(),
    }
}

/// Looks at one dict; whether what is in it belongs to a Lambda that has been found.
fn object_of(object: &Map<String, Value>, path: &str, in_lambda: bool, found: &mut BTreeSet<KerasFound>) -> bool {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let class = text("class_name").unwrap_or_default();
    let config = object.get("config");
    let layer = path.to_owned();
    if class == "Lambda" || text("registered_name").is_some_and(|name| name == "Lambda" || name.ends_with(">Lambda")) {
        let (bytes, spelling) = config.and_then(|config| config.get("function")).map_or((None, "no function"), code);
        found.insert(KerasFound::Code { layer, bytes, spelling });
        return true;
    }
    if class == "__lambda__" && !in_lambda {
        let (bytes, spelling) = code(&Value::Object(object.clone()));
        found.insert(KerasFound::Code { layer, bytes, spelling });
        return true;
    }
    // Keras 3 imports the module of every object; of its own, and of nothing, that is harmless.
    let module = text("module").filter(|module| !is_keras(module));
    if let Some(module) = module
        && !class.is_empty()
    {
        let name = if class == "function" { config.and_then(Value::as_str).unwrap_or(class) } else { class };
        found.insert(KerasFound::Foreign { layer, what: format!("{module}:{name}") });
    } else if let Some(name) = text("registered_name").or(Some(class).filter(|class| class.contains('>')))
        && text("module").is_none()
        && !name.is_empty()
        && !name.strip_prefix("Custom>").is_some_and(|name| OPTIMIZERS.contains(&name))
    {
        found.insert(KerasFound::Foreign { layer, what: name.to_owned() });
    }
    in_lambda
}

/// Optimizers of `tf_keras`, which registers its own as if they were of a program.
const OPTIMIZERS: [&str; 11] =
    ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD"];

fn is_keras(module: &str) -> bool {
    let first = module.split('.').next().unwrap_or_default();
    matches!(first, "keras" | "tf_keras" | "keras_hub" | "keras_nlp" | "keras_cv")
        || module.starts_with("tensorflow.keras")
}

/// How much code, and how it is written.
fn code(function: &Value) -> (Option<usize>, &'static str) {
    let size = |value: Option<&Value>| {
        let text: String = value?.as_str()?.split_whitespace().collect();
        base64::engine::general_purpose::STANDARD.decode(text).ok().map(|bytes| bytes.len())
    };
    match function {
        Value::Array(items) => (size(items.first()), "a list"),
        Value::Object(object) => match object.get("class_name").and_then(Value::as_str) {
            Some("__tuple__") => {
                let items = object.get("items").and_then(Value::as_array);
                (size(items.and_then(|items| items.first())), "a __tuple__")
            }
            Some("__lambda__") => (size(object.get("config").and_then(|config| config.get("code"))), "a __lambda__"),
            _ => (None, "a named function"),
        },
        _ => (None, "a named function"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(json: &str) -> Vec<KerasFound> {
        let config =
            KerasConfig { file: "x".into(), place: String::new(), identifier: String::new(), json: json.into() };
        let (found, unread) = search(&[config]);
        assert_eq!(unread, []);
        found.into_iter().collect()
    }

    #[test]
    fn three_spellings_nested_in_models_and_wrappers() {
        let spellings = [
            (r#"{"class_name":"__tuple__","items":["4wEA",null,null]}"#, "a __tuple__"),
            (r#"["4wEA",null,null]"#, "a list"),
            (r#"{"class_name":"__lambda__","config":{"code":"4wEA"}}"#, "a __lambda__"),
        ];
        for (function, spelling) in spellings {
            let lambda = format!(r#"{{"class_name":"Lambda","config":{{"name":"l","function":{function}}}}}"#);
            let wrapped = format!(r#"{{"class_name":"TimeDistributed","config":{{"name":"t","layer":{lambda}}}}}"#);
            let json = format!(r#"{{"class_name":"Functional","config":{{"name":"m","layers":[{wrapped}]}}}}"#);
            assert_eq!(look(&json), [KerasFound::Code { layer: "m/t/l".into(), bytes: Some(3), spelling }]);
        }
    }

    #[test]
    fn a_lambda_outside_of_a_lambda_layer_and_foreign_modules() {
        let json = r#"{"class_name":"Dense","module":"keras.layers","config":{"name":"d","activation":
            {"class_name":"__lambda__","config":{"code":"4wEA"}}}}"#;
        let code = KerasFound::Code { layer: "d".into(), bytes: Some(3), spelling: "a __lambda__" };
        assert_eq!(look(json), [code]);
        let json = r#"{"class_name":"function","module":"os","config":"system","registered_name":"function"}"#;
        assert_eq!(look(json), [KerasFound::Foreign { layer: String::new(), what: "os:system".into() }]);
        assert_eq!(look(r#"{"class_name":"Dense","module":"keras.layers","config":{"name":"d"}}"#), []);
    }

    #[test]
    fn code_without_a_class_is_known_by_how_it_begins() {
        let code = "4wEAAAAAAAAAAAAAAAIAAAATAAAA8wwAAACXAHwAZAF6BQAAUwA=";
        let json = format!(
            r#"{{"class_name":"Dense","module":"keras.layers","config":{{"name":"d","activation":{{"value":["{code}",null]}}}}}}"#
        );
        let [KerasFound::Code { layer, spelling: "text", .. }] = &look(&json)[..] else { panic!("{:?}", look(&json)) };
        assert_eq!(layer, "d");
        // A long name, and base64 of something else.
        for text in ["4".repeat(40), "Y".repeat(40), base64::engine::general_purpose::STANDARD.encode([0xe3; 40])] {
            assert_eq!(look(&format!(r#"{{"a":"{text}"}}"#)), []);
        }
    }

    #[test]
    fn classes_of_somebody_else() {
        let json = r#"{"class_name":"Own","module":null,"registered_name":"Own","config":{"name":"own"}}"#;
        assert_eq!(look(json), [KerasFound::Foreign { layer: "own".into(), what: "Own".into() }]);
        let json = r#"{"class_name":"Custom>Own","config":{"name":"own"}}"#;
        assert_eq!(look(json), [KerasFound::Foreign { layer: "own".into(), what: "Custom>Own".into() }]);
        let json =
            r#"{"class_name":"Functional","module":"keras.src.models.functional","registered_name":"Functional"}"#;
        assert_eq!(look(json), []);
    }

    #[test]
    fn what_is_no_json_or_nests_too_deeply_is_said() {
        for json in ["{", &"[".repeat(100_000)] {
            let config = KerasConfig {
                file: "x".into(),
                place: String::new(),
                identifier: String::new(),
                json: json.to_owned(),
            };
            assert_eq!(search(&[config]).1.len(), 1);
        }
    }
}
