//! `ckpt inspect`: what this is, whether it is whole, what dominates it.

use anyhow::Result;
use ckpt::analysis::Summary;
use ckpt::checkpoint::serving::versions;
use ckpt::checkpoint::{Checkpoint, Choice};
use ckpt::limits::Limits;
use ckpt::report::{inspect_json, inspect_text};

use super::ctx::sentence;
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
    let (checkpoint, refused) = match args.source.open(ctx, false) {
        Ok(checkpoint) => (checkpoint, false),
        // The version that is served cannot be read: the table shows it, and the screen shows the next one.
        Err(error) => {
            let Some(other) = next_version(args).filter(|_| args.source.choice() == Choice::default()) else {
                return Err(error);
            };
            let checkpoint = Checkpoint::open(&args.source.path, other, &Limits::default())?;
            ctx.error(&sentence(&error));
            (checkpoint, true)
        }
    };
    let summary = Summary::of(&checkpoint);
    match ctx.format {
        Format::Json => inspect_json(&checkpoint, &summary, &mut ctx.out)?,
        _ => inspect_text(&checkpoint, &summary, ctx.look, &mut ctx.out)?,
    }
    Ok(if summary.unreadable || refused { Status::Trouble } else { Status::Fine })
}

/// The highest version of a serving directory that can be read.
fn next_version(args: &Args) -> Option<Choice> {
    let versions = versions(&args.source.path).ok()?;
    let other = versions
        .iter()
        .find(|version| !version.shadowed && version.kind.is_of_a_model() && version.kind.why_not().is_none())?;
    Some(Choice { version: Some(other.number), ..Choice::default() })
}
