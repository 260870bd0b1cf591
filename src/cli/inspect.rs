//! `ckpt inspect`: what this is, whether it is whole, what dominates it.

use std::path::Path;

use anyhow::Result;
use ckpt::analysis::{Code, Finding, ModelInfo, Summary};
use ckpt::base::error::ErrorKind;
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice, Origin};
use ckpt::read::finder::serving::versions;
use ckpt::read::graphs::graph::Form;
use ckpt::read::graphs::saved_model::SavedModel;
use ckpt::read::storage;
use ckpt::report::{inspect_json, inspect_text, model_json, model_text, signatures_text};

use super::ctx::sentence;
use super::source::SourceArgs;
use super::{Ctx, Format, Status};

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
    ctx.require_format(&[Format::Text, Format::Json])?;
    let path = &args.source.path;
    if let Some(model) = alone(path, &ctx.limits())? {
        if model.form == Form::MetaGraph {
            ctx.note("only the graph is here: the checkpoint that belongs to it is missing");
        }
        return show(args, &model, &[], ctx);
    }
    let (checkpoint, refused) = match args.source.open(ctx, false) {
        Ok(checkpoint) => (checkpoint, false),
        Err(error) => {
            // The version that is served cannot be read: the table shows it, and the screen shows the next one.
            if let Some(other) = next_version(args).filter(|_| args.source.choice() == Choice::default()) {
                let checkpoint = Checkpoint::open(path, other, &ctx.limits())?;
                ctx.error(&sentence(&error));
                (checkpoint, true)
            } else {
                // Variables that cannot be read hide nothing of the graph.
                let Some(model) = without_variables(path, args, &ctx.limits()) else { return Err(error) };
                let finding = match error.downcast_ref::<ckpt::base::error::Error>() {
                    Some(error) => Finding::of(error),
                    None => Finding::new(Code::Unreadable, sentence(&error)),
                };
                show(args, &model, &[finding], ctx)?;
                ctx.error(&sentence(&error));
                return Ok(Status::Trouble);
            }
        }
    };
    let summary = Summary::of(&checkpoint);
    if args.signatures {
        let Some(model) = &summary.model else {
            let why = "there is no graph here, and so there are no signatures";
            return Err(ckpt::base::error::Error::new(ErrorKind::Request(why.into())).in_file(path).into());
        };
        return show(args, model, &[], ctx);
    }
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

fn show(args: &Args, model: &ModelInfo, findings: &[Finding], ctx: &mut Ctx) -> Result<Status> {
    let path = &args.source.path;
    match ctx.format {
        Format::Json => model_json(path, model, findings, &mut ctx.out)?,
        _ if args.signatures => signatures_text(path, model, ctx.look, &mut ctx.out)?,
        _ => model_text(path, model, findings, ctx.look, &mut ctx.out)?,
    }
    Ok(if model.unread.is_empty() { Status::Fine } else { Status::Trouble })
}

/// A file that holds a graph and nothing else: no checkpoint belongs to it, or it is not the one that is meant.
fn alone(path: &Path, limits: &Limits) -> Result<Option<ModelInfo>> {
    if !storage::is_file(path) {
        return Ok(None);
    }
    // `saved_model.pb` stands for its directory; under another name it is a file like any other.
    let is_model = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("saved_model."));
    let Some(form) = Form::of(path)?.filter(|_| !is_model) else { return Ok(None) };
    let has_checkpoint = form == Form::MetaGraph && Origin::locate(path, Choice::default(), limits).is_ok();
    Ok((!has_checkpoint).then(|| ModelInfo::read(path, form, limits)))
}

/// The SavedModel at a path whose variables cannot be opened.
fn without_variables(path: &Path, args: &Args, limits: &Limits) -> Option<ModelInfo> {
    let is_model = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("saved_model."));
    let dir = if storage::is_file(path) && is_model { path.parent()?.to_path_buf() } else { path.to_path_buf() };
    let dir = match Origin::locate(path, args.source.choice(), limits) {
        Ok(origin) => origin.saved_model?,
        // Where no checkpoint is, a graph says what it would hold.
        Err(error) if SavedModel::file_in(&dir).is_err() => {
            let graph = ckpt::read::checkpoint::graph_beside(path)?;
            let is_none = matches!(error.kind(), ErrorKind::NotACheckpoint(_));
            let form = Form::of(&graph).ok().flatten().filter(|_| is_none)?;
            return Some(ModelInfo::read(&graph, form, limits));
        }
        Err(_) => dir,
    };
    let has_graph = SavedModel::file_in(&dir).is_ok_and(|file| file.extension().is_some_and(|end| end != "cpb"));
    has_graph.then(|| ModelInfo::of_saved_model(&dir, limits))
}
