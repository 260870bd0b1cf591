//! A message that needs reading: its marks, and what it means where they stand.

use crate::analysis::explain::diagnosis::Diagnosis;

/// A message: any of the marks in a text, and what it means there.
pub(super) struct Rule {
    /// The part of the message that stays the same; the first is how people know it.
    pub(super) marks: &'static [&'static str],
    /// What it means in this text; `None` if it is another message with the same words.
    pub(super) read: fn(&str) -> Option<Diagnosis>,
}
