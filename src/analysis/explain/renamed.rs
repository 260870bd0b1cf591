//! The `--map` options that lead names of a checkpoint to names that a message says are missing.
//!
//! A message has names and no shapes, so only what the names leave no doubt of is proposed: every rule is tried on the
//! whole checkpoint, and must lead exactly one tensor to each of the missing names.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::naming::rename::Renames;
use crate::analysis::restore::{Named, candidates};
use crate::read::checkpoint::Tensors;

/// More names than these say no more of how they were changed.
const MOST: usize = 64;

/// Names of a checkpoint that are compared: those that are most like the first of the missing ones.
const COMPARED: usize = 20_000;

/// How near the tensors are, which they are by the name that each is led to, and the rules.
type Found = ((usize, usize), BTreeMap<Vec<u8>, usize>, Vec<String>);

/// The options, each `s|…|…|`; none where nothing leads to all of the names, or several things do as well.
pub(super) fn find(tensors: &Tensors, missing: &[String]) -> Vec<String> {
    let wanted: BTreeSet<&[u8]> = missing.iter().take(MOST).map(String::as_bytes).collect();
    let Some(first) = missing.first().filter(|first| tensors.find(first.as_bytes()).is_none()) else {
        return Vec::new();
    };
    let mut names: Vec<Vec<u8>> = tensors.iter().map(|tensor| tensor.name.clone()).collect();
    names.sort_by_cached_key(|name| Reverse(nearness(name, first.as_bytes())));
    names.truncate(COMPARED);
    let named = |name| Named { name, kind: "" };
    let stored: Vec<Named<'_>> = names.iter().map(|name| named(name.as_slice())).collect();
    let asked: Vec<Named<'_>> = wanted.iter().map(|name| named(name)).collect();
    // What leads to the names from others that are nearer to them is what happened.
    let mut found: Vec<Found> = Vec::new();
    for candidate in candidates(&stored, &asked).into_iter().filter(|candidate| candidate.doubt.is_none()) {
        let Some(sources) = sources(&candidate.rules, &names, &wanted) else { continue };
        if sources
            .iter()
            .any(|(to, from)| names.get(*from).is_none_or(|from| is_misspelt(from, to) || is_unlike(from, to)))
        {
            continue;
        }
        let near = sources.iter().filter_map(|(to, from)| Some(nearness(names.get(*from)?, to)));
        let near = near
            .fold((0usize, 0usize), |(parts, numbers), (a, b)| (parts.saturating_add(a), numbers.saturating_add(b)));
        found.push((near, sources, candidate.rules));
    }
    // Of those from the same tensors, what says it of the most: names change throughout.
    let Some(best) = found.iter().max_by_key(|(near, _, rules)| (*near, Reverse(rules.len()))) else {
        return Vec::new();
    };
    if found.iter().any(|(near, sources, _)| *near == best.0 && *sources != best.1) {
        return Vec::new();
    }
    let changes = |rules: &[String]| {
        let renames = Renames::parse(rules).unwrap_or_default();
        names.iter().filter(|name| *renames.apply(name) != ***name).count()
    };
    let same = found.iter().filter(|(_, sources, _)| *sources == best.1);
    let same = same.map(|(.., rules)| needed(rules.clone(), &names, &wanted));
    let length = |rules: &[String]| rules.iter().map(String::len).sum::<usize>();
    same.max_by_key(|rules| (Reverse(rules.len()), changes(rules), Reverse(length(rules)))).unwrap_or_default()
}

/// How many components two names have in common at their ends, and whether they have the same numbers.
fn nearness(a: &[u8], b: &[u8]) -> (usize, usize) {
    let parts = |name: &'_ [u8]| name.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (one, other) = (parts(a), parts(b));
    let front = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let back = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let numbers = |name: &'_ [u8]| {
        name.split(|byte| !byte.is_ascii_digit()).filter(|run| !run.is_empty()).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    (front.saturating_add(back).min(one.len()).min(other.len()), usize::from(numbers(a) == numbers(b)))
}

/// Whether a letter more or less is all that tells the names apart: of one name that is a slip, and no rule for all. With
/// a number more it is the next variable of the name, as TensorFlow counts them: `Variable_2`.
fn is_misspelt(a: &[u8], b: &[u8]) -> bool {
    let Some(rest) = a.strip_prefix(b).or_else(|| b.strip_prefix(a)) else { return false };
    let is_number = |number: &[u8]| !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    rest.first().is_some_and(u8::is_ascii_alphabetic) || rest.strip_prefix(b"_").is_some_and(is_number)
}

/// Whether names have nothing in common, not a component: that one could stand for the other is no news.
fn is_unlike(a: &[u8], b: &[u8]) -> bool {
    let has = |long: &[u8], short: &[u8]| memchr::memmem::find(long, short).is_some();
    nearness(a, b).0 == 0 && !has(a, b) && !has(b, a)
}

/// From which names these rules lead to each of those that are wanted, if from one each and no second.
fn sources(rules: &[String], names: &[Vec<u8>], wanted: &BTreeSet<&[u8]>) -> Option<BTreeMap<Vec<u8>, usize>> {
    let renames = Renames::parse(rules).ok()?;
    let mut found = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        let to = renames.apply(name);
        if wanted.contains(&*to) && found.insert(to.into_owned(), at).is_some() {
            return None;
        }
    }
    (found.len() == wanted.len()).then_some(found)
}

/// Without the rules that are not needed.
fn needed(mut rules: Vec<String>, names: &[Vec<u8>], wanted: &BTreeSet<&[u8]>) -> Vec<String> {
    let mut at = 0;
    while at < rules.len() {
        let mut fewer = rules.clone();
        fewer.remove(at);
        if !fewer.is_empty() && sources(&fewer, names, wanted).is_some() {
            rules = fewer;
        } else {
            at += 1;
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::checkpoint::Tensor;
    use crate::read::tensor::{DType, Shape};

    fn found(names: &[&str], missing: &[&str]) -> Vec<String> {
        let tensor = |name: &&str| Tensor::without_values(name.as_bytes(), DType::Float32, Shape::new([2]));
        find(&names.iter().map(tensor).collect(), &missing.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn one_missing_name_tells_what_happened_to_all() {
        let layers = ["layer_0/kernel", "layer_1/kernel", "layer_1/bias", "layer_2/kernel"];
        assert_eq!(found(&layers, &["block_1/kernel"]), ["s|^layer_([0-9]+)/|block_\\1/|"]);
        assert_eq!(found(&layers, &["net/layer_1/kernel"]), ["s|^|net/|"]);
        assert_eq!(found(&layers, &["net/layers.2/kernel"]), ["s|^layer_([0-9]+)/|net/layers.\\1/|"]);
        assert_eq!(found(&["old/a/w", "old/b/w"], &["new/a/w"]), ["s|^old/|new/|"]);
        assert_eq!(found(&["net/dense/kernel", "net/dense_1/kernel"], &["dense/kernel"]), ["s|^net/||"]);
        assert_eq!(found(&["a/w:0", "b/w:0"], &["a/w"]), ["s|:0$||"]);
    }

    #[test]
    fn what_may_be_either_is_not_said() {
        for (names, missing) in [
            (["a/y/w", "a/z/w"], "a/x/w"),
            (["a/w", "b/w"], "w"),
            (["a/w", "b/w"], "a/w"),
            (["a/w", "b/w"], "a/ws"),
            (["w", "w_1"], "w_2"),
            (["predictor/box/biases", "global_step"], "dense/kernel"),
        ] {
            assert!(found(&names, &[missing]).is_empty(), "{missing}");
        }
    }
}
