//! `ckpt convert`: a new checkpoint out of one or several, in the same or another format.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use ckpt::analysis::convert::{Combine, ConvertOptions, OutFormat, Recipe, Target, write_recipe};
use ckpt::analysis::diff::DiffOptions;
use ckpt::analysis::{Selector, parse_size};
use ckpt::base::error::{Error, ErrorKind};
use ckpt::read::checkpoint::{Checkpoint, Choice, Origin};
use ckpt::read::tensor::DType;
use ckpt::report::{CONVERT_FORMATS, DIFF_FORMATS, STATS_FORMATS, write_convert};
use clap::ValueEnum;

use super::completions::tensor_names;
use super::progress::with_progress;
use super::source::renames;
use super::{Ctx, Status, diff, stats};

/// Write a new checkpoint: in another format, with other names or dtypes, a part of one, several made one.
///
/// INPUT is never changed. Every byte is compared with the input's checksum on the way, what was written is read again,
/// and only then it is put in place under its name; a run that is interrupted leaves nothing there.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The ending of OUT says its format: .safetensors, .npz, .npy (exactly one tensor);
anything else is the prefix of a TensorFlow checkpoint. From checkpoint to
checkpoint, shards and slices stay as they are, and an object graph is rewritten
for the names that tensors have now, so that tf.train.Checkpoint restores it.

Elements keep their order: a kernel of Keras stays [in, out]. Who reads it with
PyTorch transposes it there.

--cast rounds to the nearest value, ties to even, as NumPy does; values that
become infinite are counted. --mean takes the mean of float tensors in float64,
and everything else from the last INPUT. Without --mean or --merge, what comes
behind the first INPUT are selectors.

Formats: text, json; with --diff-with and --stats those of diff and stats.

Examples:
  ckpt convert model.ckpt-200 -o model.safetensors --weights-only
  ckpt convert export/ -o variables.npz
  ckpt convert model.ckpt-200 -o bert/renamed --map 's|^bert/|encoder/|'
  ckpt convert model.h5 -o half.safetensors --cast float16
  ckpt convert ckpt-7 ckpt-8 ckpt-9 -o averaged --mean --weights-only
  ckpt convert ps0/model ps1/model -o whole/model --merge
  ckpt convert model.ckpt-200 -o x.npz --dry-run
  ckpt convert ckpt-8 ckpt-9 -o mean --mean --dry-run --diff-with ckpt-9

Exit status:
  0  everything that was chosen was written
  1  some of it cannot be held by the format of OUT, and is named; or nothing
     was chosen
  2  nothing was written: an input cannot be read or is damaged, OUT is there
     already, or --strict and something would be left out
With --diff-with the status is that of diff.")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Args {
    /// Checkpoints; behind them, tensors: names, scopes, globs, or terms such as role:slot.
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
    /// Where to write.
    #[arg(long, short, value_name = "OUT")]
    output: PathBuf,
    /// The format, instead of the one that the ending of OUT says.
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Option<To>,
    /// Take only these tensors.
    #[arg(long, value_name = "SELECTOR", add = tensor_names())]
    only: Vec<String>,
    /// Leave these tensors out.
    #[arg(long, value_name = "SELECTOR", add = tensor_names())]
    ignore: Vec<String>,
    /// Read names in selectors as regular expressions.
    #[arg(long)]
    regex: bool,
    /// Leave out what only training needs: optimizer state, counters, averages, strings that are no vocabulary.
    #[arg(long)]
    weights_only: bool,
    /// Call tensors as their variables are called in the program, as `list --names` shows it.
    #[arg(long)]
    names: bool,
    /// Rename tensors, as sed does; several apply in order.
    #[arg(long, value_name = "S/REGEX/REPLACEMENT/")]
    map: Vec<String>,
    /// Rename tensors one by one, before --map: a file that `ckpt diff --emit map` wrote.
    #[arg(long, value_name = "FILE")]
    map_file: Option<PathBuf>,
    /// Write floats in this dtype, all or some of them: `bfloat16`, `float16=encoder/**`.
    #[arg(long, value_name = "DTYPE[=SELECTOR]")]
    cast: Vec<String>,
    /// Write the mean of several inputs.
    #[arg(long, conflicts_with = "merge")]
    mean: bool,
    /// Write the tensors of all inputs; one name with other values is an error.
    #[arg(long)]
    merge: bool,
    /// Cut a TensorFlow checkpoint into this many shards.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=10_000))]
    shards: Option<i32>,
    /// Most bytes in one safetensors file, such as 5G; larger ones become several with an index.
    #[arg(long, value_name = "SIZE")]
    shard_size: Option<String>,
    /// Write a state file named checkpoint beside a TensorFlow checkpoint.
    #[arg(long)]
    state_file: bool,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: show what is other than in this checkpoint instead, as `ckpt diff PATH OUT` would.
    #[arg(long, value_name = "PATH", requires = "dry_run")]
    diff_with: Option<PathBuf>,
    /// With --dry-run: show the figures of what would be written instead, as `ckpt stats OUT` would.
    #[arg(long, requires = "dry_run", conflicts_with = "diff_with")]
    stats: bool,
    /// Replace what lies under OUT.
    #[arg(long)]
    force: bool,
    /// Write nothing if something that was chosen cannot be written.
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    Bundle,
    Safetensors,
    Npz,
    Npy,
}

impl From<To> for OutFormat {
    fn from(to: To) -> Self {
        match to {
            To::Bundle => Self::Bundle,
            To::Safetensors => Self::Safetensors,
            To::Npz => Self::Npz,
            To::Npy => Self::Npy,
        }
    }
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    let formats = match (&args.diff_with, args.stats) {
        (Some(_), _) => DIFF_FORMATS,
        (None, true) => STATS_FORMATS,
        (None, false) => CONVERT_FORMATS,
    };
    ctx.require_format(formats)?;
    let (paths, selectors) = args.inputs_and_selectors(ctx);
    let options = args.options(&selectors)?;
    let target = args.target()?;
    let limits = ctx.limits();
    let open = |path: &PathBuf| Checkpoint::open(path, Choice::default(), &limits);
    let inputs: Vec<Checkpoint> = paths.iter().map(open).collect::<Result<_, _>>()?;
    for input in &inputs {
        for note in &input.origin().notes {
            ctx.note(note);
        }
    }
    let recipe = Recipe::new(&inputs, &options, &target)?;
    if recipe.outputs.is_empty() {
        let reasons: BTreeSet<&str> = recipe.left_out.iter().map(|left| &*left.why).collect();
        let reasons: Vec<&str> = reasons.into_iter().take(3).collect();
        let why = if reasons.is_empty() { "the input has none".to_owned() } else { reasons.join("; ") };
        ctx.error(&format!("no tensor is left to write: {why}"));
        return Ok(Status::Found);
    }
    if let Some(lost) = recipe.left_out.iter().find(|left| left.is_loss).filter(|_| args.strict) {
        let why = format!("{} cannot be written: {}", ckpt::base::escape::escaped(&lost.name), lost.why);
        return Err(Error::new(ErrorKind::Request(why)).with_help("nothing was written, for --strict").into());
    }
    let lossy = if recipe.has_loss() { Status::Found } else { Status::Fine };
    if let Some(path) = &args.diff_with {
        let with = open(path)?;
        with.origin().notes.iter().for_each(|note| ctx.note(note));
        ctx.note("B is what would be written; nothing is");
        let preview = recipe.preview(inputs, &target, &limits);
        let options = DiffOptions { threads: ctx.threads(), ..DiffOptions::default() };
        return diff::show((&with, &preview), &options, diff::Shown::default(), ctx);
    }
    if args.stats {
        let preview = recipe.preview(inputs, &target, &limits);
        return Ok(stats::show_all(&preview, ctx)?.max(lossy));
    }
    if args.dry_run {
        write_convert(&inputs, (&recipe, &target), None, ctx.format, ctx.look, &mut ctx.out)?;
        return Ok(lossy);
    }
    let converted = with_progress(ctx.quiet, |progress| write_recipe(&inputs, &recipe, &target, &limits, progress))?;
    write_convert(&inputs, (&recipe, &target), Some(&converted), ctx.format, ctx.look, &mut ctx.out)?;
    Ok(lossy)
}

impl Args {
    /// With several inputs, those at the beginning that lead to a checkpoint; else the first.
    fn inputs_and_selectors(&self, ctx: &Ctx) -> (Vec<PathBuf>, Vec<String>) {
        let limits = ctx.limits();
        let is_input = |path: &&PathBuf| Origin::locate(path, Choice::default(), &limits).is_ok();
        let several = self.mean || self.merge;
        let more = if several { self.inputs.iter().skip(1).take_while(is_input).count() } else { 0 };
        let (inputs, selectors) = self.inputs.split_at((1 + more).min(self.inputs.len()));
        (inputs.to_vec(), selectors.iter().map(|text| text.to_string_lossy().into_owned()).collect())
    }

    fn options(&self, selectors: &[String]) -> Result<ConvertOptions> {
        let only: Vec<&String> = selectors.iter().chain(&self.only).collect();
        Ok(ConvertOptions {
            only: Selector::parse(&only, self.regex)?,
            ignore: Selector::parse(&self.ignore, self.regex)?,
            weights_only: self.weights_only,
            own_names: self.names,
            renames: renames(&self.map, self.map_file.as_deref())?,
            casts: self.cast.iter().map(|text| cast(text, self.regex)).collect::<Result<_>>()?,
            combine: match (self.mean, self.merge) {
                (true, _) => Combine::Mean,
                (_, true) => Combine::Merge,
                _ => Combine::One,
            },
            shards: self.shards,
            lost: BTreeMap::new(),
        })
    }

    fn target(&self) -> Result<Target> {
        let mut target = Target::new(&self.output, self.to.map(Into::into))?;
        target.shard_size = self.shard_size.as_deref().map(size).transpose()?;
        (target.force, target.state_file) = (self.force, self.state_file);
        let unused = |option: &str, of: &str| {
            let why = format!("{option} is for {of}, and OUT is {}", target.format.name());
            Err(Error::new(ErrorKind::Request(why)).into())
        };
        if target.shard_size.is_some() && target.format != OutFormat::Safetensors {
            return unused("--shard-size", "safetensors");
        }
        if self.shards.is_some() && target.format != OutFormat::Bundle {
            return unused("--shards", "TensorFlow checkpoints");
        }
        if self.state_file && target.format != OutFormat::Bundle {
            return unused("--state-file", "TensorFlow checkpoints");
        }
        Ok(target)
    }
}

/// `float16`, `bfloat16=encoder/**`.
fn cast(text: &str, regex: bool) -> Result<(DType, Selector)> {
    let (name, selector) = text.split_once('=').map_or((text, None), |(name, rest)| (name, Some(rest)));
    let dtype = DType::from_name(name);
    let Some(dtype) = dtype.filter(|dtype| dtype.is_float()) else {
        let why = format!("--cast {name:?}: float16, bfloat16, float32 or float64");
        return Err(Error::new(ErrorKind::Request(why)).into());
    };
    let terms: Vec<&str> = selector.into_iter().collect();
    Ok((dtype, Selector::parse(&terms, regex)?))
}

/// A size of at least a byte.
fn size(text: &str) -> Result<u64> {
    let bad = || Error::new(ErrorKind::Request(format!("{text:?} is no size; write 500M or 2G")));
    Ok(parse_size(text).filter(|size| *size > 0).ok_or_else(bad)?)
}
