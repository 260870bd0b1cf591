//! What a checkpoint was when it was read: enough to know that several processes have read the same one.
//!
//! The list of its tensors with their places and checksums, as the index has it, is summed; of the files the lengths and
//! the times of their last change are noted, as far as the store keeps those. Bytes of tensors are not looked at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::base::escape::Escaped;
use crate::read::checkpoint::{Checkpoint, Parts, Place, Tensor};
use crate::read::storage::{self, Folder, Stat};
use crate::read::wire::Crc32c;

/// What a checkpoint was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The file that says what there is.
    pub index: PathBuf,
    /// How many tensors there are.
    pub tensors: u64,
    /// The checksum of all that is known of them.
    pub sum: Crc32c,
    /// How many files there are, the index among them.
    pub files: u64,
    /// The checksum of their names, lengths and times.
    pub files_sum: Crc32c,
    /// The first of them.
    pub first_files: Vec<MarkedFile>,
}

/// What a file was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedFile {
    /// Its path.
    pub path: PathBuf,
    /// Its length in bytes; nothing if it was not there.
    pub bytes: Option<u64>,
    /// When it was last changed, in nanoseconds since 1970, where that is known.
    pub modified: Option<u64>,
}

/// As many files are noted one by one.
const NAMED: usize = 64;

/// Of so many files each is asked for; of more, their folder is listed.
const FEW: usize = 16;

/// A header may count more files than there can be: of those beyond nothing is noted.
const MOST: usize = 1 << 20;

impl Mark {
    /// What a checkpoint is now.
    pub(super) fn of(checkpoint: &Checkpoint) -> Self {
        let mut sum = Crc32c::default();
        let mut shards = BTreeSet::new();
        let mut bytes = Vec::new();
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((_, tensor)) = cursor.advance() {
            bytes.clear();
            describe(tensor, &mut bytes, &mut |place| {
                if shards.len() < MOST {
                    shards.insert(place.shard);
                }
            });
            sum = sum.extend(&bytes);
        }
        let damage = checkpoint.damage().iter().chain(checkpoint.notes());
        let sum = damage.fold(sum, |sum, error| sum.extend(error.to_string().as_bytes()));
        let index = checkpoint.described_by();
        let files = shards.into_iter().map(|shard| checkpoint.file(shard));
        let mut paths: Vec<PathBuf> = std::iter::once(index.clone()).chain(files).collect();
        paths.dedup();
        let files = look(&paths);
        let files_sum = files.iter().fold(Crc32c::default(), |sum, file| sum.extend(format!("{file:?}").as_bytes()));
        Self {
            index,
            tensors: checkpoint.tensors().len() as u64,
            sum,
            files: files.len() as u64,
            files_sum,
            first_files: files.into_iter().take(NAMED).collect(),
        }
    }

    /// What has changed of the files that are noted one by one.
    pub(super) fn change(&self) -> Option<String> {
        let paths: Vec<PathBuf> = self.first_files.iter().map(|file| file.path.clone()).collect();
        self.first_files.iter().zip(&look(&paths)).find_map(|(then, now)| then.difference(now))
    }

    /// How some checkpoints differ from others, if they do.
    pub(super) fn difference(ours: &[Self], theirs: &[Self]) -> Option<String> {
        if ours.len() != theirs.len() {
            return Some(format!("{} checkpoints were looked at, and {}", ours.len(), theirs.len()));
        }
        ours.iter().zip(theirs).find_map(|(ours, theirs)| {
            if ours == theirs {
                return None;
            }
            let name = shown(&ours.index);
            if ours.index != theirs.index {
                return Some(format!("{name} and {}", shown(&theirs.index)));
            }
            if ours.tensors != theirs.tensors {
                return Some(format!("{name} has {} tensors, and had {}", theirs.tensors, ours.tensors));
            }
            if ours.sum != theirs.sum {
                return Some(format!("{name} says other things of its tensors"));
            }
            let mut files = ours.first_files.iter().zip(&theirs.first_files);
            let file = files.find_map(|(ours, theirs)| ours.difference(theirs));
            Some(file.unwrap_or_else(|| format!("the data files of {name} have other lengths or times")))
        })
    }
}

impl MarkedFile {
    fn difference(&self, other: &Self) -> Option<String> {
        let name = shown(&self.path);
        match (self.bytes, other.bytes) {
            _ if self == other => None,
            (Some(a), Some(b)) if a != b => Some(format!("{name} has {b} bytes, and had {a}")),
            (Some(_), None) | (None, Some(_)) => Some(format!("{name} is there for one of them only")),
            _ if self.path != other.path => Some(format!("{name} and {}", shown(&other.path))),
            _ => Some(format!("{name} was written again: the time of its last change is another")),
        }
    }
}

/// What these files are now.
fn look(paths: &[PathBuf]) -> Vec<MarkedFile> {
    let few = paths.len() <= FEW;
    let mut folder: Option<(PathBuf, Option<Folder>)> = None;
    let stat = |path: &Path| -> Option<Stat> {
        if few {
            return storage::stat(path).ok();
        }
        let above = path.parent().unwrap_or(Path::new(""));
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        if folder.as_ref().is_none_or(|(known, _)| known != above) {
            folder = Some((above.to_path_buf(), storage::list(above).ok()));
        }
        let name = path.file_name()?.to_str()?;
        folder.as_ref()?.1.as_ref()?.get(name).copied()
    };
    let mut stat = stat;
    let one = |path: &PathBuf| {
        let stat = stat(path);
        let modified = stat.and_then(|stat| stat.modified?.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| u64::try_from(since.as_nanos()).ok());
        MarkedFile { path: path.clone(), bytes: stat.map(|stat| stat.len), modified }
    };
    paths.iter().map(one).collect()
}

/// Everything that the list of tensors says of one.
fn describe(tensor: &Tensor, into: &mut Vec<u8>, place: &mut dyn FnMut(&Place)) {
    let mut number = |number: i64| into.extend_from_slice(&number.to_le_bytes());
    number(i64::try_from(tensor.name.len()).unwrap_or(-1));
    for dim in tensor.shape.dims().unwrap_or(&[-1]) {
        number(*dim);
    }
    let mut at = |stored: &Place| {
        number(stored.shard.into());
        let (start, len) = stored.range.unwrap_or((-1, -1));
        number(start);
        number(len);
        number(stored.crc32c.map_or(-1, |crc| crc.0.into()));
        place(stored);
    };
    match &tensor.parts {
        Parts::Whole(stored) => at(stored),
        Parts::Slices(slices) => slices.places().flatten().for_each(|place| at(&place)),
    }
    into.extend_from_slice(&tensor.name);
    into.extend_from_slice(tensor.dtype.to_string().as_bytes());
    for slice in tensor.slices().iter() {
        into.extend_from_slice(slice.slice.to_string().as_bytes());
    }
}

/// A path for an error.
fn shown(path: &Path) -> String {
    Escaped(path.as_os_str().as_encoded_bytes()).to_string()
}
