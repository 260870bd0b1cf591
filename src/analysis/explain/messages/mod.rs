//! The messages of TensorFlow, Keras and their like that are known, in the order in which they are looked for.
//!
//! Those that need reading (`files`, `names`, `shapes`, `objects`) and those that are a row of a table (`known`).

mod files;
mod known;
mod names;
mod objects;
mod rule;
mod shapes;

use std::sync::LazyLock;

use memchr::memmem::Finder;

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

/// A message, with its marks ready to be looked for.
struct Sought {
    message: Message,
    marks: Vec<Mark>,
}

/// Every message: texts are gone through piece by piece, and each piece for all of them.
static SOUGHT: LazyLock<Vec<Sought>> = LazyLock::new(|| {
    let sought = |message: Message| {
        let marks = message.marks().iter().map(|mark| Mark::new(mark)).collect();
        Sought { message, marks }
    };
    all().map(sought).collect()
});

/// The message that a text is, or of several the one that is the cause. `is_first`: it may have lost its beginning.
pub(super) fn find(text: &str, is_first: bool) -> Option<Hit> {
    let mut best: Option<Hit> = None;
    for (rule, Sought { message, marks }) in SOUGHT.iter().enumerate() {
        let rank = message.rank();
        if best.as_ref().is_some_and(|best| best.rank <= rank) {
            continue;
        }
        if marks.iter().any(|mark| mark.is_in(text, is_first))
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

/// A wording, in the parts between which anything may stand.
struct Mark {
    first: &'static str,
    parts: Vec<Finder<'static>>,
}

impl Mark {
    /// `…` stands for anything on the way.
    fn new(mark: &'static str) -> Self {
        let first = mark.split('…').next().unwrap_or_default();
        Self { first, parts: mark.split('…').map(Finder::new).collect() }
    }

    /// Whether the parts stand in a text, one behind the other. Of a text whose beginning was cut off, the first part may
    /// have lost its own.
    fn is_in(&self, text: &str, is_first: bool) -> bool {
        let Some((first, others)) = self.parts.split_first() else { return false };
        let rest = behind(text, first).or_else(|| if is_first { cut_off(text, self.first) } else { None });
        let Some(mut rest) = rest else { return false };
        others.iter().all(|part| match behind(rest, part) {
            Some(found) => {
                rest = found;
                true
            }
            None => false,
        })
    }
}

/// What stands behind a part where it first stands in a text.
fn behind<'t>(text: &'t str, part: &Finder<'_>) -> Option<&'t str> {
    let at = part.find(text.as_bytes())?;
    text.get(at + part.needle().len()..)
}

/// What stands behind `part` in a text that begins somewhere within it.
fn cut_off<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    // Shorter ends are ordinary words.
    const SHORTEST: usize = 14;
    let text = text.trim_start_matches(['.', '…', ' ', '"', '\'', '\n']);
    let places = memchr::memchr_iter(*text.as_bytes().first()?, part.as_bytes());
    let mut ends = places.filter_map(|at| part.get(at..)).take_while(|end| end.len() >= SHORTEST);
    ends.find_map(|end| text.strip_prefix(end))
}
