//! `ckpt compat`: TensorFlow's own programs by their own flags, for scripts that call them and read what they print.

mod flags;
mod inspect_checkpoint;
mod saved_model_cli;
mod terminal;

use anyhow::Result;
use ckpt::base::escape::escaped;
use ckpt::base::nearest::nearest;

use super::{Ctx, Format, Status};

/// Print what TensorFlow's own `inspect_checkpoint` and `saved_model_cli show` print, by their flags.
///
/// The output is theirs, byte for byte (TensorFlow 2.21), without TensorFlow; docs/compat.md names what differs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
inspect_checkpoint:
  --file_name PREFIX  --tensor_name NAME  --all_tensors  --all_tensor_names
  --count_exclude_pattern REGEX  --printoptions KEY=VALUE…
saved_model_cli show:
  --dir DIR  --all  --tag_set TAG,…  --signature_def KEY  --list_ops

Examples:
  ckpt compat inspect_checkpoint --file_name=model.ckpt-200 --all_tensors
  ckpt compat inspect_checkpoint --file_name model.ckpt-200 --tensor_name dense/kernel
  ckpt compat saved_model_cli show --dir export/ --all
  ckpt compat saved_model_cli show --dir export/ --tag_set serve --signature_def serving_default

Exit status:
  0  printed
  1  there is no such tensor, tag-set or signature
  2  wrong usage, or something could not be read; what could be is printed")]
pub(crate) struct Args {
    /// `inspect_checkpoint`, or `saved_model_cli`.
    program: String,
    /// Its own arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// The programs that are known.
const PROGRAMS: [&str; 2] = ["inspect_checkpoint", "saved_model_cli"];

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text])?;
    // As they are called: a module, a file, a program.
    let name = args.program.rsplit(['.', '/']).find(|part| *part != "py").unwrap_or_default();
    match name {
        "inspect_checkpoint" => inspect_checkpoint::run(&args.arguments, ctx),
        "saved_model_cli" => saved_model_cli::run(&args.arguments, ctx),
        other => {
            let near = nearest(other.as_bytes(), PROGRAMS.iter().map(|name| name.as_bytes()), 1);
            let near = near.first().map_or_else(
                || format!("it has {}", PROGRAMS.join(" and ")),
                |near| format!("did you mean {}?", escaped(near)),
            );
            anyhow::bail!("compat has no program '{}'; {near}", escaped(other.as_bytes()))
        }
    }
}
