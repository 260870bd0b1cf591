//! `print --format json`: the document around the tensors, and their values, streamed.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::output;
use super::variant::variant_type;
use crate::analysis::excerpt::Excerpt;
use crate::base::error::{ErrorKind, Result};
use crate::read::checkpoint::{Checkpoint, Origin};
use crate::read::tensor::{Checked, DType, Element, write_json};
use crate::report::kit::json::{Head, Source, string_element, write_fields};
use crate::report::kit::nest::Nest;

/// What stands before the tensors.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct PrintHead<'a> {
    #[serde(flatten)]
    head: Head,
    /// what was opened
    source: Source<'a>,
}

/// Begins a document, up to the bracket that opens its tensors; `]}` ends it.
pub(super) fn print_head(origin: &Origin, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{")?;
    write_fields(&PrintHead { head: Head::of("print"), source: Source::of(origin) }, out)?;
    out.write_all(b",\"tensors\":[")
}

/// One object; if values cannot be read, they are `null` and `error` says why.
pub(super) fn json_tensor(
    checkpoint: &Checkpoint,
    excerpt: &Excerpt,
    whole: Option<Result<Checked>>,
    out: &mut dyn Write,
) -> Result<()> {
    let write = |out: &mut dyn Write, text: &str| out.write_all(text.as_bytes()).map_err(output);
    json_begin(excerpt, out)?;
    let checked = match (json_values(checkpoint, excerpt, out)?, whole) {
        (Ok(Checked::Not), Some(whole)) => whole,
        (checked, _) => checked,
    };
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

/// Begins the object of a tensor, up to where its values follow.
pub(in crate::report) fn json_begin(excerpt: &Excerpt, out: &mut dyn Write) -> Result<()> {
    let write = |out: &mut dyn Write, text: &str| out.write_all(text.as_bytes()).map_err(output);
    write(out, "{\"name\":")?;
    string_element(&excerpt.tensor.name, out).map_err(output)?;
    let dims: Vec<String> = excerpt.region.shape().iter().map(u64::to_string).collect();
    write(out, &format!(",\"dtype\":\"{}\",\"shape\":[{}]", excerpt.tensor.dtype, dims.join(",")))?;
    if let Some(slice) = &excerpt.slice {
        write(out, ",\"slice\":")?;
        string_element(slice.as_bytes(), out).map_err(output)?;
    }
    write(out, ",\"values\":")
}

/// Writes values, nested as their shape is; `null` if there are none. Answers with what is wrong with them.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn json_values(
    checkpoint: &Checkpoint,
    excerpt: &Excerpt,
    out: &mut dyn Write,
) -> Result<Result<Checked>> {
    let dtype = excerpt.tensor.dtype;
    let mut nest = Nest::new(&excerpt.region.shape());
    let mut started = false;
    let mut text = String::new();
    let checked = excerpt.read(checkpoint, &mut |bytes| {
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
    // An error halfway leaves a shorter array, closed so that the document stays JSON, and said.
    match (&checked, started) {
        (Err(e), _) if matches!(e.kind(), ErrorKind::Output(_)) => return checked.map(Ok),
        (Err(_), false) => out.write_all(b"null").map_err(output)?,
        _ => nest.finish(out).map_err(output)?,
    }
    Ok(checked)
}

fn checksum(checked: Checked) -> &'static str {
    match checked {
        Checked::Verified => "ok",
        Checked::Not => "not_checked",
    }
}
