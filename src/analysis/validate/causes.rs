//! What happened to tensors whose bytes are wrong: as far as bytes and checksums tell, certain kept apart from likely.
//!
//! Shard by shard: if nothing in it matches, it is probably the wrong shard, and its neighbours are tried for the right
//! one; else each tensor is looked at for a hole of zeros or a flipped bit. Every wrong tensor gets its finding.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Validation;
use super::bytes::{Mismatch, Outcome, piece_name};
use super::entries::StoredPiece;
use super::shards::{ShardFiles, affected};
use crate::analysis::derived::derived;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::forensics::{BitFlip, LineEnds, Mangled, looks_mangled_by_text_mode, single_bit};
use crate::bundle::{Bundle, BundleEntry, Entries, Prefix};
use crate::checkpoint::Checkpoint;
use crate::escape::Escaped;
use crate::limits::Limits;
use crate::storage::Source;
use crate::wire::Crc32c;

/// Explains the mismatches and adds a finding for each wrong tensor.
pub(super) fn explain(
    checkpoint: &Checkpoint,
    pieces: &[StoredPiece],
    sums: Outcome,
    shards: &ShardFiles,
    result: &mut Validation,
) {
    let mut by_shard: BTreeMap<i32, Vec<Mismatch>> = BTreeMap::new();
    for mismatch in sums.mismatches {
        if let Some(piece) = pieces.get(mismatch.piece) {
            by_shard.entry(piece.shard).or_default().push(mismatch);
        }
    }
    // A shard that lost bytes in a text-mode transfer is short; it may have no mismatch that could be summed.
    for (shard, code) in &shards.broken {
        if *code == Code::ShortShard {
            by_shard.entry(*shard).or_default();
        }
    }
    for (shard, mismatches) in by_shard {
        let good = sums.good.get(&shard).copied().unwrap_or(0);
        let foreign = shards.broken.get(&shard) == Some(&Code::ForeignShard);
        let evidence = Evidence { checkpoint, pieces, shard, mismatches, good, foreign };
        evidence.explain(result);
    }
}

/// The wrong pieces of one shard.
struct Evidence<'c> {
    checkpoint: &'c Checkpoint,
    pieces: &'c [StoredPiece],
    shard: i32,
    mismatches: Vec<Mismatch>,
    good: usize,
    /// The file is no shard at all, which is said already.
    foreign: bool,
}

impl Evidence<'_> {
    fn path(&self) -> PathBuf {
        self.checkpoint.file(self.shard)
    }

    fn wrong(&self) -> impl Iterator<Item = (&StoredPiece, Crc32c)> {
        self.mismatches.iter().filter_map(|m| Some((self.pieces.get(m.piece)?, m.got)))
    }

    fn explain(&self, result: &mut Validation) {
        let path = self.path();
        if self.foreign {
            self.mismatches(&path, result);
            return;
        }
        let Ok(source) = Source::open(&path) else { return };
        let whole = text_mode(&source, self.needed()).map(|(code, certain, likely)| {
            let message = format!("{} went through a text-mode transfer", name_of(&path));
            let finding = Finding::new(code, message).in_file(&path).because(certain, Some(likely));
            finding.with_help("transfer it again in binary mode")
        });
        let whole = whole.or_else(|| if self.good == 0 { self.wrong_file(&path) } else { None });
        let cause = whole.as_ref().map(|finding| finding.code);
        result.findings.extend(whole);
        let holes = if cause.is_none() { self.holes(&source) } else { Vec::new() };
        for hole in &holes {
            result.push(self.hole_finding(&path, hole));
        }
        // Without a cause for the whole file: everything wrong in it at once is one event, not many.
        let several = self.mismatches.len() > 1 && self.good == 0 && holes.is_empty();
        if cause.is_none() && several && !self.flips().any(|flip| flip.is_some()) {
            let n = self.mismatches.len();
            let message = format!("none of the {n} tensors in {} is what the index says", name_of(&path));
            let certain = "every size fits and every checksum differs".to_owned();
            let likely = "index and data come from different saves, or the shard was overwritten".to_owned();
            let finding = Finding::new(Code::MispairedData, message).in_file(&path).because(certain, Some(likely));
            result.push(finding.with_help("find the index and data of one save"));
        }
        for ((piece, _), flip) in self.wrong().zip(self.flips()) {
            let in_hole = holes.iter().any(|(start, end)| *start < piece.end() && piece.start < *end);
            if let Some(flip) = flip.filter(|_| cause.is_none() && !in_hole) {
                result.push(self.flip_finding(&path, piece, &flip));
            }
        }
        self.mismatches(&path, result);
    }

    /// One finding for each wrong tensor or slice.
    fn mismatches(&self, path: &Path, result: &mut Validation) {
        for (piece, got) in self.wrong() {
            let (stored, computed) = (format!("{:#010x}", piece.crc.0), format!("{:#010x}", got.0));
            let who = piece_name(self.checkpoint, piece);
            let message = format!(
                "{who}: its {} bytes are not the ones that were saved (stored {stored}, computed {computed}; {} at offset {})",
                piece.len,
                super::shards::file_name(path),
                piece.start
            );
            let mut finding = Finding::new(Code::TensorChecksumMismatch, message).in_file(path);
            finding.help = Some("fetch that file again; the other tensors can be used".to_owned());
            (finding.offset, finding.expected, finding.found) = (Some(piece.start), Some(stored), Some(computed));
            if let Some(tensor) = self.checkpoint.tensors().get(piece.tensor as usize) {
                finding = finding.for_tensor(&tensor.name);
                if let Some(value) = derived(self.checkpoint, &tensor) {
                    let assumption = value.assumption().map_or_else(String::new, |text| format!(", {text}"));
                    let certain = format!("by its checksum the value that was saved is {}{assumption}", value.text());
                    finding = finding.because(certain, None);
                }
            }
            result.push(finding);
        }
    }

    fn needed(&self) -> u64 {
        self.pieces.iter().filter(|p| p.shard == self.shard).map(StoredPiece::end).max().unwrap_or(0)
    }

    /// For every wrong piece the one bit that would explain it.
    fn flips(&self) -> impl Iterator<Item = Option<BitFlip>> {
        self.wrong().map(|(piece, got)| single_bit(piece.crc.0, got.0, piece.len))
    }

    fn flip_finding(&self, path: &Path, piece: &StoredPiece, flip: &BitFlip) -> Finding {
        let at = piece.start.saturating_add(flip.byte);
        let who = piece_name(self.checkpoint, piece);
        let message = format!("{who}: one bit is flipped, bit {} of byte {at} of {}", flip.bit, name_of(path));
        let mut finding = Finding::new(Code::SingleBitFlip, message).in_file(path);
        finding.offset = Some(at);
        let odds = f64::round(1.0 / flip.odds.max(f64::MIN_POSITIVE));
        let unique = if flip.unique { "" } else { "; in a tensor this large other bits would explain it too" };
        let certain = format!("the two checksums differ exactly as this one bit makes them{unique}");
        let likely = format!("a memory, disk or transfer error (odds of coincidence 1 : {odds})");
        finding = finding.because(certain, Some(likely)).with_help("fetch the shard again");
        match self.checkpoint.tensors().get(piece.tensor as usize) {
            Some(tensor) => finding.for_tensor(&tensor.name),
            None => finding,
        }
    }

    /// Runs of zeros in the wrong tensors that are long enough to be pages never written.
    fn holes(&self, source: &Source) -> Vec<(u64, u64)> {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for (piece, _) in self.wrong() {
            let mut run: Option<u64> = None;
            let keep = |start: u64, end: u64, runs: &mut Vec<(u64, u64)>| {
                let whole_piece = start == piece.start && end == piece.end();
                if whole_piece || holds_page(start, end) {
                    runs.push((start, end));
                }
            };
            let _ = each_window(source, piece.start, piece.end(), |at, bytes| {
                for (n, byte) in (at..).zip(bytes) {
                    match (byte, run) {
                        (0, None) => run = Some(n),
                        (0, Some(_)) | (_, None) => {}
                        (_, Some(start)) => {
                            keep(start, n, &mut runs);
                            run = None;
                        }
                    }
                }
            });
            if let Some(start) = run {
                keep(start, piece.end(), &mut runs);
            }
        }
        runs.sort_unstable();
        // Tensors are neighbours: a hole over several of them is one hole.
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (start, end) in runs {
            match merged.last_mut() {
                Some(last) if start.saturating_sub(last.1) <= 64 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged
    }

    fn hole_finding(&self, path: &Path, hole: &(u64, u64)) -> Finding {
        let (start, end) = *hole;
        let lost = affected(self.checkpoint, self.wrong().map(|(p, _)| p).filter(|p| p.start < end && start < p.end()));
        let message = format!("{} has zeros from {start} to {end}, {} bytes{lost}", name_of(path), end - start);
        let mut finding = Finding::new(Code::HoleOfZeros, message).in_file(path);
        finding.offset = Some(start);
        // Zeros of the tensors at the ends may be their own; whole pages in between are not.
        let (first, last) = (start.next_multiple_of(4096), end / 4096 * 4096);
        let pages = last.saturating_sub(first) / 4096;
        let aligned = if start.is_multiple_of(4096) { "beginning at a page" } else { "not beginning at a page" };
        let whole = if pages > 0 { format!("; {pages} whole pages of 4096, {aligned}") } else { String::new() };
        let certain = format!("these bytes are zeros and the tensors in them were saved with others{whole}");
        let likely = "an interrupted download or copy of a file that was given its size beforehand, or a lost write";
        finding.because(certain, Some(likely.to_owned())).with_help("fetch this part, or the whole file, again")
    }

    /// Nothing in the shard matches: is the right one lying beside it?
    fn wrong_file(&self, path: &Path) -> Option<Finding> {
        let mut probes: Vec<(&StoredPiece, Crc32c)> =
            self.wrong().filter(|(piece, _)| piece.len >= 4 && piece.len <= 64 << 20).collect();
        probes.sort_by_key(|(piece, _)| std::cmp::Reverse(piece.len.min(1 << 16)));
        probes.truncate(4);
        if probes.is_empty() {
            return None;
        }
        let checkpoint = self.checkpoint;
        let prefix = &checkpoint.origin().prefix;
        let of = checkpoint.num_shards();
        let other = (0..of.min(1024)).filter(|id| *id != self.shard).find(|id| fits(&prefix.shard(*id, of), &probes));
        if let Some(other) = other {
            let right = prefix.shard(other, of);
            let message =
                format!("{} holds the data of another shard; its own is in {}", name_of(path), name_of(&right));
            let certain = "the tensors of this shard match their checksums in the other file".to_owned();
            let likely = "the files were renamed or downloaded under each other's names".to_owned();
            let finding = Finding::new(Code::SwappedShards, message).in_file(path).because(certain, Some(likely));
            return Some(finding.with_help("give the shards each other's names"));
        }
        self.other_save(path, &probes)
    }

    /// Data or index of another save in the same directory that belongs to what is here.
    fn other_save(&self, path: &Path, probes: &[(&StoredPiece, Crc32c)]) -> Option<Finding> {
        const MOST: usize = 200;
        let prefix = &self.checkpoint.origin().prefix;
        let entries = std::fs::read_dir(prefix.directory()).ok()?;
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        let others =
            files.iter().filter(|file| Prefix::of_member(file).is_some_and(|p| p.base_name() != prefix.base_name()));
        let mut right_data = None;
        let mut right_index = None;
        for file in others.take(MOST) {
            let is_index = file.extension().is_some_and(|e| e == "index");
            if is_index && right_index.is_none() && index_fits(file, probes) {
                right_index = Some(file);
            } else if !is_index && right_data.is_none() && fits(file, probes) {
                right_data = Some(file);
            }
        }
        if right_data.is_none() && right_index.is_none() {
            return None;
        }
        let mut certain = Vec::new();
        certain.extend(
            right_data.map(|file| format!("the tensors of this index match their checksums in {}", name_of(file))),
        );
        certain.extend(right_index.map(|file| format!("the data here matches the checksums in {}", name_of(file))));
        let message = format!("{} does not belong to this index but to another save", name_of(path));
        let finding = Finding::new(Code::MispairedData, message).in_file(path);
        let likely = "files of two saves were mixed in a copy, or a save was interrupted while files were replaced";
        let help = match (right_data, right_index) {
            (Some(file), _) => format!("the data of this index is {}", name_of(file)),
            (None, Some(file)) => format!("the index of this data is {}", name_of(file)),
            (None, None) => String::new(),
        };
        Some(finding.because(certain.join("; "), Some(likely.to_owned())).with_help(help))
    }
}

/// Whether another index has, at the places of the wrong tensors, the checksums that their bytes have.
fn index_fits(file: &Path, probes: &[(&StoredPiece, Crc32c)]) -> bool {
    let Some(prefix) = Prefix::of_member(file) else { return false };
    let made = || Probed { probes, met: vec![false; probes.len()] };
    let Ok((_, parts)) = Bundle::read(&prefix, &Limits::default(), made) else { return false };
    (0..probes.len()).all(|n| parts.iter().any(|part| part.met.get(n) == Some(&true)))
}

/// Which pieces an index has entries for.
struct Probed<'p> {
    probes: &'p [(&'p StoredPiece, Crc32c)],
    met: Vec<bool>,
}

impl Entries for Probed<'_> {
    fn add(&mut self, _: &[u8], entry: &BundleEntry) {
        for ((piece, got), met) in self.probes.iter().zip(&mut self.met) {
            *met |= entry.crc32c.unmasked() == *got
                && u64::try_from(entry.offset) == Ok(piece.start)
                && u64::try_from(entry.size) == Ok(piece.len);
        }
    }
}

/// Whether pieces match their checksums in another file.
fn fits(file: &Path, probes: &[(&StoredPiece, Crc32c)]) -> bool {
    let Ok(source) = Source::open(file) else { return false };
    probes.iter().all(|(piece, _)| {
        let mut crc = Crc32c::default();
        let read = each_window(&source, piece.start, piece.end(), |_, bytes| crc = crc.extend(bytes));
        read.is_ok() && crc == piece.crc
    })
}

fn name_of(path: &Path) -> String {
    Escaped(path.file_name().unwrap_or_default().as_encoded_bytes()).to_string()
}

/// Whether a whole page of 4096 bytes lies between two offsets.
fn holds_page(start: u64, end: u64) -> bool {
    start.checked_next_multiple_of(4096).and_then(|page| page.checked_add(4096)).is_some_and(|page_end| page_end <= end)
}

fn each_window(source: &Source, start: u64, end: u64, mut visit: impl FnMut(u64, &[u8])) -> crate::error::Result<()> {
    let mut window = Vec::new();
    let mut at = start;
    while at < end {
        let len = (end - at).min(256 << 10);
        window.resize(usize::try_from(len).unwrap_or(0), 0);
        source.read_exact_at(&mut window, at)?;
        visit(at, &window);
        at += len;
    }
    Ok(())
}

/// Whether the whole file went through a transfer that takes it for text.
fn text_mode(source: &Source, needed: u64) -> Option<(Code, String, String)> {
    let len = source.len();
    // An equal length rules it out, and so does a difference that no such transfer makes of weights.
    if len == needed || len > needed.saturating_mul(4) || len < needed / 2 {
        return None;
    }
    let mut ends = LineEnds::default();
    each_window(source, 0, len, |_, bytes| ends.count(bytes)).ok()?;
    let line_ends = "FTP in ASCII mode, or version control that converts line ends";
    let (certain, likely) = match looks_mangled_by_text_mode(&ends, needed)? {
        Mangled::LfToCrLf(n) => (
            format!("each of its {n} line feeds has a carriage return before it, and it is {n} bytes too long"),
            line_ends,
        ),
        Mangled::CrLfToLf(n) => (
            format!(
                "none of its {} line feeds has a carriage return before it, and it is {n} bytes too short",
                ends.lone_lf
            ),
            line_ends,
        ),
        Mangled::Replaced(n) => (
            format!("it has the UTF-8 replacement character {n} times"),
            "it was read as text and written again; the bytes are lost",
        ),
    };
    Some((Code::TextModeMangled, certain, likely.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_between_offsets() {
        assert!(holds_page(4096, 8192));
        assert!(holds_page(1, 8192));
        assert!(!holds_page(1, 8191));
        assert!(!holds_page(u64::MAX - 1, u64::MAX));
    }

    #[test]
    fn line_ends_that_were_changed_are_recognised() {
        let source = |bytes: &[u8]| Source::memory(Path::new("x"), bytes.to_vec());
        let mangled = b"ab\r\ncdefghij".repeat(20);
        let needed = mangled.len() as u64 - 20;
        assert!(text_mode(&source(&mangled), needed).is_some());
        assert!(text_mode(&source(&mangled), needed + 20).is_none());
        assert!(text_mode(&source(&b"ab\ncd\r\nef".repeat(20)), needed).is_none());
    }
}
