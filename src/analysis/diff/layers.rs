//! What changed by layer: the weights of each, and how far the farthest of them moved.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::model::Change;
use super::status::Status;

/// Layers that are told apart; what comes behind is counted together.
const LAYERS: usize = 1 << 12;

/// Weights of a layer that are told one by one.
const WEIGHTS: usize = 12;

/// One weight of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeight {
    /// What it is called in its layer.
    pub name: String,
    /// What became of it.
    pub status: Status,
    /// ‖a − b‖ / ‖b‖; `None` where it has no size: another shape, only on one side, not read.
    pub rel_l2: Option<f64>,
}

/// One layer in which something changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// What it is called; nothing for what lies in no layer.
    pub name: String,
    /// Weights that changed, by name, the first of them.
    pub weights: Vec<LayerWeight>,
    /// How many changed.
    pub changed: u64,
    /// The largest change of a weight.
    pub largest: Option<f64>,
}

/// Layers, while changes pass by.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    of: BTreeMap<String, Layer>,
    /// Changes of layers that are not told apart.
    pub more: u64,
}

impl Layers {
    /// Takes in the change of a weight, which is called `name` there.
    pub fn add(&mut self, change: &Change, name: &str) {
        let (layer, own) = name.rsplit_once('/').unwrap_or(("", name));
        if !self.of.contains_key(layer) && self.of.len() >= LAYERS {
            self.more = self.more.saturating_add(1);
            return;
        }
        let rel_l2 = change.values.as_ref().and_then(|values| values.figures?.rel_l2).filter(|rel| !rel.is_nan());
        let of = self.of.entry(layer.to_owned()).or_default();
        of.changed = of.changed.saturating_add(1);
        of.largest = [of.largest, rel_l2].into_iter().flatten().reduce(f64::max);
        if of.weights.len() < WEIGHTS {
            of.weights.push(LayerWeight { name: own.to_owned(), status: change.status, rel_l2 });
        }
    }

    /// The layer that changed most first; those without a size behind them.
    pub fn finish(self) -> Vec<Layer> {
        let mut layers: Vec<Layer> = self.of.into_iter().map(|(name, layer)| Layer { name, ..layer }).collect();
        layers.sort_by(farther);
        layers
    }
}

fn farther(a: &Layer, b: &Layer) -> Ordering {
    let size = |layer: &Layer| layer.largest.unwrap_or(-1.0);
    size(b).total_cmp(&size(a)).then_with(|| a.name.cmp(&b.name))
}
