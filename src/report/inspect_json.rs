//! `inspect --format json`.

use std::io::{self, Write};
use std::time::UNIX_EPOCH;

use serde_json::{Map, Value, json};

use super::events::event_file;
use super::json::{SCHEMA_VERSION, name, path, source};
use super::serving::serving_json;
use crate::analysis::{Finding, Summary, Totals};
use crate::checkpoint::{Checkpoint, ModelDir};

/// Writes everything that `inspect` knows.
///
/// # Errors
/// What `out` says.
pub fn inspect_json(checkpoint: &Checkpoint, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let origin = checkpoint.origin();
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("schema_version", json!(SCHEMA_VERSION));
    put("kind", json!("inspect"));
    put("source", source(origin));
    put("saver", json!(summary.saver.name()));
    put("step", json!(summary.step.step));
    put("save", json!(summary.step.save));
    put("step_tensor", json!(summary.step.tensor));
    put("tensorflow_version", json!(summary.tensorflow_version));
    put("complete", json!(summary.complete));
    put("shards", json!(checkpoint.num_shards()));
    put("endianness", json!(if checkpoint.is_big_endian() { "big" } else { "little" }));
    put("totals", totals(&summary.totals));
    put("dtypes", summary.dtypes.iter().map(|(dtype, sums)| (dtype.to_string(), totals(sums))).collect());
    let role = |row: &crate::analysis::RoleTotal| {
        let mut value = totals(&row.totals);
        value["role"] = json!(row.role.name());
        value["optimizer"] = json!(row.optimizer);
        value
    };
    put("roles", summary.roles.iter().map(role).collect());
    let program = summary.roles_program.as_deref();
    put("roles_by", json!({"source": if program.is_some() { "program" } else { "names" }, "file": program.map(path)}));
    let scope = |scope: &crate::analysis::Scope| {
        json!({"path": scope.path, "times": scope.times, "tensors": scope.tensors,
               "parameters": scope.parameters, "bytes": scope.bytes})
    };
    put("scopes", summary.scopes.iter().map(scope).collect());
    let group = |group: &Vec<Box<[u8]>>| -> Value { group.iter().map(|n| name(n)).collect() };
    put("zero_tensors", json!(summary.equal.zeros));
    put("equal_tensors", summary.equal.duplicates.iter().take(100).map(group).collect());
    let file = |file: &crate::analysis::FileInfo| json!({"path": path(&file.path), "bytes": file.bytes, "present": file.bytes.is_some()});
    put("files", summary.files.iter().map(file).collect());
    put("findings", summary.findings.iter().map(finding).collect());
    let beside = &summary.beside;
    put("beside", json!({"checkpoints": beside.checkpoints, "files": beside.files, "leftovers": beside.leftovers}));
    if let Some(dir) = &origin.model_dir {
        put("checkpoints", checkpoints(dir));
    }
    if let Some(model) = &summary.keras {
        put("keras", super::keras::keras_json(checkpoint, model));
    }
    if let Some(model) = &summary.model {
        for (key, value) in super::model_json::fields(model) {
            put(key, value);
        }
    }
    if let Some(serving) = &summary.serving {
        put("versions", serving_json(serving));
    }
    if origin.model_dir.is_some() {
        put("events", summary.events.iter().map(event_file).collect());
        put("repair", json!(summary.repair));
    }
    serde_json::to_writer_pretty(&mut *out, &Value::Object(object))?;
    writeln!(out)
}

fn totals(totals: &Totals) -> Value {
    json!({"tensors": totals.tensors, "parameters": totals.parameters, "bytes": totals.bytes})
}

/// A finding as the contract of `validate` has it.
pub(super) fn finding(finding: &Finding) -> Value {
    let mut value = json!({
        "code": finding.code.name(),
        "severity": finding.severity.name(),
        "message": finding.message,
        "help": finding.help,
        "file": finding.file.as_deref().map(path),
        "offset": finding.offset,
        "tensor": finding.tensor.as_deref().map(name),
        "expected": finding.expected,
        "found": finding.found,
        "cause": finding.cause.as_ref().map(|cause| json!({"certain": cause.certain, "likely": cause.likely})),
    });
    if !finding.explains.is_empty() {
        // A million names would say no more than their number.
        const NAMED: usize = 1000;
        let names: Vec<Value> = finding.explains.iter().take(NAMED).map(|tensor| name(tensor)).collect();
        value["explains"] = json!({"tensors": finding.explains.len(), "names": names});
    }
    if let Some(op) = &finding.op {
        value["op"] = super::ops_json::site(op);
    }
    value
}

fn checkpoints(dir: &ModelDir) -> Value {
    let found = dir.checkpoints.iter().enumerate().map(|(at, found)| {
        let modified = found.modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|d| d.as_secs());
        json!({
            "prefix": path(found.prefix.as_path()),
            "step": found.step,
            "group": found.group(),
            "bytes": found.bytes,
            "complete": found.complete,
            "latest": dir.latest == Some(at),
            "modified": modified,
        })
    });
    found.collect()
}
