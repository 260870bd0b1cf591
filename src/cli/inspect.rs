//! `ckpt inspect`: what this is, whether it is whole, what dominates it.

use anyhow::Result;
use ckpt::analysis::Summary;
use ckpt::report::{inspect_json, inspect_text};

use super::source::SourceArgs;
use super::{Ctx, Format, Status};

/// Say on one screen what a checkpoint is, whether the set is whole and what dominates it.
///
/// Reads the index, the names of the files beside it and the graph's header; of the data only the step.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json.

Examples:
  ckpt inspect model.ckpt-200
  ckpt inspect train/ --step 1000
  ckpt inspect export/ --format json

Exit status:
  0  the checkpoint was read (files of the set may still be missing: the screen says so)
  2  it cannot be opened, or a part of it could not be read; the rest is shown")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text, Format::Json])?;
    let checkpoint = args.source.open(ctx, false)?;
    let summary = Summary::of(&checkpoint);
    match ctx.format {
        Format::Json => inspect_json(&checkpoint, &summary, &mut ctx.out)?,
        _ => inspect_text(&checkpoint, &summary, ctx.look, &mut ctx.out)?,
    }
    Ok(if summary.unreadable { Status::Trouble } else { Status::Fine })
}
