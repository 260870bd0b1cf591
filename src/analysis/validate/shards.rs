//! The files of the set: each shard there, long enough, of the right kind and name, and every byte of it claimed.

use std::path::Path;

use super::entries::StoredPiece;
use super::shard_files::{ShardFiles, affected, file_name, names_of};
use super::{Counts, Validation, lost_shards};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::survey::files::{POINTER, foreign};
use crate::base::escape::escaped;
use crate::read::bundle::ShardName;
use crate::read::checkpoint::Checkpoint;
use crate::read::formats::bundle::BundleFiles;
use crate::read::storage::{self, Stat};

/// How many shards are looked for; a header may claim two billion.
const MOST: i32 = 1 << 16;

/// Checks the files of the shards. Reads names, lengths and (unless `quick`) first bytes.
pub(super) fn check(
    checkpoint: &Checkpoint,
    pieces: &[StoredPiece],
    quick: bool,
    result: &mut Validation,
) -> ShardFiles {
    let mut files = ShardFiles::default();
    let of = checkpoint.num_shards();
    let index = u64::from(checkpoint.index_file().is_some());
    result.add(Counts { files: index + u64::from(of.min(MOST).unsigned_abs()), ..Counts::default() });
    // Shards have no header that says what they are, and names that say how many there must be.
    let has_shards = checkpoint.of_format::<BundleFiles>().is_some();
    let beside = if has_shards { Beside::look(checkpoint) } else { Beside::default() };
    let looked_into = if quick { POINTER } else { 1 << 20 };
    let mut missing = 0u32;
    for id in 0..of.min(MOST) {
        let path = checkpoint.file(id);
        let own = of_shard(pieces, id);
        let needed = own.iter().map(StoredPiece::end).max().unwrap_or(0);
        let Some(len) = storage::stat(&path).ok().filter(Stat::is_regular).map(|stat| stat.len) else {
            missing += 1;
            files.broken.insert(id, Code::MissingShard);
            if missing <= 20 {
                let found = (!quick).then(|| lost_shards::find(checkpoint, &path, own)).flatten();
                result.used.extend(found.iter().map(|found| found.file.clone()));
                let finding = missing_shard(checkpoint, &path, own, &beside);
                result.push(match &found {
                    Some(found) => lost_shards::told(finding, &path, found),
                    None => finding,
                });
            }
            continue;
        };
        if let Some(looks) = foreign(&path, len, needed, looked_into).filter(|_| has_shards) {
            let message = format!("{} is {}", file_name(&path), looks.what);
            files.broken.insert(id, Code::ForeignShard);
            result.push(
                Finding::new(Code::ForeignShard, message)
                    .in_file(&path)
                    .with_help(looks.advice)
                    .because("its first bytes say so", None),
            );
            continue;
        }
        if len < needed {
            files.broken.insert(id, Code::ShortShard);
            files.short.insert(id, len);
            result.push(short_shard(checkpoint, &path, len, needed, own));
            continue;
        }
        if has_shards {
            unreferenced(&path, len, own, result);
        }
    }
    if missing > 20 {
        let message = format!("{} more shards are missing", missing - 20);
        result.push(Finding::new(Code::MissingShard, message));
    }
    let surplus = beside.findings(checkpoint, missing > 0);
    let is_used = |finding: &Finding| finding.file.as_ref().is_some_and(|path| result.used.contains(path));
    let surplus: Vec<Finding> = surplus.into_iter().filter(|finding| !is_used(finding)).collect();
    result.findings.extend(surplus);
    files
}

/// The pieces of one shard; `pieces` is sorted by shard.
fn of_shard(pieces: &[StoredPiece], id: i32) -> &[StoredPiece] {
    let start = pieces.partition_point(|piece| piece.shard < id);
    let end = pieces.partition_point(|piece| piece.shard <= id);
    pieces.get(start..end).unwrap_or_default()
}

/// Data shards of this prefix that the index does not count.
#[derive(Default)]
struct Beside {
    surplus: Vec<(String, ShardName)>,
    /// The number of shards in their names, if they agree.
    other_count: Option<u32>,
}

impl Beside {
    fn look(checkpoint: &Checkpoint) -> Self {
        let prefix = &checkpoint.origin().prefix;
        let of = checkpoint.num_shards().unsigned_abs();
        let base = prefix.base_name().to_str().unwrap_or_default().to_owned();
        let mut surplus: Vec<(String, ShardName)> = storage::names(&prefix.directory())
            .unwrap_or_default()
            .into_iter()
            .filter_map(|name| {
                let shard = ShardName::parse(name.strip_prefix(&base)?)?;
                (shard.of != of || shard.id >= of).then_some((name, shard))
            })
            .collect();
        surplus.sort();
        let mut counts: Vec<u32> = surplus.iter().map(|(_, shard)| shard.of).collect();
        counts.dedup();
        let other_count = if let [only] = counts.as_slice() { Some(*only) } else { None };
        Self { surplus, other_count }
    }

    /// A finding for each. Where shards are missing, those of another number are told with them.
    fn findings(&self, checkpoint: &Checkpoint, is_missing: bool) -> Vec<Finding> {
        let of = checkpoint.num_shards();
        let shards = if of == 1 { "shard" } else { "shards" };
        let told = self.surplus.iter().filter(|(_, shard)| !is_missing || Some(shard.of) != self.other_count);
        let finding = |(name, _): &(String, ShardName)| {
            let path = checkpoint.origin().prefix.directory().join(name);
            let message = format!("{} is not counted by the index, which has {of} {shards}", escaped(name.as_bytes()));
            let help = "left over from an earlier save with another number of shards; keep it until you know that this \
                        checkpoint is whole: it may be all that is left of that save";
            Finding::new(Code::SurplusShard, message).in_file(path).with_help(help)
        };
        told.map(finding).collect()
    }
}

/// Data shards of the checkpoint's prefix that its index does not count.
pub(in crate::analysis) fn surplus(checkpoint: &Checkpoint) -> Vec<Finding> {
    if checkpoint.of_format::<BundleFiles>().is_none() {
        return Vec::new();
    }
    let of = checkpoint.num_shards();
    let is_missing = (0..of.min(MOST)).any(|id| !storage::is_file(&checkpoint.file(id)));
    Beside::look(checkpoint).findings(checkpoint, is_missing)
}

fn missing_shard(checkpoint: &Checkpoint, path: &Path, own: &[StoredPiece], beside: &Beside) -> Finding {
    let of = checkpoint.num_shards();
    if let Some(other) = beside.other_count {
        let message = format!("{} is missing, but there are shards named -of-{other:05}", file_name(path));
        let finding = Finding::new(Code::ShardCountMismatch, message).in_file(path);
        let fewer = other < of.unsigned_abs();
        let certain = format!("the index counts {of} shards, the files are named after {other}");
        // MergeV2Checkpoints sums the shards of its inputs but names the files after those that hold something.
        let likely = if fewer {
            "a sharded save in which one part was empty (TensorFlow cannot read its own result), or data of another save"
        } else {
            "index and data come from different saves"
        };
        return finding.because(certain, Some(likely.to_owned())).with_help("find the index and data of one save");
    }
    let lost = affected(checkpoint, own.iter());
    // A directory, a FIFO or a device is never opened.
    let what = if storage::exists(path) { "is not a file" } else { "is missing" };
    let message = format!("{} {what}{lost}", file_name(path));
    let finding = Finding::new(Code::MissingShard, message).in_file(path);
    let finding = Finding { explains: names_of(checkpoint, own.iter()), ..finding };
    finding.with_help("fetch it again, under exactly this name")
}

fn short_shard(checkpoint: &Checkpoint, path: &Path, len: u64, needed: u64, own: &[StoredPiece]) -> Finding {
    let cut = || own.iter().filter(|piece| piece.end() > len);
    let lost = affected(checkpoint, cut());
    let message = format!("{} has {len} bytes, its index places tensors up to {needed}{lost}", file_name(path));
    let mut finding = Finding::new(Code::ShortShard, message).in_file(path).with_help("fetch the file again");
    (finding.expected, finding.found, finding.offset) = (Some(needed.to_string()), Some(len.to_string()), Some(len));
    finding.explains = names_of(checkpoint, cut());
    let certain = format!("{} bytes are missing at the end", needed - len);
    finding.because(certain, Some("an interrupted copy or download, or a full disk".to_owned()))
}

/// Bytes that no tensor claims. An alignment leaves zeros between tensors; anything else is worth knowing.
fn unreferenced(path: &Path, len: u64, own: &[StoredPiece], result: &mut Validation) {
    let mut at = 0u64;
    let mut gaps: Vec<(u64, u64)> = Vec::new();
    for piece in own {
        if piece.start > at {
            gaps.push((at, piece.start));
        }
        at = at.max(piece.end());
    }
    if at < len {
        gaps.push((at, len));
    }
    // Alignments are powers of two up to a page.
    let large = |(start, end): &&(u64, u64)| end - start >= 4096 || *end == len;
    let unexplained: Vec<&(u64, u64)> = gaps.iter().filter(large).collect();
    let Some((start, _)) = unexplained.first() else { return };
    let bytes: u64 = unexplained.iter().map(|(start, end)| end - start).sum();
    let places = if unexplained.len() == 1 { String::new() } else { format!(" in {} places", unexplained.len()) };
    let message = format!("{} has {bytes} bytes that no tensor claims{places}, from offset {start}", file_name(path));
    let mut finding = Finding::new(Code::UnreferencedBytes, message).in_file(path);
    finding.offset = Some(*start);
    result.push(finding);
}
