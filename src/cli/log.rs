//! `ckpt log`: the timeline of a model directory.

use std::path::PathBuf;

use anyhow::{Result, bail};
use ckpt::analysis::{LayerSort, Timeline, TimelineOptions, TrainingOptions};
use ckpt::base::escape::escaped;
use ckpt::read::storage;
use ckpt::report::{TIMELINE_FORMATS, write_timeline};

use super::progress::with_progress;
use super::severity::Severities;
use super::{Ctx, Status};

/// Tell what happened in a directory of checkpoints: which there are, which are whole, which weights moved.
///
/// What moved is read off the checksums in the indexes, so that no data is read and missing shards do no harm. Event
/// files here and one directory below are read for their last step. A state file that is wrong is explained, with the
/// lines that would put it right.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: text, json, jsonl, csv, markdown.

Examples:
  ckpt log train/
  ckpt log train/ --finite
  ckpt log train/ --values
  ckpt log train/ --training --layers --sort gradient
  ckpt log train/ --training --quick --deny optimizer-reset
  ckpt log train/ --last 5 --format jsonl

Exit status:
  0  told
  1  --finite found NaN or infinity, or --training what --deny names
  2  there is no checkpoint, or something could not be read; the rest is told")]
pub(crate) struct Args {
    /// A directory that checkpoints are written into.
    dir: PathBuf,
    /// Read all values and tell the first checkpoint with NaN or infinity.
    #[arg(long)]
    finite: bool,
    /// Read the weights that moved and measure how far, relative to their size.
    #[arg(long)]
    values: bool,
    #[command(flatten)]
    training: TrainingArgs,
    #[command(flatten)]
    severities: Severities,
    /// Show the last N checkpoints only.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
}

/// What training did.
#[derive(Debug, clap::Args)]
struct TrainingArgs {
    /// Tell what training did: how old the optimizer is beside the step, whether it was created anew, whether anything was
    /// trained, gradients and updates.
    #[arg(long)]
    training: bool,
    /// With --training: read no data, and tell what indexes alone tell.
    #[arg(long, requires = "training")]
    quick: bool,
    /// With --training: show every weight.
    #[arg(long, requires = "training", conflicts_with = "quick")]
    layers: bool,
    /// With --layers: the order of weights, the largest first.
    #[arg(long, value_enum, default_value_t, value_name = "KEY", requires = "layers")]
    sort: SortKey,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum SortKey {
    #[default]
    Name,
    Gradient,
    Update,
    Never,
    Dead,
}

impl TrainingArgs {
    fn options(&self) -> Option<TrainingOptions> {
        let options = TrainingOptions { values: !self.quick, layers: self.layers, sort: self.sort.into() };
        self.training.then_some(options)
    }
}

impl From<SortKey> for LayerSort {
    fn from(key: SortKey) -> Self {
        match key {
            SortKey::Name => Self::Name,
            SortKey::Gradient => Self::Gradient,
            SortKey::Update => Self::Update,
            SortKey::Never => Self::Never,
            SortKey::Dead => Self::Dead,
        }
    }
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(TIMELINE_FORMATS)?;
    let dir = directory(&args.dir, ctx)?;
    let last = args.last.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let options = TimelineOptions {
        finite: args.finite,
        values: args.values,
        training: args.training.options(),
        last,
        threads: ctx.threads(),
    };
    let limits = ctx.limits();
    let mut timeline = with_progress(ctx.quiet, |progress| Timeline::of(&dir, options, &limits, progress))?;
    if timeline.rows.is_empty() && timeline.events.is_empty() && timeline.findings.is_empty() {
        // Says what is there instead.
        ckpt::read::checkpoint::Origin::locate(&dir, ckpt::read::checkpoint::Choice::default(), &limits)?;
        bail!(
            "no checkpoint was written into {}; ckpt inspect shows what it is",
            escaped(dir.as_os_str().as_encoded_bytes())
        );
    }
    timeline.settle(&args.severities.rules(), &dir);
    write_timeline(&timeline, ctx.format, ctx.look, &mut ctx.out)?;
    Ok(
        match (
            timeline.unreadable() || timeline.rows.is_empty(),
            timeline.first_non_finite().is_some() || timeline.is_denied(),
        ) {
            (true, _) => Status::Trouble,
            (false, true) => Status::Found,
            (false, false) => Status::Fine,
        },
    )
}

/// The directory that a path means: itself, or the one of a `checkpoint` file.
pub(super) fn directory(path: &std::path::Path, ctx: &mut Ctx) -> Result<PathBuf> {
    let path = &ckpt::read::checkpoint::WrittenPath::of(path)?.path;
    let shown = escaped(path.as_os_str().as_encoded_bytes()).into_owned();
    if storage::is_folder(path) {
        if ckpt::read::checkpoint::prefix_wins(path) {
            ctx.note(&format!(
                "{shown} is a checkpoint too, which other commands take; this one looks at the directory"
            ));
        }
        return Ok(path.clone());
    }
    if path.file_name().is_some_and(|name| name == "checkpoint") && storage::is_file(path) {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        return Ok(parent.unwrap_or(std::path::Path::new(".")).to_path_buf());
    }
    // A state file of another name stands for its directory, too.
    if ckpt::read::checkpoint::look(path).is_some_and(|found| found.kind == ckpt::read::checkpoint::Foreign::StateFile)
    {
        return Ok(path.clone());
    }
    match storage::stat(path) {
        Ok(_) => bail!("{shown} is no directory; ckpt inspect shows a single checkpoint"),
        Err(_) if ckpt::read::checkpoint::prefix_wins(path) => {
            bail!("{shown} is a single checkpoint, which ckpt inspect shows; this command wants its directory")
        }
        Err(error) => bail!("cannot read: {error} ({shown}); give the directory that checkpoints are written into"),
    }
}
