//! What a checkpoint is to another one, in words.

use std::path::Path;

use crate::analysis::descent::{By, Descent, Direction, Leaf, Link, Relation};
use crate::report::kit::ages::ages;
use crate::report::kit::json::shown;
use crate::report::kit::units::{count, counted};
use crate::report::kit::wrap::middle;

/// How many of a kind are named.
const NAMED: usize = 4;

fn some(names: &[String]) -> String {
    let text = names.iter().take(NAMED).map(|name| middle(name, 44)).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => text,
        more => format!("{text} and {} more", count(more as u64)),
    }
}

/// A checkpoint by its path.
pub(super) fn called(descent: &Descent, at: usize) -> String {
    descent.leaves.get(at).map(|leaf| within(descent, &leaf.prefix)).unwrap_or_default()
}

/// A path as it is seen from the directory that all of them are in.
pub(super) fn within(descent: &Descent, path: &Path) -> String {
    shown(path.strip_prefix(&descent.root).ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path))
}

/// The last component of its path.
pub(super) fn last(leaf: &Leaf) -> String {
    shown(Path::new(leaf.prefix.file_name().unwrap_or(leaf.prefix.as_os_str())))
}

/// `step 30, optimizer after 30 updates`.
pub(super) fn time(leaf: &Leaf) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(leaf.step.map(|step| format!("step {step}")));
    let is_step = crate::analysis::OptimizerAge::common(&leaf.ages) == leaf.step && leaf.step.is_some();
    facts.extend(ages(&leaf.ages).filter(|_| !is_step).map(|ages| format!("optimizer after {ages}")));
    if !leaf.complete {
        facts.push("its data is not there".to_owned());
    }
    facts
}

/// What a checkpoint is to those that it comes from.
pub(super) fn relation(descent: &Descent, link: &Link) -> String {
    let first = link.of.first().map(|at| called(descent, *at)).unwrap_or_default();
    let (same, all) = link.shared;
    let (same_n, all_n) = (count(same as u64), count(all as u64));
    let mut more: Vec<String> = Vec::new();
    let mut name = |what: &str, names: &[String]| {
        if !names.is_empty() {
            more.push(format!("{what} {}", some(names)));
        }
    };
    let head = match link.relation {
        Relation::Copy => format!("a copy of {first}: all tensors have the same bytes"),
        Relation::Export => {
            name("left out", &link.removed);
            let names = if link.renamed { " under other names" } else { "" };
            let what = if same == all {
                format!("all of its {all_n} weights")
            } else {
                format!("{same_n} of {all_n} weights")
            };
            let without = match link.without {
                0 => String::new(),
                n => format!(", without {} that are no weights", counted(n as u64, "tensor")),
            };
            format!("an export of {first}: {what} are there{names}{without}")
        }
        Relation::Continues => {
            if !link.frozen.is_empty() {
                name("frozen", &link.frozen);
            }
            let by = match link.by {
                By::Checksums => "",
                By::Counters => ", by its counts",
                By::Values => ", by its values",
                By::Names => ", by its names",
            };
            format!("continues {first}{by}")
        }
        Relation::FineTuned => {
            name("the same", &link.frozen);
            name("moved", &link.moved);
            name("new", &link.added);
            name("left out", &link.removed);
            let names = if link.renamed { ", some under other names" } else { "" };
            if link.direction == Direction::Unknown {
                format!("{same_n} of {all_n} weights are those of {first}{names}; which was first is not known")
            } else {
                let by = if link.direction == Direction::Times { " (by the times of their files)" } else { "" };
                format!("fine-tuned from {first}{by}: {same_n} of {all_n} weights are the same{names}")
            }
        }
        Relation::Contains => {
            name("new", &link.added);
            format!("all weights of {first}, and more")
        }
        Relation::Average => {
            let is_even = link.shares.windows(2).all(|pair| matches!(pair, [a, b] if (a - b).abs() < 2e-3));
            if is_even {
                let names: Vec<String> = link.of.iter().map(|at| called(descent, *at)).collect();
                format!("the mean of {}: {}", count(link.of.len() as u64), some(&names))
            } else {
                let part = |(at, share): (&usize, &f64)| format!("{share:.3} × {}", called(descent, *at));
                let parts: Vec<String> = link.of.iter().zip(&link.shares).map(part).collect();
                format!("a weighted mean: {}", some(&parts))
            }
        }
        Relation::SameModel => format!("names and shapes of {first}; whether it comes from it nothing tells"),
    };
    for (at, weights) in &link.also {
        more.push(format!("{} of {}", counted(*weights as u64, "weight"), called(descent, *at)));
    }
    if more.is_empty() { head } else { format!("{head}; {}", more.join("; ")) }
}
