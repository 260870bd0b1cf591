//! Data of another shard or another save, proved by what lies nearby: an index that has the checksums of these bytes, or
//! a file that has the bytes of these checksums.
//!
//! Nearby is the directory of the checkpoint, and the directories that savers leave in it when they are interrupted.

use std::path::{Path, PathBuf};

use super::{AMID_OTHERS, TELLING, Wrong};
use crate::analysis::finding::{Code, Finding, OtherSave};
use crate::analysis::forensics::{crc_of_zeros, single_bit};
use crate::analysis::recover::beside;
use crate::analysis::validate::entries::StoredPiece;
use crate::analysis::validate::shard_files::file_name;
use crate::base::limits::Limits;
use crate::read::bundle::{Bundle, BundleEntry, Entries, Prefix};
use crate::read::checkpoint::Checkpoint;
use crate::read::storage::Source;
use crate::read::wire::Crc32c;

/// How many bytes of another file are read to compare it.
const READ: u64 = 256 << 20;

/// What other files say of the wrong pieces of one.
#[derive(Default)]
pub(super) struct Elsewhere<'c> {
    /// Causes that lie in other files, each with the pieces that it explains.
    pub(super) causes: Vec<(Finding, Vec<Wrong<'c>>)>,
    /// A file that has the right bytes of some pieces, which is a way to repair them and says nothing of the cause.
    pub(super) copy: Option<(PathBuf, Vec<Wrong<'c>>)>,
}

/// Looks at what lies nearby. What a cause explains is taken out of `left`. `good` is what can differ between two saves
/// and is right: with it a file that has the right bytes of the rest may be a copy of this one.
pub(super) fn explain<'c>(
    checkpoint: &Checkpoint,
    path: &Path,
    good: &[Wrong<'c>],
    left: &mut Vec<Wrong<'c>>,
) -> Elsewhere<'c> {
    let mut found = Elsewhere::default();
    let is_mixed = !good.is_empty();
    if !left.iter().any(|(piece, _)| piece.len > TELLING) {
        found.causes.extend(of_scalars(checkpoint, path, left));
        return found;
    }
    let all = left.len();
    let nearby = beside(&checkpoint.origin().prefix);
    let own: Vec<PathBuf> = (0..checkpoint.num_shards().min(1024)).map(|id| checkpoint.file(id)).collect();
    // The file that should be here lies there, under the name of another shard or of another save.
    let elsewhere = nearby.iter().filter(|file| file.as_path() != path && !is_index(file));
    let matching = |file: &PathBuf| held(file, left.iter().copied(), |(piece, _)| piece.crc);
    let right = elsewhere.map(|file| (file, matching(file))).max_by_key(|(_, held)| bytes(held));
    let right = right.filter(|(_, held)| is_telling(held, |(piece, _)| piece.crc));
    if let Some((file, held)) = &right
        && own.contains(file)
        // Constants are alike in any shard.
        && bytes(held) >= bytes(left) / 2
    {
        let certain = of_all(held.len(), all, "match their checksums in the other file");
        let finding = of_another_shard(path, file, certain);
        let explained = take(left, held);
        found.causes.push((finding, explained));
        return found;
    }
    // Some of the pieces alone may be the same in many saves.
    let right = match right {
        Some((file, held)) if is_mixed || held.len() < all => {
            found.copy = Some((file.clone(), held));
            None
        }
        right => right,
    };
    // What lies here belongs to the index of another save, or of several.
    let mut indexes: Vec<(&PathBuf, Vec<Wrong<'c>>)> = Vec::new();
    let mut open = left.clone();
    for _ in 0..4 {
        let others = nearby.iter().filter(|file| is_index(file) && **file != checkpoint.described_by());
        let best = others
            .map(|file| (file, entered(file, &open, checkpoint.limits())))
            .max_by_key(|(_, matched)| bytes(matched));
        let Some((file, matched)) = best.filter(|(_, matched)| is_telling(matched, |(_, got)| *got)) else { break };
        take(&mut open, &matched);
        indexes.push((file, matched));
    }
    if right.is_none() && indexes.is_empty() {
        return found;
    }
    let mut certain = Vec::new();
    for (file, matched) in &indexes {
        let what = format!("have the checksums in {}", shown(file, path));
        certain.push(of_all(matched.len(), all, &what));
    }
    if let Some((file, held)) = &right {
        certain.push(of_all(held.len(), all, &format!("are in {} as this index has them", shown(file, path))));
    }
    let explained = indexes.iter().map(|(_, matched)| bytes(matched)).sum::<u64>();
    // What is right here as well may be what both saves have in common, such as frozen layers: then all is of the other.
    let is_all_of = |file: &PathBuf, n: usize| n == all && entered(file, good, checkpoint.limits()).len() == good.len();
    let is_mixed = is_mixed && !indexes.iter().any(|(file, matched)| is_all_of(file, matched.len()));
    let message = match &right {
        Some((file, _)) if indexes.is_empty() => {
            format!("the data of this index is in {}; {} holds something else", shown(file, path), file_name(path))
        }
        _ if is_mixed || explained < bytes(left) / 2 => {
            format!("{} holds tensors of another save than its index", file_name(path))
        }
        _ => format!("{} does not belong to this index but to another save", file_name(path)),
    };
    let finding = Finding::new(Code::MispairedData, message).in_file(path);
    let likely = "files of two saves were mixed in a copy, two programs saved under one name, or a save was interrupted \
                  while files were replaced";
    let mut help = Vec::new();
    help.extend(right.as_ref().map(|(file, _)| format!("the data of this index is {}", shown(file, path))));
    help.extend(indexes.iter().map(|(file, _)| {
        let index = shown(file, path);
        if is_mixed {
            format!("what differs belongs to {index}, the rest to this index")
        } else {
            format!("the index of this data is {index}")
        }
    }));
    if is_mixed && right.is_none() {
        help.push("fetch this file again".to_owned());
    }
    // The data of every shard of one save has one prefix.
    let prefix = |file: &PathBuf| Prefix::of_member(file).map_or_else(|| file.clone(), |p| p.as_path().to_path_buf());
    let of_data = right.iter().map(|(file, _)| OtherSave::Data(prefix(file)));
    let saves: Vec<OtherSave> =
        of_data.chain(indexes.iter().map(|(file, _)| OtherSave::Index((*file).clone()))).collect();
    let finding = finding.because(certain.join("; "), Some(likely.to_owned())).of_saves(saves);
    let finding = finding.with_help(help.join("; "));
    let mut explained = Vec::new();
    for (_, matched) in &indexes {
        explained.extend(take(left, matched));
    }
    // The right data proves that this is not it; what it holds is explained although nobody has seen it here.
    if let Some((_, held)) = &right {
        explained.extend(take(left, held));
    }
    found.causes.push((finding, explained));
    found
}

/// The data of another shard of the set, where only that file's length or its scalars would tell: another one has what
/// should be in this one.
pub(super) fn swapped(checkpoint: &Checkpoint, path: &Path, own: &[StoredPiece]) -> Option<Finding> {
    const SHARDS: i32 = 256;
    let mut others = (0..checkpoint.num_shards().min(SHARDS)).map(|id| checkpoint.file(id)).filter(|file| file != path);
    let (file, held) = others.find_map(|file| holds(&file, own).map(|held| (file, held)))?;
    let tensors = if held.proved == 1 {
        "the tensor that was tried matches its checksum".to_owned()
    } else {
        format!("the {} tensors that were tried match their checksums", held.proved)
    };
    Some(of_another_shard(path, &file, format!("{tensors} in the other file")))
}

fn of_another_shard(path: &Path, file: &Path, certain: String) -> Finding {
    let message = format!("{} holds the data of another shard; its own is in {}", file_name(path), file_name(file));
    let likely = "the files were renamed or downloaded under each other's names".to_owned();
    let finding = Finding::new(Code::SwappedShards, message).in_file(path).because(certain, Some(likely)).held_by(file);
    finding.with_help("give the shards each other's names")
}

/// Scalars alone tell nothing of their file, but for an index nearby that has all of their values.
fn of_scalars<'c>(
    checkpoint: &Checkpoint,
    path: &Path,
    left: &mut Vec<Wrong<'c>>,
) -> Option<(Finding, Vec<Wrong<'c>>)> {
    let nearby = beside(&checkpoint.origin().prefix);
    let mut others = nearby.iter().filter(|file| is_index(file) && **file != checkpoint.described_by());
    let is_value = |(piece, got): &Wrong<'_>| got.0 != crc_of_zeros(piece.len);
    let has_all =
        |file: &&PathBuf| left.iter().any(is_value) && entered(file, left, checkpoint.limits()).len() == left.len();
    let file = others.find(has_all)?;
    let message = format!("{} holds tensors of another save than its index", file_name(path));
    let certain = of_all(left.len(), left.len(), &format!("have the checksums in {}", shown(file, path)));
    let likely = "files of two saves were mixed between which little else changed";
    let finding = Finding::new(Code::MispairedData, message).in_file(path).because(certain, Some(likely.to_owned()));
    let finding = finding.of_saves([OtherSave::Index(file.clone())]);
    let finding = finding.with_help(format!("the index of this data is {}", shown(file, path)));
    Some((finding, std::mem::take(left)))
}

/// "all 9 tensors that differ …", "7 of the 9 tensors that differ …".
fn of_all(some: usize, all: usize, what: &str) -> String {
    if some == all && all == 1 {
        format!("the tensor that differs: its bytes {what}")
    } else if some == all {
        format!("all {all} tensors that differ {what}")
    } else {
        format!("{some} of the {all} tensors that differ {what}")
    }
}

fn bytes(pieces: &[Wrong<'_>]) -> u64 {
    pieces.iter().map(|(piece, _)| piece.len).sum()
}

/// Whether the match of so many bytes cannot be chance: zeros match zeros anywhere, and a counter another counter.
fn is_telling(pieces: &[Wrong<'_>], sum: impl Fn(&Wrong<'_>) -> Crc32c) -> bool {
    pieces.iter().any(|wrong| wrong.0.len > TELLING && sum(wrong).0 != crc_of_zeros(wrong.0.len))
}

/// Takes some pieces out of all.
fn take<'c>(left: &mut Vec<Wrong<'c>>, some: &[Wrong<'c>]) -> Vec<Wrong<'c>> {
    let is_in = |wrong: &Wrong<'c>| some.iter().any(|(piece, _)| std::ptr::eq(*piece, wrong.0));
    let (taken, rest) = std::mem::take(left).into_iter().partition(is_in);
    *left = rest;
    taken
}

/// A file nearby as a user would write it from the directory of the other: with its directory where that is another.
fn shown(file: &Path, beside: &Path) -> String {
    match file.parent().filter(|dir| Some(*dir) != beside.parent()).and_then(Path::file_name) {
        Some(dir) => format!("{}/{}", file_name(Path::new(dir)), file_name(file)),
        None => file_name(file),
    }
}

fn is_index(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "index")
}

/// The pieces whose bytes, as they are here, another index has at the same place.
fn entered<'c>(file: &Path, wrong: &[Wrong<'c>], limits: &Limits) -> Vec<Wrong<'c>> {
    let Some(prefix) = Prefix::of_member(file) else { return Vec::new() };
    let make = || Probed { wrong, met: vec![false; wrong.len()] };
    let Ok((_, parts)) = Bundle::read(&prefix, limits, make) else { return Vec::new() };
    let met = |n: usize| parts.iter().any(|part| part.met.get(n) == Some(&true));
    wrong.iter().enumerate().filter(|(n, _)| met(*n)).map(|(_, wrong)| *wrong).collect()
}

/// Which pieces an index has entries for.
struct Probed<'p, 'c> {
    wrong: &'p [Wrong<'c>],
    met: Vec<bool>,
}

impl Entries for Probed<'_, '_> {
    fn add(&mut self, _: &[u8], entry: &BundleEntry) {
        let (Ok(start), Ok(len)) = (u64::try_from(entry.offset), u64::try_from(entry.size)) else { return };
        // Pieces come sorted by where they lie.
        let first = self.wrong.partition_point(|(piece, _)| piece.start < start);
        for n in first..self.wrong.len() {
            let Some((piece, got)) = self.wrong.get(n).filter(|(piece, _)| piece.start == start) else { break };
            if piece.len == len
                && entry.crc32c.unmasked() == *got
                && let Some(met) = self.met.get_mut(n)
            {
                *met = true;
            }
        }
    }
}

/// The pieces that another file has at the same place, by the checksum that each should have.
fn held<'c>(file: &Path, wrong: impl Iterator<Item = Wrong<'c>>, sum: impl Fn(&Wrong<'c>) -> Crc32c) -> Vec<Wrong<'c>> {
    let Ok(source) = Source::open(file) else { return Vec::new() };
    let mut left = READ;
    let mut misses = 0;
    let mut found = Vec::new();
    for wrong in wrong {
        let piece = wrong.0;
        // A file that has nothing of the first pieces has nothing of the others.
        if piece.end() > source.len() || piece.len > left || (misses >= 8 && found.is_empty()) {
            continue;
        }
        left -= piece.len;
        if has(&source, piece, sum(&wrong)) {
            found.push(wrong);
        } else {
            misses += 1;
        }
    }
    found
}

fn has(source: &Source, piece: &StoredPiece, sum: Crc32c) -> bool {
    source.crc32c(piece.start..piece.end()).ok() == Some(sum)
}

/// What of some pieces is in another file, which is then their file, whatever it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::analysis::validate) struct Held {
    /// How many match their checksums there; zeros and scalars prove nothing and are not tried.
    pub(in crate::analysis::validate) proved: usize,
    /// How many differ there by a single bit each.
    pub(in crate::analysis::validate) flipped: usize,
}

/// Whether another file has the bytes of these pieces, but for single bits.
pub(in crate::analysis::validate) fn holds(file: &Path, pieces: &[StoredPiece]) -> Option<Held> {
    const TRIED: usize = 16;
    let source = Source::open(file).ok()?;
    let end = pieces.iter().map(StoredPiece::end).max()?;
    if source.len() < end {
        return None;
    }
    // Four bytes match by chance once in four billion; that they are the same in another save is no matter here.
    let is_tried = |piece: &&StoredPiece| {
        !piece.is_variable && (4..=READ).contains(&piece.len) && piece.crc.0 != crc_of_zeros(piece.len)
    };
    let mut tried: Vec<&StoredPiece> = pieces.iter().filter(is_tried).collect();
    // Spread over the file, the longest first.
    tried.sort_by_key(|piece| std::cmp::Reverse(piece.len));
    tried.truncate(TRIED);
    let mut held = Held::default();
    for piece in &tried {
        let got = source.crc32c(piece.start..piece.end()).ok()?;
        if got == piece.crc {
            held.proved += 1;
        } else {
            single_bit(piece.crc.0, got.0, piece.len).filter(|flip| flip.unique && flip.odds < AMID_OTHERS)?;
            held.flipped += 1;
        }
    }
    // Where a bit is the rule, it is chance; where nothing else is there to try, the length speaks for it too.
    let is_own = held.flipped < held.proved || (held.flipped == 1 && tried.len() == 1 && source.len() == end);
    (is_own && !tried.is_empty()).then_some(held)
}
