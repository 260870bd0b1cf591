//! Components of names that were renamed, with the numbers in them: `layer_3` to `block_3`, `layers.3`, `block_03` or
//! `block_2`, and several at once.
//!
//! Names that differ in their numbers alone are one group. A group of the model is compared with those of the checkpoint
//! that have tensors like its own; what stands between the components that both have was renamed. Which group is which is
//! told by their tensors, then by what their names have in common; where only the likeness of two words tells, it is
//! likely and not certain, and where nothing does, nothing is said.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Change, NUMBER, Numbers, Relation, Votes, relation, rules_of};
use super::kinds::AVERAGE;
use super::order::longest;

/// How many groups of a side are compared: those of the most tensors.
const GROUPS: usize = 400;
/// With how many of the other side each of them.
const PARTNERS: usize = 64;
/// How many rules are tried together.
const TRIED: usize = 16;
/// How many bytes of two words are compared.
const WORD: usize = 32;

/// A name, and what its tensor is: only what is alike is compared.
pub(in crate::analysis) struct Named<'n> {
    pub(in crate::analysis) name: &'n [u8],
    pub(in crate::analysis) kind: &'n str,
}

/// Rules that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::analysis) struct Renaming {
    pub(in crate::analysis) rules: Vec<String>,
    /// How many changes they are: one may take a rule for each number.
    pub(in crate::analysis) changes: usize,
    /// Whether each is one component under another name.
    pub(in crate::analysis) is_plain: bool,
    /// What only the likeness of words or the order of numbers tells.
    pub(in crate::analysis) doubt: Option<String>,
}

/// Names that differ in numbers alone.
#[derive(Debug, Default)]
struct Group<'n> {
    parts: Vec<Vec<u8>>,
    kinds: BTreeMap<&'n str, usize>,
    /// What each number is, in the order in which they stand in the name.
    numbers: Numbers<'n>,
}

/// The rules that lead names of the checkpoint to those that are wanted: several components that changed together as one
/// change each, and as one change.
pub(in crate::analysis) fn renamings(stored: &[Named<'_>], wanted: &[Named<'_>]) -> [Renaming; 2] {
    let all = wanted.len();
    let (stored, wanted) = (groups(stored), groups(wanted));
    let mut doubt = None;
    let pairs = pairs(&stored, &wanted, &mut doubt);
    [true, false].map(|each| renaming(&pairs, all, each, doubt.clone()))
}

fn renaming(pairs: &[(&Group<'_>, &Group<'_>)], all: usize, each: bool, mut doubt: Option<String>) -> Renaming {
    let mut votes: BTreeMap<Change, Votes<'_>> = BTreeMap::new();
    for (s, w) in pairs {
        for (change, (from, to)) in changes(s, w, each) {
            let seen = votes.entry(change).or_default();
            seen.times += overlap(s, w).max(1);
            merge(&mut seen.from, from);
            merge(&mut seen.to, to);
        }
    }
    let mut best: Vec<_> = votes.into_iter().filter(|(_, votes)| !is_chance(votes.times, all)).collect();
    best.sort_by_key(|(_, votes)| Reverse(votes.times));
    // One component becomes one other: of several that were seen, the one that was seen most.
    let mut taken = BTreeSet::new();
    best.retain(|((from, _, ends), _)| taken.insert((from.clone(), *ends)));
    best.truncate(TRIED);
    // What is longer comes first: the shorter may be a part of it.
    best.sort_by_key(|((from, ..), _)| Reverse(from.len()));
    let mut rules = Vec::new();
    for (change, votes) in &best {
        let Some(made) = rules_of(change, votes, &mut doubt) else { continue };
        rules.extend(made);
    }
    let is_plain = best.iter().all(|((from, to, _), _)| (from.len(), to.len()) == (1, 1));
    Renaming { rules, changes: best.len(), is_plain, doubt }
}

/// Whether so few of all tell nothing: among many names some are alike by chance.
pub(super) fn is_chance(times: usize, all: usize) -> bool {
    times.saturating_mul(500) < all
}

fn groups<'n>(names: &[Named<'n>]) -> Vec<Group<'n>> {
    let mut groups: BTreeMap<Vec<u8>, Group<'n>> = BTreeMap::new();
    for named in names {
        let (mut skeleton, mut numbers) = (Vec::new(), Vec::new());
        let mut rest = named.name;
        while let Some(first) = rest.first() {
            let is_number = first.is_ascii_digit();
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit() == is_number).count();
            let (run, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            if is_number {
                skeleton.push(NUMBER);
                numbers.push(run);
            } else {
                skeleton.extend_from_slice(run);
            }
            rest = behind;
        }
        let group = groups.entry(skeleton).or_default();
        *group.kinds.entry(named.kind).or_default() += 1;
        group.numbers.resize_with(numbers.len(), BTreeSet::new);
        group.numbers.iter_mut().zip(numbers).for_each(|(all, number)| all.extend([number]));
    }
    let mut groups: Vec<Group<'n>> = groups
        .into_iter()
        .map(|(skeleton, group)| Group { parts: skeleton.split(|b| *b == b'/').map(<[u8]>::to_vec).collect(), ..group })
        .collect();
    groups.sort_by_key(|group| Reverse(group.kinds.values().sum::<usize>()));
    groups.truncate(GROUPS);
    groups
}

/// How many tensors of the two are alike.
fn overlap(s: &Group<'_>, w: &Group<'_>) -> usize {
    w.kinds.iter().map(|(kind, n)| s.kinds.get(kind).copied().unwrap_or(0).min(*n)).sum()
}

/// Which group is which.
fn pairs<'g, 'n>(
    stored: &'g [Group<'n>],
    wanted: &'g [Group<'n>],
    doubt: &mut Option<String>,
) -> Vec<(&'g Group<'n>, &'g Group<'n>)> {
    let mut by_kind: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (at, group) in stored.iter().enumerate() {
        for kind in group.kinds.keys() {
            by_kind.entry(kind).or_default().insert(at);
        }
    }
    // How near two are, without the words, and with them.
    let mut all = Vec::new();
    for (w, group) in wanted.iter().enumerate() {
        let near: BTreeSet<usize> =
            group.kinds.keys().filter_map(|kind| by_kind.get(kind)).flatten().copied().collect();
        let mut near: Vec<(usize, &Group<'_>)> = near.into_iter().filter_map(|s| Some((s, stored.get(s)?))).collect();
        if near.len() > PARTNERS {
            near.sort_by_key(|(_, other)| Reverse(ends_in_common(&other.parts, &group.parts)));
            near.truncate(PARTNERS);
        }
        for (s, other) in near {
            let common = longest(other.parts.len(), group.parts.len(), |a, b| other.parts.get(a) == group.parts.get(b));
            let numbers = other.numbers.len() == group.numbers.len();
            let lengths = Reverse(other.parts.len().abs_diff(group.parts.len()));
            let facts = (overlap(other, group), common.len(), numbers, lengths);
            all.push((facts, likeness(&other.parts, &group.parts), s, w));
        }
    }
    all.sort_by_key(|(facts, words, s, w)| (Reverse(*facts), Reverse(*words), *s, *w));
    let (mut used_s, mut used_w, mut found) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    // What is as near, by group of either side.
    let mut rivals: BTreeMap<(bool, usize), Vec<usize>> = BTreeMap::new();
    for (at, (.., s, w)) in all.iter().enumerate() {
        rivals.entry((true, *s)).or_default().push(at);
        rivals.entry((false, *w)).or_default().push(at);
    }
    for (at, (facts, words, s, w)) in all.iter().enumerate() {
        if used_s.contains(s) || used_w.contains(w) {
            continue;
        }
        let others = [rivals.get(&(true, *s)), rivals.get(&(false, *w))].into_iter().flatten().flatten();
        let others = others.filter(|other| **other != at).filter_map(|other| all.get(*other));
        let open = others.filter(|(other, _, s, w)| other == facts && (!used_s.contains(s) || !used_w.contains(w)));
        let open: Vec<usize> = open.map(|(_, words, ..)| *words).collect();
        used_s.insert(*s);
        used_w.insert(*w);
        let Some((from, to)) = stored.get(*s).zip(wanted.get(*w)) else { continue };
        if open.iter().any(|other| other >= words) {
            continue;
        }
        if !open.is_empty() {
            doubt.get_or_insert_with(|| {
                "tensors of the same shape are told apart by how alike their names are".to_owned()
            });
        }
        found.push((from, to));
    }
    found
}

/// How many components two names begin and end with in common.
fn ends_in_common(a: &[Vec<u8>], b: &[Vec<u8>]) -> usize {
    let front = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    front.saturating_add(a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count())
}

/// How alike two names are: each component of one with that of the other which is most like it, in per mille. Short
/// words stand for long ones, `q` for `query`.
fn likeness(a: &[Vec<u8>], b: &[Vec<u8>]) -> usize {
    let word = |part: &[u8]| part.get(..WORD.min(part.len())).unwrap_or_default().to_ascii_lowercase();
    let (a, b): (Vec<_>, Vec<_>) =
        (a.iter().map(|part| word(part)).collect(), b.iter().map(|part| word(part)).collect());
    let alike = |a: &Vec<u8>, b: &Vec<u8>| {
        let letters = letters_in_common(a, b).saturating_mul(2000);
        letters.checked_div(a.len().saturating_add(b.len())).unwrap_or_default()
    };
    b.iter().map(|b| a.iter().map(|a| alike(a, b)).max().unwrap_or_default()).sum()
}

/// How many letters two words of at most 32 bytes have in the same order, all places of `b` at once (Hyyrö's form of the
/// longest common subsequence): a bit that is off is a place at which it grew.
fn letters_in_common(a: &[u8], b: &[u8]) -> usize {
    let mut places = [0u32; 256];
    for (at, letter) in b.iter().take(WORD).enumerate() {
        if let Some(places) = places.get_mut(usize::from(*letter)) {
            *places |= 1 << at;
        }
    }
    let mut row = u32::MAX;
    for letter in a {
        let both = row & places.get(usize::from(*letter)).copied().unwrap_or_default();
        row = row.wrapping_add(both) | (row & !both);
    }
    let len = b.len().min(WORD);
    let within = u32::MAX.checked_shr(u32::try_from(WORD.saturating_sub(len)).unwrap_or_default()).unwrap_or_default();
    usize::try_from((!row & within).count_ones()).unwrap_or_default()
}

/// What stands between the components that both have, with the numbers of both sides.
fn changes<'n>(s: &Group<'n>, w: &Group<'n>, each: bool) -> Vec<(Change, (Numbers<'n>, Numbers<'n>))> {
    let mut common = longest(s.parts.len(), w.parts.len(), |a, b| s.parts.get(a) == w.parts.get(b));
    let mut found = Vec::new();
    for (at, other) in &common {
        let (from, to) = (numbers(s, *at, at.saturating_add(1)), numbers(w, *other, other.saturating_add(1)));
        let is_written = |relation| matches!(relation, Relation::Padded(_) | Relation::Stripped);
        if from.iter().zip(&to).any(|(from, to)| relation(from, to).is_some_and(is_written)) {
            let own = s.parts.get(*at).cloned().into_iter().collect::<Vec<_>>();
            let ends = (*at == 0, at.saturating_add(1) == s.parts.len());
            found.push(((own.clone(), own, ends), (from, to)));
        }
    }
    common.push((s.parts.len(), w.parts.len()));
    let (mut at_s, mut at_w) = (0, 0);
    for (next_s, next_w) in common {
        let (mut from_s, mut from_w) = (at_s, at_w);
        let is_changed = next_s > at_s || next_w > at_w;
        (at_s, at_w) = (next_s.saturating_add(1), next_w.saturating_add(1));
        if !is_changed {
            continue;
        }
        // What was put in is told by what stands in front of it.
        if from_s == next_s && from_s > 0 {
            (from_s, from_w) = (from_s.saturating_sub(1), from_w.saturating_sub(1));
        }
        let cut = |parts: &[Vec<u8>], from: usize, to: usize| parts.get(from..to).unwrap_or_default().to_vec();
        if each && next_s.saturating_sub(from_s) == next_w.saturating_sub(from_w) {
            for (at, other) in (from_s..next_s).zip(from_w..next_w) {
                let (next, next_other) = (at.saturating_add(1), other.saturating_add(1));
                let ends = (at == 0, next == s.parts.len());
                let change = (cut(&s.parts, at, next), cut(&w.parts, other, next_other), ends);
                found.push((change, (numbers(s, at, next), numbers(w, other, next_other))));
            }
            continue;
        }
        let ends = (from_s == 0, next_s == s.parts.len());
        let change = (cut(&s.parts, from_s, next_s), cut(&w.parts, from_w, next_w), ends);
        // Averages are another tensor, and have a cause of their own.
        let is_average = |parts: &[Vec<u8>]| parts.iter().any(|part| AVERAGE.strip_prefix(b"/") == Some(part));
        if is_average(&change.0) != is_average(&change.1) {
            continue;
        }
        found.push((change, (numbers(s, from_s, next_s), numbers(w, from_w, next_w))));
    }
    found
}

/// The numbers in some components of a name.
fn numbers<'n>(group: &Group<'n>, from: usize, to: usize) -> Numbers<'n> {
    let count = |parts: &[Vec<u8>]| parts.iter().flatten().filter(|byte| **byte == NUMBER).count();
    let before = count(group.parts.get(..from).unwrap_or_default());
    let within = count(group.parts.get(from..to).unwrap_or_default());
    group.numbers.iter().skip(before).take(within).cloned().collect()
}

fn merge<'n>(all: &mut Numbers<'n>, more: Numbers<'n>) {
    all.resize_with(more.len(), BTreeSet::new);
    all.iter_mut().zip(more).for_each(|(all, more)| all.extend(more));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::naming::rename::Renames;

    /// Names with what their tensors are.
    fn led(pairs: &[(&str, &str, &str)]) -> Renaming {
        let stored: Vec<Named<'_>> =
            pairs.iter().map(|(name, _, kind)| Named { name: name.as_bytes(), kind }).collect();
        let wanted: Vec<Named<'_>> =
            pairs.iter().map(|(_, name, kind)| Named { name: name.as_bytes(), kind }).collect();
        let [_, found] = renamings(&stored, &wanted);
        let renames = Renames::parse(&found.rules).unwrap();
        for (from, to, _) in pairs {
            let made = renames.apply(from.as_bytes()).into_owned();
            assert_eq!(String::from_utf8(made).unwrap(), *to, "{from} by {:?}", found.rules);
        }
        found
    }

    fn numbered(from: &str, to: &str, numbers: &[(&str, &str)], kinds: bool) -> Renaming {
        let made: Vec<(String, String, String)> = numbers
            .iter()
            .map(|(a, b)| {
                (from.replace('N', a), to.replace('N', b), if kinds { format!("float[{a}]") } else { String::new() })
            })
            .collect();
        let pairs: Vec<(&str, &str, &str)> =
            made.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        led(&pairs)
    }

    #[test]
    fn numbers_are_kept_padded_stripped_and_led_to_others() {
        let same = [("0", "0"), ("1", "1"), ("11", "11")];
        for (from, to) in [
            ("layer_N/kernel", "block_N/kernel"),
            ("net/layer_N/kernel", "net/layers.N/kernel"),
            ("layer_N/w", "layers/N/w"),
            ("old/conv2d_N/w", "new/enc/conv_N/w"),
            ("layer_N/w", "net/h/N/w"),
            ("a/N/x/w", "a/N/w"),
            ("a/N/w", "a/N/x/w"),
            ("h_N", "k_N"),
        ] {
            assert_eq!(numbered(from, to, &same, false).rules.len(), 1, "{from}");
        }
        let padded = [("0", "00"), ("1", "01"), ("11", "11")];
        assert_eq!(numbered("layer_N/w", "layer_N/w", &padded, true).rules.len(), 2);
        assert_eq!(numbered("layer_N/w", "block_N/w", &padded, true).rules.len(), 2);
        let stripped = [("00", "0"), ("01", "1"), ("11", "11")];
        assert_eq!(numbered("layer_N/w", "block_N/w", &stripped, true).rules, ["s|^layer_0*([0-9]+)/|block_\\1/|"]);
        for step in [[("1", "0"), ("2", "1"), ("3", "2")], [("0", "1"), ("1", "2"), ("2", "3")]] {
            let found = numbered("layer_N/w", "block_N/w", &step, true);
            assert!(found.rules.len() == 3 && found.doubt.is_some(), "{found:?}");
        }
    }

    #[test]
    fn letters_that_two_words_have_in_common_are_counted_as_one_would() {
        let long = "abcdefghijklmnopqrstuvwxyz012345";
        for (a, b, n) in [
            ("", "abc", 0),
            ("abc", "", 0),
            ("q", "query", 1),
            ("kernel", "weights", 1),
            ("embeddings", "embedding", 9),
            ("abcbdab", "bdcaba", 4),
            (long, long, 32),
            (long, "543210z", 1),
        ] {
            assert_eq!(
                [letters_in_common(a.as_bytes(), b.as_bytes()), letters_in_common(b.as_bytes(), a.as_bytes())],
                [n, n],
                "{a} {b}"
            );
        }
    }

    #[test]
    fn what_only_words_tell_is_in_doubt_and_what_nothing_tells_is_not_said() {
        let found = led(&[
            ("l/0/query/w", "l/0/q/w", "f"),
            ("l/0/key/w", "l/0/k/w", "f"),
            ("l/0/value/w", "l/0/v/w", "f"),
            ("l/0/out/w", "l/0/o/w", "g"),
        ]);
        assert!(found.doubt.is_some());
        let named = |names: [&'static str; 2]| names.map(|name| Named { name: name.as_bytes(), kind: "f" });
        assert_eq!(
            renamings(&named(["l/aa/w", "l/bb/w"]), &named(["l/xx/w", "l/yy/w"])),
            [true, true].map(|is_plain| Renaming { is_plain, ..Renaming::default() })
        );
    }
}
