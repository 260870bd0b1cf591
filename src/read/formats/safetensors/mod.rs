//! safetensors: a header of JSON, then the bytes of the tensors; large models in several files with an index.

mod dtype;
mod header;
mod read;
mod write;

pub use read::SAFETENSORS;
pub use write::SafetensorsSink;

use super::{FileFormat, Probe};

/// The row in the table of formats.
pub(super) const FORMAT: FileFormat =
    FileFormat { format: &SAFETENSORS, ends: &[".safetensors"], claims, open: read::open, in_directory };

/// The file that transformers and others write into a directory of their own.
const SINGLE: &str = "model.safetensors";
/// What the index of a sharded set ends in.
const INDEX: &str = ".safetensors.index.json";

/// A header begins with its length, and its JSON with a brace; an index is known by its name.
fn claims(probe: &Probe<'_>) -> bool {
    if probe.name.ends_with(INDEX.as_bytes()) {
        return true;
    }
    let Some((length, json)) = probe.head.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    json.first() == Some(&b'{') && (2..=header::LONGEST).contains(&length)
}

/// An index before a single file; of several single files only the usual name.
fn in_directory(names: &[&str]) -> Option<String> {
    let ends = |end: &'static str| names.iter().filter(move |name| name.ends_with(end));
    let mut singles = ends(".safetensors");
    let usual = || names.iter().find(|name| **name == SINGLE);
    let only = || singles.next().filter(|_| ends(".safetensors").count() == 1);
    ends(INDEX).min().or_else(usual).or_else(only).map(|name| (*name).to_owned())
}
