//! The bytes of the tensors against their checksums, on all cores.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::entries::{StoredPiece, of_tensor};
use super::{Counts, Progress, Selected, Validation};
use crate::analysis::finding::{Code, Finding};
use crate::bundle::{Span, Sum};
use crate::checkpoint::{Checkpoint, Tensor};
use crate::error::Error;
use crate::escape::escaped;
use crate::wire::Crc32c;

/// A piece whose bytes are not what was saved.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// Position in the pieces.
    pub(super) piece: usize,
    /// The checksum of the bytes that are there.
    pub(super) got: Crc32c,
}

/// What the sums came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Numeric pieces that do not match.
    pub(super) mismatches: Vec<Mismatch>,
    /// Numeric pieces that match, by shard.
    pub(super) good: BTreeMap<i32, usize>,
}

/// Reads the selected tensors and compares them with their checksums.
pub(super) fn check(
    checkpoint: &Checkpoint,
    pieces: &[StoredPiece],
    selected: &Selected,
    threads: usize,
    progress: &Progress,
    result: &mut Validation,
) -> Outcome {
    if !checkpoint.origin().v1_files.is_empty() {
        check_v1(checkpoint, selected, progress, result);
        return Outcome::default();
    }
    let tensors = checkpoint.tensors();
    let variable = |piece: &StoredPiece| tensors.get(piece.tensor).is_some_and(|t| t.dtype.is_variable_length());
    let wanted = pieces.iter().enumerate().filter(|(_, piece)| selected.has(piece.tensor));
    let (strings, numbers): (Vec<_>, Vec<_>) = wanted.partition(|(_, piece)| variable(piece));
    let bytes: u64 = strings.iter().chain(&numbers).map(|(_, piece)| piece.len).sum();
    progress.total.fetch_add(bytes, Ordering::Relaxed);

    let mut outcome = Outcome::default();
    // Pieces of each tensor that were looked at, and that match. A tensor is verified when all that it has match.
    let mut looked_at = vec![0usize; tensors.len()];
    let mut matching = vec![0usize; tensors.len()];
    let count = |counts: &mut Vec<usize>, piece: &StoredPiece| {
        if let Some(count) = counts.get_mut(piece.tensor) {
            *count += 1;
        }
    };
    let spans: Vec<Span> = numbers.iter().map(|(_, p)| Span { shard: p.shard, start: p.start, len: p.len }).collect();
    let mut read = 0u64;
    let sums = checkpoint.sum_spans(&spans, threads, &progress.done);
    let mut unreadable: BTreeMap<String, Finding> = BTreeMap::new();
    for ((at, piece), sum) in numbers.iter().zip(sums) {
        count(&mut looked_at, piece);
        match sum {
            Sum::Read(crc) if crc == piece.crc => {
                read = read.saturating_add(piece.len);
                count(&mut matching, piece);
                *outcome.good.entry(piece.shard).or_default() += 1;
            }
            Sum::Read(got) => {
                read = read.saturating_add(piece.len);
                outcome.mismatches.push(Mismatch { piece: *at, got });
            }
            // Missing and short shards have their finding; anything else is told once for each cause.
            Sum::Failed(error) => {
                unreadable.entry(error.to_string()).or_insert_with(|| Finding::of(&error));
            }
        }
    }
    let told = |finding: &Finding| {
        finding.code == Code::Unreadable && result.findings.iter().any(|f| f.file == finding.file && unusable(f))
    };
    let fresh: Vec<Finding> = unreadable.into_values().filter(|f| !told(f)).collect();
    result.findings.extend(fresh);

    for (at, error) in check_strings(checkpoint, &strings, threads, progress) {
        let Some((_, piece)) = strings.get(at) else { continue };
        count(&mut looked_at, piece);
        let (Some(error), Some(tensor)) = (error, tensors.get(piece.tensor)) else {
            read = read.saturating_add(piece.len);
            count(&mut matching, piece);
            continue;
        };
        let finding = of_tensor(&error, tensor);
        // A short shard says its length: a string that reaches beyond it is lost, whatever its lengths look like.
        let cut = |f: &Finding| f.code == Code::ShortShard && f.offset.is_none_or(|len| piece.end() > len);
        let told =
            |f: &Finding| f.file == finding.file && ((unusable(f) && finding.code == Code::Unreadable) || cut(f));
        if !result.findings.iter().any(told) {
            result.push(finding);
        }
    }
    let verified =
        tensors.iter().zip(&matching).filter(|(tensor, n)| **n == tensor.slices().len().max(1)).count() as u64;
    let skipped = looked_at.iter().filter(|n| **n == 0).count() as u64;
    result.add(Counts { verified, skipped, bytes: read, ..Counts::default() });
    outcome
}

/// Whether a finding says of a whole shard that it cannot be read as the index wants.
fn unusable(finding: &Finding) -> bool {
    use Code::{ForeignShard, MissingShard, ShardCountMismatch, ShortShard};
    matches!(finding.code, MissingShard | ShortShard | ForeignShard | ShardCountMismatch)
}

/// String and variant tensors, one a worker at a time.
fn check_strings(
    checkpoint: &Checkpoint,
    strings: &[(usize, &StoredPiece)],
    threads: usize,
    progress: &Progress,
) -> Vec<(usize, Option<Error>)> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Option<Error>)>> = Mutex::default();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, piece)) = strings.get(at) else { break };
            let Some(tensor) = checkpoint.tensors().get(piece.tensor) else { continue };
            let place = (piece.shard, piece.start, piece.len, piece.crc);
            let error = checkpoint.verify_variable(tensor.dtype, &piece.shape, place).err();
            progress.done.fetch_add(piece.len, Ordering::Relaxed);
            found.lock().unwrap_or_else(PoisonError::into_inner).push((at, error));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(strings.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(at, _)| *at);
    found
}

/// The tensors of a V1 checkpoint: their blocks have checksums, their values must be as many as their shape says.
fn check_v1(checkpoint: &Checkpoint, selected: &Selected, progress: &Progress, result: &mut Validation) {
    let mut counts = Counts::default();
    for (at, tensor) in checkpoint.tensors().iter().enumerate() {
        if !selected.has(at) {
            counts.skipped += 1;
            continue;
        }
        match read_v1(checkpoint, tensor, progress) {
            Ok(bytes) => {
                counts.verified += 1;
                counts.bytes = counts.bytes.saturating_add(bytes);
            }
            Err(error) => result.push(of_tensor(&error, tensor)),
        }
    }
    result.add(counts);
}

fn read_v1(checkpoint: &Checkpoint, tensor: &Tensor, progress: &Progress) -> crate::error::Result<u64> {
    if !tensor.dtype.is_storable() {
        let kind = crate::error::ErrorKind::UnsupportedDType(tensor.dtype.to_string());
        return Err(Error::new(kind).for_key(&tensor.name));
    }
    let mut read = 0u64;
    let checked = checkpoint.read_all(tensor, &mut |bytes| {
        read += bytes.len() as u64;
        Ok(())
    });
    progress.done.fetch_add(read, Ordering::Relaxed);
    checked.map(|_| read)
}

/// "dense/kernel slice 0,3:-" for messages.
pub(super) fn piece_name(checkpoint: &Checkpoint, piece: &StoredPiece) -> String {
    let name = checkpoint.tensors().get(piece.tensor).map(|t| escaped(&t.name).into_owned()).unwrap_or_default();
    match &piece.slice {
        Some(slice) => format!("{name} slice {slice}"),
        None => name,
    }
}
