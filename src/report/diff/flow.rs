//! `diff` of more than is kept: rows written before it is known what all of them come to, and made on any thread.
//!
//! Text has the columns of the first rows, and JSON its totals behind the changes. Otherwise nothing is different.

use std::io::{self, Write};

use super::DiffRows;
use super::change_json::Change as ChangeJson;
use super::json;
use super::lines::Layout;
use super::table::{csv_header, csv_rows, markdown_foot, markdown_header, markdown_row};
use super::text::{Reasons, foot, sides};
use crate::analysis::diff::{Change, Depth, Diff};
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::format::Format;
use crate::report::kit::json::write_fields;
use crate::report::kit::look::Look;
use crate::report::kit::row_format::RowFormat;

/// A format of `diff`, with what it knows before all rows are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct DiffFlow<'f> {
    a: &'f Checkpoint,
    b: &'f Checkpoint,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Text(Columns),
    Json(Depth),
    Jsonl,
    /// Whether with singular values.
    Csv(bool),
    Markdown,
}

/// What is known behind the rows.
pub(super) struct DiffFoot<'f> {
    /// What was compared.
    pub(super) diff: &'f Diff<'f>,
    /// What is told of the rows that were shown.
    pub(super) notes: &'f DiffNotes,
    /// How many rows are left out.
    pub(super) hidden: usize,
}

/// How lines of text are written.
#[derive(Clone, Copy, Debug)]
struct Columns {
    layout: Layout,
    long: bool,
    look: Look,
}

/// What is told of rows behind the last of them, found while they pass by.
#[derive(Debug, Default)]
pub(super) struct DiffNotes {
    reasons: Reasons,
    rows: usize,
}

impl DiffNotes {
    /// Takes rows in that follow those before.
    pub(super) fn add(&mut self, rows: &[&Change]) {
        self.rows += rows.len();
        for change in rows {
            self.reasons.add(change);
        }
    }

    /// How many there were.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }
}

impl<'f> DiffFlow<'f> {
    /// For these two sides. Columns of text fit these rows, which are the first.
    pub(super) fn new(
        (a, b): (&'f Checkpoint, &'f Checkpoint),
        format: Format,
        depth: Depth,
        first: &DiffRows<'_>,
        look: Look,
    ) -> Self {
        let form = match format {
            Format::Json => Form::Json(depth),
            Format::Jsonl => Form::Jsonl,
            Format::Csv => Form::Csv(first.spectral),
            Format::Markdown => Form::Markdown,
            _ => Form::Text(Columns { layout: Layout::of(first, look), long: first.long, look }),
        };
        Self { a, b, form }
    }
}

impl<'r, 'd> RowFormat<&'r Change, DiffFoot<'d>> for DiffFlow<'_> {
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.form {
            Form::Text(Columns { layout, look, .. }) => {
                sides(self.a, self.b, look, out)?;
                writeln!(out)?;
                layout.heading(look, out)
            }
            Form::Json(depth) => {
                out.write_all(b"{")?;
                write_fields(&json::head(self.a, self.b), out)?;
                out.write_all(b",\n")?;
                write_fields(&json::depth(depth), out)?;
                out.write_all(b",\n\"changes\":[")
            }
            Form::Jsonl => Ok(()),
            Form::Csv(spectral) => csv_header(spectral, out),
            Form::Markdown => markdown_header(out),
        }
    }

    fn rows(&self, first: usize, rows: &[&'r Change], out: &mut Vec<u8>) -> io::Result<()> {
        match self.form {
            Form::Text(Columns { layout, long, look }) => {
                rows.iter().try_for_each(|change| layout.line(change, long, look, out))
            }
            Form::Json(_) => (first..).zip(rows).try_for_each(|(n, change)| {
                out.extend_from_slice(if n == 0 { b"\n" } else { b",\n" });
                Ok(serde_json::to_writer(&mut *out, &ChangeJson::from(*change))?)
            }),
            Form::Jsonl => rows.iter().try_for_each(|change| {
                serde_json::to_writer(&mut *out, &ChangeJson::from(*change))?;
                out.push(b'\n');
                Ok(())
            }),
            Form::Csv(spectral) => csv_rows(rows, spectral, out),
            Form::Markdown => rows.iter().try_for_each(|change| writeln!(out, "{}", markdown_row(change))),
        }
    }

    fn foot(&self, behind: &DiffFoot<'d>, shown: usize, out: &mut dyn Write) -> io::Result<()> {
        let DiffFoot { diff, notes, hidden } = *behind;
        match self.form {
            Form::Text(Columns { look, .. }) => foot(diff, (shown, hidden), &notes.reasons, look, out),
            Form::Json(_) => {
                out.write_all(b"],\n")?;
                write_fields(&json::verdict(diff), out)?;
                out.write_all(b",")?;
                write_fields(&json::summary(diff), out)?;
                out.write_all(b",")?;
                write_fields(&json::foot(diff, hidden), out)?;
                writeln!(out, "}}")
            }
            Form::Jsonl | Form::Csv(_) => Ok(()),
            Form::Markdown => markdown_foot(diff, hidden, out),
        }
    }
}
