//! `list` in any format.

use std::io::{self, Write};

use super::json::{list_json, list_jsonl};
use super::names::names_text;
use super::table::{list_csv, list_markdown};
use super::text::{groups_text, list_text, tree_text};
use crate::analysis::{GroupBy, Listing};
use crate::report::kit::format::{Format, TABLES};
use crate::report::kit::look::Look;

/// What `list` has.
pub const LIST_FORMATS: &[Format] = TABLES;

/// Which of its texts `list` shows to people.
#[derive(Clone, Copy, Debug)]
pub enum ListText {
    /// One line a tensor; with `long`, all that the index says of it. With names where the listing has them.
    Rows {
        /// Whether bytes are exact and places shown.
        long: bool,
    },
    /// The scopes, so many levels of them.
    Tree {
        /// All of them if not given.
        depth: Option<usize>,
    },
    /// One line a group.
    Groups {
        /// What is grouped by.
        by: GroupBy,
        /// So many components of a name make a scope.
        depth: usize,
    },
}

impl ListText {
    /// The formats that can show this: other programs take rows.
    pub fn formats(self) -> &'static [Format] {
        if matches!(self, Self::Rows { .. }) { LIST_FORMATS } else { &[Format::Text] }
    }
}

/// Writes a listing.
///
/// # Errors
/// What `out` says.
pub fn write_list(
    listing: &Listing<'_>,
    format: Format,
    text: ListText,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match (format, text) {
        (Format::Json, _) => list_json(listing, out),
        (Format::Jsonl, _) => list_jsonl(listing, out),
        (Format::Csv, _) => list_csv(listing, out),
        (Format::Markdown, _) => list_markdown(listing, out),
        (_, ListText::Tree { depth }) => tree_text(&listing.tree(depth), listing, look, out),
        (_, ListText::Groups { by, depth }) => groups_text(&listing.groups(by, depth), word(by), listing, look, out),
        (_, ListText::Rows { long }) => match listing.names {
            Some(names) => names_text(listing, names, look, out),
            None => list_text(listing, long, look, out),
        },
    }
}

fn word(by: GroupBy) -> &'static str {
    match by {
        GroupBy::Scope => "scope",
        GroupBy::DType => "dtype",
        GroupBy::Role => "role",
        GroupBy::Shard => "shard",
    }
}
