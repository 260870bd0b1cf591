//! Work on many things of one kind by several threads, in parts that are put together in their order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

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
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let take = || {
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                break;
            }
            let made = work(edge(part)..edge(part.saturating_add(1)));
            done.lock().unwrap_or_else(PoisonError::into_inner).insert(part, made);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(parts) {
            scope.spawn(take);
        }
        take();
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::in_parts;

    #[test]
    fn every_number_is_in_one_part_and_in_order() {
        for len in [0, 1, 2, 7, 8, 9, 1001] {
            for threads in [0, 1, 2, 3, 50] {
                let parts = in_parts(len, threads, Iterator::collect::<Vec<usize>>);
                assert_eq!(parts.concat(), (0..len).collect::<Vec<usize>>(), "{len} {threads}");
            }
        }
    }
}
