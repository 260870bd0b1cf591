//! Files made to hurt: whatever the reader makes of them, it answers, soon, and in proportion to the file.

#[path = "it/support/mod.rs"]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use ckpt::analysis::{Selector, StatsOptions, stats};
use ckpt::base::error::Error;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, looks_like};
use ckpt::read::tensor::{Axis, Checked};
use ckpt_synth::hostile::{Case, Verdict, cases};
use ckpt_synth::{BundleBuilder, Entry, Extent, dtype};

/// Counts the bytes on the heap and their peak.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grew(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "an allocator is unsafe to implement; this one passes every call on to the system's")]
// SAFETY: every method hands its arguments to `System` and returns what it returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Old and new may exist at once.
        grew(new_size);
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// One case at a time, so that the peak is that case's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What every case may use, whatever its size.
const FREE: usize = 64 << 20;

/// Longer than any case takes on the slowest machine; reached only by a hang.
const HANG: Duration = Duration::from_secs(20);

/// What came of a case.
#[derive(Debug, Default)]
struct Outcome {
    opened: bool,
    tensors: usize,
    verified: usize,
    /// Errors of opening and reading, damage and notes.
    complaints: Vec<String>,
}

/// Opens, lists and reads everything there is, keeping none of it.
fn use_all(path: &Path) -> Outcome {
    use_opened(path, |_| ())
}

/// The same, after something else that is done with what was opened.
fn use_opened(path: &Path, first: impl Fn(&Checkpoint)) -> Outcome {
    let mut outcome = Outcome::default();
    let checkpoint = match support::open(path) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            outcome.complaints.push(said(&error));
            return outcome;
        }
    };
    first(&checkpoint);
    outcome.opened = true;
    outcome.tensors = checkpoint.tensors().len();
    outcome.complaints.extend(checkpoint.damage().iter().chain(checkpoint.notes()).map(said));
    outcome.complaints.extend(checkpoint.origin().notes.iter().cloned());
    for tensor in checkpoint.tensors() {
        match checkpoint.read_all(&tensor, &mut |_| Ok(())) {
            Ok(Checked::Verified) => outcome.verified += 1,
            Ok(Checked::Not) => {}
            Err(error) => outcome.complaints.push(said(&error)),
        }
        read_part(&checkpoint, &tensor);
    }
    outcome
}

/// Statistics of everything, with everything on; they say the same with one thread and with two.
fn compute_all(checkpoint: &Checkpoint) {
    let selection = Selector::default().select(checkpoint);
    let run = |threads| {
        let options = StatsOptions { threads, distribution: true, channels: true, along: false, spectral: true };
        let found = stats(checkpoint, &selection, &options, &Progress::default());
        // One hash for all of them: the heap is measured.
        let mut hash = std::hash::DefaultHasher::new();
        for row in &found.tensors {
            format!("{:?} {:?} {:?} {:?}", row.figures, row.distribution, row.channels, row.spectral).hash(&mut hash);
            row.error.as_ref().map(said).hash(&mut hash);
        }
        (found.tensors.len(), hash.finish())
    };
    assert_eq!(run(1), run(2));
}

/// Every second index of a few in the middle, and the last element.
fn read_part(checkpoint: &Checkpoint, tensor: &ckpt::read::checkpoint::Tensor) {
    let Ok(dims) = tensor.dims() else { return };
    let middle = dims.iter().map(|&dim| Axis { start: dim / 3, step: 2, count: (dim - dim / 3).div_ceil(2).min(4) });
    let last = dims.iter().map(|&dim| Axis { start: dim.saturating_sub(1), step: 1, count: dim.min(1) });
    for axes in [middle.collect::<Vec<_>>(), last.collect()] {
        // An error is as good as an answer here.
        let _ = checkpoint.read(tensor, &axes, &mut |_| Ok(()));
    }
}

/// An error as a command shows it: that must not fail either.
fn said(error: &Error) -> String {
    let text = error.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?} would reach a terminal");
    match error.help() {
        Some(help) => format!("{text} [{help}]"),
        None => text,
    }
}

/// Writes a case, uses it in a thread of its own, and returns the outcome and the peak of the heap.
fn meet(case: &Case) -> (Outcome, usize) {
    let dir = tempfile::tempdir().unwrap();
    case.write(dir.path()).unwrap();
    let path: PathBuf = dir.path().join(&case.open);
    for (_, bytes) in &case.files {
        let _ = looks_like(&bytes[..bytes.len().min(4096)]);
    }
    let (done, wait) = mpsc::channel();
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let thread = std::thread::spawn(move || {
        let outcome = use_opened(&path, compute_all);
        let _ = done.send(());
        outcome
    });
    let answered = wait.recv_timeout(HANG);
    assert!(answered != Err(mpsc::RecvTimeoutError::Timeout), "{}: {}: no answer", case.name, case.what);
    let outcome = thread.join().unwrap_or_else(|_| panic!("{}: {}: a panic", case.name, case.what));
    (outcome, PEAK.load(Ordering::Relaxed).saturating_sub(before))
}

/// A case that was met.
struct Met {
    name: &'static str,
    what: &'static str,
    verdict: Verdict,
    /// Of its files.
    bytes: usize,
    outcome: Outcome,
    peak: usize,
}

/// All cases, met one after the other, once for all that is asked of them.
fn all_met() -> &'static [Met] {
    static MET: OnceLock<Vec<Met>> = OnceLock::new();
    MET.get_or_init(|| {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let met = |case: Case| {
            let (outcome, peak) = meet(&case);
            let bytes = case.files.iter().map(|(_, bytes)| bytes.len()).sum();
            Met { name: case.name, what: case.what, verdict: case.verdict, bytes, outcome, peak }
        };
        cases().into_iter().map(met).collect()
    })
}

#[test]
fn every_case_is_answered_in_proportion() {
    let cases = all_met();
    assert!(cases.len() > 150, "only {} cases", cases.len());
    for Met { name, bytes, peak, .. } in cases {
        assert!(*peak < FREE + 4 * bytes, "{name}: {bytes} bytes of files, {peak} of heap");
    }
}

#[test]
fn what_is_odd_but_legal_is_read_whole() {
    let mut wrong = Vec::new();
    for case in all_met().iter().filter(|case| case.verdict == Verdict::Legal) {
        let outcome = &case.outcome;
        if !outcome.opened || outcome.verified != outcome.tensors {
            wrong.push(format!("{} ({}): {outcome:?}", case.name, case.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Broken cases in which the reader loses nothing and says nothing: what is wrong shows only when whole files are
/// compared with each other or with a rule, which is `validate`'s work. Object graphs and state files have tests of
/// their own.
const LEFT_TO_VALIDATE: [&str; 7] = [
    "range-overlap",
    "range-overlap-true-checksums",
    "slice-entries-without-whole",
    "v1-dtype-bfloat16",
    "v1-data-unannounced",
    "v1-other-name-inside",
    "v1-unsorted",
];

#[test]
fn damage_to_tables_and_tensors_is_told() {
    let mut silent = Vec::new();
    let elsewhere = |name: &str| name.starts_with("graph-") || name.starts_with("state-");
    for case in all_met().iter().filter(|case| case.verdict == Verdict::Damaged && !elsewhere(case.name)) {
        if case.outcome.complaints.is_empty() {
            silent.push(case.name);
        }
    }
    assert_eq!(silent, LEFT_TO_VALIDATE);
}

/// Peak of the heap while a checkpoint is used, above what was there before.
fn peak_of(path: &Path) -> (Outcome, usize) {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let outcome = use_all(path);
    (outcome, PEAK.load(Ordering::Relaxed).saturating_sub(before))
}

#[test]
fn reading_many_slices_keeps_a_window_for_one() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (rows, bytes) = (support::tries(32, 64), 256 << 10);
    let slices = (0..rows).map(|n| (vec![Extent::range(n, 1), Extent::Full], 0, vec![7; bytes]));
    let shape = [rows, i64::try_from(bytes).unwrap()];
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    let bundle = BundleBuilder::new().partitioned("w", dtype::UINT8, &shape, slices.collect()).finish();
    bundle.write(&prefix).unwrap();
    let (outcome, peak) = peak_of(&prefix);
    assert_eq!((outcome.verified, outcome.complaints.len()), (1, 0), "{outcome:?}");
    assert!(peak < 4 << 20, "{peak} bytes for windows of 256 KiB");
}

#[test]
fn names_that_share_a_long_beginning_are_limited() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let bundle = (0..support::tries(1500, 4000)).fold(BundleBuilder::new(), |builder, n| {
        builder.entry(format!("{}{n:04}", "n".repeat(1 << 16)), Entry::new(dtype::FLOAT, &[0]))
    });
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    bundle.table(|table| table.restart_interval(1 << 20)).finish().write(&prefix).unwrap();
    let size = std::fs::metadata(dir.path().join("m.index")).unwrap().len();
    assert!(size < 1 << 20, "{size} bytes make more than 90 MiB of names");
    let (outcome, peak) = peak_of(&prefix);
    assert!(outcome.complaints[0].contains("all names together too large"), "{outcome:?}");
    assert!(peak < FREE, "{peak}");
}
