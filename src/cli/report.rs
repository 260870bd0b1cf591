//! `ckpt report`: everything about a checkpoint on one page of HTML.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use ckpt::analysis::diff::{Comparison, DiffOptions};
use ckpt::analysis::{
    Model, Objects, RestoreOptions, Roles, Subject, Summary, Timeline, TimelineOptions, ValidateOptions, Validation,
    validate,
};
use ckpt::base::error::{Error, ErrorKind};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::{Checkpoint, Choice, SourceKind};
use ckpt::read::storage::Source;
use ckpt::report::{Format, PageChanges, PageReport, PageTensors, is_page, size};

use super::ctx::library_sentence;
use super::log::directory;
use super::progress::with_progress;
use super::source::{SourceArgs, tell_damage};
use super::written::Written;
use super::{Ctx, Status};

/// Make one page of HTML for people who would rather look than read: what a checkpoint is, whether it is whole, where its
/// bytes are, what changed.
///
/// The page needs nothing but a browser and loads nothing. It says what inspect, validate, stats, diff and log say, and
/// nothing else; what was not read is said in it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The page is under 300 kB for 1,000 tensors and under 3 MB for 50,000 and more: what
does not fit is summed up, and the page says so. Names in it are escaped, and its
policy (Content-Security-Policy) allows its own script and nothing else.

Examples:
  ckpt report model.ckpt-200 -o report.html
  ckpt report train/ --stats -o report.html
  ckpt report model.ckpt-100 --against model.ckpt-200 -o changes.html
  ckpt report ckpt-7 --against export/ -o restore.html

Exit status:
  0  written, and nothing of error level was found
  1  written; the page has an error-level finding
  2  nothing was written, or something could not be read: the page says what")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The page.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Read all values: extremes, NaN, histograms, curves along the first axis.
    #[arg(long, conflicts_with = "quick")]
    stats: bool,
    /// Read no data shard: index, file names and lengths only.
    #[arg(long)]
    quick: bool,
    /// What changed to this checkpoint; of a model (a .meta file, a graph, a SavedModel, a Keras model, a spec file) what
    /// a restore into it would do.
    #[arg(long, value_name = "B")]
    against: Option<PathBuf>,
    /// Replace a file that is no page of this command.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text])?;
    let may_replace = || args.force || is_ours(&args.output);
    let mut file = Written::begin(&args.output, may_replace, ", is no page of ckpt report")?;
    let mut found = Found::of(args, ctx)?;
    let (b, models) = match &args.against {
        Some(path) => against(path, args.quick, found.checkpoint.as_ref(), ctx)?,
        None => (None, Vec::new()),
    };
    if !models.is_empty() {
        let options = RestoreOptions { quick: args.quick, ..RestoreOptions::default() };
        found.validation.add_restores(&args.source.path, args.source.choice(), &models, &options, &ctx.limits())?;
    }
    let options = DiffOptions {
        depth: if args.quick { ckpt::analysis::diff::Depth::Index } else { ckpt::analysis::diff::Depth::Values },
        threads: ctx.threads(),
        ..DiffOptions::default()
    };
    let changes = match (&found.checkpoint, &b) {
        (Some(a), Some(b)) => {
            let comparison = Comparison::new(a, b, &options)?;
            Some(with_progress(ctx.quiet, |progress| PageChanges::of(comparison, b, progress)))
        }
        _ => None,
    };
    let page = PageReport {
        given: &args.source.path,
        checkpoint: found.checkpoint.as_ref(),
        summary: found.summary.as_ref(),
        validation: &found.validation,
        quick: args.quick,
        roles: found.roles.as_ref(),
        tensors: found.tensors.as_ref(),
        timeline: found.timeline.as_ref(),
        changes: changes.as_ref(),
    };
    file.fill(|out| page.write(out))?;
    let bytes = file.finish()?;
    if let Some(checkpoint) = &found.checkpoint {
        tell_damage(checkpoint, ctx);
    }
    let verdict = page.verdict();
    let changed = changes.as_ref().map_or_else(String::new, |changes| format!(" · {}", changes.verdict()));
    let bold = ctx.look.bold();
    let shown = escaped(args.output.as_os_str().as_encoded_bytes());
    writeln!(ctx.out, "{bold}{shown}{bold:#}: {} · {verdict}{changed}", size(bytes))?;
    let trouble = found.trouble || changes.as_ref().is_some_and(PageChanges::is_trouble);
    let unsure = found.validation.restores.iter().any(|restore| restore.undetermined.is_some());
    Ok(match found.validation.is_ok() {
        _ if trouble || unsure => Status::Trouble,
        true => Status::Fine,
        false => Status::Found,
    })
}

/// What was found out about the path.
struct Found {
    checkpoint: Option<Checkpoint>,
    summary: Option<Summary>,
    roles: Option<Roles>,
    tensors: Option<PageTensors>,
    validation: Validation,
    timeline: Option<Timeline>,
    /// Whether something could not be read.
    trouble: bool,
}

impl Found {
    fn of(args: &Args, ctx: &mut Ctx) -> Result<Self> {
        let (limits, choice) = (ctx.limits(), args.source.choice());
        // What a path of graphs alone is, inspect shows.
        let opened = match Subject::open(&args.source.path, choice, &limits) {
            Ok(Subject::Checkpoint(checkpoint, refused)) => {
                if let Some(error) = &refused {
                    ctx.error(&library_sentence(error));
                }
                for note in &checkpoint.origin().notes {
                    ctx.note(note);
                }
                Ok((*checkpoint, refused.is_some()))
            }
            Ok(Subject::Model(_, None)) => {
                let why = "only a graph is here, and no checkpoint to make a page of; ckpt inspect shows it".to_owned();
                return Err(Error::new(ErrorKind::Request(why)).in_file(&args.source.path).into());
            }
            Ok(Subject::Model(_, Some(error))) | Err(error) => Err(error),
        };
        let timeline = timeline(args, ctx)?;
        let options = ValidateOptions { finite: args.stats, choice, ..ValidateOptions::all(args.quick, ctx.threads()) };
        let validation = with_progress(ctx.quiet, |progress| validate(&args.source.path, &options, &limits, progress));
        let (checkpoint, refused) = match opened {
            Ok((checkpoint, refused)) => (checkpoint, refused),
            // What cannot be opened at all may still have findings with causes.
            Err(error) => match validation {
                Ok(validation) if !validation.is_ok() => {
                    ctx.error(&library_sentence(&error));
                    let (tensors, trouble) = (None, true);
                    let (checkpoint, summary, roles) = (None, None, None);
                    return Ok(Self { checkpoint, summary, roles, tensors, validation, timeline, trouble });
                }
                _ => return Err(error.into()),
            },
        };
        let validation = validation?;
        let summary = Summary::of(&checkpoint);
        let mut roles = Roles::of(&checkpoint);
        if let Some(graph) = Objects::of(&checkpoint).graph() {
            roles.name_optimizers(&checkpoint, graph);
        }
        let threads = ctx.threads();
        let tensors = with_progress(ctx.quiet, |progress| PageTensors::of(&checkpoint, args.stats, threads, progress));
        let is_unreadable = timeline.as_ref().is_some_and(Timeline::unreadable);
        let trouble = refused || summary.unreadable || tensors.is_trouble() || is_unreadable;
        Ok(Self {
            checkpoint: Some(checkpoint),
            summary: Some(summary),
            roles: Some(roles),
            tensors: Some(tensors),
            validation,
            timeline,
            trouble,
        })
    }
}

/// The timeline, where a directory of checkpoints was given.
fn timeline(args: &Args, ctx: &mut Ctx) -> Result<Option<Timeline>> {
    let (path, limits) = (&args.source.path, ctx.limits());
    let is_dir = ckpt::read::checkpoint::Origin::locate(path, args.source.choice(), &limits)
        .is_ok_and(|origin| origin.model_dir.is_some());
    if !is_dir {
        return Ok(None);
    }
    let dir = directory(path, ctx)?;
    let options =
        TimelineOptions { finite: false, values: args.stats, last: None, training: None, threads: ctx.threads() };
    let timeline = with_progress(ctx.quiet, |progress| Timeline::of(&dir, options, &limits, progress))?;
    Ok((!timeline.rows.is_empty()).then_some(timeline))
}

/// What is compared with: a checkpoint, a model, or a SavedModel, which is both.
fn against(
    path: &Path,
    quick: bool,
    a: Option<&Checkpoint>,
    ctx: &mut Ctx,
) -> Result<(Option<Checkpoint>, Vec<Model>)> {
    let limits = ctx.limits();
    let models = Model::open(path, quick, &limits);
    let b = Checkpoint::open(path, Choice::default(), &limits);
    let is_model = models.as_ref().is_ok_and(|models| models.iter().any(Model::declares));
    match (b, models) {
        (Ok(b), Ok(models)) => {
            // A .meta file leads to the checkpoint that it belongs to, and is meant alone.
            let is_alone = b.origin().saved_model.is_none() && !matches!(b.origin().kind, SourceKind::File(_));
            let is_a = a.is_some_and(|a| a.origin().prefix == b.origin().prefix);
            for note in &b.origin().notes {
                ctx.note(&format!("B: {note}"));
            }
            let b = Some(b).filter(|b| !(is_model && (is_a || is_alone)) && b.origin().has_variables);
            Ok((b, if is_model { models } else { Vec::new() }))
        }
        (Ok(b), Err(_)) => Ok((Some(b), Vec::new())),
        (Err(_), Ok(models)) => Ok((None, models)),
        (Err(error), Err(_)) => Err(anyhow::anyhow!("B: {}", library_sentence(&error))),
    }
}

/// Whether a file is a page of this command: only that is replaced without being told.
fn is_ours(path: &Path) -> bool {
    Source::open(path).and_then(|file| file.head(4096)).is_ok_and(|head| is_page(&head))
}
