//! What a command writes to, and how: standard output through one buffer, everything else to standard error.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anstream::ColorChoice;
use ckpt::analysis::parts::Share;
use ckpt::base::error::{Error, ErrorKind};
use ckpt::base::limits::Limits;
use ckpt::report::{Format, Look, folded};

use super::global::{GlobalArgs, When};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Nothing to report.
    Fine,
    /// A difference, an error-level finding, or no tensor matched.
    Found,
    /// Something could not be read or done.
    Trouble,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// Writers and settings of one run.
pub(crate) struct Ctx {
    /// Standard output, buffered: a line at a time would cost more than reading the checkpoint.
    pub(crate) out: BufWriter<StdoutLock<'static>>,
    /// How text on standard output looks.
    pub(crate) look: Look,
    /// The format asked for.
    pub(crate) format: Format,
    threads: Option<u16>,
    /// Whether notes are left out.
    pub(crate) quiet: bool,
    /// What parts came to, where they are merged.
    pub(crate) merged: Option<Arc<Share>>,
    stderr_color: bool,
}

impl Ctx {
    pub(super) fn new(args: &GlobalArgs) -> Self {
        let stdout = io::stdout();
        let color = |auto: ColorChoice| match args.color {
            When::Always => true,
            When::Never => false,
            When::Auto => auto != ColorChoice::Never,
        };
        let out_color = color(anstream::AutoStream::choice(&stdout));
        let width = stdout.is_terminal().then(terminal_size::terminal_size).flatten();
        Self {
            look: Look { color: out_color, width: width.map(|(width, _)| usize::from(width.0)) },
            format: args.format,
            threads: args.threads,
            quiet: args.quiet,
            merged: None,
            stderr_color: color(anstream::AutoStream::choice(&io::stderr())),
            out: BufWriter::with_capacity(256 << 10, stdout.lock()),
        }
    }

    /// Worker threads. Asked for by those who start some: counting the cores reads files.
    pub(crate) fn threads(&self) -> usize {
        self.limits().workers()
    }

    /// Worker threads that were asked for, for programs that have a mind of their own.
    #[cfg(feature = "run")]
    pub(crate) fn asked_threads(&self) -> Option<u16> {
        self.threads
    }

    /// The limits of this run.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.threads = self.threads.map(usize::from);
        limits
    }

    /// Whether standard output is a terminal.
    pub(crate) fn to_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Says what went wrong.
    pub(crate) fn error(&mut self, message: &str) {
        self.say("error", Look { color: self.stderr_color, width: None }.bad(), message);
    }

    /// Says what the user should know but did not ask for.
    pub(crate) fn note(&mut self, message: &str) {
        if !self.quiet {
            self.say("note", Look { color: self.stderr_color, width: None }.dim(), message);
        }
    }

    /// Writes a line to standard error, after everything that standard output has been given so far.
    fn say(&mut self, label: &str, style: anstyle::Style, message: &str) {
        let _ = self.out.flush();
        let width = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
        let look = Look { color: self.stderr_color, width };
        // Lines that are to be copied into a file stay as they are.
        let text = if message.contains('\n') { message.into() } else { folded(message, label.len() + 2, 2, look) };
        let _ = writeln!(io::stderr().lock(), "{style}{label}:{style:#} {text}");
    }

    /// Refuses a format that a command does not have.
    pub(crate) fn require_format(&self, has: &[Format]) -> anyhow::Result<()> {
        if has.contains(&self.format) {
            return Ok(());
        }
        let all: Vec<&str> = has.iter().copied().map(Format::name).collect();
        anyhow::bail!("this command has no format {}; it has {}", self.format.name(), all.join(", "))
    }
}

/// An error as one sentence: what, where, what to do.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Error>() {
        Some(error) => library_sentence(error),
        // What is read and written by name is told with it: this one is of what has none.
        None if error.chain().len() == 1 && error.is::<io::Error>() => {
            format!("cannot write to standard output: {error}")
        }
        None => format!("{error:#}"),
    }
}

/// A library error as one sentence.
pub(crate) fn library_sentence(error: &Error) -> String {
    match error.help() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

/// Whether the error is that the reader of our output has gone.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().or_else(|| match cause.downcast_ref::<Error>()?.kind() {
            ErrorKind::Output(io) => Some(io),
            _ => None,
        });
        io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}
