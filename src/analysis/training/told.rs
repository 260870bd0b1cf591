//! What is told of the training up to one checkpoint.

use super::age::OptimizerAge;
use super::layer::Layer;
use super::story::Between;
use crate::analysis::finding::Finding;

/// What training did up to a checkpoint, since the one before.
#[derive(Clone, Debug, Default)]
pub struct Training {
    /// The optimizer that has most slots, as far as names tell.
    pub optimizer: Option<&'static str>,
    /// The learning rate that the graph gives the only optimizer in it, as a constant.
    pub constant_rate: Option<f64>,
    /// The optimizers that count their updates.
    pub ages: Vec<OptimizerAge>,
    /// What happened since the checkpoint before; `None` for the first.
    pub between: Option<Between>,
    /// Steps that the optimizer is younger than the weights.
    pub younger: Option<u64>,
    /// Whether any weight moved that is trained; `None` if there is nothing to compare.
    pub trained: Option<bool>,
    /// Whether any slot changed, if there are some to compare.
    pub slots_changed: Option<bool>,
    /// What the data says of each weight, if it was read.
    pub layers: Option<Vec<Layer>>,
    /// What cannot be known, and why.
    pub unknown: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Training {
    /// Updates that the optimizer has made; of several, if they agree.
    pub fn updates(&self) -> Option<u64> {
        OptimizerAge::common(&self.ages)
    }

    /// Whether an optimizer was created anew since the checkpoint before.
    pub fn is_reset(&self) -> bool {
        self.between.as_ref().is_some_and(Between::is_reset)
    }

    /// The learning rate that all optimizers had when the checkpoint was saved, where it is a variable, or a constant of
    /// the graph.
    pub fn learning_rate(&self) -> Option<f64> {
        if self.constant_rate.is_some() {
            return self.constant_rate;
        }
        let (first, rest) = self.ages.split_first()?;
        first.learning_rate.filter(|_| rest.iter().all(|age| age.learning_rate == first.learning_rate))
    }

    /// The largest lower bound of the learning rate that any weight gives.
    pub fn learning_rate_at_least(&self) -> Option<f64> {
        let bounds = self.layers.iter().flatten().filter_map(|layer| layer.learning_rate_at_least);
        bounds.max_by(f64::total_cmp)
    }
}
