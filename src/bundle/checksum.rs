//! Checking the bytes of many tensors at once: all cores, one huge tensor included.
//!
//! The pieces of a shard are read in file order, neighbours as one range, so a million tiny tensors cost no million
//! system calls. The ranges are cut into units of 8 MiB that workers take in turn; a piece that lies in several units
//! is joined from their checksums, which combine. A smaller unit would spend its time combining (8 µs each), and a
//! window beyond 256 KiB falls out of the second-level cache.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Shards;
use super::reader::WINDOW;
use crate::error::{Error, Part, Result};
use crate::storage::Source;
use crate::wire::Crc32c;

/// Bytes that have one checksum.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Shard.
    pub shard: i32,
    /// Offset of the first byte.
    pub start: u64,
    /// Number of bytes.
    pub len: u64,
}

/// What one span's bytes came to.
#[derive(Debug)]
pub enum Sum {
    /// The checksum of the bytes that are there.
    Read(Crc32c),
    /// Some of them could not be read.
    Failed(Arc<Error>),
}

const UNIT: u64 = 8 << 20;

/// A gap no longer than this is read through rather than over.
const GAP: u64 = 64 << 10;

/// Consecutive spans that are read as one range.
struct Run {
    source: Arc<Source>,
    /// Their positions.
    spans: std::ops::Range<usize>,
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

/// A part of a span: where in it, how long, its checksum.
type Partial = (u64, u64, Crc32c);

/// Sums every span. They come sorted by shard and start; the result has one entry a span, in their order.
///
/// `done` counts bytes as they are read, for whoever shows progress.
pub fn sum_spans(shards: &Shards, spans: &[Span], threads: usize, done: &AtomicU64) -> Vec<Sum> {
    // A span without bytes lies in no unit.
    let mut sums: Vec<Sum> = spans.iter().map(|_| Sum::Read(Crc32c(0))).collect();
    let mut put = |n: usize, sum: Sum| {
        if let Some(slot) = sums.get_mut(n) {
            *slot = sum;
        }
    };
    let (runs, failures) = plan(shards, spans);
    for (n, error) in failures {
        put(n, Sum::Failed(error));
    }
    let units = cut(&runs);
    let next = AtomicUsize::new(0);
    let found: Mutex<Found> = Mutex::default();
    let work = || {
        let mut local = Found::default();
        let mut window = Vec::new();
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(run) = runs.get(unit.run) {
                read_unit(run, unit, spans, &mut window, &mut local, done);
            }
        }
        found.lock().unwrap_or_else(PoisonError::into_inner).merge(local);
    };
    // More workers than units would only start and stop.
    let workers = threads.min(units.len()).max(1);
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (n, crc) in found.whole {
        put(n, Sum::Read(crc));
    }
    for (n, mut partials) in found.partial {
        partials.sort_unstable_by_key(|(from, ..)| *from);
        let crc = partials.iter().fold(Crc32c::default(), |crc, (_, len, part)| crc.followed_by(*part, *len));
        put(n, Sum::Read(crc));
    }
    for (n, error) in found.failed {
        put(n, Sum::Failed(error));
    }
    sums
}

/// What workers found, by position of the span.
#[derive(Default)]
struct Found {
    whole: Vec<(usize, Crc32c)>,
    partial: BTreeMap<usize, Vec<Partial>>,
    failed: BTreeMap<usize, Arc<Error>>,
}

impl Found {
    fn merge(&mut self, mut other: Self) {
        self.whole.append(&mut other.whole);
        self.failed.append(&mut other.failed);
        for (n, mut partials) in other.partial {
            self.partial.entry(n).or_default().append(&mut partials);
        }
    }
}

/// Groups spans into runs; spans whose shard is missing or too short fail here.
fn plan(shards: &Shards, sorted: &[Span]) -> (Vec<Run>, Vec<(usize, Arc<Error>)>) {
    let mut runs: Vec<Run> = Vec::new();
    let mut failures = Vec::new();
    let mut shard: Option<(i32, Opened)> = None;
    for (n, span) in sorted.iter().enumerate() {
        let source = match &shard {
            Some((id, source)) if *id == span.shard => source,
            _ => &shard.insert((span.shard, shards.get(span.shard).map_err(Arc::new))).1,
        };
        let source = match source {
            Ok(source) => source,
            Err(error) => {
                failures.push((n, Arc::clone(error)));
                continue;
            }
        };
        let end = span.start.saturating_add(span.len);
        if end > source.len() {
            let kind = crate::error::ErrorKind::Truncated { needed: end, available: source.len() };
            let error = Error::new(kind).at_part(Part::TensorData).at_offset(span.start).in_file(source.path());
            failures.push((n, Arc::new(error)));
            continue;
        }
        match runs.last_mut() {
            Some(run)
                if Arc::ptr_eq(&run.source, source)
                    && run.spans.end == n
                    && span.start >= run.end
                    && span.start.saturating_sub(run.end) <= GAP =>
            {
                run.end = end;
                run.spans.end = n.saturating_add(1);
            }
            _ => runs.push(Run { source: Arc::clone(source), spans: n..n.saturating_add(1), start: span.start, end }),
        }
    }
    (runs, failures)
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

fn read_unit(run: &Run, unit: &Unit, sorted: &[Span], window: &mut Vec<u8>, found: &mut Found, done: &AtomicU64) {
    let spans = sorted.get(run.spans.clone()).unwrap_or_default();
    // The first span that ends behind the unit's start.
    let mut n = spans.partition_point(|span| span.start.saturating_add(span.len) <= unit.start);
    let mut crc = Crc32c::default();
    let mut at = unit.start;
    while at < unit.end {
        let len = unit.end.saturating_sub(at).min(WINDOW);
        window.resize(usize::try_from(len).unwrap_or(0), 0);
        if let Err(error) = run.source.read_exact_at(window, at) {
            let error = Arc::new(error.at_part(Part::TensorData));
            while spans.get(n).is_some_and(|span| span.start < unit.end) {
                found.failed.insert(run.spans.start.saturating_add(n), Arc::clone(&error));
                n = n.saturating_add(1);
            }
            return;
        }
        let end = at.saturating_add(len);
        while let Some(span) = spans.get(n).filter(|span| span.start < end) {
            let span_end = span.start.saturating_add(span.len);
            let index = |offset: u64| usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX);
            let part = window.get(index(span.start.max(at))..index(span_end.min(end))).unwrap_or_default();
            crc = crc.extend(part);
            // The span goes on behind this window, and maybe behind this unit.
            if span_end > end {
                break;
            }
            found.keep(run.spans.start.saturating_add(n), span, unit, crc);
            crc = Crc32c::default();
            n = n.saturating_add(1);
        }
        at = end;
        done.fetch_add(len, Ordering::Relaxed);
    }
    if let Some(span) = spans.get(n).filter(|span| span.start < unit.end && span.len > 0) {
        found.keep(run.spans.start.saturating_add(n), span, unit, crc);
    }
}

impl Found {
    /// Keeps the checksum of the part of a span that lies in a unit.
    fn keep(&mut self, n: usize, span: &Span, unit: &Unit, crc: Crc32c) {
        let end = span.start.saturating_add(span.len);
        if span.start >= unit.start && end <= unit.end {
            self.whole.push((n, crc));
            return;
        }
        let from = span.start.max(unit.start);
        let len = end.min(unit.end).saturating_sub(from);
        self.partial.entry(n).or_default().push((from, len, crc));
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the tests' own numbers")]
mod tests {
    use super::*;
    use crate::bundle::Prefix;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|n| u8::try_from(n * 7919 % 251).unwrap()).collect()
    }

    fn check(len: usize, spans: &[(u64, u64)]) {
        let dir = tempfile::tempdir().unwrap();
        let prefix = Prefix::new(dir.path().join("m").as_os_str());
        let data = bytes(len);
        std::fs::write(prefix.shard(0, 1), &data).unwrap();
        let mut spans: Vec<Span> = spans.iter().map(|&(start, len)| Span { shard: 0, start, len }).collect();
        spans.sort_by_key(|span| (span.start, span.len));
        for threads in [1, 2, 5] {
            let done = AtomicU64::new(0);
            let sums = sum_spans(&Shards::new(prefix.clone(), 1), &spans, threads, &done);
            for (span, sum) in spans.iter().zip(&sums) {
                let (start, end) =
                    (usize::try_from(span.start).unwrap(), usize::try_from(span.start + span.len).unwrap());
                let Sum::Read(crc) = sum else { panic!("{sum:?}") };
                assert_eq!(*crc, Crc32c::of(&data[start..end]), "{span:?}");
            }
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
        let spans = [(0, 0, 10), (0, 95, 10), (1, 0, 10), (7, 0, 1)];
        let spans: Vec<Span> = spans.into_iter().map(|(shard, start, len)| Span { shard, start, len }).collect();
        let sums = sum_spans(&Shards::new(prefix, 2), &spans, 2, &AtomicU64::new(0));
        assert!(matches!(sums[0], Sum::Read(_)));
        assert!(sums[1..].iter().all(|sum| matches!(sum, Sum::Failed(_))));
    }
}
