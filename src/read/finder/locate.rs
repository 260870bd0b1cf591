//! From the path that a user wrote to the files that it means.
//!
//! The rules are the command line's contract: any file of a set means the set, a directory means its latest
//! checkpoint or its SavedModel, a serving directory its highest version. A path that is none of these gets one error
//! that says what it looks like instead.

use std::path::Path;

use super::directory::{self, ModelDir};
use super::found;
use super::near_misses::{index_missing, not_found, nothing_in, only_parts};
use super::origin::{Choice, Origin, SourceKind};
use super::serving;
use super::written_path::WrittenPath;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::Escaped;
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::formats;
use crate::read::sniff;
use crate::read::sniff::Foreign;
use crate::read::storage::layout::{SAVED_MODEL_CPB, SAVED_MODEL_PB, SAVED_MODEL_PBTXT, saved_model_file};
use crate::read::storage::{self, Kind, Stat};

impl Origin {
    /// Finds what `path` means, without opening it.
    ///
    /// # Errors
    /// [`ErrorKind::NotACheckpoint`] if it means nothing, with what it looks like and what to do.
    pub fn locate(path: &Path, choice: Choice, limits: &Limits) -> Result<Self> {
        let written = WrittenPath::of(path)?;
        let mut origin = find(&written.path, choice, limits)?;
        if let Some(note) = &written.note {
            origin.notes.insert(0, note.clone());
        }
        let unused = |what: &str, of: &str| {
            let why = format!("--{what} picks from {of}; this path already names one checkpoint");
            Err(Error::new(ErrorKind::Request(why)).in_file(&written.path))
        };
        if choice.step.is_some() && origin.kind != SourceKind::ModelDir {
            return unused("step", "a directory of checkpoints");
        }
        if choice.version.is_some() && origin.kind != SourceKind::ServingBase {
            return unused("version", "a serving directory");
        }
        Ok(origin)
    }

    /// One of the versions of a serving directory.
    ///
    /// # Errors
    /// If it is no SavedModel.
    pub fn of_version(path: &Path, dir: &Path) -> Result<Self> {
        if saved_model_file(dir).is_none() && !storage::is_file(&dir.join("variables/variables.index")) {
            let kind = ErrorKind::NotACheckpoint("no SavedModel, but TensorFlow Serving takes it for a version".into());
            return Err(Error::new(kind).in_file(dir));
        }
        Ok(saved_model(path, dir))
    }
}

fn find(path: &Path, choice: Choice, limits: &Limits) -> Result<Origin> {
    let prefix = Prefix::new(path.as_os_str());
    let stat = storage::stat(path);
    if stat.as_ref().is_ok_and(Stat::is_folder) {
        return directory_or_prefix(path, prefix, choice, limits);
    }
    if storage::is_file(&prefix.index()) {
        let mut origin = Origin::new(path, SourceKind::Bundle, prefix);
        if sniff::is_table(path) {
            let note = "a V1 checkpoint of the same name lies here too; the files with .index and .data were taken";
            origin.notes.push(note.to_owned());
        }
        return Ok(origin);
    }
    // A pipe or a device would be waited for, or never end.
    for file in [path, &prefix.index()] {
        if storage::stat(file).is_ok_and(|stat| stat.kind == Kind::Special) {
            let kind = ErrorKind::NotACheckpoint("not a regular file but a pipe, a socket or a device".into());
            return Err(Error::new(kind).in_file(file).with_help("a checkpoint cannot be streamed: copy it to a disk"));
        }
    }
    if stat.is_ok() {
        return from_file(path, choice, limits);
    }
    // The prefix of a SavedModel's variables without their index is that SavedModel.
    let folder = path.parent().filter(|folder| path.ends_with("variables/variables") && storage::is_folder(folder));
    if let Some(model) = folder.and_then(Path::parent).filter(|model| saved_model_file(model).is_some()) {
        return Ok(saved_model(path, model));
    }
    // No file of this name: the prefix or the pattern of a V1 checkpoint, or a slip of the hand.
    v1_beside(path, path).ok_or_else(|| not_found(path, limits))
}

/// Whether a path that is a directory means the prefix that lies beside it under the same name: TensorFlow takes a path
/// for a prefix where it restores, and what names a checkpoint in a state file means the prefix.
pub fn prefix_wins(path: &Path) -> bool {
    let prefix = Prefix::new(path.as_os_str());
    // An index that is none makes no prefix.
    !prefix.base_name().is_empty() && sniff::is_table(&prefix.index())
}

/// A directory, unless a prefix beside it has its name; the other is told.
fn directory_or_prefix(path: &Path, prefix: Prefix, choice: Choice, limits: &Limits) -> Result<Origin> {
    if prefix.base_name().is_empty() || !storage::is_file(&prefix.index()) {
        return in_directory(path, choice, limits);
    }
    let inside = in_directory(path, choice, limits);
    // A choice that only a directory has means the directory.
    let only_inside = !prefix_wins(path) || choice != Choice::default();
    let as_directory = match inside {
        Ok(origin) if only_inside => return Ok(origin),
        Ok(origin) => match origin.kind {
            SourceKind::SavedModel => Some("a SavedModel"),
            SourceKind::ServingBase => Some("a served model"),
            _ => Some("checkpoints"),
        },
        Err(_) => None,
    };
    let mut origin = Origin::new(path, SourceKind::Bundle, prefix);
    let shown = Escaped(path.as_os_str().as_encoded_bytes());
    origin.notes.extend(as_directory.map(|what| {
        format!("a directory of this name lies here too, with {what}: {shown}/ opens it; the prefix was taken")
    }));
    Ok(origin)
}

fn from_file(path: &Path, choice: Choice, limits: &Limits) -> Result<Origin> {
    let parent = directory::containing(path);
    match path.file_name().and_then(|name| name.to_str()) {
        Some(SAVED_MODEL_PB | SAVED_MODEL_PBTXT | SAVED_MODEL_CPB) => return Ok(saved_model(path, parent)),
        Some("checkpoint") if !sniff::is_table(path) => {
            return match sniff::look(path) {
                Some(found) if !matches!(found.kind, Foreign::Text | Foreign::StateFile) => Err(foreign(path, found)),
                _ => in_directory(parent, choice, limits).map(|origin| Origin { path: path.to_path_buf(), ..origin }),
            };
        }
        _ => {}
    }
    // Files that belong to a SavedModel, and say nothing by themselves.
    if matches!(path.file_name().and_then(|name| name.to_str()), Some("fingerprint.pb" | "keras_metadata.pb"))
        && saved_model_file(parent).is_some()
    {
        let name = Escaped(path.file_name().unwrap_or_default().as_encoded_bytes()).to_string();
        let mut origin = saved_model(path, parent);
        origin.notes.push(format!("{name} is a part of a SavedModel, which is opened"));
        return Ok(origin);
    }
    if sniff::look(path).is_some_and(|found| found.kind == Foreign::StateFile) {
        return beside_model(path, choice, limits);
    }
    if let Some(format) = formats::of_file(path) {
        return Ok(Origin::of_format(path, path.to_path_buf(), format));
    }
    if let Some(prefix) = Prefix::of_member(path) {
        return member(path, &prefix, limits);
    }
    if sniff::is_table(path) {
        let mut origin = Origin::v1(path, path, vec![path.to_path_buf()]);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(pattern) = found::v1_pattern(name) {
            let whole = Escaped(pattern.as_bytes());
            origin.notes.push(format!("this is one shard; the whole checkpoint is {whole}"));
        }
        return Ok(origin);
    }
    let looks = sniff::look(path);
    // A file that is nothing else is what its name says, and what is wrong with it, its reader says.
    if let Some(format) = formats::by_name(path).filter(|_| looks.is_none()) {
        return Ok(Origin::of_format(path, path.to_path_buf(), format));
    }
    Err(match looks {
        // What it is, is clear; that nothing of it can be read, the reader says.
        Some(_) if sniff::is_cut_v1(path) => return Ok(Origin::v1(path, path, vec![path.to_path_buf()])),
        Some(found) => foreign(path, found),
        None => Error::new(ErrorKind::NotACheckpoint("not a checkpoint, a SavedModel or a directory of them".into()))
            .in_file(path)
            .with_help(by_its_name(path)),
    })
}

/// What to do with a file of which only the name tells something.
fn by_its_name(path: &Path) -> &'static str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_part = name.strip_suffix(".bin").and_then(|stem| stem.split_once("-shard")).is_some_and(|(group, of)| {
        group.starts_with("group")
            && of.contains("of")
            && of.chars().all(|c| c.is_ascii_digit() || matches!(c, 'o' | 'f'))
    });
    match name {
        "fingerprint.pb" | "keras_metadata.pb" => {
            "by its name it is a part of a SavedModel, whose saved_model.pb and variables/ are not here: fetch them too"
        }
        _ if is_part => {
            "by its name it holds weights of a TensorFlow.js model, whose model.json says which: tensorflowjs_converter \
             reads them together"
        }
        _ => "give the prefix of a checkpoint: the path of its .index file without `.index`",
    }
}

fn foreign(path: &Path, found: sniff::Looks) -> Error {
    found.instead_of("not a checkpoint", path)
}

/// One file of a bundle: its index, its graph or a shard.
fn member(path: &Path, prefix: &Prefix, limits: &Limits) -> Result<Origin> {
    if storage::is_file(&prefix.index()) {
        return Ok(Origin::new(path, SourceKind::Bundle, prefix.clone()));
    }
    // The graph of a V1 checkpoint: its data is the file that is named like the prefix, or shards.
    if let Some(origin) = v1_beside(path, prefix.as_path()) {
        return Ok(origin);
    }
    let error = match sniff::look(path) {
        Some(found) if !matches!(found.kind, Foreign::Zeros | Foreign::Text) => foreign(path, found),
        _ => index_missing(prefix, limits),
    };
    Err(error)
}

/// A V1 checkpoint named `prefix`: that file, or its shards.
fn v1_beside(path: &Path, prefix: &Path) -> Option<Origin> {
    if sniff::is_table(prefix) || sniff::is_cut_v1(prefix) {
        return Some(Origin::v1(path, prefix, vec![prefix.to_path_buf()]));
    }
    let dir = directory::containing(prefix);
    let base = prefix.file_name()?.to_str()?;
    let folder = storage::list(dir).ok()?;
    let given = found::v1_pattern(base).filter(|_| base.contains("?????"));
    let pattern = given.or_else(|| {
        let start = format!("{base}-");
        folder.beginning_with(&start).find_map(|(name, _)| {
            found::v1_pattern(name).filter(|p| p.strip_prefix(&start).is_some_and(|r| r.starts_with("?????")))
        })
    })?;
    let files = found::v1_shards(&folder, &pattern);
    // One of them may be damaged; which, the reader says.
    if !files.iter().any(|file| sniff::is_table(file)) {
        return None;
    }
    let mut origin = Origin::v1(path, &dir.join(&pattern), files);
    let of = pattern.rsplit_once("-of-").and_then(|(_, of)| of.parse::<usize>().ok());
    if of != Some(origin.v1_files.len()) {
        let n = origin.v1_files.len();
        origin.notes.push(format!("{n} of {} files are there", of.map_or("?".to_owned(), |n| n.to_string())));
    }
    Some(origin)
}

fn in_directory(path: &Path, choice: Choice, limits: &Limits) -> Result<Origin> {
    if let Some(file) = saved_model_file(path) {
        let model = saved_model(path, &file.with_file_name(""));
        // A file of another kind under this name makes no SavedModel, where something else can be opened.
        let is_other =
            |found: &sniff::Looks| !matches!(found.kind, Foreign::SavedModel | Foreign::Text | Foreign::Empty);
        return match sniff::look(&file).filter(is_other).filter(|_| !model.has_variables) {
            Some(found) => beside_model(path, choice, limits).map_or(Ok(model), |mut origin| {
                let name = Escaped(file.file_name().unwrap_or_default().as_encoded_bytes()).to_string();
                origin.notes.push(format!("{name} is no SavedModel but {}", found.what));
                Ok(origin)
            }),
            None => Ok(model),
        };
    }
    beside_model(path, choice, limits)
}

/// What a directory holds that is no SavedModel by its `saved_model.pb`.
fn beside_model(path: &Path, choice: Choice, limits: &Limits) -> Result<Origin> {
    // `variables/` of a SavedModel.
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let parent = parent.map_or_else(|| path.join(".."), Path::to_path_buf);
    let is_variables = storage::canonical(path).is_some_and(|p| p.file_name().is_some_and(|name| name == "variables"));
    if is_variables && saved_model_file(&parent).is_some() {
        return Ok(saved_model(path, &parent));
    }
    if storage::is_file(&path.join("variables/variables.index")) {
        let mut origin = saved_model(path, path);
        origin.notes.push("saved_model.pb is missing: only the variables can be read".to_owned());
        return Ok(origin);
    }
    // The path may be that of a state file with another name.
    let has_state = storage::is_file(path) || storage::is_file(&path.join("checkpoint"));
    if !has_state && let Some(origin) = serving_base(path, choice)? {
        return Ok(origin);
    }
    let dir = ModelDir::scan(path, limits)?;
    let found = match choice.step {
        Some(step) => {
            let steps: Vec<String> =
                dir.checkpoints.iter().rev().filter_map(|c| Some(c.step?.to_string())).take(8).collect();
            let error = || {
                let kind = ErrorKind::Request(format!("no checkpoint of step {step} in this directory"));
                let error = Error::new(kind).in_file(path);
                if steps.is_empty() { error } else { error.with_help(format!("steps here: {}", steps.join(", "))) }
            };
            dir.with_step(step).ok_or_else(error)?.clone()
        }
        None => match dir.latest.and_then(|at| dir.checkpoints.get(at)) {
            Some(found) => found.clone(),
            None if has_state => {
                if let Some(error) = only_parts(&storage::list(&dir.path)?, limits) {
                    return Err(error);
                }
                let kind = ErrorKind::NotACheckpoint("the directory has a state file but no checkpoint".into());
                let error = Error::new(kind).in_file(path);
                return Err(match dir.notes.first() {
                    Some(note) => error.with_help(note.clone()),
                    None => error,
                });
            }
            None => {
                let folder = storage::list(path)?;
                let file = formats::in_directory(folder.names());
                let file = file.map(|(name, format)| Origin::of_format(path, path.join(name), format));
                return file.ok_or_else(|| nothing_in(path, limits));
            }
        },
    };
    let notes = dir
        .notes
        .iter()
        .chain(&dir.several)
        .chain(&dir.other_state)
        .filter(|_| choice.step.is_none())
        .cloned()
        .chain(found.twin())
        .collect();
    let origin = Origin::new(path, SourceKind::ModelDir, found.prefix);
    Ok(Origin { v1_files: found.v1_files, model_dir: Some(dir), notes, ..origin })
}

fn saved_model(path: &Path, dir: &Path) -> Origin {
    let variables = dir.join("variables").join("variables");
    let origin = Origin::new(path, SourceKind::SavedModel, Prefix::new(variables.as_os_str()));
    let mut origin = Origin { saved_model: Some(dir.to_path_buf()), ..origin };
    if !storage::is_file(&origin.prefix.index()) {
        // Exports older than the V2 format keep their variables in V1 files.
        if let Some(v1) = v1_beside(path, &variables) {
            origin.v1_files = v1.v1_files;
            return origin;
        }
        origin.has_variables = false;
    }
    origin
}

/// A directory whose entries are numbers: the versions of a served model.
fn serving_base(path: &Path, choice: Choice) -> Result<Option<Origin>> {
    let mut versions = serving::versions(path)?;
    versions.retain(|version| !version.shadowed);
    if !versions.iter().any(|version| version.kind.is_of_a_model()) {
        return Ok(None);
    }
    let wanted = choice.version.or(versions.first().map(|version| version.number));
    let Some(version) = versions.iter().find(|version| Some(version.number) == wanted) else {
        let all: Vec<String> = versions.iter().map(|version| version.number.to_string()).collect();
        let kind = ErrorKind::Request(format!("no version {} here", wanted.unwrap_or_default()));
        return Err(Error::new(kind).in_file(path).with_help(format!("versions here: {}", all.join(", "))));
    };
    let number = version.number;
    if let Some((what, help)) = version.kind.why_not() {
        let kind = ErrorKind::NotACheckpoint(format!("version {number}, the one that is served, {what}"));
        return Err(Error::new(kind).in_file(&version.path).with_help(help));
    }
    let mut origin = saved_model(path, &version.path);
    if versions.len() > 1 {
        let n = versions.len();
        origin.notes.push(match choice.version {
            Some(_) => format!("version {number} of {n} versions"),
            None => format!("version {number}, the highest of {n}, which TensorFlow Serving would load"),
        });
    }
    let versions = versions.into_iter().map(|version| (version.number, version.name)).collect();
    Ok(Some(Origin { kind: SourceKind::ServingBase, versions, ..origin }))
}
