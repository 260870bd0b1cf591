//! Tensors that have the values of another one than their own partner: of which, and whether a whole layer stands twice.

use std::collections::BTreeMap;

use super::hash::Sum;
use super::side::{Data, Item};
use super::work::Work;
use crate::analysis::short_name;
use crate::base::escape::escaped;

/// What a tensor holds: dtype, how many, fingerprint.
type Held = (i32, u64, Sum);

/// Which tensors of each side hold the same, by what they hold.
pub(super) struct Twins([BTreeMap<Held, Vec<usize>>; 2]);

/// A tensor that has the values of another one than its partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copied {
    /// The side that it is on, 0 for A.
    side: usize,
    /// Its partner on the other side.
    partner: usize,
    /// The tensor of the other side whose values it has.
    twin: usize,
}

impl Twins {
    pub(super) fn of(work: &Work<'_>) -> Self {
        let mut twins = [BTreeMap::new(), BTreeMap::new()];
        for (side, twins) in work.sides.iter().zip(&mut twins) {
            for (at, item) in side.items.iter().enumerate() {
                if let Some(held) = held(item) {
                    twins.entry(held).or_insert_with(Vec::new).push(at);
                }
            }
        }
        Self(twins)
    }

    /// What else than its partner has the values of one of a pair; that of B if both have.
    pub(super) fn copy(&self, work: &Work<'_>, [a, b]: [usize; 2]) -> Option<Copied> {
        [(1, b, a), (0, a, b)].into_iter().find_map(|(side, own, partner)| {
            let wanted = held(work.item(side, own)?)?;
            let twin = *self.0.get(1 - side)?.get(&wanted)?.iter().find(|at| **at != partner)?;
            Some(Copied { side, partner, twin })
        })
    }
}

impl Copied {
    /// What is said of it behind how its values differ.
    pub(super) fn words(self, work: &Work<'_>) -> Option<String> {
        let name = work.names.get(1 - self.side)?.get(self.twin)?;
        let [this, that] = sides(self.side);
        Some(format!("; {this} has the values of {} of {that}", escaped(name.text.as_bytes())))
    }
}

/// A side and the other one, as they are told.
fn sides(side: usize) -> [&'static str; 2] {
    if side == 1 { ["B", "A"] } else { ["A", "B"] }
}

/// Several tensors of a layer that all are those of one other layer: what is said of them, and how many they are.
pub(super) fn layers(work: &Work<'_>, copies: &[Copied]) -> Vec<(String, u64)> {
    let mut groups: BTreeMap<(usize, String, String), u64> = BTreeMap::new();
    for copy in copies {
        let name =
            |at: usize| Some(String::from_utf8_lossy(short_name(work.item(1 - copy.side, at)?.name())).into_owned());
        let (Some(partner), Some(twin)) = (name(copy.partner), name(copy.twin)) else { continue };
        let (place, layer) = without_common_end(&partner, &twin);
        if !place.is_empty() && !layer.is_empty() {
            *groups.entry((copy.side, place.to_owned(), layer.to_owned())).or_default() += 1;
        }
    }
    let told = groups.into_iter().filter(|(_, count)| *count > 1).map(|((side, place, layer), count)| {
        let [this, that] = sides(side);
        let [place, layer] = [place, layer].map(|name| escaped(name.as_bytes()).into_owned());
        (format!("{this} has {layer} of {that} in the place of {place}: {count} tensors"), count)
    });
    told.collect()
}

/// What is left of two names without the components that both end in.
fn without_common_end<'n>(a: &'n str, b: &'n str) -> (&'n str, &'n str) {
    let ends = |c: char| matches!(c, '/' | '.');
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(in_a), Some(in_b)) = (a.rfind(ends), b.rfind(ends)) else { return (a, b) };
        if a.get(in_a..) != b.get(in_b..) {
            return (a, b);
        }
        (a, b) = (a.get(..in_a).unwrap_or_default(), b.get(..in_b).unwrap_or_default());
    }
}

fn held(item: &Item) -> Option<Held> {
    match &item.data {
        Data::Read(print) if !print.says_nothing => Some((item.tensor.dtype.number(), item.count, print.sum)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::without_common_end;

    #[test]
    fn layers_are_what_names_do_not_have_in_common() {
        for (a, b, want) in [
            ("layer_3/mlp/kernel", "layer_2/mlp/kernel", ("layer_3", "layer_2")),
            ("h.3.mlp.bias", "h.12.mlp.bias", ("h.3", "h.12")),
            ("a/kernel", "b/bias", ("a/kernel", "b/bias")),
            ("kernel", "kernel", ("kernel", "kernel")),
        ] {
            assert_eq!(without_common_end(a, b), want);
        }
    }
}
