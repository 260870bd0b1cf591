//! `ckpt diff`: what changed from one checkpoint to another, where, and by how much.

mod labels;
mod matched;
mod shown;

use std::path::{Path, PathBuf};

use anyhow::Result;
use ckpt::analysis::Selector;
use ckpt::analysis::diff::{Bound, Depth, DiffOptions, Expected, Expecting, Side, ToleranceRule};
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::read::storage;
use ckpt::report::{DIFF_FORMATS, DiffOrder};
use clap::ValueEnum;

use labels::labels;
use matched::{emit_map, show_matched};
pub(super) use shown::{Shown, show};

use super::completions::tensor_names;
use super::ctx::library_sentence;
use super::part::PartArgs;
use super::policy::PolicyArgs;
use super::source::{renames, tell_path};
use super::{Ctx, Status};

/// Compare two checkpoints: what was added, removed or renamed, which values changed, where and by how much.
///
/// A and B may be anything that a path can name, of different formats too. Tensors whose checksum, size, dtype and
/// shape agree in the two indexes are identical by checksum and not read; the others are, and checked on the way.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Debug, clap::Args)]
#[command(override_usage = "ckpt diff [OPTIONS] <A> <B> [SELECTOR]...\n       ckpt diff --show-config")]
#[command(after_long_help = "\
Signs: + added  - removed  ~ changed  ≈ within tolerance  # shape  % dtype
       > renamed  ! unreadable  = identical (--all)  ? not compared

Trusting checksums: a random change goes unseen once in 2^32, one within 32
adjacent bits never. A shard that was damaged after it was written is not seen,
because its index still holds the old checksum: --exact, or ckpt validate first.

Figures are relative to B, as numpy.isclose has it: a change is within tolerance
where |a - b| <= atol + rtol * |b|, or where --ulp allows it; max rel is the
largest |a - b| / |b|, infinite where b is 0; rel L2 is |a - b| / |b| of the
whole tensor. NaN is equal to NaN. 0.0 and -0.0 are different bits with equal
values, which counts as changed with no element changed.

Of more than 16,384 changes, rows are written while the rest is compared; in
text, columns then fit the first of them. To sort as many by change, without
--top, all that differs is read twice.

With --match values, tensors are paired by what they hold, in any two formats:
the same bits, axes in another order, parts of a fused tensor, rounded values,
each proved element by element; a side of which only the index is there by its
checksums. Weights only, unless selectors choose others. A pair that breaks the
pattern of the others is suspect; contents that any model has, such as zeros,
prove nothing.

With --spectral, what changed in a matrix of floats (of more dimensions, all but
the last are rows) is told by its singular values: the largest, the stable rank,
how many are above the edge of a random matrix, and how many are above what the
rounding of A and B could have made, the rank of the change. Where that is a
quarter of the rows and columns at most, and each stands out twice as far, the
change is of low rank: a low-rank fine-tune (LoRA) that was merged in is, and so
are a few steps of plain SGD on small batches. A matrix is looked at whole: 128
MiB a thread and as much again for a while; of more than 33,554,432 elements
nothing is told.

Formats: text, json, jsonl, csv, markdown, github.

Examples:
  ckpt diff model.ckpt-100 model.ckpt-200
  ckpt diff a/ b/ 'encoder/**' --sort change --top 20
  ckpt diff a/ b/ --expect-same 'emb/**' --ignore role:slot
  ckpt diff a/ b/ --rtol 1e-5 --atol 'role:slot=1e-3'
  ckpt diff old/ new/ --map 's|^bert/|model/bert/|'
  ckpt diff /dev/null model.ckpt-100 --label A=nothing,B=first
  ckpt diff base.h5 tuned.h5 --spectral
  ckpt diff model.ckpt-100 model.safetensors --match values
  ckpt diff model.h5 model.safetensors --match values --emit map > map.json

Exit status:
  0  nothing differs, or within tolerance only; with --match values, every
     weight of both sides has its partner and none is suspect
  1  a difference, a broken expectation, or nothing compared: no tensor
     matched the selectors, or --ignore left out all
  2  a side cannot be opened, or a part of it could not be read or judged; the
     rest is compared
With --quiet nothing is printed: the status says it all.")]
pub(crate) struct Args {
    /// The first checkpoint: a prefix, any file of the set, a directory, or /dev/null for none.
    #[arg(required_unless_present = "show_config")]
    a: Option<PathBuf>,
    /// The second one.
    #[arg(required_unless_present = "show_config")]
    b: Option<PathBuf>,
    /// Tensors, on either side: names, scopes, globs, or terms such as role:slot; `!` takes away.
    #[arg(value_name = "SELECTOR", add = tensor_names())]
    selectors: Vec<String>,
    /// The same as SELECTOR.
    #[arg(long, value_name = "SELECTOR", add = tensor_names())]
    only: Vec<String>,
    /// Leave these tensors out.
    #[arg(long, value_name = "SELECTOR", add = tensor_names())]
    ignore: Vec<String>,
    /// Read names in selectors as regular expressions.
    #[arg(long)]
    regex: bool,
    /// Compare the bytes of tensors too whose checksums agree.
    #[arg(long, conflicts_with_all = ["index_only", "structure"])]
    exact: bool,
    /// Read no data: what the two indexes tell.
    #[arg(long, conflicts_with = "structure")]
    index_only: bool,
    /// Compare names, shapes and dtypes only.
    #[arg(long)]
    structure: bool,
    /// Allow this absolute difference, everywhere or for some tensors: `1e-6`, `role:slot=1e-3`.
    #[arg(long, value_name = "[SELECTOR=]X")]
    atol: Vec<String>,
    /// Allow this difference relative to B, everywhere or for some tensors.
    #[arg(long, value_name = "[SELECTOR=]X")]
    rtol: Vec<String>,
    /// Allow a float to be this many representable values away, everywhere or for some tensors.
    #[arg(long, value_name = "[SELECTOR=]N")]
    ulp: Vec<String>,
    /// Count NaN as changed wherever it stands.
    #[arg(long)]
    nan_differs: bool,
    /// Tell singular values of what changed in matrices of floats, and whether the change is of low rank.
    #[arg(long, conflicts_with_all = ["index_only", "structure"])]
    spectral: bool,
    /// Rename tensors of A before pairing, as sed does; several apply in order.
    #[arg(long, value_name = "S/REGEX/REPLACEMENT/")]
    map: Vec<String>,
    /// Rename tensors of A one by one, before --map: a file that --emit map wrote.
    #[arg(long, value_name = "FILE")]
    map_file: Option<PathBuf>,
    /// What makes two tensors a pair: their names, or what they hold, whatever they are called.
    #[arg(long = "match", value_enum, default_value_t, value_name = "WHAT")]
    matching: MatchBy,
    /// Instead of the report, write this: a JSON object of names of A with those of B, which --map-file takes.
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with_all = ["format", "part"])]
    emit: Option<Emit>,
    /// Of pairs by names: their names only, or also the object graphs.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pair: PairBy,
    /// Exit 1 unless these tensors are the same.
    #[arg(long, value_name = "SELECTOR", add = tensor_names())]
    expect_same: Vec<String>,
    /// Exit 1 unless these tensors have changed.
    #[arg(long, value_name = "SELECTOR", add = tensor_names())]
    expect_changed: Vec<String>,
    /// Show these instead of the paths of A and B.
    #[arg(long, value_name = "A=TEXT,B=TEXT")]
    label: Vec<String>,
    /// Sort by this.
    #[arg(long, value_enum, default_value_t, value_name = "KEY")]
    sort: SortKey,
    /// Show only the first N.
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Show identical tensors too.
    #[arg(long)]
    all: bool,
    /// Show keys as stored, all figures, where the largest change is, and tensors that only lie elsewhere.
    #[arg(long, short)]
    long: bool,
    /// The checkpoint of this step in the directory A.
    #[arg(long, value_name = "N")]
    step_a: Option<u64>,
    /// The checkpoint of this step in the directory B.
    #[arg(long, value_name = "N")]
    step_b: Option<u64>,
    /// This version of the TensorFlow Serving directory A.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    version_a: Option<i64>,
    /// This version of the TensorFlow Serving directory B.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    version_b: Option<i64>,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    part: PartArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum PairBy {
    #[default]
    Auto,
    Name,
}

/// What makes a pair.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum MatchBy {
    /// Names.
    #[default]
    Names,
    /// The elements: the same bits, axes in another order, parts of a fused tensor, rounded to a narrower float.
    Values,
}

/// What `--emit` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// Names of A with those of B.
    Map,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum SortKey {
    #[default]
    Name,
    Change,
}

impl From<SortKey> for DiffOrder {
    fn from(key: SortKey) -> Self {
        match key {
            SortKey::Name => Self::Name,
            SortKey::Change => Self::Change,
        }
    }
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    if let Some(status) = args.policy.show(ctx)? {
        return Ok(status);
    }
    let share = args.part.share(DIFF_FORMATS, ctx)?;
    if args.matching == MatchBy::Values {
        args.check_matching()?;
    }
    anyhow::ensure!(
        share.is_none() || args.matching == MatchBy::Names,
        "--match values is work for one process: there are no parts of it"
    );
    let reads = !args.index_only && !args.structure;
    anyhow::ensure!(share.is_none() || reads, "--index-only and --structure read no bytes: there is nothing to share");
    let options = DiffOptions { share, ..args.options(ctx)? };
    match compare(args, options, ctx) {
        // Who wants to hear nothing hears nothing.
        Err(error) if ctx.quiet && !super::ctx::is_closed_pipe(&error) => Ok(Status::Trouble),
        result => result,
    }
}

fn compare(args: &Args, mut options: DiffOptions, ctx: &mut Ctx) -> Result<Status> {
    let limits = ctx.limits();
    let labels = labels(&args.label)?;
    let open = |side: Side, path: &Path, choice: Choice| {
        let opened = if is_nothing(path) {
            Ok(Checkpoint::nothing(path, &limits))
        } else {
            Checkpoint::open(path, choice, &limits)
        };
        let mut checkpoint = opened.map_err(|error| {
            let why = library_sentence(&error);
            anyhow::anyhow!("{}: {why}", side.name())
        })?;
        let [a, b] = &labels;
        if let Some(label) = if side == Side::A { a } else { b } {
            checkpoint.set_label(label);
        }
        Ok(checkpoint)
    };
    let policy = args.policy.policy()?;
    let side = |path: &'_ Option<PathBuf>| path.clone().unwrap_or_default();
    let a = open(Side::A, &side(&args.a), Choice { step: args.step_a, version: args.version_a });
    let b = open(Side::B, &side(&args.b), Choice { step: args.step_b, version: args.version_b });
    let (a, b) = match (a, b) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(a), Err(b)) => {
            if !ctx.quiet {
                ctx.error(&format!("{a:#}"));
            }
            return Err(b);
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    for (side, checkpoint) in [(Side::A, &a), (Side::B, &b)] {
        for note in &checkpoint.origin().notes {
            ctx.note(&format!("{}: {note}", side.name()));
        }
        for note in checkpoint.notes() {
            ctx.note(&format!("{}: {}", side.name(), library_sentence(note)));
        }
    }
    if let Some(share) = &options.share {
        share.look_at(&a);
        share.look_at(&b);
    }
    let expected = policy.as_ref().map(|policy| policy.of_comparison(&b)).unwrap_or_default();
    if options.only.is_empty() && options.ignore.is_empty() {
        options.expectations.extend(expected);
    } else if !expected.is_empty() {
        ctx.note("what ckpt.toml expects is about whole checkpoints: not looked at where selectors leave tensors out");
    }
    let has_path = args.selectors.iter().any(|selector| storage::exists(Path::new(selector)));
    if has_path && [&a, &b].iter().all(|side| options.only.select(side).is_empty()) {
        tell_path(&args.selectors, "diff takes two, what follows them chooses tensors", ctx);
    }
    let by_values = args.matching == MatchBy::Values;
    if let Some(Emit::Map) = args.emit {
        return emit_map((&a, &b), &DiffOptions { keep_identical: true, ..options }, by_values, ctx);
    }
    let shown =
        Shown { all: args.all, long: args.long, spectral: args.spectral, order: args.sort.into(), most: args.top };
    if by_values { show_matched((&a, &b), &options, shown, ctx) } else { show((&a, &b), &options, shown, ctx) }
}

/// Whether a path means that there is nothing on this side, as git has it of files that were added or deleted.
fn is_nothing(path: &Path) -> bool {
    path == Path::new("/dev/null") || (cfg!(windows) && path.as_os_str().eq_ignore_ascii_case("nul"))
}

impl Args {
    /// What has no meaning where tensors are paired by what they hold.
    fn check_matching(&self) -> Result<()> {
        let has_tolerance = !(self.atol.is_empty() && self.rtol.is_empty() && self.ulp.is_empty());
        let expects = !(self.expect_same.is_empty() && self.expect_changed.is_empty());
        for (is_given, option) in [
            (self.structure, "--structure"),
            (self.exact, "--exact"),
            (self.spectral, "--spectral"),
            (has_tolerance, "--atol, --rtol and --ulp"),
            (expects, "--expect-same and --expect-changed"),
            (!self.map.is_empty() || self.map_file.is_some(), "--map and --map-file"),
        ] {
            anyhow::ensure!(
                !is_given,
                "--match values pairs tensors by what they hold: {option} is for pairs by names"
            );
        }
        Ok(())
    }

    fn options(&self, ctx: &Ctx) -> Result<DiffOptions> {
        let parse = |terms: &[&String]| Selector::parse(terms, self.regex);
        let only: Vec<&String> = self.selectors.iter().chain(&self.only).collect();
        let mut tolerances = Vec::new();
        for (option, texts) in [("--atol", &self.atol), ("--rtol", &self.rtol), ("--ulp", &self.ulp)] {
            for text in texts {
                let (selector, number) = text.rsplit_once('=').unwrap_or(("", text));
                let bad = || anyhow::anyhow!("{option} {text:?}: not a number that is 0 or more");
                let bound = if option == "--ulp" {
                    Bound::Ulps(number.parse().map_err(|_| bad())?)
                } else {
                    let most: f64 = number.parse().ok().filter(|most: &f64| *most >= 0.0).ok_or_else(bad)?;
                    if option == "--atol" { Bound::Absolute(most) } else { Bound::Relative(most) }
                };
                let terms: Vec<&str> = Some(selector).filter(|selector| !selector.is_empty()).into_iter().collect();
                tolerances.push(ToleranceRule { selector: Selector::parse(&terms, self.regex)?, bound });
            }
        }
        let expect = |expected, texts: &[String]| {
            let one = |text: &String| {
                let (text, selector) = (text.clone(), parse(&[text])?);
                Ok(Expecting { expected, text, selector, by: None })
            };
            texts.iter().map(one).collect::<Result<Vec<_>>>()
        };
        let mut expectations = expect(Expected::Same, &self.expect_same)?;
        expectations.extend(expect(Expected::Changed, &self.expect_changed)?);
        Ok(DiffOptions {
            depth: match (self.structure, self.index_only, self.exact) {
                (true, ..) => Depth::Structure,
                (_, true, _) => Depth::Index,
                (.., true) => Depth::Exact,
                _ => Depth::Values,
            },
            only: parse(&only)?,
            ignore: self.ignore.iter().map(|text| Ok(parse(&[text])?)).collect::<Result<_>>()?,
            map: renames(&self.map, self.map_file.as_deref())?,
            by_name_only: self.pair == PairBy::Name,
            tolerances,
            nan_differs: self.nan_differs,
            expectations,
            spectral: self.spectral,
            keep_identical: self.all || self.long,
            threads: ctx.threads(),
            share: None,
        })
    }
}
