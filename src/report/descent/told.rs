//! `tree` in any format.

use std::io::{self, Write};

use super::dot::descent_dot;
use super::json::descent_json;
use super::text::descent_text;
use crate::analysis::descent::Descent;
use crate::report::kit::format::Format;
use crate::report::kit::look::Look;

/// What `tree` has.
pub const TREE_FORMATS: &[Format] = &[Format::Text, Format::Json, Format::Dot];

/// Writes where checkpoints come from.
///
/// # Errors
/// What `out` says.
pub fn write_tree(descent: &Descent, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => descent_json(descent, out),
        Format::Dot => descent_dot(descent, out),
        _ => descent_text(descent, look, out),
    }
}
