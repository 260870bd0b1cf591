//! `ckpt validate`: is it intact, and if not, what happened to it.

use anyhow::Result;
use ckpt::analysis::{Selector, ValidateOptions, validate};
use ckpt::limits::Limits;
use ckpt::report::{validate_github, validate_json, validate_junit, validate_sarif, validate_text};

use super::progress::with_progress;
use super::severity::Severities;
use super::source::{SelectArgs, SourceArgs};
use super::{Ctx, Format, Status};

/// Check that a checkpoint is intact: every block, entry, shard and tensor, and what lies around them.
///
/// Of a directory, every checkpoint in it. Reports everything that it finds, names the cause as far as bytes and
/// checksums tell, and counts what it checked.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json, github, sarif, junit.

Examples:
  ckpt validate model.ckpt-200
  ckpt validate train/ --quick
  ckpt validate export/ --finite --format sarif > ckpt.sarif
  ckpt validate model.ckpt-200 'dense/**' --warn unreferenced-bytes

Every code has a page: ckpt explain CODE

Exit status:
  0  nothing of error level was found
  1  an error-level finding
  2  there is no checkpoint to check")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    select: SelectArgs,
    /// Read no data shard: index, file names and lengths only.
    #[arg(long)]
    quick: bool,
    /// Look for NaN and infinity too.
    #[arg(long, conflicts_with = "quick")]
    finite: bool,
    #[command(flatten)]
    severities: Severities,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text, Format::Json, Format::Github, Format::Sarif, Format::Junit])?;
    let options = ValidateOptions {
        quick: args.quick,
        finite: args.finite,
        threads: ctx.threads(),
        selector: Selector::parse(&args.select.selectors, args.select.regex)?,
        choice: args.source.choice(),
    };
    let path = &args.source.path;
    let mut validation = with_progress(ctx.quiet, |progress| validate(path, &options, &Limits::default(), progress))?;
    args.severities.judge(&mut validation.findings);
    let out = &mut ctx.out;
    match ctx.format {
        Format::Json => validate_json(&validation, out)?,
        Format::Github => validate_github(&validation, out)?,
        Format::Sarif => validate_sarif(&validation, out)?,
        Format::Junit => validate_junit(&validation, out)?,
        _ => validate_text(&validation, args.quick, ctx.look, out)?,
    }
    Ok(if validation.is_ok() { Status::Fine } else { Status::Found })
}
