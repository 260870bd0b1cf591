//! `diff` as JSON and JSON Lines: the contract is in `docs/json.md`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::DiffRows;
use super::json::{SCHEMA_VERSION, name, shape, source};
use crate::analysis::diff::{Change, Depth, Diff, Expectation, Facts, Same, Side, Status};
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::tensor::{Element, write_json};

/// `diff --format json`.
///
/// # Errors
/// What `out` says.
pub fn diff_json(diff: &Diff<'_>, rows: &DiffRows<'_>, out: &mut dyn Write) -> io::Result<()> {
    head(diff.a, diff.b, out)?;
    write!(out, "\"equal\":{},", diff.is_equal())?;
    write!(out, "\n\"compared\":\"{}\",\"summary\":{},\n\"changes\":[", depth(diff.depth), summary(diff))?;
    for (n, change) in rows.rows.iter().enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &of_change(change))?;
    }
    out.write_all(b"],\n")?;
    foot(diff, rows.hidden, out)
}

/// What comes first.
pub(super) fn head(a: &Checkpoint, b: &Checkpoint, out: &mut dyn Write) -> io::Result<()> {
    let (a, b) = (source(a.origin()), source(b.origin()));
    write!(out, "{{\"schema_version\":{SCHEMA_VERSION},\"kind\":\"diff\",\"a\":{a},\"b\":{b},")
}

/// How far a comparison went.
pub(super) fn depth(depth: Depth) -> &'static str {
    match depth {
        Depth::Structure => "structure",
        Depth::Index => "index",
        Depth::Values => "values",
        Depth::Exact => "exact",
    }
}

/// What comes last.
pub(super) fn foot(diff: &Diff<'_>, hidden: usize, out: &mut dyn Write) -> io::Result<()> {
    let expectations: Vec<Value> = diff.expectations.iter().map(expectation).collect();
    let names = |names: &[Box<[u8]>]| names.iter().map(|n| name(n)).collect::<Vec<_>>();
    let ambiguous: Vec<Value> =
        diff.ambiguous.iter().map(|group| json!({"a": names(&group.a), "b": names(&group.b)})).collect();
    let scopes: Vec<Value> = diff
        .scopes
        .iter()
        .map(|scope| {
            let mut counts = Map::new();
            counts.insert("scope".to_owned(), name(&scope.scope));
            for status in Status::ALL {
                counts.insert(status.name().to_owned(), scope.tally.of(status).into());
            }
            Value::Object(counts)
        })
        .collect();
    writeln!(
        out,
        "\"omitted\":{},\"scopes\":{},\"ambiguous\":{},\"expectations\":{},\"notes\":{},\"complete\":{}}}",
        hidden,
        Value::from(scopes),
        Value::from(ambiguous),
        Value::from(expectations),
        json!(diff.notes),
        !diff.is_trouble(),
    )
}

/// `diff --format jsonl`: one change a line.
///
/// # Errors
/// What `out` says.
pub fn diff_jsonl(rows: &DiffRows<'_>, out: &mut dyn Write) -> io::Result<()> {
    for change in &rows.rows {
        serde_json::to_writer(&mut *out, &of_change(change))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The tallies.
pub(super) fn summary(diff: &Diff<'_>) -> Value {
    let mut counts = Map::new();
    for status in Status::ALL {
        counts.insert(status.name().to_owned(), diff.tally.of(status).into());
    }
    counts.insert("identical_by_checksum".to_owned(), diff.by_checksum.into());
    counts.insert("repartitioned".to_owned(), diff.repartitioned.into());
    counts.insert("moved".to_owned(), diff.moved.into());
    counts.insert("left_out".to_owned(), diff.left_out.into());
    counts.insert("bytes_read".to_owned(), diff.bytes_read.into());
    Value::Object(counts)
}

/// One change.
pub(super) fn of_change(change: &Change) -> Value {
    let side = |facts: &Option<Facts>| match facts {
        Some(facts) => json!({"dtype": facts.dtype.to_string(), "shape": shape(&facts.shape)}),
        None => Value::Null,
    };
    let mut row = Map::new();
    let mut put = |key: &str, value: Value| row.insert(key.to_owned(), value);
    put("name", name(change.name()));
    put("status", change.status.name().into());
    put("a", side(&change.a));
    put("b", side(&change.b));
    if let Some(values) = &change.values {
        put("elements", values.elements.into());
        put("changed_elements", values.changed.into());
        let figures = values.figures.as_ref();
        let exact = figures.and_then(|f| f.max_abs_integer).map(Value::from);
        put("max_abs", exact.unwrap_or_else(|| number(figures.map(|f| f.max_abs))));
        put("max_rel", number(figures.map(|f| f.max_rel)));
        put("mean_abs", number(figures.map(|f| f.mean_abs)));
        put("rel_l2", number(figures.and_then(|f| f.rel_l2)));
        put("cosine", number(figures.and_then(|f| f.cosine)));
        put("max_ulps", figures.and_then(|f| f.max_ulps).into());
        put("at", json!(values.at));
        if let Some((a, b)) = values.largest {
            put("a_value", value(a));
            put("b_value", value(b));
        }
        put("nan_elements", values.nan.into());
        put("bits_only", values.bits_only.into());
        put("beyond_tolerance", values.beyond.into());
        put("along", values.spark.iter().map(|level| number(Some(*level))).collect());
    }
    if let Some((a, b)) = &change.derived {
        put("derived", json!({"a": a, "b": b}));
    }
    if let Some(same) = change.same {
        put(
            "by",
            match same {
                Same::Checksum => "checksum",
                Same::Values => "values",
            }
            .into(),
        );
    }
    if let Some(a_name) = change.a_name() {
        put("a_name", name(a_name));
        put("paired_by", change.paired.name().into());
    }
    if change.repartitioned {
        put("repartitioned", true.into());
    }
    if change.moved {
        put("moved", true.into());
    }
    if !change.trouble.is_empty() {
        put("errors", change.trouble.iter().map(|(side, error)| trouble(*side, error)).collect());
    }
    Value::Object(row)
}

fn trouble(side: Side, error: &Error) -> Value {
    json!({"side": side.name().to_ascii_lowercase(), "message": error.to_string()})
}

fn expectation(expectation: &Expectation) -> Value {
    let broken: Vec<Value> =
        expectation.examples.iter().map(|(n, status)| json!({"name": name(n), "status": status.name()})).collect();
    json!({
        "expected": expectation.expected.name(),
        "selector": expectation.selector,
        "holds": expectation.holds(),
        "matched": expectation.matched,
        "broken": expectation.broken,
        "unjudged": expectation.unjudged,
        "examples": broken,
    })
}

/// A number, or the word that stands for it.
pub(super) fn number(value: Option<f64>) -> Value {
    match value {
        None => Value::Null,
        Some(value) if value.is_finite() => value.into(),
        Some(value) if value.is_nan() => "NaN".into(),
        Some(value) => if value > 0.0 { "Infinity" } else { "-Infinity" }.into(),
    }
}

/// An element as `print` writes it.
fn value(element: Element) -> Value {
    let mut text = String::new();
    let _ = write_json(element, &mut text);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
