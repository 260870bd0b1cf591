//! `inspect` for people: one screen that says what this is, whether it is whole and what dominates it.

use std::io::{self, Write};

use super::constants::words;
use super::model_text::{Detail, model_screen};
use super::serving::serving_text;
use crate::analysis::{Code, Memory, Role, RoleTotal, RolesBy, Saver, Scope, Summary, short_name};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, ModelDir, SourceKind};
use crate::report::findings::text::write_finding;
use crate::report::kit::ages::ages;
use crate::report::kit::json::shown;
use crate::report::kit::look::Look;
use crate::report::kit::table::Columns;
use crate::report::kit::units::{count, parameters_text, percent, shape_text, size, tensors_text, time};
use crate::report::kit::wrap::{folded, joined, middle, wrapped};
use crate::report::timeline::events::in_words;

/// Writes the screen.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn inspect_text(
    checkpoint: &Checkpoint,
    summary: &Summary,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    heading(checkpoint, summary, look, out)?;
    findings(summary, look, out)?;
    if summary.totals.tensors > 0 {
        roles(summary, look, out)?;
        scopes(summary, look, out)?;
    }
    if let Some(model) = &summary.keras {
        super::keras_text::keras_screen(model, look, out)?;
    }
    if let Some(model) = &summary.model {
        model_screen(model, Detail::Beside, look, out)?;
    }
    if let Some(serving) = &summary.serving {
        serving_text(serving, look, out)?;
    }
    if let Some(dir) = &checkpoint.origin().model_dir {
        checkpoints(dir, look, out)?;
        if summary.repair.is_some() {
            writeln!(out, "  ckpt log shows the lines that would put the state file right")?;
        }
    }
    beside(checkpoint, summary, look, out)
}

fn heading(checkpoint: &Checkpoint, summary: &Summary, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = look.bold();
    writeln!(out, "{bold}{}{bold:#}", title(checkpoint, summary))?;
    writeln!(out, "{}", joined(&kind_facts(checkpoint, summary), 0, 2, look))?;
    if let Some(facts) = size_facts(checkpoint, summary) {
        writeln!(out, "{}", joined(&facts, 0, 2, look))?;
    }
    summary.constants.iter().try_for_each(|constants| writeln!(out, "{}", folded(&words(constants), 0, 2, look)))
}

/// The path of what is shown.
pub(in crate::report) fn title(checkpoint: &Checkpoint, summary: &Summary) -> String {
    let origin = checkpoint.origin();
    let named = origin.saved_model.as_deref().filter(|_| summary.saver == Saver::None);
    shown(named.unwrap_or(origin.prefix.as_path()))
}

/// What it is, its step, and who wrote it.
pub(in crate::report) fn kind_facts(checkpoint: &Checkpoint, summary: &Summary) -> Vec<String> {
    let origin = checkpoint.origin();
    let unread = summary.model.as_ref().is_some_and(|model| model.graphs.is_empty() && !model.unread.is_empty());
    let is_none = unread && summary.saver == Saver::None;
    let container = match origin.kind {
        // Neither a graph nor variables: only the name of a file says that it is one.
        SourceKind::SavedModel if is_none => "",
        SourceKind::SavedModel => "SavedModel, ",
        SourceKind::ServingBase => "TensorFlow Serving directory, ",
        _ => "",
    };
    let are_missing = summary.findings.iter().any(|finding| finding.code == Code::MissingVariables);
    let saver = match summary.saver {
        _ if are_missing => "its variables are missing",
        // Whether there should be some, only the graph knows.
        Saver::None if is_none && origin.kind == SourceKind::SavedModel => "not readable as a SavedModel",
        Saver::None if summary.unreadable => "no variables here",
        saver => saver.describe(),
    };
    let mut facts = vec![format!("{container}{saver}")];
    facts.extend(summary.step.words());
    // A step that is the optimizer's own count need not be said twice.
    let is_step = |by: &str| summary.step.tensor.as_deref() == Some(by) && summary.step.step.is_some();
    if !summary.optimizers.iter().any(|age| is_step(&age.by)) {
        facts.extend(ages(&summary.optimizers).map(|ages| format!("optimizer after {ages}")));
    }
    facts.extend(summary.tensorflow_version.as_ref().map(|v| format!("TensorFlow {}", escaped(v.as_bytes()))));
    if let Some(model) = summary.model.as_ref().filter(|_| origin.saved_model.is_none())
        && model.graphs.iter().any(|graph| graph.meta.saver.as_ref().is_some_and(|saver| saver.sharded))
    {
        facts.push("sharded saver".to_owned());
    }
    if checkpoint.is_big_endian() {
        facts.push("big-endian".to_owned());
    }
    facts
}

/// How much it holds, and whether its files are there; `None` where there are no variables.
pub(in crate::report) fn size_facts(checkpoint: &Checkpoint, summary: &Summary) -> Option<[String; 4]> {
    if summary.saver == Saver::None {
        return None;
    }
    let shards = checkpoint.num_shards();
    let missing = summary.files.iter().filter(|file| file.bytes.is_none()).count();
    let on_disk: u64 = summary.files.iter().filter_map(|file| file.bytes).sum();
    let noun = if matches!(summary.saver, Saver::V1 | Saver::Other(_)) { "file" } else { "shard" };
    let plural = if shards == 1 { "" } else { "s" };
    let whole = match (summary.complete, missing) {
        (true, _) => "complete".to_owned(),
        (false, 0) => "not whole".to_owned(),
        (false, n) => format!("{n} missing"),
    };
    let totals = summary.totals;
    Some([
        tensors_text(totals.tensors),
        parameters(summary),
        size(totals.bytes),
        format!("{shards} {noun}{plural}, {whole} ({} on disk)", size(on_disk)),
    ])
}

/// `44 parameters (+ optimizer 90, averages 5)`: what the model has, and what was kept to train it. Where nothing is
/// known to be a weight, as in files of statistics, everything is counted.
fn parameters(summary: &Summary) -> String {
    let of = |roles: &[Role]| -> u64 {
        let rows = summary.roles.iter().filter(|row| roles.contains(&row.role));
        rows.map(|row| row.totals.parameters).fold(0, u64::saturating_add)
    };
    let weights = of(&[Role::Weight]);
    let beside = [("optimizer", of(&[Role::Slot, Role::Optimizer])), ("averages", of(&[Role::Average]))];
    let beside: Vec<String> = beside
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(what, number)| format!("{what} {}", count(number)))
        .collect();
    match beside.as_slice() {
        [] if weights == 0 => parameters_text(summary.totals.parameters),
        [] => parameters_text(weights),
        beside => format!("{} (+ {})", parameters_text(weights), beside.join(", ")),
    }
}

/// `to serve 12 B`, `to train 48 B (weights 12 B, optimizer 24 B, gradients 12 B)`.
fn memory_words(memory: &Memory) -> Vec<String> {
    /// Dtypes that are told; a checkpoint of more is a collection of all there are.
    const TOLD: usize = 2;
    let serve = size(memory.serve());
    let told = memory.weights.iter().take(TOLD);
    let mut by_dtype: Vec<String> = told.map(|(dtype, bytes)| format!("{dtype} {}", size(*bytes))).collect();
    if let more @ 1.. = memory.weights.len().saturating_sub(TOLD) {
        by_dtype.push(format!("{more} more"));
    }
    let by_dtype = if by_dtype.len() > 1 { format!(" ({})", by_dtype.join(", ")) } else { String::new() };
    let (train, gradients) = (size(memory.train()), size(memory.gradients));
    let (optimizer, uncounted) = match memory.optimizer {
        0 => (String::new(), "optimizer and activations not counted"),
        bytes => (format!("optimizer {}, ", size(bytes)), "activations not counted"),
    };
    let train = format!("to train {train} (weights {serve}, {optimizer}gradients {gradients})");
    vec![format!("weights to serve {serve}{by_dtype}"), train, uncounted.to_owned()]
}

fn findings(summary: &Summary, look: Look, out: &mut dyn Write) -> io::Result<()> {
    const MOST: usize = 8;
    if summary.findings.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    for finding in summary.findings.iter().take(MOST) {
        write_finding(finding, look, out)?;
    }
    match summary.findings.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more; ckpt validate lists them all"),
    }
}

fn roles(summary: &Summary, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let whole = summary.totals.bytes;
    let mut table = Columns::new("<>>>><", &["holds", "tensors", "parameters", "size", "share", ""]);
    for row in &summary.roles {
        let what = role_words(row);
        let totals = row.totals;
        let numbers = [count(totals.tensors as u64), count(totals.parameters), size(totals.bytes)];
        let share = [percent(totals.bytes, whole), bar(totals.bytes, whole)];
        table.row([what].into_iter().chain(numbers).chain(share));
    }
    writeln!(out)?;
    table.write(out, look.dim())?;
    let dtypes: Vec<String> = summary
        .dtypes
        .iter()
        .map(|(dtype, totals)| format!("{dtype} ×{} ({})", count(totals.tensors as u64), size(totals.bytes)))
        .collect();
    let dim = look.dim();
    wrapped(&format!("{dim}dtypes{dim:#}"), "dtypes".len(), &dtypes, look, out)?;
    wrapped(&format!("{dim}roles{dim:#}"), "roles".len(), &[judge(summary)], look, out)?;
    if let Some(memory) = &summary.memory {
        wrapped(&format!("{dim}memory{dim:#}"), "memory".len(), &memory_words(memory), look, out)?;
    }
    let mut equal = Vec::new();
    match summary.equal.zeros {
        0 => {}
        1 => equal.push("1 tensor is all zero".to_owned()),
        n => equal.push(format!("{} tensors are all zero", count(n as u64))),
    }
    for group in summary.equal.duplicates.iter().take(3) {
        let names: Vec<_> = group.iter().take(3).map(|name| escaped(short_name(name))).collect();
        let more = if group.len() > 3 { format!(" and {} more", group.len() - 3) } else { String::new() };
        equal.push(format!("equal: {}{more}", names.join(" = ")));
    }
    if summary.equal.duplicates.len() > 3 {
        equal.push(format!("{} more groups of equal tensors", summary.equal.duplicates.len() - 3));
    }
    if equal.is_empty() {
        return Ok(());
    }
    wrapped(&format!("{dim}by checksum{dim:#}"), "by checksum".len(), &equal, look, out)
}

/// What tensors of a role are, in words.
pub(in crate::report) fn role_words(row: &RoleTotal) -> String {
    match (row.role, row.optimizer) {
        (Role::Weight, _) => "weights".to_owned(),
        (Role::Average, _) => "moving averages".to_owned(),
        (Role::Slot, Some(name)) => format!("optimizer slots: {name}"),
        (Role::Slot, None) => "optimizer slots".to_owned(),
        (Role::Optimizer, Some(name)) => format!("optimizer scalars: {name}"),
        (Role::Optimizer, None) => "optimizer scalars".to_owned(),
        (Role::Counter, _) => "counters".to_owned(),
        (Role::String, _) => "strings".to_owned(),
        (Role::Table, _) => "lookup tables".to_owned(),
        (Role::Other, _) => "other (object graph, state)".to_owned(),
    }
}

/// Who says what tensors are for.
pub(in crate::report) fn judge(summary: &Summary) -> String {
    match &summary.roles_by {
        RolesBy::Program(file) => {
            format!("by the program in {}", escaped(file.file_name().unwrap_or(file.as_os_str()).as_encoded_bytes()))
        }
        RolesBy::File => "by what the file says of its tensors".to_owned(),
        RolesBy::Names => "by names and shapes".to_owned(),
    }
}

/// Ten blocks for a whole.
fn bar(part: u64, whole: u64) -> String {
    let eighths = usize::try_from(u128::from(part) * 80 / u128::from(whole.max(1))).unwrap_or(0);
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    format!("{}{}", "█".repeat(eighths / 8), rest[eighths % 8])
}

fn scopes(summary: &Summary, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Columns::new("<>><", &["scope", "parameters", "size", "tensors"]);
    for scope in &summary.scopes {
        let path = match scope.times {
            1 => scope.path.clone(),
            times => format!("{} ×{times}", scope.path),
        };
        let path = middle(&path, if look.width.is_some_and(|width| width < 100) { 36 } else { 44 });
        table.row([path, count(scope.parameters), size(scope.bytes), contents(scope, look)]);
    }
    if table.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    table.write(out, look.dim())?;
    match summary.other_scopes {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more scopes; ckpt list --by scope shows them all"),
    }
}

/// What lies in a scope: its own tensors with their shapes, or how many.
fn contents(scope: &Scope, look: Look) -> String {
    let room = look.width.unwrap_or(100).saturating_sub(64).max(16);
    let mut text = String::new();
    for (n, (name, shape)) in scope.leaves.iter().enumerate() {
        let next = format!("{}{name} {}", if n == 0 { "" } else { ", " }, shape_text(shape));
        if n > 0 && text.chars().count() + next.chars().count() > room {
            text.push_str(", …");
            break;
        }
        text.push_str(&next);
    }
    if text.is_empty() || scope.has_inner {
        let tensors = tensors_text(scope.tensors);
        return if text.is_empty() { tensors } else { format!("{tensors}: {text}") };
    }
    text
}

/// How many checkpoints of a directory are shown.
const CHECKPOINTS: usize = 12;

fn checkpoints(dir: &ModelDir, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Columns::new("<><><", &["checkpoint", "step", "written (UTC)", "size", ""]);
    let all = dir.checkpoints.len();
    for (at, found) in dir.checkpoints.iter().enumerate().rev().take(CHECKPOINTS) {
        let name = found.prefix.base_name();
        let name = if name.is_empty() { "(no name)".into() } else { escaped(name.as_encoded_bytes()).into_owned() };
        let mut marks = Vec::new();
        if !found.complete {
            marks.push("incomplete");
        }
        if dir.latest == Some(at) {
            marks.push("◀ latest");
        }
        table.row([
            name,
            found.step.map_or_else(|| "-".to_owned(), |step| step.to_string()),
            found.modified.map_or_else(|| "-".to_owned(), time),
            size(found.bytes),
            marks.join(" "),
        ]);
    }
    writeln!(out)?;
    table.write(out, look.dim())?;
    if all > CHECKPOINTS {
        writeln!(out, "  … and {} older", all - CHECKPOINTS)?;
    }
    match (&dir.state, dir.notes.is_empty()) {
        (Some(_), true) => writeln!(out, "  latest by the state file"),
        _ => Ok(()),
    }
}

fn beside(checkpoint: &Checkpoint, summary: &Summary, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let beside = &summary.beside;
    let dim = look.dim();
    let origin = checkpoint.origin();
    let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
    let text = |names: &[String]| names.iter().map(|name| escaped(name.as_bytes()).into_owned()).collect::<Vec<_>>();
    if origin.model_dir.is_none() && !beside.checkpoints.is_empty() {
        let mut names: Vec<String> = text(&beside.checkpoints).into_iter().rev().take(5).collect();
        if beside.checkpoints.len() > 5 {
            names.push(format!("and {} more", beside.checkpoints.len() - 5));
        }
        lines.push(("other checkpoints", names));
    }
    // What the model's own lines have told already.
    let own = ["assets", "assets.extra", "fingerprint.pb", "keras_metadata.pb"];
    let told = |file: &&String| origin.saved_model.is_none() || !own.contains(&file.as_str());
    let files: Vec<String> = beside.files.iter().filter(told).cloned().collect();
    if !files.is_empty() {
        lines.push(("also here", text(&files)));
    }
    if let Some(dir) = &origin.model_dir {
        let items = |line: String| line.split(", ").map(str::to_owned).collect();
        lines.extend(in_words(&dir.path, &summary.events).into_iter().map(|line| ("events", items(line))));
    }
    if !beside.leftovers.is_empty() {
        lines.push(("leftovers of interrupted saves", text(&beside.leftovers)));
    }
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for (what, items) in lines {
        wrapped(&format!("{dim}{what}{dim:#}"), what.len(), &items, look, out)?;
    }
    Ok(())
}
