//! `list --index-only`: a file by itself, in lines that are compared with those of another: a changed tensor is a changed
//! line, and no line depends on what stands in another one.

use std::io::{self, Write};

use super::places::slice_extents;
use crate::analysis::{FileAlone, FileIs, Selection, derived, elements_crc32c, is_zero, short_name};
use crate::base::error::Error;
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Checksums, Place, SourceKind, Tensor};
use crate::read::wire::Crc32c;
use crate::report::kit::units::{count, counted, parameters_text, shape_text, size, tensors_text};

/// Writes what a file says by itself, of the tensors that `select` takes. With `sums`, tensors that have no checksum in the
/// file are read, and get the one of their elements.
///
/// # Errors
/// What `out` says.
pub fn write_alone(
    file: &FileAlone,
    select: &dyn Fn(&Checkpoint) -> Selection,
    sums: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    match &file.is {
        FileIs::Tensors(checkpoint) => tensors(checkpoint, &select(checkpoint), sums, out)?,
        FileIs::Pointer(lines) => {
            writeln!(out, "! a Git LFS pointer: the file itself is not here (git lfs pull fetches it)")?;
            for line in lines {
                writeln!(out, "{}", escaped(line.as_bytes()))?;
            }
        }
        FileIs::Text(text) => {
            for line in text.lines() {
                writeln!(out, "{}", escaped(line.as_bytes()))?;
            }
        }
        FileIs::Other(looks) => {
            let what = looks.as_ref().map_or("of no kind that is known here", |looks| &looks.what);
            writeln!(out, "! no list of tensors: {what} · {}", counted(file.len, "byte"))?;
        }
        FileIs::Broken(error) => {
            writeln!(out, "! cannot be read · {}", counted(file.len, "byte"))?;
            writeln!(out, "! {}", without_file(error))?;
        }
    }
    match file.crc32c {
        Some(crc) => writeln!(out, "! crc32c of the whole file {}", hex(crc)),
        None => Ok(()),
    }
}

fn tensors(checkpoint: &Checkpoint, chosen: &Selection, sums: bool, out: &mut dyn Write) -> io::Result<()> {
    heading(checkpoint, chosen, sums, out)?;
    for error in checkpoint.damage() {
        writeln!(out, "! {}", without_file(error))?;
    }
    let mut cursor = checkpoint.tensors().cursor();
    for at in chosen.iter() {
        if let Some(tensor) = cursor.reach(at) {
            line(checkpoint, tensor, sums, out)?;
        }
    }
    Ok(())
}

fn heading(checkpoint: &Checkpoint, chosen: &Selection, sums: bool, out: &mut dyn Write) -> io::Result<()> {
    let (mut parameters, mut bytes) = (0u64, 0u64);
    let mut cursor = checkpoint.tensors().cursor();
    for at in chosen.iter() {
        let Some(tensor) = cursor.reach(at) else { continue };
        if tensor.is_numeric() {
            parameters = parameters.saturating_add(tensor.elements().unwrap_or(0));
        }
        bytes = bytes.saturating_add(tensor.bytes().unwrap_or(0));
    }
    let all = checkpoint.tensors().len();
    let mut facts = vec![checkpoint.format().title.to_owned()];
    facts.push(match chosen.len() {
        some if some == all => tensors_text(all),
        some => format!("{} of {}", count(some as u64), tensors_text(all)),
    });
    facts.push(parameters_text(parameters));
    facts.push(size(bytes));
    if checkpoint.origin().kind == SourceKind::Bundle {
        facts.push(counted(u64::try_from(checkpoint.num_shards()).unwrap_or(0), "shard"));
    }
    if checkpoint.is_big_endian() {
        facts.push("big-endian".to_owned());
    }
    let has_none = match checkpoint.format().checksums {
        Checksums::EachRun => false,
        Checksums::Container => checkpoint.tensors().iter().any(|tensor| checkpoint.member_crc32(&tensor).is_none()),
        Checksums::Some | Checksums::None => true,
    };
    match (has_none, sums) {
        (false, _) => {}
        (true, true) => facts.push("checksums made of the elements".to_owned()),
        (true, false) => facts.push("no checksums of tensors: other values look the same".to_owned()),
    }
    writeln!(out, "# {}", facts.join(" · "))?;
    if let Some(crc) = checkpoint.weights_crc32() {
        writeln!(out, "# the archive's CRC-32 of all weights {crc:#010x}")?;
    }
    Ok(())
}

/// Columns that a dtype and a shape take; a longer one moves its own line only.
const DTYPE: usize = 10;
const SHAPE: usize = 12;

/// Columns of a checksum.
const CHECKSUM: usize = 10;

fn line(checkpoint: &Checkpoint, tensor: &Tensor, sums: bool, out: &mut dyn Write) -> io::Result<()> {
    let name = escaped(short_name(&tensor.name));
    let dtype = tensor.dtype.to_string();
    let slices = tensor.slices();
    let checksum = match tensor.crc32c() {
        Some(crc) => hex(crc),
        None if !slices.is_empty() => counted(slices.len() as u64, "slice"),
        None => match checkpoint.member_crc32(tensor) {
            Some(crc) => format!("{crc:#010x}"),
            None if sums => elements_crc32c(checkpoint, tensor).map_or_else(|_| "unreadable".to_owned(), hex),
            None => "-".to_owned(),
        },
    };
    let value = match derived(checkpoint, tensor) {
        Some(value) => {
            let assumption = value.assumption().map_or_else(String::new, |text| format!(" {text}"));
            format!("  = {}{assumption}", value.text())
        }
        None if is_zero(tensor) => "  all zero".to_owned(),
        None => String::new(),
    };
    writeln!(out, "{checksum:CHECKSUM$}  {dtype:DTYPE$}  {:SHAPE$}  {name}{value}", shape_text(&tensor.shape))?;
    for stored in slices.iter() {
        let (slice, shape) = slice_extents(&stored, &tensor.shape);
        let checksum = match stored.place.as_ref() {
            Some(Place { crc32c: Some(crc), .. }) => hex(*crc),
            Some(_) => "-".to_owned(),
            None => "no entry".to_owned(),
        };
        writeln!(out, "{checksum:CHECKSUM$}  {dtype:DTYPE$}  {shape:SHAPE$}  {name}{slice}")?;
    }
    Ok(())
}

fn hex(crc: Crc32c) -> String {
    format!("{:#010x}", crc.0)
}

/// An error without the path of the file, which is another one each time that git asks.
fn without_file(error: &Error) -> String {
    let at = error.location();
    let mut text = String::new();
    if let Some(key) = &at.key {
        text = format!("{}: ", escaped(key));
    }
    text.push_str(&error.kind().to_string());
    if let Some(part) = &at.part {
        text = format!("{text}, {part}");
    }
    if let Some(offset) = at.offset {
        text = format!("{text}, offset {offset}");
    }
    text
}
