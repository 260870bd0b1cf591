//! From a path to what can be had of the checkpoint there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::found::{Did, Lost, Recovery};
use super::index;
use super::locate::{Located, locate};
use super::parts::Parts;
use super::pieces::{Piece, owners, pieces_of};
use super::places::Places;
use super::rebuild::rebuild;
use super::set::Set;
use super::shards;
use super::undone::Undone;
use crate::analysis::naming::roles::short_name;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::bundle::Prefix;
use crate::read::checkpoint::{Checkpoint, Origin, SourceKind};
use crate::read::formats::bundle::assemble;
use crate::read::storage::OpenFiles;

/// Plans how the checkpoint at `path` can be made whole; pieces and copies of it may also lie in the directories `from`.
/// Writes nothing.
///
/// # Errors
/// If nothing of it can be had, with why.
pub fn recover(path: &Path, from: &[PathBuf], limits: &Limits, progress: &Progress) -> Result<Recovery> {
    let Located { prefix, parts, notes } = locate(path, limits)?;
    let mut places = Places::look(&prefix, from)?;
    let undone = Undone::look(&prefix, &mut places, limits);
    let files: Arc<OpenFiles> = Arc::default();
    let mut set = set(&prefix, parts.as_deref(), from, &places, limits, &files)?;
    set.notes.splice(0..0, notes);
    let found = shards::find(&set, &places, limits, progress, &files);
    let lost = lost(&set, found.lost);
    let weights: Vec<Piece> = pieces_of(&set.entries).into_iter().filter(Piece::is_worth).collect();
    let gone: BTreeSet<&[u8]> = lost.iter().filter_map(|lost| lost.name.as_deref()).collect();
    let named = |name: &[u8]| gone.contains(name);
    let owner = owners(&set.entries);
    let is_gone = |piece: &Piece| named(owner.get(&piece.key).unwrap_or(&piece.key));
    let has_nothing = set.entries.keys().all(|key| named(owner.get(key).unwrap_or(key)));
    if has_nothing || (!weights.is_empty() && weights.iter().all(is_gone)) {
        return Err(nothing(&prefix, &lost));
    }
    let unverified: BTreeSet<&Vec<u8>> =
        set.fresh.iter().map(|key| owner.get(key).unwrap_or(key)).filter(|name| !named(name)).collect();
    let unverified = unverified.len();
    let Set { entries, big_endian, read, mut did, mut notes, .. } = set;
    did.extend(found.did);
    let did = did.into_iter().map(|did| told(did, &undone)).collect();
    if !lost.is_empty() && places.left_out > 0 {
        let more = places.left_out;
        notes
            .push(format!("{more} more files lie around it, which were not looked into: name a directory with --from"));
    }
    let opened = assemble(&prefix, &entries, found.shards, big_endian, limits);
    let origin = Origin::of_prefix(path, SourceKind::Bundle, prefix.clone());
    let mut used = read;
    used.extend(found.files);
    let used = used.iter().map(|file| undone.original(file)).collect();
    Ok(Recovery {
        did,
        lost,
        unverified,
        notes,
        prefix: prefix.as_path().to_path_buf(),
        files: used,
        checkpoint: Checkpoint::of_opened(origin, opened, limits),
        _undone: undone,
    })
}

/// What was done, of the files that lie there: what was taken from a file as it was, was undone in that.
fn told(did: Did, undone: &Undone) -> Did {
    match &did {
        Did::Renamed { file, to } | Did::Copied { file, to, .. } => match undone.how(file) {
            Some(how) => Did::Undone { file: undone.original(file), to: to.clone(), how },
            None => did,
        },
        _ => did,
    }
}

/// The entries, from wherever they can be had.
fn set(
    prefix: &Prefix,
    dir: Option<&Path>,
    from: &[PathBuf],
    places: &Places,
    limits: &Limits,
    files: &Arc<OpenFiles>,
) -> Result<Set> {
    if dir.is_some() {
        return Parts::find(prefix, dir, from)?.merge(prefix, places, limits);
    }
    let Some(index) = index::best(prefix, places, limits, files) else {
        let parts = Parts::find(prefix, None, from)?;
        if !parts.is_empty() {
            return parts.merge(prefix, places, limits);
        }
        return rebuild(prefix, places, None, limits, files).map_err(|failed| failed.error(prefix));
    };
    let Some(damage) = index.lost.first().map(ToString::to_string) else {
        return Set::of_index(index, prefix, limits);
    };
    match rebuild(prefix, places, Some(&index), limits, files) {
        Ok(set) => Ok(set),
        Err(failed) => {
            let mut set = Set::of_index(index, prefix, limits)?;
            set.notes.extend(failed.reasons.into_iter().take(3));
            let why = format!("a part of the index is lost, and with it the names of what it held: {damage}");
            set.lost.push(Lost { name: None, why });
            Ok(set)
        }
    }
}

/// What is lost, by the names of tensors.
fn lost(set: &Set, pieces: BTreeMap<Vec<u8>, String>) -> Vec<Lost> {
    let owners = owners(&set.entries);
    let mut by_name: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    for (key, why) in pieces {
        let name = owners.get(&key).cloned().unwrap_or(key);
        by_name.entry(name).or_insert(why);
    }
    // Slices that the index lists and has no entry for.
    for (key, name) in &owners {
        if !set.entries.contains_key(key) {
            by_name.entry(name.clone()).or_insert_with(|| "the index has no entry for one of its slices".to_owned());
        }
    }
    let mut nameless = Vec::new();
    for one in &set.lost {
        match &one.name {
            Some(name) => {
                by_name.entry(name.clone()).or_insert_with(|| one.why.clone());
            }
            None => nameless.push(one.clone()),
        }
    }
    let named = by_name.into_iter().map(|(name, why)| Lost { name: Some(name), why });
    named.chain(nameless).collect()
}

/// The error where nothing is left that is worth writing.
fn nothing(prefix: &Prefix, lost: &[Lost]) -> Error {
    let first = lost.first().map_or_else(String::new, |lost| {
        let name = lost.name.as_deref().map(|name| format!("of {}: ", escaped(short_name(name))));
        format!("{}{}", name.unwrap_or_default(), lost.why)
    });
    let why = format!("nothing of this checkpoint can be had; {first}");
    let error = Error::new(ErrorKind::Request(why)).in_file(prefix.as_path());
    error.with_help("fetch it again; where a copy of some of its files lies elsewhere, name the directory with --from")
}
