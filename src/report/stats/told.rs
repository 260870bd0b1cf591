//! `stats` in any format: its rows kept until all are known, or written as they are found where there are more than
//! that.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use super::csv::StatsCsv;
use super::json::{StatsJson, StatsJsonl};
use super::markdown::StatsMarkdown;
use super::text::StatsText;
use crate::analysis::Selection;
use crate::analysis::parts::Share;
use crate::analysis::stats::{First, SortKey, StatsOptions, StatsOrder, TensorStats, Totals, each};
use crate::base::error::Error;
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::format::{Format, TABLES};
use crate::report::kit::look::Look;
use crate::report::kit::row_format::RowFormat;

/// What `stats` has.
pub const STATS_FORMATS: &[Format] = TABLES;

/// As many rows are kept until all tensors have been read. More are written as they come, in an order that is known
/// before: that of names, or that of a first reading.
const HELD: usize = 1 << 15;

/// Which figures are told, in which order, and how.
#[derive(Clone, Copy, Debug)]
pub struct StatsReport<'s> {
    /// Whose tensors.
    pub checkpoint: &'s Checkpoint,
    /// What is measured.
    pub options: StatsOptions,
    /// The order of rows.
    pub order: StatsOrder,
    /// Show this many rows.
    pub most: usize,
    /// The format: one of [`STATS_FORMATS`].
    pub format: Format,
    /// How text looks.
    pub look: Look,
    /// Whether bars are drawn in ASCII.
    pub ascii: bool,
    /// All parts of the report, where several processes have read the tensors.
    pub merged: Option<&'s Share>,
}

impl StatsReport<'_> {
    /// Reads the tensors and writes what is to be shown; hands why a tensor could not be read to `failed`, once each.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(
        &self,
        selection: &Selection,
        progress: &Progress,
        failed: &mut dyn FnMut(&Error),
        out: &mut dyn Write,
    ) -> io::Result<Totals> {
        let most = self.most.min(selection.len());
        if most <= HELD {
            return self.held(selection, most, progress, failed, out);
        }
        if self.order.is_by_name() {
            return self.flowing(selection, None, most, progress, failed, out);
        }
        let mut keys: Vec<SortKey> = Vec::with_capacity(selection.len());
        let mut known: Vec<TensorStats> = Vec::new();
        let take = |rows: Vec<TensorStats>| {
            keys.extend(rows.iter().map(|row| self.order.key(row)));
            if self.merged.is_some() {
                known.extend(rows);
            }
        };
        let totals = self.read(selection, progress, failed, take);
        let sorted: Selection = self.order.sorted(keys).into_iter().take(most).collect();
        if self.merged.is_some() {
            return self.known(&sorted, known, totals, out);
        }
        self.flowing(&sorted, Some(totals), most, progress, &mut |_| (), out)
    }

    /// Writes rows in an order of their own, which are all known: what parts came to is not read a second time.
    fn known(
        &self,
        sorted: &Selection,
        mut known: Vec<TensorStats>,
        totals: Totals,
        out: &mut dyn Write,
    ) -> io::Result<Totals> {
        let format = self.rows(|| StatsText::flowing(self.checkpoint, sorted, self.ascii, self.look));
        format.head(out)?;
        known.sort_unstable_by_key(|row| row.at);
        let (mut first, mut text) = (0, Vec::new());
        for at in sorted.iter() {
            let row = known.binary_search_by_key(&at, |row| row.at).ok().and_then(|n| known.get(n));
            let Some(row) = row else { continue };
            format.rows(first, std::slice::from_ref(row), &mut text)?;
            out.write_all(&text)?;
            text.clear();
            first += 1;
        }
        format.foot(&totals, first, out)?;
        Ok(totals)
    }

    /// Goes through tensors in the order of names.
    fn read(
        &self,
        selection: &Selection,
        progress: &Progress,
        failed: &mut dyn FnMut(&Error),
        mut take: impl FnMut(Vec<TensorStats>),
    ) -> Totals {
        let take = |(), rows: Vec<TensorStats>| {
            rows.iter().filter_map(|row| row.error.as_ref()).for_each(&mut *failed);
            take(rows);
            ControlFlow::Continue(())
        };
        each(self.checkpoint, selection, (&self.options, self.merged), progress, |_, _| (), take)
    }

    /// Reads everything and then writes those rows that were kept.
    fn held(
        &self,
        selection: &Selection,
        most: usize,
        progress: &Progress,
        failed: &mut dyn FnMut(&Error),
        out: &mut dyn Write,
    ) -> io::Result<Totals> {
        let mut first = First::new(self.order, most);
        let totals = self.read(selection, progress, failed, |rows| first.extend(rows));
        self.write_rows(&first.finish(), &totals, out)?;
        Ok(totals)
    }

    /// Writes figures that are all there: these rows, and what they come to.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_rows(&self, rows: &[TensorStats], totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        let text = || StatsText::fitting(self.checkpoint, rows, self.ascii, self.look);
        self.rows(text).write(rows, totals, out)
    }

    /// Writes rows as they are done; what they come to unless it is known.
    fn flowing(
        &self,
        selection: &Selection,
        known: Option<Totals>,
        most: usize,
        progress: &Progress,
        failed: &mut dyn FnMut(&Error),
        out: &mut dyn Write,
    ) -> io::Result<Totals> {
        progress.tells.store(true, Ordering::Relaxed);
        let format = self.rows(|| StatsText::flowing(self.checkpoint, selection, self.ascii, self.look));
        format.head(out)?;
        let make = |first: usize, rows: &[TensorStats]| {
            let shown = rows.get(..most.saturating_sub(first)).unwrap_or(rows);
            let mut text = Vec::new();
            format.rows(first, shown, &mut text).map(|()| text)
        };
        let mut written = Ok(());
        let take = |text: io::Result<Vec<u8>>, rows: Vec<TensorStats>| {
            rows.iter().filter_map(|row| row.error.as_ref()).for_each(&mut *failed);
            written = text.and_then(|text| out.write_all(&text));
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let found = each(self.checkpoint, selection, (&self.options, self.merged), progress, make, take);
        written?;
        let totals = known.unwrap_or(found);
        format.foot(&totals, most.min(totals.tensors), out)?;
        Ok(totals)
    }

    fn rows<'f>(&'f self, text: impl FnOnce() -> StatsText<'f>) -> Box<dyn RowFormat<TensorStats, Totals> + 'f> {
        let checkpoint = self.checkpoint;
        match self.format {
            Format::Json => Box::new(StatsJson(checkpoint)),
            Format::Jsonl => Box::new(StatsJsonl(checkpoint)),
            Format::Csv => Box::new(StatsCsv { checkpoint, options: self.options }),
            Format::Markdown => Box::new(StatsMarkdown(checkpoint)),
            _ => Box::new(text()),
        }
    }
}
