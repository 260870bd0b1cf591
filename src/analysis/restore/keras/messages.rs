//! What Keras says, word by word.

use super::objects::{KerasProgram, Object, Variable};
use super::saved::Set;

/// A shape as Python prints a tuple.
pub(super) fn tuple(shape: &[u64]) -> String {
    match shape {
        [only] => format!("({only},)"),
        many => format!("({})", many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// A list of strings as Python prints it.
pub(super) fn list(names: &[String]) -> String {
    let quoted = |name: &String| {
        let quote = if name.contains('\'') && !name.contains('"') { '"' } else { '\'' };
        format!("{quote}{name}{quote}")
    };
    format!("[{}]", names.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

/// How Keras 3 prints an object.
pub(super) fn shown(object: &Object, program: KerasProgram) -> String {
    let class = object.class.as_deref().unwrap_or("…");
    match (program, object.kind) {
        (_, super::objects::Kind::Optimizer) => {
            let module =
                if class == "LossScaleOptimizer" { "loss_scale_optimizer".to_owned() } else { class.to_lowercase() };
            format!("<keras.src.optimizers.{module}.{class} object at 0x…>")
        }
        (KerasProgram::Keras3, _) => {
            let built = if object.built { "True" } else { "False" };
            format!("<{class} name={}, built={built}>", object.called())
        }
        (KerasProgram::Keras2, _) => format!("<{class} object at 0x…>"),
    }
}

/// A layer whose group has another number of variables.
pub(super) fn other_count(object: &Object, variables: &[Variable], found: usize, program: KerasProgram) -> String {
    let name = object.called();
    if program == KerasProgram::Keras3 && variables.is_empty() && !object.built {
        return format!(
            "Layer '{name}' was never built and thus it doesn't have any variables. However the weights file lists {found} \
             variables for this layer.\nIn most cases, this error indicates that either:\n\n1. The layer is owned by a parent \
             layer that implements a `build()` method, but calling the parent's `build()` method did NOT create the state of \
             the child layer '{name}'. A `build()` method must create ALL state for the layer, including the state of any \
             children layers.\n\n2. You need to implement the `def build_from_config(self, config)` method on layer \
             '{name}', to specify how to rebuild it during loading. In this case, you might also want to implement the method \
             that generates the build config at saving time, `def get_build_config(self)`. The method `build_from_config()` \
             is meant to create the state of the layer (i.e. its variables) upon deserialization."
        );
    }
    let mut variables: Vec<&Variable> = variables.iter().collect();
    if object.changed.is_some() {
        // As it has them: those that are trained first, of these what quantization added first.
        let is_own = |variable: &Variable| matches!(variable.name.as_str(), "kernel" | "embeddings" | "bias");
        variables.sort_by_key(|variable| (!variable.trainable, variable.trainable && is_own(variable)));
    }
    let names: Vec<String> = variables
        .iter()
        .map(|variable| match program {
            KerasProgram::Keras3 => variable.name.clone(),
            KerasProgram::Keras2 => variable.path.clone(),
        })
        .map(|name| if name.is_empty() { "…".to_owned() } else { name })
        .collect();
    format!(
        "Layer '{name}' expected {} variables, but received {found} variables during loading. Expected: {}",
        variables.len(),
        list(&names)
    )
}

/// A variable that is given a value of another shape.
pub(super) fn other_shape(variable: &Variable, set: &Set, program: KerasProgram) -> String {
    let (wanted, found) = (tuple(variable.shape.as_deref().unwrap_or_default()), tuple(&set.shape));
    let path = &variable.path;
    match program {
        // What follows is the value that the variable has.
        KerasProgram::Keras3 => format!(
            "The shape of the target variable and the shape of the target value in `variable.assign(value)` must match. \
             variable.shape={wanted}, Received: value.shape={found}. Target variable: <Variable path={path}, \
             shape={wanted}, …>"
        ),
        KerasProgram::Keras2 => format!(
            "Cannot assign value to variable ' {path}': Shape mismatch.The variable shape {wanted}, and the assigned value \
             shape {found} are incompatible."
        ),
    }
}

/// What Keras 3 says at the end of a load in which objects failed.
pub(super) fn failures(failed: &[(String, String)]) -> String {
    let (first, error) = failed.first().cloned().unwrap_or_default();
    let all: Vec<&str> = failed.iter().map(|(object, _)| object.as_str()).collect();
    format!(
        "A total of {} objects could not be loaded. Example error message for object {first}:\n\n{error}\n\nList of objects \
         that could not be loaded:\n[{}]",
        failed.len(),
        all.join(", ")
    )
}

/// What is said of an optimizer that has other variables.
pub(super) fn optimizer(object: &Object, has: usize, found: usize) -> String {
    let unbuilt = if has == 0 { "This is likely because the optimizer has not been called/built yet." } else { "" };
    format!(
        "Skipping variable loading for optimizer '{}', because it has {has} variables whereas the saved optimizer has {found} \
         variables. {unbuilt}",
        object.name
    )
}

/// What is said of bfloat16 that h5py reads as two bytes.
pub(super) const NO_CAST: &str = "No cast function available.";

/// A model that has not made its variables.
pub(super) const UNBUILT: &str = "You are loading weights into a model that has not yet been built. Try building the model \
     first by calling it on some data or by using `build()`.";

/// The same of Keras 2, for the older files.
pub(super) const UNBUILT_OLD: &str = "Unable to load weights saved in HDF5 format into a subclassed Model which has not \
     created its variables yet. Call the Model first, then load the weights.";
