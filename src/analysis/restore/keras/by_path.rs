//! Loading by the paths of objects: `saving_lib.py` of Keras 3 and of `tf_keras`, which write `.keras` and `.weights.h5`.
//!
//! Keras 3 goes through everything, keeps the errors, and raises once, at the end; Keras 2 raises the first. An object
//! that failed is tried again wherever else the model holds it.

use std::collections::BTreeSet;

use super::loading::Loading;
use super::messages::{NO_CAST, UNBUILT, failures, optimizer, other_count, other_shape, shown};
use super::objects::{DEPTH, Held, KerasProgram, Kind, Objects, joined, scales_loss};
use super::saved::{Group, Saved};
use crate::analysis::restore::Raise;

/// Objects that failed, in the order in which they did so first, with their last errors.
type Failed = Vec<(usize, String)>;

struct Walk<'a> {
    objects: &'a Objects,
    saved: &'a Saved,
    program: KerasProgram,
    skips: bool,
    seen: BTreeSet<usize>,
    loading: Loading,
}

/// Whether a walk goes on: Keras 2 ends with the first error.
type Ended = Raise;

fn value_error(message: String) -> Raise {
    Raise { class: "ValueError", message }
}

/// `tf_keras`: the warning about an optimizer with other variables asks for a name that this one has not
/// (`optimizers/optimizer.py`).
fn nameless() -> Raise {
    Raise { class: "AttributeError", message: "'LossScaleOptimizerV3' object has no attribute 'name'".to_owned() }
}

/// Loads a file into a model.
pub(super) fn load(objects: &Objects, saved: &Saved, program: KerasProgram, skips: bool) -> Loading {
    let mut walk = Walk { objects, saved, program, skips, seen: BTreeSet::new(), loading: Loading::default() };
    let is_built = objects.get(0).is_none_or(|root| root.built);
    if program == KerasProgram::Keras3 && !is_built {
        walk.loading.raise = Some(Raise { class: "ValueError", message: UNBUILT.to_owned() });
        return walk.loading;
    }
    // A class of the program has its layers in a list too, in the order in which it made them: a file of the other Keras
    // is looked up there.
    let is_class = objects.get(0).is_some_and(|root| root.kind == Kind::Subclass);
    if program == KerasProgram::Keras3 && is_class && saved.has_path("layers") {
        walk.loading.doubt("the order in which the model made its layers".to_owned());
        walk.loading.is_open = true;
    }
    if objects.get(0).is_some_and(|root| !root.is_complete) {
        walk.loading.doubt("by which attributes the model's class holds its layers".to_owned());
        walk.loading.is_open = true;
    }
    let mut failed = Failed::new();
    let is_there = saved.group("", false).is_some();
    if let Some(has) = objects.loss_scaled.filter(|_| is_there && !skips)
        && saved.group("optimizer", false).map_or(0, |group| group.sets.len()) != has
    {
        walk.loading.raise = Some(nameless());
        return walk.loading;
    }
    match walk.object(0, "", &mut failed, 0) {
        Err(raise) => walk.loading.raise = Some(raise),
        Ok(()) if !failed.is_empty() => {
            let of = |(at, error): &(usize, String)| {
                let object = objects.get(*at).map(|object| shown(object, program));
                (object.unwrap_or_default(), error.clone())
            };
            let mut all: Vec<(String, String)> = failed.iter().map(of).collect();
            // Which comes first is not known of layers that only a file tells of.
            let message_of = |all: &[(String, String)]| match walk.loading.unknown.as_slice() {
                [] => failures(all),
                // Whatever is not known may have failed too.
                _ => "A total of … objects could not be loaded. Example error message for object …".to_owned(),
            };
            if all.len() > 1 && objects.get(0).is_some_and(|root| root.layers.is_none()) {
                all.fill(("…".to_owned(), "…".to_owned()));
            }
            let message = message_of(&all);
            if skips {
                walk.loading.warnings.push(message);
            } else {
                walk.loading.raise = Some(value_error(message));
            }
        }
        Ok(()) => {}
    }
    walk.loading
}

impl Walk<'_> {
    fn object(&mut self, at: usize, path: &str, failed: &mut Failed, depth: usize) -> Result<(), Ended> {
        if depth > DEPTH || self.seen.contains(&at) {
            return Ok(());
        }
        let mut failure = false;
        if let Err(error) = self.own(at, path) {
            match self.program {
                KerasProgram::Keras3 => {
                    match failed.iter_mut().find(|(other, _)| *other == at) {
                        Some((_, last)) => *last = error.message,
                        None => failed.push((at, error.message)),
                    }
                    failure = true;
                }
                KerasProgram::Keras2 if self.skips => {
                    let object = self.objects.get(at).map(|object| shown(object, self.program)).unwrap_or_default();
                    self.loading.errors.push(error.message.clone());
                    self.loading.warnings.push(format!(
                        "Could not load weights in object {object}. Skipping object. Exception encountered: {}",
                        error.message
                    ));
                }
                KerasProgram::Keras2 => return Err(error),
            }
        }
        if self.program == KerasProgram::Keras2 {
            self.seen.insert(at);
        }
        let before = failed.len();
        for (attribute, held) in self.objects.walk(at, self.program) {
            self.held(held, &joined(path, attribute), failed, depth.saturating_add(1))?;
        }
        if self.program == KerasProgram::Keras3 && !failure {
            if failed.len() <= before {
                self.seen.insert(at);
            }
            failed.retain(|(other, _)| *other != at);
        }
        let is_known = self.objects.get(at).is_none_or(|object| object.is_complete);
        if !is_known {
            let name = self.objects.get(at).map(|object| object.name.clone()).unwrap_or_default();
            self.loading.doubt(format!("which layers are within {name}"));
        }
        Ok(())
    }

    fn held(&mut self, held: &Held, path: &str, failed: &mut Failed, depth: usize) -> Result<(), Ended> {
        match held {
            Held::One(at) => self.object(*at, path, failed, depth),
            Held::Many(_) if depth > DEPTH => Ok(()),
            Held::Many(list) => {
                // What a list calls an object by is made of its class.
                for held in list {
                    if let Held::One(at) = held
                        && self.saved.has_path(path)
                        && let Some(object) = self.objects.get(*at).filter(|object| object.class.is_none())
                        && !self.objects.is_empty(*at, 0)
                    {
                        self.loading.doubt(format!("the class of {}", object.name));
                        self.loading.is_open = true;
                    }
                }
                let seen = self.seen.clone();
                for (segment, held) in self.objects.segments(list, self.program, &|at| seen.contains(&at)) {
                    let path = joined(path, &segment);
                    if matches!(held, Held::One(_)) || self.saved.has_path(&path) {
                        self.held(held, &path, failed, depth.saturating_add(1))?;
                        continue;
                    }
                    // A list in a list that the file does not have: what is in it stays as it is, with a warning.
                    let mut apart = Failed::new();
                    self.held(held, &path, &mut apart, depth.saturating_add(1))?;
                    if !apart.is_empty() {
                        self.loading.warnings.push(format!(
                            "Skipping nested container at '{path}': no matching group found in the saved file. This usually \
                             means the file was saved with a Keras version that did not serialize sublayers nested inside \
                             containers. Affected layers will retain their freshly-initialized weights."
                        ));
                    }
                }
                Ok(())
            }
        }
    }

    /// What an object does with the variables of its group.
    fn own(&mut self, at: usize, path: &str) -> Result<(), Ended> {
        let Some(object) = self.objects.get(at) else { return Ok(()) };
        if object.kind == Kind::Silent {
            return Ok(());
        }
        let is_old = self.program == KerasProgram::Keras2;
        if is_old && path.is_empty() && self.saved.group("", false).is_none() {
            return Err(no_object("vars"));
        }
        let empty = Group::default();
        let group = self.saved.group(path, !is_old).unwrap_or(&empty);
        let Some(variables) = &object.variables else {
            let class = object.class.as_deref().unwrap_or("its class");
            self.loading.doubt(format!("the variables of {} ({class})", object.name));
            return Ok(());
        };
        if object.is_flat {
            self.loading.doubt(format!("which variables are {}'s own, and which of what is in it", object.name));
            return Ok(());
        }
        // With LoRA it takes what it needs, and looks at nothing else.
        let has_lora = object.changed.is_some_and(|changed| changed.has_lora);
        if group.sets.len() != variables.len() && !has_lora {
            if object.kind == Kind::Optimizer && is_old && object.class.as_deref().is_some_and(scales_loss) {
                return Err(nameless());
            }
            if object.kind == Kind::Optimizer {
                self.loading.warnings.push(optimizer(object, variables.len(), group.sets.len()));
                return Ok(());
            }
            return Err(value_error(other_count(object, variables, group.sets.len(), self.program)));
        }
        let mut error = None;
        for (n, variable) in variables.iter().enumerate() {
            let Some(set) = group.sets.get(&n.to_string()) else {
                let absent = Raise { class: "KeyError", message: format!("'{n}'") };
                let missing = if is_old { no_object(&n.to_string()) } else { absent };
                return Err(error.unwrap_or(missing));
            };
            // What comes behind the first that does not fit stays as it is, and is compared all the same.
            if self.saved.is_opaque(set, self.program) {
                error.get_or_insert_with(|| value_error(NO_CAST.to_owned()));
            }
            if self.loading.fits(self.objects, (at, n), set) {
                if error.is_none() {
                    self.loading.take((at, n), set);
                }
            } else if error.is_none() {
                error = Some(value_error(other_shape(variable, set, self.program)));
            }
        }
        error.map_or(Ok(()), Err)
    }
}

/// What h5py says of a name that is not there.
fn no_object(name: &str) -> Raise {
    let message = format!("\"Unable to synchronously open object (object '{name}' doesn't exist)\"");
    Raise { class: "KeyError", message }
}
