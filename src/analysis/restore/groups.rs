//! What the checkpoint has and the model does not want, by kind: most of it is harmless, and a person should see so
//! at a glance.

use std::collections::BTreeMap;

use super::prediction::UnexpectedGroup;
use super::{Unexpected, is_save_counter};
use crate::analysis::naming::roles::{Role, short_name};
use crate::base::escape::escaped;

/// How many scopes of a group are kept.
const SCOPES: usize = 8;

/// Groups them: weights first, then what is harmless.
pub(super) fn group(unexpected: &[Unexpected]) -> Vec<UnexpectedGroup> {
    let mut kinds: BTreeMap<(bool, Role, Option<&str>), Vec<&Unexpected>> = BTreeMap::new();
    for tensor in unexpected {
        let counter = is_save_counter(&tensor.name);
        let role = if counter { Role::Counter } else { tensor.role };
        let harmless = matches!(role, Role::Slot | Role::Optimizer | Role::Counter | Role::Average);
        kinds.entry((harmless, role, tensor.optimizer.filter(|_| role != Role::Counter))).or_default().push(tensor);
    }
    let groups = kinds.into_iter().map(|((harmless, role, optimizer), tensors)| {
        let one = tensors.len() == 1;
        let noun = match role {
            Role::Weight if one => "weight",
            Role::Weight => "weights",
            Role::Average if one => "moving average",
            Role::Average => "moving averages",
            Role::Slot if one => "slot",
            Role::Slot => "slots",
            Role::Optimizer if one => "number of the optimizer",
            Role::Optimizer => "numbers of the optimizer",
            Role::Counter if one => "counter",
            Role::Counter => "counters",
            Role::String if one => "string tensor",
            Role::String => "string tensors",
            Role::Table if one => "lookup table",
            Role::Table => "lookup tables",
            Role::Other if one => "other tensor",
            Role::Other => "other tensors",
        };
        let what = match (optimizer, role) {
            (Some(optimizer), Role::Slot) => format!("{optimizer} {noun}"),
            _ => noun.to_owned(),
        };
        UnexpectedGroup { what, count: tensors.len(), harmless, scopes: folded(&tensors) }
    });
    let mut groups: Vec<UnexpectedGroup> = groups.collect();
    groups.sort_by(|a, b| (a.harmless, b.count, &a.what).cmp(&(b.harmless, a.count, &b.what)));
    groups
}

/// The names with every number replaced by `{}`, if that folds several into one.
fn folded(tensors: &[&Unexpected]) -> Vec<(String, usize)> {
    let mut patterns: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for tensor in tensors {
        let name = short_name(&tensor.name);
        patterns.entry(pattern(&escaped(name))).or_default().push(name);
    }
    let mut rows: Vec<(String, usize)> = patterns
        .into_iter()
        .map(|(pattern, names)| match names.as_slice() {
            [only] => (escaped(only).into_owned(), 1),
            many => (pattern, many.len()),
        })
        .collect();
    // Many different names: by their first part.
    if rows.len() > SCOPES {
        let mut firsts: BTreeMap<String, usize> = BTreeMap::new();
        for (name, count) in rows {
            let first = name.split('/').next().unwrap_or_default();
            let first = if first.len() < name.len() { format!("{first}/…") } else { name };
            *firsts.entry(first).or_default() += count;
        }
        rows = firsts.into_iter().collect();
    }
    rows.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    rows
}

/// `layer_12/kernel` as `layer_{}/kernel`.
fn pattern(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut digits = false;
    for c in name.chars() {
        match (c.is_ascii_digit(), digits) {
            (true, false) => {
                out.push_str("{}");
                digits = true;
            }
            (true, true) => {}
            (false, _) => {
                out.push(c);
                digits = false;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::restore::Spec;
    use crate::read::tensor::{DType, Shape};

    fn tensor(name: &str, role: Role, optimizer: Option<&'static str>) -> Unexpected {
        let spec = Spec { dtype: Some(DType::Float32), shape: Shape::new([2]) };
        Unexpected { name: name.as_bytes().to_vec(), spec, crc32c: None, role, optimizer }
    }

    #[test]
    fn slots_are_harmless_and_fold_and_weights_come_first() {
        let mut all: Vec<_> =
            (0..12).map(|n| tensor(&format!("layer_{n}/kernel/Adam"), Role::Slot, Some("Adam"))).collect();
        all.push(tensor("head/kernel", Role::Weight, None));
        let groups = group(&all);
        assert_eq!((groups[0].what.as_str(), groups[0].count, groups[0].harmless), ("weight", 1, false));
        assert_eq!((groups[1].what.as_str(), groups[1].count, groups[1].harmless), ("Adam slots", 12, true));
        assert_eq!(groups[1].scopes, [("layer_{}/kernel/Adam".to_owned(), 12)]);
    }
}
