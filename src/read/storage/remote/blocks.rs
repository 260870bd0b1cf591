//! The bytes of objects that are here or on their way, and which go first when there are too many.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::base::fault::Fault;

/// So many bytes of all objects are kept.
const MOST_KEPT: u64 = 256 << 20;
/// What is at least as long is let go when it was read.
const LARGE: u64 = 1 << 20;
/// A gap of no more bytes is read through rather than over: a request costs more.
const GAP: u64 = 1 << 20;
/// So many places where somebody reads on are remembered of an object.
const MOST_STREAMS: usize = 32;

static KEPT: AtomicU64 = AtomicU64::new(0);
static COMING: AtomicUsize = AtomicUsize::new(0);
static CLOCK: AtomicU64 = AtomicU64::new(0);

/// How many ranges are on their way.
pub(super) fn on_their_way() -> usize {
    COMING.load(Ordering::Relaxed)
}

/// What is known of one object's bytes: runs that do not overlap, by where they begin.
#[derive(Debug)]
pub(super) struct Blocks {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct State {
    runs: BTreeMap<u64, Run>,
    /// What will all be read; apart and in order once it is sorted.
    expected: Vec<Range<u64>>,
    is_sorted: bool,
    /// Where requests ended, and how much the last of them asked for.
    streams: Vec<(u64, u64)>,
}

#[derive(Debug)]
struct Run {
    end: u64,
    bytes: Bytes,
    /// When it was last of use.
    used: u64,
    /// How many of the bytes nobody has read yet.
    unread: u64,
}

impl Run {
    fn is_new(&self, start: u64) -> bool {
        self.unread >= self.end.saturating_sub(start)
    }
}

#[derive(Debug)]
enum Bytes {
    Coming,
    Here(Arc<Vec<u8>>),
    /// They were here, and all of them were read once.
    Spent,
    Failed(io::ErrorKind, Fault),
}

/// What is known of the byte at some place.
pub(super) enum Found {
    /// It is the one behind `skip` others of these; whether they are read for the first time.
    Here { bytes: Arc<Vec<u8>>, skip: usize, end: u64, is_new: bool },
    /// It was asked for.
    Coming { end: u64 },
    /// It was here and was read: nobody who asks ahead needs it. Whoever asks for it now has it asked for again.
    Spent { end: u64 },
    /// It was asked for in vain. The next who asks tries again.
    Failed(io::Error),
    /// Nobody asked for it, nor for any before `until`.
    Nothing { until: u64 },
}

impl Blocks {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), came: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, at: u64) -> Found {
        let mut state = self.state();
        let until = state.runs.range(at..).map(|(start, _)| *start).find(|start| *start > at).unwrap_or(u64::MAX);
        let Some((start, run)) = state.runs.range_mut(..=at).next_back().filter(|(_, run)| run.end > at) else {
            return Found::Nothing { until };
        };
        let start = *start;
        let end = run.end;
        run.used = CLOCK.fetch_add(1, Ordering::Relaxed);
        match &run.bytes {
            Bytes::Coming => Found::Coming { end },
            Bytes::Spent => Found::Spent { end },
            Bytes::Here(bytes) => {
                let (bytes, is_new) = (Arc::clone(bytes), run.is_new(start));
                Found::Here {
                    bytes,
                    skip: usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX),
                    end,
                    is_new,
                }
            }
            Bytes::Failed(kind, fault) => {
                let error = fault.clone().of_kind(*kind);
                state.runs.remove(&start);
                Found::Failed(error)
            }
        }
    }

    /// Says that a range is being asked for; `false` if somebody else asks for some of it.
    pub(super) fn claim(&self, range: &Range<u64>) -> bool {
        let mut state = self.state();
        let before = state.runs.range(..range.end).next_back();
        if range.is_empty() || before.is_some_and(|(_, run)| run.end > range.start) {
            return false;
        }
        let used = CLOCK.fetch_add(1, Ordering::Relaxed);
        state.runs.insert(
            range.start,
            Run { end: range.end, bytes: Bytes::Coming, used, unread: range.end.saturating_sub(range.start) },
        );
        COMING.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// The bytes that were asked for from `start` on, or why there are none.
    pub(super) fn put(&self, start: u64, bytes: io::Result<Vec<u8>>) {
        let mut state = self.state();
        COMING.fetch_sub(1, Ordering::Relaxed);
        if let Some(run) = state.runs.get_mut(&start) {
            run.bytes = match bytes {
                Ok(bytes) if bytes.len() as u64 == run.end.saturating_sub(start) => {
                    KEPT.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    Bytes::Here(Arc::new(bytes))
                }
                Ok(_) => Bytes::Failed(io::ErrorKind::InvalidData, Fault::new("an answer has another length")),
                Err(error) => Bytes::Failed(error.kind(), fault_in(&error)),
            };
        }
        state.make_room();
        drop(state);
        self.came.notify_all();
    }

    /// Waits while the byte at `at` is on its way.
    pub(super) fn wait_for(&self, at: u64) {
        let is_coming = |state: &mut State| {
            let run = state.runs.range(..=at).next_back().map(|(_, run)| run);
            run.is_some_and(|run| run.end > at && matches!(run.bytes, Bytes::Coming))
        };
        drop(self.came.wait_while(self.state(), is_coming));
    }

    /// `n` bytes before `at` were read. What is large and was read once is not kept: whoever goes through everything does
    /// not come back.
    pub(super) fn was_read(&self, at: u64, n: u64) {
        let mut state = self.state();
        if let Some((start, run)) = state.runs.range_mut(..at).next_back().filter(|(_, run)| run.end >= at) {
            run.unread = run.unread.saturating_sub(n);
            let start = *start;
            if run.unread == 0 && run.end.saturating_sub(start) >= LARGE {
                let end = run.end;
                state.let_go(start);
                state.runs.insert(start, Run { end, bytes: Bytes::Spent, used: 0, unread: 0 });
            }
        }
    }

    /// What was read once is wanted again.
    pub(super) fn revive(&self, at: u64) {
        let mut state = self.state();
        let spent = state.runs.range(..=at).next_back().filter(|(_, run)| matches!(run.bytes, Bytes::Spent));
        if let Some(start) = spent.map(|(start, _)| *start) {
            state.runs.remove(&start);
        }
    }

    /// These bytes will all be read.
    pub(super) fn expect(&self, range: Range<u64>) {
        let mut state = self.state();
        state.is_sorted = false;
        state.expected.push(range);
    }

    /// The part from `at` on of the expected range in which it lies, up to the next multiple of `step` from its beginning.
    pub(super) fn expected(&self, at: u64, step: u64) -> Option<Range<u64>> {
        let mut state = self.state();
        let range = state.expected_from(at).filter(|range| range.contains(&at))?;
        let steps = at.saturating_sub(range.start).checked_div(step)?.saturating_add(1);
        Some(at..range.start.saturating_add(steps.saturating_mul(step)).min(range.end))
    }

    /// As [`Self::expected`], of the first expected byte that is not before `at`.
    pub(super) fn next_expected(&self, at: u64, step: u64) -> Option<Range<u64>> {
        let first = self.state().expected_from(at)?.start.max(at);
        self.expected(first, step)
    }

    /// How much to ask for at `at`: four times as much as the request that ended there did.
    pub(super) fn window(&self, at: u64, least: u64, most: u64) -> u64 {
        let state = self.state();
        let before = state.streams.iter().find(|(end, _)| *end == at);
        before.map_or(least, |(_, asked)| asked.saturating_mul(4).min(most))
    }

    /// A request went from `at` to `end`.
    pub(super) fn went_on(&self, at: u64, end: u64, window: u64) {
        let mut state = self.state();
        state.streams.retain(|(of, _)| *of != at);
        if state.streams.len() >= MOST_STREAMS {
            state.streams.remove(0);
        }
        state.streams.push((end, window));
    }

    /// From where on up to `at` nothing is here.
    pub(super) fn free_before(&self, at: u64) -> u64 {
        self.state().runs.range(..at).next_back().map_or(0, |(_, run)| run.end)
    }
}

fn fault_in(error: &io::Error) -> Fault {
    match Fault::again(error).into_inner().and_then(|inner| inner.downcast::<Fault>().ok()) {
        Some(fault) => *fault,
        None => Fault::new(error.kind().to_string()),
    }
}

impl State {
    /// The first range of what is expected that has not ended before `at`. There may be a million tensors, so what was
    /// said is put in order once, and small gaps are no gaps.
    fn expected_from(&mut self, at: u64) -> Option<Range<u64>> {
        if !self.is_sorted {
            self.expected.sort_unstable_by_key(|range| range.start);
            self.expected.dedup_by(|next, last| {
                let joins = next.start <= last.end.saturating_add(GAP);
                if joins {
                    last.end = last.end.max(next.end);
                }
                joins
            });
            self.is_sorted = true;
        }
        self.expected.get(self.expected.partition_point(|range| range.end <= at)).cloned()
    }

    /// Lets go of what was read longest ago. What nobody has read yet is on its way to somebody.
    fn make_room(&mut self) {
        while KEPT.load(Ordering::Relaxed) > MOST_KEPT {
            let here =
                self.runs.iter().filter(|(start, run)| matches!(run.bytes, Bytes::Here(_)) && !run.is_new(**start));
            match here.min_by_key(|(_, run)| run.used).map(|(start, _)| *start) {
                Some(start) => self.let_go(start),
                None => break,
            }
        }
    }

    fn let_go(&mut self, start: u64) {
        if let Some(Run { bytes: Bytes::Here(bytes), .. }) = self.runs.remove(&start) {
            KEPT.fetch_sub(bytes.len() as u64, Ordering::Relaxed);
        }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        let mut state = self.state();
        let here: Vec<u64> = state.runs.keys().copied().collect();
        for start in here {
            if let Some(Run { bytes: Bytes::Coming, .. }) = state.runs.get(&start) {
                COMING.fetch_sub(1, Ordering::Relaxed);
            }
            state.let_go(start);
        }
    }
}
