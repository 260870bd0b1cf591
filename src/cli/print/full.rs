//! Values for programs: json, jsonl, csv, raw, npy. Complete, streamed, checked on the way.

use std::io::Write;

use ckpt::base::error::{Error, ErrorKind, Result};
use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::tensor::numpy::npy;
use ckpt::read::tensor::{Checked, DType, Element, write_csv, write_json};
use ckpt::report::{Nest, csv_output, print_head, string_element};

use super::text::{variant_text, variant_type};
use super::wanted::{Wanted, check_small, output};
use crate::cli::Format;

/// Writes tensors in one of the complete formats.
pub(super) struct Printer<'c> {
    checkpoint: &'c Checkpoint,
    format: Format,
    printed: usize,
}

impl<'c> Printer<'c> {
    pub(super) fn new(checkpoint: &'c Checkpoint, format: Format) -> Self {
        Self { checkpoint, format, printed: 0 }
    }

    pub(super) fn begin(&self, out: &mut dyn Write) -> std::io::Result<()> {
        if self.format == Format::Json {
            print_head(self.checkpoint.origin(), out)?;
        }
        Ok(())
    }

    pub(super) fn end(&self, out: &mut dyn Write) -> std::io::Result<()> {
        if self.format == Format::Json {
            writeln!(out, "]}}")?;
        }
        Ok(())
    }

    pub(super) fn print(&mut self, wanted: &Wanted, out: &mut dyn Write) -> Result<()> {
        let named = |e: Error| e.for_key(&wanted.tensor.name);
        let whole = check_small(self.checkpoint, wanted);
        let printed = match self.format {
            Format::Raw => raw(self.checkpoint, wanted, out).map_err(named),
            Format::Npy => npy_file(self.checkpoint, wanted, out).map_err(named),
            Format::Csv => csv_table(self.checkpoint, wanted, out),
            format => {
                self.printed += 1;
                let before = match (format, self.printed) {
                    (Format::Json, 2..) => ",\n",
                    (Format::Json, _) => "\n",
                    _ => "",
                };
                out.write_all(before.as_bytes()).map_err(output)?;
                let result = json_tensor(self.checkpoint, wanted, whole, out);
                if format == Format::Jsonl {
                    out.write_all(b"\n").map_err(output)?;
                }
                return result;
            }
        };
        match whole {
            Some(Err(error)) => printed.and(Err(error)),
            _ => printed,
        }
    }
}

/// One object; if values cannot be read, they are `null` and `error` says why.
fn json_tensor(
    checkpoint: &Checkpoint,
    wanted: &Wanted,
    whole: Option<Result<Checked>>,
    out: &mut dyn Write,
) -> Result<()> {
    let tensor = &wanted.tensor;
    let dtype = tensor.dtype;
    let shape = wanted.region.shape();
    let write = |out: &mut dyn Write, text: &str| out.write_all(text.as_bytes()).map_err(output);
    write(out, "{\"name\":")?;
    string_element(&tensor.name, out).map_err(output)?;
    let dims: Vec<String> = shape.iter().map(u64::to_string).collect();
    write(out, &format!(",\"dtype\":\"{dtype}\",\"shape\":[{}]", dims.join(",")))?;
    if let Some(slice) = &wanted.slice {
        write(out, ",\"slice\":")?;
        string_element(slice.as_bytes(), out).map_err(output)?;
    }
    write(out, ",\"values\":")?;
    let mut nest = Nest::new(&shape);
    let mut started = false;
    let mut text = String::new();
    let checked = checkpoint.read(tensor, &wanted.axes(), &mut |bytes| {
        started = true;
        match dtype {
            DType::String => {
                nest.next(out).map_err(output)?;
                string_element(bytes, out).map_err(output)
            }
            DType::Variant => {
                nest.next(out).map_err(output)?;
                out.write_all(b"{\"variant\":").map_err(output)?;
                string_element(variant_type(bytes), out).map_err(output)?;
                write!(out, ",\"bytes\":{}}}", bytes.len()).map_err(output)
            }
            _ => {
                for element in Element::decode_all(dtype, bytes).into_iter().flatten() {
                    nest.next(out).map_err(output)?;
                    text.clear();
                    // Writing to a string cannot fail.
                    let _ = write_json(element, &mut text);
                    out.write_all(text.as_bytes()).map_err(output)?;
                }
                Ok(())
            }
        }
    });
    let checked = match (checked, whole) {
        (Ok(Checked::Not), Some(whole)) => whole,
        (checked, _) => checked,
    };
    // An error halfway leaves a shorter array, closed so that the document stays JSON, and said.
    let closed = match (&checked, started) {
        (Err(e), _) if matches!(e.kind(), ErrorKind::Output(_)) => return checked.map(|_| ()),
        (Err(_), false) => write(out, "null"),
        _ => nest.finish(out).map_err(output),
    };
    closed?;
    match &checked {
        Ok(checked) => write(out, &format!(",\"checksum\":\"{}\"}}", checksum(*checked)))?,
        Err(error) => {
            let verdict = match error.kind() {
                ErrorKind::ChecksumMismatch { .. } => "mismatch",
                _ => "not_checked",
            };
            write(out, &format!(",\"checksum\":\"{verdict}\",\"error\":"))?;
            string_element(error.to_string().as_bytes(), out).map_err(output)?;
            write(out, "}")?;
        }
    }
    checked.map(|_| ())
}

fn checksum(checked: Checked) -> &'static str {
    match checked {
        Checked::Verified => "ok",
        Checked::Not => "not_checked",
    }
}

fn no_form(dtype: DType, format: &str) -> Error {
    Error::new(ErrorKind::Request(format!("dtype {dtype} has no {format} form"))).with_help("use --format json or text")
}

fn raw(checkpoint: &Checkpoint, wanted: &Wanted, out: &mut dyn Write) -> Result<()> {
    if wanted.tensor.dtype == DType::Variant {
        return Err(no_form(DType::Variant, "raw"));
    }
    let mut sink = |bytes: &[u8]| out.write_all(bytes).map_err(output);
    checkpoint.read(&wanted.tensor, &wanted.axes(), &mut sink).map(|_| ())
}

fn npy_file(checkpoint: &Checkpoint, wanted: &Wanted, out: &mut dyn Write) -> Result<()> {
    let dtype = wanted.tensor.dtype;
    let mut longest = 0;
    if dtype == DType::String {
        // Fixed-width strings: the width comes first, and a NUL at an end would be lost in it.
        checkpoint.read(&wanted.tensor, &wanted.axes(), &mut |string| {
            if string.last() == Some(&0) {
                let why = "a string ends in NUL, which a NumPy string array cannot keep";
                return Err(Error::new(ErrorKind::Request(why.into())).with_help("use --format json"));
            }
            longest = longest.max(string.len() as u64);
            Ok(())
        })?;
    }
    let Some(header) = npy::header(dtype, &wanted.region.shape(), longest) else { return Err(no_form(dtype, "npy")) };
    out.write_all(&header).map_err(output)?;
    let mut widened = Vec::new();
    let width = usize::try_from(longest.max(1)).unwrap_or(usize::MAX);
    checkpoint
        .read(&wanted.tensor, &wanted.axes(), &mut |bytes| {
            widened.clear();
            widened.extend_from_slice(bytes);
            if dtype == DType::String {
                widened.resize(width, 0);
            } else {
                npy::widen(dtype, &mut widened);
            }
            out.write_all(&widened).map_err(output)
        })
        .map(|_| ())
}

/// One row for every index but the last; a vector is one column, a scalar one cell.
fn csv_table(checkpoint: &Checkpoint, wanted: &Wanted, out: &mut dyn Write) -> Result<()> {
    let dtype = wanted.tensor.dtype;
    let columns = match wanted.region.shape().as_slice() {
        [] | [_] => 1,
        [.., last] => *last,
    };
    let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
    let (mut at, mut text) = (0u64, String::new());
    let broken = |e: csv::Error| output(csv_output(e));
    let mut field = |csv: &mut csv::Writer<&mut dyn Write>, bytes: &[u8]| -> Result<()> {
        csv.write_field(bytes).map_err(broken)?;
        at += 1;
        if at.is_multiple_of(columns.max(1)) {
            csv.write_record(None::<&[u8]>).map_err(broken)?;
        }
        Ok(())
    };
    let checked = checkpoint.read(&wanted.tensor, &wanted.axes(), &mut |bytes| match dtype {
        DType::String => field(&mut csv, bytes),
        DType::Variant => field(&mut csv, variant_text(bytes).as_bytes()),
        _ => {
            for element in Element::decode_all(dtype, bytes).into_iter().flatten() {
                text.clear();
                // Writing to a string cannot fail.
                let _ = write_csv(element, &mut text);
                field(&mut csv, text.as_bytes())?;
            }
            Ok(())
        }
    });
    csv.flush().map_err(output)?;
    checked.map(|_| ())
}
