//! Below everything: work on all cores whose results come back in order, so that output does not depend on threads.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

/// How many results a worker may be ahead of the slowest one, for each worker: what waits for its turn takes memory.
pub const AHEAD: usize = 4;

/// Results that wait for their turn.
struct Turns<T> {
    waiting: BTreeMap<usize, T>,
    /// The result that is taken next.
    next: usize,
    /// A worker panicked, or no more results are wanted: nobody waits for one.
    broken: bool,
}

/// Calls `work` for every number below `count` on up to `threads` threads, each with a state of its own from `start`,
/// and hands the results to `take` in the order of the numbers, one at a time.
///
/// The caller's thread works too, and it alone takes: so `take` may own what cannot be sent, such as standard output.
pub fn in_order<S, T: Send>(
    count: usize,
    threads: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
    mut take: impl FnMut(usize, T),
) {
    in_order_until(count, threads, start, work, |n, result| {
        take(n, result);
        ControlFlow::Continue(())
    });
}

/// As [`in_order`], until `take` breaks off: then nothing more is begun, and nothing more handed over.
pub fn in_order_until<S, T: Send>(
    count: usize,
    threads: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> ControlFlow<()>,
) {
    if threads.min(count) <= 1 {
        let mut state = start();
        // What comes of it is nobody's business: all has been taken, or no more is wanted.
        let _ = (0..count).try_for_each(|n| take(n, work(&mut state, n)));
        return;
    }
    let workers = threads.min(count);
    let ahead = workers.saturating_mul(AHEAD);
    let next = AtomicUsize::new(0);
    let turns = Mutex::new(Turns { waiting: BTreeMap::new(), next: 0, broken: false });
    let moved = Condvar::new();
    let claim = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < count);
    let help = || {
        let _guard = Unblock(&turns, &moved);
        let mut state = start();
        while let Some(n) = claim() {
            let result = work(&mut state, n);
            let mut turns = lock(&turns);
            while n > turns.next.saturating_add(ahead) && !turns.broken {
                turns = wait(&moved, turns);
            }
            turns.waiting.insert(n, result);
            moved.notify_all();
        }
    };
    let mut run = || {
        let _guard = Unblock(&turns, &moved);
        let mut state = start();
        let mut mine = claim();
        loop {
            // Nothing is taken while the lock is held: taking may be as slow as a disk.
            let mut guard = lock(&turns);
            loop {
                let n = guard.next;
                let Some(result) = guard.waiting.remove(&n) else { break };
                guard.next = n.saturating_add(1);
                moved.notify_all();
                drop(guard);
                let is_over = take(n, result).is_break();
                guard = lock(&turns);
                if is_over {
                    next.store(count, Ordering::Relaxed);
                    guard.broken = true;
                    moved.notify_all();
                    return;
                }
            }
            if guard.next >= count || guard.broken {
                return;
            }
            match mine.take() {
                Some(n) => {
                    drop(guard);
                    let result = work(&mut state, n);
                    lock(&turns).waiting.insert(n, result);
                    mine = claim();
                }
                // The others have the rest.
                None => drop(wait(&moved, guard)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            if beside(scope, help).is_none() {
                break;
            }
        }
        run();
    });
}

/// A thread beside the caller's; `None` where the system has none left (`ulimit -u`, the limit of a container, no memory
/// for a stack). Whoever asks for one can do without.
pub fn beside<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    std::thread::Builder::new().spawn_scoped(scope, work).ok()
}

/// Does `work` on all of `bytes`, cut into chunks of `len` bytes (the last may be shorter), each with its position, and
/// returns what it made of each, in order.
pub fn in_chunks<T: Send>(
    bytes: &mut [u8],
    len: usize,
    threads: usize,
    work: impl Fn(usize, &mut [u8]) -> T + Sync,
) -> Vec<T> {
    let len = len.max(1);
    let count = bytes.len().div_ceil(len);
    // Workers take chunks in the order in which they lie, as they take numbers.
    let chunks = Mutex::new(bytes.chunks_mut(len).enumerate());
    let take = || lock(&chunks).next();
    let made: Mutex<BTreeMap<usize, T>> = Mutex::default();
    let help = || {
        while let Some((n, chunk)) = take() {
            let result = work(n.saturating_mul(len), chunk);
            lock(&made).insert(n, result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(count) {
            if beside(scope, help).is_none() {
                break;
            }
        }
        help();
    });
    made.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Does `work` on all of `0..len`, cut into ranges, and returns what it made of each, in order.
///
/// Without a second thread there is one range. With more there are a few for each, since a core may be busy with
/// something else.
pub fn in_parts<T: Send>(len: usize, threads: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let parts = if threads > 1 { threads.saturating_mul(4).min(len) } else { 1 };
    if parts <= 1 {
        return vec![work(0..len)];
    }
    // As even as they can be, without a product that overflows.
    let (each, more) = (len.checked_div(parts).unwrap_or(0), len.checked_rem(parts).unwrap_or(0));
    let edge = |part: usize| part.saturating_mul(each).saturating_add(part.min(more));
    let mut made = Vec::with_capacity(parts);
    let range = |part: usize| edge(part)..edge(part.saturating_add(1));
    in_order(parts, threads, || (), |(), part| work(range(part)), |_, part| made.push(part));
    made
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'t, T>(moved: &Condvar, turns: MutexGuard<'t, T>) -> MutexGuard<'t, T> {
    moved.wait(turns).unwrap_or_else(PoisonError::into_inner)
}

/// Wakes the others if its worker panics, so that the panic is seen rather than waited for.
struct Unblock<'m, T>(&'m Mutex<Turns<T>>, &'m Condvar);

impl<T> Drop for Unblock<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(self.0).broken = true;
            self.1.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_all_there_and_in_order() {
        for (len, chunk, threads) in [(0, 4, 2), (1, 4, 2), (8, 4, 1), (9, 4, 3), (100, 7, 16)] {
            let mut bytes = vec![0u8; len];
            let made = in_chunks(&mut bytes, chunk, threads, |at, chunk| {
                chunk.fill(1);
                (at, chunk.len())
            });
            assert!(bytes.iter().all(|byte| *byte == 1));
            let want: Vec<_> = (0..len).step_by(chunk).map(|at| (at, chunk.min(len - at))).collect();
            assert_eq!(made, want);
        }
    }

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        for threads in [1, 2, 3, 16] {
            let mut seen = Vec::new();
            let slow = |n: usize| std::thread::sleep(std::time::Duration::from_micros((n as u64 * 37) % 90));
            in_order(200, threads, || 0u64, |_, n| (slow(n), n * n).1, |n, square| seen.push((n, square)));
            assert_eq!(seen, (0..200).map(|n| (n, n * n)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_number_is_in_one_part_and_in_order() {
        for len in [0, 1, 2, 7, 8, 9, 1001] {
            for threads in [0, 1, 2, 3, 50] {
                let parts = in_parts(len, threads, Iterator::collect::<Vec<usize>>);
                assert_eq!(parts.concat(), (0..len).collect::<Vec<usize>>(), "{len} {threads}");
            }
        }
    }

    #[test]
    fn who_breaks_off_gets_no_more_and_nobody_waits() {
        for threads in [1, 2, 5] {
            let (begun, mut taken) = (AtomicUsize::new(0), Vec::new());
            let work = |(): &mut (), n: usize| {
                begun.fetch_add(1, Ordering::Relaxed);
                n
            };
            in_order_until(
                10_000,
                threads,
                || (),
                work,
                |_, n| {
                    taken.push(n);
                    if n == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                },
            );
            assert_eq!(taken, [0, 1, 2, 3]);
            assert!(begun.into_inner() <= 4 + threads * (AHEAD + 2), "{threads}");
        }
    }

    #[test]
    fn nothing_to_do_is_done() {
        in_order(0, 4, || (), |(), n| n, |_, _| panic!("there is no result"));
    }

    #[test]
    fn a_panic_is_passed_on() {
        let fails = |n: usize| assert!(n != 0, "the first one fails");
        let run = || in_order(100, 4, || (), |(), n| fails(n), |_, ()| {});
        assert!(std::panic::catch_unwind(run).is_err());
    }
}
