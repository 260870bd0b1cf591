//! An index that is missing by its name is looked for by what it says: the data must be as long as its entries need.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::limits::Limits;
use crate::read::bundle::{Bundle, BundleEntry, Entries, Prefix};
use crate::read::storage::{self, Folder};

/// How many files are looked into.
const MOST: usize = 64;
/// Larger files are not read only to find out what they are.
const LARGEST: u64 = 64 << 20;

/// The file that says what the data of `prefix` holds: beside it under another name, or where a saver was interrupted.
pub(super) fn find(prefix: &Prefix, folder: &Folder, limits: &Limits) -> Option<PathBuf> {
    let base = prefix.base_name().to_str()?;
    let data = format!("{base}.data-");
    let mut shards = BTreeMap::new();
    let mut of = None;
    for (name, stat) in folder.beginning_with(&data) {
        let (id, all) = name.strip_prefix(&data)?.split_once("-of-")?;
        let (Ok(id), Ok(all)) = (id.parse::<i32>(), all.parse::<i32>()) else { continue };
        of = Some(all);
        shards.insert(id, stat.len);
    }
    let of = of?;
    let fits = |file: &PathBuf| {
        let Ok((bundle, parts)) = Bundle::read_file(file, prefix, limits, Ends::default) else { return false };
        let mut ends: BTreeMap<i32, u64> = BTreeMap::new();
        for (shard, end) in parts.into_iter().flat_map(|part| part.0) {
            let longest = ends.entry(shard).or_default();
            *longest = end.max(*longest);
        }
        let is_long = |(id, len): (&i32, &u64)| ends.get(id).copied().unwrap_or(0) == *len;
        bundle.header().num_shards == of && bundle.damage().is_empty() && shards.iter().all(is_long)
    };
    let may_be = |dir: &Folder, name: &str| {
        let stat = dir.get(name).filter(|stat| stat.is_regular() && stat.len >= 48 && stat.len <= LARGEST);
        // An index that has its own data is that of another checkpoint.
        let has_data = |stem: &str| dir.beginning_with(&format!("{stem}.data-")).next().is_some();
        stat.is_some() && !name.contains(".data-") && !name.strip_suffix(".index").is_some_and(has_data)
    };
    let in_folder = |dir: &Folder| -> Vec<PathBuf> {
        let names = dir.names().filter(|name| may_be(dir, name));
        names.take(MOST).map(|name| dir.path().join(name)).collect()
    };
    let mut candidates = in_folder(folder);
    // What is named alike comes first.
    candidates.sort_by_key(|file| !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(base)));
    let is_temporary = |name: &str| name.strip_prefix(base).is_some_and(|rest| rest.starts_with("_temp"));
    for (name, _) in folder.named().filter(|(name, stat)| stat.is_folder() && is_temporary(name)).take(8) {
        candidates.extend(in_folder(&storage::list(&folder.path().join(name)).unwrap_or_default()));
    }
    candidates.into_iter().take(MOST).find(fits)
}

/// Where entries end, in which shard.
#[derive(Default)]
struct Ends(BTreeMap<i32, u64>);

impl Entries for Ends {
    fn add(&mut self, _: &[u8], entry: &BundleEntry) {
        let (Ok(start), Ok(len)) = (u64::try_from(entry.offset), u64::try_from(entry.size)) else { return };
        let end = self.0.entry(entry.shard_id).or_default();
        *end = start.saturating_add(len).max(*end);
    }
}
