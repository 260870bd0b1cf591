//! What one process found out, as it goes from there to the one that makes the report; and what makes no set of them.

use std::collections::BTreeMap;
use std::ops::Range;

use thiserror::Error;

use super::mark::Mark;

/// One run through units, and what those of a share came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was asked of the units.
    pub what: String,
    /// How many units there are in all.
    pub units: usize,
    /// What they weigh together: bytes, and one for each.
    pub weight: u64,
    /// Those that are in this share.
    pub own: Range<usize>,
    /// What they came to.
    pub record: Vec<u8>,
}

/// What one process found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartReport {
    /// Who it is of: the file, for errors.
    pub of_file: String,
    /// Which share, from 1.
    pub number: u64,
    /// Of how many.
    pub of: u64,
    /// The checkpoints that were looked at, as they were.
    pub marks: Vec<Mark>,
    /// What came of it, in the order in which it was asked.
    pub calls: Vec<Call>,
}

/// Why parts are not all parts of one report.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WrongSet {
    /// None was given.
    #[error("no part was given, and no folder with any")]
    Nothing,
    /// A file that is none, or none that this program merges.
    #[error("{file} is no part that can be merged: {why}")]
    NoPart {
        /// The file.
        file: String,
        /// What it is.
        why: String,
    },
    /// Two parts are answers to different questions.
    #[error("{second} is no part of the same report as {first}: {why}")]
    OtherQuestion {
        /// A part.
        first: String,
        /// The other.
        second: String,
        /// How they differ.
        why: String,
    },
    /// Another number of shares.
    #[error("{file} is a part of {found}, {first} is one of {expected}: they are of different runs")]
    OfAnother {
        /// The part.
        file: String,
        /// The one that it does not go with.
        first: String,
        /// Shares of the one.
        found: u64,
        /// Shares of the other.
        expected: u64,
    },
    /// One share twice.
    #[error("{first} and {second} are both part {number} of {of}; one of them is too many")]
    Doubled {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// Which share.
        number: u64,
        /// Of how many.
        of: u64,
    },
    /// Shares that nobody has.
    #[error("{}", missing(.numbers, *.count, *.of))]
    Missing {
        /// The first of them.
        numbers: Vec<u64>,
        /// How many.
        count: u64,
        /// Of how many.
        of: u64,
    },
    /// Two parts have not looked at the same.
    #[error("{second} is of another checkpoint than {first}, or it changed in between: {why}")]
    Foreign {
        /// The part that it is compared with.
        first: String,
        /// The part.
        second: String,
        /// What differs.
        why: String,
    },
    /// What lies there now is not what the parts have looked at.
    #[error("the checkpoint is not what {first} was made of: {why}")]
    Changed {
        /// A part.
        first: String,
        /// What differs.
        why: String,
    },
    /// A part that says what cannot be.
    #[error("{file} does not fit the other parts, or is damaged: {why}")]
    Damaged {
        /// The part, or what is known of it.
        file: String,
        /// What cannot be.
        why: String,
    },
}

/// "part 3 of 8 is missing".
fn missing(numbers: &[u64], count: u64, of: u64) -> String {
    let shown: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let more = if count > numbers.len() as u64 { ", …" } else { "" };
    match count {
        1 => format!("part {} of {of} is missing", shown.join(", ")),
        _ => format!("{count} of {of} parts are missing: {}{more}", shown.join(", ")),
    }
}

/// How many missing parts are named.
const NAMED: usize = 10;

/// Parts that are all there, each once and of one number of shares, by their numbers.
pub(super) fn sorted(parts: Vec<PartReport>) -> Result<Vec<PartReport>, WrongSet> {
    let Some(first) = parts.first() else { return Err(WrongSet::Nothing) };
    let (of, first) = (first.of, first.of_file.clone());
    let mut all: BTreeMap<u64, PartReport> = BTreeMap::new();
    for part in parts {
        if part.of != of {
            return Err(WrongSet::OfAnother { file: part.of_file, first, found: part.of, expected: of });
        }
        if part.number == 0 || part.number > of {
            let why = format!("it says that it is part {} of {of}", part.number);
            return Err(WrongSet::Damaged { file: part.of_file, why });
        }
        if let Some(other) = all.get(&part.number) {
            let (first, second) = (other.of_file.clone(), part.of_file);
            return Err(WrongSet::Doubled { first, second, number: part.number, of });
        }
        all.insert(part.number, part);
    }
    let count = of.saturating_sub(all.len() as u64);
    if count > 0 {
        let numbers = (1..=of).filter(|number| !all.contains_key(number)).take(NAMED).collect();
        return Err(WrongSet::Missing { numbers, count, of });
    }
    let parts: Vec<PartReport> = all.into_values().collect();
    if let Some((first, rest)) = parts.split_first() {
        for other in rest {
            if let Some(why) = Mark::difference(&first.marks, &other.marks) {
                let (first, second) = (first.of_file.clone(), other.of_file.clone());
                return Err(WrongSet::Foreign { first, second, why });
            }
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u64, of: u64) -> PartReport {
        PartReport { of_file: format!("{number}.part"), number, of, marks: Vec::new(), calls: Vec::new() }
    }

    #[test]
    fn a_set_is_whole_or_says_what_is_wrong() {
        let numbers = |parts: Vec<PartReport>| sorted(parts).map(|parts| parts.iter().map(|p| p.number).collect());
        assert_eq!(numbers(vec![part(2, 3), part(3, 3), part(1, 3)]), Ok::<Vec<u64>, _>(vec![1, 2, 3]));
        let says = |parts: Vec<PartReport>| sorted(parts).unwrap_err().to_string();
        assert_eq!(says(vec![]), "no part was given, and no folder with any");
        assert_eq!(says(vec![part(1, 2)]), "part 2 of 2 is missing");
        assert_eq!(says(vec![part(1, 20)]), "19 of 20 parts are missing: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …");
        assert_eq!(
            says(vec![part(1, 2), part(1, 2)]),
            "1.part and 1.part are both part 1 of 2; one of them is too many"
        );
        assert!(says(vec![part(1, 2), part(2, 3)]).starts_with("2.part is a part of 3, 1.part is one of 2"));
        assert!(says(vec![part(0, 2)]).contains("damaged"));
    }
}
