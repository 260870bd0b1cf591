//! Where the bytes of every piece are: in the shard's own file, in another one, or in one of which a bit must be flipped
//! back. A piece is taken only with its checksum.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bits::{Flip, flipped};
use super::found::Did;
use super::pieces::{Piece, pieces_of, verify};
use super::places::Places;
use super::plans::{name_of, shown};
use super::set::Set;
use crate::base::error::Error;
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::bundle::sum_spans;
use crate::read::storage::{Composed, OpenFiles, Run, Source, Window};

/// Pieces of a shard that are looked for in a file of which nothing speaks but that it lies here.
const PROBED: usize = 8;

/// Above this, damage of another kind looks like one bit often enough to need a second reason.
const DOUBTFUL: f64 = 0.001;

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The shards, put together.
    pub(super) shards: Vec<Arc<Source>>,
    /// The files that they are put together of.
    pub(super) files: Vec<PathBuf>,
    pub(super) did: Vec<Did>,
    /// Keys of entries whose bytes cannot be had, with why.
    pub(super) lost: BTreeMap<Vec<u8>, String>,
}

/// Looks for all pieces of a set.
pub(super) fn find(set: &Set, places: &Places, limits: &Limits, progress: &Progress, files: &Arc<OpenFiles>) -> Found {
    let pieces = pieces_of(&set.entries);
    let mut found = Found::default();
    let own = |shard: i32| usize::try_from(shard).ok().and_then(|shard| set.shards.get(shard));
    let open = |shard: i32| {
        let path = own(shard).ok_or_else(|| Error::malformed("BundleEntryProto", "no such shard"))?;
        files.get(path)
    };
    // Pieces that lie behind the end of their file would be told with their neighbours.
    let lies = |piece: &Piece| open(piece.shard).is_ok_and(|file| piece.end() <= file.len());
    let there: Vec<Piece> = pieces.iter().filter(|piece| lies(piece)).cloned().collect();
    progress.total.fetch_add(there.iter().map(|piece| piece.len).sum(), std::sync::atomic::Ordering::Relaxed);
    let threads = limits.workers();
    let sums = sum_spans(&open, &there, threads, &progress.done);
    let mut wrong: Vec<bool> = vec![false; there.len()];
    let failed = sums.failed.into_iter().flat_map(|(range, _)| range);
    for at in sums.wrong.into_iter().map(|(at, _)| at).chain(failed) {
        if let Some(wrong) = wrong.get_mut(at) {
            *wrong = true;
        }
    }
    let is_wrong = |at: usize, piece: &Piece| {
        if piece.is_variable {
            !open(piece.shard).is_ok_and(|file| verify(&file, piece, &set.entries, set.big_endian, limits))
        } else {
            wrong.get(at).copied().unwrap_or(true)
        }
    };
    let right: BTreeSet<&[u8]> =
        there.iter().enumerate().filter(|(at, piece)| !is_wrong(*at, piece)).map(|(_, p)| p.key.as_slice()).collect();
    for (shard, path) in (0..).zip(&set.shards) {
        let (start, end) =
            (pieces.partition_point(|piece| piece.shard < shard), pieces.partition_point(|piece| piece.shard <= shard));
        let of = pieces.get(start..end).unwrap_or_default();
        let (good, open): (Vec<&Piece>, Vec<&Piece>) =
            of.iter().partition(|piece| right.contains(piece.key.as_slice()));
        let search = Search { set, places, limits, files, path, good: &good };
        search.run(open, &mut found);
    }
    let known: BTreeSet<&[u8]> = pieces.iter().map(|piece| piece.key.as_slice()).collect();
    for (key, entry) in &set.entries {
        if own(entry.shard_id).is_none() && !entry.is_partitioned() {
            found.lost.insert(key.clone(), format!("its entry names shard {}, which there is none of", entry.shard_id));
        }
        if !entry.is_partitioned() && !known.contains(key.as_slice()) {
            let why = entry.check_size().err().map_or_else(
                || "its entry contradicts itself".to_owned(),
                |error| format!("its entry contradicts itself: {error}"),
            );
            found.lost.insert(key.clone(), why);
        }
    }
    found
}

struct Search<'s> {
    set: &'s Set,
    places: &'s Places,
    limits: &'s Limits,
    files: &'s Arc<OpenFiles>,
    /// Where the shard should lie.
    path: &'s Path,
    /// What its own file has right.
    good: &'s [&'s Piece],
}

impl<'s> Search<'s> {
    fn has(&self, file: &Path, piece: &Piece) -> bool {
        let Set { entries, big_endian, .. } = self.set;
        self.files.get(file).is_ok_and(|file| verify(&file, piece, entries, *big_endian, self.limits))
    }

    fn run(&self, mut open: Vec<&'s Piece>, found: &mut Found) {
        let mut runs: Vec<Run> = Vec::new();
        let mut take = |piece: &Piece, file: &Path| {
            runs.push(Run { start: piece.start, end: piece.end(), file: file.to_path_buf() });
        };
        for piece in self.good {
            take(piece, self.path);
        }
        let mut holders: Vec<PathBuf> = Vec::new();
        for file in self.candidates() {
            if open.is_empty() {
                break;
            }
            if !self.may_have(&file, &open) {
                continue;
            }
            let (held, rest): (Vec<&Piece>, Vec<&Piece>) = open.iter().partition(|piece| self.has(&file, piece));
            open = rest;
            if held.is_empty() {
                continue;
            }
            for piece in &held {
                take(piece, &file);
            }
            found.did.push(self.told(&file, held.len(), open.is_empty()));
            holders.push(file);
        }
        let mut bits: Vec<(u64, u8)> = Vec::new();
        let mut sources: Vec<PathBuf> = vec![self.path.to_path_buf()];
        sources.extend(holders.iter().cloned());
        for (piece, file, flip) in self.flips(&sources, &mut open, &mut found.lost) {
            take(piece, file);
            bits.push((flip.byte, flip.bit));
            let Flip { byte, bit, odds } = flip;
            let tensor = Some(piece.key.clone());
            found.did.push(Did::Bit { file: file.to_path_buf(), byte, bit, tensor, odds });
        }
        for piece in open {
            let len = self.files.get(self.path).map(|file| file.len());
            let name = shown(self.path);
            let why = match len {
                Err(_) => format!("{name} is missing, and no other file has its bytes"),
                Ok(len) if piece.end() > len => {
                    format!("{name} ends before it ({len} of {} bytes)", piece.end())
                }
                Ok(_) => format!("its bytes in {name} are wrong, and neither one bit nor another file explains them"),
            };
            found.lost.entry(piece.key.clone()).or_insert(why);
        }
        let end = runs.iter().map(|run| run.end).max().unwrap_or(0);
        for run in &runs {
            if !found.files.contains(&run.file) {
                found.files.push(run.file.clone());
            }
        }
        found.shards.push(Arc::new(Composed::source(self.path, end, self.files, runs, bits)));
    }

    /// Files that may have what the shard should have: those of its name first.
    fn candidates(&self) -> Vec<PathBuf> {
        let name = name_of(self.path);
        let named: Vec<PathBuf> =
            self.places.called(&name).into_iter().filter(|file| *file != self.path).cloned().collect();
        let is_data = |file: &&PathBuf| {
            let end = file.extension().and_then(|end| end.to_str()).unwrap_or_default();
            !["index", "meta", "pb", "pbtxt"].contains(&end)
        };
        let rest = self.places.files.iter().filter(is_data);
        let rest = rest.filter(|file| *file != self.path && !named.contains(file)).cloned();
        let rest: Vec<PathBuf> = rest.collect();
        named.into_iter().chain(rest).collect()
    }

    /// Whether a file is worth being read whole: it is called like the shard, or has one of a few pieces.
    fn may_have(&self, file: &Path, open: &[&'s Piece]) -> bool {
        let Ok(source) = self.files.get(file) else { return false };
        if name_of(file).starts_with(&name_of(self.path)) {
            return true;
        }
        let mut probes: Vec<&&Piece> = open.iter().filter(|piece| piece.end() <= source.len()).collect();
        // The shortest that tell something; if there are none, what there is.
        probes.sort_by_key(|piece| (!piece.is_telling(), piece.len));
        probes.iter().take(PROBED).any(|piece| self.has(file, piece))
    }

    /// What taking pieces from another file is called.
    fn told(&self, file: &Path, tensors: usize, is_all: bool) -> Did {
        let (file, to) = (file.to_path_buf(), self.path.to_path_buf());
        if is_all && !self.good.iter().any(|piece| piece.is_worth()) {
            return Did::Renamed { file, to };
        }
        Did::Copied { file, to, tensors }
    }

    /// The pieces of which one bit is flipped in one of the files; they are taken out of `open`.
    fn flips<'f>(
        &self,
        sources: &'f [PathBuf],
        open: &mut Vec<&'s Piece>,
        lost: &mut BTreeMap<Vec<u8>, String>,
    ) -> Vec<(&'s Piece, &'f Path, Flip)> {
        let mut flips = Vec::new();
        open.retain(|piece| {
            let flip = sources.iter().find_map(|path| {
                let file = self.files.get(path).ok()?;
                let Set { entries, big_endian, .. } = self.set;
                let flip = flipped(&file, piece, entries, *big_endian, self.limits, self.files)?;
                Some((*piece, path.as_path(), flip))
            });
            flips.extend(flip);
            flip.is_none()
        });
        // Where more is wrong than single bits, a large piece may look like one by chance.
        let is_other_damage = !open.is_empty();
        let (doubted, sure): (Vec<_>, Vec<_>) = flips.into_iter().partition(|(piece, path, flip)| {
            flip.odds > DOUBTFUL && (is_other_damage || self.has_page_of_zeros(path, piece))
        });
        for (piece, _, flip) in doubted {
            let n = (1.0 / flip.odds).round();
            let why = format!(
                "one bit would explain its checksum, as it does by chance once in {n} in so many bytes; but there is \
                 other damage beside it"
            );
            lost.insert(piece.key.clone(), why);
            open.push(piece);
        }
        sure
    }

    /// Whether a whole page of a piece is zeros: it may never have been written.
    fn has_page_of_zeros(&self, path: &Path, piece: &Piece) -> bool {
        const PAGE: u64 = 4096;
        let Ok(file) = self.files.get(path) else { return false };
        let mut window = Window::default();
        let mut at = piece.start.next_multiple_of(PAGE);
        while at.saturating_add(PAGE) <= piece.end() {
            let end = at.saturating_add(PAGE * 64).min(piece.end());
            let Ok(bytes) = file.slice(at..end, &mut window) else { return false };
            if bytes.chunks_exact(4096).any(|page| page.iter().all(|byte| *byte == 0)) {
                return true;
            }
            at = at.saturating_add(PAGE * 64);
        }
        false
    }
}
