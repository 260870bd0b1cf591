//! The `ckpt` command: parses, runs, and turns errors and closed pipes into an exit status.

mod cli;
#[cfg(feature = "run")]
mod engine;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The process of a job is this program too, started by itself.
    #[cfg(feature = "run")]
    if std::env::args_os().nth(1).is_some_and(|first| first == engine::HIDDEN) {
        return engine::main();
    }
    cli::main()
}
