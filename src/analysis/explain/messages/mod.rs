//! The messages of TensorFlow, Keras and their like that are known, in the order in which they are looked for.
//!
//! Those that need reading (`files`, `names`, `shapes`, `objects`) and those that are a row of a table (`known`).

mod files;
mod known;
mod names;
mod objects;
mod rule;
mod shapes;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

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

/// Every message, and what finds the beginnings of all their marks in one pass: texts are gone through piece by piece, and
/// each piece for all of them.
struct Sought {
    messages: Vec<Message>,
    /// The marks of all messages in their order, each with the number of its message.
    marks: Vec<(usize, Mark)>,
    firsts: Option<AhoCorasick>,
}

static SOUGHT: LazyLock<Sought> = LazyLock::new(|| {
    let messages: Vec<Message> = all().collect();
    let marks = messages.iter().enumerate();
    let marks: Vec<(usize, Mark)> =
        marks.flat_map(|(rule, message)| message.marks().iter().map(move |mark| (rule, Mark(mark)))).collect();
    let firsts = AhoCorasick::new(marks.iter().map(|(_, mark)| mark.first())).ok();
    Sought { messages, marks, firsts }
});

impl Sought {
    /// The numbers of the marks whose first part stands in a text, in their order.
    fn begun(&self, text: &str) -> BTreeSet<usize> {
        match &self.firsts {
            Some(firsts) => firsts.find_overlapping_iter(text).map(|found| found.pattern().as_usize()).collect(),
            None => (0..self.marks.len()).collect(),
        }
    }
}

/// The message that a text is, or of several the one that is the cause. `is_first`: it may have lost its beginning.
pub(super) fn find(text: &str, is_first: bool) -> Option<Hit> {
    let begun = SOUGHT.begun(text);
    let mut best: Option<Hit> = None;
    let mut seen = None;
    let mut look = |n: usize, is_begun: bool| {
        let Some((rule, mark)) = SOUGHT.marks.get(n) else { return };
        let Some(message) = SOUGHT.messages.get(*rule).filter(|_| seen != Some(*rule)) else { return };
        let rank = message.rank();
        if best.as_ref().is_some_and(|best| best.rank <= rank) {
            return;
        }
        let is_there = if is_begun { mark.is_in(text) } else { mark.is_cut_off_in(text) };
        if is_there {
            seen = Some(*rule);
            best = message.read(text, text).map(|diagnosis| Hit { rule: *rule, rank, diagnosis }).or(best.take());
        }
    };
    if is_first {
        for n in 0..SOUGHT.marks.len() {
            look(n, begun.contains(&n));
        }
    } else {
        for n in begun {
            look(n, true);
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

/// A wording; `…` stands for anything on the way.
struct Mark(&'static str);

impl Mark {
    fn first(&self) -> &'static str {
        self.0.split('…').next().unwrap_or_default()
    }

    /// Whether the parts stand in a text, one behind the other.
    fn is_in(&self, text: &str) -> bool {
        text.split_once(self.first()).is_some_and(|(_, rest)| self.others_are_in(rest))
    }

    /// The same of a text whose beginning was cut off, within the first part.
    fn is_cut_off_in(&self, text: &str) -> bool {
        cut_off(text, self.first()).is_some_and(|rest| self.others_are_in(rest))
    }

    fn others_are_in(&self, mut rest: &str) -> bool {
        self.0.split('…').skip(1).all(|part| match rest.split_once(part) {
            Some((_, behind)) => {
                rest = behind;
                true
            }
            None => false,
        })
    }
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
