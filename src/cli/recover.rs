//! `ckpt recover`: a whole checkpoint out of a broken one.

use std::path::PathBuf;

use anyhow::Result;
use ckpt::analysis::convert::{OutFormat, Target};
use ckpt::analysis::recover::recover;
use ckpt::base::error::{Error, ErrorKind};
use ckpt::report::{RECOVER_FORMATS, write_recover};

use super::progress::with_progress;
use super::{Ctx, Status};

/// Make a whole checkpoint of a broken one, as a copy.
///
/// Flips bits back that checksums tell, rebuilds a lost index from the .meta or the SavedModel, puts the parts of a
/// save together that were never merged or renamed, finds files under other names. PATH is never changed, and a tensor is
/// taken only with the bytes of its checksum; where none survives, that is said.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
PATH is a prefix, a file of the set, a directory of checkpoints or of a
SavedModel, or the directory that an interrupted save left (model.ckpt-200_temp).

Formats: text, json.

Examples:
  ckpt recover model.ckpt-200 -o mended/model.ckpt-200
  ckpt recover model.ckpt-200 -o mended/model.ckpt-200 --dry-run
  ckpt recover model.ckpt-200_temp -o mended/model.ckpt-200 --state-file
  ckpt recover worker0/model.ckpt-200 -o whole/model.ckpt-200 --from worker1
  ckpt recover export/ -o mended/variables

Exit status:
  0  whole
  1  some tensors could not be had, and are named
  2  nothing was written: nothing could be had, two answers are possible, or OUT
     is there already")]
pub(crate) struct Args {
    /// The broken checkpoint.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The prefix of the copy.
    #[arg(long, short, value_name = "OUT")]
    output: PathBuf,
    /// A directory in which pieces or copies of it lie: of another worker, of another download. May be repeated.
    #[arg(long, value_name = "DIR")]
    from: Vec<PathBuf>,
    /// Write a state file named checkpoint beside it.
    #[arg(long)]
    state_file: bool,
    /// Show what would be done, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Replace what lies under OUT.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(RECOVER_FORMATS)?;
    let mut target = Target::new(&args.output, None)?;
    if target.format != OutFormat::Bundle {
        let why = "recover writes a TensorFlow checkpoint, and the ending of OUT is that of another format".to_owned();
        let help = "ckpt convert makes such a file of the checkpoint that was recovered";
        return Err(Error::new(ErrorKind::Request(why)).in_file(&args.output).with_help(help).into());
    }
    (target.force, target.state_file) = (args.force, args.state_file);
    let limits = ctx.limits();
    let recovery = with_progress(ctx.quiet, |progress| recover(&args.path, &args.from, &limits, progress))?;
    let recipe = recovery.recipe(&target)?;
    let status = if recovery.lost.is_empty() { Status::Fine } else { Status::Found };
    let converted = if args.dry_run {
        None
    } else {
        Some(with_progress(ctx.quiet, |progress| recovery.write(&recipe, &target, &limits, progress))?)
    };
    let (format, look) = (ctx.format, ctx.look);
    write_recover(&recovery, (&recipe, &target), converted.as_ref(), format, look, &mut ctx.out)?;
    Ok(status)
}
