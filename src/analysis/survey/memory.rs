//! What memory the tensors of a checkpoint take to serve and to train, as arithmetic over them.

use std::collections::BTreeMap;

use crate::analysis::naming::roles::{Role, Roles};
use crate::read::checkpoint::Tensors;
use crate::read::tensor::DType;

/// Bytes by what they are for. Activations, buffers of the framework and copies are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Weights by dtype, the largest first; of a checkpoint that has averages of its weights only, these.
    pub weights: Vec<(DType, u64)>,
    /// Slots and numbers of optimizers, and averages that are kept beside weights.
    pub optimizer: u64,
    /// A gradient for each weight that is a float.
    pub gradients: u64,
}

impl Memory {
    /// To serve: the weights alone.
    pub fn serve(&self) -> u64 {
        self.weights.iter().map(|(_, bytes)| bytes).fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }

    /// To train: weights, what the optimizer keeps, gradients.
    pub fn train(&self) -> u64 {
        self.serve().saturating_add(self.optimizer).saturating_add(self.gradients)
    }

    /// Adds up the tensors. `None` if there are no weights.
    pub(super) fn of(tensors: &Tensors, roles: &Roles) -> Option<Self> {
        let mut weights: BTreeMap<DType, u64> = BTreeMap::new();
        let mut averages: BTreeMap<DType, u64> = BTreeMap::new();
        let mut memory = Self::default();
        let mut cursor = tensors.cursor();
        while let Some((at, tensor)) = cursor.advance() {
            let bytes = tensor.bytes().unwrap_or(0);
            let add = |sums: &mut BTreeMap<DType, u64>| {
                let sum = sums.entry(tensor.dtype).or_default();
                *sum = sum.saturating_add(bytes);
            };
            match roles.role(at) {
                Role::Weight => {
                    add(&mut weights);
                    if tensor.dtype.is_float() {
                        memory.gradients = memory.gradients.saturating_add(bytes);
                    }
                }
                Role::Average => add(&mut averages),
                Role::Slot | Role::Optimizer => memory.optimizer = memory.optimizer.saturating_add(bytes),
                _ => {}
            }
        }
        let sum = |sums: &BTreeMap<DType, u64>| sums.values().fold(0u64, |sum, bytes| sum.saturating_add(*bytes));
        if weights.is_empty() {
            memory.gradients = sum(&averages);
            weights = averages;
        } else {
            memory.optimizer = memory.optimizer.saturating_add(sum(&averages));
        }
        memory.weights = weights.into_iter().collect();
        memory.weights.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        (memory.serve() > 0).then_some(memory)
    }
}
