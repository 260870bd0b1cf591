//! What a store says of whole shards: the checksum that it keeps of each, compared with the one that follows from the index.
//!
//! Checksums of neighbours combine, and what lies between tensors is zeros, so the index alone says what the CRC-32C of a
//! whole shard must be. Where the store keeps it, terabytes are vouched for without a byte of them being read. Only strings
//! and variants are read: the checksum that the index has of them is not that of their bytes.

use std::collections::BTreeSet;

use super::Validation;
use super::entries::StoredPiece;
use super::shard_files::{ShardFiles, file_name};
use crate::analysis::finding::{Code, Finding};
use crate::base::error::Result;
use crate::read::checkpoint::Checkpoint;
use crate::read::formats::bundle::BundleFiles;
use crate::read::storage::{self, Source};
use crate::read::wire::Crc32c;

/// So many bytes of strings and variants of one shard are read.
const MOST_READ: u64 = 64 << 20;

/// A gap of so many bytes is no alignment, and need not be zeros.
const LARGE_GAP: u64 = 4096;

/// How many tensors the store vouches for. What does not agree is a finding.
pub(super) fn check(
    checkpoint: &Checkpoint,
    pieces: &[StoredPiece],
    shards: &ShardFiles,
    result: &mut Validation,
) -> u64 {
    if checkpoint.of_format::<BundleFiles>().is_none() || pieces.is_empty() {
        return 0;
    }
    let mut tensors: BTreeSet<u32> = pieces.iter().map(|piece| piece.tensor).collect();
    for own in pieces.chunk_by(|a, b| a.shard == b.shard) {
        let is_vouched = own.first().is_some_and(|piece| {
            let is_there = own.iter().all(|piece| shards.has(piece));
            is_there && is_vouched(checkpoint, piece.shard, own, result)
        });
        if !is_vouched {
            for piece in own {
                tensors.remove(&piece.tensor);
            }
        }
    }
    tensors.len() as u64
}

/// Whether the store has the checksum of a shard that follows from its pieces.
fn is_vouched(checkpoint: &Checkpoint, shard: i32, own: &[StoredPiece], result: &mut Validation) -> bool {
    let path = checkpoint.file(shard);
    let Ok(Some(kept)) = storage::crc32c(&path) else { return false };
    let wanted = match wanted(checkpoint, &path, own) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return false,
        Err(error) => {
            result.push(Finding::of(&error.in_file(&path)));
            return false;
        }
    };
    if wanted == kept {
        return true;
    }
    let message = format!(
        "{} is not the one that this index was saved with: the store has the checksum {:#010x} of it, the index makes {:#010x}",
        file_name(&path),
        kept.0,
        wanted.0
    );
    let help = "ckpt validate without --quick reads it, and says which tensors differ and why";
    let finding = Finding::new(Code::ShardChecksumMismatch, message).in_file(&path).with_help(help);
    result.push(finding.because("the store summed the bytes that it has", None));
    false
}

/// The checksum that a shard must have; `None` where the index does not say what all of its bytes are.
fn wanted(checkpoint: &Checkpoint, path: &std::path::Path, own: &[StoredPiece]) -> Result<Option<Crc32c>> {
    let len = storage::stat(path).map_or(0, |stat| stat.len);
    let to_read: u64 = own.iter().filter(|piece| piece.is_variable).map(|piece| piece.len).sum();
    if to_read > MOST_READ {
        return Ok(None);
    }
    let (mut all, mut at) = (Crc32c::default(), 0u64);
    for piece in own {
        let Some(gap) = piece.start.checked_sub(at).filter(|gap| *gap < LARGE_GAP) else { return Ok(None) };
        let crc = if piece.is_variable { strings(checkpoint, path, piece)? } else { piece.crc };
        all = all.then(zeros(gap), gap).then(crc, piece.len);
        at = piece.end();
    }
    Ok((at == len).then_some(all))
}

/// The checksum of the bytes of strings or variants, which are compared with their own on the way.
fn strings(checkpoint: &Checkpoint, path: &std::path::Path, piece: &StoredPiece) -> Result<Crc32c> {
    if let Some(tensor) = checkpoint.tensor_at(piece.tensor as usize) {
        let place = (piece.shard, piece.start, piece.len, piece.crc);
        checkpoint.verify_variable(tensor.dtype, &tensor.shape, place).map_err(|error| error.for_key(&tensor.name))?;
    }
    Source::open(path)?.crc32c(piece.start..piece.end())
}

/// The checksum of so many zeros.
fn zeros(mut count: u64) -> Crc32c {
    let mut all = Crc32c::default();
    let (mut power, mut of) = (Crc32c::of(&[0]), 1u64);
    while count > 0 {
        if count & 1 == 1 {
            all = all.then(power, of);
        }
        count >>= 1;
        if count > 0 {
            power = power.then(power, of);
            of = of.saturating_mul(2);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_summed_without_being_there() {
        for count in [0, 1, 2, 3, 31, 63, 64, 1000, 4095] {
            assert_eq!(zeros(count), Crc32c::of(&vec![0; usize::try_from(count).unwrap()]), "{count}");
        }
    }
}
