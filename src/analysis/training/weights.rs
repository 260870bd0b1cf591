//! The weights of a checkpoint with the slots of each, and what training did to them.

use std::collections::BTreeMap;

use super::age::OptimizerAge;
use super::layer::Layer;
use super::measure::{Known, Pair, layer};
use super::rule::{Measure, Slots, measure};
use super::story::Between;
use crate::analysis::derived::is_missing;
use crate::analysis::naming::names::Names;
use crate::analysis::naming::roles::{Role, Roles, is_statistic, own_name, short_name};
use crate::base::escape::escaped;
use crate::base::parallel::in_order;
use crate::read::checkpoint::{Checkpoint, Parts, Tensor};
use crate::read::graphs::training::Constants;

/// A weight with what its optimizer keeps of it.
struct Weight {
    at: usize,
    slots: Slots,
    owner: Option<&'static str>,
    /// The key of one slot, which says whose it is.
    key: Vec<u8>,
}

/// What is known besides the data.
#[derive(Clone, Copy, Debug)]
pub(in crate::analysis) struct Facts<'f> {
    pub(in crate::analysis) roles: &'f Roles,
    pub(in crate::analysis) names: &'f Names,
    pub(in crate::analysis) ages: &'f [OptimizerAge],
    pub(in crate::analysis) between: Option<&'f Between>,
    /// The clock of the weights in the checkpoint before.
    pub(in crate::analysis) begun: Option<u64>,
}

/// What the data of two checkpoints says of each weight that has slots or has moved, by name; and what was assumed. `None`
/// if the data is not there.
pub(in crate::analysis) fn layers(
    before: Option<&Checkpoint>,
    after: &Checkpoint,
    facts: Facts<'_>,
    threads: usize,
) -> Option<(Vec<Layer>, Vec<String>)> {
    let weights = weights(before, after, facts);
    let pair = Pair { before, after };
    let has_data = weights.iter().any(|weight| {
        let is_there =
            |checkpoint: &Checkpoint, tensor: Option<Tensor>| tensor.is_some_and(|t| !is_missing(checkpoint, &t));
        let tensor = after.tensor_at(weight.at);
        let earlier = before.zip(tensor.as_ref()).map(|(before, tensor)| (before, before.tensor(&tensor.name)));
        is_there(after, tensor) && earlier.is_none_or(|(before, tensor)| is_there(before, tensor))
    });
    if !has_data && !weights.is_empty() {
        return None;
    }
    let mut told: Vec<(Layer, Option<String>)> = Vec::new();
    in_order(
        weights.len(),
        threads.max(1),
        || (),
        |(), n| {
            let weight = weights.get(n)?;
            let tensor = after.tensor_at(weight.at)?;
            let rule = if weight.slots.is_empty() {
                Err("no slots of it are stored: the optimizer keeps none, or it is not trained")
            } else {
                measure(weight.owner, &weight.slots)
            };
            let rule: Result<Measure, &'static str> = rule;
            let name = facts.names.best(weight.at, &tensor.name);
            Some(layer(pair, &tensor, rule, &known(weight, facts), name))
        },
        |_, layer| told.extend(layer),
    );
    // What one weight contradicts holds for none.
    let is_wrong =
        |(layer, assumed): &(Layer, Option<String>)| assumed.as_ref().filter(|_| layer.is_impossible).cloned();
    let wrong: Vec<String> = told.iter().filter_map(is_wrong).collect();
    let mut all: Vec<String> = Vec::new();
    for (layer, assumed) in &mut told {
        let Some(assumed) = assumed.take() else { continue };
        if wrong.contains(&assumed) {
            if !layer.is_impossible {
                (layer.gradient_rms, layer.gradient_rms_at_most, layer.learning_rate_at_least) = (None, None, None);
                (layer.dead_units, layer.units) = (None, None);
                layer.unknown = Some("the slot of another weight fell faster than it forgets: it has another beta");
            }
        } else if !all.contains(&assumed) {
            all.push(assumed);
        }
    }
    Some((told.into_iter().map(|(layer, _)| layer).collect(), all))
}

fn weights(before: Option<&Checkpoint>, after: &Checkpoint, facts: Facts<'_>) -> Vec<Weight> {
    let mut found: BTreeMap<usize, Weight> = BTreeMap::new();
    let mut cursor = after.tensors().cursor();
    while let Some((at, tensor)) = cursor.advance() {
        let Some(slot) = facts.names.get(at).and_then(|name| name.slot.as_deref()) else { continue };
        let Some(of) = after.tensors().find(&slot.variable) else { continue };
        let weight = found.entry(of).or_insert_with(|| Weight {
            at: of,
            slots: Slots::new(),
            owner: facts.roles.optimizer(at),
            key: tensor.name.clone(),
        });
        weight.slots.entry(slot.slot.clone()).or_insert(at);
    }
    let mut cursor = after.tensors().cursor();
    while let Some((at, tensor)) = cursor.advance() {
        let is_trained = facts.roles.role(at) == Role::Weight && !is_statistic(own_name(&tensor.name));
        if is_trained && tensor.dtype.is_float() && !found.contains_key(&at) && has_moved(before, tensor) {
            found.insert(at, Weight { at, slots: Slots::new(), owner: None, key: tensor.name.clone() });
        }
    }
    found.into_values().collect()
}

/// Whether a tensor of an earlier checkpoint has another checksum.
fn has_moved(before: Option<&Checkpoint>, tensor: &Tensor) -> bool {
    let Some(earlier) = before.and_then(|before| before.tensor(&tensor.name)) else { return false };
    let sum = |tensor: &Tensor| match &tensor.parts {
        Parts::Whole(place) => place.crc32c,
        Parts::Slices(_) => None,
    };
    let sums = (sum(&earlier), sum(tensor));
    sums.0.is_none() || sums.0 != sums.1
}

/// What the program gives the optimizer of a weight; nothing where it has several.
fn constants(weight: &Weight, roles: &Roles) -> Option<Constants> {
    let [only] = roles.constants() else { return None };
    Some(only).filter(|only| weight.owner.is_none_or(|owner| owner.eq_ignore_ascii_case(only.optimizer))).cloned()
}

/// What is known of the optimizer of a weight: of several the one whose scope is in the key of its slot.
fn known(weight: &Weight, facts: Facts<'_>) -> Known {
    let key = escaped(short_name(&weight.key)).into_owned();
    let is_of = |scope: &str| {
        let inner = format!("/{scope}/");
        !scope.is_empty() && (key.starts_with(inner.trim_start_matches('/')) || key.contains(&inner))
    };
    let since = facts.between.map(|between| between.optimizers.as_slice()).unwrap_or_default();
    let age = match facts.ages {
        [only] => Some(only),
        several => several.iter().find(|age| is_of(&age.scope)),
    };
    let since = age.and_then(|age| since.iter().find(|since| since.scope == age.scope));
    Known {
        age: age.cloned(),
        since: since.cloned(),
        steps: facts.between.and_then(|between| between.steps).filter(|_| facts.ages.is_empty()),
        begun: facts.begun,
        constants: constants(weight, facts.roles),
    }
}
