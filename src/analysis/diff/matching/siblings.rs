//! Tensors that may be parts of one, by their names: those that differ in one word of it, or in one number.

use std::collections::BTreeMap;

use super::side::Item;
use super::words::{ATTENTION, sibling, words};
use super::work::Work;

/// Members of a family of which every choice is looked at.
const FEW: usize = 8;

/// Parts of a whole that may come in any order.
const PARTS: usize = 4;

/// Tensors whose names differ in one place.
#[derive(Debug)]
pub(super) struct Family {
    /// In the order that their names suggest.
    members: Vec<usize>,
    /// Whether they differ in a number, and so come in its order.
    is_numbered: bool,
    /// How many of them, from the first on, are known to be parts of one thing: query, key, value.
    known: usize,
    /// Of which kind these are, by its number.
    kind: Option<usize>,
}

/// All families of a side among those tensors without a partner that are asked for.
pub(super) fn families(work: &Work<'_>, side: usize, is_asked: fn(&Item) -> bool) -> Vec<Family> {
    let mut by_rest: BTreeMap<(&str, &str), Vec<(&str, usize)>> = BTreeMap::new();
    for (at, _) in work.free_items(side).filter(|(_, item)| is_asked(item)) {
        let Some(name) = work.names.get(side).and_then(|names| names.get(at)) else { continue };
        let text = name.text.as_str();
        let mut start = 0;
        for word in text.split(['/', '.']) {
            let end = start + word.len();
            let rest = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
            by_rest.entry(rest).or_default().push((word, at));
            start = end + 1;
        }
    }
    by_rest.into_values().filter(|members| members.len() > 1).filter_map(family).collect()
}

fn family(mut members: Vec<(&str, usize)>) -> Option<Family> {
    let numbered: Option<Vec<(&str, u64, usize)>> = members
        .iter()
        .map(|(word, at)| {
            let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
            Some((stem, word.get(stem.len()..)?.parse().ok()?, *at))
        })
        .collect();
    if let Some(mut numbered) = numbered
        && let Some((stem, ..)) = numbered.first().copied()
        && numbered.iter().all(|(other, ..)| *other == stem)
    {
        numbered.sort_unstable_by_key(|(_, number, at)| (*number, *at));
        let members: Vec<usize> = numbered.into_iter().map(|(.., at)| at).collect();
        return Some(Family { members, is_numbered: true, known: 0, kind: None });
    }
    // Of words that are known the kind of the first of them comes first.
    let of = |word: &str| sibling(&words(word));
    let kind = members.iter().filter_map(|(word, _)| of(word)).map(|(kind, _)| kind).min();
    let place = |word: &str| of(word).filter(|(of, _)| Some(*of) == kind).map_or(usize::MAX, |(_, place)| place);
    members.sort_by_key(|(word, at)| (place(word), word.to_owned(), *at));
    let known = members.iter().filter(|(word, _)| place(word) != usize::MAX).count();
    let len = members.len();
    if len > FEW {
        members.truncate(known);
    }
    (members.len() > 1).then(|| Family {
        members: members.iter().map(|(_, at)| *at).collect(),
        is_numbered: false,
        known,
        kind,
    })
}

impl Family {
    /// Those that could be the parts of one, the likeliest first.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        let len = self.members.len();
        if self.is_numbered {
            return vec![self.members.clone()];
        }
        let mut chosen: Vec<u32> = (1..1u32 << len.min(FEW)).collect();
        chosen.retain(|set| (2..=PARTS).contains(&(set.count_ones() as usize)));
        // All that are known to be parts, then fewer and others.
        let likely = (1u32 << self.known.min(FEW)) - 1;
        chosen.sort_by_key(|set| (*set != likely, set & !likely != 0, std::cmp::Reverse(set.count_ones()), *set));
        let members = |set: u32| self.members.iter().enumerate().filter(move |(n, _)| set >> n & 1 == 1);
        chosen.into_iter().map(|set| members(set).map(|(_, at)| *at).collect()).collect()
    }

    /// Those that are parts of one, if they are any's.
    pub(super) fn likeliest(&self) -> Option<&[usize]> {
        let many = if self.is_numbered { self.members.len() } else { self.known };
        self.members.get(..many).filter(|members| members.len() > 1)
    }

    /// Query, key and value, which may alternate by heads.
    pub(super) fn heads(&self) -> Option<&[usize]> {
        self.likeliest().filter(|_| self.kind == Some(ATTENTION))
    }

    /// The orders in which the members of a group could come, the likeliest first.
    pub(super) fn arrangements(&self, len: usize) -> Vec<Vec<usize>> {
        if self.is_numbered || len > PARTS {
            return vec![(0..len).collect()];
        }
        let mut all = Vec::new();
        super::orders::permutations(len, &mut |order| all.push(order.to_vec()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_suggest_which_parts_and_in_which_order() {
        let of = |names: &[&str]| family(names.iter().enumerate().map(|(at, name)| (*name, at)).collect()).unwrap();
        let attention = of(&["key", "out", "query", "value"]);
        assert_eq!(attention.groups()[0], [2, 0, 3]);
        assert_eq!(attention.groups().len(), 11);
        assert_eq!(attention.arrangements(3)[0], [0, 1, 2]);
        assert_eq!(attention.arrangements(3).len(), 6);
        let layers = of(&["layer_2", "layer_10", "layer_0"]);
        assert_eq!(layers.groups(), [[2, 0, 1]]);
        assert_eq!(layers.arrangements(3).len(), 1);
        let experts: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        assert_eq!(of(&experts.iter().map(String::as_str).collect::<Vec<_>>()).groups()[0].len(), 40);
        // Too many to try every choice, and nothing says which.
        let many: Vec<String> = (0..9).map(|n| format!("{}x", ["a", "b", "c"][n % 3].repeat(n + 1))).collect();
        assert!(family(many.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect()).is_none());
    }
}
