//! What Keras 2 makes of the weights of a layer before it takes them: `preprocess_weights_for_loading`.
//!
//! Kernels of convolutions whose shape differs are turned around, whatever they are; recurrent layers compare the bias
//! first, to tell weights of cuDNN; models within models are taken apart and put together, layer by layer.

use super::messages::tuple;
use super::objects::{DEPTH, KerasProgram, Kind, Objects};
use super::saved::Set;
use crate::analysis::restore::Raise;

fn error(class: &'static str, message: impl Into<String>) -> Raise {
    Raise { class, message: message.into() }
}

impl Objects {
    /// The data sets as the layer gets them.
    pub(super) fn converted(&self, at: usize, mut sets: Vec<Set>, depth: usize) -> Result<Vec<Set>, Raise> {
        let Some(object) = self.get(at).filter(|object| depth <= DEPTH && !object.is_flat) else { return Ok(sets) };
        let class = object.class.clone().unwrap_or_default();
        let inner = |name: &str| {
            object.attributes.iter().find_map(|(attribute, held)| match held {
                super::objects::Held::One(at) if attribute == name => Some(*at),
                _ => None,
            })
        };
        match class.as_str() {
            "Bidirectional" => {
                let half = sets.len() / 2;
                let back = sets.split_off(half);
                let (forward, backward) = (inner("forward_layer"), inner("backward_layer"));
                let mut all = match forward {
                    Some(at) => self.converted(at, sets, depth.saturating_add(1))?,
                    None => sets,
                };
                all.extend(match backward {
                    Some(at) => self.converted(at, back, depth.saturating_add(1))?,
                    None => back,
                });
                return Ok(all);
            }
            "TimeDistributed" => {
                return match inner("layer") {
                    Some(at) => self.converted(at, sets, depth.saturating_add(1)),
                    None => Ok(sets),
                };
            }
            "Model" | "Sequential" | "Functional" if object.kind == Kind::Model => {
                return self.taken_apart(at, sets, depth);
            }
            _ => {}
        }
        if matches!(class.as_str(), "Conv1D" | "Conv2D" | "Conv3D" | "Conv2DTranspose" | "ConvLSTM2D") {
            self.turned(at, &class, &mut sets)?;
        }
        if matches!(class.as_str(), "LSTM" | "GRU") && sets.len() == 3 {
            self.recurrent(at, &class, &mut sets)?;
        }
        Ok(sets)
    }

    fn taken_apart(&self, at: usize, mut trained: Vec<Set>, depth: usize) -> Result<Vec<Set>, Raise> {
        let counts = |at: usize| {
            let weights = self.legacy_weights(at, KerasProgram::Keras2)?;
            let is_trained = self.get(at)?.trainable;
            let trained = weights.iter().filter(|which| {
                is_trained && self.trains(at, which.0) && self.variable(**which).is_some_and(|v| v.trainable)
            });
            Some((trained.count(), weights.len()))
        };
        let Some((first, _)) = counts(at) else { return Ok(trained) };
        let mut untrained = trained.split_off(first.min(trained.len()));
        let (mut all, mut then) = (Vec::new(), Vec::new());
        for layer in self.layers(at).unwrap_or_default() {
            let Some((n, of)) = counts(*layer) else { return Ok(all) };
            if of == 0 {
                continue;
            }
            let rest = trained.split_off(n.min(trained.len()));
            let rest_untrained = untrained.split_off(of.saturating_sub(n).min(untrained.len()));
            let own = trained.into_iter().chain(untrained).collect();
            let mut own = self.converted(*layer, own, depth.saturating_add(1))?;
            then.extend(own.split_off(n.min(own.len())));
            all.extend(own);
            (trained, untrained) = (rest, rest_untrained);
        }
        all.extend(then);
        Ok(all)
    }

    /// Whether everything between a layer and one within it is trained.
    fn trains(&self, from: usize, to: usize) -> bool {
        fn find(objects: &Objects, at: usize, to: usize, depth: usize) -> Option<bool> {
            let object = objects.get(at).filter(|_| depth <= DEPTH)?;
            if at == to {
                return Some(object.trainable);
            }
            let below =
                object.layers.as_ref()?.iter().find_map(|layer| find(objects, *layer, to, depth.saturating_add(1)))?;
            Some(below && object.trainable)
        }
        find(self, from, to, 0).unwrap_or(true)
    }

    /// A kernel of another shape is taken for one of Theano.
    fn turned(&self, at: usize, class: &str, sets: &mut [Set]) -> Result<(), Raise> {
        let first = self.legacy_weights(at, KerasProgram::Keras2).and_then(|weights| weights.first().copied());
        let Some(shape) = first.and_then(|first| self.variable(first)?.shape.clone()) else { return Ok(()) };
        let Some(kernel) = sets.first() else { return Err(error("IndexError", "list index out of range")) };
        if kernel.shape == shape {
            return Ok(());
        }
        let count = if class == "ConvLSTM2D" { 2 } else { 1 };
        for set in sets.iter_mut().take(count) {
            let [a, b, c, d] = set.shape.as_slice() else { return Err(error("ValueError", "axes don't match array")) };
            set.shape = vec![*d, *c, *a, *b];
        }
        Ok(())
    }

    fn recurrent(&self, at: usize, class: &str, sets: &mut [Set]) -> Result<(), Raise> {
        let [_, recurrent, bias] = sets else { return Ok(()) };
        let units = recurrent.shape.first().copied().unwrap_or(0);
        let gates = if class == "LSTM" { 4 } else { 3 };
        let one = units.saturating_mul(gates);
        let both = one.saturating_mul(2);
        let shape = bias.shape.clone();
        if class == "LSTM" {
            if shape == [both] {
                bias.shape = vec![one];
            } else if shape != [one] {
                return Err(error("ValueError", format!("Invalid bias shape: {}", tuple(&shape))));
            }
            return Ok(());
        }
        let after = |yes: bool| if yes { "GRU(reset_after=True)" } else { "GRU(reset_after=False)" };
        let source = match shape.as_slice() {
            [n] if *n == both => "CuDNNGRU",
            [2, n] if *n == one => after(true),
            [n] if *n == one => after(false),
            _ => return Err(error("ValueError", format!("Invalid bias shape: {}", tuple(&shape)))),
        };
        let weights = self.legacy_weights(at, KerasProgram::Keras2).unwrap_or_default();
        let own = weights.get(2).and_then(|which| self.variable(*which)?.shape.clone());
        let Some(own) = own else { return Ok(()) };
        let target = after(own.len() == 2);
        if source == target {
            return Ok(());
        }
        if source == after(false) || target == after(false) {
            return Err(error("ValueError", format!("{source} is not compatible with {target}")));
        }
        bias.shape = vec![2, one];
        Ok(())
    }
}
