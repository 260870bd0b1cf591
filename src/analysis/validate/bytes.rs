//! The bytes of the tensors against their checksums, on all cores.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::entries::{StoredPiece, of_tensor};
use super::mismatch::Mismatch;
use super::shard_files::{ShardFiles, counted};
use super::shared::{self, Read};
use super::{Counts, ValidateOptions, Validation};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::naming::selection::Members;
use crate::analysis::parts::{Record, Share, Turn};
use crate::base::error::{Error, ErrorKind};
use crate::base::escape::escaped;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Checksums, Tensor};
use crate::read::tensor::{Checked, Shape};

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
    selected: &Members,
    options: &ValidateOptions,
    shards: &ShardFiles,
    progress: &Progress,
    result: &mut Validation,
) -> Outcome {
    let share = options.share.as_deref();
    match checkpoint.format().checksums {
        Checksums::EachRun => {}
        Checksums::Container => {
            one_by_one(checkpoint, selected, (&BTreeSet::new(), share), progress, result, |tensor| {
                if !tensor.dtype.is_storable() {
                    return Err(Error::new(ErrorKind::UnsupportedDType(tensor.dtype.to_string())).for_key(&tensor.name));
                }
                Ok((Checked::Verified, checkpoint.verify(tensor)?))
            });
            return Outcome::default();
        }
        Checksums::Some => {
            let lost = pieces.iter().filter(|piece| !shards.has(piece)).map(|piece| piece.tensor as usize).collect();
            one_by_one(checkpoint, selected, (&lost, share), progress, result, |tensor| {
                Ok((checkpoint.verify_own(tensor)?, tensor.bytes().unwrap_or(0)))
            });
            return Outcome::default();
        }
        Checksums::None => {
            let len = checkpoint.tensors().len();
            let lost = pieces.iter().filter(|piece| piece.is_selected && !shards.has(piece)).count();
            let unsummed = (0..len).filter(|at| selected.has(*at)).count().saturating_sub(lost);
            result.add(Counts { unsummed: unsummed as u64, skipped: (len - unsummed) as u64, ..Counts::default() });
            return Outcome::default();
        }
    }
    let mut outcome = Outcome::default();
    let mut tally = Tally::default();
    let Read { sums, own } = shared::sums(checkpoint, pieces, options, progress);
    let mut wrong = sums.wrong.into_iter().peekable();
    let mut failed = sums.failed.iter().peekable();
    let mut strings: Vec<u32> = Vec::new();
    for (at, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.is_selected) {
        if piece.is_variable {
            strings.extend(u32::try_from(at));
            continue;
        }
        if own.as_ref().is_some_and(|own| !own.contains(&at)) {
            // In another share, or not as a whole in this one.
            continue;
        }
        while failed.next_if(|(range, _)| range.end <= at).is_some() {}
        let is_lost = failed.peek().is_some_and(|(range, _)| range.contains(&at));
        match wrong.next_if(|(wrong, _)| *wrong == at) {
            Some((_, got)) => {
                tally.add(piece, State::Wrong);
                outcome.mismatches.push(Mismatch { piece: at, got });
            }
            None if is_lost => tally.add(piece, State::Unread),
            None => {
                tally.add(piece, State::Matches);
                *outcome.good.entry(piece.shard).or_default() += 1;
            }
        }
    }
    // Missing and short shards have their finding; anything else is told once for each cause.
    let unreadable: BTreeMap<String, Finding> =
        sums.failed.iter().map(|(_, error)| (error.to_string(), Finding::of(error))).collect();
    let told = |finding: &Finding| {
        finding.code == Code::Unreadable && result.findings.iter().any(|f| f.file == finding.file && unusable(f))
    };
    let fresh: Vec<Finding> = unreadable.into_values().filter(|f| !told(f)).collect();
    result.findings.extend(fresh);

    let (own, wrong) = check_strings(checkpoint, pieces, &strings, options, progress);
    let mut wrong = wrong.into_iter().peekable();
    let strings = strings.get(own).unwrap_or_default();
    for (at, piece) in strings.iter().filter_map(|at| pieces.get(*at as usize).map(|piece| (*at, piece))) {
        let Some((_, error)) = wrong.next_if(|(wrong, _)| *wrong == at) else {
            tally.add(piece, State::Matches);
            continue;
        };
        tally.add(piece, State::Unread);
        let Some(tensor) = checkpoint.tensors().get(piece.tensor as usize) else { continue };
        let finding = of_tensor(&error, &tensor);
        // A short shard says its length: a string that reaches beyond it is lost, whatever its lengths look like.
        let cut = |f: &Finding| f.code == Code::ShortShard && f.offset.is_none_or(|len| piece.end() > len);
        // A file that is another one has no strings of this checkpoint.
        let is_told = |f: &Finding| match f.code {
            Code::ForeignShard => true,
            _ => (unusable(f) && finding.code == Code::Unreadable) || cut(f),
        };
        let told = |f: &Finding| f.file == finding.file && is_told(f);
        if !result.findings.iter().any(told) {
            result.push(finding);
        }
    }
    result.add(tally.counts(checkpoint));
    outcome
}

/// What became of one piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Matches,
    Wrong,
    Unread,
}

/// Counts tensors by their pieces. One that is whole has one piece, so only partitioned ones need remembering.
#[derive(Default)]
struct Tally {
    /// Whole tensors that were looked at, and that match.
    whole: (u64, u64),
    /// The same of the slices of each partitioned tensor.
    slices: BTreeMap<u32, (usize, usize)>,
    bytes: u64,
}

impl Tally {
    fn add(&mut self, piece: &StoredPiece, state: State) {
        let matches = state == State::Matches;
        if state != State::Unread {
            self.bytes = self.bytes.saturating_add(piece.len);
        }
        if piece.is_slice {
            let (looked_at, matching) = self.slices.entry(piece.tensor).or_default();
            *looked_at += 1;
            *matching += usize::from(matches);
        } else {
            self.whole.0 += 1;
            self.whole.1 += u64::from(matches);
        }
    }

    /// A tensor is verified when all that it has match, and skipped when nothing of it was looked at.
    fn counts(&self, checkpoint: &Checkpoint) -> Counts {
        let tensors = checkpoint.tensors();
        let all_match = |at: u32, n: usize| tensors.get(at as usize).is_some_and(|tensor| tensor.slices().len() == n);
        let slices = self.slices.iter().filter(|(at, (_, matching))| all_match(**at, *matching)).count() as u64;
        let looked_at = self.whole.0 + self.slices.len() as u64;
        let skipped = (tensors.len() as u64).saturating_sub(looked_at);
        Counts { verified: self.whole.1 + slices, skipped, bytes: self.bytes, ..Counts::default() }
    }
}

/// Whether a finding says of a whole shard that it cannot be read as the index wants.
fn unusable(finding: &Finding) -> bool {
    use Code::{ForeignShard, MissingShard, ShardCountMismatch, ShortShard};
    matches!(finding.code, MissingShard | ShortShard | ForeignShard | ShardCountMismatch)
}

/// String and variant tensors, one a worker at a time. Returns which of them have been read, as far as this process
/// reads them, and what is wrong with which of these.
fn check_strings(
    checkpoint: &Checkpoint,
    pieces: &[StoredPiece],
    strings: &[u32],
    options: &ValidateOptions,
    progress: &Progress,
) -> (Range<usize>, Vec<(u32, Error)>) {
    let all = 0..strings.len();
    let weight = |n: usize| strings.get(n).and_then(|at| pieces.get(*at as usize)).map_or(0, |piece| piece.len);
    let read = |some: &[u32]| verify_strings(checkpoint, pieces, some, options.threads, progress);
    match Turn::of(options.share.as_deref(), "strings", strings.len(), weight) {
        Turn::All => (all, read(strings)),
        Turn::Own(own) => {
            let units = own.units.clone();
            let found = read(strings.get(units.clone()).unwrap_or_default());
            shared::note_strings(own, &found);
            (units, found)
        }
        // What was wrong is looked at once more, to say what.
        Turn::Told(told) => (all, read(&shared::wrong_strings(&told, strings, options))),
    }
}

fn verify_strings(
    checkpoint: &Checkpoint,
    pieces: &[StoredPiece],
    strings: &[u32],
    threads: usize,
    progress: &Progress,
) -> Vec<(u32, Error)> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(u32, Error)>> = Mutex::default();
    let work = || {
        let mut cursor = checkpoint.tensors().cursor();
        while let Some(at) = strings.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(piece) = pieces.get(*at as usize) else { continue };
            let Some(tensor) = cursor.reach(piece.tensor as usize) else { continue };
            let place = (piece.shard, piece.start, piece.len, piece.crc);
            if let Err(error) = checkpoint.verify_variable(tensor.dtype, &shape(piece, tensor), place) {
                found.lock().unwrap_or_else(PoisonError::into_inner).push((*at, error));
            }
            progress.done.fetch_add(piece.len, Ordering::Relaxed);
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

/// The shape of a piece.
fn shape(piece: &StoredPiece, tensor: &Tensor) -> Shape {
    let extents = piece.slice(tensor).and_then(|stored| stored.slice.resolve(tensor.shape.dims()?));
    let shape = |extents: Vec<(u64, u64)>| extents.iter().map(|&(_, len)| len.cast_signed()).collect::<Vec<i64>>();
    extents.map_or_else(|| tensor.shape.clone(), |extents| Shape::new(shape(extents)))
}

/// Tensors whose format has checksums of its own, or only says whether they decode: `check` says what became of one, and
/// how many bytes it takes. Those in `lost` do not lie in their file, which has its finding.
fn one_by_one(
    checkpoint: &Checkpoint,
    selected: &Members,
    (lost, share): (&BTreeSet<usize>, Option<&Share>),
    progress: &Progress,
    result: &mut Validation,
    check: impl Fn(&Tensor) -> crate::base::error::Result<(Checked, u64)>,
) {
    let mut counts = Counts::default();
    let mut faults = Faults::default();
    // Position and bytes of those that are to be looked at.
    let mut todo: Vec<(usize, u64)> = Vec::new();
    let mut cursor = checkpoint.tensors().cursor();
    while let Some((at, tensor)) = cursor.advance() {
        if selected.has(at) && !lost.contains(&at) {
            todo.push((at, tensor.bytes().unwrap_or(0)));
        }
    }
    let turn = Turn::of(share, "tensors", todo.len(), |n| todo.get(n).map_or(0, |(_, bytes)| *bytes));
    let (units, own, known) = shared::tensors(turn, &todo, share);
    counts.skipped = (checkpoint.tensors().len() as u64).saturating_sub(units.len() as u64);
    let mut record = Record::default();
    let mut cursor = checkpoint.tensors().cursor();
    for (n, (at, stored)) in todo.iter().enumerate().take(units.end).skip(units.start) {
        let Some(tensor) = cursor.reach(*at) else { continue };
        let outcome = known.get(n).copied().flatten().map_or_else(|| check(tensor), Ok);
        shared::note_tensor(&mut record, *stored, outcome.as_ref().ok());
        match outcome {
            Ok((Checked::Verified, bytes)) => {
                counts.verified += 1;
                counts.bytes = counts.bytes.saturating_add(bytes);
            }
            Ok((Checked::Not, _)) => counts.unsummed += 1,
            Err(error) => faults.add(&error, tensor),
        }
        progress.done.fetch_add(*stored, Ordering::Relaxed);
    }
    if let Some(own) = own {
        own.note(record);
    }
    result.add(counts);
    result.findings.extend(faults.findings());
}

/// What is wrong with tensors, told once for each fault: one checksum may be that of many of them. In each, what the
/// error says, the finding about its first tensor, and the names of all.
#[derive(Default)]
struct Faults(Vec<(String, Finding, Vec<Vec<u8>>)>);

impl Faults {
    fn add(&mut self, error: &Error, tensor: &Tensor) {
        let says = error.to_string();
        // Tensors with one fault in common follow one another, or have it all.
        match self.0.iter_mut().rev().take(8).find(|(known, ..)| *known == says) {
            Some((.., names)) => names.push(tensor.name.clone()),
            None => self.0.push((says, of_tensor(error, tensor), vec![tensor.name.clone()])),
        }
    }

    fn findings(self) -> impl Iterator<Item = Finding> {
        self.0.into_iter().map(|(says, finding, names)| {
            if names.len() < 2 {
                return finding;
            }
            let first: Vec<String> = names.iter().take(3).map(|name| escaped(name).into_owned()).collect();
            let more = if names.len() > 3 { ", …" } else { "" };
            let affected = counted(names.len() as u64, "tensor");
            let message = format!("{says}: {affected} affected ({}{more})", first.join(", "));
            Finding { message, tensor: None, explains: names, ..finding }
        })
    }
}
