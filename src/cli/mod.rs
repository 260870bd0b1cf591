//! The command line: the only user of clap, the terminal and the environment.
//!
//! Each subcommand is one file with its `Args` and a `run`. The exit status is a contract: 0 nothing to report, 1
//! something found, 2 the command could not do its work or could not read a part of its input.

#[cfg(feature = "browse")]
mod browse;
mod compat;
mod completions;
mod convert;
mod ctx;
mod diff;
mod explain;
mod global;
mod graph;
mod help;
mod image;
mod inspect;
mod latest;
mod list;
mod log;
mod man;
mod merge;
mod ops;
mod part;
mod policy;
mod print;
mod progress;
mod recover;
mod report;
#[cfg(feature = "run")]
mod run;
mod severity;
mod source;
mod stats;
mod step_summary;
mod tree;
mod validate;
mod written;

pub(crate) use ckpt::report::Format;
pub(crate) use ctx::{Ctx, Status};

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use ckpt::read::storage;

use clap::{ArgMatches, Args as _, FromArgMatches, Parser, Subcommand};

use global::GlobalArgs;

/// Inspect TensorFlow checkpoints without TensorFlow.
///
/// A PATH is a checkpoint prefix (model.ckpt-200), any file of the set, a directory of checkpoints, a SavedModel, a
/// TensorFlow Serving directory, or a legacy V1 checkpoint.
#[derive(Debug, Parser)]
#[command(name = "ckpt", version, max_term_width = 100, disable_help_subcommand = true, after_help = global::topics())]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: GlobalArgs,
}

/// Makes of a list of subcommands what clap's derive would, except that a command line that begins with the name of
/// one does not have the arguments of all others described: that takes as long as listing a small checkpoint.
macro_rules! commands {
    ($($(#[$when:meta])* $name:literal => $variant:ident($module:ident),)*) => {
        #[derive(Debug)]
        enum Command {
            $($(#[$when])* $variant($module::Args),)*
        }

        impl Command {
            const NAMES: &[&str] = &[$($(#[$when])* $name),*];

            fn run(&self, ctx: &mut Ctx) -> anyhow::Result<Status> {
                match self {
                    $($(#[$when])* Self::$variant(args) => $module::run(args, ctx),)*
                }
            }
        }

        impl Subcommand for Command {
            fn augment_subcommands(command: clap::Command) -> clap::Command {
                let first = std::env::args_os().nth(1);
                let named = first.filter(|arg| Self::NAMES.iter().chain(&["--version", "-V"]).any(|name| arg == name));
                let command = command.subcommand_required(true).arg_required_else_help(true);
                $(
                    $(#[$when])*
                    let command = command.subcommand({
                        let subcommand = clap::Command::new($name);
                        match &named {
                            Some(named) if named != $name => subcommand.defer($module::Args::augment_args),
                            _ => $module::Args::augment_args(subcommand),
                        }
                    });
                )*
                command
            }

            fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
                Self::augment_subcommands(command)
            }

            fn has_subcommand(name: &str) -> bool {
                Self::NAMES.contains(&name)
            }
        }

        impl FromArgMatches for Command {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                match matches.subcommand() {
                    $($(#[$when])* Some(($name, matches)) => $module::Args::from_arg_matches(matches).map(Self::$variant),)*
                    _ => Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

// In the order in which help shows them.
commands! {
    "inspect" => Inspect(inspect),
    "list" => List(list),
    "print" => Print(print),
    "stats" => Stats(stats),
    "diff" => Diff(diff),
    #[cfg(feature = "browse")]
    "browse" => Browse(browse),
    "convert" => Convert(convert),
    "report" => Report(report),
    "recover" => Recover(recover),
    "graph" => Graph(graph),
    "log" => Log(log),
    "tree" => Tree(tree),
    "latest" => Latest(latest),
    "validate" => Validate(validate),
    "merge" => Merge(merge),
    "ops" => Ops(ops),
    #[cfg(feature = "run")]
    "run" => Run(run),
    "explain" => Explain(explain),
    "compat" => Compat(compat),
    "completions" => Completions(completions),
    "man" => Man(man),
    "help" => Help(help),
}

/// Parses the command line and runs it.
pub(crate) fn main() -> ExitCode {
    completions::answer(<Cli as clap::CommandFactory>::command);
    let cli = match Cli::try_parse_from(std::env::args_os().map(without_secrets)) {
        Ok(cli) => cli,
        Err(told) => return tell(&told),
    };
    let mut ctx = Ctx::new(&cli.global);
    let result = cli.command.run(&mut ctx);
    let result = result.and_then(|status| Ok(ctx.out.flush().map(|()| status)?));
    // An error that is the same trouble says it itself; any other may come of it.
    let is_unread = |error: &anyhow::Error| error.downcast_ref().is_some_and(ckpt::base::error::Error::is_unread);
    let result = match storage::take_trouble() {
        Some(trouble) if !result.as_ref().is_err_and(is_unread) => {
            ctx.error(&format!("{}; it was taken for not being there", ctx::library_sentence(&trouble)));
            result.map(|_| Status::Trouble)
        }
        _ => result,
    };
    match result {
        Ok(status) => status.into(),
        // Somebody who reads no further has seen enough.
        Err(error) if ctx::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // What was written before the error is still shown.
            let _ = ctx.out.flush();
            ctx.error(&ctx::sentence(&error));
            Status::Trouble.into()
        }
    }
}

/// Help, the version, or what is wrong with the arguments; help that cannot be written is an error like any other.
fn tell(told: &clap::Error) -> ExitCode {
    let is_help = !told.use_stderr();
    match told.print().and_then(|()| std::io::stdout().flush()) {
        Err(error) if is_help && error.kind() != std::io::ErrorKind::BrokenPipe => {
            let _ = writeln!(std::io::stderr(), "error: {}", ctx::sentence(&error.into()));
            Status::Trouble.into()
        }
        _ if is_help => ExitCode::SUCCESS,
        _ => Status::Trouble.into(),
    }
}

/// An argument whose address has lost its password and its query, before anything can show it; they go to its server only.
fn without_secrets(arg: OsString) -> OsString {
    let option = arg.to_str().and_then(|text| text.strip_prefix("--")?.split_once('='));
    match option {
        Some((name, value)) => {
            let plain = storage::admit(Path::new(value));
            if plain.as_os_str() == value { arg } else { format!("--{name}={}", plain.display()).into() }
        }
        None => storage::admit(Path::new(&arg)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Cli::command().debug_assert();
    }
}
