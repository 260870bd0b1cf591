//! A finding as JSON, the same in every report.

use serde_json::{Value, json};

use super::json::{name, path};
use crate::analysis::Finding;
use crate::analysis::ops::{OpSite, Origin, When};

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
    if let Some(group) = &finding.group {
        value["group"] = json!(group);
    }
    if let Some(op) = &finding.op {
        value["op"] = site(op);
    }
    value
}

/// Where an op is, beside the finding about it.
pub(super) fn site(site: &OpSite) -> Value {
    json!({
        "op": site.op,
        "node": site.node,
        "function": site.function,
        "tags": site.tags,
        "when": site.when.iter().map(|when| When::name(*when)).collect::<Vec<_>>(),
        "reached_from": site.from,
        "reach_known": site.reach_known,
        "paths": site.origins.iter().map(origin).collect::<Vec<_>>(),
    })
}

fn origin(origin: &Origin) -> Value {
    let (kind, value) = match origin {
        Origin::Fixed(path) => ("fixed", Some(name(path))),
        Origin::Begins(path) => ("begins", Some(name(path))),
        Origin::Saver => ("saver", None),
        Origin::Asset(file) => ("asset", Some(json!(file))),
        Origin::Caller(name) => ("caller", Some(super::json::name(name))),
        Origin::Computed(op) => ("computed", Some(name(op))),
        Origin::Unknown => ("unknown", None),
    };
    json!({"from": kind, "value": value})
}
