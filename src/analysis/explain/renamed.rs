//! The `--map` options that lead names of a checkpoint to names that a message says are missing.
//!
//! A message has names and no shapes, so only what the names leave no doubt of is proposed: every rule is tried on the
//! whole checkpoint, and must lead exactly one tensor to each of the missing names.

use std::collections::BTreeSet;

use crate::analysis::naming::rename::Renames;
use crate::analysis::naming::roles::short_name;
use crate::analysis::restore::{KINDS_OF_NAMES, component as substitution, literal, replacement};
use crate::read::checkpoint::Checkpoint;

/// More names than these say no more of how they were changed.
const MOST: usize = 64;

/// The options, each `s|…|…|`; none where nothing leads to all of the names.
pub(super) fn find(checkpoint: &Checkpoint, missing: &[String]) -> Vec<String> {
    let wanted: BTreeSet<&[u8]> = missing.iter().take(MOST).map(String::as_bytes).collect();
    let names: Vec<Vec<u8>> = checkpoint.tensors().iter().map(|tensor| tensor.name.clone()).collect();
    let Some(first) = missing.first().filter(|first| !names.iter().any(|name| name == first.as_bytes())) else {
        return Vec::new();
    };
    let mut tried: Vec<Vec<String>> = scopes(&names, first).into_iter().map(|rule| vec![rule]).collect();
    tried.extend(component(&names, first).into_iter().map(|rule| vec![rule]));
    tried.extend(KINDS_OF_NAMES.iter().map(|rules| rules.iter().map(ToString::to_string).collect()));
    let found = tried.into_iter().find(|rules| leads(rules, &names, &wanted));
    found.map(|rules| needed(rules, &names, &wanted)).unwrap_or_default()
}

/// Whether these rules lead one tensor, and no second, to each of the names.
fn leads(rules: &[String], names: &[Vec<u8>], wanted: &BTreeSet<&[u8]>) -> bool {
    let Ok(renames) = Renames::parse(rules) else { return false };
    let mut found: Vec<Vec<u8>> = Vec::new();
    for name in names {
        let to = renames.apply(name).into_owned();
        if wanted.contains(to.as_slice()) {
            if found.contains(&to) {
                return false;
            }
            found.push(to);
        }
    }
    found.len() == wanted.len()
}

/// Without the rules that are not needed.
fn needed(mut rules: Vec<String>, names: &[Vec<u8>], wanted: &BTreeSet<&[u8]>) -> Vec<String> {
    let mut at = 0;
    while at < rules.len() {
        let mut fewer = rules.clone();
        fewer.remove(at);
        if leads(&fewer, names, wanted) {
            rules = fewer;
        } else {
            at += 1;
        }
    }
    rules
}

/// A scope in front that one side has and the other has not, or another one.
fn scopes(names: &[Vec<u8>], wanted: &str) -> Vec<String> {
    let wanted = wanted.as_bytes();
    let mut rules = Vec::new();
    for name in names {
        if let Some(scope) = name.strip_suffix(wanted).filter(|scope| scope.ends_with(b"/")) {
            rules.push(format!("s|^{}||", literal(scope)));
        } else if let Some(scope) = wanted.strip_suffix(name.as_slice()).filter(|scope| scope.ends_with(b"/")) {
            rules.push(format!("s|^|{}|", replacement(scope)));
        }
        let behind = |name: &[u8]| name.iter().position(|b| *b == b'/').map(|at| at + 1);
        if let (Some(own), Some(other)) = (behind(name), behind(wanted))
            && name.get(own..) == wanted.get(other..)
            && let (Some(from), Some(to)) = (name.get(..own), wanted.get(..other))
            && from != to
        {
            rules.push(format!("s|^{}|{}|", literal(from), replacement(to)));
        }
        if rules.len() > 8 {
            break;
        }
    }
    rules
}

/// One component that is called otherwise, where a single tensor is so alike.
fn component(names: &[Vec<u8>], wanted: &str) -> Option<String> {
    let parts: Vec<&[u8]> = wanted.as_bytes().split(|b| *b == b'/').collect();
    let mut found = None;
    for name in names.iter().filter(|name| short_name(name).len() == name.len() || wanted.contains(".ATTRIBUTES")) {
        let own: Vec<&[u8]> = name.split(|b| *b == b'/').collect();
        if own.len() != parts.len() {
            continue;
        }
        let mut differ = own.iter().zip(&parts).enumerate().filter(|(_, (a, b))| a != b);
        let (Some((at, (from, to))), None) = (differ.next(), differ.next()) else { continue };
        // Two that differ in one component each leave open which is meant.
        if found.is_some() {
            return None;
        }
        let last = own.len().saturating_sub(1);
        found = Some(substitution(from, to, (at == 0, at == last)));
    }
    found
}
