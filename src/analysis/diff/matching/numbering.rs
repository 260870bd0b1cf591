//! Numbers in names: which number of B a number of A becomes, as most pairs of a form of names have it.
//!
//! Programs number as they like. Only what breaks the order of all the others is told: a layer in the place of another.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Name;
use crate::base::escape::escaped;

/// What the pairs of each form of names have in common.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    rules: BTreeMap<(u32, u32), Vec<Rule>>,
    /// Whether most pairs have the same numbers on both sides.
    keeps: bool,
}

/// A number of B is one of A and so many more.
#[derive(Debug)]
struct Rule {
    /// Which number of the name in B, and which of that in A.
    to: usize,
    from: usize,
    more: i128,
    /// How many pairs have it so.
    votes: usize,
    /// Whether both sides have the very same numbers.
    is_kept: bool,
}

impl Numbering {
    /// Learns from pairs.
    pub(super) fn of<'n>(pairs: impl Iterator<Item = (&'n Name, &'n Name)>) -> Self {
        let (mut all, mut kept) = (0usize, 0usize);
        let mut kinds: BTreeMap<(u32, u32), Vec<Numbers<'n>>> = BTreeMap::new();
        for (a, b) in pairs.filter(|(a, b)| !a.numbers.is_empty() && !b.numbers.is_empty()) {
            (all, kept) = (all + 1, kept + usize::from(a.numbers.first() == b.numbers.first()));
            for kind in [(a.template, b.template), (a.around, b.around)] {
                kinds.entry(kind).or_default().push((&a.numbers, &b.numbers));
            }
        }
        Self { rules: kinds.into_iter().map(|(kind, pairs)| (kind, rules(&pairs))).collect(), keeps: kept * 2 > all }
    }

    /// Why two names cannot belong together, by the numbers of all the others of their form.
    pub(super) fn broken_by(&self, a: &Name, b: &Name) -> Option<String> {
        let rule = self.rules.get(&(a.template, b.template))?.iter().find(|rule| !rule.holds(a, b))?;
        let want = i128::from(*a.numbers.get(rule.from)?) + rule.more;
        let found = b.numbers.get(rule.to)?;
        let shown = |name: &Name| escaped(name.text.as_bytes()).into_owned();
        Some(format!(
            "{} is paired with {}, number {found} where the others named so would have {want}",
            shown(a),
            shown(b)
        ))
    }

    /// The number of A in the first name that does not fit, and the one with which the second name would.
    pub(super) fn exchanged(&self, a: &Name, b: &Name) -> Option<(i128, i128)> {
        let rule = self.rules.get(&(a.template, b.template))?.iter().find(|rule| !rule.holds(a, b))?;
        let (own, found) = (a.numbers.get(rule.from)?, b.numbers.get(rule.to)?);
        Some((i128::from(*own), i128::from(*found) - rule.more))
    }

    /// How well the numbers of two names fit: by others of their form, else by all others.
    pub(super) fn fit(&self, a: &Name, b: &Name) -> i32 {
        // Of a name that has no other like it those beside it tell.
        let rules = [(a.template, b.template), (a.around, b.around)];
        match rules.iter().filter_map(|kind| self.rules.get(kind)).find(|rules| !rules.is_empty()) {
            Some(rules) if rules.iter().all(|rule| rule.holds(a, b)) => 8,
            Some(_) => -8,
            None => match (a.numbers.first(), b.numbers.first()) {
                (Some(x), Some(y)) if self.keeps => {
                    if x == y {
                        3
                    } else {
                        -3
                    }
                }
                _ => 0,
            },
        }
    }
}

impl Rule {
    fn holds(&self, a: &Name, b: &Name) -> bool {
        let (Some(x), Some(y)) = (a.numbers.get(self.from), b.numbers.get(self.to)) else { return true };
        i128::from(*y) - i128::from(*x) == self.more
    }
}

/// The numbers in two names.
type Numbers<'n> = (&'n [u64], &'n [u64]);

fn rules(pairs: &[Numbers<'_>]) -> Vec<Rule> {
    let most = pairs.iter().map(|(_, b)| b.len()).max().unwrap_or(0);
    (0..most).filter_map(|to| rule(pairs, to)).collect()
}

/// The number of A that explains this one of B for the most pairs.
fn rule(pairs: &[Numbers<'_>], to: usize) -> Option<Rule> {
    let places = pairs.iter().map(|(a, _)| a.len()).max().unwrap_or(0);
    let mut best: Option<Rule> = None;
    for from in 0..places {
        let both: Vec<(u64, u64)> = pairs.iter().filter_map(|(a, b)| Some((*a.get(from)?, *b.get(to)?))).collect();
        let values: BTreeSet<u64> = both.iter().map(|(a, _)| *a).collect();
        let others: BTreeSet<u64> = both.iter().map(|(_, b)| *b).collect();
        if values.len() < 2 || others.len() < 2 {
            continue;
        }
        let mut votes: BTreeMap<i128, usize> = BTreeMap::new();
        for (a, b) in &both {
            *votes.entry(i128::from(*b) - i128::from(*a)).or_default() += 1;
        }
        let usual = votes.into_iter().max_by_key(|(more, votes)| (*votes, *more == 0));
        let Some((mut more, mut votes)) = usual else { continue };
        // The same numbers on both sides, or all of them so many more: then these belong together, even if most of them
        // changed places.
        let first = |all: &BTreeSet<u64>| all.first().map_or(0, |n| i128::from(*n));
        let shift = first(&others) - first(&values);
        let is_shifted = values.len() == others.len()
            && values.iter().zip(&others).all(|(a, b)| i128::from(*b) - i128::from(*a) == shift);
        let is_kept = is_shifted && shift == 0;
        if votes * 2 <= both.len() && is_shifted {
            (more, votes) = (shift, both.iter().filter(|(a, b)| i128::from(*b) - i128::from(*a) == shift).count());
        }
        let is_enough = votes * 2 >= both.len() || is_kept || (is_shifted && votes > 0);
        if is_enough && best.as_ref().is_none_or(|best| votes > best.votes) {
            best = Some(Rule { to, from, more, votes, is_kept });
        }
    }
    let best = best?;
    // Numbers that only grow faster on one side are another way to count.
    let mut both: Vec<(u64, u64)> =
        pairs.iter().filter_map(|(a, b)| Some((*a.get(best.from)?, *b.get(best.to)?))).collect();
    both.sort_unstable();
    both.dedup();
    let is_one_to_one = both.windows(2).all(|pair| matches!(pair, [x, y] if x.0 != y.0));
    let rises = both.windows(2).all(|pair| matches!(pair, [x, y] if x.1 <= y.1));
    let is_exact = both.iter().all(|(a, b)| i128::from(*b) - i128::from(*a) == best.more);
    let falls = both.windows(2).all(|pair| matches!(pair, [x, y] if x.1 >= y.1));
    (is_exact || !is_one_to_one || !(rises || falls) || (falls && best.is_kept)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(u64, u64)]) -> Option<(i128, usize)> {
        let pairs: Vec<([u64; 1], [u64; 1])> = pairs.iter().map(|(a, b)| ([*a], [*b])).collect();
        let pairs: Vec<(&[u64], &[u64])> = pairs.iter().map(|(a, b)| (a.as_slice(), b.as_slice())).collect();
        rules(&pairs).first().map(|rule| (rule.more, rule.votes))
    }

    #[test]
    fn numbers_that_changed_places_break_the_rule_and_other_ways_to_count_make_none() {
        assert_eq!(found(&[(0, 1), (1, 2), (2, 3)]), Some((1, 3)));
        assert_eq!(found(&[(0, 0), (1, 2), (2, 1), (3, 3)]), Some((0, 2)));
        assert_eq!(found(&[(0, 0), (1, 2), (2, 1)]), Some((0, 1)));
        assert_eq!(found(&[(0, 1), (1, 0)]), Some((0, 0)));
        assert_eq!(found(&[(1, 1), (2, 0), (3, 2)]), Some((-1, 1)));
        assert_eq!(found(&[(1, 2), (2, 1), (3, 0)]), None);
        assert_eq!(found(&[(1, 0), (2, 1), (3, 5)]), None);
        assert_eq!(found(&[(1, 0), (2, 3), (3, 6)]), None);
    }
}
