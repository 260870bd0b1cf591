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
mod gate;
mod graph;
mod groups;
mod leftovers;
mod lost_shards;
mod mend;
mod mismatch;
mod one;
mod restored;
mod saved_model;
mod saver_v1;
mod serving;
mod shard_files;
mod shards;
mod shared;
mod validation;
mod vouched;

pub(super) use entries::is_of_one_part;

pub(super) use shards::surplus;
pub use validation::{Counts, Gate, GroupVerdict, PolicyUse, Served, ValidateOptions, Validation};

use std::path::Path;

use super::finding::{Code, Finding};
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Choice, Found, Origin, SourceKind, WrittenPath};
use crate::read::finder::serving::{Version, versions};
use crate::read::graphs::saved_model::SavedModel;
use crate::read::storage;
use groups::OneOf;
use one::one_checkpoint;

/// Checks whatever `path` leads to; of a directory, every checkpoint in it.
///
/// # Errors
/// If `path` leads to no checkpoint at all. That one is damaged beyond opening is a finding.
pub fn validate(path: &Path, options: &ValidateOptions, limits: &Limits, progress: &Progress) -> Result<Validation> {
    let policy = options.policy.as_ref().map(|policy| PolicyUse { file: policy.file.clone(), ..PolicyUse::default() });
    let mut result = Validation { policy, ..Validation::default() };
    let one = options.choice != Choice::default();
    let mut located = Origin::locate(path, options.choice, limits);
    let path = &WrittenPath::of(path)?.path;
    let mut is_prefix = located.as_ref().is_ok_and(|origin| origin.kind == SourceKind::Bundle);
    if options.serving && is_prefix && storage::is_folder(path) {
        let note = "a checkpoint of this name lies here too; a server looks at the directory, which was checked";
        result.push(Finding::new(Code::ChoiceNote, note).in_file(path));
        (located, is_prefix) = (Origin::locate(&path.join(""), options.choice, limits), false);
    }
    let versions =
        if one || is_prefix || !storage::is_folder(path) { Vec::new() } else { served(path, options.serving)? };
    result.gate = (options.serving && storage::is_folder(path)).then(|| Gate::of(path, &versions));
    let mut left_behind = Vec::new();
    let targets = if versions.is_empty() {
        match located {
            Ok(origin) if one || origin.kind == SourceKind::ServingBase => vec![(origin, None)],
            Ok(mut origin) => {
                around(&mut origin);
                left_behind.extend(leftovers::find(&origin));
                // Files of a model, given by name, are no path that a server is given.
                if options.serving && (storage::is_folder(path) || origin.saved_model.is_none()) {
                    result.gate = Some(Gate::of(path, &[]));
                    serving::no_version(path, Some(&origin), &mut result);
                }
                directory::targets(origin, &mut result)
            }
            Err(_) if options.serving && storage::is_folder(path) => {
                serving::no_version(path, None, &mut result);
                return Ok(result);
            }
            Err(error) if options.serving && !storage::exists(path) => {
                return Err(serving::no_such_base(path, error));
            }
            Err(error) if options.quick || options.is_part() => return Err(error),
            Err(error) => return Err(mend::with_command(path, error, limits, progress)),
        }
    } else {
        let targets = serving::targets(path, &versions, options.serving, &mut result);
        left_behind.extend(targets.iter().flat_map(leftovers::find));
        targets.into_iter().map(|origin| (OneOf::version(&origin), origin)).map(|(of, origin)| (origin, of)).collect()
    };
    for (mut origin, of) in targets {
        around(&mut origin);
        let (before, counts, target) = (result.findings.len(), result.checked, origin.prefix.as_path().to_path_buf());
        let mended = mend::prefix_of(&origin).filter(|_| !options.quick && !options.is_part());
        one_checkpoint(origin, options, limits, progress, &mut result);
        if let Some(prefix) = mended {
            mend::advise(&prefix, result.findings.get_mut(before..).unwrap_or_default(), limits, progress);
        }
        if let Some(of) = of {
            of.mark(result.findings.get_mut(before..).unwrap_or_default());
            of.count(counts, target, &mut result);
        }
    }
    if options.is_part() {
        // What lies around, and what all of it comes to, is told once, by who has all parts.
        return Ok(result);
    }
    lost_shards::together(&mut result.findings);
    // A leftover that is the shard which is missing is told there.
    left_behind.retain(|leftover| !result.used.iter().any(|file| leftover.has(file)));
    for leftover in &left_behind {
        let (mut finding, has_command) = leftover.finding(options, limits);
        if !options.quick && !has_command {
            mend::advise_leftover(leftover.path(), &mut finding, limits, progress);
        }
        result.push(finding);
    }
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
    let something_else = storage::is_file(&path.join("checkpoint")) || SavedModel::file_in(path).is_ok();
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
    if storage::canonical(&dir).is_some_and(|dir| dir.file_name().is_some_and(|name| name == "variables")) {
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
