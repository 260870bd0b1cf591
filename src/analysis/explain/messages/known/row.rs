//! A row of the table of known messages, and how it is read.

use crate::analysis::Code;
use crate::analysis::explain::diagnosis::Diagnosis;
use crate::analysis::explain::pasted::{argument, cut, quoted};

/// A row of the table.
pub(super) struct Known {
    /// Wordings, by version; the first is how people know it.
    pub(super) marks: &'static [&'static str],
    /// What stands around the value that the texts call `{}`.
    pub(super) value: &'static [(&'static str, &'static str)],
    /// What `{}` is where the message does not say.
    pub(super) otherwise: &'static str,
    /// Whether the value is the name of a tensor.
    pub(super) is_tensor: bool,
    pub(super) headline: &'static str,
    pub(super) means: &'static [&'static str],
    pub(super) likely: &'static [&'static str],
    pub(super) next: &'static [&'static str],
    pub(super) certain: &'static [&'static str],
    pub(super) codes: &'static [Code],
}

/// What a row has that says nothing of it.
pub(super) const ROW: Known = Known {
    marks: &[],
    value: &[],
    otherwise: "",
    is_tensor: false,
    headline: "",
    means: &[],
    likely: &[],
    next: &[],
    certain: &[],
    codes: &[],
};

/// Whether the parts of a mark stand in a text, one behind the other.
pub(super) fn holds(text: &str, mark: &str) -> bool {
    let mut rest = text;
    mark.split('…').all(|part| match rest.split_once(part) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

impl Known {
    pub(super) fn read(&self, text: &str) -> Diagnosis {
        let value = self.value.iter().find_map(|(before, after)| value(text, before, after));
        let is_number = |value: &str| value.bytes().all(|b| b.is_ascii_digit());
        let shown = match value {
            None => self.otherwise.to_owned(),
            Some(value) if is_number(value) => value.to_owned(),
            Some(value) => quoted(value),
        };
        let named = value.map_or_else(|| "NAME".to_owned(), argument);
        let fill = |line: &str| capital(&line.replace("{}", &shown));
        let mut diagnosis = Diagnosis::new(fill(self.headline));
        diagnosis.meaning.extend(self.means.iter().map(|line| fill(line)));
        diagnosis.likely.extend(self.likely.iter().map(|line| fill(line)));
        diagnosis.next.extend(self.next.iter().map(|line| line.replace("{}", &named)));
        diagnosis.certainty.extend(self.certain.iter().map(|line| fill(line)));
        diagnosis.codes.extend(self.codes);
        diagnosis.of_tensor(value.filter(|_| self.is_tensor))
    }
}

/// What stands between two fixed parts, on one line; an empty second part is the end of the word.
fn value<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    let rest = cut(rest, 2048);
    let line = rest.lines().next()?;
    let found = match after {
        "" => line.split_whitespace().next()?.trim_end_matches(['.', ',', ';', ':', ')', '"', '\'']),
        "\n" => line,
        after => line.split_once(after)?.0,
    };
    let found = found.trim().trim_matches(['"', '\'']);
    (!found.is_empty()).then_some(found)
}

/// A sentence begins with a capital letter, also where it begins with a word that stands for a value.
fn capital(line: &str) -> String {
    let mut chars = line.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
