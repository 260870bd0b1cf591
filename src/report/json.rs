//! JSON, streamed where it may be long.
//!
//! The contract is in `docs/json.md`: one object, `schema_version` and `kind` first, fields only added. Names that are
//! not UTF-8 are `{"base64": "…"}`.

use std::io::{self, Write};

use base64::Engine;
use serde_json::{Value, json};

use super::rows::{Text, push_crc, push_signed, write_rows};
use crate::analysis::{Listing, MissingShards, Name, RowCursor, derived, is_zero, layer};
use crate::checkpoint::{Origin, Parts, Place, StoredSlice, Tensor};
use crate::escape::{Escaped, is_plain};
use crate::tensor::Shape;

/// The version of every JSON document of this release.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// Bytes as a JSON string if they are UTF-8, else as `{"base64": "…"}`.
///
/// # Errors
/// What `out` says.
pub fn string_element(bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(serde_json::to_writer(out, text)?),
        Err(_) => write!(out, "{{\"base64\":\"{}\"}}", base64::engine::general_purpose::STANDARD.encode(bytes)),
    }
}

/// As [`string_element`], as a value.
pub(super) fn name(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({"base64": base64::engine::general_purpose::STANDARD.encode(bytes)}),
    }
}

/// A path as text.
pub(super) fn path(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The `source` object: what was given and what it turned out to be.
pub fn source(origin: &Origin) -> Value {
    json!({"path": path(&origin.path), "kind": origin.kind.name(), "prefix": path(origin.prefix.as_path())})
}

/// A shape as an array; an unknown rank is null.
pub(super) fn shape(shape: &Shape) -> Value {
    shape.dims().map_or(Value::Null, |dims| json!(dims))
}

/// `list --format json`.
///
/// # Errors
/// What `out` says.
pub fn list_json(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let origin = listing.checkpoint.origin();
    write!(out, "{{\"schema_version\":{SCHEMA_VERSION},\"kind\":\"list\",\"source\":{},", source(origin))?;
    out.write_all(b"\"tensors\":[")?;
    write_rows(listing.rows.len(), listing.threads(), || Rows::new(listing, false), out)?;
    let totals = listing.totals;
    writeln!(
        out,
        "],\n\"totals\":{{\"tensors\":{},\"parameters\":{},\"bytes\":{}}},\"complete\":{}}}",
        totals.tensors,
        totals.parameters,
        totals.bytes,
        listing.checkpoint.damage().is_empty()
    )
}

/// `list --format jsonl`: one tensor a line.
///
/// # Errors
/// What `out` says.
pub fn list_jsonl(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
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
        names_json(names, out)?;
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
            slice_json(slice, &tensor.shape, out)?;
        }
        out.write_all(b"]")?;
    }
    out.write_all(b"}")
}

fn names_json(names: &Name, out: &mut Vec<u8>) -> io::Result<()> {
    let full_name = names.full_name.as_deref();
    let slot = names
        .slot
        .as_ref()
        .map(|slot| json!({"variable": name(&slot.variable), "name": slot.variable_name, "slot": slot.slot}));
    let value = [
        ("full_name", json!(full_name)),
        ("layer", json!(full_name.and_then(layer))),
        ("aliases", json!(names.aliases)),
        ("more_aliases", json!(names.more_aliases)),
        ("slot_of", json!(slot)),
    ];
    value.into_iter().try_for_each(|(key, value)| write!(out, ",\"{key}\":{value}"))
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

/// Brackets of an array that is nested as its shape is, around elements that come one at a time.
#[derive(Debug)]
pub struct Nest {
    dims: Vec<u64>,
    at: Vec<u64>,
    started: bool,
}

impl Nest {
    /// The brackets of an array of this shape. Without dimensions there are none.
    pub fn new(dims: &[u64]) -> Self {
        Self { dims: dims.to_vec(), at: vec![0; dims.len()], started: false }
    }

    /// Writes what stands before the next element: commas and brackets.
    ///
    /// # Errors
    /// What `out` says.
    pub fn next(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.started {
            self.started = true;
            return self.open(0, out);
        }
        // Count up from the innermost dimension; every one that is full closes and opens again.
        let mut level = self.dims.len();
        while level > 0 {
            level -= 1;
            self.at[level] += 1;
            if self.at[level] < self.dims[level] {
                break;
            }
            self.at[level] = 0;
            out.write_all(b"]")?;
        }
        out.write_all(b",")?;
        self.open(level + 1, out)
    }

    /// Closes everything; of an array without elements, writes all of it.
    ///
    /// # Errors
    /// What `out` says, or [`io::ErrorKind::InvalidData`] if the nothing is nested too often to be written.
    pub fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        if self.started {
            return out.write_all(&b"]".repeat(self.dims.len()));
        }
        let outer: Vec<u64> = self.dims.iter().copied().take_while(|dim| *dim != 0).collect();
        let most = 1 << 20;
        if outer.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim)).is_none_or(|n| n > most) {
            let why = "an empty tensor whose outer dimensions make millions of empty arrays";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        if outer.len() == self.dims.len() {
            return Ok(());
        }
        let mut inner = Self::new(&outer);
        for _ in 0..outer.iter().product::<u64>() {
            inner.next(out)?;
            out.write_all(b"[]")?;
        }
        inner.finish(out)
    }

    fn open(&self, from: usize, out: &mut dyn Write) -> io::Result<()> {
        (from..self.dims.len()).try_for_each(|_| out.write_all(b"["))
    }
}

/// A path for people.
pub(super) fn shown(path: &std::path::Path) -> String {
    Escaped(path.as_os_str().as_encoded_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(dims: &[u64]) -> String {
        let mut out = Vec::new();
        let mut nest = Nest::new(dims);
        for n in 0..dims.iter().product::<u64>() {
            nest.next(&mut out).unwrap();
            write!(out, "{n}").unwrap();
        }
        nest.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn arrays_nest_as_their_shape_does() {
        assert_eq!(nested(&[]), "0");
        assert_eq!(nested(&[3]), "[0,1,2]");
        assert_eq!(nested(&[2, 1, 2]), "[[[0,1]],[[2,3]]]");
        assert_eq!(nested(&[0]), "[]");
        assert_eq!(nested(&[2, 0, 3]), "[[],[]]");
    }

    #[test]
    fn nothing_nested_too_often_is_an_error() {
        let error = Nest::new(&[1 << 40, 0]).finish(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn names_that_are_not_utf8_are_base64() {
        let mut out = Vec::new();
        string_element(b"\xff\x00", &mut out).unwrap();
        assert_eq!(out, br#"{"base64":"/wA="}"#);
    }
}
