//! `ckpt explain`: the page of a code, or what an error message of TensorFlow means.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ckpt::analysis::explain::{
    Diagnosis, Known, OnDisk, explain_code, explain_error, known_messages, look, misgiven, paths_in,
};
use ckpt::analysis::{Code, Model};
use ckpt::base::error::Error;
use ckpt::base::nearest::nearest;
use ckpt::read::checkpoint::WrittenPath;
use ckpt::read::storage;
use ckpt::report::{diagnosis_text, explain_json, not_opened_text, on_disk_text, page_text};

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
    let diagnosis = if page.is_some() { None } else { diagnose(&text, args.path.as_deref()) };
    let models = match &args.against {
        Some(model) => Model::open(model, true, &ctx.limits())?,
        None => Vec::new(),
    };
    let looked = at_files(args.path.as_deref(), page.is_some(), &text, diagnosis.as_ref(), &models, ctx);
    let mut known = match &looked {
        Looked::Found(disk) => disk.known.clone(),
        // What the message says of paths is better than nothing, and what was given is better than that.
        _ => match args.path.as_deref().and_then(Path::to_str) {
            Some(path) => Known::of(&Diagnosis { path: Some(path.to_owned()), ..Diagnosis::default() }),
            None => diagnosis.as_ref().map(Known::of).unwrap_or_default(),
        },
    };
    known.model = known.model.or_else(|| args.against.clone());
    let diagnosis = diagnosis.map(|diagnosis| diagnosis.filled(&known));
    let explained = page.is_some() || diagnosis.is_some();
    if ctx.format == Format::Text {
        if let Some(page) = &page {
            page_text(page, ctx.look, &mut ctx.out)?;
        } else if let Some(diagnosis) = &diagnosis {
            diagnosis_text(diagnosis, ctx.look, &mut ctx.out)?;
        }
        match &looked {
            Looked::Found(disk) => on_disk_text(disk, ctx.look, &mut ctx.out)?,
            Looked::Other(path, error) => not_opened_text(path, error, ctx.look, &mut ctx.out)?,
            Looked::Refused(_) | Looked::Nothing => {}
        }
    } else {
        let disk = if let Looked::Found(disk) = &looked { Some(&**disk) } else { None };
        explain_json(page.as_ref(), diagnosis.as_ref(), disk, &mut ctx.out)?;
    }
    if !explained {
        unknown(text.trim(), ctx);
    }
    Ok(match (looked, explained) {
        // What the message says is worth showing even if there is nothing to look at.
        (Looked::Refused(error), _) => return Err(error.into()),
        (Looked::Found(disk), _) if disk.unreadable => Status::Trouble,
        (_, false) => Status::Found,
        (_, true) => Status::Fine,
    })
}

/// What the message means, and what was given in the place of a prefix: that explains every name that is missing.
fn diagnose(text: &str, path: Option<&Path>) -> Option<Diagnosis> {
    let diagnosis = explain_error(text);
    let names_are_missing = diagnosis.as_ref().is_some_and(|diagnosis| {
        !diagnosis.missing.is_empty() || matches!(diagnosis.cause, "no-checkpoint" | "not-a-table")
    });
    // A file of a set is opened as the set; for TensorFlow it is another thing.
    let given = path.and_then(Path::to_str).filter(|_| names_are_missing).and_then(misgiven);
    match (given, diagnosis) {
        (Some(given), Some(diagnosis)) => {
            Some(Diagnosis { tensor: diagnosis.tensor, missing: diagnosis.missing, ..given })
        }
        (_, diagnosis) => diagnosis,
    }
}

/// What became of looking at files.
enum Looked {
    /// A checkpoint, or what is left of one.
    Found(Box<OnDisk>),
    /// The message names what is here and is no checkpoint.
    Other(PathBuf, Box<Error>),
    /// What was given cannot be looked at.
    Refused(Box<Error>),
    /// No path leads to anything here.
    Nothing,
}

/// Looks at what was given, or at the first path of the message that leads to something here.
fn at_files(
    given: Option<&Path>,
    is_code: bool,
    text: &str,
    diagnosis: Option<&Diagnosis>,
    models: &[Model],
    ctx: &mut Ctx,
) -> Looked {
    let limits = ctx.limits();
    if let Some(path) = given {
        let written = match WrittenPath::of(path) {
            Ok(written) => written,
            Err(error) => return Looked::Refused(Box::new(error)),
        };
        if let Some(note) = written.note {
            ctx.note(&note);
        }
        return match look(&written.path, diagnosis, models, &limits) {
            Ok(disk) => Looked::Found(Box::new(disk)),
            Err(error) => Looked::Refused(Box::new(error)),
        };
    }
    if is_code {
        return Looked::Nothing;
    }
    let named = diagnosis.into_iter().flat_map(|diagnosis| [diagnosis.path.clone(), diagnosis.dir.clone()]).flatten();
    let named: Vec<String> = named.collect();
    let mut other = None;
    for (n, path) in named.iter().cloned().chain(paths_in(text)).map(PathBuf::from).enumerate() {
        let is_named = n < named.len();
        let written = match WrittenPath::of(&path) {
            Ok(written) => written,
            // An address, with the command that fetches it.
            Err(error) => {
                if is_named && path.to_string_lossy().contains(":/") {
                    other.get_or_insert((path, error));
                }
                continue;
            }
        };
        match look(&written.path, diagnosis, models, &limits) {
            Ok(disk) => return Looked::Found(Box::new(disk)),
            // Of a message that was pasted from elsewhere nothing is here, and that is no news; a file that is no
            // checkpoint, or a directory that is here, is.
            Err(error) if storage::is_file(&written.path) || (is_named && is_near(&written.path, &error)) => {
                other.get_or_insert((written.path, error));
            }
            Err(_) => {}
        }
    }
    other.map_or(Looked::Nothing, |(path, error)| Looked::Other(path, Box::new(error)))
}

/// Whether the directory of a path is here, so that what lies in it says something of the path.
fn is_near(path: &Path, error: &Error) -> bool {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.is_some_and(Path::is_dir)
        || storage::is_folder(path)
        || error.help().is_some_and(|help| help.starts_with("did you mean"))
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
