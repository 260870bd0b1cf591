//! `ckpt explain`: the page of a code, or what an error message of TensorFlow means.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ckpt::analysis::Code;
use ckpt::analysis::explain::{Diagnosis, OnDisk, explain_code, explain_error, known_messages, misgiven, paths_in};
use ckpt::checkpoint::{Checkpoint, Choice};
use ckpt::nearest::nearest;
use ckpt::report::{diagnosis_text, explain_json, on_disk_text, page_text};

use super::{Ctx, Format, Status};

/// Explain a finding's code, or a pasted error message of TensorFlow.
///
/// Works without any file: the numbers and names in the message are enough. With --path it also looks at the files.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json.

Examples:
  ckpt explain tensor-checksum-mismatch
  ckpt explain 'Checksum does not match: stored 592068290 vs. calculated on the restored bytes 517592881'
  python train.py 2>&1 | ckpt explain -
  ckpt explain 'Key dense/kernel not found in checkpoint' --path train/model.ckpt-200

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
}

/// More than any traceback; the rest is not read.
const LONGEST: u64 = 1 << 20;

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    if args.list {
        ctx.require_format(&[Format::Text])?;
        return list(ctx);
    }
    ctx.require_format(&[Format::Text, Format::Json])?;
    let text = if args.what == ["-"] { standard_input()? } else { args.what.join(" ") };
    let page = Code::from_name(text.trim()).map(explain_code);
    // A path in the message is looked at as one that is given: where it is there, what it holds is worth more than words.
    let is_there = |path: &PathBuf| Checkpoint::open(path, Choice::default(), &ctx.limits()).is_ok();
    let named = || paths_in(&text).into_iter().map(PathBuf::from).find(is_there);
    let path = args.path.clone().or_else(|| page.is_none().then(named).flatten());
    let mut diagnosis = if page.is_some() { None } else { explain_error(&text) };
    // What was given in the place of a prefix explains every name that is missing.
    let given = path.iter().map(|path| path.to_string_lossy().into_owned()).chain(paths_in(&text));
    let names_are_missing = text.contains("not found in checkpoint") || text.contains("matching files for");
    if page.is_none()
        && names_are_missing
        && let Some(other) = given.into_iter().find_map(|path| misgiven(&path))
    {
        let tensor = diagnosis.and_then(|diagnosis| diagnosis.tensor);
        diagnosis = Some(Diagnosis { tensor, ..other });
    }
    let diagnosis = diagnosis.map(|diagnosis| diagnosis.filled(path.as_deref()));
    let explained = page.is_some() || diagnosis.is_some();
    if ctx.format == Format::Text {
        if let Some(page) = &page {
            page_text(page, ctx.look, &mut ctx.out)?;
        } else if let Some(diagnosis) = &diagnosis {
            diagnosis_text(diagnosis, ctx.look, &mut ctx.out)?;
        }
    }
    let disk = match &path {
        // What the message says is worth showing even if there is nothing to look at.
        Some(path) => match look(path, diagnosis.as_ref(), ctx) {
            Ok(disk) => Some(disk),
            Err(error) => {
                if ctx.format == Format::Json {
                    explain_json(page.as_ref(), diagnosis.as_ref(), None, &mut ctx.out)?;
                }
                return Err(error);
            }
        },
        None => None,
    };
    if ctx.format == Format::Json {
        explain_json(page.as_ref(), diagnosis.as_ref(), disk.as_ref(), &mut ctx.out)?;
    }
    if !explained {
        unknown(text.trim(), ctx);
    }
    Ok(match (disk.is_some_and(|disk| disk.unreadable), explained) {
        (true, _) => Status::Trouble,
        (false, false) => Status::Found,
        (false, true) => Status::Fine,
    })
}

/// Looks at the files of a checkpoint and shows what they say.
fn look(path: &Path, diagnosis: Option<&Diagnosis>, ctx: &mut Ctx) -> Result<OnDisk> {
    let checkpoint = Checkpoint::open(path, Choice::default(), &ctx.limits())?;
    let none = Diagnosis::default();
    let disk = OnDisk::of(&checkpoint, diagnosis.unwrap_or(&none));
    if ctx.format == Format::Text {
        on_disk_text(&disk, ctx.look, &mut ctx.out)?;
    }
    Ok(disk)
}

/// A message may be in any encoding; what is not UTF-8 is not what it is recognised by.
fn standard_input() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes).context("standard input")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Says what is known, to somebody who asked for something else.
fn unknown(text: &str, ctx: &mut Ctx) {
    let names = || Code::ALL.iter().map(|code| code.name().as_bytes());
    let near = if text.contains(char::is_whitespace) { Vec::new() } else { nearest(text.as_bytes(), names(), 3) };
    if !near.is_empty() {
        let near: Vec<_> = near.into_iter().map(ckpt::escape::escaped).collect();
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
    for message in known_messages() {
        writeln!(ctx.out, "  {message}")?;
    }
    Ok(Status::Fine)
}
