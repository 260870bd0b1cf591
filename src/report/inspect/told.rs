//! `inspect` in any format.

use std::io::{self, Write};
use std::path::Path;

use super::json::inspect_json;
use super::model_json::model_json;
use super::model_text::{model_text, signatures_text};
use super::text::inspect_text;
use crate::analysis::{Finding, ModelInfo, Summary};
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::format::{DOCUMENT, Format};
use crate::report::kit::look::Look;

/// What `inspect` has.
pub const INSPECT_FORMATS: &[Format] = DOCUMENT;

/// Writes the page of a checkpoint.
///
/// # Errors
/// What `out` says.
pub fn write_inspect(
    checkpoint: &Checkpoint,
    summary: &Summary,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => inspect_json(checkpoint, summary, out),
        _ => inspect_text(checkpoint, summary, look, out),
    }
}

/// Writes the page of graphs without a checkpoint, with what was found in their way; for people, with `signatures`, only
/// what their functions take.
///
/// # Errors
/// What `out` says.
pub fn write_model(
    (given, model): (&Path, &ModelInfo),
    findings: &[Finding],
    signatures: bool,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => model_json(given, model, findings, out),
        _ if signatures => signatures_text(given, model, look, out),
        _ => model_text(given, model, findings, look, out),
    }
}
