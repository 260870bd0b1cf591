//! `ckpt.toml`: which one is followed. It is found upwards from the working directory, as other tools of a project find
//! theirs; what it says is `analysis::policy`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use ckpt::analysis::Date;
use ckpt::analysis::policy::Policy;
use ckpt::read::storage::{self, Source};
use ckpt::report::{POLICY_FORMATS, write_policy};

use super::ctx::sentence;
use super::{Ctx, Status};

/// The name of the file.
const NAME: &str = "ckpt.toml";

/// A policy that is longer was not written by people.
const LONGEST: u64 = 1 << 20;

/// Which policy is followed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Policy")]
pub(crate) struct PolicyArgs {
    /// Follow this policy instead of the ckpt.toml that is found upwards from the working directory.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Follow no ckpt.toml.
    #[arg(long, conflicts_with_all = ["config", "show_config"])]
    no_config: bool,
    /// Show what ckpt.toml says, from which lines, and what has expired; takes no path.
    #[arg(long)]
    show_config: bool,
}

impl PolicyArgs {
    /// The policy, if one is followed.
    pub(crate) fn policy(&self) -> Result<Option<Arc<Policy>>> {
        if self.no_config {
            return Ok(None);
        }
        let here = std::env::current_dir().context("the working directory cannot be told")?;
        let file = match &self.config {
            Some(file) => file.clone(),
            None => match found_upwards(&here) {
                Some(file) => file,
                None => return Ok(None),
            },
        };
        let text = read(&file).map_err(|error| match &self.config {
            Some(_) => anyhow::anyhow!("{}; --config wants the path of a ckpt.toml", sentence(&error)),
            None => error,
        })?;
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let policy = Policy::parse(&text, &file, &folder, &here, Date::of(SystemTime::now()))?;
        Ok(Some(Arc::new(policy)))
    }

    /// Shows it, if that was asked for.
    pub(crate) fn show(&self, ctx: &mut Ctx) -> Result<Option<Status>> {
        if !self.show_config {
            return Ok(None);
        }
        ctx.require_format(POLICY_FORMATS)?;
        let policy = self.policy()?;
        write_policy(policy.as_deref(), ctx.format, ctx.look, &mut ctx.out)?;
        Ok(Some(Status::Fine))
    }
}

/// The file in the nearest directory that has one, from the working directory: `ckpt.toml`, `../ckpt.toml` and so on.
fn found_upwards(here: &Path) -> Option<PathBuf> {
    let mut upwards = PathBuf::new();
    for folder in here.ancestors() {
        if storage::is_file(&folder.join(NAME)) {
            return Some(upwards.join(NAME));
        }
        upwards.push("..");
    }
    None
}

fn read(file: &Path) -> Result<String> {
    let source = Source::open(file)?;
    if source.len() > LONGEST {
        anyhow::bail!(
            "{}: longer than a policy can be",
            ckpt::base::escape::Escaped(file.as_os_str().as_encoded_bytes())
        );
    }
    let bytes = source.head(source.len())?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let shown = ckpt::base::escape::Escaped(file.as_os_str().as_encoded_bytes()).to_string();
        anyhow::anyhow!("{shown}: no UTF-8 at byte {at}, which TOML must be")
    })
}
