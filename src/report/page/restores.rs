//! What restoring into a model would do: the verdict, what is raised, what differs, is missing and is not used, and what
//! repairs it.

use askama::Template;

use super::first::cut;
use super::tensors::shown_name;
use crate::analysis::{Restore, Spec};
use crate::base::escape::escaped;
use crate::report::kit::json::shown;
use crate::report::kit::units::{count, counted, shape_text};
use crate::report::restore::text::verdict;

/// Rows of a list.
const MOST: usize = 60;

/// A list: its heading, the headings of its columns, and its rows.
#[derive(Debug)]
struct List {
    heading: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    more: String,
}

/// One restore.
#[derive(Debug)]
struct One {
    heading: String,
    class: &'static str,
    word: &'static str,
    facts: String,
    undetermined: Option<String>,
    raises: Vec<String>,
    lists: Vec<List>,
    hints: Vec<(String, Vec<String>)>,
    notes: Vec<String>,
}

/// The section.
#[derive(Debug, Template)]
#[template(path = "restores.html")]
pub(super) struct Restores {
    all: Vec<One>,
}

impl Restores {
    pub(super) fn of(restores: &[Restore]) -> Self {
        Self { all: restores.iter().map(one).collect() }
    }
}

fn one(restore: &Restore) -> One {
    let class = match (restore.ok, &restore.undetermined) {
        (true, _) => "ok",
        (false, Some(_)) => "doubt",
        (false, None) => "bad",
    };
    let word = if restore.undetermined.is_some() { "could not be told" } else { verdict(restore) };
    let stored = if restore.keras.is_some() { "file" } else { "checkpoint" };
    let of = |n: usize, what: &str| (n > 0).then(|| format!("{} {what}", count(n as u64)));
    let facts = [
        Some(restore.model.clone()),
        Some(format!("{} fit", count(restore.matched.len() as u64))),
        of(restore.mismatched.len(), "differ"),
        of(restore.missing.len(), "missing"),
        of(restore.unrestored.len(), "without a value"),
        of(restore.unexpected.len(), &format!("of the {stored} not used")),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    let mut raises: Vec<String> = Vec::new();
    if let Some(raise) = restore.raises.first() {
        let message: Vec<String> = raise.message.lines().take(6).map(|line| escaped(line.as_bytes()).into()).collect();
        raises.push(format!("{} raises {}: {}", restore.call, raise.class, cut(&message.join(" "))));
        let others = restore.raises.len() as u64 - 1;
        if others > 0 {
            raises.push(format!("or {}: one of them is reported", counted(others, "other error")));
        }
    } else if !restore.ok && restore.undetermined.is_none() {
        raises.push(format!("{} returns without an error.", restore.call));
    }
    if let Some(serving) = &restore.serving {
        raises.push(match serving {
            None => "TensorFlow Serving loads it without an error all the same.".to_owned(),
            Some(raise) => format!("TensorFlow Serving refuses it: {}", cut(&escaped(raise.message.as_bytes()))),
        });
    }
    let hints = restore.hints.iter().map(|hint| {
        let lines = hint.option_words().into_iter().chain(hint.code.iter().cloned());
        (hint.text.clone(), lines.collect())
    });
    One {
        heading: format!("{} into {}", shown(&restore.checkpoint), shown(&restore.against)),
        class,
        word,
        facts: facts.join(" · "),
        undetermined: restore.undetermined.clone(),
        raises,
        lists: lists(restore, stored),
        hints: hints.collect(),
        notes: restore.notes.clone(),
    }
}

fn lists(restore: &Restore, stored: &'static str) -> Vec<List> {
    let name = |name: &[u8]| shown_name(name);
    let list = |heading: &str, all: usize, columns: &[&'static str], rows: Vec<Vec<String>>| {
        let more = match all.saturating_sub(rows.len()) {
            0 => String::new(),
            more => format!("… and {} more; ckpt validate --against --format json lists them all", count(more as u64)),
        };
        let heading = format!("{heading} ({})", count(all as u64));
        (all > 0).then(|| List { heading, columns: columns.to_vec(), rows, more })
    };
    let differ = restore.mismatched.iter().take(MOST).map(|one| {
        let silent = (one.silent && restore.keras.is_none()).then(|| "taken silently".to_owned());
        let hint: Vec<String> = one.hint.iter().cloned().chain(silent).collect();
        vec![name(&one.name), spec(&one.expected), spec(&one.found), hint.join(", ")]
    });
    let missing = restore.missing.iter().take(MOST).map(|one| {
        let near: Vec<String> =
            one.candidates.iter().take(2).map(|near| format!("{} ({})", name(&near.name), near.why)).collect();
        vec![name(&one.name), spec(&one.spec), near.join(", ")]
    });
    let without = restore.unrestored.iter().take(MOST).map(|one| vec![name(one)]);
    let unused = restore.unexpected.iter().take(MOST).map(|one| {
        let whose = one.optimizer.map_or_else(String::new, |optimizer| format!(" ({optimizer})"));
        vec![name(&one.name), spec(&one.spec), format!("{}{whose}", one.role.name())]
    });
    let stored_has = if stored == "file" { "file has" } else { "checkpoint has" };
    [
        list("Differ", restore.mismatched.len(), &["name", "model wants", stored_has, ""], differ.collect()),
        list("Missing", restore.missing.len(), &["name", "model wants", "near"], missing.collect()),
        list("Without a value, so they stay as they are", restore.unrestored.len(), &["name"], without.collect()),
        list("Not used", restore.unexpected.len(), &["name", stored_has, "role"], unused.collect()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn spec(spec: &Spec) -> String {
    match spec.dtype {
        Some(dtype) => format!("{dtype} {}", shape_text(&spec.shape)),
        None => shape_text(&spec.shape),
    }
}
