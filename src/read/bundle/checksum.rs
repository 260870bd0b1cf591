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
use super::runs::{Failed, OpenShard, Run, Span, Stored, Unit, cut, plan, wanted};
use crate::base::error::Part;
use crate::base::parallel::in_order;
use crate::read::storage::Window;
use crate::read::wire::Crc32c;

/// What is wrong with the bytes. Of a million spans nearly all are right, and then this is nearly empty.
#[derive(Debug, Default)]
pub struct Sums {
    /// The spans, by position, whose bytes have another checksum, and which.
    pub wrong: Vec<(usize, Crc32c)>,
    /// Ranges of spans of which some bytes could not be read, and why.
    pub failed: Vec<Failed>,
}

/// Sums every span and compares it with what it should be. They come sorted by shard and start.
///
/// `done` counts bytes as they are read, for whoever shows progress.
pub fn sum_spans<S: Stored>(open: &OpenShard<'_>, sorted: &[S], threads: usize, done: &AtomicU64) -> Sums {
    let work = SpanWork::new(open, sorted);
    let found = work.read(0..work.units(), true, threads, done);
    work.finish(found)
}

/// What is to be read to sum spans, in units that depend on the spans and the lengths of files alone: any process may
/// read any of them, and what they come to is put together here.
#[derive(Debug)]
pub struct SpanWork<'s, S> {
    sorted: &'s [S],
    runs: Vec<Run>,
    units: Vec<Unit>,
    /// What cannot be read, whoever tries.
    failed: Vec<Failed>,
}

/// What some units came to.
#[derive(Debug, Default)]
pub struct Summed {
    /// The spans within one unit, by position, whose bytes have another checksum, and which.
    pub wrong: Vec<(usize, Crc32c)>,
    /// Of spans that lie in several units, by position, the stretches that were read, in order.
    pub stretches: BTreeMap<usize, Vec<Stretch>>,
    /// Ranges of spans of which some bytes could not be read, why, and the unit that they are of.
    pub failed: Vec<(usize, Failed)>,
}

/// Bytes of a span that follow one another, and their checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Offset of the first byte in the file.
    pub start: u64,
    /// Number of bytes.
    pub len: u64,
    /// Their checksum.
    pub crc: Crc32c,
}

impl<'s, S: Stored> SpanWork<'s, S> {
    /// What is to be read of spans that come sorted by shard and start. Opens shards, and reads nothing.
    pub fn new(open: &OpenShard<'_>, sorted: &'s [S]) -> Self {
        let (runs, failed) = plan(open, sorted);
        let units = cut(&runs);
        Self { sorted, runs, units, failed }
    }

    /// How many units there are.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// How many bytes a unit has.
    pub fn bytes(&self, unit: usize) -> u64 {
        self.units.get(unit).map_or(0, |unit| unit.end.saturating_sub(unit.start))
    }

    /// Reads some units on so many threads. Of one that cannot be read to its end, what was found before is kept or not.
    pub fn read(&self, units: Range<usize>, keep_broken: bool, threads: usize, done: &AtomicU64) -> Summed {
        let mut rest = self.units.get(units.clone()).unwrap_or_default();
        while let Some(unit) = rest.first() {
            let (of_run, behind) = rest.split_at(rest.partition_point(|other| other.run == unit.run));
            if let (Some(run), Some(last)) = (self.runs.get(unit.run), of_run.last()) {
                run.source.expect(unit.start..last.end);
            }
            rest = behind;
        }
        let first = units.start;
        let work = |window: &mut Window, n: usize| {
            let mut summed = Summed::default();
            let at = n.saturating_add(first);
            if let Some((unit, run)) = self.units.get(at).and_then(|unit| Some((unit, self.runs.get(unit.run)?))) {
                read_unit((run, unit, at), self.sorted, window, &mut summed, done);
            }
            if !keep_broken && !summed.failed.is_empty() {
                summed = Summed { failed: summed.failed, ..Summed::default() };
            }
            summed
        };
        let mut all = Summed::default();
        in_order(units.len(), threads, Window::default, work, |_, of_unit| all.merge(of_unit));
        all
    }

    /// The spans, by position, of which all bytes lie in some units that follow one another, or are none.
    pub fn within(&self, units: Range<usize>) -> Vec<usize> {
        let mut within = Vec::new();
        let mut rest = self.units.get(units).unwrap_or_default();
        while let Some(first) = rest.first() {
            let (of_run, behind) = rest.split_at(rest.partition_point(|unit| unit.run == first.run));
            let end = of_run.last().map_or(first.end, |unit| unit.end);
            let spans = self.runs.get(first.run).and_then(|run| self.sorted.get(..run.spans.end).map(|all| (run, all)));
            if let Some((run, all)) = spans {
                let whole = |span: &Span| span.start >= first.start && span.start.saturating_add(span.len) <= end;
                let own = wanted(all, run.spans.start).filter(|(_, span)| whole(span));
                within.extend(own.map(|(n, _)| n));
            }
            rest = behind;
        }
        within
    }

    /// What all units come to.
    pub fn finish(self, found: Summed) -> Sums {
        let mut sums = Sums { wrong: empty(self.sorted), failed: self.failed };
        sums.wrong.extend(found.wrong);
        sums.failed.extend(found.failed.into_iter().map(|(_, failed)| failed));
        for (n, mut stretches) in found.stretches {
            let Some(span) = self.sorted.get(n).map(Stored::span) else { continue };
            // Where a stretch is missing, it is among those that could not be read.
            if stretches.iter().map(|stretch| stretch.len).sum::<u64>() != span.len {
                continue;
            }
            stretches.sort_by_key(|stretch| stretch.start);
            let crc = stretches.iter().fold(Crc32c(0), |crc, stretch| crc.then(stretch.crc, stretch.len));
            if crc != span.crc {
                sums.wrong.push((n, crc));
            }
        }
        sums.wrong.sort_unstable_by_key(|(n, _)| *n);
        sums.failed.sort_by_key(|(range, _)| range.start);
        sums
    }
}

impl Summed {
    /// Takes in what units behind these came to.
    pub fn merge(&mut self, mut other: Self) {
        self.wrong.append(&mut other.wrong);
        self.failed.append(&mut other.failed);
        for (n, stretches) in other.stretches {
            let ours = self.stretches.entry(n).or_default();
            for next in stretches {
                match ours.last_mut() {
                    // What lies side by side is one stretch: nothing more need be known of a large span.
                    Some(last) if last.start.checked_add(last.len) == Some(next.start) => {
                        (last.crc, last.len) = (last.crc.then(next.crc, next.len), last.len.saturating_add(next.len));
                    }
                    _ => ours.push(next),
                }
            }
        }
    }
}

/// Spans without bytes, which lie in no unit, and should have another checksum than nothing has.
fn empty<S: Stored>(spans: &[S]) -> Vec<(usize, Crc32c)> {
    let is_wrong = |span: Span| span.len == 0 && span.crc != Crc32c(0);
    wanted(spans, 0).filter(|(_, span)| is_wrong(*span)).map(|(n, _)| (n, Crc32c(0))).collect()
}

fn read_unit<S: Stored>(
    (run, unit, number): (&Run, &Unit, usize),
    sorted: &[S],
    window: &mut Window,
    found: &mut Summed,
    done: &AtomicU64,
) {
    let spans = sorted.get(..run.spans.end).unwrap_or_default();
    let span_at = |from: usize| wanted(spans, from).next();
    let mut next = span_at(first_in(spans, run.spans.start, unit.start));
    let mut crc = Crc32c::default();
    let mut at = unit.start;
    while at < unit.end {
        let len = unit.end.saturating_sub(at).min(WINDOW);
        if let Err(error) = run.source.read_exact_at(window.room(usize::try_from(len).unwrap_or(0), at), at) {
            let from = next.map_or(run.spans.end, |(n, _)| n);
            let mut until = from;
            while let Some((n, _)) = span_at(until).filter(|(_, span)| span.start < unit.end) {
                until = n.saturating_add(1);
            }
            found.failed.push((number, (from..until, Arc::new(error.at_part(Part::TensorData)))));
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

impl Summed {
    /// Keeps what was found of a span, or of the part of it that lies in a unit.
    fn keep(&mut self, n: usize, span: &Span, unit: &Unit, crc: Crc32c) {
        let end = span.start.saturating_add(span.len);
        if span.start >= unit.start && end <= unit.end {
            if crc != span.crc && span.len > 0 {
                self.wrong.push((n, crc));
            }
            return;
        }
        let from = span.start.max(unit.start);
        let len = end.min(unit.end).saturating_sub(from);
        self.stretches.entry(n).or_default().push(Stretch { start: from, len, crc });
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the tests' own numbers")]
mod tests {
    use super::*;
    use crate::read::bundle::runs::UNIT;
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
