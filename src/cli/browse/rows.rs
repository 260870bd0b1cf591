//! What there is to walk through: the tensors of a checkpoint, or changes; all of them or those that a search takes, by
//! name.

use std::cell::RefCell;

use ckpt::analysis::diff::{Change, ChangeKey};
use ckpt::analysis::{Selection, Selector, short_name};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::{Checkpoint, Cursor, Tensor};

/// Rows by name.
pub(super) struct Rows {
    of: Of,
    /// Those that are shown, as numbers; all of them if nothing was searched for.
    taken: Option<Vec<u32>>,
}

enum Of {
    Tensors(&'static Checkpoint, RefCell<Cursor<'static>>),
    Changes(Vec<Change>),
}

impl Rows {
    /// The tensors of a checkpoint.
    pub(super) fn tensors(checkpoint: &'static Checkpoint) -> Self {
        Self { of: Of::Tensors(checkpoint, RefCell::new(checkpoint.tensors().cursor())), taken: None }
    }

    /// Changes, of which none is known yet.
    pub(super) fn changes() -> Self {
        Self { of: Of::Changes(Vec::new()), taken: None }
    }

    /// Takes in changes, which come by name. Those that a search left out stay so until the next one.
    pub(super) fn extend(&mut self, more: Vec<Change>) {
        if let Of::Changes(changes) = &mut self.of {
            changes.extend(more);
        }
    }

    /// How many are shown.
    pub(super) fn len(&self) -> usize {
        self.taken.as_ref().map_or_else(|| self.all(), Vec::len)
    }

    /// How many there are.
    pub(super) fn all(&self) -> usize {
        match &self.of {
            Of::Tensors(checkpoint, _) => checkpoint.tensors().len(),
            Of::Changes(changes) => changes.len(),
        }
    }

    /// Shows only what was found.
    pub(super) fn take(&mut self, selection: Option<&Selection>) {
        let number = |at: usize| u32::try_from(at).ok();
        self.taken = selection.map(|selection| selection.iter().filter_map(number).collect());
    }

    /// Of changes, shows only those that a selector takes by their names.
    pub(super) fn take_names(&mut self, selector: Option<&Selector>) {
        let Of::Changes(changes) = &self.of else { return };
        self.taken = selector.map(|selector| {
            let takes = |change: &Change| selector.takes_name(change.name());
            (0u32..).zip(changes).filter(|(_, change)| takes(change)).map(|(n, _)| n).collect()
        });
    }

    /// Of changes, shows only those of which a side has a tensor that was found there.
    pub(super) fn take_sides(&mut self, sides: [(&Checkpoint, &Selection); 2]) {
        let Of::Changes(changes) = &self.of else { return };
        let marks = sides.map(|(side, selection)| {
            let mut marks = vec![false; side.tensors().len()];
            for at in selection.iter() {
                if let Some(mark) = marks.get_mut(at) {
                    *mark = true;
                }
            }
            (side, marks)
        });
        let takes = |change: &Change| {
            let names = [&change.a, &change.b].map(|facts| facts.as_ref().map(|facts| &*facts.name));
            marks.iter().zip(names).any(|((side, marks), name)| {
                let at = name.and_then(|name| side.tensors().find(name));
                at.and_then(|at| marks.get(at).copied()).unwrap_or(false)
            })
        };
        self.taken = Some((0u32..).zip(changes).filter(|(_, change)| takes(change)).map(|(n, _)| n).collect());
    }

    /// The number of the `n`-th that is shown among all.
    pub(super) fn number(&self, n: usize) -> Option<usize> {
        match &self.taken {
            Some(taken) => taken.get(n).map(|at| *at as usize),
            None => (n < self.all()).then_some(n),
        }
    }

    /// The `n`-th tensor that is shown.
    pub(super) fn tensor(&self, n: usize) -> Option<Tensor> {
        match &self.of {
            Of::Tensors(_, cursor) => cursor.borrow_mut().reach(self.number(n)?).cloned(),
            Of::Changes(_) => None,
        }
    }

    /// The `n`-th change that is shown.
    pub(super) fn change(&self, n: usize) -> Option<&Change> {
        match &self.of {
            Of::Tensors(..) => None,
            Of::Changes(changes) => changes.get(self.number(n)?),
        }
    }

    /// Hands the name of the `n`-th that is shown to `look`, without what every variable's key ends with.
    pub(super) fn with_name<T>(&self, n: usize, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let number = self.number(n)?;
        match &self.of {
            Of::Tensors(_, cursor) => cursor.borrow_mut().reach(number).map(|tensor| look(short_name(&tensor.name))),
            Of::Changes(changes) => changes.get(number).map(|change| look(short_name(change.name()))),
        }
    }

    /// The name as it is shown.
    pub(super) fn name(&self, n: usize) -> String {
        self.with_name(n, |name| escaped(name).into_owned()).unwrap_or_default()
    }

    /// These in an order of their own: the largest tensors or changes first.
    pub(super) fn sorted(&self, range: std::ops::Range<usize>) -> Vec<u32> {
        let number = |n: usize| u32::try_from(n).ok();
        match &self.of {
            Of::Tensors(_, cursor) => {
                let mut cursor = cursor.borrow_mut();
                let bytes = |n: usize| cursor.reach(self.number(n)?).and_then(Tensor::bytes);
                let mut keyed: Vec<_> = range.map(bytes).zip(0u32..).collect();
                keyed.sort_by_key(|(bytes, n)| (std::cmp::Reverse(*bytes), *n));
                // Numbers within the range were counted from nothing.
                keyed.into_iter().map(|(_, n)| n).collect()
            }
            Of::Changes(_) => {
                let start = range.start;
                let keys: Vec<ChangeKey> = range.clone().filter_map(|n| self.change(n)).map(ChangeKey::of).collect();
                let ats: std::collections::HashMap<usize, usize> =
                    range.filter_map(|n| Some((self.change(n)?.at, n - start))).collect();
                ChangeKey::sorted(keys).into_iter().filter_map(|at| number(*ats.get(&at)?)).collect()
            }
        }
    }

    /// Whether these are changes.
    pub(super) fn are_changes(&self) -> bool {
        matches!(self.of, Of::Changes(_))
    }
}
