//! The one bit that is flipped in a piece, if there is exactly one that explains its checksum.
//!
//! Of numbers the checksum tells its place outright. Strings and variants are summed in another form than they are
//! stored in: lengths as words of fixed width. There a bit in the bytes is told by the checksum, too; those in the
//! lengths and in the checksum behind them are tried, one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pieces::{Piece, verify};
use crate::analysis::forensics::single_bit;
use crate::base::limits::Limits;
use crate::read::bundle::BundleEntry;
use crate::read::storage::{Composed, OpenFiles, Run, Source, Window};
use crate::read::tensor::DType;
use crate::read::wire::{Crc32c, Cursor, MaskedCrc, bit_odds};

/// A bit of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flip {
    pub(super) byte: u64,
    pub(super) bit: u8,
    /// How often damage of another kind looks like one bit of the piece.
    pub(super) odds: f64,
}

/// Bytes that are read at most to try bits of lengths.
const MOST_TRIED: u64 = 1 << 26;

/// The bit of `file` that is flipped in a piece which does not match its checksum.
pub(super) fn flipped(
    file: &Arc<Source>,
    piece: &Piece,
    entries: &BTreeMap<Vec<u8>, BundleEntry>,
    big_endian: bool,
    limits: &Limits,
    files: &Arc<OpenFiles>,
) -> Option<Flip> {
    if piece.end() > file.len() || piece.len == 0 {
        return None;
    }
    let entry = entries.get(&piece.key)?;
    let candidates = match entry.dtype {
        DType::String => of_strings(file, piece, entry, big_endian),
        DType::Variant => of_variants(piece),
        _ => of_numbers(file, piece),
    };
    let mut right = candidates?.into_iter().filter(|(byte, bit)| {
        let runs = vec![Run { start: 0, end: file.len(), file: file.path().to_path_buf() }];
        let mended = Composed::source(file.path(), file.len(), files, runs, [(*byte, *bit)]);
        verify(&Arc::new(mended), piece, entries, big_endian, limits)
    });
    let (byte, bit) = right.next()?;
    // Where several bits explain it, none is proved.
    if right.any(|other| other != (byte, bit)) {
        return None;
    }
    Some(Flip { byte, bit, odds: bit_odds(piece.len) })
}

fn of_numbers(file: &Source, piece: &Piece) -> Option<Vec<(u64, u8)>> {
    let got = file.crc32c(piece.start..piece.end()).ok()?;
    let flip = single_bit(piece.crc.0, got.0, piece.len).filter(|flip| flip.unique)?;
    Some(vec![(piece.start.saturating_add(flip.byte), flip.bit)])
}

/// The lengths of strings as they stand at the beginning of a piece.
struct Lengths {
    /// How many bytes they take.
    taken: u64,
    /// Their checksum.
    sum: Crc32c,
    /// How many bytes that sums.
    summed: u64,
    /// How long all strings are.
    total: u64,
    /// Where each begins; kept only if asked for.
    starts: Vec<u64>,
}

fn lengths(head: &[u8], count: u64, big_endian: bool, keep: bool) -> Option<Lengths> {
    let mut cursor = Cursor::new(head, 0);
    let mut found = Lengths { taken: 0, sum: Crc32c::default(), summed: 0, total: 0, starts: Vec::new() };
    for _ in 0..count {
        if keep {
            found.starts.push(cursor.offset());
        }
        let len = cursor.varint64().ok()?;
        found.total = found.total.checked_add(len)?;
        let (word, wide) = (u32::try_from(len), len);
        found.summed += if word.is_ok() { 4 } else { 8 };
        found.sum = match (word, big_endian) {
            (Ok(word), false) => found.sum.extend(&word.to_le_bytes()),
            (Ok(word), true) => found.sum.extend(&word.to_be_bytes()),
            (Err(_), false) => found.sum.extend(&wide.to_le_bytes()),
            (Err(_), true) => found.sum.extend(&wide.to_be_bytes()),
        };
    }
    found.taken = cursor.offset();
    Some(found)
}

fn of_strings(file: &Source, piece: &Piece, entry: &BundleEntry, big_endian: bool) -> Option<Vec<(u64, u8)>> {
    let count = entry.shape.elements()?;
    let mut head = Window::default();
    // A varint has ten bytes at most; a flipped bit makes it take in the one behind it.
    let most = count.saturating_add(1).saturating_mul(10).saturating_add(4).min(piece.len).min(MOST_TRIED);
    let head = file.slice(piece.start..piece.start.saturating_add(most), &mut head).ok()?.to_vec();
    let at = |byte: u64| piece.start.saturating_add(byte);
    let stored = |head: &[u8], taken: u64| {
        let from = usize::try_from(taken).ok()?;
        let bytes = head.get(from..from.checked_add(4)?)?.first_chunk::<4>().copied()?;
        Some(MaskedCrc(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }))
    };
    let is_right = |head: &[u8]| {
        let found = lengths(head, count, big_endian, false)?;
        let fits = found.taken.checked_add(4)?.checked_add(found.total)? == piece.len;
        (fits && stored(head, found.taken)? == found.sum.masked()).then_some(found)
    };
    if let Some(found) = is_right(&head) {
        // The lengths are right: the bit is in the strings, which are summed as they stand.
        let taken = usize::try_from(found.taken).ok()?;
        let checksum = head.get(taken..taken.checked_add(4)?)?;
        let begin = found.taken.checked_add(4)?;
        let strings = file.crc32c(at(begin)..piece.end()).ok()?;
        let got = found.sum.extend(checksum).then(strings, piece.len.checked_sub(begin)?);
        let before = found.summed.checked_add(4)?;
        let flip = single_bit(piece.crc.0, got.0, before.checked_add(piece.len.checked_sub(begin)?)?)?;
        let byte = flip.byte.checked_sub(before).filter(|_| flip.unique)?;
        return Some(vec![(at(begin.checked_add(byte)?), flip.bit)]);
    }
    let mut tried: Vec<(u64, u8)> = Vec::new();
    let region = head.len() as u64;
    if region.saturating_mul(8).saturating_mul(region) <= MOST_TRIED {
        tried.extend((0..region).flat_map(|byte| (0..8).map(move |bit| (byte, bit))));
    } else {
        // Too many to try all: what the checksum of the lengths tells of their values, that checksum itself, and the
        // bits that say where a length ends, as far as there is time.
        if let Some(found) = lengths(&head, count, big_endian, true) {
            tried.extend((found.taken..found.taken.saturating_add(4)).flat_map(|b| (0..8).map(move |bit| (b, bit))));
            let told = stored(&head, found.taken).and_then(|stored| {
                single_bit(stored.unmasked().0, found.sum.0, found.summed).filter(|flip| flip.unique)
            });
            let place = told.and_then(|flip| {
                let start = *found.starts.get(usize::try_from(flip.byte / 4).ok()?)?;
                let byte = if big_endian { 3 - flip.byte % 4 } else { flip.byte % 4 };
                let bit = byte * 8 + u64::from(flip.bit);
                Some((start.checked_add(bit / 7)?, u8::try_from(bit % 7).ok()?))
            });
            tried.extend(place);
        }
        // Few lengths have more than one byte: those that seem to are tried first.
        let affordable = usize::try_from(MOST_TRIED / region.max(1)).unwrap_or(0);
        let mut ends: Vec<(bool, u64)> = (0..).zip(&head).map(|(at, byte)| (byte & 0x80 == 0, at)).collect();
        ends.sort_unstable();
        tried.extend(ends.into_iter().take(affordable).map(|(_, byte)| (byte, 7)));
    }
    let mut changed = head;
    let mut right = Vec::new();
    for (byte, bit) in tried {
        let Some(index) = usize::try_from(byte).ok().filter(|index| *index < changed.len()) else { continue };
        let flip = |changed: &mut Vec<u8>| {
            if let Some(byte) = changed.get_mut(index) {
                *byte ^= 1 << bit;
            }
        };
        flip(&mut changed);
        if is_right(&changed).is_some() && !right.contains(&(at(byte), bit)) {
            right.push((at(byte), bit));
        }
        flip(&mut changed);
    }
    Some(right)
}

/// Variants are few and small where they are saved at all; all bits of small ones are tried.
fn of_variants(piece: &Piece) -> Option<Vec<(u64, u8)>> {
    let len = piece.len;
    if len.saturating_mul(8).saturating_mul(len) > MOST_TRIED {
        return None;
    }
    Some((piece.start..piece.end()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))).collect())
}
