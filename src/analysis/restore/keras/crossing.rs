//! One side is Keras', the other TensorFlow's: a file of Keras for a saver, a checkpoint for `load_weights`.

use super::objects::KerasProgram;
use super::opened::KerasModel;
use super::outcome::restore;
use crate::analysis::restore::prediction::KerasOutcome;
use crate::analysis::restore::{Hint, Raise, Restore, RestoreOptions};
use crate::read::checkpoint::Checkpoint;
use crate::read::formats::bundle::BundleFiles;
use crate::read::formats::keras::KerasFile;

/// What a model is to Keras.
#[derive(Clone, Copy, Debug)]
pub(in crate::analysis::restore) enum Side<'a> {
    Keras(&'a KerasModel),
    /// What a v1 `Saver` restores.
    Saver,
    /// What `tf.train.Checkpoint` restores.
    Checkpoint,
    /// What neither reads.
    Foreign,
}

/// Predicts it where at least one side is Keras'; `None` where none is, or what the other is reads nobody.
pub(in crate::analysis::restore) fn of_both(
    checkpoint: &Checkpoint,
    model: Side<'_>,
    options: &RestoreOptions,
    base: impl FnOnce() -> Restore,
) -> Option<Restore> {
    let is_keras = checkpoint.of_format::<KerasFile>().is_some_and(KerasFile::is_keras);
    match model {
        Side::Keras(model) if is_keras => Some(restore(checkpoint, model, options, base())),
        Side::Keras(model) if checkpoint.of_format::<BundleFiles>().is_some() => loaded(model, options, base()),
        Side::Saver if is_keras => Some(opened("tf.compat.v1.train.Saver.restore", base())),
        Side::Checkpoint if is_keras => Some(opened("tf.train.Checkpoint.restore", base())),
        _ => None,
    }
}

/// A saver opens the file as a table.
fn opened(call: &'static str, base: Restore) -> Restore {
    let file = base.checkpoint.display();
    let message = format!(
        "Unable to open table file {file}: DATA_LOSS: not an sstable (bad magic number): perhaps your file is in a different \
         file format and you need to use a different restore operator?"
    );
    let hint = Hint::from(
        "TensorFlow's savers read no file of Keras: load it in Keras, with model.load_weights, and save the model as a \
         checkpoint from there"
            .to_owned(),
    );
    Restore { call, raises: vec![Raise { class: "DataLossError", message }], hints: vec![hint], ..base }
}

/// Which Keras loads into a model what is no file of Keras.
pub(in crate::analysis::restore) fn program_of(model: &KerasModel, options: &RestoreOptions) -> KerasProgram {
    options.keras.or(model.writer).unwrap_or(KerasProgram::Keras3)
}

/// `load_weights` of a prefix: Keras 3 refuses it; what Keras 2 does is that of `trackable`.
fn loaded(model: &KerasModel, options: &RestoreOptions, base: Restore) -> Option<Restore> {
    let program = program_of(model, options);
    if program == KerasProgram::Keras2 {
        return None;
    }
    let file = base.checkpoint.display();
    let message = format!(
        "File format not supported: filepath={file}. Keras 3 only supports V3 `.keras` files, `.weights.h5` files, legacy H5 \
         format files (`.h5` extension), or Orbax checkpoints."
    );
    let hint = Hint::from(
        "Keras 3 loads no checkpoint of TensorFlow by load_weights: tf.train.Checkpoint(model=model).restore(PREFIX) restores one \
         that was saved so; one of save_weights of Keras 2 loads in tf_keras, which can save it as .h5"
            .to_owned(),
    );
    let keras = Some(KerasOutcome { program, by: "path" });
    let raises = vec![Raise { class: "ValueError", message }];
    Some(Restore { call: "model.load_weights", keras, raises, hints: vec![hint], ..base })
}
