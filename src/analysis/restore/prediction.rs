//! What a restore would do, as data: what fits, what is missing, unexpected or of another kind, and what would be raised.

use std::fmt;
use std::path::PathBuf;

use super::keras::KerasProgram;
use crate::analysis::Selector;
use crate::analysis::naming::rename::Renames;
use crate::analysis::naming::roles::Role;
use crate::read::tensor::{DType, Shape};
use crate::read::wire::Crc32c;

/// A tensor that the model does not want, near one that it misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: Vec<u8>,
    /// Why it may be meant: `same bytes`, `same shape`, `other shape 3×4`.
    pub why: String,
    /// Its rank: the same bytes count most.
    pub(super) score: u32,
}

/// How a restore is to be judged.
#[derive(Clone, Debug, Default)]
pub struct RestoreOptions {
    /// New names for the checkpoint's tensors.
    pub renames: Renames,
    /// If it selects anything: nothing else counts.
    pub only: Selector,
    /// What it selects counts for nothing.
    pub ignore: Selector,
    /// Read no data shard, so no object graph either.
    pub quick: bool,
    /// `load_weights(by_name=True)` of Keras.
    pub by_name: bool,
    /// `load_weights(skip_mismatch=True)` of Keras.
    pub skip_mismatch: bool,
    /// Which Keras loads; `None`: the one that wrote the files.
    pub keras: Option<KerasProgram>,
}

/// How Keras loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KerasOutcome {
    /// Which Keras.
    pub program: KerasProgram,
    /// What decides which variable takes what: `topology`, `name` or `path`.
    pub by: &'static str,
}

/// What would happen.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    /// The checkpoint that would be restored, as its prefix.
    pub checkpoint: PathBuf,
    /// The file that says what is in it: its index, the first file of a V1 checkpoint, or the only file itself.
    pub index: PathBuf,
    /// The model, as given.
    pub against: PathBuf,
    /// What the model is, in a few words.
    pub model: String,
    /// The call in Python whose outcome this is.
    pub call: &'static str,
    /// Whether everything that the model wants would be restored, in the right shape.
    pub ok: bool,
    /// The errors that TensorFlow would raise, the likeliest to come first at the front. It raises one of them.
    pub raises: Vec<Raise>,
    /// The tensors that fit.
    pub matched: Vec<Match>,
    /// What the model wants and the checkpoint does not have.
    pub missing: Vec<Missing>,
    /// What the checkpoint has and the model does not want.
    pub unexpected: Vec<Unexpected>,
    /// The same by kind.
    pub groups: Vec<UnexpectedGroup>,
    /// What both have, in another shape or type.
    pub mismatched: Vec<Mismatch>,
    /// Objects that are bound but get no value, because the checkpoint has none for them.
    pub unrestored: Vec<Vec<u8>>,
    /// What the C++ loader, and so TensorFlow Serving, does with a SavedModel's own variables, if it is not the same:
    /// the error, or `None` if it loads without one.
    pub serving: Option<Option<Raise>>,
    /// What the assertions of an object-based restore would say; `None` if there are none to ask.
    pub assertions: Option<Assertions>,
    /// What probably happened, and what repairs it.
    pub hints: Vec<Hint>,
    /// What the user should know of how this was found.
    pub notes: Vec<String>,
    /// Where it is Keras that loads, how; the errors are its own then.
    pub keras: Option<KerasOutcome>,
    /// Why the answer is not certain.
    pub undetermined: Option<String>,
}

/// An exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raise {
    /// Its class in Python.
    pub class: &'static str,
    /// The part of its message that names the cause.
    pub message: String,
}

/// What probably happened, and what repairs it: every option and line of code was tried on the prediction itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// In words.
    pub text: String,
    /// Options of `ckpt validate`, each with its value, with which it restores.
    pub options: Vec<(&'static str, String)>,
    /// The same in the program: lines of Python.
    pub code: Vec<String>,
    /// How many tensors of the model get their values by it.
    pub restores: Option<usize>,
}

/// A dtype and a shape, as far as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The element type.
    pub dtype: Option<DType>,
    /// The shape, possibly of unknown dimensions or rank.
    pub shape: Shape,
}

/// A tensor that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The model's name for it.
    pub name: Vec<u8>,
    /// The name under which the checkpoint has it.
    pub stored: Vec<u8>,
    /// The variable that takes it, where the graph names one.
    pub variable: Option<String>,
}

/// A tensor that the checkpoint does not have.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The model's name for it.
    pub name: Vec<u8>,
    /// What it should be.
    pub spec: Spec,
    /// The checksum of its bytes in the model, if that is a checkpoint.
    pub crc32c: Option<Crc32c>,
    /// The variable that wants it, where the graph names one.
    pub variable: Option<String>,
    /// What it is for, judging by its name.
    pub role: Role,
    /// What may have been meant.
    pub candidates: Vec<Candidate>,
}

/// A tensor that the model does not want.
#[derive(Clone, Debug)]
pub struct Unexpected {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is.
    pub spec: Spec,
    /// The checksum of its bytes.
    pub crc32c: Option<Crc32c>,
    /// What it is for.
    pub role: Role,
    /// Whose it is.
    pub optimizer: Option<&'static str>,
}

/// A tensor of another shape or type.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The model's name for it.
    pub name: Vec<u8>,
    /// The name under which the checkpoint has it, if that is another one.
    pub stored: Vec<u8>,
    /// The variable that takes it, where the graph names one.
    pub variable: Option<String>,
    /// What the model wants.
    pub expected: Spec,
    /// What the checkpoint has.
    pub found: Spec,
    /// Whether TensorFlow takes it without a word.
    pub silent: bool,
    /// What it is for.
    pub role: Role,
    /// What the two have to do with each other.
    pub hint: Option<String>,
}

/// The assertions of `CheckpointLoadStatus`; each with the reason if it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertions {
    /// `assert_consumed`
    pub consumed: Result<(), String>,
    /// `assert_existing_objects_matched`
    pub existing_objects_matched: Result<(), String>,
    /// `assert_nontrivial_match`
    pub nontrivial_match: Result<(), String>,
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl Hint {
    /// Whether it says how to repair something.
    pub fn repairs(&self) -> bool {
        !(self.options.is_empty() && self.code.is_empty())
    }

    /// The options as a shell takes them, each with its value.
    pub fn option_words(&self) -> Vec<String> {
        let quoted = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
        let words = |(option, value): &(&str, String)| {
            if value.is_empty() { (*option).to_owned() } else { format!("{option} {}", quoted(value)) }
        };
        self.options.iter().map(words).collect()
    }
}

impl fmt::Display for Hint {
    /// In one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        let options = self.option_words();
        if !options.is_empty() {
            write!(f, ": {}", options.join(" "))?;
        }
        if !self.code.is_empty() {
            write!(f, "; in the program: {}", self.code.join("; "))?;
        }
        Ok(())
    }
}

impl Restore {
    /// Whether nothing that belongs to a model was matched.
    pub fn matches_nothing(&self) -> bool {
        let wanted = !self.missing.is_empty() || !self.unexpected.is_empty();
        wanted && self.mismatched.is_empty() && self.matched.iter().all(|found| is_save_counter(&found.name))
    }
}

impl Restore {
    /// A SavedModel without the index of its variables: Python's loaders raise, the C++ loader goes on without values.
    pub(super) fn without_variables(&mut self, prefix: &str, is_v2: bool) {
        let (call, class, message) = if is_v2 {
            let why = "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for";
            ("tf.saved_model.load", "FileNotFoundError", format!("{why} {prefix}"))
        } else {
            ("the SavedModel loader", "ValueError", format!("The passed save_path is not a valid checkpoint: {prefix}"))
        };
        (self.call, self.raises) = (call, vec![Raise { class, message }]);
        (self.undetermined, self.assertions, self.serving) = (None, None, Some(None));
        self.notes.clear();
    }
}

/// Whether this is the counter of `tf.train.Checkpoint.save`.
pub(super) fn is_save_counter(name: &[u8]) -> bool {
    name.strip_suffix(b"/.ATTRIBUTES/VARIABLE_VALUE").unwrap_or(name) == b"save_counter"
}

/// Tensors of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnexpectedGroup {
    /// What they are: `Adam slots`, `weights`.
    pub what: String,
    /// How many.
    pub count: usize,
    /// Whether a model that computes only does not need them.
    pub harmless: bool,
    /// Where they lie, numbers of siblings in braces; with how many tensors each.
    pub scopes: Vec<(String, usize)>,
}

/// A role for names that nothing is known of.
pub(super) const UNKNOWN: Role = Role::Weight;
