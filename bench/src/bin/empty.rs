//! The floor of start-up: a program that parses its command line with clap as `ckpt` does, and does nothing.

use clap::Parser;

/// Does nothing.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Ignored.
    words: Vec<String>,
}

fn main() {
    let args = Args::parse();
    std::hint::black_box(args.words);
}
