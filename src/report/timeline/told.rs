//! `log` in any format.

use std::io::{self, Write};

use super::json::{timeline_json, timeline_jsonl};
use super::table::{timeline_csv, timeline_markdown};
use super::text::timeline_text;
use super::training_layers::{layers_csv, layers_markdown};
use crate::analysis::Timeline;
use crate::report::kit::format::{DOCUMENT, Format, TABLES};
use crate::report::kit::look::Look;

/// What `log` has.
pub const TIMELINE_FORMATS: &[Format] = TABLES;

/// What `latest` has.
pub const LATEST_FORMATS: &[Format] = DOCUMENT;

/// Writes the story of a directory.
///
/// # Errors
/// What `out` says.
pub fn write_timeline(timeline: &Timeline, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let has_layers = timeline.training.is_some_and(|options| options.layers);
    match format {
        Format::Csv if has_layers => layers_csv(timeline, out),
        Format::Markdown if has_layers => layers_markdown(timeline, out),
        Format::Json => timeline_json(timeline, out),
        Format::Jsonl => timeline_jsonl(timeline, out),
        Format::Csv => timeline_csv(timeline, out),
        Format::Markdown => timeline_markdown(timeline, out),
        _ => timeline_text(timeline, look, out),
    }
}
