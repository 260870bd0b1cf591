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

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    /// Tells the test that it is the one in the terminal, which panics.
    const PANICS: &str = "CKPT_TEST_PANICS";

    /// Panics as a release does: nothing is dropped.
    fn panic_and_abort() {
        let _ = with(|_, _| {
            let told = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                told(panic);
                std::process::abort();
            }));
            panic!("a planted panic");
        });
    }

    #[test]
    fn a_panic_leaves_the_terminal_as_it_was() {
        if std::env::var_os(PANICS).is_some() {
            panic_and_abort();
        }
        let name = format!("ckpt-panic-{}", std::process::id());
        let tmux = |arguments: &[&str]| {
            let output = Command::new("tmux").args(["-u", "-L", &name]).args(arguments).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        };
        if tmux(&["-V"]).is_none() {
            io::stderr().write_all(b"skipped: no tmux is installed\n").unwrap();
            return;
        }
        let own = std::env::current_exe().unwrap();
        let this = "cli::browse::terminal::tests::a_panic_leaves_the_terminal_as_it_was";
        let run = format!("{PANICS}=1 {} --exact {this} --nocapture", own.display());
        let line = format!("a=$(stty -g); {run}; test \"$a\" = \"$(stty -g)\" && echo as before; sleep 60");
        tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "50", &line]).unwrap();
        let begun = Instant::now();
        let screen = loop {
            let screen = tmux(&["capture-pane", "-p"]).unwrap_or_default();
            if screen.contains("as before") || begun.elapsed() > Duration::from_secs(30) {
                break screen;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let flags = tmux(&["display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"]);
        tmux(&["kill-server"]);
        // What the panic said stands on the screen that stays.
        assert!(screen.contains("a planted panic") && screen.contains("as before"), "{screen}");
        assert_eq!(flags.as_deref().map(str::trim), Some("0 0 1"));
    }
}
