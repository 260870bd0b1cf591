//! The flags of `inspect_checkpoint`, and what it ends with.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use ckpt::analysis::Count;
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::read::tensor::numpy::{FloatMode, Options, Sign};
use ckpt::report::{InspectCheckpoint, write_inspect_checkpoint};

use super::super::ctx::library_sentence;
use super::super::source::tell_damage;
use super::super::{Ctx, Status};
use super::flags::{Parsed, Takes, parse};
use super::terminal::to_output;

const FLAGS: &[(&str, Takes)] = &[
    ("file_name", Takes::Value),
    ("tensor_name", Takes::Value),
    ("count_exclude_pattern", Takes::Value),
    ("all_tensors", Takes::SwitchOrValue),
    ("all_tensor_names", Takes::SwitchOrValue),
    ("printoptions", Takes::Values),
];

const USAGE: &str = "Usage: inspect_checkpoint --file_name=checkpoint_file_name [--tensor_name=tensor_to_print] \
                     [--all_tensors] [--all_tensor_names] [--count_exclude_pattern] [--printoptions]";

pub(super) fn run(arguments: &[String], ctx: &mut Ctx) -> Result<Status> {
    let flags = parse(arguments, FLAGS)?;
    let options = options(&flags)?;
    let Some(file) = flags.value("file_name").filter(|file| !file.is_empty()) else {
        writeln!(ctx.out, "{USAGE}")?;
        return Ok(Status::Trouble);
    };
    if let Some(other) = flags.rest.first() {
        bail!("'{}' belongs to no flag", escaped(other.as_bytes()));
    }
    let checkpoint = Checkpoint::open(Path::new(file), Choice::default(), &ctx.limits())?;
    let what = if flags.is_on("all_tensors") {
        InspectCheckpoint::Values
    } else if flags.is_on("all_tensor_names") {
        InspectCheckpoint::Names
    } else {
        let name = flags.value("tensor_name").filter(|name| !name.is_empty());
        name.map_or(InspectCheckpoint::Summary, InspectCheckpoint::Tensor)
    };
    let count = Count::of(&checkpoint, flags.value("count_exclude_pattern"))?;
    let inspected = to_output(ctx, |out| Ok(write_inspect_checkpoint(&checkpoint, what, &options, &count, out)?))?;
    if let Some(error) = &inspected.error {
        ctx.error(&library_sentence(error));
    }
    tell_damage(&checkpoint, ctx);
    Ok(match (inspected.error.is_some() || !checkpoint.damage().is_empty(), inspected.not_found) {
        (true, _) => Status::Trouble,
        (false, true) => Status::Found,
        (false, false) => Status::Fine,
    })
}

/// `--printoptions`, which are those of `numpy.set_printoptions`.
fn options(flags: &Parsed) -> Result<Options> {
    const NAMES: &str = "edgeitems, floatmode, infstr, linewidth, nanstr, precision, sign, suppress, threshold";
    let mut options = Options { shorten_scalar: false, most_in_a_summary: 1 << 20, ..Options::default() };
    for option in flags.values("printoptions") {
        let shown = escaped(option.as_bytes());
        let Some((key, value)) = option.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            bail!("--printoptions '{shown}' is not written as k=v");
        };
        let number = || value.parse::<u64>().map_err(|_| anyhow::anyhow!("--printoptions '{shown}': not a number"));
        match key {
            "precision" => options.precision = Some(usize::try_from(number()?).unwrap_or(usize::MAX)),
            "threshold" => options.threshold = number()?,
            "edgeitems" => options.edge_items = number()?,
            "linewidth" => options.line_width = usize::try_from(number()?).unwrap_or(usize::MAX),
            "nanstr" => value.clone_into(&mut options.nan),
            "infstr" => value.clone_into(&mut options.infinity),
            "suppress" => {
                options.suppress = match value.to_ascii_lowercase().as_str() {
                    "true" | "t" | "1" => true,
                    "false" | "f" | "0" => false,
                    _ => bail!("--printoptions '{shown}': neither true nor false"),
                }
            }
            "sign" => {
                options.sign = match value {
                    "-" => Sign::Minus,
                    "+" => Sign::Plus,
                    " " => Sign::Space,
                    _ => bail!("--printoptions '{shown}': sign is one of '-', '+' and ' '"),
                }
            }
            "floatmode" => {
                options.float_mode = match value {
                    "maxprec" => FloatMode::MaxPrec,
                    "maxprec_equal" => FloatMode::MaxPrecEqual,
                    "fixed" => FloatMode::Fixed,
                    "unique" => FloatMode::Unique,
                    _ => bail!("--printoptions '{shown}': floatmode is one of fixed, unique, maxprec, maxprec_equal"),
                }
            }
            _ => bail!("--printoptions '{shown}' is none of {NAMES}"),
        }
    }
    Ok(options)
}
