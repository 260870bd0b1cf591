//! `ckpt validate`: is it intact, and if not, what happened to it.

use anyhow::Result;
use ckpt::analysis::{Code, Selector, Severity, ValidateOptions, Validation, validate};
use ckpt::report::{validate_github, validate_json, validate_junit, validate_sarif, validate_text};

use super::progress::with_progress;
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
  ckpt validate models/half_plus_two --serving
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
    /// Check what TensorFlow Serving would do with it: versions, tags, signatures.
    #[arg(long)]
    serving: bool,
    /// Treat findings with this code as errors.
    #[arg(long, value_name = "CODE", value_parser = code)]
    deny: Vec<Code>,
    /// Treat findings with this code as warnings.
    #[arg(long, value_name = "CODE", value_parser = code)]
    warn: Vec<Code>,
    /// Leave findings with this code out.
    #[arg(long, value_name = "CODE", value_parser = code)]
    allow: Vec<Code>,
}

fn code(name: &str) -> Result<Code, String> {
    Code::from_name(name).ok_or_else(|| {
        let names = Code::ALL.iter().map(|code| code.name().as_bytes());
        match ckpt::nearest::nearest(name.as_bytes(), names, 1).first() {
            Some(near) => format!("no such code; did you mean {}?", String::from_utf8_lossy(near)),
            None => "no such code; docs/checks.md lists them".to_owned(),
        }
    })
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text, Format::Json, Format::Github, Format::Sarif, Format::Junit])?;
    let options = ValidateOptions {
        quick: args.quick,
        finite: args.finite,
        threads: ctx.threads(),
        selector: Selector::parse(&args.select.selectors, args.select.regex)?,
        choice: args.source.choice(),
        serving: args.serving,
    };
    let path = &args.source.path;
    let mut validation = with_progress(ctx.quiet, |progress| validate(path, &options, &ctx.limits(), progress))?;
    if validation.checked.verified == 0 {
        args.select.tell_second_path(ctx);
    }
    judge(&mut validation, args);
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

/// Applies what the user says of severities; of several options for one code the strictest holds.
fn judge(validation: &mut Validation, args: &Args) {
    let (deny, warn, allow) = (&args.deny, &args.warn, &args.allow);
    validation.findings.retain(|f| !allow.contains(&f.code) || deny.contains(&f.code) || warn.contains(&f.code));
    for finding in &mut validation.findings {
        if deny.contains(&finding.code) {
            finding.severity = Severity::Error;
        } else if warn.contains(&finding.code) {
            finding.severity = Severity::Warning;
        }
    }
}
