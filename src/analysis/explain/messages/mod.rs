//! The messages of TensorFlow and Keras that are known, in the order in which they are looked for.
//!
//! A traceback often holds several: the one that names the cause stands before the one that wraps it.

mod files;
mod known;
mod model;
mod rule;

use super::Diagnosis;
use rule::Rule;

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
