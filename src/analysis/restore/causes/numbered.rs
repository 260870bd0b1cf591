//! Layers that are counted otherwise: `dense_1, dense_2` in the checkpoint and `dense, dense_1` in the model, because
//! another model was built before, or a layer was added or taken away.
//!
//! Names lie then: some exist on both sides and mean different layers. What tells them apart is their order, and the
//! names and shapes of what each has. An alignment that keeps the order and lets more layers fit than their names do is
//! taken for the cause; where other layers would fit as well, it is likely and not certain.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::Spec;
use super::order::longest;
use super::renamed::{Rules, gain};
use super::sides::{Sides, Tensor, takes};
use crate::analysis::naming::roles::Role;
use crate::analysis::restore::substitution::{literal, replacement};
use crate::base::escape::escaped;

/// Families of more layers are not aligned: it costs the product of both numbers.
const MOST: usize = 600;

/// How the cause begins.
pub(super) const COUNTED: &str = "layers are counted otherwise";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) rules: Rules,
    /// Each layer of the checkpoint with the one of the model that it is, of those that are called otherwise.
    pub(super) moved: Vec<Moved>,
    /// Whether no other layer would fit in the place of any.
    pub(super) certain: bool,
    /// How many tensors fit by their names, and would get the values of another layer.
    pub(super) misplaced: usize,
}

/// A layer under two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    /// What stands before both, with a slash at its end if there is any.
    pub(super) parent: Vec<u8>,
    pub(super) stored: Vec<u8>,
    pub(super) wanted: Vec<u8>,
}

/// A layer: what it is called and what lies below it.
struct Layer<'s> {
    name: &'s [u8],
    number: i64,
    below: BTreeMap<&'s [u8], &'s Tensor>,
}

/// Layers of one kind below one scope.
#[derive(Default)]
struct Family<'s> {
    wanted: BTreeMap<&'s [u8], Layer<'s>>,
    stored: BTreeMap<&'s [u8], Layer<'s>>,
}

/// A name without the number at its end, and the number; -1 if there is none, which comes before 0.
fn counted(component: &[u8]) -> Option<(&[u8], i64)> {
    let digits = component.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (front, number) = component.split_at_checked(component.len().saturating_sub(digits))?;
    if number.is_empty() {
        return Some((front, -1));
    }
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    let front = front.strip_suffix(b"_").or_else(|| front.strip_suffix(b"-")).unwrap_or(front);
    Some((front, number))
}

/// Finds it.
pub(super) fn find(sides: &Sides) -> Option<Shift> {
    let families = families(sides);
    let (mut rules, mut moved, mut misplaced, mut certain) = (Vec::new(), Vec::new(), 0, true);
    let (mut found, mut applied) = (0, 0usize);
    for ((parent, _), family) in &families {
        // Every rule is applied to every name: what counts thousands of scopes otherwise shows in the first of them.
        if !sides.allows(1, applied) {
            break;
        }
        let Some(aligned) = align(family) else { continue };
        let own: Vec<Moved> = aligned
            .pairs
            .iter()
            .filter(|(stored, wanted)| stored != wanted)
            .map(|(stored, wanted)| Moved { parent: parent.to_vec(), stored: stored.to_vec(), wanted: wanted.to_vec() })
            .collect();
        let own_rules = rules_of(&own, family);
        // What lies deeper is another family of the same tensors: a rule that finds nothing more says nothing.
        let all = [rules.as_slice(), own_rules.as_slice()].concat();
        applied = applied.saturating_add(all.len());
        let with_own = gain(sides, &all);
        if with_own <= found {
            continue;
        }
        (rules, found) = (all, with_own);
        moved.extend(own);
        misplaced += aligned.misplaced;
        certain &= aligned.certain;
    }
    (found > 0).then_some(Shift { rules: Rules { list: rules, gain: found, doubt: None }, moved, certain, misplaced })
}

/// What is to be said of layers that the model has more of: names make the last of them the new one, and if another one
/// is, the others have each other's names.
pub(super) fn doubt(sides: &Sides) -> Option<String> {
    for ((parent, _), family) in families(sides) {
        let order = in_order(&family.wanted);
        for (at, name) in order.iter().enumerate().filter(|(_, name)| !family.stored.contains_key(*name)) {
            let before = at.checked_sub(1).and_then(|at| order.get(at));
            let mut neighbours = before.into_iter().chain(order.get(at.saturating_add(1)));
            let new = family.wanted.get(name)?;
            let is_alike = |other: &&&[u8]| {
                let stored = family.stored.get(**other);
                stored.is_some_and(|stored| fits(new, stored))
                    && family.wanted.get(**other).zip(stored).is_some_and(|(wanted, stored)| fits(wanted, stored))
            };
            if let Some(other) = neighbours.find(is_alike) {
                let shown = |name: &[u8]| escaped(&[parent, name].concat()).into_owned();
                return Some(format!(
                    ". By its name {} is the new one; it has the shapes of {}, and if it was put in before that one, they are \
                     counted otherwise and get each other's values without an error: compare an output of the model before \
                     and after",
                    shown(name),
                    shown(other)
                ));
            }
        }
    }
    None
}

/// The names of layers by their numbers.
fn in_order<'s>(side: &BTreeMap<&'s [u8], Layer<'s>>) -> Vec<&'s [u8]> {
    let mut layers: Vec<(&'s [u8], i64)> = side.values().map(|layer| (layer.name, layer.number)).collect();
    layers.sort_by_key(|(name, number)| (*number, *name));
    layers.into_iter().map(|(name, _)| name).collect()
}

/// Families of layers of which the two sides have other names or shapes.
fn families(sides: &Sides) -> BTreeMap<(&[u8], &[u8]), Family<'_>> {
    let mut families: BTreeMap<(&[u8], &[u8]), Family<'_>> = BTreeMap::new();
    // Only what belongs to a layer that does not fit as it is called can be of a family that is counted otherwise.
    let mut open: HashSet<(&[u8], &[u8])> = HashSet::new();
    for tensor in sides.wanted.iter().filter(|tensor| !tensor.fits) {
        open.extend(places(&tensor.name).map(|place| (place.parent, place.kind)));
    }
    for (is_stored, tensor) in sides.wanted.iter().map(|t| (false, t)).chain(sides.stored.iter().map(|t| (true, t))) {
        if matches!(tensor.role, Role::Slot | Role::Optimizer) {
            continue;
        }
        for place in places(&tensor.name) {
            let key = (place.parent, place.kind);
            if !open.contains(&key) {
                continue;
            }
            let family = families.entry(key).or_default();
            let side = if is_stored { &mut family.stored } else { &mut family.wanted };
            let layer = side.entry(place.name).or_insert(Layer {
                name: place.name,
                number: place.number,
                below: BTreeMap::new(),
            });
            layer.below.insert(place.below, tensor);
        }
    }
    families.retain(|_, family| !family.stored.is_empty() && !family.wanted.is_empty());
    families
}

/// A component of a name that may be the name of a layer.
struct Place<'n> {
    parent: &'n [u8],
    name: &'n [u8],
    kind: &'n [u8],
    number: i64,
    below: &'n [u8],
}

fn places(name: &[u8]) -> impl Iterator<Item = Place<'_>> {
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b'/', name).map(|at| at.saturating_add(1)));
    starts.take(16).filter_map(|start| {
        let (parent, rest) = name.split_at_checked(start)?;
        let end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        let (component, below) = rest.split_at_checked(end)?;
        let (kind, number) = counted(component)?;
        Some(Place { parent, name: component, kind, number, below })
    })
}

/// Which layer of the checkpoint is which of the model.
struct Aligned<'s> {
    pairs: Vec<(&'s [u8], &'s [u8])>,
    certain: bool,
    misplaced: usize,
}

fn fits(wanted: &Layer<'_>, stored: &Layer<'_>) -> bool {
    let found = |below: &[u8]| stored.below.get(below).map(|tensor| &tensor.spec);
    wanted.below.iter().all(|(below, tensor)| found(below).is_some_and(|spec: &Spec| takes(tensor, spec)))
}

/// The longest alignment that keeps the order, if more layers fit by it than by their names.
fn align<'s>(family: &Family<'s>) -> Option<Aligned<'s>> {
    let (wanted, stored) = (in_order(&family.wanted), in_order(&family.stored));
    if wanted.len() > MOST || stored.len() > MOST {
        return None;
    }
    let both = |w: &[u8], s: &[u8]| match (family.wanted.get(w), family.stored.get(s)) {
        (Some(wanted), Some(stored)) => fits(wanted, stored),
        _ => false,
    };
    let by_name = wanted.iter().filter(|name| both(name, name)).count();
    let of_positions = |w: usize, s: usize| match (wanted.get(w), stored.get(s)) {
        (Some(wanted), Some(stored)) => both(wanted, stored),
        _ => false,
    };
    let found = longest(wanted.len(), stored.len(), of_positions);
    if found.len() <= by_name {
        return None;
    }
    let named = found.into_iter().filter_map(|(w, s)| Some((*stored.get(s)?, *wanted.get(w)?)));
    let (pairs, mut certain): (Vec<_>, bool) = (named.collect(), true);
    let mut misplaced = 0;
    for (stored_name, wanted_name) in &pairs {
        let Some(layer) = family.wanted.get(wanted_name) else { continue };
        // Whatever else fits in its place: then order alone decides.
        certain &= stored.iter().filter(|other| both(wanted_name, other)).count() == 1;
        if stored_name != wanted_name && both(wanted_name, wanted_name) {
            misplaced += layer.below.len();
        }
    }
    Some(Aligned { pairs, certain, misplaced })
}

/// The substitutions, in an order in which none changes what another made; what stands in the way is moved aside.
fn rules_of(moved: &[Moved], family: &Family<'_>) -> Vec<String> {
    let rule = |parent: &[u8], from: &[u8], to: &[u8]| {
        let bare = family.stored.get(from).is_some_and(|layer| layer.below.contains_key(&b""[..]));
        let (from, to) = (literal(&[parent, from].concat()), replacement(&[parent, to].concat()));
        if bare {
            format!("s#^{}(/|$)#{}\\1#", from.replace('#', "\\#"), to.replace('#', "\\#"))
        } else {
            format!("s|^{from}/|{to}/|")
        }
    };
    let sources: BTreeSet<&[u8]> = moved.iter().map(|moved| moved.stored.as_slice()).collect();
    let mut rules = Vec::new();
    for aside in moved.iter().map(|moved| moved.wanted.as_slice()) {
        if family.stored.contains_key(aside) && !sources.contains(aside) {
            let parent = moved.first().map(|moved| moved.parent.as_slice()).unwrap_or_default();
            let name = [b"not_used/", aside].concat();
            rules.push(rule(parent, aside, &name));
        }
    }
    let mut left: Vec<&Moved> = moved.iter().collect();
    // A layer is renamed once nothing else has still to leave its new name. An order that is kept has no circle.
    while !left.is_empty() {
        let before = left.len();
        let waiting: BTreeSet<&[u8]> = left.iter().map(|moved| moved.stored.as_slice()).collect();
        let (now, later): (Vec<&Moved>, Vec<&Moved>) =
            left.into_iter().partition(|moved| !waiting.contains(moved.wanted.as_slice()));
        rules.extend(now.iter().map(|moved| rule(&moved.parent, &moved.stored, &moved.wanted)));
        left = later;
        if left.len() == before {
            break;
        }
    }
    rules
}

impl Shift {
    /// The cause in words; `all` is how many tensors are missing or differ.
    pub(super) fn text(&self, all: usize) -> String {
        const SHOWN: usize = 4;
        let name = |parent: &[u8], name: &[u8]| escaped(&[parent, name].concat()).into_owned();
        let pair =
            |moved: &Moved| format!("{} is {}", name(&moved.parent, &moved.stored), name(&moved.parent, &moved.wanted));
        let mut shown: Vec<String> = self.moved.iter().take(SHOWN).map(pair).collect();
        if self.moved.len() > SHOWN {
            shown.push("and so on".to_owned());
        }
        let gain = self.rules.gain;
        let found = if gain == all { format!("all {all}") } else { format!("{gain} of the {all}") };
        let how = if self.certain { "only these have such tensors" } else { "by order and shapes" };
        let mut text = format!(
            "{COUNTED}: what the checkpoint calls {} in the model ({how}); that finds {found} that are \
             missing or differ",
            shown.join(", ")
        );
        if !self.certain {
            text.push_str(
                ". That is likely and not certain: some of them have the same shapes, and only their order says which is \
                 which; compare an output of the model before and after",
            );
        }
        let misplaced = match self.misplaced {
            0 => String::new(),
            1 => ". By its name alone, 1 tensor would get the values of another layer without an error".to_owned(),
            n => format!(". By their names alone, {n} tensors would get the values of another layer without an error"),
        };
        text + &misplaced
    }
}
