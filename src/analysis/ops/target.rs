//! From a path to the files that can hold code.

use std::path::{Path, PathBuf};

use super::Target;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::checkpoint::{Choice, Origin, WrittenPath};
use crate::read::graphs::graph::Form;
use crate::read::graphs::keras::{KerasConfigFile, METADATA};
use crate::read::storage;
use crate::read::storage::layout::saved_model_file;

const CHUNKED: &str =
    "a chunked SavedModel (saved_model.cpb) is not read, and open-source TensorFlow cannot read it either";

/// The files that `path` leads to, and notes on how they were chosen.
///
/// # Errors
/// If it leads to nothing that could hold an op.
pub fn targets(path: &Path, choice: Choice, limits: &Limits) -> Result<(Vec<Target>, Vec<String>)> {
    let written = WrittenPath::of(path)?;
    let (found, mut notes) = of_path(&written.path, choice, limits)?;
    notes.splice(0..0, written.note);
    Ok((found, notes))
}

fn of_path(path: &Path, choice: Choice, limits: &Limits) -> Result<(Vec<Target>, Vec<String>)> {
    if storage::is_file(path)
        && let Some(target) = of_file(path)?
    {
        return Ok((vec![target], Vec::new()));
    }
    let unpacked = path.join("config.json");
    if storage::is_folder(path)
        && !has_model(path)
        && storage::is_file(&unpacked)
        && let Some(file) = KerasConfigFile::of(&unpacked)
    {
        return Ok((vec![Target::Configs(file)], Vec::new()));
    }
    // A SavedModel whose variables are gone still has its graph.
    let (dir, prefix, mut notes) = if storage::is_folder(path) && has_model(path) {
        // Of a prefix and a model of one name both are looked at: silence about either would mislead.
        let twin = Origin::locate(path, choice, limits).ok().filter(|origin| origin.saved_model.is_none());
        let notes = twin.as_ref().map(|_| "a checkpoint of this name lies here too; both were looked at".to_owned());
        (Some(path.to_path_buf()), twin.map(|origin| origin.prefix), notes.into_iter().collect())
    } else {
        match Origin::locate(path, choice, limits) {
            Ok(origin) => match origin.saved_model {
                Some(dir) => (Some(dir), None, origin.notes),
                None => (None, Some(origin.prefix), origin.notes),
            },
            Err(error) => match beside(path) {
                Some(targets) => return Ok((targets, Vec::new())),
                None => return Err(error),
            },
        }
    };
    let mut found = Vec::new();
    if let Some(dir) = &dir {
        notes.extend(without_data(dir));
        found.extend(of_model(dir));
    }
    if let Some(prefix) = prefix {
        let meta = prefix.meta();
        found.extend(storage::is_file(&meta).then_some(Target::Graphs(meta, Form::MetaGraph)));
        let graph = prefix.directory().join("graph.pbtxt");
        found.extend((dir.is_none() && storage::is_file(&graph)).then_some(Target::Graphs(graph, Form::Graph)));
    }
    if found.is_empty() {
        let why = "there is no graph here: a checkpoint alone holds values and no ops";
        let help = "give the SavedModel, the .meta file or the graph that belongs to it";
        return Err(Error::new(ErrorKind::NotACheckpoint(why.into())).in_file(path).with_help(help));
    }
    Ok((found, notes))
}

/// That variables are not there matters to nobody who looks at the graph only, but should not go unnoticed.
fn without_data(dir: &Path) -> Option<String> {
    let variables = dir.join("variables");
    let names = storage::names(&variables).unwrap_or_default();
    let has = |start: &str| names.iter().any(|name| name.starts_with(start));
    let missing = match (storage::is_folder(&variables), has("variables.index"), has("variables.data-")) {
        (false, ..) => "there is no directory `variables` here",
        (true, true, false) => "the data of the variables is missing",
        // Exports of before V2 checkpoints have other files.
        (true, false, true) => "the index of the variables is missing",
        _ => return None,
    };
    Some(format!("{missing}; only the graph was looked at, which is what has ops"))
}

fn has_model(dir: &Path) -> bool {
    saved_model_file(dir).is_some()
}

fn of_file(path: &Path) -> Result<Option<Target>> {
    let name = path.file_name().unwrap_or_default();
    if name == "saved_model.cpb" {
        return Ok(Some(Target::Unsupported(path.to_path_buf(), CHUNKED)));
    }
    if matches!(name.to_str(), Some("saved_model.pb" | "saved_model.pbtxt")) {
        // The whole model is meant, with what lies beside this file.
        return Ok(None);
    }
    if let Some(file) = KerasConfigFile::of(path) {
        return Ok(Some(Target::Configs(file)));
    }
    Ok(Form::of(path)?.map(|form| Target::Graphs(path.to_path_buf(), form)))
}

/// Everything in a SavedModel directory that can hold code. Both forms of the graph, if there are two: TensorFlow
/// takes the binary one, but whoever deletes that gets the other.
fn of_model(dir: &Path) -> Vec<Target> {
    let there = |name: &str| Some(dir.join(name)).filter(|path| storage::is_file(path));
    let graphs = ["saved_model.pb", "saved_model.pbtxt"].into_iter().filter_map(there);
    let mut found: Vec<Target> = graphs.map(|path| Target::Graphs(path, Form::SavedModel)).collect();
    found.extend(there("saved_model.cpb").map(|path| Target::Unsupported(path, CHUNKED)));
    found.extend(there(METADATA).and_then(|path| KerasConfigFile::of(&path)).map(Target::Configs));
    found
}

/// `saved_model.pb` whose variables are damaged or gone.
fn beside(path: &Path) -> Option<Vec<Target>> {
    let dir: PathBuf = if storage::is_folder(path) { path.to_path_buf() } else { path.parent()?.to_path_buf() };
    let is_model = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("saved_model."));
    let found = if is_model { of_model(&dir) } else { Vec::new() };
    (!found.is_empty()).then_some(found)
}
