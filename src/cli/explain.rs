//! `ckpt explain`: the page of a code, or what an error message of TensorFlow means.

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use ckpt::analysis::explain::{LOOKED_AT, Looked, Question, answer, known_messages};
use ckpt::analysis::{Code, Model};
use ckpt::base::nearest::nearest;
use ckpt::report::{EXPLAIN_FORMATS, size, write_explain};

use super::{Ctx, Format, Status};

/// Explain a finding's code, or a pasted error message of TensorFlow.
///
/// Works without any file: the numbers and names in the message are enough. A path in the message is looked at where it
/// leads to something here; with --path that one is, and with --against a restore into a model is tried as well.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json.

Examples:
  ckpt explain tensor-checksum-mismatch
  ckpt explain 'Checksum does not match: stored 592068290 vs. calculated on the restored bytes 517592881'
  python train.py 2>&1 | ckpt explain -
  ckpt explain 'Key dense/kernel not found in checkpoint' --path train/model.ckpt-200
  ckpt explain - --path train/model.ckpt-200 --against eval.meta < error.txt

Exit status:
  0  explained (files may be missing or damaged: the screen says so)
  1  neither a code nor a message that is known
  2  the message or the files could not be read")]
pub(crate) struct Args {
    /// A code, or an error message in quotes, whole traceback or not; `-` reads it from standard input.
    #[arg(required_unless_present = "list", value_name = "CODE|'ERROR'")]
    what: Vec<String>,
    /// List the codes, and the words by which messages are recognised.
    #[arg(long, conflicts_with_all = ["what", "path"])]
    list: bool,
    /// Also look at this checkpoint: is it whole, and does the tensor in the message match now?
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,
    /// And what restoring it into this model would do: a .meta file, a graph, a SavedModel, another checkpoint.
    #[arg(long, value_name = "MODEL", requires = "path")]
    against: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    if args.list {
        ctx.require_format(&[Format::Text])?;
        return list(ctx);
    }
    ctx.require_format(EXPLAIN_FORMATS)?;
    let text = if args.what == ["-"] { standard_input(ctx)? } else { args.what.join(" ") };
    let models = match &args.against {
        Some(model) => Model::open(model, true, &ctx.limits())?,
        None => Vec::new(),
    };
    let question =
        Question { text: &text, path: args.path.as_deref(), model: args.against.as_deref(), models: &models };
    let answer = answer(&question, &ctx.limits());
    for note in &answer.notes {
        ctx.note(note);
    }
    write_explain(&answer, ctx.format, ctx.look, &mut ctx.out)?;
    let explained = answer.is_explained();
    if !explained {
        unknown(text.trim(), ctx);
    }
    Ok(match (answer.looked, explained) {
        // What the message says is worth showing even if there is nothing to look at.
        (Looked::Refused(error), _) => return Err(error.into()),
        (Looked::Found(disk), _) if disk.unreadable => Status::Trouble,
        (_, false) => Status::Found,
        (_, true) => Status::Fine,
    })
}

/// The beginning and the end of standard input, or all of it. A message may be in any encoding; what is not UTF-8 is not
/// what it is recognised by.
fn standard_input(ctx: &mut Ctx) -> Result<String> {
    let mut input = std::io::stdin().lock();
    let (mut text, mut end, mut left_out) = (Vec::new(), Vec::new(), 0);
    let mut read = |into: &mut Vec<u8>| -> Result<bool> {
        let read = input.by_ref().take(LOOKED_AT as u64).read_to_end(into).context("standard input")?;
        // A terminal that has said that nothing follows is not asked again.
        Ok(read == LOOKED_AT)
    };
    let mut goes_on = read(&mut text)?;
    while goes_on {
        goes_on = read(&mut end)?;
        let more = end.len().saturating_sub(LOOKED_AT);
        left_out += end.drain(..more).len();
    }
    if left_out > 0 {
        text.push(b'\n');
        let (most, left_out) = (size(LOOKED_AT as u64), size(left_out as u64));
        ctx.note(&format!(
            "the first and the last {most} of standard input are looked at, the {left_out} between are not"
        ));
    }
    text.append(&mut end);
    // No longer than it was, so that nothing more is cut.
    let valid = text.utf8_chunks().map(|chunk| [chunk.valid(), if chunk.invalid().is_empty() { "" } else { "?" }]);
    Ok(valid.flatten().collect())
}

/// Says what is known, to somebody who asked for something else.
fn unknown(text: &str, ctx: &mut Ctx) {
    let names = || Code::ALL.iter().map(|code| code.name().as_bytes());
    let near = if text.contains(char::is_whitespace) { Vec::new() } else { nearest(text.as_bytes(), names(), 3) };
    if !near.is_empty() {
        let near: Vec<_> = near.into_iter().map(ckpt::base::escape::escaped).collect();
        ctx.error(&format!("no such code; did you mean {}?", near.join(" or ")));
        return;
    }
    ctx.error("neither a code nor a message of TensorFlow that is known here");
    ctx.note("paste the message as TensorFlow printed it, with its numbers; ckpt explain --list shows what is known");
}

fn list(ctx: &mut Ctx) -> Result<Status> {
    writeln!(ctx.out, "codes of findings\n")?;
    for code in Code::ALL {
        writeln!(ctx.out, "  {}", code.name())?;
    }
    writeln!(ctx.out, "\nmessages of TensorFlow that hold one of these\n")?;
    for (message, cause) in known_messages() {
        writeln!(ctx.out, "  {message}   {cause}")?;
    }
    Ok(Status::Fine)
}
