//! What is found out while somebody looks: in threads of their own, the newest wish of a kind before all others.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};

use ckpt::analysis::diff::{Change, Comparison, DiffOptions};
use ckpt::analysis::excerpt::Excerpt;
use ckpt::analysis::stats::{StatsOptions, TensorStats, stats};
use ckpt::analysis::{Roles, Selection, Selector};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{Format, Look, PrintText, Printer};

use crate::cli::ctx::library_sentence;

/// What is to be found out. Of several of a kind, only the last is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Which tensors a search takes.
    Search(String),
    /// The figures of a tensor of A, by its position.
    Stats(usize),
    /// The values of a tensor by its name, or of a slice of it: in A, and in B if there is one.
    Values { name: Vec<u8>, slice: String, width: usize },
}

/// The tensors that a search takes.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) a: Selection,
    pub(super) b: Option<Selection>,
}

/// What was found out.
pub(super) enum Answer {
    /// What tensors are for.
    Roles(Roles),
    /// What a search takes, or why it cannot be understood.
    Found(String, Result<Taken, String>),
    /// Figures of the tensor at a position.
    Stats(usize, Option<Box<TensorStats>>),
    /// Values as text.
    Values { name: Vec<u8>, slice: String, text: String },
    /// Changes, by name.
    Changes(Vec<Change>),
    /// All changes are there; or why there are none.
    Compared(Result<String, String>),
}

/// The threads behind the terminal.
pub(super) struct Back {
    ask: Sender<Request>,
    told: Receiver<Answer>,
}

impl Back {
    /// Begins with what is wanted in any case.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn start(
        a: &'static Checkpoint,
        b: Option<&'static Checkpoint>,
        threads: usize,
    ) -> std::io::Result<Self> {
        let (ask, asked) = channel();
        let (tell, told) = channel();
        let of = tell.clone();
        std::thread::Builder::new().spawn(move || match b {
            Some(b) => compare(a, b, threads, &of),
            None => drop(of.send(Answer::Roles(Roles::of(a)))),
        })?;
        std::thread::Builder::new().spawn(move || work(a, b, &asked, &tell))?;
        Ok(Self { ask, told })
    }

    /// Wants something to be found out.
    pub(super) fn ask(&self, request: Request) {
        // Who is gone finds out nothing.
        let _ = self.ask.send(request);
    }

    /// What was found out meanwhile.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.told.try_recv().ok()
    }
}

fn work(a: &'static Checkpoint, b: Option<&'static Checkpoint>, asked: &Receiver<Request>, tell: &Sender<Answer>) {
    let mut waiting: Vec<Request> = Vec::new();
    loop {
        if waiting.is_empty() {
            match asked.recv() {
                Ok(request) => waiting.push(request),
                Err(_) => return,
            }
        }
        while let Ok(request) = asked.try_recv() {
            let kind = std::mem::discriminant(&request);
            waiting.retain(|other| std::mem::discriminant(other) != kind);
            waiting.push(request);
        }
        let answer = match waiting.remove(0) {
            Request::Search(text) => {
                let taken = |selector: Selector| Taken { a: selector.select(a), b: b.map(|b| selector.select(b)) };
                let found = searched(&text).map(taken).map_err(|error| error.to_string());
                Answer::Found(text, found)
            }
            Request::Stats(at) => {
                let options = StatsOptions { threads: 1, distribution: true, along: true, ..StatsOptions::default() };
                let found = stats(a, &std::iter::once(at).collect(), &options, &Progress::default());
                Answer::Stats(at, found.tensors.into_iter().next().map(Box::new))
            }
            Request::Values { name, slice, width } => {
                let mut text = values(a, &name, &slice, width);
                if let Some(b) = b {
                    text = format!("A  {text}\nB  {}", values(b, &name, &slice, width));
                }
                Answer::Values { name, slice, text }
            }
        };
        if tell.send(answer).is_err() {
            return;
        }
    }
}

/// What somebody typed, as a selector: a word without signs is any part of a name.
pub(super) fn searched(text: &str) -> ckpt::base::error::Result<Selector> {
    let mut terms = Vec::new();
    for word in text.split_whitespace() {
        let (no, rest) = word.strip_prefix('!').map_or(("", word), |rest| ("!", rest));
        let is_plain = !rest.contains(['*', '?', '[', '{', '\\', ':']);
        if rest.is_empty() {
            continue;
        }
        if is_plain {
            terms.push(format!("{no}**/*{rest}*"));
            terms.push(format!("{no}**/*{rest}*/**"));
        } else {
            terms.push(word.to_owned());
        }
    }
    Selector::parse(&terms, false)
}

/// The values of a tensor as `print` shows them.
fn values(checkpoint: &Checkpoint, name: &[u8], slice: &str, width: usize) -> String {
    let Some(at) = checkpoint.tensors().find(name) else { return "not there".to_owned() };
    let Some(tensor) = checkpoint.tensor_at(at) else { return "not there".to_owned() };
    let excerpt = Excerpt::part(tensor, Some(slice).filter(|slice| !slice.is_empty()));
    let mut out = Vec::new();
    let look = Look { color: false, width: Some(width.max(20)) };
    let text = PrintText { look, ..PrintText::default() };
    let mut printer = Printer::new(checkpoint, Format::Text, text);
    let printed = excerpt.and_then(|excerpt| printer.print(&excerpt, &mut out));
    let text = String::from_utf8_lossy(&out).trim_end().to_owned();
    match printed {
        Ok(()) => text,
        Err(error) => format!("{text}\n{}", library_sentence(&error)).trim_start().to_owned(),
    }
}

fn compare(a: &'static Checkpoint, b: &'static Checkpoint, threads: usize, tell: &Sender<Answer>) {
    let options = DiffOptions { threads, ..DiffOptions::default() };
    let comparison = match Comparison::new(a, b, &options) {
        Ok(comparison) => comparison,
        Err(error) => return drop(tell.send(Answer::Compared(Err(library_sentence(&error))))),
    };
    let take = |(), changes: Vec<Change>| match tell.send(Answer::Changes(changes)) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    };
    let (found, _) = comparison.each(&Progress::default(), |_| (), take);
    let (differ, all) = (found.tally.differences(), found.tally.total());
    let unread = found.tally.of(ckpt::analysis::diff::Status::Unreadable);
    let words = format!(
        "{differ} of {all} differ{}",
        if unread > 0 { format!(", {unread} unreadable") } else { String::new() }
    );
    let _ = tell.send(Answer::Compared(Ok(words)));
}
