//! Pairs of tensors that two formats store under other names: the same variable by the name of its layer and its own.
//!
//! Only what one name on each side fits is paired. Keras numbers layers that the program gave no name, and the numbers
//! depend on what was built before: where each side has numbers of a class that the other has not, `dense_1` of one may
//! be any layer of the other, and none of that class is paired.

use std::collections::{BTreeMap, BTreeSet};

use super::by_path::keras;
use super::counted::counted;
use super::in_order::in_order;
use super::pair::{Leftovers, Pair};
use super::{DiffOptions, PairedBy};
use crate::analysis::naming::identity::{Identities, Identity};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, SourceKind, Told};

/// Layers that are named in a note.
const NAMED: usize = 4;

/// Whether names of the same variable may differ between two checkpoints because of how they were written.
fn is_across(a: &Checkpoint, b: &Checkpoint) -> bool {
    let is_keras = |side: &Checkpoint| keras(side).is_some();
    // Of two object-based ones what the graphs do not tell, because they begin at other objects.
    is_keras(a) || is_keras(b) || a.is_object_based() || b.is_object_based() || a.format() != b.format()
}

/// What the configuration of the other file tells of one that has none.
fn told_by(side: &Checkpoint, other: &Checkpoint) -> Option<BTreeMap<Vec<u8>, Told>> {
    keras(side)?.told_as(keras(other)?)
}

/// Pairs what is left by the names of layers and variables.
pub(super) fn by_layers(
    a: &Checkpoint,
    b: &Checkpoint,
    left: Leftovers,
    options: &DiffOptions,
    each: &mut dyn FnMut(Pair<'_>),
    note: &mut dyn FnMut(String),
) -> Leftovers {
    if left.a.is_empty() || left.b.is_empty() || options.by_name_only || !is_across(a, b) {
        return left;
    }
    let (told_a, told_b) = (told_by(a, b), told_by(b, a));
    // What Keras exports has no layers: its names are completed on neither side.
    let has_layers = |side: &Checkpoint| side.origin().kind != SourceKind::SavedModel;
    let in_layers = has_layers(a) && has_layers(b);
    let ids = (Identities::of(a, told_a.as_ref(), in_layers), Identities::of(b, told_b.as_ref(), in_layers));
    let sides = Sides { ids: &ids };
    let view = sides.view(&left, note);
    let mut found = sides.pairs(&left, &view);
    counted((a, b), &ids, &left, &mut found);
    in_order(a, b, &left, &mut found);
    sides.unnamed((a, b), &left, &found, note);
    let mut rest = Leftovers::default();
    let taken: BTreeSet<usize> = found.values().copied().collect();
    for at in left.a {
        match found.get(&at).and_then(|b_at| Some((a.tensor_at(at)?, *b_at, b.tensor_at(*b_at)?))) {
            Some((x, b_at, y)) => each(Pair { a: (at, &x), b: (b_at, &y), how: PairedBy::Layer }),
            None => rest.a.push(at),
        }
    }
    rest.b = left.b.into_iter().filter(|at| !taken.contains(at)).collect();
    rest
}

/// How names of a side are looked at: without the name of the model before all of them, and which of them say nothing.
#[derive(Clone, Debug, Default)]
struct View {
    /// What stands before all names of A and of B, with its slash, and is not compared.
    roots: (String, String),
    /// Classes of layers, with what stands before them, that the two sides number differently.
    shifted: BTreeSet<String>,
}

impl View {
    /// A name as it is compared, if it is.
    fn of<'n>(&self, name: &'n str, root: &str) -> Option<&'n str> {
        // What is called after an optimizer does not begin with the name of the model.
        let name = if root.is_empty() { name } else { name.strip_prefix(root).unwrap_or(name) };
        let is_shifted = !self.shifted.is_empty() && families(name).any(|(family, _)| self.shifted.contains(&family));
        (!is_shifted).then_some(name)
    }

    /// The same of what a tensor is.
    fn identity(&self, identity: &Identity, root: &str) -> Option<Identity> {
        Some(match identity {
            Identity::Variable(name) => Identity::Variable(self.of(name, root)?.into()),
            Identity::Slot { kind, variable } => {
                Identity::Slot { kind: kind.clone(), variable: self.of(variable, root)?.into() }
            }
            other => other.clone(),
        })
    }
}

/// The scopes of a name, each without the number behind it, and the number.
fn families(name: &str) -> impl Iterator<Item = (String, &str)> {
    let scopes = name.rsplit_once('/').map_or("", |(scopes, _)| scopes);
    let ends = scopes.match_indices('/').map(|(at, _)| at).chain((!scopes.is_empty()).then_some(scopes.len()));
    ends.filter_map(|end| {
        let path = scopes.get(..end)?;
        let digits = path.trim_end_matches(|c: char| c.is_ascii_digit());
        let family = digits.strip_suffix('_').filter(|_| digits.len() < path.len()).unwrap_or(path);
        Some((family.to_owned(), path.get(family.len()..)?))
    })
}

/// The two sides, with what their tensors are.
struct Sides<'c> {
    ids: &'c (Identities, Identities),
}

impl Sides<'_> {
    /// How names are compared, and what there is to be said of it.
    fn view(&self, left: &Leftovers, note: &mut dyn FnMut(String)) -> View {
        let (mut view, mut best) = (View::default(), 0);
        let roots = (root(&self.ids.0), root(&self.ids.1));
        let empty = String::new();
        // As they are; then without the name of the model on either side, where nothing fits otherwise.
        for roots in [(&empty, &empty), (&roots.0, &empty), (&empty, &roots.1), (&roots.0, &roots.1)] {
            let mut other = View { roots: (roots.0.clone(), roots.1.clone()), ..View::default() };
            other.shifted = self.shifted(&other);
            let pairs = self.pairs(left, &other);
            let is_of_model = |at: &&usize| {
                matches!(self.ids.0.get(**at), Some(Identity::Variable(_))) && !self.ids.0.is_of_optimizer(**at)
            };
            let variables = pairs.keys().filter(is_of_model).count();
            if variables > best && (best == 0 || roots == (&empty, &empty)) {
                (view, best) = (other, variables);
            }
        }
        for (side, root) in [("A", &view.roots.0), ("B", &view.roots.1)] {
            if !root.is_empty() {
                let root = escaped(root.as_bytes());
                note(format!("names in {side} are compared without {root}, which stands before all of them"));
            }
        }
        if !view.shifted.is_empty() {
            let some: Vec<String> =
                view.shifted.iter().take(NAMED).map(|family| escaped(family.as_bytes()).into_owned()).collect();
            let more = if view.shifted.len() > NAMED { ", …" } else { "" };
            note(format!(
                "the two sides number these layers differently, so that their names do not tell which is which: {}{more};",
                some.join(", ")
            ));
        }
        view
    }

    /// Tells of what is left of files that do not say which variables they hold.
    fn unnamed(
        &self,
        (a, b): (&Checkpoint, &Checkpoint),
        left: &Leftovers,
        found: &BTreeMap<usize, usize>,
        note: &mut dyn FnMut(String),
    ) {
        let taken: BTreeSet<usize> = found.values().copied().collect();
        let (in_a, in_b) =
            (left.a.iter().filter(|at| !found.contains_key(at)), left.b.iter().filter(|at| !taken.contains(at)));
        let in_a = in_a.filter(|at| self.ids.0.get(**at).is_none()).count();
        let in_b = in_b.filter(|at| self.ids.1.get(**at).is_none()).count();
        for (side, checkpoint, n) in [("A", a, in_a), ("B", b, in_b)] {
            if n > 0 && keras(checkpoint).is_some() {
                note(match n {
                    1 => format!("1 tensor of {side} is not paired: the file does not say which variable it is"),
                    n => {
                        format!("{n} tensors of {side} are not paired: the file does not say which variables they are")
                    }
                });
            }
        }
    }

    /// Classes of layers of which each side has numbers that the other has not.
    fn shifted(&self, view: &View) -> BTreeSet<String> {
        let numbers = |ids: &Identities, root: &str| {
            let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (_, identity) in ids.all() {
                let Identity::Variable(name) = identity else { continue };
                for (family, number) in view.of(name, root).into_iter().flat_map(families) {
                    all.entry(family).or_default().insert(number.to_owned());
                }
            }
            all
        };
        let (ours, theirs) = (numbers(&self.ids.0, &view.roots.0), numbers(&self.ids.1, &view.roots.1));
        let differs = |(family, ours): (String, BTreeSet<String>)| {
            let theirs = theirs.get(&family)?;
            (!ours.is_subset(theirs) && !theirs.is_subset(&ours)).then_some(family)
        };
        ours.into_iter().filter_map(differs).collect()
    }

    /// The partners of what is left of A.
    fn pairs(&self, left: &Leftovers, view: &View) -> BTreeMap<usize, usize> {
        let (ours, theirs) = (self.only(true, view), self.only(false, view));
        let free: BTreeSet<usize> = left.b.iter().copied().collect();
        let wanted: BTreeSet<usize> = left.a.iter().copied().collect();
        ours.iter()
            .filter_map(|(identity, at)| Some(((*at)?, (*theirs.get(identity)?)?)))
            .filter(|(at, b_at)| wanted.contains(at) && free.contains(b_at))
            .collect()
    }

    /// Positions by what the tensors are, of those that one tensor is.
    fn only(&self, is_a: bool, view: &View) -> BTreeMap<Identity, Option<usize>> {
        let (ids, root) = if is_a { (&self.ids.0, &view.roots.0) } else { (&self.ids.1, &view.roots.1) };
        let mut all = BTreeMap::new();
        for (at, identity) in ids.all() {
            let Some(identity) = view.identity(identity, root) else { continue };
            all.entry(identity).and_modify(|other| *other = None).or_insert(Some(at));
        }
        all
    }
}

/// What stands before the names of all variables, where behind it each still has a layer.
fn root(ids: &Identities) -> String {
    let names = || {
        ids.all().filter(|(at, _)| !ids.is_of_optimizer(*at)).filter_map(|(_, identity)| match identity {
            Identity::Variable(name) => Some(&**name),
            _ => None,
        })
    };
    let Some(root) = names().next().and_then(|name| Some(format!("{}/", name.split_once('/')?.0))) else {
        return String::new();
    };
    let is_below = |name: &str| name.strip_prefix(root.as_str()).is_some_and(|rest| rest.contains('/'));
    let all = names().all(is_below);
    if all { root } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_their_numbers() {
        let of = |name| families(name).map(|(family, number)| format!("{family}|{number}")).collect::<Vec<_>>();
        assert_eq!(of("dense_12/kernel"), ["dense|_12"]);
        assert_eq!(of("enc/dense/kernel"), ["enc|", "enc/dense|"]);
        assert_eq!(of("a_1/b2/kernel"), ["a|_1", "a_1/b2|"]);
        assert!(of("kernel").is_empty());
    }
}
