//! A directory that training writes checkpoints into: which are there, which is the latest and why.
//!
//! Source: `tensorflow/python/checkpoint/checkpoint_management.py`. TensorFlow knows only what the `checkpoint` state
//! file says and gives up where that is wrong; here the files decide what is there, and a stale, moved or missing state
//! file is worked around and told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::found::{Found, bundle, find};
use super::state::Outcome;
use crate::base::error::Result;
use crate::base::escape::Escaped;
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::sniff;
use crate::read::storage::{self, Address, Folder, Stat};

/// The `checkpoint` file of a directory, read or not.
#[derive(Debug)]
pub struct StateFile {
    /// Its path.
    pub path: PathBuf,
    /// What TensorFlow makes of it.
    pub content: Result<Outcome>,
}

/// A directory of checkpoints.
#[derive(Debug)]
pub struct ModelDir {
    /// The directory.
    pub path: PathBuf,
    /// Its state file, if it has one.
    pub state: Option<StateFile>,
    /// Its checkpoints, by step.
    pub checkpoints: Vec<Found>,
    /// Which of them is the latest.
    pub latest: Option<usize>,
    /// Why that one, where the state file does not simply say so.
    pub notes: Vec<String>,
    /// That checkpoints of several names lie here, if they do.
    pub several: Option<String>,
    /// That its state files have other names than `checkpoint`, if they do.
    pub other_state: Option<String>,
    places: Places,
}

/// Where in the list the checkpoint of a path is. A state file may name hundreds of thousands of them, most in one
/// directory that need not exist any more.
#[derive(Debug, Default)]
struct Places {
    of_prefix: BTreeMap<PathBuf, usize>,
    of_v1_file: BTreeMap<PathBuf, usize>,
    /// The directory that was asked for last, and what it really is.
    last: Mutex<Option<(PathBuf, PathBuf)>>,
}

impl Places {
    fn of(checkpoints: &[Found]) -> Self {
        let mut places = Self::default();
        for (at, found) in checkpoints.iter().enumerate() {
            let prefix = places.normal(found.prefix.as_path());
            places.of_prefix.entry(prefix).or_insert(at);
            let files = found.v1_files.iter().filter_map(|file| storage::canonical(file));
            places.of_v1_file.extend(files.map(|file| (file, at)));
        }
        places
    }

    /// A path without `.` components, its directory resolved where that exists.
    fn normal(&self, path: &Path) -> PathBuf {
        let parent = containing(path);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let resolved = if let Some((_, resolved)) = last.as_ref().filter(|(asked, _)| asked == parent) {
            resolved.clone()
        } else {
            let resolved = storage::canonical(parent).unwrap_or_else(|| parent.components().collect());
            *last = Some((parent.to_path_buf(), resolved.clone()));
            resolved
        };
        resolved.join(path.file_name().unwrap_or_default())
    }

    fn position(&self, prefix: &Path) -> Option<usize> {
        if let Some(at) = self.of_prefix.get(&self.normal(prefix)) {
            return Some(*at);
        }
        if self.of_v1_file.is_empty() {
            return None;
        }
        let wanted = storage::canonical(prefix).unwrap_or_else(|| self.normal(prefix));
        self.of_v1_file.get(&wanted).copied()
    }
}

impl ModelDir {
    /// The groups of its checkpoints by name, and how many each has: more than one where several programs save here.
    pub fn groups(&self) -> BTreeMap<String, usize> {
        let mut groups = BTreeMap::new();
        for found in &self.checkpoints {
            *groups.entry(found.group()).or_default() += 1;
        }
        groups
    }

    /// Says that there are several groups, and of which the latest is.
    fn several_groups(&self) -> Option<String> {
        const NAMED: usize = 4;
        let groups = self.groups();
        let latest = self.checkpoints.get(self.latest?)?;
        if groups.len() < 2 {
            return None;
        }
        let named = groups.iter().take(NAMED).map(|(name, n)| format!("{} ({n})", Escaped(name.as_bytes())));
        let mut named: Vec<String> = named.collect();
        named.extend(groups.len().checked_sub(NAMED).filter(|n| *n > 0).map(|n| format!("{n} more")));
        let (all, of) = (groups.len(), latest.group());
        Some(format!(
            "checkpoints of {all} names lie here, {}: perhaps of different models; {} is of {}",
            named.join(", "),
            Escaped(latest.prefix.base_name().as_encoded_bytes()),
            Escaped(of.as_bytes())
        ))
    }

    /// Looks through a directory, or through the one of a state file with another name. Reads the names of its files,
    /// its state file, and the header of each index.
    ///
    /// # Errors
    /// If the directory cannot be listed.
    pub fn scan(path: &Path, limits: &Limits) -> Result<Self> {
        let given = storage::is_file(path).then(|| path.to_path_buf());
        let path = if given.is_some() { containing(path) } else { path };
        let folder = storage::list(path)?;
        let usual = path.join("checkpoint");
        let mut others = Vec::new();
        let state_path = given.or_else(|| folder.get("checkpoint").is_some().then_some(usual)).or_else(|| {
            others = other_state_files(&folder);
            others.first().cloned().filter(|_| others.len() == 1)
        });
        let state = state_path.map(|path| StateFile { content: Outcome::read(&path, limits), path });
        let checkpoints = find(&folder, limits);
        let mut dir = Self {
            path: path.to_path_buf(),
            state,
            places: Places::of(&checkpoints),
            checkpoints,
            latest: None,
            notes: Vec::new(),
            several: None,
            other_state: None,
        };
        dir.latest = dir.choose_latest(limits);
        dir.several = dir.several_groups();
        dir.other_state = told_of(&others);
        Ok(dir)
    }

    /// The checkpoint with this step.
    pub fn with_step(&self, step: u64) -> Option<&Found> {
        self.checkpoints.iter().rev().find(|found| found.step == Some(step))
    }

    /// A path as a state file has it: relative to this directory, or absolute, as addresses always are.
    fn resolved(&self, stored: &Path) -> PathBuf {
        let is_whole = stored.is_absolute() || Address::is(stored);
        if is_whole { stored.to_path_buf() } else { self.path.join(stored) }
    }

    /// The checkpoint at a path as a state file has it: relative to this directory, or absolute.
    pub fn find(&self, stored: &Path) -> Option<&Found> {
        let resolved = self.resolved(stored);
        self.position(&resolved).and_then(|at| self.checkpoints.get(at))
    }

    /// `tf.train.latest_checkpoint`, and what to fall back on where that would give nothing.
    fn choose_latest(&mut self, limits: &Limits) -> Option<usize> {
        let by_step = self.checkpoints.len().checked_sub(1);
        let has_step = self.checkpoints.last().is_some_and(|found| found.step.is_some());
        let taken =
            if has_step { "the highest step was taken" } else { "the last by name was taken, as none has a step" };
        let Some(state) = &self.state else {
            match self.checkpoints.as_slice() {
                [] => {}
                [_] => self.notes.push("no `checkpoint` state file here; this is the only checkpoint".to_owned()),
                _ => self.notes.push(format!("no `checkpoint` state file here: {taken}")),
            }
            return by_step;
        };
        let named = match &state.content {
            Ok(Outcome::Loaded(state)) => state.model_checkpoint_path.clone(),
            Ok(Outcome::NoPath(_)) => {
                self.notes.push(format!("the state file names no checkpoint: {taken}"));
                return by_step;
            }
            Err(error) => {
                self.notes.push(format!("the state file was not read: {taken}: {error}"));
                return by_step;
            }
            Ok(Outcome::Ignored(error) | Outcome::NotUtf8(error)) => {
                self.notes.push(format!("TensorFlow cannot read the state file either; {taken}: {error}"));
                return by_step;
            }
        };
        let stored = Path::new(&named);
        let resolved = self.resolved(stored);
        if let Some(at) = self.position(&resolved) {
            return Some(at);
        }
        let shown = Escaped(named.as_bytes());
        // Windows paths arrive on other systems too.
        let base = named.rsplit(['/', '\\']).next().unwrap_or(&named);
        if let Some(at) = self.position(&self.path.join(base)) {
            let note = format!(
                "the state file names {shown}, which is not there; the file of that name in this directory was taken \
                 (a moved directory: tf.train.latest_checkpoint finds nothing here)"
            );
            self.notes.push(note);
            return Some(at);
        }
        if let Some(found) = elsewhere(&resolved, limits) {
            self.notes.push(format!("the state file names {shown}, in another directory"));
            let at = self.checkpoints.len();
            self.places.of_prefix.insert(self.places.normal(&resolved), at);
            self.checkpoints.push(found);
            return Some(at);
        }
        let rest = if by_step.is_some() { taken } else { "and there is no other checkpoint" };
        self.notes.push(format!("the state file names {shown}, which does not exist: {rest}"));
        by_step
    }

    fn position(&self, prefix: &Path) -> Option<usize> {
        self.places.position(prefix)
    }
}

/// The checkpoint of a prefix in another directory, which TensorFlow opens where a state file names it.
fn elsewhere(prefix: &Path, limits: &Limits) -> Option<Found> {
    let prefix = Prefix::new(prefix.as_os_str());
    let stat = storage::stat(&prefix.index()).ok().filter(Stat::is_regular)?;
    let base = prefix.base_name().to_str()?.to_owned();
    // Without a listing, its shards are found all the same.
    let folder = storage::list(&prefix.directory()).unwrap_or_default();
    Some(bundle(&prefix, &base, &stat, &folder, limits))
}

/// State files that are not called `checkpoint`: a saver writes one for each `latest_filename` that it is given.
fn other_state_files(folder: &Folder) -> Vec<PathBuf> {
    const LARGEST: u64 = 1 << 20;
    const LOOKED_INTO: usize = 100;
    let may_be = |(name, stat): &(&str, &Stat)| {
        let is_part =
            [".index", ".meta", ".pb", ".pbtxt"].iter().any(|end| name.ends_with(end)) || name.contains(".data-");
        stat.is_regular() && stat.len < LARGEST && !is_part
    };
    let paths = folder.named().filter(may_be).take(LOOKED_INTO).map(|(name, _)| folder.path().join(name));
    paths.filter(|path| sniff::look(path).is_some_and(|found| found.kind == sniff::Foreign::StateFile)).collect()
}

/// What is said of them.
fn told_of(others: &[PathBuf]) -> Option<String> {
    let names: Vec<String> = others
        .iter()
        .take(4)
        .map(|path| Escaped(path.file_name().unwrap_or_default().as_encoded_bytes()).to_string())
        .collect();
    match names.as_slice() {
        [] => None,
        [name] => Some(format!(
            "{name} is the state file here; tf.train.latest_checkpoint finds it with latest_filename='{name}'"
        )),
        names => Some(format!("these are state files, and any can be given as the path: {}", names.join(", "))),
    }
}

/// The directory that a path lies in: of a bare name the current one.
pub(crate) fn containing(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
