//! `diff` of more than is kept: rows written before it is known what all of them come to, and made on any thread.
//!
//! Text has the columns of the first rows, and JSON its totals behind the changes. Otherwise nothing is different.

use std::io::{self, Write};

use super::change_json::Change as ChangeJson;
use super::json;
use super::lines::Layout;
use super::table::{csv_header, csv_rows, markdown_foot, markdown_header, markdown_row};
use super::text::{Reasons, foot, sides};
use crate::analysis::diff::{Change, Depth, Diff};
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::json::write_fields;
use crate::report::{DiffRows, Look};

/// A format of `diff`, with what it knows before all rows are there.
#[derive(Clone, Copy, Debug)]
pub enum DiffFlow {
    /// `--format text`.
    Text(DiffColumns),
    /// `--format json`.
    Json(Depth),
    /// `--format jsonl`.
    Jsonl,
    /// `--format csv`.
    Csv,
    /// `--format markdown`.
    Markdown,
}

/// How lines of text are written.
#[derive(Clone, Copy, Debug)]
pub struct DiffColumns {
    layout: Layout,
    long: bool,
    look: Look,
}

impl DiffColumns {
    /// Columns that fit these rows, which are the first.
    pub fn of(rows: &DiffRows<'_>, look: Look) -> Self {
        Self { layout: Layout::of(rows, look), long: rows.long, look }
    }
}

/// What is told of rows behind the last of them, found while they pass by.
#[derive(Debug, Default)]
pub struct DiffNotes {
    reasons: Reasons,
    rows: usize,
}

impl DiffNotes {
    /// Takes rows in that follow those before.
    pub fn add(&mut self, rows: &[&Change]) {
        self.rows += rows.len();
        for change in rows {
            self.reasons.add(change);
        }
    }

    /// How many there were.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl DiffFlow {
    /// What stands before the rows.
    ///
    /// # Errors
    /// What `out` says.
    pub fn head(&self, a: &Checkpoint, b: &Checkpoint, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Text(DiffColumns { layout, look, .. }) => {
                sides(a, b, *look, out)?;
                writeln!(out)?;
                layout.heading(*look, out)
            }
            Self::Json(depth) => {
                out.write_all(b"{")?;
                write_fields(&json::head(a, b), out)?;
                out.write_all(b",\n")?;
                write_fields(&json::depth(*depth), out)?;
                out.write_all(b",\n\"changes\":[")
            }
            Self::Jsonl => Ok(()),
            Self::Csv => csv_header(out),
            Self::Markdown => markdown_header(out),
        }
    }

    /// Rows that follow one another; whether they are the first.
    ///
    /// # Errors
    /// What writing to memory says, which is nothing.
    pub fn rows(&self, is_first: bool, rows: &[&Change], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Text(DiffColumns { layout, long, look }) => {
                rows.iter().try_for_each(|change| layout.line(change, *long, *look, out))
            }
            Self::Json(_) => rows.iter().enumerate().try_for_each(|(n, change)| {
                out.extend_from_slice(if n == 0 && is_first { b"\n" } else { b",\n" });
                Ok(serde_json::to_writer(&mut *out, &ChangeJson::from(*change))?)
            }),
            Self::Jsonl => rows.iter().try_for_each(|change| {
                serde_json::to_writer(&mut *out, &ChangeJson::from(*change))?;
                out.push(b'\n');
                Ok(())
            }),
            Self::Csv => csv_rows(rows, out),
            Self::Markdown => rows.iter().try_for_each(|change| writeln!(out, "{}", markdown_row(change))),
        }
    }

    /// What stands behind the rows; so many are left out.
    ///
    /// # Errors
    /// What `out` says.
    pub fn foot(&self, diff: &Diff<'_>, notes: &DiffNotes, hidden: usize, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Text(DiffColumns { look, .. }) => foot(diff, (notes.rows, hidden), &notes.reasons, *look, out),
            Self::Json(_) => {
                out.write_all(b"],\n")?;
                write_fields(&json::verdict(diff), out)?;
                out.write_all(b",")?;
                write_fields(&json::summary(diff), out)?;
                out.write_all(b",")?;
                write_fields(&json::foot(diff, hidden), out)?;
                writeln!(out, "}}")
            }
            Self::Jsonl | Self::Csv => Ok(()),
            Self::Markdown => markdown_foot(diff, hidden, out),
        }
    }
}
