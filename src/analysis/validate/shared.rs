//! Sums by several processes: which this one reads, what it notes of them, and what it is told of the others'.
//!
//! Of bytes that are right next to nothing is noted. What is wrong with strings, and with tensors of formats that are
//! read one by one, is not noted either, but that something is: who has all parts looks at these again, and says it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::entries::StoredPiece;
use super::mismatch::{Mismatch, piece_name};
use super::{ValidateOptions, Validation};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::parts::{Own, Reading, Record, Share, Turn};
use crate::base::error::Error;
use crate::base::progress::Progress;
use crate::read::bundle::{SpanWork, Stretch, Summed, Sums};
use crate::read::checkpoint::Checkpoint;
use crate::read::tensor::Checked;

/// What was read of numeric pieces.
pub(super) struct Read {
    pub(super) sums: Sums,
    /// The pieces, by position, that a share has as a whole; without one, all of them were read.
    pub(super) own: Option<BTreeSet<usize>>,
}

/// Sums numeric pieces: all, those of a share, or none but what nobody could read.
pub(super) fn sums(
    checkpoint: &Checkpoint,
    pieces: &[StoredPiece],
    options: &ValidateOptions,
    progress: &Progress,
) -> Read {
    let work = checkpoint.span_work(pieces);
    let strings = pieces.iter().filter(|piece| piece.is_selected && piece.is_variable).map(|piece| piece.len);
    let bytes = |units: Range<usize>| units.fold(0u64, |sum, unit| sum.saturating_add(work.bytes(unit)));
    let will_read = |bytes: u64| {
        progress.total.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    };
    will_read(strings.fold(0, u64::saturating_add));
    let share = options.share.as_deref();
    match Turn::of(share, "sums", work.units(), |unit| work.bytes(unit)) {
        Turn::All => {
            will_read(bytes(0..work.units()));
            let summed = work.read(0..work.units(), true, options.threads, &progress.done);
            Read { sums: work.finish(summed), own: None }
        }
        Turn::Own(own) => {
            let units = own.units.clone();
            will_read(bytes(units.clone()));
            let summed = work.read(units.clone(), false, options.threads, &progress.done);
            own.note(record(&summed));
            let within: BTreeSet<usize> = work.within(units).into_iter().collect();
            Read { sums: work.finish(summed), own: Some(within) }
        }
        Turn::Told(told) => {
            let mut all = Summed::default();
            for (units, bytes) in told {
                match recorded(&work, &units, &mut Reading::of(bytes), options.threads, progress) {
                    Some(summed) => all.merge(summed),
                    None => Share::misfit(share, &units),
                }
            }
            Read { sums: work.finish(all), own: None }
        }
    }
}

/// What is noted of sums.
fn record(summed: &Summed) -> Record {
    let mut record = Record::default();
    record.count(summed.wrong.len());
    for (n, crc) in &summed.wrong {
        record.count(*n);
        record.crc(*crc);
    }
    record.count(summed.stretches.len());
    for (n, stretches) in &summed.stretches {
        record.count(*n);
        record.count(stretches.len());
        for Stretch { start, len, crc } in stretches {
            record.number(*start);
            record.number(*len);
            record.crc(*crc);
        }
    }
    record.count(summed.failed.len());
    for (unit, _) in &summed.failed {
        record.count(*unit);
    }
    record
}

/// What was noted of sums. What could not be read is tried once more.
fn recorded(
    work: &SpanWork<'_, StoredPiece>,
    units: &Range<usize>,
    from: &mut Reading<'_>,
    threads: usize,
    progress: &Progress,
) -> Option<Summed> {
    let mut summed = Summed::default();
    for _ in 0..from.count()? {
        summed.wrong.push((from.position()?, from.crc()?));
    }
    for _ in 0..from.count()? {
        let stretches = summed.stretches.entry(from.position()?).or_default();
        for _ in 0..from.count()? {
            stretches.push(Stretch { start: from.number()?, len: from.number()?, crc: from.crc()? });
        }
    }
    for _ in 0..from.count()? {
        let unit = from.position().filter(|unit| units.contains(unit))?;
        summed.merge(work.read(unit..unit.saturating_add(1), true, threads, &progress.done));
    }
    from.is_over().then_some(summed)
}

/// Notes which strings are wrong.
pub(super) fn note_strings(own: Own<'_>, wrong: &[(u32, Error)]) {
    let mut record = Record::default();
    record.count(wrong.len());
    for (at, _) in wrong {
        record.number(u64::from(*at));
    }
    own.note(record);
}

/// Which strings were noted to be wrong.
pub(super) fn wrong_strings(told: &[(Range<usize>, &[u8])], strings: &[u32], options: &ValidateOptions) -> Vec<u32> {
    let read = |mut from: Reading<'_>| -> Option<Vec<u32>> {
        let count = from.count()?;
        let wrong = (0..count).map(|_| u32::try_from(from.number()?).ok()).collect::<Option<Vec<u32>>>()?;
        from.is_over().then_some(wrong)
    };
    let mut all = Vec::new();
    for (units, bytes) in told {
        match read(Reading::of(bytes)).filter(|wrong| wrong.iter().all(|at| strings.binary_search(at).is_ok())) {
            Some(wrong) => all.extend(wrong),
            None => Share::misfit(options.share.as_deref(), units),
        }
    }
    all
}

/// What is known of a tensor that was read by itself.
pub(super) type Known = Option<(Checked, u64)>;

/// Of tensors that are read one by one: which are this process's, where to note them, and what is known of all.
pub(super) fn tensors<'s>(
    turn: Turn<'s>,
    todo: &[(usize, u64)],
    share: Option<&Share>,
) -> (Range<usize>, Option<Own<'s>>, Vec<Known>) {
    match turn {
        Turn::All => (0..todo.len(), None, Vec::new()),
        Turn::Own(own) => (own.units.clone(), Some(own), Vec::new()),
        Turn::Told(told) => {
            let mut known = Vec::with_capacity(todo.len());
            for (units, bytes) in told {
                let mut from = Reading::of(bytes);
                for n in units.clone() {
                    let stored = todo.get(n).map_or(0, |(_, bytes)| *bytes);
                    match noted(stored, &mut from) {
                        Some(outcome) => known.push(outcome),
                        None => Share::misfit(share, &units),
                    }
                }
                if !from.is_over() {
                    Share::misfit(share, &units);
                }
            }
            (0..todo.len(), None, known)
        }
    }
}

/// Notes what became of a tensor that takes so many bytes; nothing of one that is wrong but that it is to be looked at.
pub(super) fn note_tensor(record: &mut Record, stored: u64, outcome: Option<&(Checked, u64)>) {
    match outcome {
        Some((Checked::Verified, bytes)) if *bytes == stored => record.number(0),
        Some((Checked::Verified, bytes)) => {
            record.number(1);
            record.number(*bytes);
        }
        Some((Checked::Not, _)) => record.number(2),
        None => record.number(3),
    }
}

fn noted(stored: u64, from: &mut Reading<'_>) -> Option<Known> {
    Some(match from.number()? {
        0 => Some((Checked::Verified, stored)),
        1 => Some((Checked::Verified, from.number()?)),
        2 => Some((Checked::Not, 0)),
        3 => None,
        _ => return None,
    })
}

/// Says of a share which pieces in it are not what was saved, and nothing of why: that takes a look at all of them.
pub(super) fn tell(checkpoint: &Checkpoint, pieces: &[StoredPiece], wrong: &[Mismatch], result: &mut Validation) {
    for Mismatch { piece, got } in wrong {
        let Some(piece) = pieces.get(*piece) else { continue };
        let name = piece_name(checkpoint, piece);
        let (len, stored, computed) = (piece.len, piece.crc.0, got.0);
        let message = format!(
            "{name}: its {len} bytes are not the ones that were saved (stored {stored:#010x}, computed {computed:#010x})"
        );
        let mut finding = Finding::new(Code::TensorChecksumMismatch, message).in_file(checkpoint.file(piece.shard));
        finding.offset = Some(piece.start);
        (finding.expected, finding.found) = (Some(format!("{stored:#010x}")), Some(format!("{computed:#010x}")));
        let tensor = checkpoint.tensors().get(piece.tensor as usize);
        result.push(tensor.map(|tensor| finding.clone().for_tensor(&tensor.name)).unwrap_or(finding));
    }
}
