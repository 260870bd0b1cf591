//! `ckpt latest`: one prefix on standard output, for scripts that resume.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use ckpt::analysis::{Code, Finding, Severity, ValidateOptions, Validation, repair, state_findings, validate_found};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::{Found, ModelDir};
use ckpt::report::{LATEST_FORMATS, latest_json, repair_text};

use super::log::directory;
use super::progress::with_progress;
use super::{Ctx, Format, Status};

/// Print the prefix of a directory's latest checkpoint, and nothing else.
///
/// Chosen as `tf.train.latest_checkpoint` chooses, by the state file; where that is missing, moved or stale, the
/// highest step, and standard error says why and which lines would put the state file right. With --valid, the newest
/// one that is intact: all of its bytes are read, newest first, until one is.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json.

Examples:
  python train.py --resume \"$(ckpt latest train/ --valid)\"
  ckpt latest train/ --valid --finite || echo 'start anew'

Exit status:
  0  printed
  1  there is no checkpoint, or with --valid no intact one
  2  the directory cannot be read")]
pub(crate) struct Args {
    /// A directory that checkpoints are written into.
    dir: PathBuf,
    /// The newest checkpoint that is intact, rather than the one that the state file names.
    #[arg(long)]
    valid: bool,
    /// Refuse checkpoints with NaN or infinity too.
    #[arg(long, requires = "valid")]
    finite: bool,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(LATEST_FORMATS)?;
    let path = directory(&args.dir, ctx)?;
    let dir = ModelDir::scan(&path, &ctx.limits())?;
    tell_state(&dir, ctx);
    let latest = dir.latest.and_then(|at| dir.checkpoints.get(at));
    let chosen = if args.valid { newest_intact(&path, &dir, latest, args, ctx) } else { latest };
    if let Some(found) = chosen.filter(|found| !found.complete) {
        ctx.note(&format!("{} is not whole; --valid takes the newest intact one", shown(found)));
    }
    if let Some(note) = chosen.and_then(Found::twin) {
        ctx.note(&note);
    }
    match (ctx.format, chosen) {
        (Format::Json, _) => latest_json(&path, chosen, args.valid, &mut ctx.out)?,
        // A program takes the bytes of a name; a terminal must not.
        (_, Some(found)) if Ctx::to_terminal() => writeln!(ctx.out, "{}", shown(found))?,
        (_, Some(found)) => {
            ctx.out.write_all(found.prefix.as_path().as_os_str().as_encoded_bytes())?;
            writeln!(ctx.out)?;
        }
        (_, None) => {}
    }
    if chosen.is_none() {
        let what = if dir.checkpoints.is_empty() { "no checkpoint" } else { "no intact checkpoint" };
        ctx.error(&format!("{what} in {}", escaped(path.as_os_str().as_encoded_bytes())));
        return Ok(Status::Found);
    }
    Ok(Status::Fine)
}

/// Tries the latest first, then the others from the highest step down; says of each why it is not taken.
fn newest_intact<'d>(
    path: &Path,
    dir: &'d ModelDir,
    latest: Option<&'d Found>,
    args: &Args,
    ctx: &mut Ctx,
) -> Option<&'d Found> {
    let others = dir.checkpoints.iter().rev().filter(|found| latest.is_none_or(|latest| latest.prefix != found.prefix));
    let limits = ctx.limits();
    for found in latest.into_iter().chain(others) {
        let options = ValidateOptions { finite: args.finite, ..ValidateOptions::all(false, ctx.threads()) };
        let validation = with_progress(ctx.quiet, |progress| validate_found(path, found, &options, &limits, progress));
        let Some(finding) = first_error(&validation) else { return Some(found) };
        ctx.note(&format!("{} is not taken: {}", shown(found), finding.message));
    }
    None
}

/// The first error. One that no byte could be checked against is none: a checkpoint may be empty.
fn first_error(validation: &Validation) -> Option<&Finding> {
    let errors = || validation.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors().find(|finding| finding.code != Code::NothingChecked)
}

fn tell_state(dir: &ModelDir, ctx: &mut Ctx) {
    for note in dir.notes.iter().chain(&dir.several).chain(&dir.other_state) {
        ctx.note(note);
    }
    // What the choice did not depend on is told by `ckpt log`.
    if dir.notes.is_empty() && state_findings(dir).is_empty() {
        return;
    }
    if let Some(lines) = repair(dir) {
        let mut text = Vec::new();
        if repair_text(&dir.path, &lines, &mut text).is_ok() {
            ctx.note(String::from_utf8_lossy(&text).trim_end());
        }
    }
}

fn shown(found: &Found) -> String {
    escaped(found.prefix.as_path().as_os_str().as_encoded_bytes()).into_owned()
}
