//! Weights that one file of Keras names and another only counts, as those of a class of the program's own.
//!
//! Both have the weights in the order of the model. Where the two orders are the same throughout, each pair that was
//! found in its place and shapes and dtypes alike between them, the n-th is the n-th.

use std::collections::{BTreeMap, BTreeSet};

use super::by_path::keras;
use super::pair::Leftovers;
use crate::read::checkpoint::{Checkpoint, Purpose};
use crate::read::tensor::{DType, Shape};

/// A weight in the order of its model.
struct Weight {
    order: usize,
    place: Place,
    at: usize,
    /// What the file says that it is called.
    name: Option<String>,
}

/// What is known of the partner of a weight.
#[derive(Debug, PartialEq)]
enum Place {
    /// It has its partner, which has this position in B.
    Paired(usize),
    /// It has the same path in both.
    Same(Vec<u8>),
    /// It has none yet.
    Open(DType, Shape),
}

/// Adds the pairs that the order of the weights leaves one answer for.
pub(super) fn in_order(a: &Checkpoint, b: &Checkpoint, left: &Leftovers, found: &mut BTreeMap<usize, usize>) {
    if keras(a).is_none() || keras(b).is_none() {
        return;
    }
    let taken: BTreeSet<usize> = found.values().copied().collect();
    let (in_a, in_b): (BTreeSet<usize>, BTreeSet<usize>) =
        (left.a.iter().copied().collect(), left.b.iter().copied().collect());
    let of_a = places(a, &in_a, |at| found.get(&at).copied());
    let of_b = places(b, &in_b, |at| taken.get(&at).copied());
    let is_same = of_a.len() == of_b.len() && of_a.iter().zip(&of_b).all(|(a, b)| a.place == b.place);
    // Without any pair nothing says that it is the same model.
    if !is_same || !of_a.iter().any(|weight| matches!(weight.place, Place::Paired(_))) {
        return;
    }
    for (a, b) in of_a.into_iter().zip(of_b) {
        // Where both have names, these decide: several layers may have one name, in models within models.
        let is_other = a.name.is_some() && b.name.is_some() && a.name != b.name;
        if matches!(a.place, Place::Open(..)) && !is_other {
            found.insert(a.at, b.at);
        }
    }
}

/// The weights of a file in the order of its model; `left` have no partner yet, `paired` says which position in B others
/// have been paired with.
fn places(side: &Checkpoint, left: &BTreeSet<usize>, paired: impl Fn(usize) -> Option<usize>) -> Vec<Weight> {
    let mut ordered = Vec::new();
    let mut cursor = side.tensors().cursor();
    while let Some((at, tensor)) = cursor.advance() {
        let Some(told) = side.told(&tensor.name) else { continue };
        if !matches!(told.purpose, Some(Purpose::Weight | Purpose::Untrained)) {
            continue;
        }
        let place = match paired(at) {
            Some(in_b) => Place::Paired(in_b),
            None if left.contains(&at) => Place::Open(tensor.dtype, tensor.shape.clone()),
            None => Place::Same(tensor.name.clone()),
        };
        ordered.push(Weight {
            order: told.order,
            place,
            at,
            name: told.name.filter(|_| told.is_named).map(|name| plain(&name)),
        });
    }
    ordered.sort_by_key(|weight| (weight.order, weight.at));
    ordered
}

/// A name without the number of its output.
fn plain(name: &str) -> String {
    name.strip_suffix(":0").unwrap_or(name).to_owned()
}
