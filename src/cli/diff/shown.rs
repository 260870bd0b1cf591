//! What `ckpt diff` shows of two open checkpoints, and what it says on standard error.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Result;
use ckpt::analysis::broken_files;
use ckpt::analysis::diff::{Change, Comparison, Depth, Diff, DiffOptions, Side, Status as DiffStatus};
use ckpt::analysis::parts::Share;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{DiffOrder, DiffReport, ShareText, diff_summary};

use crate::cli::ctx::library_sentence;
use crate::cli::progress::with_progress;
use crate::cli::{Ctx, Status, part, step_summary};

/// Which changes are shown, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct Shown {
    pub(super) all: bool,
    pub(super) long: bool,
    pub(super) spectral: bool,
    pub(super) order: DiffOrder,
    pub(super) most: Option<usize>,
}

impl Shown {
    /// The report that shows so much.
    pub(super) fn report<'c>(self, a: &'c Checkpoint, b: &'c Checkpoint, depth: Depth, ctx: &Ctx) -> DiffReport<'c> {
        DiffReport {
            a,
            b,
            depth,
            format: ctx.format,
            look: ctx.look,
            all: self.all,
            long: self.long,
            spectral: self.spectral,
            order: self.order,
            most: self.most.unwrap_or(usize::MAX),
        }
    }
}

/// Compares two open checkpoints.
pub(in crate::cli) fn show(
    (a, b): (&Checkpoint, &Checkpoint),
    options: &DiffOptions,
    shown: Shown,
    ctx: &mut Ctx,
) -> Result<Status> {
    let comparison = Comparison::new(a, b, options)?;
    let share = options.share.as_deref();
    if let Some(share) = part::own(share) {
        return show_part(comparison, share, ctx);
    }
    let found = if ctx.quiet {
        comparison.each(&Progress::default(), |_| (), |(), _| ControlFlow::Continue(())).0
    } else {
        let report = shown.report(a, b, options.depth, ctx);
        let write = |out: &mut dyn Write| Ok(with_progress(false, |progress| report.write(comparison, progress, out))?);
        let found = if share.is_some() { part::held(share, &mut ctx.out, write)? } else { write(&mut ctx.out)? };
        tell(&found, options.depth, ctx);
        found
    };
    part::check(share)?;
    let nothing = found.is_vacuous() || (found.tally.total() == 0 && !options.only.is_empty());
    if nothing && !ctx.quiet {
        ctx.error(if options.only.is_empty() {
            "nothing was compared: --ignore leaves out every tensor of both sides"
        } else {
            "nothing was compared: no tensor of either side matches the selectors"
        });
    }
    let broken = found.expectations.iter().any(|expectation| !expectation.holds());
    let unjudged = found.expectations.iter().any(|expectation| expectation.unjudged > 0);
    let status = if found.is_trouble() || unjudged {
        Status::Trouble
    } else if !found.is_equal() || broken || nothing {
        Status::Found
    } else {
        Status::Fine
    };
    if !ctx.quiet {
        let told = found.changes.len() as u64;
        let all = found.tally.differences() + found.tally.of(DiffStatus::Unreadable);
        let hidden = usize::try_from(all.saturating_sub(told)).unwrap_or(usize::MAX);
        step_summary::append(ctx, |most| diff_summary(&found, hidden, status == Status::Fine, most));
    }
    Ok(status)
}

/// Reads one share, and tells of what is whole in it what changed.
fn show_part(comparison: Comparison<'_, '_>, share: &Share, ctx: &mut Ctx) -> Result<Status> {
    let mut told = Vec::new();
    let take = |(), changes: Vec<Change>| {
        let changed = changes.into_iter().filter(|change| change.status != DiffStatus::Identical);
        told.extend(changed.map(|change| (change.name().to_vec(), change.status.name().to_owned())));
        ControlFlow::Continue(())
    };
    let (found, _) = with_progress(ctx.quiet, |progress| comparison.each(progress, |_| (), take));
    let (whole, unreadable) = (found.tally.total(), found.tally.of(DiffStatus::Unreadable));
    let what = match told.len() {
        0 => "nothing that was read of it differs".to_owned(),
        n => format!("{n} that differ or could not be compared"),
    };
    let tell = |text: &ShareText, out: &mut dyn Write| {
        text.write_tensors(&told, &what, told.is_empty(), out)?;
        Ok(if unreadable > 0 {
            Status::Trouble
        } else if told.is_empty() {
            Status::Fine
        } else {
            Status::Found
        })
    };
    part::end("diff", share, whole, tell, ctx)
}

/// Says on standard error what could not be read, side by side.
pub(super) fn tell(found: &Diff<'_>, depth: Depth, ctx: &mut Ctx) {
    const MOST: usize = 10;
    for note in &found.notes {
        ctx.note(note);
    }
    for (side, checkpoint) in [(Side::A, found.a), (Side::B, found.b)] {
        let damage = checkpoint.damage();
        for error in damage.iter().take(MOST) {
            ctx.error(&format!("{}: {}", side.name(), library_sentence(error)));
        }
        if damage.len() > MOST {
            ctx.error(&format!("{}: {} more parts of the index could not be read", side.name(), damage.len() - MOST));
        }
        // Who asks for indexes alone knows that no data is looked at.
        if matches!(depth, Depth::Index | Depth::Structure) {
            continue;
        }
        // Nothing is read where checksums agree, so that a shard that is missing or cut would go unseen.
        let broken = broken_files(checkpoint);
        if let Some(first) = broken.first() {
            let more = if broken.len() > 1 { format!(", and {} more", broken.len() - 1) } else { String::new() };
            ctx.note(&format!(
                "{}: {}{more}; what is identical by checksum was not looked for",
                side.name(),
                first.message
            ));
        }
    }
}
