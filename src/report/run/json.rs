//! `ckpt run --format json`: what was asked, and the outputs, streamed.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::facts::{RunReport, RunTimes};
use crate::analysis::run::{Port, RunModel};
use crate::base::error::Result;
use crate::read::checkpoint::Checkpoint;
use crate::report::findings::json::{self, findings};
use crate::report::kit::json::{DTypeName, Dims, Head, PathText, write_document, write_fields};
use crate::report::print::json::{json_begin, json_values};
use crate::report::print::output;

/// What stands before the outputs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct RunHead<'a> {
    #[serde(flatten)]
    head: Head,
    /// as given
    path: PathText<'a>,
    /// whether the model was run: not with `--dry-run`, and not if it was refused
    ran: bool,
    /// whether it was refused because of what it can do
    refused: bool,
    /// the tags of the graph; empty for one that is no SavedModel
    tags: &'a [String],
    /// the signature; null if tensors were named by `--feed` and `--fetch`
    signature: Option<&'a str>,
    /// null with `--dry-run` if none was found
    engine: Option<Engine<'a>>,
    /// by name
    inputs: Vec<Input<'a>>,
    /// what the model can touch, as in `ops`
    findings: Vec<json::Finding<'a>>,
    /// findings that are allowed
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<json::Finding<'a>>,
    /// how long it took; absent if nothing was run
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    seconds: Option<Seconds<'a>>,
}

/// What runs models.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Engine<'a> {
    /// the library
    library: PathText<'a>,
    /// `--engine`, `CKPT_TENSORFLOW`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `python3`, `the system`
    found_by: &'static str,
    /// null if it was not loaded
    version: Option<&'a str>,
}

/// An input.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Input<'a> {
    name: &'a str,
    /// in the graph
    tensor: &'a str,
    /// that is wanted; null if the graph does not say it
    dtype: Option<DTypeName>,
    /// that is wanted
    shape: Dims<'a>,
    /// what was given; null if nothing
    given: Option<Given<'a>>,
}

/// A value that was given.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Given<'a> {
    dtype: DTypeName,
    shape: &'a [u64],
}

/// Seconds that things took.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Seconds<'a> {
    /// loading TensorFlow
    engine: f64,
    /// loading the model
    load: f64,
    /// each run
    runs: &'a [f64],
}

/// What would come out.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Output<'a> {
    name: &'a str,
    dtype: Option<DTypeName>,
    shape: Dims<'a>,
}

/// A run that did not take place.
#[derive(Debug, Serialize)]
struct Planned<'a> {
    #[serde(flatten)]
    head: RunHead<'a>,
    outputs: Vec<Output<'a>>,
}

fn head<'a>(report: &RunReport<'a>, times: Option<RunTimes<'a>>, is_refused: bool) -> RunHead<'a> {
    let plan = report.plan;
    let input = |port: &'a Port| Input {
        name: &port.name,
        tensor: &port.tensor,
        dtype: port.dtype.map(DTypeName),
        shape: Dims(&port.shape),
        given: report
            .inputs
            .iter()
            .find(|input| input.name == port.name)
            .map(|input| Given { dtype: DTypeName(input.dtype), shape: &input.shape }),
    };
    RunHead {
        head: Head::of("run"),
        path: PathText(report.given),
        ran: times.is_some(),
        refused: is_refused,
        tags: match &plan.model {
            RunModel::Saved { tags, .. } => tags,
            RunModel::Graph { .. } => &[],
        },
        signature: plan.signature.as_deref(),
        engine: report.engine.map(|engine| Engine {
            library: PathText(engine.library),
            found_by: engine.by,
            version: engine.version,
        }),
        inputs: plan.inputs.iter().map(input).collect(),
        findings: findings(&report.ops.findings),
        allowed: findings(&report.ops.allowed),
        seconds: times.map(|times| Seconds { engine: times.engine, load: times.load, runs: times.runs }),
    }
}

/// A run with its outputs.
pub(super) fn run_json(
    report: &RunReport<'_>,
    results: &Checkpoint,
    times: RunTimes<'_>,
    out: &mut dyn Write,
) -> Result<()> {
    out.write_all(b"{").map_err(output)?;
    write_fields(&head(report, Some(times), false), out).map_err(output)?;
    out.write_all(b",\"outputs\":[").map_err(output)?;
    for (n, excerpt) in report.outputs(results)?.iter().enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" }).map_err(output)?;
        json_begin(excerpt, out)?;
        json_values(results, excerpt, out)??;
        out.write_all(b"}").map_err(output)?;
    }
    out.write_all(b"]}\n").map_err(output)
}

/// A run that did not take place.
pub(super) fn run_plan_json(report: &RunReport<'_>, is_refused: bool, out: &mut dyn Write) -> io::Result<()> {
    let outputs = report.plan.outputs.iter().map(|port| Output {
        name: &port.name,
        dtype: port.dtype.map(DTypeName),
        shape: Dims(&port.shape),
    });
    write_document(&Planned { head: head(report, None, is_refused), outputs: outputs.collect() }, out)
}
