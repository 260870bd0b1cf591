//! The messages of TensorFlow, Keras and their like that are known, in the order in which they are looked for.
//!
//! Those that need reading (`files`, `names`, `shapes`, `objects`) and those that are a row of a table (`known`).

mod files;
mod known;
mod names;
mod objects;
mod rule;
mod shapes;

use super::checksum;
use super::diagnosis::Diagnosis;
use crate::analysis::Code;
pub(super) use rule::Rank;
use rule::Rule;

/// A message that was recognised.
#[derive(Debug)]
pub(super) struct Hit {
    /// Which of the messages.
    pub(super) rule: usize,
    /// How it stands to others.
    pub(super) rank: Rank,
    /// What it means.
    pub(super) diagnosis: Diagnosis,
}

/// One message of the list.
pub(super) struct Listed {
    /// Who says it.
    pub(super) program: &'static str,
    /// The wordings by which it is recognised.
    pub(super) marks: Vec<&'static str>,
    /// What is said of it where the message has no values.
    pub(super) diagnosis: Diagnosis,
}

enum Message {
    Checksum,
    Rule(&'static str, &'static Rule),
    Row(&'static str, &'static known::Row),
}

const CHECKSUM: &str = "Checksum does not match";

fn all() -> impl Iterator<Item = Message> {
    let rules: [(&str, &'static [Rule]); 4] = [
        ("TensorFlow: files", files::RULES),
        ("TensorFlow: names and types", names::RULES),
        ("Shapes", shapes::RULES),
        ("TensorFlow: objects", objects::RULES),
    ];
    let rules =
        rules.into_iter().flat_map(|(program, rules)| rules.iter().map(move |rule| Message::Rule(program, rule)));
    let rows =
        known::groups().into_iter().flat_map(|(program, rows)| rows.iter().map(move |row| Message::Row(program, row)));
    std::iter::once(Message::Checksum).chain(rows).chain(rules)
}

impl Message {
    fn marks(&self) -> &'static [&'static str] {
        match self {
            Self::Checksum => &["calculated on the restored bytes"],
            Self::Rule(_, rule) => rule.marks,
            Self::Row(_, row) => row.marks,
        }
    }

    fn rank(&self) -> Rank {
        match self {
            Self::Checksum => Rank::Root,
            Self::Rule(_, rule) => rule.rank,
            Self::Row(_, row) => row.rank,
        }
    }

    fn read(&self, text: &str, whole: &str) -> Option<Diagnosis> {
        match self {
            Self::Checksum => checksum::diagnose(whole),
            Self::Rule(_, rule) => (rule.read)(text),
            Self::Row(_, row) => Some(row.read(text)),
        }
    }
}

/// The message that a text is, or of several the one that is the cause. `is_first`: it may have lost its beginning.
pub(super) fn find(text: &str, is_first: bool) -> Option<Hit> {
    let mut best: Option<Hit> = None;
    for (rule, message) in all().enumerate() {
        let rank = message.rank();
        if best.as_ref().is_some_and(|best| best.rank <= rank) {
            continue;
        }
        if message.marks().iter().any(|mark| holds(text, mark, is_first))
            && let Some(diagnosis) = message.read(text, text)
        {
            best = Some(Hit { rule, rank, diagnosis });
        }
    }
    best
}

/// Reads a text again as a message that was found: what it says several times stands in it together.
pub(super) fn read(rule: usize, text: &str, whole: &str) -> Option<Diagnosis> {
    all().nth(rule)?.read(text, whole)
}

/// All messages, for people.
pub(super) fn listed() -> impl Iterator<Item = Listed> {
    all().map(|message| match message {
        Message::Checksum => {
            let diagnosis = checksum::undecided(&[]).with_page(Code::TensorChecksumMismatch);
            Listed { program: "TensorFlow: files", marks: vec![CHECKSUM], diagnosis }
        }
        Message::Rule(program, rule) => {
            let diagnosis = (rule.read)(rule.example).unwrap_or_default();
            Listed { program, marks: rule.marks.to_vec(), diagnosis }
        }
        Message::Row(program, row) => Listed { program, marks: row.marks.to_vec(), diagnosis: row.read("") },
    })
}

/// Whether the parts of a mark stand in a text, one behind the other; `…` stands for anything on the way. Of a text whose
/// beginning was cut off, the first part may have lost its own.
fn holds(text: &str, mark: &str, is_first: bool) -> bool {
    let mut parts = mark.split('…');
    let first = parts.next().unwrap_or_default();
    let rest = match text.split_once(first) {
        Some((_, rest)) => rest,
        None if is_first => match cut_off(text, first) {
            Some(rest) => rest,
            None => return false,
        },
        None => return false,
    };
    let mut rest = rest;
    parts.all(|part| match rest.split_once(part) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

/// What stands behind `part` in a text that begins somewhere within it.
fn cut_off<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    // Shorter ends are ordinary words.
    const SHORTEST: usize = 14;
    let text = text.trim_start_matches(['.', '…', ' ', '"', '\'', '\n']);
    let mut ends = part.char_indices().map(|(at, _)| part.get(at..).unwrap_or_default());
    ends.find_map(|end| if end.len() >= SHORTEST { text.strip_prefix(end) } else { None })
}
