//! `ckpt completions`: what a shell wants to know of the command.

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Ctx, Format, Status};

/// Print a script that completes commands, options and paths in a shell.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ckpt completions bash > ~/.local/share/bash-completion/completions/ckpt
  ckpt completions zsh > ~/.zfunc/_ckpt
  ckpt completions fish > ~/.config/fish/completions/ckpt.fish
  ckpt completions powershell >> $PROFILE

Exit status:
  0  printed")]
pub(crate) struct Args {
    /// Whose script.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text])?;
    clap_complete::generate(args.shell, &mut Cli::command(), "ckpt", &mut ctx.out);
    Ok(Status::Fine)
}
