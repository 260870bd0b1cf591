//! `ckpt print`: the values of tensors.
//!
//! Text shows what NumPy would; json, csv, raw and npy are complete whatever the size and are streamed. A tensor that
//! is read whole is checked against its checksum, and the heading says when it was not.

use anyhow::Result;
use ckpt::analysis::excerpt::{Excerpt, is_name, resolve};
use ckpt::analysis::{derived, is_missing};
use ckpt::base::error::ErrorKind;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{PRINT_FORMATS, PrintText, Printer};

use super::completions::tensor_names;
use super::ctx::library_sentence;
use super::image::ImageArgs;
use super::source::{SourceArgs, near, tell_damage};
use super::{Ctx, Format, Status};

/// Print values of tensors, or of parts of them in NumPy's slice syntax.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A NAME is a tensor's name (its /.ATTRIBUTES/VARIABLE_VALUE may be left out), the end of one, a \
scope, a glob, or any of these with a slice: 'emb/table[330:336, :4]'. Quote it for the shell.

Formats: text, json, jsonl, csv, raw, npy. csv and npy hold one tensor. raw is the elements' \
little-endian bytes in C order, of strings their bytes one after the other. npy of bfloat16 and \
float8 holds void bytes: view them with ml_dtypes.

Examples:
  ckpt print model.ckpt-200 dense/bias
  ckpt print model.ckpt-200 'emb/table[330:336, :4]' --precision 3
  ckpt print model.ckpt-200 dense/kernel --format npy > kernel.npy
  ckpt print model.ckpt-200 dense/kernel --image kernel.png
  ckpt print ckpt-1 _CHECKPOINTABLE_OBJECT_GRAPH

Exit status:
  0  printed
  1  no tensor has such a name
  2  something could not be read, or is not what was saved; the rest is printed")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// Tensors or parts of them.
    #[arg(required = true, value_name = "NAME", add = tensor_names())]
    names: Vec<String>,
    /// Show every element in text, however many.
    #[arg(long)]
    full: bool,
    /// Digits behind the point in text; as many as needed, at most 8, if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=50))]
    precision: Option<u16>,
    /// Read names as regular expressions.
    #[arg(long)]
    regex: bool,
    #[command(flatten)]
    picture: ImageArgs,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(PRINT_FORMATS)?;
    args.picture.check(ctx)?;
    if matches!(ctx.format, Format::Raw | Format::Npy) && Ctx::to_terminal() {
        anyhow::bail!("raw bytes would garble the terminal; send them to a file: ckpt print … > FILE");
    }
    let checkpoint = args.source.open(ctx, true)?;
    let mut status = Status::Fine;
    let mut wanted: Vec<Excerpt> = Vec::new();
    for name in &args.names {
        match resolve(name, args.regex, &checkpoint) {
            Ok(found) if found.is_empty() => {
                let near = near(std::slice::from_ref(name), &checkpoint);
                ctx.error(&format!("no tensor matches '{}'{near}", ckpt::base::escape::escaped(name.as_bytes())));
                status = status.max(Status::Found);
            }
            Ok(found) => wanted.extend(found),
            Err(error) => {
                ctx.error(&library_sentence(&error));
                status = Status::Trouble;
            }
        }
    }
    if matches!(ctx.format, Format::Csv | Format::Npy) && wanted.len() > 1 {
        anyhow::bail!("{} tensors match, but csv and npy hold one; choose one, or use json", wanted.len());
    }
    if args.picture.is_given() {
        let drawn = picture(args, &checkpoint, &wanted, status, ctx)?;
        return Ok(with_damage(args, &checkpoint, drawn, ctx));
    }
    let text = PrintText { full: args.full, precision: args.precision.map(usize::from), look: ctx.look };
    let mut printer = Printer::new(&checkpoint, ctx.format, text);
    printer.begin(&mut ctx.out)?;
    for excerpt in &wanted {
        if let Err(error) = printer.print(excerpt, &mut ctx.out) {
            if matches!(error.kind(), ErrorKind::Output(_)) {
                return Err(error.into());
            }
            // What the index alone says of a number is worth showing where its data is gone.
            if is_missing(&checkpoint, &excerpt.tensor)
                && let Some(value) = derived(&checkpoint, &excerpt.tensor)
            {
                printer.print_derived(excerpt, &value, &mut ctx.out)?;
            }
            ctx.error(&library_sentence(&error));
            status = Status::Trouble;
        }
    }
    printer.end(&mut ctx.out)?;
    Ok(with_damage(args, &checkpoint, status, ctx))
}

/// Tells what is damaged where it may have taken something of what was asked for: a lost block may have held the tensor
/// that was not found, or one that a scope or a glob means. A tensor that was named and found is not in doubt.
fn with_damage(args: &Args, checkpoint: &Checkpoint, status: Status, ctx: &mut Ctx) -> Status {
    let is_damaged = !checkpoint.damage().is_empty();
    if is_damaged && (status != Status::Fine || !args.names.iter().all(|name| is_name(name, checkpoint))) {
        tell_damage(checkpoint, ctx);
        return Status::Trouble;
    }
    status
}

/// Draws the one tensor that was named.
fn picture(args: &Args, checkpoint: &Checkpoint, wanted: &[Excerpt], status: Status, ctx: &mut Ctx) -> Result<Status> {
    let [excerpt] = wanted else {
        anyhow::ensure!(wanted.is_empty(), "{} tensors match, but a picture shows one; choose one", wanted.len());
        return Ok(status);
    };
    args.picture.show(checkpoint, excerpt, ctx)?;
    Ok(status)
}
