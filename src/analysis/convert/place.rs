//! What lies where the result shall: whether it may be replaced, what of it has no successor, and what keeps data found
//! while it is replaced.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::options::{OutFormat, Target};
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::container::Sink;
use crate::read::storage::{Bridge, Staged, Stat, canonical, is_folder, names, refused_folder};

/// What `tf.train.latest_checkpoint` reads.
pub(super) const STATE_FILE: &str = "checkpoint";

/// What finds the new data under other names while that under its own is replaced.
pub(super) fn bridge(sink: &mut dyn Sink, staged: &Staged, files: &[String]) -> Result<Option<Bridge>> {
    let data = files.split_last().map_or(&[][..], |(_, data)| data);
    // Elsewhere nobody can tell what a run that was ended had done.
    if !cfg!(unix) || !data.iter().any(|name| staged.is_taken(name)) {
        return Ok(None);
    }
    sink.bridge(&staged.bridge_dir()?, &|name| staged.is_taken(name))
}

/// What lies under the output's name is not replaced unless that is said, and an input never.
pub(super) fn refuse_taken(target: &Target, inputs: &[(PathBuf, Option<Stat>)]) -> Result<()> {
    let at =
        |why: &str, name: &str| Error::new(ErrorKind::Request(why.to_owned())).in_file(&target.directory().join(name));
    let taken = members(target);
    let inputs: BTreeSet<PathBuf> = inputs.iter().filter_map(|(file, _)| canonical(file)).collect();
    let is_input =
        |name: &&String| canonical(&target.directory().join(name)).is_some_and(|file| inputs.contains(&file));
    if let Some(name) = taken.iter().find(is_input) {
        let error = at("this is a file of the input, which is never written to", name);
        return Err(error.with_help("give the output another name"));
    }
    let lies_as_folder = |name: &&String| is_folder(&target.directory().join(name));
    if let Some(name) = taken.iter().find(lies_as_folder) {
        return Err(refused_folder(&target.directory().join(name)));
    }
    match taken.first().filter(|_| !target.force) {
        Some(name) => Err(at("it is there already, and is not replaced without --force", name)),
        None => Ok(()),
    }
}

/// The files that lie under the output's name.
fn members(target: &Target) -> Vec<String> {
    let name = target.name();
    let is_member = |file: &String| match target.format {
        OutFormat::Bundle => {
            file.strip_prefix(&name).is_some_and(|rest| rest == ".index" || rest.starts_with(".data-"))
        }
        OutFormat::Safetensors => {
            let stem = name.strip_suffix(".safetensors").unwrap_or(&name);
            let of_set = file.strip_prefix(stem).is_some_and(|rest| {
                rest == ".safetensors.index.json"
                    || (rest.starts_with('-') && rest.contains("-of-") && rest.ends_with(".safetensors"))
            });
            *file == name || of_set
        }
        OutFormat::Npz | OutFormat::Npy => *file == name,
    };
    let mut found = names(&target.directory()).unwrap_or_default();
    found.retain(|file| is_member(file) || (target.state_file && file == STATE_FILE));
    // Those by which the others are found come first.
    let finds_others = |file: &String| [".index", ".json"].iter().any(|end| file.ends_with(end));
    found.sort_by_key(|file| !finds_others(file));
    found
}

/// Files of what is replaced that have no successor.
pub(super) fn outdated(target: &Target, files: &[String]) -> Vec<String> {
    let mut members = if target.force { members(target) } else { Vec::new() };
    members.retain(|file| !files.contains(file));
    members
}
