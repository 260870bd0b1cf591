//! What `inspect` shows of a path: a checkpoint, or the graphs alone where no checkpoint is meant or none can be opened.

use std::path::Path;

use super::model::ModelInfo;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::checkpoint::{Checkpoint, Choice, Origin, graph_beside};
use crate::read::finder::serving::versions;
use crate::read::graphs::graph::Form;
use crate::read::graphs::saved_model::SavedModel;
use crate::read::storage;

/// What is there to be shown.
#[derive(Debug)]
pub enum Subject {
    /// A checkpoint. With an error, it is not the one that was meant: of a served model the highest version cannot be
    /// read, and this is the next.
    Checkpoint(Box<Checkpoint>, Option<Error>),
    /// Graphs. With an error, the variables that belong to them cannot be opened.
    Model(Box<ModelInfo>, Option<Error>),
}

impl Subject {
    /// Finds and opens what a path means.
    ///
    /// # Errors
    /// If there is nothing that could be shown.
    pub fn open(path: &Path, choice: Choice, limits: &Limits) -> Result<Self> {
        if let Some(model) = alone(path, limits)? {
            return Ok(Self::Model(Box::new(model), None));
        }
        let error = match Checkpoint::open(path, choice, limits) {
            Ok(checkpoint) => return Ok(Self::Checkpoint(Box::new(checkpoint), None)),
            Err(error) => error,
        };
        if let Some(other) = next_version(path).filter(|_| choice == Choice::default()) {
            return Ok(Self::Checkpoint(Box::new(Checkpoint::open(path, other, limits)?), Some(error)));
        }
        // Variables that cannot be read hide nothing of the graph.
        match without_variables(path, choice, limits) {
            Some(model) => Ok(Self::Model(Box::new(model), Some(error))),
            None => Err(error),
        }
    }
}

/// The highest version of a serving directory that can be read.
fn next_version(path: &Path) -> Option<Choice> {
    let versions = versions(path).ok()?;
    let other = versions
        .iter()
        .find(|version| !version.shadowed && version.kind.is_of_a_model() && version.kind.why_not().is_none())?;
    Some(Choice { version: Some(other.number), ..Choice::default() })
}

/// A file that holds a graph and nothing else: no checkpoint belongs to it, or it is not the one that is meant.
fn alone(path: &Path, limits: &Limits) -> Result<Option<ModelInfo>> {
    if !storage::is_file(path) {
        return Ok(None);
    }
    // `saved_model.pb` stands for its directory; under another name it is a file like any other.
    let Some(form) = Form::of(path)?.filter(|_| !is_saved_model(path)) else { return Ok(None) };
    let has_checkpoint = form == Form::MetaGraph && Origin::locate(path, Choice::default(), limits).is_ok();
    Ok((!has_checkpoint).then(|| ModelInfo::read(path, form, limits)))
}

fn is_saved_model(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("saved_model."))
}

/// The SavedModel at a path whose variables cannot be opened.
fn without_variables(path: &Path, choice: Choice, limits: &Limits) -> Option<ModelInfo> {
    let is_its_file = storage::is_file(path) && is_saved_model(path);
    let dir = if is_its_file { path.parent()?.to_path_buf() } else { path.to_path_buf() };
    let dir = match Origin::locate(path, choice, limits) {
        Ok(origin) => origin.saved_model?,
        // Where no checkpoint is, a graph says what it would hold.
        Err(error) if SavedModel::file_in(&dir).is_err() => {
            let graph = graph_beside(path)?;
            let is_none = matches!(error.kind(), ErrorKind::NotACheckpoint(_));
            let form = Form::of(&graph).ok().flatten().filter(|_| is_none)?;
            return Some(ModelInfo::read(&graph, form, limits));
        }
        Err(_) => dir,
    };
    let has_graph = SavedModel::file_in(&dir).is_ok_and(|file| file.extension().is_some_and(|end| end != "cpb"));
    has_graph.then(|| ModelInfo::of_saved_model(&dir, limits))
}
