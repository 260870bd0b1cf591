//! `ckpt stats`: which tensor is sick.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Result;
use ckpt::analysis::Selection;
use ckpt::analysis::parts::Share;
use ckpt::analysis::stats::{StatsOptions, StatsOrder, StatsSort, TensorStats, each};
use ckpt::base::error::Error;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{STATS_FORMATS, ShareText, StatsReport};
use clap::ValueEnum;

use super::ctx::library_sentence;
use super::part::{self, PartArgs};
use super::progress::with_progress;
use super::source::{OrderArgs, SelectArgs, SourceArgs, tell_damage};
use super::{Ctx, Status};

/// Errors that are told by themselves.
const TOLD: usize = 10;

/// Statistics of tensors: extremes, mean, standard deviation, zeros, NaN and infinity, one line each.
///
/// Reads every byte once, on all cores, and compares it with its checksum on the way. The figures do not depend on the
/// number of threads.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
What the figures are of:
  min, max       everything but NaN, as np.nanmin and np.nanmax: an infinity is an extreme
  mean, std, L2  the finite elements; std is that of the whole population, as np.std
  zeros          elements equal to 0, of either sign
  complex        magnitudes; a NaN in either part is a NaN
  bool           0 and 1
  strings        have no figures; they are counted as skipped
  quantiles      of the finite elements, by rank (np.quantile's inverted_cdf): exact for float16,
                 bfloat16, types of 8 bits and integers up to 2048, else off by one part in 2048
  --spectral     of a matrix (of more dimensions, all but the last are rows) σ₁, the largest
                 singular value, within 1 %; the stable rank, the sum of the squares of all of
                 them in terms of σ₁²; and how many stand above the edge of a random matrix of
                 these sides and this variance, which has none there: as if random. Of up to
                 33,554,432 elements, counted up to a smaller side of 4,096
A tensor whose bytes are not the ones that were saved is unreadable and has no figures.

Of more than 32,768 tensors, rows are written while the rest is read; in text, columns are then
as wide as figures usually are. To sort as many without --top, all of them are read twice.

Formats: text, json, jsonl, csv, markdown.

Examples:
  ckpt stats model.ckpt-200
  ckpt stats train/ 'dnn/**/kernel' --sort max-abs --top 10
  ckpt stats train/ --sort non-finite --top 5
  ckpt stats model.ckpt-200 dense/kernel --hist --per-channel
  ckpt stats model.ckpt-200 '**/kernel' --spectral

Exit status:
  0  done, whatever the figures say
  1  no tensor matched the selectors
  2  the checkpoint cannot be opened, or a part of it could not be read; the rest is shown")]
#[expect(clippy::struct_excessive_bools, reason = "command-line flags")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    select: SelectArgs,
    /// Show quantiles and a histogram of each tensor.
    #[arg(long)]
    hist: bool,
    /// Draw histograms in ASCII; so they are if the locale is not UTF-8.
    #[arg(long)]
    ascii: bool,
    /// Look for dead channels: rows and columns of zeros, of more dimensions the first and the last axis.
    #[arg(long)]
    per_channel: bool,
    /// Show the largest singular value of each matrix, its stable rank, and how many are more than a random matrix has.
    #[arg(long)]
    spectral: bool,
    /// Sort by this, the largest first; tensors without such a figure come last; `spectral` is the largest singular value.
    #[arg(long, value_enum, default_value_t, value_name = "KEY")]
    sort: SortKey,
    #[command(flatten)]
    order: OrderArgs,
    #[command(flatten)]
    part: PartArgs,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum SortKey {
    #[default]
    Name,
    Elements,
    MaxAbs,
    Mean,
    Std,
    L2,
    Zeros,
    NonFinite,
    Spectral,
}

impl From<SortKey> for StatsSort {
    fn from(key: SortKey) -> Self {
        match key {
            SortKey::Name => Self::Name,
            SortKey::Elements => Self::Elements,
            SortKey::MaxAbs => Self::MaxAbs,
            SortKey::Mean => Self::Mean,
            SortKey::Std => Self::Deviation,
            SortKey::L2 => Self::Norm,
            SortKey::Zeros => Self::Zeros,
            SortKey::NonFinite => Self::NonFinite,
            SortKey::Spectral => Self::Spectral,
        }
    }
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    let share = args.part.share(STATS_FORMATS, ctx)?;
    let checkpoint = args.source.open(ctx, true)?;
    if let Some(share) = &share {
        share.look_at(&checkpoint);
    }
    let selection = args.select.select(&checkpoint, None, ctx)?;
    let nothing = selection.is_empty() && !args.select.selectors.is_empty();
    let options = StatsOptions {
        threads: ctx.threads(),
        distribution: args.hist,
        channels: args.per_channel,
        along: false,
        spectral: args.spectral || matches!(args.sort, SortKey::Spectral),
    };
    if let Some(share) = part::own(share.as_deref()) {
        return show_part(&checkpoint, &selection, &options, share, ctx);
    }
    let report = StatsReport {
        checkpoint: &checkpoint,
        options,
        order: StatsOrder { by: args.sort.into(), reverse: args.order.reverse },
        most: args.order.top.unwrap_or(usize::MAX),
        format: ctx.format,
        look: ctx.look,
        ascii: args.ascii || !is_unicode(),
        merged: share.as_deref(),
    };
    let status = show(&report, &selection, ctx)?;
    Ok(if status == Status::Fine && nothing { Status::Found } else { status })
}

/// Reads one share, and tells of what is whole in it which tensors are sick.
fn show_part(
    checkpoint: &Checkpoint,
    selection: &Selection,
    options: &StatsOptions,
    share: &Share,
    ctx: &mut Ctx,
) -> Result<Status> {
    let (mut whole, mut sick, mut unreadable) = (0, Vec::new(), 0u64);
    let take = |(), rows: Vec<TensorStats>| {
        for row in rows {
            whole += 1;
            let not_finite = row.figures.elements.saturating_sub(row.figures.finite());
            let says = match &row.error {
                Some(error) => {
                    unreadable += 1;
                    library_sentence(error)
                }
                None if not_finite > 0 => {
                    format!("{not_finite} of {} elements are NaN or infinite", row.figures.elements)
                }
                None => continue,
            };
            sick.extend(checkpoint.tensor_at(row.at).map(|tensor| (tensor.name, says)));
        }
        ControlFlow::Continue(())
    };
    with_progress(ctx.quiet, |progress| each(checkpoint, selection, (options, Some(share)), progress, |_, _| (), take));
    let what = match sick.len() {
        0 => "all of their figures are finite".to_owned(),
        n => format!("{n} that cannot be read or have NaN or infinity"),
    };
    let tell = |text: &ShareText, out: &mut dyn Write| {
        text.write_tensors(&sick, &what, sick.is_empty(), out)?;
        Ok(if unreadable > 0 { Status::Trouble } else { Status::Fine })
    };
    part::end("stats", share, whole, tell, ctx)
}

/// Figures of an open checkpoint, as they are without options.
pub(super) fn show_all(checkpoint: &Checkpoint, ctx: &mut Ctx) -> Result<Status> {
    let report = StatsReport {
        checkpoint,
        options: StatsOptions {
            threads: ctx.threads(),
            distribution: false,
            channels: false,
            along: false,
            spectral: false,
        },
        order: StatsOrder { by: StatsSort::Name, reverse: false },
        most: usize::MAX,
        format: ctx.format,
        look: ctx.look,
        ascii: !is_unicode(),
        merged: None,
    };
    show(&report, &(0..checkpoint.tensors().len()).collect(), ctx)
}

fn show(report: &StatsReport<'_>, selection: &Selection, ctx: &mut Ctx) -> Result<Status> {
    let mut errors = Vec::new();
    let mut failed = |error: &Error| {
        if errors.len() < TOLD {
            errors.push(library_sentence(error));
        }
    };
    let quiet = ctx.quiet;
    let mut write =
        |out: &mut dyn Write| Ok(with_progress(quiet, |progress| report.write(selection, progress, &mut failed, out))?);
    let totals =
        if report.merged.is_some() { part::held(report.merged, &mut ctx.out, write)? } else { write(&mut ctx.out)? };
    tell_unreadable(&errors, totals.unreadable, report.checkpoint, ctx);
    tell_damage(report.checkpoint, ctx);
    let is_broken = totals.unreadable > 0 || !report.checkpoint.damage().is_empty();
    Ok(if is_broken { Status::Trouble } else { Status::Fine })
}

/// Says why tensors could not be read, as far as there are not too many.
fn tell_unreadable(errors: &[String], all: usize, checkpoint: &Checkpoint, ctx: &mut Ctx) {
    for error in errors {
        ctx.error(error);
    }
    let more = all.saturating_sub(errors.len());
    if more > 0 {
        let path = ckpt::base::escape::Escaped(checkpoint.origin().path.as_os_str().as_encoded_bytes()).to_string();
        ctx.error(&format!("{more} more tensors could not be read; ckpt validate {path} says why"));
    }
}

/// Whether the locale has all characters. Where none is set, as on Windows, it has.
fn is_unicode() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os).find(|value| !value.is_empty());
    set.is_none_or(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
