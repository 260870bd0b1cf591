//! Rows that several threads format, written in their order.
//!
//! A million rows are as good as independent of each other. Each worker takes a block of them and hands its text over;
//! the caller's thread alone writes. How much text waits is bounded, however long a row is.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::base::parallel::beside;

/// Rows that a worker takes at a time.
const BLOCK: usize = 2048;

/// Text that a worker hands over before its block is done.
const PIECE: usize = 1 << 20;

/// Where a row's text goes.
pub(in crate::report) trait Text {
    /// Formats the row with this number behind what is in `text`.
    ///
    /// # Errors
    /// What writing to memory says, which is nothing.
    fn row(&mut self, n: usize, text: &mut Vec<u8>) -> io::Result<()>;
}

/// Writes `rows` rows. Every worker makes its own formatter with `text`; all of them are returned.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn write_rows<T: Text + Send>(
    rows: usize,
    threads: usize,
    text: impl Fn() -> T + Sync,
    out: &mut dyn Write,
) -> io::Result<Vec<T>> {
    let blocks = rows.div_ceil(BLOCK);
    let workers = threads.min(blocks / 2);
    if workers < 2 {
        return Ok(vec![write_alone(rows, text(), out)?]);
    }
    let desk = Desk {
        next: AtomicUsize::new(0),
        blocks,
        ahead: workers * 2,
        state: Mutex::default(),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        let work = || desk.work(rows, text());
        let started: Vec<_> = (0..workers).map_while(|_| beside(scope, work)).collect();
        if started.is_empty() {
            return Ok(vec![write_alone(rows, text(), out)?]);
        }
        let written = desk.write(out);
        let mut texts = Vec::with_capacity(workers);
        for worker in started {
            match worker.join() {
                Ok(text) => texts.push(text?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        written.map(|()| texts)
    })
}

/// The same without a thread but the caller's.
fn write_alone<T: Text>(rows: usize, mut text: T, out: &mut dyn Write) -> io::Result<T> {
    let mut buffer = Vec::new();
    for n in 0..rows {
        text.row(n, &mut buffer)?;
        if buffer.len() >= PIECE / 16 {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)?;
    Ok(text)
}

/// What workers and the writer share.
struct Desk {
    /// The block that is taken next.
    next: AtomicUsize,
    blocks: usize,
    /// How far in front of the writer a worker may be.
    ahead: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The block that is being written.
    writing: usize,
    /// Text that waits, by block, and whether it is the end of its block.
    waiting: BTreeMap<usize, (Vec<u8>, bool)>,
    /// Memory of text that has been written.
    spare: Vec<Vec<u8>>,
    /// Whether nothing more can be written, or a worker is gone.
    over: bool,
}

/// Ends everybody's waiting if its owner ends early.
struct Watch<'d>(&'d Desk);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.state().over = true;
        self.changed.notify_all();
    }

    fn work<T: Text>(&self, rows: usize, text: T) -> io::Result<T> {
        let _watch = Watch(self);
        self.format(rows, text).inspect_err(|_| self.stop())
    }

    fn format<T: Text>(&self, rows: usize, mut text: T) -> io::Result<T> {
        let mut buffer = Vec::new();
        loop {
            let block = self.next.fetch_add(1, Ordering::Relaxed);
            if block >= self.blocks {
                return Ok(text);
            }
            let block_rows: Range<usize> = block * BLOCK..rows.min((block + 1) * BLOCK);
            for n in block_rows {
                text.row(n, &mut buffer)?;
                if buffer.len() >= PIECE && !self.hand_over(block, &mut buffer, false) {
                    return Ok(text);
                }
            }
            if !self.hand_over(block, &mut buffer, true) {
                return Ok(text);
            }
        }
    }

    /// Gives text to the writer and takes memory for more; false if nobody wants it any longer.
    fn hand_over(&self, block: usize, buffer: &mut Vec<u8>, is_end: bool) -> bool {
        let mut state = self.state();
        while !state.over && (block >= state.writing + self.ahead || state.waiting.contains_key(&block)) {
            state = self.wait(state);
        }
        let spare = state.spare.pop().unwrap_or_default();
        state.waiting.insert(block, (std::mem::replace(buffer, spare), is_end));
        self.changed.notify_all();
        !state.over
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut state = self.state();
        while state.writing < self.blocks && !state.over {
            let block = state.writing;
            let Some((mut text, is_end)) = state.waiting.remove(&block) else {
                state = self.wait(state);
                continue;
            };
            state.writing += usize::from(is_end);
            self.changed.notify_all();
            drop(state);
            if let Err(error) = out.write_all(&text) {
                self.stop();
                return Err(error);
            }
            text.clear();
            state = self.state();
            state.spare.push(text);
        }
        Ok(())
    }
}

/// Writes a number without going through a formatter.
pub(in crate::report) fn push_number(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

/// As [`push_number`], with a sign where there is one.
pub(in crate::report) fn push_signed(text: &mut Vec<u8>, number: i64) {
    if number < 0 {
        text.push(b'-');
    }
    push_number(text, number.unsigned_abs());
}

/// Writes a checksum as `0x1a2b3c4d`.
pub(in crate::report) fn push_crc(text: &mut Vec<u8>, crc: u32) {
    let digit = |shift: u32| b"0123456789abcdef"[(crc >> shift) as usize & 15];
    let digits = [28, 24, 20, 16, 12, 8, 4, 0].map(digit);
    text.extend_from_slice(b"0x");
    text.extend_from_slice(&digits);
}

/// Writes spaces.
pub(in crate::report) fn push_spaces(text: &mut Vec<u8>, count: usize) {
    text.resize(text.len() + count, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers {
        long: usize,
        seen: usize,
    }

    impl Text for Numbers {
        fn row(&mut self, n: usize, text: &mut Vec<u8>) -> io::Result<()> {
            self.seen += 1;
            push_number(text, n as u64);
            push_spaces(text, if n.is_multiple_of(1000) { self.long } else { 0 });
            text.push(b'\n');
            Ok(())
        }
    }

    fn written(rows: usize, threads: usize, long: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let texts = write_rows(rows, threads, || Numbers { long, seen: 0 }, &mut out).unwrap();
        assert_eq!(texts.iter().map(|text| text.seen).sum::<usize>(), rows);
        out
    }

    #[test]
    fn rows_come_out_in_order_whatever_the_number_of_threads() {
        for rows in [0, 1, BLOCK, 4 * BLOCK + 1, 50_000] {
            for long in [0, PIECE / 3] {
                let one = written(rows, 1, long);
                assert!(written(rows, 2, long) == one && written(rows, 7, long) == one, "{rows} {long}");
            }
        }
    }

    #[test]
    fn a_writer_that_refuses_ends_the_workers() {
        struct Refuses(usize);
        impl Write for Refuses {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for room in [0, 100_000] {
            let error = write_rows(1_000_000, 3, || Numbers { long: 0, seen: 0 }, &mut Refuses(room)).err();
            assert_eq!(error.map(|e| e.kind()), Some(io::ErrorKind::BrokenPipe));
        }
    }

    #[test]
    fn numbers_as_the_formatter_writes_them() {
        for number in [0, 1, 9, 10, 4_294_967_295, u64::MAX] {
            let mut text = Vec::new();
            push_number(&mut text, number);
            assert_eq!(text, number.to_string().into_bytes());
        }
        for number in [i64::MIN, -1, 0, 77] {
            let mut text = Vec::new();
            push_signed(&mut text, number);
            assert_eq!(text, number.to_string().into_bytes());
        }
        for crc in [0, 0x1a2b, u32::MAX] {
            let mut text = Vec::new();
            push_crc(&mut text, crc);
            assert_eq!(text, format!("{crc:#010x}").into_bytes());
        }
    }
}
