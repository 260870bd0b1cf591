//! `ckpt graph`: the objects of an object-based checkpoint.

use anyhow::{Result, bail};
use ckpt::analysis::{KerasModel, Names, Objects, Roles};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{GRAPH_FORMATS, LAYERS_FORMATS, TreeOptions, write_graph, write_layers};

use super::ctx::library_sentence;
use super::source::SourceArgs;
use super::{Ctx, Status};

/// Show the object graph: which objects were saved, what each stores, who shares what.
///
/// Every object is shown once, where its shortest path leads; its key is that path. Behind a variable stand its dtype,
/// its shape and its name in the program. Objects without state are left out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json, dot. JSON has all objects.

Where the data shard that holds the graph is missing, the graph of the SavedModel around it is shown, if there is one.

Examples:
  ckpt graph ckpt-1
  ckpt graph export/ --depth 2
  ckpt graph ckpt-1 --format dot | dot -Tsvg > objects.svg

Exit status:
  0  shown
  2  there is no object graph, or it cannot be read")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// Show this many levels below the root.
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    /// Show objects that store nothing too.
    #[arg(long)]
    all: bool,
    /// Show the key of every variable.
    #[arg(long)]
    keys: bool,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(GRAPH_FORMATS)?;
    let checkpoint = args.source.open(ctx, true)?;
    if let Some(model) = KerasModel::of(&checkpoint) {
        return of_keras(args, &checkpoint, &model, ctx);
    }
    let objects = Objects::of(&checkpoint);
    let shown = escaped(checkpoint.origin().prefix.as_path().as_os_str().as_encoded_bytes()).into_owned();
    let Some(graph) = objects.graph() else {
        match objects.error() {
            Some(error) => bail!("{}", library_sentence(error)),
            None if !checkpoint.damage().is_empty() => {
                super::source::tell_damage(&checkpoint, ctx);
                bail!("no object graph is in what can be read of {shown}")
            }
            None if !checkpoint.origin().has_variables => {
                bail!("{shown}: without variables there is no object graph of them")
            }
            None => bail!(
                "{shown} has no object graph: it names its tensors after variables; ckpt list --tree shows their scopes"
            ),
        }
    };
    if let Some(error) = objects.error() {
        ctx.note(&library_sentence(error));
        ctx.note("this is the graph of saved_model.pb instead; it has more objects than the checkpoint's");
    }
    let mut shown = TreeOptions::default();
    (shown.keys, shown.hide_empty, shown.width) = (args.keys, !args.all, ctx.look.width);
    shown.max_depth = args.depth.unwrap_or(usize::MAX);
    write_graph(&checkpoint, (&objects, graph), &shown, ctx.format, &mut ctx.out)?;
    super::source::tell_damage(&checkpoint, ctx);
    Ok(if checkpoint.damage().is_empty() { Status::Fine } else { Status::Trouble })
}

/// The layers of a file of Keras, in the order of the model.
fn of_keras(args: &Args, checkpoint: &Checkpoint, model: &KerasModel, ctx: &mut Ctx) -> Result<Status> {
    if !LAYERS_FORMATS.contains(&ctx.format) {
        bail!("--format dot draws object graphs; of a file of Keras there are text and json");
    }
    let names = Names::of(checkpoint, &Roles::of(checkpoint), &Objects::of(checkpoint));
    let depth = args.depth.unwrap_or(usize::MAX);
    write_layers(checkpoint, (model, &names), depth, ctx.format, ctx.look, &mut ctx.out)?;
    super::source::tell_damage(checkpoint, ctx);
    Ok(if checkpoint.damage().is_empty() { Status::Fine } else { Status::Trouble })
}
