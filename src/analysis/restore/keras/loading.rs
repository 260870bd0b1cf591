//! What comes of a load: the error that ends it, which variable takes which data set, and what the answer rests on that
//! nobody knows.

use super::objects::{Objects, Which};
use super::saved::Set;
use crate::analysis::restore::Raise;

/// A variable that would take a data set of another shape.
#[derive(Clone, Debug)]
pub(super) struct Misfit {
    pub(super) which: Which,
    pub(super) set: Set,
}

/// What comes of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Loading {
    /// The error, if there is one.
    pub(super) raise: Option<Raise>,
    /// Variables with what they take.
    pub(super) taken: Vec<(Which, Set)>,
    /// What does not fit, of all that is looked at.
    pub(super) misfits: Vec<Misfit>,
    /// What Keras says and goes on.
    pub(super) warnings: Vec<String>,
    /// The errors that were passed over.
    pub(super) errors: Vec<String>,
    /// What would have to be known: the answer does not hold without it.
    pub(super) unknown: Vec<String>,
    /// Whether an error is not certain without it either.
    pub(super) is_open: bool,
}

impl Loading {
    /// Lets a variable take a data set.
    pub(super) fn take(&mut self, which: Which, set: &Set) {
        self.taken.retain(|(other, _)| *other != which);
        self.taken.push((which, set.clone()));
    }

    /// Notes something that is not known, once.
    pub(super) fn doubt(&mut self, why: String) {
        if !self.unknown.contains(&why) {
            self.unknown.push(why);
        }
    }

    /// Whether a data set fits a variable; what is not known is noted.
    pub(super) fn fits(&mut self, objects: &Objects, which: Which, set: &Set) -> bool {
        let Some(variable) = objects.variable(which) else { return true };
        match &variable.shape {
            Some(shape) if *shape == set.shape => true,
            Some(_) => {
                self.misfits.push(Misfit { which, set: set.clone() });
                false
            }
            None => {
                self.doubt(format!("the shape of {}", variable.path));
                true
            }
        }
    }
}
