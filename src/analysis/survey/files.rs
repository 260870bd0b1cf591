//! The files of a set: which there must be, how long, and what those really are that cannot be shards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::analysis::finding::{Code, Finding};
use crate::base::escape::Escaped;
use crate::read::checkpoint::{Checkpoint, Looks, Parts, Place, look};
use crate::read::formats::bundle::BundleFiles;
use crate::read::storage::{self, Stat};

/// One file of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Its path.
    pub path: PathBuf,
    /// Its length; `None` if it is not there.
    pub bytes: Option<u64>,
    /// How long it must at least be.
    pub needed: u64,
    /// What it is instead of a shard, where its first bytes say so.
    pub foreign: Option<Looks>,
}

impl FileInfo {
    pub(in crate::analysis) fn finding(&self) -> Option<Finding> {
        let name = Escaped(self.path.file_name().unwrap_or_default().as_encoded_bytes()).to_string();
        if let Some(looks) = &self.foreign {
            let finding = Finding::new(Code::ForeignShard, format!("{name} is {}", looks.what)).in_file(&self.path);
            return Some(finding.with_help(looks.advice.clone()));
        }
        let finding = match self.bytes {
            None => {
                let finding =
                    Finding::new(Code::MissingShard, format!("{name} is missing: its tensors cannot be read"));
                let help = "fetch the file again, under exactly this name; ckpt validate looks for it under others";
                return Some(finding.in_file(&self.path).with_help(help));
            }
            Some(bytes) if bytes < self.needed => {
                let message = format!("{name} has {bytes} bytes, its index places tensors up to {}", self.needed);
                Finding::new(Code::ShortShard, message)
            }
            Some(_) => return None,
        };
        Some(finding.in_file(&self.path).with_help("fetch the file again, under exactly this name"))
    }
}

/// How many shards are looked for on disk; a header may claim two billion.
const SHARDS: i32 = 1 << 16;

/// How many shards are listed that are neither there nor needed: the claim is then clear.
const ABSENT: usize = 1000;

/// What is wrong with the files of the set, as far as their lengths tell, and the first bytes of those that are too short.
pub fn broken_files(checkpoint: &Checkpoint) -> Vec<Finding> {
    files(checkpoint).iter().filter_map(FileInfo::finding).collect()
}

/// The files of the set, missing ones included, each with the length that it must have.
pub(in crate::analysis) fn files(checkpoint: &Checkpoint) -> Vec<FileInfo> {
    let info = |path: PathBuf, needed| {
        let bytes = storage::stat(&path).ok().filter(Stat::is_regular).map(|stat| stat.len);
        FileInfo { path, bytes, needed, foreign: None }
    };
    let mut needed: BTreeMap<i32, u64> = BTreeMap::new();
    let mut need = |place: &Place| {
        let end = place.range.and_then(|(offset, size)| u64::try_from(offset.checked_add(size)?).ok()).unwrap_or(0);
        let known = needed.entry(place.shard).or_default();
        *known = end.max(*known);
    };
    let mut cursor = checkpoint.tensors().cursor();
    while let Some((_, tensor)) = cursor.advance() {
        match &tensor.parts {
            Parts::Whole(place) => need(place),
            Parts::Slices(slices) => slices.places().flatten().for_each(|place| need(&place)),
        }
    }
    let of = checkpoint.num_shards();
    // Only shards have no header to be known by.
    let has_shards = checkpoint.of_format::<BundleFiles>().is_some();
    let mut absent = 0;
    let shards = (0..of.min(SHARDS)).filter_map(|id| {
        let mut file = info(checkpoint.file(id), needed.get(&id).copied().unwrap_or(0));
        if has_shards {
            file.foreign = file.bytes.and_then(|len| foreign(&file.path, len, file.needed, POINTER));
        }
        absent += usize::from(file.bytes.is_none() && !needed.contains_key(&id));
        (absent <= ABSENT || file.bytes.is_some() || needed.contains_key(&id)).then_some(file)
    });
    checkpoint.index_file().map(|index| info(index, 0)).into_iter().chain(shards).collect()
}

/// A Git LFS pointer is shorter than this (`docs/spec.md` of git-lfs).
pub(in crate::analysis) const POINTER: u64 = 1024;

/// What a file is that is no shard at all. A shard has no header to know it by: only one that cannot be right is looked
/// into, being too short, or not so long as `small`.
pub(in crate::analysis) fn foreign(path: &Path, len: u64, needed: u64, small: u64) -> Option<Looks> {
    if len >= needed && len >= small {
        return None;
    }
    let found = look(path)?;
    (found.is_surely_foreign() || (len < needed && found.is_foreign_if_short())).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::Limits;

    // A header of a few bytes made `inspect` list 65 536 missing files, megabytes of them as JSON.
    #[test]
    fn shards_that_only_the_header_claims_are_not_all_listed() {
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("model.ckpt");
        let bundle = ckpt_synth::BundleBuilder::new().floats("w", &[1], &[1.0]).claim_shards(i32::MAX);
        bundle.entry_patch("w", |entry| entry.shard = 40_000).finish().write(&prefix).unwrap();
        let limits = Limits::default();
        let checkpoint = Checkpoint::open(&prefix, crate::read::checkpoint::Choice::default(), &limits).unwrap();
        let files = files(&checkpoint);
        assert!(files.len() < 1100, "{} files", files.len());
        assert!(files.iter().any(|file| file.needed == 4), "the shard that is needed is listed");
    }
}
