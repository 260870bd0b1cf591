//! Components that became others, written as substitutions: the numbers in them are kept, get zeros or lose them, or are
//! led to others one by one.

use std::collections::BTreeSet;

use crate::analysis::restore::substitution::{literal, replacement};

/// How many numbers may be led to others one by one.
const MOST: usize = 64;
/// Stands for a number in a component.
pub(super) const NUMBER: u8 = 0;

/// What each number of a name is in several names, in the order in which they stand there.
pub(super) type Numbers<'n> = Vec<BTreeSet<&'n [u8]>>;

/// What became of what: components, and whether they are the first of a name, and the last.
pub(super) type Change = (Vec<Vec<u8>>, Vec<Vec<u8>>, (bool, bool));

/// How often a change was seen, and the numbers on both sides.
#[derive(Debug, Default)]
pub(super) struct Votes<'n> {
    pub(super) times: usize,
    pub(super) from: Numbers<'n>,
    pub(super) to: Numbers<'n>,
}

/// How a number of the model comes from one of the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// With zeros in front, so many digits.
    Padded(usize),
    /// Without the zeros in front.
    Stripped,
    /// Each is another.
    Led(Vec<(String, String)>),
}

pub(super) fn relation(from: &BTreeSet<&[u8]>, to: &BTreeSet<&[u8]>) -> Option<Relation> {
    if to.is_subset(from) {
        return Some(Relation::Same);
    }
    let number = |text: &&[u8]| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
    let from_numbers: BTreeSet<u64> = from.iter().filter_map(number).collect();
    let to_numbers: BTreeSet<u64> = to.iter().filter_map(number).collect();
    if to_numbers.is_subset(&from_numbers) {
        let widths: BTreeSet<usize> = to.iter().map(|text| text.len()).collect();
        let plain = |side: &BTreeSet<&[u8]>| side.iter().all(|text| text.len() == 1 || text.first() != Some(&b'0'));
        return match (widths.first(), widths.len()) {
            (Some(width), 1) if plain(from) && !plain(to) => Some(Relation::Padded(*width)),
            _ if plain(to) && !plain(from) => Some(Relation::Stripped),
            _ => None,
        };
    }
    let by = |a: &u64, b: &u64| i128::from(*b).checked_sub(i128::from(*a));
    let steps: BTreeSet<_> = from_numbers.iter().zip(&to_numbers).map(|(a, b)| by(a, b)).collect();
    let is_shift = from_numbers.len() == to_numbers.len() && (2..=MOST).contains(&from.len()) && steps.len() == 1;
    let mut led: Vec<(u64, u64)> = from_numbers.into_iter().zip(to_numbers).collect();
    // What is led to a number that another still has comes behind that one.
    if led.iter().any(|(a, b)| b > a) {
        led.reverse();
    }
    let pairs = || led.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    (is_shift && from.len() == led.len()).then(|| Relation::Led(pairs()))
}

/// The substitutions that make a change.
pub(super) fn rules_of(
    (from, to, ends): &Change,
    votes: &Votes<'_>,
    doubt: &mut Option<String>,
) -> Option<Vec<String>> {
    // From which number of the checkpoint each of the model comes, and how.
    let mut sources: Vec<Option<(usize, Relation)>> = Vec::new();
    for (at, own) in votes.to.iter().enumerate() {
        let free = |n: &usize| !sources.iter().flatten().any(|(used, _)| used == n);
        let order = std::iter::once(at).chain(0..votes.from.len());
        let mut related = order.filter(free).filter_map(|n| Some((n, relation(votes.from.get(n)?, own)?)));
        let found = related.next();
        drop(related);
        if found.is_none() && own.len() > 1 {
            return None;
        }
        sources.push(found);
    }
    let led = sources.iter().flatten().find_map(|(n, relation)| match relation {
        Relation::Led(pairs) => Some((*n, pairs.clone())),
        _ => None,
    });
    let padded = sources.iter().flatten().find_map(|(n, relation)| match relation {
        Relation::Padded(width) => Some((*n, *width)),
        _ => None,
    });
    if let Some((_, pairs)) = &led
        && let Some((a, b)) = pairs.iter().min()
    {
        doubt.get_or_insert_with(|| {
            format!("layers are counted from {b} and not from {a}, by the order of their numbers")
        });
    }
    // One rule, or one for each number that is led to another, or for each number of digits that gets zeros.
    let lengths =
        |n: usize| -> BTreeSet<usize> { votes.from.get(n).into_iter().flatten().map(|text| text.len()).collect() };
    let rules = match (&led, padded) {
        (Some((n, pairs)), None) => pairs
            .iter()
            .map(|(a, b)| rule(from, to, *ends, votes, &sources, &|at| (at == *n).then(|| (a.clone(), b.clone()))))
            .collect(),
        (None, Some((n, width))) => lengths(n)
            .into_iter()
            .map(|len| {
                let zeros = "0".repeat(width.saturating_sub(len));
                let digits = if len == 1 { "([0-9])".to_owned() } else { format!("([0-9]{{{len}}})") };
                rule(from, to, *ends, votes, &sources, &|at| (at == n).then(|| (digits.clone(), zeros.clone())))
            })
            .collect(),
        (None, None) => vec![rule(from, to, *ends, votes, &sources, &|_| None)],
        (Some(_), Some(_)) => return None,
    };
    Some(rules)
}

/// One substitution. `special` has what stands for a number of the checkpoint, and in the name of the model.
fn rule(
    from: &[Vec<u8>],
    to: &[Vec<u8>],
    (is_first, is_last): (bool, bool),
    votes: &Votes<'_>,
    sources: &[Option<(usize, Relation)>],
    special: &dyn Fn(usize) -> Option<(String, String)>,
) -> String {
    // Numbers that are caught in brackets, in their order.
    let mut caught: Vec<usize> = Vec::new();
    let mut pattern = String::new();
    for (n, piece) in from.join(&b'/').split(|byte| *byte == NUMBER).enumerate() {
        if let Some(at) = n.checked_sub(1) {
            let is_source = sources.iter().flatten().any(|(source, _)| *source == at);
            let only = votes.from.get(at).filter(|all| all.len() == 1).and_then(BTreeSet::first);
            match special(at) {
                Some((text, _)) => {
                    if text.starts_with('(') {
                        caught.push(at);
                    }
                    pattern.push_str(&text);
                }
                None if is_source => {
                    let is_stripped = sources.iter().flatten().any(|s| *s == (at, Relation::Stripped));
                    pattern.push_str(if is_stripped { "0*([0-9]+)" } else { "([0-9]+)" });
                    caught.push(at);
                }
                None => match only {
                    Some(number) => pattern.push_str(&literal(number)),
                    None => pattern.push_str("[0-9]+"),
                },
            }
        }
        pattern.push_str(&literal(piece));
    }
    let mut text = String::new();
    for (n, piece) in to.join(&b'/').split(|byte| *byte == NUMBER).enumerate() {
        if let Some(at) = n.checked_sub(1) {
            if let Some((source, _)) = sources.get(at).and_then(Option::as_ref) {
                let made = special(*source);
                text.push_str(made.as_ref().map_or("", |(_, text)| text));
                if let Some(group) = caught.iter().position(|n| n == source) {
                    text.push('\\');
                    text.push_str(&group.saturating_add(1).to_string());
                }
            } else {
                let only = votes.to.get(at).and_then(BTreeSet::first).copied().unwrap_or_default();
                text.push_str(&replacement(only));
            }
        }
        text.push_str(&replacement(piece));
    }
    let (before, after) = (if is_first { "^" } else { "/" }, if is_last { "$" } else { "/" });
    let (front, behind) = (before.trim_start_matches('^'), after.trim_end_matches('$'));
    match (from.is_empty(), to.is_empty()) {
        // Only in front of a name is something put in that has nothing in front of it.
        (true, _) => format!("s|^|{text}/|"),
        (_, true) if is_first => format!("s|^{pattern}{after}||"),
        (_, true) => format!("s|/{pattern}{after}|{behind}|"),
        _ => format!("s|{before}{pattern}{after}|{front}{text}{behind}|"),
    }
}
