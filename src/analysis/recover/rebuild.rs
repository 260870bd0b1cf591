//! Entries that are lost, made anew: what says which tensors there are (`plans`), laid over the data (`layout`).
//!
//! Two plans that fit and name the same tensors at other places prove nothing, and nothing is made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::found::{Did, Lost};
use super::index::Index;
use super::layout::{Spot, entry, place};
use super::places::Places;
use super::plans::{self, name_of, shown};
use super::set::Set;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::bundle::{BundleEntry, Prefix, ShardName, is_unfinished, slice_key};
use crate::read::graphs::restores::Saved;
use crate::read::storage::{OpenFiles, Source};
use crate::read::wire::MaskedCrc;

/// A plan that fits: for each shard its tensors and where they lie; of a shard whose file is gone only the tensors.
struct Fit<'p> {
    source: &'p plans::Source,
    shards: Vec<Option<Vec<Spot>>>,
}

/// Why nothing could be rebuilt.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) why: String,
    /// What each plan lacks.
    pub(super) reasons: Vec<String>,
}

impl Failed {
    pub(super) fn error(&self, prefix: &Prefix) -> Error {
        let error = Error::new(ErrorKind::Request(self.why.clone())).in_file(&prefix.index());
        let help = match self.reasons.as_slice() {
            [] => {
                "what can say it: the .meta beside it, the saved_model.pb around it, the index of another save of the \
                   same model; --from DIR looks for them there"
                    .to_owned()
            }
            reasons => reasons.iter().take(3).cloned().collect::<Vec<_>>().join("; "),
        };
        error.with_help(help)
    }
}

/// The set of a prefix whose index is lost, or lost some of its entries (`known` has the others).
pub(super) fn rebuild(
    prefix: &Prefix,
    places: &Places,
    known: Option<&Index>,
    limits: &Limits,
    files: &Arc<OpenFiles>,
) -> Result<Set, Failed> {
    let failed = |why: &str, reasons: Vec<String>| Failed { why: why.to_owned(), reasons };
    let (sources, silent) = plans::find(prefix, places, limits);
    let count = count_of(prefix, places, known, limits).map_err(|why| failed(&why, Vec::new()))?;
    let paths: Vec<PathBuf> = (0..count).map(|shard| prefix.shard(shard, count)).collect();
    let data: Vec<Option<Arc<Source>>> = paths
        .iter()
        .map(|path| {
            let name = name_of(path);
            places.called(&name).into_iter().find_map(|file| files.get(file).ok())
        })
        .collect();
    if data.iter().all(Option::is_none) {
        return Err(failed("neither the index of this checkpoint nor its data is there", Vec::new()));
    }
    let mut reasons = silent;
    let mut fits: Vec<Fit<'_>> = Vec::new();
    for source in &sources {
        match fit(source, &data, known, limits) {
            Ok(shards) => fits.push(Fit { source, shards }),
            Err(why) => reasons.push(format!("not by {}: {why}", shown(&source.file))),
        }
    }
    let what = if known.is_some() { "a part of the index is lost" } else { "the index of this checkpoint is lost" };
    let Some(best) = fits.first() else {
        let why = match reasons.as_slice() {
            [] => format!("{what}, and nothing here says which tensors it had"),
            _ => format!("{what}, and what is here does not say it"),
        };
        return Err(failed(&why, reasons));
    };
    let names = |fit: &Fit<'_>| -> BTreeSet<Vec<u8>> {
        fit.source.plan.shards.iter().flatten().map(|saved| saved.name.clone()).collect()
    };
    let own = names(best);
    let is_other_order = |fit: &&Fit<'_>| (names(fit) == own || !fit.source.is_other) && !is_same(fit, best);
    if let Some(other) = fits.iter().find(is_other_order) {
        let why = format!(
            "{what}, and {} and {} say two ways in which its tensors may lie: nothing tells which is right",
            shown(&best.source.file),
            shown(&other.source.file)
        );
        return Err(failed(&why, Vec::new()));
    }
    make(best, &data, known, limits, paths, prefix).map_err(|why| failed(&why, Vec::new()))
}

/// How many shards there are: by the header, or by the names of the files.
fn count_of(prefix: &Prefix, places: &Places, known: Option<&Index>, limits: &Limits) -> Result<i32, String> {
    if let Some(count) = known.map(|known| known.header.num_shards).filter(|count| (1..=limits.shards).contains(count))
    {
        return Ok(count);
    }
    let base = prefix.base_name().to_string_lossy().into_owned();
    let of = |file: &PathBuf| {
        let name = name_of(file);
        let rest = name.strip_prefix(&base)?;
        let whole = rest.find(".tempstate").filter(|at| rest.get(*at..).is_some_and(is_unfinished));
        ShardName::parse(whole.and_then(|at| rest.get(..at)).unwrap_or(rest)).map(|shard| shard.of)
    };
    let counts: BTreeSet<u32> = places.files.iter().filter_map(of).collect();
    match counts.into_iter().collect::<Vec<_>>().as_slice() {
        [] => Err("neither the index of this checkpoint nor its data is there".to_owned()),
        [only] => i32::try_from(*only)
            .ok()
            .filter(|count| (1..=limits.shards).contains(count))
            .ok_or_else(|| "its data is named after an impossible number of shards".to_owned()),
        _ => {
            Err("the index of this checkpoint is lost, and its data is named after several numbers of shards"
                .to_owned())
        }
    }
}

/// Where the tensors of a plan lie, if they are all that the data holds.
fn fit(
    source: &plans::Source,
    data: &[Option<Arc<Source>>],
    known: Option<&Index>,
    limits: &Limits,
) -> Result<Vec<Option<Vec<Spot>>>, String> {
    let shards = &source.plan.shards;
    if shards.len() != data.len() {
        return Err(format!("it writes {} shards, and there are {}", shards.len(), data.len()));
    }
    let mut planned: BTreeSet<Vec<u8>> = BTreeSet::new();
    for saved in shards.iter().flatten() {
        if !planned.insert(key(saved)) {
            return Err("it names one tensor twice".to_owned());
        }
        planned.insert(saved.name.clone());
    }
    if let Some(other) = known.and_then(|known| known.entries.keys().find(|key| !planned.contains(*key))) {
        return Err(format!("it does not save {}, which is there", crate::base::escape::escaped(other)));
    }
    let one = |(saved, file): (&Vec<Saved>, &Option<Arc<Source>>)| {
        let at = |saved: &Saved| {
            let entry = known?.entries.get(&key(saved))?;
            let range = entry.range().ok()?;
            Some((range.start, range.end.saturating_sub(range.start)))
        };
        file.as_ref().map(|file| place(saved, file, &at, limits)).transpose()
    };
    shards.iter().zip(data).map(one).collect()
}

fn key(saved: &Saved) -> Vec<u8> {
    saved.part.as_ref().map_or_else(|| saved.name.clone(), |part| slice_key(&saved.name, &part.slice))
}

fn is_same(a: &Fit<'_>, b: &Fit<'_>) -> bool {
    let what = |fit: &Fit<'_>| -> Vec<(Vec<u8>, crate::read::tensor::DType)> {
        fit.source.plan.shards.iter().flatten().map(|saved| (key(saved), saved.dtype)).collect()
    };
    a.shards == b.shards && what(a) == what(b)
}

/// The set that a plan makes.
fn make(
    fit: &Fit<'_>,
    data: &[Option<Arc<Source>>],
    known: Option<&Index>,
    limits: &Limits,
    paths: Vec<PathBuf>,
    prefix: &Prefix,
) -> Result<Set, String> {
    let mut set = Set { shards: paths, read: vec![fit.source.file.clone()], ..Set::default() };
    if let Some(known) = known {
        set.entries.clone_from(&known.entries);
        set.did.extend(known.did.iter().cloned());
        set.read.push(known.file.clone());
        set.big_endian = known.header.big_endian;
    }
    let mut full: BTreeMap<Vec<u8>, BundleEntry> = BTreeMap::new();
    let mut made = BTreeSet::new();
    let shards = fit.source.plan.shards.iter().zip(&fit.shards).zip(data);
    for (shard, ((saved, spots), file)) in (0..).zip(shards) {
        let (Some(spots), Some(file)) = (spots, file) else {
            let path = set.shards.get(usize::try_from(shard).unwrap_or(0)).map(|path| shown(path)).unwrap_or_default();
            let why = format!("{path} is missing");
            set.lost.extend(saved.iter().map(|one| Lost { name: Some(one.name.clone()), why: why.clone() }));
            continue;
        };
        for (one, spot) in saved.iter().zip(spots) {
            let key = key(one);
            if let Some(part) = &one.part {
                let whole = full.entry(one.name.clone()).or_insert_with(|| BundleEntry {
                    dtype: one.dtype,
                    shape: part.full.clone(),
                    shard_id: shard,
                    offset: 0,
                    size: 0,
                    crc32c: MaskedCrc(0),
                    slices: Vec::new(),
                });
                whole.slices.push(part.slice.clone());
            }
            if set.entries.contains_key(&key) {
                continue;
            }
            set.entries.insert(key.clone(), entry(one, spot, shard, file, limits)?);
            set.fresh.insert(key);
            made.insert(one.name.clone());
        }
    }
    for (name, whole) in full {
        set.entries.entry(name).or_insert(whole);
    }
    set.lost.dedup();
    if fit.source.is_other {
        set.notes.push(format!(
            "names and shapes are those of {}, by which the data has exactly the length that it has",
            shown(&fit.source.file)
        ));
    }
    let (file, by) = (prefix.index(), fit.source.file.clone());
    set.did.push(Did::Index { file, by, tensors: made.len() });
    Ok(set)
}
