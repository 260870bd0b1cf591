//! `ckpt ops`: what a model can touch.

use anyhow::Result;
use ckpt::analysis::Severity;
use ckpt::analysis::ops::{look_at_ops, targets};
use ckpt::report::{OPS_FORMATS, ops_summary, write_ops};

use super::policy::PolicyArgs;
use super::severity::Severities;
use super::source::SourceOrConfigArgs;
use super::{Ctx, Status, step_summary};

/// Say what a model can touch: ops that read or write files, reach a network, run code of the host, or are not
/// TensorFlow's, and Lambda layers.
///
/// Looks at every op of every graph and function of a SavedModel, a .meta, a graph.pbtxt or another `GraphDef`, and at
/// the Keras configuration beside it or in a .keras archive; says when each op runs and what reaches it. Nothing is
/// loaded or run. Restoring the model's own variables and reading its own assets are no findings.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ckpt ops [OPTIONS] <PATH>\n       ckpt ops --show-config")]
#[command(after_long_help = "\
Formats: text, json, github, sarif, junit.

Examples:
  ckpt ops export/
  ckpt ops serving/ --version 17 --format sarif > ops.sarif
  ckpt ops model.ckpt-200.meta --list
  ckpt ops model.keras --deny keras-foreign-object

Every code has a page: ckpt explain CODE

Exit status:
  0  everything was looked at, and nothing of error level was found
  1  an error-level finding
  2  something could not be looked at, so that nothing is certain; what was found is shown")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceOrConfigArgs,
    /// Show every op with how often it occurs instead.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    severities: Severities,
    #[command(flatten)]
    policy: PolicyArgs,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    if let Some(status) = args.policy.show(ctx)? {
        return Ok(status);
    }
    ctx.require_format(OPS_FORMATS)?;
    let policy = args.policy.policy()?;
    let source = args.source.source();
    let path = &source.path;
    let (targets, notes) = targets(path, source.choice(), &ctx.limits())?;
    let mut report = look_at_ops(&targets, &ctx.limits());
    report.notes = notes;
    for note in &report.notes {
        ctx.note(note);
    }
    report.settle(policy.as_deref(), &args.severities.rules(), path);
    write_ops(path, &report, args.list, ctx.format, ctx.look, &mut ctx.out)?;
    step_summary::append(ctx, |most| ops_summary(path, &report, most));
    if !report.is_complete() {
        return Ok(Status::Trouble);
    }
    let bad = report.findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if bad && !args.list { Status::Found } else { Status::Fine })
}
