//! Two checkpoints compared by what their indexes say.

use std::collections::{BTreeMap, HashMap};

use super::node::{Item, Known, Node};
use crate::analysis::naming::covered::Scopes;
use crate::analysis::naming::roles::short_name;
use crate::base::escape::escaped;

/// What two checkpoints have in common; the first is the one that the second may come from.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// All tensors have the same names and bytes, and some of the bytes prove something.
    pub(super) is_same: bool,
    /// Weights of the second that are in the first by their bytes, as far as these prove something; with the same name
    /// and with another.
    pub(super) same_name: usize,
    pub(super) other_name: usize,
    /// Weights with the same bytes that prove nothing.
    pub(super) trivial: usize,
    /// Weights of one name and shape with other bytes.
    pub(super) moved: usize,
    /// Weights that only one of them has, under any name.
    pub(super) added: usize,
    pub(super) removed: usize,
    /// Weights of each.
    pub(super) weights: (usize, usize),
    /// Tensors of the first that are no weights and that the second lacks.
    pub(super) without: usize,
    /// Names of weights, by whether they are the same; and those that are in one of them.
    names: BTreeMap<u32, bool>,
    only_first: Vec<u32>,
    only_second: Vec<u32>,
}

impl Compared {
    /// Compares two.
    pub(super) fn of(known: &Known, first: &Node, second: &Node) -> Self {
        let mut compared = Self::default();
        let mut theirs: HashMap<u32, usize> = HashMap::new();
        for item in first.items.iter().filter(|item| item.is_weight) {
            *theirs.entry(item.print).or_default() += 1;
        }
        let mut differs = false;
        let mut proved = false;
        let mut matched: HashMap<u32, usize> = HashMap::new();
        let mut left: Vec<&Item> = Vec::new();
        for (a, b) in merged(&first.items, &second.items) {
            match (a, b) {
                (Some(a), Some(b)) if a.is_weight || b.is_weight => {
                    compared.weights.0 += 1;
                    compared.weights.1 += 1;
                    let is_same = a.print == b.print;
                    differs |= !is_same;
                    if is_same {
                        let proves = known.proves(b.print);
                        proved |= proves;
                        *(if proves { &mut compared.same_name } else { &mut compared.trivial }) += 1;
                        *matched.entry(a.print).or_default() += 1;
                        compared.names.insert(b.name, true);
                    } else if known.proves(b.print) && theirs.contains_key(&b.print) {
                        // Another tensor of the first has these bytes: names were exchanged.
                        left.push(b);
                    } else if a.kind == b.kind {
                        compared.moved += 1;
                        compared.names.insert(b.name, false);
                    } else {
                        left.push(b);
                        compared.only_first.push(a.name);
                    }
                }
                (Some(a), Some(b)) => {
                    differs |= a.print != b.print;
                    proved |= a.print == b.print && known.proves(b.print);
                }
                (None, Some(b)) => {
                    differs = true;
                    if b.is_weight {
                        compared.weights.1 += 1;
                        left.push(b);
                    }
                }
                (Some(a), None) => {
                    differs = true;
                    if a.is_weight {
                        compared.weights.0 += 1;
                        compared.only_first.push(a.name);
                    } else {
                        compared.without += 1;
                    }
                }
                (None, None) => {}
            }
        }
        let mut found: HashMap<u32, usize> = HashMap::new();
        for item in left {
            let free = theirs.get(&item.print).copied().unwrap_or(0);
            let used = matched.entry(item.print).or_default();
            if *used < free {
                *used += 1;
                *found.entry(item.print).or_default() += 1;
                *(if known.proves(item.print) { &mut compared.other_name } else { &mut compared.trivial }) += 1;
            } else {
                compared.added += 1;
                compared.only_second.push(item.name);
            }
        }
        // What the second has under another name, the first does not have alone.
        let print_of: HashMap<u32, u32> = first.items.iter().map(|item| (item.name, item.print)).collect();
        compared.only_first.retain(|name| {
            let used = print_of.get(name).and_then(|print| found.get_mut(print)).filter(|left| **left > 0);
            used.map(|left| *left -= 1).is_none()
        });
        compared.removed = compared.only_first.len();
        compared.is_same = !differs && proved && !second.items.is_empty();
        compared
    }

    /// Weights that prove something.
    pub(super) fn shared(&self) -> usize {
        self.same_name.saturating_add(self.other_name)
    }

    /// Whether nearly all weights have the same names and shapes.
    pub(super) fn is_one_model(&self) -> bool {
        let common = self.same_name.saturating_add(self.trivial).saturating_add(self.moved);
        common > 0 && common.saturating_mul(5) >= self.weights.0.max(self.weights.1).saturating_mul(4)
    }

    /// The scopes of weights that are the same, that moved, that only the second has, that only the first has.
    pub(super) fn scopes(&self, known: &Known) -> [Vec<String>; 4] {
        let name = |number: &u32| {
            let bytes = known.name_of.get(*number as usize).map(|name| &**name).unwrap_or_default();
            escaped(short_name(bytes)).into_owned()
        };
        // Scopes that have nothing else in them, of all weights of the checkpoint that they are in.
        let all = |wanted: &dyn Fn(bool) -> bool, alone: &[u32], are_alone: bool| {
            let common = self.names.iter().map(|(number, same)| (name(number), !are_alone && wanted(*same)));
            let alone = alone.iter().map(|number| (name(number), are_alone));
            Scopes::of(&common.chain(alone).collect()).moved
        };
        [
            all(&|same| same, &self.only_second, false),
            all(&|same| !same, &self.only_second, false),
            all(&|_| false, &self.only_second, true),
            all(&|_| false, &self.only_first, true),
        ]
    }
}

/// Items of two checkpoints by name, side by side.
fn merged<'i>(first: &'i [Item], second: &'i [Item]) -> impl Iterator<Item = (Option<&'i Item>, Option<&'i Item>)> {
    let (mut first, mut second) = (first.iter().peekable(), second.iter().peekable());
    std::iter::from_fn(move || match (first.peek(), second.peek()) {
        (Some(a), Some(b)) if a.name == b.name => Some((first.next(), second.next())),
        (Some(a), Some(b)) if a.name < b.name => Some((first.next(), None)),
        (Some(_), None) => Some((first.next(), None)),
        (_, Some(_)) => Some((None, second.next())),
        (None, None) => None,
    })
}
