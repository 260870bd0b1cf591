//! What training did, as JSON.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis;
use crate::report::findings::json::{Finding, findings};
use crate::report::kit::ages::Age;
use crate::report::kit::json::Float;

/// What training did up to a checkpoint, since the one before.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Training<'a> {
    /// the optimizer that has most slots, as far as names tell
    optimizer: Option<&'a str>,
    /// updates that the optimizer has made, by its own count; null if none counts, or several do not agree
    optimizer_steps: Option<u64>,
    /// more may have been made: a power of beta has become 0
    optimizer_steps_at_least: bool,
    /// each optimizer that counts
    optimizers: Vec<Age<'a>>,
    /// an optimizer was created anew since the checkpoint before
    reset: bool,
    /// steps that the optimizer is younger than the weights
    younger: Option<u64>,
    /// updates since the checkpoint before, or since the optimizer was created; null if that is not known
    updates: Option<u64>,
    /// whether any weight moved since the checkpoint before, statistics of normalizations and averages left out; null for the first
    trained: Option<bool>,
    /// as it was saved, where it is a variable, or a constant of the graph beside the checkpoint
    learning_rate: Option<Float>,
    /// the learning rate was this at least once since the checkpoint before, at least
    learning_rate_at_least: Option<Float>,
    /// what the data says of each weight that has slots, or has moved; null with `--quick` and where nothing could be read
    layers: Option<Vec<Layer<'a>>>,
    /// what cannot be known, and why
    unknown: &'a [String],
    /// what is wrong
    findings: Vec<Finding<'a>>,
}

/// What training did to one weight since the checkpoint before.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Layer<'a> {
    name: &'a str,
    elements: u64,
    /// root mean square of the gradients that the optimizer was given, over all elements and updates; [training.md](training.md) says how updates are weighed
    gradient_rms: Option<Float>,
    /// where it is not known, what it is not above
    gradient_rms_at_most: Option<Float>,
    /// root mean square of the difference of the weight, of all updates together; null for the first checkpoint
    update_rms: Option<Float>,
    /// that, divided by the root mean square of the weight
    update_ratio: Option<Float>,
    /// indexes of the first axis that have had no gradient since the optimizer was created
    never_trained_rows: Option<u64>,
    /// indexes of the first axis, where that is known
    rows: Option<u64>,
    /// indexes of the last axis that had no gradient since the checkpoint before; of the first checkpoint, at all
    dead_units: Option<u64>,
    /// indexes of the last axis, where that is known
    units: Option<u64>,
    /// of the learning rate, by this weight
    learning_rate_at_least: Option<Float>,
    /// why something of it is not known
    unknown: Option<&'a str>,
}

impl<'a> From<&'a analysis::Training> for Training<'a> {
    fn from(training: &'a analysis::Training) -> Self {
        let since = training.between.as_ref().map(|between| between.optimizers.as_slice()).unwrap_or_default();
        let updates = since.first().and_then(|since| since.updates);
        Self {
            optimizer: training.optimizer,
            optimizer_steps: training.updates(),
            optimizer_steps_at_least: training.ages.iter().any(|age| age.at_least),
            optimizers: training.ages.iter().map(Age::from).collect(),
            reset: training.is_reset(),
            younger: training.younger,
            updates: updates.filter(|_| since.iter().all(|since| since.updates == updates)),
            trained: training.trained,
            learning_rate: training.learning_rate().map(Float),
            learning_rate_at_least: training.learning_rate_at_least().map(Float),
            layers: training.layers.as_ref().map(|layers| layers.iter().map(Layer::from).collect()),
            unknown: &training.unknown,
            findings: findings(&training.findings),
        }
    }
}

impl<'a> From<&'a analysis::Layer> for Layer<'a> {
    fn from(layer: &'a analysis::Layer) -> Self {
        Self {
            name: &layer.name,
            elements: layer.elements,
            gradient_rms: layer.gradient_rms.map(Float),
            gradient_rms_at_most: layer.gradient_rms_at_most.map(Float),
            update_rms: layer.update_rms.map(Float),
            update_ratio: layer.update_ratio.map(Float),
            never_trained_rows: layer.never_trained_rows,
            rows: layer.rows,
            dead_units: layer.dead_units,
            units: layer.units,
            learning_rate_at_least: layer.learning_rate_at_least.map(Float),
            unknown: layer.unknown,
        }
    }
}
