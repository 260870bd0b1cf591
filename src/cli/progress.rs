//! A progress bar on standard error, for long work on a terminal only.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ckpt::base::parallel::beside;
use ckpt::base::progress::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner shows no bar.
const QUIET_FOR: Duration = Duration::from_millis(700);

/// Runs `work` while a bar shows what it says of itself.
pub(super) fn with_progress<T>(quiet: bool, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::default();
    if quiet || !std::io::stderr().is_terminal() {
        return work(&progress);
    }
    let finished = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = beside(scope, || show(&progress, &finished));
        let result = work(&progress);
        finished.store(true, Ordering::Release);
        if let Some(watcher) = watcher {
            watcher.thread().unpark();
        }
        result
    })
}

fn show(progress: &Progress, finished: &AtomicBool) {
    let start = Instant::now();
    let mut bar: Option<ProgressBar> = None;
    while !finished.load(Ordering::Acquire) {
        std::thread::park_timeout(Duration::from_millis(100));
        if progress.tells.load(Ordering::Relaxed) && std::io::stdout().is_terminal() {
            break;
        }
        if start.elapsed() < QUIET_FOR {
            continue;
        }
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) =
                ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {binary_bytes_per_sec}, {eta} left")
            {
                bar.set_style(style);
            }
            bar
        });
        bar.set_length(progress.total.load(Ordering::Relaxed));
        bar.set_position(progress.done.load(Ordering::Relaxed));
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}
