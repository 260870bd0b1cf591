//! Which files of a directory are checkpoints: bundles by their indexes, and files of the V1 format, which has no suffix
//! to know it by, by what is in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::base::escape::Escaped;
use crate::base::limits::Limits;
use crate::base::parallel::in_order;
use crate::read::bundle::{Prefix, ShardName, is_index_in, is_unfinished, peek_header};
use crate::read::sniff;
use crate::read::storage::layout::{SAVED_MODEL_PB, SAVED_MODEL_PBTXT};
use crate::read::storage::{self, Folder, Stat};

/// One checkpoint found in a directory.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its prefix; for a V1 checkpoint its file, or its files' pattern.
    pub prefix: Prefix,
    /// The files of a V1 checkpoint; empty for a bundle.
    pub v1_files: Vec<PathBuf>,
    /// The number behind the last `-` of its name.
    pub step: Option<u64>,
    /// Bytes of index and shards.
    pub bytes: u64,
    /// Whether the index can be read and every shard that it counts is there.
    pub complete: bool,
    /// When its index was last written.
    pub modified: Option<SystemTime>,
}

impl Found {
    /// Its name without its numbers: what checkpoints of one program have in common.
    pub fn group(&self) -> String {
        let name = self.prefix.base_name().to_string_lossy();
        let name = name.split_once("-?????-of-").map_or(&*name, |(name, _)| name);
        super::group::group(name).to_owned()
    }

    /// That a directory with a SavedModel has its name too, if one has: where both are meant by one path, the prefix is.
    pub fn twin(&self) -> Option<String> {
        let path = self.prefix.as_path();
        let is_model = [SAVED_MODEL_PB, SAVED_MODEL_PBTXT].iter().any(|file| storage::is_file(&path.join(file)));
        let shown = Escaped(path.as_os_str().as_encoded_bytes());
        is_model.then(|| {
            format!("a directory of this name lies here too, with a SavedModel: {shown}/ opens it; this is the prefix")
        })
    }
}

/// The pattern and number of a V1 shard's name: `model-00000-of-00004` is of `model-?????-of-00004`.
pub(super) fn v1_pattern(name: &str) -> Option<String> {
    let (rest, of) = name.rsplit_once("-of-")?;
    let (base, id) = rest.rsplit_once('-')?;
    let five = |digits: &str| digits.len() >= 5 && digits.bytes().all(|b| b.is_ascii_digit());
    (five(of) && (five(id) || id == "?????")).then(|| format!("{base}-?????-of-{of}"))
}

/// The files that a pattern with `?????` means, in order.
pub(super) fn v1_shards(folder: &Folder, pattern: &str) -> Vec<PathBuf> {
    let of_pattern = |name: &&str| v1_pattern(name).as_deref() == Some(pattern) && !name.contains('?');
    folder.named().map(|(name, _)| name).filter(of_pattern).map(|name| folder.path().join(name)).collect()
}

/// How many files of other names are looked into for the V1 format, which has no suffix to know it by.
const LOOK_INTO: usize = 1000;

/// Whether a writer has not finished this file: an index under such a name is a table, and no V1 checkpoint.
fn is_being_written(name: &str) -> bool {
    name.rfind(".tempstate").and_then(|at| name.get(at..)).is_some_and(is_unfinished)
}

/// All of them, in the order of their steps.
pub(super) fn find(folder: &Folder, limits: &Limits) -> Vec<Found> {
    let dir = folder.path();
    let (mut found, mut bundles) = (Vec::new(), Vec::new());
    let mut patterns: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut looked = 0;
    for (name, stat) in folder.named().filter(|(_, stat)| stat.is_regular()) {
        if let Some(base) = name.strip_suffix(".index") {
            let mut prefix = dir.to_path_buf().into_os_string();
            if !prefix.as_encoded_bytes().ends_with(b"/") {
                prefix.push("/");
            }
            prefix.push(base);
            bundles.push((Prefix::new(prefix), base, stat));
        } else if name.strip_suffix(".meta").is_some()
            || name.contains(".data-")
            || looked >= LOOK_INTO
            || is_being_written(name)
            || folder.get(&format!("{name}.index")).is_some()
        {
            // Parts of a bundle, or already counted.
        } else if let Some(pattern) = v1_pattern(name) {
            patterns.entry(pattern).or_default().push(dir.join(name));
        } else if stat.len > 48 && !name.contains(".tfevents.") {
            looked += 1;
            let path = dir.join(name);
            // A file beside its graph that lost its end is still a checkpoint, and a damaged one.
            let is_cut = || folder.get(&format!("{name}.meta")).is_some() && sniff::is_cut_v1(&path);
            if (sniff::is_table(&path) && !is_index_in(&path, limits)) || is_cut() {
                found.push(v1(&path, vec![path.clone()], Some(stat)));
            }
        }
    }
    // Each is looked into; over a network all of them are asked for together.
    let one =
        |(): &mut (), n: usize| bundles.get(n).map(|(prefix, base, stat)| bundle(prefix, base, stat, folder, limits));
    in_order(bundles.len(), storage::at_once(dir), || (), one, |_, one| found.extend(one));
    for (pattern, files) in patterns {
        if files.iter().any(|file| sniff::is_table(file)) {
            found.push(v1(&dir.join(pattern), files, None));
        }
    }
    found.sort_by(|a, b| (a.step, &a.prefix).cmp(&(b.step, &b.prefix)));
    found
}

pub(super) fn bundle(prefix: &Prefix, base: &str, index: &Stat, folder: &Folder, limits: &Limits) -> Found {
    let start = format!("{base}.data-");
    let shards: Vec<(ShardName, u64)> = folder
        .beginning_with(&start)
        .filter_map(|(name, stat)| Some((ShardName::parse(name.strip_prefix(base)?)?, stat.len)))
        .collect();
    let complete = peek_header(prefix, limits).is_ok_and(|header| {
        let is_there = |id: u32| {
            shards.iter().any(|(shard, _)| shard.id == id && i64::from(shard.of) == i64::from(header.num_shards))
        };
        usize::try_from(header.num_shards).is_ok_and(|n| n <= shards.len())
            && (0..header.num_shards.unsigned_abs()).all(is_there)
    });
    Found {
        step: prefix.step(),
        prefix: prefix.clone(),
        v1_files: Vec::new(),
        bytes: shards.iter().fold(index.len, |sum, (_, len)| sum.saturating_add(*len)),
        complete,
        modified: index.modified,
    }
}

fn v1(prefix: &Path, files: Vec<PathBuf>, stat: Option<&Stat>) -> Found {
    let of_files = || files.iter().filter_map(|file| storage::stat(file).ok());
    let name = prefix.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let base = v1_pattern(name).and_then(|p| p.split_once("-?????").map(|(base, _)| base.to_owned()));
    let of: Option<usize> = name.rsplit_once("-of-").and_then(|(_, of)| of.parse().ok());
    Found {
        step: Prefix::new(base.as_deref().unwrap_or(name)).step(),
        prefix: Prefix::new(prefix.as_os_str()),
        bytes: of_files().map(|stat| stat.len).sum(),
        complete: base.is_none() || of == Some(files.len()),
        modified: stat.copied().or_else(|| of_files().next()).and_then(|stat| stat.modified),
        v1_files: files,
    }
}
