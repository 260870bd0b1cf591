//! A row of the table of known messages, and how it is read.

use crate::analysis::Code;
use crate::analysis::explain::diagnosis::Diagnosis;
use crate::analysis::explain::messages::rule::Rank;
use crate::analysis::explain::pasted::{cut, path_before, quoted, rest_of_line};

/// A row of the table.
pub(in crate::analysis::explain::messages) struct Row {
    /// Wordings, by version; the first is how people know it.
    pub(in crate::analysis::explain::messages) marks: &'static [&'static str],
    /// The name of the cause, where it is not that of the page.
    pub(in crate::analysis::explain::messages) cause: &'static str,
    /// The code whose page says what leads to it and what to do.
    pub(in crate::analysis::explain::messages) page: Option<Code>,
    /// Whether something else in a text would be the cause of it.
    pub(in crate::analysis::explain::messages) rank: Rank,
    /// What stands around the value that the texts call `{}`; an empty end is the end of what belongs to it.
    pub(in crate::analysis::explain::messages) value: &'static [(&'static str, &'static str)],
    /// What `{}` is where the message does not say.
    pub(in crate::analysis::explain::messages) otherwise: &'static str,
    /// What the value is.
    pub(in crate::analysis::explain::messages) is: Is,
    pub(in crate::analysis::explain::messages) headline: &'static str,
    pub(in crate::analysis::explain::messages) means: &'static [&'static str],
    pub(in crate::analysis::explain::messages) likely: &'static [&'static str],
    pub(in crate::analysis::explain::messages) next: &'static [&'static str],
    pub(in crate::analysis::explain::messages) certain: &'static [&'static str],
    pub(in crate::analysis::explain::messages) codes: &'static [Code],
}

/// What the value in a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::analysis::explain::messages) enum Is {
    /// Words, a number, the name of something that is no tensor.
    Words,
    /// The name of a tensor.
    Tensor,
    /// A path.
    Path,
    /// A directory.
    Dir,
}

/// What a row has that says nothing of it.
pub(super) const ROW: Row = Row {
    marks: &[],
    cause: "",
    page: None,
    rank: Rank::Root,
    value: &[],
    otherwise: "",
    is: Is::Words,
    headline: "",
    means: &[],
    likely: &[],
    next: &[],
    certain: &[],
    codes: &[],
};

impl Row {
    pub(in crate::analysis::explain::messages) fn read(&self, text: &str) -> Diagnosis {
        let value = self.value.iter().find_map(|(before, after)| value(text, before, after));
        let is_number = |value: &str| value.bytes().all(|b| b.is_ascii_digit());
        let shown = match value {
            None => self.otherwise.to_owned(),
            Some(value) if is_number(value) => value.to_owned(),
            Some(value) => quoted(value),
        };
        let fill = |line: &str| capital(&line.replace("{}", &shown));
        let cause = match self.page {
            Some(code) if self.cause.is_empty() => code.name(),
            _ => self.cause,
        };
        let mut diagnosis = Diagnosis::new(cause, fill(self.headline));
        diagnosis.meaning.extend(self.means.iter().map(|line| fill(line)));
        diagnosis.likely.extend(self.likely.iter().map(|line| fill(line)));
        let named = |line: &str| if value.is_some() { line.replace("'NAME'", &shown) } else { line.to_owned() };
        diagnosis.next.extend(self.next.iter().map(|line| named(line)));
        if let Some(code) = self.page {
            diagnosis = diagnosis.with_page(code);
        }
        diagnosis.certainty.extend(self.certain.iter().map(|line| fill(line)));
        for code in self.codes {
            if !diagnosis.codes.contains(code) {
                diagnosis.codes.push(*code);
            }
        }
        match self.is {
            Is::Words => diagnosis,
            Is::Tensor => diagnosis.of_tensor(value),
            Is::Path => diagnosis.of_path(value),
            Is::Dir => diagnosis.of_dir(value),
        }
    }
}

/// What stands between two fixed parts, on one line; without a first part it is the path in front of the second.
fn value<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let found = match after {
        after if before.is_empty() => path_before(text, after)?,
        "" => rest_of_line(text, before)?,
        " " => text.split_once(before)?.1.split_whitespace().next()?.trim_end_matches(['.', ',', ';', ':', ')']),
        after => {
            let (_, rest) = text.split_once(before)?;
            // An ending in quotes ends at the last of them on the line: names have apostrophes.
            let line = cut(rest, 2048).lines().next()?;
            line.split_once(after)?.0
        }
    };
    let found = found.trim().trim_matches(['"', '`']);
    (!found.is_empty()).then_some(found)
}

/// A sentence begins with a capital letter, also where it begins with a word that stands for a value; the name of a
/// function stays as it is.
fn capital(line: &str) -> String {
    let is_name = line.split(' ').next().is_some_and(|word| word.contains(['_', '.']));
    let mut chars = line.chars();
    match chars.next() {
        Some(first) if !is_name => first.to_uppercase().chain(chars).collect(),
        _ => line.to_owned(),
    }
}
