//! What says which tensors a checkpoint has, where its index does not: the saver in its `.meta`, the one in a SavedModel,
//! the index of another save by the same program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::index;
use super::pieces::slices_of;
use super::places::Places;
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::finder::group::group;
use crate::read::graphs::restores::{Part, SavePlan, Saved};
use crate::read::storage;
use crate::read::storage::layout::saved_model_file;
use crate::read::tensor::TensorSlice;

/// A plan, and what says it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) plan: SavePlan,
    /// Whether it is that of another save.
    pub(super) is_other: bool,
}

/// All plans that may be the one, the likeliest first. With them what is there and says nothing, with why.
pub(super) fn find(prefix: &Prefix, places: &Places, limits: &Limits) -> (Vec<Source>, Vec<String>) {
    let (mut found, mut silent) = (Vec::new(), Vec::new());
    for (file, is_other) in graphs(prefix, places) {
        match SavePlan::read(&file, limits) {
            Ok(plans) if plans.is_empty() => silent.push(format!("{} has no saver of the V2 format", shown(&file))),
            Ok(plans) => {
                found.extend(plans.into_iter().map(|plan| Source { file: file.clone(), plan, is_other }));
            }
            Err(error) => silent.push(format!("{} cannot be read: {error}", shown(&file))),
        }
    }
    let own = group(&prefix.base_name().to_string_lossy()).to_owned();
    for file in &places.files {
        let name = name_of(file);
        let Some(base) = name.strip_suffix(".index") else { continue };
        if *file == prefix.index() || group(base) != own {
            continue;
        }
        if let Ok(index) = index::read(file, limits)
            && index.lost.is_empty()
            && let Some(plan) = of_index(&index)
        {
            found.push(Source { file: file.clone(), plan, is_other: true });
        }
    }
    (found, silent)
}

/// The graphs that may have saved it: its own `.meta`, the SavedModel around it, those of other saves, the directory's.
fn graphs(prefix: &Prefix, places: &Places) -> Vec<(PathBuf, bool)> {
    let mut all: Vec<(PathBuf, bool)> = Vec::new();
    let meta = name_of(&prefix.meta());
    all.extend(places.called(&meta).into_iter().map(|file| (file.clone(), false)));
    let dir = prefix.directory();
    if prefix.base_name() == "variables" {
        let models = places.dirs.iter().map(|dir| dir.join("..")).chain([dir.join("..")]);
        all.extend(models.filter_map(|model| saved_model_file(&model)).map(|file| (file, false)));
    }
    let own = group(&prefix.base_name().to_string_lossy()).to_owned();
    let is_sibling = |file: &&PathBuf| {
        let name = name_of(file);
        name != meta && name.strip_suffix(".meta").is_some_and(|base| group(base) == own)
    };
    all.extend(places.files.iter().filter(is_sibling).map(|file| (file.clone(), true)));
    let graph = dir.join("graph.pbtxt");
    all.extend(storage::is_file(&graph).then_some((graph, true)));
    let mut seen = BTreeSet::new();
    all.retain(|(file, _)| seen.insert(storage::canonical(file).unwrap_or_else(|| file.clone())));
    all
}

/// The plan that an index is the result of.
fn of_index(index: &index::Index) -> Option<SavePlan> {
    let slices: BTreeMap<Vec<u8>, (&Vec<u8>, &TensorSlice)> = slices_of(&index.entries).collect();
    let count = usize::try_from(index.header.num_shards).ok().filter(|count| *count <= 1 << 16)?;
    let mut shards: Vec<Vec<(i64, Saved)>> = vec![Vec::new(); count];
    for (key, entry) in &index.entries {
        if entry.is_partitioned() {
            continue;
        }
        let part = slices.get(key).and_then(|(owner, slice)| {
            let full = index.entries.get(*owner)?;
            Some(((*owner).clone(), Part { full: full.shape.clone(), slice: (*slice).clone() }))
        });
        let (name, part) = part.map_or_else(|| (key.clone(), None), |(owner, part)| (owner, Some(part)));
        let saved = Saved { name, dtype: entry.dtype, part, shape: entry.shape.clone(), table: None };
        shards.get_mut(usize::try_from(entry.shard_id).ok()?)?.push((entry.offset, saved));
    }
    let in_order = |mut shard: Vec<(i64, Saved)>| {
        shard.sort_by_key(|(offset, _)| *offset);
        shard.into_iter().map(|(_, saved)| saved).collect()
    };
    Some(SavePlan { shards: shards.into_iter().map(in_order).collect() })
}

/// The name of a file, to compare it.
pub(super) fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The name of a file, for people.
pub(super) fn shown(file: &Path) -> String {
    escaped(file.file_name().unwrap_or_default().as_encoded_bytes()).into_owned()
}
