//! Two checkpoints of Keras in which the same path is another variable.
//!
//! Groups are counted by classes, so a path says no more than "the second Dense"; optimizers count all that they have.
//! Where both files say what stands under a path and they contradict each other, the path pairs nothing.

use std::collections::BTreeMap;

use crate::analysis::naming::identity::{Identities, Identity};
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Parts};
use crate::read::formats::keras::{KerasFile, Naming};

/// A checkpoint as a file of Keras, if it is one.
pub(super) fn keras(checkpoint: &Checkpoint) -> Option<&KerasFile> {
    checkpoint.of_format::<KerasFile>().filter(|file| file.is_keras())
}

/// What is under the same path in both, and is not the same.
#[derive(Debug, Default)]
pub(super) struct Contradictions {
    /// By position in A.
    of_a: Vec<bool>,
}

impl Contradictions {
    /// Compares what two files say of every path that both have.
    pub(super) fn between(a: &Checkpoint, b: &Checkpoint) -> Self {
        let facts = |side| keras(side).map(KerasFile::facts).filter(|facts| facts.naming == Naming::Objects);
        let is_moved = match (facts(a), facts(b)) {
            // Behind a learning rate everything has another number.
            (Some(x), Some(y)) => {
                x.has_learning_rate != y.has_learning_rate && !x.optimizer.is_empty() && !y.optimizer.is_empty()
            }
            // The same graph is the same list; and the paths of objects are what TensorFlow itself goes by.
            (None, None) if has_other_graph(a, b) => first_listed(a) != first_listed(b),
            _ => return Self::default(),
        };
        let is_list = |name: &[u8]| facts(a).is_some() || listed(name).is_some();
        let (ours, theirs) = (Identities::of(a, None, true), Identities::of(b, None, true));
        let (in_a, in_b) = (by_identity(&ours), by_identity(&theirs));
        let mut of_a = vec![false; a.tensors().len()];
        for (at, tensor) in a.tensors().iter().enumerate() {
            let Some(b_at) = b.tensors().find(&tensor.name).filter(|_| is_list(&tensor.name)) else { continue };
            let is_counted = is_moved && (facts(a).is_none() || tensor.name.starts_with(b"optimizer/vars/"));
            let is_other = match (ours.get(at), theirs.get(b_at)) {
                (Some(x), Some(y)) if x == y => false,
                (None, _) | (_, None) => is_counted,
                (Some(x), Some(y)) => is_counted || contradict(x, y, (&in_a, &in_b)),
            };
            if let Some(entry) = of_a.get_mut(at) {
                *entry = is_other;
            }
        }
        Self { of_a }
    }

    /// Whether a tensor of A is another variable than the one of B that has its path.
    pub(super) fn has(&self, at: usize) -> bool {
        self.of_a.get(at).copied().unwrap_or(false)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.of_a.iter().filter(|is_other| **is_other).count()
    }
}

/// The number of a variable in the list of an optimizer, by the key that an object graph gives it.
fn listed(key: &[u8]) -> Option<u64> {
    let at = memchr::memmem::rfind(key, b"_variables/")?;
    let number = key.get(at.saturating_add(11)..)?.split(|byte| *byte == b'/').next()?;
    let is_own = key.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(b"/"));
    std::str::from_utf8(number).ok().filter(|_| is_own)?.parse().ok()
}

/// The first number in such lists that is a key: those before it are stored under names of their own, which are the
/// count of steps and, of Keras 3, the learning rate.
fn first_listed(side: &Checkpoint) -> Option<u64> {
    side.tensors().iter().filter_map(|tensor| listed(&tensor.name)).min()
}

/// Whether both have object graphs, and not the same one by their checksums.
fn has_other_graph(a: &Checkpoint, b: &Checkpoint) -> bool {
    let sum = |side: &Checkpoint| match side.tensor(OBJECT_GRAPH_KEY)?.parts {
        Parts::Whole(place) => place.crc32c,
        Parts::Slices(_) => None,
    };
    let (a, b) = (sum(a), sum(b));
    a.is_some() && b.is_some() && a != b
}

/// Whether what two files say of a path cannot be the same variable.
fn contradict(x: &Identity, y: &Identity, (in_a, in_b): (&Places<'_>, &Places<'_>)) -> bool {
    // Names alone may have changed; each is another variable where the other file has it elsewhere.
    let moved = |x: &Identity, y: &Identity| in_b.contains_key(x) && in_a.contains_key(y);
    match (x, y) {
        (Identity::Variable(_), Identity::Variable(_)) => moved(x, y),
        (Identity::Slot { kind: x, variable: of }, Identity::Slot { kind: y, variable: of_other }) => {
            x != y || (of != of_other && moved(&variable(of), &variable(of_other)))
        }
        _ => true,
    }
}

fn variable(name: &str) -> Identity {
    Identity::Variable(name.into())
}

type Places<'i> = BTreeMap<&'i Identity, usize>;

fn by_identity(ids: &Identities) -> Places<'_> {
    ids.all().map(|(at, identity)| (identity, at)).collect()
}
