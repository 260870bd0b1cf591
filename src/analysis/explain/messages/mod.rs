//! The messages of TensorFlow and Keras that are known, in the order in which they are looked for.
//!
//! A traceback often holds several: the one that names the cause stands before the one that wraps it.

mod files;
mod known;
mod model;

use super::Diagnosis;

/// A message: any of the marks in a text, and what it means there.
struct Rule {
    /// The part of the message that stays the same; the first is how people know it.
    marks: &'static [&'static str],
    /// What it means in this text; `None` if it is another message with the same words.
    read: fn(&str) -> Option<Diagnosis>,
}

/// The words of all known messages.
pub(super) fn titles() -> impl Iterator<Item = &'static str> {
    rules().filter_map(|rule| rule.marks.first().copied()).chain(known::titles())
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    files::RULES.iter().chain(model::RULES).chain(model::WRAPPERS)
}

pub(super) fn diagnose(text: &str) -> Option<Diagnosis> {
    if let Some(diagnosis) = known::diagnose(text) {
        return Some(diagnosis);
    }
    let mut hit = rules().filter(|rule| rule.marks.iter().any(|mark| text.contains(mark)));
    hit.find_map(|rule| (rule.read)(text))
}
