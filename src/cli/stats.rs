//! `ckpt stats`: which tensor is sick.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Result;
use ckpt::analysis::Selection;
use ckpt::analysis::stats::{First, SortKey as Key, StatsOptions, StatsOrder, StatsSort, TensorStats, Totals, each};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{StatsCsv, StatsFormat, StatsJson, StatsJsonl, StatsMarkdown, StatsText};
use clap::ValueEnum;

use super::ctx::library_sentence;
use super::progress::with_progress;
use super::source::{OrderArgs, SelectArgs, SourceArgs, tell_damage};
use super::{Ctx, Format, Status};

/// As many rows are kept until all have been read. More are written as they come.
const HELD: usize = 1 << 15;

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
A tensor whose bytes are not the ones that were saved is unreadable and has no figures.

Of more than 32,768 tensors, rows are written while the rest is read; in text, columns are then
as wide as figures usually are. To sort as many without --top, all of them are read twice.

Formats: text, json, jsonl, csv, markdown.

Examples:
  ckpt stats model.ckpt-200
  ckpt stats train/ 'dnn/**/kernel' --sort max-abs --top 10
  ckpt stats train/ --sort non-finite --top 5
  ckpt stats model.ckpt-200 dense/kernel --hist --per-channel

Exit status:
  0  done, whatever the figures say
  1  no tensor matched the selectors
  2  the checkpoint cannot be opened, or a part of it could not be read; the rest is shown")]
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
    /// Sort by this, the largest first; tensors without such a figure come last.
    #[arg(long, value_enum, default_value_t, value_name = "KEY")]
    sort: SortKey,
    #[command(flatten)]
    order: OrderArgs,
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
        }
    }
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text, Format::Json, Format::Jsonl, Format::Csv, Format::Markdown])?;
    let checkpoint = args.source.open(ctx, true)?;
    let selection = args.select.select(&checkpoint, None, ctx)?;
    let nothing = selection.is_empty() && !args.select.selectors.is_empty();
    let options = StatsOptions { threads: ctx.threads(), distribution: args.hist, channels: args.per_channel };
    let order = StatsOrder { by: args.sort.into(), reverse: args.order.reverse };
    let most = args.order.top.unwrap_or(usize::MAX).min(selection.len());
    let mut work = Work { checkpoint: &checkpoint, args, options, errors: Vec::new() };
    let totals = if most <= HELD {
        work.held(&selection, order, most, ctx)?
    } else if order.is_by_name() {
        work.flowing(&selection, None, most, ctx)?
    } else {
        let (selection, totals) = work.sorted(&selection, order, most, ctx);
        work.flowing(&selection, Some(totals), most, ctx)?
    };
    let errors = work.errors;
    tell_unreadable(&errors, totals.unreadable, &checkpoint, ctx);
    tell_damage(&checkpoint, ctx);
    Ok(match (totals.unreadable > 0 || !checkpoint.damage().is_empty(), nothing) {
        (true, _) => Status::Trouble,
        (false, true) => Status::Found,
        (false, false) => Status::Fine,
    })
}

/// What all ways to go through the tensors need.
struct Work<'w> {
    checkpoint: &'w Checkpoint,
    args: &'w Args,
    options: StatsOptions,
    /// The first errors, in words.
    errors: Vec<String>,
}

impl Work<'_> {
    /// Goes through tensors and notes their errors.
    fn read(&mut self, selection: &Selection, progress: &Progress, mut take: impl FnMut(Vec<TensorStats>)) -> Totals {
        let errors = &mut self.errors;
        let take = |(), rows: Vec<TensorStats>| {
            note_errors(errors, &rows);
            take(rows);
            ControlFlow::Continue(())
        };
        each(self.checkpoint, selection, &self.options, progress, |_, _| (), take)
    }

    /// Reads everything and then writes those rows that were kept.
    fn held(&mut self, selection: &Selection, order: StatsOrder, most: usize, ctx: &mut Ctx) -> Result<Totals> {
        let mut first = First::new(order, most);
        let totals = with_progress(ctx.quiet, |progress| self.read(selection, progress, |rows| first.extend(rows)));
        let rows = first.finish();
        let text = || StatsText::fitting(self.checkpoint, &rows, self.is_ascii(), ctx.look);
        self.format(ctx.format, text).write(&rows, &totals, &mut ctx.out)?;
        Ok(totals)
    }

    /// The tensors in this order, and what they come to. A few bytes are kept of each.
    fn sorted(&mut self, selection: &Selection, order: StatsOrder, most: usize, ctx: &Ctx) -> (Selection, Totals) {
        let mut keys: Vec<Key> = Vec::with_capacity(selection.len());
        let totals = with_progress(ctx.quiet, |progress| {
            self.read(selection, progress, |rows| keys.extend(rows.iter().map(|row| order.key(row))))
        });
        let selection = order.sorted(keys).into_iter().take(most).collect();
        (selection, totals)
    }

    /// Writes rows as they are done; what they come to unless it is known.
    fn flowing(&mut self, selection: &Selection, known: Option<Totals>, most: usize, ctx: &mut Ctx) -> Result<Totals> {
        let mut errors = std::mem::take(&mut self.errors);
        let text = || StatsText::flowing(self.checkpoint, selection, self.is_ascii(), ctx.look);
        let format = self.format(ctx.format, text);
        format.head(&mut ctx.out)?;
        let make = |first: usize, rows: &[TensorStats]| {
            let shown = rows.get(..most.saturating_sub(first)).unwrap_or(rows);
            let mut text = Vec::new();
            format.rows(first, shown, &mut text).map(|()| text)
        };
        let mut written = Ok(());
        let is_known = known.is_some();
        let out = &mut ctx.out;
        let take = |text: std::io::Result<Vec<u8>>, rows: Vec<TensorStats>| {
            if !is_known {
                note_errors(&mut errors, &rows);
            }
            written = text.and_then(|text| out.write_all(&text));
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        // Rows in a terminal and a bar below them do not go together.
        let found = with_progress(ctx.quiet || Ctx::to_terminal(), |progress| {
            each(self.checkpoint, selection, &self.options, progress, make, take)
        });
        written?;
        let totals = known.unwrap_or(found);
        format.foot(&totals, most.min(totals.tensors), &mut ctx.out)?;
        drop(format);
        self.errors = errors;
        Ok(totals)
    }

    fn format<'f>(&'f self, format: Format, text: impl FnOnce() -> StatsText<'f>) -> Box<dyn StatsFormat + 'f> {
        let checkpoint = self.checkpoint;
        match format {
            Format::Json => Box::new(StatsJson(checkpoint)),
            Format::Jsonl => Box::new(StatsJsonl(checkpoint)),
            Format::Csv => Box::new(StatsCsv { checkpoint, options: self.options }),
            Format::Markdown => Box::new(StatsMarkdown(checkpoint)),
            _ => Box::new(text()),
        }
    }

    fn is_ascii(&self) -> bool {
        self.args.ascii || !is_unicode()
    }
}

/// Keeps the first errors.
fn note_errors(errors: &mut Vec<String>, rows: &[TensorStats]) {
    let room = TOLD.saturating_sub(errors.len());
    errors.extend(rows.iter().filter_map(|row| row.error.as_ref()).take(room).map(library_sentence));
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
