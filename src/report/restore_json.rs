//! The `restore` object of `validate --format json`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::json::{name, path, shape};
use crate::analysis::{Restore, Spec, assignment_map};

/// `validate --emit assignment-map`: an object that `json.load` turns into the argument.
///
/// # Errors
/// What `out` says.
pub fn assignment_map_json(restore: &Restore, out: &mut dyn Write) -> io::Result<()> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let map: Map<String, Value> =
        assignment_map(restore).iter().map(|(stored, variable)| (text(stored), text(variable).into())).collect();
    serde_json::to_writer_pretty(&mut *out, &map)?;
    writeln!(out)
}

/// One restore.
pub(super) fn restore_json(restore: &Restore) -> Value {
    let first = restore.raises.first();
    let assertion = |pick: fn(&crate::analysis::Assertions) -> &Result<(), String>| {
        restore.assertions.as_ref().map(|assertions| pick(assertions).is_ok())
    };
    let why = restore.assertions.as_ref().map(|assertions| {
        json!({
            "assert_consumed": assertions.consumed.as_ref().err(),
            "assert_existing_objects_matched": assertions.existing_objects_matched.as_ref().err(),
            "assert_nontrivial_match": assertions.nontrivial_match.as_ref().err(),
        })
    });
    json!({
        "checkpoint": path(&restore.checkpoint),
        "against": path(&restore.against),
        "model": restore.model,
        "call": restore.call,
        "ok": restore.ok,
        "undetermined": restore.undetermined,
        "tensorflow": {
            "outcome": if first.is_some() { "raises" } else { "restores" },
            "error": first.map(|raise| raise.class),
            "message": first.map(|raise| raise.message.as_str()),
            "or": restore.raises.iter().skip(1).map(|raise| raise.message.as_str()).collect::<Vec<_>>(),
        },
        "serving": restore.serving.as_ref().map(|raise| json!({
            "outcome": if raise.is_some() { "raises" } else { "restores" },
            "error": raise.as_ref().map(|raise| raise.class),
            "message": raise.as_ref().map(|raise| raise.message.as_str()),
        })),
        "matched": restore.matched.len(),
        "missing": restore.missing.iter().map(|missing| name(&missing.name)).collect::<Vec<_>>(),
        "unexpected": restore.unexpected.iter().map(|tensor| name(&tensor.name)).collect::<Vec<_>>(),
        "mismatched": restore.mismatched.iter().map(|mismatch| json!({
            "name": name(&mismatch.name),
            "stored": name(&mismatch.stored),
            "expected": spec(&mismatch.expected),
            "found": spec(&mismatch.found),
            "silent": mismatch.silent,
            "hint": mismatch.hint,
        })).collect::<Vec<_>>(),
        "unrestored": restore.unrestored.iter().map(|key| name(key)).collect::<Vec<_>>(),
        "assert_consumed": assertion(|assertions| &assertions.consumed),
        "assert_existing_objects_matched": assertion(|assertions| &assertions.existing_objects_matched),
        "assert_nontrivial_match": assertion(|assertions| &assertions.nontrivial_match),
        "assertions": why,
        "candidates": restore.missing.iter().filter(|missing| !missing.candidates.is_empty()).map(|missing| json!({
            "name": name(&missing.name),
            "expected": spec(&missing.spec),
            "near": missing.candidates.iter().map(|near| json!({"name": name(&near.name), "why": near.why})).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "groups": restore.groups.iter().map(|group| json!({
            "what": group.what,
            "tensors": group.count,
            "harmless": group.harmless,
        })).collect::<Vec<_>>(),
        "hints": restore.hints.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "repairs": restore.hints.iter().filter(|hint| !(hint.options.is_empty() && hint.code.is_empty())).map(|hint| json!({
            "why": hint.text,
            "options": hint.options.iter().flat_map(|(option, value)| [*option, value.as_str()]).collect::<Vec<_>>(),
            "code": hint.code,
            "restores": hint.restores,
        })).collect::<Vec<_>>(),
        "notes": restore.notes,
    })
}

fn spec(spec: &Spec) -> Value {
    json!({"dtype": spec.dtype.map(|dtype| dtype.to_string()), "shape": shape(&spec.shape)})
}
