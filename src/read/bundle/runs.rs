//! Runs of bytes that are read to sum them, and how they are cut into units: spans with one checksum each, in file order,
//! neighbours as one range. Neither depends on who reads.

use std::ops::Range;
use std::sync::Arc;

use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::read::storage::Source;
use crate::read::wire::Crc32c;

/// Bytes that have one checksum.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Shard.
    pub shard: i32,
    /// Offset of the first byte.
    pub start: u64,
    /// Number of bytes.
    pub len: u64,
    /// The checksum that they should have.
    pub crc: Crc32c,
}

/// What stands for bytes with one checksum, in the form in which a caller keeps it.
pub trait Stored: Sync {
    /// The bytes.
    fn span(&self) -> Span;

    /// Whether they are to be read.
    fn is_wanted(&self) -> bool {
        true
    }
}

impl Stored for Span {
    fn span(&self) -> Span {
        *self
    }
}

/// Spans, by position, and why they could not be read.
pub type Failed = (Range<usize>, Arc<Error>);

/// Bytes of a unit, at most.
pub(super) const UNIT: u64 = 8 << 20;

/// A gap no longer than this is read through rather than over.
const GAP: u64 = 64 << 10;

/// Consecutive spans that are read as one range.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) source: Arc<Source>,
    /// Their positions.
    pub(super) spans: Range<usize>,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A part of a run.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) run: usize,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A shard, or why there is none.
type Opened = Result<Arc<Source>, Arc<Error>>;

/// Opens a shard by its number.
pub type OpenShard<'a> = dyn Fn(i32) -> Result<Arc<Source>> + Sync + 'a;

/// The spans from a position on that are to be read, with their positions.
pub(super) fn wanted<S: Stored>(spans: &[S], from: usize) -> impl Iterator<Item = (usize, Span)> {
    let spans = spans.get(from..).unwrap_or_default().iter().zip(from..);
    spans.filter(|(stored, _)| stored.is_wanted()).map(|(stored, n)| (n, stored.span()))
}

/// Groups spans into runs; spans whose shard is missing or too short fail here.
pub(super) fn plan<S: Stored>(open: &OpenShard<'_>, sorted: &[S]) -> (Vec<Run>, Vec<Failed>) {
    let mut runs: Vec<Run> = Vec::new();
    let mut failed: Vec<Failed> = Vec::new();
    let mut shard: Option<(i32, Opened)> = None;
    for (n, span) in wanted(sorted, 0) {
        let source = match &shard {
            Some((id, source)) if *id == span.shard => source,
            _ => &shard.insert((span.shard, open(span.shard).map_err(Arc::new))).1,
        };
        let behind = n.saturating_add(1);
        let source = match source {
            Ok(source) => source,
            Err(error) => {
                match failed.last_mut() {
                    Some((range, last)) if Arc::ptr_eq(last, error) => range.end = behind,
                    _ => failed.push((n..behind, Arc::clone(error))),
                }
                continue;
            }
        };
        let end = span.start.saturating_add(span.len);
        if end > source.len() {
            // What follows in a shard that is too short starts no earlier, and needs no error of its own.
            match failed.last_mut() {
                Some((range, last)) if range.end == n && last.location().file.as_deref() == Some(source.path()) => {
                    range.end = behind;
                }
                _ => {
                    let kind = ErrorKind::Truncated { needed: end, available: source.len() };
                    let error = Error::new(kind).at_part(Part::TensorData).at_offset(span.start);
                    failed.push((n..behind, Arc::new(error.in_file(source.path()))));
                }
            }
            continue;
        }
        match runs.last_mut() {
            Some(run)
                if Arc::ptr_eq(&run.source, source)
                    && span.start >= run.end
                    && span.start.saturating_sub(run.end) <= GAP =>
            {
                run.end = end;
                run.spans.end = behind;
            }
            _ => runs.push(Run { source: Arc::clone(source), spans: n..behind, start: span.start, end }),
        }
    }
    (runs, failed)
}

/// The units of runs, in order.
pub(super) fn cut(runs: &[Run]) -> Vec<Unit> {
    let mut units = Vec::new();
    for (run, Run { start, end, .. }) in runs.iter().enumerate() {
        let mut at = *start;
        while at < *end {
            let next = at.saturating_add(UNIT).min(*end);
            units.push(Unit { run, start: at, end: next });
            at = next;
        }
    }
    units
}
