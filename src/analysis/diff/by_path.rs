//! Two files of Keras in which the same path is another variable.
//!
//! Groups are counted by classes, so a path says no more than "the second Dense"; optimizers count all that they have.
//! Where both files say what stands under a path and they contradict each other, the path pairs nothing.

use std::collections::BTreeMap;

use crate::analysis::naming::identity::{Identities, Identity};
use crate::read::checkpoint::Checkpoint;
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
        let Some((x, y)) = facts(a).zip(facts(b)) else { return Self::default() };
        // Behind a learning rate everything has another number.
        let is_moved = x.has_learning_rate != y.has_learning_rate && !x.optimizer.is_empty() && !y.optimizer.is_empty();
        let (ours, theirs) = (Identities::of(a, None), Identities::of(b, None));
        let (in_a, in_b) = (by_identity(&ours), by_identity(&theirs));
        let mut of_a = vec![false; a.tensors().len()];
        for (at, tensor) in a.tensors().iter().enumerate() {
            let Some(b_at) = b.tensors().find(&tensor.name) else { continue };
            let is_counted = is_moved && tensor.name.starts_with(b"optimizer/vars/");
            let is_other = match (ours.get(at), theirs.get(b_at)) {
                (Some(x), Some(y)) if x == y => false,
                (None, _) | (_, None) => is_counted,
                (Some(x), Some(y)) => contradict(x, y, (&in_a, &in_b)),
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
