//! `ckpt print`: the values of tensors.
//!
//! Text shows what NumPy would; json, csv, raw and npy are complete whatever the size and are streamed. A tensor that
//! is read whole is checked against its checksum, and the heading says when it was not.

mod full;
mod resolve;
mod text;

use anyhow::Result;
use ckpt::analysis::{Roles, derived, is_missing};
use ckpt::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Tensor};
use ckpt::error::{Error, ErrorKind};
use ckpt::tensor::{Axis, Checked, Region};

use super::ctx::library_sentence;
use super::source::{SourceArgs, near, tell_damage};
use super::{Ctx, Format, Status};
use resolve::resolve;

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
  ckpt print ckpt-1 _CHECKPOINTABLE_OBJECT_GRAPH

Exit status:
  0  printed
  1  no tensor has such a name
  2  something could not be read, or is not what was saved; the rest is printed")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// Tensors or parts of them.
    #[arg(required = true, value_name = "NAME")]
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
}

/// One tensor to print, and which part of it.
pub(super) struct Wanted {
    tensor: Tensor,
    region: Region,
    /// The slice as written, for the heading.
    slice: Option<String>,
}

impl Wanted {
    fn axes(&self) -> Vec<Axis> {
        let spans = self.region.spans();
        spans.iter().map(|s| Axis { start: s.start, step: s.step, count: s.count }).collect()
    }

    fn is_object_graph(&self) -> bool {
        self.slice.is_none() && *self.tensor.name == *OBJECT_GRAPH_KEY
    }
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    use Format::{Csv, Json, Jsonl, Npy, Raw, Text};
    ctx.require_format(&[Text, Json, Jsonl, Csv, Raw, Npy])?;
    if matches!(ctx.format, Raw | Npy) && Ctx::to_terminal() {
        anyhow::bail!("raw bytes would garble the terminal; send them to a file: ckpt print … > FILE");
    }
    let checkpoint = args.source.open(ctx, true)?;
    let roles = Roles::of(&checkpoint);
    let mut status = Status::Fine;
    let mut wanted: Vec<Wanted> = Vec::new();
    for name in &args.names {
        match resolve(name, args.regex, &checkpoint, &roles) {
            Ok(found) if found.is_empty() => {
                let near = near(std::slice::from_ref(name), &checkpoint);
                ctx.error(&format!("no tensor matches '{}'{near}", ckpt::escape::escaped(name.as_bytes())));
                status = status.max(Status::Found);
            }
            Ok(found) => wanted.extend(found),
            Err(error) => {
                ctx.error(&library_sentence(&error));
                status = Status::Trouble;
            }
        }
    }
    if matches!(ctx.format, Csv | Npy) && wanted.len() > 1 {
        anyhow::bail!("{} tensors match, but csv and npy hold one; choose one, or use json", wanted.len());
    }
    let mut printer = full::Printer::new(&checkpoint, ctx.format);
    if ctx.format != Text {
        printer.begin(&mut ctx.out)?;
    }
    for (n, wanted) in wanted.iter().enumerate() {
        let printed = if ctx.format == Text {
            if n > 0 {
                text::gap(ctx)?;
            }
            text::print(&checkpoint, wanted, args, ctx)
        } else {
            printer.print(wanted, &mut ctx.out)
        };
        if let Err(error) = printed {
            if matches!(error.kind(), ErrorKind::Output(_)) {
                return Err(error.into());
            }
            // What the index alone says of a number is worth showing where its data is gone.
            if ctx.format == Text
                && is_missing(&checkpoint, &wanted.tensor)
                && let Some(value) = derived(&checkpoint, &wanted.tensor)
            {
                text::print_derived(wanted, &value, ctx)?;
            }
            ctx.error(&library_sentence(&error));
            status = Status::Trouble;
        }
    }
    if ctx.format != Text {
        printer.end(&mut ctx.out)?;
    }
    // A lost block may have held what was asked for; what was found is not in doubt.
    if status != Status::Fine && !checkpoint.damage().is_empty() {
        tell_damage(&checkpoint, ctx);
        status = Status::Trouble;
    }
    Ok(status)
}

/// An output error on its way through a reader.
pub(super) fn output(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Output(error))
}

/// Reads everything in the region and nothing else, to learn whether it is what was saved.
pub(super) fn check(checkpoint: &Checkpoint, wanted: &Wanted) -> ckpt::error::Result<Checked> {
    checkpoint.read(&wanted.tensor, &wanted.axes(), &mut |_| Ok(()))
}

/// A tensor up to this size is read whole even where only a part is wanted, so that its checksum can be checked.
const READ_WHOLE: u64 = 16 << 20;

/// Checks the whole of a small tensor of which a part is wanted. Nothing if the rest of it cannot be read: the part
/// may be readable all the same.
fn check_small(checkpoint: &Checkpoint, wanted: &Wanted) -> Option<ckpt::error::Result<Checked>> {
    let small = wanted.slice.is_some() && wanted.tensor.bytes().is_some_and(|bytes| bytes <= READ_WHOLE);
    let checked = small.then(|| checkpoint.read_all(&wanted.tensor, &mut |_| Ok(())))?;
    Some(checked).filter(|checked| checked.as_ref().err().is_none_or(is_mismatch))
}

/// Whether bytes could be read but are not what was saved.
fn is_mismatch(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ChecksumMismatch { what: "tensor", .. })
}
