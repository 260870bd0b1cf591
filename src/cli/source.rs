//! The PATH argument and what comes with it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ckpt::analysis::{RenameTable, Renames, Roles, Selection, Selector};
use ckpt::base::nearest::nearest;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::read::storage;

use super::completions::tensor_names;
use super::ctx::{Ctx, library_sentence};

/// Which checkpoint.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SourceArgs {
    /// A checkpoint prefix, any file of the set, or a directory.
    pub(crate) path: PathBuf,
    #[command(flatten)]
    choice: ChoiceArgs,
}

/// Which checkpoint, for commands that know `--show-config`, which takes no path.
#[derive(Debug, clap::Args)]
pub(crate) struct SourceOrConfigArgs {
    /// A checkpoint prefix, any file of the set, or a directory.
    #[arg(required_unless_present = "show_config")]
    path: Option<PathBuf>,
    #[command(flatten)]
    choice: ChoiceArgs,
}

/// Which checkpoint of a directory.
#[derive(Clone, Copy, Debug, clap::Args)]
struct ChoiceArgs {
    /// The checkpoint of this step in a directory, instead of the latest.
    #[arg(long, value_name = "N")]
    step: Option<u64>,
    /// This version of a TensorFlow Serving directory, instead of the highest.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    version: Option<i64>,
}

/// Which tensors.
#[derive(Debug, clap::Args)]
pub(crate) struct SelectArgs {
    /// Tensors: names, scopes, globs ('dnn/**/kernel'), or terms such as dtype:bfloat16, role:slot, size:>1M, rank:2,
    /// shard:0; `!` takes away.
    #[arg(value_name = "SELECTOR", add = tensor_names())]
    pub(crate) selectors: Vec<String>,
    /// Read names in selectors as regular expressions.
    #[arg(long)]
    pub(crate) regex: bool,
}

/// Which rows, and from which end: what goes with every `--sort`.
#[derive(Debug, clap::Args)]
pub(crate) struct OrderArgs {
    /// Turn the order around.
    #[arg(long, short)]
    pub(crate) reverse: bool,
    /// Show only the first N.
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
}

impl SourceOrConfigArgs {
    /// Which checkpoint, where the configuration was not asked for.
    pub(crate) fn source(&self) -> SourceArgs {
        SourceArgs { path: self.path.clone().unwrap_or_default(), choice: self.choice }
    }
}

impl SourceArgs {
    /// Which checkpoint of a directory.
    pub(crate) fn choice(&self) -> Choice {
        Choice { step: self.choice.step, version: self.choice.version }
    }

    /// Opens the checkpoint and says on standard error how it was chosen.
    pub(crate) fn open(&self, ctx: &mut Ctx, tell: bool) -> Result<Checkpoint> {
        let checkpoint = Checkpoint::open(&self.path, self.choice(), &ctx.limits())?;
        if tell {
            for note in &checkpoint.origin().notes {
                ctx.note(note);
            }
            for note in checkpoint.notes() {
                ctx.note(&library_sentence(note));
            }
        }
        Ok(checkpoint)
    }
}

/// Says what of the index could not be read, after what could has been shown.
pub(crate) fn tell_damage(checkpoint: &Checkpoint, ctx: &mut Ctx) {
    const MOST: usize = 10;
    for error in checkpoint.damage().iter().take(MOST) {
        ctx.error(&library_sentence(error));
    }
    let n = checkpoint.damage().len();
    if n > MOST {
        ctx.error(&format!("{} more parts of the index could not be read; ckpt validate lists them all", n - MOST));
    }
    // Where nothing could be opened, the error itself says so.
    if n > 0 && checkpoint.origin().has_variables {
        let what = if checkpoint.origin().v1_files.is_empty() { "index" } else { "checkpoint" };
        ctx.error(&format!("the {what} is damaged: tensors may be missing from this output"));
    }
}

impl SelectArgs {
    /// The chosen tensors. If there are none, says so and what is close.
    pub(crate) fn select(&self, checkpoint: &Checkpoint, roles: Option<&Roles>, ctx: &mut Ctx) -> Result<Selection> {
        let selector = Selector::parse(&self.selectors, self.regex)?;
        let selection = match roles {
            Some(roles) => selector.select_with(checkpoint, roles),
            None => selector.select(checkpoint),
        };
        if selection.is_empty() && !selector.is_empty() {
            ctx.error(&format!("no tensor matches {}{}", quoted(&self.selectors), near(&self.selectors, checkpoint)));
            self.tell_second_path(ctx);
        }
        Ok(selection)
    }

    /// A shell makes many paths of one pattern; all but the first are then taken for selectors.
    pub(crate) fn tell_second_path(&self, ctx: &mut Ctx) {
        tell_path(&self.selectors, "this command takes one path, what follows it chooses tensors", ctx);
    }
}

/// Says so if what was taken for a selector is a path.
pub(crate) fn tell_path(selectors: &[String], why: &str, ctx: &mut Ctx) {
    if let Some(path) = selectors.iter().find(|selector| storage::exists(Path::new(selector))) {
        ctx.note(&format!("{} is a path: {why}", ckpt::base::escape::escaped(path.as_bytes())));
    }
}

/// New names: those of a file, and what `--map` does with all of them.
pub(crate) fn renames(rules: &[String], file: Option<&Path>) -> Result<Renames> {
    /// Far more than any map of names; a file that is not one is not read to its end.
    const MOST: u64 = 1 << 28;
    let mut renames = Renames::parse(rules)?;
    if let Some(file) = file {
        let bytes = storage::Source::open(file)?.head(MOST)?;
        let text = String::from_utf8_lossy(&bytes);
        renames.table = RenameTable::parse(&text).map_err(|error| error.in_file(file))?;
    }
    Ok(renames)
}

fn quoted(selectors: &[String]) -> String {
    let quoted: Vec<String> =
        selectors.iter().map(|s| format!("'{}'", ckpt::base::escape::escaped(s.as_bytes()))).collect();
    quoted.join(" ")
}

/// "; did you mean …?" for the first plain name among the selectors.
pub(crate) fn near(selectors: &[String], checkpoint: &Checkpoint) -> String {
    let names = || checkpoint.tensors().iter().map(|tensor| ckpt::analysis::short_name(&tensor.name).to_vec());
    let found = selectors.iter().map(|s| nearest(s.as_bytes(), names(), 3)).find(|found| !found.is_empty());
    if let Some(found) = found {
        let names: Vec<_> = found.iter().map(|name| ckpt::base::escape::escaped(name)).collect();
        return format!("; did you mean {}?", names.join(" or "));
    }
    let wider = selectors.iter().find_map(|selector| across_scopes(selector, checkpoint));
    wider.map_or_else(String::new, |wider| format!("; * stops at /: did you mean '{wider}'?"))
}

/// The glob that was probably meant by one whose `*` was to go on behind a `/`.
fn across_scopes(selector: &str, checkpoint: &Checkpoint) -> Option<String> {
    if selector.starts_with('!') || !selector.contains('*') {
        return None;
    }
    let matches =
        |glob: &String| Selector::parse(&[glob], false).is_ok_and(|selector| !selector.select(checkpoint).is_empty());
    let wider = [format!("**/{selector}"), format!("{selector}/**"), format!("**/{selector}/**")];
    wider.into_iter().find(matches).map(|glob| ckpt::base::escape::escaped(glob.as_bytes()).into_owned())
}
