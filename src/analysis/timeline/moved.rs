//! Which tensors changed from one checkpoint to the next, by their checksums: no data is read.
//!
//! Equal checksums of equal length and dtype mean the same bytes but for one chance in four thousand million, so "the
//! same" is said of checksums and not of values. What changed is told by scopes: the largest ones in which all weights
//! moved, and those in which none did.

use std::collections::BTreeMap;

use crate::analysis::naming::names::Names;
use crate::analysis::naming::roles::{Role, Roles, is_statistic, own_name};
use crate::analysis::naming::scopes::{numbered, ranges};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Parts, Tensor};

/// What changed between two checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Tensors with another checksum, dtype or shape.
    pub changed: usize,
    /// Tensors with the same.
    pub same: usize,
    /// Tensors that only the later one has.
    pub added: usize,
    /// Tensors that only the earlier one has.
    pub removed: usize,
    /// Tensors of which checksums tell nothing: those of V1 checkpoints, or partitioned in another way.
    pub unknown: usize,
    /// Weights and averages that changed, and all that could be compared.
    pub weights: (usize, usize),
    /// Weights that changed, and all that could be compared, without averages and statistics of normalizations, which move
    /// though nothing is trained.
    pub trained: (usize, usize),
    /// Optimizer slots that changed, and all that could be compared.
    pub slots: (usize, usize),
    /// Scopes in which every weight changed, and those in which none did; as few of them as tell it exactly.
    pub scopes: Scopes,
}

/// Scopes by whether their weights moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// All weights in them changed.
    pub moved: Vec<String>,
    /// No weight in them changed.
    pub still: Vec<String>,
}

/// How often each weight moved between all checkpoints of a directory, by name.
pub(super) type Stirred = BTreeMap<String, bool>;

/// What can be said of two tensors of one name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    Changed,
    Unknown,
}

impl Moved {
    /// Compares two checkpoints, whose tensors come sorted by name. `roles` and `names` are those of `after`; in
    /// `stirred` it notes which weights have ever moved.
    pub(super) fn between(
        before: &Checkpoint,
        after: &Checkpoint,
        roles: &Roles,
        names: &Names,
        stirred: &mut Stirred,
    ) -> Self {
        let mut moved = Self::default();
        let mut weights: BTreeMap<String, bool> = BTreeMap::new();
        let mut earlier = before.tensors().cursor();
        let mut old = earlier.advance().is_some();
        let mut later = after.tensors().cursor();
        while let Some((at, tensor)) = later.advance() {
            while old && earlier.tensor().name < tensor.name {
                moved.removed += 1;
                old = earlier.advance().is_some();
            }
            if !old || earlier.tensor().name != tensor.name {
                moved.added += 1;
                continue;
            }
            let verdict = verdict(earlier.tensor(), tensor);
            old = earlier.advance().is_some();
            let changed = match verdict {
                _ if tensor.name == OBJECT_GRAPH_KEY => continue,
                Verdict::Unknown => {
                    moved.unknown += 1;
                    continue;
                }
                Verdict::Changed => true,
                Verdict::Same => false,
            };
            *(if changed { &mut moved.changed } else { &mut moved.same }) += 1;
            let sum = match roles.role(at) {
                Role::Weight | Role::Average => {
                    let name = names.best(at, &tensor.name);
                    *stirred.entry(name.clone()).or_default() |= changed;
                    weights.insert(name, changed);
                    if roles.role(at) == Role::Weight && !is_statistic(own_name(&tensor.name)) {
                        moved.trained.0 += usize::from(changed);
                        moved.trained.1 += 1;
                    }
                    &mut moved.weights
                }
                Role::Slot => &mut moved.slots,
                _ => continue,
            };
            sum.0 += usize::from(changed);
            sum.1 += 1;
        }
        while old {
            moved.removed += 1;
            old = earlier.advance().is_some();
        }
        moved.scopes = Scopes::of(&weights);
        moved
    }

    /// Whether anything could be compared.
    pub fn compared(&self) -> usize {
        self.changed + self.same
    }
}

fn verdict(a: &Tensor, b: &Tensor) -> Verdict {
    if a.dtype != b.dtype || a.shape != b.shape {
        return Verdict::Changed;
    }
    let judge =
        |equal: Option<bool>| equal.map_or(Verdict::Unknown, |e| if e { Verdict::Same } else { Verdict::Changed });
    match (&a.parts, &b.parts) {
        (Parts::Whole(a), Parts::Whole(b)) => {
            let size = |place: &crate::read::checkpoint::Place| place.range.map(|(_, size)| size);
            judge(a.crc32c.zip(b.crc32c).map(|(x, y)| x == y && size(a) == size(b)))
        }
        (Parts::Slices(a), Parts::Slices(b)) if a.len() == b.len() => {
            let mut equal = Some(true);
            for (a, b) in a.iter().zip(b.iter()) {
                let sums = a.place.and_then(|p| p.crc32c).zip(b.place.and_then(|p| p.crc32c));
                match sums.filter(|_| a.slice == b.slice) {
                    Some((x, y)) => equal = equal.map(|equal| equal && x == y),
                    None => return Verdict::Unknown,
                }
            }
            judge(equal)
        }
        _ => Verdict::Unknown,
    }
}

/// How deep scopes are taken apart.
const DEPTH: usize = 16;

impl Scopes {
    /// The fewest scopes that say of every weight whether it moved; alike ones with their numbers in braces.
    pub(super) fn of(weights: &BTreeMap<String, bool>) -> Self {
        let rows: Vec<(&str, bool)> = weights.iter().map(|(name, moved)| (name.as_str(), *moved)).collect();
        let mut scopes = Self::default();
        scopes.cover(&rows, 0, 0);
        scopes.moved = fold(&scopes.moved);
        scopes.still = fold(&scopes.still);
        scopes
    }

    /// Adds those of one group of checkpoints, named where there are several.
    pub(super) fn extend(&mut self, other: Self, group: Option<&str>) {
        let named = |scope: String| group.map_or_else(|| scope.clone(), |group| format!("{group}: {scope}"));
        self.moved.extend(other.moved.into_iter().map(named));
        self.still.extend(other.still.into_iter().map(named));
    }

    /// Adds the scope that the first `prefix` bytes of all rows are, or what is in it.
    fn cover(&mut self, rows: &[(&str, bool)], prefix: usize, depth: usize) {
        let Some((first, moved)) = rows.first() else { return };
        let to = if *moved { &mut self.moved } else { &mut self.still };
        if rows.iter().all(|(_, other)| other == moved) {
            let scope = first.get(..prefix).unwrap_or_default().trim_end_matches('/');
            // One weight is its own name, and all of them need none.
            match (rows.len(), scope) {
                (1, _) => to.push((*first).to_owned()),
                (_, "") if depth == 0 => to.push("everything".to_owned()),
                _ => to.push(scope.to_owned()),
            }
            return;
        }
        let mut groups: BTreeMap<&str, Vec<(&str, bool)>> = BTreeMap::new();
        for (name, moved) in rows {
            let rest = name.get(prefix..).unwrap_or_default();
            let end = match rest.find('/') {
                Some(slash) if depth < DEPTH => prefix.saturating_add(slash).saturating_add(1),
                _ => name.len(),
            };
            groups.entry(name.get(..end).unwrap_or(name)).or_default().push((name, *moved));
        }
        for (scope, rows) in groups {
            self.cover(&rows, scope.len(), depth.saturating_add(1));
        }
    }
}

/// Names that differ in their last number only, as one: `layer_{0..11}/kernel`.
fn fold(names: &[String]) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
    let mut alone = Vec::new();
    for name in names {
        match numbered(name) {
            (before, Some(number), after) => groups.entry((before, after)).or_default().push(number),
            _ => alone.push(name.clone()),
        }
    }
    for ((before, after), mut numbers) in groups {
        numbers.sort_unstable();
        alone.push(match numbers.as_slice() {
            [only] => format!("{before}{only}{after}"),
            many => format!("{before}{{{}}}{after}", ranges(many)),
        });
    }
    alone.sort();
    alone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(rows: &[(&str, bool)]) -> (Vec<String>, Vec<String>) {
        let scopes = Scopes::of(&rows.iter().map(|(name, moved)| ((*name).to_owned(), *moved)).collect());
        (scopes.moved, scopes.still)
    }

    #[test]
    fn the_fewest_scopes_that_tell_it_exactly() {
        let rows = [
            ("body/layer_0/bias", false),
            ("body/layer_0/kernel", false),
            ("body/layer_1/bias", false),
            ("body/layer_1/kernel", false),
            ("head", true),
            ("head/bias", true),
            ("head/kernel", true),
        ];
        let (moved, still) = scopes(&rows);
        assert_eq!(still, ["body"]);
        assert_eq!(moved, ["head", "head"], "a weight and a scope of one name");
        let mut rows = rows.to_vec();
        rows[1].1 = true;
        let (moved, still) = scopes(&rows);
        assert_eq!(still, ["body/layer_0/bias", "body/layer_1"]);
        assert_eq!(moved[0], "body/layer_0/kernel");
        assert_eq!(scopes(&[("a/x", true), ("b", true)]).0, ["everything"]);
        assert_eq!(scopes(&[("a/x", true)]).0, ["a/x"]);
        assert_eq!(scopes(&[]), (Vec::new(), Vec::new()));
    }

    #[test]
    fn alike_scopes_are_folded() {
        let names: Vec<(String, bool)> = (0..12)
            .flat_map(|n| [(format!("l_{n}/bias"), true), (format!("l_{n}/kernel"), false)])
            .chain([("l_007/bias".to_owned(), true)])
            .collect();
        let (moved, still) = scopes(&names.iter().map(|(name, moved)| (name.as_str(), *moved)).collect::<Vec<_>>());
        assert_eq!(moved, ["l_007/bias", "l_{0..11}/bias"]);
        assert_eq!(still, ["l_{0..11}/kernel"]);
    }

    #[test]
    fn deep_names_end() {
        let deep = "a/".repeat(100_000);
        let (moved, still) = scopes(&[(&format!("{deep}x"), true), (&format!("{deep}y"), false)]);
        assert_eq!((moved.len(), still.len()), (1, 1));
    }
}
