//! What the machine can do: the same bytes read and hardly looked at, with as many threads.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::{Context, Result};

/// Bytes that a worker takes at a time, and reads at a time.
const UNIT: u64 = 8 << 20;
const WINDOW: usize = 256 << 10;

/// A window of `len` bytes that does not lie just behind the beginning of a page: some processors copy to there at a fifth
/// of their speed.
fn window(memory: &mut Vec<u8>, len: usize) -> &mut [u8] {
    const PAGE: usize = 4096;
    memory.resize(len + 2 * PAGE, 0);
    let start = PAGE - memory.as_ptr().addr() % PAGE + 64;
    &mut memory[start..start + len]
}

/// Sums all bytes, as 64-bit words, read through a small window.
pub fn sum_read(files: &[PathBuf], threads: usize) -> Result<()> {
    each_unit(files, threads, |file, start, end, memory| {
        let window = window(memory, WINDOW);
        let mut total = 0u64;
        let mut at = start;
        while at < end {
            let len = usize::try_from(end - at).unwrap_or(WINDOW).min(WINDOW);
            let part = &mut window[..len];
            file.read_exact_at(part, at)?;
            total = total.wrapping_add(sum(part));
            at += len as u64;
        }
        Ok(total)
    })
}

/// Sums all bytes of mappings.
pub fn sum_mapped(files: &[PathBuf], threads: usize) -> Result<()> {
    each_unit(files, threads, |file, start, end, _| {
        let len = usize::try_from(end - start)?;
        // SAFETY: nobody changes the inputs of a bench while it runs.
        #[expect(unsafe_code, reason = "what a mapping costs is what is measured")]
        let map = unsafe { memmap2::MmapOptions::new().offset(start).len(len).map(file)? };
        Ok(sum(&map))
    })
}

/// Compares two files byte by byte, through small windows.
pub fn compare(a: &PathBuf, b: &PathBuf, threads: usize) -> Result<()> {
    let other = File::open(b).with_context(|| b.display().to_string())?;
    each_unit(std::slice::from_ref(a), threads, |file, start, end, memory| {
        let window = window(memory, 2 * WINDOW);
        let mut differing = 0u64;
        let mut at = start;
        while at < end {
            let len = usize::try_from(end - at).unwrap_or(WINDOW).min(WINDOW);
            let (left, right) = window.split_at_mut(WINDOW);
            file.read_exact_at(&mut left[..len], at)?;
            other.read_exact_at(&mut right[..len], at)?;
            differing += u64::from(left[..len] != right[..len]);
            at += len as u64;
        }
        Ok(differing)
    })
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.as_chunks::<8>().0.iter().fold(0, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}

fn each_unit(
    files: &[PathBuf],
    threads: usize,
    work: impl Fn(&File, u64, u64, &mut Vec<u8>) -> Result<u64> + Sync,
) -> Result<()> {
    let files: Vec<File> =
        files.iter().map(|path| File::open(path).with_context(|| path.display().to_string())).collect::<Result<_>>()?;
    let mut units = Vec::new();
    for file in &files {
        let len = file.metadata()?.len();
        units.extend((0..len).step_by(usize::try_from(UNIT)?).map(|start| (file, start, (start + UNIT).min(len))));
    }
    let (next, total) = (AtomicUsize::new(0), AtomicU64::new(0));
    let run = || -> Result<()> {
        let mut window = Vec::new();
        while let Some((file, start, end)) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            total.fetch_add(work(file, *start, *end, &mut window)?, Ordering::Relaxed);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        run()?;
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    println!("{}", total.into_inner());
    Ok(())
}
