//! Loading by lists of layers: `legacy_h5_format.py` of Keras 3 and `hdf5_format.py` of `tf_keras`, which write `.h5`.
//!
//! By topology the n-th layer with weights takes what the n-th layer of the file has, whatever it is called. By name a
//! layer takes what stands under its own.

use super::loading::Loading;
use super::messages::{NO_CAST, UNBUILT_OLD, tuple};
use super::objects::{KerasProgram, Objects, Which};
use super::saved::{Listed, Saved, Set};
use crate::analysis::restore::Raise;

/// How it is loaded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    pub(super) by_name: bool,
    pub(super) skips: bool,
}

struct Lists<'a> {
    objects: &'a Objects,
    saved: &'a Saved,
    program: KerasProgram,
    how: How,
    /// Whether the file does not say who wrote it, as none of Keras 1 does: its weights are converted.
    is_of_keras_1: bool,
    loading: Loading,
    /// What Keras 2 gives to its variables when everything is compared.
    pending: Vec<(Which, Set)>,
}

/// What Keras 2 says of options that do not go together.
pub(super) const SKIPS_BY_NAME: &str =
    "When calling model.load_weights, skip_mismatch can only be set to True when by_name is True.";

/// The error that ended it.
type Ended = Raise;

/// Loads a file into a model.
pub(super) fn load(objects: &Objects, saved: &Saved, program: KerasProgram, how: How) -> Loading {
    let is_of_keras_1 = saved.version.as_deref().is_none_or(|version| version == "1");
    let mut lists =
        Lists { objects, saved, program, how, is_of_keras_1, loading: Loading::default(), pending: Vec::new() };
    if let Err(raise) = lists.load(saved) {
        // Keras 2 has changed nothing yet.
        if program == KerasProgram::Keras2 {
            lists.loading.taken.clear();
        }
        lists.loading.raise = Some(raise);
    }
    lists.loading
}

fn value_error(message: String) -> Raise {
    Raise { class: "ValueError", message }
}

impl Lists<'_> {
    fn load(&mut self, saved: &Saved) -> Result<(), Ended> {
        if self.program == KerasProgram::Keras2 {
            if self.how.skips && !self.how.by_name {
                return Err(value_error(SKIPS_BY_NAME.to_owned()));
            }
            if self.objects.get(0).is_some_and(|root| !root.built) {
                return Err(value_error(UNBUILT_OLD.to_owned()));
            }
        }
        let Some(layers) = self.objects.unordered_layers(0) else {
            self.loading.doubt("the layers of the model".to_owned());
            return Ok(());
        };
        if self.how.by_name {
            self.by_name(&layers, saved)?;
        } else {
            self.by_order(&layers, saved)?;
        }
        self.top(saved)?;
        self.assign()
    }

    /// The weights of a layer, in the order of the lists.
    fn weights(&mut self, at: usize) -> Option<Vec<Which>> {
        let weights = self.objects.legacy_weights(at, self.program);
        if weights.is_none() {
            let name = self.objects.get(at).map(|object| object.name.clone()).unwrap_or_default();
            self.loading.doubt(format!("the weights of {name} and their order"));
        }
        weights
    }

    fn by_order(&mut self, layers: &[usize], saved: &Saved) -> Result<(), Ended> {
        let mut with_weights = Vec::new();
        for at in layers {
            match self.weights(*at) {
                Some(weights) if weights.is_empty() => {}
                weights => with_weights.push((*at, weights)),
            }
        }
        let stored: Vec<&Listed> = saved.listed.iter().filter(|listed| !listed.weights.is_empty()).collect();
        if stored.len() != with_weights.len() {
            return Err(value_error(format!(
                "Layer count mismatch when loading weights from file. Model expected {} layers, found {} saved layers.",
                with_weights.len(),
                stored.len()
            )));
        }
        if self.objects.layers(0).is_none() {
            self.loading.doubt("the order of the model's layers".to_owned());
            return Ok(());
        }
        for (k, (listed, (at, weights))) in stored.into_iter().zip(with_weights).enumerate() {
            let Some(weights) = weights else { continue };
            let name = self.objects.get(at).map(|object| object.name.as_str()).unwrap_or_default();
            let sets = self.given(at, values(listed)?)?;
            if sets.len() != weights.len() {
                return Err(value_error(format!(
                    "Weight count mismatch for layer #{k} (named {name} in the current model, {} in the save file). Layer \
                     expects {} weight(s). Received {} saved weight(s)",
                    listed.name,
                    weights.len(),
                    sets.len()
                )));
            }
            self.set(&weights, &sets, &format!("layer #{k} (named {name})"))?;
        }
        Ok(())
    }

    fn by_name(&mut self, layers: &[usize], saved: &Saved) -> Result<(), Ended> {
        if layers.iter().any(|at| self.objects.get(*at).is_some_and(|object| object.is_nameless)) {
            self.loading.doubt("the names of the model's layers, which Keras 2 leaves out of such a file".to_owned());
            return Ok(());
        }
        for (k, listed) in saved.listed.iter().enumerate() {
            let mut sets = values(listed)?;
            let called = |at: &&usize| self.objects.get(**at).is_some_and(|object| object.name == listed.name);
            let same: Vec<usize> = layers.iter().filter(called).copied().collect();
            for at in same {
                let Some(weights) = self.weights(at) else { continue };
                sets = self.given(at, sets)?;
                let name = &listed.name;
                if sets.len() != weights.len() {
                    let counts =
                        format!("Layer expects {} weight(s). Received {} saved weight(s)", weights.len(), sets.len());
                    if self.how.skips {
                        self.loading.warnings.push(format!(
                            "Skipping loading of weights for layer #{k} (named {name}) due to mismatch in number of weights. \
                             {counts}"
                        ));
                        continue;
                    }
                    return Err(value_error(format!("Weight count mismatch for layer #{k} (named {name}). {counts}")));
                }
                self.set(&weights, &sets, &format!("layer #{k} (named {name})"))?;
            }
        }
        Ok(())
    }

    /// The weights of the model itself.
    fn top(&mut self, saved: &Saved) -> Result<(), Ended> {
        let Some(top) = &saved.top else { return Ok(()) };
        let sets = all(top)?;
        let Some(own) = self.objects.get(0).and_then(|root| root.variables.as_ref()) else {
            self.loading.doubt("the model's own weights".to_owned());
            return Ok(());
        };
        let weights: Vec<Which> = (0..own.len()).map(|n| (0, n)).collect();
        if sets.len() == weights.len() {
            return self.set(&weights, &sets, "top-level model");
        }
        let counts =
            format!("{} top-level weight(s). Received {} saved top-level weight(s)", weights.len(), sets.len());
        if !self.how.by_name {
            return Err(value_error(format!(
                "Weight count mismatch for top-level weights when loading weights from file. Model expects {counts}"
            )));
        }
        if !self.how.skips {
            return Err(value_error(format!(
                "Weight count mismatch for top-level weights of model. Model expects {counts}"
            )));
        }
        self.loading.warnings.push(format!(
            "Skipping loading top-level weights for model due to mismatch in number of weights. Model expects {counts}"
        ));
        Ok(())
    }

    /// Gives the weights of one layer their values.
    fn set(&mut self, weights: &[Which], sets: &[Set], what: &str) -> Result<(), Ended> {
        for (which, set) in weights.iter().zip(sets) {
            let Some(variable) = self.objects.variable(*which) else { continue };
            if self.program == KerasProgram::Keras2 && !self.how.by_name {
                // Compared when it is assigned, after everything else.
                self.pending.push((*which, set.clone()));
                continue;
            }
            if self.loading.fits(self.objects, *which, set) {
                // Keras 2 assigns at the end.
                if self.program == KerasProgram::Keras3 && self.saved.is_opaque(set, self.program) {
                    return Err(value_error(NO_CAST.to_owned()));
                }
                self.loading.take(*which, set);
                continue;
            }
            let (wanted, found) = (tuple(variable.shape.as_deref().unwrap_or_default()), tuple(&set.shape));
            let path = &variable.path;
            let is_old = self.program == KerasProgram::Keras2;
            // Keras 3 leaves out a space.
            let (space, top) = (if is_old { " " } else { "" }, is_old && what == "top-level model");
            let shapes = format!("Weight expects shape {wanted}. Received saved weight with shape {found}");
            if self.how.skips {
                let why =
                    if top { "top-level weight for model ".to_owned() } else { format!("weights for {what}{space}") };
                let why = format!("{why}due to mismatch in shape for weight {path}");
                self.loading.warnings.push(format!("Skipping loading {why}. {shapes}"));
                continue;
            }
            let why = if top { "model for top-level weight ".to_owned() } else { format!("{what}{space}for weight ") };
            let why = format!("{why}{path}");
            return Err(value_error(format!("Shape mismatch in {why}. {shapes}")));
        }
        Ok(())
    }

    /// What Keras 2 assigns at the end, all together.
    fn assign(&mut self) -> Result<(), Ended> {
        let opaque = |set: &Set| self.program == KerasProgram::Keras2 && self.saved.is_opaque(set, self.program);
        let mut error = None;
        if self.loading.taken.iter().any(|(_, set)| opaque(set)) {
            error = Some(value_error(NO_CAST.to_owned()));
        }
        for (which, set) in std::mem::take(&mut self.pending) {
            if error.is_none() && self.saved.is_opaque(&set, self.program) {
                error = Some(value_error(NO_CAST.to_owned()));
            }
            if self.loading.fits(self.objects, which, &set) {
                if error.is_none() {
                    self.loading.take(which, &set);
                }
            } else if let (None, Some(variable)) = (&error, self.objects.variable(which)) {
                let message = super::messages::other_shape(variable, &set, self.program);
                error = Some(value_error(message));
            }
        }
        error.map_or(Ok(()), Err)
    }

    /// What a layer is given: Keras 2 converts it on the way.
    fn given(&mut self, at: usize, sets: Vec<Set>) -> Result<Vec<Set>, Ended> {
        if self.program != KerasProgram::Keras2 {
            return Ok(sets);
        }
        let Some(object) = self.objects.get(at) else { return Ok(sets) };
        let class = object.class.as_deref().unwrap_or_default();
        if matches!(class, "CuDNNLSTM" | "CuDNNGRU") || self.is_of_keras_1 {
            let why = format!("what Keras converts for {} ({class})", object.name);
            self.loading.doubt(why);
        }
        self.objects.converted(at, sets, 0)
    }
}

/// The data sets of a layer; one that a list has and the file has not ends it.
fn values(listed: &Listed) -> Result<Vec<Set>, Ended> {
    all(&listed.weights)
}

fn all(weights: &[(String, Option<Set>)]) -> Result<Vec<Set>, Ended> {
    let of = |(name, set): &(String, Option<Set>)| {
        set.clone().ok_or_else(|| Raise { class: "KeyError", message: format!("'{name}'") })
    };
    weights.iter().map(of).collect()
}
