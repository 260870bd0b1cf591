//! An explanation in any format.

use std::io::{self, Write};

use super::json::explain_json;
use super::text::{diagnosis_text, not_opened_text, on_disk_text, page_text};
use crate::analysis::explain::{Answer, Looked};
use crate::report::kit::format::{DOCUMENT, Format};
use crate::report::kit::look::Look;

/// What `explain` has.
pub const EXPLAIN_FORMATS: &[Format] = DOCUMENT;

/// Writes an explanation.
///
/// # Errors
/// What `out` says.
pub fn write_explain(answer: &Answer, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if format == Format::Json {
        let disk = if let Looked::Found(disk) = &answer.looked { Some(&**disk) } else { None };
        return explain_json(answer.page.as_ref(), answer.diagnosis.as_ref(), disk, out);
    }
    if let Some(page) = &answer.page {
        page_text(page, look, out)?;
    } else if let Some(diagnosis) = &answer.diagnosis {
        diagnosis_text(diagnosis, look, out)?;
    }
    match &answer.looked {
        Looked::Found(disk) => on_disk_text(disk, look, out),
        Looked::Other(path, error) => not_opened_text(path, error, look, out),
        Looked::Refused(_) | Looked::Nothing => Ok(()),
    }
}
