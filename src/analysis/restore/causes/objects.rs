//! Why an object-based restore leaves objects out, or refuses them: attributes with other names, layers with other
//! numbers, another optimizer, another size; and the `tf.train.Checkpoint(…)` that restores what can be restored.

use std::collections::BTreeSet;

use super::super::model::ModelKind;
use super::super::objects::Objects;
use super::super::stored::Stored;
use super::super::{Hint, Restore, is_save_counter, roots};
use super::adapter::{self, Adapter, Part};
use super::leave_out::{few, path};
use super::numbered::COUNTED;
use crate::analysis::naming::roles::short_name;
use crate::analysis::restore::requests::outcome;
use crate::base::escape::escaped;
use crate::read::graphs::object_graph::ObjectGraph;

/// What probably happened, for a restore that leaves something out or raises.
pub(in super::super) fn find(
    restore: &Restore,
    stored: &Stored,
    graph: &ObjectGraph,
    program: &Objects,
    kind: &ModelKind,
) -> Vec<Hint> {
    let mut hints = Vec::new();
    if !restore.missing.is_empty() {
        hints.extend(roots::find(graph, program, restore.matched.len()).into_iter().map(Hint::from));
    }
    let wanting = restore.missing.iter().any(|missing| !is_save_counter(&missing.name));
    if stored.is_guessed || !(wanting || !restore.mismatched.is_empty() || !restore.raises.is_empty()) {
        return hints;
    }
    let root = root_name(program, kind);
    let Some(adapter) = adapter::find(graph, program, stored, root) else { return hints };
    let expression = adapter::expression(&adapter.parts);
    // What it makes is restored as the program would be.
    let made = adapter::objects(program, &adapter.parts);
    let told = outcome(stored, kind, &made);
    let fitting = restore.matched.iter().filter(|found| !is_save_counter(&found.name)).count();
    let gains = told.matched > fitting || (!restore.raises.is_empty() && told.matched > 0);
    if !told.raises.is_empty() || (!gains && !wanting) {
        return hints;
    }
    let text = text(restore, &adapter, told.matched, gains).map(|text| text + of_dicts(&adapter.parts));
    let call = format!("{expression}.restore({}).expect_partial()", path(restore));
    match hints.first_mut() {
        // Where the roots do not meet, that is the cause; the call is the same.
        Some(first) if gains && first.code.is_empty() => {
            (first.code, first.restores) = (vec![call], Some(told.matched));
        }
        Some(_) => {}
        None => hints.extend(text.map(|text| {
            let hint = super::kinds::optimizer(restore).filter(|_| restore.raises.is_empty());
            let options = hint.map(|hint| hint.options).unwrap_or_default();
            Hint { text, options, code: vec![call], restores: Some(told.matched) }
        })),
    }
    hints
}

/// What is not known of an object that has names: whether it is a dict.
fn of_dicts(parts: &[(String, Part)]) -> &'static str {
    let deep = |python: &str| !python.contains('[') && python.matches('.').count() > 1;
    let has_deep = |part: &Part| match part {
        Part::Whole(_, python) => deep(python),
        Part::Of(parts) => !of_dicts(parts).is_empty(),
    };
    if parts.iter().any(|(_, part)| has_deep(part)) {
        ". A checkpoint does not say what is a dict: there ['name'] stands for .name"
    } else {
        ""
    }
}

/// What a program calls its root: nothing, where the root is a `tf.train.Checkpoint` of its variables.
fn root_name(program: &Objects, kind: &ModelKind) -> &'static str {
    let has = |name: &str| program.child(0, name).is_some();
    let keras = ["_layers", "layer-0", "layer_with_weights-0", "keras_api", "_functional", "_operations"];
    match kind {
        ModelKind::Loaded(_) => "loaded",
        _ if keras.iter().any(|name| has(name)) => "model",
        _ => "",
    }
}

fn text(restore: &Restore, adapter: &Adapter, fit: usize, gains: bool) -> Option<String> {
    let mut told = Vec::new();
    let pairs = |pairs: &[(String, String, bool)]| {
        let shown: Vec<String> = pairs
            .iter()
            .map(|(stored, wanted, _)| format!("{} is {}", escaped(stored.as_bytes()), escaped(wanted.as_bytes())))
            .collect();
        super::super::crossing::first_few(&shown)
    };
    let likely = |pairs: &[(String, String, bool)]| {
        if pairs.iter().all(|(.., certain)| *certain) {
            ""
        } else {
            ". That is likely and not certain, because others have the same shapes: compare an output of the model before \
             and after"
        }
    };
    let returns = restore.raises.is_empty();
    if !adapter.renamed.is_empty() {
        let quiet = if returns { ": nothing below gets a value, and restore() returns normally" } else { "" };
        let renamed = &adapter.renamed;
        told.push(format!(
            "attributes have other names: what the checkpoint calls {} in the program{quiet}{}",
            pairs(renamed),
            likely(renamed)
        ));
    }
    if !adapter.shifted.is_empty() {
        let shifted = &adapter.shifted;
        let quiet = if returns { "; by their numbers, layers would get values of others without an error" } else { "" };
        told.push(format!(
            "{COUNTED}, because one was added or taken away: what the checkpoint calls {} in the \
             program{quiet}{}",
            pairs(shifted),
            likely(shifted)
        ));
    }
    if !told.is_empty() {
        let optimizer = if adapter.optimizers.is_empty() { "" } else { "; the optimizer starts anew" };
        return Some(format!("{}; so {fit} tensors restore{optimizer}", told.join("; ")));
    }
    if let Some(text) = of_optimizer(restore, adapter, fit) {
        return Some(text);
    }
    let differing = restore.mismatched.iter().filter(|mismatch| !is_state(&mismatch.name));
    let sizes: Vec<&[u8]> = differing.map(|m| called(&m.name, m.variable.as_deref())).collect();
    let new = restore.missing.iter().map(|m| m.name.as_slice()).filter(|name| !is_save_counter(name));
    let new: Vec<&[u8]> = new.filter(|name| !is_state(name)).collect();
    let rest = if adapter.optimizers.is_empty() { "" } else { ", without the optimizer, which starts anew" };
    let initial = "at the initial value";
    if !sizes.is_empty() && (gains || !returns) && fit >= sizes.len() {
        let more = if new.is_empty() { String::new() } else { format!(" and {} that are new", few(new.into_iter())) };
        return Some(format!(
            "to go on from this checkpoint with a new size, restore what fits ({fit} tensors{rest}); {}{more} stay {initial}",
            few(sizes.into_iter())
        ));
    }
    if !new.is_empty() && restore.matched.len() >= new.len() {
        let (are, stay) = if new.len() == 1 { ("1 tensor of the model is", "stays") } else { ("", "stay") };
        let are = if are.is_empty() { format!("{} tensors of the model are", new.len()) } else { are.to_owned() };
        return Some(format!(
            "{are} new: {}; {fit} others get their values{rest}, and what is new {stay} {initial}. That is what this call \
             does, and only an assertion on its result says otherwise",
            few(new.into_iter())
        ));
    }
    None
}

/// A tensor as people call it: a list of the optimizer says nothing of the layer.
fn called<'n>(key: &'n [u8], variable: Option<&'n str>) -> &'n [u8] {
    let variable = variable.filter(|name| !name.is_empty());
    match variable {
        Some(variable) if memchr::memmem::find(key, b"/_trainable_variables/").is_some() => variable.as_bytes(),
        _ => key,
    }
}

/// Whether a key belongs to an optimizer of Keras, whatever its name.
fn is_state(key: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(key, part).is_some();
    // Keras 3 keeps the weights of the model in a list of the optimizer, too.
    if has(b"/_trainable_variables/") {
        return false;
    }
    has(b"/.OPTIMIZER_SLOT/") || key.starts_with(b"optimizer/") || has(b"/optimizer/")
}

/// All that does not fit is an optimizer's.
fn of_optimizer(restore: &Restore, adapter: &Adapter, fit: usize) -> Option<String> {
    let missing = restore.missing.iter().map(|missing| missing.name.as_slice()).filter(|name| !is_save_counter(name));
    let differing = restore.mismatched.iter().map(|mismatch| mismatch.name.as_slice());
    let mut all = missing.chain(differing).peekable();
    all.peek()?;
    let stored: BTreeSet<&[u8]> = restore.unexpected.iter().map(|tensor| short_name(&tensor.name)).collect();
    if !all.all(is_state) {
        return None;
    }
    let has = |end: &str| stored.iter().any(|name| name.ends_with(end.as_bytes()));
    let wants = |end: &str| restore.missing.iter().any(|missing| short_name(&missing.name).ends_with(end.as_bytes()));
    let why = if has("/iter") && (wants("/_iterations") || wants("/_learning_rate")) {
        "the checkpoint has an optimizer of Keras before 2.11 (iter, and slots beside the variables), the program one of a \
         newer Keras (_iterations, and a list), which takes none of it; tf_keras.optimizers.legacy has the old one"
    } else if (has("/_iterations") || has("/_learning_rate")) && wants("/iter") {
        "the checkpoint has an optimizer of a newer Keras (_iterations, and a list), the program one of Keras before 2.11 \
         (iter, and slots beside the variables), which takes none of it"
    } else if restore.mismatched.is_empty() {
        "all that is missing is state of the optimizer: the checkpoint was saved without it, or with another optimizer"
    } else {
        "all that does not fit is state of the optimizer: the checkpoint was saved with another one, or with one for other \
         variables"
    };
    let anew = if adapter.optimizers.is_empty() { "" } else { " without it" };
    Some(format!("{why}. The model restores{anew} ({fit} tensors), and the optimizer starts anew"))
}
