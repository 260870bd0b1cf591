//! `ckpt help`: what concerns every command, by topics; and the help of a command, which `--help` shows too.

use std::io::Write;

use anyhow::Result;
use ckpt::base::escape::escaped;
use ckpt::base::nearest::nearest;
use ckpt::report::{TOPICS, Topic, write_topic};
use clap::CommandFactory;

use super::{Cli, Command, Ctx, Format, Status};

/// Explain a topic (paths, selectors, formats, exit-statuses) or a command.
///
/// Without a topic: the commands and the topics.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ckpt help selectors
  ckpt help exit-statuses
  ckpt help diff

Exit status:
  0  shown
  2  there is no such topic and no such command")]
pub(crate) struct Args {
    /// A topic, or a command.
    #[arg(value_name = "TOPIC|COMMAND")]
    what: Vec<String>,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text])?;
    let mut root = Cli::command();
    root.build();
    if args.what.is_empty() {
        show(&root.render_help(), ctx)?;
        return Ok(Status::Fine);
    }
    let mut command = &mut root;
    for word in &args.what {
        match command.find_subcommand_mut(word) {
            Some(inner) => command = inner,
            // `ckpt help exit status`, too.
            None => match Topic::named(&args.what.join("-")) {
                Some(topic) => {
                    write_topic(topic, ctx.look, &mut ctx.out)?;
                    return Ok(Status::Fine);
                }
                None => return Ok(unknown(&args.what.join(" "), ctx)),
            },
        }
    }
    let text = command.render_long_help();
    show(&text, ctx)?;
    Ok(Status::Fine)
}

fn show(text: &clap::builder::StyledStr, ctx: &mut Ctx) -> Result<()> {
    let text = if ctx.look.color { text.ansi().to_string() } else { text.to_string() };
    ctx.out.write_all(text.as_bytes())?;
    Ok(())
}

fn unknown(what: &str, ctx: &mut Ctx) -> Status {
    let names = || TOPICS.iter().map(|topic| topic.name).chain(Command::NAMES.iter().copied()).map(str::as_bytes);
    let near: Vec<_> = nearest(what.as_bytes(), names(), 3).into_iter().map(escaped).collect();
    let near = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
    ctx.error(&format!("no topic and no command is called '{}'{near}", escaped(what.as_bytes())));
    let topics: Vec<_> = TOPICS.iter().map(|topic| topic.name).collect();
    ctx.note(&format!("topics are {}; ckpt help lists the commands", topics.join(", ")));
    Status::Trouble
}
