//! What both sides have, whatever fits: the ground on which a cause is judged, and the trial of what would repair it.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use super::super::rules::compatible;
use super::super::stored::Stored;
use crate::analysis::naming::rename::Renames;
use crate::analysis::naming::roles::{Role, are_of_other_optimizers};
use crate::analysis::restore::model::Model;
use crate::analysis::restore::predict::predict;
use crate::analysis::restore::prediction::{Restore, RestoreOptions, Spec};
use crate::read::checkpoint::Checkpoint;

/// Restores of more tensors are not tried again with the options that a cause proposes.
const MOST: usize = 100_000;
/// How often rules are applied to names, at most, to find out which of them are needed: about a second.
const MOST_APPLIED: usize = 4_000_000;

/// A tensor of one side.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) name: Vec<u8>,
    pub(super) spec: Spec,
    pub(super) role: Role,
    /// Whether the restore reads it, and it fits.
    pub(super) fits: bool,
}

/// All that the model wants, and all that the checkpoint has.
#[derive(Debug, Default)]
pub(super) struct Sides {
    pub(super) wanted: Vec<Tensor>,
    pub(super) stored: Vec<Tensor>,
    /// Positions in `wanted`, once they are asked for.
    by_name: OnceCell<HashMap<Vec<u8>, usize>>,
}

impl Sides {
    pub(super) fn of(restore: &Restore, stored: &Stored) -> Self {
        let mut sides = Self::default();
        let fitting: BTreeSet<&[u8]> = restore.matched.iter().map(|found| found.stored.as_slice()).collect();
        for (name, entry) in &stored.entries {
            let fits = fitting.contains(name.as_slice());
            sides.stored.push(Tensor { name: name.clone(), spec: entry.spec(), role: entry.role, fits });
        }
        for found in &restore.matched {
            let Some(entry) = stored.entries.get(&found.stored) else { continue };
            let (name, spec, role) = (found.name.clone(), entry.spec(), entry.role);
            sides.wanted.push(Tensor { name, spec, role, fits: true });
        }
        let missing = restore.missing.iter().map(|missing| (&missing.name, &missing.spec, missing.role));
        let differing = restore.mismatched.iter().map(|other| (&other.name, &other.expected, other.role));
        sides.wanted.extend(missing.chain(differing).map(|(name, spec, role)| Tensor {
            name: name.clone(),
            spec: spec.clone(),
            role,
            fits: false,
        }));
        sides
    }

    /// How many tensors of the model fit.
    pub(super) fn fitting(&self) -> usize {
        self.wanted.iter().filter(|tensor| tensor.fits).count()
    }

    /// How many of them are more than state of training.
    pub(super) fn solid(&self) -> usize {
        let is_state = |role| matches!(role, Role::Slot | Role::Optimizer | Role::Counter);
        self.wanted.iter().filter(|tensor| tensor.fits && !is_state(tensor.role)).count()
    }

    /// How many would fit, once the names of the checkpoint are changed so. Two that become one are none.
    pub(super) fn fitting_with(&self, renames: &Renames) -> usize {
        let by_name = self
            .by_name
            .get_or_init(|| self.wanted.iter().enumerate().map(|(at, wanted)| (wanted.name.clone(), at)).collect());
        // How many are led to each that is wanted, and whether it takes the last of them.
        let mut led = vec![(0usize, false); self.wanted.len()];
        for tensor in &self.stored {
            let at = by_name.get(&*renames.apply(&tensor.name)).copied();
            if let Some(at) = at
                && let Some((wanted, led)) = self.wanted.get(at).zip(led.get_mut(at))
            {
                let fits = takes(wanted, &tensor.spec) && !are_of_other_optimizers(&wanted.name, &tensor.name);
                *led = (led.0.saturating_add(1), fits);
            }
        }
        led.iter().filter(|(n, fits)| *n == 1 && *fits).count()
    }

    /// Whether so many trials of so many rules each are worth their time.
    pub(super) fn allows(&self, trials: usize, rules: usize) -> bool {
        self.stored.len().saturating_mul(trials).saturating_mul(rules) <= MOST_APPLIED
    }
}

/// Whether what is wanted takes a value of this kind.
pub(super) fn takes(wanted: &Tensor, found: &Spec) -> bool {
    let same_dtype = wanted.spec.dtype.is_none() || wanted.spec.dtype == found.dtype;
    same_dtype && (wanted.role == Role::Table || compatible(&wanted.spec.shape, &found.shape))
}

/// The same restore with more options: advice that was not tried is not given.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Trial<'t> {
    pub(in super::super) checkpoint: &'t Checkpoint,
    pub(in super::super) model: &'t Model,
    pub(in super::super) options: &'t RestoreOptions,
}

impl Trial<'_> {
    /// What it would come to; `None` if there is too much to try, or an option is none.
    pub(super) fn with(&self, maps: &[String], ignore: &[String]) -> Option<(Restore, Stored)> {
        if self.checkpoint.tensors().len() > MOST {
            return None;
        }
        let mut options = self.options.clone();
        options.renames.rules.extend(Renames::parse(maps).ok()?.rules);
        options.ignore.extend(ignore).ok()?;
        Some(predict(self.checkpoint, self.model, &options))
    }
}
