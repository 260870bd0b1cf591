//! Checking the bytes of many tensors at once: all cores, one huge tensor included.
//!
//! The pieces of a shard are read in file order, neighbours as one range, so a million tiny tensors cost no million
//! system calls. The ranges are cut into units of 8 MiB that workers take in turn; a piece that lies in several units
//! is joined from their checksums, which combine. A smaller unit would spend its time combining (8 µs each), and a
//! window beyond 256 KiB falls out of the second-level cache.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::reader::WINDOW;
use crate::base::error::{Error, Part, Result};
use crate::base::parallel::in_order;
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

/// What is wrong with the bytes. Of a million spans nearly all are right, and then this is nearly empty.
#[derive(Debug, Default)]
pub struct Sums {
    /// The spans, by position, whose bytes have another checksum, and which.
    pub wrong: Vec<(usize, Crc32c)>,
    /// Ranges of spans of which some bytes could not be read, and why.
    pub failed: Vec<Failed>,
}

/// Spans, by position, and why they could not be read.
pub type Failed = (Range<usize>, Arc<Error>);

const UNIT: u64 = 8 << 20;

/// A gap no longer than this is read through rather than over.
const GAP: u64 = 64 << 10;

/// Consecutive spans that are read as one range.
struct Run {
    source: Arc<Source>,
    /// Their positions.
    spans: Range<usize>,
    start: u64,
    end: u64,
}

/// A part of a run.
struct Unit {
    run: usize,
    start: u64,
    end: u64,
}

/// A shard, or why there is none.
type Opened = Result<Arc<Source>, Arc<Error>>;

/// A part of a span, behind the one before: how long, its checksum.
type Partial = (u64, Crc32c);

/// Opens a shard by its number.
pub type OpenShard<'a> = dyn Fn(i32) -> Result<Arc<Source>> + Sync + 'a;

/// Sums every span and compares it with what it should be. They come sorted by shard and start.
///
/// `done` counts bytes as they are read, for whoever shows progress.
pub fn sum_spans<S: Stored>(open: &OpenShard<'_>, sorted: &[S], threads: usize, done: &AtomicU64) -> Sums {
    let (runs, failed) = plan(open, sorted);
    for run in &runs {
        run.source.expect(run.start..run.end);
    }
    let units = cut(&runs);
    let mut found = Found { sums: Sums { wrong: empty(sorted), failed }, ..Found::default() };
    let work = |window: &mut Vec<u8>, n: usize| {
        let mut of_unit = Found::default();
        if let Some((unit, run)) = units.get(n).and_then(|unit| Some((unit, runs.get(unit.run)?))) {
            read_unit(run, unit, sorted, window, &mut of_unit, done);
        }
        of_unit
    };
    in_order(units.len(), threads, Vec::new, work, |_, of_unit| found.merge(of_unit));
    let Found { mut sums, partial } = found;
    for (n, partials) in partial {
        let Some(span) = sorted.get(n).map(Stored::span) else { continue };
        // Where a part is missing, it is among those that could not be read.
        if partials.iter().map(|(len, _)| *len).sum::<u64>() != span.len {
            continue;
        }
        let crc = partials.iter().fold(Crc32c(0), |crc, (len, part)| crc.then(*part, *len));
        if crc != span.crc {
            sums.wrong.push((n, crc));
        }
    }
    sums.wrong.sort_unstable_by_key(|(n, _)| *n);
    sums.failed.sort_by_key(|(range, _)| range.start);
    sums
}

/// Spans without bytes, which lie in no unit, and should have another checksum than nothing has.
fn empty<S: Stored>(spans: &[S]) -> Vec<(usize, Crc32c)> {
    let is_wrong = |span: Span| span.len == 0 && span.crc != Crc32c(0);
    wanted(spans, 0).filter(|(_, span)| is_wrong(*span)).map(|(n, _)| (n, Crc32c(0))).collect()
}

/// The spans from a position on that are to be read, with their positions.
fn wanted<S: Stored>(spans: &[S], from: usize) -> impl Iterator<Item = (usize, Span)> {
    let spans = spans.get(from..).unwrap_or_default().iter().zip(from..);
    spans.filter(|(stored, _)| stored.is_wanted()).map(|(stored, n)| (n, stored.span()))
}

/// What workers found.
#[derive(Default)]
struct Found {
    sums: Sums,
    /// Parts of spans that lie in several units, by position.
    partial: BTreeMap<usize, Vec<Partial>>,
}

impl Found {
    fn merge(&mut self, mut other: Self) {
        self.sums.wrong.append(&mut other.sums.wrong);
        self.sums.failed.append(&mut other.sums.failed);
        for (n, mut partials) in other.partial {
            self.partial.entry(n).or_default().append(&mut partials);
        }
    }
}

/// Groups spans into runs; spans whose shard is missing or too short fail here.
fn plan<S: Stored>(open: &OpenShard<'_>, sorted: &[S]) -> (Vec<Run>, Vec<Failed>) {
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
                    let kind = crate::base::error::ErrorKind::Truncated { needed: end, available: source.len() };
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

fn cut(runs: &[Run]) -> Vec<Unit> {
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

fn read_unit<S: Stored>(
    run: &Run,
    unit: &Unit,
    sorted: &[S],
    window: &mut Vec<u8>,
    found: &mut Found,
    done: &AtomicU64,
) {
    let spans = sorted.get(..run.spans.end).unwrap_or_default();
    let span_at = |from: usize| wanted(spans, from).next();
    let mut next = span_at(first_in(spans, run.spans.start, unit.start));
    let mut crc = Crc32c::default();
    let mut at = unit.start;
    while at < unit.end {
        let len = unit.end.saturating_sub(at).min(WINDOW);
        window.resize(usize::try_from(len).unwrap_or(0), 0);
        if let Err(error) = run.source.read_exact_at(window, at) {
            let from = next.map_or(run.spans.end, |(n, _)| n);
            let mut until = from;
            while let Some((n, _)) = span_at(until).filter(|(_, span)| span.start < unit.end) {
                until = n.saturating_add(1);
            }
            found.sums.failed.push((from..until, Arc::new(error.at_part(Part::TensorData))));
            return;
        }
        let end = at.saturating_add(len);
        while let Some((n, span)) = next.filter(|(_, span)| span.start < end) {
            let span_end = span.start.saturating_add(span.len);
            let index = |offset: u64| usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX);
            let part = window.get(index(span.start.max(at))..index(span_end.min(end))).unwrap_or_default();
            crc = crc.extend(part);
            // The span goes on behind this window, and maybe behind this unit.
            if span_end > end {
                break;
            }
            found.keep(n, &span, unit, crc);
            crc = Crc32c::default();
            next = span_at(n.saturating_add(1));
        }
        at = end;
        done.fetch_add(len, Ordering::Relaxed);
    }
    if let Some((n, span)) = next.filter(|(_, span)| span.start < unit.end && span.len > 0) {
        found.keep(n, &span, unit, crc);
    }
}

/// The position from which on spans may have bytes at or behind `start`, in a run that begins with the span `first`.
fn first_in<S: Stored>(spans: &[S], first: usize, start: u64) -> usize {
    let run = spans.get(first..).unwrap_or_default();
    let behind = run.partition_point(|stored| stored.span().start <= start);
    // Those of a run that are wanted do not overlap: only the last of those before may reach beyond.
    let before = run.get(..behind).unwrap_or_default().iter().rposition(Stored::is_wanted);
    let reaches = |at: &usize| run.get(*at).map(Stored::span).is_some_and(|s| s.start.saturating_add(s.len) > start);
    first.saturating_add(before.filter(reaches).unwrap_or(behind))
}

impl Found {
    /// Keeps what was found of a span, or of the part of it that lies in a unit.
    fn keep(&mut self, n: usize, span: &Span, unit: &Unit, crc: Crc32c) {
        let end = span.start.saturating_add(span.len);
        if span.start >= unit.start && end <= unit.end {
            if crc != span.crc && span.len > 0 {
                self.sums.wrong.push((n, crc));
            }
            return;
        }
        let from = span.start.max(unit.start);
        let len = end.min(unit.end).saturating_sub(from);
        self.partial.entry(n).or_default().push((len, crc));
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the tests' own numbers")]
mod tests {
    use super::*;
    use crate::read::bundle::{Prefix, Shards};

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|n| u8::try_from(n * 7919 % 251).unwrap()).collect()
    }

    fn check(len: usize, spans: &[(u64, u64)]) {
        let dir = tempfile::tempdir().unwrap();
        let prefix = Prefix::new(dir.path().join("m").as_os_str());
        let data = bytes(len);
        std::fs::write(prefix.shard(0, 1), &data).unwrap();
        let sum = |start: u64, len: u64| {
            Crc32c::of(&data[usize::try_from(start).unwrap()..usize::try_from(start + len).unwrap()])
        };
        let mut spans: Vec<Span> =
            spans.iter().map(|&(start, len)| Span { shard: 0, start, len, crc: sum(start, len) }).collect();
        spans.sort_by_key(|span| (span.start, span.len));
        let shards = Shards::new(prefix, 1);
        for threads in [1, 2, 5] {
            let run = |spans: &[Tested]| {
                let sums = sum_spans(&|id| shards.get(id), spans, threads, &AtomicU64::new(0));
                assert!(sums.failed.is_empty(), "{:?}", sums.failed);
                sums.wrong
            };
            let mut tested: Vec<Tested> = spans.iter().map(|span| Tested { span: *span, is_wanted: true }).collect();
            assert_eq!(run(&tested), [], "{threads}");
            // What should be and is not, is told with what is; what is not wanted is not told.
            for every in [1, 2, 3] {
                let mut want = Vec::new();
                for (n, (tested, span)) in tested.iter_mut().zip(&spans).enumerate() {
                    *tested = Tested { span: Span { crc: Crc32c(!span.crc.0), ..*span }, is_wanted: n % every == 0 };
                    want.extend(tested.is_wanted.then_some((n, span.crc)));
                }
                assert_eq!(run(&tested), want, "{threads} {every}");
            }
        }
    }

    /// A span that may be left out.
    struct Tested {
        span: Span,
        is_wanted: bool,
    }

    impl Stored for Tested {
        fn span(&self) -> Span {
            self.span
        }

        fn is_wanted(&self) -> bool {
            self.is_wanted
        }
    }

    #[test]
    fn spans_of_every_size_and_order() {
        check(100, &[(50, 50), (0, 10), (10, 40), (20, 0), (100, 0)]);
        check(600_000, &[(0, 100), (100, 500_000), (500_100, 99_900), (262_144, 5)]);
    }

    #[test]
    fn spans_across_units_are_joined() {
        let unit = UNIT;
        let len = usize::try_from(3 * unit).unwrap();
        check(len, &[(0, 3 * unit)]);
        check(len, &[(5, unit - 5), (unit, unit), (2 * unit, unit)]);
        check(len, &[(1, 10), (11, 2 * unit), (2 * unit + 11, unit - 20)]);
        check(len, &[(0, 2 * unit + 1), (unit, 2 * unit)]);
    }

    #[test]
    fn a_missing_or_short_shard_fails_its_spans_only() {
        let dir = tempfile::tempdir().unwrap();
        let prefix = Prefix::new(dir.path().join("m").as_os_str());
        std::fs::write(prefix.shard(0, 2), bytes(100)).unwrap();
        let spans = [(0, 0, 10), (0, 95, 10), (0, 96, 10), (1, 0, 10), (7, 0, 1)];
        let crc = Crc32c::of(&bytes(10));
        let spans: Vec<Span> = spans.into_iter().map(|(shard, start, len)| Span { shard, start, len, crc }).collect();
        let shards = Shards::new(prefix, 2);
        let sums = sum_spans(&|id| shards.get(id), &spans, 2, &AtomicU64::new(0));
        assert_eq!(sums.wrong, []);
        let failed: Vec<Range<usize>> = sums.failed.into_iter().map(|(range, _)| range).collect();
        assert_eq!(failed, [1..3, 3..4, 4..5]);
    }
}
