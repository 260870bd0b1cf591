//! Words of findings about expectations: who expects it, and of which tensors.

use std::path::Path;

use super::model::Policy;
use crate::analysis::naming::roles::short_name;
use crate::base::escape::{Escaped, escaped};
use crate::read::checkpoint::Checkpoint;

/// Tensors that are named one by one in a message.
const NAMED: usize = 3;

/// The paths that a checkpoint is known by.
pub(super) fn paths_of(checkpoint: &Checkpoint) -> Vec<&Path> {
    let origin = checkpoint.origin();
    let file = origin.file.as_ref().map(|(file, _)| file.as_path());
    [Some(origin.prefix.as_path()), origin.saved_model.as_deref(), file].into_iter().flatten().collect()
}

/// Who expects it: `ckpt.toml:12`.
pub(super) fn says(policy: &Policy, line: usize) -> String {
    format!("{}:{line}", Escaped(policy.file.as_os_str().as_encoded_bytes()))
}

/// `'text'`, harmless.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text.as_bytes()))
}

/// The first few names of so many.
pub(super) fn listed<'n>(names: impl Iterator<Item = &'n [u8]>, all: u64) -> String {
    let names: Vec<String> = names.take(NAMED).map(|name| escaped(short_name(name)).into_owned()).collect();
    let more = all.saturating_sub(names.len() as u64);
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}
