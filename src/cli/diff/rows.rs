//! The rows of `diff`, kept until all are known, or written as they are found where there are more than that.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::OnceLock;

use anyhow::Result;
use ckpt::analysis::diff::{Change, ChangeKey, Comparison, Depth, Diff, Largest};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{
    DiffColumns, DiffFlow, DiffNotes, DiffRows, Look, diff_csv, diff_json, diff_jsonl, diff_markdown, diff_text,
};

use crate::cli::Format;

/// As many rows are kept until all pairs have been compared. More are written as they come.
pub(super) const HELD: usize = 1 << 14;

/// Rows that are written at a time when there are enough of them.
const SOME: usize = 1024;

/// Which rows are shown, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Show<'s> {
    pub(super) a: &'s Checkpoint,
    pub(super) b: &'s Checkpoint,
    pub(super) depth: Depth,
    pub(super) format: Format,
    pub(super) look: Look,
    /// Whether identical ones are shown too.
    pub(super) all: bool,
    pub(super) long: bool,
    pub(super) by_change: bool,
    pub(super) most: usize,
}

impl Show<'_> {
    /// Compares what is to be compared and writes what is to be shown.
    pub(super) fn run<'c>(
        self,
        comparison: Comparison<'c, '_>,
        progress: &Progress,
        out: &mut dyn Write,
    ) -> Result<Diff<'c>> {
        if self.by_change {
            return self.by_change(comparison, progress, out);
        }
        let flow = OnceLock::new();
        let mut rows = Rows::new(self, &flow);
        let mut written = Ok(());
        let make = |changes: &[Change]| self.text(flow.get(), changes);
        let (found, _) = comparison.each(progress, make, |text, changes| {
            written = rows.take(text, changes, out);
            go_on(&written)
        });
        written?;
        rows.finish(&found, out)?;
        Ok(found)
    }

    /// The largest changes first. If there are more than are kept, all of them are compared twice.
    fn by_change<'c>(
        self,
        comparison: Comparison<'c, '_>,
        progress: &Progress,
        out: &mut dyn Write,
    ) -> Result<Diff<'c>> {
        let mut largest = Largest::new(self.most.min(HELD));
        let (mut keys, mut count) = (Vec::new(), 0);
        let (found, again) = comparison.each(
            progress,
            |_| (),
            |(), changes| {
                let shown = changes.into_iter().filter(|change| self.shows(change));
                largest.extend(shown.inspect(|change| {
                    count += 1;
                    if self.most > HELD {
                        keys.push(ChangeKey::of(change));
                    }
                }));
                ControlFlow::Continue(())
            },
        );
        if self.most <= HELD || count <= HELD {
            self.write(&found, &largest.finish(), count, out)?;
            return Ok(found);
        }
        drop(largest);
        let mut order = ChangeKey::sorted(keys);
        order.truncate(self.most);
        let flow = OnceLock::new();
        let mut rows = Rows::new(self, &flow);
        let mut written = Ok(());
        let make = |changes: &[Change]| self.text(flow.get(), changes);
        again.each(&order, progress, make, |text, changes| {
            written = rows.take(text, changes, out);
            go_on(&written)
        });
        written?;
        rows.count = count;
        rows.finish(&found, out)?;
        Ok(found)
    }

    /// Identical ones are there with `--long` too, for those of them that only lie elsewhere.
    fn shows(self, change: &Change) -> bool {
        let elsewhere = self.format == Format::Text && (change.moved || change.repartitioned);
        self.all || !change.status.is_quiet(self.depth) || elsewhere
    }

    fn shown(self, changes: &[Change]) -> Vec<&Change> {
        changes.iter().filter(|change| self.shows(change)).collect()
    }

    /// The text of rows that are not the first, once it is known that they are not kept.
    fn text(self, flow: Option<&DiffFlow>, changes: &[Change]) -> Option<io::Result<Vec<u8>>> {
        let mut text = Vec::new();
        Some(flow?.rows(false, &self.shown(changes), &mut text).map(|()| text))
    }

    fn flow(self, first: &[Change]) -> DiffFlow {
        match self.format {
            Format::Json => DiffFlow::Json(self.depth),
            Format::Jsonl => DiffFlow::Jsonl,
            Format::Csv => DiffFlow::Csv,
            Format::Markdown => DiffFlow::Markdown,
            _ => DiffFlow::Text(DiffColumns::of(&self.rows(first, 0), self.look)),
        }
    }

    fn rows(self, held: &[Change], hidden: usize) -> DiffRows<'_> {
        DiffRows { rows: held.iter().collect(), hidden, long: self.long }
    }

    /// Everything, of rows that were kept, out of so many.
    fn write(self, found: &Diff<'_>, held: &[Change], count: usize, out: &mut dyn Write) -> io::Result<()> {
        let rows = self.rows(held, count.saturating_sub(held.len()));
        match self.format {
            Format::Json => diff_json(found, &rows, out),
            Format::Jsonl => diff_jsonl(&rows, out),
            Format::Csv => diff_csv(&rows, out),
            Format::Markdown => diff_markdown(found, &rows, out),
            _ => diff_text(found, &rows, self.look, out),
        }
    }
}

fn go_on(written: &io::Result<()>) -> ControlFlow<()> {
    if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// Rows that come in the order in which they are shown.
struct Rows<'r> {
    show: Show<'r>,
    /// Set once there are more than are kept.
    flow: &'r OnceLock<DiffFlow>,
    held: Vec<Change>,
    notes: DiffNotes,
    /// All that would be shown.
    count: usize,
}

impl<'r> Rows<'r> {
    fn new(show: Show<'r>, flow: &'r OnceLock<DiffFlow>) -> Self {
        Self { show, flow, held: Vec::new(), notes: DiffNotes::default(), count: 0 }
    }

    /// Some that follow those before, with their text if it was made already.
    fn take(&mut self, text: Option<io::Result<Vec<u8>>>, changes: Vec<Change>, out: &mut dyn Write) -> io::Result<()> {
        let Some(flow) = self.flow.get() else { return self.keep(changes, out) };
        let mut rows = self.show.shown(&changes);
        self.count += rows.len();
        let room = self.show.most.saturating_sub(self.notes.rows());
        let text = text.filter(|_| rows.len() <= room);
        rows.truncate(room);
        let text = text.unwrap_or_else(|| {
            let mut text = Vec::new();
            flow.rows(false, &rows, &mut text).map(|()| text)
        })?;
        self.notes.add(&rows);
        out.write_all(&text)
    }

    fn keep(&mut self, changes: Vec<Change>, out: &mut dyn Write) -> io::Result<()> {
        let show = self.show;
        for change in changes.into_iter().filter(|change| show.shows(change)) {
            self.count += 1;
            if self.held.len() < show.most {
                self.held.push(change);
            }
        }
        if self.held.len() <= HELD {
            return Ok(());
        }
        // From here on nothing is kept.
        let held = std::mem::take(&mut self.held);
        let flow = self.flow.get_or_init(|| show.flow(&held));
        flow.head(show.a, show.b, out)?;
        let mut text = Vec::new();
        for (n, some) in held.chunks(SOME).enumerate() {
            let rows: Vec<&Change> = some.iter().collect();
            flow.rows(n == 0, &rows, &mut text)?;
            self.notes.add(&rows);
            out.write_all(&text)?;
            text.clear();
        }
        Ok(())
    }

    fn finish(self, found: &Diff<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self.flow.get() {
            Some(flow) => flow.foot(found, &self.notes, self.count.saturating_sub(self.notes.rows()), out),
            None => self.show.write(found, &self.held, self.count, out),
        }
    }
}
