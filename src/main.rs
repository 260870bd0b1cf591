//! The `ckpt` command: parses, runs, and turns errors and closed pipes into an exit status.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
