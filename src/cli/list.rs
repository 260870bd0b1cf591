//! `ckpt list`: one line a tensor.

use std::path::PathBuf;

use anyhow::Result;
use ckpt::analysis::{FileAlone, GroupBy, Listing, Names, Objects, Roles, Selector, Sort};
use ckpt::read::checkpoint::{Checkpoint, Origin};
use ckpt::read::storage;
use ckpt::report::{ListText, write_alone, write_list};
use clap::ValueEnum;

use super::ctx::library_sentence;
use super::source::{OrderArgs, SelectArgs, SourceArgs, tell_damage};
use super::{Ctx, Format, Status};

/// List tensors: name, dtype, shape, size and role, one line each.
///
/// Touches no data shard.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json, jsonl, csv, markdown.

Examples:
  ckpt list model.ckpt-200
  ckpt list train/ 'dnn/**/kernel' '!role:slot' --sort size --top 20
  ckpt list model.ckpt-200 --by role
  ckpt list ckpt-1 --names
  ckpt list model.ckpt-200 --tree --depth 2
  git config diff.ckpt.textconv 'ckpt list --index-only'

Exit status:
  0  listed
  1  no tensor matched the selectors
  2  the checkpoint cannot be opened, or a part of its index could not be read; the rest is listed")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    select: SelectArgs,
    /// Show keys as stored, exact bytes, and where each tensor lies: shard, offset, checksum, slices.
    #[arg(long, short)]
    long: bool,
    /// Show what each key is called in the program, which slot belongs to which variable, and other paths to it.
    #[arg(long, conflicts_with_all = ["long", "tree", "by"])]
    names: bool,
    /// Sort by this. Names of a Keras file come in the order of its model, everything else by name.
    #[arg(long, value_enum, value_name = "KEY")]
    sort: Option<SortKey>,
    #[command(flatten)]
    order: OrderArgs,
    /// Show scopes as a tree with subtotals.
    #[arg(long, conflicts_with_all = ["by", "long"])]
    tree: bool,
    /// Show sums by this instead of tensors.
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "long")]
    by: Option<GroupKey>,
    /// Say of one file what it says by itself, in lines that depend on nothing else: for git (docs/git.md). What cannot be
    /// read is told there too, and the status is 0.
    #[arg(long, conflicts_with_all = ["long", "names", "tree", "by", "sort", "reverse", "top", "depth"])]
    index_only: bool,
    /// With --index-only, read tensors that have no checksum in the file, and show the one of their elements.
    #[arg(long, requires = "index_only")]
    checksums: bool,
    /// How deep --tree and --by scope go.
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SortKey {
    Name,
    Size,
    Offset,
    Dtype,
    Role,
    Model,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GroupKey {
    Scope,
    Dtype,
    Role,
    Shard,
}

/// What the tensors are called; says so if that lies in a shard that is missing.
fn names(checkpoint: &Checkpoint, roles: &Roles, ctx: &mut Ctx) -> Names {
    let objects = Objects::of(checkpoint);
    if let Some(error) = objects.error() {
        ctx.note(&library_sentence(error));
        ctx.note(match objects.graph() {
            Some(_) => "names are those of saved_model.pb",
            None => "without the object graph only slots can be told, by their keys",
        });
    }
    Names::of(checkpoint, roles, &objects)
}

/// The files that say which tensors there are: a file that is given is that one, whatever lies beside it.
fn files(args: &Args, ctx: &Ctx) -> Result<Vec<PathBuf>> {
    let path = &args.source.path;
    if storage::is_file(path) {
        return Ok(vec![path.clone()]);
    }
    let origin = Origin::locate(path, args.source.choice(), &ctx.limits())?;
    Ok(match &origin.file {
        Some((file, _)) => vec![file.clone()],
        None if origin.v1_files.is_empty() => vec![origin.prefix.index()],
        None => origin.v1_files,
    })
}

fn index_only(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text])?;
    let selector = Selector::parse(&args.select.selectors, args.select.regex)?;
    if selector.asks_roles() {
        anyhow::bail!(
            "what tensors are for is told by what lies beside a file too; choose them by names with --index-only"
        );
    }
    for file in files(args, ctx)? {
        let alone = FileAlone::open(&file, &ctx.limits())?;
        write_alone(&alone, &|checkpoint| selector.select(checkpoint), args.checksums, &mut ctx.out)?;
    }
    Ok(Status::Fine)
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    if args.index_only {
        return index_only(args, ctx);
    }
    let text = args.text();
    ctx.require_format(text.formats())?;
    let checkpoint = args.source.open(ctx, true)?;
    let roles = Roles::of(&checkpoint);
    let selection = args.select.select(&checkpoint, Some(&roles), ctx)?;
    let nothing = selection.is_empty() && !args.select.selectors.is_empty();
    let sort = match args.sort {
        None if args.names => Sort::Model,
        None | Some(SortKey::Name) => Sort::Name,
        Some(SortKey::Size) => Sort::Size,
        Some(SortKey::Offset) => Sort::Offset,
        Some(SortKey::Dtype) => Sort::DType,
        Some(SortKey::Role) => Sort::Role,
        Some(SortKey::Model) => Sort::Model,
    };
    let names = args.names.then(|| names(&checkpoint, &roles, ctx));
    let mut listing = Listing::new(&checkpoint, &roles, selection, sort, args.order.reverse, args.order.top);
    listing.names = names.as_ref();
    write_list(&listing, ctx.format, text, ctx.look, &mut ctx.out)?;
    tell_damage(&checkpoint, ctx);
    Ok(match (checkpoint.damage().is_empty(), nothing) {
        (false, _) => Status::Trouble,
        (true, true) => Status::Found,
        (true, false) => Status::Fine,
    })
}

impl Args {
    fn text(&self) -> ListText {
        let by = self.by.map(|by| match by {
            GroupKey::Scope => GroupBy::Scope,
            GroupKey::Dtype => GroupBy::DType,
            GroupKey::Role => GroupBy::Role,
            GroupKey::Shard => GroupBy::Shard,
        });
        match by {
            _ if self.tree => ListText::Tree { depth: self.depth },
            Some(by) => ListText::Groups { by, depth: self.depth.unwrap_or(1) },
            None => ListText::Rows { long: self.long },
        }
    }
}
