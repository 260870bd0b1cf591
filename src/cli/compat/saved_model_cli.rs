//! The flags of `saved_model_cli`, and what it ends with.

use std::path::Path;

use anyhow::{Result, bail};
use ckpt::analysis::OldModel;
use ckpt::base::escape::escaped;
use ckpt::read::graphs::saved_model::SavedModel;
use ckpt::report::{Show, write_show};

use super::super::{Ctx, Status};
use super::flags::{Takes, parse};
use super::terminal::to_output;

const FLAGS: &[(&str, Takes)] = &[
    ("dir", Takes::Value),
    ("all", Takes::Switch),
    ("tag_set", Takes::Value),
    ("signature_def", Takes::Value),
    ("list_ops", Takes::Switch),
];

/// What else the program does, and what there is here instead.
const OTHERS: [(&str, &str); 5] = [
    ("scan", "ckpt ops DIR says what a model can touch"),
    ("run", "ckpt run DIR --signature KEY --input NAME=VALUE runs a model, and -o OUT.npz keeps what it answers"),
    ("convert", "TensorRT needs TensorFlow; ckpt convert writes variables in other formats"),
    ("freeze_model", "compiling needs TensorFlow; ckpt ops DIR says what a model can touch"),
    ("aot_compile_cpu", "compiling needs TensorFlow; ckpt ops DIR says what a model can touch"),
];

pub(super) fn run(arguments: &[String], ctx: &mut Ctx) -> Result<Status> {
    // Other commands have flags of their own.
    if let Some((name, instead)) = arguments.first().and_then(|first| OTHERS.iter().find(|(name, _)| name == first)) {
        bail!("of saved_model_cli there is only show, not {name}: {instead}");
    }
    let flags = parse(arguments, FLAGS)?;
    match flags.rest.as_slice() {
        [show] if show == "show" => {}
        [show, other, ..] if show == "show" => bail!("'{}' belongs to no flag", escaped(other.as_bytes())),
        [] => bail!("saved_model_cli wants a command: show"),
        [other, ..] => bail!("saved_model_cli has no command '{}' here, only show", escaped(other.as_bytes())),
    }
    let Some(dir) = flags.value("dir") else { bail!("--dir must be given: the directory of the SavedModel") };
    let model = OldModel::read(&SavedModel::file_in(Path::new(dir))?, &ctx.limits())?;
    let show = Show {
        all: flags.is_on("all"),
        tag_set: flags.value("tag_set"),
        signature: flags.value("signature_def"),
        list_ops: flags.is_on("list_ops"),
    };
    match to_output(ctx, |out| Ok(write_show(&model, show, out)?))? {
        None => Ok(Status::Fine),
        Some(message) => {
            ctx.error(&escaped(message.as_bytes()));
            Ok(Status::Found)
        }
    }
}
