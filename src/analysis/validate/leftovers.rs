//! What an interrupted save left behind, looked into: it may be the only copy of what was trained.
//! `read/bundle/unfinished` has the names that it has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::mend::command;
use super::shard_files::counted;
use super::{ValidateOptions, Validation, one_checkpoint};
use crate::analysis::finding::{Code, Finding};
use crate::base::escape::{escaped, shell_word};
use crate::base::limits::Limits;
use crate::read::bundle::{Prefix, ShardName, part_numbers, prefix_of_part};
use crate::read::checkpoint::{Origin, SourceKind};
use crate::read::storage::{self, Unplaced};

/// The leftovers in the directory of what is checked.
pub(super) fn find(origin: &Origin) -> Vec<Leftover> {
    let dir = match &origin.model_dir {
        Some(dir) => dir.path.clone(),
        None => origin.prefix.directory(),
    };
    let base = origin.prefix.base_name().to_str().unwrap_or_default();
    let whole_directory = origin.model_dir.is_some() || origin.saved_model.is_some();
    let names = storage::names(&dir).unwrap_or_default();
    let is_own =
        |name: &str| !base.is_empty() && (name.starts_with(base) || storage::unplaced_name(name) == Some(base));
    let own = names.iter().filter(|name| whole_directory || is_own(name));
    let mut all: Vec<Leftover> = own.filter_map(|name| Leftover::of(&dir, name)).collect();
    // The files of one part are one, and so are those of one save that were being written.
    all.dedup_by(|file, first| {
        let is_same = (file.part().is_some() && file.part() == first.part())
            || (file.saved_as().is_some() && file.saved_as() == first.saved_as());
        first.more += usize::from(is_same);
        is_same
    });
    all.extend(without_index(origin, &names, &dir));
    all
}

/// Data whose index is not here: of a directory of checkpoints all of it, of a SavedModel what lies beside it under its
/// name.
fn without_index(origin: &Origin, names: &[String], dir: &Path) -> Vec<Leftover> {
    let (dir, names, own) = match (&origin.saved_model, &origin.model_dir) {
        (Some(model), _) => {
            let Some(own) = model.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
            let parent = model.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            (parent.to_path_buf(), storage::names(parent).unwrap_or_default(), Some(own.to_owned()))
        }
        (None, Some(_)) => (dir.to_path_buf(), names.to_vec(), None),
        (None, None) => return Vec::new(),
    };
    let there: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut found: Vec<Leftover> = Vec::new();
    for name in &names {
        let Some((base, _)) = name.split_once(".data-").filter(|(base, _)| !base.is_empty()) else { continue };
        let is_shard = name.get(base.len()..).and_then(ShardName::parse).is_some();
        if !is_shard
            || there.contains(format!("{base}.index").as_str())
            || own.as_deref().is_some_and(|own| own != base)
        {
            continue;
        }
        match found.last_mut().filter(|last| last.name == base) {
            Some(last) => last.more += 1,
            None => found.push(Leftover { path: dir.join(name), name: base.to_owned(), kind: Kind::Data, more: 0 }),
        }
    }
    found
}

/// A file or a directory of an interrupted save.
#[derive(Debug)]
pub(super) struct Leftover {
    path: PathBuf,
    name: String,
    kind: Kind,
    /// How many more files of it there are.
    more: usize,
}

#[derive(Debug)]
enum Kind {
    /// Shards of data without the index that says what they hold; the name is what they begin with.
    Data,
    /// A file that was being written.
    BeingWritten,
    /// A part on a file system without directories.
    LonePart,
    /// A directory of parts.
    Parts,
    /// What a run of ours has beside the files that it writes.
    Unplaced(Box<Unplaced>),
}

impl Leftover {
    fn of(dir: &Path, name: &str) -> Option<Self> {
        let path = dir.join(name);
        let kind = if name.contains(".tempstate") {
            Kind::BeingWritten
        } else if prefix_of_part(name).is_some() {
            Kind::LonePart
        } else if name.contains("_temp") && !parts_in(&path).is_empty() {
            Kind::Parts
        } else {
            Kind::Unplaced(Box::new(storage::unplaced(dir, storage::unplaced_name(name)?)?))
        };
        Some(Self { path, name: name.to_owned(), kind, more: 0 })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file is in it, or is it.
    pub(super) fn has(&self, file: &Path) -> bool {
        file.starts_with(&self.path)
    }

    /// Of a part on a file system without directories: its path without the ends of its files.
    fn part(&self) -> Option<PathBuf> {
        let at = self.name.rfind(".part-").filter(|_| matches!(self.kind, Kind::LonePart))?;
        let (base, rest) = self.name.split_at(at);
        let part = rest.trim_start_matches('.').split('.').next()?;
        Some(self.path.with_file_name(format!("{base}.{part}")))
    }

    /// Of a file that was being written: the checkpoint that it was to be a part of.
    fn saved_as(&self) -> Option<&str> {
        let (name, _) = self.name.split_once(".tempstate").filter(|_| matches!(self.kind, Kind::BeingWritten))?;
        name.strip_suffix(".index").or_else(|| name.split_once(".data-").map(|(base, _)| base))
    }

    /// Says what it is and what can be done with it; and whether the command that makes a checkpoint of it is among that.
    pub(super) fn finding(&self, options: &ValidateOptions, limits: &Limits) -> (Finding, bool) {
        let name = escaped(self.name.as_bytes()).into_owned();
        let mut has_command = false;
        let (what, help) = match &self.kind {
            Kind::Unplaced(unplaced) => self.unplaced(unplaced),
            Kind::BeingWritten if self.more > 0 => (
                format!(
                    "{name} and {} of the same save were being written when it ended, and have not got their names",
                    counted(self.more as u64, "more file")
                ),
                "keep them until a later checkpoint is intact; a save that runs now may still be writing them"
                    .to_owned(),
            ),
            Kind::Data => (
                format!(
                    "data of {name} lies here without its index, in {}",
                    counted(self.more.saturating_add(1) as u64, "file")
                ),
                "keep it: it may be all that is left of that save; copy its .index beside it".to_owned(),
            ),
            Kind::BeingWritten => (
                format!("{name} was being written when the save ended, and has not got its name"),
                "keep it until a later checkpoint is intact; a save that runs now may still be writing it".to_owned(),
            ),
            Kind::LonePart => {
                let part = self.part().filter(|part| storage::is_file(&suffixed(part, ".index")));
                let keep = "keep it until a later checkpoint is intact";
                let (name, help) = match &part {
                    Some(part) => {
                        let name = part.file_name().unwrap_or_default().as_encoded_bytes();
                        let says = format!("{keep}; ckpt validate {} says whether it is whole", shell_word(part));
                        (escaped(name).into_owned(), says)
                    }
                    None => (name, keep.to_owned()),
                };
                (format!("{name} is a part of a save that was never put together"), help)
            }
            Kind::Parts => {
                let (what, help, command) = self.parts(&name, options, limits);
                has_command = command.is_some();
                (what, command.map_or(help.clone(), |command| format!("{help}; a copy in its place: {command}")))
            }
        };
        let code = if matches!(self.kind, Kind::Data) { Code::SurplusShard } else { Code::InterruptedSave };
        (Finding::new(code, what).in_file(&self.path).with_help(help), has_command)
    }

    /// What a run of ours left beside the files that it was to write.
    fn unplaced(&self, unplaced: &Unplaced) -> (String, String) {
        let name = escaped(self.name.as_bytes());
        let of = escaped(storage::unplaced_name(&self.name).unwrap_or_default().as_bytes()).into_owned();
        if unplaced.is_running {
            let what = format!("a run of ckpt that writes {of} is at work, in {name}");
            return (what, "look again when it has ended".to_owned());
        }
        let Some((folder, files)) = &unplaced.moved_away else {
            let what = format!("a run of ckpt that was to write {of} was ended, and left {name}");
            let help = format!(
                "what lies under the name {of} is whole, the old or the new; the next run that writes {of} takes {name} away"
            );
            return (what, help);
        };
        let files = counted(files.len() as u64, "file");
        let what = format!("a run of ckpt was ended while it replaced {of}: {files} of the old ones lie in {name}");
        let (from, to) = (shell_word(folder), shell_word(&self.path.with_file_name("")));
        (what, format!("mv -n {from}/* {to} puts them back, and so does the next run that writes {of}"))
    }

    /// A directory of parts, a whole save or some of its parts: what it is, what to do, and for a whole one the command.
    fn parts(&self, name: &str, options: &ValidateOptions, limits: &Limits) -> (String, String, Option<String>) {
        let parts = parts_in(&self.path);
        let with_index: Vec<&Part> = parts.values().filter(|part| part.has_index).collect();
        let of = parts.values().map(|part| part.of).max().unwrap_or(0);
        if with_index.is_empty() {
            let what = format!("{name} holds data of a save that did not finish, without an index");
            return (what, "keep it: a checkpoint whose shard is missing may need it".to_owned(), None);
        }
        let mut inner = Validation::default();
        let quiet =
            ValidateOptions { finite: false, serving: false, ..ValidateOptions::all(options.quick, options.threads) };
        for part in &with_index {
            let origin = Origin::of_prefix(&self.path, SourceKind::Bundle, Prefix::new(part.prefix.as_os_str()));
            one_checkpoint(origin, &quiet, limits, &super::Progress::default(), &mut inner);
        }
        let tensors = counted(inner.checked.tensors, "tensor");
        let missing = u64::from(of).saturating_sub(with_index.len() as u64);
        if missing > 0 {
            let workers = counted(missing, "other part");
            let what = format!(
                "{name} holds {} of {of} parts of a save that were never put together ({tensors})",
                with_index.len()
            );
            let help = format!(
                "{workers} may lie where another worker saved: all workers must save into one directory that they share; keep it"
            );
            return (what, help, None);
        }
        if !inner.is_ok() {
            let what = format!("{name} holds a save that did not finish, and it is not whole ({tensors} in its index)");
            return (what, "keep it until a later checkpoint is intact".to_owned(), None);
        }
        let Some(prefix) = self.destination() else {
            return (format!("{name} holds a save that did not finish ({tensors})"), "keep it".to_owned(), None);
        };
        let checked = if options.quick { "by the lengths of its files whole" } else { "intact" };
        let age = match (modified(&prefix.index()), newest(&with_index)) {
            _ if !storage::is_file(&prefix.index()) => ", and there is no other checkpoint of this name",
            (Some(own), Some(left)) if left > own => ", newer than the checkpoint of this name",
            _ => "",
        };
        let what = format!("{name} holds a save that is {checked} ({tensors}) and was not renamed{age}");
        (what, "do not delete it".to_owned(), Some(command(&self.path, &prefix)))
    }

    /// The checkpoint that it was to become.
    fn destination(&self) -> Option<Prefix> {
        let at = self.name.rfind("_temp")?;
        let base = self.name.get(..at).filter(|base| !base.is_empty())?;
        Some(Prefix::new(self.path.with_file_name(base).into_os_string()))
    }
}

/// One part: what a worker saved.
#[derive(Debug, Default)]
struct Part {
    prefix: PathBuf,
    of: u32,
    has_index: bool,
}

/// The parts in a directory, by their names.
fn parts_in(dir: &Path) -> BTreeMap<String, Part> {
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    for name in storage::names(dir).unwrap_or_default() {
        let (Some((_, of)), Some((part, suffix))) = (part_numbers(&name), name.split_once('.')) else { continue };
        let known = parts.entry(part.to_owned()).or_default();
        (known.prefix, known.of) = (dir.join(part), of);
        known.has_index |= suffix == "index";
    }
    parts
}

fn suffixed(prefix: &Path, suffix: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn modified(file: &Path) -> Option<SystemTime> {
    storage::stat(file).ok()?.modified
}

fn newest(parts: &[&Part]) -> Option<SystemTime> {
    parts.iter().filter_map(|part| modified(&suffixed(&part.prefix, ".index"))).max()
}
