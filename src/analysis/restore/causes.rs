//! What all differences of a restore have in common: one cause, with the options that repair it or leave it out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Mismatch, Restore, Spec};
use crate::analysis::rename::Rename;
use crate::escape::escaped;

/// How many tensors are looked at: a rename shows in the first of them.
const LOOKED_AT: usize = 2000;

/// What a moving average is called (`ExponentialMovingAverage.average_name`).
const AVERAGE: &[u8] = b"/ExponentialMovingAverage";

/// One cause for what is missing or differs, as lines.
pub(super) fn find(restore: &Restore) -> Vec<String> {
    let mut causes = Vec::new();
    causes.extend(averages(restore));
    causes.extend(ranges(restore));
    causes.extend(parts(restore));
    causes.extend(one_dtype(&restore.mismatched));
    causes
}

/// What the rest is that fits, and how the others are left out: for fine-tuning nothing is at fault.
pub(super) fn leave_out(restore: &Restore) -> Option<String> {
    let shapes = restore.mismatched.iter().filter(|mismatch| mismatch.expected.shape != mismatch.found.shape);
    let names: Vec<&[u8]> = shapes.map(|mismatch| mismatch.name.as_slice()).collect();
    // Where most does not fit it is another model, and leaving it out leaves nothing.
    if names.is_empty() || !restore.missing.is_empty() || restore.matched.len() < names.len() {
        return None;
    }
    let ignore = if names.len() <= 4 {
        let quoted = names.iter().map(|name| format!("--ignore '{}'", escaped(name)));
        quoted.collect::<Vec<_>>().join(" ")
    } else {
        let scopes: BTreeSet<&[u8]> = names.iter().filter_map(|name| name.split(|b| *b == b'/').next()).collect();
        let matched = restore.matched.iter().filter_map(|found| found.name.split(|b| *b == b'/').next());
        let fitting: BTreeSet<&[u8]> = matched.collect();
        if scopes.len() > 4 || scopes.iter().any(|scope| fitting.contains(scope)) {
            return None;
        }
        scopes.iter().map(|scope| format!("--ignore '{}/**'", escaped(scope))).collect::<Vec<_>>().join(" ")
    };
    let object_based = names.iter().any(|name| name.ends_with(b"VARIABLE_VALUE"));
    let call = if object_based {
        "restore the parts that fit by tf.train.Checkpoint(…) of those objects alone, .expect_partial()".to_owned()
    } else {
        let list: Vec<String> = names.iter().take(4).map(|name| format!("'{}'", escaped(name))).collect();
        let more = if names.len() > 4 { ", …" } else { "" };
        format!(
            "tf.compat.v1.train.Saver([v for v in tf.compat.v1.global_variables() if v.op.name not in {{{}{more}}}])",
            list.join(", ")
        )
    };
    let (few, fit) = (names.len(), restore.matched.len());
    let them = if few == 1 { "it" } else { "them" };
    Some(format!(
        "to go on from this checkpoint with a new size, leave {them} out and train {them} anew: the other {fit} fit \
         ({ignore}); in the program: {call}"
    ))
}

/// Averages that the model reads and the checkpoint does not have, or the reverse.
fn averages(restore: &Restore) -> Option<String> {
    let stored: BTreeSet<&[u8]> = restore
        .unexpected
        .iter()
        .map(|tensor| tensor.name.as_slice())
        .chain(restore.matched.iter().map(|found| found.stored.as_slice()))
        .collect();
    let n = restore.missing.len();
    let wanted = restore
        .missing
        .iter()
        .filter(|missing| missing.name.strip_suffix(AVERAGE).is_some_and(|weight| stored.contains(weight)));
    let wanted = wanted.count();
    if wanted > 0 && wanted * 10 >= n * 9 {
        let all = if wanted == n { format!("all {n}") } else { format!("{wanted} of the {n}") };
        return Some(format!(
            "{all} missing are moving averages of weights that the checkpoint has: it was saved without averages. Let the \
             program read the weights themselves (Saver() instead of Saver(ema.variables_to_restore())), or restore from a \
             checkpoint that has the averages"
        ));
    }
    let only_averages = restore.missing.iter().filter(|missing| {
        let average = [missing.name.as_slice(), AVERAGE].concat();
        stored.contains(average.as_slice())
    });
    let only_averages = only_averages.count();
    (only_averages > 0 && only_averages * 10 >= n * 9).then(|| {
        format!(
            "the checkpoint has the moving averages of {only_averages} of the {n} missing, not the weights: read these, by \
             Saver(ema.variables_to_restore()), or as they are: --map 's|/ExponentialMovingAverage$||'"
        )
    })
}

/// Ranges of quantization, which a rewritten graph wants and an older checkpoint does not have.
fn ranges(restore: &Restore) -> Option<String> {
    let is_range = |name: &[u8]| {
        let last = name.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let quantized = memchr::memmem::find(name, b"quant").is_some();
        quantized && matches!(last, b"min" | b"max" | b"biased" | b"local_step" | b"quantized" | b"optimizer_step")
    };
    let n = restore.missing.len();
    let ranges = restore.missing.iter().filter(|missing| is_range(&missing.name)).count();
    (ranges > 0 && ranges * 10 >= n * 9).then(|| {
        format!(
            "{ranges} of the {n} missing are ranges for quantization: the graph was rewritten for quantized training after \
             this checkpoint. Restore the weights only (--ignore '**/*quant*/**'); the ranges start anew"
        )
    })
}

/// Parts of partitioned variables that are asked for as variables of their own, or the reverse.
fn parts(restore: &Restore) -> Option<String> {
    let part_of = |name: &[u8]| -> Option<Vec<u8>> {
        let (front, last) = name.rsplit_once_byte(b'/')?;
        let digits = last.strip_prefix(b"part_")?;
        (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| front.to_vec())
    };
    let stored: BTreeSet<&[u8]> = restore.unexpected.iter().map(|tensor| tensor.name.as_slice()).collect();
    let wanted = restore
        .missing
        .iter()
        .filter(|missing| part_of(&missing.name).is_some_and(|whole| stored.contains(whole.as_slice())));
    let wanted = wanted.count();
    if wanted > 0 {
        return Some(format!(
            "{wanted} of the {} missing are parts of variables that the checkpoint has whole: the program takes each part for \
             a variable of its own. Use a partitioner when the variables are made, so that a Saver knows them for parts",
            restore.missing.len()
        ));
    }
    let whole: BTreeSet<Vec<u8>> = restore.unexpected.iter().filter_map(|tensor| part_of(&tensor.name)).collect();
    let wanted = restore.missing.iter().filter(|missing| whole.contains(&missing.name)).count();
    (wanted > 0).then(|| {
        format!(
            "{wanted} of the {} missing are in the checkpoint in parts, as variables of their own: join them (ckpt print \
             NAME --format npy of each part), or build the model with as many parts",
            restore.missing.len()
        )
    })
}

/// The same two dtypes in all that differs.
fn one_dtype(mismatched: &[Mismatch]) -> Option<String> {
    let pair = |mismatch: &Mismatch| {
        let same_shape = mismatch.expected.shape == mismatch.found.shape;
        Some((mismatch.expected.dtype?, mismatch.found.dtype?)).filter(|(a, b)| same_shape && a != b)
    };
    let (model, stored) = pair(mismatched.first()?)?;
    let alike = mismatched.iter().filter(|mismatch| pair(mismatch) == Some((model, stored))).count();
    (alike == mismatched.len() && alike > 1).then(|| {
        format!(
            "the checkpoint is {stored} throughout where the model wants {model}: all {alike} differ by dtype alone, every \
             shape fits. TensorFlow converts nothing while restoring: build the variables as {stored} and cast them after, \
             or convert the checkpoint"
        )
    })
}

/// A component, what it became, and whether it is the first of a name, and the last.
type Renamed = (Vec<u8>, Vec<u8>, (bool, bool));

/// Renamings of whole kinds of names. The cells of TensorFlow 0.x to 1.2 were named after classes, and `Linear` and its
/// `Matrix` became `kernel` (the table of `tf.contrib.rnn`'s `checkpoint_convert`); `:0` is the output of a variable's
/// op, which a `Saver` given a dict of `variable.name` writes along.
pub(in crate::analysis) const KINDS_OF_NAMES: [&[&str]; 3] = [
    &["s|:0$||"],
    &["s|$|:0|"],
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

/// Names that changed throughout, by one rule or a few.
pub(super) fn renamed(restore: &Restore) -> Option<String> {
    if restore.missing.is_empty() || restore.unexpected.is_empty() {
        return None;
    }
    let of_kinds =
        KINDS_OF_NAMES.iter().filter_map(|rules| needed(restore, rules.iter().map(ToString::to_string).collect()));
    // Rules that were guessed from the names: one for each tensor explains nothing.
    let explain = |(rules, all): &(Vec<String>, usize)| rules.len() < *all || (rules.len() == *all && *all <= 3);
    let of_components = needed(restore, components_renamed(restore)).filter(explain);
    let found = of_kinds.chain(of_components);
    // What finds the most, and of those what needs the fewest rules.
    let (rules, all) = found.max_by_key(|(rules, all)| (*all, std::cmp::Reverse(rules.len())))?;
    let maps: Vec<String> = rules.iter().map(|rule| format!("--map '{}'", escaped(rule.as_bytes()))).collect();
    let known = rules.iter().any(|rule| rule.contains("kernel") || rule.contains("bias|"));
    let why = if known { " (TensorFlow 1.0 and 1.2 renamed the variables of cells and layers so)" } else { "" };
    Some(format!("names were changed{why}: {} finds {all} of the {} missing", maps.join(" "), restore.missing.len()))
}

/// Those of the rules without which fewer would be found, and how many they find; `None` if that is next to nothing.
fn needed(restore: &Restore, mut rules: Vec<String>) -> Option<(Vec<String>, usize)> {
    let all = resolved(restore, &rules);
    if all < 2.min(restore.missing.len()) {
        return None;
    }
    let mut at = 0;
    while at < rules.len() {
        let mut fewer = rules.clone();
        fewer.remove(at);
        if resolved(restore, &fewer) >= all {
            rules = fewer;
        } else {
            at += 1;
        }
    }
    Some((rules, all))
}

/// Components of names that were renamed, several at once: `GRUCell` to `gru_cell` and `weights` to `kernel`.
fn components_renamed(restore: &Restore) -> Vec<String> {
    let mut by_spec: BTreeMap<(String, usize), Vec<&[u8]>> = BTreeMap::new();
    let key = |spec: &Spec, name: &[u8]| {
        let dtype = spec.dtype.map(|dtype| dtype.to_string()).unwrap_or_default();
        (format!("{dtype}{}", spec.shape), memchr::memchr_iter(b'/', name).count())
    };
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
        let others = by_spec.get(&key(&missing.spec, &missing.name)).into_iter().flatten().take(64);
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
    best.sort_by_key(|(_, votes)| std::cmp::Reverse(*votes));
    // One component becomes one other: of several that were seen, the one that was seen most.
    let mut taken: BTreeSet<Vec<u8>> = BTreeSet::new();
    best.retain(|((from, ..), _)| taken.insert(from.clone()));
    best.iter().take(8).map(|((from, to, ends), _)| rule(from, to, *ends)).collect()
}

/// A component as the substitution of it, where it is the first of a name, the last, or one within.
fn rule(from: &[u8], to: &[u8], (is_first, is_last): (bool, bool)) -> String {
    let (from, to) = (super::hints::literal(from), super::hints::replacement(to));
    let (before, after) = (if is_first { "^" } else { "/" }, if is_last { "$" } else { "/" });
    let (front, behind) = (before.trim_start_matches('^'), after.trim_end_matches('$'));
    format!("s|{before}{from}{after}|{front}{to}{behind}|")
}

/// How many of the missing are found, in dtype and shape, once the names of the checkpoint are changed so.
fn resolved(restore: &Restore, rules: &[String]) -> usize {
    let Ok(renames) = rules.iter().map(|rule| Rename::parse(rule)).collect::<Result<Vec<_>, _>>() else { return 0 };
    let wanted: BTreeMap<&[u8], &Spec> =
        restore.missing.iter().map(|missing| (missing.name.as_slice(), &missing.spec)).collect();
    let renamed = restore.unexpected.iter().map(|tensor| {
        let name = renames.iter().fold(tensor.name.clone(), |name, rename| rename.apply(&name).into_owned());
        (name, &tensor.spec)
    });
    let found = renamed.filter(|(name, spec)| wanted.get(name.as_slice()).is_some_and(|wanted| wanted == spec));
    let mut times: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    found.for_each(|(name, _)| *times.entry(name).or_default() += 1);
    // Two that become one say that the rules are none.
    times.values().filter(|times| **times == 1).count()
}

trait SplitLast {
    fn rsplit_once_byte(&self, byte: u8) -> Option<(&[u8], &[u8])>;
}

impl SplitLast for [u8] {
    fn rsplit_once_byte(&self, byte: u8) -> Option<(&[u8], &[u8])> {
        let at = self.iter().rposition(|b| *b == byte)?;
        Some((self.get(..at)?, self.get(at.saturating_add(1)..)?))
    }
}
