//! Names that changed throughout, by a rule or a few: what `--map` options lead them back.
//!
//! Candidates come from pairs of names whose tensors are alike; what counts is how many tensors fit once the rules are
//! applied to all names, so that a rule that spoils what fits is none.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::{Restore, Spec};
use super::kinds::AVERAGE;
use super::sides::Sides;
use crate::analysis::naming::rename::Renames;
use crate::analysis::naming::roles::short_name;
use crate::analysis::restore::substitution::{component, literal, replacement};

/// How many tensors are looked at: a rename shows in the first of them.
const LOOKED_AT: usize = 2000;
/// How many tensors of one kind are compared with each.
const PARTNERS: usize = 64;
/// How many rules of one kind are tried: the likeliest come first.
const TRIED: usize = 8;

/// Rules that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) rules: Vec<String>,
    /// How many more tensors fit with them.
    pub(super) gain: usize,
}

/// A tensor of the checkpoint, under the name that it is looked for by.
type Other<'r> = (Cow<'r, [u8]>, &'r Spec);

/// How often an end is seen, and behind which last components.
type Ends = (usize, BTreeSet<Vec<u8>>);

/// A component, what it became, and whether it is the first of a name, and the last.
type Renamed = (Vec<u8>, Vec<u8>, (bool, bool));

/// Renamings of whole kinds of names. The cells of TensorFlow 0.x to 1.2 were named after classes, and `Linear` and its
/// `Matrix` became `kernel` (the table of `tf.contrib.rnn`'s `checkpoint_convert`); `:0` is the output of a variable's
/// op, which a `Saver` given a dict of `variable.name` writes along; other libraries join names with a dot.
pub(in crate::analysis) const KINDS_OF_NAMES: [&[&str]; 8] = [
    &["s|:0$||"],
    &["s|$|:0|"],
    &["s|/|.|g"],
    &[r"s|\.|/|g"],
    &["s|/|_|g"],
    &["s|/|__|g"],
    &["s|__|/|g"],
    &[
        "s#(^|/)RNN/#\\1rnn/#",
        "s#(^|/)BiRNN[_/]FW/#\\1bidirectional_rnn/fw/#",
        "s#(^|/)BiRNN[_/]BW/#\\1bidirectional_rnn/bw/#",
        "s#(^|/)MultiRNNCell/#\\1multi_rnn_cell/#",
        "s#(^|/)Cell([0-9]+)/#\\1cell_\\2/#",
        "s#(^|/)BasicRNNCell/#\\1basic_rnn_cell/#",
        "s#(^|/)BasicLSTMCell/#\\1basic_lstm_cell/#",
        "s#(^|/)LSTMCell/#\\1lstm_cell/#",
        "s#(^|/)GRUCell/#\\1gru_cell/#",
        "s#(^|/)Gates/#\\1gates/#",
        "s#(^|/)Candidate/#\\1candidate/#",
        "s#Linear/Matrix$#kernel#",
        "s#Linear/Bias$#bias#",
        "s#(^|/)(weights|W_0)$#\\1kernel#",
        "s#(^|/)(biases|B)$#\\1bias#",
    ],
];

/// The rules that find the most, and of those the fewest; `None` if that is next to nothing.
pub(super) fn best(restore: &Restore, sides: &Sides) -> Option<Rules> {
    if restore.missing.is_empty() || restore.unexpected.is_empty() {
        return None;
    }
    let lists = |rules: &[&str]| rules.iter().map(ToString::to_string).collect::<Vec<_>>();
    let own: Vec<Other<'_>> =
        restore.unexpected.iter().map(|tensor| (Cow::Borrowed(tensor.name.as_slice()), &tensor.spec)).collect();
    let mut candidates: Vec<(Vec<String>, bool)> = Vec::new();
    candidates.extend(middles(restore, &own).into_iter().map(|rule| (vec![rule], false)));
    candidates.extend(ends(restore, &own).into_iter().map(|rule| (vec![rule], false)));
    candidates.extend(KINDS_OF_NAMES.iter().map(|rules| (lists(rules), false)));
    candidates.push((components(restore), true));
    let all = restore.missing.len();
    if !candidates.iter().any(|(rules, _)| gain(sides, rules) >= all) {
        // Two changes at once, of which neither finds anything alone.
        for rules in KINDS_OF_NAMES {
            let rules = lists(rules);
            let Ok(renames) = Renames::parse(&rules) else { continue };
            let renamed: Vec<Other<'_>> =
                own.iter().map(|(name, spec)| (Cow::Owned(renames.apply(name).into_owned()), *spec)).collect();
            let more = middles(restore, &renamed).into_iter();
            candidates.extend(more.map(|rule| ([rules.clone(), vec![rule]].concat(), false)));
        }
    }
    let found = candidates.into_iter().filter_map(|(rules, is_guess)| {
        let rules = needed(restore, sides, rules)?;
        // Rules that were guessed from the names: one for each tensor explains nothing.
        let n = rules.rules.len();
        (!is_guess || n < rules.gain || (n == rules.gain && n <= 3)).then_some(rules)
    });
    let length = |rules: &Rules| rules.rules.iter().map(String::len).sum::<usize>();
    found.max_by_key(|rules| (rules.gain, Reverse(rules.rules.len()), Reverse(length(rules))))
}

/// How many more fit with these rules.
pub(super) fn gain(sides: &Sides, rules: &[String]) -> usize {
    let Ok(renames) = Renames::parse(rules) else { return 0 };
    sides.fitting_with(&renames).saturating_sub(sides.fitting())
}

/// Those of the rules without which fewer would fit.
fn needed(restore: &Restore, sides: &Sides, mut rules: Vec<String>) -> Option<Rules> {
    if rules.is_empty() {
        return None;
    }
    let all = gain(sides, &rules);
    // One tensor may have the name and shape of another by chance.
    if all < 2.min(restore.missing.len()) {
        return None;
    }
    let mut at = 0;
    while at < rules.len() && rules.len() > 1 {
        let mut fewer = rules.clone();
        fewer.remove(at);
        if gain(sides, &fewer) >= all {
            rules = fewer;
        } else {
            at += 1;
        }
    }
    Some(Rules { rules, gain: all })
}

/// What a tensor is, so that only what is alike is compared.
fn kind(spec: &Spec) -> String {
    format!("{}{}", spec.dtype.map(|dtype| dtype.to_string()).unwrap_or_default(), spec.shape)
}

/// Names of which one is the other with something behind it.
fn ends(restore: &Restore, stored: &[Other<'_>]) -> Vec<String> {
    let mut by_spec: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for (name, spec) in stored.iter().take(LOOKED_AT) {
        by_spec.entry(kind(spec)).or_default().push(name);
    }
    let mut votes: BTreeMap<(Vec<u8>, bool), Ends> = BTreeMap::new();
    for missing in restore.missing.iter().take(LOOKED_AT) {
        for other in by_spec.get(&kind(&missing.spec)).into_iter().flatten().take(PARTNERS) {
            // Averages are another tensor, and have a cause of their own.
            let (end, is_added) = match (missing.name.strip_prefix(*other), other.strip_prefix(missing.name.as_slice()))
            {
                (Some(end), _) if end != AVERAGE => (end, true),
                (_, Some(end)) if end != AVERAGE => (end, false),
                _ => continue,
            };
            let last = other.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            let (times, lasts) = votes.entry((end.to_vec(), is_added)).or_default();
            *times += 1;
            lasts.insert(last.to_vec());
        }
    }
    let mut best: Vec<_> = votes.into_iter().collect();
    best.sort_by(|(a, (n, _)), (b, (m, _))| (m, a).cmp(&(n, b)));
    let rules = best.into_iter().take(2).flat_map(|((end, is_added), (_, lasts))| {
        if !is_added {
            return vec![format!("s|{}$||", literal(&end))];
        }
        // Of all names, or where others stay as they are of those that end so.
        let of_some = (lasts.len() <= 8).then(|| {
            let lasts: Vec<String> = lasts.iter().map(|last| literal(last).replace('#', "\\#")).collect();
            format!("s#(^|/)({})$#&{}#", lasts.join("|"), replacement(&end).replace('#', "\\#"))
        });
        std::iter::once(format!("s|$|{}|", replacement(&end))).chain(of_some).collect()
    });
    rules.collect()
}

/// Names that are alike but for their fronts or their middles: a scope that was added, removed or renamed.
fn middles(restore: &Restore, stored: &[Other<'_>]) -> Vec<String> {
    let last = |name: &[u8]| short_name(name).rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
    let mut by_last: BTreeMap<(Vec<u8>, String), Vec<&[u8]>> = BTreeMap::new();
    for (name, spec) in stored {
        by_last.entry((last(name), kind(spec))).or_default().push(name);
    }
    // How often a rule is seen, and how near the names are that it was seen in.
    let mut votes: BTreeMap<String, usize> = BTreeMap::new();
    for missing in restore.missing.iter().take(LOOKED_AT) {
        let others = by_last.get(&(last(&missing.name), kind(&missing.spec))).into_iter().flatten();
        for other in others.take(PARTNERS) {
            for rule in rules_between(other, &missing.name) {
                *votes.entry(rule).or_default() += 1;
            }
        }
    }
    let mut best: Vec<(String, usize)> = votes.into_iter().collect();
    // Of rules that are seen as often, the shortest says it in the fewest words.
    best.sort_by(|a, b| (b.1, a.0.len(), &a.0).cmp(&(a.1, b.0.len(), &b.0)));
    best.into_iter().take(TRIED).map(|(rule, _)| rule).collect()
}

/// The rules that make one name of another, where only something in front or in the middle differs.
fn rules_between(stored: &[u8], wanted: &[u8]) -> Vec<String> {
    let (a, b): (Vec<&[u8]>, Vec<&[u8]>) =
        (stored.split(|c| *c == b'/').collect(), wanted.split(|c| *c == b'/').collect());
    let same = |(a, b): &(&&[u8], &&[u8])| a == b;
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(same).count();
    if tail == 0 || (tail == a.len() && tail == b.len()) {
        return Vec::new();
    }
    let joined = |parts: &[&[u8]], end: usize| {
        let mut joined = parts.get(..parts.len().saturating_sub(end)).unwrap_or_default().join(&b'/');
        if !joined.is_empty() {
            joined.push(b'/');
        }
        joined
    };
    // The whole front.
    let (from, to) = (joined(&a, tail), joined(&b, tail));
    let mut rules = vec![format!("s|^{}|{}|", literal(&from), replacement(&to))];
    // Only what differs behind a front that both have.
    let room = a.len().min(b.len()).saturating_sub(tail);
    let head = a.iter().zip(&b).take_while(same).count().min(room);
    if head > 0 {
        let middle = |parts: &[&[u8]]| joined(parts.get(head..).unwrap_or_default(), tail);
        let (from, to) = (middle(&a), middle(&b));
        if from.is_empty() {
            // Where it is put in is told by what follows, which may be the last component.
            let next = a.get(head).copied().unwrap_or_default();
            let end = if head.saturating_add(1) == a.len() { "$" } else { "/" };
            let (text, behind) = (replacement(next), end.trim_end_matches('$'));
            rules.push(format!("s|/{}{end}|/{}{text}{behind}|", literal(next), replacement(&to)));
        } else {
            rules.push(format!("s|/{}|/{}|", literal(&from), replacement(&to)));
        }
    }
    rules
}

/// Components of names that were renamed, several at once: `GRUCell` to `gru_cell` and `weights` to `kernel`.
fn components(restore: &Restore) -> Vec<String> {
    let mut by_spec: BTreeMap<(String, usize), Vec<&[u8]>> = BTreeMap::new();
    let key = |spec: &Spec, name: &[u8]| (kind(spec), memchr::memchr_iter(b'/', name).count());
    for tensor in restore.unexpected.iter().take(LOOKED_AT) {
        by_spec.entry(key(&tensor.spec, &tensor.name)).or_default().push(&tensor.name);
    }
    // Which component stands in the place of which, in the pair that differs in the fewest.
    let mut votes: BTreeMap<Renamed, usize> = BTreeMap::new();
    for missing in restore.missing.iter().take(LOOKED_AT) {
        let wanted: Vec<&[u8]> = missing.name.split(|b| *b == b'/').collect();
        let differing = |other: &&[u8]| {
            let parts = other.split(|b| *b == b'/');
            parts.zip(&wanted).filter(|(a, b)| a != *b).count()
        };
        let others = by_spec.get(&key(&missing.spec, &missing.name)).into_iter().flatten().take(PARTNERS);
        let all: Vec<&[u8]> = others.copied().collect();
        let Some(least) = all.iter().map(differing).min().filter(|n| (1..=3).contains(n)) else {
            continue;
        };
        for other in all.iter().filter(|other| differing(other) == least) {
            let parts: Vec<&[u8]> = other.split(|b| *b == b'/').collect();
            let last = parts.len().saturating_sub(1);
            for (at, (a, b)) in parts.iter().zip(&wanted).enumerate().filter(|(_, (a, b))| a != b) {
                *votes.entry((a.to_vec(), b.to_vec(), (at == 0, at == last))).or_default() += 1;
            }
        }
    }
    let mut best: Vec<_> = votes.into_iter().collect();
    best.sort_by_key(|(_, votes)| Reverse(*votes));
    // One component becomes one other: of several that were seen, the one that was seen most.
    let mut taken: BTreeSet<Vec<u8>> = BTreeSet::new();
    best.retain(|((from, ..), _)| taken.insert(from.clone()));
    best.iter().take(TRIED).map(|((from, to, ends), _)| component(from, to, *ends)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::naming::rename::Rename;

    #[test]
    fn rules_of_awkward_names_match_them() {
        for (stored, model) in [("a.b|c/", "x&y\\z|/"), ("layer-1/", "{n}/"), ("(s)^$*", "plain/")] {
            let rule = format!("s|^{}|{}|", literal(stored.as_bytes()), replacement(model.as_bytes()));
            let renamed = Rename::parse(&rule).unwrap();
            let name = format!("{stored}w");
            assert_eq!(renamed.apply(name.as_bytes()).as_ref(), format!("{model}w").as_bytes(), "{rule}");
        }
    }

    #[test]
    fn rules_between_names_make_one_of_the_other() {
        let pairs = [
            ("old/a/w", "new/a/w"),
            ("a/w", "net/a/w"),
            ("net/a/w", "a/w"),
            ("e/l_0/attention/w", "e/l_0/self/attention/w"),
            ("e/l_0/self/attention/w", "e/l_0/attention/w"),
            ("e/l_0/x/y/w", "e/l_0/z/w"),
            ("e/l_0/w", "e/l_0/cell/w"),
            ("a/a/w", "a/w"),
            ("a/w", "a/a/w"),
        ];
        for (stored, model) in pairs {
            let rules = rules_between(stored.as_bytes(), model.as_bytes());
            assert!(!rules.is_empty(), "{stored}");
            for rule in rules {
                let made = Rename::parse(&rule).unwrap().apply(stored.as_bytes()).into_owned();
                assert_eq!(String::from_utf8(made).unwrap(), model, "{rule}");
            }
        }
        assert!(rules_between(b"a/w", b"a/w").is_empty() && rules_between(b"a/w", b"a/v").is_empty());
    }
}
