//! `ckpt tree`: where a set of checkpoints comes from.

use std::path::PathBuf;

use anyhow::{Result, bail};
use ckpt::analysis::descent::{DescentOptions, descent};
use ckpt::base::escape::escaped;
use ckpt::report::{TREE_FORMATS, write_tree};

use super::progress::with_progress;
use super::{Ctx, Status};

/// Say where checkpoints come from: which continues which, which was fine-tuned from which and what was frozen, which are
/// copies, exports or means of others.
///
/// Takes prefixes, files and directories, with all directories in them. Checksums in the indexes tell: bytes of weights
/// that are the same, under any name, are no chance; zeros and constants prove nothing. Where the data is there, some
/// thousand numbers of a checkpoint are read if no checksum tells.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json, dot.

Examples:
  ckpt tree train/ finetuned/ export/
  ckpt tree models/ --quick
  ckpt tree models/ --format dot | dot -Tsvg > descent.svg

Exit status:
  0  told
  2  there is no checkpoint, or something could not be read; the rest is told")]
pub(crate) struct Args {
    /// Checkpoints, or directories with some.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Read no data, and tell what indexes alone tell.
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(TREE_FORMATS)?;
    let mut paths = Vec::new();
    for path in &args.paths {
        paths.push(ckpt::read::checkpoint::WrittenPath::of(path)?.path);
    }
    let options = DescentOptions { values: !args.quick, threads: ctx.threads() };
    let limits = ctx.limits();
    let found = with_progress(ctx.quiet, |progress| descent(&paths, options, &limits, progress))?;
    if found.leaves.is_empty() && found.strays.is_empty() && found.unread.is_empty() {
        let shown: Vec<_> =
            paths.iter().map(|path| escaped(path.as_os_str().as_encoded_bytes()).into_owned()).collect();
        bail!("there is no checkpoint in {}", shown.join(", "));
    }
    write_tree(&found, ctx.format, ctx.look, &mut ctx.out)?;
    Ok(if found.unread.is_empty() && !found.leaves.is_empty() { Status::Fine } else { Status::Trouble })
}
