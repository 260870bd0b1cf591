//! The schemas of `docs/schema` and the tables of `docs/json.md`, made from the structs that are written.
//!
//! `CKPT_UPDATE=1 cargo test --lib schema` writes both anew. What real commands write is held to the schemas by
//! `tests/it/json_schema.rs`.

mod forms;
mod list;
mod page;
mod print;
mod run;
mod stats;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::base::limits::Limits;
use crate::read::checkpoint::{Checkpoint, Choice};
use crate::report::convert::json::Convert;
use crate::report::descent::json::Tree;
use crate::report::diff::change_json::Change;
use crate::report::diff::json::{DiffDepth, DiffFoot, DiffHead, DiffSummary, DiffVerdict};
use crate::report::explain::json::Explain;
use crate::report::graph::json::{GraphFoot, GraphHead, Node};
use crate::report::inspect::json::Inspect;
use crate::report::inspect::model_json::InspectGraphs;
use crate::report::kit::json::SCHEMA_VERSION;
use crate::report::ops::json::OpsDocument;
use crate::report::part::json::Part;
use crate::report::policy::json::Config;
use crate::report::recover::json::Recover;
use crate::report::timeline::json::{Latest, Log};
use crate::report::validate::json::Validate;

/// A `graph`: its pieces in one struct.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Graph<'a> {
    #[serde(flatten)]
    head: GraphHead<'a>,
    /// the objects; a node's position is its `id`, the first is the root
    nodes: Vec<Node<'a>>,
    #[serde(flatten)]
    foot: GraphFoot,
}

/// A `diff`: its pieces in one struct.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Diff<'a> {
    #[serde(flatten)]
    head: DiffHead<'a>,
    #[serde(flatten)]
    verdict: DiffVerdict,
    #[serde(flatten)]
    depth: DiffDepth,
    #[serde(flatten)]
    summary: DiffSummary,
    /// by name or as asked for; identical tensors only with `--all`
    changes: Vec<Change<'a>>,
    #[serde(flatten)]
    foot: DiffFoot<'a>,
}

/// The two forms of an `inspect`.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is wanted")]
enum AnyInspect<'a> {
    /// of a checkpoint
    Checkpoint(Box<Inspect<'a>>),
    /// of a file that holds graphs only
    Graphs(Box<InspectGraphs<'a>>),
}

/// What a field is that is absent rather than null.
pub(super) fn never_null(field: &mut Schema) {
    let null = json!("null");
    if let Some(Value::Array(types)) = field.get_mut("type") {
        types.retain(|one| *one != null);
        if let [only] = types.as_slice() {
            let only = only.clone();
            field.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(any)) = field.get_mut("anyOf") {
        any.retain(|one| one.get("type") != Some(&null));
        if let [Value::Object(only)] = any.as_slice() {
            let only = only.clone();
            field.remove("anyOf");
            only.into_iter().for_each(|(key, value)| drop(field.insert(key, value)));
        }
    }
    if let Some(Value::Array(words)) = field.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
}

/// Every kind of document with its schema.
fn schemas() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("list", schema::<list::List<'_>>("list")),
        ("print", schema::<print::Print<'_>>("print")),
        ("inspect", schema::<AnyInspect<'_>>("inspect")),
        ("convert", schema::<Convert<'_>>("convert")),
        ("recover", schema::<Recover<'_>>("recover")),
        ("graph", schema::<Graph<'_>>("graph")),
        ("log", schema::<Log<'_>>("log")),
        ("latest", schema::<Latest<'_>>("latest")),
        ("diff", schema::<Diff<'_>>("diff")),
        ("validate", schema::<Validate<'_>>("validate")),
        ("stats", schema::<stats::Stats<'_>>("stats")),
        ("config", schema::<Config<'_>>("config")),
        ("ops", schema::<OpsDocument<'_>>("ops")),
        ("explain", schema::<Explain<'_>>("explain")),
        ("part", schema::<Part>("part")),
        ("tree", schema::<Tree<'_>>("tree")),
        ("run", schema::<run::Run<'_>>("run")),
    ])
}

fn schema<T: JsonSchema>(kind: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    tidy(&mut schema, kind);
    if let Some(root) = schema.as_object_mut() {
        root.insert(
            "title".to_owned(),
            json!(if kind == "part" {
                "ckpt validate --part K/N --format part".to_owned()
            } else {
                format!("ckpt {kind} --format json")
            }),
        );
    }
    schema
}

/// Says which kind and version it is, lets words grow, and puts descriptions on one line.
fn tidy(schema: &mut Value, kind: &str) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(|inner| tidy(inner, kind)),
        Value::Object(object) => {
            object.values_mut().for_each(|inner| tidy(inner, kind));
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut)
                && properties.contains_key("schema_version")
            {
                properties.insert("schema_version".to_owned(), json!({"const": SCHEMA_VERSION}));
                properties.insert("kind".to_owned(), json!({"const": kind}));
            }
            // A reader that knows these words must expect others.
            if object.get("type") == Some(&json!("string"))
                && let Some(words) = object.remove("enum")
            {
                object.remove("type");
                object.insert("anyOf".to_owned(), json!([{"enum": words}, {"type": "string"}]));
            }
        }
        _ => {}
    }
}

/// The checkpoints of `testdata` by their prefixes and files: whatever can be opened.
fn checkpoints() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let ends = ["index", "safetensors", "npz", "npy", "h5", "keras"];
            if path.extension().is_some_and(|end| ends.iter().any(|known| end == *known)) {
                found.push(path);
            }
        }
    }
    found.retain(|path| Checkpoint::open(path, Choice::default(), &Limits::default()).is_ok());
    found.sort();
    assert!(found.len() > 100, "only {} checkpoints", found.len());
    found
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Compares a file with what it should be, or writes it.
fn hold(file: &Path, text: &str) {
    if std::env::var_os("CKPT_UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let found = fs::read_to_string(file).unwrap_or_default().replace("\r\n", "\n");
    assert!(found == text, "{} is old: CKPT_UPDATE=1 cargo test --lib schema", file.display());
}

#[test]
fn docs_schema_is_what_the_structs_say() {
    let schemas = schemas();
    for (kind, schema) in &schemas {
        let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
        hold(&docs().join("schema").join(format!("{kind}.json")), &text);
    }
    let mut files: Vec<String> = fs::read_dir(docs().join("schema"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(files, schemas.keys().copied().collect::<Vec<_>>(), "a schema of no kind");
}

#[test]
fn docs_json_md_has_every_field() {
    let file = docs().join("json.md");
    let page = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
    hold(&file, &page::filled(&page, &schemas()));
}
