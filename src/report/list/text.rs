//! `list` for people: one line a tensor, columns aligned without holding the rows.
//!
//! Two passes over the rows: widths, then lines. A name longer than its column moves its own line's columns instead of
//! everybody's; so does any other cell where there are so many rows that only some are measured.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::places::{PLACE_COLUMN, SliceRow, place, slice_row};
use crate::analysis::{
    Group, Listing, MissingShards, RowCursor, TreeRow, derived, is_by_optimizer, is_zero, short_name,
};
use crate::base::escape::{escaped, is_plain};
use crate::read::checkpoint::Tensor;
use crate::report::Look;
use crate::report::kit::rows::{Text, push_spaces, write_rows};
use crate::report::kit::table::Columns;
use crate::report::kit::units::{count, parameters_text, percent, shape_text, size, tensors_text};
use crate::report::kit::wrap::{joined, middle};

/// Rows whose cells are all measured. Of more a sample is: nobody sees that a line among so many is not in its column.
const MEASURED: usize = 20_000;

/// Widest name column when the output is no terminal.
const NAME_COLUMN: usize = 64;

/// What decides the cells of a row: kind, bytes, role.
type Facts = (usize, Option<u64>, u16);

/// How many sets of cells are kept: those of a variable, of its slots, and of its neighbour with other dimensions.
const KEPT: usize = 8;

/// The cells behind a name.
struct Cells {
    of: Facts,
    /// dtype, shape, size and role.
    text: [String; 4],
    /// The same in their columns, once somebody has set them.
    line: String,
}

/// The cells of the last rows. Rows that are near each other often have the same, and then they are not made again.
#[derive(Default)]
struct Recent {
    kept: Vec<Cells>,
    /// Which of them the next new one replaces.
    oldest: usize,
}

impl Recent {
    /// The cells of a row, and whether they had to be made.
    fn of(&mut self, listing: &Listing<'_>, rows: &RowCursor<'_>, long: bool) -> (&mut Cells, bool) {
        let (at, tensor) = (rows.position(), rows.tensor());
        let key = (rows.kind(), tensor.bytes(), listing.roles.number(at));
        let known = self.kept.iter().position(|cells| cells.of == key);
        let position = known.unwrap_or_else(|| {
            let cells = Cells::new(key, tensor, listing, at, long);
            if self.kept.len() < KEPT {
                self.kept.push(cells);
                return self.kept.len() - 1;
            }
            let position = self.oldest;
            self.oldest = (position + 1) % KEPT;
            self.kept[position] = cells;
            position
        });
        (&mut self.kept[position], known.is_none())
    }
}

impl Cells {
    fn new(of: Facts, tensor: &Tensor, listing: &Listing<'_>, at: usize, long: bool) -> Self {
        let bytes = match of.1 {
            None => "?".to_owned(),
            Some(bytes) if long => bytes.to_string(),
            Some(bytes) => size(bytes),
        };
        let (role, optimizer) = (listing.roles.role(at), listing.roles.optimizer(at));
        let role = match optimizer {
            Some(optimizer) => format!("{} {optimizer}", role.name()),
            None => role.name().to_owned(),
        };
        Self { of, text: [tensor.dtype.to_string(), shape_text(&tensor.shape), bytes, role], line: String::new() }
    }
}

/// The name in its column: without the suffix of variables, unless keys are shown as stored.
fn label(tensor: &Tensor, long: bool) -> &[u8] {
    if long { &tensor.name } else { short_name(&tensor.name) }
}

/// Columns that a name takes, escaped.
fn label_width(name: &[u8]) -> usize {
    if is_plain(name) { name.len() } else { escaped(name).width() }
}

/// `list --format text`; `long` adds shard, offset, checksum and slices.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn list_text(
    listing: &Listing<'_>,
    long: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let header = ["name", "dtype", "shape", if long { "bytes" } else { "size" }, "role"];
    // A name that is wider than any column can be needs no measuring.
    let widest = look.width.unwrap_or(NAME_COLUMN).max(16);
    let measure = |rows: &RowCursor<'_>, part: &mut Widths| {
        if part.name < widest {
            part.name = part.name.max(label_width(label(rows.tensor(), long)));
        }
        let (cells, is_new) = part.cells.of(listing, rows, long);
        if is_new {
            for (width, cell) in part.others.iter_mut().zip(&cells.text) {
                *width = (*width).max(cell.chars().count());
            }
        }
    };
    let parts =
        if listing.rows.len() > MEASURED { listing.sample(MEASURED, measure) } else { listing.in_parts(measure) };
    let mut name_width = header[0].len();
    let mut widths = [header[1].len(), header[2].len(), header[3].len(), header[4].len()];
    for part in parts {
        name_width = name_width.max(part.name);
        widths.iter_mut().zip(part.others).for_each(|(width, other)| *width = other.max(*width));
    }
    let place = if long { PLACE_COLUMN + "0x12345678".len() + 4 } else { 0 };
    let others: usize = widths.iter().sum::<usize>() + 2 * widths.len() + place;
    let least = if long { 12 } else { 16 };
    // On a terminal without room for it, the place stands below.
    let below = long && look.width.is_some_and(|width| others + least > width);
    let others = if below { others - place } else { others };
    let cap = look.width.map_or(NAME_COLUMN, |width| width.saturating_sub(others).max(least));
    let name_width = name_width.min(cap);
    let bold = look.bold();
    let head = format!(
        "{:name_width$}  {:a$}  {:b$}  {:>c$}  {}{}",
        header[0],
        header[1],
        header[2],
        header[3],
        header[4],
        if long && !below {
            let pad = " ".repeat(widths[3].saturating_sub(header[4].len()));
            format!("{pad}  {:PLACE_COLUMN$}  crc32c", "shard:offset")
        } else {
            String::new()
        },
        a = widths[0],
        b = widths[1],
        c = widths[2],
    );
    if !listing.rows.is_empty() {
        writeln!(out, "{bold}{head}{bold:#}")?;
    }
    let text = || Rows {
        listing,
        long,
        name_width,
        width: look.width,
        below,
        widths,
        cursor: listing.cursor(),
        cells: Recent::default(),
        missing: MissingShards::default(),
        shown: Shown::default(),
        without_data: 0,
    };
    let texts = write_rows(listing.rows.len(), listing.threads(), text, out)?;
    footer(listing, texts.iter().any(|text| text.shown.shortened), look, out)?;
    if texts.iter().any(|text| text.shown.by_optimizer) {
        writeln!(
            out,
            "_trainable_variables are the weights of the model, stored under Keras 3's\n\
             shortest way to them; --names has their names"
        )?;
    }
    match texts.iter().map(|text| text.without_data).sum() {
        0 => Ok(()),
        1 => writeln!(out, "the data of 1 tensor is missing"),
        n => writeln!(out, "the data of {} tensors is missing", count(n)),
    }
}

/// The widths of the columns in some rows.
#[derive(Default)]
struct Widths {
    name: usize,
    others: [usize; 4],
    cells: Recent,
}

/// What rows showed that is told below them.
#[derive(Default)]
struct Shown {
    /// Whether a name was shown without its end.
    shortened: bool,
    /// Whether a variable of the model stands under the list of its optimizer.
    by_optimizer: bool,
}

/// Formats the lines of rows.
struct Rows<'l> {
    listing: &'l Listing<'l>,
    long: bool,
    name_width: usize,
    /// Columns of a terminal, where a name that is wider than its column has a line to itself.
    width: Option<usize>,
    /// Whether places stand below the rows.
    below: bool,
    widths: [usize; 4],
    cursor: RowCursor<'l>,
    cells: Recent,
    missing: MissingShards,
    shown: Shown,
    /// Rows whose data is missing.
    without_data: u64,
}

impl Text for Rows<'_> {
    fn row(&mut self, n: usize, text: &mut Vec<u8>) -> io::Result<()> {
        let Self { listing, long, .. } = *self;
        let [dtype_width, shape_width, bytes_width, role_width] = self.widths;
        if !self.cursor.seek(n) {
            return Ok(());
        }
        let (cells, is_new) = self.cells.of(listing, &self.cursor, long);
        if is_new {
            let [dtype, shape, bytes, role] = &cells.text;
            cells.line = format!("  {dtype:dtype_width$}  {shape:shape_width$}  {bytes:>bytes_width$}  {role}");
        }
        let tensor = self.cursor.tensor();
        let name = label(tensor, long);
        self.shown.shortened |= !long && name.len() != tensor.name.len();
        self.shown.by_optimizer = self.shown.by_optimizer || is_by_optimizer(&tensor.name);
        let width = if is_plain(name) {
            text.extend_from_slice(name);
            name.len()
        } else {
            let name = escaped(name);
            text.extend_from_slice(name.as_bytes());
            name.width()
        };
        if self.width.is_some() && width > self.name_width {
            text.push(b'\n');
            push_spaces(text, self.name_width);
        } else {
            push_spaces(text, self.name_width.saturating_sub(width));
        }
        text.extend_from_slice(cells.line.as_bytes());
        let mut end = String::new();
        if long {
            end = place(tensor);
        }
        if self.missing.is_missing(listing.checkpoint, tensor) {
            self.without_data += 1;
            let space = if end.is_empty() { "" } else { "  " };
            if let Some(value) = derived(listing.checkpoint, tensor) {
                let assumption = value.assumption().map_or_else(String::new, |text| format!(" {text}"));
                end = format!("{end}{space}= {} from the checksum{assumption}", value.text());
            } else if is_zero(tensor) {
                end = format!("{end}{space}all zero by the checksum");
            }
        }
        if !end.is_empty() {
            let pad = role_width.saturating_sub(cells.text[3].chars().count());
            let wide = self.name_width + cells.line.width() + pad + 2 + end.trim_end().width();
            if self.below || self.width.is_some_and(|width| wide > width) {
                write!(text, "\n    {}", end.trim_end())?;
            } else {
                write!(text, "{:pad$}  {}", "", end.trim_end())?;
            }
        }
        text.push(b'\n');
        if long {
            let name_width = self.name_width;
            for slice in tensor.slices().iter() {
                let SliceRow { name, shape, bytes, place } = slice_row(&slice, &tensor.shape);
                write!(text, "{name:name_width$}  {:dtype_width$}  {shape:shape_width$}  {bytes:>bytes_width$}", "")?;
                if self.below {
                    writeln!(text, "\n    {place}")?;
                } else {
                    writeln!(text, "  {:role_width$}  {place}", "")?;
                }
            }
        }
        Ok(())
    }
}

pub(in crate::report) fn footer(
    listing: &Listing<'_>,
    shortened: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let totals = listing.totals;
    let dim = look.dim();
    let of = if listing.all == totals.tensors { String::new() } else { format!(" of {}", count(listing.all as u64)) };
    let tensors = count(totals.tensors as u64);
    let plural = if totals.tensors == 1 && of.is_empty() { "" } else { "s" };
    let mut facts =
        vec![format!("{tensors}{of} tensor{plural}"), parameters_text(totals.parameters), size(totals.bytes)];
    if shortened {
        facts.push("keys end in /.ATTRIBUTES/VARIABLE_VALUE".to_owned());
    }
    writeln!(out, "{dim}{}{dim:#}", joined(&facts, 0, 2, look))
}

/// `list --by`: one line a group.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn groups_text(
    groups: &[Group],
    what: &str,
    listing: &Listing<'_>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = Columns::new("<>>>>", &[what, "tensors", "parameters", "size", "share"]);
    let whole = listing.totals.bytes;
    // The numbers and what is between the columns.
    let most = look.width.map_or(usize::MAX, |width| width.saturating_sub(48).max(24));
    for Group { key, totals } in groups {
        let numbers = [count(totals.tensors as u64), count(totals.parameters), size(totals.bytes)];
        table.row([middle(key, most)].into_iter().chain(numbers).chain([percent(totals.bytes, whole)]));
    }
    table.write(out, look.bold())?;
    footer(listing, false, look, out)
}

/// `list --tree`: scopes with subtotals.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn tree_text(
    rows: &[TreeRow],
    listing: &Listing<'_>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let label = |row: &TreeRow| format!("{}{}", "  ".repeat(row.depth), escaped(&row.name));
    // Size, dtype and a shape fit behind.
    let most = look.width.map_or(NAME_COLUMN, |width| width.saturating_sub(34).clamp(16, NAME_COLUMN));
    let width = rows.iter().map(|row| label(row).width()).max().unwrap_or(0).min(most);
    let mut tensors = listing.checkpoint.tensors().cursor();
    for row in rows {
        let label = label(row);
        let pad = match label.width() {
            wide if wide > width && look.width.is_some() => format!("\n{:width$}", ""),
            wide => " ".repeat(width.saturating_sub(wide)),
        };
        let totals = row.totals;
        let tensor = row.tensor.and_then(|at| tensors.reach(at));
        // A name may be a tensor and a scope at once: `kernel` above `kernel/Adam`.
        let what = match tensor {
            Some(tensor) if totals.tensors == 1 => format!("{} {}", tensor.dtype, shape_text(&tensor.shape)),
            Some(tensor) => {
                let below = totals.tensors - 1;
                format!("{} {} and {} below", tensor.dtype, shape_text(&tensor.shape), count(below as u64))
            }
            None => tensors_text(totals.tensors),
        };
        let (style, size) =
            (if row.tensor.is_none() { look.bold() } else { look.style(anstyle::Style::new()) }, size(totals.bytes));
        writeln!(out, "{style}{label}{style:#}{pad}  {size:>10}  {what}")?;
    }
    footer(listing, false, look, out)
}
