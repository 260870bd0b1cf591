//! `ckpt man`: pages for `man`, made of the help of every command.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::{Cli, Ctx, Format, Status};

/// Write pages for `man` into a directory: ckpt.1, and one for each command.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ckpt man ~/.local/share/man/man1

Exit status:
  0  written
  2  the directory is not there or cannot be written")]
pub(crate) struct Args {
    /// The directory. Pages that lie there under the same names are replaced.
    dir: PathBuf,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text])?;
    let shown = ckpt::base::escape::escaped(args.dir.as_os_str().as_encoded_bytes()).into_owned();
    // The name of a file is made of the names of commands only.
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, &args.dir).with_context(|| format!("cannot write pages into {shown}"))?;
    Ok(Status::Fine)
}
