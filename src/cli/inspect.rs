//! `ckpt inspect`: what this is, whether it is whole, what dominates it.

use anyhow::Result;
use ckpt::analysis::{Finding, ModelInfo, Subject, Summary};
use ckpt::base::error::{Error, ErrorKind};
use ckpt::read::graphs::graph::Form;
use ckpt::report::{INSPECT_FORMATS, write_inspect, write_model};

use super::ctx::library_sentence;
use super::source::SourceArgs;
use super::{Ctx, Status};

/// Say on one screen what a checkpoint is, whether the set is whole and what dominates it.
///
/// Reads the index, the names of the files beside it and its graph; of the data only the step. A .meta, a graph.pbtxt or
/// another `GraphDef` is shown by itself, and a SavedModel also where its variables are gone.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json.

Examples:
  ckpt inspect model.ckpt-200
  ckpt inspect train/ --step 1000
  ckpt inspect export/ --signatures
  ckpt inspect train/graph.pbtxt
  ckpt inspect export/ --format json

Exit status:
  0  the checkpoint was read (files of the set may still be missing: the screen says so)
  2  it cannot be opened, or a part of it could not be read; the rest is shown")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// Show the graphs alone: every signature and what every function takes.
    #[arg(long)]
    signatures: bool,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(INSPECT_FORMATS)?;
    let path = &args.source.path;
    let (checkpoint, refused) = match Subject::open(path, args.source.choice(), &ctx.limits())? {
        Subject::Checkpoint(checkpoint, refused) => (checkpoint, refused),
        Subject::Model(model, None) => {
            if model.form == Form::MetaGraph {
                ctx.note("only the graph is here: the checkpoint that belongs to it is missing");
            }
            return show(args, &model, &[], ctx);
        }
        Subject::Model(model, Some(error)) => {
            show(args, &model, &[Finding::of(&error)], ctx)?;
            ctx.error(&library_sentence(&error));
            return Ok(Status::Trouble);
        }
    };
    // The version that is served cannot be read: the table shows it, and the screen shows the next one.
    if let Some(error) = &refused {
        ctx.error(&library_sentence(error));
    }
    let summary = Summary::of(&checkpoint);
    if args.signatures {
        let Some(model) = &summary.model else {
            let why = "there is no graph here, and so there are no signatures";
            return Err(Error::new(ErrorKind::Request(why.into())).in_file(path).into());
        };
        return show(args, model, &[], ctx);
    }
    write_inspect(&checkpoint, &summary, ctx.format, ctx.look, &mut ctx.out)?;
    Ok(if summary.unreadable || refused.is_some() { Status::Trouble } else { Status::Fine })
}

fn show(args: &Args, model: &ModelInfo, findings: &[Finding], ctx: &mut Ctx) -> Result<Status> {
    let given = (args.source.path.as_path(), model);
    write_model(given, findings, args.signatures, ctx.format, ctx.look, &mut ctx.out)?;
    Ok(if model.unread.is_empty() { Status::Fine } else { Status::Trouble })
}
