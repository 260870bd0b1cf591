//! Runs of zeros in tensors that are wrong: pages that were never written.

use std::path::Path;

use super::wrong::{TELLING, Wrong, affected_by};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::validate::entries::StoredPiece;
use crate::analysis::validate::shard_files::file_name;
use crate::read::checkpoint::Checkpoint;
use crate::read::storage::Source;

/// Zeros from one offset to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hole {
    start: u64,
    end: u64,
}

impl Hole {
    /// Whether it takes bytes of a piece.
    pub(super) fn meets(&self, piece: &StoredPiece) -> bool {
        self.start < piece.end() && piece.start < self.end
    }

    /// Whether it takes bytes of every wrong piece, and ends or begins within one: zeros that another save has would
    /// begin and end where tensors do.
    pub(super) fn explains_all(&self, wrong: &[Wrong<'_>]) -> bool {
        let cuts = |(piece, _): &Wrong<'_>| {
            (piece.start < self.start && self.start < piece.end()) || (piece.start < self.end && self.end < piece.end())
        };
        wrong.iter().all(|(piece, _)| self.meets(piece)) && wrong.iter().any(cuts)
    }

    /// The finding about it.
    pub(super) fn finding(&self, path: &Path, checkpoint: &Checkpoint, inside: &[Wrong<'_>]) -> Finding {
        let Self { start, end } = *self;
        let lost = affected_by(checkpoint, inside);
        let message = format!("{} has zeros from {start} to {end}, {} bytes{lost}", file_name(path), end - start);
        let mut finding = Finding::new(Code::HoleOfZeros, message).in_file(path);
        finding.offset = Some(start);
        // Zeros of the tensors at the ends may be their own; whole pages in between are not.
        let (first, last) = (start.next_multiple_of(4096), end / 4096 * 4096);
        let pages = last.saturating_sub(first) / 4096;
        let aligned = if start.is_multiple_of(4096) { "beginning at a page" } else { "not beginning at a page" };
        let whole = if pages > 0 { format!("; {pages} whole pages of 4096, {aligned}") } else { String::new() };
        let certain =
            format!("these bytes are zeros, and the tensors that have them do not match their checksums{whole}");
        let likely = "an interrupted download or copy of a file that was given its size beforehand, or a lost write";
        finding.because(certain, Some(likely.to_owned())).with_help("fetch this part, or the whole file, again")
    }
}

/// Runs of zeros in the wrong pieces that are long enough to be pages never written, or a whole piece. A run may go over
/// several pieces, and begin and end within them.
pub(super) fn find(source: &Source, wrong: &[Wrong<'_>]) -> Vec<Hole> {
    // Shorter ones are numbers that happen to be zero; so long at the end of one tensor and at the beginning of the next
    // they hardly are.
    const SHORT: u64 = 16;
    const LONG: u64 = 64;
    let mut runs: Vec<Hole> = Vec::new();
    for (piece, _) in wrong {
        let mut run: Option<u64> = None;
        let mut keep = |start: u64, end: u64| {
            if end - start >= SHORT || (start == piece.start && end == piece.end()) {
                runs.push(Hole { start, end });
            }
        };
        let _ = each_window(source, piece.start, piece.end(), |at, bytes| {
            for (n, byte) in (at..).zip(bytes) {
                match (byte, run) {
                    (0, None) => run = Some(n),
                    (0, Some(_)) | (_, None) => {}
                    (_, Some(start)) => {
                        keep(start, n);
                        run = None;
                    }
                }
            }
        });
        if let Some(start) = run {
            keep(start, piece.end());
        }
    }
    runs.sort_unstable_by_key(|hole| (hole.start, hole.end));
    // Between two tensors lie an alignment, or tensors that are zeros rightly: a hole over several of them is one hole.
    let mut merged: Vec<Hole> = Vec::new();
    for Hole { start, end } in runs {
        match merged.last_mut() {
            Some(last) if is_zero(source, last.end, start) => last.end = last.end.max(end),
            _ => merged.push(Hole { start, end }),
        }
    }
    let covers = |hole: &Hole| wrong.iter().any(|(piece, _)| hole.start <= piece.start && piece.end() <= hole.end);
    // From within one tensor into the next: another save's zeros would begin and end where tensors do.
    let spans = |hole: &Hole| {
        let taken = |piece: &StoredPiece| hole.end.min(piece.end()).saturating_sub(hole.start.max(piece.start));
        wrong.iter().filter(|(piece, _)| taken(piece) >= LONG).count() > 1
    };
    // A counter of zero is a counter of another save as well.
    merged.retain(|hole| {
        holds_page(hole.start, hole.end) || spans(hole) || (covers(hole) && hole.end - hole.start > TELLING)
    });
    merged
}

/// Whether nothing but zeros lies between two offsets that are not far apart.
fn is_zero(source: &Source, start: u64, end: u64) -> bool {
    const FAR: u64 = 1 << 20;
    let mut zeros = end.saturating_sub(start) <= FAR;
    let read =
        if zeros { each_window(source, start, end, |_, bytes| zeros &= bytes.iter().all(|b| *b == 0)) } else { Ok(()) };
    zeros && read.is_ok()
}

/// Whether a whole page of 4096 bytes lies between two offsets.
fn holds_page(start: u64, end: u64) -> bool {
    start.checked_next_multiple_of(4096).and_then(|page| page.checked_add(4096)).is_some_and(|page_end| page_end <= end)
}

/// Hands the bytes between two offsets out, a window at a time.
pub(super) fn each_window(
    source: &Source,
    start: u64,
    end: u64,
    mut visit: impl FnMut(u64, &[u8]),
) -> crate::base::error::Result<()> {
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
}
