//! `ckpt run`: does the model answer?
//!
//! What is asked becomes a plan, and everything that can be wrong is said before anything runs: what is meant, whether
//! values fit, what the model can touch. Then `crate::engine` runs it, in a process of its own.

mod asked;
mod going;
mod input;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use ckpt::analysis::diff::{Bound, DiffOptions, ToleranceRule};
use ckpt::analysis::ops::{Target, look_at_ops, targets};
use ckpt::analysis::policy::option_rules;
use ckpt::analysis::run::{RunModel, RunRequest, plan_run};
use ckpt::analysis::{Code, Selector, parse_size};
use ckpt::base::error::{Error, ErrorKind};
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::report::{DIFF_FORMATS, Format, PrintText, RUN_FORMATS, RunEngine, RunTimes, write_run, write_run_plan};

use self::asked::Asked;
use self::going::{Ran, go};
use self::input::give;
use super::diff;
use super::severity::code;
use super::source::SourceArgs;
use super::{Ctx, Status};
use crate::engine::{Found, Limits, find};

/// Run a model on inputs and show what it answers.
///
/// The model is run by an installed TensorFlow (2.8 or later), in a process of its own. It is found by --engine, else
/// `CKPT_TENSORFLOW`, the active virtual environment, what python3 would import, or the system's libtensorflow. A model
/// is a program: what it can touch is looked at first, and one that could write files, reach a network or run code of
/// this machine is refused unless --allow names what it does.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A VALUE is FILE.npy, FILE.npz:KEY, a tensor of any other checkpoint (PATH:NAME, with a
slice if wanted), FILE.json, or written out: '[[1.0, 2.0]]', '[\"a\", \"b\"]', 'zeros((1, 28, 28))'.
--input FILE.npz without a name gives every input the array of its name.
Shapes and dtypes are checked against the signature before anything runs.

Formats: text, json, npz. With --compare and --against those of ckpt diff, where A is the
outputs and B what they are compared with.

Examples:
  ckpt run export/ --input 'x=[[1.0, 2.0]]'
  ckpt run serving/ --input image=cat.npy -o out.npz
  ckpt run export/ --input inputs.npz --compare expected.npz --rtol 1e-5
  ckpt run new/ --input inputs.npz --against old/ --atol 1e-6
  ckpt run export/ --input inputs.npz --repeat 100
  ckpt run frozen.pb --feed x:0=x.npy --fetch y:0
  ckpt run model.ckpt-200.meta --feed 'x:0=[[1, 2]]' --fetch y:0
  ckpt run export/ --dry-run

Exit status:
  0  the model answered; with --compare or --against, the same
  1  outputs differ, or the model was refused because of what it can do
  2  it could not be run: usage, inputs that do not fit, no TensorFlow, an error or
     a crash in it, no answer in time")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// A value for an input of the signature; repeatable.
    #[arg(long, short, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// The signature; `serving_default`, or the only one, if not given.
    #[arg(long, value_name = "NAME")]
    signature: Option<String>,
    /// The tags of the graph; those of the only one, or of the one that serves, if not given.
    #[arg(long, value_name = "TAG,TAG", value_delimiter = ',')]
    tags: Option<Vec<String>>,
    /// Only this output of the signature; repeatable.
    #[arg(long, value_name = "NAME")]
    output_name: Vec<String>,
    /// A value for a tensor of the graph, instead of a signature's inputs; repeatable.
    #[arg(long, value_name = "TENSOR=VALUE", conflicts_with_all = ["input", "signature", "output_name"])]
    feed: Vec<String>,
    /// A tensor of the graph to show, instead of a signature's outputs; repeatable.
    #[arg(long, value_name = "TENSOR", conflicts_with_all = ["input", "signature", "output_name"])]
    fetch: Vec<String>,
    /// The checkpoint with the variables of a graph that is no SavedModel.
    #[arg(long, value_name = "PATH")]
    checkpoint: Option<PathBuf>,
    /// Round inputs to the dtype that is wanted, as NumPy's astype does.
    #[arg(long)]
    cast: bool,
    /// Write the outputs into this file.
    #[arg(long, short, value_name = "OUT.npz")]
    output: Option<PathBuf>,
    /// Replace OUT.npz.
    #[arg(long, requires = "output")]
    force: bool,
    /// Compare the outputs with these tensors; exit 1 if they differ.
    #[arg(long, value_name = "EXPECTED.npz", conflicts_with = "against")]
    compare: Option<PathBuf>,
    /// Compare the outputs with those of this model on the same inputs; exit 1 if they differ.
    #[arg(long, value_name = "MODEL")]
    against: Option<PathBuf>,
    /// Allow outputs to differ by this much.
    #[arg(long, value_name = "X")]
    atol: Option<f64>,
    /// Allow outputs to differ by this much relative to what they are compared with.
    #[arg(long, value_name = "X")]
    rtol: Option<f64>,
    /// Run the model so often, and say how long that takes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: u32,
    /// Run the model although it has findings with this code, which `ckpt ops` shows.
    #[arg(long, value_name = "CODE", value_parser = code)]
    allow: Vec<Code>,
    /// Show what would be run and what it can touch, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// The TensorFlow: a virtual environment, a python, a directory, or the library.
    #[arg(long, value_name = "PATH")]
    engine: Option<PathBuf>,
    /// Stop the model after this time: seconds, or 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time)]
    timeout: Duration,
    /// Most memory that the engine may have, such as 4G; as much as there is if not given.
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    memory: Option<u64>,
    /// Show every element in text, however many.
    #[arg(long)]
    full: bool,
    /// Digits behind the point in text; as many as needed, at most 8, if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=50))]
    precision: Option<u16>,
}

/// The longest time that is waited: a deadline must be a time that clocks have.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn time(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = seconds.or_else(|| humantime::parse_duration(text).ok());
    time.filter(|time| !time.is_zero())
        .map(|time| time.min(YEAR))
        .ok_or_else(|| "no time; write 30, 90s or 10m".to_owned())
}

fn memory(text: &str) -> Result<u64, String> {
    parse_size(text).filter(|size| *size > 0).ok_or_else(|| "no size; write 500M or 4G".to_owned())
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    let compares = args.compare.is_some() || args.against.is_some();
    ctx.require_format(if compares && !args.dry_run { DIFF_FORMATS } else { RUN_FORMATS })?;
    if ctx.format == Format::Npz && Ctx::to_terminal() {
        anyhow::bail!("an archive would garble the terminal; name a file with -o");
    }
    if !compares && (args.atol.is_some() || args.rtol.is_some()) {
        anyhow::bail!("--atol and --rtol are for --compare and --against");
    }
    let asked = args.ask(&args.source.path, args.source.choice(), ctx)?;
    if args.dry_run {
        return args.show_plan(&asked, ctx);
    }
    let mut models = vec![asked];
    if let Some(other) = &args.against {
        models.push(args.ask(other, Choice::default(), ctx)?);
    }
    for asked in &models {
        input::require(asked, &args.example())?;
        if asked.is_refused() {
            return refuse(asked, ctx);
        }
        if let RunModel::Saved { directory, lacks_variables: true, .. } = &asked.plan.model {
            let why = "the graph restores variables, and there is no variables/variables.index".to_owned();
            let help = "TensorFlow would run it without them; copy the directory `variables` of the export again";
            return Err(Error::new(ErrorKind::Request(why)).in_file(directory).with_help(help).into());
        }
    }
    let expected =
        args.compare.as_ref().map(|path| Checkpoint::open(path, Choice::default(), &ctx.limits())).transpose()?;
    alike(&mut models, expected.as_ref(), ctx);
    let engine = find(args.engine.as_deref()).map_err(|why| anyhow::anyhow!(why))?;
    let limits = Limits { time: args.timeout, memory: args.memory };
    let ran = models.iter().map(|asked| go(asked, &engine, limits, args.repeat, ctx)).collect::<Result<Vec<Ran>>>()?;
    let ([asked, ..], [first, ..]) = (models.as_slice(), ran.as_slice()) else { return Ok(Status::Trouble) };
    if let Some(path) = &args.output {
        going::write(asked, &first.outputs, path, args.force)?;
    }
    let with = expected.as_ref().or_else(|| ran.get(1).map(|other| &other.outputs));
    match with {
        Some(with) => diff::show((&first.outputs, with), &args.tolerances(ctx)?, diff::Shown::default(), ctx),
        None => args.show(asked, first, &engine, ctx),
    }
}

impl Args {
    /// Finds what is meant by a path, and makes of what is given what goes in.
    fn ask(&self, path: &Path, choice: Choice, ctx: &mut Ctx) -> Result<Asked> {
        let limits = ctx.limits();
        if path.to_str().is_some_and(|text| text.contains("://")) {
            let why = "a model at an address is not run: TensorFlow reads what lies on this machine".to_owned();
            let help = "copy its directory here first";
            return Err(Error::new(ErrorKind::Request(why)).in_file(path).with_help(help).into());
        }
        let (found, notes) = targets(path, choice, &limits)?;
        for note in &notes {
            ctx.note(note);
        }
        // The first is what TensorFlow takes: the binary form before the text form, `.meta` before `graph.pbtxt`.
        let graphs = found.into_iter().find_map(|target| match target {
            Target::Graphs(file, form) => Some((file, form)),
            _ => None,
        });
        let Some((file, form)) = graphs else {
            let why = "there is no graph here that could be run".to_owned();
            let help = "a Keras file is run as a SavedModel: model.export(DIR) in Python makes one";
            return Err(Error::new(ErrorKind::NotACheckpoint(why)).in_file(path).with_help(help).into());
        };
        let feeds: Vec<String> = self.feed.iter().map(|text| input::name_of(text)).collect();
        let request = RunRequest {
            tags: self.tags.as_deref(),
            signature: self.signature.as_deref(),
            feeds: &feeds,
            fetches: &self.fetch,
            outputs: &self.output_name,
            checkpoint: self.checkpoint.as_deref(),
        };
        let plan = plan_run(&file, form, &request, &limits)?;
        let values = give(&plan, self.input.iter().chain(&self.feed), self.cast, ctx)?;
        let mut ops = look_at_ops(&[Target::Graphs(file, form)], &limits);
        ops.settle(None, &option_rules(&self.allow, &[], &[]), path);
        Ok(Asked { given: path.to_path_buf(), plan, values, ops })
    }

    /// How this command was called, for an example.
    fn example(&self) -> String {
        format!("ckpt run {}", ckpt::base::escape::shell_word(&self.source.path))
    }

    fn show_plan(&self, asked: &Asked, ctx: &mut Ctx) -> Result<Status> {
        let found = find(self.engine.as_deref());
        if let Err(why) = &found {
            ctx.note(why);
        }
        let engine = found.as_ref().ok();
        let inputs = input::told(asked);
        let report = asked.report(&inputs, engine.map(|engine| of_engine(engine, None)));
        write_run_plan(&report, false, ctx.format, ctx.look, &mut ctx.out)?;
        Ok(match (asked.ops.is_complete(), asked.is_refused()) {
            (false, _) => Status::Trouble,
            (_, true) => Status::Found,
            _ => Status::Fine,
        })
    }

    fn show(&self, asked: &Asked, ran: &Ran, engine: &Found, ctx: &mut Ctx) -> Result<Status> {
        let inputs = input::told(asked);
        let answer = &ran.answer;
        let report = asked.report(&inputs, Some(of_engine(engine, Some(&answer.version))));
        let times = RunTimes { engine: answer.engine_seconds, load: answer.load_seconds, runs: &answer.run_seconds };
        let text = PrintText { full: self.full, precision: self.precision.map(usize::from), look: ctx.look };
        write_run(&report, &ran.outputs, times, ctx.format, text, &mut ctx.out)?;
        Ok(Status::Fine)
    }

    fn tolerances(&self, ctx: &Ctx) -> Result<DiffOptions> {
        let mut tolerances = Vec::new();
        for (option, most) in [("--atol", self.atol), ("--rtol", self.rtol)] {
            let Some(most) = most else { continue };
            anyhow::ensure!(most >= 0.0, "{option} {most}: not a number that is 0 or more");
            let bound = if option == "--atol" { Bound::Absolute(most) } else { Bound::Relative(most) };
            tolerances.push(ToleranceRule { selector: Selector::parse::<&str>(&[], false)?, bound });
        }
        Ok(DiffOptions { tolerances, by_name_only: true, threads: ctx.threads(), ..DiffOptions::default() })
    }
}

fn of_engine<'a>(engine: &'a Found, version: Option<&'a str>) -> RunEngine<'a> {
    RunEngine { library: engine.library(), by: engine.by, version }
}

/// Says why a model is not run.
fn refuse(asked: &Asked, ctx: &mut Ctx) -> Result<Status> {
    let inputs = input::told(asked);
    let format = if ctx.format == Format::Json { Format::Json } else { Format::Text };
    write_run_plan(&asked.report(&inputs, None), true, format, ctx.look, &mut ctx.out)?;
    Ok(if asked.ops.is_complete() { Status::Found } else { Status::Trouble })
}

/// Gives the one output of a model the name of the one that it is compared with: what an output is called says nothing
/// of what it is.
fn alike(models: &mut [Asked], expected: Option<&Checkpoint>, ctx: &mut Ctx) {
    let only = |names: Vec<String>| <[String; 1]>::try_from(names).ok().map(|[name]| name);
    let own = |asked: &Asked| only(asked.plan.outputs.iter().map(|port| port.name.clone()).collect());
    let of_expected = |expected: &Checkpoint| {
        only(expected.tensors().iter().map(|tensor| String::from_utf8_lossy(&tensor.name).into_owned()).collect())
    };
    let wanted = match (expected, models.get(1)) {
        (Some(expected), _) => of_expected(expected),
        (None, Some(other)) => own(other),
        _ => return,
    };
    let Some(asked) = models.first_mut() else { return };
    if let (Some(name), Some(wanted)) = (own(asked), wanted)
        && name != wanted
        && let [port] = asked.plan.outputs.as_mut_slice()
    {
        let shown = |name: &str| ckpt::base::escape::escaped(name.as_bytes()).into_owned();
        ctx.note(&format!(
            "A: output {} is compared with {}; there is no other on either side",
            shown(&name),
            shown(&wanted)
        ));
        port.name = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_have_units() {
        assert_eq!(time("1.5").unwrap(), Duration::from_millis(1500));
        assert_eq!(time("2m").unwrap(), Duration::from_secs(120));
        for bad in ["0", "-1", "soon", "nan", ""] {
            assert!(time(bad).is_err(), "{bad}");
        }
        assert!(time("1e300").is_err() && memory("0").is_err() && memory("4G").is_ok());
    }
}
