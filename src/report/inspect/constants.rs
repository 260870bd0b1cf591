//! What optimizers are given as constants of the graph beside a checkpoint.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::read::graphs::training::Constants;
use crate::report::kit::figure::written;
use crate::report::kit::json::Float;
use crate::report::kit::units::counted;

/// `Adam  lr 0.001, beta1 0.9, … · 12 updates`: all that the graph says, one line an optimizer.
pub(super) fn words(constants: &Constants) -> String {
    let mut numbers: Vec<String> = constants
        .numbers
        .iter()
        .map(|(name, number)| match number {
            Some(number) => format!("{name} {}", written(*number)),
            None => format!("{name} computed"),
        })
        .collect();
    if constants.nesterov == Some(true) {
        numbers.push("nesterov".to_owned());
    }
    format!("{} of {}: {}", constants.optimizer, counted(constants.updates, "variable"), numbers.join(", "))
}

/// The numbers that the graph gives an optimizer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Hyperparameters<'a> {
    /// the optimizer, by its op
    optimizer: &'a str,
    /// how many ops update a variable with it
    updates: u64,
    /// whether its momentum looks ahead; null of ops that cannot, and where some do
    nesterov: Option<bool>,
    /// as the op calls its inputs
    numbers: Vec<Number<'a>>,
}

/// One number.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Number<'a> {
    /// `lr`, `beta1`, `beta2`, `rho`, `momentum`, `epsilon`, `l1`, `l2`, `l2_shrinkage`, `lr_power`
    name: &'a str,
    /// null where it is no constant of the graph, or not the same of all updates
    value: Option<Float>,
}

impl<'a> From<&'a Constants> for Hyperparameters<'a> {
    fn from(constants: &'a Constants) -> Self {
        let number = |(name, value): &(&'static str, Option<f64>)| Number { name, value: value.map(Float) };
        Self {
            optimizer: constants.optimizer,
            updates: constants.updates,
            nesterov: constants.nesterov,
            numbers: constants.numbers.iter().map(number).collect(),
        }
    }
}
