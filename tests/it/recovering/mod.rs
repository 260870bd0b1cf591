//! `ckpt recover`: damage of every kind, in memory and on disk, and that a repair is never a wrong one.

mod advised;
mod damage;
mod ending;
mod recorded;
mod sets;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt::analysis::recover::{Did, Recovery, recover};
use ckpt::base::error::Result;
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::storage::{MemoryStore, mount, unmount};

/// All tensors that can be read, with dtype, shape and bytes.
pub(super) type Values = BTreeMap<Vec<u8>, (String, Vec<u8>)>;

/// The values of a checkpoint; tensors that cannot be read have none.
pub(super) fn values(checkpoint: &Checkpoint) -> Values {
    let all = checkpoint.tensors().iter().filter_map(|tensor| {
        let (mut bytes, is_numeric) = (Vec::new(), tensor.is_numeric());
        let read = checkpoint.read_all(&tensor, &mut |part| {
            // Where strings end is a part of their value; of numbers it is chance how many come at a time.
            if !is_numeric {
                bytes.extend(part.len().to_le_bytes());
            }
            bytes.extend_from_slice(part);
            Ok(())
        });
        read.ok().map(|_| (tensor.name.clone(), (format!("{} {}", tensor.dtype, tensor.shape), bytes)))
    });
    all.collect()
}

/// Recovers what lies at a path.
pub(super) fn recover_at(path: &Path, from: &[PathBuf]) -> Result<Recovery> {
    recover(path, from, &Limits::default(), &Progress::default())
}

/// How often something was done, by its word.
pub(super) fn count_of(recovery: &Recovery, what: &str) -> usize {
    let word = |did: &Did| match did {
        Did::Bit { .. } => "bit",
        Did::Index { .. } => "index",
        Did::Merged { .. } => "merged",
        Did::Renamed { .. } => "renamed",
        Did::Copied { .. } => "copied",
        Did::Undone { .. } => "undone",
    };
    recovery.did.iter().filter(|did| word(did) == what).count()
}

/// Files that lie in memory, under a place of their own.
pub(super) struct Files {
    root: PathBuf,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl Files {
    /// The files of a prefix among the fixtures, under their own names.
    pub(super) fn of(test: &str, prefix: &Path) -> Self {
        let dir = prefix.parent().unwrap();
        let base = prefix.file_name().unwrap().to_str().unwrap();
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let is_own = name.strip_prefix(base).is_some_and(|rest| rest == ".index" || rest.starts_with(".data-"));
            if is_own {
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
        Self { root: PathBuf::from(format!("memory:/{test}/{base}")), files }
    }

    /// Recovers the prefix `base` of these files.
    pub(super) fn recover(&self, base: &str) -> Result<Recovery> {
        let mut store = MemoryStore::default();
        for (name, bytes) in &self.files {
            store.insert(&self.root.join(name), bytes.clone());
        }
        mount(&self.root, Arc::new(store));
        recover_at(&self.root.join(base), &[])
    }

    pub(super) fn done(&self) {
        unmount(&self.root);
    }
}

/// What a damaged set came to.
#[derive(Debug, PartialEq, Eq, Clone, Copy, PartialOrd, Ord)]
pub(super) enum Came {
    /// Everything is there, as it was.
    Whole,
    /// Something is named as lost; the rest is as it was.
    Partly,
    /// Nothing was done.
    Refused,
}

/// Whether nothing that was recovered is anything but what was saved.
pub(super) fn judge(recovered: &Result<Recovery>, original: &Values, what: &str) -> Came {
    let Ok(recovery) = recovered else { return Came::Refused };
    let found = values(recovery.checkpoint());
    for (name, value) in &found {
        let lost = recovery.lost.iter().any(|lost| lost.name.as_ref() == Some(name));
        assert!(lost || original.get(name) == Some(value), "{what}: {} is wrong", String::from_utf8_lossy(name));
    }
    if recovery.lost.is_empty() {
        assert_eq!(found.len(), original.len(), "{what}: a tensor is gone and nothing says so");
        return Came::Whole;
    }
    Came::Partly
}
