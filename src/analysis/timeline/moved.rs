//! Which tensors changed from one checkpoint to the next, by their checksums: no data is read.
//!
//! Equal checksums of equal length and dtype mean the same bytes but for one chance in four thousand million, so "the
//! same" is said of checksums and not of values. What changed is told by scopes: the largest ones in which all weights
//! moved, and those in which none did.

use std::collections::BTreeMap;

use crate::analysis::naming::covered::Scopes;
use crate::analysis::naming::names::Names;
use crate::analysis::naming::roles::{Role, Roles, is_statistic, own_name};
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
