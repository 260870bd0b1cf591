//! The graphs of a model for programs: part of `inspect`, and all of it where there is no checkpoint.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::finding_json::finding;
use super::json::{SCHEMA_VERSION, path, shape};
use crate::analysis::{Finding, GraphInfo, ModelInfo};
use crate::graphs::graph::{Form, GraphVariable, Method, Spec};
use crate::graphs::meta_graph::{SaverInfo, TensorInfo};

/// `inspect --format json` of a file that holds graphs only.
///
/// # Errors
/// What `out` says.
pub fn model_json(given: &Path, model: &ModelInfo, findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let kind = match model.form {
        Form::SavedModel => "saved_model",
        Form::MetaGraph => "meta_graph",
        Form::Graph => "graph",
    };
    let mut object = Map::new();
    object.insert("schema_version".into(), json!(SCHEMA_VERSION));
    object.insert("kind".into(), json!("inspect"));
    object.insert("source".into(), json!({"path": path(given), "kind": kind, "prefix": null}));
    object.insert("tensorflow_version".into(), json!(model.tensorflow_version()));
    let of_graph = model.graph_finding();
    let all = findings.iter().chain(&model.unread).chain(&of_graph);
    object.insert("findings".into(), all.map(finding).collect());
    object.extend(fields(model).map(|(key, value)| (key.to_owned(), value)));
    serde_json::to_writer_pretty(&mut *out, &Value::Object(object))?;
    writeln!(out)
}

/// What every document says of a model.
pub(super) fn fields(model: &ModelInfo) -> impl Iterator<Item = (&'static str, Value)> {
    let mut fields = vec![("meta_graphs", model.graphs.iter().map(meta_graph).collect())];
    if model.form == Form::SavedModel {
        let around = &model.around;
        let asset = |(file, present): &(String, bool)| json!({"path": file, "present": present});
        fields.push(("assets", around.assets.iter().map(asset).collect()));
        fields.push(("assets_extra", json!(around.extra)));
        let fingerprint = around.fingerprint.as_ref().map(|(fingerprint, belongs)| {
            json!({
                "singleprint": fingerprint.singleprint(),
                "checkpoint_hash": fingerprint.checkpoint_hash.to_string(),
                "uuid": fingerprint.uuid,
                "producer": fingerprint.producer,
                "matches_variables": belongs,
            })
        });
        fields.push(("fingerprint", fingerprint.unwrap_or(Value::Null)));
        let keras = around.keras.as_ref();
        let keras = keras.map(|k| json!({"class_name": k.class, "name": k.name, "objects": k.objects}));
        fields.push(("keras", keras.unwrap_or(Value::Null)));
    }
    fields.into_iter()
}

fn meta_graph(graph: &GraphInfo) -> Value {
    let meta = &graph.meta;
    let signature = |(key, signature): (&String, &crate::graphs::meta_graph::Signature)| {
        let infos = |infos: &BTreeMap<String, TensorInfo>| -> Value {
            infos.iter().map(|(name, info)| (name.clone(), tensor_info(info))).collect()
        };
        let value = json!({
            "inputs": infos(&signature.inputs),
            "outputs": infos(&signature.outputs),
            "method_name": signature.method_name,
        });
        (key.clone(), value)
    };
    let signatures: Map<String, Value> = meta.signatures.iter().map(signature).collect();
    let functions: Map<String, Value> =
        graph.functions.iter().map(|(name, methods)| (name.clone(), methods.iter().map(method).collect())).collect();
    json!({
        "tags": meta.tags,
        "signatures": signatures,
        "tensorflow_version": meta.tensorflow_version,
        "tensorflow_git_version": meta.tensorflow_git_version,
        "producer": meta.producer,
        "min_consumer": meta.min_consumer,
        "nodes": meta.node_count,
        "functions": meta.function_count,
        "objects": graph.objects,
        "variables": graph.variables.iter().map(variable).collect::<Value>(),
        "saver": meta.saver.as_ref().map(saver),
        "savers": graph.savers,
        "collections": meta.collections,
        "init_ops": graph.init_ops.iter().map(|(key, op)| json!({"key": key, "op": op})).collect::<Value>(),
        "callables": functions,
    })
}

fn variable(variable: &GraphVariable) -> Value {
    json!({
        "name": variable.name,
        "dtype": variable.dtype.to_string(),
        "shape": shape(&variable.shape),
        "resource": variable.is_resource,
    })
}

fn saver(saver: &SaverInfo) -> Value {
    json!({
        "version": saver.version.to_string(),
        "sharded": saver.sharded,
        "max_to_keep": saver.max_to_keep,
        "filename_tensor_name": saver.filename_tensor_name,
        "save_tensor_name": saver.save_tensor_name,
        "restore_op_name": saver.restore_op_name,
    })
}

fn method(method: &Method) -> Value {
    let named: Map<String, Value> = method.named.iter().map(|(name, value)| (name.clone(), spec(value))).collect();
    json!({"positional": method.positional.iter().map(spec).collect::<Value>(), "named": named})
}

fn spec(spec: &Spec) -> Value {
    match spec {
        Spec::Tensor(name, dtype, dims) => json!({"name": name, "dtype": dtype.to_string(), "shape": shape(dims)}),
        Spec::Value(value) => json!({"value": value}),
    }
}

fn tensor_info(info: &TensorInfo) -> Value {
    json!({"dtype": info.dtype.to_string(), "shape": shape(&info.shape), "name": info.name})
}
