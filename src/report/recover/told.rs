//! `recover` in any format.

use std::io::{self, Write};

use super::json::recover_json;
use super::text::recover_text;
use crate::analysis::convert::{Converted, Recipe, Target};
use crate::analysis::recover::Recovery;
use crate::report::kit::format::{DOCUMENT, Format};
use crate::report::kit::look::Look;

/// What `recover` has.
pub const RECOVER_FORMATS: &[Format] = DOCUMENT;

/// Writes what was mended and written, or what would be where nothing was.
///
/// # Errors
/// What `out` says.
pub fn write_recover(
    recovery: &Recovery,
    (recipe, target): (&Recipe, &Target),
    converted: Option<&Converted>,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let nothing = Converted::default();
    match format {
        Format::Json => recover_json(recovery, recipe, target, converted.unwrap_or(&nothing), out),
        _ => recover_text(recovery, recipe, target, converted, look, out),
    }
}
