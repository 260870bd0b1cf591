//! `ckpt validate`: is it intact, and if not, what happened to it.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use ckpt::analysis::policy::Policy;
use ckpt::analysis::{
    KerasProgram, Listing, Model, RestoreOptions, Roles, Selector, Sort, ValidateOptions, expectation, restore,
    validate,
};
use ckpt::report::{
    ListText, ShareText, VALIDATE_FORMATS, assignment_map_json, validation_summary, write_list, write_validation,
};
use clap::ValueEnum;

use super::completions::tensor_names;
use super::part::{self, PartArgs};
use super::policy::PolicyArgs;
use super::progress::with_progress;
use super::severity::Severities;
use super::source::{SelectArgs, SourceOrConfigArgs, renames};
use super::{Ctx, Format, Status, step_summary};

/// Check that a checkpoint is intact: every block, entry, shard and tensor, and what lies around them.
///
/// Of a directory, every checkpoint in it. Reports everything that it finds, names the cause as far as bytes and
/// checksums tell, and counts what it checked.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ckpt validate [OPTIONS] <PATH> [SELECTOR]...\n       ckpt validate --show-config")]
#[command(after_long_help = "\
Formats: text, json, github, sarif, junit.

Examples:
  ckpt validate model.ckpt-200
  ckpt validate train/ --quick
  ckpt validate export/ --finite --format sarif > ckpt.sarif
  ckpt validate models/half_plus_two --serving
  ckpt validate model.ckpt-200 'dense/**' --warn unreferenced-bytes
  ckpt validate model.ckpt-200 --against model.ckpt-400.meta
  ckpt validate ckpt-7 --against export/ --quick
  ckpt validate old.weights.h5 --against model.keras --skip-mismatch

Every code has a page: ckpt explain CODE

Exit status:
  0  nothing of error level was found
  1  an error-level finding
  2  there is no checkpoint to check, or whether it restores could not be told")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceOrConfigArgs,
    #[command(flatten)]
    select: SelectArgs,
    /// Read no data shard: index, file names and lengths only.
    #[arg(long)]
    quick: bool,
    /// Look for NaN and infinity too.
    #[arg(long, conflicts_with = "quick")]
    finite: bool,
    /// Check what TensorFlow Serving would do with it: versions, tags, signatures.
    #[arg(long)]
    serving: bool,
    /// Predict a restore into this model: a .meta file, a graph, a SavedModel, another checkpoint, or a spec file; for a
    /// file of Keras a .keras, an .h5, a config.json, or other weights.
    #[arg(long, value_name = "MODEL", help_heading = "Restore")]
    against: Option<PathBuf>,
    /// Rename the checkpoint's tensors first, as sed does: 's|^old/|new/|'. May be repeated.
    #[arg(long, value_name = "s|REGEX|NEW|", requires = "against", help_heading = "Restore")]
    map: Vec<String>,
    /// Rename the checkpoint's tensors one by one, before --map: a file that `ckpt diff --emit map` wrote.
    #[arg(long, value_name = "FILE", requires = "against", help_heading = "Restore")]
    map_file: Option<PathBuf>,
    /// Leave tensors out of the restore: a selector. May be repeated.
    #[arg(long, value_name = "SELECTOR", add = tensor_names(), requires = "against", help_heading = "Restore")]
    ignore: Vec<String>,
    /// Restore these tensors only: a selector. May be repeated.
    #[arg(long, value_name = "SELECTOR", add = tensor_names(), requires = "against", help_heading = "Restore")]
    only: Vec<String>,
    #[command(flatten)]
    keras: KerasArgs,
    /// Instead of the report, write this: the map that `init_from_checkpoint` takes for the part that fits, or what the
    /// model wants as a spec file.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        requires = "against",
        conflicts_with = "format",
        help_heading = "Restore"
    )]
    emit: Option<Emit>,
    #[command(flatten)]
    severities: Severities,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Compare with this checkpoint what ckpt.toml expects to be frozen or changed.
    #[arg(long, value_name = "PATH", help_heading = "Policy")]
    base: Option<PathBuf>,
    #[command(flatten)]
    part: PartArgs,
}

/// How Keras is asked to load.
#[derive(Debug, clap::Args)]
struct KerasArgs {
    /// Keras: load by the names of layers.
    #[arg(long, requires = "against", help_heading = "Restore")]
    by_name: bool,
    /// Keras: leave out what has another shape or number of weights.
    #[arg(long, requires = "against", help_heading = "Restore")]
    skip_mismatch: bool,
    /// Which Keras loads; by default the one that wrote the model, else the one that wrote the file.
    #[arg(long, value_name = "2|3", requires = "against", value_parser = ["2", "3"], help_heading = "Restore")]
    keras: Option<String>,
}

impl KerasArgs {
    fn program(&self) -> Option<KerasProgram> {
        let program = |version: &str| if version == "2" { KerasProgram::Keras2 } else { KerasProgram::Keras3 };
        self.keras.as_deref().map(program)
    }
}

/// What `--emit` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// For `tf.compat.v1.train.init_from_checkpoint`: names in the checkpoint to names of variables, as JSON.
    AssignmentMap,
    /// A spec file, as ckpt list --format json writes it.
    Spec,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    if let Some(status) = args.policy.show(ctx)? {
        return Ok(status);
    }
    let share = args.part.share(VALIDATE_FORMATS, ctx)?;
    anyhow::ensure!(share.is_none() || !args.quick, "--quick reads no bytes: there is nothing to share among parts");
    anyhow::ensure!(
        share.is_none() || args.emit.is_none(),
        "--emit reads no bytes: there is nothing to share among parts"
    );
    let policy = args.followed(ctx)?;
    let source = args.source.source();
    let options = ValidateOptions {
        quick: args.quick,
        finite: args.finite,
        threads: ctx.threads(),
        selector: Selector::parse(&args.select.selectors, args.select.regex)?,
        choice: source.choice(),
        serving: args.serving,
        policy: policy.clone(),
        share: share.clone(),
    };
    let path = &source.path;
    let models = match &args.against {
        Some(model) => Model::open(model, args.quick, &ctx.limits())?,
        None => Vec::new(),
    };
    if let Some(what) = args.emit {
        return emit(what, &models, args, ctx);
    }
    let mut validation = with_progress(ctx.quiet, |progress| validate(path, &options, &ctx.limits(), progress))?;
    if let Some(share) = part::own(share.as_deref()) {
        let (whole, is_ok) = (validation.checked.verified + validation.checked.unsummed, validation.is_ok());
        let tell = |text: &ShareText, out: &mut dyn Write| {
            text.write_findings(&validation.findings, out)?;
            Ok(if is_ok { Status::Fine } else { Status::Found })
        };
        return part::end("validate", share, whole, tell, ctx);
    }
    part::check(share.as_deref())?;
    if validation.checked.verified == 0 {
        args.select.tell_second_path(ctx);
    }
    if !models.is_empty() {
        validation.add_restores(path, source.choice(), &models, &restore_options(args)?, &ctx.limits())?;
    }
    validation.settle(policy.as_deref(), &args.severities.rules(), path);
    write_validation(&validation, args.quick, ctx.format, ctx.look, &mut ctx.out)?;
    step_summary::append(ctx, |most| validation_summary(path, &validation, args.quick, most));
    let unsure = validation.restores.iter().any(|restore| restore.undetermined.is_some());
    Ok(match validation.is_ok() {
        _ if unsure => Status::Trouble,
        true => Status::Fine,
        false => Status::Found,
    })
}

impl Args {
    /// The policy, with the base that was given.
    fn followed(&self, ctx: &mut Ctx) -> Result<Option<Arc<Policy>>> {
        let Some(mut policy) = self.policy.policy()? else {
            anyhow::ensure!(self.base.is_none(), "--base is for what ckpt.toml expects, and there is none");
            return Ok(None);
        };
        if let (Some(base), Some(policy)) = (&self.base, Arc::get_mut(&mut policy)) {
            policy.expects.iter_mut().for_each(|expect| expect.base = Some(base.clone()));
        }
        if policy.wants_base() {
            let file = ckpt::base::escape::Escaped(policy.file.as_os_str().as_encoded_bytes()).to_string();
            ctx.note(&format!(
                "{file} expects frozen or changed tensors and names no base: not looked at without --base"
            ));
        }
        Ok(Some(policy))
    }
}

fn restore_options(args: &Args) -> Result<RestoreOptions> {
    Ok(RestoreOptions {
        renames: renames(&args.map, args.map_file.as_deref())?,
        only: Selector::parse(&args.only, args.select.regex)?,
        ignore: Selector::parse(&args.ignore, args.select.regex)?,
        quick: args.quick,
        by_name: args.keras.by_name,
        skip_mismatch: args.keras.skip_mismatch,
        keras: args.keras.program(),
    })
}

/// Writes what other programs take.
fn emit(what: Emit, models: &[Model], args: &Args, ctx: &mut Ctx) -> Result<Status> {
    let Some(model) = models.first() else { return Ok(Status::Trouble) };
    if models.len() > 1 {
        ctx.note("the model has several graphs; this is the first");
    }
    if what == Emit::Spec {
        let wanted = expectation(model, &ctx.limits());
        let roles = Roles::of(&wanted);
        let all = Selector::default().select(&wanted);
        let listing = Listing::new(&wanted, &roles, all, Sort::Name, false, None);
        write_list(&listing, Format::Json, ListText::Rows { long: false }, ctx.look, &mut ctx.out)?;
        return Ok(Status::Fine);
    }
    let checkpoint = args.source.source().open(ctx, true)?;
    let found = restore(&checkpoint, model, &restore_options(args)?);
    assignment_map_json(&found, &mut ctx.out)?;
    if !found.ok {
        let left = found.missing.len() + found.mismatched.len();
        ctx.note(&format!("{} tensors fit; {left} of the model are not in the map", found.matched.len()));
    }
    Ok(if found.undetermined.is_some() {
        Status::Trouble
    } else if found.ok {
        Status::Fine
    } else {
        Status::Found
    })
}
