//! `ckpt completions`: what a shell wants to know of the command.
//!
//! The script that is printed asks the command itself at each TAB, so that it can offer what only a checkpoint knows:
//! the names of the tensors in the PATH that was typed before.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::Result;
use ckpt::analysis::short_name;
use ckpt::base::escape::shell_word;
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::read::storage;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use super::{Ctx, Format, Status};

/// Print the script with which a shell completes options, paths and names of tensors.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Names are completed where a PATH stands before them: the next component of all tensors in it.

Examples:
  ckpt completions bash > ~/.local/share/bash-completion/completions/ckpt
  ckpt completions zsh > ~/.zfunc/_ckpt
  ckpt completions fish > ~/.config/fish/completions/ckpt.fish
  ckpt completions powershell >> $PROFILE

Exit status:
  0  printed")]
pub(crate) struct Args {
    /// Whose script.
    #[arg(value_enum)]
    shell: Shell,
}

/// By which variable a script tells that it asks.
const VARIABLE: &str = "CKPT_COMPLETE";

/// How many names are offered at once: nobody reads more.
const MOST: usize = 500;

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text])?;
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell.to_string());
    let shell = shell.ok_or_else(|| anyhow::anyhow!("no script for {}", args.shell))?;
    shell.write_registration(VARIABLE, "ckpt", "ckpt", "ckpt", &mut ctx.out)?;
    Ok(Status::Fine)
}

/// Answers a shell about a command, if one asks, and then ends the program.
pub(crate) fn answer(command: fn() -> clap::Command) {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// For arguments that are tensors.
pub(crate) fn tensor_names() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| {
        let typed = std::env::args_os().skip_while(|arg| arg != "--").skip(1).collect::<Vec<_>>();
        names(&typed, word).unwrap_or_default()
    })
}

/// What may follow `word` in the command line `typed`: components of names of the first checkpoint in it.
fn names(typed: &[OsString], word: &OsStr) -> Option<Vec<CompletionCandidate>> {
    let word = word.to_str()?;
    let is_path = |arg: &&OsString| !arg.as_encoded_bytes().starts_with(b"-");
    let mut paths = typed.iter().skip(2).filter(is_path).filter(|arg| may_be_checkpoint(Path::new(arg)));
    let limits = Limits::default();
    let checkpoint = paths.find_map(|path| Checkpoint::open(Path::new(path), Choice::default(), &limits).ok())?;
    let mut found = Vec::new();
    let mut cursor = checkpoint.tensors().cursor();
    while let Some((_, tensor)) = cursor.advance() {
        let Ok(name) = std::str::from_utf8(short_name(&tensor.name)) else { continue };
        // What a shell would take apart has to be typed by hand.
        if name.starts_with(word) && shell_word(Path::new(name)) == name {
            found.push(name.to_owned());
        }
    }
    Some(components(&found, word).into_iter().map(CompletionCandidate::new).collect())
}

/// Whether there may be something at a path on the disk: a prefix is the beginning of a name only. Nobody waits for a
/// network at TAB.
fn may_be_checkpoint(path: &Path) -> bool {
    if path.as_os_str().to_string_lossy().contains("://") {
        return false;
    }
    let mut index = path.as_os_str().to_owned();
    index.push(".index");
    storage::exists(path) || storage::exists(Path::new(&index))
}

/// The names with what follows `word` cut behind its first `/`, each once; where only one scope comes of it, what is in
/// that. Names are sorted.
fn components(names: &[String], word: &str) -> Vec<String> {
    let mut from = word.len();
    loop {
        let cut = |name: &String| {
            let slash = name.get(from..).and_then(|rest| rest.find('/'));
            slash.map_or_else(|| name.clone(), |at| name.get(..=from.saturating_add(at)).unwrap_or(name).to_owned())
        };
        let mut found: Vec<String> = names.iter().map(cut).collect();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [scope] if scope.ends_with('/') && scope.len() > from => from = scope.len(),
            _ => {
                found.truncate(MOST);
                return found;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str], word: &str) -> Vec<String> {
        let names: Vec<String> =
            names.iter().filter(|name| name.starts_with(word)).map(|name| (*name).to_owned()).collect();
        components(&names, word)
    }

    #[test]
    fn names_are_completed_by_component() {
        let names = ["bert/layer_0/bias", "bert/layer_0/kernel", "bert/layer_1/bias", "step"];
        assert_eq!(of(&names, ""), ["bert/", "step"]);
        assert_eq!(of(&names, "b"), ["bert/layer_0/", "bert/layer_1/"]);
        assert_eq!(of(&names, "bert/layer_0"), ["bert/layer_0/bias", "bert/layer_0/kernel"]);
        assert_eq!(of(&names, "bert/layer_1/"), ["bert/layer_1/bias"]);
        assert_eq!(of(&names, "step"), ["step"]);
        assert!(of(&names, "x").is_empty());
    }

    #[test]
    fn the_path_is_looked_for_in_the_command_line() {
        let prefix = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/model_dir/run");
        let typed = |args: &[&str]| args.iter().map(OsString::from).collect::<Vec<_>>();
        let with = typed(&["ckpt", "print", "--full", prefix.to_str().unwrap(), ""]);
        assert!(names(&with, OsStr::new("")).is_some_and(|found| !found.is_empty()), "{with:?}");
        assert!(names(&typed(&["ckpt", "print", "no/such", ""]), OsStr::new("")).is_none());
    }
}
