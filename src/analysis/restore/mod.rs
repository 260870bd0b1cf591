//! Would a restore work? What TensorFlow does with a checkpoint and a model, told from their files.
//!
//! Two answers that are kept apart: what TensorFlow does (it restores, or raises with a message), and whether the user
//! has what they want. Resource variables in a graph take values of a wrong shape without a word, and a
//! `tf.train.Checkpoint` whose objects all have other names restores nothing and returns normally.
//!
//! `model` reads what is wanted (`objects`, of which `reachable` counts), `stored` what is there; `by_name` and
//! `by_object`, which ends a `walk`, follow TensorFlow's `rules`, `crossing` those from one kind into the other; `hints`,
//! `roots`, `candidates` and `groups` say what it means; `findings` turns it into findings for every report format.

mod by_name;
mod by_object;
mod candidates;
mod causes;
mod crossing;
mod emit;
mod findings;
mod groups;
mod hints;
mod model;
mod objects;
mod reachable;
mod roots;
mod rules;
mod stored;
mod walk;

use std::fmt;
use std::path::PathBuf;

pub use candidates::Candidate;
pub(super) use causes::{KINDS_OF_NAMES, literal, replacement};
pub use emit::{assignment_map, expectation};
pub use findings::findings;
pub use groups::UnexpectedGroup;
pub use model::Model;

use super::finding::{Code, Severity};
use super::rename::Renames;
use super::roles::Role;
use super::select::Selector;
use super::validate::Validation;
use crate::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY};
use crate::tensor::{DType, Shape};
use crate::wire::Crc32c;
use model::Wants;
use stored::Stored;

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
}

/// What would happen.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    /// The checkpoint that would be restored, as its prefix.
    pub checkpoint: PathBuf,
    /// Its index, or the first file of a V1 checkpoint.
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

/// Predicts the restore of a checkpoint into a model.
pub fn restore(checkpoint: &Checkpoint, model: &Model, options: &RestoreOptions) -> Restore {
    let (mut result, stored) = predict(checkpoint, model, options);
    candidates::find(&mut result);
    causes::find(&mut result, &stored, &causes::Trial { checkpoint, model, options });
    result.groups = groups::group(&result.unexpected);
    // Renamed or not, a tensor has the name that the file has for it.
    let in_file = |name: &mut Vec<u8>| {
        if let Some(entry) = stored.get(name) {
            (*name).clone_from(&entry.tensor.name);
        }
    };
    result.matched.iter_mut().for_each(|found| in_file(&mut found.stored));
    result.mismatched.iter_mut().for_each(|found| in_file(&mut found.stored));
    result
}

/// What would happen, without what it means.
fn predict(checkpoint: &Checkpoint, model: &Model, options: &RestoreOptions) -> (Restore, Stored) {
    let stored = Stored::of(checkpoint, options);
    let origin = checkpoint.origin();
    let base = Restore {
        checkpoint: origin.prefix.as_path().to_path_buf(),
        index: origin.v1_files.first().cloned().unwrap_or_else(|| origin.prefix.index()),
        against: model.path.clone(),
        model: model.what.clone(),
        ..Restore::default()
    };
    let mut result = match &model.wants {
        Wants::Names(plan) => by_name::restore(&stored, model, plan, options, base),
        Wants::Objects(objects) if stored.is_object_based() => {
            by_object::restore(&stored, model, objects, options, base)
        }
        Wants::Objects(objects) => crossing::names_into_objects(&stored, objects, options, base),
    };
    if let Some(plan) = model.serving.as_ref().filter(|_| model.kind.is_own(stored.saved_model.as_deref())) {
        let told = by_name::restore(&stored, model, plan, options, Restore::default());
        if told.raises.is_empty() != result.raises.is_empty() {
            result.serving = Some(told.raises.into_iter().next());
        }
    }
    let is_own = model.kind.is_own(stored.saved_model.as_deref());
    let is_lost = is_own && stored.entries.is_empty() && !result.missing.is_empty() && !result.index.is_file();
    if is_lost {
        result.without_variables(&stored.prefix, matches!(model.kind, model::ModelKind::Loaded(_)));
    }
    result.notes.extend(model.notes.iter().cloned());
    if !result.mismatched.is_empty() {
        // Which of the two it is makes a difference only then.
        result.notes.extend(model.on_mismatch.iter().cloned());
    }
    let same_rank = |mismatch: &Mismatch| {
        let (expected, found) = (&mismatch.expected.shape, &mismatch.found.shape);
        expected != found && expected.rank() == found.rank() && mismatch.expected.dtype == mismatch.found.dtype
    };
    if !model.declares && result.mismatched.iter().any(same_rank) {
        result.notes.push(
            "a checkpoint does not say whether a variable was declared with unknown dimensions, as [None,3]: one that was \
             takes any size there; the program's SavedModel or .meta knows"
                .to_owned(),
        );
    }
    result.mismatched.sort_by(|a, b| a.name.cmp(&b.name));
    if stored.is_damaged && !result.missing.is_empty() && !is_lost {
        let why = "the index is damaged: what seems to be missing may have been in the lost part";
        result.undetermined.get_or_insert_with(|| why.to_owned());
    }
    // A counter that the next save would begin anew costs nobody anything.
    let wanting = result.missing.iter().any(|missing| !is_save_counter(&missing.name));
    let nothing = result.matched.iter().all(|found| is_save_counter(&found.name));
    let empty = result.missing.is_empty() && result.mismatched.is_empty() && result.unexpected.is_empty();
    result.ok = result.raises.is_empty()
        && !wanting
        && result.mismatched.is_empty()
        && result.unrestored.is_empty()
        && (!nothing || empty)
        && result.undetermined.is_none();
    (result, stored)
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
        self.options.iter().map(|(option, value)| format!("{option} {}", quoted(value))).collect()
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

    /// Adds what the checks of the checkpoint found: bytes that cannot be read end a restore too.
    pub fn add_damage(&mut self, validation: &Validation) {
        self.add_short(validation);
        let read: std::collections::BTreeSet<&[u8]> =
            self.matched.iter().map(|found| found.stored.as_slice()).collect();
        let damaged = validation.findings.iter().find(|finding| {
            let code = finding.code;
            let of_one =
                matches!(code, Code::TensorChecksumMismatch | Code::StringLengthsMismatch | Code::BadStringTensor);
            let named = finding.tensor.iter().filter(|_| of_one || code == Code::SingleBitFlip);
            // A restore that needs a file which is not there is told from the file.
            let is_file =
                matches!(code, Code::MissingShard | Code::ShortShard | Code::ForeignShard | Code::ShardCountMismatch);
            let mut all = named.chain(finding.explains.iter().filter(|_| !is_file));
            finding.severity == Severity::Error && all.any(|tensor| read.contains(tensor.as_slice()))
        });
        if let Some(finding) = damaged {
            let raise = Raise { class: "DataLossError", message: finding.message.clone() };
            self.raises.push(raise);
            self.ok = false;
        }
    }
}

impl Restore {
    /// A SavedModel without the index of its variables: Python's loaders raise, the C++ loader goes on without values.
    fn without_variables(&mut self, prefix: &str, is_v2: bool) {
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

    /// A shard that ends too early, or is another file: whatever is read of its end is not there.
    fn add_short(&mut self, validation: &Validation) {
        let short = |code| matches!(code, Code::ShortShard | Code::ForeignShard);
        let lost =
            validation.findings.iter().filter(|finding| short(finding.code)).flat_map(|finding| &finding.explains);
        let lost: std::collections::BTreeSet<&[u8]> = lost.map(Vec::as_slice).collect();
        // Objects are matched by the graph of them, which is read before anything else.
        let graph = self.call.starts_with("tf.") && !self.call.contains("Saver") && lost.contains(OBJECT_GRAPH_KEY);
        if !graph && !self.matched.iter().any(|found| lost.contains(found.stored.as_slice())) {
            return;
        }
        let class = if graph { "IndexError" } else { "OutOfRangeError" };
        self.raises.insert(0, Raise { class, message: "Read less bytes than requested".to_owned() });
        self.ok = false;
        if graph {
            (self.undetermined, self.assertions) = (None, None);
        }
    }
}

/// Whether this is the counter of `tf.train.Checkpoint.save`.
pub(super) fn is_save_counter(name: &[u8]) -> bool {
    name.strip_suffix(b"/.ATTRIBUTES/VARIABLE_VALUE").unwrap_or(name) == b"save_counter"
}
