//! `print --format json`: what stands before the tensors. Their values are streamed by the command.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::read::checkpoint::Origin;
use crate::report::kit::json::{Head, Source, write_fields};

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
///
/// # Errors
/// What `out` says.
pub fn print_head(origin: &Origin, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{")?;
    write_fields(&PrintHead { head: Head::of("print"), source: Source::of(origin) }, out)?;
    out.write_all(b",\"tensors\":[")
}
