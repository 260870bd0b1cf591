//! `list` as JSON: a line a tensor, written by hand because there may be millions.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::{self, Listing, MissingShards, Name, RowCursor, derived, is_zero, layer};
use crate::base::escape::is_plain;
use crate::read::checkpoint::{Parts, Place, StoredSlice, Tensor};
use crate::read::tensor::Shape;
use crate::report::kit::json::{Head, Source, Sums, Utf8OrBase64, string_element, write_fields};
use crate::report::kit::rows::{Text, push_crc, push_signed, write_rows};

/// What stands before the tensors.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct ListHead<'a> {
    #[serde(flatten)]
    head: Head,
    /// what was opened
    source: Source<'a>,
}

/// What stands behind the tensors.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct ListFoot {
    /// over the tensors of this document
    totals: Sums,
    /// whether all of the index could be read; if not, tensors may be missing
    complete: bool,
}

/// What `--names` adds to a tensor.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Names<'a> {
    /// with `--names`: the variable's name in the program, as the object graph has it
    full_name: Option<&'a str>,
    /// with `--names`: the scope of `full_name`
    layer: Option<&'a str>,
    /// with `--names`: other paths in the object graph that lead to the variable, 16 at most
    aliases: &'a [String],
    /// with `--names`: whether there are more
    more_aliases: bool,
    /// with `--names`: of an optimizer's slot
    slot_of: Option<SlotOf<'a>>,
}

/// What a slot belongs to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SlotOf<'a> {
    /// its key
    variable: Utf8OrBase64<'a>,
    /// its full name, or the key without its suffix
    name: &'a str,
    /// `m`, `momentum`
    slot: &'a str,
}

impl<'a> From<&'a Name> for Names<'a> {
    fn from(names: &'a Name) -> Self {
        let full_name = names.full_name.as_deref();
        Self {
            full_name,
            layer: full_name.and_then(layer),
            aliases: &names.aliases,
            more_aliases: names.more_aliases,
            slot_of: names.slot.as_deref().map(SlotOf::from),
        }
    }
}

impl<'a> From<&'a analysis::SlotOf> for SlotOf<'a> {
    fn from(slot: &'a analysis::SlotOf) -> Self {
        Self { variable: Utf8OrBase64(&slot.variable), name: &slot.variable_name, slot: &slot.slot }
    }
}

/// `list --format json`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn list_json(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{")?;
    write_fields(&ListHead { head: Head::of("list"), source: Source::of(listing.checkpoint.origin()) }, out)?;
    out.write_all(b",\"tensors\":[")?;
    write_rows(listing.rows.len(), listing.threads(), || Rows::new(listing, false), out)?;
    out.write_all(b"],\n")?;
    let (totals, complete) = ((&listing.totals).into(), listing.checkpoint.damage().is_empty());
    write_fields(&ListFoot { totals, complete }, out)?;
    writeln!(out, "}}")
}

/// `list --format jsonl`: one tensor a line.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn list_jsonl(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_rows(listing.rows.len(), listing.threads(), || Rows::new(listing, true), out).map(|_| ())
}

/// Formats the objects of rows.
struct Rows<'l> {
    listing: &'l Listing<'l>,
    /// Whether each has a line of its own, rather than a comma before it.
    lines: bool,
    cursor: RowCursor<'l>,
    missing: MissingShards,
    /// `,"dtype":…,"shape":…,"bytes":…` of the row before, and what made them so.
    kind: Vec<u8>,
    of: Option<(usize, Option<u64>)>,
}

impl<'l> Rows<'l> {
    fn new(listing: &'l Listing<'l>, lines: bool) -> Self {
        let (missing, kind) = (MissingShards::default(), Vec::new());
        Self { listing, lines, cursor: listing.cursor(), missing, kind, of: None }
    }

    fn kind(&mut self) -> io::Result<()> {
        let tensor = self.cursor.tensor();
        let of = (self.cursor.kind(), tensor.bytes());
        if self.of == Some(of) {
            return Ok(());
        }
        self.of = Some(of);
        self.kind.clear();
        write!(self.kind, ",\"dtype\":\"{}\",\"shape\":", tensor.dtype)?;
        match tensor.shape.dims() {
            None => self.kind.extend_from_slice(b"null"),
            Some(dims) => numbers(dims, &mut self.kind)?,
        }
        self.kind.extend_from_slice(b",\"bytes\":");
        optional(of.1, &mut self.kind)
    }
}

impl Text for Rows<'_> {
    fn row(&mut self, n: usize, text: &mut Vec<u8>) -> io::Result<()> {
        if !self.cursor.seek(n) {
            return Ok(());
        }
        if !self.lines {
            text.extend_from_slice(if n == 0 { b"\n" } else { b",\n" });
        }
        self.kind()?;
        let (listing, at) = (self.listing, self.cursor.position());
        tensor_json(listing, at, self.cursor.tensor(), &self.kind, &mut self.missing, text)?;
        if self.lines {
            text.push(b'\n');
        }
        Ok(())
    }
}

fn tensor_json(
    listing: &Listing<'_>,
    at: usize,
    tensor: &Tensor,
    kind: &[u8],
    missing: &mut MissingShards,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let (role, optimizer) = (listing.roles.role(at), listing.roles.optimizer(at));
    out.extend_from_slice(b"{\"name\":");
    push_string(&tensor.name, out)?;
    out.extend_from_slice(kind);
    let whole = match &tensor.parts {
        Parts::Whole(place) => Some(place),
        Parts::Slices(_) => None,
    };
    place_json(whole, out);
    out.extend_from_slice(b",\"role\":\"");
    out.extend_from_slice(role.name().as_bytes());
    out.push(b'"');
    if let Some(optimizer) = optimizer {
        write!(out, ",\"optimizer\":\"{optimizer}\"")?;
    }
    if let Some(names) = listing.names.and_then(|names| names.get(at)) {
        out.push(b',');
        write_fields(&Names::from(names), out)?;
    }
    if missing.is_missing(listing.checkpoint, tensor) {
        out.write_all(b",\"missing\":true")?;
        if let Some(value) = derived(listing.checkpoint, tensor) {
            let text = value.text();
            write!(out, ",\"derived\":{{\"value\":\"{text}\",\"certain\":{}}}", value.certain)?;
        } else if is_zero(tensor) {
            out.write_all(b",\"derived\":{\"value\":\"all zero\",\"certain\":false}")?;
        }
    }
    if let Parts::Slices(slices) = &tensor.parts {
        out.write_all(b",\"slices\":[")?;
        for (n, slice) in slices.iter().enumerate() {
            out.write_all(if n == 0 { b"" } else { b"," })?;
            slice_json(&slice, &tensor.shape, out)?;
        }
        out.write_all(b"]")?;
    }
    out.write_all(b"}")
}

/// As [`string_element`], quickly where nothing in it needs to be escaped.
fn push_string(bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let is_special = |b: &u8| matches!(b, b'"' | b'\\');
    if is_plain(bytes) && !bytes.iter().fold(false, |found, b| found | is_special(b)) {
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
        return Ok(());
    }
    string_element(bytes, out)
}

fn slice_json(stored: &StoredSlice, shape: &Shape, out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "{{\"slice\":\"{}\"", stored.slice)?;
    if let Some(extents) = shape.dims().and_then(|dims| stored.slice.resolve(dims)) {
        let (starts, lengths): (Vec<_>, Vec<_>) = extents.into_iter().unzip();
        out.write_all(b",\"start\":")?;
        numbers(&starts, out)?;
        out.write_all(b",\"shape\":")?;
        numbers(&lengths, out)?;
    }
    out.write_all(b",\"bytes\":")?;
    optional(stored.place.and_then(|place| place.range).map(|(_, size)| size), out)?;
    place_json(stored.place.as_ref(), out);
    out.write_all(b"}")
}

fn place_json(place: Option<&Place>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"shard\":");
    optional_signed(place.map(|place| place.shard.into()), out);
    out.extend_from_slice(b",\"offset\":");
    optional_signed(place.and_then(|place| place.range).map(|(offset, _)| offset), out);
    out.extend_from_slice(b",\"crc32c\":");
    match place.and_then(|place| place.crc32c) {
        Some(crc) => {
            out.push(b'"');
            push_crc(out, crc.0);
            out.push(b'"');
        }
        None => out.extend_from_slice(b"null"),
    }
}

fn optional_signed(number: Option<i64>, out: &mut Vec<u8>) {
    match number {
        Some(number) => push_signed(out, number),
        None => out.extend_from_slice(b"null"),
    }
}

fn optional(number: Option<impl std::fmt::Display>, out: &mut dyn Write) -> io::Result<()> {
    match number {
        Some(number) => write!(out, "{number}"),
        None => out.write_all(b"null"),
    }
}

fn numbers<N: std::fmt::Display>(numbers: &[N], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    for (n, number) in numbers.iter().enumerate() {
        out.write_all(if n == 0 { b"" } else { b"," })?;
        write!(out, "{number}")?;
    }
    out.write_all(b"]")
}
