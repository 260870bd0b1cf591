//! What Keras would do: `load_weights`, by the paths of objects, by topology and by name, and `load_model`.
//!
//! `opened` reads what the user names as the model, `configured` makes the `objects` of a configuration (with the
//! `parts` and the `shapes` that each class makes, and what is `propagate`d to the next, the `equation` of one class,
//! and what a `change` like being `quantized` makes of it), `filled` takes from weights what is known by them
//! (`classes` by their names). `saved` is the file as loaders look into it; `by_path` and `listed` are the two loaders,
//! `converted` what Keras 2 does on the way, `messages` their words, `loading` what comes of them. `judged` compares it
//! with what was meant, `ways` chooses between them, `outcome` puts it together, `advice` says what helps. `crossing`
//! is for pairs of which one side is TensorFlow's, `trackable` for what `tf_keras` restores by objects.

mod advice;
mod answer;
mod by_path;
mod change;
mod classes;
mod configured;
mod converted;
mod crossing;
mod equation;
mod filled;
mod judged;
mod listed;
mod loading;
mod messages;
mod objects;
mod opened;
mod outcome;
mod parts;
mod propagate;
mod quantized;
mod saved;
mod shapes;
mod trackable;
mod ways;
mod whole;

pub use objects::KerasProgram;

pub(super) use crossing::{Side, of_both, program_of};
pub(super) use opened::{KerasModel, open};
pub(super) use trackable::{told, trackables};
