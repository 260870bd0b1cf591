//! What a user names as the model, of Keras: a file with a configuration, weights, or both.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::configured::configured;
use super::filled::of_groups;
use super::judged::{Owner, of_model};
use super::objects::{KerasProgram, Objects, Which, scales_loss};
use super::saved::Saved;
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::read::checkpoint::{Checkpoint, Choice};
use crate::read::container::Tensor;
use crate::read::formats::keras::KerasFile;
use crate::read::storage::{self, Source};
use crate::read::tensor::{DType, Shape};

/// A model of Keras.
#[derive(Clone, Debug, Default)]
pub(in crate::analysis::restore) struct KerasModel {
    pub(super) path: PathBuf,
    /// Its configuration.
    pub(super) config: Option<Value>,
    /// Its weights.
    pub(super) saved: Option<Saved>,
    /// How it was compiled, where that stands beside the configuration.
    pub(super) training: Option<Value>,
    /// Which Keras wrote it, as far as it says.
    pub(super) writer: Option<KerasProgram>,
}

impl KerasModel {
    /// Opens a configuration that is a file of its own: `config.json` of an archive, or what `to_json` gives. `None` if it
    /// is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(in crate::analysis::restore) fn open_json(path: &Path, limits: &Limits) -> Result<Option<Self>> {
        if path.extension().is_none_or(|extension| extension != "json") || !storage::is_file(path) {
            return Ok(None);
        }
        let source = Source::open(path)?;
        if source.len() > limits.message {
            return Ok(None);
        }
        let bytes = source.head(source.len())?;
        let Ok(json) = serde_json::from_slice::<Value>(&bytes) else { return Ok(None) };
        if json.get("class_name").is_none_or(|class| !class.is_string()) || json.get("config").is_none() {
            return Ok(None);
        }
        let writer = writer_of_config(&json);
        Ok(Some(Self { path: path.to_path_buf(), config: Some(json), writer, ..Self::default() }))
    }

    /// The model of a file; `None` if it is not Keras'.
    pub(in crate::analysis::restore) fn of_checkpoint(path: &Path, checkpoint: &Checkpoint) -> Option<Self> {
        let file = checkpoint.of_format::<KerasFile>().filter(|file| file.is_keras())?;
        let saved = Saved::of(checkpoint)?;
        let text = file.facts().config.as_deref();
        let config: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
        let by_version = saved.version.as_deref().and_then(|version| match version.split('.').next()? {
            "3" => Some(KerasProgram::Keras3),
            "1" | "2" => Some(KerasProgram::Keras2),
            _ => None,
        });
        // Keras 3 gives every group the name of its object; Keras 2 writes the metrics.
        let by_groups = || {
            let named = saved.groups.values().any(|group| group.name.is_some());
            let is_old = saved.has_path("metrics") || saved.has_path("_layer_checkpoint_dependencies");
            (!saved.is_listed && (named || is_old)).then_some(if named {
                KerasProgram::Keras3
            } else {
                KerasProgram::Keras2
            })
        };
        let writer = by_version.or_else(|| config.as_ref().and_then(writer_of_config)).or_else(by_groups);
        let training = file.facts().training_config.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Some(Self { path: path.to_path_buf(), config, training, saved: Some(saved), writer })
    }

    /// Its objects, as one Keras has them.
    pub(super) fn objects(&self, program: KerasProgram) -> Objects {
        let of_config = self.config.as_ref().and_then(|config| configured(config, program));
        let writer = self.writer.unwrap_or(program);
        match (of_config, &self.saved) {
            // What one Keras calls otherwise is found by what it is called in the other.
            (Some(mut objects), Some(_)) if writer != program => {
                objects.take_shapes(&self.objects(writer));
                objects
            }
            (Some(mut objects), Some(saved)) => {
                if saved.is_listed {
                    objects.fill_listed(saved, writer);
                    if program == KerasProgram::Keras2
                        && let Some(training) = &self.training
                    {
                        objects.add_metrics(training);
                        let class = training.pointer("/optimizer_config/class_name").and_then(Value::as_str);
                        objects.loss_scaled = class.filter(|class| scales_loss(class)).map(|_| saved.optimizer_weights);
                    }
                } else {
                    objects.fill(saved, writer);
                }
                objects
            }
            (Some(objects), None) => objects,
            (None, Some(saved)) if saved.is_listed => Objects::of_lists(saved),
            (None, Some(saved)) => of_groups(saved, writer),
            (None, None) => Objects::default(),
        }
    }

    /// Its objects by its configuration alone, as loading a whole model makes them.
    pub(super) fn configured(&self, program: KerasProgram) -> Option<Objects> {
        configured(self.config.as_ref()?, program)
    }

    /// The variables that it wants, as tensors without values.
    pub(in crate::analysis::restore) fn wanted(&self) -> Vec<Tensor> {
        let objects = self.objects(self.writer.unwrap_or(KerasProgram::Keras3));
        let of = |(which, identity): (Which, Owner)| {
            let dims = objects.variable(which).filter(|_| objects.is_of_model(which.0))?.shape.clone()?;
            let dims: Vec<i64> = dims.iter().map(|dim| i64::try_from(*dim).unwrap_or(i64::MAX)).collect();
            Some(Tensor::without_values(identity.shown().as_bytes(), DType::Float32, Shape::new(dims)))
        };
        of_model(&objects).into_iter().filter_map(of).collect()
    }

    /// What it is, in a few words.
    pub(in crate::analysis::restore) fn what(&self) -> String {
        let by = match self.writer {
            Some(KerasProgram::Keras3) => " of Keras 3",
            Some(KerasProgram::Keras2) => " of Keras 2",
            None => "",
        };
        match (&self.config, &self.saved) {
            (Some(_), Some(_)) => format!("a Keras model{by}"),
            (Some(_), None) => format!("the configuration of a Keras model{by}"),
            _ => format!("a Keras model{by}, by its weights"),
        }
    }
}

/// Which Keras wrote a configuration, by words that only one of them has.
fn writer_of_config(json: &Value) -> Option<KerasProgram> {
    fn find(value: &Value, depth: usize) -> Option<KerasProgram> {
        if depth > super::objects::DEPTH {
            return None;
        }
        match value {
            Value::Object(object) => {
                if object.contains_key("batch_input_shape") {
                    return Some(KerasProgram::Keras2);
                }
                if object.contains_key("batch_shape")
                    || object.get("class_name").is_some_and(|class| class == "DTypePolicy")
                {
                    return Some(KerasProgram::Keras3);
                }
                match object.get("module").and_then(Value::as_str) {
                    Some(module) if module.starts_with("tf_keras") => return Some(KerasProgram::Keras2),
                    Some(module) if module.starts_with("keras.src") => return Some(KerasProgram::Keras3),
                    _ => {}
                }
                object.values().find_map(|value| find(value, depth.saturating_add(1)))
            }
            Value::Array(all) => all.iter().find_map(|value| find(value, depth.saturating_add(1))),
            _ => None,
        }
    }
    let version = json.get("keras_version").and_then(Value::as_str);
    match version.and_then(|version| version.split('.').next()) {
        Some("3") => Some(KerasProgram::Keras3),
        Some("1" | "2") => Some(KerasProgram::Keras2),
        _ => find(json, 0),
    }
}

/// Opens a model of Keras; `None` if the path is another kind of model.
///
/// # Errors
/// If it is one, and cannot be read.
pub(in crate::analysis::restore) fn open(path: &Path, limits: &Limits) -> Result<Option<KerasModel>> {
    if let Some(model) = KerasModel::open_json(path, limits)? {
        return Ok(Some(model));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // What another `.json` is, is told from what is in it; a list of a set is a checkpoint.
    if !name.ends_with(".weights.json") {
        return Ok(None);
    }
    let checkpoint = Checkpoint::open(path, Choice::default(), limits)?;
    Ok(KerasModel::of_checkpoint(path, &checkpoint))
}
