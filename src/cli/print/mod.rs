//! `ckpt print`: the values of tensors.
//!
//! Text shows what NumPy would; json, csv, raw and npy are complete whatever the size and are streamed. A tensor that
//! is read whole is checked against its checksum, and the heading says when it was not.

mod full;
mod resolve;
mod text;
mod wanted;

pub(crate) use wanted::Args;

use anyhow::Result;
use ckpt::analysis::{derived, is_missing};
use ckpt::base::error::ErrorKind;

use super::ctx::library_sentence;
use super::source::{near, tell_damage};
use super::{Ctx, Format, Status};
use resolve::resolve;
use wanted::Wanted;

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    use Format::{Csv, Json, Jsonl, Npy, Raw, Text};
    ctx.require_format(&[Text, Json, Jsonl, Csv, Raw, Npy])?;
    if matches!(ctx.format, Raw | Npy) && Ctx::to_terminal() {
        anyhow::bail!("raw bytes would garble the terminal; send them to a file: ckpt print … > FILE");
    }
    let checkpoint = args.source.open(ctx, true)?;
    let mut status = Status::Fine;
    let mut wanted: Vec<Wanted> = Vec::new();
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
