//! Names, which prove nothing: they decide where contents leave a choice, and say whose partner a tensor should have been.
//!
//! What pairs of proven contents have taught (this scope of A is that scope of B, such names of A have such names in B)
//! counts for more than what a word means.

use std::collections::{BTreeMap, HashMap};

use super::words::{Word, last_word, leaf, plain_key, sibling, words};
use crate::analysis::naming::identity::{Identities, Identity};
use crate::analysis::naming::roles::short_name;
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;

/// Scopes of a tensor that are looked at, from the innermost.
const SCOPES: usize = 5;

/// The name of a tensor, in pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    /// As the program has it, without the ends that files add.
    pub(super) text: String,
    /// What the last word of it means.
    pub(super) leaf: Option<Word>,
    /// That word as it is written, as a number.
    pub(super) last: u32,
    /// Which of several siblings it speaks of.
    pub(super) sibling: Option<(usize, usize)>,
    /// The name in words that do not depend on a framework, each behind a `/`.
    pub(super) key: String,
    /// The numbers in it, from the left.
    pub(super) numbers: Vec<u64>,
    /// The scopes around it, from the innermost, as numbers.
    scopes: [Option<u32>; SCOPES],
    /// The name with its numbers taken out, as a number.
    pub(super) template: u32,
    /// The same of the scope around it.
    pub(super) around: u32,
}

/// All names of a side.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<Name>,
    scopes: Interned,
    templates: Interned,
    last: Interned,
    /// Items by their names in plain words; none where several have one.
    keys: HashMap<String, Option<usize>>,
}

/// Texts as numbers.
#[derive(Debug, Default)]
struct Interned {
    numbers: HashMap<String, u32>,
    lengths: Vec<usize>,
}

impl Interned {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let number = u32::try_from(self.lengths.len()).unwrap_or(u32::MAX);
        self.lengths.push(text.len());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

impl Names {
    /// The names of the tensors at these positions.
    pub(super) fn of(checkpoint: &Checkpoint, positions: impl Iterator<Item = usize>) -> Self {
        let identities = Identities::of(checkpoint, None, true);
        let mut names = Self::default();
        for at in positions {
            let text = match identities.get(at) {
                Some(Identity::Variable(name)) => name.to_string(),
                _ => checkpoint
                    .tensor_at(at)
                    .map(|tensor| escaped(short_name(&tensor.name)).into_owned())
                    .unwrap_or_default(),
            };
            let name = names.parsed(&text);
            let own = names.all.len();
            names.keys.entry(name.key.clone()).and_modify(|item| *item = None).or_insert(Some(own));
            names.all.push(name);
        }
        names
    }

    fn parsed(&mut self, text: &str) -> Name {
        let text = text.strip_suffix(":0").unwrap_or(text);
        let ends = text.char_indices().rev().filter(|(at, c)| *at > 0 && matches!(c, '/' | '.' | '_' | ':'));
        let mut scopes = [None; SCOPES];
        for (scope, (end, _)) in scopes.iter_mut().zip(ends) {
            *scope = text.get(..end).map(|text| self.scopes.number(text));
        }
        let (template, numbers) = without_numbers(text);
        let (around, _) = without_numbers(text.rsplit_once(['/', '.']).map_or("", |(scope, _)| scope));
        let around = self.templates.number(&around);
        let template = self.templates.number(&template);
        let last = self.last.number(&last_word(text));
        let words = words(text);
        let (leaf, sibling) = (leaf(&words), sibling(&words));
        let key = plain_key(words);
        Name { leaf, last, sibling, key, text: text.to_owned(), numbers, scopes, template, around }
    }

    /// The one item with this name in plain words.
    pub(super) fn of_key(&self, key: &str) -> Option<usize> {
        self.keys.get(key).copied().flatten()
    }

    /// The name of an item.
    pub(super) fn get(&self, item: usize) -> Option<&Name> {
        self.all.get(item)
    }
}

/// A name with its numbers taken out, and these.
fn without_numbers(text: &str) -> (String, Vec<u64>) {
    let (mut template, mut numbers) = (String::with_capacity(text.len()), Vec::new());
    let (mut rest, mut before) = (text, '/');
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        // A digit behind a letter belongs to the word: fc1 and fc2 are two layers of a block.
        if digits > 0 && !before.is_alphabetic() {
            numbers.push(rest.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX));
            template.push('#');
            before = '#';
            rest = rest.get(digits..).unwrap_or_default();
        } else {
            template.push(first);
            before = if first.is_ascii_digit() { before } else { first };
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    (template, numbers)
}

/// What proven pairs have taught.
#[derive(Debug, Default)]
pub(super) struct Lessons {
    /// Scopes of A, with those of B that tensors of theirs were found in, and how many.
    scopes: BTreeMap<u32, BTreeMap<u32, u32>>,
    /// The same of names without their numbers.
    templates: BTreeMap<u32, BTreeMap<u32, u32>>,
    /// Of how many pairs the last numbers in both names are one number, and how many have such.
    last_numbers: (u32, u32),
}

impl Lessons {
    /// Two tensors are the same.
    pub(super) fn learn(&mut self, a: &Name, b: &Name) {
        for ours in a.scopes.iter().flatten() {
            let votes = self.scopes.entry(*ours).or_default();
            for theirs in b.scopes.iter().flatten() {
                *votes.entry(*theirs).or_default() += 1;
            }
        }
        if let (Some(x), Some(y)) = (last_number(a), last_number(b)) {
            self.last_numbers.0 += u32::from(x == y);
            self.last_numbers.1 += 1;
        }
        *self.templates.entry(a.template).or_default().entry(b.template).or_default() += 1;
    }

    /// How many names of the form of `a` have been paired with the form of `b`, with the form that most of them have been
    /// paired with, and with any.
    pub(super) fn templates(&self, a: &Name, b: &Name) -> (u32, u32, u32) {
        let votes = self.templates.get(&a.template);
        let these = votes.and_then(|votes| votes.get(&b.template)).copied().unwrap_or(0);
        let most = votes.and_then(|votes| votes.values().max().copied()).unwrap_or(0);
        (these, most, votes.map_or(0, |votes| votes.values().sum()))
    }

    /// How well two names fit; above 0 where something speaks for them.
    pub(super) fn fit(&self, sides: [&Names; 2], a: &Name, b: &Name) -> i32 {
        let mut fit = 0;
        let weights: [i32; 5] = [16, 12, 8, 4, 2];
        for (ours, weight) in a.scopes.iter().flatten().zip(weights) {
            let Some(votes) = self.scopes.get(ours) else { continue };
            // Of scopes with as many votes the innermost one says most.
            let length = |scope: u32| sides[1].scopes.lengths.get(scope as usize).copied().unwrap_or(0);
            let most = votes.values().max().copied().unwrap_or(0);
            let best = || votes.iter().filter(|(_, votes)| **votes == most).map(|(scope, _)| *scope);
            let innermost = best().max_by_key(|scope| length(*scope));
            let both = best().filter(|scope| b.scopes.contains(&Some(*scope))).max_by_key(|scope| length(*scope));
            // The more of the way there is common, the better.
            let length = |scope: u32| i32::try_from(length(scope)).unwrap_or(i32::MAX).max(1);
            fit += match (both, innermost) {
                (Some(scope), Some(whole)) => weight.saturating_mul(length(scope)) / length(whole),
                _ => -weight,
            };
            break;
        }
        fit += match (a.leaf, b.leaf) {
            (Some(x), Some(y)) if x == y => 6,
            (Some(_), Some(_)) => -6,
            _ => 0,
        };
        let (these, most, any) = self.templates(a, b);
        if these > 0 {
            fit += 5;
        } else if most * 2 > any {
            fit -= 5;
        }
        let (kept, all) = self.last_numbers;
        if let (Some(x), Some(y), true) = (last_number(a), last_number(b), kept * 4 >= all * 3 && all > 0) {
            fit += if x == y { 2 } else { -2 };
        }
        if a.key == b.key {
            fit += 20;
        } else if a.key.ends_with(&b.key) || b.key.ends_with(&a.key) {
            fit += 10;
        }
        fit
    }
}

/// The last number in a name, of words too.
fn last_number(name: &Name) -> Option<&str> {
    name.key.rsplit('/').find(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What makes a pair of names good enough to decide.
pub(super) const FITS: i32 = 6;

/// Pairs of two lists that fit each other better than anything else there, by positions in the lists.
pub(super) fn mutual(a: usize, b: usize, fit: &mut dyn FnMut(usize, usize) -> i32) -> Vec<(usize, usize)> {
    let mut fits: Vec<Vec<i32>> = (0..a).map(|x| (0..b).map(|y| fit(x, y)).collect()).collect();
    let mut found = Vec::new();
    loop {
        // The best of a row or a column, unless another is as good.
        let best = |all: &mut dyn Iterator<Item = i32>| {
            let (mut best, mut at, mut is_one) = (i32::MIN, None, false);
            for (n, fit) in all.enumerate() {
                if fit > best {
                    (best, at, is_one) = (fit, Some(n), true);
                } else if fit == best {
                    is_one = false;
                }
            }
            at.filter(|_| is_one && best >= FITS)
        };
        let rows: Vec<Option<usize>> = fits.iter().map(|row| best(&mut row.iter().copied())).collect();
        let columns: Vec<Option<usize>> =
            (0..b).map(|y| best(&mut fits.iter().map(|row| row.get(y).copied().unwrap_or(i32::MIN)))).collect();
        let mut more = Vec::new();
        for (x, y) in rows.into_iter().enumerate() {
            if let Some(y) = y.filter(|y| columns.get(*y).copied().flatten() == Some(x)) {
                more.push((x, y));
            }
        }
        if more.is_empty() {
            return found;
        }
        for (x, y) in &more {
            if let Some(row) = fits.get_mut(*x) {
                row.fill(i32::MIN);
            }
            for row in &mut fits {
                if let Some(fit) = row.get_mut(*y) {
                    *fit = i32::MIN;
                }
            }
        }
        found.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_best_on_both_sides_is_a_pair_and_a_tie_is_none() {
        let fits = [[20, 6, 0], [6, 10, 0], [0, 0, 0]];
        assert_eq!(mutual(3, 3, &mut |x, y| fits[x][y]), [(0, 0), (1, 1)]);
        assert!(mutual(2, 2, &mut |_, _| 9).is_empty());
        // What is left when the sure ones are gone.
        let fits = [[20, 9], [9, 9]];
        assert_eq!(mutual(2, 2, &mut |x, y| fits[x][y]), [(0, 0), (1, 1)]);
    }

    #[test]
    fn scopes_that_proven_pairs_share_decide() {
        let (mut a, mut b) = (Names::default(), Names::default());
        let kernel = (a.parsed("dense_1/kernel"), b.parsed("fc.weight"));
        let (bias, right, wrong) = (a.parsed("dense_1/bias"), b.parsed("fc.bias"), b.parsed("other.bias"));
        let mut lessons = Lessons::default();
        lessons.learn(&kernel.0, &kernel.1);
        let fit = |other: &Name| lessons.fit([&a, &b], &bias, other);
        assert!(fit(&right) >= FITS && fit(&right) > fit(&wrong));
    }
}
