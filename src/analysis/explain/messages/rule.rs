//! A message that needs reading: its marks, what it means where they stand, and how it stands to other messages.

use crate::analysis::explain::diagnosis::Diagnosis;

/// A message that needs reading: any of the marks in a text, and what it means there.
pub(super) struct Rule {
    /// The part of the message that stays the same; the first is how people know it.
    pub(super) marks: &'static [&'static str],
    /// What it means in this text; `None` if it is another message with the same words.
    pub(super) read: fn(&str) -> Option<Diagnosis>,
    /// Whether something else in a text would be the cause of it.
    pub(super) rank: Rank,
    /// A message as a program says it, for the list of all messages.
    pub(super) example: &'static str,
}

/// Which of several errors is the cause: the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::analysis::explain) enum Rank {
    /// It says what is wrong.
    Root,
    /// It says the same as another message does, with less in it.
    Vague,
    /// It follows from what went wrong before.
    Consequence,
    /// It only passes another message on.
    Wrapper,
}

/// What all rules have that say nothing of it.
pub(super) const ROOT: Rule = Rule { marks: &[], read: |_| None, rank: Rank::Root, example: "" };
