//! `list` for people: one line a tensor, columns aligned without holding the rows.
//!
//! Two passes over the rows: widths, then lines. A name longer than its column moves its own line's columns instead of
//! everybody's.

use std::io::{self, Write};

use super::units::{count, parameters_text, percent, shape_text, size, tensors_text};
use super::{Look, table::Columns};
use crate::analysis::{Group, Listing, Role, TreeRow, derived, is_missing, is_zero, short_name};
use crate::checkpoint::{Parts, Place, StoredSlice, Tensor};
use crate::escape::escaped;
use crate::tensor::{DType, Shape};
use unicode_width::UnicodeWidthStr;

/// Widest name column when the output is no terminal.
const NAME_COLUMN: usize = 64;

/// What decides the cells of a row.
type Facts = (DType, Shape, Option<u64>, Role, Option<&'static str>);

/// The cells behind a name. Neighbours often have the same, and then they are not made again.
#[derive(Default)]
struct Cells {
    of: Option<Facts>,
    /// dtype, shape, size and role.
    text: [String; 4],
}

impl Cells {
    /// Makes the cells of a tensor; false if they are those of the tensor before.
    fn update(&mut self, listing: &Listing<'_>, at: usize, tensor: &Tensor, long: bool) -> bool {
        let (role, optimizer) = (listing.roles.role(at), listing.roles.optimizer(at));
        let key = (tensor.dtype, tensor.shape.clone(), tensor.bytes(), role, optimizer);
        if self.of.as_ref() == Some(&key) {
            return false;
        }
        let bytes = match key.2 {
            None => "?".to_owned(),
            Some(bytes) if long => bytes.to_string(),
            Some(bytes) => size(bytes),
        };
        let role = match optimizer {
            Some(optimizer) => format!("{} {optimizer}", role.name()),
            None => role.name().to_owned(),
        };
        self.text = [tensor.dtype.to_string(), shape_text(&tensor.shape), bytes, role];
        self.of = Some(key);
        true
    }
}

/// The name in its column: without the suffix of variables, unless keys are shown as stored.
fn label(tensor: &Tensor, long: bool) -> std::borrow::Cow<'_, str> {
    escaped(if long { &tensor.name } else { short_name(&tensor.name) })
}

/// `list --format text`; `long` adds shard, offset, checksum and slices.
///
/// # Errors
/// What `out` says.
pub fn list_text(listing: &Listing<'_>, long: bool, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let header = ["name", "dtype", "shape", if long { "bytes" } else { "size" }, "role"];
    let mut name_width = header[0].len();
    let mut widths = [header[1].len(), header[2].len(), header[3].len(), header[4].len()];
    let mut cells = Cells::default();
    let mut rows = listing.cursor();
    while let Some((at, tensor)) = rows.advance() {
        name_width = name_width.max(label(tensor, long).width());
        if cells.update(listing, at, tensor, long) {
            for (width, cell) in widths.iter_mut().zip(&cells.text) {
                *width = (*width).max(cell.chars().count());
            }
        }
    }
    let others: usize = widths.iter().sum::<usize>() + 2 * widths.len();
    let cap = look.width.map_or(NAME_COLUMN, |width| width.saturating_sub(others).max(16));
    let name_width = name_width.min(cap);
    let bold = look.bold();
    let head = format!(
        "{:name_width$}  {:a$}  {:b$}  {:>c$}  {}{}",
        header[0],
        header[1],
        header[2],
        header[3],
        header[4],
        if long {
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
    let (mut shortened, mut missing) = (false, 0usize);
    let [dtype_width, shape_width, bytes_width, role_width] = widths;
    let mut middle = String::new();
    cells = Cells::default();
    let mut rows = listing.cursor();
    while let Some((at, tensor)) = rows.advance() {
        let name = label(tensor, long);
        shortened |= !long && short_name(&tensor.name).len() != tensor.name.len();
        let pad = name_width.saturating_sub(name.width());
        if cells.update(listing, at, tensor, long) {
            let [dtype, shape, bytes, role] = &cells.text;
            middle = format!("  {dtype:dtype_width$}  {shape:shape_width$}  {bytes:>bytes_width$}  {role}");
        }
        let mut end = String::new();
        if long {
            end = place(tensor);
        }
        if is_missing(listing.checkpoint, tensor) {
            missing += 1;
            let space = if end.is_empty() { "" } else { "  " };
            if let Some(value) = derived(listing.checkpoint, tensor) {
                let assumption = value.assumption().map_or_else(String::new, |text| format!(" {text}"));
                end = format!("{end}{space}= {} from the checksum{assumption}", value.text());
            } else if is_zero(tensor) {
                end = format!("{end}{space}all zero by the checksum");
            }
        }
        write!(out, "{name}{:pad$}{middle}", "")?;
        if !end.is_empty() {
            let pad = role_width.saturating_sub(cells.text[3].chars().count());
            write!(out, "{:pad$}  {}", "", end.trim_end())?;
        }
        writeln!(out)?;
        if long {
            for slice in tensor.slices() {
                let SliceRow { name, shape, bytes, place } = slice_row(slice, &tensor.shape);
                writeln!(
                    out,
                    "{name:name_width$}  {:dtype_width$}  {shape:shape_width$}  {bytes:>bytes_width$}  {:role_width$}  {place}",
                    "", ""
                )?;
            }
        }
    }
    footer(listing, shortened, look, out)?;
    match missing {
        0 => Ok(()),
        1 => writeln!(out, "the data of 1 tensor is missing"),
        n => writeln!(out, "the data of {} tensors is missing", count(n as u64)),
    }
}

fn place(tensor: &Tensor) -> String {
    match &tensor.parts {
        Parts::Whole(place) => place_text(place),
        Parts::Slices(slices) => format!("{} slices", slices.len()),
    }
}

fn place_text(place: &Place) -> String {
    match (place.range, place.crc32c) {
        (Some((offset, _)), Some(crc)) => {
            format!("{:PLACE_COLUMN$}  {:#010x}", format!("{}:{offset}", place.shard), crc.0)
        }
        _ => format!("file {}", place.shard),
    }
}

/// Columns that a shard and an offset take; more where the offset is long.
const PLACE_COLUMN: usize = 14;

/// The cells of a stored slice, below its tensor's.
struct SliceRow {
    name: String,
    shape: String,
    bytes: String,
    place: String,
}

/// A slice as `print` understands it, `[0:3, 3:5]`; one that does not fit its tensor as the file has it.
fn slice_row(stored: &StoredSlice, shape: &Shape) -> SliceRow {
    let (name, shape) = match shape.dims().and_then(|dims| stored.slice.resolve(dims)) {
        Some(extents) => {
            let spans: Vec<String> = extents.iter().map(|(start, len)| format!("{start}:{}", start + len)).collect();
            let dims: Vec<i64> = extents.iter().map(|&(_, len)| len.cast_signed()).collect();
            (format!("  [{}]", spans.join(", ")), shape_text(&Shape::new(dims)))
        }
        None => (format!("  slice {}", stored.slice), "?".to_owned()),
    };
    let place = stored.place.map_or_else(|| "no entry".to_owned(), |place| place_text(&place));
    let bytes = stored.place.and_then(|p| p.range).map_or_else(|| "?".to_owned(), |(_, size)| size.to_string());
    SliceRow { name, shape, bytes, place }
}

pub(super) fn footer(listing: &Listing<'_>, shortened: bool, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let totals = listing.totals;
    let dim = look.dim();
    let of = if listing.all == totals.tensors { String::new() } else { format!(" of {}", count(listing.all as u64)) };
    let tensors = count(totals.tensors as u64);
    let plural = if totals.tensors == 1 && of.is_empty() { "" } else { "s" };
    write!(out, "{dim}{tensors}{of} tensor{plural} · {} · {}", parameters_text(totals.parameters), size(totals.bytes))?;
    if shortened {
        write!(out, " · keys end in /.ATTRIBUTES/VARIABLE_VALUE")?;
    }
    writeln!(out, "{dim:#}")
}

/// `list --by`: one line a group.
///
/// # Errors
/// What `out` says.
pub fn groups_text(
    groups: &[Group],
    what: &str,
    listing: &Listing<'_>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = Columns::new("<>>>>", &[what, "tensors", "parameters", "size", "share"]);
    let whole = listing.totals.bytes;
    for Group { key, totals } in groups {
        let numbers = [count(totals.tensors as u64), count(totals.parameters), size(totals.bytes)];
        table.row([key.clone()].into_iter().chain(numbers).chain([percent(totals.bytes, whole)]));
    }
    table.write(out, look.bold())?;
    footer(listing, false, look, out)
}

/// `list --tree`: scopes with subtotals.
///
/// # Errors
/// What `out` says.
pub fn tree_text(rows: &[TreeRow], listing: &Listing<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let label = |row: &TreeRow| format!("{}{}", "  ".repeat(row.depth), escaped(&row.name));
    let width = rows.iter().map(|row| label(row).width()).max().unwrap_or(0).min(NAME_COLUMN);
    let mut tensors = listing.checkpoint.tensors().cursor();
    for row in rows {
        let label = label(row);
        let pad = " ".repeat(width.saturating_sub(label.width()));
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
