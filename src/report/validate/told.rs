//! `validate` in any format.

use std::io::{self, Write};

use super::json::validate_json;
use crate::analysis::Validation;
use crate::report::findings::github::validate_github;
use crate::report::findings::junit::validate_junit;
use crate::report::findings::sarif::validate_sarif;
use crate::report::findings::text::validate_text;
use crate::report::kit::format::{FINDINGS, Format};
use crate::report::kit::look::Look;

/// What `validate` has.
pub const VALIDATE_FORMATS: &[Format] = FINDINGS;

/// Writes what was found; whether only the index was checked.
///
/// # Errors
/// What `out` says.
pub fn write_validation(
    validation: &Validation,
    quick: bool,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => validate_json(validation, out),
        Format::Github => validate_github(validation, out),
        Format::Sarif => validate_sarif(validation, out),
        Format::Junit => validate_junit(validation, out),
        _ => validate_text(validation, quick, look, out),
    }
}
