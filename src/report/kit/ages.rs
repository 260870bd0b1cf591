//! How old optimizers are: in words, and as JSON.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::json::Float;
use super::units::{count, counted};
use crate::analysis::OptimizerAge;

/// The count of one optimizer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Age<'a> {
    /// what tells optimizers of one checkpoint apart: where their numbers stand; empty at the top
    scope: &'a str,
    /// updates that it has made
    updates: u64,
    /// more may have been made: a power of beta has become 0
    at_least: bool,
    /// the tensors that say so
    by: &'a str,
    /// beta₁ (null where its power has become 0) and beta₂, where their powers count
    betas: Option<[Option<Float>; 2]>,
    /// as it was saved, where it is a variable
    learning_rate: Option<Float>,
}

impl<'a> From<&'a OptimizerAge> for Age<'a> {
    fn from(age: &'a OptimizerAge) -> Self {
        Self {
            scope: &age.scope,
            updates: age.updates,
            at_least: age.at_least,
            by: &age.by,
            betas: age.betas.map(|(first, second)| [first.map(Float), Some(Float(second))]),
            learning_rate: age.learning_rate.map(Float),
        }
    }
}

/// `50 updates`, `at least 87,000 updates`, `50 updates (gen), 30 updates (disc)`.
pub(in crate::report) fn ages(ages: &[OptimizerAge]) -> Option<String> {
    let updates = |age: &OptimizerAge| {
        let least = if age.at_least { "at least " } else { "" };
        format!("{least}{}", counted(age.updates, "update"))
    };
    match ages {
        [] => None,
        [age] => Some(updates(age)),
        [first, rest @ ..] if rest.iter().all(|age| (age.updates, age.at_least) == (first.updates, first.at_least)) => {
            Some(format!("{} by each of {} optimizers", updates(first), count(ages.len() as u64)))
        }
        all => {
            let each = all.iter().map(|age| format!("{} ({})", updates(age), age.scope));
            Some(each.collect::<Vec<_>>().join(", "))
        }
    }
}
