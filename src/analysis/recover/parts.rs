//! The parts of a save that were never put together, one of each worker, merged as `MergeV2Checkpoints` merges them.
//!
//! TensorFlow: `save_restore_v2_ops.cc`, `MergeBundles` in `tensor_bundle.cc`: entries of all parts under one index, shards
//! numbered as they are first met. A part is called `<prefix>_temp/part-00000-of-00002` (`<prefix>_temp_<hex>/…` in
//! TensorFlow 1, `<prefix>.part-…` where there are no directories).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::found::{Did, Lost};
use super::index::{self, Index};
use super::places::Places;
use super::plans;
use super::set::Set;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::bundle::{BundleEntry, Prefix, is_unfinished, part_numbers};
use crate::read::storage;
use crate::read::tensor::TensorSlice;

/// The parts that were found: for each number where they lie, as prefixes.
#[derive(Debug, Default)]
pub(super) struct Parts {
    of: u32,
    found: BTreeMap<u32, Vec<PathBuf>>,
}

impl Parts {
    /// The parts of a prefix, or those in a directory; with what lies in the directories that the user named.
    pub(super) fn find(prefix: &Prefix, dir: Option<&Path>, from: &[PathBuf]) -> Result<Self> {
        let base = prefix.base_name().to_string_lossy().into_owned();
        let mut dirs: Vec<PathBuf> = Vec::new();
        match dir {
            Some(dir) => dirs.push(dir.to_path_buf()),
            None => dirs.extend(temporary(&prefix.directory(), &base)),
        }
        for other in from {
            dirs.push(other.clone());
            dirs.extend(temporary(other, &base));
        }
        let mut by_count: BTreeMap<u32, Self> = BTreeMap::new();
        let mut add = |id: u32, of: u32, at: PathBuf| {
            let parts = by_count.entry(of).or_insert_with(|| Self { of, ..Self::default() });
            let known = parts.found.entry(id).or_default();
            if !known.contains(&at) {
                known.push(at);
            }
        };
        for dir in &dirs {
            for name in storage::names(dir).unwrap_or_default() {
                if let Some((id, of)) = part_numbers(&name) {
                    add(id, of, dir.join(format!("part-{id:05}-of-{of:05}")));
                }
            }
        }
        // Where there are no directories, parts lie beside the prefix.
        let beside = dir.is_none().then(|| prefix.directory());
        for dir in beside.iter().chain(from) {
            for name in storage::names(dir).unwrap_or_default() {
                let own = name.strip_prefix(&base).and_then(|rest| rest.strip_prefix('.'));
                if let Some((id, of)) = own.and_then(part_numbers) {
                    add(id, of, dir.join(format!("{base}.part-{id:05}-of-{of:05}")));
                }
            }
        }
        if by_count.len() > 1 {
            let counts: Vec<String> = by_count.keys().map(u32::to_string).collect();
            let why = format!("parts of several saves lie here: of {} parts", counts.join(" and of "));
            let error = Error::new(ErrorKind::Request(why)).in_file(&prefix.directory());
            return Err(error.with_help("give the directory of one of them (…_temp/)"));
        }
        Ok(by_count.into_values().next().unwrap_or_default())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them as one set.
    pub(super) fn merge(&self, prefix: &Prefix, places: &Places, limits: &Limits) -> Result<Set> {
        let mut merge = Merge::default();
        if i64::from(self.of) > i64::from(limits.shards) {
            let why = format!("parts named after {} of them; no more than {} are looked for", self.of, limits.shards);
            return Err(Error::new(ErrorKind::Request(why)).in_file(prefix.as_path()));
        }
        for id in 0..self.of {
            let read = self.found.get(&id).map(|at| one(at, limits)).transpose()?.flatten();
            let name = format!("part-{id:05}-of-{:05}", self.of);
            if let Some((at, index)) = read {
                merge.add(&at, index)?;
            } else {
                let there = if self.found.contains_key(&id) { "has no index that can be read" } else { "is missing" };
                merge.missing.push(format!("{name} {there}"));
            }
        }
        let Merge { mut set, missing, .. } = merge;
        if set.entries.is_empty() {
            let why = format!("no part of this save has an index that can be read: {}", missing.join(", "));
            return Err(Error::new(ErrorKind::Request(why)).in_file(prefix.as_path()));
        }
        if let Some(why) = (!missing.is_empty()).then(|| missing.join(", ")) {
            // What the parts that are missing had, their graph may say.
            let names = plans::find(prefix, places, limits).0.into_iter().filter(|source| !source.is_other);
            let planned: Option<Vec<Vec<u8>>> =
                names.map(|source| source.plan.shards.into_iter().flatten().map(|saved| saved.name).collect()).next();
            let gone = planned.unwrap_or_default().into_iter().filter(|name| !set.entries.contains_key(name));
            let mut lost: Vec<Lost> = gone.map(|name| Lost { name: Some(name), why: why.clone() }).collect();
            lost.dedup();
            let is_named = !lost.is_empty();
            let cut = set.entries.iter().filter(|(_, entry)| is_cut(entry));
            lost.extend(
                cut.map(|(name, _)| Lost { name: Some(name.clone()), why: format!("slices are missing: {why}") }),
            );
            if !is_named {
                lost.push(Lost { name: None, why: format!("{why}, and nothing says what it held") });
            }
            set.lost.extend(lost);
            set.notes.push("--from takes the directory in which another worker saved its part".to_owned());
        }
        Ok(set)
    }
}

/// The directories in which savers collect the parts of a prefix.
fn temporary(dir: &Path, base: &str) -> Vec<PathBuf> {
    let own = |name: &String| name.strip_prefix(base).is_some_and(|rest| rest == "_temp" || rest.starts_with("_temp_"));
    let names = storage::names(dir).unwrap_or_default().into_iter().filter(own);
    names.map(|name| dir.join(name)).filter(|dir| storage::is_folder(dir)).collect()
}

/// The index of a part, of several copies the first that is whole; they must not contradict each other.
fn one(copies: &[PathBuf], limits: &Limits) -> Result<Option<(PathBuf, Index)>> {
    let mut read: Vec<(PathBuf, Index)> = Vec::new();
    for at in copies {
        let prefix = Prefix::new(at.as_os_str());
        let dir = prefix.directory();
        let name = plans::name_of(&prefix.index());
        let is_index =
            |file: &String| file.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || is_unfinished(rest));
        let mut names: Vec<String> = storage::names(&dir)?.into_iter().filter(is_index).collect();
        names.sort_by_key(String::len);
        let found = names.iter().find_map(|name| index::read(&dir.join(name), limits).ok());
        read.extend(found.map(|index| (at.clone(), index)));
    }
    read.sort_by_key(|(_, index)| !index.lost.is_empty());
    let mut read = read.into_iter();
    let Some((at, first)) = read.next() else { return Ok(None) };
    if let Some((other, _)) = read.find(|(_, index)| index.lost.is_empty() && index.entries != first.entries) {
        let why = format!("two parts of one number are not the same: {} and {}", shown(&at), shown(&other));
        let error = Error::new(ErrorKind::Request(why)).in_file(&at);
        return Err(error.with_help("they are of two saves; give the directories of one"));
    }
    Ok(Some((at, first)))
}

fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes()).into_owned()
}

#[derive(Default)]
struct Merge {
    set: Set,
    /// The new number of each shard of a part.
    numbers: BTreeMap<PathBuf, i32>,
    missing: Vec<String>,
    any: bool,
}

impl Merge {
    fn add(&mut self, at: &Path, index: Index) -> Result<()> {
        let Index { file, entries, header, did, lost } = index;
        let bad = |why: String| Error::new(ErrorKind::Request(why)).in_file(&file);
        if std::mem::replace(&mut self.any, true) && self.set.big_endian != header.big_endian {
            return Err(bad("one part is big-endian, and another is not".to_owned()));
        }
        self.set.big_endian = header.big_endian;
        let tensors = entries.values().filter(|entry| !entry.is_partitioned()).count();
        let prefix = Prefix::new(at.as_os_str());
        for (key, mut entry) in entries {
            if let Some(known) = self.set.entries.get_mut(&key) {
                join(known, &entry).map_err(|why| bad(why).for_key(&key))?;
                continue;
            }
            let path = prefix.shard(entry.shard_id, header.num_shards);
            let next = i32::try_from(self.set.shards.len()).unwrap_or(i32::MAX);
            let number = *self.numbers.entry(path.clone()).or_insert(next);
            if number == next {
                self.set.shards.push(path);
            }
            entry.shard_id = number;
            self.set.entries.insert(key, entry);
        }
        self.set.did.extend(did);
        self.set.did.push(Did::Merged { file: file.clone(), tensors });
        self.set.read.push(file);
        self.missing.extend(lost.first().map(|error| format!("{} is damaged: {error}", plans::shown(at))));
        Ok(())
    }
}

/// Whether the slices of a partitioned tensor leave elements out.
fn is_cut(entry: &BundleEntry) -> bool {
    let Some(dims) = entry.shape.dims() else { return false };
    let elements = |slice: &TensorSlice| -> Option<u64> {
        slice.resolve(dims)?.iter().try_fold(1u64, |all, (_, len)| all.checked_mul(*len))
    };
    let stored = entry.slices.iter().filter_map(elements).fold(0, u64::saturating_add);
    entry.is_partitioned() && entry.shape.elements().is_some_and(|all| stored < all)
}

/// A tensor of two parts: its slices are added up; a whole one must be the same in both.
fn join(known: &mut BundleEntry, other: &BundleEntry) -> Result<(), String> {
    let is_alike = known.dtype == other.dtype && known.shape == other.shape;
    if known.is_partitioned() && other.is_partitioned() && is_alike {
        for slice in &other.slices {
            if !known.slices.contains(slice) {
                known.slices.push(slice.clone());
            }
        }
        return Ok(());
    }
    let is_same = is_alike && !known.is_partitioned() && !other.is_partitioned() && known.crc32c == other.crc32c;
    if is_same { Ok(()) } else { Err("two parts have a tensor of this name, with other values".to_owned()) }
}
