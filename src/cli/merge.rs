//! `ckpt merge`: one report out of what several processes found.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use ckpt::analysis::parts::{PartReport, Share, WrongSet};
use ckpt::read::storage::{self, Source, Window};
use ckpt::report::{PartOf, part_name, read_part};
use clap::{Args as _, FromArgMatches};

use super::global::GlobalArgs;
use super::{Ctx, Status, diff, stats, validate};

/// Make the report of a whole checkpoint out of parts that several processes have read.
///
/// Each part is what `ckpt validate`, `stats` or `diff` wrote with `--part K/N --format part`. The report is the one that
/// a single process would have made, byte for byte, in every format, whatever N is and in whichever order the parts are
/// given. Run it where the parts ran: it opens the checkpoint by the same path, reads its index, and looks again only at
/// what is damaged, to say what happened to it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Formats: those of the command that made the parts.

Examples:
  for k in 1 2 3 4; do ckpt validate model.ckpt-200 --part $k/4 --format part > $k.part & done; wait
  ckpt merge *.part
  ckpt merge parts/ --format json

Exit status:
  that of the command that made the parts; 2 if a part is missing, there twice, or of something else:
  another checkpoint, other options, another version of ckpt, or the checkpoint has changed")]
pub(crate) struct Args {
    /// Files that --format part made, in any order, or a folder of nothing else.
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    let mut asked: Option<(String, PartOf)> = None;
    let mut parts: Vec<PartReport> = Vec::new();
    for path in files(&args.parts)? {
        let name = part_name(&path);
        let source = Source::open(&path).map_err(|error| error.and_help("give the files that --format part wrote"))?;
        let mut scratch = Window::default();
        let (of, part) = read_part(&name, source.slice(0..source.len(), &mut scratch)?)?;
        match &asked {
            Some((first, known)) => {
                if let Some(why) = difference(known, &of) {
                    return Err(WrongSet::OtherQuestion { first: first.clone(), second: name, why }.into());
                }
            }
            None => asked = Some((name, of)),
        }
        parts.push(part);
    }
    let Some((_, of)) = asked else { return Err(WrongSet::Nothing.into()) };
    ctx.merged = Some(Arc::new(Share::merged(parts)?));
    let words = std::iter::once("ckpt".into()).chain(of.arguments.iter().cloned());
    let command = GlobalArgs::augment_args(clap::Command::new("ckpt"));
    macro_rules! of {
        ($command:ident) => {{
            let matches = $command::Args::augment_args(command).try_get_matches_from(words);
            let matches =
                matches.map_err(|_| anyhow::anyhow!("the parts have arguments that {} does not have", of.command))?;
            $command::run(&$command::Args::from_arg_matches(&matches)?, ctx)
        }};
    }
    match of.command.as_str() {
        "validate" => of!(validate),
        "stats" => of!(stats),
        "diff" => of!(diff),
        other => anyhow::bail!("the parts are of ckpt {other:?}, which has none"),
    }
}

/// The files that are meant: those of a folder by name.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if storage::is_folder(path) {
            files.extend(storage::list(path)?.entries().map(|(name, _)| path.join(name)));
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// How two parts were asked for different things.
fn difference(a: &PartOf, b: &PartOf) -> Option<String> {
    let line = |of: &PartOf| {
        let words = of.arguments.iter().map(|word| ckpt::base::escape::shell_word(word.as_ref()));
        format!("ckpt {} {}", of.command, words.collect::<Vec<_>>().join(" "))
    };
    (a != b).then(|| format!("one is of {}, the other of {}", line(a), line(b)))
}
