//! What the user says of tensors beforehand: these must be the same, those must have changed.

use super::status::Status;
use super::{Expected, Expecting};

/// An expectation, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What was expected.
    pub expected: Expected,
    /// Of which tensors, as the user wrote it.
    pub selector: String,
    /// Who says so, `ckpt.toml:12`; none for an option of the command.
    pub by: Option<String>,
    /// Tensors that it is about.
    pub matched: u64,
    /// Tensors that it does not hold for.
    pub broken: u64,
    /// The first of these.
    pub examples: Vec<(Box<[u8]>, Status)>,
    /// Tensors that could not be judged.
    pub unjudged: u64,
}

/// Broken ones that are named.
const NAMED: usize = 100;

impl Expectation {
    pub(super) fn new(of: &Expecting) -> Self {
        let (expected, selector, by) = (of.expected, of.text.clone(), of.by.clone());
        Self { expected, selector, by, matched: 0, broken: 0, examples: Vec::new(), unjudged: 0 }
    }

    /// Whether it holds for every tensor that it is about, and there is one.
    pub fn holds(&self) -> bool {
        self.matched > 0 && self.broken == 0 && self.unjudged == 0
    }

    pub(super) fn note(&mut self, name: &[u8], status: Status) {
        use Status::{Ambiguous, Identical, NotCompared, Renamed, Unreadable, WithinTolerance};
        self.matched += 1;
        let same = matches!(status, Identical | WithinTolerance | Renamed);
        match (status, self.expected) {
            (Unreadable | NotCompared | Ambiguous, _) => self.unjudged += 1,
            (_, Expected::Same) if same => {}
            (_, Expected::Changed) if !same => {}
            _ => {
                self.broken += 1;
                if self.examples.len() < NAMED {
                    self.examples.push((name.into(), status));
                }
            }
        }
    }
}
