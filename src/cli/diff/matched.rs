//! `ckpt diff --match values`, which pairs tensors by what they hold, and `--emit map` of either way to pair.

use std::io::Write;

use anyhow::Result;
use ckpt::analysis::diff::{DiffOptions, Status as DiffStatus, diff, match_values};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{DIFF_FORMATS, diff_summary, write_map};

use super::shown::{Shown, tell};
use crate::cli::progress::with_progress;
use crate::cli::{Ctx, Status, step_summary};

/// Compares two open checkpoints by what they hold.
pub(super) fn show_matched(
    (a, b): (&Checkpoint, &Checkpoint),
    options: &DiffOptions,
    shown: Shown,
    ctx: &mut Ctx,
) -> Result<Status> {
    ctx.require_format(DIFF_FORMATS)?;
    let mut found = with_progress(ctx.quiet, |progress| match_values(a, b, options, progress));
    if !ctx.quiet {
        let report = shown.report(a, b, options.depth, ctx);
        found = report.write_found(found, &mut ctx.out)?;
        tell(&found, options.depth, ctx);
    }
    let status = if found.is_trouble() {
        Status::Trouble
    } else if found.is_equal() {
        Status::Fine
    } else {
        Status::Found
    };
    if !ctx.quiet {
        let told = found.changes.len() as u64;
        let all = found.tally.total().saturating_sub(found.tally.of(DiffStatus::Identical));
        let hidden = usize::try_from(all.saturating_sub(told)).unwrap_or(usize::MAX);
        step_summary::append(ctx, |most| diff_summary(&found, hidden, status == Status::Fine, most));
    }
    Ok(status)
}

/// Writes the pairs as a map of names.
pub(super) fn emit_map(
    (a, b): (&Checkpoint, &Checkpoint),
    options: &DiffOptions,
    by_values: bool,
    ctx: &mut Ctx,
) -> Result<Status> {
    let found = if by_values {
        with_progress(ctx.quiet, |progress| match_values(a, b, options, progress))
    } else {
        diff(a, b, options, &Progress::default())?
    };
    let left_out = write_map(&found, &mut ctx.out)?;
    ctx.out.flush()?;
    tell(&found, options.depth, ctx);
    let alone = found.tally.of(DiffStatus::Removed) + found.tally.of(DiffStatus::Added);
    for (n, what) in [
        (left_out, "pairs are not in the map: parts of fused tensors, or names that are no text"),
        (alone, "tensors have no partner"),
        (found.tally.of(DiffStatus::Ambiguous), "tensors have the contents of several on the other side"),
    ] {
        if n > 0 {
            ctx.note(&format!("{n} {what}"));
        }
    }
    Ok(match () {
        () if found.is_trouble() => Status::Trouble,
        () if left_out + alone + found.tally.of(DiffStatus::Ambiguous) > 0 => Status::Found,
        () => Status::Fine,
    })
}
