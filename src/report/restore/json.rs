//! The `restore` object of `validate --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::{self, Assertions, assignment_map};
use crate::report::kit::json::{DTypeName, Dims, PathText, Utf8OrBase64, write_document};

/// `validate --emit assignment-map`: an object that `json.load` turns into the argument.
///
/// # Errors
/// What `out` says.
pub fn assignment_map_json(restore: &analysis::Restore, out: &mut dyn Write) -> io::Result<()> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let map: Map<String, Value> =
        assignment_map(restore).iter().map(|(stored, variable)| (text(stored), text(variable).into())).collect();
    write_document(&map, out)
}

/// What a restore of one checkpoint into one model would do.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Restore<'a> {
    /// the prefix that would be restored
    checkpoint: PathText<'a>,
    /// the model as given
    against: PathText<'a>,
    /// what the model is
    model: &'a str,
    /// the call in Python whose outcome this is
    call: &'a str,
    /// whether the model would get everything that it wants, in the right shape
    ok: bool,
    /// why the answer is not certain; the exit status is 2 then
    undetermined: Option<&'a str>,
    /// what TensorFlow does; not there where Keras loads
    #[serde(skip_serializing_if = "Option::is_none")]
    tensorflow: Option<TensorFlow<'a>>,
    /// what Keras does, where the checkpoint and the model are files of Keras
    #[serde(skip_serializing_if = "Option::is_none")]
    keras: Option<Keras<'a>>,
    /// what the C++ loader (TensorFlow Serving) does with a SavedModel's own variables, where it differs
    serving: Option<Raised<'a>>,
    /// tensors that fit
    matched: usize,
    /// what the model wants and the checkpoint lacks
    missing: Vec<Utf8OrBase64<'a>>,
    /// what the checkpoint has and the model does not want
    unexpected: Vec<Utf8OrBase64<'a>>,
    /// what both have, in another shape or dtype
    mismatched: Vec<Mismatch<'a>>,
    /// objects that the checkpoint has without a value
    unrestored: Vec<Utf8OrBase64<'a>>,
    /// whether it would hold; null if there is nothing to ask, or the restore raises
    assert_consumed: Option<bool>,
    /// whether it would hold; null if there is nothing to ask, or the restore raises
    assert_existing_objects_matched: Option<bool>,
    /// whether it would hold; null if there is nothing to ask, or the restore raises
    assert_nontrivial_match: Option<bool>,
    /// why they would not hold
    assertions: Option<Reasons<'a>>,
    /// what may have been meant by what is missing
    candidates: Vec<Candidates<'a>>,
    /// what is unexpected, by kind
    groups: Vec<UnexpectedGroup<'a>>,
    /// what probably happened and what repairs it
    hints: Vec<String>,
    /// of the hints that repair something, how
    repairs: Vec<Repair<'a>>,
    /// how it was found
    notes: &'a [String],
}

/// What TensorFlow does.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct TensorFlow<'a> {
    #[serde(flatten)]
    first: Raised<'a>,
    /// messages of which it may report another one first
    or: Vec<&'a str>,
}

/// What Keras does.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Keras<'a> {
    /// null if that could not be told
    outcome: Option<Loads>,
    /// the class; null if it loads
    error: Option<&'a str>,
    /// null if it loads; `…` stands for what only the running program has: values, addresses
    message: Option<&'a str>,
    /// what decides which variable takes what
    by: &'a str,
    /// which Keras: `2` is `tf_keras` too
    version: u8,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Loads {
    Loads,
    Raises,
}

/// How a restore ends.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Raised<'a> {
    outcome: Outcome,
    /// the class; null if it restores
    error: Option<&'a str>,
    /// null if it restores
    message: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Restores,
    Raises,
}

/// A tensor of another shape or dtype.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Mismatch<'a> {
    name: Utf8OrBase64<'a>,
    /// its name in the checkpoint
    stored: Utf8OrBase64<'a>,
    /// by the model
    expected: Spec<'a>,
    /// in the checkpoint
    found: Spec<'a>,
    /// TensorFlow takes it without an error
    silent: bool,
    /// what the two have to do with each other
    hint: Option<&'a str>,
}

/// A dtype and a shape, as far as known.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Spec<'a> {
    dtype: Option<DTypeName>,
    shape: Dims<'a>,
}

/// For each assertion the reason if it fails.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[expect(clippy::struct_field_names, reason = "they are the names of TensorFlow's methods")]
struct Reasons<'a> {
    assert_consumed: Option<&'a str>,
    assert_existing_objects_matched: Option<&'a str>,
    assert_nontrivial_match: Option<&'a str>,
}

/// What may have been meant by a tensor that is missing.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Candidates<'a> {
    name: Utf8OrBase64<'a>,
    expected: Spec<'a>,
    /// tensors of the checkpoint
    near: Vec<Near<'a>>,
}

/// A tensor that may have been meant.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Near<'a> {
    name: Utf8OrBase64<'a>,
    why: &'a str,
}

/// What repairs a restore.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Repair<'a> {
    /// what happened
    why: &'a str,
    /// the words to add to this command, with which it restores
    options: Vec<&'a str>,
    /// the same in the program, as lines of Python
    code: &'a [String],
    /// how many tensors of the model get their values
    restores: Option<usize>,
}

/// Unexpected tensors of one kind.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct UnexpectedGroup<'a> {
    what: &'a str,
    /// how many
    tensors: usize,
    /// for inference
    harmless: bool,
}

impl<'a> From<&'a analysis::Restore> for Restore<'a> {
    fn from(restore: &'a analysis::Restore) -> Self {
        let assertions = restore.assertions.as_ref();
        let holds = |pick: fn(&Assertions) -> &Result<(), String>| assertions.map(|all| pick(all).is_ok());
        let candidates = restore.missing.iter().filter(|missing| !missing.candidates.is_empty());
        Self {
            checkpoint: PathText(&restore.checkpoint),
            against: PathText(&restore.against),
            model: &restore.model,
            call: restore.call,
            ok: restore.ok,
            undetermined: restore.undetermined.as_deref(),
            tensorflow: restore.keras.is_none().then(|| TensorFlow {
                first: restore.raises.first().into(),
                or: restore.raises.iter().skip(1).map(|raise| raise.message.as_str()).collect(),
            }),
            keras: restore.keras.as_ref().map(|keras| {
                let raise = restore.raises.first();
                let loads = || restore.undetermined.is_none().then_some(Loads::Loads);
                Keras {
                    outcome: raise.map(|_| Loads::Raises).or_else(loads),
                    error: raise.map(|raise| raise.class),
                    message: raise.map(|raise| raise.message.as_str()),
                    by: keras.by,
                    version: if keras.program == analysis::KerasProgram::Keras2 { 2 } else { 3 },
                }
            }),
            serving: restore.serving.as_ref().map(|raise| raise.as_ref().into()),
            matched: restore.matched.len(),
            missing: restore.missing.iter().map(|missing| Utf8OrBase64(&missing.name)).collect(),
            unexpected: restore.unexpected.iter().map(|tensor| Utf8OrBase64(&tensor.name)).collect(),
            mismatched: restore.mismatched.iter().map(Mismatch::from).collect(),
            unrestored: restore.unrestored.iter().map(|key| Utf8OrBase64(key)).collect(),
            assert_consumed: holds(|assertions| &assertions.consumed),
            assert_existing_objects_matched: holds(|assertions| &assertions.existing_objects_matched),
            assert_nontrivial_match: holds(|assertions| &assertions.nontrivial_match),
            assertions: assertions.map(Reasons::from),
            candidates: candidates.map(Candidates::from).collect(),
            groups: restore.groups.iter().map(UnexpectedGroup::from).collect(),
            hints: restore.hints.iter().map(ToString::to_string).collect(),
            repairs: restore.hints.iter().filter(|hint| hint.repairs()).map(Repair::from).collect(),
            notes: &restore.notes,
        }
    }
}

impl<'a> From<Option<&'a analysis::Raise>> for Raised<'a> {
    fn from(raise: Option<&'a analysis::Raise>) -> Self {
        Self {
            outcome: if raise.is_some() { Outcome::Raises } else { Outcome::Restores },
            error: raise.map(|raise| raise.class),
            message: raise.map(|raise| raise.message.as_str()),
        }
    }
}

impl<'a> From<&'a analysis::Mismatch> for Mismatch<'a> {
    fn from(mismatch: &'a analysis::Mismatch) -> Self {
        Self {
            name: Utf8OrBase64(&mismatch.name),
            stored: Utf8OrBase64(&mismatch.stored),
            expected: (&mismatch.expected).into(),
            found: (&mismatch.found).into(),
            silent: mismatch.silent,
            hint: mismatch.hint.as_deref(),
        }
    }
}

impl<'a> From<&'a analysis::Spec> for Spec<'a> {
    fn from(spec: &'a analysis::Spec) -> Self {
        Self { dtype: spec.dtype.map(DTypeName), shape: Dims(&spec.shape) }
    }
}

impl<'a> From<&'a Assertions> for Reasons<'a> {
    fn from(assertions: &'a Assertions) -> Self {
        let why = |outcome: &'a Result<(), String>| outcome.as_ref().err().map(String::as_str);
        Self {
            assert_consumed: why(&assertions.consumed),
            assert_existing_objects_matched: why(&assertions.existing_objects_matched),
            assert_nontrivial_match: why(&assertions.nontrivial_match),
        }
    }
}

impl<'a> From<&'a analysis::Missing> for Candidates<'a> {
    fn from(missing: &'a analysis::Missing) -> Self {
        let near = |near: &'a analysis::Candidate| Near { name: Utf8OrBase64(&near.name), why: &near.why };
        Self {
            name: Utf8OrBase64(&missing.name),
            expected: (&missing.spec).into(),
            near: missing.candidates.iter().map(near).collect(),
        }
    }
}

impl<'a> From<&'a analysis::Hint> for Repair<'a> {
    fn from(hint: &'a analysis::Hint) -> Self {
        let words = |(option, value): &'a (&'static str, String)| [*option, value.as_str()];
        Self {
            why: &hint.text,
            options: hint.options.iter().flat_map(words).filter(|word| !word.is_empty()).collect(),
            code: &hint.code,
            restores: hint.restores,
        }
    }
}

impl<'a> From<&'a analysis::UnexpectedGroup> for UnexpectedGroup<'a> {
    fn from(group: &'a analysis::UnexpectedGroup) -> Self {
        Self { what: &group.what, tensors: group.count, harmless: group.harmless }
    }
}
