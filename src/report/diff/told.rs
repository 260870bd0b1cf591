//! `diff` in any format: its rows kept until all are known, or written as they are found where there are more than that.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::DiffRows;
use super::flow::{DiffFlow, DiffFoot, DiffNotes};
use super::github::{ROWS, diff_github};
use super::json::{diff_json, diff_jsonl};
use super::table::{diff_csv, diff_markdown};
use super::text::diff_text;
use crate::analysis::diff::{Change, ChangeKey, Comparison, Depth, Diff, Largest, by_change};
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::format::{CHANGES, Format};
use crate::report::kit::look::Look;
use crate::report::kit::row_format::{RowFormat, SOME};

/// What `diff` has.
pub const DIFF_FORMATS: &[Format] = CHANGES;

/// As many rows are kept until all pairs have been compared. More are written as they come.
const HELD: usize = 1 << 14;

/// In which order changes are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiffOrder {
    /// By name.
    #[default]
    Name,
    /// The largest first.
    Change,
}

/// Which rows of a comparison are told, and how.
#[derive(Clone, Copy, Debug)]
pub struct DiffReport<'s> {
    /// The first side.
    pub a: &'s Checkpoint,
    /// The second.
    pub b: &'s Checkpoint,
    /// How far was compared.
    pub depth: Depth,
    /// The format: one of [`DIFF_FORMATS`].
    pub format: Format,
    /// How text looks.
    pub look: Look,
    /// Whether identical ones are shown too.
    pub all: bool,
    /// Whether names are shown as stored, and more of each row.
    pub long: bool,
    /// Whether singular values were asked for, of which CSV has columns of their own.
    pub spectral: bool,
    /// Their order.
    pub order: DiffOrder,
    /// Show this many rows.
    pub most: usize,
}

impl DiffReport<'_> {
    /// Compares what is to be compared and writes what is to be shown. In the format of GitHub the first changes are in
    /// the answer, for the summary of the step; [`Diff::changes`] is empty otherwise.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write<'c>(
        mut self,
        comparison: Comparison<'c, '_>,
        progress: &Progress,
        out: &mut dyn Write,
    ) -> io::Result<Diff<'c>> {
        if self.format == Format::Github {
            self.most = self.most.min(ROWS);
        }
        if comparison.len().min(self.most) > HELD {
            progress.tells.store(true, Ordering::Relaxed);
        }
        if self.order == DiffOrder::Change {
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
        let changes = rows.finish(&found, out)?;
        Ok(Diff { changes, ..found })
    }

    /// The largest changes first. If there are more than are kept, all of them are compared twice.
    fn by_change<'c>(
        self,
        comparison: Comparison<'c, '_>,
        progress: &Progress,
        out: &mut dyn Write,
    ) -> io::Result<Diff<'c>> {
        let mut largest = Largest::new(self.most.min(HELD));
        let (mut keys, mut count) = (Vec::new(), 0);
        // What parts came to is not read a second time.
        let (is_merged, mut known) = (comparison.is_shared(), BTreeMap::new());
        let (found, again) = comparison.each(
            progress,
            |_| (),
            |(), changes| {
                let shown = changes.into_iter().filter(|change| self.shows(change));
                let shown = shown.inspect(|change| {
                    count += 1;
                    if self.most > HELD {
                        keys.push(ChangeKey::of(change));
                    }
                });
                if is_merged && self.most > HELD {
                    known.extend(shown.map(|change| (change.at, change)));
                } else {
                    largest.extend(shown);
                }
                ControlFlow::Continue(())
            },
        );
        if self.most <= HELD || count <= HELD {
            largest.extend(std::mem::take(&mut known).into_values());
            let mut held = largest.finish();
            self.whole(&found, &held, count, out)?;
            held.truncate(if self.format == Format::Github { ROWS } else { 0 });
            return Ok(Diff { changes: held, ..found });
        }
        drop(largest);
        let mut order = ChangeKey::sorted(keys);
        order.truncate(self.most);
        let flow = OnceLock::new();
        let mut rows = Rows::new(self, &flow);
        let mut written = Ok(());
        let make = |changes: &[Change]| self.text(flow.get(), changes);
        if is_merged {
            for change in order.iter().filter_map(|at| known.remove(at)) {
                rows.take(None, vec![change], out)?;
            }
        } else {
            again.each(&order, progress, make, |text, changes| {
                written = rows.take(text, changes, out);
                go_on(&written)
            });
        }
        written?;
        rows.count = count;
        rows.finish(&found, out)?;
        Ok(found)
    }

    /// Writes a comparison that is over, what is to be shown of it. In the format of GitHub the first changes are left in
    /// it, for the summary of the step.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_found<'c>(mut self, mut found: Diff<'c>, out: &mut dyn Write) -> io::Result<Diff<'c>> {
        if self.format == Format::Github {
            self.most = self.most.min(ROWS);
        }
        let mut held = std::mem::take(&mut found.changes);
        held.retain(|change| self.shows(change));
        if self.order == DiffOrder::Change {
            held.sort_by(by_change);
        }
        let count = held.len();
        held.truncate(self.most);
        self.whole(&found, &held, count, out)?;
        held.truncate(if self.format == Format::Github { ROWS } else { 0 });
        Ok(Diff { changes: held, ..found })
    }

    /// Identical ones are there with `--long` too, for those of them that only lie elsewhere.
    fn shows(self, change: &Change) -> bool {
        let elsewhere = self.format == Format::Text && (change.moved || change.repartitioned);
        self.all || !change.is_quiet(self.depth) || elsewhere
    }

    fn shown(self, changes: &[Change]) -> Vec<&Change> {
        changes.iter().filter(|change| self.shows(change)).collect()
    }

    /// The text of rows that are not the first, once it is known that they are not kept.
    fn text(self, flow: Option<&DiffFlow<'_>>, changes: &[Change]) -> Option<io::Result<Vec<u8>>> {
        let mut text = Vec::new();
        Some(flow?.rows(HELD, &self.shown(changes), &mut text).map(|()| text))
    }

    fn rows(self, held: &[Change], hidden: usize) -> DiffRows<'_> {
        DiffRows { rows: held.iter().collect(), hidden, long: self.long, spectral: self.spectral }
    }

    /// Everything, of rows that were kept, out of so many.
    fn whole(self, found: &Diff<'_>, held: &[Change], count: usize, out: &mut dyn Write) -> io::Result<()> {
        let rows = self.rows(held, count.saturating_sub(held.len()));
        write_diff(found, &rows, self.format, self.look, out)
    }
}

/// Writes a comparison that is over: these rows of it, and what it comes to.
///
/// # Errors
/// What `out` says.
pub fn write_diff(
    found: &Diff<'_>,
    rows: &DiffRows<'_>,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => diff_json(found, rows, out),
        Format::Jsonl => diff_jsonl(rows, out),
        Format::Csv => diff_csv(rows, out),
        Format::Markdown => diff_markdown(found, rows, out),
        Format::Github => diff_github(found, rows, out),
        _ => diff_text(found, rows, look, out),
    }
}

fn go_on(written: &io::Result<()>) -> ControlFlow<()> {
    if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// Rows that come in the order in which they are shown.
struct Rows<'r> {
    show: DiffReport<'r>,
    /// Set once there are more than are kept.
    flow: &'r OnceLock<DiffFlow<'r>>,
    held: Vec<Change>,
    notes: DiffNotes,
    /// All that would be shown.
    count: usize,
}

impl<'r> Rows<'r> {
    fn new(show: DiffReport<'r>, flow: &'r OnceLock<DiffFlow<'r>>) -> Self {
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
            flow.rows(HELD, &rows, &mut text).map(|()| text)
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
        let flow = self
            .flow
            .get_or_init(|| DiffFlow::new((show.a, show.b), show.format, show.depth, &show.rows(&held, 0), show.look));
        flow.head(out)?;
        let mut text = Vec::new();
        for (some, first) in held.chunks(SOME).zip((0..).step_by(SOME)) {
            let rows: Vec<&Change> = some.iter().collect();
            flow.rows(first, &rows, &mut text)?;
            self.notes.add(&rows);
            out.write_all(&text)?;
            text.clear();
        }
        Ok(())
    }

    /// Writes what is left, and returns the changes where somebody wants them.
    fn finish(self, found: &Diff<'_>, out: &mut dyn Write) -> io::Result<Vec<Change>> {
        match self.flow.get() {
            Some(flow) => {
                let shown = self.notes.rows();
                let hidden = self.count.saturating_sub(shown);
                flow.foot(&DiffFoot { diff: found, notes: &self.notes, hidden }, shown, out)?;
            }
            None => self.show.whole(found, &self.held, self.count, out)?,
        }
        Ok(if self.show.format == Format::Github { self.held } else { Vec::new() })
    }
}
