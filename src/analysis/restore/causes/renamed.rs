//! Names that changed throughout, by a rule or a few: what `--map` options lead them back.
//!
//! Candidates come from pairs of names whose tensors are alike; what counts is how many tensors fit once the rules are
//! applied to all names, so that a rule that spoils what fits is none.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::{Restore, Spec};
use super::kinds::AVERAGE;
use super::segments::{Named, Renaming, is_chance, renamings};
use super::sides::Sides;
use crate::analysis::naming::rename::Renames;
use crate::analysis::naming::roles::short_name;
use crate::analysis::restore::substitution::{literal, replacement};

/// How many tensors are looked at: a rename shows in the first of them.
const LOOKED_AT: usize = 2000;
/// How many tensors of one kind are compared with each.
const PARTNERS: usize = 64;
/// How many rules of one kind are tried: the likeliest come first.
const TRIED: usize = 8;

/// Rules that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) list: Vec<String>,
    /// How many more tensors fit with them.
    pub(super) gain: usize,
    /// Why they are likely and not certain, if they are not.
    pub(super) doubt: Option<String>,
}

/// How often an end is seen, and behind which last components.
type Ends = (usize, BTreeSet<Vec<u8>>);

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

/// Whether a rule is one of the changes that TensorFlow itself made to names of variables.
pub(super) fn is_of_tensorflow(rule: &str) -> bool {
    let [.., cells] = KINDS_OF_NAMES;
    let became = |old: &[&str], new: &str| {
        let mut sides = rule.split(['|', '#']).skip(1);
        let (from, to) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
        old.iter().any(|old| from.contains(old)) && to.contains(new)
    };
    cells.contains(&rule) || became(&["weights", "W_0", "Matrix"], "kernel") || became(&["biases", "Bias"], "bias")
}

/// Rules that may be what happened.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Candidate {
    pub(in crate::analysis) rules: Vec<String>,
    /// How many changes were guessed from the names, if they were: one for each tensor explains nothing.
    guessed: Option<usize>,
    /// Whether they are made of whole parts of names, which says less than rules that are known.
    is_wide: bool,
    pub(in crate::analysis) doubt: Option<String>,
}

impl Candidate {
    fn of(rules: Vec<String>) -> Self {
        Self { rules, guessed: None, is_wide: false, doubt: None }
    }
}

/// What may lead names of the checkpoint to those that are wanted: one kind of change each.
pub(in crate::analysis) fn candidates(stored: &[Named<'_>], wanted: &[Named<'_>]) -> Vec<Candidate> {
    let lists = |rules: &[&str]| rules.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut candidates: Vec<Candidate> =
        middles(stored, wanted).into_iter().map(|rule| vec![rule]).map(Candidate::of).collect();
    candidates.extend(ends(stored, wanted).into_iter().map(|rule| Candidate::of(vec![rule])));
    candidates.extend(KINDS_OF_NAMES.iter().map(|rules| Candidate::of(lists(rules))));
    candidates.extend(renamings(stored, wanted).map(|Renaming { rules, changes, is_plain, doubt }| Candidate {
        rules,
        guessed: Some(changes),
        is_wide: !is_plain,
        doubt,
    }));
    candidates
}

/// The rules that find the most, and of those the fewest; `None` if that is next to nothing.
pub(super) fn best(restore: &Restore, sides: &Sides) -> Option<Rules> {
    if restore.missing.is_empty() || restore.unexpected.is_empty() {
        return None;
    }
    let kinds: [Vec<String>; 2] = [
        restore.unexpected.iter().map(|tensor| kind(&tensor.spec)).collect(),
        restore.missing.iter().map(|missing| kind(&missing.spec)).collect(),
    ];
    let [of_stored, of_wanted] = &kinds;
    let named = |(name, kind)| Named { name, kind };
    let stored: Vec<Named<'_>> = restore
        .unexpected
        .iter()
        .map(|tensor| tensor.name.as_slice())
        .zip(of_stored.iter().map(String::as_str))
        .map(named)
        .collect();
    let wanted: Vec<Named<'_>> = restore
        .missing
        .iter()
        .map(|missing| missing.name.as_slice())
        .zip(of_wanted.iter().map(String::as_str))
        .map(named)
        .collect();
    let candidates = candidates(&stored, &wanted);
    let mut seen: BTreeSet<Vec<String>> = BTreeSet::from([Vec::new()]);
    let all = restore.missing.len();
    let mut tried: Vec<(Candidate, usize)> = Vec::new();
    let mut try_all = |candidates: Vec<Candidate>, tried: &mut Vec<(Candidate, usize)>| {
        let new: Vec<Candidate> = candidates.into_iter().filter(|one| seen.insert(one.rules.clone())).collect();
        tried.extend(new.into_iter().map(|one| (gain(sides, &one.rules), one)).map(|(gain, one)| (one, gain)));
    };
    try_all(candidates, &mut tried);
    let explains = |(candidate, gain): &(Candidate, usize)| *gain >= all && candidate.guessed.is_none_or(|n| n < *gain);
    if !tried.iter().any(explains) {
        // Two changes at once, of which neither finds anything alone.
        for rules in KINDS_OF_NAMES {
            let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
            let Ok(renames) = Renames::parse(&rules) else { continue };
            let names: Vec<Vec<u8>> = stored.iter().map(|stored| renames.apply(stored.name).into_owned()).collect();
            // Rules that change nothing were tried, as none.
            if names.iter().zip(&stored).all(|(name, stored)| name == stored.name) {
                continue;
            }
            let renamed: Vec<Named<'_>> =
                names.iter().zip(&stored).map(|(name, stored)| Named { name, kind: stored.kind }).collect();
            let more = middles(&renamed, &wanted).into_iter();
            try_all(more.map(|rule| Candidate::of([rules.clone(), vec![rule]].concat())).collect(), &mut tried);
        }
    }
    let found = tried.into_iter().filter_map(|(candidate, gain)| {
        let rules = needed(restore, sides, candidate.rules, gain)?;
        let explains = candidate.guessed.is_none_or(|n| {
            let n = n.min(rules.list.len());
            n < rules.gain || (n == rules.gain && n <= 3)
        });
        explains.then_some((candidate.is_wide, Rules { doubt: candidate.doubt, ..rules }))
    });
    let length = |rules: &Rules| rules.list.iter().map(String::len).sum::<usize>();
    let best = found.max_by_key(|(is_wide, rules)| {
        (rules.gain, !is_wide, rules.doubt.is_none(), Reverse(rules.list.len()), Reverse(length(rules)))
    });
    best.map(|(_, rules)| rules)
}

/// How many more fit with these rules.
pub(super) fn gain(sides: &Sides, rules: &[String]) -> usize {
    let Ok(renames) = Renames::parse(rules) else { return 0 };
    sides.fitting_with(&renames).saturating_sub(sides.fitting())
}

/// Those of the rules without which fewer would fit.
fn needed(restore: &Restore, sides: &Sides, mut rules: Vec<String>, all: usize) -> Option<Rules> {
    // One tensor may have the name and shape of another by chance.
    if all < 2.min(restore.missing.len()) {
        return None;
    }
    let mut at = 0;
    while at < rules.len() && rules.len() > 1 && sides.allows(rules.len(), rules.len()) {
        let mut fewer = rules.clone();
        fewer.remove(at);
        if gain(sides, &fewer) >= all {
            rules = fewer;
        } else {
            at += 1;
        }
    }
    Some(Rules { list: rules, gain: all, doubt: None })
}

/// What a tensor is, so that only what is alike is compared.
fn kind(spec: &Spec) -> String {
    format!("{}{}", spec.dtype.map(|dtype| dtype.to_string()).unwrap_or_default(), spec.shape)
}

/// Names of which one is the other with something behind it.
fn ends(stored: &[Named<'_>], wanted: &[Named<'_>]) -> Vec<String> {
    let mut by_kind: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
    for stored in stored.iter().take(LOOKED_AT) {
        by_kind.entry(stored.kind).or_default().push(stored.name);
    }
    let mut votes: BTreeMap<(Vec<u8>, bool), Ends> = BTreeMap::new();
    for wanted in wanted.iter().take(LOOKED_AT) {
        for other in by_kind.get(wanted.kind).into_iter().flatten().take(PARTNERS) {
            // Averages are another tensor, and have a cause of their own.
            let (end, is_added) = match (wanted.name.strip_prefix(*other), other.strip_prefix(wanted.name)) {
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
fn middles(stored: &[Named<'_>], wanted: &[Named<'_>]) -> Vec<String> {
    let last = |name: &[u8]| short_name(name).rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
    let mut by_last: BTreeMap<(Vec<u8>, &str), Vec<&[u8]>> = BTreeMap::new();
    for stored in stored {
        by_last.entry((last(stored.name), stored.kind)).or_default().push(stored.name);
    }
    // How often a rule is seen, and how near the names are that it was seen in.
    let mut votes: BTreeMap<String, usize> = BTreeMap::new();
    for wanted in wanted.iter().take(LOOKED_AT) {
        let others = by_last.get(&(last(wanted.name), wanted.kind)).into_iter().flatten();
        for other in others.take(PARTNERS) {
            for rule in rules_between(other, wanted.name) {
                *votes.entry(rule).or_default() += 1;
            }
        }
    }
    let all = wanted.len().min(LOOKED_AT);
    let mut best: Vec<(String, usize)> = votes.into_iter().filter(|(_, times)| !is_chance(*times, all)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::naming::rename::Rename;

    #[test]
    fn what_tensorflow_renamed_is_known_from_what_people_did() {
        for rule in
            ["s|/weights$|/kernel|", "s|^biases$|bias|", "s#Linear/Matrix$#kernel#", "s#(^|/)GRUCell/#\\1gru_cell/#"]
        {
            assert!(is_of_tensorflow(rule), "{rule}");
        }
        for rule in ["s|/kernel$|/w|", "s|/bias$|/b|", "s|^a/|kernel/|", "s|/kernel$|/weights|"] {
            assert!(!is_of_tensorflow(rule), "{rule}");
        }
    }

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
