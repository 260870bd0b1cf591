//! Is it intact? Every check that a checkpoint can be put to, in one run that reports everything it finds.
//!
//! Order: the index (opened once, its damage turned into findings), the entries, the shards' files, the bytes of the
//! tensors, what happened to those that are wrong, then what lies around: the object graph, the state file, the
//! SavedModel. Nothing stops at the first finding, and what was not checked is counted as skipped.

mod bytes;
mod causes;
mod directory;
mod entries;
pub(super) mod finite;
mod graph;
mod groups;
mod leftovers;
mod lost_shards;
mod saved_model;
mod saver_v1;
mod serving;
mod shards;

pub(super) use entries::is_of_one_part;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

pub use groups::GroupVerdict;
use groups::OneOf;

use super::finding::{Code, Finding, Severity};
use super::restore::{Restore, findings};
use super::roles::Roles;
use super::select::Selector;
use crate::checkpoint::saved_model::SavedModel;
use crate::checkpoint::serving::{Version, versions};
use crate::checkpoint::{Checkpoint, Choice, Found, Origin, SourceKind, WrittenPath};
use crate::error::Result;
use crate::limits::Limits;

/// What to check and how.
#[derive(Debug)]
pub struct ValidateOptions {
    /// Read no data shard.
    pub quick: bool,
    /// Look for NaN and infinity.
    pub finite: bool,
    /// Worker threads.
    pub threads: usize,
    /// The tensors whose bytes are checked.
    pub selector: Selector,
    /// Which checkpoint of a directory; without a choice, all of them.
    pub choice: Choice,
    /// Check what TensorFlow Serving would do with it.
    pub serving: bool,
}

impl ValidateOptions {
    /// Every tensor, or with `quick` none of their bytes.
    pub fn all(quick: bool, threads: usize) -> Self {
        let (selector, choice) = (Selector::default(), Choice::default());
        Self { quick, finite: false, threads, selector, choice, serving: false }
    }
}

/// How much is to be read and has been, for whoever shows progress.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes that will be read, as far as that is known.
    pub total: AtomicU64,
    /// Bytes that have been read.
    pub done: AtomicU64,
}

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Checkpoints.
    pub checkpoints: u64,
    /// Files that were opened or looked for.
    pub files: u64,
    /// Tensors in the indexes that were checked.
    pub tensors: u64,
    /// Tensors whose bytes were read and compared with their checksum.
    pub verified: u64,
    /// Tensors whose bytes were not looked at: not selected, `--quick`, or their shard is missing.
    pub skipped: u64,
    /// Tensors of a format that has no checksums: their places were checked, and nobody can say that their bytes are right.
    pub unsummed: u64,
    /// Bytes that were read and summed.
    pub bytes: u64,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct Validation {
    /// Everything that was found, in the order of the checks.
    pub findings: Vec<Finding>,
    /// What was checked.
    pub checked: Counts,
    /// The checkpoints that were checked, as prefixes.
    pub targets: Vec<PathBuf>,
    /// What was found of each model, where checkpoints of several names lie in one directory.
    pub groups: Vec<GroupVerdict>,
    /// What restoring into each graph of a model would do, if that was asked.
    pub restores: Vec<Restore>,
    /// Whether a SavedModel without variables was among them.
    graph_only: bool,
    /// Files under other names that were found to be shards.
    used: Vec<PathBuf>,
}

impl Validation {
    /// Whether nothing of error level was found.
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }

    /// Adds what a restore would do. Damage that was found in what it reads is a part of that.
    pub fn add_restore(&mut self, mut restore: Restore) {
        restore.add_damage(self);
        // What has a finding is not told again.
        let told = |note: &String| self.findings.iter().any(|finding| note.starts_with(&finding.message));
        restore.notes.retain(|note| !told(note));
        self.findings.extend(findings(&restore));
        self.restores.push(restore);
    }

    fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn add(&mut self, counts: Counts) {
        self.checked = self.checked.and(counts);
    }
}

/// Checks whatever `path` leads to; of a directory, every checkpoint in it.
///
/// # Errors
/// If `path` leads to no checkpoint at all. That one is damaged beyond opening is a finding.
pub fn validate(path: &Path, options: &ValidateOptions, limits: &Limits, progress: &Progress) -> Result<Validation> {
    let mut result = Validation::default();
    let one = options.choice != Choice::default();
    let mut located = Origin::locate(path, options.choice);
    let path = &WrittenPath::of(path)?.path;
    let mut is_prefix = located.as_ref().is_ok_and(|origin| origin.kind == SourceKind::Bundle);
    if options.serving && is_prefix && path.is_dir() {
        let note = "a checkpoint of this name lies here too; a server looks at the directory, which was checked";
        result.push(Finding::new(Code::ChoiceNote, note).in_file(path));
        (located, is_prefix) = (Origin::locate(&path.join(""), options.choice), false);
    }
    let versions = if one || is_prefix || !path.is_dir() { Vec::new() } else { served(path, options.serving)? };
    let mut left_behind = Vec::new();
    let targets = if versions.is_empty() {
        match located {
            Ok(origin) if one || origin.kind == SourceKind::ServingBase => vec![(origin, None)],
            Ok(mut origin) => {
                around(&mut origin);
                left_behind.extend(leftovers::find(&origin));
                // Files of a model, given by name, are no path that a server is given.
                if options.serving && (path.is_dir() || origin.saved_model.is_none()) {
                    serving::no_version(path, Some(&origin), &mut result);
                }
                directory::targets(origin, &mut result)
            }
            Err(_) if options.serving && path.is_dir() => {
                serving::no_version(path, None, &mut result);
                return Ok(result);
            }
            Err(error) => return Err(error),
        }
    } else {
        let targets = serving::targets(path, &versions, options.serving, &mut result);
        left_behind.extend(targets.iter().flat_map(leftovers::find));
        targets.into_iter().map(|origin| (OneOf::version(&origin), origin)).map(|(of, origin)| (origin, of)).collect()
    };
    for (mut origin, of) in targets {
        around(&mut origin);
        let (before, counts, target) = (result.findings.len(), result.checked, origin.prefix.as_path().to_path_buf());
        one_checkpoint(origin, options, limits, progress, &mut result);
        if let Some(of) = of {
            of.mark(result.findings.get_mut(before..).unwrap_or_default());
            of.count(counts, target, &mut result);
        }
    }
    // A leftover that is the shard which is missing is told there.
    left_behind.retain(|leftover| !result.used.iter().any(|file| leftover.has(file)));
    result.findings.extend(left_behind.iter().map(|leftover| leftover.finding(options, limits)));
    let checked = result.checked;
    let nothing = if checked.tensors == 0 {
        // A SavedModel may have no variables; then its graph was what there was to check.
        (!result.graph_only).then_some("there was nothing to check: no tensor in any index")
    } else {
        (!options.quick && checked.verified + checked.unsummed == 0)
            .then_some("no tensor's bytes were checked: none was selected")
    };
    if let Some(message) = nothing.filter(|_| result.is_ok()) {
        result.push(Finding::new(Code::NothingChecked, message));
    }
    Ok(result)
}

/// The versions of a directory that TensorFlow Serving watches; none if it is something else. Behind the gate, every
/// number counts.
fn served(path: &Path, gate: bool) -> Result<Vec<Version>> {
    let versions = versions(path)?;
    let something_else = path.join("checkpoint").is_file() || SavedModel::file_in(path).is_ok();
    let is_base = versions.iter().any(|version| version.kind.is_of_a_model()) || gate;
    // A server looks at nothing but the names: what else lies in its base path is no matter to it.
    Ok(if (something_else && !gate) || !is_base { Vec::new() } else { versions })
}

/// The variables of a SavedModel, given by their prefix: the model around them is checked too.
fn around(origin: &mut Origin) {
    if origin.saved_model.is_some() || origin.prefix.base_name() != "variables" {
        return;
    }
    let dir = origin.prefix.directory();
    if dir.canonicalize().is_ok_and(|dir| dir.file_name().is_some_and(|name| name == "variables")) {
        let model = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        let model = model.map_or_else(|| dir.join(".."), Path::to_path_buf);
        origin.saved_model = SavedModel::file_in(&model).is_ok().then_some(model);
    }
}

/// Checks one version of a serving directory, with what Serving needs of it.
pub(super) fn validate_version(base: &Path, version: &Version, limits: &Limits) -> Validation {
    let mut result = Validation::default();
    let options = ValidateOptions { serving: true, ..ValidateOptions::all(true, 1) };
    for origin in serving::targets(base, std::slice::from_ref(version), false, &mut result) {
        one_checkpoint(origin, &options, limits, &Progress::default(), &mut result);
    }
    result
}

/// Checks one checkpoint of a directory, and nothing around it.
pub fn validate_found(
    path: &Path,
    found: &Found,
    options: &ValidateOptions,
    limits: &Limits,
    progress: &Progress,
) -> Validation {
    let mut result = Validation::default();
    one_checkpoint(Origin::of_found(path, found), options, limits, progress, &mut result);
    result
}

fn one_checkpoint(
    origin: Origin,
    options: &ValidateOptions,
    limits: &Limits,
    progress: &Progress,
    result: &mut Validation,
) {
    result.targets.push(origin.prefix.as_path().to_path_buf());
    result.checked.checkpoints += 1;
    saved_model::check(&origin, limits, options.serving, result);
    let has_variables = origin.has_variables;
    let index = origin.prefix.index();
    let checkpoint = match Checkpoint::open_origin(origin, limits) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            let mut finding = Finding::of(&error);
            if finding.code == Code::Unreadable {
                finding.code = Code::NotATable;
            }
            finding.file.get_or_insert(index);
            result.push(finding);
            result.checked.files += 1;
            return;
        }
    };
    if !has_variables {
        // What is wrong with it was found with the graph.
        result.graph_only = true;
        return;
    }
    let damage = checkpoint.damage().iter().chain(checkpoint.notes()).map(Finding::of);
    result.findings.extend(damage);
    let roles = Roles::of(&checkpoint);
    let selection = options.selector.select(&checkpoint, &roles);
    let tensors = checkpoint.tensors().len() as u64;
    result.add(Counts { tensors, ..Counts::default() });
    let members = selection.members(checkpoint.tensors().len());
    let pieces = entries::check(&checkpoint, &members, result);
    let shards = shards::check(&checkpoint, &pieces, options.quick, result);
    saver_v1::check(&checkpoint, options.quick, result);
    graph::check(&checkpoint, options.quick, result);
    directory::check_step(&checkpoint, options.quick, result);
    if options.quick {
        result.add(Counts { skipped: tensors, ..Counts::default() });
        return;
    }
    let sums = bytes::check(&checkpoint, &pieces, &members, options.threads, &shards, progress, result);
    causes::explain(&checkpoint, &pieces, sums, &shards, result);
    if options.finite {
        finite::check(&checkpoint, &selection, options.threads, progress, result);
    }
}
