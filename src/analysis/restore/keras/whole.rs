//! Loading a whole model: what ends it besides its weights.

use serde_json::Value;

use super::objects::KerasProgram;
use super::opened::KerasModel;
use crate::analysis::restore::Raise;

/// Short names of losses that Keras 3 takes and does not find again in an `.h5`: it looks for metrics of that name.
const SHORT: &[&str] = &["mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "kld", "KLD", "bce", "BCE"];

/// Older names of losses, which it finds and takes for configurations.
const OLDER: &[&str] = &["kullback_leibler_divergence", "logcosh", "huber_loss"];

/// The error with which a model is not even made, by what it was compiled with.
pub(super) fn refused(model: &KerasModel, program: KerasProgram, by_lists: bool) -> Option<Raise> {
    if program != KerasProgram::Keras3 || !by_lists {
        return None;
    }
    let loss = model.training.as_ref()?.get("loss").and_then(Value::as_str)?;
    if SHORT.contains(&loss) {
        let message =
            format!("Could not deserialize 'keras.metrics.{loss}' because it is not a KerasSaveable subclass");
        return Some(Raise { class: "ValueError", message });
    }
    let message = "string indices must be integers, not 'str'".to_owned();
    OLDER.contains(&loss).then_some(Raise { class: "TypeError", message })
}
