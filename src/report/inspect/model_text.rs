//! The graphs of a model for people: part of `inspect`, and all of it where there is no checkpoint.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use crate::analysis::{Finding, GraphInfo, ModelInfo};
use crate::base::escape::escaped;
use crate::read::graphs::graph::{Form, Method, Spec};
use crate::read::graphs::meta_graph::{INTERNAL_SIGNATURE_PREFIX, SaverInfo, TensorInfo};
use crate::read::tensor::Shape;
use crate::report::findings::text::write_finding;
use crate::report::kit::json::shown;
use crate::report::kit::look::Look;
use crate::report::kit::units::{count, counted, parameters_text, shape_text, size};
use crate::report::kit::wrap::{joined, middle, wrapped};

/// `inspect` of a file that holds graphs only.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn model_text(
    given: &Path,
    model: &ModelInfo,
    findings: &[Finding],
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    heading(given, model, look, out)?;
    let of_graph = model.graph_finding();
    if !findings.is_empty() || !model.unread.is_empty() || of_graph.is_some() {
        writeln!(out)?;
    }
    for finding in findings.iter().chain(&model.unread).chain(&of_graph) {
        write_finding(finding, look, out)?;
    }
    model_screen(model, Detail::Alone, look, out)
}

/// `inspect --signatures`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn signatures_text(
    given: &Path,
    model: &ModelInfo,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    heading(given, model, look, out)?;
    for finding in &model.unread {
        writeln!(out)?;
        write_finding(finding, look, out)?;
    }
    model_screen(model, Detail::Signatures, look, out)
}

fn heading(given: &Path, model: &ModelInfo, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = look.bold();
    writeln!(out, "{bold}{}{bold:#}", shown(given))?;
    let what = match model.form {
        Form::SavedModel => "SavedModel",
        Form::MetaGraph => "graph with its saver (MetaGraphDef)",
        Form::Graph => "graph (GraphDef)",
    };
    let version = model.tensorflow_version().map(|v| format!(" · TensorFlow {}", escaped(v.as_bytes())));
    writeln!(out, "{what}{}", version.unwrap_or_default())
}

/// How much of the graphs is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Detail {
    /// Beside a checkpoint, whose tensors are the variables.
    Beside,
    /// By themselves.
    Alone,
    /// Every signature and what every function takes.
    Signatures,
}

/// The graphs, and what lies around them.
pub(in crate::report) fn model_screen(
    model: &ModelInfo,
    detail: Detail,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    for graph in &model.graphs {
        meta_graph(model.form, graph, detail, look, out)?;
    }
    if model.form == Form::SavedModel { around(model, look, out) } else { Ok(()) }
}

fn names<'a>(all: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    all.into_iter().map(|name| escaped(name.as_bytes()).into_owned()).collect()
}

fn meta_graph(form: Form, graph: &GraphInfo, detail: Detail, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (bold, meta) = (look.bold(), &graph.meta);
    let all = detail == Detail::Signatures;
    let title = match form {
        Form::SavedModel if meta.tags.is_empty() => "graph tagged (nothing)".to_owned(),
        Form::SavedModel => format!("graph tagged {}", names(meta.tags.iter().map(String::as_str)).join(", ")),
        Form::MetaGraph | Form::Graph => "graph".to_owned(),
    };
    let mut facts = vec![format!("{bold}{title}{bold:#}")];
    facts.push(counted(meta.node_count as u64, "node"));
    facts.push(counted(meta.function_count as u64, "function"));
    if all || form != Form::SavedModel {
        let least =
            if meta.min_consumer > 0 { format!(", readable from {}", meta.min_consumer) } else { String::new() };
        facts.push(format!("version {}{least}", meta.producer));
    }
    writeln!(out, "\n{}", joined(&facts, 0, 2, look))?;
    if form != Form::SavedModel {
        contents(graph, detail, look, out)?;
    } else if graph.variables.is_empty() {
        constants(graph, out)?;
    }
    let own = meta.signatures.iter().filter(|(key, _)| all || !key.starts_with(INTERNAL_SIGNATURE_PREFIX));
    for (key, signature) in own {
        let method = escaped(signature.method_name.as_bytes());
        let method = if method.is_empty() { String::new() } else { format!(" ({method})") };
        writeln!(out, "  {}{method}", escaped(key.as_bytes()))?;
        infos(&signature.inputs, &signature.outputs, out)?;
    }
    if all {
        let mut init: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (key, op) in &graph.init_ops {
            init.entry(op).or_default().push(escaped(key.as_bytes()).into_owned());
        }
        for (op, keys) in init {
            writeln!(out, "  after restoring: {} ({})", escaped(op.as_bytes()), keys.join(", "))?;
        }
        return functions(&graph.functions, look, out);
    }
    let callables = names(graph.functions.keys().map(String::as_str));
    if callables.is_empty() { Ok(()) } else { listed("callable", &callables, look, out) }
}

/// A dim label with what belongs to it behind.
fn listed(label: &str, items: &[String], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let dim = look.dim();
    wrapped(&format!("{dim}{label}{dim:#}"), label.len(), items, look, out)
}

/// Inputs and outputs in aligned columns.
fn infos(
    inputs: &BTreeMap<String, TensorInfo>,
    outputs: &BTreeMap<String, TensorInfo>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows = |arrow: &'static str, infos: &BTreeMap<String, TensorInfo>| -> Vec<[String; 4]> {
        let row = |(name, info): (&String, &TensorInfo)| {
            let name = format!("{arrow} {}", escaped(name.as_bytes()));
            [name, info.dtype.to_string(), shaped(&info.shape), escaped(info.name.as_bytes()).into_owned()]
        };
        infos.iter().map(row).collect()
    };
    let rows = [rows("←", inputs), rows("→", outputs)].concat();
    let wide = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0).min(40);
    let (a, b, c) = (wide(0), wide(1), wide(2));
    for [name, dtype, shape, tensor] in &rows {
        writeln!(out, "    {}", format!("{name:<a$}  {dtype:<b$}  {shape:<c$}  {tensor}").trim_end())?;
    }
    Ok(())
}

fn shaped(shape: &Shape) -> String {
    if shape.dims().is_none() { "of any shape".to_owned() } else { shape_text(shape) }
}

/// Variables, savers and collections of a graph that lies alone.
fn contents(graph: &GraphInfo, detail: Detail, look: Look, out: &mut dyn Write) -> io::Result<()> {
    const MOST: usize = 12;
    let meta = &graph.meta;
    let known: u64 = graph.variables.iter().filter_map(|v| v.shape.elements()).fold(0, u64::saturating_add);
    let unknown = graph.variables.iter().filter(|v| v.shape.elements().is_none()).count();
    if detail == Detail::Beside {
        // They are the tensors above.
    } else if graph.variables.is_empty() {
        writeln!(out, "  no variables")?;
        constants(graph, out)?;
    } else {
        let n = graph.variables.len();
        let refs = graph.variables.iter().filter(|v| !v.is_resource).count();
        let kind = match refs {
            0 => "resource".to_owned(),
            r if r == n => "ref".to_owned(),
            r => format!("{} resource, {} ref", count((n - r) as u64), count(r as u64)),
        };
        let open = if unknown > 0 { format!(", {} of unknown shape", count(unknown as u64)) } else { String::new() };
        writeln!(out, "  {} ({kind}) · {}{open}", counted(n as u64, "variable"), parameters_text(known))?;
        let mut largest: Vec<_> = graph.variables.iter().collect();
        largest.sort_by_key(|v| (std::cmp::Reverse(v.shape.elements()), v.name.clone()));
        let text = |name: &str| middle(&escaped(name.as_bytes()), 48);
        let wide = largest.iter().take(MOST).map(|v| text(&v.name).chars().count()).max().unwrap_or(0);
        for variable in largest.iter().take(MOST) {
            let name = text(&variable.name);
            writeln!(out, "    {name:<wide$}  {:<8}  {}", variable.dtype.to_string(), shaped(&variable.shape))?;
        }
        if n > MOST {
            writeln!(out, "    … and {} more; --format json lists them all", count((n - MOST) as u64))?;
        }
    }
    if let Some(saver) = &meta.saver {
        writeln!(out, "  saver {}", joined(&saver_text(saver), 8, 8, look))?;
    }
    if graph.savers.len() > 1 || (meta.saver.is_none() && !graph.savers.is_empty()) {
        listed("scopes that save", &names(graph.savers.iter().map(String::as_str)), look, out)?;
    }
    if meta.collections.is_empty() {
        return Ok(());
    }
    let collections: Vec<String> =
        meta.collections.iter().map(|(key, n)| format!("{} {}", escaped(key.as_bytes()), count(*n as u64))).collect();
    listed("collections", &collections, look, out)
}

/// Where a graph without variables has its weights, if it has any.
fn constants(graph: &GraphInfo, out: &mut dyn Write) -> io::Result<()> {
    let constants = &graph.constants;
    if constants.nodes == 0 {
        return Ok(());
    }
    let frozen = if constants.is_frozen() { ": a frozen graph, whose weights are inside" } else { "" };
    writeln!(out, "  {} of {}{frozen}", counted(constants.nodes as u64, "constant"), size(constants.bytes))
}

fn saver_text(saver: &SaverInfo) -> Vec<String> {
    let mut facts = vec![format!("format {}", saver.version)];
    if saver.sharded {
        facts.push("sharded".to_owned());
    }
    facts.push(if saver.max_to_keep > 0 { format!("keeps {}", saver.max_to_keep) } else { "keeps all".to_owned() });
    facts.push(format!("restores by {}", escaped(saver.restore_op_name.as_bytes())));
    facts
}

/// Most functions of one graph that are shown, and most ways to call one.
const MOST_FUNCTIONS: usize = 100;
const MOST_WAYS: usize = 20;

fn functions(functions: &BTreeMap<String, Vec<Method>>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let dim = look.dim();
    for (name, methods) in functions.iter().take(MOST_FUNCTIONS) {
        writeln!(out, "  {dim}callable{dim:#} {}", escaped(name.as_bytes()))?;
        for (n, method) in methods.iter().take(MOST_WAYS).enumerate() {
            if methods.len() > 1 {
                writeln!(out, "    {dim}way {} of {}{dim:#}", n + 1, methods.len())?;
            }
            for spec in &method.positional {
                writeln!(out, "    ← {}", spec_text(spec))?;
            }
            for (name, spec) in &method.named {
                writeln!(out, "    ← {}= {}", escaped(name.as_bytes()), spec_text(spec))?;
            }
        }
        if methods.len() > MOST_WAYS {
            writeln!(out, "    … and {} more ways to call it", methods.len() - MOST_WAYS)?;
        }
    }
    match functions.len().saturating_sub(MOST_FUNCTIONS) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more functions; --format json lists them all"),
    }
}

fn spec_text(spec: &Spec) -> String {
    match spec {
        Spec::Tensor(name, dtype, shape) => {
            let name = if name.is_empty() { String::new() } else { format!("{}  ", escaped(name.as_bytes())) };
            format!("{name}{dtype}  {}", shaped(shape))
        }
        Spec::Value(value) => escaped(value.as_bytes()).into_owned(),
    }
}

fn around(model: &ModelInfo, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let around = &model.around;
    let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
    let asset = |(file, present): &(String, bool)| {
        let missing = if *present { "" } else { " (MISSING)" };
        format!("{}{missing}", escaped(file.as_bytes()))
    };
    let assets: Vec<String> = around.assets.iter().map(asset).collect();
    lines.push(("assets", assets));
    lines.push(("assets.extra", names(around.extra.iter().map(String::as_str))));
    if let Some((fingerprint, belongs)) = &around.fingerprint {
        let verdict = match belongs {
            Some(true) => "the variables are its own",
            Some(false) => "the variables are NOT its own",
            None => "cannot be compared with the variables",
        };
        lines.push(("fingerprint", vec![format!("{:016x}", fingerprint.graph_def_program_hash), verdict.to_owned()]));
    }
    if let Some(keras) = &around.keras {
        let class = escaped(keras.class.as_bytes());
        let name = if keras.name.is_empty() { String::new() } else { format!(" {}", escaped(keras.name.as_bytes())) };
        lines.push(("Keras", vec![format!("{class}{name}"), format!("{} objects described", keras.objects)]));
    }
    lines.retain(|(_, items)| !items.is_empty());
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for (label, items) in lines {
        listed(label, &items, look, out)?;
    }
    Ok(())
}
