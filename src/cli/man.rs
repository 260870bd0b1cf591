//! `ckpt man`: pages for `man`, made of the help of every command.

use std::path::PathBuf;

use anyhow::Result;
use ckpt::base::error::{Error, ErrorKind};
use ckpt::read::storage::{self, NewFile, Staged};
use clap::CommandFactory;
use clap_mangen::Man;

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
    if !storage::is_folder(&args.dir) {
        let why = if storage::is_taken(&args.dir) { "not a directory" } else { "no such directory" };
        return Err(Error::new(ErrorKind::Request(why.to_owned())).in_file(&args.dir).into());
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    // All pages appear at once, or none: half a page would stand where a whole one stood.
    let staged = Staged::new(&args.dir, "ckpt.1")?;
    let mut names = Vec::new();
    write(&command, &staged, &mut names)?;
    staged.sync(&names)?;
    staged.commit(&names, &[], true, None)?;
    Ok(Status::Fine)
}

/// The pages of a command and of those below it. The names are made of the names of commands only.
fn write(command: &clap::Command, staged: &Staged, names: &mut Vec<String>) -> Result<()> {
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        write(below, staged, names)?;
    }
    let page = Man::new(command.clone());
    let (name, mut text) = (page.get_filename(), Vec::new());
    page.render(&mut text)?;
    let mut file = NewFile::create(&staged.dir().join(&name))?;
    file.write(&text)?;
    file.finish()?;
    names.push(name);
    Ok(())
}
