//! `convert` in any format.

use std::io::{self, Write};

use super::json::convert_json;
use super::text::{convert_text, recipe_text};
use crate::analysis::convert::{Converted, Recipe, Target};
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::format::{DOCUMENT, Format};
use crate::report::kit::look::Look;

/// What `convert` has.
pub const CONVERT_FORMATS: &[Format] = DOCUMENT;

/// Writes what was written, or the recipe alone where nothing was.
///
/// # Errors
/// What `out` says.
pub fn write_convert(
    inputs: &[Checkpoint],
    (recipe, target): (&Recipe, &Target),
    converted: Option<&Converted>,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let nothing = Converted::default();
    match (format, converted) {
        (Format::Json, converted) => convert_json(inputs, recipe, target, converted.unwrap_or(&nothing), out),
        (_, None) => recipe_text(inputs, recipe, target, look, out),
        (_, Some(converted)) => convert_text(recipe, target, converted, look, out),
    }
}
