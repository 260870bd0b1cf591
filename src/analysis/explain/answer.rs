//! The whole of an explanation: the page or the diagnosis, and a look at the files that are meant.

use std::path::{Path, PathBuf};

use super::diagnosis::Diagnosis;
use super::fill::Known;
use super::look::{OnDisk, look};
use super::misgiven::misgiven;
use super::pages::{Page, explain_code};
use super::{explain_error, paths_in};
use crate::analysis::finding::Code;
use crate::analysis::restore::Model;
use crate::base::error::Error;
use crate::base::limits::Limits;
use crate::read::checkpoint::WrittenPath;
use crate::read::storage;

/// What somebody wants to have explained.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// A code, or a message, whole traceback or not.
    pub text: &'q str,
    /// The checkpoint that it is about; else the paths in the message are tried.
    pub path: Option<&'q Path>,
    /// The model that it is to be restored into, as it was given.
    pub model: Option<&'q Path>,
    /// And what is in there.
    pub models: &'q [Model],
}

/// What is known of it.
#[derive(Debug)]
pub struct Answer {
    /// The page of a code.
    pub page: Option<Page>,
    /// What the message means, with what is known of the files put into its commands.
    pub diagnosis: Option<Diagnosis>,
    /// What became of looking at files.
    pub looked: Looked,
    /// How the path was understood.
    pub notes: Vec<String>,
}

/// What became of looking at files.
#[derive(Debug)]
pub enum Looked {
    /// A checkpoint, or what is left of one.
    Found(Box<OnDisk>),
    /// The message names what is here and is no checkpoint.
    Other(PathBuf, Box<Error>),
    /// What was given cannot be looked at.
    Refused(Box<Error>),
    /// No path leads to anything here.
    Nothing,
}

impl Answer {
    /// Whether the text is known at all.
    pub fn is_explained(&self) -> bool {
        self.page.is_some() || self.diagnosis.is_some()
    }
}

/// Explains a code or a message, and looks at the files that it is about.
pub fn answer(question: &Question<'_>, limits: &Limits) -> Answer {
    let page = Code::from_name(question.text.trim()).map(explain_code);
    let diagnosis = if page.is_some() { None } else { diagnose(question.text, question.path) };
    let mut notes = Vec::new();
    let looked = at_files(question, page.is_some(), diagnosis.as_ref(), limits, &mut notes);
    let mut known = match &looked {
        Looked::Found(disk) => disk.known.clone(),
        // What the message says of paths is better than nothing, and what was given is better than that.
        _ => match question.path.and_then(Path::to_str) {
            Some(path) => Known::of(&Diagnosis { path: Some(path.to_owned()), ..Diagnosis::default() }),
            None => diagnosis.as_ref().map(Known::of).unwrap_or_default(),
        },
    };
    known.model = known.model.or_else(|| question.model.map(Path::to_path_buf));
    let settled = |told: Diagnosis| match &looked {
        Looked::Found(disk) => disk.settle(told),
        _ => told,
    };
    let diagnosis = diagnosis.map(|diagnosis| settled(diagnosis).filled(&known));
    Answer { page, diagnosis, looked, notes }
}

/// What the message means, and what was given in the place of a prefix: that explains every name that is missing.
fn diagnose(text: &str, path: Option<&Path>) -> Option<Diagnosis> {
    let diagnosis = explain_error(text);
    let names_are_missing = diagnosis.as_ref().is_some_and(|diagnosis| {
        !diagnosis.missing.is_empty() || matches!(diagnosis.cause, "no-checkpoint" | "not-a-table")
    });
    // A file of a set is opened as the set; for TensorFlow it is another thing.
    let given = path.and_then(Path::to_str).filter(|_| names_are_missing).and_then(misgiven);
    match (given, diagnosis) {
        (Some(given), Some(diagnosis)) => {
            Some(Diagnosis { tensor: diagnosis.tensor, missing: diagnosis.missing, ..given })
        }
        (_, diagnosis) => diagnosis,
    }
}

/// Looks at what was given, or at the first path of the message that leads to something here.
fn at_files(
    question: &Question<'_>,
    is_code: bool,
    diagnosis: Option<&Diagnosis>,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Looked {
    let models = question.models;
    if let Some(path) = question.path {
        let written = match WrittenPath::of(path) {
            Ok(written) => written,
            Err(error) => return Looked::Refused(Box::new(error)),
        };
        notes.extend(written.note);
        return match look(&written.path, diagnosis, models, limits) {
            Ok(disk) => Looked::Found(Box::new(disk)),
            Err(error) => Looked::Refused(Box::new(error)),
        };
    }
    if is_code {
        return Looked::Nothing;
    }
    let named = diagnosis.into_iter().flat_map(|diagnosis| [diagnosis.path.clone(), diagnosis.dir.clone()]).flatten();
    let named: Vec<String> = named.collect();
    let mut other = None;
    for (n, path) in named.iter().cloned().chain(paths_in(question.text)).map(PathBuf::from).enumerate() {
        let is_named = n < named.len();
        let written = match WrittenPath::of(&path) {
            Ok(written) => written,
            // An address, with the command that fetches it.
            Err(error) => {
                if is_named && path.to_string_lossy().contains(":/") {
                    other.get_or_insert((path, error));
                }
                continue;
            }
        };
        match look(&written.path, diagnosis, models, limits) {
            Ok(disk) => return Looked::Found(Box::new(disk)),
            // Of a message that was pasted from elsewhere nothing is here, and that is no news; a file that is no
            // checkpoint, or a directory that is here, is.
            Err(error) if storage::is_file(&written.path) || (is_named && is_near(&written.path, &error)) => {
                other.get_or_insert((written.path, error));
            }
            Err(_) => {}
        }
    }
    other.map_or(Looked::Nothing, |(path, error)| Looked::Other(path, Box::new(error)))
}

/// Whether the directory of a path is here, so that what lies in it says something of the path.
fn is_near(path: &Path, error: &Error) -> bool {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.is_some_and(storage::is_folder)
        || storage::is_folder(path)
        || error.help().is_some_and(|help| help.starts_with("did you mean"))
}
