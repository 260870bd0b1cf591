//! `ckpt browse`: a checkpoint, or what changed between two, to walk through in a terminal.
//!
//! The state (`app`) is told what was pressed (`keys`) and what was found out meanwhile (`back`), and is drawn (`view`):
//! none of these touches the terminal, which `terminal` does alone. What is shown are answers of the library: `rows` are
//! tensors or changes, `tree` their scopes.

mod app;
mod back;
mod details;
mod keys;
mod kit;
mod rows;
mod terminal;
#[cfg(test)]
mod tests;
mod tree;
mod view;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ratatui::crossterm::event::{self, Event};

use self::app::App;
use self::back::Back;
use self::rows::Rows;
use super::ctx::library_sentence;
use super::source::SourceArgs;
use super::{Ctx, Format, Status};

/// How long nothing may happen before it is looked whether something was found out.
const TICK: Duration = Duration::from_millis(60);

/// Answers taken in before keys are looked at again: a comparison may find more than can be drawn.
const ANSWERS: usize = 1024;

/// Walk through a checkpoint in the terminal: scopes and tensors side by side, search as you type, values, statistics
/// and a histogram of the tensor under the cursor. With B, what changed from PATH to it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Keys, as in less and vim (? shows them all):
  j k ↓ ↑ PgDn PgUp g G   move           Tab h l   from pane to pane, open and close scopes
  /                       search: words, globs, dtype:…, role:…, size:>1M, as everywhere
  :                       a slice of the tensor, as 0:3, :5
  s                       sort by name, size, or change
  i                       read a tensor that is too large to be read unasked
  q                       leave; the terminal is as it was

Examples:
  ckpt browse model.ckpt-200
  ckpt browse train/ --step 1000
  ckpt browse model.ckpt-100 model.ckpt-200

Exit status:
  0  left
  2  the checkpoint cannot be opened, or there is no terminal")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// A second checkpoint: what changed to it is shown.
    #[arg(value_name = "B")]
    b: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, ctx: &mut Ctx) -> Result<Status> {
    ctx.require_format(&[Format::Text])?;
    // What is drawn goes to standard error, so that what standard output was given stays what it is.
    let has_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    anyhow::ensure!(has_terminal, "browse needs a terminal; ckpt list, print, stats and diff say the same without one");
    let a = leaked(args.source.open(ctx, true)?);
    let b = match &args.b {
        Some(path) => Some(leaked(open_b(path, ctx)?)),
        None => None,
    };
    let rows = match b {
        Some(_) => Rows::changes(),
        None => Rows::tensors(a),
    };
    let mut app = App::new(rows, a, b);
    let back = Back::start(a, b, ctx.threads()).context("no thread to find things out in")?;
    let result = terminal::with(|terminal, ended| {
        loop {
            for answer in std::iter::from_fn(|| back.answer()).take(ANSWERS) {
                app.learn(answer);
            }
            terminal.draw(|frame| view::draw(&mut app, frame))?;
            for request in app.requests() {
                back.ask(request);
            }
            if event::poll(TICK)? {
                // Whatever came meanwhile is acted upon before anything is drawn again.
                loop {
                    act(&mut app, &event::read()?);
                    if app.is_over() || !event::poll(Duration::ZERO)? {
                        break;
                    }
                }
            }
            if app.is_over() || ended() {
                return Ok(());
            }
        }
    });
    result.context("the terminal").map(|()| Status::Fine)
}

fn act(app: &mut App, event: &Event) {
    if let Some(action) = keys::action(event, app.is_typing()) {
        app.act(action);
    }
}

/// What threads look at until the process ends, which does not wait for them.
fn leaked(checkpoint: Checkpoint) -> &'static Checkpoint {
    Box::leak(Box::new(checkpoint))
}

fn open_b(path: &Path, ctx: &mut Ctx) -> Result<Checkpoint> {
    let b = Checkpoint::open(path, Choice::default(), &ctx.limits());
    let b = b.map_err(|error| anyhow::anyhow!("B: {}", library_sentence(&error)))?;
    for note in &b.origin().notes {
        ctx.note(&format!("B: {note}"));
    }
    Ok(b)
}
