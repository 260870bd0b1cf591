//! The terminal, taken and given back: at the end, at an error, at a panic and at a signal.

use std::io::{self, Stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

/// Gives the terminal back when it goes.
struct Taken;

impl Drop for Taken {
    fn drop(&mut self) {
        leave();
    }
}

/// Whatever was changed is as it was. What cannot be is left: there is nobody to tell.
fn leave() {
    let _ = disable_raw_mode();
    let _ = execute!(io::stderr(), DisableMouseCapture, LeaveAlternateScreen, Show);
}

/// Runs `work` with the whole terminal; it can ask whether a signal wants it to end. The process then ends as the signal
/// would have ended it.
pub(super) fn with(
    work: impl FnOnce(&mut Terminal<CrosstermBackend<Stderr>>, &dyn Fn() -> bool) -> Result<()>,
) -> Result<()> {
    let signal = Arc::new(AtomicUsize::new(0));
    #[cfg(unix)]
    for number in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP, signal_hook::consts::SIGINT] {
        let seen = usize::try_from(number).unwrap_or(0);
        signal_hook::flag::register_usize(number, Arc::clone(&signal), seen)?;
    }
    // A program that aborts at a panic drops nothing; what it has to say must be seen.
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        leave();
        before(panic);
    }));
    let taken = Taken;
    enable_raw_mode()?;
    execute!(io::stderr(), EnterAlternateScreen, EnableMouseCapture)?;
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stderr()))?;
    let result = work(&mut terminal, &|| signal.load(Ordering::Relaxed) != 0);
    drop(taken);
    #[cfg(unix)]
    if let Some(number) = i32::try_from(signal.load(Ordering::Relaxed)).ok().filter(|number| *number != 0) {
        signal_hook::low_level::emulate_default_handler(number)?;
    }
    result
}
